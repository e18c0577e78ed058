"""What a user names, loaded: videos and pictures are estimated, keypoint files are read."""

from __future__ import annotations

import glob
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from poise.clip import Clip
from poise.errors import InputError, NoInputError, UsageError
from poise.io import detect_format, read_clip, read_frames
from poise.io.formats.source import natural_key
from poise.io.sources import IMAGE_SUFFIXES, VIDEO_SUFFIXES
from poise.loading.options import LoadingOptions
from poise.loading.people import identify
from poise.models.base import PoseModel
from poise.pipeline import count_frames, estimate

# Steps that are done, and how many there will be (None where nobody knows).
Report = Callable[[int, int | None], None]

CLIP_SUFFIXES = (".jsonl", ".json", ".csv", ".npz", ".npy", ".parquet")


def expand_sources(words: Sequence[str]) -> list[str]:
    """Return the sources that the words name, each once.

    A word is a source, a folder of them, or a glob. A folder of OpenPose's JSON is one source; of
    any other folder, its pictures, videos, keypoint files and OpenPose folders are sources, in
    natural order. Nothing is opened that is not a folder.

    Raises:
        NoInputError: A word names nothing.
    """
    found: list[str] = []
    for word in words:
        found += [source for source in _expand(word) if source not in found]
    return found


def is_clip(source: str) -> bool:
    """Whether a source is read as keypoints, not estimated.

    Raises:
        InputError: It is not there, or a folder of something else.
        UsageError: It is a camera or a stream.
    """
    path = _path(source)
    suffix = path.suffix.lower()
    if path.is_dir():
        if not _is_openpose(path):
            raise InputError(
                "is a folder, not one performance", where=source,
                remedy="name a video, picture or keypoint file in it",
            )  # fmt: skip
        return True
    if suffix in CLIP_SUFFIXES:
        return True
    if suffix in IMAGE_SUFFIXES or suffix in VIDEO_SUFFIXES:
        return False
    try:
        detect_format(path)
    except InputError:
        return False
    return True


def load_clip(
    source: str,
    load_model: Callable[[], PoseModel],
    options: LoadingOptions,
    *,
    report: Report | None = None,
) -> Clip:
    """Return everybody's keypoints of a source, named and joined by ``identify``.

    Args:
        source: A video, a picture, or a keypoint file or folder.
        load_model: Returns the model; asked only for pictures and videos, after they were opened.
        options: How videos are estimated, and the frame rate of files without times.
        report: Told of each frame that was estimated.

    Raises:
        InputError: It cannot be read, or nobody is in it.
        UsageError: It is a camera or a stream.
    """
    if is_clip(source):
        clip = _read(source, options.fps)
    else:
        clip = _estimate(source, load_model, options, report)
    if not any(len(poses) for poses in clip.frames):
        raise InputError("no person was found", where=source)
    return identify(clip)


def find_footage(origin: str) -> str | None:
    """Return the video or picture that a keypoint file's header names, if it is still there."""
    known = Path(origin).suffix.lower() in {*IMAGE_SUFFIXES, *VIDEO_SUFFIXES}
    return origin if known and Path(origin).is_file() else None


def name_sources(sources: Sequence[str]) -> list[str]:
    """Return a name for what is made of each source, no two alike: its own without the suffix."""
    stems = [Path(source).stem or "source" for source in sources]
    often = Counter(stems)
    names = [
        Path(source).name.replace(".", "-") if often[stem] > 1 else stem
        for source, stem in zip(sources, stems, strict=True)
    ]
    seen: Counter[str] = Counter()
    for place, name in enumerate(names):
        seen[name] += 1
        if seen[name] > 1:
            names[place] = f"{name}-{seen[name]}"
    return names


def _read(source: str, fps: float) -> Clip:
    try:
        form = detect_format(source)
    except InputError as error:
        if error.remedy is None or not error.remedy.startswith("name its format"):
            raise
        remedy = "name it to 'poise convert --from', and take what that writes"
        raise InputError(error.what, where=source, remedy=remedy) from error
    return read_clip(source, format=form, fps=fps)


def _estimate(
    source: str,
    load_model: Callable[[], PoseModel],
    options: LoadingOptions,
    report: Report | None,
) -> Clip:
    with (
        read_frames(source) as reader,
        estimate(reader, load_model(), options=options.estimation()) as found,
    ):
        found.watch = count_frames(report, reader.count)
        return Clip(tuple(found), found.header, truncated=found.truncated)


def _path(source: str) -> Path:
    if source == "-" or "://" in source or (source.isascii() and source.isdecimal()):
        raise UsageError(
            "is a camera or a stream, which has no end", where=source,
            remedy="record it to a file first",
        )  # fmt: skip
    path = Path(source)
    try:
        there = path.exists()
    except (OSError, ValueError) as error:
        raise InputError(f"cannot be opened ({error})", where=source) from error
    if not there:
        raise InputError("no such file or folder", where=source, remedy="check the path")
    return path


def _expand(word: str) -> list[str]:
    path = Path(word)
    if path.is_dir() and not _is_openpose(path):
        return _inside(path)
    if glob.has_magic(word) and not path.exists():
        found = sorted(glob.glob(word), key=natural_key)  # noqa: PTH207 (passes hidden files over)
        if not found:
            raise NoInputError("nothing matches", where=word, remedy="check the pattern")
        return found
    return [word]


def _inside(folder: Path) -> list[str]:
    try:
        entries = sorted(folder.iterdir(), key=lambda path: natural_key(path.name))
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=folder) from error
    known = {*IMAGE_SUFFIXES, *VIDEO_SUFFIXES, *CLIP_SUFFIXES}
    found = [
        str(entry)
        for entry in entries
        if not entry.name.startswith(".")
        and (_is_openpose(entry) if entry.is_dir() else entry.suffix.lower() in known)
    ]
    if not found:
        raise NoInputError(
            "holds no picture, video or keypoint file", where=folder, remedy="name another folder"
        )
    return found


def _is_openpose(path: Path) -> bool:
    """Whether a folder is one clip: JSON files of OpenPose, one a frame."""
    if not path.is_dir() or not any(path.glob("*.json")):
        return False
    try:
        return detect_format(path) == "openpose"
    except InputError:
        return False
