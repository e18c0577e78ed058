"""Gaps: short absences of a keypoint or of a person are filled in from both sides."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from poise.clip import Clip, Track
from poise.errors import UsageError
from poise.poses import FloatArray, Poses

Matrix = npt.NDArray[np.float64]
Data = TypeVar("Data", Track, Clip)

METHODS = ("cubic", "linear")
DOUBT = 0.5  # what is filled in has this share of the lower score beside the gap


def fill_gaps(data: Data, *, max_gap: float = 0.25, method: str = "cubic") -> Data:
    """Return the same track or clip with short gaps filled in.

    Nothing is extrapolated: a gap has a sighting on both sides. In a clip, people who are missing
    in a few frames are put back with their id, last in the frame. What is filled in has half the
    lower one of the scores on both sides.

    Args:
        data: A ``Track``, or a ``Clip`` whose people have ids.
        max_gap: Longest time in seconds between the two sightings that are joined.
        method: ``cubic`` keeps the speed on both sides but never goes beyond the two ends (Fritsch
            and Butland 1984, doi 10.1137/0905021); ``linear`` joins them by a line.

    Raises:
        UsageError: There is no such method, the gap is negative, or people have no ids.
    """
    if method not in METHODS:
        raise UsageError(f"no interpolation named '{method}'", remedy="choose cubic or linear")
    if not max_gap >= 0:
        raise UsageError(f"max_gap cannot be {max_gap}", remedy="wanted 0 or more seconds")
    if isinstance(data, Clip):
        return _fill_clip(data, max_gap, method)  # type: ignore[return-value]  # no Track is one
    return _fill_track(data, max_gap, method)


def _fill_track(track: Track, max_gap: float, method: str) -> Track:
    scores = track.scores.copy()
    keypoints = _fill(track.times, track.keypoints, max_gap, method, scores=scores)
    xyz = track.xyz
    if xyz is not None:
        xyz = _fill(track.times, xyz, max_gap, method)
    return replace(track, keypoints=keypoints, scores=scores, xyz=xyz)


def _fill(
    times: Matrix, points: FloatArray, max_gap: float, method: str, scores: FloatArray | None = None
) -> FloatArray:
    """Fill (T, C, D) points, and their (T, C) scores in place."""
    filled = points.copy()
    present = np.isfinite(points.sum(axis=2))
    for column in range(points.shape[1]):
        rows = np.flatnonzero(present[:, column])
        ends = np.flatnonzero((np.diff(rows) > 1) & (np.diff(times[rows]) <= max_gap + 1e-6))
        for end in ends:
            inside = np.arange(rows[end] + 1, rows[end + 1])
            place = min(int(end), 1)
            near = rows[end - place : end + 3]
            values = points[near, column].astype(np.float64)
            filled[inside, column] = _between(times[near], values, place, times[inside], method)
            if scores is not None:
                scores[inside, column] = DOUBT * scores[rows[end : end + 2], column].min()
    return filled


def _between(times: Matrix, values: Matrix, place: int, at: Matrix, method: str) -> Matrix:
    """Values between sightings ``place`` and ``place + 1`` of at most four."""
    steps = np.maximum(np.diff(times), 1e-9)
    secants = np.diff(values, axis=0) / steps[:, None]
    length, slope = steps[place], secants[place]
    share = ((at - times[place]) / length)[:, None]
    if method == "linear":
        return np.asarray(values[place] + share * length * slope)
    before = _slope(steps, secants, place) if place > 0 else slope
    after = _slope(steps, secants, place + 1) if place + 1 < len(steps) else slope
    return np.asarray(
        values[place] * (1 + 2 * share) * (1 - share) ** 2
        + values[place + 1] * share**2 * (3 - 2 * share)
        + length * (before * share * (1 - share) ** 2 - after * share**2 * (1 - share))
    )


def _slope(steps: Matrix, secants: Matrix, place: int) -> Matrix:
    """Slope at a sighting: the weighted harmonic mean of both sides, 0 where they disagree."""
    left, right = secants[place - 1], secants[place]
    a = 2 * steps[place] + steps[place - 1]
    b = steps[place] + 2 * steps[place - 1]
    agree = left * right > 0
    safe_left, safe_right = np.where(agree, left, 1), np.where(agree, right, 1)
    slope: Matrix = np.where(agree, (a + b) / (a / safe_left + b / safe_right), 0)
    return slope


def _fill_clip(clip: Clip, max_gap: float, method: str) -> Clip:
    frames = list(clip.frames)
    times = clip.times
    for track in clip.tracks():
        filled = _fill_track(track, max_gap, method)
        first = int(np.searchsorted(times, track.times[0]))
        while track.id not in _ids(frames[first]):  # several frames may share one time
            first += 1
        for offset in range(len(track)):
            frames[first + offset] = _put(frames[first + offset], filled, offset)
    return replace(clip, frames=tuple(frames))


def _ids(poses: Poses) -> list[int]:
    return [] if poses.ids is None else poses.ids.tolist()


def _put(poses: Poses, track: Track, row: int) -> Poses:
    """The frame with one person as the filled track has them."""
    if track.id in _ids(poses):
        place = _ids(poses).index(track.id)
        keypoints, scores = poses.keypoints.copy(), poses.scores.copy()
        keypoints[place], scores[place] = track.keypoints[row], track.scores[row]
        xyz = poses.xyz
        if xyz is not None and track.xyz is not None:
            xyz = xyz.copy()
            xyz[place] = track.xyz[row]
        return poses.replace(keypoints=keypoints, scores=scores, xyz=xyz)
    if not np.isfinite(track.keypoints[row]).any():
        return poses
    xyz = poses.xyz if len(poses) or track.xyz is None else track.xyz[:0]
    if xyz is not None and track.xyz is not None:  # a track has xyz where any of its frames has
        xyz = np.concatenate([xyz, track.xyz[row : row + 1]])
    alone = Poses(track.skeleton, track.keypoints[row : row + 1], track.scores[row : row + 1])
    return poses.replace(
        keypoints=np.concatenate([poses.keypoints, alone.keypoints]),
        scores=np.concatenate([poses.scores, alone.scores]),
        boxes=np.concatenate([poses.boxes, alone.boxes]),
        person_scores=np.concatenate([poses.person_scores, alone.person_scores]),
        ids=np.array([*_ids(poses), track.id], np.int64),
        xyz=xyz,
    )
