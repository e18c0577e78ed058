"""What a label is over time: it ends later than it begins, lasts, and bridges short gaps."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from poise.classification.events import Flags, Floats

Labels = npt.NDArray[np.int64]


def latch(begins: Flags, may_stay: Flags) -> Flags:
    """Return where a label holds that begins at one condition and stays while an easier one holds.

    Args:
        begins: (T,) where the rule is true.
        may_stay: (T,) where it would be true with its hysteresis; true wherever ``begins`` is.
    """
    # The last frame that decided counts: true begins, false ends, and what lies between stays.
    decided = begins | ~may_stay
    last = np.maximum.accumulate(np.where(decided, np.arange(len(begins)), -1))
    held: Flags = (last >= 0) & begins[np.maximum(last, 0)]
    return held


def find_runs(wanted: Flags, times: Floats, max_gap: float, blocked: Flags) -> list[Labels]:
    """Return the frames of every run of a label; gaps of at most so many seconds do not end it,
    unless a blocked frame lies in them."""
    rows = np.flatnonzero(wanted)
    if not len(rows):
        return []
    walls = np.cumsum(blocked)
    step = _step(times)
    # A gap is what lies between the frames beside it, less the one step that is always there.
    far = np.diff(times[rows]) - step > max_gap + 1e-9
    far = (far & (np.diff(rows) > 1)) | (np.diff(walls[rows]) > 0)
    return np.split(rows, np.flatnonzero(far) + 1)


def find_short(wanted: Flags, times: Floats, min_duration: float, max_gap: float) -> Flags:
    """Return (T,) where a label does not last long enough, gaps of some seconds bridged."""
    short = np.zeros(len(wanted), bool)
    nothing = np.zeros(len(wanted), bool)
    for run in find_runs(wanted, times, max_gap, nothing):
        if times[run[-1]] - times[run[0]] < min_duration - 1e-9:
            short[run] = True
    return short


def _step(times: Floats) -> float:
    return float(np.median(np.diff(times))) if len(times) > 1 else 0.0
