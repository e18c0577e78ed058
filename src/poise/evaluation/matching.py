"""Who is whom: the people who were found, and those who are annotated."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from poise.evaluation.truth import Floats, TruePicture, Truth
from poise.poses import Poses
from poise.skeleton import Skeleton

# Somebody less alike to a person than this (OKS) is nobody's match (Ronchi and Perona 2017).
LEAST_OKS = 0.1
MOST_PEOPLE = 20  # a picture, as in COCO's evaluation


@dataclass(frozen=True, eq=False)
class Matched:
    """Every annotated person with keypoints, each beside who was found there. N people.

    Attributes:
        skeleton: The layout.
        sigmas: (K,) of the layout.
        points: (N, K, 2) what was found; all NaN where the person was missed.
        scores: (N, K) of what was found; NaN where nothing was.
        truth: (N, K, 2) the labelled keypoints; NaN where there is no label.
        areas: (N,) square pixels.
        sides: (N,) the longer side of each box, pixels.
        heads: (N, 4) boxes of the heads, x0 y0 x1 y1; NaN where none is annotated.
        pictures: (N,) number of the person's picture among the pictures.
        rows: (N,) row of who was found among those found in the picture; -1 for nobody.
    """

    skeleton: Skeleton
    sigmas: Floats
    points: Floats
    scores: Floats
    truth: Floats
    areas: Floats
    sides: Floats
    heads: Floats
    pictures: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.points)

    @property
    def found(self) -> npt.NDArray[np.bool_]:
        """(N,) whether somebody was found."""
        return np.asarray(np.isfinite(self.points[..., 0]).any(axis=1))

    @cached_property
    def likeness(self) -> Floats:
        """(N, K) similarity of each keypoint to its label; NaN where there is no label."""
        return keypoint_likeness(self.points, self.truth, self.areas, self.sigmas)

    @cached_property
    def oks(self) -> Floats:
        """(N,) object keypoint similarity of each person; 0 for those who were missed."""
        return mean_known(self.likeness, axis=1)


def mean_known(values: Floats, *, axis: int) -> Floats:
    """Return means over the numbers that there are; NaN where there are none."""
    known = np.isfinite(values)
    count = known.sum(axis=axis)
    total = np.where(known, values, 0).sum(axis=axis)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def keypoint_likeness(points: Floats, truth: Floats, areas: Floats, sigmas: Floats) -> Floats:
    """Return the (..., K) similarity of each keypoint to its reference, in 0..1.

    ``exp(-d^2 / (2 * area * (2 sigma)^2))`` (COCO; OKS is its mean over the labelled keypoints).
    A keypoint that was not found has 0; where there is no label, it is NaN.

    Args:
        points: (..., K, 2) pixels; NaN where absent.
        truth: (..., K, 2).
        areas: (...) square pixels.
        sigmas: (K,).
    """
    squares = ((points - truth) ** 2).sum(axis=-1)
    spread = 2 * (areas[..., None] + np.spacing(1)) * (2 * sigmas) ** 2
    likeness = np.nan_to_num(np.exp(-squares / spread), nan=0.0)
    return np.where(np.isfinite(truth[..., 0]), likeness, np.nan)


def match(truth: Truth, found: list[Poses], *, paired: bool = False) -> Matched:
    """Set who was found beside who is annotated.

    In each picture the 20 best by score choose in turn, best first, the person whom they are
    most alike to (OKS) among those still free; below ``LEAST_OKS`` they choose nobody.

    Args:
        truth: The annotated pictures.
        found: Who was found in each of them, in the truth's layout.
        paired: Whether row n of the poses is known to be the n-th person with keypoints.
    """
    count = len(truth.skeleton)
    points: list[Floats] = [np.zeros((0, count, 2))]
    scores: list[Floats] = [np.zeros((0, count))]
    chosen = [np.zeros(0, np.int64)]
    for picture, poses in zip(truth.pictures, found, strict=True):
        size = len(picture.counted)
        rows = np.arange(size) if paired else _choose(picture, poses, truth.sigmas)
        taken, sure = np.full((size, count, 2), np.nan), np.full((size, count), np.nan)
        taken[rows >= 0] = poses.keypoints[rows[rows >= 0]]
        sure[rows >= 0] = poses.scores[rows[rows >= 0]]
        points.append(taken)
        scores.append(sure)
        chosen.append(rows)
    people = [person for picture in truth.pictures for person in picture.counted]
    return Matched(
        truth.skeleton,
        truth.sigmas,
        np.concatenate(points),
        np.concatenate(scores),
        np.array([person.points for person in people]).reshape(-1, count, 2),
        np.array([person.area for person in people], np.float64),
        np.array([person.box[2:].max() for person in people], np.float64),
        np.array([_corners(person.head) for person in people]).reshape(-1, 4),
        np.repeat(np.arange(len(found)), [len(one.counted) for one in truth.pictures]),
        np.concatenate(chosen),
    )


def _choose(picture: TruePicture, poses: Poses, sigmas: Floats) -> npt.NDArray[np.int64]:
    """Return the row of the poses that belongs to each counted person; -1 for nobody."""
    people = picture.counted
    rows = np.full(len(people), -1)
    if not len(people) or not len(poses):
        return rows
    points = poses.keypoints.astype(np.float64)[:, None]
    truth = np.stack([person.points for person in people])[None]
    areas = np.array([person.area for person in people])[None]
    likeness = np.nanmean(keypoint_likeness(points, truth, areas, sigmas), axis=2)
    for row in np.argsort(-poses.person_scores, kind="stable")[:MOST_PEOPLE]:
        alike = np.where(rows < 0, likeness[row], -1.0)
        best = int(alike.argmax())
        if alike[best] >= LEAST_OKS:
            rows[best] = row
    return rows


def _corners(box: Floats | None) -> Floats:
    if box is None:
        return np.full(4, np.nan)
    return np.concatenate([box[:2], box[:2] + box[2:]])
