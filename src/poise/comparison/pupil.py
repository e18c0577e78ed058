"""Who of a frame is coached: the main person, and then the same one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from poise.loading.people import weigh_boxes
from poise.poses import Poses
from poise.tracking import Tracker

Floats = npt.NDArray[np.float64]

_HEAVIER = 1.5  # times as prominent somebody must be to be chosen instead, before it begins
_GONE = 2.0  # seconds unseen after which somebody else may be chosen


class Pupil:
    """Finds one person in frame after frame.

    Args:
        person: The id to look for, or None for the main person: the tallest and most central one
            (see ``performers.weigh_people``), by the first frames. Frames without ids are tracked
            from the moment on at which there are several people.
    """

    def __init__(self, person: int | None = None) -> None:
        self._named = person is not None
        self._id = person
        self._box: Floats | None = None
        self._time = -np.inf
        self._tracker: Tracker | None = None

    def find(self, poses: Poses, *, waiting: bool) -> int | None:
        """Return the person's row, or None.

        Args:
            poses: The frame.
            waiting: Whether somebody more prominent may be chosen instead.
        """
        if poses.ids is None:
            if self._tracker is None and len(poses) <= 1 and not self._named:
                return self._take(poses, 0) if len(poses) else None
            self._tracker = self._tracker or Tracker()
            poses = self._tracker.update(poses)
        if not len(poses) or poses.ids is None:
            return None
        ids = poses.ids.tolist()
        if self._named:
            return ids.index(self._id) if self._id in ids else None
        weights = _weigh(poses)
        row = ids.index(self._id) if self._id in ids else self._nearest(poses)
        main = int(weights.argmax())
        if row is None:
            gone = poses.time - self._time > _GONE
            return self._take(poses, main, ids) if gone else None
        if waiting and weights[main] > _HEAVIER * weights[row]:
            row = main
        return self._take(poses, row, ids)

    def _nearest(self, poses: Poses) -> int | None:
        """Find who stood alone until now: the first frame with ids has no known one."""
        if self._id is not None or self._box is None or poses.time - self._time > _GONE:
            return None
        away = np.abs(poses.boxes - self._box).max(axis=1)
        row = int(np.nan_to_num(away, nan=np.inf).argmin())
        size = float((self._box[2:] - self._box[:2]).max())
        return row if away[row] < 0.5 * size else None

    def _take(self, poses: Poses, row: int, ids: list[int] | None = None) -> int | None:
        if not poses.present[row].any():
            return None
        self._id = None if ids is None else ids[row]
        self._box, self._time = poses.boxes[row].astype(np.float64), poses.time
        return row


def _weigh(poses: Poses) -> Floats:
    boxes = poses.boxes.astype(np.float64)
    known = np.isfinite(boxes).all(axis=1)
    if not known.any():
        return np.zeros(len(boxes))
    width, height = poses.size if all(poses.size) else boxes[known, 2:].max(axis=0).tolist()
    weights = np.zeros(len(boxes))
    weights[known] = weigh_boxes(boxes[known], (max(width, 1.0), max(height, 1.0)))
    return weights
