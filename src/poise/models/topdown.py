"""Top-down models: a detector finds people, a crop model reads each of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from poise.geometry import Affine, invert, transform
from poise.models.base import CropModel, CropPoses, Detector, PoseModel
from poise.poses import FloatArray, Frame, Poses


class TopDown(PoseModel):
    """A detector and a crop model as one pose model."""

    def __init__(self, detector: Detector, crop_model: CropModel, *, name: str) -> None:
        self._detector, self._reader = detector, crop_model
        self.name, self.skeleton = name, crop_model.skeleton
        self.precision = crop_model.precision

    def estimate(self, frames: Sequence[Frame]) -> list[Poses]:
        """Return everyone in each of several unrelated pictures, in order."""
        found = []
        for frame in frames:
            (people,) = self._detector.detect([frame.image])
            found.append(read_regions(self._reader, frame, self._reader.regions(people))[0])
        return found

    def follow(self, frames: Iterable[Frame]) -> Iterator[Poses]:
        """Return everyone in each frame of a video, in order, as soon as it is known."""
        poses: Poses | None = None
        anchors: FloatArray | None = None
        for frame in frames:
            if poses is None or not len(poses) or frame.cut:
                (people,) = self._detector.detect([frame.image])
                regions = self._reader.regions(people)
            else:
                regions = self._reader.next_regions(poses, anchors)
            poses, anchors = read_regions(self._reader, frame, regions)
            yield poses


def read_regions(
    reader: CropModel, frame: Frame, regions: list[Affine]
) -> tuple[Poses, FloatArray | None]:
    """Read the person in each region of a frame; those who are not there are left out."""
    known = {"index": frame.index, "time": frame.time, "size": frame.size}
    if not regions:
        return Poses.empty(reader.skeleton, **known), None
    crops = [reader.cut(frame.image, region) for region in regions]
    read = reader.read(np.stack(crops))
    there = np.flatnonzero(read.presence >= reader.minimum_presence)
    back = [invert(regions[row]) for row in there]
    return _place(reader, read, there, back, known)


def _place(reader, read: CropPoses, there, back, known):
    count = len(reader.skeleton)
    if not len(there):
        return Poses.empty(reader.skeleton, **known), None
    keypoints = np.stack([transform(m, read.keypoints[r]) for r, m in zip(there, back)])
    anchors = None
    if read.anchors is not None:
        anchors = np.stack([transform(m, read.anchors[r]) for r, m in zip(there, back)])
    xyz = None
    if read.xyz is not None:
        xyz = np.stack([_turn(read.xyz[r], m) for r, m in zip(there, back)])
    return (
        Poses(
            reader.skeleton,
            keypoints,
            read.scores[there],
            xyz=xyz,
            person_scores=read.presence[there],
            **known,
        ),
        anchors,
    )


def _turn(xyz: FloatArray, back: Affine) -> FloatArray:
    turn = back[:, :2] / np.sqrt(abs(np.linalg.det(back[:, :2])))
    turned = xyz.copy()
    turned[:, :2] = xyz[:, :2] @ turn.T
    return turned
