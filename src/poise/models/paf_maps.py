"""Heat maps and fields made finer: enlarged whole, or read at single places; and maps' maxima."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from math import erf, sqrt
from typing import Protocol

import numpy as np
import numpy.typing as npt

from poise.poses import FloatArray, IntArray

MOST = 127  # maxima of one keypoint, OpenPose's POSE_MAX_PEOPLE
REACH = 3  # cells on each side of a maximum that OpenPose's refinement looks at


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
        _, self._height, width = field.shape
        self.size = width * times, self._height * times
        across = _enlarger(width, times, cubic=True, frame=0)
        self._flat = (field.reshape(-1, width) @ across.T).reshape(-1)
        self._rows, self._weights = _cubic_taps(self._height, times)

    def read(self, channels: IntArray, x: IntArray, y: IntArray) -> FloatArray:
        """Return the fields' values, as `Field`."""
        first, width = channels * self._height, self.size[0]
        values = np.zeros(np.broadcast(channels, x, y).shape, np.float32)
        for rows, weights in zip(self._rows, self._weights, strict=True):
            values += weights[y] * self._flat[(first + rows[y]) * width + x]
        return values


def enlarge_maps(
    maps: FloatArray, times: int, *, cubic: bool, frame: int = 0
) -> Iterator[FloatArray]:
    """Yield each map enlarged: cubic, or every cell divided and the whole smoothed.

    Args:
        maps: (C, h, w).
        times: Into how many cells one is divided, on each axis.
        cubic: Which of the two.
        frame: Cells of 0 that are put around each.
    """
    down = _enlarger(maps.shape[1], times, cubic=cubic, frame=frame)
    across = _enlarger(maps.shape[2], times, cubic=cubic, frame=frame)
    # Along the rows of all maps at once; then one at a time, which fits the processor's cache.
    wide = (maps.reshape(-1, maps.shape[2]) @ across.T).reshape(*maps.shape[:2], -1)
    return (down @ one for one in wide)


def _cubic_taps(size: int, times: int) -> tuple[IntArray, FloatArray]:
    """Return (4, size * times) cells that an enlarged one is made of, and what each weighs.

    OpenCV's interpolation, a = -0.75, the edge repeated.
    """
    place = (np.arange(size * times) + 0.5) / times - 0.5
    cells = np.floor(place).astype(np.int64) + np.arange(-1, 3)[:, None]
    away = np.abs(place - cells)
    inner = (1.25 * away - 2.25) * away**2 + 1
    outer = -0.75 * (((away - 5) * away + 8) * away - 4)
    return cells.clip(0, size - 1), np.where(away <= 1, inner, outer).astype(np.float32)


@lru_cache(maxsize=32)
def _enlarger(size: int, times: int, *, cubic: bool, frame: int) -> FloatArray:
    """Return the (size * times + 2 * frame, size) weights of an enlargement along one axis.

    Not cubic: tf-pose's ``resize_area``, then ``Smoother`` of 25 cells and "sigma 3.0", which is
    the root of a Gaussian's integrals over 25 parts of -3.12..3.12, with zeros outside.
    """
    if cubic:
        rows = np.arange(size * times)
        weights = np.zeros((size * times, size), np.float32)
        for cells, weight in zip(*_cubic_taps(size, times), strict=True):
            weights[rows, cells] += weight
    else:
        edge = 3.0 + 7 / 25 / 2
        mass = np.diff([0.5 * (1 + erf(x / sqrt(2))) for x in np.linspace(-edge, edge, 26)])
        kernel = np.sqrt(mass) / np.sqrt(mass).sum()
        divided = np.repeat(np.eye(size), times, axis=0)
        columns = [np.convolve(column, kernel)[12:-12] for column in divided.T]
        weights = np.stack(columns, axis=1).astype(np.float32)
    return np.pad(weights, ((frame, frame), (0, 0)))


def find_peaks(
    framed: Iterable[FloatArray], least: float
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], FloatArray]:
    """Find the maxima among their eight neighbours.

    Of neighbours that are equal the first counts; the published rules take both (tf-pose) or
    none (OpenPose). A map keeps its 127 highest. Order: by map, then row, then column.

    Args:
        framed: (h + 6, w + 6) maps, each with a frame of three cells of 0. One at a time: a map
            fits the processor's cache, and all do not.
        least: What a maximum must exceed; not negative.

    Returns:
        (P,) number of the map, (P, 2) x and y without the frame, and (P, 7, 7) the cells around,
        -inf outside.
    """
    found = [(*_peaks_of_one(one, least), one.shape) for one in framed]
    parts = np.repeat(np.arange(len(found)), [len(cells) for cells, _, _ in found])
    cells = np.concatenate([cells for cells, _, _ in found])
    around = np.concatenate([around for _, around, _ in found])
    near = cells[..., None] + np.arange(-REACH, REACH + 1)
    far = (near < 0) | (near >= np.array(found[0][2])[::-1, None] - 2 * REACH)
    around[far[:, 1, :, None] | far[:, 0, None, :]] = -np.inf
    return parts, cells, around


def _peaks_of_one(one: FloatArray, least: float) -> tuple[IntArray, FloatArray]:
    width, flat = one.shape[1], one.reshape(-1)
    # One line of cells: the frame keeps the end of a row from the beginning of the next.
    inner = flat[1:-1]
    likely = inner > flat[:-2]
    likely &= inner >= flat[2:]
    likely &= inner > least
    at = np.flatnonzero(likely) + 1
    top = flat[at]
    for shift in (-1, 0, 1):
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
