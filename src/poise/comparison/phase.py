"""Where in a reference somebody is, frame by frame: a forward algorithm over place and tempo.

A hidden Markov model whose states are pairs of a moment of the reference and a tempo, one of which
is none, for a pause, and two more: not begun yet, and at the end. After each frame the chance of
every state is known from all frames so far, and from no later one (Rabiner, "A Tutorial on Hidden
Markov Models", 1989, section III A). Only the moments in a window around the present one are
looked at, so that the work for a frame depends neither on what came before nor on how long the
reference is; tempo is limited as in an online alignment (Dixon, "Live Tracking of Musical
Performances using On-Line Time Warping", 2005).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from poise.comparison.matching import EDGE
from poise.comparison.performance import RATE

Floats = npt.NDArray[np.float64]

TEMPOS: Floats = np.concatenate([[0.0], 2.0 ** np.linspace(-1, 1, 13)])
_BEHIND, _AHEAD = 4.0, 6.0  # seconds of the reference that are looked at
_LONGEST_STEP = 0.1  # seconds; longer times between two frames are walked in several steps
_MOST_STEPS = 20

# How much one second of one unit of cost speaks against a state, as a logarithm. At a cost of
# 0.0055, which is 6 degrees, it is 2.5 in a second.
_SHARP = 450.0
# Chances a second.
_DRIFT = 3.0  # to the next quicker or slower tempo
_PAUSE, _RESUME = 0.1, 1.5
_JUMP, _BACK = 1e-3, 0.25  # to elsewhere in the window, and by how much less to what is past
_BEGIN, _ENTER = 1.0, 1e-5  # from not begun: to the beginning, to elsewhere
_FIRST = 0.4  # seconds; how far from the first moment somebody begins
_SPREAD = 0.25  # of the tempo at the beginning, in octaves
_LEFT = 0.3  # chance that must remain around the place for it to be kept
_NEAR = round(0.5 * RATE)


class PhaseTracker:
    """Follows one performance through a reference of ``count`` moments.

    Attributes:
        low: The first moment of the window.
        mass: (V, W) the chance of each tempo at each moment of the window.
        waiting, ended: The chances of not having begun, and of having come to the end.
        position: The moment that the performance is at, with its fraction.
        jumped: Whether the position is elsewhere since the last frame.
        evidence: Logarithm of how well all frames so far are explained.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self.low = 0
        self.width = min(count, round((_BEHIND + _AHEAD) * RATE))
        usual = np.exp(-0.5 * (np.log2(np.maximum(TEMPOS, 1e-9)) / _SPREAD) ** 2)
        self._usual: Floats = usual / usual.sum()
        rows = np.arange(self.width)
        first = np.exp(-rows / (_FIRST * RATE))
        self._entrance: Floats = first / first.sum()
        # A posture that is held has no beginning that could be waited for.
        self.waiting, self.ended = 0.0 if count <= RATE / 3 else 0.5, 0.0
        self.mass: Floats = (1 - self.waiting) * self._usual[:, None] * self._entrance
        self.position = 0.0
        self.jumped = False
        self.evidence = 0.0
        self._rates = _tempo_rates(self._usual)

    @property
    def window(self) -> slice:
        """The moments of the reference that are looked at."""
        return slice(self.low, self.low + self.width)

    @property
    def paused(self) -> float:
        """The chance, 0..1, that the performance rests."""
        return float(self.mass[0].sum() / max(self.mass.sum(), 1e-300))

    def predict(self, seconds: float) -> None:
        """Go on by some time, before the frame that comes after it is looked at."""
        self.jumped = False
        steps = min(max(1, int(np.ceil(seconds / _LONGEST_STEP))), _MOST_STEPS)
        each = min(seconds / steps, _LONGEST_STEP)
        for _ in range(steps):
            self._step(each)
        self._locate(seconds)

    def weigh(self, costs: Floats, idle: float, seconds: float) -> None:
        """Judge the states by a frame.

        Args:
            costs: (W,) of the window's moments, as ``matching`` defines them.
            idle: Cost of not having begun.
            seconds: Since the frame before.
        """
        sharp = _SHARP * min(seconds, _LONGEST_STEP)
        least = min(float(costs.min()), idle)
        self.mass *= np.exp(-sharp * (costs - least))
        self.waiting *= float(np.exp(-sharp * (idle - least)))
        self.ended *= float(np.exp(-sharp * (max(EDGE, least) - least)))
        total = self.waiting + self.ended + float(self.mass.sum())
        self.evidence += float(np.log(max(total, 1e-300))) - sharp * least
        self._scale(total)
        self._locate(0.0)

    def _step(self, seconds: float) -> None:
        share = min(1.0, _JUMP * seconds)
        mass = self.mass + seconds * (self._rates @ self.mass)
        mass = _advance(mass, TEMPOS * seconds * RATE)
        moving = float(self.mass.sum())
        rows = np.arange(self.low, self.low + self.width)
        elsewhere = np.where(rows < self.position - _NEAR, _BACK, 1.0)
        elsewhere /= elsewhere.sum()
        kept = mass * (1 - share)
        kept += moving * share * self._usual[:, None] * elsewhere
        if self.low == 0:
            begun, entered = self.waiting * _BEGIN * seconds, self.waiting * _ENTER * seconds
            kept += begun * self._usual[:, None] * self._entrance
            kept += entered * self._usual[:, None] / self.width
            self.waiting -= begun + entered
        if self.low + self.width >= self.count > RATE / 3:
            self.ended += max(0.0, moving - float(mass.sum()))
        self.mass = kept
        self._scale(self.waiting + self.ended + float(kept.sum()))

    def _scale(self, total: float) -> None:
        if total < 1e-290:  # nothing explains the frame: anything may be
            self.mass[:] = self._usual[:, None] / self.width
            total = 1.0
        # No state may die out for good, or a wrong turn could never be taken back.
        self.mass = np.maximum(self.mass / total, 1e-40)
        self.waiting, self.ended = self.waiting / total, self.ended / total

    def _locate(self, seconds: float) -> None:
        """Find the position: near the last one, while enough of the chance is there."""
        marginal = self.mass.sum(axis=0)
        total = float(marginal.sum())
        was = round(self.position + seconds * RATE) - self.low
        near = slice(max(0, was - _NEAR), max(1, was + _NEAR + 1))
        if float(marginal[near].sum()) < _LEFT * total:
            self.jumped = True
            was = int(np.convolve(marginal, np.ones(9), mode="same").argmax())
            near = slice(max(0, was - _NEAR), was + _NEAR + 1)
        peak = near.start + int(np.convolve(marginal[near], np.ones(3), mode="same").argmax())
        span = slice(max(0, peak - 5), peak + 6)
        rows = np.arange(self.width)[span]
        mean = float((marginal[span] * rows).sum() / max(float(marginal[span].sum()), 1e-300))
        self.position = self.low + mean
        self._move_window()

    def _move_window(self) -> None:
        low = round(self.position - _BEHIND * RATE)
        low = min(max(low, 0), self.count - self.width)
        if low == self.low:
            return
        moved = np.full_like(self.mass, 1e-40)
        a, b = max(low, self.low), min(low, self.low) + self.width
        moved[:, a - low : b - low] = self.mass[:, a - self.low : b - self.low]
        self.mass, self.low = moved, low


def _tempo_rates(usual: Floats) -> Floats:
    """Return (V, V): the chance a second to go from the column's tempo to the row's, less all."""
    count = len(TEMPOS)
    rates = np.zeros((count, count))
    for one in range(1, count - 1):
        rates[one, one + 1] = rates[one + 1, one] = _DRIFT
    rates[0, 1:] = _PAUSE
    rates[1:, 0] = _RESUME * usual[1:]
    rates -= np.diag(rates.sum(axis=0))
    return rates


def _advance(mass: Floats, steps: Floats) -> Floats:
    """Move each row of (V, W) chances on by its own number of columns, with its fraction."""
    moved = np.zeros_like(mass)
    width = mass.shape[1]
    for row, step in enumerate(steps.tolist()):
        whole = int(step)
        part = step - whole
        if whole < width:
            moved[row, whole:] = (1 - part) * mass[row, : width - whole]
        if part and whole + 1 < width:
            moved[row, whole + 1 :] += part * mass[row, : width - whole - 1]
    return moved
