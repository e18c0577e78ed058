"""Which sources the words of a user name: files, folders, globs, lists, cameras and addresses."""

from __future__ import annotations

import glob
import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Literal, Self
from urllib.parse import urlsplit

from poise.errors import NoInputError
from poise.io.feeds import READABLE

Kind = Literal["image", "video", "camera", "stream", "stdin"]

IMAGE_SUFFIXES = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".webp", ".avif", ".heic", ".heif", ".tif",
    ".tiff", ".bmp",
)  # fmt: skip
# Not .ts, which in a folder is far more often a program than a video; named on its own it is read.
VIDEO_SUFFIXES = (
    ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".m2ts", ".mts", ".3gp",
    ".flv", ".wmv", ".asf", ".ogv", ".gif",
)  # fmt: skip
SCHEMES = ("rtsp://", "rtsps://", "http://", "https://")

_KINDS: dict[str, Kind] = {
    **dict.fromkeys(IMAGE_SUFFIXES, "image"),
    **dict.fromkeys(VIDEO_SUFFIXES, "video"),
}
_DIGITS = re.compile(r"(\d+)")


@dataclass(frozen=True)
class Source:
    """One thing to read.

    Attributes:
        address: What ``read_frames`` opens: a path, an address, a camera's number, or ``-``.
        kind: What it is, by its suffix or scheme; the content decides when it is opened.
        relative: Where its output belongs in a mirrored tree: a relative path that no other
            source of the same call has.
    """

    address: str
    kind: Kind
    relative: PurePath


@dataclass(frozen=True)
class Skipped:
    """Something that was named or found but cannot be read, and why."""

    path: str
    reason: str


def find_sources(words: Sequence[str | os.PathLike[str]], *, recursive: bool = True) -> Sources:
    """Find what the words name, one source after another, in the order of the words.

    A word is a picture or video, a folder, a glob, a text list (``.txt``: one source a line,
    relative to the list's folder; ``#`` begins a comment), ``-``, a camera's number, or an
    ``rtsp://`` or ``http(s)://`` address. A file whose name is a number is named ``./0``.

    Folders come in natural order (2 before 10), files before subfolders. Hidden files and files of
    other kinds are passed over; links to folders are followed once. Nothing is opened.

    Args:
        words: At least one.
        recursive: Whether to go into the subfolders of a folder.

    Raises:
        NoInputError: The words name nothing that can be read; says what was there instead.
    """
    return Sources([os.fspath(word) for word in words], recursive)


