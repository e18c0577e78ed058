"""The wide table that CSV and Parquet share: one row a person and frame, columns by name."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from poise.errors import InputError
from poise.io.formats.people import Person
from poise.io.formats.source import Source
from poise.poses import Poses
from poise.skeleton import Skeleton, get_skeleton, skeleton_names

FIXED = ("frame", "time", "id", "score", "box_x0", "box_y0", "box_x1", "box_y1")


def column_names(skeleton: Skeleton, *, has_xyz: bool) -> list[str]:
    """Return the names of the columns: x, y, score of each keypoint, then X, Y, Z in metres."""
    flat = [f"{name}_{part}" for name in skeleton.keypoints for part in ("x", "y", "score")]
    solid = [f"{name}_{axis}" for name in skeleton.keypoints for axis in "XYZ"]
    return [*FIXED, *flat, *(solid if has_xyz else ())]


def columns_skeleton(columns: Sequence[str], source: Source) -> Skeleton:
    """Return the layout that the columns name; one that Poise does not know has no edges.

    Raises:
        InputError: The columns are not those of a wide table.
    """
    keypoints = tuple(name.removesuffix("_score") for name in columns if name.endswith("_score"))
    bare = Skeleton("custom", keypoints, ())
    if list(columns) not in [column_names(bare, has_xyz=flag) for flag in (False, True)]:
        raise InputError(
            "its columns are not frame, time, id, score, box_x0 ... box_y1 and then "
            "NAME_x, NAME_y, NAME_score of each keypoint",
            where=source.path,
        )
    if source.skeleton is not None:
        if source.skeleton.keypoints != keypoints:
            raise InputError(
                f"its columns are not the keypoints of {source.skeleton.name}", where=source.path
            )
        return source.skeleton
    known = [name for name in skeleton_names() if get_skeleton(name).keypoints == keypoints]
    return get_skeleton(known[0]) if known else bare


def person_values(poses: Poses) -> npt.NDArray[np.float64]:
    """Return (N, 5 + 3K or 5 + 6K) score, box, keypoints and metres; NaN where absent."""
    count, width = len(poses), len(poses.skeleton)
    points = np.concatenate([poses.keypoints, poses.scores[..., None]], axis=2)
    points[~poses.present, 2] = np.nan
    parts = [poses.person_scores[:, None], poses.boxes, points.reshape(count, 3 * width)]
    if poses.xyz is not None:
        parts.append(poses.xyz.reshape(count, 3 * width))
    return np.concatenate(parts, axis=1).astype(np.float64)


def row_person(values: npt.NDArray[np.float64], count: int, identity: int | None) -> Person:
    """Return the person of one row of ``person_values``."""
    solid = values[5 + 3 * count :]
    return Person(
        values[5 : 5 + 3 * count].reshape(count, 3),
        box=values[1:5].tolist(),
        score=float(values[0]),
        id=identity,
        xyz=solid.reshape(count, 3) if solid.size else None,
    )
