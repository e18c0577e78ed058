"""A keypoint file or folder that is being read, and the arrays that its numbers become."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from poise.errors import InputError, UsageError
from poise.poses import Poses, bounding_boxes
from poise.skeleton import Skeleton, get_skeleton

MAXIMUM_DOCUMENT = 2**30
MAXIMUM_LINE = 2**26
_HEAD = 2**16


@dataclass(frozen=True)
class Source:
    """A keypoint file or folder, with what the user says about it.

    Attributes:
        path: The file or folder.
        skeleton: The layout that the user named, or None.
        fps: Frames per second that the user named, or None.
    """

    path: Path
    skeleton: Skeleton | None = None
    fps: float | None = None

    @cached_property
    def head(self) -> bytes:
        """The first bytes of the file; nothing for a folder."""
        if self.path.is_dir():
            return b""
        with readable(self.path), self.path.open("rb") as file:
            return file.read(_HEAD)

    @cached_property
    def files(self) -> list[Path]:
        """The JSON files of the folder, in natural order, or the file itself."""
        if not self.path.is_dir():
            return [self.path]
        with readable(self.path):
            return sorted(self.path.glob("*.json"), key=lambda path: natural_key(path.name))

    @cached_property
    def document(self) -> Any:
        """What the JSON file says; of a folder, what its first file says."""
        if not self.files:
            raise InputError("holds no .json file", where=self.path)
        return load_json(self.files[0])

    @cached_property
    def sniffed(self) -> Any:
        """The document if it is JSON, else None."""
        if not self.path.is_dir() and self.head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] not in b"[{":
            return None
        try:
            return self.document
        except InputError:
            return None

    def time(self, index: int) -> float:
        """Seconds of a frame in a format that holds no times: one a second if fps is unknown."""
        return index / (self.fps or 1)

    def choose_skeleton(self, count: int | None, layouts: Mapping[int, str]) -> Skeleton:
        """Return the layout that the user named, or the one that the system documents.

        Args:
            count: Keypoints a person has in the file; None where there are no people.
            layouts: The system's layouts by keypoint count, its usual one first.

        Raises:
            InputError: No layout of the system has this many, or the named one has another number.
        """
        if self.skeleton is not None:
            if count is not None and count != len(self.skeleton):
                raise InputError(
                    f"its people have {count} keypoints, skeleton {self.skeleton.name} has "
                    f"{len(self.skeleton)}",
                    where=self.path,
                )
            return self.skeleton
        chosen = next(iter(layouts)) if count is None else count
        if chosen not in layouts:
            known = ", ".join(f"{number} ({name})" for number, name in layouts.items())
            raise InputError(
                f"its people have {count} keypoints; this system documents {known}",
                where=self.path,
                remedy="name the layout with --skeleton",
            )
        return get_skeleton(layouts[chosen])


@dataclass
class Person:
    """One person as a file holds them.

    Attributes:
        keypoints: K rows of x, y, score; absent ones NaN.
        box: x0, y0, x1, y1 or None.
        xyz: K rows of metres or None.
    """

    keypoints: npt.ArrayLike
    box: Sequence[float] | None = None
    score: float | None = None
    id: int | None = None
    xyz: npt.ArrayLike | None = None


def assemble(
    skeleton: Skeleton,
    people: Sequence[Person],
    *,
    index: int,
    time: float,
    size: tuple[int, int] = (0, 0),
) -> Poses:
    """Return the people of one frame; what a person lacks is filled in as ``Poses`` does it."""
    if not people:
        return Poses.empty(skeleton, index=index, time=time, size=size)
    points = np.array([person.keypoints for person in people], np.float64)
    points = points.reshape(len(people), len(skeleton), 3)
    has_xyz = any(person.xyz is not None for person in people)
    blank = np.full((len(skeleton), 3), np.nan)
    with np.errstate(over="ignore"):  # what float32 cannot hold is infinite, so absent
        poses = Poses(
            skeleton,
            points[..., :2].astype(np.float32),
            np.clip(np.nan_to_num(points[..., 2]), 0, 1).astype(np.float32),
            ids=_ids(people),
            xyz=np.array([blank if p.xyz is None else p.xyz for p in people], np.float32)
            if has_xyz
            else None,
            index=int(index),
            time=float(time),
            size=size,
        )
    return poses.replace(boxes=_boxes(people, poses), person_scores=_scores(people, poses))


def _ids(people: Sequence[Person]) -> npt.NDArray[np.int64] | None:
    ids = [person.id for person in people]
    known = [identity for identity in ids if identity is not None]
    if len(set(known)) < len(ids):
        return None
    return np.array([int(identity) for identity in known], np.int64)


def _boxes(people: Sequence[Person], poses: Poses) -> npt.NDArray[np.float32]:
    none = (np.nan,) * 4
    boxes = np.array([none if p.box is None else p.box for p in people], np.float32)
    missing = np.array([p.box is None for p in people])
    if missing.any():
        boxes[missing] = bounding_boxes(poses.keypoints[missing])
    return boxes


def _scores(people: Sequence[Person], poses: Poses) -> npt.NDArray[np.float32]:
    given = np.array([np.nan if p.score is None else p.score for p in people], np.float32)
    return np.where(np.isfinite(given), given, poses.person_scores)


def flat_keypoints(
    values: Sequence[float], count: int, *, absent: tuple[float, float, float] = (0, 0, 0)
) -> npt.NDArray[np.float64]:
    """Return (K, 3) x, y, score of a flat list, with the format's mark of an absent one as NaN.

    An empty list is a person without keypoints; (0, 0, 0) is always absent.
    """
    if not len(values):
        return np.full((count, 3), np.nan)
    points = np.array(values, np.float64).reshape(-1, 3)
    for mark in {absent, (0, 0, 0)}:
        points[(points == mark).all(axis=1)] = np.nan
    return points


def from_xywh(box: Sequence[float] | None) -> list[float] | None:
    """Return x0, y0, x1, y1 of x, y, width, height; NaN for one of zeros, which is none."""
    if box is None:
        return None
    x, y, width, height = map(float, box)
    return [x, y, x + width, y + height] if any((x, y, width, height)) else [np.nan] * 4


def frame_numbers(names: Iterable[str]) -> list[int]:
    """Return the number at the end of each file's name, or its place where any has none."""
    stems = [name.removesuffix("_keypoints").split(".predictions")[0] for name in names]
    found = [re.search(r"(\d{1,15})\D*$", re.sub(r"\.[a-zA-Z]\w*$", "", stem)) for stem in stems]
    numbers = [int(match[1]) for match in found if match]
    unique = len(numbers) == len(stems) == len(set(numbers))
    return numbers if unique else list(range(len(stems)))


