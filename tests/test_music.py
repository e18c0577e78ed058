"""The offset of the same music in two recordings, on made-up songs of 120 beats a minute."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest

from poise.comparison.music import LEAST_CONFIDENCE, find_offset, find_onsets
from poise.errors import UsageError
from poise.io.sound import Sound, read_sound

RATE = 8000  # of a telephone; the default of read_sound is twice that
Samples = npt.NDArray[np.float64]


def note(frequency: float, seconds: float) -> Samples:
    times = np.arange(round(seconds * RATE)) / RATE
    shape = np.exp(-3 * times / seconds) * np.minimum(1, times / 0.01)
    return shape * sum(np.sin(2 * np.pi * frequency * k * times) / k for k in (1, 2, 3, 4))


def drums(seconds: float) -> Samples:
    """The same kick, snare and hat at every beat: nothing tells one bar from another."""
    rng = np.random.default_rng(0)
    times = np.arange(round(0.15 * RATE)) / RATE
    kick = np.sin(2 * np.pi * 60 * times) * np.exp(-20 * times)
    snare = 0.6 * rng.normal(size=len(times)) * np.exp(-30 * times)
    hat = 0.3 * rng.normal(size=len(times)) * np.exp(-80 * times)
    bar = np.zeros(RATE)
    for start, hit in ((0.0, kick), (0.5, snare), (0.0, hat), (0.25, hat), (0.5, hat), (0.75, hat)):
        bar[round(start * RATE) :][: len(hit)] += hit
    return np.tile(bar, round(seconds))


@lru_cache
def song(seed: int, seconds: int = 60) -> Samples:
    """A melody on a strict beat of 120 a minute."""
    rng = np.random.default_rng(seed)
    sound, time, degree = drums(seconds), 0.0, 0
    while time < seconds - 1.5:
        length = float(rng.choice([0.25, 0.5, 1.0]))
        degree = int(np.clip(degree + rng.integers(-3, 4), -7, 10))
        octave, step = divmod(degree, 7)
        tone = note(220 * 2 ** (octave + (0, 2, 4, 5, 7, 9, 11)[step] / 12), length)
        sound[round(time * RATE) :][: len(tone)] += tone
        time += length
    return 0.3 * sound


def part(samples: Samples, start: float, end: float, *, at: float = 0.0) -> Sound:
    piece = samples[round(start * RATE) : round(end * RATE)]
    return Sound(piece.astype(np.float32), RATE, at)


def noisy(samples: Samples, decibels: float, seed: int = 1) -> Samples:
    """Add room noise, louder towards the bass, so many decibels softer than the music."""
    lines = np.fft.rfft(np.random.default_rng(seed).normal(size=len(samples)))
    noise = np.fft.irfft(lines / np.sqrt(np.arange(1, len(lines) + 1)), len(samples))
    noise *= np.sqrt((samples**2).mean() / (noise**2).mean()) / 10 ** (decibels / 20)
    return samples + noise


def phoned(samples: Samples) -> Samples:
    lines, pitch = np.fft.rfft(samples), np.fft.rfftfreq(len(samples), 1 / RATE)
    return np.fft.irfft(lines * ((pitch > 300) & (pitch < 3400)), len(samples))


def broken(samples: Samples) -> Samples:
    """Leave out a twentieth, a tenth of a second at a time."""
    holes = samples.copy()
    for start in np.random.default_rng(5).integers(0, len(samples), len(samples) // (2 * RATE)):
        holes[start : start + RATE // 10] = 0
    return holes


CHANGES: dict[str, Callable[[Samples], Samples]] = {
    "same": lambda sound: sound,
    "quiet": lambda sound: 0.02 * sound,
    "10 dB": lambda sound: noisy(sound, 10),
    "0 dB": lambda sound: noisy(sound, 0),
    "hiss": lambda sound: sound + np.random.default_rng(1).normal(0, sound.std(), sound.size),
    "phone": lambda sound: noisy(phoned(sound), 20),
    "holes": broken,
    "all": lambda sound: 0.1 * noisy(broken(phoned(sound)), 5),
}


@pytest.mark.parametrize("change", CHANGES)
def test_recordings_of_all_kinds(change: str) -> None:
    found = find_offset(part(song(1), 10, 40), part(CHANGES[change](song(1)), 5.0013, 52))
    assert found is not None
    assert found.offset == pytest.approx(10 - 5.0013, abs=0.01)
    assert LEAST_CONFIDENCE <= found.confidence <= 1


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [((0, 40), (0, 40)), ((0, 40), (8.25, 48)), ((20, 50), (0, 60)), ((5, 25), (12, 60))],
    ids=["none", "a part", "longer", "half"],
)
def test_the_true_beat_wins(ours: tuple[float, float], theirs: tuple[float, float]) -> None:
    for seed in range(2):
        attempt = part(noisy(song(seed), 5), *theirs)
        found = find_offset(part(song(seed), *ours), attempt)
        assert found is not None
        assert found.offset == pytest.approx(ours[0] - theirs[0], abs=0.01)


@pytest.mark.parametrize("offset", [60.0, -60.0])
def test_a_minute_apart(offset: float) -> None:
    quiet = 0.01 * np.random.default_rng(0).normal(size=60 * RATE)
    long = np.concatenate([quiet, song(4, 30)])
    pair = [part(song(4, 30), 0, 30), part(long, 0, 90)]
    found = find_offset(*(pair if offset > 0 else pair[::-1]))
    assert found is not None
    assert found.offset == pytest.approx(offset, abs=0.01)
    assert find_offset(*pair, longest=50) is None


def test_the_clocks_of_the_recordings_count() -> None:
    reference, attempt = part(song(1), 10, 40, at=0.5), part(song(1), 5, 40, at=-0.25)
    found = find_offset(reference, attempt)
    assert found is not None
    assert found.offset == pytest.approx(5 - 0.75, abs=0.01)
    back = find_offset(attempt, reference)
    assert back is not None
    assert back.offset == pytest.approx(-found.offset, abs=0.002)


@pytest.mark.parametrize("rate", [16000, 44100])
def test_rates_may_differ(rate: int) -> None:
    whole = song(1)[10 * RATE : 40 * RATE]
    times = np.arange(30 * rate) / rate
    other = np.interp(times, np.arange(len(whole)) / RATE, whole).astype(np.float32)
    found = find_offset(part(song(1), 0, 40), Sound(other, rate))
    assert found is not None
    assert found.offset == pytest.approx(-10, abs=0.01)


def test_unrelated_music_has_no_offset() -> None:
    for seed in range(4):
        reference = part(song(seed), 0, 20 + 5 * (seed % 3))
        attempt = part(noisy(song(seed + 50), 20, seed), 0, 30)
        assert find_offset(reference, attempt) is None


def _clapped(seed: int, at: float) -> Samples:
    rng = np.random.default_rng(seed)
    room = 0.05 * rng.normal(size=30 * RATE)
    clap = rng.normal(size=RATE // 20) * np.exp(-np.arange(RATE // 20) / 200)
    room[round(at * RATE) :][: len(clap)] += clap
    return room


def test_what_is_no_music_has_no_offset() -> None:
    silence = Sound(np.zeros(30 * RATE, np.float32), RATE)
    music = part(song(1), 0, 30)
    assert find_offset(silence, music) is None
    assert find_offset(music, silence) is None
    assert find_offset(silence, silence) is None
    assert find_offset(part(_clapped(1, 5), 0, 30), part(_clapped(2, 12), 0, 30)) is None
    hum = np.sin(2 * np.pi * 100 * np.arange(30 * RATE) / RATE)
    assert find_offset(part(hum, 0, 30), part(hum, 0.003, 30)) is None
    # Every beat is as good as the next one.
    assert find_offset(part(drums(60), 0, 30), part(drums(60), 7.2, 50)) is None


def test_too_little_is_no_match() -> None:
    music = song(1)
    assert find_offset(part(music, 0, 4), part(music, 0, 30)) is None
    assert find_offset(part(music, 0, 0), part(music, 0, 30)) is None
    assert find_offset(part(music, 0, 20), part(music, 17, 40)) is None
    short = find_offset(part(music, 10, 20), part(music, 0, 30))
    assert short is not None
    assert short.offset == pytest.approx(10, abs=0.01)


def test_longest_must_be_above_zero() -> None:
    with pytest.raises(UsageError, match="longest: wanted seconds above 0, got 0"):
        find_offset(part(song(1), 0, 10), part(song(1), 0, 10), longest=0)


def test_onsets_are_where_notes_begin() -> None:
    sound = np.zeros(5 * RATE)
    for start in (1.0, 2.5, 4.0):
        sound[round(start * RATE) :][: RATE // 2] += note(440, 0.5)
    onsets = find_onsets(part(sound, 0, 5))
    assert onsets.shape[0] == 24
    band = int(np.argmax(np.abs(onsets).max(axis=1)))
    strong = np.flatnonzero(onsets[band] > 0.8 * onsets[band].max()) / 200 + 0.032
    starts = strong[np.diff(strong, prepend=-1) > 0.2]
    assert starts == pytest.approx([1.0, 2.5, 4.0], abs=0.05)


def test_from_files(tmp_path: Path) -> None:
    def write(path: Path, samples: Samples, codec: str) -> Path:
        with av.open(str(path), "w") as container:
            track = container.add_stream(codec, rate=RATE, layout="mono")
            whole = (samples * 20000).astype(np.int16)[None]
            for first in range(0, whole.shape[1], 1024):
                frame = av.AudioFrame.from_ndarray(
                    np.ascontiguousarray(whole[:, first : first + 1024]), "s16", layout="mono"
                )
                frame.sample_rate, frame.pts, frame.time_base = RATE, first, Fraction(1, RATE)
                kind = track.format.name
                for ready in av.AudioResampler(kind, "mono", RATE).resample(frame):
                    container.mux(track.encode(ready))
            container.mux(track.encode())
        return path

    reference = read_sound(write(tmp_path / "one.wav", song(2)[: 20 * RATE], "pcm_s16le"))
    attempt = read_sound(write(tmp_path / "two.mp4", song(2)[3 * RATE : 30 * RATE], "aac"))
    assert reference is not None
    assert attempt is not None
    found = find_offset(reference, attempt)
    assert found is not None
    assert found.offset == pytest.approx(-3, abs=0.01)
