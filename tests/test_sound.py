"""The sound of a file: its clock, its formats, its errors. Files are written with PyAV here."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

import media
from poise.errors import InputError, UsageError
from poise.io import read_frames
from poise.io.sound import Sound, read_sound

RATE = 48000
Samples = npt.NDArray[np.float32]


def tones(at: Sequence[float], seconds: float = 3.0) -> Samples:
    """Bursts of 1000 Hz, 40 ms each, that begin at these seconds."""
    times = np.arange(int(seconds * RATE)) / RATE
    on = sum(((times >= t) & (times < t + 0.04)).astype(np.float32) for t in at)
    return (0.5 * on * np.sin(2 * np.pi * 1000 * times)).astype(np.float32)


def onsets(heard: Sound) -> list[float]:
    """Seconds, on the clock of the pictures, at which each burst begins."""
    loud = np.abs(heard.samples) > 0.15
    times = heard.start + np.flatnonzero(loud) / heard.rate
    return [float(t) for t in times[np.diff(times, prepend=-1.0) > 0.1]]


def encode(
    container: av.container.OutputContainer,
    stream: object,
    samples: Samples,
    *,
    start: float = 0.0,
    layout: str = "stereo",
) -> None:
    """Write samples, the same in every channel, 1024 at a time (or 960 for Opus)."""
    channels, form = stream.layout.nb_channels, stream.format.name
    block = stream.frame_size or 1024
    for first in range(0, len(samples), block):
        rows = np.tile(samples[first : first + block], (channels, 1))
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(rows), "fltp", layout=layout)
        frame.sample_rate, frame.time_base = RATE, Fraction(1, RATE)
        frame.pts = first + round(start * RATE)
        for ready in av.AudioResampler(form, layout, RATE).resample(frame):
            container.mux(stream.encode(ready))
    container.mux(stream.encode())


def write_film(
    path: Path,
    samples: Samples,
    *,
    codec: str = "aac",
    sound_start: float = 0.0,
    picture_start: float = 0.0,
    layout: str = "stereo",
) -> Path:
    """Write pictures of 25 frames a second with a sound track; either may begin later."""
    with av.open(str(path), "w") as container:
        encoder = {".webm": "libvpx", ".avi": "mpeg4"}.get(path.suffix, "libx264")
        picture = container.add_stream(encoder, rate=25)
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        picture.codec_context.time_base = Fraction(1, 25)
        track = container.add_stream(codec, rate=RATE, layout=layout)
        encode(container, track, samples, start=sound_start, layout=layout)
        for number, image in enumerate(media.make_frames(60)):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = number + round(picture_start * 25), Fraction(1, 25)
            container.mux(picture.encode(frame))
        container.mux(picture.encode())
    return path


def write_song(path: Path, samples: Samples, codec: str) -> Path:
    """Write a file with sound and no picture."""
    with av.open(str(path), "w") as container:
        track = container.add_stream(codec, rate=RATE, layout="stereo")
        track.bit_rate = 128_000
        encode(container, track, samples)
    return path


FILMS = [
    ("film.mp4", "aac"),
    ("film.mov", "pcm_s16le"),
    ("film.mkv", "flac"),
    ("film.webm", "libopus"),
    ("film.ts", "mp2"),
    ("film.avi", "pcm_s16le"),
]


@pytest.mark.parametrize(("file", "codec"), FILMS, ids=lambda one: one)
def test_sound_is_on_the_clock_of_the_pictures(tmp_path: Path, file: str, codec: str) -> None:
    path = write_film(tmp_path / file, tones([0.5, 1.25, 2.2]), codec=codec)
    heard = read_sound(path)
    assert heard is not None
    assert heard.rate == 16000
    assert heard.samples.dtype == np.float32
    assert onsets(heard) == pytest.approx([0.5, 1.25, 2.2], abs=0.005)


@pytest.mark.parametrize("file", ["film.mp4", "film.mkv", "film.ts"])
@pytest.mark.parametrize(("sound_start", "picture_start"), [(0.4, 0.0), (0.0, 0.4)])
def test_either_may_begin_later(
    tmp_path: Path, file: str, sound_start: float, picture_start: float
) -> None:
    path = write_film(
        tmp_path / file,
        tones([0.5, 1.25]),
        sound_start=sound_start,
        picture_start=picture_start,
    )
    heard = read_sound(path)
    assert heard is not None
    wanted = sound_start - picture_start
    # The encoder's first block of silence may belong to the sound, or not.
    assert heard.start == pytest.approx(wanted, abs=0.03)
    assert onsets(heard) == pytest.approx([0.5 + wanted, 1.25 + wanted], abs=0.005)
    with read_frames(path) as frames:
        assert next(frames).time == 0


@pytest.mark.parametrize(
    ("file", "codec"),
    [
        ("song.wav", "pcm_s16le"),
        ("song.m4a", "aac"),
        ("song.mp3", "libmp3lame"),
        ("song.flac", "flac"),
        ("song.ogg", "libopus"),
        ("song.wma", "wmav2"),
    ],
)
def test_a_song_begins_at_zero(tmp_path: Path, file: str, codec: str) -> None:
    heard = read_sound(write_song(tmp_path / file, tones([0.5, 1.25]), codec))
    assert heard is not None
    assert heard.start == 0
    # MP3 and WMA do not say how much silence the encoder put before the sound.
    slack = 0.05 if codec in ("libmp3lame", "wmav2") else 0.005
    assert onsets(heard) == pytest.approx([0.5, 1.25], abs=slack)


@pytest.mark.parametrize("layout", ["mono", "stereo", "5.1"])
def test_channels_are_averaged(tmp_path: Path, layout: str) -> None:
    heard = read_sound(write_film(tmp_path / "film.mp4", tones([0.5]), layout=layout))
    assert heard is not None
    assert heard.samples.ndim == 1
    assert np.abs(heard.samples).max() == pytest.approx(0.5, abs=0.15)


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000])
def test_rates(tmp_path: Path, rate: int) -> None:
    path = write_song(tmp_path / "song.wav", tones([0.5, 1.25]), "pcm_s16le")
    heard = read_sound(path, rate=rate)
    assert heard is not None
    assert heard.rate == rate
    assert heard.duration == pytest.approx(3.0, abs=0.01)
    assert onsets(heard) == pytest.approx([0.5, 1.25], abs=0.002)


def test_a_hole_is_silence(tmp_path: Path) -> None:
    path = tmp_path / "film.mkv"
    with av.open(str(path), "w") as container:
        track = container.add_stream("pcm_s16le", rate=RATE, layout="stereo")
        for start in (0.0, 2.0):
            for first in range(0, RATE // 2, 1000):
                rows = np.tile(tones([0.1], 0.5)[first : first + 1000], 2)[None]
                whole = (np.repeat(rows[:, :1000], 2, axis=1) * 32767).astype(np.int16)
                frame = av.AudioFrame.from_ndarray(whole, "s16", layout="stereo")
                frame.sample_rate, frame.time_base = RATE, Fraction(1, RATE)
                frame.pts = first + round(start * RATE)
                container.mux(track.encode(frame))
        container.mux(track.encode())
    heard = read_sound(path)
    assert heard is not None
    assert onsets(heard) == pytest.approx([0.1, 2.1], abs=0.005)
    assert heard.duration == pytest.approx(2.5, abs=0.02)


def test_no_more_than_the_longest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("poise.io.sound.LONGEST", 1.0)
    heard = read_sound(write_song(tmp_path / "song.wav", tones([0.5, 1.25]), "pcm_s16le"))
    assert heard is not None
    assert heard.duration == pytest.approx(1.0, abs=0.1)


def test_broken_numbers_are_silence(tmp_path: Path) -> None:
    samples = tones([0.5])
    samples[1000:1010] = np.nan
    samples[2000:2010] = np.inf
    heard = read_sound(write_song(tmp_path / "song.wav", samples, "pcm_f32le"))
    assert heard is not None
    assert np.isfinite(heard.samples).all()


def test_without_sound_there_is_none(tmp_path: Path) -> None:
    assert read_sound(media.write_video(tmp_path / "silent.mp4")) is None
    picture = tmp_path / "picture.png"
    Image.new("RGB", (8, 8)).save(picture)
    assert read_sound(picture) is None


def test_a_silent_track_is_sound(tmp_path: Path) -> None:
    heard = read_sound(media.write_video(tmp_path / "film.mp4", audio=True))
    assert heard is not None
    assert not heard.samples.any()
    assert heard.duration == pytest.approx(1.0, abs=0.1)


def test_a_cut_file_gives_what_came_before(tmp_path: Path) -> None:
    path = write_film(tmp_path / "film.mkv", tones([0.5, 1.25]), codec="flac")
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    heard = read_sound(path)
    assert heard is not None
    assert onsets(heard)[0] == pytest.approx(0.5, abs=0.005)


def test_what_cannot_be_read(tmp_path: Path) -> None:
    text = tmp_path / "notes.mp4"
    text.write_text("not a film\n" * 50)
    with pytest.raises(InputError, match=r"notes\.mp4: not a picture or video"):
        read_sound(text)
    with pytest.raises(InputError, match=r"gone\.mp4: no such file; check the path"):
        read_sound(tmp_path / "gone.mp4")
    with pytest.raises(InputError, match="is not a file; check the path"):
        read_sound(tmp_path)
    with pytest.raises(UsageError, match="rate: wanted 1000 to 192000"):
        read_sound(text, rate=10)


def test_rare_codecs_are_refused_by_name(tmp_path: Path) -> None:
    path = write_song(tmp_path / "song.mkv", tones([0.5]), "tta")
    with pytest.raises(InputError, match="sound codec tta is not read; convert it to"):
        read_sound(path)


def test_sound_checks_its_fields() -> None:
    with pytest.raises(UsageError, match=r"Sound\.samples: wanted one row"):
        Sound(np.zeros((2, 10), np.float32), 16000)
    with pytest.raises(UsageError, match=r"Sound\.rate: wanted samples per second"):
        Sound(np.zeros(10, np.float32), 0)


@pytest.mark.data
def test_a_recorded_film(data_dir: Path) -> None:
    heard = read_sound(data_dir / "videos" / "walking" / "sports2d_demo.mp4")
    assert heard is not None
    assert heard.duration == pytest.approx(7.7, abs=0.2)
    assert abs(heard.start) < 0.1
