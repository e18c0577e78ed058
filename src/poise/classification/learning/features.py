"""What is measured of one pose, as a row of numbers that means the same for every skeleton.

The definition, short enough to be restated elsewhere. ``y`` grows downwards, as in the picture.

1. Places by name: the keypoints of ``PLACES``; a keypoint that the skeleton lacks, that is absent
   or whose score is below the least score is unknown. ``middle_shoulder`` and ``middle_hip`` are
   the mean of both, or the one that is known, or else the skeleton's own neck or middle hip.
2. The unit: every limb of ``_SHARES`` that is known, its length over its usual share of the
   body's height; both sides averaged; the second longest of these, or the only one. A limb that
   points at the camera looks short, never long.
3. The row: offsets in units, directions as unit vectors, angles over 180 degrees, distances in
   units, and for each keypoint 1 where it is known, else 0. What cannot be known is NaN; the
   classifier puts its neutral value there.

The shares are Drillis and Contini's segment lengths over the stature, as printed in D. A. Winter,
"Biomechanics and Motor Control of Human Movement" (2009), figure 4.1.
"""

from __future__ import annotations

import itertools
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from poise.skeleton import Skeleton

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

LEAST_SCORE = 0.3  # below it a keypoint is unknown
_SIDES = ("left", "right")


def _both(*names: str) -> tuple[str, ...]:
    return tuple(f"{side}_{name}" for name in names for side in _SIDES)


KEYPOINTS = (
    "nose", *_both("shoulder", "elbow", "wrist", "hip", "knee", "ankle", "heel", "toe"),
)  # fmt: skip
PLACES = (*KEYPOINTS, "middle_shoulder", "middle_hip")
_STAND_INS = {
    "left_toe": ("left_big_toe", "left_foot_index"),
    "right_toe": ("right_big_toe", "right_foot_index"),
    "middle_shoulder": ("neck", "upper_neck", "thorax"),
    "middle_hip": ("mid_hip", "pelvis"),
}
Pairs = tuple[tuple[str, str], ...]
_OFFSETS: Pairs = (
    *(
        ("middle_shoulder", name)
        for name in ("nose", *_both("shoulder", "elbow", "wrist"), "middle_hip")
    ),
    *(("middle_hip", name) for name in _both("hip", "knee", "ankle")),
)


def _along(*chain: str) -> Pairs:
    links = tuple(itertools.pairwise(chain))
    return tuple((f"{side}_{a}", f"{side}_{b}") for a, b in links for side in _SIDES)


_LIMBS: Pairs = (
    ("middle_hip", "middle_shoulder"),
    ("middle_shoulder", "nose"),
    *_along("shoulder", "elbow", "wrist"),
    *_along("hip", "knee", "ankle"),
    *_along("heel", "toe"),
)
_BENDS = tuple(
    (f"{side}_{a}", f"{side}_{b}", f"{side}_{c}")
    for a, b, c in (
        ("hip", "shoulder", "elbow"), ("shoulder", "elbow", "wrist"), ("shoulder", "hip", "knee"),
        ("hip", "knee", "ankle"), ("knee", "ankle", "toe"),
    )
    for side in _SIDES
)  # fmt: skip
_REACHES: Pairs = (
    *(("left_" + name, "right_" + name) for name in ("wrist", "elbow", "knee", "ankle")),
    *((f"{side}_wrist", "nose") for side in _SIDES),
    *((f"{side}_{a}", f"{side}_{b}") for a, b in (("wrist", "hip"), ("wrist", "ankle"),
      ("elbow", "knee"), ("hip", "ankle")) for side in _SIDES),
)  # fmt: skip
_SHARES: tuple[tuple[Pairs, float], ...] = (
    ((("middle_hip", "middle_shoulder"),), 0.288),
    (_along("shoulder", "elbow"), 0.186),
    (_along("elbow", "wrist"), 0.146),
    (_along("hip", "knee"), 0.245),
    (_along("knee", "ankle"), 0.246),
    ((("left_shoulder", "right_shoulder"),), 0.259),
)
FEATURE_NAMES = (
    *(f"offset.{b}.{a}.{axis}" for a, b in _OFFSETS for axis in "xy"),
    *(f"direction.{a}.{b}.{axis}" for a, b in _LIMBS for axis in "xy"),
    *(f"angle.{'.'.join(bend)}" for bend in _BENDS),
    *(f"distance.{a}.{b}" for a, b in _REACHES),
    *(f"known.{name}" for name in KEYPOINTS),
)


def _numbers(groups: tuple[tuple[str, ...], ...]) -> tuple[Rows, ...]:
    return tuple(
        np.array([PLACES.index(name) for name in column]) for column in zip(*groups, strict=True)
    )


