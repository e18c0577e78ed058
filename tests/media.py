"""Small videos and pictures for tests, written with PyAV: known frames, times, turns and sound."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]

_CODECS = {".webm": "libvpx", ".avi": "mpeg4"}


def make_frames(count: int = 24, size: tuple[int, int] = (64, 48)) -> list[Image]:
    """Frames that can be told apart: `read_number` finds the frame's number in its colours.

    The top left quarter is bright red, so that a turned frame is noticed too.
    """
    width, height = size
    frames = []
    for number in range(count):
        frame = np.full((height, width, 3), 30, np.uint8)
        frame[: height // 2, : width // 2] = (220, 30, 30)
        # Six bits of the number, one column each, along the lower half.
        for bit in range(6):
            left, right = bit * width // 6, (bit + 1) * width // 6
            frame[height // 2 :, left:right] = 230 if number >> bit & 1 else 20
        frames.append(frame)
    return frames


def read_number(image: Image) -> int:
    """The number that `make_frames` wrote into the lower half of an upright frame."""
    height, width = image.shape[:2]
    row = image[height * 3 // 4].mean(axis=1)
    return sum(int(row[(2 * bit + 1) * width // 12] > 128) << bit for bit in range(6))


def write_video(
    path: Path,
    frames: Sequence[Image] | None = None,
    *,
    fps: int = 25,
    times: Iterable[float] | None = None,
    rotation: int = 0,
    audio: bool = False,
    codec: str | None = None,
    pix_fmt: str = "yuv420p",
    key_every: int = 250,
    faststart: bool = False,
    aspect: Fraction | None = None,
) -> Path:
    """Write a small video and return its path; the suffix chooses the container.

    Args:
        path: The file to write: mp4, mov, mkv, webm, avi, ts, ...
        frames: Upright pictures; 24 numbered ones by default.
        fps: Frames per second where no times are given.
        times: Seconds of each frame, for a variable frame rate; exact to 1/90000 s (mkv: 1 ms).
        rotation: Degrees counter-clockwise that a player must turn the stored frames by.
            The stored frames are turned the other way first, so that they come out upright.
        audio: Whether to add a second or so of silence.
        codec: The encoder; H.264, or what the container needs.
        pix_fmt: The encoder's pixel format.
        key_every: Frames from one key frame to the next.
        faststart: Whether an mp4's index stands before the frames.
        aspect: Width of a pixel by its height; square by default.
    """
    frames = make_frames() if frames is None else frames
    stored = [np.ascontiguousarray(np.rot90(frame, -rotation // 90)) for frame in frames]
    options = {"movflags": "+faststart"} if faststart else {}
    base = Fraction(1, fps) if times is None else Fraction(1, 90000)
    ticks = [round(t / base) for t in times] if times is not None else list(range(len(stored)))
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream(codec or _CODECS.get(path.suffix, "libx264"), rate=fps)
        stream.width, stream.height = stored[0].shape[1], stored[0].shape[0]
        stream.pix_fmt = pix_fmt
        stream.gop_size = key_every
        stream.codec_context.time_base = stream.time_base = base
        if stream.codec_context.name == "libx264":
            stream.options = {"crf": "12", "preset": "veryfast", "threads": "1"}
        else:
            stream.bit_rate = 2_000_000
            if stream.codec_context.name.startswith("libvpx"):
                stream.options = {"deadline": "realtime", "cpu-used": "8"}
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        if rotation:
            stream.set_display_rotation(rotation)
        sound = None
        if audio:
            name = "libopus" if path.suffix == ".webm" else "aac"
            sound = container.add_stream(name, rate=48000)
        for picture, tick in zip(stored, ticks, strict=True):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = tick, base
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        if sound is not None:
            _write_silence(container, sound, len(frames) / fps)
    return path


def write_sound(path: Path, seconds: float = 1.0) -> Path:
    """Write a file that holds silence and no picture."""
    with av.open(str(path), "w") as container:
        _write_silence(container, container.add_stream("aac", rate=48000), seconds)
    return path


def _write_silence(container: av.container.OutputContainer, stream: object, seconds: float) -> None:
    block = np.zeros((2, 1024), np.float32)
    for number in range(max(1, int(seconds * 48000 / 1024))):
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = 48000, number * 1024, Fraction(1, 48000)
        container.mux(stream.encode(frame))
    container.mux(stream.encode())
