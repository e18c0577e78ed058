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
    if window is None or not any(relaxed):
        wanted = dtw_ndim.distance(first, second, window=window, psi=relaxed)
    else:  # its short form (2.5.1) fails on a relaxed end wider than the window
        wanted, _ = dtw_ndim.warping_paths(first, second, window=window, psi=relaxed)
    assert math.sqrt(path.cost) == pytest.approx(wanted, abs=1e-6)


def _left_out(count: int, frames: int, prices: tuple[float, ...], rows: int) -> float:
    """What the reference's frames beside the matched ones cost, fifth by fifth of a frame."""
    edge, both = prices[2], prices[5]
    alone = [number >= 5 * frames for number in range(5 * count)]
    cheap = min(sum(alone), 2 * rows)
    return (cheap * edge + (5 * count - cheap) * both) / 5


# What the lightest legal walk costs, by trying every step from every state, one at a time.
def _brute(
    cost: np.ndarray,
    prices: tuple[float, ...],
    low: np.ndarray,
    high: np.ndarray,
) -> float:
    omit, insert, _, gap, bend, _ = prices
    rows = len(cost)

    def skip(count: int, frames: int) -> float:
        return _left_out(count, frames, prices, rows)

    def pair(i: int, j: int) -> float:
        return cost[i, j] if 0 <= i < rows and low[i] <= j < high[i] else math.inf

    @cache
    def rest(i: int, j: int, state: str) -> float:
        """The least cost of going on after row i and column j."""
        steps = [skip(rows - 1 - i, max(high) - 1 - j)] if state == "pair" else []
        steps.append(2 * pair(i + 1, j + 1) + after(i + 1, j + 1))
        steps.append(bend + 2 * pair(i + 1, j + 1) + pair(i + 1, j + 2) + after(i + 1, j + 2))
        steps.append(bend + 2 * pair(i + 1, j + 1) + pair(i + 2, j + 1) + after(i + 2, j + 1))
        if i + 1 < rows and low[i + 1] <= j < high[i + 1]:
            steps.append(omit + gap * (state != "omit") + rest(i + 1, j, "omit"))
        if j + 1 < high[i]:
            steps.append(insert + gap * (state != "insert") + rest(i, j + 1, "insert"))
        return min(steps)

    def after(i: int, j: int) -> float:
        return rest(i, j, "pair") if pair(i, j) < math.inf else math.inf

    best = skip(rows, max(high))
    for i in range(rows):
        for j in range(int(high[i])):
            first = skip(i, j) + 2 * pair(i, j)
            best = min(best, first + after(i, j))
            best = min(best, first + bend + pair(i, j + 1) + after(i, j + 1))
            best = min(best, first + bend + pair(i + 1, j) + after(i + 1, j))
    return best


def _paid(path: Path, cost: np.ndarray, prices: tuple[float, ...], columns: int) -> float:
    """What the pairs of a path cost, read off the pairs alone."""
    omit, insert, _, gap, bend, _ = prices
    if not path.rows.size:
        return _left_out(len(cost), columns, prices, len(cost))
    total = 0.0
    for out, frames in (
        (path.rows[0], path.columns[0]),
        (len(cost) - 1 - path.rows[-1], columns - 1 - path.columns[-1]),
    ):
        total += _left_out(out, frames, prices, len(cost))
    before = (path.rows[0] - 1, path.columns[0] - 1)
    for i, j in zip(path.rows, path.columns, strict=True):
        down, right = i - before[0], j - before[1]
        total += 2 * cost[i, j] if down and right else cost[i, j] + bend
        for jump, price in ((down, omit), (right, insert)):
            if jump > 1:
                total += gap + price * (jump - 1)
        before = (i, j)
    return total


PRICES = st.tuples(*[st.sampled_from([0.0, 0.5, 1.0, 3.0, 20.0])] * 6)
NAMES = ("omit", "insert", "edge_omit", "open_gap", "bend", "edge_both")


def _check_legal(path: Path) -> None:
    down, right = np.diff(path.rows), np.diff(path.columns)
    assert (down >= 0).all() and (right >= 0).all() and ((down > 0) | (right > 0)).all()
    beside = (down == 0) | (right == 0)
    assert ((down[beside] + right[beside]) == 1).all()
    assert not (beside[1:] & beside[:-1]).any(), "more than two frames for one"


