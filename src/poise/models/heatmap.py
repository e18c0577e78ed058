"""Crop models that answer with one heat map a keypoint.

So do PP-TinyPose, SimpleBaseline, HRNet, AlphaPose's FastPose and ViTPose. What differs is in the
card's settings; `heatmap_decoding` says what the refinements are.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Unpack

import numpy as np

from poise.errors import ModelError, suggest
from poise.geometry import Affine
from poise.models.card import Card
from poise.models.heatmap_decoding import REFINEMENTS, decode, turn_round
from poise.models.steps import card_flag, card_pixels, wrong_outputs
from poise.models.upright import UprightModel, sampling
from poise.poses import FloatArray, Image
from poise.runtime import Compute, Session


class HeatmapModel(UprightModel):
    """Reads keypoints from heat maps: the (N, K, h, w) first output of the network.

    The card's ``settings`` may hold, besides those of every upright model:

    - ``refine``: ``dark`` (the default), ``udp``, ``quarter`` or ``none``;
    - ``blur``: cells that the smoothing before ``dark`` or ``udp`` spans: 3 (the default,
      PP-TinyPose), 11 for maps trained with a sigma of 2 cells, 17 for 3;
    - ``unbiased``: whether the network was trained with UDP's coordinates (Huang et al. 2020):
      lengths are counted between the middles of the first and last pixel, so that the crop's
      width W - 1 goes with the map's w - 1. Else cell x stands for the crop's point
      x * W / w (SimpleBaseline's convention);
    - ``shift``: whether the maps of mirrored crops are moved by a cell before they are averaged;
      by default so unless ``unbiased``.

    Raises:
        ModelError: A setting is none of these, or the maps are not those of the card's skeleton.
    """

    def __init__(self, session: Session, card: Card) -> None:
        super().__init__(session, card)
        self._refine = str(card.settings.get("refine", "dark"))
        if self._refine not in REFINEMENTS:
            raise ModelError(
                f"refine '{self._refine}' is not known",
                where=f"card {card.name}",
                remedy=suggest(self._refine, REFINEMENTS),
            )
        blur = card.settings.get("blur", 3)
        if not isinstance(blur, int) or blur < 1 or blur % 2 == 0:
            raise ModelError(f"blur: wanted an odd number, got {blur}", where=f"card {card.name}")
        self._blur = blur
        self._unbiased = card_flag(card, "unbiased")
        self._shift = card_flag(card, "shift", default=not self._unbiased)

    def _region(self, box: FloatArray) -> Affine:
        affine = super()._region(box)
        if not self._unbiased:
            return affine
        # The region's edges fall on the middles of the outermost pixels, not on their edges.
        size = np.array(self.size, float)
        inner: Affine = affine * ((size - 1) / size)[:, None]
        inner[:, 2] += 0.5
        return inner

    def cut(self, image: Image, region: Affine) -> Image:
        """Return the crop of one region, as the network was trained; beyond the picture black."""
        return super().cut(image, sampling(region, 0.5 if self._unbiased else 0.0))

    def _decode(self, outputs: list[FloatArray]) -> tuple[FloatArray, FloatArray]:
        maps = self._check(outputs)
        cells, scores = decode(maps, refine=self._refine, blur=self._blur)
        size, grid = np.array(self.size, float), np.array([maps.shape[3], maps.shape[2]])
        if self._unbiased:
            places = cells * ((size - 1) / (grid - 1)) + 0.5
        else:
            places = cells * (size / grid)
        return places.astype(np.float32), scores

    def _average(self, outputs: list[FloatArray], mirrored: list[FloatArray]) -> list[FloatArray]:
        maps = self._check(outputs)
        turned = turn_round(mirrored[0], self.skeleton.flip, shift=self._shift)
        return [np.float32(0.5) * (maps + turned)]

    def _check(self, outputs: list[FloatArray]) -> FloatArray:
        maps = outputs[0]
        if maps.ndim != 4 or maps.shape[1] != len(self.skeleton) or min(maps.shape[2:]) < 2:
            wanted = f"heat maps (people, {len(self.skeleton)}, height, width)"
            raise wrong_outputs(self._name, wanted, outputs[:1])
        return maps


def load(card: Card, paths: Sequence[Path], **compute: Unpack[Compute]) -> HeatmapModel:
    """Return the crop model that a card describes, ready to run."""
    pixels = card_pixels(card)
    # Only the maps; and two crops at a time: 0.7 of the time of a batch on two cores.
    return HeatmapModel(Session(paths, outputs=[0], streams=2, pixels=pixels, **compute), card)
