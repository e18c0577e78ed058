"""How far the work on one source is."""

from __future__ import annotations

import math
from collections.abc import Callable

from poise.errors import UsageError
from poise.io.reading import FrameReader
from poise.options import Options

# Steps that are done, and how many there will be (None where nobody knows).
Report = Callable[[int, int | None], None]


class Counting:
    """Counts the frames of one source for whoever watches.

    A step is a frame that was estimated. Options that need the whole clip have all of them
    estimated before the first one is painted, so that painting is as many steps again.

    Args:
        reader: The source.
        options: How it is estimated.
        painted: Whether its frames are painted.
        report: Told of each step.
    """

    def __init__(
        self, reader: FrameReader, options: Options, *, painted: bool, report: Report | None
    ) -> None:
        self._report = report
        self._twice = painted and options.whole_clip and not reader.still
        frames = expected_frames(reader, options)
        self._total = frames and frames * (1 + self._twice)
        self._done = 0

    def add_estimated(self) -> None:
        """One more frame was estimated."""
        self._done += 1
        if self._report is not None:
            self._report(self._done, self._total)

    def add_written(self) -> None:
        """One more frame was written."""
        if self._twice:
            self.add_estimated()


def expected_frames(reader: FrameReader, options: Options) -> int | None:
    """Return about how many frames the options leave of a source; None where nobody knows."""
    if reader.count is None:
        return None
    first, last = 0, reader.count
    if reader.fps and not reader.still:
        first = math.ceil((options.start or 0) * reader.fps)
        last = last if options.end is None else min(last, math.ceil(options.end * reader.fps))
    return max(math.ceil(last / options.stride) - math.ceil(first / options.stride), 1)


def refuse_nothing(reader: FrameReader, options: Options) -> None:
    """Refuse options that leave no frame of a source.

    Raises:
        UsageError: Always where a start, end or stride may be why there was no frame.
    """
    chosen = {"start": options.start, "end": options.end}
    words = [f"{name} {seconds:g} s" for name, seconds in chosen.items() if seconds is not None]
    words += [f"stride {options.stride}"] if options.stride > 1 else []
    if not words:
        return
    long = reader.count / reader.fps if reader.count and reader.fps else None
    raise UsageError(
        f"no frame is left by {', '.join(words)}",
        where=reader.source,
        remedy=f"it is {long:.1f} s long" if long else "choose an earlier start",
    )
