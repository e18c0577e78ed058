"""Falls: a quick way down that ends flat on the ground, told as they happen.

The rule, in body heights (``descent``). A person fell who

1. is on the ground for half a second: the trunk is flat, the shoulders and hips are low,
2. came there by a drop of the shoulders of at least 0.3 within 1.5 s, in which the hips sank too,
3. and sank, over a quarter of a second, at 0.5 body heights per second or more.

A person who vanishes on such a way down, as happens to models that were trained on upright people,
fell too; the confidence is then lower. A person who is found again under another id, near the place
and soon, keeps the past of the lost one.

Sources. Choi, Wakeling and Robinovitch, "Kinematic analysis of video-captured falls experienced by
older adults in long-term care", Journal of Biomechanics 48 (2015) 911-920: 25 real falls hit the
ground with 2.14 m/s at the pelvis (standard deviation 0.63) and 2.91 m/s at the head (0.86), 0.58 s
(0.26) after the descent began. Two deviations below the mean of the pelvis is 0.88 m/s, about 0.5
statures per second; three deviations above the mean duration is 1.35 s. That vertical velocity
tells falls from daily activities: Wu, "Distinguishing fall activities from normal activities by
velocity characteristics", Journal of Biomechanics 33 (2000) 1497-1500; with near falls too: Lee,
Robinovitch and Park, "Inertial sensing-based pre-impact detection of falls involving near-fall
scenarios", IEEE Transactions on Neural Systems and Rehabilitation Engineering 23 (2015) 258-266.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from poise.classification.descent import STEADY, Descent, History, Sighting, see
from poise.classification.events import Event
from poise.clip import Clip, Track
from poise.poses import Poses

DROP = 0.3  # body heights; from a chair it is 0.35 to 0.5, from standing 0.7
HIP_DROP = 0.1  # from a chair 0.25; none in bending, and in lying down from sitting on a bed
SPEED = 0.5  # body heights per second
HELD = 0.5  # seconds on the ground, ...
LOST = 0.5  # seconds unseen after which somebody has vanished
FORGET = 1.5  # seconds unseen after which somebody found is somebody else
REACH = 0.75  # body heights between a lost person and the same one found again
_UNSEEN = 0.6  # confidence of a fall whose end was not seen, by that of one that was


class FallWatch:
    """Tells of falls as they happen; feed it the frames of one source in order.

    It remembers three seconds of everybody who was seen in the last one and a half.
    """

    def __init__(self) -> None:
        self._people: dict[int, History] = {}

    def update(self, poses: Poses) -> list[Event]:
        """Return the falls that are certain now, about half a second after the impact.

        Args:
            poses: Everyone in the next frame, with ids; a frame without people matters too.
        """
        seen = dict(_sightings(poses))
        found: list[Event] = []
        for identity, sighting in seen.items():
            history = self._people.get(identity)
            if history is None or not 0 <= sighting.time - history.last.time <= FORGET:
                history = self._inherit(sighting, seen) or History(identity)
                self._people[identity] = history
            history.add(sighting)
            found += _judge(history)
        return found + self._miss(poses.time, seen)

    def _inherit(self, sighting: Sighting, seen: dict[int, Sighting]) -> History | None:
        """Return the past of somebody who was lost here a moment ago, taken from the old id."""
        near: dict[int, float] = {}
        for identity, history in self._people.items():
            away = math.dist(history.last.middle, sighting.middle) / max(history.unit, 1.0)
            gap = sighting.time - history.last.time
            if identity not in seen and away <= REACH and 0 <= gap <= FORGET:
                near[identity] = away
        return self._people.pop(min(near, key=lambda identity: near[identity])) if near else None

    def _miss(self, time: float, seen: dict[int, Sighting]) -> list[Event]:
        found: list[Event] = []
        for identity in [identity for identity in self._people if identity not in seen]:
            history = self._people[identity]
            away = time - history.last.time
            if away >= LOST:
                found += _judge_lost(history)
            if away > FORGET:
                del self._people[identity]
        return found


def find_falls(track: Track) -> tuple[Event, ...]:
    """Return the falls of one person.

    Args:
        track: Keypoints in any layout that names shoulders, hips, knees and ankles. Frames in
            which the person is absent count as unseen.

    Returns:
        Events of the kind and label ``fall``: from losing balance to reaching the ground.
    """
    return _watch(_frames(track))


def find_falls_in(clip: Clip) -> tuple[Event, ...]:
    """Return everybody's falls, in order of time; the people of the clip have ids.

    More is known here than in a track: the boxes, and who was found lying where somebody upright
    was lost.
    """
    return _watch(iter(clip.frames))


def _watch(frames: Iterator[Poses]) -> tuple[Event, ...]:
    watch = FallWatch()
    found = [event for poses in frames for event in watch.update(poses)]
    return tuple(sorted(found, key=lambda event: event.start))


def _frames(track: Track) -> Iterator[Poses]:
    for row, time in enumerate(track.times.tolist()):
        points, scores = track.keypoints[row : row + 1], track.scores[row : row + 1]
        yield Poses(track.skeleton, points, scores, ids=[track.id], time=time)  # type: ignore[arg-type]


def _sightings(poses: Poses) -> Iterator[tuple[int, Sighting]]:
    ids = range(len(poses)) if poses.ids is None else poses.ids.tolist()
    for row, identity in enumerate(ids):
        sighting = see(poses, row)
        if sighting is not None:
            yield identity, sighting


def _judge(history: History) -> list[Event]:
    if history.told:
        history.told = history.down_share(1.0) > 0 or not history.last.upright
        return []
    if not history.down or history.down_share(HELD) < STEADY:
        return []
    descent = history.descent()
    return _tell(history, descent, 1.0) if descent is not None and _is_fall(descent) else []


def _judge_lost(history: History) -> list[Event]:
    if history.told or not history.sinking_away():
        return []
    descent = history.descent()
    if descent is None or not _is_fall(descent) or history.last.time - descent.end > HELD:
        return []
    return _tell(history, descent, _UNSEEN)


def _is_fall(descent: Descent) -> bool:
    sank = not descent.hip_drop < HIP_DROP
    return sank and descent.drop >= DROP and descent.speed >= SPEED


def _tell(history: History, descent: Descent, trust: float) -> list[Event]:
    history.told = True
    drop, speed = min(descent.drop / DROP - 1, 1.0), min(descent.speed / SPEED - 1, 1.0)
    sure = trust * (0.5 + 0.25 * drop + 0.25 * speed)
    end = max(descent.start, descent.end)
    return [Event(history.person, "fall", "fall", descent.start, end, sure)]
