"""The same music in two recordings: by how much it is later in one of them.

The sound becomes onsets in 24 bands of frequency: the rise of the logarithm of their energy
(spectral flux; S. Dixon, "Onset Detection Revisited", DAFx 2006). The onsets of both recordings are
correlated band by band, summed over the bands, with a cross spectrum that is whitened nearly
altogether (the phase transform of C. H. Knapp and G. C. Carter, "The Generalized Correlation Method
for Estimation of Time Delay", IEEE Trans. ASSP 24(4), 1976). Bands tell a melody from another, and
whitening takes out what repeats with every beat, so that the true offset stands out among those
that are a beat away from it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from poise.errors import UsageError
from poise.io.sound import Sound

# What a match must have. Of 360 constructed pairs of the same music (10 to 60 s, a third or more of
# it in common; noise as loud as the music, a telephone's band, echo, holes) every peak was at the
# true offset, and 5 had less than this; of 900 pairs of different songs, most of them of the same
# tempo, 1 had more.
LEAST_CONFIDENCE = 0.6

_RATE = 200.0  # onsets a second
_WINDOW = 0.064  # seconds
_RISE = 4  # moments over which energy rises
_BANDS = 24
_LOW, _HIGH = 100.0, 6400.0  # Hz
_FLOOR = 0.05  # of a band's mean energy; what is softer makes no onsets
_LOCAL = 200  # moments whose mean is taken away
_CAP = 3.0  # standard deviations; a clap counts no more than a few notes
_BLOCK = 2048  # moments that are in memory as spectra
_WHITENING = 0.7
_OVERLAP = 5.0  # seconds that must be in both
_NEAR = 20  # moments about the peak that belong to it

Floats = npt.NDArray[np.float64]
Onsets = npt.NDArray[np.float32]


@dataclass(frozen=True)
class MusicMatch:
    """The same music, found in two recordings.

    Attributes:
        offset: Seconds by which it is later in the attempt's recording: the attempt's time is the
            reference's plus this.
        confidence: 0..1: by how much the best offset's peak is above the next best one's, as a
            share of it; at least ``LEAST_CONFIDENCE``.
    """

    offset: float
    confidence: float


def find_offset(reference: Sound, attempt: Sound, *, longest: float = 600.0) -> MusicMatch | None:
    """Find where the reference's music is in the attempt's recording.

    It is right to 5 ms; a strong echo in one of the rooms makes that 30 ms.

    Args:
        reference: Its sound, on the clock of its pictures.
        attempt: The attempt's; its rate may differ.
        longest: Seconds; offsets beyond it, either way, are not looked at.

    Returns:
        The match, or None where the music is not the same, is not to be heard, is nothing but a
        beat, or less than 5 s of it are in both. Of a loop, which is the same at several offsets,
        the one with the most in common is taken.

    Raises:
        UsageError: ``longest`` is not above 0.
    """
    if not longest > 0:
        raise UsageError(f"wanted seconds above 0, got {longest}", where="longest")
    if min(reference.duration, attempt.duration) < _OVERLAP:
        return None
    heard, later = find_onsets(reference), find_onsets(attempt)
    moments, peaks = _correlate(heard, later)
    apart = attempt.start - reference.start
    wanted = np.abs(moments / _RATE + apart) <= longest
    moments, peaks = moments[wanted], peaks[wanted]
    if not len(peaks) or peaks.max() <= 0:
        return None
    best = int(np.argmax(peaks))
    others = peaks[np.abs(moments - moments[best]) > _NEAR]
    confidence = 1 - max(float(others.max(initial=0.0) / peaks[best]), 0.0)
    if confidence < LEAST_CONFIDENCE:
        return None
    return MusicMatch(float((moments[best] + _vertex(peaks, best)) / _RATE + apart), confidence)


def find_onsets(sound: Sound) -> Onsets:
    """Return (24, T) rises of energy in bands from 100 to 6400 Hz, 200 a second.

    Each band has a mean of 0 over every second and a standard deviation of about 1. What rises in
    all bands at once (a clap, the end of silence) is taken away: it is in any two recordings.
    """
    energy = _energies(sound)
    floor = _FLOOR * energy.mean(axis=1, keepdims=True)
    level = np.log(np.maximum(energy + floor, 1e-12))
    rises = np.zeros_like(level)
    rises[:, _RISE:] = np.maximum(level[:, _RISE:] - level[:, :-_RISE], 0)
    rises -= _local_mean(rises)
    spread = np.sqrt((rises**2).mean(axis=1, keepdims=True))
    scaled = np.divide(rises, spread, out=np.zeros_like(rises), where=spread > 1e-6)
    capped = np.clip(scaled, -_CAP, _CAP)
    onsets: Onsets = (capped - capped.mean(axis=0)).astype(np.float32)
    return onsets


def _energies(sound: Sound) -> Floats:
    """Return (24, T) energies of the bands; a band above half the rate is 0."""
    size = round(_WINDOW * sound.rate)
    count = max(int((len(sound.samples) - size) * _RATE / sound.rate), 1)
    first = np.round(np.arange(count) * sound.rate / _RATE).astype(np.intp)
    samples = np.pad(sound.samples, (0, max(size - len(sound.samples), 0)))
    loudest = max(float(np.abs(samples).max(initial=0.0)), 1e-9)
    window = np.hanning(size).astype(np.float32) / np.float32(loudest)
    bands = _bands(size, sound.rate)
    energy = np.zeros((_BANDS, count))
    for start in range(0, count, _BLOCK):
        rows = first[start : start + _BLOCK, None] + np.arange(size)
        lines = np.fft.rfft(samples[rows] * window, axis=1)
        energy[:, start : start + _BLOCK] = ((lines.real**2 + lines.imag**2) @ bands).T
    return energy


def _bands(size: int, rate: int) -> Onsets:
    """Return (lines of the spectrum, 24): 1 where a line is in a band, each of which has one."""
    edges = _LOW * (_HIGH / _LOW) ** (np.arange(_BANDS + 1) / _BANDS)
    lines = np.searchsorted(np.fft.rfftfreq(size, 1 / rate), edges)
    number = np.arange(size // 2 + 1)[:, None]
    inside = (number >= lines[:-1]) & (number < np.maximum(lines[1:], lines[:-1] + 1))
    return inside.astype(np.float32)


def _local_mean(values: Floats) -> Floats:
    """Return the mean (B, T) of the second about each moment, with 0 outside."""
    padded = np.pad(values, ((0, 0), (_LOCAL // 2 + 1, _LOCAL - _LOCAL // 2)))
    total = np.cumsum(padded, axis=1)
    count = values.shape[1]
    mean: Floats = (total[:, _LOCAL : _LOCAL + count] - total[:, :count]) / _LOCAL
    return mean


def _correlate(one: Onsets, other: Onsets) -> tuple[npt.NDArray[np.intp], Floats]:
    """Return the lags of ``other`` in moments, in order, and how well each fits.

    Of a whitened correlation the noise is the same at every lag, and the peak grows with what both
    have in common; the square root of that share is the way between both.
    """
    length, width = one.shape[1], other.shape[1]
    size = 1 << (length + width - 1).bit_length()
    spectrum = np.zeros(size // 2 + 1, np.complex128)
    for ours, theirs in zip(one, other, strict=True):
        spectrum += np.conj(np.fft.rfft(ours, size)) * np.fft.rfft(theirs, size)
    strength = np.abs(spectrum)
    least = max(float(strength.max()) * 1e-9, 1e-30)
    fits = np.fft.irfft(spectrum / np.maximum(strength, least) ** _WHITENING, size)
    lags = np.arange(1 - length, width)
    common = np.minimum(np.minimum(width - lags, length + lags), min(length, width))
    # The last window of a recording begins a window before its end.
    enough = common >= min((_OVERLAP - 2 * _WINDOW) * _RATE, common.max())
    lags, common = lags[enough], common[enough]
    return lags, fits[lags % size] * np.sqrt(common.max() / common)


def _vertex(values: Floats, best: int) -> float:
    """Return where between its neighbours the peak is, -0.5..0.5: the vertex of a parabola."""
    if not 0 < best < len(values) - 1:
        return 0.0
    before, peak, after = values[best - 1 : best + 2].tolist()
    bend = before - 2 * peak + after
    return float(0.5 * (before - after) / bend) if bend < 0 else 0.0
