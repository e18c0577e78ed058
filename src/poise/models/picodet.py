"""PicoDet: PaddleDetection's small detector (Yu et al. 2021), trained on pedestrians."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Unpack

from poise.models.card import Card
from poise.models.steps import card_pixels, fits, wrong_outputs
from poise.models.whole import WholeDetector
from poise.poses import FloatArray
from poise.runtime import Compute, Session


class PicoDet(WholeDetector):
    """Finds people with a one-class PicoDet network whose boxes are decoded but not suppressed.

    It was trained on pictures stretched to a square. On a plain grey picture it is sure of
    somebody (0.6); it is the crop model that finds nobody there.
    """

    stretch = True
    # As many false people as RTMDet has on the same 23 pictures.
    score = 0.25

    def _decode(self, outputs: list[FloatArray]) -> tuple[FloatArray, FloatArray]:
        # Boxes are in input pixels; the two may come in either order.
        if len(outputs) == 2 and all(output.ndim == 3 for output in outputs):
            boxes, scores = sorted(outputs, key=lambda output: output.shape[1] == 1)
            count, cells = boxes.shape[:2]
            if fits(boxes, -1, -1, 4) and fits(scores, count, 1, cells):
                return boxes, scores[:, 0]
        raise wrong_outputs(self._card.name, "boxes (N, A, 4) and scores (N, 1, A)", outputs)


def load(card: Card, paths: Sequence[Path], **compute: Unpack[Compute]) -> PicoDet:
    """Return the detector that a card describes, ready to run."""
    return PicoDet(Session(paths, pixels=card_pixels(card), **compute), card)
