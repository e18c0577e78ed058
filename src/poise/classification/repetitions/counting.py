"""Repetitions of a named exercise, counted frame after frame."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from poise.classification.repetitions.cycles import Cycle, CycleFinder
from poise.classification.repetitions.judging import Judge
from poise.classification.repetitions.result import Repetition
from poise.classification.repetitions.signals import Scale, length_columns, mean_known
from poise.classification.repetitions.table import Exercise, needed_series, sided

Floats = npt.NDArray[np.float64]

_TOGETHER = 0.25  # of a repetition: arms whose middles are nearer move as one
_SHARED = 0.7  # of their time: arms that move so long together move as one


class ExerciseCounter:
    """Counts one exercise of one person from measures that come frame by frame.

    Attributes:
        names: The measures that a row holds.
    """

    def __init__(self, exercise: Exercise) -> None:
        self.names = needed_series(exercise)
        self._exercise = exercise
        self._judge = Judge(exercise, self.names)
        self._scale = Scale()
        self._lengths = length_columns(self.names)
        self._drives = [self.names.index(name) for name in sided(exercise.drive)]
        sides = ("left", "right") if exercise.sides == "each" else ("both",)
        self._finders = {side: CycleFinder(exercise.least) for side in sides}

    @property
    def phase(self) -> float:
        """How far the repetition under way is, 0..1; of two arms, that of the one farther out."""
        phases = [finder.phase for finder in self._finders.values()]
        known = [phase for phase in phases if not math.isnan(phase)]
        return max(known, key=lambda phase: 0.5 - abs(phase - 0.5), default=math.nan)

    @property
    def under_way(self) -> bool:
        """Whether a repetition has begun and is not back yet."""
        return any(finder.under_way for finder in self._finders.values())

    def push(self, time: float, row: Floats, raw_unit: float) -> list[Repetition]:
        """Take the measures of one frame (lengths in pixels); return what is complete by it.

        Arms that move as one come one after the other: ``merge`` joins them.
        """
        unit = self._scale.update(time, raw_unit)
        if math.isnan(unit):
            return []
        scaled = np.where(self._lengths, row / unit, row)
        left, right = ([self._drive(float(scaled[column])) for column in self._drives] * 2)[:2]
        drives = {"left": left, "right": right, "both": self._together(left, right)}
        found = [
            self._judged(finder.push(time, drives[side], scaled), side)
            for side, finder in self._finders.items()
        ]
        return [one for one in found if one is not None]

    def finish(self) -> list[Repetition]:
        """Nothing more comes: return what was as good as complete."""
        found = [self._judged(finder.finish(), side) for side, finder in self._finders.items()]
        return [one for one in found if one is not None]

    def _drive(self, value: float) -> float:
        value *= self._exercise.sign
        return self._exercise.floor if value < self._exercise.floor else value  # NaN stays

    def _together(self, left: float, right: float) -> float:
        if self._exercise.sides == "lower" and not math.isnan(left + right):
            return min(left, right)
        return mean_known([left, right])

    def _judged(self, cycle: Cycle | None, side: str) -> Repetition | None:
        return None if cycle is None else self._judge.judge(cycle, side)


def merge(done: list[Repetition], new: Repetition) -> None:
    """Add a repetition to a list; one of the other arm at the same time makes one of both."""
    for place in range(len(done) - 1, max(len(done) - 3, -1), -1):
        old = done[place]
        if {old.side, new.side} == {"left", "right"} and _move_together(old, new):
            done[place] = _joined(old, new)
            return
    done.append(new)


def _move_together(old: Repetition, new: Repetition) -> bool:
    near = _TOGETHER * max(old.seconds, new.seconds)
    shared = min(old.end, new.end) - max(old.start, new.start)
    whole = max(old.end, new.end) - min(old.start, new.start)
    return abs(old.middle - new.middle) <= near or shared >= _SHARED * whole


def _joined(old: Repetition, new: Repetition) -> Repetition:
    names = {fault.name for fault in old.faults}
    return replace(
        old,
        start=min(old.start, new.start),
        middle=(old.middle + new.middle) / 2,
        end=max(old.end, new.end),
        low=mean_known([old.low, new.low]),
        high=mean_known([old.high, new.high]),
        reach=(old.reach + new.reach) / 2,
        symmetry=min(old.reach, new.reach) / max(old.reach, new.reach),
        side="both",
        faults=(*old.faults, *(fault for fault in new.faults if fault.name not in names)),
    )
