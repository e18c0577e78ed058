"""The stretches of time in which a performance is told: beats that are given, or seen."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from poise.comparison.performance import RATE
from poise.errors import UsageError

Floats = npt.NDArray[np.float64]
Beats = float | Sequence[float] | None

_SHORTEST, _LONGEST = 0.4, 4.0  # seconds of a stretch that is found by motion


def split_beats(times: Floats, motion: Floats, beats: Beats) -> list[tuple[float, float]]:
    """Return the (start, end) of each stretch of the reference, in seconds.

    Args:
        times: (T,) seconds.
        motion: (T,) degrees a second.
        beats: Beats a minute, counted from the first moment; or the seconds at which beats begin;
            or None, for the moments at which a dancer nearly stands still between two movements
            (the minima of motion, which coincide with the beats of the music: Kim, Park and Shin,
            "Rhythmic-motion synthesis based on motion-beat analysis", 2003).

    Raises:
        UsageError: The beats a minute are not between 10 and 400, or no beat lies in the reference.
    """
    start, end = float(times[0]), float(times[-1] + (1 / RATE if len(times) > 1 else 0))
    if beats is None:
        cuts = _fill(still_moments(times, motion), start, end)
    elif isinstance(beats, float | int):
        if not 10 <= beats <= 400:
            raise UsageError(f"wanted 10 to 400 beats a minute, got {beats:g}", where="beats")
        cuts = np.arange(start, end, 60 / beats)
    else:
        cuts = np.sort(np.asarray(beats, np.float64))
        if not np.any((cuts >= start) & (cuts < end)):
            raise UsageError(
                f"no beat lies between {start:.2f} and {end:.2f} s", where="beats",
                remedy="give them in seconds of the reference",
            )  # fmt: skip
    inner = cuts[(cuts > start + 1e-6) & (cuts < end - 1e-6)]
    bounds = [start, *inner.tolist(), end]
    return list(itertools.pairwise(bounds))


def still_moments(times: Floats, motion: Floats) -> Floats:
    """Return the seconds at which motion (T,), in degrees a second, is least between two moves."""
    if len(times) < _SHORTEST * RATE:
        return np.zeros(0)
    kernel = np.hanning(round(0.3 * RATE) + 2)[1:-1]
    soft = np.convolve(motion, kernel / kernel.sum(), mode="same")
    valleys = np.flatnonzero((soft[1:-1] <= soft[:-2]) & (soft[1:-1] < soft[2:])) + 1
    chosen: list[int] = []
    free = soft < 0.8 * soft.mean()
    apart = int(np.ceil(_SHORTEST * RATE)) - 1
    for place in valleys[np.argsort(soft[valleys], kind="stable")].tolist():
        if free[place]:
            chosen.append(place)
            free[max(0, place - apart) : place + apart + 1] = False
    return np.sort(times[chosen])


def _fill(cuts: Floats, start: float, end: float) -> Floats:
    """Divide what is longer than four seconds into equal parts."""
    bounds = np.concatenate([[start], cuts, [end]])
    filled = [
        np.linspace(a, b, int(np.ceil((b - a) / _LONGEST)) + 1)[1:]
        for a, b in itertools.pairwise(bounds)
        if b > a
    ]
    return np.concatenate(filled)[:-1] if filled else np.zeros(0)
