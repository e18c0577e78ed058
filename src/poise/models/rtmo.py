"""RTMO: everybody's keypoints in one stage (Lu et al. 2023; mmpose, projects/rtmo).

mmdeploy's network suppresses by itself and answers ``dets`` (1, N, 5), boxes with scores, and
``keypoints`` (1, N, K, 3), x, y and score, all in input pixels. Its last row may be all zeros.
(mmdeploy, pose-detection_rtmo_onnxruntime_dynamic: score 0.05, overlap 0.5, the best 50.)
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Unpack

import numpy as np

from poise.models.card import Card
from poise.models.onestage import OneStageModel, People
from poise.models.steps import card_pixels, fits, wrong_outputs
from poise.poses import FloatArray
from poise.runtime import Compute, Session


class RTMO(OneStageModel):
    """Reads everybody of a picture with an RTMO network.

    The picture keeps its proportions in the upper left corner; the rest is grey.
    """

    # mmpose's demo takes 0.1 for this network and 0.3 for others, rtmlib takes 0.7.
    score = 0.3

    def _decode(self, outputs: list[FloatArray]) -> People:
        count = len(self.skeleton)
        if len(outputs) == 2:
            found, joints = sorted(outputs, key=np.ndim)
            if fits(found, 1, -1, 5) and fits(joints, 1, found.shape[1], count, 3):
                return decode(found[0], joints[0])
        wanted = f"dets (1, N, 5) and keypoints (1, N, {count}, 3)"
        raise wrong_outputs(self._card.name, wanted, outputs)


def decode(found: FloatArray, joints: FloatArray) -> People:
    """Read (N, 5) boxes with scores and (N, K, 3) keypoints with scores, in input pixels."""
    return People(found[:, 4], joints[..., :2], joints[..., 2], found[:, :4], once=True)


def load(card: Card, paths: Sequence[Path], **compute: Unpack[Compute]) -> RTMO:
    """Return the pose model that a card describes, ready to run."""
    return RTMO(Session(paths, pixels=card_pixels(card), **compute), card)
