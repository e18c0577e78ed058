"""What a model sees of a scene, whatever its kind: points of the person, or a box."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from poise.checking.scenes import Scene
from poise.geometry import Affine, invert, iou, transform
from poise.models.base import CropModel, Detections, Detector, PoseModel
from poise.poses import FloatArray, Frame, Image
from poise.skeleton import Skeleton

# Distance, as a share of the person's height, at which a keypoint is worth exp(-1/2).
_NEAR = 0.05
# Intersection over union of a box that is as good as any.
_FITTING = 0.4


@dataclass(frozen=True, eq=False)
class Sight:
    """What a model sees of one scene.

    Attributes:
        points: (K, 2) pixels of the plane that the model works in (a crop, or the picture); NaN
            where nobody was found.
        scores: (K,) in 0..1; of a detector (1,).
        plane: Width and height of that plane.
        region: Map from the picture to it.
        box: (4,) box of a detector in the picture, or None.
        count: How many people were found.
    """

    points: FloatArray
    scores: FloatArray
    plane: tuple[int, int]
    region: Affine
    box: FloatArray | None = None
    count: int = 1

    def placed(self, points: FloatArray | None = None) -> FloatArray:
        """Return points of the plane, by default its own, in picture pixels."""
        return transform(invert(self.region), self.points if points is None else points)


class Subject(ABC):
    """A model that is checked.

    Attributes:
        layout: Its skeleton, or None for a detector.
    """

    layout: Skeleton | None = None

    @abstractmethod
    def see(self, image: Image, scene: Scene) -> Sight:
        """Look at a picture of a scene, which need not be the scene's own."""

    @abstractmethod
    def see_together(self, scenes: Sequence[Scene]) -> list[Sight]:
        """Look at several scenes in one go."""

    @abstractmethod
    def people(self, image: Image) -> FloatArray:
        """Return (N,) how sure it is of each person that it finds in a picture."""

    def quality(self, sight: Sight, scene: Scene) -> float:
        """Return how good and how sure a sight is, in 0..1."""
        return point_quality(sight.placed(), sight.scores, scene, self.layout)


def point_quality(
    points: FloatArray, scores: FloatArray, scene: Scene, layout: Skeleton | None
) -> float:
    """Return the mean of score times nearness over the keypoints that the scene knows."""
    if layout is None:
        return 0.0
    truth = scene.points(layout).keypoints[0]
    known = np.isfinite(truth[:, 0])
    away = np.linalg.norm(points - truth, axis=1) / scene.height
    near = np.exp(-0.5 * np.square(np.where(np.isfinite(away), away, np.inf) / _NEAR))
    return float((near * scores)[known].mean()) if known.any() else 0.0


class CropSubject(Subject):
    """A crop model; it is given the true boxes."""

    def __init__(self, model: CropModel) -> None:
        self._model, self.layout = model, model.skeleton

    def see(self, image: Image, scene: Scene) -> Sight:
        """Read the crop of the true box."""
        (region,) = self._regions(scene)
        read = self._model.read(self._model.cut(image, region)[None])
        return Sight(read.keypoints[0], read.scores[0], self._model.size, region)

    def see_together(self, scenes: Sequence[Scene]) -> list[Sight]:
        """Read all crops as one batch."""
        regions = [region for scene in scenes for region in self._regions(scene)]
        crops = [
            self._model.cut(scene.image, region)
            for scene, region in zip(scenes, regions, strict=True)
        ]
        read = self._model.read(np.stack(crops))
        return [
            Sight(points, scores, self._model.size, region)
            for points, scores, region in zip(read.keypoints, read.scores, regions, strict=True)
        ]

    def people(self, image: Image) -> FloatArray:
        """Return its presence, if it is enough, with the whole picture as the person's box."""
        box = np.array([[0, 0, image.shape[1], image.shape[0]]], np.float32)
        (region,) = self._model.regions(Detections(box, np.ones(1, np.float32)))
        presence = self._model.read(self._model.cut(image, region)[None]).presence
        return presence[presence >= self._model.minimum_presence]

    def _regions(self, scene: Scene) -> list[Affine]:
        return self._model.regions(Detections(scene.truth.boxes, np.ones(1, np.float32)))


_SAME: Affine = np.array([[1.0, 0, 0], [0, 1, 0]])


class WholeSubject(Subject):
    """A model that does all by itself; of several people the one nearest to the true box."""

    def __init__(self, model: PoseModel) -> None:
        self._model, self.layout = model, model.skeleton

    def see(self, image: Image, scene: Scene) -> Sight:
        """Estimate everyone in the picture."""
        return self._choose(self._model(image), scene)

    def see_together(self, scenes: Sequence[Scene]) -> list[Sight]:
        """Estimate everyone in several pictures at once."""
        everyone = self._model.estimate([Frame(scene.image) for scene in scenes])
        return [self._choose(poses, scene) for poses, scene in zip(everyone, scenes, strict=True)]

    def people(self, image: Image) -> FloatArray:
        """Return the scores of the people that it finds."""
        return self._model(image).person_scores

    def _choose(self, poses: Any, scene: Scene) -> Sight:
        height, width = scene.image.shape[:2]
        if not len(poses):
            nothing = np.full((len(poses.skeleton), 2), np.nan, np.float32)
            zeros = np.zeros(len(poses.skeleton), np.float32)
            return Sight(nothing, zeros, (width, height), _SAME, count=0)
        best = int(iou(poses.boxes, scene.truth.boxes)[:, 0].argmax())
        points, scores = poses.keypoints[best], poses.scores[best]
        return Sight(points, scores, (width, height), _SAME, count=len(poses))


class DetectorSubject(Subject):
    """A detector; its points are the corners of the box that fits best."""

    def __init__(self, model: Detector) -> None:
        self._model = model

    def see(self, image: Image, scene: Scene) -> Sight:
        """Detect everyone in the picture."""
        return self._choose(self._model.detect([image])[0], scene)

    def see_together(self, scenes: Sequence[Scene]) -> list[Sight]:
        """Detect everyone in several pictures at once."""
        found = self._model.detect([scene.image for scene in scenes])
        return [self._choose(people, scene) for people, scene in zip(found, scenes, strict=True)]

    def people(self, image: Image) -> FloatArray:
        """Return the scores of the people that it finds."""
        return self._model.detect([image])[0].scores

    def quality(self, sight: Sight, scene: Scene) -> float:
        """Return the score of the best box, shared among all that were found; less for a bad box.

        Detectors do not agree on what belongs into a box: BlazePose's is the square around a circle
        around the body.
        """
        if sight.box is None:
            return 0.0
        overlap = float(iou(sight.box[None], scene.truth.boxes)[0, 0])
        return min(overlap / _FITTING, 1.0) * float(sight.scores[0]) / max(sight.count, 1)

    def _choose(self, people: Detections, scene: Scene) -> Sight:
        height, width = scene.image.shape[:2]
        if not len(people):
            nothing = np.full((2, 2), np.nan, np.float32)
            zeros = np.zeros(1, np.float32)
            return Sight(nothing, zeros, (width, height), _SAME, count=0)
        best = int(iou(people.boxes, scene.truth.boxes)[:, 0].argmax())
        box = people.boxes[best]
        scores = people.scores[best : best + 1]
        return Sight(box.reshape(2, 2), scores, (width, height), _SAME, box, len(people))
