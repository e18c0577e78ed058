"""The pictures of a recording, walked through once by its clock."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from poise.clip import Track
from poise.closing import Closing
from poise.io import find_sources, read_frames
from poise.io.reading import FrameReader
from poise.poses import Frame, Image

_USUAL_RATE = 30.0


class Footage(Closing):
    """The frames of one source; asked for moments that do not run backwards.

    Holds two frames, and what the reader reads ahead.

    Args:
        source: A video, a picture, a folder of pictures, or what else ``read_frames`` takes.
        rate: Frames per second of the pictures in a folder, which carry no time.
        start: Seconds; frames well before it are not needed.

    Attributes:
        size: Width and height in pixels.
        pixel_aspect: Width of a pixel by its height.
        fps: Mean frames per second, or None.

    Raises:
        InputError: The source cannot be read.
    """

    def __init__(self, source: Any, rate: float = _USUAL_RATE, start: float = 0.0) -> None:
        self._reader = _open(source, rate, max(start - 0.5, 0.0))
        self.size, self.fps = self._reader.size, self._reader.fps
        self.pixel_aspect = self._reader.pixel_aspect
        self._now: Frame | None = None
        self._next: Frame | None = next(self._reader, None)

    def at(self, time: float) -> Frame | None:
        """Return the frame nearest to a moment; None where there is no frame at all."""
        while self._next is not None and (
            self._now is None or self._next.time - time <= time - self._now.time
        ):
            self._now, self._next = self._next, next(self._reader, None)
        return self._now

    def close(self) -> None:
        """Let go of the source."""
        self._reader.close()


def track_rate(track: Track) -> float:
    """Return the frames per second of a track: one by the median of its steps."""
    steps = np.diff(track.times)
    steps = steps[steps > 0]
    return float(1 / np.median(steps)) if len(steps) else _USUAL_RATE


def _open(source: Any, rate: float, start: float) -> FrameReader:
    folder = isinstance(source, str | os.PathLike) and Path(source).is_dir()
    if not folder:
        return read_frames(source, start=start or None)
    return read_frames(_pictures(os.fspath(source), rate))


def _pictures(folder: str, fps: float) -> Iterator[Frame]:
    """Yield the pictures of a folder, which carry no time, at the rate of their track."""
    for index, found in enumerate(find_sources([folder], recursive=False)):
        if found.kind == "image":
            with read_frames(found.address) as reader:
                yield Frame(next(reader).image, index, index / fps)


def resize(image: Image, size: tuple[int, int]) -> Image:
    """Return a picture in another size; enlarged smoothly, made smaller without flicker."""
    from PIL import Image as Pictures

    if image.shape[1::-1] == size:
        return image
    picture = Pictures.fromarray(image)
    return np.asarray(picture.resize(size, Pictures.Resampling.BILINEAR, reducing_gap=1.0))
