"""Warping: cut a turned and scaled region out of a picture.

Pillow does it, or OpenCV where it is installed, which takes a quarter of the time; the results
differ by at most one grey level. `docs/architecture.md` says what else was measured.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from poise.geometry import Affine, invert
from poise.poses import Image


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
    # OpenCV keeps coordinates in 16 bits, and places in 10 bits more.
    if _opencv() is None or max(image.shape[:2]) >= 2**15 or np.abs(back).max() >= 2**15:
        return _warp_pillow(image, back, size, pad)
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


def _warp_pillow(image: Image, back: Affine, size: tuple[int, int], pad: int | None) -> Image:
    from PIL import Image as Pictures

    region, corner = _region(image, back, size, pad)
    local = back.copy()
    local[:, 2] -= corner
    warped = Pictures.fromarray(region).transform(
        size,
        Pictures.Transform.AFFINE,
        tuple(local.ravel()),
        Pictures.Resampling.BILINEAR,
        fillcolor=(pad or 0,) * 3,
    )
    return np.array(warped)


def _region(
    image: Image, back: Affine, size: tuple[int, int], pad: int | None
) -> tuple[Image, npt.NDArray[np.int64]]:
    """Return the part of the picture that the crop needs, and where its corner is.

    It has a border of padding, since Pillow does not mix a picture's edge with what is outside.
    """
    limit = np.array([image.shape[1], image.shape[0]])
    corners = np.array([[0, 0], [1, 0], [0, 1], [1, 1]]) * size @ back[:, :2].T + back[:, 2]
    low = np.floor(corners.min(axis=0)) - 2
    high = np.ceil(corners.max(axis=0)) + 2
    if pad is not None:
        # Two pixels outside the picture everything is padding.
        low, high = np.clip(low, -2, limit), np.clip(high, 0, limit + 2)
    low, high = low.astype(np.int64), np.maximum(high, low + 1).astype(np.int64)
    first, last = np.clip(low, 0, limit - 1), np.clip(high, 1, limit)
    part = image[first[1] : last[1], first[0] : last[0]]
    before, after = np.maximum(first - low, 0), np.maximum(high - last, 0)
    around = ((before[1], after[1]), (before[0], after[0]), (0, 0))
    if pad is None:
        part = np.pad(part, around, mode="edge")
    elif before.any() or after.any():
        part = np.pad(part, around, constant_values=pad)
    return np.ascontiguousarray(part), first - before
