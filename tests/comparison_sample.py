"""A comparison made by hand from two clips of the stage: what is known of it is planted.

The learner performs the dance of the demo 1.3 s late and 4 % slower, smaller in the picture, with
the left forearm 40 degrees off from 2 to 3 s and the right leg 0.2 s late; the recording ends
before the dance does. The errors are those of the true keypoints. The score is a plain stand-in
for the one of ``poise.compare``, good enough to be shown.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from poise.angles import (
    JOINT_NAMES,
    LIMB_NAMES,
    Floats,
    angle_between,
    joint_angles,
    limb_vectors,
)
from poise.clip import Track
from poise.comparison.result import (
    Comparison,
    Fault,
    Part,
    Relation,
    Segment,
    Span,
    Timeline,
)
from poise.synthetic import Choreography, Dancer, Stage, dance

OFFSET, TEMPO = 1.3, 0.96  # seconds, and the attempt's speed by the reference's
FAULT = ("left_forearm", 40.0, 2.0, 3.0)  # limb, degrees, seconds of the reference
LATE = ("right_leg", 0.2)  # limb, seconds


def teacher() -> Choreography:
    """The reference: nine seconds, a beat every half second."""
    return dance()


def learner() -> Choreography:
    """The attempt with everything that is planted."""
    limb, degrees, start, end = FAULT
    faulty = dance().with_fault(limb, degrees=degrees, start=start, end=end).delayed(*LATE)
    return faulty.at_tempo(TEMPO).shifted(OFFSET)


def sample_stages() -> tuple[Stage, Stage]:
    """Return the stages of the reference and of the attempt, to draw pictures from."""
    return Stage(Dancer(teacher())), Stage(
        Dancer(learner(), scale=0.8, position=(0.4, 0.0)), duration=10.4, fps=25.0, seed=3
    )


@lru_cache
def sample_comparison(skeleton: str = "blazepose33") -> Comparison:
    """Return the two clips compared, as ``poise.compare`` would (18 segments, 5 faults)."""
    reference, attempt = (stage.clip(skeleton).tracks()[0] for stage in sample_stages())
    timeline = _timeline(reference, attempt)
    limbs, joints = _limbs(timeline), _joints(reference, attempt, timeline)
    judged = np.isfinite(timeline.scores)
    shape = _score(timeline.errors) or 0.0
    score = shape * (0.8 + 0.2 * 0.88)
    return Comparison(
        score=score,
        verdict="right",
        shape=shape,
        timing=88.0,
        coverage=float(judged.mean()),
        relation=Relation(offset=OFFSET, tempo=TEMPO, scale=0.8, roll=1.5, yaw=12.0),
        limbs=limbs,
        joints=joints,
        segments=_segments(timeline),
        faults=_faults(timeline),
        attempts=(Span(OFFSET, 10.4, score), Span(14.0, 23.4, 61.5)),
        timeline=timeline,
        reference=reference,
        attempt=attempt,
    )


def attempt_time(time: float) -> float:
    """Return the attempt's time of a time of the reference, on the fitted line."""
    return OFFSET + time / TEMPO


def _sampled(track: Track, times: Floats) -> tuple[Floats, Floats]:
    """Return keypoints (P, K, 2) and scores (P, K) at some times; NaN and 0 outside."""
    inside = (times >= track.times[0]) & (times <= track.times[-1])
    right = np.clip(np.searchsorted(track.times, times), 1, len(track) - 1)
    before, after = track.times[right - 1], track.times[right]
    share = np.clip((times - before) / (after - before), 0, 1)[:, None, None]
    points = track.keypoints[right - 1] * (1 - share) + track.keypoints[right] * share
    points[~inside] = np.nan
    return points, np.where(np.isfinite(points).all(axis=2), track.scores[right], 0.0)


def _loss(errors: Floats) -> Floats:
    """0 up to 6 degrees, towards 1 for large errors; NaN stays."""
    lost: Floats = 1 - np.exp(-np.maximum(0, errors - 6) / 40)
    return lost


def _score(errors: Floats) -> float | None:
    lost = _loss(errors[np.isfinite(errors)])
    return float(100 * (1 - np.sqrt((lost**2).mean()))) if lost.size else None


