"""Who is on the stage: a choreography with a place, a size, a direction and clothes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from poise.synthetic.body import Body, Proportions, pose_body, turn_y
from poise.synthetic.camera import Course, follow
from poise.synthetic.choreography import Choreography
from poise.synthetic.figure import Clothes

Path = Callable[[float], tuple[float, float]] | Sequence[tuple[float, float, float]]


@dataclass(frozen=True)
class Dancer:
    """One person on the stage.

    Attributes:
        choreography: What the person does.
        position: Metres to the right of the middle of the stage, and metres away from the camera.
        path: Where the person walks instead: ``[(seconds, right, away), ...]`` or a function of
            the time that returns (right, away).
        facing: Degrees that the person is turned to the own left: 0 looks at the camera, 90 to
            the right of the picture, 180 away; a course over time is possible (``Camera``). None
            looks along the path, or else at the camera.
        scale: Size of the whole body; 0.7 is a child.
        proportions: Lengths of the limbs.
        clothes: Colours and cut; None takes the next from the wardrobe.
        mirror: Perform everything with left and right exchanged.
        id: Identity in the truth; None counts from 1.
    """

    choreography: Choreography
    position: tuple[float, float] = (0.0, 0.0)
    path: Path | None = None
    facing: Course | None = None
    scale: float = 1.0
    proportions: Proportions = field(default_factory=Proportions)
    clothes: Clothes | None = None
    mirror: bool = False
    id: int | None = None

    def body(self, time: float) -> Body:
        """Return the body at a time, in the axes of the stage."""
        performed = self.choreography.mirrored() if self.mirror else self.choreography
        body = pose_body(performed.at(time), self.proportions)
        right, away = self._place(time)
        turn = turn_y(self._look(time))
        shift = np.array([right, 0.0, away])
        points = {name: turn @ point * self.scale + shift for name, point in body.points.items()}
        return Body(points, {name: turn @ part for name, part in body.turns.items()})

    def _place(self, time: float) -> tuple[float, float]:
        if self.path is None:
            return self.position
        if callable(self.path):
            return self.path(time)
        times, right, away = np.array(self.path, float).T
        return float(np.interp(time, times, right)), float(np.interp(time, times, away))

    def _look(self, time: float) -> float:
        if self.facing is not None:
            return follow(self.facing, time)
        if self.path is None:
            return 0.0
        step = np.subtract(self._place(time + 0.15), self._place(time - 0.15))
        return float(np.degrees(np.arctan2(step[0], -step[1]))) if np.any(step) else 0.0
