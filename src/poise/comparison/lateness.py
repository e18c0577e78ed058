"""Limbs that do the right thing at another time than the rest of the body."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from poise.angles import LIMB_NAMES
from poise.comparison.performance import RATE, Performance

Floats = npt.NDArray[np.float64]
Complex = npt.NDArray[np.complex128]
Indices = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Headings = tuple[Complex, Floats]

GROUPS: dict[str, tuple[str, ...]] = {
    "left_arm": ("left_upper_arm", "left_forearm"),
    "right_arm": ("right_upper_arm", "right_forearm"),
    "left_leg": ("left_thigh", "left_shin"),
    "right_leg": ("right_thigh", "right_shin"),
    "trunk": ("trunk", "shoulders"),
    "head": ("head",),
}
_FARTHEST = 0.8  # seconds that a limb may follow or lead
_LEAST = 0.15
_WINDOW = 1.5  # seconds over which it is told
_SHORTEST = 1.2  # seconds
_ERROR = 10.0  # degrees, root mean square, below which there is nothing to explain
_GAIN = 0.6  # share of the squared error that the shift must explain
_LOOSE = 2  # samples by which a moment may be off and still be only late
_NOTHING = 5.0  # degrees
_KEEP, _QUIET = 0.8, 1 - np.cos(np.radians(3))  # for how long a shift that was found goes on


@dataclass(frozen=True, eq=False)
class Late:
    """A group of limbs that follows (or, with negative seconds, leads) for a while.

    Attributes:
        name: Of the group.
        limbs: Of the group.
        span: Moments of the reference.
        seconds: By how much.
        turns: (n, limbs) degrees that remain when the shift is taken away.
    """

    name: str
    limbs: tuple[str, ...]
    span: slice
    seconds: float
    turns: Floats


def find_late(
    reference: Performance, attempt: Performance, attempt_times: Floats
) -> tuple[Late, ...]:
    """Find groups of limbs whose error another moment of the attempt explains.

    Args:
        reference, attempt: In the same view; the attempt on its own clock.
        attempt_times: (T,) the attempt's time for each moment of the reference.
    """
    if len(attempt) < _WINDOW * RATE or len(reference) < _WINDOW * RATE:
        return ()
    found = []
    for name, limbs in GROUPS.items():
        found += _search(name, limbs, reference, attempt, attempt_times)
    return tuple(found)


def _search(
    name: str, limbs: tuple[str, ...], reference: Performance, attempt: Performance,
    attempt_times: Floats,
) -> list[Late]:  # fmt: skip
    reach = round(_FARTHEST * RATE)
    shifts = np.arange(-reach, reach + 1)
    place = np.round((np.nan_to_num(attempt_times) - attempt.times[0]) * RATE).astype(int)
    rows = place[:, None] + shifts
    outside = (rows < 0) | (rows >= len(attempt)) | ~np.isfinite(attempt_times)[:, None]
    rows = np.clip(rows, 0, len(attempt) - 1)
    headings = _headings(reference, limbs), _headings(attempt, limbs)
    (ours, _), (theirs, _) = headings
    now = _cost(headings, rows[:, reach : reach + 1], outside[:, reach : reach + 1])[:, 0]
    wrong = now > 1 - np.cos(np.radians(_ERROR))
    if not wrong.any():
        return []
    cost = _cost(headings, rows, outside)
    best = cost.argmin(axis=1)
    late = wrong & (cost[np.arange(len(cost)), best] < (1 - _GAIN) * now)
    late &= (np.abs(shifts[best]) >= _LEAST * RATE) & (np.abs(shifts[best]) < reach)
    found: list[Late] = []
    for core in _runs(late, np.sign(shifts[best]), round(_SHORTEST * RATE)):
        shift = int(cost[core, _LOOSE:-_LOOSE].sum(axis=0).argmin()) + _LOOSE - reach
        span = _widen(core, cost[:, reach + shift] <= np.maximum(_KEEP * now, _QUIET))
        span = _trim(span, np.abs(np.angle(theirs[rows[:, reach]] * ours.conj())))
        if found and span.start < found[-1].span.stop:
            continue
        near = rows[span, reach + shift - _LOOSE : reach + shift + _LOOSE + 1]
        turns = np.degrees(np.angle(theirs[near] * ours[span][:, None].conj()))
        turns[outside[span, reach + shift]] = 0
        least = np.abs(turns).argmin(axis=1, keepdims=True)
        left = np.take_along_axis(turns, least, axis=1)[:, 0]
        found.append(Late(name, limbs, span, shift / RATE, left))
    return found


def _cost(headings: tuple[Headings, Headings], rows: Indices, outside: Flags) -> Floats:
    """Return (T, S) the mean of 1 - cos in the window around each moment, for each shift."""
    (ours, sure), (theirs, certain) = headings
    away, total = np.zeros(rows.shape), np.zeros(rows.shape)
    for limb in range(ours.shape[1]):
        weights = np.where(outside, 0, sure[:, limb, None] * certain[:, limb][rows])
        away += weights * (1 - (ours[:, limb, None] * theirs[:, limb].conj()[rows]).real)
        total += weights
    cost: Floats = _sum_around(away) / np.maximum(_sum_around(total), 1e-6)
    return cost


def _headings(performance: Performance, limbs: tuple[str, ...]) -> Headings:
    """Return (T, L) directions as complex numbers, and weights.

    Arms and head are told from the trunk, which carries them: it may sway while they are late.
    """
    columns = [LIMB_NAMES.index(limb) for limb in limbs]
    units = performance.units[..., 0] + 1j * performance.units[..., 1]
    headings: Complex = units[:, columns]
    trunk = LIMB_NAMES.index("trunk")
    if limbs[0].endswith(("arm", "head")):
        carrier = units[:, trunk, None]
        headings = headings * np.where(carrier == 0, 1, carrier.conj())
    return headings, performance.weights[:, columns]


def _widen(core: slice, holds: npt.NDArray[np.bool_]) -> slice:
    """Return a run with the moments before and after it for which the same shift holds."""
    before, after = ~holds[: core.start][::-1], ~holds[core.stop :]
    first = core.start - (int(before.argmax()) if before.any() else core.start)
    last = core.stop + (int(after.argmax()) if after.any() else len(after))
    return slice(first, last)


def _trim(span: slice, turns: Floats) -> slice:
    """Return a span without the moments at its ends at which nothing is wrong."""
    wrong = np.flatnonzero((turns[span] > np.radians(_NOTHING)).any(axis=1))
    if not len(wrong):
        return span
    return slice(span.start + int(wrong[0]), span.start + int(wrong[-1]) + 1)


def _sum_around(values: Floats) -> Floats:
    """Return (T, S) sums over the window around each moment."""
    reach = round(_WINDOW * RATE / 2)
    total = np.concatenate([np.zeros((1, values.shape[1])), values.cumsum(axis=0)])
    places = np.arange(len(values))
    after, before = np.minimum(places + reach + 1, len(values)), np.maximum(places - reach, 0)
    sums: Floats = total[after] - total[before]
    return sums


def _runs(flags: npt.NDArray[np.bool_], signs: Floats, least: int) -> list[slice]:
    """Return runs of one sign that last; holes of a third of a second are bridged."""
    found = []
    for sign in (-1, 1):
        here = np.flatnonzero(flags & (signs == sign))
        if len(here):
            cuts = np.flatnonzero(np.diff(here) > RATE / 3) + 1
            for run in np.split(here, cuts):
                if len(run) >= least:
                    found.append(slice(int(run[0]), int(run[-1]) + 1))
    return sorted(found, key=lambda span: span.start)
