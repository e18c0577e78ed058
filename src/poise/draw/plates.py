"""Rectangles with round corners, painted into pictures: what letters stand on."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from poise.draw.lettering import RGB, blend
from poise.poses import Image


def fill_plate(
    image: Image,
    box: tuple[float, float, float, float],
    colour: RGB,
    *,
    radius: float = 0.0,
    opacity: float = 1.0,
) -> None:
    """Paint a rectangle into a picture, in place; what lies outside of it is cut off.

    Args:
        image: (H, W, 3) uint8 RGB.
        box: x0, y0, x1, y1 in pixels, rounded to whole ones.
        colour: RGB.
        radius: Of its corners, in pixels.
        opacity: 0..1.
    """
    x0, y0, x1, y1 = map(round, box)
    if x1 <= x0 or y1 <= y0:
        return
    cover = rounded_cover(x1 - x0, y1 - y0, min(radius, (x1 - x0) / 2, (y1 - y0) / 2))
    cover = (cover * round(256 * opacity)) >> 8
    height, width = image.shape[:2]
    cover = cover[max(-y0, 0) : max(height - y0, 0), max(-x0, 0) : max(width - x0, 0)]
    if cover.size:
        top, left = max(y0, 0), max(x0, 0)
        part = image[top : top + cover.shape[0], left : left + cover.shape[1]]
        blend(part, cover[..., None], np.array(colour, np.int32))


def rounded_cover(width: int, height: int, radius: float) -> npt.NDArray[np.int32]:
    """Return (height, width) how much, 0..256, a rectangle with round corners covers."""
    x = np.abs(np.arange(width) + 0.5 - width / 2) - (width / 2 - radius)
    y = np.abs(np.arange(height) + 0.5 - height / 2) - (height / 2 - radius)
    away = np.hypot(np.maximum(x, 0)[None], np.maximum(y, 0)[:, None])
    cover: npt.NDArray[np.int32] = (np.clip(radius + 0.5 - away, 0, 1) * 256).astype(np.int32)
    return cover
