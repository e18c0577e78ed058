"""What is wrong: spans of time in which a limb points elsewhere, comes late, or is left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from poise.angles import JOINT_NAMES, LIMB_NAMES
from poise.comparison.lateness import Late
from poise.comparison.performance import RATE
from poise.comparison.result import Fault
from poise.comparison.scoring import Errors
from poise.comparison.timing import Gap, Timing

Floats = npt.NDArray[np.float64]

ON, OFF = 15.0, 10.0  # degrees at which a fault begins and ends
SHORTEST = 0.2  # seconds
# Degrees by which short limbs are less exact: their ends are as far off as those of long ones.
_DOUBTS = {"foot": 10.0, "head": 3.0}
_JOIN = 0.25  # seconds; spans nearer than that are one
_SMOOTH = 5  # samples
_STILL = 0.6  # of the length of a gap; how near its middle a posture may be
_GAP_DOUBT = 0.5  # seconds
_OWN = 0.5  # share of the error that must not come from the limb that carries this one
_LAG = 0.2  # seconds by which the whole body may follow or lead
_SHORTEST_LAG = 0.8  # seconds
_MISSED_DEGREES = 90.0  # what a moment that is left out counts in the severity of a fault

# The limbs that may carry a limb along; the one that explains more of its error counts.
_CARRIERS = {
    "head": ("trunk", "shoulders"),
    "shoulders": ("trunk",),
    "upper_arm": ("trunk", "shoulders"),
    "forearm": ("upper_arm",),
    "shin": ("thigh",),
    "foot": ("shin",),
}
_WHOLE = {"upper_arm": ("forearm", "arm"), "thigh": ("shin", "leg")}
_BENDING = {"forearm": "elbow", "shin": "knee"}


def _split(limb: str) -> tuple[str, str]:
    side, _, kind = limb.rpartition("_") if limb.startswith(("left_", "right_")) else ("", "", limb)
    if limb.endswith("upper_arm"):
        side, kind = limb.removesuffix("_upper_arm"), "upper_arm"
    return side, kind


def _named(side: str, kind: str) -> str:
    return f"{side}_{kind}" if side and kind not in {"trunk", "shoulders"} else kind


def _carriers(limb: str) -> list[int]:
    side, kind = _split(limb)
    return [LIMB_NAMES.index(_named(side, name)) for name in _CARRIERS.get(kind, ())]


@dataclass(frozen=True, eq=False)
class Scene:
    """What the search for faults looks at; ``still`` are the seconds at which nobody moves much,
    ``extra`` the degrees by which this view is less exact than a plain one.
    """

    errors: Errors
    timing: Timing
    late: tuple[Late, ...]
    facing: int
    still: tuple[float, ...] = ()
    extra: float = 0.0

    @property
    def times(self) -> Floats:
        """(T,) seconds of the reference."""
        return self.errors.reference.times


def find_faults(scene: Scene) -> tuple[Fault, ...]:
    """Return everything that is wrong, in order of time; the texts are empty yet."""
    faults = [_missed(gap, scene) for gap in scene.timing.gaps]
    faults += [_late(late, scene) for late in scene.late]
    faults += _body_lag(scene)
    for number in range(len(LIMB_NAMES)):
        faults += _limb_faults(number, scene)
    return tuple(sorted(faults, key=lambda fault: (fault.start, fault.limb)))


def _limb_faults(number: int, scene: Scene) -> list[Fault]:
    turns, weights = _corrected(number, scene)
    seen = weights > 0.1
    smooth = _mean(np.where(seen, turns, 0), weights)
    own = _own(number, smooth, scene)
    size = np.where(seen, np.minimum(np.abs(smooth), np.abs(own) / _OWN), 0)
    doubt = scene.extra + _DOUBTS.get(_split(LIMB_NAMES[number])[1], 0.0)
    return [
        _pose_fault(number, span, smooth, scene)
        for span in spans(size, doubt + ON, doubt + OFF, SHORTEST)
        if not _beside_gap(span, scene)
    ]


def _beside_gap(span: slice, scene: Scene) -> bool:
    """Whether a short fault touches a gap: where exactly one begins and ends is not certain."""
    start, end = scene.times[span.start], scene.times[span.stop - 1]
    return end - start < _GAP_DOUBT and any(
        gap.start - 0.15 < end and start < gap.end + 0.15 for gap in scene.timing.gaps
    )


def _corrected(number: int, scene: Scene) -> tuple[Floats, Floats]:
    """Return the limb's turns (T,) and weights; while it is late, as if it were not."""
    turns = scene.errors.turns[:, number].copy()
    for late in scene.late:
        if LIMB_NAMES[number] in late.limbs:
            column = late.limbs.index(LIMB_NAMES[number])
            turns[late.span] = late.turns[:, column]
    return turns, scene.errors.weights[:, number]


