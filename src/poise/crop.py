"""Warping: cut a turned and scaled region out of a picture."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

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
    cv2 = _opencv()
    return (
        _warp_pillow(image, back, size, pad)
        if cv2 is None
        else _warp_opencv(cv2, image, back, size, pad=pad)
    )


@cache
def _opencv() -> Any:
    try:
        import cv2
    except ImportError:
        return None
    return cv2


def _warp_opencv(
    cv2: Any, image: Image, back: Affine, size: tuple[int, int], *, pad: int | None
) -> Image:
    # OpenCV's coordinates count from the middle of the first pixel.
    middles = back.copy()
    middles[:, 2] += back[:, :2] @ [0.5, 0.5] - 0.5
    border = cv2.BORDER_REPLICATE if pad is None else cv2.BORDER_CONSTANT
    warped: Image = cv2.warpAffine(
        image,
        middles,
        size,
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=border,
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
    return np.asarray(warped)


def _region(
    image: Image, back: Affine, size: tuple[int, int], pad: int | None
) -> tuple[Image, tuple[int, int]]:
    """Return the part of the picture that the crop needs, with a border, and its corner."""
    width, height = size
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]]) @ back[:, :2].T
    corners += back[:, 2]
    low = np.floor(corners.min(axis=0)).astype(int) - 2
    high = np.ceil(corners.max(axis=0)).astype(int) + 2
    limit = np.array([image.shape[1], image.shape[0]])
    if pad is not None:
        # Beyond one pixel outside the picture everything is padding.
        low, high = np.maximum(low, -2), np.minimum(high, limit + 2)
    inner_low = np.clip(low, 0, limit - 1)
    inner_high = np.clip(high, inner_low + 1, limit)
    part = image[inner_low[1] : inner_high[1], inner_low[0] : inner_high[0]]
    before, after = inner_low - low, np.maximum(high - inner_high, 0)
    if before.any() or after.any():
        around = ((before[1], after[1]), (before[0], after[0]), (0, 0))
        before = np.maximum(before, 0)
        part = (
            np.pad(part, around, mode="edge")
            if pad is None
            else np.pad(part, around, constant_values=pad)
        )
    return np.ascontiguousarray(part), (int(low[0]), int(low[1]))
