"""RTMPose: keypoints as two one-dimensional classifications, SimCC (Li et al. 2022; Jiang 2023).

For each keypoint one vector says how likely each column is and one how likely each row is, with
``split`` bins a pixel. The place is the bin of each maximum over ``split``; the score is the lower
of the two maxima (mmpose, RTMPose's codec).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Unpack

import numpy as np

from poise.geometry import Affine
from poise.models.card import Card
from poise.models.steps import card_number, card_pixels, wrong_outputs
from poise.models.upright import UprightModel, sampling
from poise.poses import FloatArray, Image
from poise.runtime import Compute, Session


class SimccModel(UprightModel):
    """Reads keypoints from pairs of vectors: (N, K, width * split) and (N, K, height * split).

    ``settings["split"]`` of the card is how many bins a pixel has.
    """

    def __init__(self, session: Session, card: Card) -> None:
        super().__init__(session, card)
        self._split = card_number(card, "split", 2.0)

    def cut(self, image: Image, region: Affine) -> Image:
        """Return the crop of one region, as the network was trained; beyond the picture black."""
        return super().cut(image, sampling(region, 0.0))

    def _decode(self, outputs: list[FloatArray]) -> tuple[FloatArray, FloatArray]:
        self._check(outputs)
        return decode(outputs[0], outputs[1], split=self._split)

    def _check(self, outputs: list[FloatArray]) -> None:
        bins = [round(side * self._split) for side in self.size]
        came = [output.shape[1:] for output in outputs]
        if came != [(len(self.skeleton), count) for count in bins]:
            wanted = " and ".join(f"(people, {len(self.skeleton)}, {count})" for count in bins)
            raise wrong_outputs(self._name, f"two vectors a keypoint, {wanted}", outputs)

    def _average(self, outputs: list[FloatArray], mirrored: list[FloatArray]) -> list[FloatArray]:
        self._check(outputs)
        flip, half = self.skeleton.flip, np.float32(0.5)
        columns, rows = mirrored[0][:, flip, ::-1], mirrored[1][:, flip]
        return [half * (outputs[0] + columns), half * (outputs[1] + rows)]


def decode(columns: FloatArray, rows: FloatArray, *, split: float) -> tuple[FloatArray, FloatArray]:
    """Return where the maxima of SimCC vectors are.

    Args:
        columns: (N, K, width * split).
        rows: (N, K, height * split).
        split: Bins a pixel.

    Returns:
        (N, K, 2) x and y in crop pixels, NaN where either maximum is not above 0, and (N, K)
        the lower of the two maxima, clipped to 0..1: the network's own can exceed 1.
    """
    scores = np.minimum(columns.max(axis=2), rows.max(axis=2))
    bins = np.stack([columns.argmax(axis=2), rows.argmax(axis=2)], axis=-1)
    places = np.where(scores[..., None] > 0, bins / split, np.nan)
    return places.astype(np.float32), np.clip(scores, 0, 1).astype(np.float32)


def load(card: Card, paths: Sequence[Path], **compute: Unpack[Compute]) -> SimccModel:
    """Return the crop model that a card describes, ready to run."""
    pixels = card_pixels(card)
    return SimccModel(Session(paths, streams=2, pixels=pixels, **compute), card)
