"""Warping: cut a turned and scaled region out of a picture.

OpenCV does it where it is installed; else the engine, with a small network of gathers and sums
that is compiled once for each size of crop. The engine's way is exact to the rounding of a grey
level and takes two to three times as long. `docs/architecture.md` says what else was measured.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

import numpy as np

from poise.geometry import Affine, invert
from poise.poses import Image
from poise.runtime import Session, engine


def crop(image: Image, affine: Affine, size: tuple[int, int], *, pad: int | None = 0) -> Image:
    """Warp a picture by an affine map, with bilinear interpolation.

    Pixels are areas: the middle of crop pixel (i, j) is (i + 0.5, j + 0.5), and so in the picture.

    Args:
        image: (H, W, 3) uint8.
        affine: (2, 3) map from picture pixels to crop pixels (``geometry.crop_affine``).
        size: Width and height of the crop in pixels.
        pad: Grey level of what lies outside the picture, or None to repeat the picture's edge.

    Returns:
        (height, width, 3) uint8.
    """
    back = invert(affine)
    # OpenCV keeps coordinates in 16 bits.
    if _opencv() is None or max(image.shape[:2]) >= 2**15 or np.abs(back).max() >= 2**15:
        return _warp_engine(image, back, size, pad)
    return _warp_opencv(image, back, size, pad)


def planar() -> bool:
    """Return whether the colours of a crop lie apart in memory (the array is then a view)."""
    return _opencv() is None


@cache
def _opencv() -> Any:
    try:
        import cv2
    except ImportError:
        return None
    return cv2


def _warp_opencv(image: Image, back: Affine, size: tuple[int, int], pad: int | None) -> Image:
    cv2 = _opencv()
    # OpenCV's coordinates count from the middle of the first pixel.
    middles = back.copy()
    middles[:, 2] += back[:, :2] @ [0.5, 0.5] - 0.5
    warped: Image = cv2.warpAffine(
        image,
        middles,
        size,
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE if pad is None else cv2.BORDER_CONSTANT,
        borderValue=(pad or 0,) * 3,
    )
    return warped


def _warp_engine(image: Image, back: Affine, size: tuple[int, int], pad: int | None) -> Image:
    height, width = image.shape[:2]
    numbers = np.array([*back.ravel(), width - 1, height - 1, pad or 0], np.float32)
    # Whole numbers are exact in float32 up to here.
    small = image.size < 2**24
    flat = np.ascontiguousarray(image).reshape(-1)
    planes: Any = _network(size, pad is None, small).run(flat, flat[1:], flat[2:], numbers)[0]
    warped: Image = planes.transpose(1, 2, 0)
    return warped


@lru_cache(maxsize=32)
def _network(size: tuple[int, int], repeat: bool, small: bool) -> Session:
    """Return the network that warps to one size of crop.

    Its inputs are the picture's bytes from the first, second and third on, so that one index
    finds all three channels, and nine numbers: the map back, the last column, the last row, and
    the grey level outside. Its output is the three channels, (3, height, width).

    Args:
        size: Width and height of the crop in pixels.
        repeat: Whether the picture's edge is repeated outside, and not the grey level.
        small: Whether float32 can count the picture's bytes.
    """
    ov = engine()
    op = ov.opset8

    channels = [op.parameter([-1], np.uint8) for _ in range(3)]
    numbers = op.parameter([9], np.float32)
    value = [op.gather(numbers, np.int32(i), np.int32(0)) for i in range(9)]
    column, across, covered_x = _neighbours(op, _middles(op, value[0:3], size), value[6])
    row, down, covered_y = _neighbours(op, _middles(op, value[3:6], size), value[7])
    places = _places(op, (column, row), (value[6], value[7]), small=small)
    planes = []
    for channel in channels:
        a, b, c, d = [op.convert(op.gather(channel, p, np.int32(0)), "f32") for p in places]
        seen = _between(op, _between(op, a, b, across), _between(op, c, d, across), down)
        if not repeat:
            seen = _between(op, value[8], seen, op.multiply(covered_x, covered_y))
        # Half a grey level, so that cutting off the fraction rounds.
        plane = op.convert(op.add(seen, np.float32(0.5)), "u8")
        planes.append(op.unsqueeze(plane, np.int32(0)))
    network = ov.Model([op.concat(planes, 0)], [*channels, numbers], "crop")
    return Session.of(network, precision="f32", streams=2)


def _middles(op: Any, back: list[Any], size: tuple[int, int]) -> Any:
    """Return (h, w) x or y of each crop pixel's middle, counted from the first pixel's middle."""
    across = op.constant((np.arange(size[0], dtype=np.float32) + 0.5)[None, :])
    down = op.constant((np.arange(size[1], dtype=np.float32) + 0.5)[:, None])
    start = op.subtract(op.add(op.multiply(down, back[1]), back[2]), np.float32(0.5))
    return op.add(op.multiply(across, back[0]), start)


def _neighbours(op: Any, place: Any, last: Any) -> tuple[Any, Any, Any]:
    """Return the pixel before a place, how far it is from there to the next pixel, and how much
    of it the picture covers: 1 inside, less within a pixel of the edge, 0 beyond."""
    zero, one = np.float32(0), np.float32(1)
    near = op.minimum(op.maximum(place, zero), last)
    before = op.minimum(op.floor(near), op.maximum(op.subtract(last, one), zero))
    outside = op.abs(op.subtract(place, near))
    covered = op.subtract(one, op.minimum(outside, one))
    return before, op.subtract(near, before), covered


def _places(op: Any, first: tuple[Any, Any], last: tuple[Any, Any], *, small: bool) -> list[Any]:
    """Return where in the bytes each place's four pixels are: upper left, right, lower left, right.

    In a picture that is one pixel wide or high, the next pixel is the same one.
    """
    (x, y), three = first, np.int32(3)
    width = op.add(op.convert(last[0], "i32"), np.int32(1))
    stride = op.multiply(width, three)
    if small:
        line = op.multiply(op.add(last[0], np.float32(1)), np.float32(3))
        place = op.convert(op.add(op.multiply(x, np.float32(3)), op.multiply(y, line)), "i32")
    else:
        place = op.add(
            op.multiply(op.convert(x, "i32"), three), op.multiply(op.convert(y, "i32"), stride)
        )
    more = [op.minimum(op.convert(end, "i32"), np.int32(1)) for end in last]
    right, lower = op.multiply(more[0], three), op.multiply(more[1], stride)
    below = op.add(place, lower)
    return [place, op.add(place, right), below, op.add(below, right)]


def _between(op: Any, first: Any, second: Any, share: Any) -> Any:
    return op.add(first, op.multiply(op.subtract(second, first), share))
