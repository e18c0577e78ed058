"""Following people from frame to frame: where to look next, and when to look for newcomers."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from poise.geometry import Affine, box_area, iou, oks
from poise.models.base import CropModel, Detector
from poise.models.regions import Reading, Unite, one_each, region_boxes
from poise.models.steady import Steady
from poise.poses import FloatArray, Frame, Image, Poses, bounding_boxes

# Seconds between two frames beyond which people may be anywhere near their last place, so that
# no frame is read before the one before it.
APART = 0.07
# Seconds until the detector looks again where something moved outside the people's regions, and
# where nothing did; and seconds between two questions whether something moved.
SOON, LATER, GLANCE = 0.5, 4.0, 0.2
# While people cover one another, and for so many seconds after that, the detector looks again
# after every so many seconds.
ALERT, CLOSE_LOOK = 2.0, 0.1
# Regions that overlap more than this belong to one person.
SAME_REGION = 0.6
# Boxes of two people that overlap more than this are about to cover one another.
_TOUCHING = 0.1
# Movement is looked for on a picture of this many points, in grey levels.
_POINTS, _CHANGE = 64, 24.0


@dataclass
class Person:
    """Somebody who is followed.

    Attributes:
        region: Where to look, or where was looked last: the map from picture to crop.
        steady: What the points that the region is made of went through.
        there: Whether the last frame that was read still showed the person.
        read: Whether the person was ever read, and not only detected.
        pose: (K, 2) the last keypoints in picture pixels, or None before the first reading.
    """

    region: Affine
    steady: Steady = field(default_factory=Steady)
    there: bool = True
    read: bool = False
    pose: FloatArray | None = None


@dataclass
class Walk:
    """What is remembered of one clip while its people are followed.

    Attributes:
        detector: Finds people in whole pictures.
        reader: Reads one person from each crop.
        unite: Leaves one pose of each person.
        restless: Whether the detector looks at every frame.
    """

    detector: Detector
    reader: CropModel
    unite: Unite = one_each
    restless: bool = False
    _people: list[Person] = field(default_factory=list)
    _newest: tuple[list[Person], Poses, FloatArray | None] | None = None
    _time: float | None = None
    _size: tuple[int, int] | None = None
    _looked: float = -np.inf
    _alert_until: float = -np.inf
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
        there = reading.there & np.array(still, bool)
        if _touch(people):
            self._alert_until = frame.time + ALERT
        rows, poses = self.unite(reading.poses, there, claims=_claims(people, reading.poses))
        found = [people[row] for row in rows]
        anchors = reading.anchors
        if anchors is not None and found:
            pairs = zip(found, anchors[rows], strict=True)
            anchors = np.stack([person.steady.update(points) for person, points in pairs])
        self._newest = (found, poses, anchors) if found else None
        for person, keypoints in zip(found, poses.keypoints, strict=True):
            person.read, person.pose = True, keypoints
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
        if self.restless:
            return True
        if self._asked is None or self._asked[0] is not frame:
            waited = frame.time - self._looked
            alert = frame.time <= self._alert_until
            due = not 0 <= waited < (CLOSE_LOOK if alert else LATER)
            if waited >= SOON and frame.time - self._glanced >= GLANCE:
                self._glanced = frame.time
                due = due or self._moved(frame)
            self._asked = (frame, due)
        return self._asked[1]

    def _look(self, frame: Frame) -> None:
        (found,) = self.detector.detect([frame.image])
        self._looked, self._seen, self._lost = frame.time, _thumbnail(frame.image), False
        regions = self.reader.regions(found) if len(found) else []
        alert = frame.time <= self._alert_until
        known = region_boxes([person.region for person in self._people], self.reader.size)
        overlap = iou(known, region_boxes(regions, self.reader.size))
        owners = _pair(overlap)
        for column, region in enumerate(regions):
            if column not in owners:
                # Of people who cover one another the detector knows best how many there are;
                # a region that turns out to show somebody twice is dropped when it is read.
                if alert or not (overlap[:, column] > SAME_REGION).any():
                    self._people.append(Person(region))
            elif alert:
                self._people[owners[column]].region = region
        self._lost = not self._people

    def _moved(self, frame: Frame) -> bool:
        """Whether the picture has changed outside the people's regions since the last look."""
        now = _thumbnail(frame.image)
        if self._seen is None or now.shape != self._seen.shape:
            return True
        changed = np.abs(now - self._seen) > _CHANGE
        step = _step(frame.image)
        for box in region_boxes([person.region for person in self._people], self.reader.size):
            x0, y0, x1, y1 = np.maximum(box / step, 0).astype(int)
            changed[y0 : y1 + 1, x0 : x1 + 1] = False
        return bool(np.count_nonzero(changed) > changed.size // 500)


def _pair(overlap: FloatArray) -> dict[int, int]:
    """Give each known region the detection that it overlaps most; {detection: known}."""
    left, owners = overlap.copy(), {}
    while left.size and left.max() > SAME_REGION / 2:
        row, column = np.unravel_index(int(left.argmax()), left.shape)
        owners[int(column)] = int(row)
        left[row], left[:, column] = 0, 0
    return owners


def _claims(people: list[Person], poses: Poses) -> FloatArray | None:
    """Return (N,) how alike each pose is to the same person's last one, 0..1."""
    if len(people) < 2:
        return None
    areas, sigmas = box_area(poses.boxes), poses.skeleton.sigmas
    claims = np.full(len(people), 0.5, np.float32)
    for row, person in enumerate(people):
        if person.pose is not None:
            pair = poses.keypoints[row : row + 1], person.pose[None]
            claims[row] = oks(*pair, areas[row : row + 1], sigmas)[0, 0]
    return claims


def _touch(people: list[Person]) -> bool:
    """Whether any two of them were about to cover each other when they were last read."""
    poses = [person.pose for person in people if person.pose is not None]
    if len(poses) < 2:
        return False
    boxes = bounding_boxes(np.stack(poses))
    return bool(np.triu(iou(boxes, boxes), 1).max() > _TOUCHING)


def _step(image: Image) -> int:
    return max(int(max(image.shape[:2])) // _POINTS, 1)


def _thumbnail(image: Image) -> npt.NDArray[np.int16]:
    step = _step(image)
    return image[::step, ::step, 1].astype(np.int16)
