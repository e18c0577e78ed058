"""YOLOX: a one-stage detector without anchors (Ge et al. 2021; Megvii-BaseDetection/YOLOX)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Unpack

import numpy as np

from poise.models.card import Card
from poise.models.steps import card_pixels, fits, read_suppressed, wrong_outputs
from poise.models.whole import WholeDetector
from poise.poses import FloatArray
from poise.runtime import Compute, Session

STRIDES = (8, 16, 32)
PERSON = 0


class YOLOX(WholeDetector):
    """Finds people with a YOLOX network.

    ``settings["output"]`` of its card is ``raw`` (the published networks: 85 columns a cell) or
    ``suppressed`` (mmdeploy's: boxes that went through non-maximum suppression in the network).
    """

    def _decode(self, outputs: list[FloatArray]) -> tuple[FloatArray, FloatArray]:
        if self._card.settings.get("output", "raw") == "raw":
            cells = sum((self._card.size[0] // s) * (self._card.size[1] // s) for s in STRIDES)
            if len(outputs) == 1 and fits(outputs[0], -1, cells, -1) and outputs[0].shape[2] > 5:
                return decode(outputs[0], self._card.size)
            raise wrong_outputs(self._card.name, f"one output (N, {cells}, 5 + classes)", outputs)
        found = read_suppressed(outputs, PERSON)
        if found is None:
            raise wrong_outputs(self._card.name, "dets (N, M, 5) and labels (N, M)", outputs)
        return found


def decode(cells: FloatArray, size: tuple[int, int]) -> tuple[FloatArray, FloatArray]:
    """Turn raw outputs into boxes of people.

    A row is the middle (in strides, from the cell's corner), the logarithm of width and height in
    strides, how likely an object is, and how likely each class is; all likelihoods in 0..1.

    Args:
        cells: (N, A, 5 + classes); the cells of stride 8, then 16, then 32, row by row.
        size: Width and height of the input in pixels.

    Returns:
        (N, A, 4) boxes in input pixels and (N, A) scores: object times person.
    """
    corners, strides = _grid(size)
    middle = (cells[..., :2] + corners) * strides
    half = np.exp(cells[..., 2:4]) * strides / 2
    boxes = np.concatenate([middle - half, middle + half], axis=-1).astype(np.float32)
    return boxes, cells[..., 4] * cells[..., 5 + PERSON]


def _grid(size: tuple[int, int]) -> tuple[FloatArray, FloatArray]:
    corners, strides = [], []
    for stride in STRIDES:
        columns, rows = np.meshgrid(np.arange(size[0] // stride), np.arange(size[1] // stride))
        corners.append(np.stack([columns.ravel(), rows.ravel()], axis=1))
        strides.append(np.full((columns.size, 1), stride))
    return (
        np.concatenate(corners).astype(np.float32),
        np.concatenate(strides).astype(np.float32),
    )


def load(card: Card, paths: Sequence[Path], **compute: Unpack[Compute]) -> YOLOX:
    """Return the detector that a card describes, ready to run."""
    return YOLOX(Session(paths, pixels=card_pixels(card), **compute), card)
