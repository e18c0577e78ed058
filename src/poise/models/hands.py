"""Hands: a detector that finds palms, and a network that reads 21 points of one hand, in 3D.

The networks and the numbers are those of the graphs ``mediapipe/modules/palm_detection`` and
``mediapipe/modules/hand_landmark`` of MediaPipe 0.10.21 (Apache-2.0), as its own ``Hands`` solution
runs them. The code is our own.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Unpack

import numpy as np
import numpy.typing as npt

from poise.geometry import Affine
from poise.models.base import CropPoses, Detections
from poise.models.blaze import (
    BlazeDetector,
    check,
    cut,
    square_regions,
    squares,
    turned_boxes,
    upright,
)
from poise.models.card import Card
from poise.models.steps import card_pixels
from poise.poses import FloatArray, Image, Poses
from poise.runtime import Compute, Session
from poise.skeleton import get_skeleton

# Points of one hand; the left one comes first in the layout of both.
POINTS = 21
# The points of a hand that stay together however its fingers are bent.
_PALM = (0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18)
# How much larger than the box around all 21 points the region is, where only that is known.
_BOX_MARGIN = 1.5


class PalmDetector(BlazeDetector):
    """Finds palms in a picture.

    ``Detections.anchors`` are the ends of the square around the whole hand, fingertips up: 2.6
    times the palm, moved by half a palm along the line from the wrist to the middle finger.
    ``boxes`` are the upright squares of that size: readings of one hand share most of them.
    """

    layers = ((8, 2), (16, 6))
    points = 7

    def _finish(self, points: FloatArray, scores: FloatArray) -> Detections:
        up = points[:, 4] - points[:, 2]
        ends = squares((points[:, 0], points[:, 1]), up, scale=2.6, shift=0.5)
        half = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1, keepdims=True)
        boxes = np.concatenate([ends[:, 0] - half, ends[:, 0] + half], axis=1)
        return Detections(boxes, scores, ends)


class HandReader:
    """Reads 21 points, and their place in space, from a turned square around one hand.

    The layout is that of both hands, and the keypoints of the hand that it is not are absent: so
    the names say whether it is the left or the right one. A keypoint's score is how sure the
    network is that there is a hand. Metres have their origin in the middle of the hand.

    Args:
        session: ``hand_landmark_full.tflite`` or ``hand_landmark_lite.tflite``.
    """

    def __init__(self, session: Session) -> None:
        side = session.input_shapes[0][1]
        self._session = session
        self.size = (side, side)
        self.skeleton = get_skeleton("hands42")
        self.precision = session.precision
        self.minimum_presence = 0.5

    def regions(self, detections: Detections) -> list[Affine]:
        """Return the map from picture to crop for each detection."""
        ends = detections.anchors
        if ends is None:
            ends = upright(detections.boxes, scale=_BOX_MARGIN)
        return square_regions(ends, self.size)

    def next_regions(self, poses: Poses, anchors: FloatArray | None) -> list[Affine]:
        """Return the map from picture to crop for each hand of the last frame."""
        return square_regions(self.ends(one_hand(poses.keypoints)), self.size)

    def ends(self, points: FloatArray) -> FloatArray:
        """Return (N, 2, 2) where the next frame should look, of (N, 21, 2) points; see ``blaze``.

        MediaPipe's ``HandLandmarksToRectCalculator``: what is up goes from the wrist to the
        knuckles, the middle one as heavy as its two neighbours together.
        """
        knuckles = (points[:, 5] + points[:, 13]) / 4 + points[:, 9] / 2
        up = np.asarray(knuckles - points[:, 0], np.float32)
        return squares(turned_boxes(points[:, _PALM], up), up, scale=2.0, shift=0.1)

    def cut(self, image: Image, region: Affine) -> Image:
        """Return one region of a picture as a crop; beyond the picture, its edge is repeated."""
        return cut(image, region, self.size, pad=None)

    def read(self, crops: Image) -> CropPoses:
        """Read (N, height, width, 3) uint8 RGB crops, all in one go.

        Raises:
            ModelError: The network's outputs are not those of a hand.
        """
        points, presence, right, world = self.read_either(crops)
        left = np.asarray(right < 0.5)
        scores = np.repeat(presence[:, None], 2 * POINTS, axis=1)
        return CropPoses(_both(points, left), scores, presence, _both(world, left))

    def read_either(self, crops: Image) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Read crops, whichever hand they show.

        Returns:
            (N, 21, 2) crop pixels, (N,) how sure it is that there is a hand, (N,) that it is a
            right one, and (N, 21, 3) metres from the hand's middle in the crop's own frame.
        """
        outputs = self._session.run(crops)
        check(outputs, [(3 * POINTS,), (1,), (1,), (3 * POINTS,)])
        points, presence, right, world = outputs
        places = points.reshape(-1, POINTS, 3)[..., :2].copy()
        return places, presence[:, 0], right[:, 0], world.reshape(-1, POINTS, 3)


def load(
    card: Card, paths: Sequence[Path], **compute: Unpack[Compute]
) -> PalmDetector | HandReader:
    """Return the detector or the landmark network that a card describes."""
    pixels = card_pixels(card)
    if card.kind == "detector":
        return PalmDetector(Session(paths, pixels=pixels, **compute))
    return HandReader(Session(paths, streams=2, pixels=pixels, **compute))


def one_hand(keypoints: FloatArray) -> FloatArray:
    """Return the (N, 21, ...) points of the hand that is there, of (N, 42, ...) of both."""
    left, right = keypoints[:, :POINTS], keypoints[:, POINTS:]
    there = np.isfinite(left[:, 0, 0])
    hand: FloatArray = np.where(there[:, None, None], left, right)
    return hand


def _both(points: FloatArray, left: npt.NDArray[np.bool_]) -> FloatArray:
    """Put the points of one hand where the layout of both has them."""
    both = np.full((len(points), 2 * POINTS, points.shape[2]), np.nan, np.float32)
    both[left, :POINTS] = points[left]
    both[~left, POINTS:] = points[~left]
    return both
