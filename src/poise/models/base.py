"""What every pose model promises, and the two parts that a top-down model is made of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from poise.geometry import Affine
from poise.poses import FloatArray, Frame, Image, Poses
from poise.skeleton import Skeleton


class PoseModel(ABC):
    """Turns pictures into poses. One loaded model serves many clips at once.

    Attributes:
        name: The model's name in the table, such as ``blazepose``.
        skeleton: The layout of its keypoints.
        precision: The number format the device really computes in: ``f32`` or ``bf16``.
    """

    name: str
    skeleton: Skeleton
    precision: str

    def __call__(self, image: Image) -> Poses:
        """Return everyone in one (H, W, 3) uint8 RGB picture."""
        return self.estimate([Frame(image)])[0]

    @abstractmethod
    def estimate(self, frames: Sequence[Frame]) -> list[Poses]:
        """Return everyone in each of several unrelated pictures, in order."""

    def follow(self, frames: Iterable[Frame]) -> Iterator[Poses]:
        """Return everyone in each frame of a video, in order, as soon as it is known.

        A model that can follow people from frame to frame does so here and keeps what it must
        remember in this generator; it starts afresh where ``frame.cut`` is set.
        """
        for frame in frames:
            yield from self.estimate([frame])


@dataclass(frozen=True, eq=False)
class Detections:
    """People found in one picture.

    Attributes:
        boxes: (N, 4) float32 x0 y0 x1 y1 in picture pixels, best first.
        scores: (N,) float32 in 0..1.
        anchors: (N, A, 2) float32 extra points in picture pixels that the crop model turns its
            region by (BlazePose: two alignment points), or None.
    """

    boxes: FloatArray
    scores: FloatArray
    anchors: FloatArray | None = None

    def __len__(self) -> int:
        return len(self.boxes)

    def select(self, rows: npt.ArrayLike) -> Detections:
        """Return only some of the people: row numbers or an (N,) mask."""
        chosen = np.asarray(rows)
        anchors = None if self.anchors is None else self.anchors[chosen]
        return Detections(self.boxes[chosen], self.scores[chosen], anchors)


class Detector(Protocol):
    """Finds people in whole pictures."""

    precision: str

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """Return the people of each picture, after non-maximum suppression."""


@dataclass(frozen=True, eq=False)
class CropPoses:
    """What a crop model read from N crops, in crop pixels (0..width, 0..height; areas).

    Attributes:
        keypoints: (N, K, 2) float32.
        scores: (N, K) float32 in 0..1.
        presence: (N,) float32 in 0..1, how sure it is that a person is there at all.
        xyz: (N, K, 3) float32 metres in the crop's own (turned) frame, or None.
        anchors: (N, A, 2) float32 points that the next region is made of, or None.
    """

    keypoints: FloatArray
    scores: FloatArray
    presence: FloatArray
    xyz: FloatArray | None = None
    anchors: FloatArray | None = None


class CropModel(Protocol):
    """Reads one person from each crop.

    Attributes:
        size: Width and height of a crop in pixels.
        minimum_presence: Below it, nobody is there.
    """

    skeleton: Skeleton
    precision: str
    size: tuple[int, int]
    minimum_presence: float

    def regions(self, detections: Detections) -> list[Affine]:
        """Return the map from picture to crop for each detection."""

    def next_regions(self, poses: Poses, anchors: FloatArray | None) -> list[Affine]:
        """Return the map from picture to crop for each person of the last frame.

        Args:
            poses: The people to follow.
            anchors: (N, A, 2) what ``CropPoses.anchors`` was, in picture pixels.
        """

    def cut(self, image: Image, region: Affine) -> Image:
        """Return the (height, width, 3) uint8 RGB crop of one region (``crop.crop``)."""

    def read(self, crops: Image) -> CropPoses:
        """Read (N, height, width, 3) uint8 RGB crops, all in one go."""
