"""Identity: who of this frame is who of the frames before.

The association is that of ByteTrack (Zhang et al. 2022, arXiv:2110.06864): people with a good
score are matched first, the others against the tracks that are left. The likeness is not only that
of boxes but mostly that of keypoints, in the manner of OKS, and the time that motion is predicted
over is the true one, so variable frame rates and strides need no setting.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from poise.geometry import iou
from poise.poses import FloatArray, IntArray, Poses, bounding_boxes
from poise.skeleton import Skeleton
from poise.tracking.assignment import Matrix, assign
from poise.tracking.crossing import Crossings

Mask = npt.NDArray[np.bool_]

_NEW, _PENALTY = 3, 1.0  # sightings until a track is confirmed; price of a second unseen
_MEMORY = 0.25  # seconds over which velocity is averaged
_DAMPING = 2.0  # seconds after which a predicted motion has mostly died out
_DRIFT = 0.3  # body sizes a second by which a prediction may be wrong
_WIDTH = 0.03  # body sizes by which any keypoint may stray, beside its OKS sigma
_MOMENT = 0.5  # seconds unseen until which a copy may be taken for somebody
_RIVAL = 0.75  # ... who is this much as like it as whom it copies
_MOST = 256  # tracks remembered; the ones unseen for longest are forgotten first


@dataclass
class _Tracks:
    """Everyone who is remembered, one row each (M rows), oldest identity first."""

    ids: IntArray
    keypoints: FloatArray  # (M, K, 2) as last seen
    boxes: FloatArray  # (M, 4) as last seen, never NaN unless nothing is known
    velocity: FloatArray  # (M, 2) pixels a second, of the whole body
    seen: Matrix  # (M,) time of the last sighting
    hits: IntArray  # (M,) sightings, copies of somebody else not counted

    @classmethod
    def none(cls, count: int) -> _Tracks:
        return cls(
            np.zeros(0, np.int64),
            np.zeros((0, count, 2), np.float32),
            np.zeros((0, 4), np.float32),
            np.zeros((0, 2), np.float32),
            np.zeros(0),
            np.zeros(0, np.int64),
        )

    def select(self, rows: npt.ArrayLike) -> _Tracks:
        return _Tracks(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))

    def join(self, other: _Tracks) -> _Tracks:
        pairs = ((getattr(self, n), getattr(other, n)) for n in self.__dataclass_fields__)
        return _Tracks(*(np.concatenate(pair) for pair in pairs))


@dataclass
class Tracker:
    """Gives everyone an id that stays the same from frame to frame. One tracker a source.

    Attributes:
        confident: Person score from which somebody takes part in the first round.
        max_age: Seconds that somebody may be unseen and still keep the id.
        minimum_likeness: Likeness, 0..1, below which two sightings are never the same person.
    """

    confident: float = 0.4
    max_age: float = 2.0
    minimum_likeness: float = 0.15
    _next: int = field(default=1, init=False, repr=False)
    _time: float = field(default=-np.inf, init=False, repr=False)
    _skeleton: Skeleton | None = field(default=None, init=False, repr=False)
    _tracks: _Tracks = field(default_factory=lambda: _Tracks.none(0), init=False, repr=False)
    _crossings: Crossings = field(default_factory=Crossings, init=False, repr=False)

    def restart(self) -> None:
        """Forget everyone, as at a cut. Ids that were given are not given again."""
        self._skeleton = None

    def update(self, poses: Poses) -> Poses:
        """Return the same people in the same order, with ``ids`` set.

        Everybody gets an id at once, also on first sight. Frames must come in order; where time
        runs backwards or the skeleton changes, the tracker restarts.
        """
        if poses.skeleton != self._skeleton or poses.time < self._time:
            self._skeleton = poses.skeleton
            self._tracks = _Tracks.none(len(poses.skeleton))
            self._crossings = Crossings()
        self._time = poses.time
        self._forget(poses.time)
        boxes = _known_boxes(poses)
        found, copies = self._associate(poses, boxes)
        found = self._cross(found, boxes, poses.time)
        ids = self._remember(poses, boxes, found, copies)
        return poses.replace(ids=ids)

    def _forget(self, time: float) -> None:
        tracks = self._tracks
        age: Matrix = time - tracks.seen
        # A false alarm is soon forgotten, so that nobody is mistaken for it.
        keep = age <= np.where(tracks.hits >= _NEW, self.max_age, self.max_age / 4)
        keep[np.argsort(age, kind="stable")[_MOST:]] = False
        if not keep.all():
            self._tracks = tracks.select(keep)

    def _associate(self, poses: Poses, boxes: FloatArray) -> tuple[IntArray, Mask]:
        """Return (N,) the row of each person's track or -1, and who is a copy of somebody."""
        found = np.full(len(poses), -1, np.int64)
        if not len(poses) or not len(self._tracks.ids):
            return found, np.zeros(len(poses), bool)
        likeness = _likeness(poses, boxes, self._tracks)
        age = poses.time - self._tracks.seen
        cost = 1 - likeness / (1 + _PENALTY * age)
        cost[likeness < self.minimum_likeness] = np.inf
        known = self._tracks.hits >= _NEW
        likeness_to_known = likeness * known
        copies = _copies(poses, boxes, likeness_to_known)
        # A copy takes over nobody but a person just as near who was there a moment ago: then it
        # may be that person, right behind or before another one.
        best = likeness_to_known.max(axis=1, keepdims=True)
        near = (likeness >= _RIVAL * best) & (likeness < best)
        cost[np.ix_(copies, known)] = np.where(near & (age < _MOMENT), cost, np.inf)[
            np.ix_(copies, known)
        ]
        strong = poses.person_scores >= self.confident
        for people, tracks in ((strong, known), (~strong, known), (None, ~known)):
            _match(cost, found, people, tracks)
        return found, copies

    def _cross(self, found: IntArray, boxes: FloatArray, time: float) -> IntArray:
        """Return (N,) rows of tracks, put right where people covered one another."""
        rows = {int(identity): row for row, identity in enumerate(self._tracks.ids)}
        ids = np.array([self._tracks.ids[row] if row >= 0 else -1 for row in found], np.int64)
        still = np.zeros((1, 2), np.float32)
        velocities = np.concatenate([self._tracks.velocity, still])[found]
        right = self._crossings.resolve(ids, boxes, velocities, time)
        if np.array_equal(right, ids) or not all(one in rows for one in right if one >= 0):
            return found
        return np.array([rows.get(int(identity), -1) for identity in right], np.int64)

    def _remember(self, poses: Poses, boxes: FloatArray, found: IntArray, copies: Mask) -> IntArray:
        """Bring the tracks up to date, begin new ones, and return (N,) ids."""
        ids = np.zeros(len(poses), np.int64)
        old = np.flatnonzero(found >= 0)
        new = np.flatnonzero(found < 0)
        ids[old] = self._tracks.ids[found[old]]
        # A known track learns nothing from a copy: it may be a second sighting of somebody else.
        old = old[~(copies[old] & (self._tracks.hits[found[old]] >= _NEW))]
        if len(old):
            _refresh(self._tracks, found[old], poses.select(old), boxes[old])
            self._tracks.hits[found[old]] += ~copies[old]
        if len(new):
            ids[new] = np.arange(self._next, self._next + len(new))
            self._next += len(new)
            self._tracks = self._tracks.join(
                _Tracks(
                    ids[new],
                    poses.keypoints[new],
                    boxes[new],
                    np.zeros((len(new), 2), np.float32),
                    np.full(len(new), poses.time),
                    np.ones(len(new), np.int64),
                )
            )
        return ids


