"""``poise estimate``: sources in, keypoints and pictures out."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from poise.batch.folder import Run
from poise.batch.single import (
    Output,
    check_folders,
    check_outputs,
    output_suffix,
    write_estimate,
)
from poise.cli.loading import load_named
from poise.cli.parameters import take_options
from poise.cli.progress import Ticker
from poise.draw import Style
from poise.errors import SomeInputsFailedError, UsageError
from poise.io import FrameReader, find_sources
from poise.io.clips import names_format
from poise.io.sources import Skipped, Source
from poise.options import ModelOptions, Options
from poise.output import translated
from poise.pipeline import open_source

# Some senders, such as `timeout`, signal the process and then its whole group.
_TWICE_SECONDS = 0.5

Sources = Annotated[
    list[str],
    typer.Argument(
        metavar="SOURCE",
        help="Pictures, videos, folders, globs, text lists, '-', a camera number, rtsp:// or "
        "http(s):// addresses.",
    ),
]
Outputs = Annotated[
    list[str] | None,
    typer.Option(
        "-o",
        "--output",
        metavar="OUT",
        help="A file whose suffix is its format (.jsonl .csv .npz .mp4 .gif ...), a folder of "
        "OpenPose JSON that ends in '/', or, for several sources, the folder of all outputs. "
        "May be given more than once. Without it, Poise JSONL goes to the standard output.",
    ),
]
Formats = Annotated[
    list[str] | None,
    typer.Option(
        "--format",
        metavar="NAME",
        help="The output's format, where the suffix does not tell; for several sources each "
        "one named gives a file a source (default jsonl).",
    ),
]


@take_options(model=ModelOptions, options=Options, style=Style)
def estimate(
    *,
    sources: Sources,
    output: Outputs = None,
    format_: Formats = None,
    overwrite: Annotated[bool, typer.Option(help="Replace outputs that exist.")] = False,
    resume: Annotated[bool, typer.Option(help="Skip what is complete and unchanged.")] = False,
    progress: Annotated[bool, typer.Option(help="Show progress on stderr.")] = True,
    model: ModelOptions,
    options: Options,
    style: Style,
) -> None:
    """Estimate everyone's keypoints in pictures, videos, folders, cameras and streams."""
    if overwrite and resume:
        raise UsageError("--overwrite and --resume exclude each other", remedy="choose one")
    for name in format_ or ():
        output_suffix(name)  # an unknown one is refused before anything is read
    found = find_sources(sources)
    listed = list(found)
    names = tuple(output or ()), tuple(format_ or ())
    request = Request(*names, model, options, style, overwrite=overwrite, resume=resume)
    many = found.many or request.wants_folder
    ticker = Ticker(enabled=progress, many=many)
    try:
        if many:
            request.estimate_many(listed, found.skipped, ticker)
        else:
            request.estimate_one(listed[0].address, ticker)
    finally:
        ticker.close()


@dataclass(frozen=True)
class Request:
    """What the user asked for, apart from the sources."""

    outputs: tuple[str, ...]
    formats: tuple[str, ...]
    model: ModelOptions
    options: Options
    style: Style
    overwrite: bool
    resume: bool

    @property
    def wants_folder(self) -> bool:
        """Whether the one output is a folder of outputs, not a folder of OpenPose JSON."""
        if len(self.outputs) != 1:
            return False
        if self.outputs[0].endswith("/"):
            return bool(self.formats) and self.formats != ("openpose",)
        with translated(self.outputs[0]):
            return Path(self.outputs[0]).is_dir()

    def estimate_one(self, source: str, ticker: Ticker) -> None:
        """Estimate one source into the named outputs, or to the standard output."""
        if len(self.formats) > 1 or (self.formats and len(self.outputs) > 1):
            raise UsageError("one --format goes with one output", remedy="use suffixes instead")
        form = self.formats[0] if self.formats else None
        names = self.outputs or ("-",)
        outputs = [Output(name, form or ("jsonl" if name == "-" else None)) for name in names]
        check_outputs(source, outputs, overwrite=self.overwrite)
        check_folders(outputs)
        # The source is opened before the model is loaded: a bad file must not cost a download.
        with open_source(source, self.options) as reader, _ended_by_signals(reader):
            summary = write_estimate(
                reader,
                outputs,
                load_named(self.model, self.options.precision, ticker),
                self.options,
                overwrite=self.overwrite,
                style=self.style,
                report=ticker.begin(source, 1, 1),
            )
        ticker.end(source, summary, None)

    def _refuse_file(self) -> None:
        if len(self.outputs) != 1:
            raise UsageError("several sources need one folder", remedy="name it with -o FOLDER")
        name = self.outputs[0]
        named = Output(name).picture or names_format(name)
        if named and not self.wants_folder and not name.endswith("/"):
            remedy = "name a folder, and the format of its files with --format"
            raise UsageError("several sources do not go into one file", where=name, remedy=remedy)

    def estimate_many(self, sources: list[Source], skipped: list[Skipped], ticker: Ticker) -> None:
        """Estimate all sources into one folder; what cannot even be opened counts as failed.

        Raises:
            SomeInputsFailedError: At least one failed; the others are done.
        """
        self._refuse_file()
        run = Run(
            Path(self.outputs[0]),
            self.formats or ("jsonl",),
            load_named(self.model, self.options.precision, ticker),
            self.options,
            self.style,
            resume=self.resume,
            overwrite=self.overwrite,
        )
        try:
            result = run.process(sources, ticker)
        except KeyboardInterrupt:
            ticker.close()
            ticker.say("the same line with --resume goes on from here")
            raise
        ticker.close()
        failed = [str(error) for _, error in result.failed]
        failed += [f"{lost.path}: {lost.reason}" for lost in skipped]
        ticker.say(
            f"{result.done} done, {result.skipped} skipped, {len(failed)} failed, "
            f"{result.frames} frame{'s' * (result.frames != 1)}"
        )
        if failed:
            for line in failed:
                ticker.say(f"  failed: {line}", always=True)
            total = len(sources) + len(skipped)
            raise SomeInputsFailedError(f"{len(failed)} of {total} sources failed")


@contextlib.contextmanager
def _ended_by_signals(reader: FrameReader) -> Iterator[None]:
    """A camera has no end but its user's: the first Ctrl-C ends it, a later one interrupts."""
    if not reader.live:
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    asked: list[float] = []

    def end(number: int, frame: FrameType | None) -> None:
        asked.append(time.monotonic())
        if asked[-1] - asked[0] > _TWICE_SECONDS:
            restore()
            signal.raise_signal(number)
        reader.stop()

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    for number in before:
        signal.signal(number, end)
    try:
        yield
    finally:
        restore()
