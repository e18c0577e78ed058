"""Where the hands and faces of known bodies are, and what is read there.

The rules are those of the graphs ``hand_landmarks_from_pose`` and ``face_landmarks_from_pose`` of
``mediapipe/modules/holistic_landmark``, and of its ``RoiTrackingCalculator`` (MediaPipe 0.10.21,
Apache-2.0). A region is given by its ends (``blaze``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from poise.geometry import Affine, invert, transform
from poise.models.base import CropModel
from poise.models.blaze import check, cut, square_regions, squares
from poise.poses import FloatArray, Image, Poses, bounding_boxes
from poise.runtime import Session

# Points of a hand and of a face.
HAND, FACE = 21, 478
IntArray = npt.NDArray[np.int64]
# Body points of each hand: wrist, knuckle of the little finger, knuckle of the forefinger.
_HANDS = ((15, 17, 19), (16, 18, 20))
# Body points of the face, and of those the right and the left eye.
_HEAD, _EYES = 11, (5, 2)
# A wrist that is seen less surely than this has no hand.
_VISIBLE = 0.1


@dataclass(frozen=True, eq=False)
class Seen:
    """The hands of one side, or the faces, that were read in one frame.

    Attributes:
        rows: (M,) whose they are: row numbers of the bodies.
        points: (M, K, 2) picture pixels.
        presence: (M,) how sure it is that they are there, 0..1.
        xyz: (M, K, 3) metres, in the picture's frame.
        ends: (M, 2, 2) where the next frame should look for them.
    """

    rows: IntArray
    points: FloatArray
    presence: FloatArray
    xyz: FloatArray
    ends: FloatArray

    @classmethod
    def nothing(cls, count: int) -> Seen:
        """Return that nothing was read of what has so many points."""
        shapes = ((0, count, 2), (0,), (0, count, 3), (0, 2, 2))
        none = [np.zeros(shape, np.float32) for shape in shapes]
        return cls(np.zeros(0, np.int64), *none)


@dataclass(frozen=True)
class Limits:
    """How far a region may be from where the body says it is, to be read again.

    Attributes:
        turn: Degrees between the two.
        move: Between their middles, along each axis, by the side of the body's.
        scale: Between their sides, by the side of the body's.
        margin: How much larger the body's region is than the one that must hold all points of the
            last frame.
    """

    turn: float
    move: float
    scale: float
    margin: float


HAND_LIMITS = Limits(turn=40.0, move=0.2, scale=0.4, margin=0.1)
FACE_LIMITS = Limits(turn=15.0, move=0.1, scale=0.3, margin=0.2)


class HandModel(CropModel, Protocol):
    """A crop model of hands that can be told which hand it is."""

    def read_either(self, crops: Image) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Return points, presence, how surely it is a right hand, and metres of each crop."""


class FaceLooker(Protocol):
    """A detector that can look at turned parts of pictures."""

    input_side: int

    def find(self, images: list[Image], maps: list[Affine]) -> list[tuple[FloatArray, FloatArray]]:
        """Return the box and points, and the score, of each detection; best first."""


Ends = Callable[[FloatArray], FloatArray]


