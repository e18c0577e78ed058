"""What detectors that read a whole picture share: everything but the meaning of their outputs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from poise.models.base import Detections
from poise.models.card import Card
from poise.models.steps import card_number, fit, keep_people
from poise.poses import FloatArray, Image
from poise.runtime import Session


class WholeDetector(ABC):
    """Finds people in whole pictures; the families say how to read the outputs.

    The boxes are cut at the picture's border, the best comes first, and the scores are 0..1.

    Args:
        session: The network; it takes uint8 RGB pictures.
        card: Its input size, and in ``settings`` the least ``score`` of a person and the most
            ``overlap`` (intersection over union) of two; the class knows good ones.

    Attributes:
        precision: The number format the device computes in.
    """

    stretch = False
    score = 0.4
    overlap = 0.6

    def __init__(self, session: Session, card: Card) -> None:
        self._session, self._card = session, card
        self._minimum = card_number(card, "score", self.score)
        self._overlap = card_number(card, "overlap", self.overlap)
        self.precision = session.precision

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """Return the people of each picture, after non-maximum suppression."""
        if not images:
            return []
        fitted = [fit(image, self._card.size, stretch=self.stretch) for image in images]
        outputs = self._run(np.stack([canvas for canvas, _ in fitted]))
        boxes, scores = self._decode(outputs)
        return [
            keep_people(
                found / np.tile(factors, 2),
                sure,
                (image.shape[1], image.shape[0]),
                minimum=self._minimum,
                overlap=self._overlap,
            )
            for image, (_, factors), found, sure in zip(images, fitted, boxes, scores, strict=True)
        ]

    def _run(self, pictures: Image) -> list[FloatArray]:
        return self._session.run(pictures)

    @abstractmethod
    def _decode(self, outputs: list[FloatArray]) -> tuple[FloatArray, FloatArray]:
        """Return (N, A, 4) boxes in input pixels and (N, A) scores in 0..1, of people only."""