@given(st.integers(1, 6), st.integers(1, 7), st.integers(0, 9999), PRICES)
def test_align_costs_the_least_that_is_possible(
    rows: int, columns: int, seed: int, prices: tuple[float, ...]
) -> None:
    cost = _grid(rows, columns, seed)
    path = align(cost, **dict(zip(NAMES, prices, strict=True)))
    low, high = np.zeros(rows, int), np.full(rows, columns)
    assert path.cost == pytest.approx(_brute(cost, prices, low, high), abs=1e-9)
    assert path.cost == pytest.approx(_paid(path, cost, prices, columns), abs=1e-9)
    _check_legal(path)


@given(st.integers(1, 6), st.integers(0, 9999), PRICES, st.data())
def test_align_in_a_band_costs_the_least_that_is_possible(
    rows: int, seed: int, prices: tuple[float, ...], data: st.DataObject
) -> None:
    lists = st.lists(st.sampled_from([0, 0, 1, 1, 2, 3, 9]), min_size=rows, max_size=rows)
    low = np.cumsum(data.draw(lists))
    high = np.maximum.accumulate(low + data.draw(lists))
    width, columns = int((high - low).max()), int(high.max())
    cost = _grid(rows, columns + width, seed)
    band = np.take_along_axis(cost, low[:, None] + np.arange(width), axis=1)
    path = align(
        band,
        **dict(zip(NAMES, prices, strict=True)),
        low=low,
        high=high,
    )
    assert path.cost == pytest.approx(_brute(cost, prices, low, high), abs=1e-9)
    # A narrow band may force a run of insertions apart, so that it pays open_gap twice.
    assert path.cost >= _paid(path, cost, prices, columns) - 1e-9
    assert (path.columns >= low[path.rows]).all()
    assert (path.columns < high[path.rows]).all()
    _check_legal(path)


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 999), st.integers(1, 4))
def test_warp_walks_legal_pairs_and_pays_for_each(
    rows: int, columns: int, seed: int, window: int
) -> None:
    cost = _grid(rows, columns, seed)
    path = warp(cost, window=window)
    steps = set(zip(np.diff(path.rows).tolist(), np.diff(path.columns).tolist(), strict=True))
    assert steps <= {(0, 1), (1, 0), (1, 1)}
    assert (path.rows[0], path.columns[0]) == (0, 0)
    assert (path.rows[-1], path.columns[-1]) == (rows - 1, columns - 1)
    assert cost[path.rows, path.columns].sum() == pytest.approx(path.cost)
    beside = path.columns - path.rows
    assert beside.max() < window + max(0, columns - rows)
    assert -beside.min() < window + max(0, rows - columns)


def test_a_constant_tempo_within_the_limit_is_followed() -> None:
    reference = _walk(120)
    for tempo in (0.55, 0.8, 1.25, 1.8):
        when = np.arange(0, 119, tempo)
        fraction = (when % 1)[:, None]
        before = when.astype(int)
        attempt = reference[before] * (1 - fraction) + reference[before + 1] * fraction
        path = align(_cost(reference, attempt), omit=20, insert=20, open_gap=20)
        _check_legal(path)
        assert path.rows[0] <= 1 and path.rows[-1] >= 117
        assert np.abs(path.rows - when[path.columns]).max() < 1.5


def test_a_tempo_beyond_the_limit_is_not_followed() -> None:
    reference = _walk(40)
    attempt = np.repeat(reference, 3, axis=0)  # of each three one is extra
    path = align(_cost(reference, attempt), omit=1, insert=0.5)
    _check_legal(path)
    assert path.cost == pytest.approx((40 - 2) / 2)  # the ends are free
    assert set(np.bincount(path.rows)[1:-1]) == {2}


def test_time_is_not_bent_to_hide_an_error_where_bends_cost() -> None:
    reference = _walk(60)
    attempt = reference + np.random.default_rng(1).normal(size=reference.shape)
    cost = _cost(reference, attempt)
    free = align(cost, omit=50, insert=50)
    assert (np.diff(free.rows) != np.diff(free.columns)).any()
    straight = align(cost, omit=50, insert=50, bend=50)
    assert straight.rows.tolist() == straight.columns.tolist() == list(range(60))