class Sources(Iterator[Source]):
    """The sources, found as they are asked for, so that memory does not grow with their number.

    Attributes:
        many: Whether the words may name more than one source (several words, a folder, a list).
        skipped: What could not be read so far, with reasons.
    """

    def __init__(self, words: list[str], recursive: bool) -> None:
        self.skipped: list[Skipped] = []
        self.many = len(words) != 1 or _is_plural(words[0])
        self._recursive = recursive
        # One folder is mirrored as it is; several are told apart by their names.
        self._several = len(words) != 1 or not Path(words[0]).is_dir()
        self._taken: set[PurePath] = set()
        self._found = self._walk(words)
        self._first = next(self._found, None)
        if self._first is None:
            raise self._nothing(words)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Source:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        return next(self._found)

    def _nothing(self, words: list[str]) -> NoInputError:
        if not words:
            return NoInputError("no source was named", remedy="name a picture, video or folder")
        where = ", ".join(words[:3]) + (", ..." if len(words) > 3 else "")
        if self.skipped:
            first, more = self.skipped[0], len(self.skipped) - 1
            also = f" (and {more} more)" if more else ""
            return NoInputError(f"{first.path}: {first.reason}{also}", remedy="check the path")
        if not any(Path(word).exists() for word in words):
            return NoInputError(
                "no picture or video matches", where=where, remedy="check the pattern"
            )
        return NoInputError("holds no picture or video", where=where, remedy=READABLE)

    def _walk(self, words: list[str]) -> Iterator[Source]:
        for word in words:
            yield from self._expand(word, Path())

    def _expand(self, word: str, base: Path, *, listed: bool = False) -> Iterator[Source]:
        """Yield what one word names; a line of a list is relative to the list's folder."""
        if word == "-" and not listed:
            yield Source("-", "stdin", self._unique(PurePath("stdin")))
        elif word.isascii() and word.isdecimal():
            yield Source(word, "camera", self._unique(PurePath(f"camera{word}")))
        elif "://" in word:
            yield from self._stream(word)
        else:
            yield from self._path(base / word, word, listed)

    def _path(self, path: Path, word: str, listed: bool) -> Iterator[Source]:
        try:
            mode = path.stat().st_mode
        except (OSError, ValueError) as error:
            if glob.has_magic(word):
                yield from self._glob(path)
            else:
                missing = isinstance(error, FileNotFoundError)
                self._skip(path, "no such file or folder" if missing else _reason(error))
        else:
            if stat.S_ISDIR(mode):
                yield from self._folder(path, PurePath(path.resolve().name))
            elif not stat.S_ISREG(mode):
                self._skip(path, "a pipe, socket or device, not a file")
            elif path.suffix.lower() == ".txt" and not listed:
                yield from self._list(path)
            else:
                yield self._file(path, PurePath(path.name))

    def _stream(self, word: str) -> Iterator[Source]:
        if word.startswith(SCHEMES):
            parts = urlsplit(word)  # a password in the address must not become a file's name
            name = re.sub(r"[^\w.-]+", "_", f"{parts.hostname}{parts.path}").strip("_.")
            yield Source(word, "stream", self._unique(PurePath(name or "stream")))
        else:
            self._skip(word, f"only {', '.join(SCHEMES)} addresses are read")

    def _skip(self, path: os.PathLike[str] | str, reason: str) -> None:
        self.skipped.append(Skipped(os.fspath(path), reason))

    def _file(self, path: Path, relative: PurePath) -> Source:
        return Source(str(path), _kind(path.name) or "video", self._unique(relative))

    def _unique(self, relative: PurePath) -> PurePath:
        """Keep two sources of one name apart: clip.mp4, clip-2.mp4."""
        name, number = relative, 2
        while name in self._taken:
            name = relative.with_stem(f"{relative.stem}-{number}")
            number += 1
        self._taken.add(name)
        return name

    def _glob(self, pattern: Path) -> Iterator[Source]:
        root = Path(*_fixed(pattern.parts))
        # Not Path.glob, which finds hidden files too.
        matches = glob.iglob(str(pattern), recursive=True)  # noqa: PTH207
        for match in sorted(matches, key=_natural):
            path = Path(match)
            if path.is_dir():
                if "**" not in pattern.parts:
                    yield from self._folder(path, path.relative_to(root))
            elif _kind(path.name):
                yield self._file(path, path.relative_to(root))

    def _list(self, path: Path) -> Iterator[Source]:
        try:
            with path.open(encoding="utf-8-sig", errors="surrogateescape") as lines:
                for line in lines:
                    word = line.strip()
                    if word and not word.startswith("#"):
                        yield from self._expand(word, path.parent, listed=True)
        except (OSError, ValueError) as error:
            self._skip(path, _reason(error))

    def _folder(self, folder: Path, name: PurePath) -> Iterator[Source]:
        """Walk a folder, depth first, without opening a file."""
        seen: set[tuple[int, int]] = set()
        waiting = [str(folder)]
        prefix = self._unique(name) if self._several else PurePath()
        cut = 0 if str(folder) == "." else len(str(folder / "_")) - 1
        while waiting:
            files, folders = self._scan(waiting.pop(), seen)
            for path in files:
                yield Source(path, _kind(path) or "video", prefix / path[cut:])
            if self._recursive:
                waiting.extend(reversed(folders))

    def _scan(self, folder: str, seen: set[tuple[int, int]]) -> tuple[list[str], list[str]]:
        """Return the readable files and the subfolders of a folder, each in natural order."""
        files, folders = [], []
        try:
            status = Path(folder).stat()
            if (status.st_dev, status.st_ino) in seen:
                return [], []
            seen.add((status.st_dev, status.st_ino))
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.name.startswith("."):
                        continue
                    if entry.is_dir():
                        folders.append(entry.path)
                    elif self._is_wanted(entry):
                        files.append(entry.path)
        except OSError as error:
            self._skip(folder, _reason(error))
        return sorted(files, key=_natural), sorted(folders, key=_natural)

    def _is_wanted(self, entry: os.DirEntry[str]) -> bool:
        if _kind(entry.name) is None:
            return False
        if entry.is_file():
            return True
        broken = entry.is_symlink() and not Path(entry.path).exists()
        self._skip(
            entry.path, "a broken link" if broken else "a pipe, socket or device, not a file"
        )
        return False


def _kind(name: str) -> Kind | None:
    # Quicker than pathlib, for folders of very many files.
    return _KINDS.get(f".{name.rpartition('.')[2].lower()}")


def _is_plural(word: str) -> bool:
    path = Path(word)
    if word == "-" or "://" in word:
        return False
    return (
        path.is_dir()
        or path.suffix.lower() == ".txt"
        or (glob.has_magic(word) and not path.exists())
    )


def _fixed(parts: tuple[str, ...]) -> tuple[str, ...]:
    """The folders of a pattern before its first wildcard."""
    wild = next(i for i, part in enumerate(parts) if glob.has_magic(part))
    return parts[:wild]


def _natural(path: str) -> list[tuple[bool, int, str]]:
    """A key that sorts frame2 before frame10, and neither case first."""
    return [
        (part.isdecimal(), int(part) if part.isdecimal() else 0, part.lower())
        for part in _DIGITS.split(path)
    ]


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error)).lower()
