"""Crop models that answer with one heat map a keypoint: PP-TinyPose, HRNet, SimpleBaseline.

A heat map's cell (x, y) stands for the crop's point (x * stride, y * stride), and its maximum is
the keypoint's score. Two ways to read a place finer than a cell:

- quarter: a quarter of a cell towards the higher neighbour on each axis (Newell et al. 2016);
- DARK: the top of the parabola through the logarithm of the smoothed map, because a Gaussian's
  logarithm is one (Zhang et al. 2020, "Distribution-Aware Coordinate Representation").
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from poise.models.card import Card
from poise.models.steps import card_pixels
from poise.models.upright import UprightModel
from poise.poses import FloatArray
from poise.runtime import Session

# Weights with which PP-TinyPose's maps are smoothed before DARK (OpenCV's kernel of width 3).
_SMOOTH = np.array([0.25, 0.5, 0.25])
# Cells that DARK needs on each side: two for the differences and one for the smoothing.
_REACH = 3


class HeatmapModel(UprightModel):
    """Reads keypoints from heat maps: the (N, K, h, w) first output of the network.

    ``settings["refine"]`` of the card is ``dark`` (the default) or ``quarter``.
    """

    def __init__(self, session: Session, card: Card) -> None:
        super().__init__(session, card)
        self._dark = card.settings.get("refine", "dark") == "dark"

    def _decode(self, outputs: list[FloatArray]) -> tuple[FloatArray, FloatArray]:
        maps = outputs[0]
        cells, scores = decode(maps, dark=self._dark)
        stride = np.array(self.size, np.float32) / [maps.shape[3], maps.shape[2]]
        return (cells * stride).astype(np.float32), scores

    def _average(self, outputs: list[FloatArray], mirrored: list[FloatArray]) -> list[FloatArray]:
        turned = mirrored[0][:, self.skeleton.flip, :, ::-1].copy()
        # The mirror image of cell x is w - x, not w - 1 - x, since a cell stands for its corner.
        turned[..., 1:] = turned[..., :-1].copy()
        return [np.float32(0.5) * (outputs[0] + turned)]


def decode(maps: FloatArray, *, dark: bool = True) -> tuple[FloatArray, FloatArray]:
    """Return where the maxima of heat maps are, finer than a cell.

    Args:
        maps: (N, K, h, w) heat maps.
        dark: Whether to refine with DARK; else with a quarter of a cell.

    Returns:
        (N, K, 2) x and y in cells and (N, K) maxima, clipped to 0..1.
    """
    count, keypoints, height, width = maps.shape
    flat = maps.reshape(count, keypoints, height * width)
    top = flat.argmax(axis=2)
    scores = np.take_along_axis(flat, top[..., None], axis=2)[..., 0]
    cells = np.stack([top % width, top // width], axis=-1)
    shift = _dark_shift(maps, cells) if dark else _quarter_shift(maps, cells)
    return (cells + shift).astype(np.float32), np.clip(scores, 0, 1).astype(np.float32)


def _around(maps: FloatArray, cells: npt.NDArray[np.int64], reach: int) -> FloatArray:
    """Return (N, K, 2 reach + 1, 2 reach + 1) what stands around a cell; 0 outside the map."""
    padded = np.pad(maps, ((0, 0), (0, 0), (reach, reach), (reach, reach)))
    steps = np.arange(2 * reach + 1)
    people, keypoints = np.ogrid[: maps.shape[0], : maps.shape[1]]
    rows = cells[..., 1, None, None] + steps[:, None]
    columns = cells[..., 0, None, None] + steps
    window: FloatArray = padded[people[..., None, None], keypoints[..., None, None], rows, columns]
    return window


def _inside(maps: FloatArray, cells: npt.NDArray[np.int64], margin: int) -> npt.NDArray[np.bool_]:
    last = np.array([maps.shape[3], maps.shape[2]]) - 1 - margin
    outside = (cells < margin) | (cells > last)
    return ~(outside[..., 0] | outside[..., 1])


def _quarter_shift(maps: FloatArray, cells: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    window = _around(maps, cells, 1)
    slope = np.stack(
        [window[..., 1, 2] - window[..., 1, 0], window[..., 2, 1] - window[..., 0, 1]], axis=-1
    )
    return np.where(_inside(maps, cells, 1)[..., None], 0.25 * np.sign(slope), 0)


def _dark_shift(maps: FloatArray, cells: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    window = _around(maps, cells, _REACH).astype(np.float64)
    size = 2 * _REACH - 1
    rows = sum(w * window[..., i : i + size, :] for i, w in enumerate(_SMOOTH))
    smooth = sum(w * rows[..., i : i + size] for i, w in enumerate(_SMOOTH))
    log = np.log(np.maximum(smooth, 1e-10))
    # First and second differences around the middle (2, 2) of the 5 x 5 window.
    dx, dy = (log[..., 2, 3] - log[..., 2, 1]) / 2, (log[..., 3, 2] - log[..., 1, 2]) / 2
    dxx = (log[..., 2, 4] - 2 * log[..., 2, 2] + log[..., 2, 0]) / 4
    dyy = (log[..., 4, 2] - 2 * log[..., 2, 2] + log[..., 0, 2]) / 4
    dxy = (log[..., 3, 3] - log[..., 3, 1] - log[..., 1, 3] + log[..., 1, 1]) / 4
    bend = dxx * dyy - dxy**2
    # Only a real summit has a top to go to: both curvatures negative.
    real = _inside(maps, cells, 2) & (bend > 1e-12) & (dxx < 0)
    safe = np.where(real, bend, 1)
    shift = np.stack([dxy * dy - dyy * dx, dxy * dx - dxx * dy], axis=-1) / safe[..., None]
    return np.where(real[..., None], np.clip(shift, -1, 1), 0)


def load(card: Card, paths: Sequence[Path], *, precision: str = "auto") -> HeatmapModel:
    """Return the crop model that a card describes, ready to run."""
    pixels = card_pixels(card)
    # Only the maps; and two crops at a time: 0.7 of the time of a batch on two cores.
    return HeatmapModel(
        Session(paths, outputs=[0], precision=precision, streams=2, pixels=pixels), card
    )
