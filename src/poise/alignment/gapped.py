"""Alignment with a limited tempo, open ends, omissions and insertions."""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from poise.alignment.path import Floats, Path, check_cost, path_of
from poise.errors import UsageError


@dataclass(frozen=True)
class _Prices:
    omit: float
    insert: float
    edge: float
    gap: float
    bend: float
    both: float
    free: float

    def skip(self, rows: int | Floats, columns: Floats) -> Floats:
        """Return what it costs to begin after, or end before, so many rows and columns."""
        alone: Floats = rows - columns
        np.maximum(alone, 0, out=alone)
        np.minimum(alone, self.free, out=alone)
        alone *= self.edge - self.both
        alone += self.both * rows
        return alone

    def skip_one(self, rows: int, columns: int) -> float:
        """Return the same for one pair of numbers."""
        alone = min(max(rows - columns, 0), self.free)
        return alone * (self.edge - self.both) + self.both * rows


@dataclass(frozen=True, eq=False)
class _Band:
    """Costs of which row i holds the columns from ``low[i]``, ``count[i]`` of them."""

    cost: Floats
    low: list[int]
    count: list[int]

    def at(self, table: Floats, row: int, column: int) -> float:
        """Return the table's value of a pair, infinity beside the band."""
        place = column - self.low[row] if row >= 0 else -1
        return float(table.item(row, place)) if 0 <= place < self.count[row] else np.inf


def align(
    cost: npt.ArrayLike,
    *,
    omit: float,
    insert: float,
    edge_omit: float | None = None,
    edge_both: float | None = None,
    open_gap: float = 0.0,
    bend: float = 0.0,
    low: npt.ArrayLike | None = None,
    high: npt.ArrayLike | None = None,
) -> Path:
    """Align an attempt with a reference, with a limited tempo, open ends and gaps.

    A path is made of these steps (rows, columns); the first three are the symmetric form with
    slope limit P = 1 of Sakoe & Chiba 1978, in which each frame of either side pays once:

    - (1,1) pays 2 c[i,j];
    - (1,2) pays 2 c[i,j-1] + c[i,j] and ``bend``; (2,1) pays 2 c[i-1,j] + c[i,j] and ``bend``;
    - (1,0), the attempt leaves a frame out, pays ``omit``;
    - (0,1), the attempt adds a frame, pays ``insert``.

    Each run of omissions or of insertions pays ``open_gap`` as well (Gotoh 1982). Frames of the
    attempt before the first and after the last pair are free; those of the reference pay no
    ``open_gap``: ``edge_both`` where the attempt has a frame to go with it, ``edge_omit`` where it
    begins later or ends earlier.

    Args:
        cost: (N, M) costs >= 0 of pairing row i with column j; infinity forbids a pair. With
            ``low`` it is a band, (N, W): ``cost[i, k]`` is the pair of row i and column
            ``low[i] + k``. Time and memory grow with its size.
        omit, insert: Cost of a frame left out or added between the first and the last pair.
        edge_omit: Cost of a frame of the reference before the first or after the last pair, at
            which the attempt has not begun or is over, for up to two fifths of the reference;
            ``omit`` if None.
        edge_both: Cost of one at which it is there, and of those beyond the two fifths;
            ``edge_omit`` if None.
        open_gap: Cost of each run of omissions or insertions.
        bend: Cost of each step that is faster or slower than (1,1), so that the tempo changes
            where the movement asks for it and not to hide an error.
        low, high: (N,) non-decreasing column numbers: the path passes row i at columns
            ``low[i] <= j < high[i]``. W is the largest ``high - low``; without ``high`` every
            row is W wide.

    Returns:
        The matched pairs only, both pairs of a (1,2) or (2,1) step: a jump in ``rows`` is an
        omission, one in ``columns`` an insertion. Empty if leaving everything out is cheaper.

    Raises:
        UsageError: A cost or price is NaN or negative, or the band does not fit the costs.
    """
    edge = omit if edge_omit is None else edge_omit
    both = edge if edge_both is None else edge_both
    for name, price in zip(
        ("omit", "insert", "edge_omit", "edge_both", "open_gap", "bend"),
        (omit, insert, edge, both, open_gap, bend),
        strict=True,
    ):
        if not 0 <= price < np.inf:
            raise UsageError(f"{name} is {price}", remedy="choose a number that is 0 or more")
    band = _band(check_cost(cost), low, high)
    return _best(band, _Prices(omit, insert, edge, open_gap, bend, both, 0.4 * len(band.low)))


