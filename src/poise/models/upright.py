"""Crop models that read one upright person: where they look, on a picture and on the next frame."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from poise.crop import crop
from poise.geometry import Affine, crop_affine
from poise.models.base import CropPoses, Detections
from poise.models.card import Card
from poise.models.steps import card_flag, card_number, wrong_outputs
from poise.poses import FloatArray, Image, Poses
from poise.runtime import Session
from poise.skeleton import get_skeleton

# Of what is left of a person's box when only the keypoints are known: heads and hands reach
# further than eyes and wrists do.
KEYPOINT_MARGIN = 1.22
FOLLOWED_SCORE = 0.2


class UprightModel(ABC):
    """Reads one upright person from each crop; the families say how to read the outputs.

    ``settings`` of the card may hold ``padding``: how much larger than the person's box the region
    is; ``presence``: the least mean score of the keypoints, below which nobody is there; and
    ``flip``: whether each crop is also read mirrored and the two readings averaged, which is one
    to three hundredths of OKS better at twice the cost.

    Args:
        session: The network; it takes uint8 RGB crops.
        card: Its skeleton, input size and settings.

    Attributes:
        skeleton: The layout of the keypoints.
        precision: The number format the device computes in.
        size: Width and height of a crop in pixels.
        minimum_presence: Below it, nobody is there.
    """

    def __init__(self, session: Session, card: Card) -> None:
        self._session, self._name = session, card.name
        self._padding = card_number(card, "padding", 1.25, least=0.1, most=100)
        self._flip = card_flag(card, "flip")
        self.skeleton, self.size = get_skeleton(card.skeleton), card.size
        self.minimum_presence = card_number(card, "presence", 0.2, most=1)
        self.precision = session.precision

    def regions(self, detections: Detections) -> list[Affine]:
        """Return the map from picture to crop for each detection."""
        return [self._region(box) for box in detections.boxes]

    def next_regions(self, poses: Poses, anchors: FloatArray | None) -> list[Affine]:
        """Return the map from picture to crop for each person of the last frame.

        The region is the one around the keypoints whose score is at least ``FOLLOWED_SCORE``.
        """
        return [
            self._region(_keypoint_box(points, scores))
            for points, scores in zip(poses.keypoints, poses.scores, strict=True)
        ]

    def _region(self, box: FloatArray) -> Affine:
        wide, high = self.size
        width, height = np.maximum(box[2:] - box[:2], 1).astype(float)
        # The person's box grows on its short side until it has the crop's proportions.
        region = np.array([max(width, height * wide / high), max(height, width * high / wide)])
        return crop_affine((box[:2] + box[2:]) / 2, region * self._padding, self.size)

    def cut(self, image: Image, region: Affine) -> Image:
        """Return the crop of one region; beyond the picture it is black."""
        return crop(image, region, self.size)

    def read(self, crops: Image) -> CropPoses:
        """Read (N, height, width, 3) uint8 RGB crops, all in one go."""
        if not len(crops):
            count = len(self.skeleton)
            nothing = np.zeros((0, count), np.float32)
            return CropPoses(np.zeros((0, count, 2), np.float32), nothing, nothing[:, 0])
        outputs = self._session.run(crops)
        if self._flip:
            outputs = self._average(outputs, self._session.run(crops[:, :, ::-1]))
        keypoints, scores = self._decode(outputs)
        if len(keypoints) != len(crops):
            # A network of another size that was made to take these crops.
            wanted = f"what it reads from {len(crops)} crops, as many of each output"
            raise wrong_outputs(self._name, wanted, outputs)
        return CropPoses(keypoints, scores, scores.mean(axis=1))

    @abstractmethod
    def _decode(self, outputs: list[FloatArray]) -> tuple[FloatArray, FloatArray]:
        """Return (N, K, 2) crop pixels and (N, K) scores in 0..1."""

    @abstractmethod
    def _average(self, outputs: list[FloatArray], mirrored: list[FloatArray]) -> list[FloatArray]:
        """Turn the reading of the mirrored crops round and take the mean of both."""


def sampling(region: Affine, edge: float) -> Affine:
    """Return the map by which a crop is cut so that a network sees what it was trained on.

    The references warp with OpenCV, whose whole numbers are the middles of pixels, and take the
    annotated places for such numbers. In Poise the middle of the first pixel is 0.5. A region maps
    annotated places to crop places; what is seen there lies half a picture pixel further, and half
    a crop pixel further, too, where the region is not so already. Large people are enlarged less
    than small ones, so that no constant shift of the results would do.

    Args:
        region: From annotated places to crop places.
        edge: Crop place of the region's upper left corner: 0 or 0.5.
    """
    shifted: Affine = region.copy()
    shifted[:, 2] += 0.5 - edge - region[:, :2] @ [0.5, 0.5]
    return shifted


def _keypoint_box(points: FloatArray, scores: FloatArray) -> FloatArray:
    there = np.isfinite(points).all(axis=1)
    sure = there & (scores >= FOLLOWED_SCORE)
    seen = points[sure if np.count_nonzero(sure) > 1 else there]
    if not len(seen):
        return np.zeros(4, np.float32)
    low, high = seen.min(axis=0), seen.max(axis=0)
    middle, half = (low + high) / 2, (high - low) / 2 * KEYPOINT_MARGIN
    box: FloatArray = np.concatenate([middle - half, middle + half])
    return box