def test_a_planted_omission_and_insertion_are_found_exactly() -> None:
    reference, other = _walk(150), _walk(25, seed=9) + 40
    attempt = np.concatenate([reference[:30], reference[50:100], other, reference[100:]])
    cost = _cost(reference, attempt) / 10
    path = align(cost, omit=0.2, insert=0.2, open_gap=1)
    rows, columns = np.arange(150), np.arange(len(attempt))
    assert np.setdiff1d(rows, path.rows).tolist() == list(range(30, 50))
    assert np.setdiff1d(columns, path.columns).tolist() == list(range(80, 105))
    assert path.cost == pytest.approx(20 * 0.2 + 25 * 0.2 + 2)


def test_single_frames_are_not_left_out_where_gaps_cost() -> None:
    reference = _walk(60)
    attempt = reference + np.random.default_rng(1).normal(size=reference.shape) * 0.3
    attempt[20] += 2
    cost = _cost(reference, attempt)
    assert 20 not in align(cost, omit=4, insert=4).rows
    assert 20 in align(cost, omit=4, insert=4, open_gap=40).rows


def test_a_part_is_found_at_its_place() -> None:
    whole = _walk(200)
    cost = _cost(whole[70:120], whole)
    path = align(cost, omit=5, insert=5)
    assert path.columns.tolist() == list(range(70, 120))
    assert path.cost == pytest.approx(0, abs=1e-9)
    back = align(cost.T, omit=5, insert=5, edge_omit=0.01)  # the attempt is the part
    assert back.rows.tolist() == list(range(70, 120))
    assert back.cost == pytest.approx(150 * 0.01)


def test_three_performances_are_found() -> None:
    piece = _walk(60)
    slow = np.repeat(piece, 1 + (np.arange(60) % 4 == 1), axis=0)
    idle = _walk(40, seed=5) + 60
    random = np.random.default_rng(2)
    attempt = np.concatenate([idle, piece, idle, slow, piece[:20], idle, piece[:50]])
    attempt += random.normal(size=attempt.shape) * 0.05
    cost = _cost(piece, attempt)
    found = occurrences(cost, omit=1, insert=1, open_gap=2, limit=0.3)
    spans = [(path.columns[0], path.columns[-1] + 1) for path in found]
    assert spans == [(40, 100), (140, 215), (275, 325)]
    for path in found:
        assert path.cost == pytest.approx(_paid(path, cost, (1, 1, 1, 2, 0, 1), cost.shape[1]))
    assert [path.columns[0] for path in occurrences(cost, omit=1, insert=1, limit=0.01)] == []
    best = occurrences(cost, omit=1, insert=1, open_gap=2, limit=0.3, most=1)
    assert best[0].cost / best[0].weight == min(path.cost / path.weight for path in found)


def test_no_performance_in_noise() -> None:
    cost = np.random.default_rng(0).uniform(0, 4, (80, 900))
    assert occurrences(cost, omit=0.5, insert=0.5, limit=5, most=4) == []
    assert occurrences(np.zeros((0, 9)), omit=1, insert=1, limit=1) == []
    assert occurrences(np.zeros((9, 0)), omit=1, insert=1, limit=1) == []


def test_a_band_around_the_path_gives_the_whole_matrix_answer() -> None:
    reference = _walk(150)
    attempt = np.concatenate([_walk(30, 4) + 50, np.repeat(reference[20:], 2, axis=0)[::3]])
    cost = _cost(reference, attempt)
    prices = {"omit": 2.0, "insert": 2.0, "open_gap": 3.0}
    whole = align(cost, **prices)
    middle = np.interp(np.arange(150), whole.rows, whole.columns).astype(int)
    low, high = np.maximum(middle - 12, 0), np.minimum(middle + 13, cost.shape[1])
    high = np.maximum(high, low)
    width = (high - low).max()
    at = np.minimum(low[:, None] + np.arange(width), cost.shape[1] - 1)
    narrow = align(np.take_along_axis(cost, at, axis=1), low=low, high=high, **prices)
    assert narrow.cost == pytest.approx(whole.cost)
    assert narrow.rows.tolist() == whole.rows.tolist()
    assert narrow.columns.tolist() == whole.columns.tolist()


def test_memory_follows_the_band() -> None:
    low = np.arange(1000)
    band = RANDOM.uniform(0, 1, (1000, 31))
    tracemalloc.start()
    path = align(band, omit=1, insert=1, low=low)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert path.rows.size >= 1000
    assert peak < 16 * band.nbytes  # the whole matrix would be 33 times as large


