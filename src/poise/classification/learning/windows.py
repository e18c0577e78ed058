"""What is measured of a short while: the course of a pose's features around each moment.

The definition. A window of W seconds lies around a moment: it is sampled every ``STEP`` seconds
from W/2 before to W/2 after it; each sample is the frame whose time is nearest (the earlier one
of two), so that the ends of a track repeat its first and last frame and the frame rate does not
matter. Over the samples in which a feature is known it gives its mean and its deviation (root
mean square about the mean); its velocity, the mean of the later half of the samples less that of
the earlier half, over W/2; and its speed, the mean absolute step between neighbouring samples,
over ``STEP``. Then the same velocity and speed of the body's middle in the picture, in units.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from poise.classification.learning.features import (
    FEATURE_NAMES,
    KEYPOINTS,
    PLACES,
    Floats,
    measure_poses,
    measure_unit,
)

STEP = 0.1  # seconds between two samples
_COURSE = ("mean", "deviation", "velocity", "speed")
_MIDDLE = ("middle.x", "middle.y")
_MOVING = len(FEATURE_NAMES) - len(KEYPOINTS)  # that a keypoint is known has only a mean
WINDOW_NAMES = (
    *(f"mean.{name}" for name in FEATURE_NAMES),
    *(f"{course}.{name}" for course in _COURSE[1:] for name in FEATURE_NAMES[:_MOVING]),
    *(f"{course}.{name}" for course in _COURSE[2:] for name in _MIDDLE),
)
# Frames at once: the samples of all features of so many moments stay a few megabytes.
_CHUNK = 512


def measure_windows(
    places: Floats, times: Floats, window: float, moments: npt.NDArray[np.int64] | None = None
) -> Floats:
    """Return (M, F) features of ``WINDOW_NAMES`` around some moments; NaN where unknown.

    Args:
        places: (T, P, 2) of one person, from ``find_places``.
        times: (T,) seconds, not decreasing.
        window: Seconds.
        moments: (M,) numbers of frames; every frame when not given.
    """
    chosen = np.arange(len(times)) if moments is None else moments
    units = measure_unit(places)
    series = measure_poses(places, units)
    middle = places[:, PLACES.index("middle_hip")]
    middle = np.where(np.isnan(middle), places[:, PLACES.index("middle_shoulder")], middle)
    parts = [np.zeros((0, len(WINDOW_NAMES)))]
    for start in range(0, len(chosen), _CHUNK):
        rows = _samples(times, times[chosen[start : start + _CHUNK]], window)
        unit = _mean(units[rows])[:, None]
        moved = [part / unit for part in _motion(middle[rows], window)]
        parts.append(np.concatenate([*_describe(series[rows], window), *moved], axis=1))
    return np.concatenate(parts)


def _samples(times: Floats, moments: Floats, window: float) -> npt.NDArray[np.int64]:
    """Return (M, S) the numbers of the frames nearest to the samples of each window."""
    count = max(2, round(window / STEP) + 1)
    wanted = moments[:, None] + np.linspace(-window / 2, window / 2, count)
    after = np.clip(np.searchsorted(times, wanted), 1, max(len(times) - 1, 1))
    after = np.minimum(after, len(times) - 1)
    before = np.maximum(after - 1, 0)
    nearer = wanted - times[before] <= times[after] - wanted
    rows: npt.NDArray[np.int64] = np.where(nearer, before, after)
    return rows


def _describe(samples: Floats, window: float) -> list[Floats]:
    """Return the mean, deviation, velocity and speed of (M, S, F) samples."""
    mean = _mean(samples)
    moving = samples[..., :_MOVING]
    deviation = np.sqrt(_mean((moving - mean[:, None, :_MOVING]) ** 2))
    return [mean, deviation, *_motion(moving, window)]


def _motion(samples: Floats, window: float) -> tuple[Floats, Floats]:
    """Return (M, F) velocity and speed of (M, S, F) samples, per second."""
    half = samples.shape[1] // 2
    later, earlier = _mean(samples[:, -half:]), _mean(samples[:, :half])
    step = window / (samples.shape[1] - 1)
    speed = _mean(np.abs(np.diff(samples, axis=1))) / step
    velocity: Floats = (later - earlier) / (window / 2)
    return velocity, speed


def _mean(samples: Floats) -> Floats:
    """Return the mean over the known samples of (M, S, ...); NaN where none is known."""
    known = np.isfinite(samples)
    count = known.sum(axis=1)
    total = np.where(known, samples, 0.0).sum(axis=1)
    mean: Floats = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return mean
