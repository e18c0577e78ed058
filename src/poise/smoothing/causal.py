"""The causal filter, for pictures that come live."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from poise.errors import UsageError
from poise.poses import FloatArray, Poses, bounding_boxes

Matrix = npt.NDArray[np.float64]


@dataclass
class _Memory:
    """One set of points of one person: (K, D) arrays."""

    raw: Matrix  # as they came; NaN where absent
    values: Matrix  # filtered
    speed: Matrix  # filtered, body sizes a second
    size: float  # of the body, in the unit of the points
    time: float  # seconds


@dataclass
class OneEuro:
    """The One-Euro filter for people: causal, calm at rest, quick in motion.

    Casiez, Roussel and Vogel 2012 (doi 10.1145/2207676.2208639): an exponential filter whose
    cutoff frequency grows with speed. Speed is measured in body sizes a second (the body's longer
    side), so the same settings hold for people near and far, and over true time. Who is absent
    from a frame, or a keypoint that is, begins afresh when it is back.

    Attributes:
        minimum_cutoff: Hz at rest; lower is calmer.
        beta: Hz added for each body size a second; higher lags less.
        derivative_cutoff: Hz, of the speed itself.
    """

    minimum_cutoff: float = 1.0
    beta: float = 18.0
    derivative_cutoff: float = 2.0
    _people: dict[tuple[int, str], _Memory] = field(default_factory=dict, init=False, repr=False)

    def restart(self) -> None:
        """Forget everyone, as at a cut."""
        self._people = {}

    def update(self, poses: Poses) -> Poses:
        """Return the same people with calmer keypoints, xyz and boxes.

        Raises:
            UsageError: There are people, but they have no ids.
        """
        ids = ids_of(poses)
        self._people = {key: m for key, m in self._people.items() if key[0] in ids}
        if not ids:
            return poses
        keypoints = self._filter([(i, "xy") for i in ids], poses.keypoints, poses.time)
        xyz = poses.xyz
        if xyz is not None:
            xyz = self._filter([(i, "xyz") for i in ids], xyz, poses.time)
        return poses.replace(keypoints=keypoints, xyz=xyz, boxes=move_boxes(poses, keypoints))

    def _filter(self, keys: list[tuple[int, str]], points: FloatArray, time: float) -> FloatArray:
        new = points.astype(np.float64)
        size = _extents(new)
        past = [
            self._people.get(key) or _Memory(p * np.nan, p, p * 0, float(s), time)
            for key, p, s in zip(keys, new, size, strict=True)
        ]
        memory = self._step(past, new, size, time)
        self._people.update(zip(keys, memory, strict=True))
        return np.array([m.values for m in memory], np.float32)

    def _step(self, past: list[_Memory], new: Matrix, size: Matrix, time: float) -> list[_Memory]:
        dt = np.array([max(time - m.time, 0.0) for m in past])[:, None, None]
        raw, values = np.array([m.raw for m in past]), np.array([m.values for m in past])
        speed, before = np.array([m.speed for m in past]), np.array([m.size for m in past])
        # The size is averaged, so that a limb that comes and goes does not change the filter.
        size = np.where(
            (before > 0) & (size > 0), before + 0.1 * (size - before), np.maximum(before, size)
        )
        step = (new - raw) / np.maximum(dt * size[:, None, None], 1e-9)
        fresh = np.isnan(step)
        speed = np.where(fresh, 0.0, speed + _gain(self.derivative_cutoff, dt) * (step - speed))
        pace = np.sqrt((speed * speed).sum(axis=2, keepdims=True))
        gain = _gain(self.minimum_cutoff + self.beta * pace, dt)
        values = np.where(fresh, new, values + gain * (new - values))
        return [
            _Memory(n, v, s, float(scale), time)
            for n, v, s, scale in zip(new, values, speed, size, strict=True)
        ]


def _gain(cutoff: float | Matrix, dt: Matrix) -> Matrix:
    """Share of the new value in an exponential filter of this cutoff in Hz."""
    turn: Matrix = 2 * np.pi * cutoff * dt
    return turn / (turn + 1)


def _extents(points: Matrix) -> Matrix:
    """(N,) longest side of each body; 0 where nothing is present."""
    low = np.where(np.isnan(points), np.inf, points).min(axis=1)
    high = np.where(np.isnan(points), -np.inf, points).max(axis=1)
    extent: Matrix = np.maximum((high - low).max(axis=1), 0)
    return extent


def ids_of(poses: Poses) -> list[int]:
    if poses.ids is None:
        if len(poses):
            raise UsageError("the people have no ids", where="smoothing", remedy="track them first")
        return []
    return [int(identity) for identity in poses.ids]


def move_boxes(poses: Poses, keypoints: FloatArray) -> FloatArray:
    """The boxes, each side moved as the bounds of the keypoints moved.

    So a box that was made of the keypoints is made of the smoothed ones, and a detector's box
    keeps its margin.
    """
    shift = bounding_boxes(keypoints) - bounding_boxes(poses.keypoints)
    boxes: FloatArray = poses.boxes + np.nan_to_num(shift)
    return boxes
