"""Regions in which nobody was annotated: what is found there is neither right nor wrong."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from poise.evaluation.truth import Floats, TruePerson, TruePicture
from poise.poses import Poses


def inside(points: npt.ArrayLike, polygon: Floats) -> npt.NDArray[np.bool_]:
    """Whether each of (..., 2) points lies in a (P, 2) polygon; NaN lies nowhere.

    By the number of edges that a ray to the right crosses.
    """
    places = np.asarray(points, np.float64)
    x, y = places[..., :1], places[..., 1:]
    start, end = polygon, np.roll(polygon, -1, axis=0)
    crosses = (start[:, 1] > y) != (end[:, 1] > y)
    height = end[:, 1] - start[:, 1]
    steep = np.where(height == 0, 1, height)
    at = start[:, 0] + (y - start[:, 1]) / steep * (end[:, 0] - start[:, 0])
    odd: npt.NDArray[np.bool_] = np.count_nonzero(crosses & (x < at), axis=-1) % 2 == 1
    return odd


def ignored(points: npt.ArrayLike, polygons: tuple[Floats, ...]) -> npt.NDArray[np.bool_]:
    """Whether each of (..., 2) points lies in any of the polygons."""
    hidden = np.zeros(np.shape(points)[:-1], bool)
    for polygon in polygons:
        hidden |= inside(points, polygon)
    return hidden


def without_labels(person: TruePerson, polygons: tuple[Floats, ...]) -> Floats:
    """Return a person's (K, 3) keypoints without the labels in ignored regions."""
    hidden = ignored(person.keypoints[:, :2], polygons)
    return np.where(hidden[:, None], 0, person.keypoints)


def clear_ignored(poses: Poses, picture: TruePicture, *, keep: bool = False) -> Poses:
    """Return the poses without keypoints in ignored regions, and without people who lose them all.

    So PoseTrack's own evaluation does it (poseval, removeIgnoredPoints).

    Args:
        poses: Who was found in the picture.
        picture: Its truth.
        keep: Whether people without keypoints stay, because rows have a meaning.
    """
    if not picture.ignored or not len(poses):
        return poses
    hidden = ignored(poses.keypoints, picture.ignored)
    there = np.isfinite(poses.keypoints[..., 0])
    cleared = poses.replace(
        keypoints=np.where(hidden[..., None], np.nan, poses.keypoints).astype(np.float32),
        scores=np.where(hidden, 0, poses.scores).astype(np.float32),
        person_scores=poses.person_scores,
    )
    rows = np.flatnonzero((there & ~hidden).any(axis=1) | ~there.any(axis=1))
    return cleared if keep else cleared.select(rows)
