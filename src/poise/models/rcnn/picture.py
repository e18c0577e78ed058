"""How a picture comes to a Keypoint R-CNN: its short side to 800 pixels, then grey levels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from poise.models.card import Card
from poise.models.rcnn.design import SIDE
from poise.poses import FloatArray, Image


@dataclass(frozen=True, eq=False)
class Prepared:
    """A picture as the network takes it.

    Attributes:
        pixels: (1, 3, height, width) float32, the sides multiples of 32; nought right of and below
            the picture.
        size: (2,) float32, width and height of the picture in it.
        factors: (2,) float32 from these pixels to those of the original, x and y.
    """

    pixels: FloatArray
    size: FloatArray
    factors: FloatArray


def prepare(image: Image, card: Card, *, smooth: bool = False) -> Prepared:
    """Bring a picture to the network's size and to its grey levels.

    Args:
        image: (H, W, 3) uint8 RGB.
        card: ``size`` holds the sides that are aimed at: the short one becomes the smaller number,
            unless the long one would become more than the larger number. ``channels``, ``mean``
            and ``std`` as in every card.
        smooth: Whether pixels are averaged when the picture shrinks, as Pillow and so Detectron2
            do; else two pixels are mixed along each side, as torchvision does.
    """
    height, width = image.shape[:2]
    size = fit_size((width, height), card.size, nearest=smooth)
    resized = _resize_smooth(image, size) if smooth else _resize(image, size)
    if card.channels == "BGR":
        resized = resized[..., ::-1]
    sides = [-(-side // SIDE) * SIDE for side in size]
    pixels = np.zeros((1, 3, sides[1], sides[0]), np.float32)
    levels = (resized - np.array(card.mean, np.float32)) / np.array(card.std, np.float32)
    pixels[0, :, : size[1], : size[0]] = levels.transpose(2, 0, 1)
    reached = np.array(size, np.float32)
    return Prepared(pixels, reached, np.array([width, height], np.float32) / reached)


def fit_size(
    size: tuple[int, int], sides: tuple[int, int], *, nearest: bool = False
) -> tuple[int, int]:
    """Return width and height that a picture is brought to.

    Args:
        size: Width and height of the picture.
        sides: What its short and its long side may be at most, in any order.
        nearest: Whether a side is rounded to the nearest whole number (Detectron2's
            ``ResizeShortestEdge``) or down (torchvision's ``GeneralizedRCNNTransform``).
    """
    scale = min(min(sides) / min(size), max(sides) / max(size))
    extra = 0.5 if nearest else 0.0
    width, height = (max(int(side * scale + extra), 1) for side in size)
    return width, height


def _resize_smooth(image: Image, size: tuple[int, int]) -> FloatArray:
    from PIL import Image as Pillow

    return np.asarray(Pillow.fromarray(image).resize(size, Pillow.Resampling.BILINEAR), np.float32)


def _resize(image: Image, size: tuple[int, int]) -> FloatArray:
    """Mix two pixels along each side; the middle of pixel i is at i + 0.5 in both pictures."""
    left, right, share = _neighbours(image.shape[1], size[0])
    upper, lower, weight = _neighbours(image.shape[0], size[1])
    rows = _mix(image[upper], image[lower], weight[:, None, None])
    return _mix(rows[:, left], rows[:, right], share[:, None])


def _neighbours(
    old: int, new: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], FloatArray]:
    # The ratio and the places are single numbers in torch, and rounded once each.
    step = float(np.float32(old) / np.float32(new))
    places = np.maximum((np.arange(new) + 0.5) * step - 0.5, 0).astype(np.float32)
    first = places.astype(np.int64)
    return first, np.minimum(first + 1, old - 1), places - first.astype(np.float32)


def _mix(
    first: npt.NDArray[np.generic], second: npt.NDArray[np.generic], share: FloatArray
) -> FloatArray:
    mixed = second.astype(np.float32)
    begin = first.astype(np.float32)
    mixed -= begin
    mixed *= share
    mixed += begin
    return mixed
