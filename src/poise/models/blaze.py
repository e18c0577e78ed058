"""What MediaPipe's detectors and crop networks share: anchors, merging, turned square regions.

The numbers and rules are those of MediaPipe 0.10.21 (Apache-2.0): the graphs of
``mediapipe/modules`` and the calculators ``SsdAnchors``, ``TensorsToDetections``,
``NonMaxSuppression``, ``DetectionsToRects``, ``RectTransformation`` and ``ImageToTensor``. The
code is our own.

A region is given by its ends: the middle of a square, and the middle of its upper side.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from poise.crop import crop
from poise.errors import ModelError
from poise.geometry import Affine, crop_affine, invert, iou, transform
from poise.models.base import Detections
from poise.poses import FloatArray, Image
from poise.runtime import Session


class BlazeDetector(ABC):
    """Finds bodies, palms or faces in whole pictures, or in a turned part of one.

    Each row of the network's first output is a box (middle, width and height) and some points,
    all in input pixels from the row's anchor; its second output holds the logits.

    Args:
        session: The network; its input is a square.
        score: Least score of a detection.
        overlap: Boxes that overlap more (intersection over union) are one detection.

    Attributes:
        layers: Pixels between the anchors of each grid, and the anchors at each place.
        points: Points of a detection besides its box.
        input_side: Width and height of the network's input in pixels.
    """

    layers: tuple[tuple[int, int], ...]
    points: int

    def __init__(self, session: Session, *, score: float = 0.5, overlap: float = 0.3) -> None:
        self._session, self._score, self._overlap = session, score, overlap
        self.input_side = session.input_shapes[0][1]
        self._anchors = ssd_anchors(self.input_side, self.layers)
        self.precision = session.precision

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """Return what is found in each picture, after non-maximum suppression."""
        maps = [_letterbox(image, self.input_side) for image in images]
        return [self._finish(*found) for found in self.find(images, maps)]

    def find(
        self, images: Sequence[Image], maps: Sequence[Affine]
    ) -> list[tuple[FloatArray, FloatArray]]:
        """Return the box and points, and the score, of each detection; best first.

        Args:
            images: The pictures.
            maps: For each, the map from picture to network input; no stretching.

        Returns:
            For each picture (N, 2 + points, 2) picture pixels, where row 0 is the middle of the
            box and row 1 its width and height; and (N,) scores.

        Raises:
            ModelError: The network's outputs are not those of such a detector.
        """
        if not images:
            return []
        size = (self.input_side, self.input_side)
        boxed = [
            cut(image, affine, size, pad=0) for image, affine in zip(images, maps, strict=True)
        ]
        outputs = self._session.run(np.stack(boxed))
        check(outputs, [(len(self._anchors), 4 + 2 * self.points), (len(self._anchors), 1)])
        return [
            self._decode(row, logit[:, 0], invert(affine))
            for row, logit, affine in zip(*outputs, maps, strict=True)
        ]

    def _decode(
        self, rows: FloatArray, logits: FloatArray, back: Affine
    ) -> tuple[FloatArray, FloatArray]:
        scores = sigmoid(logits)
        good = np.flatnonzero(scores >= self._score)
        good = good[np.argsort(-scores[good], kind="stable")]
        points = rows[good].reshape(-1, 2 + self.points, 2).copy()
        sizes = points[:, 1].copy()
        points += self._anchors[good, None]
        points[:, 1] = sizes
        merged, sure = merge(points, scores[good], self._overlap)
        sizes = merged[:, 1] * np.sqrt(np.abs(np.linalg.det(back[:, :2])))
        placed = transform(back, merged)
        placed[:, 1] = sizes
        return placed, sure

    @abstractmethod
    def _finish(self, points: FloatArray, scores: FloatArray) -> Detections:
        """Make detections of what ``find`` returns."""


def check(outputs: Sequence[FloatArray], wanted: Sequence[tuple[int, ...]]) -> None:
    """Raise a `ModelError` unless the outputs, for any number of inputs, have these shapes."""
    came = [output.shape[1:] for output in outputs]
    if came != list(wanted):
        texts = [", ".join(str(("N", *shape)) for shape in shapes) for shapes in (wanted, came)]
        raise ModelError(
            f"the network's outputs should have the shapes {texts[0].replace(chr(39), '')}, "
            f"got {texts[1].replace(chr(39), '')}",
            remedy="are these the weights of this model?",
        )


def square_regions(ends: FloatArray, size: tuple[int, int], *, margin: float = 1.0) -> list[Affine]:
    """Return the map from picture to crop for each square.

    Args:
        ends: (N, 2, 2) middle, and middle of the upper side, of each square in picture pixels.
        size: Width and height of the crop in pixels.
        margin: How much larger than the square the region is.
    """
    return [_square_region(pair, size, margin) for pair in ends]


def _square_region(ends: FloatArray, size: tuple[int, int], margin: float) -> Affine:
    centre, top = ends.astype(float)
    along = top - centre
    side = max(2 * margin * float(np.hypot(*along)), 1.0)
    return crop_affine(centre, (side, side), size, angle=np.arctan2(along[0], -along[1]))


def squares(
    boxes: tuple[npt.ArrayLike, npt.ArrayLike], up: FloatArray, *, scale: float, shift: float = 0.0
) -> FloatArray:
    """Return (N, 2, 2) the ends of the squares that surround turned boxes.

    MediaPipe's ``RectTransformationCalculator`` with ``square_long``.

    Args:
        boxes: (N, 2) middles, and (N, 2) widths and heights along the boxes' own axes.
        up: (N, 2) what is up for each box; of any length.
        scale: A square's side by the longer side of its box.
        shift: By how much of its height each box moves up first.
    """
    middles, sizes = (np.asarray(part, np.float32) for part in boxes)
    length = np.maximum(np.linalg.norm(up, axis=1, keepdims=True), 1e-6)
    unit = np.where(length > 1e-6, up / length, np.array([0, -1], np.float32))
    middles = middles + unit * sizes[:, 1:] * shift
    tops = middles + unit * sizes.max(axis=1, keepdims=True) * (scale / 2)
    ends: FloatArray = np.stack([middles, tops], axis=1).astype(np.float32)
    return ends


def turned_boxes(points: FloatArray, up: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return (N, 2) middles, and (N, 2) widths and heights, of the turned boxes around points.

    Args:
        points: (N, K, 2).
        up: (N, 2) what is up for each box; of any length.
    """
    unit = up / np.maximum(np.linalg.norm(up, axis=1, keepdims=True), 1e-6)
    # Rows: what is right, and what is down.
    axes = np.stack([np.stack([-unit[:, 1], unit[:, 0]], axis=1), -unit], axis=1)
    along = points @ axes.transpose(0, 2, 1)
    low, high = along.min(axis=1), along.max(axis=1)
    middles: FloatArray = (((low + high) / 2)[:, None] @ axes)[:, 0]
    return middles, high - low


