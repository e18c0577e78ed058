"""The arrays that the numbers of a keypoint file become."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from poise.poses import Poses, bounding_boxes
from poise.skeleton import Skeleton


@dataclass
class Person:
    """One person as a file holds them.

    Attributes:
        keypoints: K rows of x, y, score; absent ones NaN.
        box: x0, y0, x1, y1 or None.
        xyz: K rows of metres or None.
    """

    keypoints: npt.ArrayLike
    box: Sequence[float] | None = None
    score: float | None = None
    id: int | None = None
    xyz: npt.ArrayLike | None = None


def assemble(
    skeleton: Skeleton,
    people: Sequence[Person],
    *,
    index: int,
    time: float,
    size: tuple[int, int] = (0, 0),
) -> Poses:
    """Return the people of one frame; what a person lacks is filled in as ``Poses`` does it."""
    if not people:
        return Poses.empty(
            skeleton, index=_number(index), time=_seconds(time), size=checked_size(*size)
        )
    points = np.array([person.keypoints for person in people], np.float64)
    points = points.reshape(len(people), len(skeleton), 3)
    poses = Poses(
        skeleton,
        _float32(points[..., :2]),
        _float32(np.clip(np.nan_to_num(points[..., 2]), 0, 1)),
        ids=_ids(people),
        xyz=_xyz(people, len(skeleton)),
        index=_number(index),
        time=_seconds(time),
        size=checked_size(*size),
    )
    return poses.replace(boxes=_boxes(people, poses), person_scores=_scores(people, poses))


def _float32(values: npt.ArrayLike) -> npt.NDArray[np.float32]:
    wide = np.array(values, np.float64)
    # what float32 cannot hold is no number
    return np.where(np.abs(wide) < 1e30, wide, np.nan).astype(np.float32)


def _number(index: Any) -> int:
    if not abs(int(index)) < 2**53:
        raise ValueError(f"no frame has the number {index!r:.30}")
    return int(index)


def checked_size(width: Any, height: Any) -> tuple[int, int]:
    """Return the size of a picture, or fail on one that cannot be."""
    if not (0 <= int(width) < 2**31 and 0 <= int(height) < 2**31):
        raise ValueError(f"no picture has the size {width!r:.30} x {height!r:.30}")
    return int(width), int(height)


def _seconds(time: Any) -> float:
    if not math.isfinite(float(time)):
        raise ValueError(f"no frame has the time {time}")
    return float(time)


def _xyz(people: Sequence[Person], count: int) -> npt.NDArray[np.float32] | None:
    if all(person.xyz is None for person in people):
        return None
    blank = np.full((count, 3), np.nan)
    solid = [blank if person.xyz is None else np.asarray(person.xyz) for person in people]
    return _float32(np.array(solid, np.float64))


def _ids(people: Sequence[Person]) -> npt.NDArray[np.int64] | None:
    ids = [person.id for person in people]
    known = [identity for identity in ids if identity is not None]
    if len(set(known)) < len(ids):
        return None
    return np.array([int(identity) for identity in known], np.int64)


def _boxes(people: Sequence[Person], poses: Poses) -> npt.NDArray[np.float32]:
    none = (np.nan,) * 4
    boxes = _float32([none if p.box is None else p.box for p in people])
    missing = np.array([p.box is None for p in people])
    if missing.any():
        boxes[missing] = bounding_boxes(poses.keypoints[missing])
    return boxes


def _scores(people: Sequence[Person], poses: Poses) -> npt.NDArray[np.float32]:
    given = _float32([np.nan if p.score is None else p.score for p in people])
    return np.where(np.isfinite(given), given, poses.person_scores)


def flat_keypoints(
    values: Sequence[float], count: int, *, absent: tuple[float, float, float] = (0, 0, 0)
) -> npt.NDArray[np.float64]:
    """Return (K, 3) x, y, score of a flat list, with the format's mark of an absent one as NaN.

    An empty list is a person without keypoints; (0, 0, 0) is always absent.
    """
    if not len(values):
        return np.full((count, 3), np.nan)
    points = np.array(values, np.float64).reshape(-1, 3)
    for mark in {absent, (0, 0, 0)}:
        points[(points == mark).all(axis=1)] = np.nan
    return points


def from_xywh(box: Sequence[float] | None) -> list[float] | None:
    """Return x0, y0, x1, y1 of x, y, width, height; NaN for one of zeros, which is none."""
    if box is None:
        return None
    x, y, width, height = map(float, box)
    return [x, y, x + width, y + height] if any((x, y, width, height)) else [np.nan] * 4
