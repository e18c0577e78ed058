"""Files and folders that appear under their name only when they are complete."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from poise.errors import OutputError
from poise.output.refusals import ANOTHER, refuse_files, refuse_source, refuse_taken, translated


class OutputFile:
    """A file that is written beside its final name and renamed when it is complete.

    ``-`` is standard output. A device or pipe, such as ``/dev/null``, is written directly.

    Args:
        path: Its final name.
        overwrite: Whether a file of that name may be replaced.
        source: Where its content comes from; if that is a file, it is never replaced.

    Attributes:
        place: Where it is written, for those that write by a name of their own.

    Raises:
        OutputError: The name is taken, is the source or a folder, or cannot be written.
    """

    def __init__(self, path: str, *, overwrite: bool, source: object = None) -> None:
        self._path, self._overwrite = path, overwrite
        self._name = "the standard output" if path == "-" else path
        self._final = self.place = Path(path)
        with translated(self._name):
            self._file = _standard_output() if path == "-" else self._open(source)

    def _open(self, source: object) -> IO[bytes]:
        refuse_source(self._path, source)
        refuse_taken(self._path, overwrite=self._overwrite)
        if self._final.exists() and not self._final.is_file():
            return self._final.open("wb")
        # A link keeps pointing at the file, which is the one that is replaced.
        self._final = self._final.resolve()
        self.place = _beside(self._final)
        return self.place.open("xb")

    def write(self, data: bytes) -> None:
        """Add bytes to the end; standard output is flushed at once."""
        with translated(self._name):
            self._file.write(data)
            if self._path == "-":
                self._file.flush()

    def commit(self) -> None:
        """Bring the file to the disk and to its final name."""
        with translated(self._name):
            self._file.flush()
            if self._path == "-":
                return
            if self.place == self._final:
                self._file.close()
                return
            os.fsync(self._file.fileno())
            self._file.close()
            refuse_taken(self._path, overwrite=self._overwrite)
            self.place.replace(self._final)

    def discard(self) -> None:
        """Remove what was written."""
        if self._path == "-":
            return
        with contextlib.suppress(OSError):  # closing flushes, and a full disk says so again
            self._file.close()
        if self.place != self._final:
            with contextlib.suppress(OSError):
                self.place.unlink(missing_ok=True)


def save_whole(path: str, data: bytes, *, overwrite: bool = False, source: object = None) -> None:
    """Write a file, whole or not at all.

    Raises:
        OutputError: It exists and may not be replaced, is the source, or cannot be written.
    """
    file = OutputFile(path, overwrite=overwrite, source=source)
    try:
        file.write(data)
        file.commit()
    except BaseException:
        file.discard()
        raise


def save_files(folder: Path, contents: Mapping[str, str], *, overwrite: bool = False) -> None:
    """Write some texts as UTF-8 into a folder, which is made: all of them or none.

    Raises:
        OutputError: A file exists and may not be replaced, or cannot be written.
    """
    refuse_files(folder, contents, overwrite=overwrite)
    with translated(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as undo:
        files = []
        for name, text in contents.items():
            file = OutputFile(str(folder / name), overwrite=overwrite)
            undo.callback(file.discard)
            file.write(text.encode("utf-8"))
            files.append(file)
        for file in files:
            file.commit()
        undo.pop_all()


class OutputFolder:
    """A folder whose files appear in it only when all are complete.

    Args:
        path: Its final name.
        overwrite: Whether files may be put into a folder that is not empty.
        stale: Names of the files of an earlier run, which a new run replaces.
        shared: Whether files of other names may be in it, and stay; else they are refused.

    Attributes:
        place: Where the files are written.

    Raises:
        OutputError: The folder is not empty, is a file, or cannot be written.
    """

    def __init__(
        self,
        path: str,
        *,
        overwrite: bool,
        stale: re.Pattern[str],
        shared: bool = True,
    ) -> None:
        self._path, self._overwrite = path, overwrite
        self._stale, self._shared = stale, shared
        with translated(path):
            self._refuse()
            self._final = Path(path).resolve()
            self.place = _beside(self._final)
            self.place.mkdir()

    def _refuse(self) -> None:
        refuse_taken(self._path, overwrite=self._overwrite, folder=True)
        if self._shared or not Path(self._path).is_dir():
            return
        for entry in Path(self._path).iterdir():
            if not self._stale.fullmatch(entry.name):
                what = f"holds files of other names, such as {entry.name!r}"
                raise OutputError(what, where=self._path, remedy=ANOTHER)

    def write(self, name: str, data: bytes) -> None:
        """Add one file."""
        with translated(self._path):
            try:
                file = (self.place / name).open("xb")
            except FileExistsError as error:
                what = f"two frames would be written as {name}"
                raise OutputError(what, where=self._path) from error
            with file:
                file.write(data)

    def commit(self) -> None:
        """Move the files to the folder's final name."""
        with translated(self._path):
            self._refuse()
            self._final.mkdir(exist_ok=True)
            for old in self._final.iterdir():
                if self._stale.fullmatch(old.name):
                    old.unlink()
            for new in sorted(self.place.iterdir()):
                new.replace(self._final / new.name)
            self.place.rmdir()

    def discard(self) -> None:
        """Remove what was written."""
        shutil.rmtree(self.place, ignore_errors=True)


def _standard_output() -> IO[bytes]:
    if sys.stdout is None:
        raise OutputError("is closed", where="the standard output", remedy="name a file with -o")
    return sys.stdout.buffer


def _beside(final: Path) -> Path:
    return final.parent / f".poise-{secrets.token_hex(6)}.part"