def cut(image: Image, affine: Affine, size: tuple[int, int], *, pad: int | None) -> Image:
    """Warp as MediaPipe does, which reads the map from the middles of the first pixels.

    That is half a pixel off on both sides, but the networks learned from such crops: mirrored
    crops show that BlazePose places keypoints a quarter of a crop pixel from the true place either
    way.

    Args:
        image: (H, W, 3) uint8.
        affine: The map from picture to crop.
        size: Width and height of the crop in pixels.
        pad: Grey level of what lies outside the picture, or None to repeat its edge.
    """
    middles = affine.copy()
    middles[:, 2] += 0.5 - affine[:, :2] @ [0.5, 0.5]
    return crop(image, middles, size, pad=pad)


def ssd_anchors(side: int, layers: tuple[tuple[int, int], ...]) -> FloatArray:
    """Return (N, 2) the anchor points in input pixels, grid by grid.

    Args:
        side: Width and height of the input in pixels.
        layers: Pixels between the anchors of each grid, and the anchors at each place.
    """
    anchors = []
    for stride, copies in layers:
        middles = (np.arange(side // stride) + 0.5) * stride
        grid = np.stack(np.meshgrid(middles, middles), axis=-1).reshape(-1, 2)
        anchors.append(np.repeat(grid, copies, axis=0))
    return np.concatenate(anchors).astype(np.float32)


def merge(points: FloatArray, scores: FloatArray, overlap: float) -> tuple[FloatArray, FloatArray]:
    """Merge what says the same thing, best first: the mean of all, weighted by score.

    MediaPipe's weighted non-maximum suppression.

    Args:
        points: (N, P, 2), where row 0 is the middle of the box and row 1 its width and height;
            best first.
        scores: (N,) in 0..1.
        overlap: Boxes that overlap more (intersection over union) are merged.

    Returns:
        (M, P, 2) and the (M,) best score of each.
    """
    half = points[:, 1] / 2
    boxes = np.concatenate([points[:, 0] - half, points[:, 0] + half], axis=1)
    merged, sure, left = [], [], np.arange(len(points))
    while len(left):
        shared = iou(boxes[left[:1]], boxes[left])[0] > overlap
        shared[0] = True
        group = left[shared]
        weight = scores[group][:, None, None]
        merged.append((points[group] * weight).sum(axis=0) / weight.sum())
        sure.append(scores[left[0]])
        left = left[~shared]
    shape = (len(merged), *points.shape[1:])
    return np.array(merged, np.float32).reshape(shape), np.array(sure, np.float32)


def sigmoid(logits: npt.NDArray[np.floating]) -> FloatArray:
    """Return 1 / (1 + exp(-x)), of clipped logits: beyond 80 nothing changes."""
    likely: FloatArray = (1 / (1 + np.exp(-np.clip(logits, -80, 80)))).astype(np.float32)
    return likely


def _letterbox(image: Image, side: int) -> Affine:
    height, width = image.shape[:2]
    longest = max(height, width)
    return crop_affine((width / 2, height / 2), (longest, longest), (side, side))


def upright(boxes: FloatArray, *, scale: float) -> FloatArray:
    """Return (N, 2, 2) the ends of upright squares around (N, 4) boxes x0 y0 x1 y1."""
    up = np.tile(np.array([0, -1], np.float32), (len(boxes), 1))
    middles, sizes = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
    return squares((middles, sizes), up, scale=scale)
