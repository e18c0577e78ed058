"""The small steps that several families share: fit a picture, keep people, describe the input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from poise.crop import crop
from poise.errors import ModelError
from poise.geometry import suppress
from poise.models.base import Detections
from poise.models.card import Card
from poise.poses import FloatArray, Image
from poise.runtime import Pixels

GREY = 114


def card_pixels(card: Card) -> Pixels:
    """Return how the engine must convert pictures for the network of a card."""
    return Pixels(card.mean, card.std, card.channels, card.layout, card.size)


def card_number(card: Card, setting: str, default: float) -> float:
    """Return one of a card's settings as a number."""
    return float(card.settings.get(setting, default))  # type: ignore[arg-type]


def wrong_outputs(card: str, wanted: str, outputs: Sequence[npt.NDArray[Any]]) -> ModelError:
    """Return the error of a network whose outputs are not those of its family.

    Args:
        card: Name of the card.
        wanted: What the family reads, in words.
        outputs: What the network gave.
    """
    came = ", ".join(str(output.shape) for output in outputs)
    return ModelError(
        f"wanted {wanted}, got {came}",
        where=f"card {card}",
        remedy="check the card's family, skeleton and size, and that the weights are this model's",
    )


def fit(image: Image, size: tuple[int, int], *, stretch: bool = False) -> tuple[Image, FloatArray]:
    """Bring a whole picture to the size that a network reads.

    Args:
        image: (H, W, 3) uint8.
        size: Width and height of the result in pixels.
        stretch: Whether to fill it and let the proportions go; else the picture keeps its
            proportions in the upper left corner and the rest is grey (letterbox).

    Returns:
        The (height, width, 3) result, and the (2,) factors from picture to result pixels.
    """
    factors = np.array(size) / (image.shape[1], image.shape[0])
    if not stretch:
        factors[:] = factors.min()
    affine = np.column_stack([np.diag(factors), np.zeros(2)])
    return crop(image, affine, size, pad=GREY), factors.astype(np.float32)


def sigmoid(logits: npt.NDArray[np.floating]) -> FloatArray:
    """Return 1 / (1 + exp(-x)), without overflow."""
    value: FloatArray = (0.5 * (1 + np.tanh(0.5 * logits))).astype(np.float32)
    return value


def keep_people(
    boxes: FloatArray, scores: FloatArray, size: tuple[int, int], *, minimum: float, overlap: float
) -> Detections:
    """Keep the boxes that are good enough, inside the picture, and not said twice.

    Args:
        boxes: (N, 4) x0 y0 x1 y1 in picture pixels; they are cut at the picture's border.
        scores: (N,) in 0..1.
        size: Width and height of the picture.
        minimum: Least score.
        overlap: Most intersection over union of two people.
    """
    good = scores >= minimum
    inside = np.clip(boxes[good], 0, np.array([*size, *size])).astype(np.float32)
    likely = np.clip(scores[good], 0, 1).astype(np.float32)
    real = ((inside[:, 2:] - inside[:, :2]) >= 1).all(axis=1)
    inside, likely = inside[real], likely[real]
    rows = suppress(inside, likely, overlap)
    return Detections(inside[rows], likely[rows])
