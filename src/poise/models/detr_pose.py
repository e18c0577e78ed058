"""RF-DETR's keypoints and DETRPose: everybody's keypoints from queries, without suppression.

A network answers in one of two forms, which the outputs tell apart, whatever their order.

- RF-DETR (rfdetr 1.11.2, models/lwdetr, heads/keypoints, postprocess): boxes (1, Q, 4), middle and
  size; logits (1, Q, C) of each class; keypoints (1, Q, S K, 8): x, y, logit of being there, logit
  of being visible, the Cholesky factor of the precision (log l11, l21, log l22), and a share of the
  class's logit. S is 1, or 2 where the first K belong to nobody. Places are parts of the picture.
- DETRPose (Janampa and Pattichis 2025, its ONNX export): ``scores`` (1, Q) in 0..1, ``labels``
  (1, Q), whole numbers, ``keypoints`` (1, Q, K, 2) in pixels of the size that the network is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Unpack

import numpy as np

from poise.models.card import Card
from poise.models.onestage import OneStageModel, People
from poise.models.queries import run_queries, tell_apart
from poise.models.steps import card_number, card_pixels, corners, fits, sigmoid, wrong_outputs
from poise.poses import FloatArray, Image
from poise.runtime import Compute, Session

_TRACE = 0.2


class DetrPose(OneStageModel):
    """Reads everybody of a picture with a network of queries.

    ``settings["person"]`` of the card is the class that counts, the one of the last K keypoints as
    it is; ``settings["trace"]`` is how much the keypoints' uncertainty changes a person's score, 0
    for not at all. DETRPose scores people only, so each keypoint has the person's score.
    """

    stretch = True
    # Both projects' own: rfdetr's predict, DETRPose's onnx_inf.
    score = 0.5

    def _run(self, pictures: Image) -> list[FloatArray]:
        return run_queries(self._session, pictures, self._card.size)

    def _decode(self, outputs: list[FloatArray]) -> People:
        count = len(self.skeleton)
        labels, boxes, others = tell_apart(outputs)
        if len(others) == 2:
            sure, joints = sorted(others, key=np.ndim)
            people = self._weigh(boxes, sure, joints) if boxes else None
            if labels and fits(sure, 1, -1) and fits(joints, 1, sure.shape[1], count, 2):
                people = read_people(sure[0], joints[0])
            if people is not None:
                return people
        wanted = (
            f"boxes (1, Q, 4), logits (1, Q, C) and keypoints (1, Q, {count} or {2 * count}, 8), "
            f"or scores (1, Q), labels (1, Q) and keypoints (1, Q, {count}, 2)"
        )
        raise wrong_outputs(self._card.name, wanted, outputs)

    def _weigh(
        self, boxes: list[FloatArray], logits: FloatArray, joints: FloatArray
    ) -> People | None:
        """Read what RF-DETR says, or return None where the shapes are not of it."""
        count, queries = len(self.skeleton), boxes[0].shape[1]
        if not (fits(boxes[0], 1, -1, 4) and fits(logits, 1, queries, -1) and joints.ndim == 4):
            return None
        slots = joints.shape[2] // count
        person = int(card_number(self._card, "person", slots - 1))
        if not (fits(joints, 1, queries, slots * count, -1) and joints.shape[3] > 2):
            return None
        if not 0 <= person < min(slots, logits.shape[2]):
            return None
        own = joints[0, :, person * count : (person + 1) * count]
        trace = card_number(self._card, "trace", _TRACE)
        return read_queries(
            boxes[0][0], logits[0, :, person], own, size=self._card.size, trace=trace
        )


def read_queries(
    boxes: FloatArray,
    logits: FloatArray,
    joints: FloatArray,
    *,
    size: tuple[int, int],
    trace: float = 0,
) -> People:
    """Read what RF-DETR says of one picture.

    Args:
        boxes: (Q, 4) middle, width and height as parts of the picture.
        logits: (Q,) of the class person.
        joints: (Q, K, 3 or more) of that class.
        size: Width and height of the input in pixels.
        trace: As of `fuse`; 0 leaves the people's scores alone.
    """
    unit = np.array(size, np.float32)
    fused = trace > 0 and joints.shape[2] >= 7
    sure = fuse(logits, joints, trace) if fused else sigmoid(logits)
    places, there = joints[..., :2] * unit, sigmoid(joints[..., 2])
    return People(sure, places, there, corners(boxes) * np.tile(unit, 2), once=True)


def fuse(logits: FloatArray, joints: FloatArray, trace: float) -> FloatArray:
    """Return (Q,) scores of people that also say how certain their keypoints are.

    With p the person's own score and t the mean trace of the keypoints' covariances, weighted by
    how likely each is there, the score is f / (1 + f), where f = p t^-trace (rfdetr 1.11.2,
    PostProcess). A covariance is the inverse of L L', so that its trace is
    1 / l11^2 + 1 / l22^2 + l21^2 / (l11 l22)^2. All is done in logarithms.

    Args:
        logits: (Q,) of the people.
        joints: (Q, K, 7 or more) as the network says.
        trace: The exponent.
    """
    values = joints.astype(float)
    first, second = -2 * values[..., 4], -2 * values[..., 6]
    mixed = 2 * np.log(np.maximum(np.abs(values[..., 5]), 1e-12)) + first + second
    traces = np.logaddexp(np.logaddexp(first, second), mixed)
    weights = np.log(np.maximum(sigmoid(values[..., 2]), 1e-12))
    mean = np.logaddexp.reduce(traces + weights, axis=1) - np.logaddexp.reduce(weights, axis=1)
    return sigmoid(-np.logaddexp(0, -logits.astype(float)) - trace * mean)


def read_people(sure: FloatArray, joints: FloatArray) -> People:
    """Read (Q,) scores and (Q, K, 2) keypoints in input pixels; each has its person's score."""
    scores = np.repeat(sure[:, None], joints.shape[1], axis=1)
    return People(sure, joints, scores, None, once=True)


def load(card: Card, paths: Sequence[Path], **compute: Unpack[Compute]) -> DetrPose:
    """Return the pose model that a card describes, ready to run."""
    return DetrPose(Session(paths, pixels=card_pixels(card), **compute), card)
