"""BlazePose: a detector that finds how a body lies, and a network that reads 33 keypoints from it.

The networks and the numbers here (anchors, thresholds, margins, refinement) are those of the graphs
``mediapipe/modules/pose_detection`` and ``mediapipe/modules/pose_landmark`` of MediaPipe 0.10.21
(Apache-2.0). The code is our own.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Unpack

import numpy as np

from poise.crop import planar
from poise.errors import ModelError
from poise.geometry import Affine
from poise.models.base import CropPoses, Detections
from poise.models.blaze import BlazeDetector, cut, square_regions
from poise.models.card import Card
from poise.poses import FloatArray, Image, Poses
from poise.runtime import Compute, Pixels, Session, engine
from poise.skeleton import get_skeleton

# The margin around a body that the landmark network was trained with.
MARGIN = 1.25
# Cells of the refinement's square window on each side of a keypoint, crop pixels of a cell, and
# the least certainty.
_REACH = 3
_CELL = np.float32(4)
_CERTAIN = 0.5


class BlazePoseDetector(BlazeDetector):
    """Finds everyone in a picture, by face, hip centre and the circle around the whole body.

    ``Detections.anchors`` holds the hip centre and a point above the head: on the circle around
    the body, in the direction in which it stands. ``boxes`` are the squares around that circle.
    The session is that of ``pose_detection.tflite``; what overlaps is judged by the faces.
    """

    layers = ((8, 2), (16, 2), (32, 6))
    points = 4

    def _finish(self, points: FloatArray, scores: FloatArray) -> Detections:
        ends = points[:, 2:4]
        radius = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1)[:, None]
        boxes = np.concatenate([ends[:, 0] - radius, ends[:, 0] + radius], axis=1)
        return Detections(boxes, scores, ends)


class BlazePoseReader:
    """Reads 33 keypoints, and their place in space, from a turned square around one person.

    ``scores`` are MediaPipe's visibility: how likely the keypoint is in the picture and not
    hidden. ``presence`` is the network's own answer to whether a person is there.
    """

    def __init__(self, session: Session) -> None:
        side = session.input_shapes[0][1]
        self._session = session
        self.size = (side, side)
        self.skeleton = get_skeleton("blazepose33")
        self.precision = session.precision
        self.minimum_presence = 0.5

    def regions(self, detections: Detections) -> list[Affine]:
        """Return the map from picture to crop for each detection."""
        ends = _stand(detections.boxes) if detections.anchors is None else detections.anchors
        return square_regions(ends, self.size, margin=MARGIN)

    def next_regions(self, poses: Poses, anchors: FloatArray | None) -> list[Affine]:
        """Return the map from picture to crop for each person of the last frame."""
        ends = _stand(poses.boxes) if anchors is None else anchors
        return square_regions(ends, self.size, margin=MARGIN)

    def cut(self, image: Image, region: Affine) -> Image:
        """Return one region of a picture as a crop; beyond the picture, its edge is repeated."""
        return cut(image, region, self.size, pad=None)

    def read(self, crops: Image) -> CropPoses:
        """Read (N, height, width, 3) uint8 RGB crops, all in one go."""
        points, scores, presence, world = self._session.run(crops)
        return CropPoses(points[:, :33], scores, presence[:, 0], world, points[:, 33:])


def load(
    card: Card, paths: Sequence[Path], **compute: Unpack[Compute]
) -> BlazePoseDetector | BlazePoseReader:
    """Return the detector or the landmark network that a card describes."""
    pixels = Pixels(card.mean, card.std, card.channels, card.layout, planar=planar())
    if card.kind == "detector":
        session = Session(paths, pixels=pixels, **compute)
        if min(session.input_shapes[0][1:]) < 1:
            raise ModelError("its input has no fixed size", where=f"card {card.name}")
        return BlazePoseDetector(session)
    # Without the third output, the segmentation.
    outputs = ("Identity", "Identity_1", "Identity_3", "Identity_4")
    session = Session(paths, outputs=outputs, streams=2, pixels=pixels, then=_finish, **compute)
    return BlazePoseReader(session)


def _finish(outputs: list[Any]) -> list[Any]:
    """Make of the network's outputs for one crop what ``CropPoses`` holds.

    That is (1, 35, 2) crop pixels, 33 keypoints and the two points that the next region is made
    of; (1, 33) visibility; (1, 1) presence; and (1, 33, 3) metres.
    """
    op = engine().opset8

    landmarks, presence, heat, world = outputs
    rows = op.reshape(landmarks, np.array([-1, 5]), False)
    points = refine(_part(op, rows, (0, 0), (35, 2)), heat)
    scores = op.sigmoid(op.reshape(_part(op, rows, (0, 3), (33, 4)), np.array([1, 33]), False))
    metres = _part(op, op.reshape(world, np.array([-1, 3]), False), (0, 0), (33, 3))
    first = np.int32(0)
    return [
        op.unsqueeze(points, first),
        scores,
        op.clamp(presence, 0, 1),
        op.unsqueeze(metres, first),
    ]


def _part(op: Any, rows: Any, first: tuple[int, int], end: tuple[int, int]) -> Any:
    return op.slice(rows, np.array(first), np.array(end), np.array([1, 1]))


def refine(points: Any, heat: Any) -> Any:
    """Move keypoints to the weighted middle of the heat map around them.

    Where the map's sigmoid reaches 0.5 within 7 x 7 cells of a keypoint, the keypoint becomes the
    mean of those cells' places, weighted by the sigmoid; a cell's place is its column and row
    times the cell's size (MediaPipe's RefineLandmarksFromHeatmapCalculator). The engine does it
    as part of the network: numpy took 0.3 ms right after it.

    Args:
        points: Node of (K, 2) crop pixels.
        heat: Node of (1, h, w, at least K) logits.

    Returns:
        Node of (K, 2) crop pixels.
    """
    op = engine().opset8

    count, (_, height, width, depth) = points.shape[0], heat.shape
    zero, one, two = np.int32(0), np.int32(1), np.int32(2)
    last = np.array([[width - 1], [height - 1]], np.int32)
    middle = op.unsqueeze(op.convert(op.divide(points, _CELL), "i32"), two)
    # (K, 2, 7): the columns and rows of the window, and of its part that is in the map.
    cells = op.add(middle, np.arange(-_REACH, _REACH + 1, dtype=np.int32))
    near = op.minimum(op.maximum(cells, zero), last)
    inside = op.convert(op.equal(cells, near), "f32")
    row = op.multiply(op.gather(near, one, one), np.int32(width))
    place = op.add(op.unsqueeze(row, two), op.unsqueeze(op.gather(near, zero, one), one))
    layer = np.arange(count, dtype=np.int32)[:, None, None]
    place = op.add(op.multiply(place, np.int32(depth)), layer)
    weight = op.sigmoid(op.gather(op.reshape(heat, np.array([-1]), False), place, zero))
    weight = op.multiply(weight, op.unsqueeze(op.gather(inside, one, one), two))
    weight = op.multiply(weight, op.unsqueeze(op.gather(inside, zero, one), one))
    sums = [op.reduce_sum(weight, np.array([axis]), True) for axis in (1, 2)]
    sums[1] = op.transpose(sums[1], np.array([0, 2, 1]))
    moments = op.multiply(op.concat(sums, 1), op.convert(cells, "f32"))
    total = op.maximum(op.reduce_sum(weight, np.array([1, 2]), False), np.float32(1e-9))
    mean = op.divide(op.reduce_sum(moments, np.array([2]), False), op.unsqueeze(total, one))
    certain = op.greater_equal(op.reduce_max(weight, np.array([1, 2]), False), np.float32(_CERTAIN))
    known = op.reduce_min(op.gather(inside, np.int32(_REACH), two), np.array([1]), False)
    sure = op.logical_and(certain, op.greater(known, np.float32(0)))
    return op.select(op.unsqueeze(sure, one), op.multiply(mean, _CELL), points)


def _stand(boxes: FloatArray) -> FloatArray:
    """Return (N, 2, 2) hip centre and top of the body circle of people who stand in boxes.

    For detectors that know no more than boxes. The circle is a tenth larger than the box.
    """
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    radius = 0.55 * (boxes[:, 2:] - boxes[:, :2]).max(axis=1)
    top = middle - np.stack([np.zeros_like(radius), radius], axis=1)
    return np.stack([middle, top], axis=1)
