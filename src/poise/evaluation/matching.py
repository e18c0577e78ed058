"""Who is whom: the people who were found, and those who are annotated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from poise.evaluation.annotations import Floats, TruePicture, Truth
from poise.evaluation.engine import sigma_list
from poise.poses import Poses

# Somebody less alike to a person than this (OKS) is nobody's match (Ronchi and Perona 2017).
LEAST_OKS = 0.1
MOST_PEOPLE = 20  # a picture, as in COCO's evaluation


@dataclass(frozen=True, eq=False)
class Matched:
    """Every annotated person with keypoints, each beside who was found there. N people.

    Attributes:
        points: (N, K, 2) what was found; all NaN where the person was missed.
        truth: (N, K, 2) the labelled keypoints; NaN where there is no label.
        areas: (N,) square pixels.
        heads: (N, 4) boxes of the heads, x0 y0 x1 y1; NaN where none is annotated.
        pictures: (N,) number of the person's picture among the pictures.
        found: (N,) whether somebody was found.
    """

    points: Floats
    truth: Floats
    areas: Floats
    heads: Floats
    pictures: npt.NDArray[np.int64]
    found: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.points)


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
    sigmas = np.array(sigma_list(truth.skeleton))
    count = len(truth.skeleton)
    points: list[Floats] = []
    for picture, poses in zip(truth.pictures, found, strict=True):
        size = len(picture.counted)
        rows = np.arange(size) if paired else _choose(picture, poses, sigmas)
        taken = np.full((size, count, 2), np.nan)
        taken[rows >= 0] = poses.keypoints[rows[rows >= 0]]
        points.append(taken)
    people = [person for picture in truth.pictures for person in picture.counted]
    placed = np.concatenate([np.zeros((0, count, 2)), *points])
    return Matched(
        placed,
        np.array([person.points for person in people]).reshape(-1, count, 2),
        np.array([person.area for person in people], np.float64),
        np.array([_corners(person.head) for person in people]).reshape(-1, 4),
        np.repeat(np.arange(len(found)), [len(one.counted) for one in truth.pictures]),
        np.isfinite(placed[..., 0]).any(axis=1),
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