def natural_key(name: str) -> list[tuple[int, str]]:
    """Return a key that sorts frame10 after frame9."""
    parts = re.split(r"(\d+)", name)
    return [(int(part[:18]), part) if part.isdecimal() else (-1, part) for part in parts]


def load_json(path: Path) -> Any:
    """Return what a JSON file says.

    Raises:
        InputError: It cannot be read, is too large, is not JSON, or is nested too deeply.
    """
    with readable(path):
        if path.stat().st_size > MAXIMUM_DOCUMENT:
            raise InputError(
                f"a JSON file of more than {MAXIMUM_DOCUMENT >> 20} MB", where=path,
                remedy="split it",
            )  # fmt: skip
        data = path.read_bytes()
    return parse_json(data, where=path)


def parse_json(data: bytes, *, where: object) -> Any:
    """Return what a piece of JSON says.

    Raises:
        InputError: It is not JSON or is nested too deeply.
    """
    try:
        return json.loads(data)
    except (ValueError, RecursionError, MemoryError) as error:
        reason = str(error) or type(error).__name__
        raise InputError(f"not valid JSON: {reason}", where=where) from error


def numbered_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield every line that is not blank with its number, counted from 1.

    Raises:
        InputError: The file cannot be read, or a line is absurdly long.
    """
    with readable(path), path.open("rb") as file:
        number = 0
        while line := file.readline(MAXIMUM_LINE):
            number += 1
            if len(line) == MAXIMUM_LINE:
                raise InputError(
                    f"line {number} is longer than {MAXIMUM_LINE >> 20} MB", where=path
                )
            if not line.isspace():
                yield number, line


@contextlib.contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn what the operating system says while reading into an InputError."""
    try:
        yield
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", where=path) from error


@contextlib.contextmanager
def well_formed(path: Path, title: str) -> Iterator[None]:
    """Turn whatever a file of the wrong shape sets off while it is read into an InputError."""
    try:
        yield
    except (AttributeError, IndexError, KeyError, TypeError, OverflowError, MemoryError) as error:
        reason = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise InputError(f"not a readable {title} file: {reason}", where=path) from error
    except UsageError as error:
        raise InputError(f"not a readable {title} file: {error}", where=path) from error
    except ValueError as error:
        raise InputError(f"not a readable {title} file: {error}", where=path) from error
