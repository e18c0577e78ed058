"""Reading and writing clips of keypoints in any format."""

from __future__ import annotations

from pathlib import Path

from poise.clip import Clip, Header
from poise.errors import InputError, UsageError, suggest
from poise.io.formats.base import Format
from poise.io.formats.registry import FORMATS
from poise.io.formats.source import Source, readable, well_formed
from poise.io.formats.writer import Writer
from poise.output import translated
from poise.skeleton import Skeleton, get_skeleton


def format_names() -> list[str]:
    """Return the names of the keypoint formats."""
    return list(FORMATS)


def format_suffix(name: str) -> str:
    """Return what the names of a format's files end in; ``/`` for a folder.

    Raises:
        UsageError: There is no such format.
    """
    return _named(name).suffixes[0]


def names_format(path: str) -> bool:
    """Whether a name tells the format that would be written under it."""
    with translated(path):
        folder = path.endswith(("/", "\\")) or Path(path).is_dir()
    return path == "-" or folder or _told_by_suffix(path) is not None


def detect_format(path: str | Path) -> str:
    """Return the name of the format of a file or folder, by its content.

    Raises:
        InputError: It cannot be read, or its content is of no format or of several.
    """
    return _detect(Source(Path(path))).name


def read_clip(
    path: str | Path,
    *,
    format: str | None = None,  # noqa: A002
    skeleton: str | Skeleton | None = None,
    fps: float | None = None,
) -> Clip:
    """Read the keypoints of one clip.

    Args:
        path: A file, or the folder of a format that is one.
        format: Name of its format; found from the content when not given.
        skeleton: The layout of its keypoints, where the format does not name it and it is not the
            one that the system documents for this number of keypoints.
        fps: Frames per second, for formats that hold no times. Without it such a clip has one
            frame a second.

    Raises:
        InputError: It cannot be read or is not of that format.
        UsageError: There is no such format or skeleton, or ``fps`` is not above 0.
        MissingExtraError: The format needs a package that is not installed.
    """
    if fps is not None and not fps > 0:
        raise UsageError(f"wanted frames per second above 0, got {fps}", where="fps")
    named = get_skeleton(skeleton) if isinstance(skeleton, str) else skeleton
    source = Source(Path(path), named, fps)
    chosen = _named(format) if format else _detect(source)
    _check_there(source)
    with well_formed(source.path, chosen.title):
        return chosen.read(source)


def write_clip(
    clip: Clip,
    path: str | Path,
    *,
    format: str | None = None,  # noqa: A002
    overwrite: bool = False,
) -> Skeleton:
    """Write the keypoints of one clip; see ``open_writer``.

    Returns:
        The layout that was written: the clip's, or the one it was converted to.
    """
    with open_writer(path, clip.header, format=format, overwrite=overwrite) as out:
        out.truncated = clip.truncated
        for place, poses in enumerate(clip.frames):
            out.write(poses, name=clip.names[place] if clip.names else None)
    return out.skeleton or clip.skeleton


def open_writer(
    path: str | Path,
    header: Header | None = None,
    *,
    format: str | None = None,  # noqa: A002
    overwrite: bool = False,
) -> Writer:
    """Open a keypoint file or folder for writing, frame by frame.

    Args:
        path: Its name; the ending chooses the format. A folder of OpenPose JSON ends in ``/`` or
            is there already; ``-`` is standard output, as Poise JSONL.
        header: What is known of the clip; the first frame says it when not given.
        format: Name of the format, whatever the ending.
        overwrite: Whether something of that name may be replaced.

    Returns:
        A context manager with ``write(poses)``. The output appears under its name at the end of
        the block; when the block fails, nothing appears.

    Raises:
        UsageError: The format is not known, or the ending does not tell it.
        OutputError: The output is there already or cannot be written.
        MissingExtraError: The format needs a package that is not installed.
    """
    chosen = _named(format) if format else _format_of_name(str(path))
    return chosen.writer(path, header, overwrite=overwrite)


def _named(name: str) -> Format:
    if name not in FORMATS:
        raise UsageError(f"no format named '{name}'", remedy=suggest(name, FORMATS))
    return FORMATS[name]


def _format_of_name(path: str) -> Format:
    if path == "-":
        return FORMATS["jsonl"]
    with translated(path):
        if path.endswith(("/", "\\")) or Path(path).is_dir():
            return FORMATS["openpose"]
    if (told := _told_by_suffix(path)) is not None:
        return told
    choices = ", ".join(FORMATS)
    raise UsageError(
        "its name does not tell the keypoint format",
        where=path,
        remedy=f"use .jsonl, .csv, .parquet, .npz or a folder with /, or name one of {choices}",
    )


def _told_by_suffix(path: str) -> Format | None:
    found = (each for each in FORMATS.values() if path.lower().endswith(each.suffixes))
    return next(found, None)


def _check_there(source: Source) -> None:
    with readable(source.path):
        if not source.path.exists():
            raise InputError("no such file or folder", where=source.path)


def _detect(source: Source) -> Format:
    _check_there(source)
    found = [candidate for candidate in FORMATS.values() if candidate.sniff(source)]
    if len(found) == 1:
        return found[0]
    told = _told_by_suffix(source.path.name)
    if told is not None and source.sniffed in ([], {}):  # nobody is in it
        return told
    is_json = source.path.is_dir() or source.head.lstrip()[:1] in (b"[", b"{")
    if is_json and source.sniffed is None:
        _ = source.document  # says what is wrong with it
    names = ", ".join(candidate.name for candidate in found or FORMATS.values())
    what = "its content fits several formats" if found else "its content is of no known format"
    raise InputError(what, where=source.path, remedy=f"name its format, one of {names}")
