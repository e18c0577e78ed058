"""Videos, cameras and streams, read by PyAV."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

import numpy as np

from poise.errors import InputError
from poise.io.containers import (
    CONTAINERS,
    STREAM_CONTAINERS,
    STREAM_PROTOCOLS,
    open_container,
    translated,
)
from poise.io.feeds import Feed, Window
from poise.poses import Frame, Image

# One packet of these is exactly one frame, in MP4, MOV and Matroska, so that counting packets
# numbers the frames.
_COUNTABLE = frozenset({"h264", "hevc", "av1", "mjpeg", "prores"})


def open_video(source: Path | IO[bytes], name: str) -> VideoFeed:
    """Open a video file, or a seekable file object, and decode its first frame.

    Args:
        source: A regular file, or bytes; closed by the feed.
        name: What to call it in messages.

    Raises:
        InputError: It is no video that Poise reads, or has no frame that can be decoded.
    """
    options = {"protocol_whitelist": "file", "format_whitelist": CONTAINERS}
    if isinstance(source, Path):
        # The prefix keeps FFmpeg from taking a colon in the name for a protocol.
        return VideoFeed(f"file:{source.absolute()}", name, options)
    with contextlib.ExitStack() as undo:
        undo.callback(source.close)
        feed = VideoFeed(source, name, options)
        undo.pop_all()
    return feed


def open_stream(address: str, timeout: float) -> VideoFeed:
    """Open an rtsp or http address.

    Args:
        address: With its scheme.
        timeout: Seconds without any data after which the source is given up.

    Raises:
        InputError: Nobody answers in time, or what comes is no video that Poise reads.
    """
    options = {"protocol_whitelist": STREAM_PROTOCOLS, "format_whitelist": STREAM_CONTAINERS}
    if address.startswith("rtsp"):
        options["rtsp_transport"] = "tcp"
    return VideoFeed(address, address, options, timeout=timeout)


class VideoFeed(Feed):
    """A video whose first frame has been decoded, so that its turned size is known.

    Args:
        place: What FFmpeg opens.
        name: What to call it in messages.
        options: FFmpeg's options for opening.
        form: FFmpeg's name of the container, where it cannot be found out.
        timeout: Seconds without data after which a camera or stream is given up.
    """

    def __init__(
        self,
        place: str | IO[bytes],
        name: str,
        options: dict[str, str],
        *,
        form: str | None = None,
        timeout: float | None = None,
    ) -> None:
        from av.video.reformatter import VideoReformatter

        self._place, self._name, self._options = place, name, options
        self._form, self._timeout = form, timeout
        self._convert = VideoReformatter().reformat
        self._damaged = False
        self._span = [math.inf, -math.inf]
        self._skipped = 0
        self._open()
        with contextlib.ExitStack() as undo:
            undo.callback(self._container.close)
            self._raw = self._decode()
            self._first = next(self._raw, None)
            if self._first is None:
                raise InputError("no frame of it can be decoded", where=name)
            self._describe(self._first)
            undo.pop_all()

    def _open(self) -> None:
        self._container, self._stream = open_container(
            self._place, self._name, self._options, form=self._form, timeout=self._timeout
        )

    def _describe(self, first: Any) -> None:
        stream, container = self._stream, self._container
        turned = round(first.rotation / 90) % 2
        self.size = (first.height, first.width) if turned else (first.width, first.height)
        aspect = float(stream.sample_aspect_ratio or 1)
        self.pixel_aspect = 1 / aspect if turned else aspect
        self.fps = float(stream.average_rate) if stream.average_rate else None
        self.count = stream.frames or None
        self.has_audio = bool(container.streams.audio)
        # A file behind http has a length; a camera behind http has none.
        self.live = self._timeout is not None and container.duration is None
        self._start = _ticks(first)

    def _decode(self) -> Iterator[Any]:
        """Yield decoded frames; damaged packets are left out, a damaged end ends it."""
        from av import error as av_error

        streams = [self._stream, *self._container.streams.audio]
        packets = self._container.demux(streams)
        while True:
            try:
                with translated(self._name, self._timeout):
                    packet = next(packets, None)
            except InputError:
                # A cut file; what came before it counts. A live source has to say why it ends.
                self._damaged = True
                if self._timeout is not None:
                    raise
                return
            if packet is None:
                return
            self._measure(packet)
            if packet.stream is not self._stream:
                continue
            try:
                frames = packet.decode()
            except av_error.FFmpegError:
                self._damaged = True
                continue
            yield from frames

    def _measure(self, packet: Any) -> None:
        if packet.pts is None:
            return
        self._skipped += packet.is_discard and packet.stream is self._stream
        start = packet.pts * float(packet.time_base)
        end = start + (packet.duration or 0) * float(packet.time_base)
        if not packet.duration and packet.stream is self._stream:
            end += 1 / (self.fps or float(self._stream.average_rate or 25))
        self._span = [min(self._span[0], start), max(self._span[1], end)]

    def frames(self, window: Window) -> Iterator[Frame]:
        """Yield the wanted frames; those before the start cost no conversion to RGB."""
        index = self._skip_to(window.start)
        raw: Any = self._first
        self._first = None
        while raw is not None:
            time = self._time(raw, index)
            if time >= window.end:
                return
            if window.keeps(index, time):
                yield Frame(self._rgb(raw), index, time)
            index += 1
            raw = next(self._raw, None)
        self.truncated = self._is_short(index)

    def _skip_to(self, start: float) -> int:
        """Go on from the last key frame before the start, where its index can be known.

        Returns:
            The index of the frame that now comes first; 0 if that is the first of all.
        """
        if start <= 0 or not self._countable():
            return 0
        stamps = self._stamps(start)
        keys = [ticks for ticks, is_key in stamps if is_key]
        if not keys or keys[-1] == self._start:
            return 0
        before = self._container, self._stream, self._raw
        self._open()
        self._container.seek(keys[-1], stream=self._stream)
        self._raw = self._decode()
        first = next((raw for raw in self._raw if raw.pts is None or raw.pts >= keys[-1]), None)
        if first is None or first.pts != keys[-1]:
            self._container.close()
            self._container, self._stream, self._raw = before
            return 0
        before[0].close()
        self._first, self._damaged = first, False
        return sum(ticks < keys[-1] for ticks, _ in stamps)

    def _countable(self) -> bool:
        plain = isinstance(self._place, str) and self._timeout is None and self._start is not None
        form: str = self._container.format.name
        codec = self._stream.codec_context.codec.canonical_name
        return plain and form.startswith(("mov,", "matroska")) and codec in _COUNTABLE

    def _stamps(self, start: float) -> list[tuple[int, bool]]:
        """Return each packet's time and whether it is a key frame, up to the start.

        Nothing is decoded: a thousand packets cost a few milliseconds. Empty where a packet is
        damaged, untimed, or not meant to be shown, so that packets do not number the frames.
        """
        before = self._container, self._stream
        self._open()
        try:
            last = self._start + start / self._stream.time_base
            stamps = []
            for packet in self._container.demux(self._stream):
                if packet.dts is None:
                    break
                if packet.pts is None or packet.is_discard or packet.is_corrupt:
                    return []
                if packet.dts > last:
                    break
                stamps.append((packet.pts, packet.is_keyframe))
            return [(ticks, key and ticks <= last) for ticks, key in stamps]
        finally:
            self._container.close()
            self._container, self._stream = before

    def _time(self, raw: Any, index: int) -> float:
        ticks = _ticks(raw)
        if ticks is None or self._start is None:
            return index / (self.fps or 25.0)
        base = self._stream.time_base
        return float((ticks - self._start) * base.numerator / base.denominator)

    def _rgb(self, raw: Any) -> Image:
        with translated(self._name):
            image: Any = self._convert(raw, format="rgb24", threads=1).to_ndarray()
        turns = round(raw.rotation / 90) % 4
        return np.ascontiguousarray(np.rot90(image, turns)) if turns else cast(Image, image)

    def _is_short(self, decoded: int) -> bool:
        """Whether the source ended before what its container declares."""
        if self.live:
            return False
        rate = self.fps or 25.0
        declared = (self._container.duration or 0) / 1e6
        if self.count and self._container.format.name == "avi":
            # FFmpeg makes up the duration of an AVI that lost its index.
            declared = max(declared, self.count / rate)
        ended_early = declared - (self._span[1] - self._span[0]) > 0.75 / rate
        if self.count is None:
            return (declared > 0 and ended_early) or (self._damaged and not declared)
        # Neither alone: an edit list hides frames, and sound may be longer than the picture.
        return decoded + self._skipped < self.count and (ended_early or self._damaged)

    def close(self) -> None:
        """Close the container, and the file it reads."""
        self._container.close()
        if not isinstance(self._place, str):
            self._place.close()


def _ticks(raw: Any) -> int | None:
    ticks: int | None = raw.dts if raw.pts is None else raw.pts
    return ticks
