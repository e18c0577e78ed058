"""Opening any source and walking through its frames, read ahead by one thread."""

from __future__ import annotations

import math
import os
import stat
import sys
import tempfile
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Self

import numpy as np

from poise.closing import Closing
from poise.errors import InputError, UsageError
from poise.io.ahead import FrameQueue, fill, open_within
from poise.io.feeds import READABLE, Feed, Still, Values, Window
from poise.poses import Frame


def read_frames(
    source: object,
    *,
    start: float | None = None,
    end: float | None = None,
    stride: int = 1,
    timeout: float = 10.0,
    fps: float = 30.0,
) -> FrameReader:
    """Open a source and decode its first frame, so that a bad one fails here.

    Args:
        source: A path of a picture or video, ``-`` for standard input, a camera's number, an
            ``rtsp://`` or ``http(s)://`` address, an (H, W, 3) uint8 RGB array, or anything that
            yields such arrays or frames (an object with ``frames()`` too).
        start: Seconds from the first frame; frames before it are left out.
        end: Seconds; the frame at this moment and all after it are left out.
        stride: Keep the frames whose index is a multiple of it.
        timeout: Seconds without data after which a camera or stream is given up.
        fps: Frames per second of plain arrays, which carry no time of their own.

    Raises:
        InputError: The source cannot be read; says what came and what can be read.
        MissingExtraError: It is HEIC and pillow-heif is not installed.
        UsageError: An argument that cannot be.
    """
    window = Window(0.0 if start is None else start, math.inf if end is None else end, stride)
    for field, value in (("timeout", timeout), ("fps", fps)):
        if not 0 < value < math.inf:
            raise UsageError(f"wanted a number above 0, got {value}", where=field)
    name = _name(source)
    feed = _open(source, name, timeout, fps)
    return FrameReader(feed, name, window, timeout)


def _name(source: object) -> str:
    if isinstance(source, str | os.PathLike | int):
        return os.fspath(source) if not isinstance(source, int) else str(source)
    return "array" if isinstance(source, np.ndarray) else type(source).__name__


def _open(source: Any, name: str, timeout: float, fps: float) -> Feed:
    if isinstance(source, np.ndarray) and source.ndim < 4:
        return Still(source)
    if isinstance(source, Frame):
        return Still(source.image)
    if isinstance(source, bool | bytes | bytearray):
        raise UsageError(f"wanted a source, got {type(source).__name__}", where="source")
    if isinstance(source, int) or (isinstance(source, str) and _is_number(source)):
        from poise.io.cameras import open_camera

        return open_within(timeout, lambda: open_camera(int(source), timeout), f"camera {name}")
    if isinstance(source, str) and source == "-":
        return _open_stdin()
    if isinstance(source, str) and "://" in source:
        return _open_address(source, timeout)
    if isinstance(source, str | os.PathLike):
        return _open_file(Path(source), name)
    if hasattr(source, "__iter__") or callable(getattr(source, "frames", None)):
        return Values(source, name, fps)
    wanted = "wanted a path, camera number, address, array or frames"
    raise UsageError(f"{wanted}, got {type(source).__name__}", where="source")


def _is_number(word: str) -> bool:
    return word.isascii() and word.isdecimal()


def _open_address(address: str, timeout: float) -> Feed:
    from poise.io.videos import open_stream

    if not address.startswith(("rtsp://", "rtsps://", "http://", "https://")):
        scheme = address.split("://", maxsplit=1)[0]
        remedy = "streams are rtsp://, http:// or https:// addresses"
        raise InputError(f"addresses of kind {scheme}: are not read", where=address, remedy=remedy)
    return open_within(timeout, lambda: open_stream(address, timeout), address)


def _open_file(path: Path, name: str) -> Feed:
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            remedy = "name a file in it; the command line takes folders"
            raise InputError("is a folder, not a picture or video", where=name, remedy=remedy)
        if not stat.S_ISREG(mode):
            remedy = "pipe its bytes to standard input and name -"
            raise InputError("is a pipe, socket or device, not a file", where=name, remedy=remedy)
        file = path.open("rb")
    except FileNotFoundError:
        raise InputError("no such file", where=name, remedy="check the path") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"cannot be opened ({reason.lower()})", where=name) from error
    return _open_bytes(file, name, path)


