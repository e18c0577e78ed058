"""Optimal assignment: which row goes with which column at the least total cost."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from poise.poses import IntArray

Matrix = npt.NDArray[np.float64]


def assign(cost: Matrix, *, limit: float = np.inf) -> list[tuple[int, int]]:
    """Return the pairs (row, column) of least total cost, each row and column at most once.

    Shortest augmenting paths with dual prices (Jonker and Volgenant 1987, doi 10.1007/BF02278710;
    the Hungarian method): optimal, O(n^3) at worst, almost linear where most rows have their own
    best column.

    Args:
        cost: (N, M); infinite where a pair cannot be.
        limit: What it costs to leave a pair unmade; pairs that cost as much are not made.
    """
    allowed = cost < limit
    rows, columns = np.flatnonzero(allowed.any(axis=1)), np.flatnonzero(allowed.any(axis=0))
    if not len(rows) or not len(columns):
        return []
    finite = cost[np.ix_(rows, columns)]
    most = limit if np.isfinite(limit) else _forbidding(finite)
    finite = np.minimum(finite, most)
    pairs = (
        _solve(finite)
        if len(rows) <= len(columns)
        else [(row, column) for column, row in _solve(finite.T)]
    )
    return [
        (int(rows[r]), int(columns[c])) for r, c in sorted(pairs) if allowed[rows[r], columns[c]]
    ]


def _forbidding(cost: Matrix) -> float:
    known = np.abs(cost[np.isfinite(cost)])
    return float((known.max(initial=0) + 1) * (2 * min(cost.shape) + 1))


def _solve(cost: Matrix) -> list[tuple[int, int]]:
    """Optimal assignment of every row; there are at least as many columns as rows."""
    owner = np.full(cost.shape[1], -1)
    row_price, column_price = cost.min(axis=1), np.zeros(cost.shape[1])
    waiting = []
    for row, best in enumerate(cost.argmin(axis=1)):
        if owner[best] < 0:
            owner[best] = row
        else:
            waiting.append(row)
    for row in waiting:
        _augment(cost, row, owner, (row_price, column_price))
    return [(int(owner[column]), int(column)) for column in np.flatnonzero(owner >= 0)]


def _augment(cost: Matrix, row: int, owner: IntArray, prices: tuple[Matrix, Matrix]) -> None:
    """Give one more row a column along the cheapest chain of changes (Dijkstra)."""
    row_price, column_price = prices
    shortest = np.full(len(owner), np.inf)
    before = np.full(len(owner), row)
    closed = np.zeros(len(owner), bool)
    current, length = row, 0.0
    chain = []
    while True:
        reach = length + cost[current] - row_price[current] - column_price
        nearer = ~closed & (reach < shortest)
        shortest[nearer], before[nearer] = reach[nearer], current
        column = int(np.where(closed, np.inf, shortest).argmin())
        length = float(shortest[column])
        if owner[column] < 0:
            break
        closed[column] = True
        chain.append(column)
        current = int(owner[column])
    row_price[row] += length
    for passed in chain:
        row_price[owner[passed]] += length - shortest[passed]
        column_price[passed] -= length - shortest[passed]
    held = {int(owner[passed]): passed for passed in chain}
    while True:
        taker = int(before[column])
        owner[column] = taker
        if taker == row:
            return
        column = held[taker]
