"""YOLO-pose: everybody's keypoints in one stage (Maji et al. 2022; Ultralytics' v8, 11 and 26).

An exported network has one output of one of two forms, which its shape tells apart. All places are
input pixels, all scores 0..1.

- (1, 4 + C + 3 K, A), one column a cell: the middle of the box, its width and height, the score of
  each of C classes, then x, y and score of each of K keypoints. It must be suppressed.
- (1, M, 6 + 3 K), one row a person: the box as x0 y0 x1 y1, score, class, then the keypoints. So
  answers 26, and any other that was exported with suppression (Ultralytics' guide on end-to-end
  detection).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Unpack

import numpy as np

from poise.models.card import Card
from poise.models.onestage import OneStageModel, People
from poise.models.steps import card_number, card_pixels, corners, fits, wrong_outputs
from poise.poses import FloatArray
from poise.runtime import Compute, Session


class YoloPose(OneStageModel):
    """Reads everybody of a picture with a YOLO-pose network.

    The picture keeps its proportions in the middle; the rest is grey. ``settings`` of the card may
    hold ``classes``, how many the network knows, 1 as it is, and ``person``, the one that counts,
    0 as it is.
    """

    centred = True
    # Ultralytics' own defaults, conf and iou of its prediction settings.
    score, overlap = 0.25, 0.7

    def _decode(self, outputs: list[FloatArray]) -> People:
        count, person = len(self.skeleton), int(card_number(self._card, "person", 0))
        # Said and not guessed: 80 classes without keypoints are as many numbers as 29 with them.
        rows = 4 + int(card_number(self._card, "classes", 1)) + 3 * count
        columns = 6 + 3 * count
        if len(outputs) == 1 and fits(outputs[0], 1, -1, columns):
            return read_people(outputs[0][0], person)
        if len(outputs) == 1 and fits(outputs[0], 1, rows, -1) and person < rows - 4 - 3 * count:
            return decode(outputs[0][0].T, count, person)
        wanted = f"one output (1, {rows}, A) or (1, M, {columns})"
        raise wrong_outputs(self._card.name, wanted, outputs)


def decode(cells: FloatArray, count: int, person: int = 0) -> People:
    """Read what is not yet suppressed.

    Args:
        cells: (A, 4 + C + 3 K), a row a cell.
        count: Keypoints, K.
        person: Number of the class.
    """
    edge = cells.shape[1] - 3 * count
    joints = cells[:, edge:].reshape(len(cells), count, 3)
    return People(cells[:, 4 + person], joints[..., :2], joints[..., 2], corners(cells[:, :4]))


def read_people(rows: FloatArray, person: int = 0) -> People:
    """Read (M, 6 + 3 K) rows that are suppressed already; other classes have the score -1."""
    joints = rows[:, 6:].reshape(len(rows), -1, 3)
    sure = np.where(rows[:, 5] == person, rows[:, 4], -1).astype(np.float32)
    return People(sure, joints[..., :2], joints[..., 2], rows[:, :4], once=True)


def load(card: Card, paths: Sequence[Path], **compute: Unpack[Compute]) -> YoloPose:
    """Return the pose model that a card describes, ready to run."""
    return YoloPose(Session(paths, pixels=card_pixels(card), **compute), card)
