"""MoveNet: one person or six from a whole picture by one network (Google, 2021).

The single-pose networks (Lightning 192x192, Thunder 256x256) answer (1, 1, 17, 3): y, x and score
of each COCO keypoint, y and x as parts of the input. On video each frame is cut by the published
smart crop, made of the last frame's keypoints. They also read the square crops of a detector.
MultiPose answers (1, 6, 56): 17 times y, x, score, then the box as y, x, y, x, and its score.

All constants are of tfjs-models, pose-detection/src/movenet (constants, crop_utils, detector).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Unpack

import numpy as np
import numpy.typing as npt

from poise.crop import crop
from poise.errors import ModelError, suggest
from poise.geometry import crop_affine
from poise.models.base import CropPoses, PoseModel
from poise.models.card import Card
from poise.models.regions import read_regions
from poise.models.steps import card_number, card_pixels
from poise.models.upright import UprightModel
from poise.poses import FloatArray, Frame, Image, Poses
from poise.runtime import Compute, Session
from poise.skeleton import get_skeleton

Box = npt.NDArray[np.float64]

SURE = 0.2
_PRESENCE = 0.25
_KEYPOINTS, _ROW = 17, 56
_SHOULDERS, _HIPS = [5, 6], [11, 12]
# How far the region reaches from the middle of the hips, over the reach of torso and body.
_TORSO_REACH, _BODY_REACH = 1.9, 1.2
_NEW_SHARE = 0.9
# MultiPose takes sides that are a multiple of this.
_STEP = 32
_OUTPUTS = ("single", "multi")


def centre_box(size: tuple[int, int]) -> Box:
    """Return the largest square in the middle of a picture, x0 y0 x1 y1 in pixels."""
    return _square(np.array(size) / 2, min(size) / 2)


def whole_box(size: tuple[int, int]) -> Box:
    """Return the square around a whole picture, x0 y0 x1 y1; it reaches beyond the short side."""
    return _square(np.array(size) / 2, max(size) / 2)


def next_box(points: FloatArray, scores: FloatArray, size: tuple[int, int]) -> Box:
    """Return where the smart crop looks for a person in the next frame.

    A square around the middle of the hips. It reaches 1.9 times as far as the torso and 1.2 times
    as far as the keypoints that are sure (score 0.2), along either axis. Where no hip or no
    shoulder is sure, or it would be larger than the picture, it is the whole picture.

    Args:
        points: (17, 2) COCO keypoints of the last frame in picture pixels.
        scores: (17,).
        size: Width and height of the picture.
    """
    if not ((scores[_HIPS] > SURE).any() and (scores[_SHOULDERS] > SURE).any()):
        return whole_box(size)
    places = points.astype(float)
    middle = places[_HIPS].mean(axis=0)
    away = np.abs(places - middle)
    torso = away[_SHOULDERS + _HIPS].max()
    body = away[scores >= SURE].max()
    border = max(middle.max(), (np.array(size) - middle).max())
    half = min(max(_TORSO_REACH * torso, _BODY_REACH * body, 1.0), border)
    return whole_box(size) if half > max(size) / 2 else _square(middle, half)


def _square(middle: Box, half: float) -> Box:
    return np.concatenate([middle - half, middle + half])


class SmartCrop:
    """Where to look in the next frame of one clip.

    It begins with the square in the middle. Each new box is mixed with the last one, 0.9 to 0.1.
    Where nobody is seen, tfjs begins anew with the middle and so never looks at the sides of a
    wide picture; here the whole picture and the middle take turns.

    Attributes:
        size: Width and height of the pictures.
        box: x0 y0 x1 y1 in picture pixels.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self.size, self.box = size, centre_box(size)
        self._held: Box | None = None
        self._whole = False

    def learn(self, poses: Poses) -> None:
        """Take who was read in the box: one person or nobody."""
        if not len(poses):
            self._held, self._whole = None, not self._whole
            self.box = (whole_box if self._whole else centre_box)(self.size)
            return
        new = next_box(poses.keypoints[0], poses.scores[0], self.size)
        if self._held is not None:
            new = _NEW_SHARE * new + (1 - _NEW_SHARE) * self._held
        self.box = self._held = new
        self._whole = False


class MoveNet(UprightModel, PoseModel):
    """A single-pose network: a pose model by itself, and a crop model for any detector.

    ``settings`` of the card are those of `UprightModel`; ``presence`` is the least mean of the
    scores above 0.2.
    """

    def __init__(self, session: Session, card: Card) -> None:
        super().__init__(session, card)
        self.name = card.name
        self.minimum_presence = card_number(card, "presence", _PRESENCE)

    def estimate(self, frames: Sequence[Frame]) -> list[Poses]:
        """Return the one person of each of several unrelated pictures, or nobody, in order."""
        return [self._look(frame, whole_box(frame.size)) for frame in frames]

    def follow(self, frames: Iterable[Frame]) -> Iterator[Poses]:
        """Return the one person of each frame of a video, or nobody, in order."""
        aim: SmartCrop | None = None
        for frame in frames:
            if aim is None or frame.cut or frame.size != aim.size:
                aim = SmartCrop(frame.size)
            poses = self._look(frame, aim.box)
            aim.learn(poses)
            yield poses

    def read(self, crops: Image) -> CropPoses:
        """Read (N, height, width, 3) uint8 RGB crops; presence is the mean of the sure scores."""
        reading = super().read(crops)
        return dataclasses.replace(reading, presence=presence(reading.scores))

    def _look(self, frame: Frame, box: Box) -> Poses:
        region = crop_affine((box[:2] + box[2:]) / 2, box[2:] - box[:2], self.size)
        reading = read_regions(self, frame, [region])
        return reading.poses.select(np.flatnonzero(reading.there))

    def _decode(self, outputs: list[FloatArray]) -> tuple[FloatArray, FloatArray]:
        return decode(_only(outputs, (-1, 1, _KEYPOINTS, 3)), self.size)

    def _average(self, outputs: list[FloatArray], mirrored: list[FloatArray]) -> list[FloatArray]:
        other = mirrored[0][..., self.skeleton.flip, :].copy()
        other[..., 1] = 1 - other[..., 1]
        return [np.float32(0.5) * (outputs[0] + other)]


