"""One model's go at a source: it runs alone, so that its time is its own."""

from __future__ import annotations

import time
from dataclasses import dataclass

from poise.clip import Clip
from poise.errors import UsageError
from poise.loading import Report
from poise.models.base import PoseModel
from poise.options import Options
from poise.pipeline import count_frames, estimate, open_source


@dataclass(frozen=True, eq=False)
class Entry:
    """What one model found in a source.

    Attributes:
        model: Its name.
        clip: Everybody in each frame.
        still: Whether the source is a single picture.
        seconds: Wall time of the whole walk: reading, estimating, tracking.
    """

    model: str
    clip: Clip
    still: bool
    seconds: float


def run_model(
    model: PoseModel, source: str, options: Options, *, report: Report | None = None
) -> Entry:
    """Run a model over a source.

    It reads the first frame once before its time is taken, since the first run of a network
    prepares memory.

    Args:
        model: A loaded model.
        source: A picture or a video.
        options: How to estimate.
        report: Told of each frame that was estimated.

    Raises:
        InputError: The source cannot be read.
        UsageError: The options leave no frame of it.
    """
    with open_source(source, options) as reader:
        first = next(reader, None)
        total = reader.count if options == Options() else None
    if first is None:
        raise UsageError("no frame is left of it", where=source, remedy="choose an earlier start")
    model.estimate([first])
    begin = time.perf_counter()
    with estimate(source, model, options=options) as found:
        found.watch = count_frames(report, total)
        frames = tuple(found)
        seconds = time.perf_counter() - begin
        clip = Clip(frames, found.header, truncated=found.truncated)
        return Entry(model.name, clip, found.reader.still, seconds)
