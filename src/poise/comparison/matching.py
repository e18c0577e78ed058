"""Which moment of the attempt belongs to which moment of the reference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from poise.alignment import Path, align
from poise.angles import LIMB_NAMES
from poise.comparison.performance import RATE, Performance

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
AnyFloats = npt.NDArray[np.floating[Any]]

# What it costs, for each moment of the reference, to say that the attempt leaves it out. Two
# people who dance the same differ by 1 - cos 17 degrees, counted on both sides: 0.09; a wrong
# posture by more than 1 - cos 25 degrees: 0.19. In between, so that style is matched and a
# missing movement is not.
OMIT = 0.16
INSERT = 0.15
OPEN_GAP = 0.15  # seconds x cost; keeps single moments from being left out
BEND = 0.2  # for each step that is not of one tempo
COARSE_BEND = 0.1  # before the tempo is known
_SHORT = 3.0  # seconds; in less than that no tempo can be told from an alignment
MOST = 1 - np.cos(np.radians(35))
EDGE_BOTH = 0.3  # for moments at an end that both recordings hold
EDGE = 0.12  # for moments before the attempt begins and after it has ended

_COARSE_MOMENTS = 300
_COARSE_RATE = 15.0
_BAND = 0.5  # seconds on either side of the coarse path that the fine one may use
# The trunk carries everything above it; the short lines of shoulders and hips are less exact.
_SHARES = {"trunk": 2.0, "shoulders": 0.5, "hips": 0.5}
_IMPORTANCE = np.array([_SHARES.get(name, 1.0) for name in LIMB_NAMES])
_UNKNOWN = 0.05  # the cost where nothing can be compared: neither good nor bad


@dataclass(frozen=True, eq=False)
class Match:
    """Pairs of moments that belong together.

    Attributes:
        rows, columns: (P,) numbers of moments of the reference and of the attempt.
        cost: Of the whole path, by the number of the reference's moments.
    """

    rows: npt.NDArray[np.int64]
    columns: npt.NDArray[np.int64]
    cost: float


def weigh_limbs(reference: Performance, attempt: Performance) -> Floats:
    """Return (L,) how much each limb counts: one that moves says more than one that rests.

    A limb that rests in both counts a quarter; one whose direction strays by 25 degrees or more
    from its mean, in either performance, counts fully. Else standing upright would earn most of
    the score of any dance. The trunk counts twice, shoulders and hips half.
    """
    spread = np.maximum(spread_limbs(reference), spread_limbs(attempt))
    return weigh_spread(spread, reference.shown & attempt.shown)


def weigh_spread(spread: Floats, seen: npt.ArrayLike) -> Floats:
    """Return (L,) what ``weigh_limbs`` does, for the larger of both spreads in degrees."""
    weights: Floats = _IMPORTANCE * np.asarray(seen)
    return weights * (0.25 + 0.75 * np.minimum(spread / 25, 1))


def spread_limbs(performance: Performance) -> Floats:
    """Return (L,) the mean angle in degrees between a limb and its own mean direction."""
    weights, units = performance.weights, performance.units
    total = np.maximum(weights.sum(axis=0), 1e-9)
    mean = (weights[..., None] * units).sum(axis=0)
    mean /= np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-9)
    away = np.degrees(np.arccos(np.clip((units * mean).sum(axis=2), -1, 1)))
    spread: Floats = (weights * away).sum(axis=0) / total
    return spread


def cost_matrix(reference: Performance, attempt: Performance, limbs: Floats) -> Floats:
    """Return (N, M): the weighted mean of 1 - cos of the angles between the limbs, 0..0.2.

    No limb costs more than one that is 35 degrees off: an alignment that bends time to bring one
    wrong limb nearer would blame all the others.
    """
    ours = np.asarray(reference.weights * limbs, np.float32)
    theirs = np.asarray(attempt.weights, np.float32)
    total = ours @ theirs.T
    alike = np.zeros_like(total)
    for limb in np.flatnonzero(limbs):
        a = reference.units[:, limb].astype(np.float32)
        near = a @ attempt.units[:, limb].astype(np.float32).T
        np.maximum(near, 1 - MOST, out=near)
        near *= theirs[:, limb]
        near *= ours[:, limb, None]
        alike += near
    return mean_cost(total, alike, limbs)


def elevation_matrix(reference: Performance, attempt: Performance, limbs: Floats) -> Floats:
    """Return (N, M): how differently steep the limbs are in 3D, the same from every side.

    The squared difference of the sines of the limbs' elevations, which a turn of the camera about
    the vertical leaves as they are.
    """
    ours, theirs = reference.weights * limbs, attempt.weights
    a, b = _steepness(reference), _steepness(attempt)
    both = ours @ theirs.T
    apart = (ours * a**2) @ theirs.T - 2 * (ours * a) @ (theirs * b).T + ours @ (theirs * b**2).T
    return mean_cost(both, both - apart, limbs)


def _steepness(performance: Performance) -> Floats:
    steep: Floats = np.nan_to_num(performance.directions[..., 1])
    return steep


def mean_cost(both: AnyFloats, alike: AnyFloats, limbs: Floats) -> Floats:
    """Return 1 - alike / both, 0..2; a little where hardly any limb can be compared."""
    enough = both > 0.1 * max(float(limbs.sum()), 1e-9)
    cost = 1 - alike / np.where(enough, both, 1)
    return np.where(enough, np.maximum(cost, 0), _UNKNOWN).astype(np.float64)


def _banded_cost(
    reference: Performance, attempt: Performance, limbs: Floats, low: Indices, width: int
) -> Floats:
    """Return (N, W) the same for the columns low[i] .. low[i] + W - 1 of each row."""
    columns = np.minimum(low[:, None] + np.arange(width), len(attempt) - 1)
    ours = (reference.weights * limbs).astype(np.float32)
    theirs = attempt.weights.astype(np.float32)
    a, b = reference.units.astype(np.float32), attempt.units.astype(np.float32)
    total, away = np.zeros(columns.shape, np.float32), np.zeros(columns.shape, np.float32)
    for limb in np.flatnonzero(limbs):
        weights = ours[:, limb, None] * theirs[:, limb][columns]
        along = a[:, limb, 0, None] * b[:, limb, 0][columns]
        along += a[:, limb, 1, None] * b[:, limb, 1][columns]
        total += weights
        away += weights * np.minimum(1 - along, MOST)
    return mean_cost(total, total - away, limbs)


def coarse_step(reference: Performance, attempt: Performance) -> int:
    """Return every how many moments the coarse alignment looks."""
    longest = max(len(reference), len(attempt))
    return max(round(RATE / _COARSE_RATE), int(np.ceil(longest / _COARSE_MOMENTS)))


def gap_costs(step: int) -> dict[str, float]:
    """Return the costs of leaving out and of adding, for moments ``step`` samples apart."""
    return {"omit": OMIT, "insert": INSERT, "open_gap": OPEN_GAP * RATE / step / 10}


def match_coarse(cost: Floats, step: int, allowed: npt.NDArray[np.bool_] | None = None) -> Match:
    """Align by a whole cost matrix of moments ``step`` samples apart.

    Args:
        cost: (N, M).
        step: Samples between two moments.
        allowed: (N, M) bool of the pairs that may be used, or None.
    """
    if allowed is not None:
        cost = np.where(allowed, cost, 2.0)
    path = align(cost, bend=COARSE_BEND, edge_omit=EDGE, edge_both=EDGE_BOTH, **gap_costs(step))
    return Match(path.rows * step, path.columns * step, path.cost / len(cost))


def match_fine(
    reference: Performance, attempt: Performance, limbs: Floats, near: Match
) -> tuple[Performance, Match]:
    """Align moment by moment, within half a second of a coarse match.

    Returns:
        The attempt on a grid that makes up for its tempo, so that equal steps on both sides are
        the rule and everything else costs, and the match with that grid.
    """
    tempo = _find_tempo(near)
    stretched = attempt.regridded(tempo)
    reach = int(_BAND * RATE)
    middle = np.round(np.interp(np.arange(len(reference)), *_anchors(near, tempo)))
    middle = np.maximum.accumulate(middle.astype(np.int64))
    low: Indices = np.clip(middle - reach, 0, len(stretched) - 1).astype(np.int64)
    high = np.clip(middle + reach + 1, low + 1, len(stretched)).astype(np.int64)
    width = int((high - low).max())
    cost = _banded_cost(reference, stretched, limbs, low, width)
    path: Path = align(
        cost, edge_omit=EDGE, edge_both=EDGE_BOTH, bend=BEND, low=low, high=high, **gap_costs(1)
    )
    return stretched, Match(path.rows, path.columns, path.cost / len(reference))


def _find_tempo(near: Match) -> float:
    """Return how many samples of the attempt belong to one of the reference.

    The median of slopes over two seconds (after Theil 1950 and Sen 1968, who take all pairs): a
    move that is left out changes few of them.
    """
    rows, first = np.unique(near.rows, return_index=True)
    columns = near.columns[first]
    far = np.searchsorted(rows, rows + min(2 * RATE, (rows[-1] - rows[0]) / 2))
    near_by = np.flatnonzero(far < len(rows))
    if len(near_by) < 3 or rows[-1] - rows[0] < _SHORT * RATE:
        return 1.0
    far = far[near_by]
    steps = (columns[far] - columns[near_by]) / np.maximum(rows[far] - rows[near_by], 1)
    return float(np.clip(np.median(steps), 0.5, 2.0))


def _anchors(match: Match, slope: float) -> tuple[Floats, Floats]:
    """Return the path on the stretched grid; before and after it both go on at one tempo."""
    rows, columns = match.rows.astype(float), match.columns / slope
    far = 1e6
    return (
        np.concatenate([[rows[0] - far], rows, [rows[-1] + far]]),
        np.concatenate([[columns[0] - far], columns, [columns[-1] + far]]),
    )
