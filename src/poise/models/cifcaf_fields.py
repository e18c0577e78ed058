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
# Cells whose Gaussians are added up at the same time, so that noise needs bounded memory.
_GROUP = 4096


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
        x, y: (L,) where a link starts, in pixels; x ascends.
        ends: (L, 4) score in 0..1, x, y and size in pixels of the keypoint that it leads to.
    """

    x: FloatArray
    y: FloatArray
    ends: FloatArray


def build_map(cif: FloatArray, stride: int) -> FloatArray:
    """Add up the cells of each keypoint to a map of one value a pixel.

    A cell of confidence c >= 0.3 adds c / 16 times a Gaussian around its keypoint, of half the
    keypoint's size as sigma (at least one pixel), cut at one sigma.

    Args:
        cif: (K, 5, h, w): unused, confidence, x, y and size, in cells.
        stride: Pixels from cell to cell.

    Returns:
        (K, (h - 1) * stride + 1, (w - 1) * stride + 1) in 0..1.
    """
    parts, cells = _strong(cif, LEAST)
    places = cells[:, 1:] * np.float32(stride)
    sigma = np.maximum(np.float32(_SMALLEST), np.float32(0.5) * places[:, 2])
    share = cells[:, 0] / np.float32(_NEIGHBOURS)
    shape = (cif.shape[2] - 1) * stride + 1, (cif.shape[3] - 1) * stride + 1
    fine = np.zeros((len(cif), *shape), np.float32)
    real = np.flatnonzero(cells[:, 3] >= 0)
    for start in range(0, len(real), _GROUP):
        rows = real[start : start + _GROUP]
        _add(fine, parts[rows], places[rows, :2], sigma[rows], share[rows])
    return np.minimum(fine, 1, out=fine)


def _add(
    fine: FloatArray, parts: IntArray, places: FloatArray, sigma: FloatArray, share: FloatArray
) -> None:
    """Add one Gaussian for each cell to the map of its keypoint."""
    _, height, width = fine.shape
    x, y = places.astype(np.float64).T
    first, last = np.ceil(y - sigma), np.floor(y + sigma)
    one, row = _spread(first.clip(0, height), last.clip(-1, height - 1))
    # On each row of pixels a Gaussian that is cut at sigma covers one run of pixels.
    half = np.sqrt(np.maximum(sigma[one].astype(np.float64) ** 2 - (row - y[one]) ** 2, 0))
    first, last = np.ceil(x[one] - half - 1e-6), np.floor(x[one] + half + 1e-6)
    line, column = _spread(first.clip(0, width), last.clip(-1, width - 1))
    one, row = one[line], row[line]
    across, down = column - x[one], row - y[one]
    # The published decoder takes (1 + z / 8)^8 for exp(z) here: 0.5967 at one sigma, not 0.6065.
    value = (1 - (across**2 + down**2) / (16 * sigma[one].astype(np.float64) ** 2)) ** 8
    # The pixel that holds the keypoint gets all of it.
    value[(np.abs(across) < 0.5) & (np.abs(down) < 0.5)] = 1
    np.add.at(
        fine.reshape(-1),
        (parts[one] * height + row) * width + column,
        (share[one] * value).astype(np.float32),
    )


def _spread(first: FloatArray, last: FloatArray) -> tuple[IntArray, IntArray]:
    """Return each whole number in each range first..last, and which range it is of."""
    low = first.astype(np.int64)
    count = np.maximum(last.astype(np.int64) - low + 1, 0)
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
    return Links(starts[order, 0].copy(), starts[order, 1].copy(), ends[order])


def _strong(field: FloatArray, least: float) -> tuple[IntArray, FloatArray]:
    """Return (C,) number and (C, n - 1) values, without the first, of each cell sure enough."""
    numbers, rows, columns = np.nonzero(field[:, 1] >= np.float32(least))
    cells = field[numbers, 1:, rows, columns]
    real = np.isfinite(cells).all(axis=1)
    return numbers[real], cells[real]


def _look(fine: FloatArray, parts: IntArray, points: FloatArray) -> npt.NDArray[np.float32]:
    """Return the map's value at the pixel nearest to each point; outside it is 0."""
    _, height, width = fine.shape
    nearest = np.floor(points + np.float32(0.5))
    inside = ((nearest >= 0) & (nearest < (width, height))).all(axis=1)
    x, y = np.where(inside[:, None], nearest, 0).astype(np.int64).T
    return np.where(inside, fine[parts, y, x], np.float32(0))
