"""AlphaPose's pose NMS: poses of one person are found by their keypoints, and merged into one.

The rule is that of Fang et al. 2017, "RMPE: Regional Multi-person Pose Estimation", section 3.3,
with the constants that AlphaPose runs with (``pPose_nms.py``); the code is our own. Distances are
in pixels of the picture, and the constants are for 17 keypoints: of another number of keypoints,
the same share must agree.

Of the poses that are left the one with the highest mean score is picked. Another is of the same
person where five keypoints lie within min(7, a tenth of the longer side of its box) of the
pick's, or where their similarity exceeds 22.48: the sum over all keypoints of 1.7 exp(-d / 2.65),
and of tanh(a) tanh(b) for two scores a and b no farther apart than a pixel. Each keypoint of the
person is the mean of what lies within min(15, that tenth) of the pick's, weighted by the scores.
AlphaPose then moves all by -0.3 pixels for its own conventions; that is left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from poise.poses import FloatArray, Poses

_ALPHA = 0.1  # of a box's longer side: what is near for a person of this size
_SAME_MOST, _MERGE_MOST = 7.0, 15.0  # pixels, whatever the size
_DELTA1, _DELTA2, _MU, _GAMMA = 1.0, 2.65, 1.7, 22.48
_MATCHES, _PUBLISHED = 5, 17
_LEAST = 0.3  # of the best keypoint of a person
_GROWN = 1.5  # how much larger than the keypoints a body is, on each side of its box


@dataclass(frozen=True, eq=False)
class Merged:
    """The M people that N poses are of.

    Attributes:
        rows: (M,) rows of the poses that were picked, ascending.
        keypoints: (M, K, 2) means in pixels, NaN where absent.
        scores: (M, K) means in 0..1, 0 where absent.
        groups: (N,) for each pose the row of the pick that it was merged into, or -1 where
            nobody came of it.
    """

    rows: npt.NDArray[np.int64]
    keypoints: FloatArray
    scores: FloatArray
    groups: npt.NDArray[np.int64]


def merge_poses(
    keypoints: FloatArray, scores: FloatArray, boxes: FloatArray, *, min_area: float = 0.0
) -> Merged:
    """Merge the poses that are of one person.

    Args:
        keypoints: (N, K, 2) pixels, NaN where absent.
        scores: (N, K) in 0..1.
        boxes: (N, 4) of the people, x0 y0 x1 y1; NaN for a pose of no keypoints.
        min_area: Square pixels; smaller people are dropped.
    """
    count, size = scores.shape
    share = size / _PUBLISHED
    points, sure = keypoints.astype(np.float64), np.maximum(scores, 1e-5)
    near = _ALPHA * np.nan_to_num((boxes[:, 2:] - boxes[:, :2]).max(axis=1, initial=0))
    left = np.arange(count)
    means, groups = scores.mean(axis=1), np.full(count, -1)
    people: dict[int, tuple[FloatArray, FloatArray]] = {}
    while len(left):
        pick = left[means[left].argmax()]
        away = np.linalg.norm(points[left] - points[pick], axis=2)
        alike = _similarity(away, sure[left], sure[pick]) > share * _GAMMA
        matches = (away <= min(near[pick], _SAME_MOST)).sum(axis=1) >= share * _MATCHES
        same = alike | matches | (left == pick)
        members, within = left[same], away[same] <= min(near[pick], _MERGE_MOST)
        place, likely = _mean(points[members], sure[members], within, scores[pick])
        left = left[~same]
        if scores[pick].max() >= _LEAST and likely.max() >= _LEAST and _area(place) >= min_area:
            people[int(pick)] = place, likely
            groups[members] = pick
    rows = np.array(sorted(people), np.int64)
    merged = np.array([people[row][0] for row in rows], np.float32).reshape(-1, size, 2)
    likely = np.array([people[row][1] for row in rows], np.float32).reshape(-1, size)
    return Merged(rows, merged, likely, groups)


def unite(
    poses: Poses, there: npt.NDArray[np.bool_], *, claims: FloatArray | None = None
) -> tuple[npt.NDArray[np.int64], Poses]:
    """Return the rows of those who are there once, and their poses; as `regions.one_each`.

    ``claims`` say nothing here: AlphaPose picks by the keypoints' scores alone.
    """
    seen = np.flatnonzero(there)
    some = poses.select(seen)
    merged = merge_poses(some.keypoints, some.scores, some.boxes)
    kept = some.select(merged.rows)
    one_each = kept.replace(keypoints=merged.keypoints, scores=merged.scores, boxes=None)
    return seen[merged.rows], one_each


def _similarity(away: FloatArray, sure: FloatArray, of_pick: FloatArray) -> FloatArray:
    """Return (N,) the paper's pose similarity; an absent keypoint adds nothing."""
    close = np.where(away <= _DELTA1, np.tanh(sure / _DELTA1) * np.tanh(of_pick / _DELTA1), 0)
    far = np.nan_to_num(np.exp(-away / _DELTA2), nan=0.0)
    likeness: FloatArray = close.sum(axis=1) + _MU * far.sum(axis=1)
    return likeness


def _mean(
    points: FloatArray, sure: FloatArray, within: npt.NDArray[np.bool_], of_pick: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return (K, 2) and (K,) the means of a group's keypoints and scores, weighted by scores."""
    weight = np.where(within, sure, 0)
    total = weight.sum(axis=0)
    there = total > 0
    weight = weight / np.where(there, total, 1)
    place = (weight[..., None] * np.nan_to_num(points)).sum(axis=0)
    likely = np.where(of_pick > 0, (weight * sure).sum(axis=0), 0)
    return np.where(there[:, None], place, np.nan), np.where(there, likely, 0)


def _area(points: FloatArray) -> float:
    seen = points[np.isfinite(points[:, 0])]
    return float(np.prod(_GROWN * np.ptp(seen, axis=0))) if len(seen) else 0.0
