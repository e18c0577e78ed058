"""What happened, to whom, from when to when."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

UNKNOWN = "unknown"


@dataclass(frozen=True)
class Event:
    """One label that held for a while.

    Attributes:
        person: Identity in the clip.
        label: Such as ``sitting`` or ``hello``.
        kind: What it is a label of: ``posture``, ``gesture``, ``action``, ``fall``, ``repetition``
            or a kind of the user's own. Labels of one kind exclude each other.
        start, end: Seconds; the end is the time of the last frame it held.
        confidence: 0..1.
    """

    person: int
    label: str
    kind: str
    start: float
    end: float
    confidence: float

    def to_dict(self) -> dict[str, Any]:
        """Return it ready for JSON, seconds and confidence rounded."""
        values = dataclasses.asdict(self)
        return {k: round(v, 3) if isinstance(v, float) else v for k, v in values.items()}


@dataclass(frozen=True, eq=False)
class Labelling:
    """One label for each frame of one person, of one kind.

    Attributes:
        person: Identity in the clip.
        kind: As for ``Event``.
        times: (T,) seconds.
        labels: (T,) numbers of ``names``; -1 where nothing can be said (``unknown``).
        names: The labels, one of which may be "" for none of them.
        confidences: (T,) 0..1.
    """

    person: int
    kind: str
    times: Floats
    labels: npt.NDArray[np.int64]
    names: tuple[str, ...]
    confidences: Floats

    def events(self, shortest: float = 0.0) -> tuple[Event, ...]:
        """Return the runs of one label that last at least so many seconds, in order of time.

        Frames without a label ("" or unknown) give no event.
        """
        if not len(self.times):
            return ()
        cuts = np.flatnonzero(np.diff(self.labels)) + 1
        found = []
        for run in np.split(np.arange(len(self.labels)), cuts):
            number = int(self.labels[run[0]])
            if number < 0 or not self.names[number]:
                continue
            start, end = float(self.times[run[0]]), float(self.times[run[-1]])
            if end - start >= shortest - 1e-9:
                sure = float(self.confidences[run].mean())
                found.append(Event(self.person, self.names[number], self.kind, start, end, sure))
        return tuple(found)
