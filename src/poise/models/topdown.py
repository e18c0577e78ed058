"""Top-down models: a detector finds people, a crop model reads each of them.

On video the detector rests while everybody is followed: the crop comes from the person's last
pose. What must be remembered for that lives in a `following.Walk`, one for each clip.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from poise.errors import ModelError, suggest
from poise.models.base import CropModel, Detections, Detector, PoseModel
from poise.models.following import Person, Walk
from poise.models.pose_nms import unite
from poise.models.regions import Reading, Unite, one_each, read_regions
from poise.poses import FloatArray, Frame, Poses

# Frames that may be read at the same time. The network's two streams are then always busy.
AHEAD = 2
# How one pose of each person is left where several are of the same.
NMS: dict[str, Unite] = {"oks": one_each, "alphapose": unite}


class TopDown(PoseModel):
    """A detector and a crop model as one pose model.

    Args:
        detector: Finds people in whole pictures.
        crop_model: Reads one person from each crop.
        name: The model's name in the table.
        still_detector: Finds people in still pictures, where there is time to look closer.
        nms: How one pose of each person is left: ``oks`` keeps the first of those that are alike
            (`regions.distinct`), ``alphapose`` merges them (`pose_nms`).
        restless: Whether what is read comes, goes and moves fast, as hands do: on video the
            detector then looks at every frame, and no frame is read before the one before it.

    Raises:
        ModelError: There is no such ``nms``.
    """

    def __init__(
        self,
        detector: Detector,
        crop_model: CropModel,
        *,
        name: str,
        still_detector: Detector | None = None,
        nms: str = "oks",
        restless: bool = False,
    ) -> None:
        if nms not in NMS:
            remedy = suggest(nms, NMS)
            raise ModelError(f"no nms '{nms}'", where=f"model {name}", remedy=remedy)
        self._unite = NMS[nms]
        self._detector, self._reader = detector, crop_model
        self._still_detector = still_detector or detector
        self._restless = restless
        self.name, self.skeleton = name, crop_model.skeleton
        self.precision = crop_model.precision

    def estimate(self, frames: Sequence[Frame]) -> list[Poses]:
        """Return everyone in each of several unrelated pictures, in order."""
        return [self._estimate_one(frame) for frame in frames]

    def _estimate_one(self, frame: Frame) -> Poses:
        (people,) = self._still_detector.detect([frame.image])
        reading = read_regions(self._reader, frame, self._reader.regions(people))
        rows, poses = self._unite(reading.poses, reading.there)
        if reading.anchors is not None and len(rows):
            # The reader's own points say better than the detector's where a body lies.
            again = self._reader.next_regions(poses, reading.anchors[rows])
            reading = read_regions(self._reader, frame, again)
            rows, poses = self._unite(reading.poses, reading.there)
        return poses

    def read_boxes(self, frame: Frame, boxes: FloatArray) -> Poses:
        """Return the person in each of (N, 4) boxes x0 y0 x1 y1, row by row, whoever is there."""
        people = Detections(boxes, np.ones(len(boxes), np.float32))
        reading = read_regions(self._reader, frame, self._reader.regions(people))
        if reading.anchors is not None and len(boxes):
            again = self._reader.next_regions(reading.poses, reading.anchors)
            reading = read_regions(self._reader, frame, again)
        return reading.poses

    def follow(self, frames: Iterable[Frame]) -> Iterator[Poses]:
        """Return everyone in each frame of a video, in order.

        Two frames are read at the same time where they follow each other closely, so the poses of
        a frame come when the next one has arrived. The second of the two looks where people were
        two frames ago. Which frames go together depends on their times alone: the results are the
        same on every run.
        """
        walk = Walk(self._detector, self._reader, self._unite, restless=self._restless)
        flying: deque[tuple[Frame, list[Person], Future[Reading]]] = deque()
        with ThreadPoolExecutor(AHEAD, thread_name_prefix="poise-read") as pool:
            for frame in frames:
                while flying and (len(flying) >= AHEAD or walk.must_wait(frame)):
                    yield _land(walk, flying)
                people, regions = walk.aim(frame, early=bool(flying))
                job = pool.submit(read_regions, self._reader, frame, regions)
                flying.append((frame, people, job))
                if len(flying) >= AHEAD:
                    yield _land(walk, flying)
            while flying:
                yield _land(walk, flying)


def _land(walk: Walk, flying: deque[tuple[Frame, list[Person], Future[Reading]]]) -> Poses:
    frame, people, job = flying.popleft()
    return walk.learn(frame, people, job.result())
