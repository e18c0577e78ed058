"""People who cover one another: who comes out on which side.

While two people cover each other, one detection often stands for both, and its pose drifts from one
to the other. Their own motion from before they touched says better who is who: two people who
walk through each other's line of sight go on walking.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from poise.geometry import iou
from poise.poses import FloatArray, IntArray

_TOUCH, _APART = 0.05, 0.02  # overlap at which two people begin and cease to cover each other
_LONGEST = 3.0  # seconds that a way is believed to go on as it was
_HIDDEN = 0.15  # seconds; who is unseen for less was only missed
_CLEAR, _RESOLVED = 0.1, 0.3  # body sizes between two expected places that can be told apart


@dataclass
class _Meeting:
    """Two people who cover each other, as they were when they began to touch."""

    began: float
    places: FloatArray  # (2, 2) pixels
    velocities: FloatArray  # (2, 2) pixels a second
    size: float  # pixels, of the larger body
    both: float  # when both were last seen
    hidden: bool = False  # whether one of them was out of sight since

    def expect(self, time: float) -> FloatArray:
        """Return (2, 2) where they should be, if they went on as they did."""
        return self.places + self.velocities * np.float32(time - self.began)


@dataclass
class Crossings:
    """Remembers who covers whom, and puts ids right where one person was hidden by another."""

    _meetings: dict[tuple[int, int], _Meeting] = field(default_factory=dict)

    def resolve(
        self, ids: IntArray, boxes: FloatArray, velocities: FloatArray, time: float
    ) -> IntArray:
        """Return (N,) ids, put right among people who met; -1 stands for somebody new.

        Args:
            ids: (N,) identities by likeness to the last frame; -1 for new people.
            boxes: (N, 4) pixels.
            velocities: (N, 2) pixels a second, of each id until now.
            time: Seconds.
        """
        right = ids.copy()
        places = ((boxes[:, :2] + boxes[:, 2:]) / 2).astype(np.float32)
        for pair, meeting in list(self._meetings.items()):
            rows = np.flatnonzero(np.isin(right, pair))
            meeting.both = time if len(rows) == 2 else meeting.both
            meeting.hidden |= time - meeting.both > _HIDDEN
            over = time - meeting.began > _LONGEST
            if not over and meeting.hidden and len(rows):
                over = _settle(pair, meeting, right, rows, place=places[rows], time=time)
            if over:
                del self._meetings[pair]
        self._watch(right, boxes, places, velocities, time)
        return right

    def _watch(
        self,
        ids: IntArray,
        boxes: FloatArray,
        places: FloatArray,
        velocities: FloatArray,
        time: float,
    ) -> None:
        """Learn who begins to cover whom, and who has parted."""
        overlap = iou(boxes, boxes)
        touching = np.triu(overlap > _TOUCH, 1)
        if not touching.any() and not self._meetings:
            return
        for one, other in zip(*np.nonzero(touching), strict=True):
            rows = [one, other] if ids[one] < ids[other] else [other, one]
            pair = int(ids[rows[0]]), int(ids[rows[1]])
            if pair[0] >= 0 and pair not in self._meetings:
                sides = boxes[rows, 2:] - boxes[rows, :2]
                size = float(max(np.nan_to_num(sides).max(), 1))
                self._meetings[pair] = _Meeting(time, places[rows], velocities[rows], size, time)
        where = {int(identity): row for row, identity in enumerate(ids)}
        for pair in list(self._meetings):
            both = [where[identity] for identity in pair if identity in where]
            if len(both) == 2 and overlap[both[0], both[1]] < _APART:
                del self._meetings[pair]


def _settle(
    pair: tuple[int, int],
    meeting: _Meeting,
    ids: IntArray,
    rows: IntArray,
    *,
    place: FloatArray,
    time: float,
) -> bool:
    """Give the pair's ids to its one or two rows; return whether that ends the meeting."""
    expected = meeting.expect(time)
    between, before = expected[0] - expected[1], meeting.places[0] - meeting.places[1]
    gap = float(np.linalg.norm(between)) / meeting.size
    if gap < _CLEAR or float(between @ before) > 0:
        return False
    away = np.linalg.norm(place[:, None] - expected[None], axis=2) / meeting.size
    if len(rows) == 1:
        if abs(away[0, 0] - away[0, 1]) > _CLEAR / 2:
            ids[rows[0]] = pair[int(away[0].argmin())]
        return False
    straight, crossed = away[0, 0] + away[1, 1], away[0, 1] + away[1, 0]
    ids[rows] = pair if straight <= crossed else pair[::-1]
    return gap > _RESOLVED
