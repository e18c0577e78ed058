"""Scales of a plot: where a value is drawn, and where the ticks are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_CLOCK_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600)


@dataclass(frozen=True)
class Axis:
    """A straight map from values to pixels; ``low`` is drawn at ``start``, ``high`` at ``end``."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Return where a value is drawn."""
        return float(self.course(np.array([value]))[0])

    def course(self, values: Floats) -> Floats:
        """Return where values are drawn."""
        extent = max(self.high - self.low, 1e-9)
        places: Floats = self.start + (values - self.low) / extent * (self.end - self.start)
        return places

    def clock_ticks(self, most: int) -> list[float]:
        """Return round times inside, at most so many."""
        return self._ticks(_CLOCK_STEPS, most)

    def ticks(self, most: int) -> list[float]:
        """Return round values inside, at most so many."""
        power = 10.0 ** np.floor(np.log10(max(self.high - self.low, 1e-9)) - 1)
        return self._ticks([float(power * step) for step in (1, 2, 5, 10, 20, 50, 100)], most)

    def _ticks(self, steps: list[float] | tuple[float, ...], most: int) -> list[float]:
        extent = self.high - self.low
        step = next((step for step in steps if extent / step <= most), max(extent, 1e-9))
        first, last = int(np.ceil(self.low / step - 1e-6)), int(np.floor(self.high / step + 1e-6))
        return [number * step for number in range(first, last + 1)]


def span_of(values: Floats) -> tuple[float, float]:
    """Return the lowest and highest finite value; 0 and 1 where there is none."""
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)


def smooth(values: Floats, width: int) -> Floats:
    """Return the mean of (T,) values over a window of so many; NaN stays NaN and counts nowhere."""
    known = np.isfinite(values)
    half = width // 2
    sums = np.cumsum(np.concatenate([[0.0], np.where(known, values, 0.0)]))
    counts = np.cumsum(np.concatenate([[0.0], known.astype(float)]))
    places = np.arange(len(values))
    low, high = np.maximum(places - half, 0), np.minimum(places + half + 1, len(values))
    total, count = sums[high] - sums[low], counts[high] - counts[low]
    return np.where(known, total / np.maximum(count, 1), np.nan)


def thin(values: Floats, most: int) -> list[Floats]:
    """Return values in at most so many runs of neighbours, in order."""
    return np.array_split(values, max(1, min(most, len(values))))


def means(runs: list[Floats]) -> Floats:
    """Return the mean of each run without its NaN; NaN where all are."""
    return np.array([run[np.isfinite(run)].mean() if np.isfinite(run).any() else np.nan
                     for run in runs])  # fmt: skip


def lowest(runs: list[Floats]) -> Floats:
    """Return the lowest value of each run without its NaN; NaN where all are."""
    return np.array([run[np.isfinite(run)].min() if np.isfinite(run).any() else np.nan
                     for run in runs])  # fmt: skip
