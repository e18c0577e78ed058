"""Taking one file out of a zip archive that may come from anybody.

Only that one member is ever unpacked, to a name of Poise's own. An archive that tries tricks is
refused as a whole all the same: whoever wrote it meant harm, or the archive is damaged.
"""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO

MOST_BYTES = 4 << 30
# The largest published archives of weights and wheels have some hundred members.
MOST_MEMBERS = 10_000
# Weights hardly shrink. What grows so much is a bomb, unless it stays small all the same.
MOST_GROWTH = 100
HARMLESS_BYTES = 32 << 20
_BLOCK = 1 << 18


class SourceError(Exception):
    """One source did not give the file; the next one may."""


def extract(archive: Path, member: str, target: Path, *, most: int | None = None) -> None:
    """Copy one member of a zip archive to a file.

    Args:
        archive: The zip file or wheel.
        member: Its path in the archive, or the last part of that path where only one fits.
        target: The file to write.
        most: Give up after so many bytes.

    Raises:
        SourceError: It is no zip file, has no such member, is damaged, or tries a trick: names
            that lead out of a folder, links, the same name twice, far too many or too large
            members.
    """
    try:
        with zipfile.ZipFile(archive) as bundle:
            members = bundle.infolist()
            _check_members(members)
            wanted = _find_member([one.filename for one in members], member)
            with bundle.open(wanted) as stream, target.open("wb") as out:
                copy(stream, out, most=most, count=lambda _: None)
    except SourceError:
        target.unlink(missing_ok=True)
        raise
    except (OSError, RuntimeError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        target.unlink(missing_ok=True)
        raise SourceError(f"the archive cannot be read ({error})") from error


def copy(
    stream: IO[bytes], out: IO[bytes], *, most: int | None, count: Callable[[int], None]
) -> int:
    """Copy a stream to its end, and return how many bytes that were.

    Raises:
        SourceError: There are more bytes than ``most``, or than any weights have.
    """
    done = 0
    while block := stream.read(_BLOCK):
        done += len(block)
        if done > (most or MOST_BYTES):
            raise SourceError(f"it is longer than {most or MOST_BYTES} bytes")
        out.write(block)
        count(done)
    return done


def inside(folder: Path, member: str) -> Path:
    """Return the path of a member of an unpacked archive.

    Raises:
        SourceError: It leads out of the folder, or there is no such file.
    """
    path = folder / member
    if leads_out(member) or not path.resolve().is_relative_to(folder.resolve()):
        raise SourceError(f"its member {member!r} leads out of it")
    if not path.is_file():
        raise SourceError(f"the package has no {member}")
    return path


def leads_out(name: str) -> bool:
    """Return whether a path would lead out of the folder that it is unpacked in, anywhere."""
    posix, windows = PurePosixPath(name), PureWindowsPath(name)
    absolute = posix.is_absolute() or bool(windows.drive or windows.root)
    return absolute or ".." in posix.parts or ".." in windows.parts


def _check_members(members: list[zipfile.ZipInfo]) -> None:
    if len(members) > MOST_MEMBERS:
        raise SourceError(f"the archive has {len(members)} members, more than {MOST_MEMBERS}")
    seen: set[str] = set()
    for one in members:
        if leads_out(one.orig_filename) or leads_out(one.filename):
            raise SourceError(f"the archive's member {one.filename!r} leads out of it")
        if stat.S_ISLNK(one.external_attr >> 16):
            raise SourceError(f"the archive's member {one.filename!r} is a link")
        if one.filename in seen:
            raise SourceError(f"the archive has two members named {one.filename!r}")
        seen.add(one.filename)
    for one in members:
        grown = one.file_size > MOST_GROWTH * max(one.compress_size, 1)
        if grown and one.file_size > HARMLESS_BYTES:
            raise SourceError(
                f"the archive's member {one.filename!r} would grow from {one.compress_size} to "
                f"{one.file_size} bytes"
            )
    total = sum(one.file_size for one in members)
    if total > MOST_BYTES:
        raise SourceError(f"the archive would grow to {total} bytes")


def _find_member(names: list[str], wanted: str) -> str:
    if wanted in names:
        return wanted
    fitting = [name for name in names if name.endswith("/" + wanted)]
    if len(fitting) != 1:
        raise SourceError(f"the archive has {len(fitting)} members named {wanted}")
    return fitting[0]
