"""Outputs that are refused before anything is written, and the system's errors in our words.

The one place where an output is refused, and where the words of the operating system become an
``OutputError``.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from poise.errors import OutputError

ANOTHER = "choose another name"


def refuse_source(path: str, source: object) -> None:
    """Refuse an output that is the file or folder that it is made from.

    Args:
        path: The output.
        source: The source as it was named; a camera, an address or a value is no file.

    Raises:
        OutputError: It is.
    """
    origin = source_path(source)
    if path == "-" or origin is None:
        return
    with translated(path):
        if Path(path).exists() and Path(path).samefile(origin):
            raise OutputError("is also the source", where=path, remedy=ANOTHER)


def source_path(source: object) -> Path | None:
    """Return the file or folder that a source is, or None.

    A number is a camera, even where a file has its name.
    """
    if not isinstance(source, str | os.PathLike):
        return None
    name = os.fspath(source)
    if not isinstance(name, str) or name in ("", "-") or name.isdecimal() or "://" in name:
        return None
    with contextlib.suppress(OSError, ValueError):
        return Path(name) if Path(name).exists() else None
    return None


def refuse_folder(folder: str, sources: Sequence[str]) -> None:
    """Refuse a folder that is a source, or that holds one: it could be written over.

    Raises:
        OutputError: It is; the message names the source.
    """
    for source in sources:
        refuse_source(folder, source)
        path = source_path(source)
        with translated(folder):
            inside = path is not None and Path(folder).resolve() in path.resolve().parents
        if inside:
            raise OutputError(f"holds the source {source}", where=folder,
                              remedy="choose another folder")  # fmt: skip


def refuse_taken(path: str, *, overwrite: bool, folder: bool = False) -> None:
    """Refuse an output whose name is taken.

    Args:
        path: The output; ``-`` is never taken.
        overwrite: Whether a file may be replaced, or a folder not be empty.
        folder: Whether it is to be a folder.

    Raises:
        OutputError: It is taken; the message says by what and what to do.
    """
    final, remedy = Path(path), "add --overwrite to replace it"
    with translated(path):
        if path == "-" or not final.exists():
            return
        if folder and not final.is_dir():
            raise OutputError("is a file, not a folder", where=path, remedy=ANOTHER)
        if folder and not overwrite and any(final.iterdir()):
            raise OutputError("exists already and is not empty", where=path, remedy=remedy)
        if not folder and final.is_dir():
            raise OutputError("is a folder", where=path, remedy="name a file in it")
        if final.is_file() and not overwrite:
            raise OutputError("exists already", where=path, remedy=remedy)


@contextlib.contextmanager
def translated(path: object) -> Iterator[None]:
    """Turn what the operating system says while writing into an OutputError."""
    try:
        yield
    except (OSError, ValueError) as error:
        if isinstance(error, ValueError) and "embedded null" not in str(error):
            raise
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise OutputError(f"cannot be written: {reason}", where=path) from error


def refuse_homeless(path: str) -> None:
    """Refuse an output whose folder is not there.

    Raises:
        OutputError: There is no such folder.
    """
    folder = Path(path).parent
    with translated(path):
        there = folder.is_dir()
    if not there:
        raise OutputError(f"there is no folder {folder}", where=path, remedy="make it first")


def refuse_files(folder: Path, names: Iterable[str], *, overwrite: bool) -> None:
    """Refuse a folder that is a file, or that has files of these names that may not be replaced.

    Raises:
        OutputError: It is.
    """
    if folder.exists():
        refuse_taken(str(folder), overwrite=True, folder=True)
    for name in names:
        refuse_taken(str(folder / name), overwrite=overwrite)
