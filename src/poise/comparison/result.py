"""What a comparison found: values only, no files."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from poise.clip import Track

Verdict = Literal["right", "nearly", "wrong", "cannot say"]
FaultKind = Literal["pose", "late", "early", "missed", "extra"]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Relation:
    """What lies between the two performances and was taken away before they were judged.

    Attributes:
        mirrored: The attempt is a mirror image: left for right.
        offset: Seconds; the attempt's time at which it does the reference's first moment, less
            that moment's own time. Positive where the attempt is later in its recording.
        tempo: Speed of the attempt by the reference's; 1.1 is 10 % faster.
        scale: Size of the attempt's body by that of the reference's, both in pixels.
        roll: Degrees by which the attempt's camera is turned, positive where its picture is
            turned clockwise.
        yaw: Degrees by which the attempt's camera stands to the person's left of where the
            reference's stands, -180..180; None where neither 3D nor a view from behind told it.
        sync: What the alignment began from: ``motion``, ``audio`` or ``none``.
    """

    mirrored: bool = False
    offset: float = 0.0
    tempo: float = 1.0
    scale: float = 1.0
    roll: float = 0.0
    yaw: float | None = None
    sync: Literal["motion", "audio", "none"] = "motion"


@dataclass(frozen=True)
class Part:
    """The judgement of one limb or one joint.

    Attributes:
        name: A name of ``poise.angles.LIMB_NAMES`` or ``JOINT_NAMES``.
        score: 0..100, or None where it was never seen.
        degrees: Mean error in degrees, or None.
        judged: Share 0..1 of the reference's time in which both showed it.
        lag: Seconds by which it follows the reference, negative where it leads.
    """

    name: str
    score: float | None
    degrees: float | None
    judged: float
    lag: float = 0.0


@dataclass(frozen=True)
class Segment:
    """The judgement of one beat, or one stretch of time, of the reference.

    Attributes:
        start, end: Seconds of the reference.
        score: 0..100, or None where too little could be judged.
        judged: Share 0..1 of the limbs and time that could be judged.
        lag: Mean seconds by which the attempt follows the reference, offset and tempo removed.
        tempo: Speed of the attempt in it by that of the reference.
        worst: The limb with the largest error, or None.
    """

    start: float
    end: float
    score: float | None
    judged: float
    lag: float
    tempo: float
    worst: str | None = None


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong, where and when.

    Attributes:
        limb: ``left_forearm``, ``left_arm`` (the whole arm), ``trunk``, ...; ``body`` for everyone.
        kind: ``pose`` (held wrong), ``late`` or ``early`` (right, at another time), ``missed``
            (a piece of the reference that the attempt leaves out) or ``extra`` (a pause, or a
            piece that the reference does not have).
        start, end: Seconds of the reference.
        attempt_start, attempt_end: Seconds of the attempt's recording.
        degrees: Mean size of the error; 0 where it is none of direction.
        seconds: For ``late``, ``early``, ``missed`` and ``extra``: by how much.
        side: Where the limb is instead: ``low``, ``high``, ``in``, ``out``, ``left``, ``right``,
            ``bent``, ``straight``, or "".
        severity: Degrees x seconds x importance of the limb; the list is sorted by time, the
            worst are found by this.
        text: A sentence in the language that was asked for.
    """

    limb: str
    kind: FaultKind
    start: float
    end: float
    attempt_start: float
    attempt_end: float
    degrees: float
    seconds: float
    side: str
    severity: float
    text: str = ""


@dataclass(frozen=True)
class Span:
    """One performance of the reference inside a longer attempt: seconds of the attempt, score."""

    start: float
    end: float
    score: float


@dataclass(frozen=True, eq=False)
class Timeline:
    """Moment by moment, on the reference's clock; P moments, L limbs in the order of LIMB_NAMES.

    Attributes:
        times: (P,) seconds of the reference.
        attempt_times: (P,) seconds of the attempt's recording that they are compared with; NaN
            where the attempt leaves the moment out or was not recorded.
        scores: (P,) 0..100; NaN where not judged.
        errors: (P, L) degrees 0..180 in the direction of each limb; NaN where not judged.
        weights: (P, L) how much each counts, 0..1.
        lag: (P,) seconds by which the attempt follows, offset and tempo removed; NaN likewise.
    """

    times: Floats
    attempt_times: Floats
    scores: Floats
    errors: Floats
    weights: Floats
    lag: Floats


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two performances compared.

    Attributes:
        score: 0..100; ``docs/compare.md`` has the formula.
        verdict: ``right``, ``nearly``, ``wrong``, or ``cannot say`` where coverage is too low.
        shape, timing: The two parts of the score, 0..100.
        coverage: Share 0..1 of the reference's limbs and time that could be judged.
        relation: What was taken away first.
        limbs, joints: Each with its score.
        segments: Each beat with its score.
        faults: What is wrong, in order of time.
        attempts: Every performance of the reference that the attempt's recording holds, in order
            of time; the best one is judged.
        timeline: Moment by moment.
        reference, attempt: The two tracks as they came.
    """

    score: float
    verdict: Verdict
    shape: float
    timing: float
    coverage: float
    relation: Relation
    limbs: tuple[Part, ...]
    joints: tuple[Part, ...]
    segments: tuple[Segment, ...]
    faults: tuple[Fault, ...]
    attempts: tuple[Span, ...]
    timeline: Timeline = field(repr=False)
    reference: Track = field(repr=False)
    attempt: Track = field(repr=False)

    def worst(self, count: int = 3) -> tuple[Fault, ...]:
        """Return the most severe faults, worst first."""
        return tuple(sorted(self.faults, key=lambda fault: -fault.severity)[:count])

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the arrays, ready for JSON."""
        plain = ("score", "verdict", "shape", "timing", "coverage")
        document: dict[str, Any] = {"schema_version": 1}
        document |= {name: _rounded(getattr(self, name)) for name in plain}
        document["relation"] = _rounded(dataclasses.asdict(self.relation))
        for name in ("limbs", "joints", "segments", "faults", "attempts"):
            document[name] = [_rounded(dataclasses.asdict(one)) for one in getattr(self, name)]
        return document

    def save_report(self, folder: str | Path, *, overwrite: bool = False) -> None:
        """Write ``report.html``, ``comparison.json`` and ``timeline.csv`` into a folder.

        Raises:
            OutputError: A file exists and may not be replaced, or cannot be written.
        """
        from poise.comparison.report import save_report

        save_report(self, Path(folder), overwrite=overwrite)


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    return round(float(value), 4) if isinstance(value, float | np.floating) else value