def _band(table: Floats, low: npt.ArrayLike | None, high: npt.ArrayLike | None) -> _Band:
    rows, width = table.shape
    if low is None:
        if high is not None:
            raise UsageError("high was given without low")
        return _Band(table, [0] * rows, [width] * rows)
    begin = np.asarray(low, np.int64)
    end = begin + width if high is None else np.asarray(high, np.int64)
    if begin.shape != (rows,) or end.shape != (rows,):
        raise UsageError(f"low and high must be ({rows},), got {begin.shape} and {end.shape}")
    if (np.diff(begin) < 0).any() or (np.diff(end) < 0).any() or (begin < 0).any():
        raise UsageError("low and high must not decrease, nor low begin below 0")
    if rows and ((end < begin).any() or (end - begin).max() != width):
        raise UsageError(
            f"the band is {(end - begin).max()} columns wide and the costs {width}",
            remedy="cost[i, k] is the pair of row i and column low[i] + k",
        )
    return _Band(table, begin.tolist(), (end - begin).tolist())


def _best(band: _Band, prices: _Prices) -> Path:
    rows = len(band.low)
    last = max((low + n for low, n in zip(band.low, band.count, strict=True)), default=0) - 1
    empty = np.empty(0, np.int64)
    nothing = Path(empty, empty, prices.skip_one(rows, last + 1))
    if not band.cost.size:
        return nothing
    tables = _fill(band, prices)
    below, beside = np.arange(rows - 1.0, -1, -1), last - np.array(band.low, np.float64)
    ends = prices.skip(below[:, None], beside[:, None] - np.arange(band.cost.shape[1]))
    ends += tables[0]
    row, place = np.unravel_index(int(np.argmin(ends)), ends.shape)
    if not (np.isfinite(ends[row, place]) and ends[row, place] <= nothing.cost):
        return nothing
    column = band.low[int(row)] + int(place)
    return path_of(_trace(band, prices, tables, int(row), column), float(ends[row, place]))


def _fill(band: _Band, prices: _Prices) -> tuple[Floats, Floats, Floats]:
    """Return the best sums of paths that end in a pair, in an omission and in an insertion."""
    rows, width = band.cost.shape
    matched, omitted, inserted = (np.full((rows, width), np.inf) for _ in range(3))
    low = np.array(band.low)
    shifts = np.diff(low, prepend=low[:1]).tolist()
    double_shifts = (low - low[np.maximum(np.arange(rows) - 2, 0)]).tolist()
    # In a rolling row place 2 + k is column low + k. `enter` is the best way to come to a pair
    # after this place, `leave` that to an omission in the next row, `twice` the doubled costs.
    size = width + 2 + max(double_shifts)
    enter, enter2 = np.zeros(size), np.full(size, np.inf)
    leave, twice = np.full(size, np.inf), np.full(size, np.inf)
    ramp = prices.insert * np.arange(width)
    places = np.arange(size) - 1.0
    for row, (shift, shift2, n) in enumerate(zip(shifts, double_shifts, band.count, strict=True)):
        cost, best, gone = band.cost[row, :n], matched[row, :n], omitted[row, :n]
        wide = np.full(size, np.inf)
        np.multiply(cost, 2, out=wide[2 : 2 + n])
        np.add(enter[shift + 1 : shift + 1 + n], wide[2 : 2 + n], out=best)
        step = wide[1 : 1 + n] + (cost + prices.bend)
        step += enter[shift : shift + n]
        np.minimum(best, step, out=best)
        np.add(twice[shift + 2 : shift + 2 + n], cost + prices.bend, out=step)
        step += enter2[shift2 + 1 : shift2 + 1 + n]
        np.minimum(best, step, out=best)
        gone[:] = leave[shift + 2 : shift + 2 + n]
        either = np.minimum(best, gone)
        # A run of insertions: the least of what came before it in the row, each on its own ramp.
        run = np.minimum.accumulate(either - ramp[:n])
        added = inserted[row, :n]
        np.add(run[:-1], ramp[1:n] + prices.gap, out=added[1:])
        np.minimum(either, added, out=either)
        enter2, enter = enter, prices.skip(row + 1, places + band.low[row])
        np.minimum(enter[2 : 2 + n], either, out=enter[2 : 2 + n])
        leave = np.full(size, np.inf)
        np.minimum(gone, either + prices.gap, out=leave[2 : 2 + n])
        leave += prices.omit
        twice = wide
    return matched, omitted, inserted


