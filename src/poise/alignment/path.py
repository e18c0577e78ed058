"""The path of an alignment, and the times that it gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from poise.errors import UsageError

Floats = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Path:
    """The pairs of frames that belong together.

    Attributes:
        rows: (P,) indices into the reference, non-decreasing.
        columns: (P,) indices into the attempt, non-decreasing.
        cost: Accumulated cost of the path, with all that was paid for what it leaves out.
    """

    rows: IntArray
    columns: IntArray
    cost: float

    @property
    def weight(self) -> int:
        """How many frames of the two sides are matched: distinct rows plus distinct columns."""
        return int(np.unique(self.rows).size + np.unique(self.columns).size)


def path_times(
    path: Path,
    reference_times: npt.ArrayLike,
    attempt_times: npt.ArrayLike,
    at: npt.ArrayLike,
    *,
    gap: float = np.inf,
) -> Floats:
    """Return the times of the attempt at times of the reference, linear between the pairs.

    Columns of one row are averaged, then rows of one column, so that time never stands still.

    Args:
        path: Its rows index ``reference_times``, its columns ``attempt_times``.
        reference_times: (N,) increasing seconds.
        attempt_times: (M,) increasing seconds.
        at: Seconds of the reference, any shape.
        gap: Seconds; within a jump of the path's rows that is longer than this there is no time.

    Returns:
        Seconds in the shape of ``at``; NaN before the first and after the last matched row and
        within long omissions.
    """
    reference, attempt = np.asarray(reference_times, float), np.asarray(attempt_times, float)
    wanted = np.asarray(at, float)
    if not path.rows.size:
        return np.full(wanted.shape, np.nan)
    rows, index = np.unique(path.rows, return_inverse=True)
    begins = reference[rows]
    x, y = begins, np.bincount(index, attempt[path.columns]) / np.bincount(index)
    y, index = np.unique(y, return_inverse=True)
    x = np.bincount(index, x) / np.bincount(index)
    times: Floats = np.interp(wanted, x, y)
    if x.size > 1:  # a doubled first or last row reaches half a frame beyond the averages
        for end, near in ((0, 1), (-1, -2)):
            slope = (y[near] - y[end]) / (x[near] - x[end])
            beyond = wanted < x[0] if end == 0 else wanted > x[-1]
            times = np.where(beyond, y[end] + slope * (wanted - x[end]), times)
    place = np.searchsorted(begins, wanted).clip(1, max(1, begins.size - 1))
    if begins.size > 1:
        before, after = begins[place - 1], begins[place]
        hole = (np.diff(rows) > 1)[place - 1] & (after - before > gap)
        times = np.where(hole & (wanted > before) & (wanted < after), np.nan, times)
    return np.where((wanted >= begins[0]) & (wanted <= begins[-1]), times, np.nan)


def check_cost(cost: npt.ArrayLike) -> Floats:
    table = np.asarray(cost, np.float64)
    if table.ndim != 2:
        raise UsageError(f"costs must be (N, M), got shape {table.shape}")
    if not (table >= 0).all():
        bad = "NaN" if np.isnan(table).any() else f"a negative one ({table.min():g})"
        raise UsageError(f"costs must be 0 or more, got {bad}", remedy="use inf to forbid a pair")
    return table


def path_of(backwards: list[tuple[int, int]], cost: float) -> Path:
    pairs = np.array(backwards[::-1], np.int64).reshape(-1, 2)
    return Path(pairs[:, 0].copy(), pairs[:, 1].copy(), cost)
