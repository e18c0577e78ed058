"""RTMDet: a one-stage detector without anchors (Lyu et al. 2022; mmdetection).

Its heads come raw, one output a stride, or read and suppressed by the network (mmdeploy's
``end2end.onnx``: ``dets`` and ``labels``); the outputs tell which.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Unpack

import numpy as np

from poise.models.card import Card
from poise.models.steps import card_pixels, fits, read_suppressed, sigmoid, wrong_outputs
from poise.models.whole import WholeDetector
from poise.poses import FloatArray
from poise.runtime import Compute, Session


class RTMDet(WholeDetector):
    """Finds people with a one-class RTMDet network."""

    # Chosen on 23 labelled pictures (not those of the accuracy test), at an input of 512.
    score = 0.35

    def _decode(self, outputs: list[FloatArray]) -> tuple[FloatArray, FloatArray]:
        found = read_suppressed(outputs)
        if found is None and outputs and all(fits(level, -1, -1, -1, 5) for level in outputs):
            return decode(outputs, self._card.size[0])
        if found is None:
            wanted = "one output (N, h, w, 5) a stride, or dets (N, M, 5) and labels (N, M)"
            raise wrong_outputs(self._card.name, wanted, outputs)
        return found


def decode(levels: Sequence[FloatArray], width: int) -> tuple[FloatArray, FloatArray]:
    """Turn the raw heads into boxes.

    Each cell says a logit and how far its box reaches left, up, right and down from the cell's
    upper left corner, in pixels of the input (mmdetection: the grid's offset is 0).

    Args:
        levels: (N, h, w, 5) arrays, one a stride.
        width: Of the input in pixels; a level's stride is its quotient with w.

    Returns:
        (N, A, 4) boxes in input pixels and (N, A) scores in 0..1.
    """
    boxes, scores = [], []
    for level in levels:
        count, rows, columns, _ = level.shape
        grid = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1)
        points = grid * np.float32(width / columns)
        corners = [points - level[..., 1:3], points + level[..., 3:5]]
        boxes.append(np.concatenate(corners, axis=-1).reshape(count, -1, 4))
        scores.append(sigmoid(level[..., 0]).reshape(count, -1))
    return np.concatenate(boxes, axis=1).astype(np.float32), np.concatenate(scores, axis=1)


def load(card: Card, paths: Sequence[Path], **compute: Unpack[Compute]) -> RTMDet:
    """Return the detector that a card describes, ready to run."""
    return RTMDet(Session(paths, pixels=card_pixels(card), **compute), card)
