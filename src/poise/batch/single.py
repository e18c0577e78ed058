"""One source, estimated once, into one or several outputs."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from poise.batch.counting import Counting, Report, refuse_nothing
from poise.clip import Header
from poise.draw import PICTURE_SUFFIXES, PictureWriter, Style, open_picture_writer
from poise.errors import InputError, UsageError, suggest
from poise.io import Writer, open_writer
from poise.io.clips import format_names, format_suffix, names_format
from poise.io.reading import FrameReader
from poise.models.base import PoseModel
from poise.options import Options
from poise.output import refuse_homeless, refuse_source, refuse_taken
from poise.pipeline import Estimation, estimate
from poise.poses import Poses


@dataclass(frozen=True)
class Output:
    """Where one result goes.

    Attributes:
        path: A file, a folder that ends in ``/``, or ``-`` for the standard output.
        format: A pose format or a picture suffix such as ``mp4``; None to tell by the path.

    Raises:
        UsageError: There is no such format.
    """

    path: str
    format: str | None = None

    def __post_init__(self) -> None:
        if self.format is not None:
            output_suffix(self.format)

    @property
    def picture(self) -> bool:
        """Whether it is a picture or a video, not poses."""
        suffix = f".{self.format}" if self.format else Path(self.path).suffix.lower()
        return suffix in PICTURE_SUFFIXES


def output_suffix(format: str) -> str:  # noqa: A002
    """Return what the names of a format's outputs end in; ``/`` for a folder.

    Args:
        format: A pose format or a picture suffix such as ``mp4``.

    Raises:
        UsageError: There is no such format; the message says which was probably meant.
    """
    if f".{format}" in PICTURE_SUFFIXES:
        return f".{format}"
    if format in format_names():
        return format_suffix(format)
    choices = [*format_names(), *(suffix[1:] for suffix in PICTURE_SUFFIXES)]
    raise UsageError(f"no format named '{format}'", remedy=suggest(format, choices))


def _refuse_unknown(output: Output) -> None:
    if output.format or output.picture or names_format(output.path):
        return
    endings = ".jsonl, .csv, .npz, .parquet, .coco.json, .mp4, .gif or .png"
    raise UsageError(
        "its name does not tell the format",
        where=output.path,
        remedy=f"end it in {endings}, or add --format with one of {', '.join(format_names())}",
    )


@dataclass(frozen=True)
class Summary:
    """What came of one source.

    Attributes:
        frames: Frames written.
        people: People in all frames together.
        seconds: Wall time from opening to the last rename.
        truncated: Whether the source ended before its container said that it would.
        header: The header of its poses.
        notes: What the user should know of the pictures: a codec that stood in, sound that was
            lost.
    """

    frames: int
    people: int
    seconds: float
    truncated: bool
    header: Header
    notes: tuple[str, ...] = ()


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
        InputError: The source cannot be read. A camera or stream that is lost leaves what it gave
            until then: its outputs are complete, and say that the source ended early.
        OutputError: An output exists, is the source itself, or cannot be written.
        UsageError: The options leave no frame, or do not go with the outputs.
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
        counting = Counting(found.reader, options, painted=bool(painters), report=report)
        frames, people, lost = _write_all(found, writers, painters, counting)
        if frames == 0:
            refuse_nothing(found.reader, options)
        for writer in writers:
            writer.truncated = found.truncated or lost is not None
    if lost is not None:
        kept = f"the {frames} frames before that are kept"
        raise InputError(lost.what, where=lost.where, remedy=kept) from lost
    seconds = time.perf_counter() - began
    notes = _notes(pictures, painters)
    return Summary(frames, people, seconds, found.truncated, found.header, notes)


def _notes(outputs: Sequence[Output], painters: Sequence[PictureWriter]) -> tuple[str, ...]:
    return tuple(
        f"{output.path}: {note}"
        for output, painter in zip(outputs, painters, strict=True)
        for note in painter.notes
    )


def _write_all(
    found: Estimation,
    writers: Sequence[Writer],
    painters: Sequence[PictureWriter],
    counting: Counting,
) -> tuple[int, int, InputError | None]:
    frames = people = 0
    found.watch = counting.add_estimated
    try:
        for frame, poses in found.pairs() if painters else _without_frames(found):
            for writer in writers:
                writer.write(poses)
            for painter in painters:
                painter.write(frame, poses)
            frames, people = frames + 1, people + len(poses)
            counting.add_written()
    except InputError as error:
        if not found.reader.live or frames == 0:
            raise
        return frames, people, error
    return frames, people, None


def check_outputs(source: Any, outputs: Sequence[Output], *, overwrite: bool) -> None:
    """Refuse outputs that exist, or that are the source, before anything is read.

    Raises:
        OutputError: An output is refused; the message says which and what to do.
        UsageError: The name of an output does not tell its format.
    """
    for output in outputs:
        _refuse_unknown(output)
        refuse_source(output.path, source)
        refuse_taken(output.path, overwrite=overwrite, folder=output.path.endswith("/"))


def check_folders(outputs: Sequence[Output]) -> None:
    """Refuse outputs in folders that are not there, before anything is read.

    Raises:
        OutputError: There is no such folder.
    """
    for output in outputs:
        refuse_homeless(output.path)


def _without_frames(found: Estimation) -> Iterator[tuple[Any, Poses]]:
    for poses in found:
        yield None, poses


def _open_painter(
    output: Output, found: Estimation, options: Options, overwrite: bool, style: Style | None
) -> PictureWriter:
    return open_picture_writer(
        output.path,
        size=found.header.size,
        fps=found.header.fps,
        source=found.header.source,
        overwrite=overwrite,
        style=style or Style(),
        still=found.reader.still,
        pixel_aspect=found.reader.pixel_aspect,
    )
