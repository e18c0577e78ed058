"""Files and folders that appear under their name only when they are complete."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from poise.errors import OutputError

_REFUSED = "it is there already"
_REMEDY = "use another name or --overwrite"


class OutputFile:
    """A file that is written beside its final name and renamed when it is complete.

    ``-`` is standard output. A device or pipe, such as ``/dev/null``, is written directly.

    Args:
        path: Its final name.
        overwrite: Whether a file of that name may be replaced.

    Raises:
        OutputError: The name is taken, is a folder, or cannot be written.
    """

    def __init__(self, path: str, *, overwrite: bool) -> None:
        self._path, self._overwrite = path, overwrite
        self._temporary: Path | None = None
        with translated(path):
            self._file = self._open()

    def _open(self) -> IO[bytes]:
        if self._path == "-":
            return sys.stdout.buffer
        final = Path(self._path)
        if final.is_dir():
            raise OutputError("is a folder, and this format is one file", where=self._path)
        if final.exists() and not final.is_file():
            return final.open("wb")
        self._refuse_existing()
        # A link keeps pointing at the file, which is the one that is replaced.
        self._final = final.resolve()
        self._temporary = self._final.parent / f".poise-{secrets.token_hex(6)}.part"
        return self._temporary.open("xb")

    def _refuse_existing(self) -> None:
        if Path(self._path).exists() and not self._overwrite:
            raise OutputError(_REFUSED, where=self._path, remedy=_REMEDY)

    def write(self, data: bytes) -> None:
        """Add bytes to the end; standard output is flushed at once."""
        with translated(self._path):
            self._file.write(data)
            if self._path == "-":
                self._file.flush()

    def commit(self) -> None:
        """Bring the file to the disk and to its final name."""
        with translated(self._path):
            self._file.flush()
            if self._temporary is None:
                if self._path != "-":
                    self._file.close()
                return
            os.fsync(self._file.fileno())
            self._file.close()
            self._refuse_existing()
            self._temporary.replace(self._final)

    def discard(self) -> None:
        """Remove what was written."""
        if self._path != "-":
            with contextlib.suppress(OSError):  # closing flushes, and a full disk says so again
                self._file.close()
        if self._temporary is not None:
            with contextlib.suppress(OSError):
                self._temporary.unlink(missing_ok=True)


class OutputFolder:
    """A folder whose files appear in it only when all are complete.

    Args:
        path: Its final name.
        overwrite: Whether files may be put into a folder that is not empty.
        stale: Glob pattern of the files of an earlier run that a new run replaces.

    Raises:
        OutputError: The folder is not empty, is a file, or cannot be written.
    """

    def __init__(self, path: str, *, overwrite: bool, stale: str) -> None:
        self._path, self._final, self._stale = path, Path(path).resolve(), stale
        with translated(path):
            if self._final.exists() and not self._final.is_dir():
                raise OutputError("is a file, and this format is a folder of files", where=path)
            if self._final.is_dir() and not overwrite and any(self._final.iterdir()):
                raise OutputError(_REFUSED + " and not empty", where=path, remedy=_REMEDY)
            self._temporary = self._final.parent / f".poise-{secrets.token_hex(6)}.part"
            self._temporary.mkdir()

    def write(self, name: str, data: bytes) -> None:
        """Add one file."""
        with translated(self._path), (self._temporary / name).open("xb") as file:
            file.write(data)

    def commit(self) -> None:
        """Move the files to the folder's final name."""
        with translated(self._path):
            self._final.mkdir(exist_ok=True)
            for old in self._final.glob(self._stale):
                old.unlink()
            for new in sorted(self._temporary.iterdir()):
                new.replace(self._final / new.name)
            self._temporary.rmdir()

    def discard(self) -> None:
        """Remove what was written."""
        shutil.rmtree(self._temporary, ignore_errors=True)


@contextlib.contextmanager
def translated(path: str) -> Iterator[None]:
    """Turn what the operating system says while writing into an OutputError."""
    try:
        yield
    except FileExistsError as error:
        name = Path(error.filename).name
        raise OutputError(f"two frames would be written as {name}", where=path) from error
    except (OSError, ValueError) as error:
        if isinstance(error, ValueError) and "null" not in str(error):
            raise
        reason = getattr(error, "strerror", None) or str(error)
        raise OutputError(f"cannot be written: {reason}", where=path) from error