class HandFinder:
    """Finds and reads the hands of bodies.

    Args:
        recrop: ``hand_recrop.tflite``: it aims more exactly at the hand that its picture shows.
        reader: Reads a hand.
        ends: Returns where the next frame should look, of (N, 21, 2) points.
    """

    def __init__(self, recrop: Session, reader: HandModel, ends: Ends) -> None:
        self._recrop, self._reader, self._ends = recrop, reader, ends
        side = recrop.input_shapes[0][1]
        self._size = (side, side)

    def read(self, image: Image, bodies: Poses, before: tuple[Seen, Seen]) -> tuple[Seen, Seen]:
        """Return the left and the right hands of bodies.

        Args:
            image: The picture.
            bodies: In the layout ``blazepose33``.
            before: The left and right hands of the last frame.
        """
        rows = [np.flatnonzero(bodies.scores[:, points[0]] > _VISIBLE) for points in _HANDS]
        counts = [len(some) for some in rows]
        if not sum(counts):
            return Seen.nothing(HAND), Seen.nothing(HAND)
        pairs = zip(rows, _HANDS, strict=True)
        aims = np.concatenate([hand_aims(bodies.keypoints[some][:, pts]) for some, pts in pairs])
        aims = self._aim_again(image, aims)
        left, right = np.split(aims, [counts[0]])
        ends = np.concatenate(
            [keep(aim, seen, HAND_LIMITS) for aim, seen in zip((left, right), before, strict=True)]
        )
        seen = self._read(image, ends, np.concatenate(rows))
        there = seen.presence >= self._reader.minimum_presence
        sides = np.arange(len(ends)) < counts[0]
        return _select(seen, there & sides), _select(seen, there & ~sides)

    def _aim_again(self, image: Image, aims: FloatArray) -> FloatArray:
        regions = square_regions(aims, self._size)
        crops = np.stack([cut(image, region, self._size, pad=None) for region in regions])
        (found,) = self._recrop.run(crops)
        check([found], [(1, 1, 4)])
        pairs = zip(regions, found.reshape(-1, 2, 2), strict=True)
        placed = np.stack([transform(invert(region), points) for region, points in pairs])
        # The network's second point lies towards the wrist.
        away = placed[:, 0] - placed[:, 1]
        sizes = np.repeat(2 * np.linalg.norm(away, axis=1, keepdims=True), 2, axis=1)
        return squares((placed[:, 0], sizes), away, scale=1.0, shift=0.1)

    def _read(self, image: Image, ends: FloatArray, rows: IntArray) -> Seen:
        regions = square_regions(ends, self._reader.size)
        crops = np.stack([self._reader.cut(image, region) for region in regions])
        points, presence, _, metres = self._reader.read_either(crops)
        placed, turned = _place(regions, points), _turn(regions, metres)
        return Seen(rows, placed, presence, turned, self._ends(placed))


class FaceFinder:
    """Finds and reads the faces of bodies.

    Args:
        detector: Finds a face in the part of the picture where a head is.
        reader: Reads a face.
        ends: Returns where the next frame should look, of (N, 478, 2) points.
    """

    def __init__(self, detector: FaceLooker, reader: CropModel, ends: Ends) -> None:
        self._detector, self._reader, self._ends = detector, reader, ends

    def read(self, image: Image, bodies: Poses, before: Seen) -> Seen:
        """Return the faces of bodies; ``before`` are those of the last frame."""
        side = (self._detector.input_side, self._detector.input_side)
        maps = square_regions(head_aims(bodies.keypoints), side)
        found = self._detector.find([image] * len(maps), maps)
        rows = np.array([row for row, (points, _) in enumerate(found) if len(points)], np.int64)
        if not len(rows):
            return Seen.nothing(FACE)
        aims = face_aims(np.stack([found[row][0][0, 2:] for row in rows]))
        ends = keep(aims, before, FACE_LIMITS)
        regions = square_regions(ends, self._reader.size)
        read = self._reader.read(np.stack([self._reader.cut(image, r) for r in regions]))
        points = _place(regions, read.keypoints)
        none = np.full((*points.shape[:2], 3), np.nan, np.float32)
        seen = Seen(rows, points, read.presence, none, self._ends(points))
        return _select(seen, seen.presence >= self._reader.minimum_presence)


def hand_aims(points: FloatArray) -> FloatArray:
    """Return (N, 2, 2) the ends of where hands are, of (N, 3, 2) wrist, little and forefinger."""
    wrist, little, fore = points.swapaxes(0, 1)
    middle = (2 * fore + little) / 3
    up = middle - wrist
    sizes = np.repeat(2 * np.linalg.norm(up, axis=1, keepdims=True), 2, axis=1)
    return squares((middle, sizes), up, scale=2.7, shift=0.1)


