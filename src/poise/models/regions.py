"""Reading the people in the regions of a picture, and telling whom they have in common."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from poise.geometry import Affine, box_area, invert, oks
from poise.models.base import CropModel, CropPoses
from poise.poses import FloatArray, Frame, Image, Poses

# Poses that are more alike than this (OKS) are of one person.
SAME_POSE = 0.6
# From so many people on, more than one thread cuts their crops, and how many do.
_MANY, _HANDS = 3, 2


@dataclass(frozen=True, eq=False)
class Reading:
    """Everyone that was looked for in a frame.

    Attributes:
        poses: One row for each region, in picture pixels.
        there: (N,) whether the person is there at all.
        anchors: (N, A, 2) picture pixels, or None.
    """

    poses: Poses
    there: npt.NDArray[np.bool_]
    anchors: FloatArray | None


def read_regions(reader: CropModel, frame: Frame, regions: list[Affine]) -> Reading:
    """Read the person in each region of a frame, all crops in one go."""
    known: dict[str, Any] = {"index": frame.index, "time": frame.time, "size": frame.size}
    if not regions:
        nobody = Poses.empty(reader.skeleton, **known)
        return Reading(nobody, np.zeros(0, bool), None)
    crops = cut_all(reader, frame.image, regions)
    read = reader.read(np.stack(crops) if len(crops) > 1 else crops[0][None])
    back = np.stack([invert(region) for region in regions])
    poses = Poses(
        reader.skeleton,
        _place(back, read.keypoints),
        read.scores,
        xyz=None if read.xyz is None else _turn(back, read.xyz),
        person_scores=read.presence,
        **known,
    )
    anchors = None if read.anchors is None else _place(back, read.anchors)
    return Reading(poses, _present(reader, read), anchors)


def cut_all(reader: CropModel, image: Image, regions: list[Affine]) -> list[Image]:
    """Return the crop of each region, in order; several people's are cut side by side.

    Cutting eight one after the other took 5.5 ms, an eighth of what reading them took.
    """
    if len(regions) < _MANY:
        return [reader.cut(image, region) for region in regions]
    with ThreadPoolExecutor(_HANDS, thread_name_prefix="poise-cut") as pool:
        return list(pool.map(lambda region: reader.cut(image, region), regions))


def distinct(
    poses: Poses, there: npt.NDArray[np.bool_], *, claims: FloatArray | None = None
) -> npt.NDArray[np.int64]:
    """Return the rows of those who are there, without a second reading of the same person.

    Of two poses that are more alike than ``SAME_POSE`` (OKS), the one with the larger claim
    stays, and of equal claims the first. A hand is the same whether it was read as a left or as a
    right one.

    Args:
        poses: One row for each region.
        there: (N,) whether anybody is there.
        claims: (N,) how sure it is that the pose is of the person who was looked for.
    """
    rows = np.flatnonzero(there)
    if len(rows) < 2:
        return rows
    few = _fold(poses.keypoints[rows], poses.skeleton.flip)
    alike = oks(few, few, box_area(poses.boxes[rows]), poses.skeleton.sigmas)
    order = np.arange(len(rows)) if claims is None else np.argsort(-claims[rows], kind="stable")
    kept: list[int] = []
    for row in order:
        if not kept or alike[row, kept].max() <= SAME_POSE:
            kept.append(int(row))
    chosen: npt.NDArray[np.int64] = np.sort(rows[kept])
    return chosen


class Unite(Protocol):
    """Leaves one pose of each person who was read, maybe more than once."""

    def __call__(
        self, poses: Poses, there: npt.NDArray[np.bool_], *, claims: FloatArray | None = None
    ) -> tuple[npt.NDArray[np.int64], Poses]:
        """Return the rows of those who are there, ascending, and their poses.

        Args as `distinct`.
        """


def one_each(
    poses: Poses, there: npt.NDArray[np.bool_], *, claims: FloatArray | None = None
) -> tuple[npt.NDArray[np.int64], Poses]:
    """Return the rows that are `distinct`, and their poses as they were read."""
    rows = distinct(poses, there, claims=claims)
    return rows, poses if len(rows) == len(poses) else poses.select(rows)


def _fold(keypoints: FloatArray, flip: npt.NDArray[np.int64]) -> FloatArray:
    """Let people of whom one side alone is there, as hands are, have both sides in one place."""
    there = np.isfinite(keypoints[..., 0])
    one_sided = (there != there[:, flip]).all(axis=1)
    if not one_sided.any():
        return keypoints
    folded: FloatArray = np.where(
        (one_sided[:, None] & ~there)[..., None], keypoints[:, flip], keypoints
    )
    return folded


def _present(reader: CropModel, read: CropPoses) -> npt.NDArray[np.bool_]:
    there: npt.NDArray[np.bool_] = read.presence >= reader.minimum_presence
    return there


def _place(back: npt.NDArray[np.float64], points: FloatArray) -> FloatArray:
    placed = points @ back[:, :, :2].transpose(0, 2, 1) + back[:, None, :, 2]
    return placed.astype(np.float32)


def _turn(back: npt.NDArray[np.float64], xyz: FloatArray) -> FloatArray:
    """Turn (N, K, 3) metres from the crop's frame back into the picture's."""
    turn = back[:, :, :2]
    turn = turn / np.sqrt(np.abs(np.linalg.det(turn)))[:, None, None]
    turned = xyz.copy()
    turned[..., :2] = xyz[..., :2] @ turn.transpose(0, 2, 1)
    return turned


def region_boxes(regions: list[Affine], size: tuple[int, int]) -> FloatArray:
    """Return (N, 4) the upright boxes around regions, in picture pixels."""
    width, height = size
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]], float)
    boxes = np.zeros((len(regions), 4), np.float32)
    for box, region in zip(boxes, regions, strict=True):
        back = invert(region)
        points = corners @ back[:, :2].T + back[:, 2]
        box[:2], box[2:] = points.min(axis=0), points.max(axis=0)
    return boxes
