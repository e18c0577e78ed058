"""Conditions in three-valued logic (Kleene's strong one): true, false, or not to be known.

An ``all`` with one false part is false whatever else is unknown; an ``any`` with one true part is
true. S. C. Kleene, "Introduction to Metamathematics" (1952), section 64.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from poise.classification.events import Flags, Floats
from poise.classification.measures import Measures
from poise.classification.rules.conditions import Compare, Condition, Not
from poise.classification.rules.ruleset import DEGREES, HEIGHTS, Hysteresis

# How far beyond a bound a comparison is as sure as it gets, by the unit of the measure.
_DEGREES, _HEIGHTS, _RATIO = 20.0, 0.08, 0.5
_SPEED = 4.0  # speeds per second spread that much wider


@dataclass(frozen=True, eq=False)
class Truth:
    """(T,) whether something is surely so, whether it surely is not, and how clearly, 0..1.

    A degree of 0.5 lies on the bound; it is NaN where nothing is known.
    """

    yes: Flags
    no: Flags
    degree: Floats

    def __invert__(self) -> Truth:
        return Truth(self.no, self.yes, 1 - self.degree)


class Evaluation:
    """The conditions of one person, each worked out once.

    Args:
        measures: What is measured.
        slack: Every comparison is this much easier to satisfy, or harder beneath a ``none``.
    """

    def __init__(self, measures: Measures, slack: Hysteresis | None = None) -> None:
        self._measures, self._slack = measures, slack or Hysteresis()
        self._known: dict[tuple[int, int], Truth] = {}

    def of(self, condition: Condition, ease: int = 1) -> Truth:
        """Return how a condition stands in every frame."""
        key = id(condition), ease
        if key not in self._known:
            self._known[key] = self._work_out(condition, ease)
        return self._known[key]

    def _work_out(self, condition: Condition, ease: int) -> Truth:
        if isinstance(condition, Compare):
            return self._compare(condition, ease)
        if isinstance(condition, Not):
            return ~self.of(condition.one, -ease)
        parts = [self.of(part, ease) for part in condition.parts]
        yes, no = [part.yes for part in parts], [part.no for part in parts]
        degrees = [part.degree for part in parts]
        if condition.any:
            return Truth(_any(yes), _all(no), np.fmax.reduce(degrees))
        return Truth(_all(yes), _any(no), np.fmin.reduce(degrees))

    def _compare(self, asked: Compare, ease: int) -> Truth:
        kind = asked.measure[0]
        value = self._measures.measure(asked.measure)
        low = asked.low - ease * self._slack.margin(kind, asked.low)
        high = asked.high + ease * self._slack.margin(kind, asked.high)
        above = value >= low if asked.closed[0] else value > low
        below = value <= high if asked.closed[1] else value < high
        yes, known = above & below, np.isfinite(value)
        beyond = np.minimum(value - asked.low, asked.high - value) / _width(asked.measure)
        return Truth(yes, known & ~yes, 0.5 + 0.5 * np.clip(beyond, -1, 1))


def _any(flags: list[Flags]) -> Flags:
    some: Flags = np.logical_or.reduce(flags)
    return some


def _all(flags: list[Flags]) -> Flags:
    every: Flags = np.logical_and.reduce(flags)
    return every


def _width(measure: tuple[str, ...]) -> float:
    kind = measure[1] if measure[0] == "speed" else measure[0]
    width = _DEGREES if kind in DEGREES else _HEIGHTS if kind in HEIGHTS else _RATIO
    return width * _SPEED if measure[0] == "speed" else width