def head_aims(keypoints: FloatArray) -> FloatArray:
    """Return (N, 2, 2) the ends of where heads are, of (N, 33, 2) bodies."""
    right, left = keypoints[:, _EYES].swapaxes(0, 1)
    return _around(keypoints[:, :_HEAD], right, left, scale=3.0)


def face_aims(points: FloatArray) -> FloatArray:
    """Return (N, 2, 2) the ends of where faces are, of the (N, 6, 2) points of a face detector."""
    return _around(points, points[:, 0], points[:, 1], scale=2.0, shift=0.1)


def keep(aims: FloatArray, before: Seen, limits: Limits) -> FloatArray:
    """Return where to look: where something was in the last frame, if that is near enough.

    Args:
        aims: (N, 2, 2) where the bodies say it is.
        before: What was seen in the last frame, of whomever.
        limits: What is near enough.
    """
    if not len(before.rows) or not len(aims):
        return aims
    middles, side, axes = _frame(aims)
    known, known_side, known_axes = _frame(before.ends)
    across = np.abs(np.einsum("nij,nmj->nmi", axes, known[None] - middles[:, None]))
    turned = np.einsum("nj,mj->nm", axes[:, 1], known_axes[:, 1])
    near = np.degrees(np.arccos(np.clip(turned, -1, 1))) <= limits.turn
    near &= (across <= limits.move * side[:, None, None]).all(axis=2)
    near &= np.abs(known_side[None] - side[:, None]) <= limits.scale * side[:, None]
    away = before.points[None] - middles[:, None, None]
    inside = np.abs(np.einsum("nij,nmkj->nmki", axes, away))
    near &= (inside < side[:, None, None, None] * (1 - limits.margin) / 2).all(axis=(2, 3))
    distance = np.where(near, across.sum(axis=2), np.inf)
    nearest = distance.argmin(axis=1)
    kept: FloatArray = np.where(near.any(axis=1)[:, None, None], before.ends[nearest], aims).astype(
        np.float32
    )
    return kept


def _around(
    points: FloatArray, right: FloatArray, left: FloatArray, *, scale: float, shift: float = 0.0
) -> FloatArray:
    """Return the ends of squares of the size of upright boxes around points, turned by the eyes."""
    boxes, across = bounding_boxes(points), left - right
    up = np.stack([across[:, 1], -across[:, 0]], axis=1)
    middles, sizes = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
    return squares((middles, sizes), up, scale=scale, shift=shift)


def _frame(ends: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return (N, 2) middles, (N,) sides and (N, 2, 2) axes (right, down) of squares."""
    down = ends[:, 0] - ends[:, 1]
    half = np.maximum(np.linalg.norm(down, axis=1), 1e-6)
    unit = down / half[:, None]
    axes = np.stack([np.stack([unit[:, 1], -unit[:, 0]], axis=1), unit], axis=1)
    return ends[:, 0], 2 * half, axes


def _place(regions: list[Affine], points: FloatArray) -> FloatArray:
    pairs = zip(regions, points, strict=True)
    return np.stack([transform(invert(region), some) for region, some in pairs])


def _turn(regions: list[Affine], metres: FloatArray) -> FloatArray:
    """Turn metres from the crops' frames into the picture's."""
    turn = np.stack([invert(region)[:, :2] for region in regions])
    turn = turn / np.sqrt(np.abs(np.linalg.det(turn)))[:, None, None]
    turned = metres.copy()
    turned[..., :2] = metres[..., :2] @ turn.transpose(0, 2, 1)
    return turned


def _select(seen: Seen, mask: npt.NDArray[np.bool_]) -> Seen:
    return Seen(
        seen.rows[mask], seen.points[mask], seen.presence[mask], seen.xyz[mask], seen.ends[mask]
    )
