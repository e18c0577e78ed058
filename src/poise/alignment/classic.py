"""Classic dynamic time warping: closed ends, any local tempo."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from poise.alignment.path import Floats, Path, check_cost, path_of
from poise.errors import UsageError


def warp(
    cost: npt.ArrayLike,
    *,
    window: int | None = None,
    relaxed: tuple[int, int, int, int] = (0, 0, 0, 0),
) -> Path:
    """Return the classic warping path (Sakoe & Chiba 1978): steps (1,0), (0,1), (1,1), weight 1.

    Args:
        cost: (N, M) costs >= 0 of pairing a frame of the reference with one of the attempt.
            Infinity forbids a pair.
        window: A pair lies less than this many frames beside the band between the diagonals from
            the first pair and to the last; 1 allows the diagonal only if N = M. None: anywhere.
        relaxed: How many frames may be left out for free at the begin and end of the reference
            and at the begin and end of the attempt.

    Raises:
        UsageError: A cost is NaN or negative, there are no frames, the window is below 1, more
            frames are relaxed than there are, or every path has an infinite cost.
    """
    table = check_cost(cost)
    rows, columns = table.shape
    if not table.size:
        raise UsageError(f"nothing to align: the costs are {rows} x {columns}")
    if window is not None and window < 1:
        raise UsageError(f"window is {window}", remedy="choose 1 or more frames")
    for count, size in zip(relaxed, (rows, rows, columns, columns), strict=True):
        if not 0 <= count < size:
            raise UsageError(f"relaxed is {relaxed} for {rows} x {columns} frames")
    total = _accumulate(table, rows + columns if window is None else window, relaxed)
    row, column = _warp_end(total, relaxed)
    if not np.isfinite(total[row, column]):
        raise UsageError("every path has an infinite cost", remedy="widen the window")
    return _warp_trace(total, row, column)


def _accumulate(table: Floats, window: int, relaxed: tuple[int, int, int, int]) -> Floats:
    """Return (N + 1, M + 1) sums of the best paths; one anti-diagonal at a time."""
    rows, columns = table.shape
    total = np.full((rows + 1, columns + 1), np.inf)
    total[: relaxed[0] + 1, 0] = 0
    total[0, : relaxed[2] + 1] = 0
    flat, costs = total.ravel(), np.ascontiguousarray(table).ravel()
    below, beside = max(0, rows - columns) + window - 1, max(0, columns - rows) + window - 1
    for both in range(rows + columns - 1):  # row + column of the pairs of this anti-diagonal
        first = max(0, both - columns + 1, -((beside - both) // 2))
        last = min(rows - 1, both, (both + below) // 2)
        count = last - first + 1
        if count <= 0:
            continue
        # In a flat table one anti-diagonal is a slice: a row down and a column to the left.
        here = (first + 1) * (columns + 1) + both - first + 1
        corner, above, left = (
            flat[here - back :: columns][:count] for back in (columns + 2, columns + 1, 1)
        )
        start = first * columns + both - first
        added = costs[start :: max(1, columns - 1)][:count]
        best = np.minimum(np.minimum(corner, above), left)
        flat[here::columns][:count] = best + added
    return total


def _warp_end(total: Floats, relaxed: tuple[int, int, int, int]) -> tuple[int, int]:
    """Return the best end in the last column or the last row."""
    rows, columns = total.shape[0] - 1, total.shape[1] - 1
    row = rows - int(np.argmin(total[rows - relaxed[1] :, columns][::-1]))
    column = columns - int(np.argmin(total[rows, columns - relaxed[3] :][::-1]))
    if total[rows, column] < total[row, columns]:
        return rows, column
    return row, columns


def _warp_trace(total: Floats, row: int, column: int) -> Path:
    cost, pairs = float(total[row, column]), []
    while row and column:
        pairs.append((row - 1, column - 1))
        corner, above, left = (
            total[row - 1, column - 1],
            total[row - 1, column],
            total[row, column - 1],
        )
        if corner <= above and corner <= left:
            row, column = row - 1, column - 1
        elif above <= left:
            row -= 1
        else:
            column -= 1
    return path_of(pairs, cost)
