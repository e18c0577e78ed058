"""One way of seeing a live attempt, followed and judged frame by frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from poise.comparison.habits import Habits
from poise.comparison.matching import EDGE, MOST, mean_cost, weigh_spread
from poise.comparison.performance import RATE
from poise.comparison.phase import PhaseTracker
from poise.comparison.scoring import (
    Errors,
    Losses,
    differ,
    join_scores,
    score_timing,
    weigh,
    weigh_joints,
)
from poise.comparison.stances import Record, Stances
from poise.comparison.timing import Timing, fit_line
from poise.comparison.views import find_roll

Floats = npt.NDArray[np.float64]

SECOND = round(RATE)
_RING = round(1.5 * RATE)  # rows of the recent past, a thirtieth of a second each
_STEADY = round(20 * RATE)  # rows over which a steady tempo is told
_QUICKEST = 3.0  # what is quicker than that is a jump
_FEW = 100  # rows by which roll is told
_TOLD = 3.0  # seconds that must have been followed before a lag is told
_SETTLE = 1.0  # seconds after which roll and steady tempo are told anew
_SOFT = 0.4  # seconds over which a lag is averaged
_STILL, _MOVING = 5.0, 15.0  # degrees; less is standing still, more is moving
_IMPATIENCE = 0.05  # by which not having begun costs more for each second of moving
_LOOSE = 2  # moments
_PATIENCE = 3.0  # seconds of moving after which it costs no more
_LEFT_OUT = 0.25 * RATE  # rows; shorter jumps leave nothing out
_BEGUN = 0.15 * RATE  # rows after the first moving one at which the movement has begun


@dataclass(frozen=True, eq=False)
class Script:
    """What is known of the reference before anybody comes.

    Attributes:
        stances: Its N moments.
        spread: (L,) degrees by which its limbs stray from their mean direction.
        motion: (N,) degrees a second.
        facing: 1, -1 or 0, as ``views.facing`` tells.
        offset: Seconds by which the music is later in the attempt's recording, or None.
    """

    stances: Stances
    spread: Floats
    motion: Floats
    facing: int
    offset: float | None

    def __len__(self) -> int:
        return len(self.stances.times)

    @property
    def onset(self) -> int:
        """The first moment that moves."""
        moving = np.flatnonzero(self.motion > 15)
        return int(moving[0]) if len(moving) and moving[0] < len(self) - RATE else 0


class Rehearsal:
    """Follows an attempt that is, or is not, a mirror image.

    Attributes:
        tracker: Tells where in the reference it is.
        record: The errors at each moment of the reference, as last performed.
        recent: The errors of the last one and a half seconds on the attempt's own clock.
        errors: (L,) degrees now, NaN where not judged.
        begun: Whether the movement has begun.
        leapt: Seconds at which it was last found elsewhere than where it was expected.
        cost: Mean cost, as ``matching`` defines it, of about the last second.
        roll: Degrees by which the attempt's picture is turned, after mirroring.
    """

    def __init__(self, script: Script, *, mirrored: bool) -> None:
        self.script, self.mirrored = script, mirrored
        count, limbs = len(script), len(script.spread)
        self.tracker = PhaseTracker(count)
        self.record, self.recent = Record(count), Record(_RING)
        self.record.begin(script.stances)
        self.errors: Floats = np.full(limbs, np.nan)
        self.roll, self.cost, self.begun = 0.0, 0.0, False
        self._habits = Habits(limbs)
        self._totals: Floats = np.zeros((2, limbs + len(weigh_joints(np.ones(limbs)))))
        self._even: Floats = np.full(count, np.nan)  # seconds of the attempt less its pauses
        self._rolls, self._lag = np.zeros(count), np.full(count, np.nan)
        self._time, self._rests, self._moved, self._followed = np.nan, 0.0, 0.0, 0.0
        self.leapt = -np.inf
        self._row: int | None = None  # the moment that was judged last
        self._line = (0.0 if script.offset is None else script.offset, 1.0)
        self._settled = -np.inf

    @property
    def limbs(self) -> Floats:
        """(L,) how much each limb counts, by what moved so far."""
        seen = (self.script.stances.weights > 0).any(axis=0) & self._habits.seen
        return weigh_spread(np.maximum(self.script.spread, self._habits.degrees), seen)

    @property
    def place(self) -> float:
        """The moment of the reference, with its fraction; 0 before it has begun."""
        return self.tracker.position if self.begun else 0.0

    @property
    def score(self) -> float | None:
        """0..100 of the last second, or None where nothing was judged."""
        losses = weigh(self.recent.errors(slice(-SECOND, None), self.limbs))
        return _known(losses.score(slice(None)))

    @property
    def running(self) -> float | None:
        """0..100 of everything so far, or None where nothing was judged."""
        limbs = self.limbs
        squares, weights = self._totals * np.concatenate([limbs, weigh_joints(limbs)])
        mean = np.sqrt(np.maximum(squares, 0) / np.maximum(weights, 1e-9))
        shape = Losses(mean[None], np.maximum(weights, 0)[None], len(limbs)).score(slice(None))
        return None if np.isnan(shape) else join_scores(shape, score_timing(self.timing))

    @property
    def timing(self) -> Timing:
        """When the attempt did what the reference does, moment by moment."""
        script = self.script
        base, slope = self._line
        offset = base + (slope - 1) * script.stances.times[0]
        return Timing(self.record.clock, self._lag, offset, 1 / slope, (), script.motion)

    @property
    def lag(self) -> float | None:
        """Seconds by which it follows a steady tempo, or the music; None where unknown."""
        return None if self._row is None else _known(float(self._lag[self._row]))

    @property
    def tempo(self) -> float | None:
        """Speed of the last second and a half by that of the reference; None where unknown."""
        clock, times = self.recent.clock, self.recent.values[:, 0]
        known = np.flatnonzero(np.isfinite(clock))
        if len(known) < SECOND:
            return None
        first, last = known[[0, -1]]
        tempo = float((times[last] - times[first]) / max(clock[last] - clock[first], 1e-9))
        return tempo if 0 <= tempo <= _QUICKEST else None

    def update(self, stance: Stances | None, time: float) -> None:
        """Look at the next frame; None where nobody is in it."""
        step = time - self._time if np.isfinite(self._time) else 1 / RATE
        ticks = int(time * RATE + 1e-6) - int((time - step) * RATE + 1e-6)
        if np.isfinite(self._time):
            self.tracker.predict(step)
        self._time = time
        errors = None if stance is None else self._look(stance, step)
        self.errors = np.full(len(self.errors), np.nan)
        if errors is None or not self.begun:
            self.recent.push(None, time, ticks)
        else:
            seen = errors.weights[0] > 0
            self.errors[seen] = np.abs(errors.turns[0, seen])
            self.recent.push(errors, time, ticks)
            self._followed += step
        if errors is None:
            self._row = None
        if time >= self._settled + _SETTLE:
            self._settled = time
            self._settle()

    def _look(self, stance: Stances, step: float) -> Errors | None:
        pose = stance.mirrored() if self.mirrored else stance
        if self.roll:
            pose = pose.rolled(-self.roll)
        stir = self._habits.learn(pose, step)
        stirred = float(np.clip((stir - _STILL) / (_MOVING - _STILL), 0, 1))
        self._moved = float(np.clip(self._moved + step * (2 * stirred - 1), 0, _PATIENCE))
        limbs, tracker = self.limbs, self.tracker
        costs = _costs(self.script.stances, tracker.window, pose, limbs)
        tracker.weigh(costs, EDGE * stirred + _IMPATIENCE * self._moved, step)
        if tracker.waiting > 0.5:
            return None
        if tracker.jumped:
            self.leapt = self._time
        place = _best_near(costs, tracker.position - tracker.low)
        here = float(costs[round(place)])
        self.cost += (here - self.cost) * min(1.0, step)
        onset = min(self.script.onset + _BEGUN, 0.5 * (len(self.script) - 1))
        self.begun |= tracker.position >= onset
        if tracker.paused > 0.5 and self.script.offset is None:
            self._rests += step
        ours = self.script.stances.at(tracker.low + place)
        errors = differ(ours, pose, np.zeros(1, bool), limbs)
        self._enter(errors)
        return errors

    def _enter(self, errors: Errors) -> None:
        """Write down what was seen at the present moment, and since the last one."""
        row, last = int(self.tracker.position), self._row
        first = row
        if last is not None and not self.tracker.jumped:
            first = min(last + 1, row)
        elif last is not None and row - last > _LEFT_OUT:
            self._change(slice(last + 1, row), None)
        self._change(slice(first, row + 1), errors)
        even = self._time - self._rests
        self._even[first : row + 1], self._rolls[first : row + 1] = even, self.roll
        base, slope = self._line
        lag = even - base - slope * float(errors.reference.times[0])
        if self._followed < _TOLD and self.script.offset is None:
            lag = np.nan
        before = np.nan if last is None else self._lag[last]
        if np.isfinite(before) and not self.tracker.jumped:
            lag = before + (lag - before) * min(1.0, (row - last) / RATE / _SOFT) if last else lag
        self._lag[first : row + 1] = lag
        self._row = row

    def _change(self, rows: slice, errors: Errors | None) -> None:
        """Write one moment into some rows, or that they were left out, and keep the totals."""
        everything = np.ones(len(self.errors))
        self._totals -= _sum_losses(self.record.errors(rows, everything))
        if errors is None:
            self.record.leave_out(rows)
        else:
            self.record.put(rows, errors, self._time)
        self._totals += _sum_losses(self.record.errors(rows, everything))

    def _settle(self) -> None:
        """Tell roll and steady tempo anew from the recent past."""
        if self._row is None:
            return
        rows = np.arange(max(0, self._row - _STEADY), self._row + 1)
        rows = rows[np.isfinite(self._even[rows])]
        if len(rows) < SECOND:
            return
        times, even, motion = self.script.stances.times[rows], self._even[rows], self.script.motion
        if self.script.offset is None:
            self._line = fit_line(times, even, motion[rows])
        few = rows[:: max(1, len(rows) // _FEW)]
        past = self.record.errors(slice(0, self._row + 1), self.limbs)
        self.roll = find_roll(past.turns[few] + self._rolls[few, None], past.weights[few])


def _costs(ours: Stances, rows: slice, pose: Stances, limbs: Floats) -> Floats:
    """Return (W,) the costs of some moments, no limb counting more than it does in ``matching``."""
    weights = ours.weights[rows] * (limbs * pose.weights[0])
    away = 1 - np.einsum("tld,ld->tl", ours.units[rows], pose.units[0])
    total = weights.sum(axis=1)
    return mean_cost(total, total - (weights * np.minimum(away, MOST)).sum(axis=1), limbs)


def _best_near(costs: Floats, place: float) -> float:
    """Return the place of least cost within two moments: by as much as nobody can be blamed for."""
    low = max(0, round(place) - _LOOSE)
    best: int = low + int(costs[low : round(place) + _LOOSE + 1].argmin())
    if 0 < best < len(costs) - 1:
        before, here, after = costs[best - 1 : best + 2].tolist()
        bend = before - 2 * here + after
        if here <= min(before, after) and bend > 1e-9:
            return float(best + 0.5 * (before - after) / bend)
    return float(best)


def _sum_losses(errors: Errors) -> Floats:
    """Return (2, L + J): the weighted sums of squared losses, and those of the weights."""
    losses = weigh(errors)
    return np.stack([(losses.weights * losses.losses**2).sum(axis=0), losses.weights.sum(axis=0)])


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value
