"""One source, estimated once, into one or several outputs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from poise.clip import Header
from poise.draw import PICTURE_SUFFIXES, Style, open_picture_writer
from poise.errors import OutputError
from poise.io import open_writer
from poise.io.reading import FrameReader
from poise.models.base import PoseModel
from poise.options import Options
from poise.pipeline import Estimation, estimate
from poise.poses import Poses

Report = Callable[[int, int | None], None]


@dataclass(frozen=True)
class Output:
    """Where one result goes.

    Attributes:
        path: A file, a folder that ends in ``/``, or ``-`` for the standard output.
        format: A pose format or a picture suffix such as ``mp4``; None to tell by the path.
    """

    path: str
    format: str | None = None

    @property
    def picture(self) -> bool:
        """Whether it is a picture or a video, not poses."""
        suffix = f".{self.format}" if self.format else Path(self.path).suffix.lower()
        return suffix in PICTURE_SUFFIXES


@dataclass(frozen=True)
class Summary:
    """What came of one source.

    Attributes:
        frames: Frames written.
        people: People in all frames together.
        seconds: Wall time from opening to the last rename.
        truncated: Whether the source ended before its container said that it would.
        header: The header of its poses.
    """

    frames: int
    people: int
    seconds: float
    truncated: bool
    header: Header


def write_estimate(
    source: Any,
    outputs: Sequence[Output],
    model: PoseModel,
    options: Options,
    *,
    overwrite: bool = False,
    style: Style | None = None,
    report: Report | None = None,
) -> Summary:
    """Estimate one source and write every output; all or none get their final names.

    Raises:
        InputError: The source cannot be read.
        OutputError: An output exists, is the source itself, or cannot be written.
    """
    began = time.perf_counter()
    name = source.source if isinstance(source, FrameReader) else source
    check_outputs(name, outputs, overwrite=overwrite)
    with estimate(source, model, options=options) as found, ExitStack() as stack:
        pictures = [o for o in outputs if o.picture]
        writers = [
            stack.enter_context(
                open_writer(o.path, found.header, format=o.format, overwrite=overwrite)
            )
            for o in outputs
            if not o.picture
        ]
        painters = [
            stack.enter_context(_open_painter(o, found, options, overwrite, style))
            for o in pictures
        ]
        frames = people = 0
        for frame, poses in found.pairs() if pictures else _without_frames(found):
            for writer in writers:
                writer.write(poses)
            for painter in painters:
                painter.write(frame, poses)
            frames, people = frames + 1, people + len(poses)
            if report is not None:
                report(frames, found.reader.count)
        for writer in writers:
            writer.truncated = found.truncated
    seconds = time.perf_counter() - began
    return Summary(frames, people, seconds, found.truncated, found.header)


def check_outputs(source: Any, outputs: Sequence[Output], *, overwrite: bool) -> None:
    """Refuse outputs that exist, or that are the source, before anything is read.

    Raises:
        OutputError: An output is refused; the message says which and what to do.
    """
    for output in outputs:
        if output.path == "-":
            continue
        path = Path(output.path)
        if _is_same(path, source):
            raise OutputError("is also the source", where=path, remedy="choose another name")
        if path.exists() and not overwrite and not path.is_dir():
            raise OutputError("exists already", where=path, remedy="add --overwrite to replace it")
        if path.is_dir() and not output.path.endswith("/"):
            raise OutputError("is a folder", where=path, remedy="name a file in it")


def _is_same(path: Path, source: Any) -> bool:
    if not isinstance(source, str | Path):
        return False
    return path.exists() and Path(source).exists() and path.samefile(source)


def _without_frames(found: Estimation) -> Iterator[tuple[Any, Poses]]:
    for poses in found:
        yield None, poses


def _open_painter(
    output: Output, found: Estimation, options: Options, overwrite: bool, style: Style | None
) -> Any:
    return open_picture_writer(
        output.path,
        size=found.header.size,
        fps=found.header.fps,
        source=found.header.source,
        overwrite=overwrite,
        style=style or Style(),
        still=found.reader.still,
    )
