"""Limbs and joints of a body as directions and angles, found by the names of the keypoints.

Every layout that names its keypoints as COCO does has the same limbs and joints, so that poses of
two layouts can be compared, and a rule about a knee holds for any model.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from poise.skeleton import Skeleton

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

_SHOULDERS = ("left_shoulder", "right_shoulder")
_HIPS = ("left_hip", "right_hip")
# BlazePose's tip of the foot stands in for the big toe, of which it lies a little outwards.
_STAND_INS = {"left_big_toe": "left_foot_index", "right_big_toe": "right_foot_index"}


@dataclass(frozen=True)
class Limb:
    """A directed piece of the body; each end is the middle of the keypoints that it names."""

    name: str
    start: tuple[str, ...]
    end: tuple[str, ...]


@dataclass(frozen=True)
class Joint:
    """The angle at ``middle`` between two other places, each the middle of its keypoints."""

    name: str
    first: tuple[str, ...]
    middle: tuple[str, ...]
    last: tuple[str, ...]


def _sided(name: str, start: str, end: str) -> tuple[Limb, Limb]:
    left, right = (
        Limb(f"{side}_{name}", (f"{side}_{start}",), (f"{side}_{end}",))
        for side in ("left", "right")
    )
    return left, right


def _joints(name: str, first: str, middle: str, last: str) -> tuple[Joint, Joint]:
    left, right = (
        Joint(f"{side}_{name}", (f"{side}_{first}",), (f"{side}_{middle}",), (f"{side}_{last}",))
        for side in ("left", "right")
    )
    return left, right


LIMBS: tuple[Limb, ...] = (
    Limb("trunk", _HIPS, _SHOULDERS),
    Limb("head", _SHOULDERS, ("nose",)),
    Limb("shoulders", ("right_shoulder",), ("left_shoulder",)),
    Limb("hips", ("right_hip",), ("left_hip",)),
    *_sided("upper_arm", "shoulder", "elbow"),
    *_sided("forearm", "elbow", "wrist"),
    *_sided("thigh", "hip", "knee"),
    *_sided("shin", "knee", "ankle"),
    *_sided("foot", "heel", "big_toe"),
)
LIMB_NAMES: tuple[str, ...] = tuple(limb.name for limb in LIMBS)

JOINTS: tuple[Joint, ...] = (
    Joint("neck", _HIPS, _SHOULDERS, ("nose",)),
    *_joints("shoulder", "hip", "shoulder", "elbow"),
    *_joints("elbow", "shoulder", "elbow", "wrist"),
    *_joints("hip", "shoulder", "hip", "knee"),
    *_joints("knee", "hip", "knee", "ankle"),
    *_joints("ankle", "knee", "ankle", "big_toe"),
)
JOINT_NAMES: tuple[str, ...] = tuple(joint.name for joint in JOINTS)


def limb_vectors(
    skeleton: Skeleton, points: npt.ArrayLike, scores: npt.ArrayLike
) -> tuple[Floats, Floats]:
    """Return every limb as a vector from its start to its end.

    Args:
        skeleton: The body layout.
        points: (..., K, D) keypoints: pixels (D = 2) or metres (D = 3); NaN where absent.
        scores: (..., K) in 0..1.

    Returns:
        (..., L, D) vectors in the units of the points, NaN where an end is absent, and (..., L)
        weights: the lowest score of the keypoints that make the limb, 0 where one is absent.
    """
    starts, low = _places(skeleton, points, scores, [limb.start for limb in LIMBS])
    ends, high = _places(skeleton, points, scores, [limb.end for limb in LIMBS])
    return ends - starts, np.minimum(low, high)


def joint_angles(
    skeleton: Skeleton, points: npt.ArrayLike, scores: npt.ArrayLike
) -> tuple[Floats, Floats]:
    """Return the angle of every joint.

    Args:
        skeleton: The body layout.
        points: (..., K, D) keypoints: pixels (D = 2) or metres (D = 3); NaN where absent.
        scores: (..., K) in 0..1.

    Returns:
        (..., J) degrees in 0..180 (a straight elbow or knee has 180), NaN where a keypoint is
        absent or two coincide, and (..., J) weights as for ``limb_vectors``.
    """
    first, one = _places(skeleton, points, scores, [joint.first for joint in JOINTS])
    middle, two = _places(skeleton, points, scores, [joint.middle for joint in JOINTS])
    last, three = _places(skeleton, points, scores, [joint.last for joint in JOINTS])
    angles = angle_between(first - middle, last - middle)
    weights = np.minimum(np.minimum(one, two), three)
    return angles, np.where(np.isfinite(angles), weights, 0.0)


def angle_between(a: npt.ArrayLike, b: npt.ArrayLike) -> Floats:
    """Return the angle between vectors (..., D) in degrees, 0..180; NaN for a vector of length 0.

    The half-angle form 2 atan2(|u - v|, |u + v|) of unit vectors is exact near 0 and 180, where
    the arc cosine is not (Kahan, "How Futile are Mindless Assessments of Roundoff", section 12).
    """
    u, v = normalized(a), normalized(b)
    apart, together = np.linalg.norm(u - v, axis=-1), np.linalg.norm(u + v, axis=-1)
    angles: Floats = np.degrees(2 * np.arctan2(apart, together))
    return angles


def normalized(vectors: npt.ArrayLike) -> Floats:
    """Return vectors (..., D) of length 1 with the same directions; NaN for those of length 0."""
    values = np.asarray(vectors, np.float64)
    lengths = np.linalg.norm(values, axis=-1, keepdims=True)
    unit: Floats = np.divide(values, lengths, out=np.full_like(values, np.nan), where=lengths > 0)
    return unit


def _find(skeleton: Skeleton, keypoint: str) -> int | None:
    row = skeleton.find(keypoint)
    return skeleton.find(_STAND_INS.get(keypoint, keypoint)) if row is None else row


def _places(
    skeleton: Skeleton, points: npt.ArrayLike, scores: npt.ArrayLike, groups: list[tuple[str, ...]]
) -> tuple[Floats, Floats]:
    """Return the middle (..., G, D) and the lowest score (..., G) of each group of keypoints."""
    places, sure = np.asarray(points, np.float64), np.asarray(scores, np.float64)
    first, last, known = _rows(skeleton, tuple(groups))
    middles = (places[..., first, :] + places[..., last, :]) / 2
    middles[..., ~known, :] = np.nan
    lowest = np.minimum(sure[..., first], sure[..., last])
    lowest[~np.isfinite(middles).all(axis=-1)] = 0.0
    return middles, lowest


@lru_cache(maxsize=64)
def _rows(
    skeleton: Skeleton, groups: tuple[tuple[str, ...], ...]
) -> tuple[Rows, Rows, npt.NDArray[np.bool_]]:
    """Return the rows of the first and last keypoint of each group of one or two, and who is."""
    rows = [[_find(skeleton, keypoint) for keypoint in group] for group in groups]
    known = np.array([None not in group for group in rows])
    ends = np.array([(group[0] or 0, group[-1] or 0) for group in rows])
    return ends[:, 0], ends[:, 1], known
