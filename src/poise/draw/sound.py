"""The sound of the source, brought over into the painted video."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

_OPTIONS = {
    "protocol_whitelist": "file",
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,ogg,asf",
}
# What a container holds as it is; all else becomes the codec named last.
_MP4 = frozenset({"aac", "mp3", "ac3", "eac3", "alac", "opus"})
_KEPT = {
    "mp4": (_MP4, "aac"),
    "mov": (_MP4 | {"pcm_s16le", "pcm_s24le"}, "aac"),
    "matroska": (_MP4 | {"flac", "vorbis", "mp2", "pcm_s16le"}, "aac"),
    "webm": (frozenset({"opus", "vorbis"}), "libopus"),
}


class Sound:
    """Copies the packets of the source's first sound stream; encodes anew what does not fit.

    Args:
        source: The file that the frames came from.
        container: The open output, before its first packet.
        form: FFmpeg's name of the output's container.
        start: Seconds of the source at which the painted video begins.
    """

    def __init__(self, source: Path, container: Any, form: str, start: float) -> None:
        import av

        self.note: str | None = None
        self._output = container
        self._packets: Iterator[tuple[float, Any]] = iter(())
        self._next: tuple[float, Any] | None = None
        self._input: Any = None
        with self._forgiving():
            self._input = av.open(f"file:{source.absolute()}", options=dict(_OPTIONS))
            if self._input.streams.audio:
                self._begin(form, start)

    def _begin(self, form: str, start: float) -> None:
        stream = self._input.streams.audio[0]
        if stream.codec_context is None:
            raise ValueError("its codec is not known here")
        video = self._input.streams.video[0] if self._input.streams.video else None
        if video is not None and video.start_time is not None:
            start += float(video.start_time * video.time_base)
        kept, other = _KEPT[form]
        if stream.codec_context.codec.canonical_name in kept:
            self._stream = self._output.add_stream_from_template(stream)
            self._packets = self._copied(stream, start)
        else:
            rate = 48000 if other == "libopus" else stream.codec_context.sample_rate
            self._stream = self._output.add_stream(other, rate=rate)
            self._stream.layout = "mono" if stream.codec_context.channels == 1 else "stereo"
            self._packets = self._encoded(stream, start)

    def _copied(self, stream: Any, start: float) -> Iterator[tuple[float, Any]]:
        shift = round(start / stream.time_base)
        for packet in self._input.demux(stream):
            if packet.pts is None or packet.pts < shift:
                continue
            packet.pts -= shift
            packet.dts = packet.pts
            packet.stream = self._stream
            yield float(packet.pts * packet.time_base), packet

    def _encoded(self, stream: Any, start: float) -> Iterator[tuple[float, Any]]:
        from av.audio.resampler import AudioResampler

        context = self._stream.codec_context
        resampler = AudioResampler(context.format, context.layout, context.sample_rate)
        for decoded in self._input.decode(stream):
            if decoded.pts is None or decoded.time < start:
                continue
            time = decoded.time - start
            for frame in resampler.resample(decoded):
                frame.time_base = Fraction(1, context.sample_rate)
                frame.pts = round(time * context.sample_rate)
                time += frame.samples / context.sample_rate
                yield from self._timed(context.encode(frame))
        yield from self._timed(context.encode(None))

    def _timed(self, packets: list[Any]) -> Iterator[tuple[float, Any]]:
        for packet in packets:
            packet.stream = self._stream
            yield float(packet.pts * packet.time_base), packet

    def advance(self, seconds: float) -> None:
        """Write the sound up to this moment of the painted video."""
        while True:
            if self._next is None:
                with self._forgiving():
                    self._next = next(self._packets, None)
            if self._next is None or self._next[0] >= seconds:
                return
            packet, self._next = self._next[1], None
            self._output.mux(packet)

    @contextlib.contextmanager
    def _forgiving(self) -> Iterator[None]:
        """Damaged sound ends early; it does not cost the video."""
        from av.error import FFmpegError

        try:
            yield
        except (FFmpegError, ValueError) as error:
            self._packets = iter(())
            self.note = f"the sound could not be kept whole ({error})"

    def close(self) -> None:
        """Let go of the source."""
        if self._input is not None:
            self._input.close()
