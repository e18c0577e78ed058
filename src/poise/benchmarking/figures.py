"""What came out of a measurement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from poise.benchmarking.matrix import Configuration


@dataclass(frozen=True)
class Burst:
    """What one process did in a fraction of a second.

    Attributes:
        seconds: Of each call.
        frames: Frames that a call was given.
        network: Seconds in which the network ran; None where nobody can tell.
        people: Found in all, over all calls.
    """

    seconds: tuple[float, ...]
    frames: int
    network: float | None
    people: int

    @property
    def milliseconds(self) -> list[float]:
        """A frame, one number for each call."""
        return [second / self.frames * 1e3 for second in self.seconds]


@dataclass(frozen=True)
class Spread:
    """The middle of some numbers, and where they lie."""

    median: float
    lower: float
    upper: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Return median, quartiles and ends of at least one number."""
        lower, median, upper = (float(q) for q in np.quantile(values, [0.25, 0.5, 0.75]))
        return cls(median, lower, upper, float(min(values)), float(max(values)))


@dataclass(frozen=True)
class Speed:
    """What one process reached.

    Attributes:
        milliseconds: A frame.
        calls: How many calls that is of.
        network: The network's share of the time, 0..1, or None.
        people: A frame.
        peak: Bytes of memory at the most, with Python and the pictures; None if nobody counts.
        load_seconds: How long it took to load.
        precision: The number format that it really computed in; empty where it does not say.
    """

    milliseconds: Spread
    calls: int
    network: float | None
    people: float
    peak: int | None
    load_seconds: float
    precision: str

    @property
    def fps(self) -> float:
        """Frames per second, by the median."""
        return 1e3 / self.milliseconds.median


@dataclass(frozen=True)
class Versus:
    """A rival on the same pictures, in turns with the configuration of its row.

    Attributes:
        name: Of the rival.
        speed: What it reached, or None where it could not run.
        times: How many times as fast Poise was, by pairs of bursts.
        problem: Why it could not run.
    """

    name: str
    speed: Speed | None = None
    times: Spread | None = None
    problem: str = ""


@dataclass(frozen=True)
class Row:
    """One configuration: what it reached, or why it could not run."""

    configuration: Configuration
    speed: Speed | None = None
    problem: str = ""
    versus: Versus | None = None


def sum_up(bursts: Sequence[Burst], ready: dict[str, Any], peak: int | None) -> Speed:
    """Return what a process reached over all its bursts."""
    seconds = sum(sum(burst.seconds) for burst in bursts)
    frames = sum(len(burst.seconds) * burst.frames for burst in bursts)
    known = [burst.network for burst in bursts if burst.network is not None]
    return Speed(
        milliseconds=Spread.of([ms for burst in bursts for ms in burst.milliseconds]),
        calls=sum(len(burst.seconds) for burst in bursts),
        network=sum(known) / seconds if len(known) == len(bursts) else None,
        people=sum(burst.people for burst in bursts) / frames,
        peak=peak,
        load_seconds=float(ready["load_seconds"]),
        precision=str(ready["precision"]),
    )


def compare(ours: Sequence[Burst], theirs: Sequence[Burst]) -> Spread:
    """Return how many times as long the others took, burst by burst."""
    middles = [[np.median(burst.milliseconds) for burst in side] for side in (theirs, ours)]
    return Spread.of([float(a / b) for a, b in zip(*middles, strict=True)])


def to_json(row: Row) -> dict[str, Any]:
    """Return a row, ready for JSON; what is not known is null."""
    found: dict[str, Any] = {**row.configuration.to_json(), **_speed(row.speed)}
    found["problem"] = row.problem or None
    if row.versus is not None:
        times = None if row.versus.times is None else asdict(row.versus.times)
        found["against"] = {
            "name": row.versus.name,
            **_speed(row.versus.speed),
            "times_as_fast": times,
            "problem": row.versus.problem or None,
        }
    return found


def _speed(speed: Speed | None) -> dict[str, Any]:
    if speed is None:
        return {"ms_per_frame": None}
    return {
        "ms_per_frame": asdict(speed.milliseconds),
        "frames_per_second": speed.fps,
        "calls": speed.calls,
        "network_share": speed.network,
        "people_per_frame": speed.people,
        "peak_memory_bytes": speed.peak,
        "load_seconds": speed.load_seconds,
        "computed_precision": speed.precision,
    }
