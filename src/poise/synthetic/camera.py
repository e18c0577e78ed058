"""Where the camera is, and how it sees the stage: a pinhole that may pan, zoom, roll and shake.

Axes of the stage, metres: x to the right of the picture, y down with the ground at 0, z away from
the camera; the middle of the stage is the origin.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from poise.synthetic.body import Matrix, Vector, turn_x, turn_y, turn_z

Course = float | Callable[[float], float] | Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Camera:
    """How the camera moves. Each course is a number, a function of the time in seconds, or
    keyframes ``[(seconds, value), ...]`` with straight lines between them.

    Attributes:
        pan: Degrees that it turns to the right.
        tilt: Degrees that it turns down.
        zoom: 1 shows ``view`` metres of height at the middle of the stage, 2 half of that.
        roll: Degrees that the picture turns clockwise.
        orbit: Degrees that it walks around the stage, to its right.
        shake: How far a hand would shake it: standard deviation as a share of the picture height.
        distance: Metres from the middle of the stage.
        height: Metres over the ground.
        view: Metres of height that fit into the picture at the middle of the stage.
    """

    pan: Course = 0.0
    tilt: Course = 0.0
    zoom: Course = 1.0
    roll: Course = 0.0
    orbit: Course = 0.0
    shake: Course = 0.0
    distance: float = 6.0
    height: float = 0.98
    view: float = 2.6

    @property
    def moves(self) -> bool:
        """Whether any course changes with time."""
        courses = (self.pan, self.tilt, self.zoom, self.roll, self.orbit)
        return any(not isinstance(course, int | float) for course in courses) or self.shake != 0

    def at(self, time: float, size: tuple[int, int], *, seed: int = 0) -> View:
        """Return what the camera is at a time, for pictures of (height, width) pixels."""
        height, width = size
        shake = follow(self.shake, time) * height * _tremble(time, seed)
        turn = (
            turn_z(-follow(self.roll, time))
            @ turn_x(follow(self.tilt, time))
            @ turn_y(follow(self.pan, time))
        )
        orbit = turn_y(-follow(self.orbit, time))
        place = orbit.T @ [0.0, -self.height, -self.distance]
        focal = follow(self.zoom, time) * height * self.distance / self.view
        return View(turn @ orbit, place, focal, np.array([width / 2, height / 2]) + shake)


@dataclass(frozen=True, eq=False)
class View:
    """One moment of a camera.

    Attributes:
        turn: (3, 3) rotation from the stage to the camera.
        place: (3,) the camera on the stage in metres.
        focal: Pixels.
        centre: (2,) x and y of the optical axis in the picture, pixels.
    """

    turn: Matrix
    place: Vector
    focal: float
    centre: Vector

    def see(self, points: npt.ArrayLike) -> Vector:
        """Turn (..., 3) stage points into the camera's axes (x right, y down, z away), metres."""
        seen: Vector = (np.asarray(points, float) - self.place) @ self.turn.T
        return seen

    def project(self, points: npt.ArrayLike) -> Vector:
        """Return the (..., 2) pixels of (..., 3) points on the stage."""
        seen = self.see(points)
        depth = np.maximum(seen[..., 2:], 1e-3)
        pixels: Vector = self.focal * seen[..., :2] / depth + self.centre
        return pixels


def follow(course: Course, time: float) -> float:
    """Return the value of a course at a time."""
    if callable(course):
        return float(course(time))
    if isinstance(course, int | float):
        return float(course)
    times, values = zip(*course, strict=True)
    return float(np.interp(time, times, values))


def _tremble(time: float, seed: int) -> Vector:
    """Two smooth numbers of about unit spread: sums of sines with phases from the seed."""
    phases = np.random.default_rng([seed, 77]).uniform(0, 2 * np.pi, (2, 5))
    speeds = 2 * np.pi * np.array([0.7, 1.3, 2.1, 3.4, 5.2])
    waves: Vector = np.sin(speeds * time + phases) @ np.array([0.7, 0.6, 0.5, 0.3, 0.2])
    return waves
