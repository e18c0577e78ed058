"""Limbs that do the right thing at another time than the rest of the body."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from poise.angles import LIMB_NAMES
from poise.comparison.performance import RATE, Performance
from poise.comparison.views import cross

Floats = npt.NDArray[np.float64]

GROUPS: dict[str, tuple[str, ...]] = {
    "left_arm": ("left_upper_arm", "left_forearm"),
    "right_arm": ("right_upper_arm", "right_forearm"),
    "left_leg": ("left_thigh", "left_shin"),
    "right_leg": ("right_thigh", "right_shin"),
    "trunk": ("trunk", "shoulders"),
    "head": ("head",),
}
_FARTHEST = 0.8  # seconds that a limb may follow or lead
_LEAST = 0.12
_WINDOW = 1.5  # seconds over which it is told
_SHORTEST = 1.2  # seconds
_ERROR = 10.0  # degrees, root mean square, below which there is nothing to explain
_GAIN = 0.6  # share of the squared error that the shift must explain
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
    columns = [LIMB_NAMES.index(limb) for limb in limbs]
    reach = round(_FARTHEST * RATE)
    shifts = np.arange(-reach, reach + 1)
    place = np.round((np.nan_to_num(attempt_times) - attempt.times[0]) * RATE).astype(int)
    rows = np.clip(place[:, None] + shifts, 0, len(attempt) - 1)
    ours, theirs = reference.units[:, None, columns], attempt.units[:, columns][rows]
    weights = reference.weights[:, None, columns] * attempt.weights[:, columns][rows]
    weights[~np.isfinite(attempt_times)] = 0
    away = weights * (1 - (ours * theirs).sum(axis=3))
    kernel = np.hanning(round(_WINDOW * RATE) + 2)[1:-1]
    cost = _blur(away.sum(axis=2), kernel) / np.maximum(_blur(weights.sum(axis=2), kernel), 1e-6)
    best = cost.argmin(axis=1)
    least = cost[np.arange(len(cost)), best]
    now = cost[:, reach]
    wrong = 1 - np.cos(np.radians(_ERROR))
    late = (now > wrong) & (least < (1 - _GAIN) * now)
    late &= np.abs(shifts[best]) >= _LEAST * RATE
    late &= np.abs(shifts[best]) < reach
    found = []
    for core in _runs(late, np.sign(shifts[best]), round(_SHORTEST * RATE)):
        shift = int(np.median(shifts[best][core]))
        span = _widen(core, cost[:, reach + shift] <= np.maximum(_KEEP * now, _QUIET))
        if found and span.start < found[-1].span.stop:
            continue
        chosen = rows[span, reach + shift]
        left = np.degrees(np.arctan2(
            cross(reference.units[span][:, columns], attempt.units[chosen][:, columns]),
            (reference.units[span][:, columns] * attempt.units[chosen][:, columns]).sum(axis=2),
        ))  # fmt: skip
        found.append(Late(name, limbs, span, shift / RATE, left))
    return found


def _widen(core: slice, holds: npt.NDArray[np.bool_]) -> slice:
    """Return a run with the moments before and after it for which the same shift holds."""
    before, after = ~holds[: core.start][::-1], ~holds[core.stop :]
    first = core.start - (int(before.argmax()) if before.any() else core.start)
    last = core.stop + (int(after.argmax()) if after.any() else len(after))
    return slice(first, last)


def _blur(values: Floats, kernel: Floats) -> Floats:
    """Convolve (T, S) along time."""
    size = len(values) + len(kernel) - 1
    product = np.fft.rfft(values, size, axis=0) * np.fft.rfft(kernel, size)[:, None]
    first = len(kernel) // 2
    blurred: Floats = np.fft.irfft(product, size, axis=0)[first : first + len(values)]
    return np.maximum(blurred, 0)


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
