"""Where pictures go: names that appear only when what stands under them is complete.

The one place in this room where the words of FFmpeg, Pillow and the operating system become an
``OutputError``.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from poise.errors import OutputError

_NUMBERED = re.compile(r"\d{6,}\.jpg")


class Output:
    """A file or folder that is written beside its final name and renamed when it is complete.

    Args:
        path: Its final name.
        folder: Whether it is a folder of numbered pictures.
        overwrite: Whether what stands there may be replaced; in a folder, only numbered
            pictures are.
        source: The file that the pictures come from, which must not be replaced; or None.

    Raises:
        OutputError: The name is taken, is the source, or cannot be written.
    """

    def __init__(
        self, path: Path, *, folder: bool, overwrite: bool, source: Path | None = None
    ) -> None:
        self._named, self._folder, self._overwrite = path, folder, overwrite
        with translated(path):
            self._refuse(source)
            # A link keeps pointing at the file, which is the one that is replaced.
            self._final = path.resolve()
            self.temporary = self._final.parent / f".poise-{secrets.token_hex(6)}.part"
            if folder:
                self.temporary.mkdir()
            else:
                self.temporary.open("xb").close()

    def _refuse(self, source: Path | None) -> None:
        path = self._named
        if source is not None and path.exists() and path.samefile(source):
            raise OutputError("is also the source", where=path, remedy="choose another name")
        if self._folder:
            self._refuse_folder()
        elif path.is_dir():
            raise OutputError("is a folder", where=path, remedy="name a file, or end it in /")
        elif path.exists() and not path.is_file():
            raise OutputError("is a device or pipe; a picture needs a file", where=path)
        elif path.exists() and not self._overwrite:
            remedy = "choose another name or add --overwrite"
            raise OutputError("exists already", where=path, remedy=remedy)

    def _refuse_folder(self) -> None:
        path = self._named
        if path.exists() and not path.is_dir():
            raise OutputError("is a file, not a folder", where=path, remedy="choose another name")
        names = [entry.name for entry in path.iterdir()] if path.exists() else []
        if names and not self._overwrite:
            remedy = "choose another name or add --overwrite"
            raise OutputError("exists already and is not empty", where=path, remedy=remedy)
        strange = [name for name in names if not _NUMBERED.fullmatch(name)]
        if strange:
            what = f"holds files that are not numbered pictures, such as {strange[0]!r}"
            raise OutputError(what, where=path, remedy="choose another folder")

    def commit(self) -> None:
        """Bring what was written to its final name."""
        with translated(self._named):
            if self._folder:
                self._commit_folder()
                return
            with self.temporary.open("rb+") as file:
                os.fsync(file.fileno())
            self._refuse(None)
            self.temporary.replace(self._final)

    def _commit_folder(self) -> None:
        self._refuse(None)
        self._final.mkdir(exist_ok=True)
        for old in self._final.iterdir():
            old.unlink()
        for new in sorted(self.temporary.iterdir()):
            new.replace(self._final / new.name)
        self.temporary.rmdir()

    def discard(self) -> None:
        """Remove what was written."""
        if self._folder:
            shutil.rmtree(self.temporary, ignore_errors=True)
            return
        with contextlib.suppress(OSError):
            self.temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn what goes wrong while encoding and writing into an OutputError."""
    from av.error import FFmpegError

    try:
        yield
    except OutputError:
        raise
    except (OSError, FFmpegError) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise OutputError(f"cannot be written: {reason}", where=path) from error
    except MemoryError as error:
        raise OutputError("cannot be encoded: out of memory", where=path) from error