def _open_stdin() -> Feed:
    """Keep standard input in a temporary file: most containers must be read to and fro."""
    if sys.stdin is None or sys.stdin.isatty():
        what = "nothing is piped in"
        raise InputError(what, where="standard input", remedy="poise estimate - < clip.mp4")
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the feed closes it
    try:
        while block := sys.stdin.buffer.read(1 << 20):
            file.write(block)
        file.seek(0)
    except OSError as error:
        file.close()
        what = f"cannot be kept in a temporary file ({error.strerror})"
        raise InputError(what, where="standard input") from error
    return _open_bytes(file, "standard input", None)


def _open_bytes(file: IO[bytes], name: str, path: Path | None) -> Feed:
    """Look at the first bytes: a picture, or else a video. The name's suffix decides nothing."""
    from poise.io.pictures import open_picture, picture_format

    head = file.read(512)
    file.seek(0)
    form = picture_format(head[:32])
    if form is not None:
        return open_picture(file, form, name)
    if not head or _is_text(head):
        file.close()
        line = head.decode("utf-8", "replace").strip().split("\n")[0][:40]
        what = f"holds text ({line!r}), not a picture or video" if head else "the file is empty"
        raise InputError(what, where=name, remedy=READABLE)
    from poise.io.videos import open_video

    if path is None:
        return open_video(file, name)
    file.close()
    return open_video(path, name)


def _is_text(head: bytes) -> bool:
    # YUV4MPEG2 is the one video that begins with a line of text.
    if head.startswith(b"YUV4MPEG2 "):
        return False
    control = sum(byte < 32 and byte not in b"\t\n\r\f" for byte in head)
    try:
        head[:-3].decode("utf-8")
    except UnicodeDecodeError as error:
        return control == 0 and error.start >= len(head) - 6
    return control == 0


class FrameReader(Closing):
    """The frames of one source, once, in order; a context manager. Made by ``read_frames``.

    Attributes:
        source: The source as it was named.
        size: Width and height of the upright frames in pixels.
        fps: Mean frames per second as declared, or None. Never used for time.
        count: Number of frames that the source declares, or None.
        pixel_aspect: Width of a pixel by its height; 1 for square pixels. Frames are not resized.
        live: Whether frames come as they happen; those that nobody fetched in time are dropped.
        still: Whether this is a single picture.
        has_audio: Whether the source has sound.
    """

    def __init__(self, feed: Feed, source: str, window: Window, timeout: float) -> None:
        self.source = source
        self.size, self.fps, self.count = feed.size, feed.fps, feed.count
        self.live, self.still, self.has_audio = feed.live, feed.still, feed.has_audio
        self.pixel_aspect = feed.pixel_aspect
        self._feed, self._window = feed, window
        self._timeout = timeout if feed.live else None
        self._queue = FrameQueue(feed.live)
        self._thread: threading.Thread | None = None
        self._frames: Iterator[Frame] | None = None
        self._closed = False
        # The thread holds the queue, not the reader, so a forgotten reader stops its thread.
        weakref.finalize(self, self._queue.close)

    @property
    def truncated(self) -> bool:
        """Whether fewer frames came than the source declares; known after the last frame."""
        return self._feed.truncated

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Frame:
        frame = None if self._closed else self._next()
        if frame is None:
            self.close()
            raise StopIteration
        return frame

    def _next(self) -> Frame | None:
        if not self._feed.eager:
            self._frames = self._frames or self._feed.frames(self._window)
            return next(self._frames, None)
        if self._thread is None:
            arguments = (self._feed, self._window, self._queue)
            self._thread = threading.Thread(
                target=fill, args=arguments, name="poise-decode", daemon=True
            )
            self._thread.start()
        try:
            return self._queue.get(self._timeout)
        except TimeoutError:
            what = f"no frame for {self._timeout:g} s"
            raise InputError(what, where=self.source, remedy="try a longer timeout") from None

    def stop(self) -> None:
        """End a live source here: the frames that came are still given, and then no more.

        May be called from a signal handler.
        """
        self._queue.end(None)

    def close(self) -> None:
        """Stop decoding and let go of the source. May be called twice."""
        if self._closed:
            return
        self._closed = True
        self._queue.close()
        if self._thread is None:
            self._feed.close()
        else:
            # A stream that stalls ends its own thread at its timeout; nobody waits for it here.
            self._thread.join(None if self._timeout is None else 0.5)
