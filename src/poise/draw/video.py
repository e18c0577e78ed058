"""Painted frames as a video, with true timestamps and the source's sound."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from poise.draw.painter import Painter
from poise.draw.sound import Sound
from poise.errors import OutputError
from poise.poses import Frame, Image, Poses

FORMS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}

# Measured on two cores at 406x720: ultrafast costs half the processor time of superfast and is
# not worse at the same CRF; it only makes files about twice as large (docs/pictures.md).
_ENCODERS: dict[str, dict[str, str]] = {
    "libx264": {"preset": "ultrafast", "crf": "21"},
    "libopenh264": {},
    "libvpx-vp9": {
        "deadline": "realtime", "cpu-used": "8", "row-mt": "1", "crf": "33", "b": "0",
    },
    "mpeg4": {"qscale": "3", "flags": "+qscale", "global_quality": "354"},
}  # fmt: skip
_WANTED = ("libx264", "libopenh264", "libvpx-vp9", "mpeg4")
_WANTED_WEBM = ("libvpx-vp9",)
_BT709 = 1
_LIMITED_RANGE = 1
# From here on encoding may use two threads of its own; below, they cost more than they save.
_MANY_PIXELS = 2_500_000


def pick_encoder(form: str) -> str:
    """Return the best video encoder that this build of FFmpeg has for a container.

    Raises:
        OutputError: It has none of those that fit.
    """
    from av.codec import Codec, codecs_available

    wanted = _WANTED_WEBM if form == "webm" else _WANTED
    for name in wanted:
        if name in codecs_available and _can_encode(Codec, name):
            return name
    what = f"no encoder for {form} here: none of {', '.join(wanted)}"
    raise OutputError(what, remedy="choose .gif or a folder")


def _can_encode(codec: Any, name: str) -> bool:
    from av.codec.codec import UnknownCodecError

    try:
        codec(name, "w")
    except UnknownCodecError:
        return False
    return True


class VideoEncoder:
    """Paints and encodes one frame after the other; not for several threads at once.

    A frame is encoded when the next one has come, because only then its duration is known.

    Args:
        path: The file to write; its suffix plays no part.
        painter: Paints the frames.
        form: FFmpeg's name of the container.
        size: Width and height of the frames; odd ones are made even by repeating the last line.
        fps: Frames per second, for the encoder's rate control and the last frame; never for time.
    """

    def __init__(
        self,
        path: Path,
        painter: Painter,
        *,
        form: str,
        size: tuple[int, int],
        fps: float | None,
    ) -> None:
        import av
        from av.video.reformatter import VideoReformatter

        self.notes: list[str] = []
        self._painter, self._form = painter, form
        self._source: Path | None = None
        self._fps = fps if fps and 0 < fps < 1000 else 30.0
        self._size = size[0] + size[0] % 2, size[1] + size[1] % 2
        self._threads = 1 if size[0] * size[1] < _MANY_PIXELS else 2
        self._convert = VideoReformatter().reformat
        name = pick_encoder(form)
        if form != "webm" and "264" not in name:
            self.notes.append(f"no H.264 encoder here, so the video is {name}")
        # MPEG-4 counts time in at most 65535 parts of a second.
        self._base = Fraction(1, 60000 if name == "mpeg4" else 90000)
        options = {"movflags": "+faststart"} if form in ("mp4", "mov") else {}
        self._container = av.open(f"file:{path}", "w", format=form, options=options)
        self._stream = self._add_stream(name)
        self._sound: Sound | None = None
        self._start = 0.0
        self._waiting: Any = None
        self._durations: dict[int, int] = {}
        self._last = round(1 / self._fps / self._base)

    def _add_stream(self, name: str) -> Any:
        rate = Fraction(self._fps).limit_denominator(1001)
        stream = self._container.add_stream(name, rate=rate, options=dict(_ENCODERS[name]))
        stream.width, stream.height = self._size
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.time_base = stream.time_base = self._base
        context.thread_count = self._threads
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        context.color_range = _LIMITED_RANGE
        return stream

    def take_sound_of(self, source: Path | None) -> None:
        """Bring the sound of this file over; to be called before the first frame."""
        self._source = source

    def set_pixel_aspect(self, aspect: float) -> None:
        """Say the width of a pixel by its height; to be called before the first frame."""
        if abs(aspect - 1) > 1e-3:
            ratio = Fraction(aspect).limit_denominator(1000)
            self._stream.codec_context.sample_aspect_ratio = ratio

    def add(self, frame: Frame, poses: Poses) -> None:
        """Paint and encode a frame."""
        if self._waiting is None:
            self._start = frame.time
            if self._source is not None:
                self._sound = Sound(self._source, self._container, self._form, self._start)
        if frame.cut:
            self._painter.restart()
        picture = self._to_yuv(self._painter.paint(frame.image, poses))
        picture.pts = round((frame.time - self._start) / self._base)
        if self._waiting is not None:
            picture.pts = max(picture.pts, self._waiting.pts + 1)
            self._last = picture.pts - self._waiting.pts
            self._encode(self._waiting, self._last)
        self._waiting = picture

    def _to_yuv(self, canvas: Image) -> Any:
        from av import VideoFrame

        odd = canvas.shape[0] % 2, canvas.shape[1] % 2
        if any(odd):
            canvas = np.pad(canvas, ((0, odd[0]), (0, odd[1]), (0, 0)), mode="edge")
        picture = VideoFrame.from_numpy_buffer(canvas, format="rgb24")
        return self._convert(
            picture,
            *self._size,
            format="yuv420p",
            dst_colorspace=_BT709,
            dst_color_range=_LIMITED_RANGE,
            interpolation="FAST_BILINEAR",
            threads=self._threads,
        )

    def _encode(self, picture: Any, duration: int) -> None:
        picture.time_base = self._base
        self._durations[picture.pts] = duration
        self._mux(self._stream.encode(picture))
        if self._sound is not None:
            self._sound.advance(float((picture.pts + duration) * self._base))

    def _mux(self, packets: list[Any]) -> None:
        for packet in packets:
            packet.duration = self._durations.pop(packet.pts, 0)
            self._container.mux(packet)

    def finish(self) -> None:
        """Write what is left, and the container's end."""
        if self._waiting is not None:
            self._encode(self._waiting, self._last)
        self._mux(self._stream.encode(None))
        self._close_sound()
        self._container.close()

    def abort(self) -> None:
        """Let go of everything; what was written is of no use."""
        self._close_sound()
        self._container.close()

    def _close_sound(self) -> None:
        if self._sound is not None:
            self._sound.close()
            if self._sound.note:
                self.notes.append(self._sound.note)
