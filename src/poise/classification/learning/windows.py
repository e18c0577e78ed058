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

import itertools

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
Flags = npt.NDArray[np.bool_]
_COURSE = ("mean", "deviation", "velocity", "speed")
_MIDDLE = ("middle.x", "middle.y")
_MOVING = len(FEATURE_NAMES) - len(KEYPOINTS)  # that a keypoint is known has only a mean
WINDOW_NAMES = (
    *(f"mean.{name}" for name in FEATURE_NAMES),
    *(f"{course}.{name}" for course in _COURSE[1:] for name in FEATURE_NAMES[:_MOVING]),
    *(f"{course}.{name}" for course in _COURSE[2:] for name in _MIDDLE),
)


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
    rows = _samples(times, times[chosen], window)
    unit = _Course(units[:, None], rows).mean
    course, path = _Course(series, rows), _Course(middle, rows)
    moving = slice(None, _MOVING)
    features: Floats = np.concatenate(
        [
            course.mean,
            course.deviation[:, moving],
            course.velocity(window)[:, moving],
            course.speed(window)[:, moving],
            path.velocity(window) / unit,
            path.speed(window) / unit,
        ],
        axis=1,
    )
    return features


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


class _Course:
    """The samples of a (T, F) series in (M, S) windows, one after the other: M rows at a time."""

    def __init__(self, series: Floats, rows: npt.NDArray[np.int64]) -> None:
        known = np.isfinite(series)
        values = np.where(known, series, 0.0)
        self._steps = [(values[row], known[row]) for row in rows.T]
        self.mean = _ratio(*self._total(self._steps))

    @property
    def deviation(self) -> Floats:
        """(M, F) root mean square about the mean."""
        squares = [((value - self.mean) ** 2, there) for value, there in self._steps]
        return np.sqrt(_ratio(*self._total(squares)))

    def velocity(self, window: float) -> Floats:
        """(M, F) the mean of the later half less that of the earlier one, per second."""
        half = len(self._steps) // 2
        later, earlier = self._total(self._steps[-half:]), self._total(self._steps[:half])
        velocity: Floats = (_ratio(*later) - _ratio(*earlier)) / (window / 2)
        return velocity

    def speed(self, window: float) -> Floats:
        """(M, F) the mean absolute step, per second."""
        steps = [
            (np.abs(after - before), now & then)
            for (before, then), (after, now) in itertools.pairwise(self._steps)
        ]
        return _ratio(*self._total(steps)) / (window / len(steps))

    def _total(self, steps: list[tuple[Floats, Flags]]) -> tuple[Floats, Floats]:
        """Return (M, F) the sum of what is known, and how much that is."""
        total, count = np.zeros(steps[0][0].shape), np.zeros(steps[0][0].shape)
        for value, there in steps:
            total += np.where(there, value, 0.0)
            count += there
        return total, count


def _ratio(total: Floats, count: Floats) -> Floats:
    ratio: Floats = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return ratio
