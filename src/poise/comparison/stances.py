"""Poses as directions and angles only: turned and mirrored without their keypoints, and kept."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from poise.angles import JOINT_NAMES, LIMB_NAMES
from poise.comparison.performance import Posed
from poise.comparison.scoring import Errors, see

Floats = npt.NDArray[np.float64]

_LIMBS, _JOINTS = len(LIMB_NAMES), len(JOINT_NAMES)


def _flip(names: tuple[str, ...]) -> npt.NDArray[np.int64]:
    sides = {"left": "right", "right": "left"}
    other = [sides.get(name.partition("_")[0], "") + name.removeprefix("left").removeprefix("right")
             for name in names]  # fmt: skip
    return np.array([names.index(one) if one in names else i for i, one in enumerate(other)])


_LIMB_FLIP, _JOINT_FLIP = _flip(LIMB_NAMES), _flip(JOINT_NAMES)
# Shoulders and hips lead from right to left: mirrored, their ends change places too.
_MIRROR = np.array(
    [(1.0, -1.0) if name in {"shoulders", "hips"} else (-1.0, 1.0) for name in LIMB_NAMES]
)


@dataclass(frozen=True, eq=False)
class Stances:
    """What ``Posed`` asks for, as plain arrays: times (T,), units, weights and joints."""

    times: Floats
    units: Floats
    weights: Floats
    joints: tuple[Floats, Floats]

    @classmethod
    def of(cls, posed: Posed) -> Stances:
        """Return the directions and angles of a performance, computed once."""
        return cls(posed.times, posed.units, posed.weights, posed.joints)

    def mirrored(self) -> Stances:
        """Return the mirror image: left for right."""
        angles, scores = self.joints
        joints = angles[:, _JOINT_FLIP], scores[:, _JOINT_FLIP]
        units = self.units[:, _LIMB_FLIP] * _MIRROR
        return Stances(self.times, units, self.weights[:, _LIMB_FLIP], joints)

    def from_behind(self) -> Stances:
        """Return what a camera on the other side sees of it, without perspective."""
        return replace(self, units=self.units * (-1, 1))

    def rolled(self, degrees: float) -> Stances:
        """Return it with the picture turned clockwise."""
        angle = np.radians(degrees)
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        return replace(self, units=self.units @ turn)

    def at(self, place: float) -> Stances:
        """Return the one stance at a row with a fraction, between its neighbours."""
        low = min(max(int(place), 0), len(self.times) - 1)
        high = min(low + 1, len(self.times) - 1)
        share = float(np.clip(place - low, 0, 1))
        pair = [low, high]
        mix = np.array([1 - share, share])
        angles, scores = self.joints
        joints = mix @ np.where(scores[pair] > 0, angles[pair], 0), scores[pair].min(axis=0)
        # Weighted before they are mixed: a limb that swings past the camera has no direction.
        weighted = np.einsum("t,tl,tld->ld", mix, self.weights[pair], self.units[pair])
        weights = np.linalg.norm(weighted, axis=1)
        units = weighted / np.maximum(weights[:, None], 1e-9)
        return Stances(
            np.array([mix @ self.times[pair]]),
            units[None],
            weights[None],
            (joints[0][None], joints[1][None]),
        )


class Record:
    """Errors, moment by moment, in one array of a fixed size.

    Attributes:
        values: (N, F) one moment a row.
        clock: (N,) seconds of the attempt, NaN where there is none.
    """

    _SIZES = (1, 1, *[_LIMBS] * 3, *[_JOINTS] * 2, *[2 * _LIMBS] * 2)
    _EDGES = np.concatenate([[0], np.cumsum(_SIZES)])

    def __init__(self, count: int) -> None:
        self.values: Floats = np.zeros((count, int(self._EDGES[-1])))
        self.clock: Floats = np.full(count, np.nan)

    def begin(self, reference: Stances) -> None:
        """Write what is seen of a reference of as many moments; nothing of it is judged yet."""
        self.values[:, self._EDGES[4] : self._EDGES[5]] = see(reference.weights)

    def put(self, rows: slice, errors: Errors, time: float) -> None:
        """Write one moment into some rows."""
        self.values[rows] = np.concatenate([
            errors.reference.times, errors.left_out.astype(float), errors.turns[0],
            errors.weights[0], errors.seen[0], errors.bends[0], errors.joint_weights[0],
            errors.reference.units[0].ravel(), errors.attempt.units[0].ravel(),
        ])  # fmt: skip
        self.clock[rows] = time

    def leave_out(self, rows: slice) -> None:
        """Mark some rows as left out by the attempt."""
        self.values[rows, self._EDGES[1]] = 1.0
        self.clock[rows] = np.nan

    def push(self, errors: Errors | None, time: float, times: int) -> None:
        """Write one moment, or nothing, at the end, and forget as many rows at the beginning."""
        times = min(times, len(self.values))
        if not times:
            return
        self.values[:-times] = self.values[times:].copy()
        self.clock[:-times] = self.clock[times:].copy()
        last = slice(len(self.values) - times, None)
        if errors is None:
            self.values[last], self.clock[last] = 0.0, np.nan
        else:
            self.put(last, errors, time)

    def errors(self, rows: slice, limbs: Floats) -> Errors:
        """Return some rows, for limbs (L,) that count so much."""
        parts = np.split(self.values[rows], self._EDGES[1:-1], axis=1)
        times, left_out, turns, weights, seen, bends, joint_weights, ours, theirs = parts
        shape = (len(times), _LIMBS, 2)
        joints = np.zeros_like(bends), joint_weights
        return Errors(
            turns, weights, bends, joint_weights, left_out[:, 0] > 0, seen, limbs,
            Stances(times[:, 0], ours.reshape(shape), seen, joints),
            Stances(self.clock[rows], theirs.reshape(shape), weights, joints),
        )  # fmt: skip
