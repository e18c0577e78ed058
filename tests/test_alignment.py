"""Warping paths against dtaidistance and against a plain search of every state."""

from __future__ import annotations

import math
import tracemalloc
from functools import cache

import numpy as np
import pytest
from dtaidistance import dtw_ndim
from hypothesis import given
from hypothesis import strategies as st

from poise.alignment import Path, align, occurrences, path_times, warp
from poise.errors import UsageError

RANDOM = np.random.default_rng(3)


def _walk(frames: int, seed: int = 0) -> np.ndarray:
    """A smooth curve in 6 dimensions that never comes near itself."""
    steps = np.random.default_rng(seed).normal(size=(frames, 6))
    return np.cumsum(steps, axis=0)


def _cost(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return ((first[:, None] - second[None]) ** 2).sum(-1)


def _grid(rows: int, columns: int, seed: int) -> np.ndarray:
    # Few distinct values make ties, large ones make gaps worth while.
    return np.random.default_rng(seed).choice([0, 0.25, 1, 2, 5, 9], (rows, columns))


@given(
    st.integers(1, 12),
    st.integers(1, 12),
    st.integers(0, 999),
    st.one_of(st.none(), st.integers(1, 12)),
    st.tuples(*[st.integers(0, 4)] * 4),
)
def test_warp_costs_what_dtaidistance_says(
    rows: int, columns: int, seed: int, window: int | None, psi: tuple[int, int, int, int]
) -> None:
    random = np.random.default_rng(seed)
    first, second = random.normal(size=(rows, 3)), random.normal(size=(columns, 3))
    relaxed = tuple(
        min(count, size - 1)
        for count, size in zip(psi, (rows, rows, columns, columns), strict=True)
    )
    path = warp(_cost(first, second), window=window, relaxed=relaxed)
    wanted = dtw_ndim.distance(first, second, window=window, psi=relaxed)
    assert math.sqrt(path.cost) == pytest.approx(wanted, abs=1e-6)


# What the lightest legal walk costs, by trying every step from every state, one at a time.
def _brute(
    cost: np.ndarray,
    prices: tuple[float, float, float, float],
    low: np.ndarray,
    high: np.ndarray,
) -> float:
    omit, insert, edge, gap = prices
    rows = len(cost)

    def pair(i: int, j: int) -> float:
        return cost[i, j] if 0 <= i < rows and low[i] <= j < high[i] else math.inf

    @cache
    def rest(i: int, j: int, state: str) -> float:
        """The least cost of going on after row i and column j."""
        steps = [edge * (rows - 1 - i)] if state == "pair" else []
        steps.append(2 * pair(i + 1, j + 1) + after(i + 1, j + 1))
        steps.append(2 * pair(i + 1, j + 1) + pair(i + 1, j + 2) + after(i + 1, j + 2))
        steps.append(2 * pair(i + 1, j + 1) + pair(i + 2, j + 1) + after(i + 2, j + 1))
        if i + 1 < rows and low[i + 1] <= j < high[i + 1]:
            steps.append(omit + gap * (state != "omit") + rest(i + 1, j, "omit"))
        if j + 1 < high[i]:
            steps.append(insert + gap * (state != "insert") + rest(i, j + 1, "insert"))
        return min(steps)

    def after(i: int, j: int) -> float:
        return rest(i, j, "pair") if pair(i, j) < math.inf else math.inf

    best = rows * edge
    for i in range(rows):
        for j in range(int(high[i])):
            first = 2 * pair(i, j)
            best = min(best, edge * i + first + after(i, j))
            best = min(best, edge * i + first + pair(i, j + 1) + after(i, j + 1))
            best = min(best, edge * i + first + pair(i + 1, j) + after(i + 1, j))
    return best


def _paid(path: Path, cost: np.ndarray, prices: tuple[float, float, float, float]) -> float:
    """What the pairs of a path cost, read off the pairs alone."""
    omit, insert, edge, gap = prices
    if not path.rows.size:
        return edge * len(cost)
    total = edge * (path.rows[0] + len(cost) - 1 - path.rows[-1])
    before = (path.rows[0] - 1, path.columns[0] - 1)
    for i, j in zip(path.rows, path.columns, strict=True):
        down, right = i - before[0], j - before[1]
        total += cost[i, j] * (2 if down and right else 1)
        for jump, price in ((down, omit), (right, insert)):
            if jump > 1:
                total += gap + price * (jump - 1)
        before = (i, j)
    return total


PRICES = st.tuples(*[st.sampled_from([0.0, 0.5, 1.0, 3.0, 20.0])] * 4)


def _check_legal(path: Path) -> None:
    down, right = np.diff(path.rows), np.diff(path.columns)
    assert (down >= 0).all() and (right >= 0).all() and ((down > 0) | (right > 0)).all()
    beside = (down == 0) | (right == 0)
    assert ((down[beside] + right[beside]) == 1).all()
    assert not (beside[1:] & beside[:-1]).any(), "more than two frames for one"


@given(st.integers(1, 6), st.integers(1, 7), st.integers(0, 9999), PRICES)
def test_align_costs_the_least_that_is_possible(
    rows: int, columns: int, seed: int, prices: tuple[float, float, float, float]
) -> None:
    cost = _grid(rows, columns, seed)
    path = align(cost, omit=prices[0], insert=prices[1], edge_omit=prices[2], open_gap=prices[3])
    low, high = np.zeros(rows, int), np.full(rows, columns)
    assert path.cost == pytest.approx(_brute(cost, prices, low, high), abs=1e-9)
    assert path.cost == pytest.approx(_paid(path, cost, prices), abs=1e-9)
    _check_legal(path)


@given(st.integers(1, 6), st.integers(0, 9999), PRICES, st.data())
def test_align_in_a_band_costs_the_least_that_is_possible(
    rows: int, seed: int, prices: tuple[float, float, float, float], data: st.DataObject
) -> None:
    lists = st.lists(st.integers(0, 4), min_size=rows, max_size=rows)
    low = np.cumsum(data.draw(lists))
    high = np.maximum.accumulate(low + data.draw(lists))
    width, columns = int((high - low).max()), int(high.max())
    cost = _grid(rows, columns + width, seed)
    band = np.take_along_axis(cost, low[:, None] + np.arange(width), axis=1)
    path = align(
        band,
        omit=prices[0],
        insert=prices[1],
        edge_omit=prices[2],
        open_gap=prices[3],
        low=low,
        high=high,
    )
    assert path.cost == pytest.approx(_brute(cost, prices, low, high), abs=1e-9)
    assert path.cost == pytest.approx(_paid(path, cost, prices), abs=1e-9)
    assert (path.columns >= low[path.rows]).all()
    assert (path.columns < high[path.rows]).all()
    _check_legal(path)
