"""Following people from frame to frame: where to look next, and when to look for newcomers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from poise.geometry import Affine, box_area, invert, iou, oks
from poise.models.base import CropModel, CropPoses, Detector
from poise.poses import FloatArray, Frame, Image, Poses

# Seconds between two frames beyond which people may be anywhere near their last place, so that
# no frame is read before the one before it.
APART = 0.07
# Seconds until the detector looks again where something moved outside the people's regions, and
# where nothing did; and seconds between two questions whether something moved.
SOON, LATER, GLANCE = 0.5, 4.0, 0.2
# Regions that overlap more than this belong to one person; so do poses more alike than that.
SAME_REGION, SAME_POSE = 0.6, 0.6
# Movement is looked for on a picture of this many points, in grey levels.
_POINTS, _CHANGE = 64, 24.0


class Steady:
    """Holds the points that a region is made of still while a person stands still.

    The 1 Euro filter of MediaPipe's ``PoseLandmarkFiltering`` for auxiliary landmarks, which is
    on even where its smoothing of keypoints is off: cut-off 0.01 Hz at rest, plus 10 Hz for each
    body size per second, of a speed that is itself filtered at 1 Hz; every frame counts as 1/30 s.
    """

    REST, GAIN, SPEED = 0.01, 10.0, 1.0
    RATE = 30.0

    def __init__(self) -> None:
        self._last: FloatArray | None = None
        self._size = 1.0
        self._value: Any = 0.0
        self._speed: Any = 0.0

    def update(self, points: FloatArray) -> FloatArray:
        """Take the (A, 2) points of a frame and return where they are when held still."""
        size = max(2 * float(np.hypot(*(points[1] - points[0]))), 1e-6)
        if self._last is None:
            self._value = points.astype(float)
            self._speed = np.zeros(points.shape)
        else:
            moved = (points - self._last) * (self.RATE / size)
            self._speed = self._speed + self._alpha(self.SPEED) * (moved - self._speed)
            self._value = self._value + self._alpha(self._cutoff()) * (points - self._value)
        self._last, self._size = points, size
        held: FloatArray = self._value.astype(np.float32)
        return held

    def expect(self) -> FloatArray:
        """Return where the points will be one frame later if they go on as they do."""
        ahead = self._last + self._speed * (self._size / self.RATE)
        expected: FloatArray = (
            self._value + self._alpha(self._cutoff()) * (ahead - self._value)
        ).astype(np.float32)
        return expected

    def _cutoff(self) -> Any:
        return self.REST + self.GAIN * np.abs(self._speed)

    def _alpha(self, cutoff: Any) -> Any:
        return 1 / (1 + self.RATE / (2 * np.pi * cutoff))


@dataclass
class Person:
    """Somebody who is followed.

    Attributes:
        region: Where to look, or where was looked last: the map from picture to crop.
        steady: What the points that the region is made of went through.
        there: Whether the last frame that was read still showed the person.
        read: Whether the person was ever read, and not only detected.
    """

    region: Affine
    steady: Steady = field(default_factory=Steady)
    there: bool = True
    read: bool = False


@dataclass(frozen=True, eq=False)
class Reading:
    """Everyone that was looked for in a frame.

    Attributes:
        poses: One row for each region, in picture pixels.
        there: (N,) whether the person is there at all.
        anchors: (N, A, 2) picture pixels, or None.
    """

    poses: Poses
    there: npt.NDArray[np.bool_]
    anchors: FloatArray | None


@dataclass
class Walk:
    """What is remembered of one clip while its people are followed.

    Attributes:
        detector: Finds people in whole pictures.
        reader: Reads one person from each crop.
    """

    detector: Detector
    reader: CropModel
    _people: list[Person] = field(default_factory=list)
    _newest: tuple[list[Person], Poses, FloatArray | None] | None = None
    _time: float | None = None
    _size: tuple[int, int] | None = None
    _looked: float = -np.inf
    _glanced: float = -np.inf
    _seen: npt.NDArray[np.int16] | None = None
    _lost: bool = True
    _asked: tuple[Frame, bool] | None = None

    def must_wait(self, frame: Frame) -> bool:
        """Whether this frame needs the people of the frame right before it."""
        apart = self._time is None or not 0 <= frame.time - self._time <= APART
        fresh = not all(person.read for person in self._people)
        return self._starts(frame) or apart or fresh or self._lost or self._due(frame)

    def aim(self, frame: Frame, *, early: bool) -> tuple[list[Person], list[Affine]]:
        """Return whom to look for in a frame, and where.

        Args:
            frame: The frame.
            early: Whether the frame before it is still being read.
        """
        if self._starts(frame):
            self._people, self._newest, self._lost = [], None, True
        self._point(early=early)
        if self._lost or self._due(frame):
            self._look(frame)
        self._time, self._size = frame.time, frame.size
        return list(self._people), [person.region for person in self._people]

    def learn(self, frame: Frame, people: list[Person], reading: Reading) -> Poses:
        """Take what was read in a frame and return who is there."""
        still = [person.there for person in people]
        rows = distinct(reading.poses, reading.there & np.array(still, bool))
        poses = reading.poses if len(rows) == len(people) else reading.poses.select(rows)
        found = [people[row] for row in rows]
        anchors = reading.anchors
        if anchors is not None and found:
            pairs = zip(found, anchors[rows], strict=True)
            anchors = np.stack([person.steady.update(points) for person, points in pairs])
        self._newest = (found, poses, anchors) if found else None
        for person in found:
            person.read = True
        for row, person in enumerate(people):
            if row not in rows and person.there:
                person.there, self._lost = False, True
        self._people = [person for person in self._people if person.there]
        self._lost |= not self._people
        return poses

    def _point(self, *, early: bool) -> None:
        """Set where to look for the people of the newest reading."""
        if self._newest is None:
            return
        found, poses, anchors = self._newest
        if early and anchors is not None:
            anchors = np.stack([person.steady.expect() for person in found])
        for person, region in zip(found, self.reader.next_regions(poses, anchors), strict=True):
            person.region = region

    def _starts(self, frame: Frame) -> bool:
        return frame.cut or frame.size != self._size

    def _due(self, frame: Frame) -> bool:
        """Whether it is time for the detector, with everybody in sight."""
        if self._asked is None or self._asked[0] is not frame:
            waited = frame.time - self._looked
            due = not 0 <= waited < LATER
            if waited >= SOON and frame.time - self._glanced >= GLANCE:
                self._glanced = frame.time
                due = due or self._moved(frame)
            self._asked = (frame, due)
        return self._asked[1]

    def _look(self, frame: Frame) -> None:
        (found,) = self.detector.detect([frame.image])
        self._looked, self._seen, self._lost = frame.time, _thumbnail(frame.image), False
        regions = self.reader.regions(found) if len(found) else []
        known = [person.region for person in self._people]
        boxes = _region_boxes([*known, *regions], self.reader.size)
        overlap = iou(boxes, boxes)
        for row, region in enumerate(regions, start=len(known)):
            if not (overlap[row, :row] > SAME_REGION).any():
                self._people.append(Person(region))
        self._lost = not self._people

    def _moved(self, frame: Frame) -> bool:
        """Whether the picture has changed outside the people's regions since the last look."""
        now = _thumbnail(frame.image)
        if self._seen is None or now.shape != self._seen.shape:
            return True
        changed = np.abs(now - self._seen) > _CHANGE
        step = _step(frame.image)
        for box in _region_boxes([person.region for person in self._people], self.reader.size):
            x0, y0, x1, y1 = np.maximum(box / step, 0).astype(int)
            changed[y0 : y1 + 1, x0 : x1 + 1] = False
        return bool(np.count_nonzero(changed) > changed.size // 500)


def read_regions(reader: CropModel, frame: Frame, regions: list[Affine]) -> Reading:
    """Read the person in each region of a frame, all crops in one go."""
    known: dict[str, Any] = {"index": frame.index, "time": frame.time, "size": frame.size}
    if not regions:
        nobody = Poses.empty(reader.skeleton, **known)
        return Reading(nobody, np.zeros(0, bool), None)
    crops = [reader.cut(frame.image, region) for region in regions]
    read = reader.read(np.stack(crops) if len(crops) > 1 else crops[0][None])
    back = np.stack([invert(region) for region in regions])
    poses = Poses(
        reader.skeleton,
        _place(back, read.keypoints),
        read.scores,
        xyz=None if read.xyz is None else _turn(back, read.xyz),
        person_scores=read.presence,
        **known,
    )
    anchors = None if read.anchors is None else _place(back, read.anchors)
    return Reading(poses, _present(reader, read), anchors)


def distinct(poses: Poses, there: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Return the rows of those who are there, without a second reading of the same person.

    Of two poses that are more alike than ``SAME_POSE`` (OKS), the first stays.
    """
    rows = np.flatnonzero(there)
    if len(rows) < 2:
        return rows
    few = poses.keypoints[rows]
    alike = oks(few, few, box_area(poses.boxes[rows]), poses.skeleton.sigmas)
    kept: list[int] = []
    for row in range(len(rows)):
        if not kept or alike[row, kept].max() <= SAME_POSE:
            kept.append(row)
    chosen: npt.NDArray[np.int64] = rows[kept]
    return chosen


def _present(reader: CropModel, read: CropPoses) -> npt.NDArray[np.bool_]:
    there: npt.NDArray[np.bool_] = read.presence >= reader.minimum_presence
    return there


def _place(back: npt.NDArray[np.float64], points: FloatArray) -> FloatArray:
    placed = points @ back[:, :, :2].transpose(0, 2, 1) + back[:, None, :, 2]
    return placed.astype(np.float32)


def _turn(back: npt.NDArray[np.float64], xyz: FloatArray) -> FloatArray:
    """Turn (N, K, 3) metres from the crop's frame back into the picture's."""
    turn = back[:, :, :2]
    turn = turn / np.sqrt(np.abs(np.linalg.det(turn)))[:, None, None]
    turned = xyz.copy()
    turned[..., :2] = xyz[..., :2] @ turn.transpose(0, 2, 1)
    return turned


def _region_boxes(regions: list[Affine], size: tuple[int, int]) -> FloatArray:
    """Return (N, 4) the upright boxes around regions, in picture pixels."""
    width, height = size
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]], float)
    boxes = np.zeros((len(regions), 4), np.float32)
    for box, region in zip(boxes, regions, strict=True):
        back = invert(region)
        points = corners @ back[:, :2].T + back[:, 2]
        box[:2], box[2:] = points.min(axis=0), points.max(axis=0)
    return boxes


def _step(image: Image) -> int:
    return max(int(max(image.shape[:2])) // _POINTS, 1)


def _thumbnail(image: Image) -> npt.NDArray[np.int16]:
    step = _step(image)
    return image[::step, ::step, 1].astype(np.int16)
