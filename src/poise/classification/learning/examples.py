"""What is learned from: measured examples with their labels and where they come from."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from poise.classification.learning.features import (
    LEAST_SCORE,
    Floats,
    find_places,
    measure_poses,
    mirror_places,
)
from poise.classification.learning.windows import measure_windows
from poise.clip import Track
from poise.errors import InputError
from poise.poses import FloatArray
from poise.skeleton import Skeleton

LEAST_EXAMPLES = 5  # of a class
# Neighbouring frames of a video are nearly the same: learn from one in so many seconds.
SPACING = 0.1
_SIDES = {"left": "right", "right": "left"}


@dataclass(frozen=True, eq=False)
class Piece:
    """Some poses of one recording and one label: rows of a table, a picture, or a track.

    Attributes:
        label: What is seen.
        group: The recording; rows of one group are never on both sides of a test.
        track: Of one person. Without ``timed`` its times only count.
        origins: Where each frame comes from, for people to read.
        timed: Whether the frames follow one another in time.
        picture: The file of the picture, where it is one.
    """

    label: str
    group: str
    track: Track
    origins: tuple[str, ...]
    timed: bool = True
    picture: str | None = None


@dataclass(frozen=True, eq=False)
class Examples:
    """N examples, F features.

    Attributes:
        classes: The C names, sorted.
        labels: (N,) numbers of classes.
        groups: (N,) numbers of recordings.
        rows, mirrored: (N, F) features as they are and of the mirror images.
        bodies: (skeleton, keypoints (K, 2), scores (K,)) of each.
        origins: Where each comes from.
        pictures: The file of each one's picture, or None.
        window: Seconds, or None.
        tracks: A few inputs, for the examples of the saved file: (track, frame).
        notes: What the user should know.
    """

    classes: tuple[str, ...]
    labels: npt.NDArray[np.int64]
    groups: npt.NDArray[np.int64]
    rows: Floats
    mirrored: Floats
    bodies: Sequence[tuple[Skeleton, FloatArray, FloatArray]]
    origins: Sequence[str]
    pictures: Sequence[str | None]
    window: float | None
    tracks: Sequence[tuple[Track, int]] = ()
    notes: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.labels)

    def select(self, rows: npt.NDArray[np.int64], note: str) -> Examples:
        """Return some of the examples, with one more note."""
        lists = ("bodies", "origins", "pictures", "tracks")
        chosen: dict[str, Any] = {
            name: [getattr(self, name)[n] for n in rows.tolist()] for name in lists
        }
        arrays = ("labels", "groups", "rows", "mirrored")
        chosen |= {name: getattr(self, name)[rows] for name in arrays}
        return dataclasses.replace(self, **chosen, notes=[*self.notes, note])


def measure_examples(
    pieces: Sequence[Piece],
    *,
    window: float | None = None,
    where: object = None,
    notes: Sequence[str] = (),
) -> Examples:
    """Measure all pieces.

    Args:
        pieces: At least five poses of each of at least two labels.
        window: Seconds of motion that one example is; None for single poses.
        where: What the user named, for messages.
        notes: Of the reading.

    Raises:
        InputError: There are too few classes, or too few examples of one.
    """
    parts = [_measure(piece, window) for piece in pieces]
    chosen = [rows for rows, _, _ in parts]
    owner = np.repeat(np.arange(len(pieces)), [len(rows) for rows in chosen])
    frames = np.concatenate([*chosen, np.zeros(0, np.int64)])
    classes = tuple(sorted({piece.label for piece in pieces}))
    labels = np.array([classes.index(pieces[p].label) for p in owner.tolist()], np.int64)
    _check_counts(classes, labels, where)
    names = {name: n for n, name in enumerate(dict.fromkeys(p.group for p in pieces))}
    origin = list(zip(owner.tolist(), frames.tolist(), strict=True))
    return Examples(
        classes,
        labels,
        np.array([names[pieces[p].group] for p in owner.tolist()], np.int64),
        np.concatenate([rows for _, rows, _ in parts]),
        np.concatenate([rows for _, _, rows in parts]),
        [_body(pieces[p].track, frame) for p, frame in origin],
        [pieces[p].origins[frame] for p, frame in origin],
        [pieces[p].picture for p, _ in origin],
        window,
        [(pieces[p].track, frame) for p, frame in origin],
        list(notes),
    )


def _body(track: Track, frame: int) -> tuple[Skeleton, FloatArray, FloatArray]:
    return track.skeleton, track.keypoints[frame], track.scores[frame]


def _check_counts(classes: tuple[str, ...], labels: npt.NDArray[np.int64], where: object) -> None:
    if len(classes) < 2:
        what = f"holds one class only, {classes[0]!r}" if classes else "holds no example"
        raise InputError(what, where=where, remedy="a classifier needs examples of at least two")
    counts = np.bincount(labels, minlength=len(classes))
    for name, count in zip(classes, counts.tolist(), strict=True):
        if count < LEAST_EXAMPLES:
            what = f"class {name!r} has {count} example{'s' * (count != 1)} with a visible person"
            remedy = f"give it at least {LEAST_EXAMPLES}, better a hundred of several people"
            raise InputError(what, where=where, remedy=remedy)


def _measure(piece: Piece, window: float | None) -> tuple[npt.NDArray[np.int64], Floats, Floats]:
    """Return the chosen frames of a piece and their features, as they are and mirrored."""
    track = piece.track
    places = find_places(track.skeleton, track.keypoints, track.scores, least_score=LEAST_SCORE)
    frames = np.flatnonzero(np.isfinite(places).all(axis=2).sum(axis=1) > 0)
    if piece.timed:
        frames = _spaced(track.times, frames, window)
    flipped = mirror_places(places)
    if window is None:
        return frames, measure_poses(places[frames]), measure_poses(flipped[frames])
    rows, mirrored = (measure_windows(p, track.times, window, frames) for p in (places, flipped))
    return frames, rows, mirrored


def _spaced(
    times: Floats, frames: npt.NDArray[np.int64], window: float | None
) -> npt.NDArray[np.int64]:
    """Return the frames that are at least SPACING apart and have their whole window, if any has."""
    if window is not None and len(frames):
        inside = (times[frames] >= times[0] + window / 2 - 1e-6) & (
            times[frames] <= times[-1] - window / 2 + 1e-6
        )
        middle = np.abs(times[frames] - (times[0] + times[-1]) / 2).argmin()
        frames = frames[inside] if inside.any() else frames[middle : middle + 1]
    kept: list[int] = []
    for frame in frames.tolist():
        if not kept or times[frame] - times[kept[-1]] >= SPACING - 1e-6:
            kept.append(frame)
    return np.array(kept, np.int64)


def mirror_classes(classes: Sequence[str]) -> list[int | None]:
    """Return the class that each is in a mirror, or None where that is none of them.

    A name with the word left or right becomes the one with the other word: a mirrored
    ``point_left`` is a ``point_right``. Every other class is its own mirror image.
    """
    numbers = {name: number for number, name in enumerate(classes)}
    return [numbers.get(_mirror(name)) for name in classes]


def _mirror(name: str) -> str:
    words = re.split(r"([^\W_]+)", name)
    return "".join(_swap(word) for word in words)


def _swap(word: str) -> str:
    other = _SIDES.get(word.lower())
    if other is None:
        return word
    if word.isupper():
        return other.upper()
    return other.title() if word[0].isupper() else other