def _own(number: int, turns: Floats, scene: Scene) -> Floats:
    """Return how far the limb is off, less what the limb that carries it is off."""
    own = turns
    for carrier in _carriers(LIMB_NAMES[number]):
        carried, weights = _corrected(carrier, scene)
        left = turns - np.where(weights > 0.1, _mean(carried, weights), 0)
        left = (left + 180) % 360 - 180
        own = np.where(np.abs(left) < np.abs(own), left, own)
    return own


def _mean(values: Floats, weights: Floats) -> Floats:
    kernel = np.ones(_SMOOTH)
    if len(values) < _SMOOTH:
        return values
    bottom = np.convolve(weights, kernel, mode="same")
    mean: Floats = np.convolve(values * weights, kernel, mode="same") / np.maximum(bottom, 1e-9)
    return mean


def spans(size: Floats, on: float, off: float, shortest: float) -> list[slice]:
    """Return the runs in which a size rises above ``on`` and stays above ``off``.

    Runs that are nearer than a quarter of a second are one; those shorter than ``shortest``
    seconds are dropped, unless there is but one moment in all.
    """
    above = np.concatenate([[False], size > off, [False]]).astype(int)
    starts, ends = np.flatnonzero(np.diff(above) == 1), np.flatnonzero(np.diff(above) == -1)
    joined: list[list[int]] = []
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        if not (size[start:end] > on).any():
            continue
        if joined and start - joined[-1][1] < _JOIN * RATE:
            joined[-1][1] = end
        else:
            joined.append([start, end])
    least = 1 if len(size) == 1 else round(shortest * RATE)
    return [slice(a, b) for a, b in joined if b - a >= least]


def _pose_fault(number: int, span: slice, turns: Floats, scene: Scene) -> Fault:
    errors = scene.errors
    limb = LIMB_NAMES[number]
    side, kind = _split(limb)
    weights = errors.weights[span, number]
    degrees = float(np.average(np.abs(turns[span]), weights=weights + 1e-9))
    if kind in _WHOLE:
        child, whole = _WHOLE[kind]
        follower = LIMB_NAMES.index(_named(side, child))
        if _follows(follower, span, turns, scene):
            limb = _named(side, whole)
    where = _bent(side, kind, span, degrees, errors) or _side(number, span, scene)
    seconds = (span.stop - span.start) / RATE
    severity = degrees * seconds * float(errors.limbs[number])
    return _fault(limb, "pose", scene.times[span], scene, degrees=degrees, side=where,
                  severity=severity)  # fmt: skip


def _follows(follower: int, span: slice, turns: Floats, scene: Scene) -> bool:
    theirs, weights = _corrected(follower, scene)
    seen = weights[span] > 0.1
    if seen.mean() < 0.3:
        return True
    apart = (theirs[span] - turns[span] + 180) % 360 - 180
    return float(np.median(np.abs(apart[seen]))) < 0.5 * float(np.median(np.abs(turns[span][seen])))


def _bent(side: str, kind: str, span: slice, degrees: float, errors: Errors) -> str:
    """Say ``bent`` or ``straight`` where the joint explains most of the error."""
    joint = _BENDING.get(kind)
    if joint is None or kind == "forearm":
        return ""
    number = JOINT_NAMES.index(_named(side, joint))
    weights = errors.joint_weights[span, number]
    if not weights.any():
        return ""
    bend = float(np.average(errors.bends[span, number], weights=weights))
    return ("straight" if bend > 0 else "bent") if abs(bend) > 0.6 * degrees else ""


