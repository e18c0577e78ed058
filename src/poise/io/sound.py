"""The sound of a file, on the clock of its pictures."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from poise.errors import InputError, UsageError
from poise.io.containers import (
    CONTAINERS,
    find_video,
    open_demuxer,
    prepare_video,
    translated,
)
from poise.io.pictures import picture_format

# No more than this much of a sound track is read: 230 MB at 16 kHz.
LONGEST = 3600.0

# A song can also come as a file of its own.
_CONTAINERS = f"{CONTAINERS},wav,w64,aiff,mp3,flac,aac"
# FFmpeg's names of the codecs (not of its decoders), apart from PCM, which has many.
_CODECS = "aac,ac3,eac3,mp2,mp3,opus,vorbis,flac,alac,wmav1,wmav2,amr_nb,amr_wb,adpcm_ms"

# Containers round times to a millisecond, so that smaller steps than this are no gaps.
_JITTER = 0.01


@dataclass(frozen=True, eq=False)
class Sound:
    """One channel of sound.

    Attributes:
        samples: (N,) float32, full scale is -1..1; never NaN.
        rate: Samples per second.
        start: Seconds of the first sample, on the clock of the frames that ``read_frames`` yields
            from the same file: 0 is the first frame. Of a file without pictures it is 0.
    """

    samples: npt.NDArray[np.float32] = field(repr=False)
    rate: int
    start: float = 0.0

    def __post_init__(self) -> None:
        if self.samples.ndim != 1:
            came = f"wanted one row of numbers, got shape {self.samples.shape}"
            raise UsageError(came, where="Sound.samples")
        if self.rate < 1:
            raise UsageError(f"wanted samples per second, got {self.rate}", where="Sound.rate")

    @property
    def duration(self) -> float:
        """Seconds from the first sample to the end of the last."""
        return len(self.samples) / self.rate


def read_sound(path: str | os.PathLike[str], *, rate: int = 16000) -> Sound | None:
    """Read the sound of a video or of a song.

    The channels are averaged and brought to the rate while reading, so that memory holds 4 bytes
    a sample; no more than the first hour is read. Holes in the track are silence.

    Args:
        path: A file.
        rate: Samples per second of what comes back.

    Returns:
        The sound, or None where the file has none (a silent film, a picture).

    Raises:
        InputError: The file cannot be read, or its sound is in a codec that is not read.
        UsageError: The rate is below 1000 or above 192000.
    """
    if not 1000 <= rate <= 192000:
        raise UsageError(f"wanted 1000 to 192000 samples per second, got {rate}", where="rate")
    name, file = os.fspath(path), Path(path)
    if _is_picture(file, name):
        return None
    options = {"protocol_whitelist": "file", "format_whitelist": _CONTAINERS}
    # The prefix keeps FFmpeg from taking a colon in the name for a protocol.
    with contextlib.closing(open_demuxer(f"file:{file.absolute()}", name, options)) as container:
        if not container.streams.audio:
            return None
        return _Track(container, name, rate).read()


def _is_picture(file: Path, name: str) -> bool:
    try:
        if not file.is_file():
            what = "is not a file" if file.exists() else "no such file"
            raise InputError(what, where=name, remedy="check the path")
        with file.open("rb") as opened:
            return picture_format(opened.read(32)) is not None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"cannot be opened ({reason.lower()})", where=name) from error


class _Track:
    """One walk through a container: the time of its first picture, and all of its sound."""

    def __init__(self, container: Any, name: str, rate: int) -> None:
        self._container, self._name, self._rate = container, name, rate
        self._audio = _pick(container, name)
        self._video = find_video(container)
        if self._video is not None:
            prepare_video(self._video.codec_context, name)
        self._first_picture: float | None = None
        self._first_sample: float | None = None
        # Grows in place, without a second copy at the end.
        self._bytes = bytearray()

    def read(self) -> Sound | None:
        for block in self._resampled():
            self._add(block)
            if len(self._bytes) >= 4 * LONGEST * self._rate:
                break
        if self._first_sample is None:
            return None
        samples = np.frombuffer(self._bytes, np.float32)
        np.nan_to_num(samples, copy=False, posinf=0.0, neginf=0.0)
        samples.flags.writeable = False
        origin = self._first_sample if self._first_picture is None else self._first_picture
        return Sound(samples, self._rate, self._first_sample - origin)

    def _add(self, block: Any) -> None:
        """Put a block of samples where its time says; what would lie before the end is left out."""
        values = block.to_ndarray().reshape(-1).astype(np.float32, copy=False)
        if self._first_sample is None:
            self._first_sample = _seconds(block) or 0.0
        time = _seconds(block)
        held = len(self._bytes) // 4
        hole = 0 if time is None else round((time - self._first_sample) * self._rate) - held
        if abs(hole) > _JITTER * self._rate:
            room = int(LONGEST * self._rate) - held
            self._bytes.extend(bytes(4 * min(max(hole, 0), max(room, 0))))
            values = values[max(-hole, 0) :]
        self._bytes.extend(values.tobytes())

    def _resampled(self) -> Iterator[Any]:
        """Yield mono blocks; a track that changes its channels or rate begins a new resampler."""
        import av

        def fresh() -> Any:
            # Without the limit, FFmpeg adds the channels up where it makes floats.
            return av.AudioResampler("flt", "mono", self._rate, options={"rematrix_maxval": "1.0"})

        resampler, kind = fresh(), None
        for frame in self._decoded():
            came = frame.format.name, frame.layout.name, frame.sample_rate
            with translated(self._name):
                if kind not in (None, came):
                    yield from filter(None, resampler.resample(None))
                    resampler = fresh()
                kind = came
                yield from resampler.resample(frame)
        with translated(self._name):
            yield from filter(None, resampler.resample(None))

    def _decoded(self) -> Iterator[Any]:
        """Yield frames of sound; damaged packets are left out, a damaged end ends it."""
        from av import error as av_error

        wanted = [self._audio] if self._video is None else [self._audio, self._video]
        packets = self._container.demux(wanted)
        while True:
            try:
                with translated(self._name):
                    packet = next(packets, None)
            except InputError:
                return
            if packet is None:
                return
            is_sound = packet.stream is self._audio
            if not is_sound and self._first_picture is not None:
                continue
            try:
                frames = packet.decode()
            except av_error.FFmpegError:
                continue
            if is_sound:
                yield from frames
            elif frames:
                self._first_picture = _seconds(frames[0])


def _pick(container: Any, name: str) -> Any:
    stream = container.streams.best("audio") or container.streams.audio[0]
    context = stream.codec_context
    codec = "unknown" if context is None else context.codec.canonical_name
    if codec not in _CODECS.split(",") and not codec.startswith("pcm_"):
        remedy = "convert it to a common codec such as AAC, MP3, Opus or FLAC"
        raise InputError(f"sound codec {codec} is not read", where=name, remedy=remedy)
    context.thread_count = 1
    return stream


def _seconds(frame: Any) -> float | None:
    """Return the time of a decoded frame as ``VideoFeed`` counts it."""
    ticks = frame.dts if frame.pts is None else frame.pts
    if ticks is None or frame.time_base is None:
        return None
    return float(ticks * frame.time_base)