def _timeline(reference: Track, attempt: Track) -> Timeline:
    times = np.asarray(reference.times, np.float64)
    lag = 0.05 * np.sin(times) + 0.04
    mapped = OFFSET + times / TEMPO
    mapped[mapped > attempt.times[-1]] = np.nan
    points, scores = _sampled(attempt, np.nan_to_num(mapped, nan=-1.0))
    ours, sure = limb_vectors(reference.skeleton, reference.keypoints, reference.scores)
    theirs, other = limb_vectors(attempt.skeleton, points, scores)
    errors = angle_between(ours, theirs)
    weights = np.where(np.isfinite(errors), np.minimum(sure, other), 0.0)
    scores_now = [_score(row) for row in errors]
    running = np.array([np.nan if score is None else score for score in scores_now])
    missing = np.isnan(mapped)
    return Timeline(times, mapped, running, errors, weights, np.where(missing, np.nan, lag))


def _mean(values: Floats) -> float | None:
    seen = values[np.isfinite(values)]
    return float(seen.mean()) if len(seen) else None


def _part(name: str, errors: Floats, lag: float = 0.0) -> Part:
    judged = float(np.isfinite(errors).mean())
    return Part(name, _score(errors), _mean(errors), judged, lag)


def _limbs(timeline: Timeline) -> tuple[Part, ...]:
    late = {"right_thigh", "right_shin", "right_foot"}
    return tuple(
        _part(name, timeline.errors[:, column], LATE[1] if name in late else 0.03)
        for column, name in enumerate(LIMB_NAMES)
    )


def _joints(reference: Track, attempt: Track, timeline: Timeline) -> tuple[Part, ...]:
    times: npt.NDArray[np.float64] = np.nan_to_num(timeline.attempt_times, nan=-1.0)
    ours, _ = joint_angles(reference.skeleton, reference.keypoints, reference.scores)
    theirs, _ = joint_angles(attempt.skeleton, *_sampled(attempt, times))
    errors = np.abs(ours - theirs)
    return tuple(_part(name, errors[:, column]) for column, name in enumerate(JOINT_NAMES))


def _segments(timeline: Timeline) -> tuple[Segment, ...]:
    starts = teacher().beat_times
    found = []
    for start, end in zip(starts, [*starts[1:], teacher().duration], strict=True):
        inside = (timeline.times >= start) & (timeline.times < end)
        errors = timeline.errors[inside]
        judged = float(np.isfinite(errors).mean())
        means = np.nan_to_num(errors).mean(axis=0)
        worst = LIMB_NAMES[int(means.argmax())] if judged else None
        lag = _mean(timeline.lag[inside]) or 0.0
        score = _score(errors)
        found.append(Segment(start, end, score, judged, lag, 1.0 + lag / 2, worst))
    return tuple(found)


def _fault(limb: str, kind: str, span: tuple[float, float], **size: object) -> Fault:
    start, end = span
    known = {"degrees": 0.0, "seconds": 0.0, "side": "", "severity": 1.0} | size
    return Fault(limb, kind, start, end, attempt_time(start), attempt_time(end), **known)  # type: ignore[arg-type]


def _faults(timeline: Timeline) -> tuple[Fault, ...]:
    limb, degrees, start, end = FAULT
    inside = (timeline.times >= start) & (timeline.times < end)
    seen = _mean(timeline.errors[inside, LIMB_NAMES.index(limb)]) or degrees
    return (
        _fault("right_thigh", "pose", (0.5, 0.9), degrees=22.0, side="out", severity=6.0,
               text="right thigh 22° too far out"),
        _fault(limb, "pose", (start, end), degrees=seen, side="low", severity=seen,
               text=f"left forearm {seen:.0f}° too low"),
        _fault("right_leg", "late", (4.0, 6.5), seconds=LATE[1], severity=25.0,
               text=f"right leg about {LATE[1]:.1f} s late"),
        _fault("head", "pose", (6.6, 7.0), degrees=19.0, side="left", severity=4.0,
               text="head 19° too far to the left"),
        _fault("body", "missed", (8.7, 9.0), seconds=0.3, severity=12.0,
               text="the last 0.3 s are left out"),
    )  # fmt: skip
