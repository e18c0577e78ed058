"""Who is in a clip: everybody under one id, and who the main person is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from poise.clip import Clip, Track
from poise.errors import InputError, UsageError
from poise.poses import Poses
from poise.tracking import Tracker, assign

Floats = npt.NDArray[np.float64]

# Two tracks are one person where the second begins near the place at which the first ended. The
# tracker keeps an id for two seconds; what comes later than this after it may be somebody else.
_LONGEST_ABSENCE = 3.0  # seconds
_FARTHEST = 0.5  # body heights, ...
_WALKED = 0.5  # ... and so many more for each second unseen
_GROWN = 1.5  # how many times larger or smaller, at most
# At a cut everybody has a new place: who is alone before and after it is one person.
_CUT = 0.2  # seconds


@dataclass(frozen=True, eq=False)
class Presence:
    """When and where one person is in a clip: S sightings."""

    id: int
    frames: npt.NDArray[np.int64]  # (S,) numbers of the frames
    boxes: Floats  # (S, 4) pixels

    @property
    def middles(self) -> Floats:
        middles: Floats = (self.boxes[:, :2] + self.boxes[:, 2:]) / 2
        return middles

    @property
    def heights(self) -> Floats:
        """(S,) the longer side of the box, which stays when somebody bends or lies down."""
        heights: Floats = np.maximum((self.boxes[:, 2:] - self.boxes[:, :2]).max(axis=1), 1.0)
        return heights


def identify(clip: Clip) -> Clip:
    """Return the clip with everybody named and the pieces of one person under one id.

    A clip without ids is tracked first. Then a person who was lost and found again under another
    id gets the earlier one: where the later track begins within three seconds of the end of the
    earlier one, at most half a body height (and half a height more for each second) from it, and
    at most 1.5 times larger or smaller; or where both are alone in the picture and hardly any
    time is in between, as at a cut. Which ends and beginnings belong together is decided for all
    of them at once.
    """
    if not clip.ids() and any(len(poses) for poses in clip.frames):
        tracker = Tracker()
        clip = replace(clip, frames=tuple(tracker.update(poses) for poses in clip.frames))
    names = _joined(clip)
    if all(old == new for old, new in names.items()):
        return clip
    return replace(clip, frames=tuple(_renamed(poses, names) for poses in clip.frames))


def weigh_people(clip: Clip) -> dict[int, float]:
    """Return how much each person is the main one: longest, largest, most central.

    The sum, over the frames a person is in, of height x centrality, by the number of frames.
    Height is the longer side of the box by the diagonal of the picture, at most 1. Centrality
    falls from 1 in the middle of the picture's width to 1/2 at its edges.
    """
    width, height = _picture_size(clip)
    weights = {}
    for person in find_presences(clip):
        weights[person.id] = float(weigh_boxes(person.boxes, (width, height)).sum()) / len(clip)
    return weights


def weigh_boxes(boxes: Floats, size: tuple[float, float]) -> Floats:
    """Return (N,) height x centrality of boxes (N, 4); see ``weigh_people``."""
    aside = np.abs((boxes[:, 0] + boxes[:, 2]) / 2 / size[0] - 0.5) * 2
    central = 1 - 0.5 * np.clip(aside, 0, 1)
    sides = np.maximum((boxes[:, 2:] - boxes[:, :2]).max(axis=1), 1.0)
    weights: Floats = np.minimum(sides / np.hypot(*size), 1) * central
    return weights


def main_person(clip: Clip) -> int:
    """Return the id of the person of greatest weight (see ``weigh_people``).

    Raises:
        InputError: Nobody with an id is in the clip.
    """
    weights = weigh_people(clip)
    if not weights:
        raise InputError("no person was found", where=clip.header.source or None)
    return max(weights, key=lambda identity: (weights[identity], -identity))


def choose_track(clip: Clip, person: int | None = None) -> Track:
    """Return the track of the named person, or of the main one.

    Raises:
        InputError: Nobody is in the clip.
        UsageError: Nobody has this id; the message names those that are there.
    """
    chosen = main_person(clip) if person is None else person
    if chosen not in clip.ids():
        main_person(clip)
        known = ", ".join(map(str, sorted(clip.ids())))
        where = clip.header.source or None
        raise UsageError(f"no person with id {chosen}", where=where, remedy=f"its ids are {known}")
    return clip.track(chosen)


def find_presences(clip: Clip) -> list[Presence]:
    """Return everybody who has an id and a box, in order of first appearance."""
    frames: dict[int, list[int]] = {}
    boxes: dict[int, list[npt.NDArray[np.float32]]] = {}
    for number, poses in enumerate(clip.frames):
        if poses.ids is None:
            continue
        for identity, box in zip(poses.ids.tolist(), poses.boxes, strict=True):
            if np.isfinite(box).all():
                frames.setdefault(identity, []).append(number)
                boxes.setdefault(identity, []).append(box)
    return [
        Presence(identity, np.array(numbers), np.array(boxes[identity], np.float64))
        for identity, numbers in frames.items()
    ]


def _picture_size(clip: Clip) -> tuple[float, float]:
    """Return the picture's size; where it is unknown, how far people reach."""
    for width, height in (clip.header.size, *(poses.size for poses in clip.frames[:1])):
        if width and height:
            return float(width), float(height)
    reach = np.array([box for poses in clip.frames for box in poses.boxes]).reshape(-1, 4)
    reach = reach[np.isfinite(reach).all(axis=1)]
    width, height = reach[:, 2:].max(axis=0, initial=1)
    return float(width), float(height)


def _joined(clip: Clip) -> dict[int, int]:
    """Return the id that each id of the clip is to have."""
    people = find_presences(clip)
    names = {person.id: person.id for person in people}
    if len(people) < 2:
        return names
    crowd = np.array([len(poses) for poses in clip.frames])
    cost = _joining_cost(people, clip.times, crowd)
    for before, after in sorted(
        assign(cost, limit=1.0), key=lambda pair: people[pair[1]].frames[0]
    ):
        names[people[after].id] = names[people[before].id]
    return names


def _joining_cost(
    people: Sequence[Presence], times: Floats, crowd: npt.NDArray[np.int64]
) -> Floats:
    """Return (P, P) how unlikely it is, 0..1, that the column goes on where the row ended."""
    cost = np.full((len(people), len(people)), np.inf)
    for row, one in enumerate(people):
        for column, other in enumerate(people):
            end, begin = int(one.frames[-1]), int(other.frames[0])
            absence = float(times[begin] - times[end])
            if begin <= end or absence > _LONGEST_ABSENCE:
                continue
            cost[row, column] = _strangeness(one, other, absence)
            alone = crowd[max(end - 1, 0) : begin + 2].max() <= 1
            if alone and absence <= _CUT:
                cost[row, column] = min(cost[row, column], 0.9)
    return cost


def _strangeness(one: Presence, other: Presence, absence: float) -> float:
    """Return how far the beginning of the other is from the end of the one, by what may be."""
    size, later = np.median(one.heights[-5:]), np.median(other.heights[:5])
    away = float(np.linalg.norm(other.middles[0] - one.middles[-1])) / max(size, later)
    grown = abs(np.log(later / size)) / np.log(_GROWN)
    return float(max(away / (_FARTHEST + _WALKED * absence), grown))


def _renamed(poses: Poses, names: dict[int, int]) -> Poses:
    if poses.ids is None or not len(poses):
        return poses
    ids = np.array([names.get(identity, identity) for identity in poses.ids.tolist()], np.int64)
    return poses if np.array_equal(ids, poses.ids) else poses.replace(ids=ids)
