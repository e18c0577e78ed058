"""Swaps: left and right that a model exchanged for some frames are put right again.

For each group of limbs, the way through time that moves least is found by dynamic programming
(Viterbi 1967, doi 10.1109/TIT.1967.1054010): in each frame the two sides stay or are exchanged.
Where both ways move about as much (sides close together, long gaps), nothing is exchanged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from poise.clip import Clip, Track
from poise.errors import UsageError, suggest
from poise.poses import Poses
from poise.skeleton import Skeleton

Matrix = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
Data = TypeVar("Data", Track, Clip)

GROUPS: dict[str, tuple[str, ...]] = {
    "arms": ("elbow", "wrist", "hand", "thumb", "index", "middle", "ring", "pinky"),
    "legs": ("knee", "ankle", "heel", "foot", "big_toe", "small_toe"),
    "trunk": ("shoulder", "hip"),
    "face": ("eye", "ear", "mouth"),
}

_PRICE = 0.15  # body sizes that a change of sides must save, summed over the group
_RENT = 0.3  # price of a second of being exchanged
_FORGET = 0.5  # seconds after which a last sighting says nothing about the side
_REACH = 0.25  # body sizes; a jump further than this counts no more


def repair_swaps(data: Data, *, groups: Sequence[str] = ("body", "arms", "legs")) -> Data:
    """Return the same track or clip with exchanged left and right put back.

    Motion alone cannot tell which of two ways is the person's own left; of the two, the one that
    changes less is chosen, so a model that is right most of the time is put right.

    Args:
        data: A ``Track``, or a ``Clip`` whose people have ids.
        groups: What is exchanged together, in this order: ``body`` (everything), ``arms``,
            ``legs``, ``trunk``, ``face``.

    Raises:
        UsageError: There is no such group, or people have no ids.
    """
    for group in groups:
        if group != "body" and group not in GROUPS:
            raise UsageError(
                f"no group of limbs named '{group}'", remedy=suggest(group, ["body", *GROUPS])
            )
    if isinstance(data, Clip):
        return _repair_clip(data, groups)  # type: ignore[return-value]  # no Track is one
    return _repair_track(data, groups)


def _repair_track(track: Track, groups: Sequence[str]) -> Track:
    for group in groups:
        left, right = _sides(track.skeleton, group)
        if len(left) and len(track) > 1:
            track = _exchange(track, _exchanged(track, left, right), left, right)
    return track


def _sides(skeleton: Skeleton, group: str) -> tuple[Rows, Rows]:
    """Numbers of the left and right keypoints of a group."""
    left = [
        number
        for number, name in enumerate(skeleton.keypoints)
        if name.startswith("left_")
        and skeleton.flip[number] != number
        and (group == "body" or any(part in name for part in GROUPS[group]))
        and not (group == "arms" and "foot" in name)
    ]
    rows = np.array(left, np.int64)
    return rows, skeleton.flip[rows]


def _exchange(track: Track, frames: npt.NDArray[np.bool_], left: Rows, right: Rows) -> Track:
    order = np.arange(len(track.skeleton))
    order[left], order[right] = right, left

    def turned(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        new = values.copy()
        new[frames] = values[frames][:, order]
        return new

    return replace(
        track,
        keypoints=turned(track.keypoints),
        scores=turned(track.scores),
        xyz=None if track.xyz is None else turned(track.xyz),
    )


def _exchanged(track: Track, left: Rows, right: Rows) -> npt.NDArray[np.bool_]:
    """(T,) whether left and right of these keypoints are exchanged in a frame."""
    points = np.stack([track.keypoints[:, left], track.keypoints[:, right]], axis=1)
    stay, change = _moves(track, points.astype(np.float64))
    # Two states: as given, and exchanged. A change has its price, so that only a clear saving
    # pays; being exchanged costs a little all the time, so that it ends as soon as it may.
    steps = np.diff(track.times, prepend=track.times[0])
    rent = np.outer(steps, [0.0, _RENT])
    cost = np.zeros(2)
    came = np.zeros((len(track), 2), np.int64)
    for frame in range(1, len(track)):
        keep, turn = cost + stay[frame], cost[::-1] + change[frame] + _PRICE
        came[frame] = np.where(turn < keep, [1, 0], [0, 1])
        cost = np.minimum(keep, turn) + rent[frame]
    state = int(cost.argmin())
    states = np.zeros(len(track), bool)
    for frame in range(len(track) - 1, -1, -1):
        states[frame] = state == 1
        state = int(came[frame, state])
    return states


def _moves(track: Track, points: Matrix) -> tuple[Matrix, Matrix]:
    """(T,) how far the sides moved since last seen, in body sizes: as they are, and exchanged."""
    size = _size(track)
    frames, _, count, _ = points.shape
    stay, change = np.zeros(frames), np.zeros(frames)
    last = points[0].copy()
    when = np.full(count, track.times[0])
    for frame in range(1, frames):
        now = points[frame]
        age = track.times[frame] - when
        trust = np.clip(1 - age / _FORGET, 0, 1)
        straight = np.linalg.norm(now - last, axis=2) / size
        crossed = np.linalg.norm(now[::-1] - last, axis=2) / size
        # Only where all four points are known can the two ways be compared.
        both = np.isfinite(straight).all(axis=0) & np.isfinite(crossed).all(axis=0)
        stay[frame] = (np.minimum(straight, _REACH).sum(axis=0) * trust)[both].sum()
        change[frame] = (np.minimum(crossed, _REACH).sum(axis=0) * trust)[both].sum()
        there = np.isfinite(now).all(axis=(0, 2))
        last[:, there], when[there] = now[:, there], track.times[frame]
    return stay, change


def _size(track: Track) -> float:
    """Median longer side of the body over the track, in pixels."""
    there = track.keypoints[np.isfinite(track.keypoints[..., 0]).sum(axis=1) > 0]
    if not len(there):
        return 1.0
    sides = np.nanmax(there, axis=1) - np.nanmin(there, axis=1)
    return max(float(np.median(sides.max(axis=1))), 1.0)


def _repair_clip(clip: Clip, groups: Sequence[str]) -> Clip:
    tracks = {track.id: track for track in clip.tracks()}
    repaired = {identity: _repair_track(track, groups) for identity, track in tracks.items()}
    row = dict.fromkeys(tracks, 0)
    begun: set[int] = set()
    frames = []
    for poses in clip.frames:
        begun |= set(_ids(poses))
        frames.append(_put(poses, repaired, row))
        for identity in begun:
            row[identity] += 1
    return replace(clip, frames=tuple(frames))


def _ids(poses: Poses) -> list[int]:
    return [] if poses.ids is None else poses.ids.tolist()


def _put(poses: Poses, tracks: dict[int, Track], row: dict[int, int]) -> Poses:
    """The frame with everyone as the repaired tracks have them."""
    if not len(poses):
        return poses
    chosen = [(tracks[identity], row[identity]) for identity in _ids(poses)]
    xyz = poses.xyz
    if xyz is not None:
        xyz = np.stack([track.xyz[n] for track, n in chosen if track.xyz is not None])
    return poses.replace(
        keypoints=np.stack([track.keypoints[n] for track, n in chosen]),
        scores=np.stack([track.scores[n] for track, n in chosen]),
        xyz=xyz,
    )