def _side(number: int, span: slice, scene: Scene) -> str:
    """Say where the limb's end is instead: low, high, in, out, left or right."""
    errors = scene.errors
    weights = errors.weights[span, number, None]
    ours = (weights * errors.reference.units[span, number]).sum(axis=0)
    theirs = (weights * errors.attempt.units[span, number]).sum(axis=0)
    right, down = (theirs - ours).tolist()
    side, kind = _split(LIMB_NAMES[number])
    if kind in {"shoulders", "hips"}:  # the vector leads to the person's left
        return "left" if down > 0 else "right"
    if kind in {"trunk", "head"} or not scene.facing:
        if kind not in {"trunk", "head"} and abs(down) >= abs(right):
            return "low" if down > 0 else "high"
        return "left" if right * (scene.facing or 1) > 0 else "right"
    if abs(down) >= abs(right):
        return "low" if down > 0 else "high"
    outwards = right * scene.facing * (1 if side == "left" else -1)
    return "out" if outwards > 0 else "in"


def _fault(limb: str, kind: str, times: Floats, scene: Scene, **fields: object) -> Fault:
    start, end = float(times[0]), float(times[-1] + (1 / RATE if len(scene.times) > 1 else 0))
    rows = (scene.times >= start - 1e-9) & (scene.times < end)
    theirs = scene.timing.attempt_times[rows]
    theirs = theirs[np.isfinite(theirs)]
    first, last = (float(theirs[0]), float(theirs[-1])) if len(theirs) else (np.nan, np.nan)
    values: dict[str, object] = {"degrees": 0.0, "seconds": 0.0, "side": "", **fields}
    values |= {"limb": limb, "kind": kind, "start": start, "end": end}
    values = {"attempt_start": first, "attempt_end": last} | values
    return Fault(**values)  # type: ignore[arg-type]


def _missed(gap: Gap, scene: Scene) -> Fault:
    start, end = gap.start, gap.end
    if gap.missed:
        start, end = _whole_move(gap, scene)
    severity = _MISSED_DEGREES * gap.seconds * (3 if gap.missed else 1)
    return Fault("body", "missed" if gap.missed else "extra", start, end, gap.attempt_start,
                 gap.attempt_end, 0.0, gap.seconds, "", severity)  # fmt: skip


def _whole_move(gap: Gap, scene: Scene) -> tuple[float, float]:
    """Return the move that a gap leaves out, from posture to posture.

    Who leaves a posture out goes from the one before straight to the one after, and the gap lies
    around it: it takes half of the move to it and half of the move from it. The move is the one
    that leads to the posture, which is the still moment nearest to the middle of the gap.
    """
    middle = (gap.start + gap.end) / 2
    still = [moment for moment in scene.still if abs(moment - middle) < _STILL * gap.seconds]
    if not still:
        return gap.start, gap.end
    end = min(still, key=lambda moment: abs(moment - middle))
    return max(float(scene.times[0]), end - gap.seconds), end


def _late(late: Late, scene: Scene) -> Fault:
    columns = [LIMB_NAMES.index(limb) for limb in late.limbs]
    raw = np.abs(scene.errors.turns[late.span][:, columns]).mean()
    times = scene.times[late.span]
    seconds = abs(late.seconds)
    severity = float(raw) * len(times) / RATE * float(scene.errors.limbs[columns].sum())
    kind = "late" if late.seconds > 0 else "early"
    return _fault(late.name, kind, times, scene, seconds=seconds, severity=severity)


def _body_lag(scene: Scene) -> list[Fault]:
    """Return the stretches in which the whole body follows or leads."""
    faults = []
    lag = np.nan_to_num(scene.timing.lag)
    moving = scene.timing.motion > 0.2 * max(float(scene.timing.motion.mean()), 1e-9)
    for kind, sign in (("late", 1), ("early", -1)):
        for span in spans(sign * lag, _LAG, _LAG / 2, _SHORTEST_LAG):
            if moving[span].mean() < 0.3:
                continue
            seconds = float(np.abs(lag[span]).mean())
            severity = 100 * seconds * (span.stop - span.start) / RATE
            faults.append(
                _fault("body", kind, scene.times[span], scene, seconds=seconds, severity=severity)
            )
    return faults
