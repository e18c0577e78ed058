"""Faces: a detector that finds faces, and a network that reads the 478 points of a face mesh.

The networks and the numbers are those of the graphs ``mediapipe/modules/face_detection`` (short
range) and ``mediapipe/modules/face_landmark`` (with attention) of MediaPipe 0.10.21 (Apache-2.0),
as its own ``FaceMesh`` solution runs them with ``refine_landmarks``. The code is our own.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Unpack

import numpy as np

from poise.geometry import Affine
from poise.models.base import CropPoses, Detections
from poise.models.blaze import BlazeDetector, check, cut, sigmoid, square_regions, squares, upright
from poise.models.card import Card
from poise.models.face_attention import REFINED, read_attention
from poise.models.steps import card_pixels
from poise.poses import FloatArray, Image, Poses, bounding_boxes
from poise.runtime import Compute, Session
from poise.skeleton import get_skeleton

POINTS = 478
# The outer corners of the eyes, the person's right one first.
_EYES = (33, 263)
# A region by the box around its face.
_MARGIN = 1.5


class FaceDetector(BlazeDetector):
    """Finds faces in a picture, up to about two metres from the camera.

    ``Detections.anchors`` are the ends of the square around the face, 1.5 times its box and
    turned by the eyes. The points are the eyes (the person's right one first), the tip of the
    nose, the middle of the mouth, and the ears.
    """

    layers = ((8, 2), (16, 6))
    points = 6

    def _finish(self, points: FloatArray, scores: FloatArray) -> Detections:
        middles, sizes = points[:, 0], points[:, 1]
        boxes = np.concatenate([middles - sizes / 2, middles + sizes / 2], axis=1)
        ends = squares((middles, sizes), _above(points[:, 2], points[:, 3]), scale=_MARGIN)
        return Detections(boxes, scores, ends)


class FaceReader:
    """Reads the 478 points of the face mesh from a turned square around one face.

    A keypoint's score is how sure the network is that there is a face.

    Args:
        session: ``face_landmark_with_attention.tflite``, as ``face_attention`` reads it.
    """

    def __init__(self, session: Session) -> None:
        side = session.input_shapes[0][1]
        self._session = session
        self.size = (side, side)
        self.skeleton = get_skeleton("face478")
        self.precision = session.precision
        self.minimum_presence = 0.5

    def regions(self, detections: Detections) -> list[Affine]:
        """Return the map from picture to crop for each detection."""
        ends = detections.anchors
        if ends is None:
            ends = upright(detections.boxes, scale=_MARGIN)
        return square_regions(ends, self.size)

    def next_regions(self, poses: Poses, anchors: FloatArray | None) -> list[Affine]:
        """Return the map from picture to crop for each face of the last frame."""
        return square_regions(self.ends(poses.keypoints), self.size)

    def ends(self, points: FloatArray) -> FloatArray:
        """Return (N, 2, 2) where the next frame should look, of (N, 478, 2) points; see ``blaze``.

        MediaPipe's ``FaceLandmarkLandmarksToRoi``: the upright box around all points, made a
        square, 1.5 times as large, and only then turned by the outer corners of the eyes.
        """
        boxes = bounding_boxes(points)
        middles, sizes = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
        return squares((middles, sizes), _above(*points[:, _EYES].swapaxes(0, 1)), scale=_MARGIN)

    def cut(self, image: Image, region: Affine) -> Image:
        """Return one region of a picture as a crop; beyond the picture, its edge is repeated."""
        return cut(image, region, self.size, pad=None)

    def read(self, crops: Image) -> CropPoses:
        """Read (N, height, width, 3) uint8 RGB crops, all in one go.

        Raises:
            ModelError: The network's outputs are not those of a face mesh.
        """
        outputs = self._session.run(crops)
        sizes = [2 * len(numbers) for _, numbers in REFINED]
        check(outputs, [(1, 1, size) for size in (3 * 468, *sizes, 1)])
        mesh, *parts, logits = [output.reshape(len(crops), -1) for output in outputs]
        points = np.empty((len(crops), POINTS, 2), np.float32)
        points[:, :468] = mesh.reshape(-1, 468, 3)[..., :2]
        for (_, numbers), part in zip(REFINED, parts, strict=True):
            points[:, numbers] = part.reshape(-1, len(numbers), 2)
        presence = sigmoid(logits[:, 0])
        return CropPoses(points, np.repeat(presence[:, None], POINTS, axis=1), presence)


def load(
    card: Card, paths: Sequence[Path], **compute: Unpack[Compute]
) -> FaceDetector | FaceReader:
    """Return the detector or the landmark network that a card describes."""
    if card.kind == "detector":
        return FaceDetector(Session(paths, pixels=card_pixels(card), **compute))
    return FaceReader(read_attention(paths[0], **compute))


def _above(right: FloatArray, left: FloatArray) -> FloatArray:
    """Return (N, 2) what is up for a face with such eyes, the person's right and left one."""
    across = left - right
    up: FloatArray = np.stack([across[:, 1], -across[:, 0]], axis=1)
    return up