class MultiMoveNet(PoseModel):
    """MultiPose: up to six people of a whole picture.

    The picture's longest side becomes that of the card; the other is filled up with black, right
    or below, to a multiple of 32, or to the size that the network has if it takes no other.
    ``settings["score"]`` is the least score of a person.
    """

    def __init__(self, session: Session, card: Card) -> None:
        self._session, self._longest = session, max(card.size)
        self._minimum = card_number(card, "score", _PRESENCE)
        self.name, self.skeleton = card.name, get_skeleton(card.skeleton)
        self.precision = session.precision

    def estimate(self, frames: Sequence[Frame]) -> list[Poses]:
        """Return everyone in each of several unrelated pictures, in order."""
        return [self._estimate_one(frame) for frame in frames]

    def _estimate_one(self, frame: Frame) -> Poses:
        size = np.array(frame.size)
        own = np.array(self._session.input_shapes[0][2:0:-1])
        fixed = own.min() >= _STEP
        scale = (own / size).min() if fixed else self._longest / size.max()
        inner = np.maximum(np.rint(scale * size), 1)
        outer = own if fixed else (np.ceil(inner / _STEP) * _STEP).astype(int)
        affine = np.column_stack([np.diag(inner / size), np.zeros(2)])
        canvas = crop(frame.image, affine, (int(outer[0]), int(outer[1])))
        (rows,) = _only(self._session.run(canvas[None]), (1, -1, _ROW))
        keypoints, scores, boxes, sure = decode_people(rows, size * outer / inner)
        return Poses(
            self.skeleton,
            keypoints,
            scores,
            boxes=boxes,
            person_scores=sure,
            index=frame.index,
            time=frame.time,
            size=frame.size,
        ).select(np.flatnonzero(sure >= self._minimum))


def presence(scores: FloatArray) -> FloatArray:
    """Return (N,) the mean of the (N, 17) scores that are above 0.2; 0 where none is."""
    sure = scores > SURE
    total = np.where(sure, scores, 0).sum(axis=1)
    mean: FloatArray = (total / np.maximum(sure.sum(axis=1), 1)).astype(np.float32)
    return mean


def decode(output: FloatArray, size: tuple[int, int]) -> tuple[FloatArray, FloatArray]:
    """Read the output of a single-pose network.

    Args:
        output: (N, 1, 17, 3) y, x, score; y and x as parts of the input.
        size: Width and height of the input in pixels.

    Returns:
        (N, 17, 2) x and y in input pixels, and (N, 17) scores in 0..1.
    """
    return _split(output[:, 0], np.array(size, float))


def decode_people(
    rows: FloatArray, extent: npt.ArrayLike
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Read the output of MultiPose.

    Args:
        rows: (N, 56) 17 times y, x, score, then y0, x0, y1, x1 of the box, and the box's score.
        extent: Width and height in picture pixels that 1 stands for.

    Returns:
        (N, 17, 2) x and y in picture pixels, (N, 17) scores in 0..1, (N, 4) boxes x0 y0 x1 y1,
        and (N,) the scores of the people in 0..1.
    """
    unit, edge = np.asarray(extent, float), 3 * _KEYPOINTS
    places, scores = _split(rows[:, :edge].reshape(-1, _KEYPOINTS, 3), unit)
    boxes = rows[:, [edge + 1, edge, edge + 3, edge + 2]] * np.tile(unit, 2)
    return places, scores, boxes.astype(np.float32), np.clip(rows[:, -1], 0, 1)


def _split(triples: FloatArray, unit: npt.NDArray[np.float64]) -> tuple[FloatArray, FloatArray]:
    places = triples[..., [1, 0]] * unit
    return places.astype(np.float32), np.clip(triples[..., 2], 0, 1).astype(np.float32)


def _only(outputs: list[FloatArray], wanted: tuple[int, ...]) -> FloatArray:
    """Return the one output of the network, whose shape must be as wanted (-1: any number)."""
    shapes = [output.shape for output in outputs]
    fits = len(shapes) == 1 and len(shapes[0]) == len(wanted)
    if not fits or any(w not in (-1, s) for w, s in zip(wanted, shapes[0], strict=True)):
        came = ", ".join(map(str, shapes)) or "none"
        raise ModelError(
            f"wanted one output {wanted} of MoveNet, got {came}",
            remedy="give the weights of the network that the card describes",
        )
    return outputs[0]


def load(card: Card, paths: Sequence[Path], **compute: Unpack[Compute]) -> MoveNet | MultiMoveNet:
    """Return the pose model that a card describes; ``settings["output"]`` is single or multi."""
    output = str(card.settings.get("output", "single"))
    if output not in _OUTPUTS:
        raise ModelError(
            f"settings: output '{output}' is not known",
            where=f"card {card.name}",
            remedy=suggest(output, _OUTPUTS),
        )
    pixels = card_pixels(card)
    if output == "single":
        return MoveNet(Session(paths, streams=2, pixels=pixels, **compute), card)
    free = dataclasses.replace(pixels, size=None)
    return MultiMoveNet(Session(paths, streams=2, pixels=free, **compute), card)