def _known_boxes(poses: Poses) -> FloatArray:
    unknown: Mask = np.asarray(np.isnan(poses.boxes).any(axis=1))
    if not unknown.any():
        return poses.boxes
    return np.where(unknown[:, None], bounding_boxes(poses.keypoints), poses.boxes)


def _sizes(boxes: FloatArray) -> FloatArray:
    """(N,) body size in pixels: the longer side, since a thin box says little by its area."""
    sides = np.nan_to_num(boxes[:, 2:] - boxes[:, :2])
    size: FloatArray = np.maximum(sides.max(axis=1, initial=1), 1)
    return size


def _predict(tracks: _Tracks, time: float) -> tuple[FloatArray, FloatArray]:
    """Keypoints and boxes of the tracks as they should be now."""
    ahead = _DAMPING * (1 - np.exp(-(time - tracks.seen) / _DAMPING))
    shift = (tracks.velocity * ahead[:, None]).astype(np.float32)
    return tracks.keypoints + shift[:, None], tracks.boxes + np.tile(shift, 2)


def _likeness(poses: Poses, boxes: FloatArray, tracks: _Tracks) -> Matrix:
    """(N, M) likeness in 0..1 of the people to the predicted tracks."""
    keypoints, expected = _predict(tracks, poses.time)
    size = _sizes(tracks.boxes)
    unsure = (_DRIFT * size * (poses.time - tracks.seen)) ** 2
    variance = (size[:, None] * (_WIDTH + poses.skeleton.sigmas)) ** 2 + unsure[:, None]
    keypoint_likeness, shared = _keypoint_likeness(poses, keypoints, variance)
    overlap = iou(boxes, expected)
    # With fewer than three keypoints in common the boxes have to do.
    mixed = np.where(shared >= 3, 0.7 * keypoint_likeness + 0.3 * overlap, overlap)
    return np.nan_to_num(mixed).astype(np.float64)