_OFFSET_ENDS, _LIMB_ENDS = _numbers(_OFFSETS), _numbers(_LIMBS)
_BEND_ENDS, _REACH_ENDS = _numbers(_BENDS), _numbers(_REACHES)
_UNIT_ENDS = _numbers(tuple(pair for pairs, _ in _SHARES for pair in pairs))
_UNIT_SHARES = np.array([share for pairs, share in _SHARES for _ in pairs])
_UNIT_FIRST = np.cumsum([0, *(len(pairs) for pairs, _ in _SHARES)])[:-1]
_FLIP = np.array(
    [
        PLACES.index(
            name.replace("left_", "right_", 1)
            if name.startswith("left_")
            else name.replace("right_", "left_", 1)
        )
        for name in PLACES
    ]
)


def find_places(
    skeleton: Skeleton,
    keypoints: npt.ArrayLike,
    scores: npt.ArrayLike,
    *,
    least_score: float = LEAST_SCORE,
) -> Floats:
    """Return the (..., P, 2) ``PLACES`` of poses, in pixels; NaN where unknown.

    Args:
        skeleton: The body layout.
        keypoints: (..., K, 2) pixels; NaN where absent.
        scores: (..., K) in 0..1.
        least_score: A keypoint below it is unknown.
    """
    points = np.asarray(keypoints, np.float64)
    sure = np.asarray(scores, np.float64)[..., None] >= least_score
    points = np.where(sure, points, np.nan)
    rows, found = _rows(skeleton)
    places: Floats = points[..., rows, :]
    places[..., ~found, :] = np.nan
    for middle, left in ((-2, "left_shoulder"), (-1, "left_hip")):
        first = PLACES.index(left)
        both = _mean(places[..., first, :], places[..., first + 1, :])
        places[..., middle, :] = np.where(np.isnan(both), places[..., middle, :], both)
    return places


def _mean(a: Floats, b: Floats) -> Floats:
    """Return the mean of two places, or the one that is known."""
    a, b = np.where(np.isnan(a), b, a), np.where(np.isnan(b), a, b)
    mean: Floats = (a + b) / 2
    return mean


@lru_cache(maxsize=64)
def _rows(skeleton: Skeleton) -> tuple[Rows, npt.NDArray[np.bool_]]:
    """Return the keypoint number of each place, and which of them there are."""
    rows = []
    for name in PLACES:
        choices = [skeleton.find(each) for each in (name, *_STAND_INS.get(name, ()))]
        rows.append(next((row for row in choices if row is not None), -1))
    numbers = np.array(rows)
    return np.maximum(numbers, 0), numbers >= 0


def count_known(skeleton: Skeleton) -> int:
    """Return how many of the keypoints that the features use a skeleton has."""
    return int(_rows(skeleton)[1][: len(KEYPOINTS)].sum())


def mirror_places(places: Floats) -> Floats:
    """Return the places of the mirror image: left and right change, and so does x."""
    mirrored: Floats = places[..., _FLIP, :] * [-1.0, 1.0]
    return mirrored


def measure_unit(places: Floats) -> Floats:
    """Return (...,) the body's height in pixels as its limbs tell it; NaN where none is known."""
    a, b = _UNIT_ENDS
    lengths = np.linalg.norm(places[..., b, :] - places[..., a, :], axis=-1) / _UNIT_SHARES
    known = np.isfinite(lengths)
    total = np.add.reduceat(np.where(known, lengths, 0.0), _UNIT_FIRST, axis=-1)
    count = np.add.reduceat(known.astype(np.float64), _UNIT_FIRST, axis=-1)
    heights = np.sort(total / np.maximum(count, 1), axis=-1)
    unit = np.where(heights[..., -2] > 0, heights[..., -2], heights[..., -1])
    safe: Floats = np.where(unit > 0, unit, np.nan)
    return safe


def measure_poses(places: Floats, unit: Floats | None = None) -> Floats:
    """Return the (..., F) features of ``FEATURE_NAMES`` of (..., P, 2) places; NaN where unknown.

    Args:
        places: From ``find_places``.
        unit: (...,) pixels, from ``measure_unit``; made from the places when not given.
    """
    unit = measure_unit(places) if unit is None else unit
    body = places / unit[..., None, None]
    lead = body.shape[:-2]
    offsets = _between(body, *_OFFSET_ENDS)
    limbs = _between(body, *_LIMB_ENDS)
    with np.errstate(invalid="ignore", divide="ignore"):
        directions = limbs / np.linalg.norm(limbs, axis=-1, keepdims=True)
    first, middle, last = _BEND_ENDS
    angles = _bend(_between(body, middle, first), _between(body, middle, last))
    reaches = np.linalg.norm(_between(body, *_REACH_ENDS), axis=-1)
    known = np.isfinite(places[..., : len(KEYPOINTS), 0]).astype(np.float64)
    flat = (part.reshape(*lead, 2 * part.shape[-2]) for part in (offsets, directions))
    return np.concatenate([*flat, angles, reaches, known], axis=-1)


def _between(body: Floats, start: Rows, end: Rows) -> Floats:
    vectors: Floats = body[..., end, :] - body[..., start, :]
    return vectors


def _bend(u: Floats, v: Floats) -> Floats:
    """Return the angle between vectors as a share of 180 degrees."""
    cross = u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0]
    dot = (u * v).sum(axis=-1)
    share: Floats = np.abs(np.arctan2(cross, dot)) / np.pi
    return share
