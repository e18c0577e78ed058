"""The small steps that several families share: fit a picture, keep people, describe the input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from poise.crop import crop
from poise.errors import ModelError
from poise.geometry import Affine, suppress
from poise.models.base import Detections
from poise.models.card import Card
from poise.poses import FloatArray, Image
from poise.runtime import Pixels

GREY = 114
# Of one picture; suppression compares each with each (mmdeploy's pre_top_k for RTMO).
MOST = 2000


def card_pixels(card: Card) -> Pixels:
    """Return how the engine must convert pictures for the network of a card."""
    return Pixels(card.mean, card.std, card.channels, card.layout, card.size)


def card_number(
    card: Card, setting: str, default: float, *, least: float = 0.0, most: float = 1e6
) -> float:
    """Return one of a card's settings as a number.

    Raises:
        ModelError: It is no number from ``least`` to ``most``.
    """
    value = card.settings.get(setting, default)
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    if not plain or not least <= value <= most:  # type: ignore[operator]
        raise ModelError(
            f"settings.{setting}: wanted a number from {least:g} to {most:g}, got {value!r}",
            where=f"card {card.name}",
        )
    return float(value)  # type: ignore[arg-type]


def card_flag(card: Card, setting: str, *, default: bool = False) -> bool:
    """Return one of a card's settings that is true or false.

    Raises:
        ModelError: It is neither.
    """
    value = card.settings.get(setting, default)
    if not isinstance(value, bool):
        raise ModelError(
            f"settings.{setting}: wanted true or false, got {value!r}", where=f"card {card.name}"
        )
    return value


def place(
    picture: tuple[int, int], size: tuple[int, int], *, stretch: bool = False, centred: bool = False
) -> Affine:
    """Return the (2, 3) map from the pixels of a whole picture to those that a network reads.

    Args:
        picture: Width and height of the picture in pixels.
        size: Width and height of what the network reads.
        stretch: Whether to fill it and let the proportions go; else the picture keeps them
            (letterbox).
        centred: Whether a letterbox has the picture in the middle, at a whole pixel, and not in
            the upper left corner. A half is rounded down, as Ultralytics' letterbox does.
    """
    factors = np.array(size) / picture
    if not stretch:
        factors[:] = factors.min()
    room = (np.array(size) - np.rint(factors * picture)) / 2 if centred else np.zeros(2)
    return np.column_stack([np.diag(factors), np.rint(room - 0.1) + 0.0])


def fit(image: Image, size: tuple[int, int], *, stretch: bool = False) -> tuple[Image, FloatArray]:
    """Bring a whole picture to the size that a network reads.

    Args:
        image: (H, W, 3) uint8.
        size: Width and height of the result in pixels.
        stretch: As of `place`: whether to fill it; else the picture is in the upper left corner
            and the rest is grey.

    Returns:
        The (height, width, 3) result, and the (2,) factors from picture to result pixels.
    """
    affine = place((image.shape[1], image.shape[0]), size, stretch=stretch)
    return crop(image, affine, size, pad=GREY), affine[[0, 1], [0, 1]].astype(np.float32)


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
    inside = np.clip(boxes, 0, np.array([*size, *size])).astype(np.float32)
    rows = keep_rows(inside, scores, size, minimum=minimum, overlap=overlap)
    return Detections(inside[rows], np.clip(scores[rows], 0, 1).astype(np.float32))


def keep_rows(
    boxes: FloatArray, scores: FloatArray, size: tuple[int, int], *, minimum: float, overlap: float
) -> npt.NDArray[np.int64]:
    """Return which boxes are good enough, inside the picture, and not said twice, best first.

    The boxes are compared as they are, also where they reach beyond the picture. Of more than
    ``MOST`` that are good enough, only the best are looked at.

    Args:
        boxes, scores, size, minimum, overlap: As of `keep_people`.
    """
    rows = np.flatnonzero(scores >= minimum)
    inside = np.clip(boxes[rows], 0, np.array([*size, *size]))
    rows = rows[((inside[:, 2:] - inside[:, :2]) >= 1).all(axis=1)]
    likely = np.clip(scores[rows], 0, 1).astype(np.float32)
    best = np.argsort(-likely, kind="stable")[:MOST]
    kept: npt.NDArray[np.int64] = rows[best][suppress(boxes[rows[best]], likely[best], overlap)]
    return kept


def corners(boxes: FloatArray) -> FloatArray:
    """Return (..., 4) x0 y0 x1 y1 of boxes that are given by middle, width and height."""
    half = boxes[..., 2:] / 2
    ends: FloatArray = np.concatenate([boxes[..., :2] - half, boxes[..., :2] + half], axis=-1)
    return ends.astype(np.float32)


def fits(output: npt.NDArray[Any], *wanted: int) -> bool:
    """Return whether an output has the shape that is wanted; -1 stands for any number."""
    shape = output.shape
    return len(shape) == len(wanted) and all(
        want in (-1, side) for want, side in zip(wanted, shape, strict=True)
    )


def read_suppressed(
    outputs: list[FloatArray], person: int = 0
) -> tuple[FloatArray, FloatArray] | None:
    """Read what mmdeploy's detectors say: (N, M, 5) boxes with scores, and (N, M) classes.

    Args:
        outputs: Of the network, in any order; the classes may be missing.
        person: Number of the class that counts.

    Returns:
        (N, M, 4) boxes in input pixels and (N, M) scores, -1 for other classes; None where the
        outputs have other shapes.
    """
    if len(outputs) not in (1, 2):
        return None
    found, *classes = sorted(outputs, key=np.ndim, reverse=True)
    if not fits(found, -1, -1, 5) or (classes and classes[0].shape != found.shape[:2]):
        return None
    scores = found[..., 4]
    if classes:
        scores = np.where(classes[0] == person, scores, -1)
    return found[..., :4], scores.astype(np.float32)


def wrong_outputs(card: str, wanted: str, outputs: Sequence[npt.NDArray[Any]]) -> ModelError:
    """Return the error of a network whose outputs are not those of its family.

    Args:
        card: Name of the card.
        wanted: What the family reads, such as ``one output (1, 56, A)``.
        outputs: What the network gave.
    """
    came = ", ".join(str(tuple(output.shape)) for output in outputs) or "none"
    return ModelError(
        f"wanted {wanted}, got {came}",
        where=f"card {card}",
        remedy="check the card's family, skeleton and size, and that the weights are this model's",
    )
