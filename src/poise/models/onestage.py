"""What one-stage pose models share: everything but the meaning of their outputs.

One network finds everybody in a whole picture and says where their keypoints are.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from poise.crop import crop
from poise.geometry import invert, transform
from poise.models.base import PoseModel
from poise.models.card import Card
from poise.models.steps import GREY, card_number, keep_rows, place
from poise.poses import FloatArray, Frame, Image, Poses, bounding_boxes
from poise.runtime import Session
from poise.skeleton import get_skeleton


@dataclass(frozen=True, eq=False)
class People:
    """Everybody that a network offers for one picture, in input pixels; N people, K keypoints.

    Attributes:
        sure: (N,) scores of the people in 0..1.
        keypoints: (N, K, 2).
        scores: (N, K) in 0..1.
        boxes: (N, 4) x0 y0 x1 y1, or None where the network says none.
        once: Whether nobody is said twice, so that nothing is to be suppressed.
    """

    sure: FloatArray
    keypoints: FloatArray
    scores: FloatArray
    boxes: FloatArray | None
    once: bool = False

    def select(self, rows: npt.NDArray[np.int64]) -> People:
        """Return only some of the people, by their row numbers."""
        boxes = None if self.boxes is None else self.boxes[rows]
        return People(
            self.sure[rows], self.keypoints[rows], self.scores[rows], boxes, once=self.once
        )


class OneStageModel(PoseModel, ABC):
    """Reads everybody of a picture by one network; the families say how to read the outputs.

    People come best first. Their boxes are cut at the picture's border; a keypoint may lie beyond
    it. A keypoint without a score is absent.

    Args:
        session: The network; it takes uint8 RGB pictures.
        card: Its skeleton and input size, and in ``settings`` the least ``score`` of a person and
            the most ``overlap`` (intersection over union) of two, where the network does not see
            to that itself; the class knows the published ones.

    Attributes:
        name, skeleton, precision: As of every pose model.
    """

    stretch = False
    centred = False
    score = 0.3
    overlap = 0.65

    def __init__(self, session: Session, card: Card) -> None:
        self._session, self._card = session, card
        self._minimum = card_number(card, "score", self.score)
        self._overlap = card_number(card, "overlap", self.overlap)
        self.name, self.skeleton = card.name, get_skeleton(card.skeleton)
        self.precision = session.precision

    def estimate(self, frames: Sequence[Frame]) -> list[Poses]:
        """Return everyone in each of several unrelated pictures, in order."""
        # One by one: networks that suppress by themselves mix up the pictures of a batch.
        return [self._estimate_one(frame) for frame in frames]

    def _estimate_one(self, frame: Frame) -> Poses:
        size = self._card.size
        affine = place(frame.size, size, stretch=self.stretch, centred=self.centred)
        offered = self._decode(self._run(crop(frame.image, affine, size, pad=GREY)[None]))
        # Of the thousands that some networks offer, few are worth a second look.
        people = offered.select(np.flatnonzero(offered.sure >= self._minimum))
        back = invert(affine)
        keypoints = np.where(people.scores[..., None] > 0, people.keypoints, np.nan)
        keypoints = transform(back, keypoints)
        if people.boxes is None:
            boxes = bounding_boxes(keypoints)
        else:
            boxes = transform(back, people.boxes.reshape(-1, 2, 2)).reshape(-1, 4)
        most = 1.0 if people.once else self._overlap
        rows = keep_rows(boxes, people.sure, frame.size, minimum=self._minimum, overlap=most)
        return Poses(
            self.skeleton,
            keypoints[rows],
            np.clip(people.scores[rows], 0, 1),
            boxes=np.clip(boxes[rows], 0, [*frame.size, *frame.size]),
            person_scores=np.clip(people.sure[rows], 0, 1),
            index=frame.index,
            time=frame.time,
            size=frame.size,
        )

    def _run(self, pictures: Image) -> list[FloatArray]:
        return self._session.run(pictures)

    @abstractmethod
    def _decode(self, outputs: list[FloatArray]) -> People:
        """Return whom the network offers for one picture."""
