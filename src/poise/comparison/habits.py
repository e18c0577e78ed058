"""How one person moves: what a coach learns of them while it looks on."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from poise.comparison.stances import Stances
from poise.comparison.views import cross

Floats = npt.NDArray[np.float64]

_QUICK, _SLOW = 0.15, 0.6  # seconds over which the two mean poses are taken that tell a motion


class Habits:
    """What limbs stray from their mean direction, and by how much.

    Attributes:
        seen: (L,) whether a limb was ever seen.
        degrees: (L,) mean angle between a limb and its mean direction so far.
    """

    def __init__(self, limbs: int) -> None:
        self.seen = np.zeros(limbs, bool)
        self.degrees: Floats = np.zeros(limbs)
        self._sum, self._weight = np.zeros((limbs, 2)), np.zeros(limbs)
        self._quick, self._slow = np.zeros((limbs, 2)), np.zeros((limbs, 2))

    def learn(self, pose: Stances, step: float) -> float:
        """Take in a pose; return by how many degrees the limbs that move most now turn."""
        units, weights = pose.units[0], pose.weights[0]
        self.seen |= weights > 0
        self._sum += weights[:, None] * units
        self._weight += weights
        share = weights / np.maximum(self._weight, 1e-9)
        self.degrees += share * (_angles(self._sum, units) - self.degrees)
        vectors = weights[:, None] * units
        self._quick += (vectors - self._quick) * min(1.0, step / _QUICK)
        self._slow += (vectors - self._slow) * min(1.0, step / _SLOW)
        return float(np.sort(_angles(self._quick, self._slow))[-3:].mean())


def _angles(a: Floats, b: Floats) -> Floats:
    """Return (L,) degrees between vectors (L, 2); 0 where one has no length."""
    angles: Floats = np.degrees(np.abs(np.arctan2(cross(a, b), (a * b).sum(axis=1))))
    return angles
