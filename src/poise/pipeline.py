"""The walk from a source to poses: read, run, track, smooth."""

from __future__ import annotations

import dataclasses
import itertools
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from poise.clip import Clip, Header
from poise.closing import Closing
from poise.cuts import CutDetector
from poise.errors import UsageError
from poise.gaps import fill_gaps
from poise.io import read_frames
from poise.io.reading import FrameReader
from poise.models import load_model
from poise.models.base import PoseModel
from poise.options import Options
from poise.poses import Frame, Poses
from poise.skeleton import get_skeleton
from poise.smoothing import Smoother, smooth
from poise.swaps import repair_swaps
from poise.tracking import Tracker


class Estimation(Closing, Iterator[Poses]):
    """The poses of one source, frame after frame; iterate over it once.

    Attributes:
        header: What is known before the first frame: skeleton, model, precision, source, size.
        reader: The open source.
        watch: Called for each frame that is estimated, be it given out at once or later.
    """

    def __init__(
        self,
        reader: FrameReader,
        model: PoseModel,
        options: Options,
        tracker: Tracker | None = None,
    ) -> None:
        self.reader = reader
        self.header = Header(
            get_skeleton(options.skeleton) if options.skeleton else model.skeleton,
            model.name,
            model.precision,
            str(reader.source),
            reader.size,
            reader.fps,
        )
        self.watch: Callable[[], None] = _ignore
        self._model, self._options = model, options
        self._tracker = tracker or Tracker()
        self._held: deque[Frame] | None = None
        self._cuts: set[int] = set()
        self._walk = self._finished()

    @property
    def truncated(self) -> bool:
        """Whether the source ended before its container said that it would."""
        return self.reader.truncated

    def __next__(self) -> Poses:
        return next(self._walk)

    def pairs(self) -> Iterator[tuple[Frame, Poses]]:
        """Yield each frame with its poses, for painting; call it before anything else.

        Raises:
            UsageError: A step needs the whole clip, and the source cannot be read twice.
        """
        if self._options.whole_clip and not self.reader.still:
            self._check_readable_again()
            return self._read_again()
        self._held = deque()
        return self._hold(self._held)

    def close(self) -> None:
        """Stop reading and let go of the source."""
        self._walk.close()
        self.reader.close()

    def _finished(self) -> Generator[Poses, None, None]:
        poses = self._estimated()
        if not self.reader.still:
            poses = self._tracked(poses) if self._options.track else poses
            poses = self._whole(poses) if self._options.whole_clip else self._smoothed(poses)
        for one in poses:
            yield one.to(self.header.skeleton)

    def _frames(self) -> Iterator[Frame]:
        detector = CutDetector()
        for frame in self.reader:
            if not self.reader.still and detector.is_cut(frame.image):
                self._cuts.add(frame.index)
                frame = dataclasses.replace(frame, cut=True)  # noqa: PLW2901
            if self._held is not None:
                self._held.append(frame)
            yield frame

    def _estimated(self) -> Iterator[Poses]:
        if self.reader.still:
            found: Iterable[Poses] = self._model.estimate(list(self._frames()))
        else:
            found = self._model.follow(self._frames())
        for poses in found:
            self.watch()
            yield _best(poses, self._options.max_people)

    def _tracked(self, found: Iterable[Poses]) -> Iterator[Poses]:
        for poses in found:
            if poses.index in self._cuts:
                self._cuts.discard(poses.index)
                self._tracker.restart()
            yield self._tracker.update(poses)

    def _smoothed(self, found: Iterator[Poses]) -> Iterator[Poses]:
        if self._options.smooth == "none":
            yield from found
            return
        smoother = Smoother(self._options.smooth)
        for poses in found:
            yield from smoother.push(poses)
        yield from smoother.finish()

    def _whole(self, found: Iterable[Poses]) -> Iterator[Poses]:
        header = dataclasses.replace(self.header, skeleton=self._model.skeleton)
        clip = Clip(tuple(found), header)
        if self._options.repair_swaps:
            clip = repair_swaps(clip)
        if self._options.fill_gaps > 0:
            clip = fill_gaps(clip, max_gap=self._options.fill_gaps)
        yield from smooth(clip, self._options.smooth).frames

    def _hold(self, held: deque[Frame]) -> Iterator[tuple[Frame, Poses]]:
        for poses in self:
            while held[0].index != poses.index:
                held.popleft()
            yield held.popleft(), poses

    def _read_again(self) -> Iterator[tuple[Frame, Poses]]:
        done = list(self)
        with open_source(self.reader.source, self._options) as frames:
            yield from zip(frames, done, strict=False)

    def _check_readable_again(self) -> None:
        if self.reader.live or not Path(str(self.reader.source)).is_file():
            raise UsageError(
                "filling gaps and repairing swaps need the whole clip before it can be painted",
                where=self.reader.source,
                remedy="save the source to a file first",
            )


def count_frames(
    report: Callable[[int, int | None], None] | None, total: int | None
) -> Callable[[], None]:
    """Return what `Estimation.watch` may be, so that each frame is reported with its number.

    Args:
        report: Told how many frames are done, and how many there will be; or None.
        total: How many there will be, or None where nobody knows.
    """
    if report is None:
        return _ignore
    numbers = itertools.count(1)
    return lambda: report(next(numbers), total)


def _ignore() -> None:
    pass


def _best(poses: Poses, most: int | None) -> Poses:
    if most is None or len(poses) <= most:
        return poses
    return poses.select(sorted(np.argsort(-poses.person_scores, kind="stable")[:most]))


def open_source(source: Any, options: Options) -> FrameReader:
    """Open a source as the options say; a reader that is open already stays as it is.

    Raises:
        InputError: The source cannot be read.
    """
    if isinstance(source, FrameReader):
        return source
    return read_frames(
        source,
        start=options.start,
        end=options.end,
        stride=options.stride,
        timeout=options.timeout,
    )


def estimate(
    source: Any,
    model: str | PoseModel = "auto",
    *,
    options: Options | None = None,
    tracker: Tracker | None = None,
    **changes: Any,
) -> Estimation:
    """Estimate everyone's keypoints in a picture, a video, a camera or a stream.

    Args:
        source: A path, an address, a camera number, an (H, W, 3) uint8 RGB array, an iterable of
            frames, or an open reader.
        model: A name of the model table or a loaded model.
        options: How to estimate; see ``Options``.
        tracker: Gives the ids; a fresh ``Tracker()`` when there is none.
        **changes: Single fields of ``Options``, such as ``smooth="savgol"``.

    Returns:
        An iterator of ``Poses``, one a frame, in order; it also is a context manager.

    Raises:
        InputError: The source cannot be read.
        ModelError: There is no such model, or its weights cannot be had.
        UsageError: An option is unknown or out of its range.
    """
    chosen = Options.of(changes, options)
    reader = open_source(source, chosen)
    try:
        if isinstance(model, str):
            model = load_model(model, precision=chosen.precision)
        return Estimation(reader, model, chosen, tracker)
    except BaseException:
        reader.close()
        raise