def test_nothing_matches_where_leaving_out_is_cheaper() -> None:
    path = align(np.full((5, 7), 3.0), omit=1, insert=1)
    assert path.rows.size == path.columns.size == path.weight == 0
    assert path.cost == 5
    assert align(np.full((5, 7), np.inf), omit=1, insert=1, edge_omit=2).cost == 10
    assert align(np.zeros((5, 0)), omit=1, insert=1).cost == 5
    assert align(np.zeros((0, 4)), omit=1, insert=1).cost == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"cost": [[1, np.nan]]}, "costs must be 0 or more, got NaN"),
        ({"cost": [[1, -2]]}, r"got a negative one \(-2\)"),
        ({"cost": [1, 2]}, r"costs must be \(N, M\), got shape \(2,\)"),
        ({"omit": -1}, "omit is -1"),
        ({"insert": np.nan}, "insert is nan"),
        ({"bend": -0.5}, "bend is -0.5; choose a number that is 0 or more"),
        ({"edge_omit": np.inf}, "edge_omit is inf"),
        ({"high": [2, 2]}, "high was given without low"),
        ({"low": [1]}, r"low and high must be \(2,\), got \(1,\)"),
        ({"low": [1, 0]}, "must not decrease"),
        ({"low": [0, 0], "high": [2, 2]}, "the band is 2 columns wide and the costs 3"),
    ],
)
def test_what_cannot_be_aligned(options: dict[str, object], words: str) -> None:
    usual = {"cost": np.ones((2, 3)), "omit": 1.0, "insert": 1.0}
    with pytest.raises(UsageError, match=words):
        align(**{**usual, **options})


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"cost": np.ones((0, 3))}, "nothing to align: the costs are 0 x 3"),
        ({"window": 0}, "window is 0; choose 1 or more frames"),
        ({"relaxed": (2, 0, 0, 0)}, r"relaxed is \(2, 0, 0, 0\) for 2 x 3 frames"),
        ({"cost": np.full((2, 3), np.inf)}, "every path has an infinite cost"),
    ],
)
def test_what_cannot_be_warped(options: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        warp(**{"cost": np.ones((2, 3)), **options})


def _pairs(*pairs: tuple[int, int]) -> Path:
    rows, columns = np.array(pairs).T
    return Path(rows, columns, 0.0)


def test_times_between_pairs() -> None:
    seconds = np.arange(20) / 10
    path = _pairs((2, 5), (3, 6), (4, 7), (4, 8), (5, 9), (6, 9), (7, 10), (12, 11), (13, 12))
    at = [0.1, 0.2, 0.25, 0.4, 0.55, 0.7, 0.95, 1.2, 1.3, 1.31, np.nan]
    wanted = [np.nan, 0.5, 0.55, 0.75, 0.9, 1.0, 1.05, 1.1, 1.2, np.nan, np.nan]
    np.testing.assert_allclose(path_times(path, seconds, seconds, at), wanted, atol=1e-9)
    holes = path_times(path, seconds, seconds, at, gap=0.3)
    wanted[6] = np.nan
    np.testing.assert_allclose(holes, wanted, atol=1e-9)
    assert path_times(path, seconds, seconds, 0.3).item() == pytest.approx(0.6)
    assert np.isnan(path_times(path, seconds, seconds, 1.0, gap=0.3)).all()


def test_times_of_an_empty_and_of_a_single_pair() -> None:
    empty = align(np.ones((2, 2)), omit=0.1, insert=1)
    assert np.isnan(path_times(empty, [0, 1], [0, 1], [0, 1])).all()
    one = path_times(_pairs((1, 0)), [0.0, 1.0], [7.0, 8.0], [0.5, 1.0])
    np.testing.assert_array_equal(one, [np.nan, 7.0])


@given(st.integers(2, 15), st.integers(2, 15), st.integers(0, 999))
def test_times_always_grow(rows: int, columns: int, seed: int) -> None:
    cost = _grid(rows, columns, seed)
    random = np.random.default_rng(seed)
    reference, attempt = (np.cumsum(random.uniform(0.02, 0.05, n)) for n in (rows, columns))
    at = np.linspace(reference[0], reference[-1], 50)
    for path in (warp(cost), align(cost, omit=9, insert=9, edge_omit=20)):
        times = path_times(path, reference, attempt, at)
        inside = (at >= reference[path.rows[0]]) & (at <= reference[path.rows[-1]])
        assert (np.isfinite(times) == inside).all()
        if np.unique(path.columns).size > 1 and np.unique(path.rows).size > 1:
            assert (np.diff(times[inside]) > 0).all()