def _trace(
    band: _Band, prices: _Prices, tables: tuple[Floats, Floats, Floats], row: int, column: int
) -> list[tuple[int, int]]:
    """Return the pairs of the best path to a pair, last first."""
    pairs: list[tuple[int, int]] = []
    state = 0
    while True:
        if state == 0:
            taken, (row, column) = _step(band, prices, tables, row, column)
            pairs += taken
            sums = [band.at(table, row, column) for table in tables]
            if min(sums) >= prices.skip_one(row + 1, column + 1):
                return pairs
            state = sums.index(min(sums))
        elif state == 1:
            row -= 1
            sums = [band.at(table, row, column) for table in tables]
            state = 1 if sums[1] <= min(sums) + prices.gap else sums.index(min(sums))
        else:
            column -= 1
            sums = [band.at(table, row, column) for table in tables]
            state = 2 if sums[2] <= min(sums[:2]) + prices.gap else int(sums[1] < sums[0])


def _step(
    band: _Band, prices: _Prices, tables: tuple[Floats, Floats, Floats], row: int, column: int
) -> tuple[list[tuple[int, int]], tuple[int, int]]:
    """Return the pairs of the last step to a pair, last first, and the place it came from."""

    def enter(row: int, column: int) -> float:
        if row < -1:
            return np.inf
        skip = prices.skip_one(row + 1, max(column + 1, 0))
        return min(skip, *(band.at(table, row, column) for table in tables))

    here, last = band.at(band.cost, row, column), (row, column)
    straight = 2 * here + enter(row - 1, column - 1)
    if straight <= band.at(tables[0], row, column):  # the usual step, found without the others
        return [last], (row - 1, column - 1)
    beside, above = band.at(band.cost, row, column - 1), band.at(band.cost, row - 1, column)
    wide = 2 * beside + enter(row - 1, column - 2)
    if wide <= 2 * above + enter(row - 2, column - 1):
        return [last, (row, column - 1)], (row - 1, column - 2)
    return [last, (row - 1, column)], (row - 2, column - 1)


def occurrences(
    cost: npt.ArrayLike,
    *,
    omit: float,
    insert: float,
    open_gap: float = 0.0,
    limit: float,
    most: int = 50,
) -> list[Path]:
    """Return every performance of the reference inside a longer attempt, in order of time.

    The best path is taken, then the best ones before and after it, and so on: no two share a
    column. The mean cost of a path is all it pays, gaps and left-out ends included, by the frames
    of both sides that it matches (``Path.weight``).

    Args:
        cost: (N, M) costs >= 0, as for ``align``.
        omit, insert, open_gap: Prices, as for ``align``.
        limit: Paths of a larger mean cost are left out, and so are those that match less than
            half of the reference.
        most: Stop at so many, or when as many were left out.

    Raises:
        UsageError: As ``align``.
    """
    table = check_cost(cost)
    rows, columns = table.shape
    ticket = itertools.count()  # two equal costs are never compared by their paths
    heap: list[tuple[float, int, int, int, Path]] = []

    def look(begin: int, end: int) -> None:
        # Half of the reference at twice its tempo needs so many columns.
        if 4 * (end - begin) < rows or begin >= end:
            return
        path = align(table[:, begin:end], omit=omit, insert=insert, open_gap=open_gap)
        # Nothing in these columns costs less, nor matches more frames than this.
        if path.rows.size and path.cost <= limit * (rows + min(end - begin, 2 * rows)):
            moved = Path(path.rows, path.columns + begin, path.cost)
            heapq.heappush(heap, (moved.cost / moved.weight, next(ticket), begin, end, moved))

    look(0, columns)
    found: list[Path] = []
    rejected = 0
    while heap and len(found) < most and rejected < most:
        mean, _, begin, end, path = heapq.heappop(heap)
        if mean <= limit and 2 * np.unique(path.rows).size >= rows:
            found.append(path)
        else:
            rejected += 1
        look(begin, int(path.columns[0]))
        look(int(path.columns[-1]) + 1, end)
    return sorted(found, key=lambda path: int(path.columns[0]))
