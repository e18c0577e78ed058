"""Smoothing of whole tracks and clips, and of files as they are read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from poise.clip import Clip, Track
from poise.errors import UsageError, suggest
from poise.poses import FloatArray, IntArray, Poses
from poise.smoothing.causal import OneEuro, ids_of, move_boxes
from poise.smoothing.filters import Matrix, butterworth, savgol

Data = TypeVar("Data", Track, Clip)
Filter = Callable[[Matrix, Matrix], Matrix]  # (T,) seconds, (T, C) values -> (T, C)

METHODS = ("one-euro", "savgol", "butterworth", "none")

_BLOCK = 1.0  # seconds of frames that a Smoother works on at a time
_CROWD = 5000  # frames it holds at most, for sources whose time stands still


def smooth(
    data: Data,
    method: str = "savgol",
    *,
    window: float = 0.3,
    order: int = 3,
    cutoff: float = 6.0,
) -> Data:
    """Return the same track or clip with calmer keypoints, xyz and boxes.

    Args:
        data: A ``Track``, or a ``Clip`` whose people have ids.
        method: ``savgol`` fits a polynomial around each moment (Savitzky and Golay 1964);
            ``butterworth`` is a low-pass of second order, run forwards and backwards; both are
            without delay. ``one-euro`` is the causal filter of ``OneEuro``; ``none`` does nothing.
        window: Seconds of the polynomial's window (savgol).
        order: Degree of the polynomial (savgol).
        cutoff: Hz at which one pass has lost 3 dB, both together 6 dB (butterworth).

    Raises:
        UsageError: There is no such method, a setting cannot be, or people have no ids.
    """
    chosen = _choose(method, window, order, cutoff)
    if method == "none":
        return data
    if isinstance(data, Clip):
        return _smooth_clip(data, chosen)  # type: ignore[return-value]  # a Track is no Clip
    return _smooth_track(data, chosen)


def _smooth_clip(clip: Clip, chosen: Filter | None) -> Clip:
    frames = _one_euro(clip.frames) if chosen is None else _smooth_frames(clip.frames, chosen)
    return replace(clip, frames=tuple(frames))


def _smooth_track(track: Track, chosen: Filter | None) -> Track:
    if chosen is None:
        return _walk(track)
    numbers = np.arange(len(track))
    xyz = track.xyz
    return replace(
        track,
        keypoints=_filter_runs(track.times, numbers, track.keypoints, chosen),
        xyz=None if xyz is None else _filter_runs(track.times, numbers, xyz, chosen),
    )


class Smoother:
    """Smooths a stream of frames as it comes, in memory that does not grow with its length.

    ``one-euro`` and ``none`` give each frame back at once. ``savgol`` gives what ``smooth`` gives
    for the whole clip, up to a second and a window later. ``butterworth`` looks only
    6 / ``cutoff`` seconds ahead and back: on even times that changes its output by less than 0.001
    pixels, on very uneven ones by some tenths of a pixel.

    Args are those of ``smooth``, and it raises the same errors.
    """

    def __init__(
        self,
        method: str = "one-euro",
        *,
        window: float = 0.3,
        order: int = 3,
        cutoff: float = 6.0,
    ) -> None:
        self._filter = _choose(method, window, order, cutoff)
        self._causal = OneEuro() if method == "one-euro" else None
        self._reach = {"savgol": window, "butterworth": 6 / cutoff}.get(method, 0.0)
        self._held: list[Poses] = []
        self._given = 0  # of the frames that are held, those that were given back before

    def push(self, poses: Poses) -> list[Poses]:
        """Take the next frame; return those that are ready, in order."""
        if self._causal is not None:
            return [self._causal.update(poses)]
        if self._filter is None:
            return [poses]
        self._held.append(poses)
        waiting = poses.time - self._held[self._given].time
        if waiting > self._reach + _BLOCK:
            return self._give(poses.time - self._reach)
        return self.finish() if len(self._held) > _CROWD else []

    def finish(self) -> list[Poses]:
        """Return the frames that are left, at the end of the source."""
        ready = self._give(np.inf)
        self._held, self._given = [], 0
        return ready

    def _give(self, until: float) -> list[Poses]:
        if not self._held or self._filter is None:
            return []
        calm = _smooth_frames(self._held, self._filter)
        times = np.array([poses.time for poses in self._held])
        end = int(np.searchsorted(times, until))
        ready = calm[self._given : end]
        start = int(np.searchsorted(times, times[min(end, len(times) - 1)] - self._reach - 1e-6))
        self._held, self._given = self._held[start:], end - start
        return ready


def _choose(method: str, window: float, order: int, cutoff: float) -> Filter | None:
    """The filter of runs, or None where the method has none."""
    if method not in METHODS:
        raise UsageError(f"no smoothing named '{method}'", remedy=suggest(method, METHODS))
    for name, value in (("window", window), ("cutoff", cutoff), ("order", order + 1)):
        if not 0 < value < np.inf:
            raise UsageError(f"{name} cannot be {value}", where="smooth", remedy="wanted above 0")
    if method == "savgol":
        return lambda times, values: savgol(times, values, window=window, order=order)
    if method == "butterworth":
        return lambda times, values: butterworth(times, values, cutoff=cutoff)
    return None


def _filter_runs(
    times: Matrix, numbers: IntArray, points: FloatArray, chosen: Filter
) -> FloatArray:
    """Filter each run of consecutive frames in which a point is present by itself.

    Args:
        times: (T,) seconds.
        numbers: (T,) number of each frame; where one is left out, a run ends.
        points: (T, K, D).
        chosen: The filter.
    """
    calm = points.copy()
    present = np.isfinite(points).all(axis=2)
    patterns, which = np.unique(present, axis=1, return_inverse=True)
    for pattern in range(patterns.shape[1]):
        columns = np.flatnonzero(which.ravel() == pattern)
        rows = np.flatnonzero(patterns[:, pattern])
        for run in np.split(rows, np.flatnonzero(np.diff(numbers[rows]) > 1) + 1):
            if len(run) > 1:
                place = np.ix_(run, columns)
                flat = points[place].reshape(len(run), -1).astype(np.float64)
                calm[place] = chosen(times[run], flat).reshape(calm[place].shape)
    return calm


def _smooth_frames(frames: Sequence[Poses], chosen: Filter) -> list[Poses]:
    places: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for number, poses in enumerate(frames):
        for row, identity in enumerate(ids_of(poses)):
            places[identity].append((number, row))
    keypoints = [poses.keypoints.copy() for poses in frames]
    xyz = [None if poses.xyz is None else poses.xyz.copy() for poses in frames]
    for person in places.values():
        for new in (keypoints, xyz):
            _smooth_person(frames, person, new, chosen)
    return [
        poses if not len(poses) else poses.replace(keypoints=k, xyz=z, boxes=move_boxes(poses, k))
        for poses, k, z in zip(frames, keypoints, xyz, strict=True)
    ]


def _smooth_person(
    frames: Sequence[Poses],
    person: list[tuple[int, int]],
    new: Sequence[FloatArray | None],
    chosen: Filter,
) -> None:
    """Write one person's smoothed points into the copies of the frames' arrays."""
    there = [(number, row, array) for number, row in person if (array := new[number]) is not None]
    if len(there) < 2:
        return
    numbers = np.array([number for number, _, _ in there])
    times = np.array([frames[number].time for number in numbers])
    points = np.stack([array[row] for _, row, array in there])
    calm = _filter_runs(times, numbers, points, chosen)
    for (_, row, array), row_points in zip(there, calm, strict=True):
        array[row] = row_points


def _one_euro(frames: Iterable[Poses]) -> list[Poses]:
    causal = OneEuro()
    return [causal.update(poses) for poses in frames]


def _walk(track: Track) -> Track:
    """The causal filter along a track, as if its frames came live."""
    causal = OneEuro()
    keypoints = track.keypoints.copy()
    xyz = None if track.xyz is None else track.xyz.copy()
    for row, time in enumerate(track.times):
        one = slice(row, row + 1)
        poses = Poses(
            track.skeleton,
            track.keypoints[one],
            track.scores[one],
            ids=np.array([track.id]),
            xyz=None if track.xyz is None else track.xyz[one],
            time=float(time),
        )
        calm = causal.update(poses if poses.present.any() else poses.select([]))
        keypoints[one][: len(calm)] = calm.keypoints
        if xyz is not None and calm.xyz is not None:
            xyz[one][: len(calm)] = calm.xyz
    return replace(track, keypoints=keypoints, xyz=xyz)
