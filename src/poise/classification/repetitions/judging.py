"""One cycle of an exercise, made into a repetition: its times, its range, its faults."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from poise.classification.repetitions.cycles import Cycle
from poise.classification.repetitions.result import Repetition, RepetitionFault
from poise.classification.repetitions.signals import mean_known
from poise.classification.repetitions.table import JOINT, VIEW, Exercise, Fault, Gate, sided

Floats = npt.NDArray[np.float64]

_BREADTH = 0.1  # body heights between the shoulders; below, a person is seen from the side
_SIDES = ("left", "right")


class Judge:
    """Judges the cycles of one exercise.

    Args:
        exercise: The row of the table.
        names: What the columns of a cycle's rows are.
    """

    def __init__(self, exercise: Exercise, names: Sequence[str]) -> None:
        self._exercise = exercise
        self._columns = {name: number for number, name in enumerate(names)}

    def judge(self, cycle: Cycle, side: str) -> Repetition | None:
        """Return the repetition, or None where it is another movement.

        Args:
            cycle: Out and back.
            side: ``left`` or ``right`` where one arm moved, else ``both``.
        """
        row = self._exercise
        start, held, until, end = cycle.marks()
        case = _Case(self, cycle, side, (start, held, until, end))
        if not all(case.passes(gate) for gate in row.gates):
            return None
        top = start + int(np.argmax(cycle.values[start : end + 1]))
        lead = case.held(row.lead) if row.lead else math.nan
        times = cycle.times
        low, high = case.angles()
        return Repetition(
            start=float(times[start]),
            middle=float(times[top]),
            end=float(times[end]),
            out=float(times[held] - times[start]),
            hold=float(times[until] - times[held]),
            back=float(times[end] - times[until]),
            low=low,
            high=high,
            reach=cycle.range,
            symmetry=case.symmetry(),
            side=side if math.isnan(lead) else _SIDES[int(lead < 0)],
            faults=case.faults(low, high),
        )

    def column(self, cycle: Cycle, name: str) -> Floats:
        """Return one measure of a cycle."""
        return cycle.rows[:, self._columns[name]]

    @property
    def exercise(self) -> Exercise:
        """The row of the table."""
        return self._exercise


class _Case:
    """One cycle and the questions that are asked of it."""

    def __init__(
        self, judge: Judge, cycle: Cycle, side: str, marks: tuple[int, int, int, int]
    ) -> None:
        self._judge, self._cycle, self._side = judge, cycle, side
        self._start, self._held, self._until, self._end = marks
        breadth = self._spread(VIEW)
        self._view = "side" if breadth and np.median(breadth) < _BREADTH else "front"

    def _of_side(self, series: str) -> tuple[str, ...]:
        if self._side in _SIDES and "{side}" in series:
            return (series.format(side=self._side),)
        return sided(series)

    def _spread(self, name: str, *, whole: bool = False) -> list[float]:
        """Return what is known of a measure within the repetition, or with the rest before it."""
        first = 0 if whole else self._start
        values = self._judge.column(self._cycle, name)[first : self._end + 1]
        return [value for value in values.tolist() if not math.isnan(value)]

    def _near(self, name: str, first: int, last: int) -> float:
        values = self._judge.column(self._cycle, name)[first : last + 1]
        known = values[np.isfinite(values)]
        return float(np.median(known)) if len(known) else math.nan

    def held(self, series: str) -> float:
        """Return a measure where the movement is farthest out; of both sides the mean."""
        return mean_known([self._near(n, self._held, self._until) for n in self._of_side(series)])

    def _rest(self, series: str) -> float:
        names = self._of_side(series)
        ends = [self._near(n, i, i + 1) for n in names for i in (self._start, self._end)]
        return mean_known(ends)

    def _sees(self, view: str) -> bool:
        return view in ("any", self._view)

    def passes(self, gate: Gate) -> bool:
        """Whether a condition holds; what was not seen cannot refuse."""
        if not self._sees(gate.view):
            return True
        value = self.held(gate.series)
        value -= self._rest(gate.series) if gate.change else 0.0
        value = abs(value) if gate.size else value
        return math.isnan(value) or gate.least <= value <= gate.most

    def angles(self) -> tuple[float, float]:
        """Return the least and the greatest angle of the driving joint."""
        row = self._judge.exercise
        if row.legs and self._view == "front":
            return self._knees_from_front()
        # The rest before it counts too: where the movement is seen to begin, a knee is bent.
        spreads = [self._spread(name, whole=True) for name in self._of_side(row.joint)]
        spreads = [spread for spread in spreads if spread]
        if not spreads:
            return math.nan, math.nan
        ends = np.array([np.quantile(spread, (0.05, 0.95)) for spread in spreads])
        low = ends[:, 0].min() if row.lead else ends[:, 0].mean()
        return float(low), float(ends[:, 1].mean())

    def _knees_from_front(self) -> tuple[float, float]:
        """The angle of a leg of two equal parts, from the distance between hip and ankle.

        The leg is as long as it is at rest, and the distance is the height: d = 2 l sin(angle/2).
        """
        straight, bent = -self._cycle.base, -self._cycle.peak
        share = min(max(bent / straight, 0.0), 1.0) if straight > 0 else math.nan
        return math.degrees(2 * math.asin(share)), 180.0

    def symmetry(self) -> float:
        """Return the smaller of both sides' ranges of the driving measure by the larger."""
        row = self._judge.exercise
        if self._side in _SIDES or row.lead:
            return math.nan
        moves = []
        for name in sided(row.drive):
            ends = [self._near(name, i, i + 1) for i in (self._start, self._end)]
            moves.append(abs(self._near(name, self._held, self._until) - mean_known(ends)))
        return min(moves) / max(moves) if max(moves) > 0 else math.nan

    def faults(self, low: float, high: float) -> tuple[RepetitionFault, ...]:
        """Return what is wrong, in the order of the table."""
        found = []
        for fault in self._judge.exercise.faults:
            if not self._sees(fault.view):
                continue
            value = self._value(fault, low, high)
            if value > fault.above or value < fault.below:
                limit = fault.above if value > fault.above else fault.below
                text = fault.text.format(value=f"{value:.0f}", limit=f"{limit:.0f}")
                found.append(RepetitionFault(fault.name, text, value, limit))
        return tuple(found)

    def _value(self, fault: Fault, low: float, high: float) -> float:
        if fault.series == (JOINT,):
            return low if fault.when == "least" else high
        weights = fault.weights or (1.0,) * len(fault.series)
        if fault.when == "held":
            return sum(w * self.held(s) for w, s in zip(weights, fault.series, strict=True))
        spread = self._spread(fault.series[0])
        quantile = 0.05 if fault.when == "least" else 0.95
        return float(np.quantile(spread, quantile)) if spread else math.nan
