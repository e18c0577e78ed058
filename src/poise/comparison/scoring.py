"""From aligned movements to errors, and from errors to a score of 0 to 100.

The error of a limb is the angle between its directions, that of a joint the difference of its
angles, in degrees. An error of e degrees loses::

    loss(e) = 1 - exp(-max(0, e - TOLERANCE) / SCALE)

A moment that the attempt leaves out loses 1. The shape is the root mean square of the losses over
limbs, joints and time, each weighted by how well it was seen and how much it moves, so that one
limb that is far off weighs more than many that are slightly off::

    shape  = 100 (1 - sqrt(sum w loss^2 / sum w))
    timing = 100 (1 - sqrt(sum m (1 - exp(-max(0, |lag| - LATE) / LAG_SCALE))^2 / sum m))
    score  = shape (0.8 + 0.2 timing / 100)

where m is the motion of the reference; a pause counts as a lag of its own length, for as long as it
lasts. Nothing that could not be seen is in any of the sums.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from poise.angles import JOINT_NAMES, LIMB_NAMES
from poise.comparison.performance import RATE, Performance, Posed
from poise.comparison.result import Part, Segment, Verdict
from poise.comparison.timing import Timing
from poise.comparison.views import cross

Floats = npt.NDArray[np.float64]

TOLERANCE = 8.0  # degrees; what two estimates of one posture differ by
DEEP_TOLERANCE = 15.0  # the same in a view that was turned with the help of 3D coordinates
SCALE = 40.0
LATE = 0.07  # seconds; two frames
LAG_SCALE = 0.5
JOINT_SHARE = 0.5  # of the weight of the lighter limb; a joint repeats what its limbs say
RIGHT, NEARLY = 90.0, 65.0
LOWEST_COVERAGE = 0.4

_SURE = 0.05  # a limb below this weight is not judged
_ENDS = {
    "shoulder": ("trunk", "upper_arm"),
    "elbow": ("upper_arm", "forearm"),
    "hip": ("trunk", "thigh"),
    "knee": ("thigh", "shin"),
    "ankle": ("shin", "foot"),
}


def _limbs_of(joint: str) -> tuple[int, int]:
    side, _, kind = joint.rpartition("_")
    names = [name if name == "trunk" else f"{side}_{name}" for name in _ENDS.get(kind, ())] or [
        "trunk",
        "head",
    ]
    return LIMB_NAMES.index(names[0]), LIMB_NAMES.index(names[1])


_JOINT_LIMBS = np.array([_limbs_of(joint) for joint in JOINT_NAMES])


@dataclass(frozen=True, eq=False)
class Errors:
    """The differences of two aligned movements, on the reference's clock.

    Attributes:
        turns: (T, L) degrees from the reference's limb to the attempt's, -180..180, clockwise
            positive; 0 where not judged.
        weights: (T, L) how well both were seen, 0..1; 0 where not judged.
        bends: (T, J) degrees, the attempt's joint angle less the reference's; 0 where not judged.
        joint_weights: (T, J).
        left_out: (T,) whether the attempt leaves the moment out.
        seen: (T, L) how well the reference was seen.
        limbs: (L,) how much each limb counts.
        reference, attempt: The movements, moment by moment.
    """

    turns: Floats
    weights: Floats
    bends: Floats
    joint_weights: Floats
    left_out: npt.NDArray[np.bool_]
    seen: Floats
    limbs: Floats
    reference: Posed
    attempt: Posed


def measure(reference: Performance, attempt: Performance, timing: Timing, limbs: Floats) -> Errors:
    """Compare two performances moment by moment.

    Args:
        reference, attempt: In the same view.
        timing: Tells the attempt's time for each moment of the reference.
        limbs: (L,) how much each limb counts.
    """
    left_out = np.zeros(len(reference), bool)
    for gap in timing.gaps:
        if gap.missed:
            left_out |= (reference.times > gap.start + 1e-9) & (reference.times < gap.end - 1e-9)
    return differ(reference, attempt.at(timing.attempt_times), left_out, limbs)


def differ(
    reference: Posed, aligned: Posed, left_out: npt.NDArray[np.bool_], limbs: Floats
) -> Errors:
    """Compare moment with moment.

    Args:
        reference, aligned: Of the same moments, in the same view.
        left_out: (T,) whether the attempt leaves the moment out.
        limbs: (L,) how much each limb counts.
    """
    turns = np.degrees(np.arctan2(
        cross(reference.units, aligned.units), (reference.units * aligned.units).sum(axis=2)
    ))  # fmt: skip
    weights = np.sqrt(reference.weights * aligned.weights)
    weights[weights < _SURE] = 0
    (ours, sure), (theirs, certain) = reference.joints, aligned.joints
    lighter = weights[:, _JOINT_LIMBS].min(axis=2)
    joint_weights = np.where(np.minimum(sure, certain) > 0, JOINT_SHARE * lighter, 0)
    return Errors(
        np.where(weights > 0, turns, 0.0),
        weights,
        np.where(joint_weights > 0, np.nan_to_num(theirs - ours), 0.0),
        joint_weights,
        left_out,
        see(reference.weights),
        limbs,
        reference,
        aligned,
    )


def see(weights: Floats) -> Floats:
    """Return weights (T, L) with 0 for limbs that are seen too badly to be judged."""
    return np.where(weights >= _SURE, weights, 0)


def lose(degrees: Floats, tolerance: float = TOLERANCE) -> Floats:
    """Return the loss 0..1 of errors in degrees."""
    lost: Floats = 1 - np.exp(-np.maximum(0, np.abs(degrees) - tolerance) / SCALE)
    return lost


@dataclass(frozen=True, eq=False)
class Losses:
    """Losses and their weights of limbs and joints: (T, L + J), a loss of 1 where left out."""

    losses: Floats
    weights: Floats
    limb_count: int

    def score(self, rows: slice, columns: slice = slice(None)) -> float:
        """Return 0..100 over some moments, limbs and joints; NaN where nothing was judged."""
        weights = self.weights[rows, columns]
        total = weights.sum()
        if total <= 0:
            return float("nan")
        return float(100 * (1 - np.sqrt((weights * self.losses[rows, columns] ** 2).sum() / total)))

    def moments(self) -> Floats:
        """Return (T,) the score of each moment."""
        total = self.weights.sum(axis=1)
        mean = (self.weights * self.losses**2).sum(axis=1) / np.maximum(total, 1e-9)
        scores: Floats = np.where(total > 0, 100 * (1 - np.sqrt(mean)), np.nan)
        return scores


def weigh(errors: Errors, tolerance: float = TOLERANCE) -> Losses:
    """Return the loss and the weight of everything that was judged."""
    missed = errors.left_out[:, None]
    limb_weights = np.where(missed, errors.seen, errors.weights) * errors.limbs
    per_joint = weigh_joints(errors.limbs)
    joint_seen = JOINT_SHARE * errors.seen[:, _JOINT_LIMBS].min(axis=2)
    joint_weights = np.where(missed, joint_seen, errors.joint_weights) * per_joint
    losses = np.concatenate([lose(errors.turns, tolerance), lose(errors.bends, tolerance)], axis=1)
    return Losses(
        np.where(missed, 1.0, losses),
        np.concatenate([limb_weights, joint_weights], axis=1),
        errors.turns.shape[1],
    )


def weigh_joints(limbs: Floats) -> Floats:
    """Return (J,) how much each joint counts: as the one of its limbs that counts more."""
    joints: Floats = limbs[_JOINT_LIMBS].max(axis=1)
    return joints


def cover(errors: Errors) -> float:
    """Return the share 0..1 of what the reference shows that could be judged."""
    wanted = (errors.seen > 0) * errors.limbs
    missed = errors.left_out[:, None] & (errors.seen > 0)
    judged = ((errors.weights > 0) | missed) * errors.limbs
    return float(np.minimum(judged, wanted).sum() / max(wanted.sum(), 1e-9))


def score_timing(timing: Timing) -> float:
    """Return 0..100 for how well the attempt keeps time; 100 where nobody moves."""
    known = np.isfinite(timing.lag)
    pauses = np.array([gap.seconds for gap in timing.gaps if not gap.missed])
    motion = timing.motion[known]
    # A pause counts for as many moments as it lasts, as if the dance had gone on at its mean pace.
    held = pauses * RATE * (motion.mean() if len(motion) else 0.0)
    weights = np.concatenate([motion, held])
    if weights.sum() <= 0:
        return 100.0
    lost = lose_time(np.concatenate([timing.lag[known], pauses]))
    return float(100 * (1 - np.sqrt((weights * lost**2).sum() / weights.sum())))


def lose_time(lag: Floats) -> Floats:
    """Return the loss 0..1 of lags in seconds."""
    lost: Floats = 1 - np.exp(-np.maximum(0, np.abs(lag) - LATE) / LAG_SCALE)
    return lost


def join_scores(shape: float, timing: float) -> float:
    """Return the score of shape and timing together: timing takes away at most a fifth."""
    return shape * (0.8 + 0.2 * timing / 100)


def judge_score(score: float, coverage: float) -> Verdict:
    """Return the verdict for a score."""
    if coverage < LOWEST_COVERAGE or not np.isfinite(score):
        return "cannot say"
    return "right" if score >= RIGHT else "nearly" if score >= NEARLY else "wrong"


def score_parts(errors: Errors, losses: Losses) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """Return the judgement of every limb and of every joint."""
    degrees = np.abs(np.concatenate([errors.turns, errors.bends], axis=1))
    judged = np.concatenate([errors.weights, errors.joint_weights], axis=1)
    parts = []
    for number, name in enumerate((*LIMB_NAMES, *JOINT_NAMES)):
        score = losses.score(slice(None), slice(number, number + 1))
        weights = judged[:, number]
        mean = float(np.average(degrees[:, number], weights=weights)) if weights.any() else None
        share = float((losses.weights[:, number] > 0).mean())
        parts.append(Part(name, None if np.isnan(score) else score, mean, share))
    return tuple(parts[: losses.limb_count]), tuple(parts[losses.limb_count :])


def score_segments(
    bounds: list[tuple[float, float]], errors: Errors, losses: Losses, timing: Timing
) -> tuple[Segment, ...]:
    """Return the judgement of each stretch of the reference's time."""
    return tuple(_score_segment(start, end, errors, losses, timing) for start, end in bounds)


def _score_segment(
    start: float, end: float, errors: Errors, losses: Losses, timing: Timing
) -> Segment:
    times = errors.reference.times
    rows = slice(*np.searchsorted(times, [start - 1e-9, end - 1e-9]).tolist())
    score = losses.score(rows)
    lag = timing.lag[rows]
    known = np.isfinite(timing.attempt_times[rows])
    tempo = timing.tempo
    if known.sum() > 2:
        theirs = timing.attempt_times[rows][known]
        span = theirs[-1] - theirs[0]
        ours = times[rows][known]
        tempo = float((ours[-1] - ours[0]) / span) if span > 0 else tempo
    weights = losses.weights[rows, : losses.limb_count]
    lost = (weights * losses.losses[rows, : losses.limb_count] ** 2).sum(axis=0)
    wanted = ((errors.seen[rows] > 0) * errors.limbs).sum()
    judged = ((weights > 0) * errors.limbs).sum() / max(float(wanted), 1e-9)
    return Segment(
        start,
        end,
        None if np.isnan(score) else score,
        min(1.0, float(judged)),
        float(np.nanmean(lag)) if np.isfinite(lag).any() else 0.0,
        tempo,
        LIMB_NAMES[int(lost.argmax())] if lost.any() else None,
    )
