"""What a coach says is wrong: late enough to be sure, and long enough to be read."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from poise.comparison.faults import Scene, find_faults
from poise.comparison.performance import RATE
from poise.comparison.rehearsal import Rehearsal
from poise.comparison.result import Fault
from poise.comparison.timing import Timing
from poise.comparison.words import describe_fault

_LOOK = 0.1  # seconds between two searches
_WRONG = 0.4  # seconds for which something is wrong before it is said
_LATELY = 0.15  # seconds within which a fault still counts as present
_KEEP = 1.0  # seconds for which a correction stays
_WORSE = 1.3  # times as severe another fault must be to take its place


class Corrector:
    """Says one thing at a time.

    Args:
        facing: Of the reference, as ``views.facing`` tells.
        language: Of the sentences.
    """

    def __init__(self, facing: int, language: str) -> None:
        self._facing, self._language = facing, language
        self._looked = self._told = -np.inf
        self._correction: Fault | None = None

    def update(self, rehearsal: Rehearsal, time: float) -> Fault | None:
        """Return what is most wrong now, or None.

        Args:
            rehearsal: What was seen until now.
            time: Seconds of the attempt.
        """
        if time < self._looked + _LOOK:
            return self._correction
        self._looked = time
        if self._correction is not None and time < self._told + _KEEP:
            return self._correction
        faults = self._find(rehearsal)
        worst = max(faults, key=lambda fault: fault.severity, default=None)
        same = next((one for one in faults if _same(one, self._correction)), None)
        if worst is not None and same is not None and worst.severity < _WORSE * same.severity:
            worst = same
        if worst is not None:
            self._told = time
            text = describe_fault(worst, self._language, mirrored=rehearsal.mirrored)
            worst = replace(worst, text=text)
        self._correction = worst
        return worst

    def _find(self, rehearsal: Rehearsal) -> list[Fault]:
        """Return the faults of the recent past that last, and are there still."""
        errors = rehearsal.recent.errors(slice(None), rehearsal.limbs)
        clock = rehearsal.recent.clock
        if not (errors.weights > 0).any():
            return []
        nothing = np.zeros(len(clock))
        timing = Timing(clock, nothing, 0.0, 1.0, (), nothing)
        # On the attempt's clock, which never stands still; the reference's may.
        rows = np.arange(len(clock)) / RATE
        errors = replace(errors, reference=replace(errors.reference, times=rows))  # type: ignore[type-var]
        times = rehearsal.recent.values[:, 0]
        found = []
        for fault in find_faults(Scene(errors, timing, (), self._facing)):
            long = fault.end - fault.start >= _WRONG - 1e-6
            if fault.kind == "pose" and long and fault.end >= rows[-1] - _LATELY:
                start, end = np.interp([fault.start, fault.end], rows, times).tolist()
                found.append(replace(fault, start=start, end=end))
        return found


def _same(one: Fault, other: Fault | None) -> bool:
    return other is not None and (one.limb, one.side) == (other.limb, other.side)
