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
    numbers = np.array([*back.ravel(), width, height, float(pad is None), pad or 0], np.float32)
    flat = np.ascontiguousarray(image).reshape(-1)
    planes = _network(size).run(flat, flat[1:], flat[2:], numbers)
    warped = np.empty((size[1], size[0], 3), np.uint8)
    for channel, plane in enumerate(planes):
        warped[..., channel] = plane
    return warped


@lru_cache(maxsize=32)
def _network(size: tuple[int, int]) -> Session:
    """Return the network that warps to one size of crop.

    Its inputs are the picture's bytes from the first, second and third on, so that one index
    finds all three channels, and ten numbers: the map back, width, height, whether the edge is
    repeated, and the grey level that it is not. Its outputs are the three channels.
    """
    ov = engine()
    from openvino import opset8 as op

    channels = [op.parameter([-1], np.uint8) for _ in range(3)]
    numbers = op.parameter([10], np.float32)
    value = [op.gather(numbers, np.int32(i), np.int32(0)) for i in range(10)]
    x, y = _middles(op, value[0:3], size), _middles(op, value[3:6], size)
    columns, across, covered_x = _neighbours(op, x, value[6])
    rows, down, covered_y = _neighbours(op, y, value[7])
    stride = op.multiply(op.convert(value[6], "i32"), np.int32(3))
    left, right = (op.multiply(column, np.int32(3)) for column in columns)
    upper, lower = (op.multiply(row, stride) for row in rows)
    places = [op.add(row, column) for row in (upper, lower) for column in (left, right)]
    covered = op.maximum(op.multiply(covered_x, covered_y), value[8])
    planes = []
    for channel in channels:
        a, b, c, d = [op.convert(op.gather(channel, p, np.int32(0)), "f32") for p in places]
        top, bottom = _between(op, a, b, across), _between(op, c, d, across)
        seen = _between(op, value[9], _between(op, top, bottom, down), covered)
        # Half a grey level, so that cutting off the fraction rounds.
        planes.append(op.convert(op.add(seen, np.float32(0.5)), "u8"))
    network = ov.Model(planes, [*channels, numbers], "crop")
    return Session.of(network, precision="f32", streams=2)


def _middles(op: Any, back: list[Any], size: tuple[int, int]) -> Any:
    """Return (h, w) x or y of each crop pixel's middle, counted from the first pixel's middle."""
    across = op.constant((np.arange(size[0], dtype=np.float32) + 0.5)[None, :])
    down = op.constant((np.arange(size[1], dtype=np.float32) + 0.5)[:, None])
    start = op.subtract(op.add(op.multiply(down, back[1]), back[2]), np.float32(0.5))
    return op.add(op.multiply(across, back[0]), start)


def _neighbours(op: Any, place: Any, count: Any) -> tuple[list[Any], Any, Any]:
    """Return the pixels before and after a place, how far it is from the first to the second,
    and how much of it the picture covers: 1 inside, less within a pixel of the edge, 0 beyond."""
    zero, one = np.float32(0), np.float32(1)
    last = op.subtract(count, one)
    near = op.minimum(op.maximum(place, zero), last)
    before = op.floor(near)
    after = op.minimum(op.add(before, one), last)
    outside = op.abs(op.subtract(place, near))
    covered = op.subtract(one, op.minimum(outside, one))
    pixels = [op.convert(before, "i32"), op.convert(after, "i32")]
    return pixels, op.subtract(near, before), covered


def _between(op: Any, first: Any, second: Any, share: Any) -> Any:
    return op.add(first, op.multiply(op.subtract(second, first), share))
