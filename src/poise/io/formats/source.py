"""A keypoint file or folder that is being read, and every way in which that can fail."""

from __future__ import annotations

import contextlib
import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from poise.errors import InputError
from poise.skeleton import Skeleton, get_skeleton

MAXIMUM_DOCUMENT = 2**30
MAXIMUM_LINE = 2**26
_HEAD = 2**16
_MALFORMED = (
    AttributeError,
    IndexError,
    MemoryError,
    OverflowError,
    TypeError,
    ValueError,
    csv.Error,
)


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
            found = sorted(self.path.glob("*.json"), key=lambda path: natural_key(path.name))
            home = self.path.resolve()
            for path in found:
                if path.resolve().parent != home or not path.is_file():
                    raise InputError("is no file of this folder, or a link out of it", where=path)
        return found

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

    def check_skeleton(self, found: Skeleton) -> None:
        """Refuse a file that names another layout than the user does.

        Raises:
            InputError: It does.
        """
        if self.skeleton not in (None, found):
            raise InputError(f"its skeleton is {found.name}, not the one named", where=self.path)

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
                remedy="name the layout (skeleton=, or --from FORMAT:LAYOUT)",
            )
        return get_skeleton(layouts[chosen])


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
        raise InputError(
            f"cannot be read: {_one_line(error.strerror or error)}", where=path
        ) from error


def _one_line(reason: object) -> str:
    return " ".join(str(reason).split())[:300]


@contextlib.contextmanager
def well_formed(path: Path, title: str) -> Iterator[None]:
    """Turn whatever a file of the wrong shape sets off while it is read into an InputError."""
    wrong = f"not a readable {title} file"
    try:
        yield
    except InputError:
        raise
    except KeyError as error:
        raise InputError(f"{wrong}: no {error}", where=path) from error
    except OSError as error:
        raise InputError(
            f"cannot be read: {_one_line(error.strerror or error)}", where=path
        ) from error
    except _MALFORMED as error:
        raise InputError(f"{wrong}: {_one_line(error)}", where=path) from error
