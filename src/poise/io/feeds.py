"""What every opened source is to the reader: its frames in order, and what is known of it."""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from poise.errors import InputError, UsageError
from poise.poses import Frame, Image

# 134 million: a 108-megapixel photograph passes, a 20000x20000 bomb does not.
MAX_PIXELS = 2**27
# 33 million, 8K: of videos and animations, which a small file can make very long.
MAX_FRAME_PIXELS = 2**25

READABLE = (
    "readable are JPEG, PNG, WebP, AVIF, HEIC, TIFF, BMP and GIF pictures, and MP4, MOV, MKV, "
    "WebM, AVI, MPEG, OGG, FLV and WMV videos"
)


@dataclass(frozen=True)
class Window:
    """Which frames of a source are wanted.

    Attributes:
        start: Seconds; frames before it are left out.
        end: Seconds; this moment and all after it are left out.
        stride: Frames whose index is a multiple of it are kept.

    Raises:
        UsageError: A bound is negative or not a number, nothing lies between the bounds, or the
            stride is not a whole number of at least 1.
    """

    start: float = 0.0
    end: float = math.inf
    stride: int = 1

    def __post_init__(self) -> None:
        if not (isinstance(self.stride, numbers.Integral) and self.stride >= 1):
            raise UsageError(
                f"wanted a whole number of at least 1, got {self.stride}", where="stride"
            )
        if not (isinstance(self.start, numbers.Real) and 0 <= self.start < math.inf):
            raise UsageError(f"wanted seconds of at least 0, got {self.start}", where="start")
        if not (isinstance(self.end, numbers.Real) and self.end > self.start):
            wanted = f"wanted seconds after the start ({self.start:g})"
            raise UsageError(f"{wanted}, got {self.end}", where="end")

    def keeps(self, index: int, time: float) -> bool:
        """Whether the frame is wanted."""
        return index % self.stride == 0 and self.start <= time < self.end


class Feed:
    """An opened source. Kinds of sources override ``frames`` and ``close``.

    Attributes:
        size: Width and height of the upright frames in pixels.
        fps: Mean frames per second as declared, or None.
        count: Number of frames as declared, or None.
        pixel_aspect: Width of a pixel by its height; 1 for square pixels.
        truncated: Whether fewer frames came than were declared; known after the last one.
        live: Whether frames come as they happen (camera, stream), so that late ones are dropped.
        still: Whether this is a single picture.
        has_audio: Whether the source has sound.
        eager: Whether a thread should read ahead.
    """

    size: tuple[int, int] = (0, 0)
    fps: float | None = None
    count: int | None = None
    pixel_aspect: float = 1.0
    truncated: bool = False
    live: bool = False
    still: bool = False
    has_audio: bool = False
    eager: bool = True

    def frames(self, window: Window) -> Iterator[Frame]:
        """Yield the wanted frames in order; called once."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of files and devices. Called once, by the thread that reads the frames."""


class Still(Feed):
    """One picture. The window does not apply to it."""

    still, eager, count = True, False, 1

    def __init__(self, image: Image) -> None:
        self._frame = Frame(image)
        self.size = self._frame.size

    def frames(self, window: Window) -> Iterator[Frame]:
        """Yield the picture."""
        yield self._frame


class Values(Feed):
    """Frames, or plain arrays, that somebody else makes.

    Args:
        source: Anything to iterate over, or with a ``frames()`` to iterate over. Its attributes
            ``size``, ``fps``, ``count``, ``live`` and ``has_audio`` are taken over where it has
            them.
        name: What to call it in messages.
        fps: Frames per second of plain arrays, which carry no time of their own.

    Raises:
        InputError: It holds no frame.
    """

    eager = False

    def __init__(self, source: Any, name: str, fps: float) -> None:
        for field in ("fps", "count", "live", "has_audio"):
            setattr(self, field, getattr(source, field, getattr(self, field)))
        make = getattr(source, "frames", None)
        self._source: Iterable[Any] = make() if callable(make) else source
        self._frames = self._number(iter(self._source), self.fps or fps, name)
        self._first = next(self._frames, None)
        if self._first is None:
            raise InputError("no frame came", where=name)
        self.size = self._first.size

    def _number(self, values: Iterator[Any], fps: float, name: str) -> Iterator[Frame]:
        for index, value in enumerate(values):
            if isinstance(value, Frame):
                yield value
            elif isinstance(value, np.ndarray):
                self.fps = fps
                yield Frame(value, index, index / fps)
            else:
                came = type(value).__name__
                raise UsageError(f"wanted frames or (H, W, 3) uint8 arrays, got {came}", where=name)

    def frames(self, window: Window) -> Iterator[Frame]:
        """Yield the wanted frames just as they came."""
        frame = self._first
        while frame is not None and frame.time < window.end:
            if window.keeps(frame.index, frame.time):
                yield frame
            frame = next(self._frames, None)

    def close(self) -> None:
        """Close the maker of the frames, where it can be closed."""
        close = getattr(self._source, "close", None)
        if callable(close):
            close()
