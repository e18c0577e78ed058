"""RT-DETR, D-FINE, RF-DETR and their kin: detectors that need no suppression (Zhao et al. 2024).

A network answers in one of two forms, which the outputs tell apart, whatever their order.

- Boxes (N, Q, 4), middle and size as parts of the picture, and logits (N, Q, C) of each class
  (Transformers' ``pred_boxes`` and ``logits``; rfdetr's ``dets`` and ``labels``).
- ``labels`` (N, Q), whole numbers, ``boxes`` (N, Q, 4) x0 y0 x1 y1 in pixels of the size that the
  network is told, and ``scores`` (N, Q) in 0..1 (the export of RT-DETR and D-FINE).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Unpack

import numpy as np

from poise.models.card import Card
from poise.models.queries import run_queries, tell_apart
from poise.models.steps import card_number, card_pixels, corners, fits, sigmoid, wrong_outputs
from poise.models.whole import WholeDetector
from poise.poses import FloatArray, Image
from poise.runtime import Compute, Session


class Detr(WholeDetector):
    """Finds people with a network of queries.

    ``settings["person"]`` of the card is the class that counts: 0 as it is, 1 where the classes
    are numbered as COCO numbers its categories (RF-DETR).
    """

    stretch = True
    # The demonstrations of RT-DETR take 0.6, rfdetr takes 0.5; none of them suppresses.
    score, overlap = 0.5, 1.0

    def _run(self, pictures: Image) -> list[FloatArray]:
        return run_queries(self._session, pictures, self._card.size)

    def _decode(self, outputs: list[FloatArray]) -> tuple[FloatArray, FloatArray]:
        person = int(card_number(self._card, "person", 0))
        labels, boxes, others = tell_apart(outputs)
        if len(boxes) == len(others) == 1:
            count, queries = boxes[0].shape[:2]
            logits = not labels and fits(others[0], count, queries, -1)
            if logits and others[0].shape[2] > person:
                return decode(boxes[0], others[0][..., person], self._card.size)
            if len(labels) == 1 and labels[0].shape == others[0].shape == (count, queries):
                return boxes[0], np.where(labels[0] == person, others[0], -1).astype(np.float32)
        wanted = (
            f"boxes (N, Q, 4) and logits (N, Q, C) with more than {person} classes, or labels "
            "(N, Q), boxes (N, Q, 4) and scores (N, Q)"
        )
        raise wrong_outputs(self._card.name, wanted, outputs)


def decode(
    boxes: FloatArray, logits: FloatArray, size: tuple[int, int]
) -> tuple[FloatArray, FloatArray]:
    """Return boxes x0 y0 x1 y1 in input pixels and scores in 0..1.

    Args:
        boxes: (N, Q, 4) middle, width and height as parts of the picture.
        logits: (N, Q) of the class person.
        size: Width and height of the input in pixels.
    """
    return corners(boxes) * np.array([*size, *size], np.float32), sigmoid(logits)


def load(card: Card, paths: Sequence[Path], **compute: Unpack[Compute]) -> Detr:
    """Return the detector that a card describes, ready to run."""
    return Detr(Session(paths, pixels=card_pixels(card), **compute), card)