def _keypoint_likeness(
    poses: Poses, keypoints: FloatArray, variance: Matrix
) -> tuple[FloatArray, IntArray]:
    """(N, M) score-weighted mean likeness of the keypoints both have, and how many they are."""
    distance = ((poses.keypoints[:, None] - keypoints[None]) ** 2).sum(axis=3)
    alike = np.exp(-distance / (2 * variance))
    both = ~np.isnan(alike)
    weight = both * np.maximum(poses.scores, 0.05)[:, None]
    total = np.maximum(weight.sum(axis=2), 1e-6)
    mean: FloatArray = np.where(both, alike * weight, 0).sum(axis=2) / total
    return mean, np.count_nonzero(both, axis=2)


def _copies(poses: Poses, boxes: FloatArray, likeness: Matrix) -> Mask:
    """(N,) whether somebody is a second sighting of a person with a better score.

    Two sightings are of one person where they lie on each other and are most like the same track.
    """
    people = len(poses)
    copies = np.zeros(people, bool)
    if people < 2:
        return copies
    nearest = likeness.argmax(axis=1)
    close = (iou(boxes, boxes) > 0.5) & (nearest[:, None] == nearest)
    if np.count_nonzero(close) <= people:  # nobody is close to anybody but themselves
        return copies
    sizes = _sizes(boxes)
    order = np.argsort(-poses.person_scores, kind="stable")
    for place, row in enumerate(order):
        for better in order[:place]:
            if close[row, better] and not copies[better]:
                copies[row] |= _same(poses, int(row), int(better), sizes)
    return copies


def _same(poses: Poses, a: int, b: int, sizes: FloatArray) -> bool:
    distance = np.linalg.norm(poses.keypoints[a] - poses.keypoints[b], axis=1)
    middle = np.nanmedian(distance) if np.isfinite(distance).any() else 0.0
    return bool(middle < 0.04 * max(sizes[a], sizes[b]))


def _match(cost: Matrix, found: IntArray, people: Mask | None, tracks: Mask) -> None:
    """Assign the chosen people who have no track yet to the chosen tracks that are free."""
    rows = np.flatnonzero(found < 0 if people is None else people & (found < 0))
    free = tracks.copy()
    free[found[found >= 0]] = False
    columns = np.flatnonzero(free)
    if len(rows) and len(columns):
        pairs = assign(cost[np.ix_(rows, columns)], limit=1.0)
        for row, column in pairs:
            found[rows[row]] = columns[column]


def _refresh(tracks: _Tracks, rows: IntArray, poses: Poses, boxes: FloatArray) -> None:
    """Move tracks to where their people are now, and learn how fast they go."""
    elapsed = poses.time - tracks.seen[rows]
    shift, known = _shift(tracks.keypoints[rows], poses)
    gain = np.maximum(1 - np.exp(-elapsed / _MEMORY), 1 / tracks.hits[rows])
    gain = np.where(known & (elapsed > 0), gain, 0)[:, None]
    speed = shift / np.maximum(elapsed, 1e-6)[:, None]
    tracks.velocity[rows] += (gain * (speed - tracks.velocity[rows])).astype(np.float32)
    tracks.keypoints[rows] = poses.keypoints
    tracks.boxes[rows] = boxes
    tracks.seen[rows] = poses.time


def _shift(before: FloatArray, poses: Poses) -> tuple[FloatArray, Mask]:
    """(N, 2) how far the keypoints moved on the whole, and (N,) whether any can tell."""
    moved = poses.keypoints - before
    weight = poses.scores * np.isfinite(moved[..., 0])
    total = weight.sum(axis=1)
    shift: FloatArray = (np.nan_to_num(moved) * weight[..., None]).sum(axis=1)
    return shift / np.maximum(total, 1e-6)[:, None], total > 0
