"""What a counted exercise is: its repetitions, their times, ranges and faults."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from poise.classification.events import Event

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class RepetitionFault:
    """One fault of one repetition.

    Attributes:
        name: Such as ``not deep enough``.
        text: One sentence with the degrees.
        value, limit: Degrees: what was measured, and what it is held against.
    """

    name: str
    text: str
    value: float
    limit: float


@dataclass(frozen=True)
class Repetition:
    """One repetition.

    Attributes:
        start, middle, end: Seconds: it leaves the rest, is farthest out, is back.
        out, hold, back: Seconds of the way out, of the time within a tenth of the farthest
            place, and of the way back.
        low, high: Degrees: the least and the greatest angle of the driving joint; NaN where it
            was not seen.
        reach: How far the driving measure went, in body heights (``any``: of the whole movement).
        symmetry: 0..1, the smaller range of the two sides by the larger; NaN where unknown.
        side: ``left``, ``right`` or ``both``: which side moved or led.
        faults: What was wrong.
    """

    start: float
    middle: float
    end: float
    out: float
    hold: float
    back: float
    low: float
    high: float
    reach: float
    symmetry: float
    side: str
    faults: tuple[RepetitionFault, ...] = ()

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.end - self.start

    def to_dict(self) -> dict[str, Any]:
        """Return it ready for JSON, what is unknown as None."""
        numbers = ("start", "middle", "end", "out", "hold", "back", "low", "high", "reach")
        return {
            **{name: _rounded(getattr(self, name), 3) for name in numbers},
            "seconds": _rounded(self.seconds, 3),
            "symmetry": _rounded(self.symmetry, 3),
            "side": self.side,
            "faults": [
                {"name": f.name, "text": f.text, "value": round(f.value, 1), "limit": f.limit}
                for f in self.faults
            ],
        }


@dataclass(frozen=True, eq=False)
class Repetitions:
    """The repetitions of one person and one exercise.

    Attributes:
        person: Identity in the clip.
        exercise: Name of the exercise, or ``any``.
        repetitions: In order of time.
        times: (T,) seconds of the frames.
        phase: (T,) 0 at rest, 0.5 where it is farthest out, towards 1 on the way back; NaN where
            unknown.
        confidence: 0..1: the mean likeness of the repetitions (``any``), or the share of the
            frames in which the driving keypoints were seen.
        unfinished: Whether one more had begun when the track ended.
        joint: What ``low`` and ``high`` are the angles of, such as ``knee``; empty for none.
    """

    person: int
    exercise: str
    repetitions: tuple[Repetition, ...]
    times: Floats = field(repr=False)
    phase: Floats = field(repr=False)
    confidence: float
    unfinished: bool = False
    joint: str = ""

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.repetitions)

    def __len__(self) -> int:
        return self.count

    @property
    def tempo(self) -> float:
        """Median seconds from the middle of one repetition to that of the next; of a single one
        its own length; NaN for none."""
        middles = [one.middle for one in self.repetitions]
        if len(middles) > 1:
            return float(np.median(np.diff(middles)))
        return self.repetitions[0].seconds if middles else math.nan

    @property
    def per_minute(self) -> float:
        """Repetitions a minute at this tempo; NaN for none."""
        return 60 / self.tempo if self.tempo > 0 else math.nan

    @property
    def symmetry(self) -> float:
        """0..1. Sides that move in turn are held against each other, sides that move at once
        within each repetition; NaN where it is unknown."""
        reaches = {
            side: [one.reach for one in self.repetitions if one.side == side]
            for side in ("left", "right")
        }
        if all(reaches.values()):
            means = [float(np.mean(reach)) for reach in reaches.values()]
            return min(means) / max(means)
        known = [one.symmetry for one in self.repetitions if not math.isnan(one.symmetry)]
        return float(np.mean(known)) if known else math.nan

    def events(self) -> tuple[Event, ...]:
        """Return every repetition as an event of the kind ``repetition``."""
        return tuple(
            Event(self.person, self.exercise, "repetition", one.start, one.end, self.confidence)
            for one in self.repetitions
        )

    def to_dict(self) -> dict[str, Any]:
        """Return it ready for JSON, what is unknown as None."""
        return {
            "person": self.person,
            "exercise": self.exercise,
            "count": self.count,
            "unfinished": self.unfinished,
            "confidence": _rounded(self.confidence, 3),
            "tempo": _rounded(self.tempo, 3),
            "per_minute": _rounded(self.per_minute, 1),
            "symmetry": _rounded(self.symmetry, 3),
            "joint": self.joint or None,
            "repetitions": [one.to_dict() for one in self.repetitions],
        }


def _rounded(value: float, digits: int) -> float | None:
    return None if math.isnan(value) else round(value, digits)
