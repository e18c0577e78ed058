"""One number over time that goes out and comes back: where each such cycle begins and ends.

The finder is causal and its memory is bounded, so that a file and a camera are counted alike.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_SMOOTH = 0.05  # seconds: the time constant of the smoothing
_QUICK = 0.06  # seconds between frames; where they are nearer, single outliers are passed over
_LOST = 2.0  # seconds without a value, after which a cycle under way is given up
_STILL = 8.0  # seconds in one place, after which this place is the new rest
_LEAK = 10.0  # seconds: how fast the rest follows somebody who has settled elsewhere
_LONGEST = 60.0  # seconds of one cycle
_BEFORE = 1.0  # seconds before a cycle that are kept, in which its beginning is looked for
_SETTLE = 0.5  # seconds within which the end of a cycle is looked for
_HALF = 0.6  # of the person's usual range: what is less is half a repetition
_LEAVE = 0.35  # of the least range: the hysteresis at which a cycle begins
_BACK, _END = 0.3, 0.1  # of the range: what counts as back, and as fully back
_HELD = 0.9  # of the range: what counts as held
_USUAL = 5  # cycles, of which the median is the usual range


@dataclass(frozen=True, eq=False)
class Cycle:
    """One way out and back. N samples, S measures.

    Attributes:
        times: (N,) seconds.
        values: (N,) the smoothed number.
        rows: (N, S) what else was measured at these times.
        base, peak: The numbers at rest and farthest out.
    """

    times: Floats
    values: Floats
    rows: Floats
    base: float
    peak: float

    @property
    def range(self) -> float:
        """How far it went."""
        return self.peak - self.base

    @property
    def shares(self) -> Floats:
        """(N,) how far it was at each time: 0 at rest, 1 farthest out."""
        shares: Floats = (self.values - self.base) / max(self.range, 1e-9)
        return shares

    def marks(self) -> tuple[int, int, int, int]:
        """Return the samples at which it leaves, begins to be held, ends so, and is back."""
        shares = self.shares
        top = int(np.argmax(shares))
        start = self._leaves(shares, top)
        after = np.flatnonzero(shares[top:] <= _END)
        end = top + (int(after[0]) if len(after) else int(np.argmin(shares[top:])))
        held = start + np.flatnonzero(shares[start : end + 1] >= _HELD)
        return start, int(held[0]), int(held[-1]), end

    def _leaves(self, shares: Floats, top: int) -> int:
        """Return the last sample near the lowest place of the second before it really goes."""
        near = np.flatnonzero(shares[: top + 1] <= _BACK)
        going = int(near[-1]) if len(near) else 0
        since = int(np.searchsorted(self.times, self.times[going] - _BEFORE))
        level = max(_END, float(shares[since : going + 1].min()) + 0.03)
        return since + int(np.flatnonzero(shares[since : going + 1] <= level)[-1])


@dataclass
class _Sample:
    time: float
    value: float
    row: Floats


class CycleFinder:
    """Finds cycles in a number that is told sample by sample.

    A cycle begins where the number leaves its rest by a third of the least range, and ends where
    it is back. It counts where its range is at least ``least`` and at least 0.6 of the median of
    the five cycles before: what returns earlier is half a repetition. A dip on the way does not
    begin a second one.

    Args:
        least: The least range of a cycle.
    """

    def __init__(self, least: float) -> None:
        self._least = least
        self._ranges: deque[float] = deque(maxlen=_USUAL)
        self._recent: deque[float] = deque(maxlen=3)
        self._samples: deque[_Sample] = deque()
        self._time = -math.inf
        self._forget()

    def _forget(self) -> None:
        self._recent.clear()
        self._samples.clear()
        self._value = self._base = self._peak = self._low = math.nan
        self._out = self._falling = False
        self._back_at: float | None = None
        self._anchor = (math.nan, -math.inf)

    @property
    def under_way(self) -> bool:
        """Whether a cycle of sufficient range has begun and is not back yet."""
        return self._out and self._peak - self._base >= self._need

    @property
    def phase(self) -> float:
        """0 at rest, to 0.5 on the way out, to 1 on the way back; NaN before the first value."""
        if math.isnan(self._value) or not self._out:
            return math.nan if math.isnan(self._value) else 0.0
        usual = float(np.median(self._ranges)) if self._ranges else self._least
        share = (self._value - self._base) / max(usual, self._peak - self._base)
        half = 0.5 * min(max(share, 0.0), 1.0)
        return 1 - half if self._falling else half

    @property
    def _need(self) -> float:
        usual = float(np.median(self._ranges)) if self._ranges else 0.0
        return max(self._least, _HALF * usual)

    def push(self, time: float, value: float, row: Floats) -> Cycle | None:
        """Take one sample; return the cycle that it completes. NaN values are passed over."""
        if math.isnan(value):
            return None
        if time - self._time > _LOST:
            self._forget()
        self._smooth(time, value)
        self._time = time
        self._samples.append(_Sample(time, self._value, row))
        if not self._out:
            self._rest(time)
            return None
        return self._move(time)

    def finish(self) -> Cycle | None:
        """Nothing more comes: return the cycle that was back, but not yet fully."""
        return self._close() if self._back_at is not None else None

    def _smooth(self, time: float, value: float) -> None:
        self._recent.append(value)
        if math.isnan(self._value):
            self._value = self._base = value
            return
        step = max(time - self._time, 0.0)
        # Three frames of a slow camera are too long a time for a median: a quick peak would go.
        middle = sorted(self._recent)[len(self._recent) // 2] if step < _QUICK else value
        self._value += (middle - self._value) * step / (_SMOOTH + step)
        self._leak = step / (_LEAK + step)

    def _rest(self, time: float) -> None:
        """Wait for the number to leave its rest."""
        if self._value < self._base:
            self._base = self._value
        elif len(self._samples) > 1:
            self._base += (self._value - self._base) * self._leak
        while time - self._samples[0].time > _BEFORE:
            self._samples.popleft()
        if self._value - self._base >= _LEAVE * self._need:
            self._out, self._falling, self._back_at = True, False, None
            self._peak = self._value
            self._anchor = (self._value, time)

    def _move(self, time: float) -> Cycle | None:
        """Follow the number out and back."""
        reach = self._peak - self._base
        if self._value >= self._peak and self._back_at is None:
            self._peak, self._falling = self._value, False
        self._falling = self._falling or self._peak - self._value > 0.1 * reach
        if abs(self._value - self._anchor[0]) > 0.5 * _LEAVE * self._need:
            self._anchor = (self._value, time)
        if time - self._anchor[1] > _STILL or time - self._samples[0].time > _LONGEST:
            self._settle()
            return None
        share = (self._value - self._base) / reach
        if self._back_at is None:
            if share <= _BACK:
                self._back_at, self._low = time, self._value
            return None
        self._low = min(self._low, self._value)
        again = self._value - self._low > 0.1 * reach
        if share <= 0.0 or again or time - self._back_at > _SETTLE:
            return self._close()
        return None

    def _settle(self) -> None:
        """Whoever stays in one place rests there."""
        value, last = self._value, self._samples[-1]
        self._forget()
        self._value = self._base = value
        self._samples.append(last)

    def _close(self) -> Cycle | None:
        done = list(self._samples)
        values = np.array([sample.value for sample in done])
        times = np.array([sample.time for sample in done])
        cycle = Cycle(
            times, values, np.array([sample.row for sample in done]), self._base, self._peak
        )
        needed = self._need
        self._out, self._back_at = False, None
        self._base = min(self._low, self._value)
        self._keep_tail(float(times[int(np.argmin(values[values.argmax() :])) + values.argmax()]))
        if cycle.range < needed:
            return None
        self._ranges.append(cycle.range)
        return cycle

    def _keep_tail(self, since: float) -> None:
        while self._samples and self._samples[0].time < since:
            self._samples.popleft()
