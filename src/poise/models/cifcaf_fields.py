"""Composite fields of OpenPifPaf: from the network's cells to seeds and links.

Every cell of a composite intensity field (CIF) says how sure it is that a keypoint is near, where,
and how large it is; every cell of a composite association field (CAF) says so of both ends of a
pair (Kreiss, Bertoni, Alahi 2021, "OpenPifPaf: Composite Fields for Semantic Keypoint Detection
and Spatio-Temporal Association"). The cells of one keypoint are added up to a fine map, which
then judges single cells: a cell that others agree with counts for more.

Coordinates in this module are pixels of the network's input, counted from the middle of the first
pixel, as the network's own are: cell (column, row) stands at (column, row) * stride.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from poise.poses import FloatArray, IntArray

# Published constants: what a cell needs to count, how many cells are wanted around a keypoint,
# how much of a cell's score is the fine map's, and pixels below which no Gaussian shrinks.
LEAST = 0.3
_NEIGHBOURS = 16
_MAP_SHARE = 0.9
_SMALLEST = 1.0
# Pixels around a keypoint that it covers at least, and the grid that covered places are rounded to.
_COVERS, _GRID = 4.0, 2
_ROUNDING = np.float32(1e-5)
# Pixels from the middle of the outermost one within which it is still the nearest.
_MARGIN = np.float32(0.49)
# Pixels that are added up at the same time, so that noise needs bounded memory.
_AT_ONCE = 2**20


@dataclass(frozen=True, eq=False)
class Seeds:
    """Cells that a person may grow from, the best first.

    Attributes:
        parts: (S,) number of the keypoint.
        places: (S, 4) score in 0..1, x, y and size in pixels.
    """

    parts: IntArray
    places: FloatArray


@dataclass(frozen=True, eq=False)
class Links:
    """The cells that lead from one keypoint to another, sorted by where they start.

    Attributes:
        x: Where each link starts, in pixels, ascending; a list, because it is searched.
        starts: (L, 2) the same with y.
        ends: (L, 4) score in 0..1, x, y and size in pixels of the keypoint that it leads to.
    """

    x: list[float]
    starts: FloatArray
    ends: FloatArray


def build_map(cif: FloatArray, stride: int) -> FloatArray:
    """Add up the cells of each keypoint to a map of one value a pixel.

    A cell of confidence c >= 0.3 adds c / 16 times a Gaussian around its keypoint, of half the
    keypoint's size as sigma (at least one pixel), cut at one sigma.

    Args:
        cif: (K, 5, h, w): unused, confidence, x, y and size, in cells.
        stride: Pixels from cell to cell.

    Returns:
        (K, (h - 1) * stride + 1, (w - 1) * stride + 1). What exceeds 1 counts as 1.
    """
    parts, cells = _strong(cif, LEAST)
    places = cells[:, 1:] * np.float32(stride)
    sigma = np.maximum(np.float32(_SMALLEST), np.float32(0.5) * places[:, 2])
    share = cells[:, 0] / np.float32(_NEIGHBOURS)
    shape = (cif.shape[2] - 1) * stride + 1, (cif.shape[3] - 1) * stride + 1
    # Most of it is never touched, so that zeros cost nothing.
    fine = np.zeros((len(cif), *shape), np.float32)
    real = np.flatnonzero(places[:, 2] >= 0)
    area = np.cumsum(np.minimum((2 * sigma[real].astype(np.float64) + 1) ** 2, fine[0].size))
    for rows in np.split(real, np.flatnonzero(np.diff(area // _AT_ONCE)) + 1):
        _add(fine, parts[rows], places[rows, :2], sigma[rows], share[rows])
    return fine


def _add(
    fine: FloatArray, parts: IntArray, places: FloatArray, sigma: FloatArray, share: FloatArray
) -> None:
    """Add one Gaussian for each cell to the map of its keypoint."""
    _, height, width = fine.shape
    x, y = places[:, 0].copy(), places[:, 1].copy()
    one, row = _spread(y - sigma, y + sigma, height)
    # On each row of pixels a Gaussian that is cut at sigma covers one run of pixels.
    below = (row.astype(np.float32) - y[one]) ** 2
    half = np.sqrt(np.maximum(sigma[one] ** 2 - below, 0))
    line, column = _spread(x[one] - half, x[one] + half, width)
    which = one[line]
    across, down = (column.astype(np.float32) - x[which]) ** 2, below[line]
    away, most = across + down, (sigma**2)[which]
    # The published decoder takes (1 + z / 8)^8 for exp(z) here: 0.5967 at one sigma, not 0.6065.
    value = 1 - away / (16 * most)
    for _ in range(3):
        value *= value
    value[away > most] = 0
    # The pixel that holds the keypoint gets all of it.
    value[(across < 0.25) & (down < 0.25)] = 1
    value *= share[which]
    begins = (parts[one] * height + row) * width
    np.add.at(fine.reshape(-1), begins[line] + column, value)


def _spread(first: FloatArray, last: FloatArray, size: int) -> tuple[IntArray, IntArray]:
    """Return the whole numbers of 0..size - 1 in each range, and before them which range it is.

    A number that is beyond an end by no more than rounding is in the range.
    """
    low = np.ceil(first - _ROUNDING).clip(0, size).astype(np.int64)
    count = np.floor(last + _ROUNDING).clip(-1, size - 1).astype(np.int64) - low + 1
    count = np.maximum(count, 0)
    which = np.repeat(np.arange(len(count)), count)
    begins = np.cumsum(count) - count
    return which, np.arange(len(which)) - np.repeat(begins - low, count)


def find_seeds(cif: FloatArray, fine: FloatArray, stride: int, least: float) -> Seeds:
    """Return the cells that a person may grow from.

    Args:
        cif: As in `build_map`.
        fine: The map that came of it.
        stride: Pixels from cell to cell.
        least: Confidence that a cell needs, and score that it needs after the map has judged it.
    """
    parts, cells = _strong(cif, least)
    places = cells.copy()
    places[:, 1:] *= np.float32(stride)
    places[:, 0] = _look(fine, parts, places[:, 1:3]) * np.float32(_MAP_SHARE)
    places[:, 0] += np.float32(1 - _MAP_SHARE) * cells[:, 0]
    kept = np.flatnonzero(places[:, 0] >= least)
    order = kept[np.argsort(-places[kept, 0], kind="stable")]
    return Seeds(parts[order], places[order])


def find_links(
    caf: FloatArray,
    fine: FloatArray,
    pairs: Sequence[tuple[int, int]],
    *,
    stride: int,
    least: float = LEAST,
) -> dict[tuple[int, int], Links]:
    """Return the links of each pair, both ways, by the keypoints from which and to which they lead.

    Args:
        caf: (P, 8, h, w): unused, confidence, x and y of the first keypoint, x and y of the
            second, and the sizes of both, in cells.
        fine: Of `build_map`; it judges a link by the keypoint that it leads to.
        pairs: The keypoints of each of the P pairs.
        stride: Pixels from cell to cell.
        least: Confidence that a cell needs, before and after.
    """
    numbers, cells = _strong(caf, least)
    cells[:, 1:] *= np.float32(stride)
    links = {}
    bounds = np.searchsorted(numbers, np.arange(len(pairs) + 1))
    for (one, other), begin, end in zip(pairs, bounds[:-1], bounds[1:], strict=True):
        mine = cells[begin:end]
        links[one, other] = _link(mine[:, 1:3], mine[:, [0, 3, 4, 6]], fine[other], least)
        links[other, one] = _link(mine[:, 3:5], mine[:, [0, 1, 2, 5]], fine[one], least)
    return links


def _link(starts: FloatArray, ends: FloatArray, fine: FloatArray, least: float) -> Links:
    there = _look(fine[None], np.zeros(len(ends), np.int64), ends[:, 1:3])
    ends[:, 0] *= np.float32(1 - _MAP_SHARE) + np.float32(_MAP_SHARE) * there
    kept = np.flatnonzero(ends[:, 0] >= least)
    order = kept[np.argsort(starts[kept, 0], kind="stable")]
    return Links(starts[order, 0].tolist(), starts[order], ends[order])


def _strong(field: FloatArray, least: float) -> tuple[IntArray, FloatArray]:
    """Return (C,) number and (C, n - 1) values, without the first, of each cell sure enough."""
    numbers, rows, columns = np.nonzero(field[:, 1] >= np.float32(least))
    cells = field[numbers, 1:, rows, columns]
    real = np.isfinite(cells).all(axis=1)
    return numbers[real], cells[real]


def _look(fine: FloatArray, parts: IntArray, points: FloatArray) -> npt.NDArray[np.float32]:
    """Return the map's value, 1 at most, at the pixel nearest to each point; outside it is 0."""
    _, height, width = fine.shape
    last = np.array([width - 1, height - 1], np.float32)
    beyond = np.maximum(-points, points - last).max(axis=1)
    inside: npt.NDArray[np.bool_] = beyond <= _MARGIN
    x, y = np.floor(np.where(inside[:, None], points, 0) + np.float32(0.5)).astype(np.int64).T
    return np.where(inside, np.minimum(fine[parts, y, x], 1), np.float32(0))


class Grid:
    """The places of a picture, two pixels wide, that keypoints cover.

    Args:
        shape: Of `build_map`'s result.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        height, width = shape[-2:]
        self._last = np.array([(width - 1) // _GRID, (height - 1) // _GRID])

    def cells(self, points: FloatArray) -> IntArray:
        """Return the (N, 2) column and row of points; what is outside counts as at the edge."""
        return np.clip(np.floor(points / _GRID), 0, self._last).astype(np.int64)

    def squares(self, places: FloatArray) -> IntArray:
        """Return (N, 4) the first column and row that a keypoint covers, and those after it."""
        middle = places[:, 1:3] / np.float32(_GRID)
        reach = np.maximum(places[:, 3:], np.float32(_COVERS)) / np.float32(_GRID)
        first = np.clip(np.floor(middle - reach), 0, self._last)
        last = np.clip(np.floor(middle + reach), first + 1, self._last + 1)
        return np.concatenate([first, last], axis=1).astype(np.int64)
