"""The pictures that a model is checked on: drawn people whose keypoints are known exactly."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from poise.poses import Image, Poses
from poise.skeleton import Skeleton
from poise.synthetic import Dancer, Stage, still

SIDE = 480
# Not the same on both sides where it can be, so that left and right can be told.
_POSTURES = (
    ("wave", 15), ("star", -15), ("cheer", 15), ("stand", -20), ("half squat", 15),
    ("hands on hips", -15), ("t-pose", 20), ("a-pose", -15), ("wave", -25), ("cactus", 10),
    ("wave", 5), ("half squat", -25),
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Scene:
    """One picture of one person.

    Attributes:
        image: (480, 480, 3) uint8 RGB.
        truth: The person, in the stage's own layout.
    """

    image: Image
    truth: Poses

    def points(self, layout: Skeleton) -> Poses:
        """Return the person in another layout; what the stage does not know is NaN."""
        return self.truth.to(layout)

    @property
    def height(self) -> float:
        """Height of the person's box in pixels."""
        return float(self.truth.boxes[0, 3] - self.truth.boxes[0, 1])


@lru_cache(maxsize=1)
def draw_scenes() -> tuple[Scene, ...]:
    """Return twelve pictures: other rooms, clothes and postures in each."""
    scenes = []
    for seed, (name, facing) in enumerate(_POSTURES):
        dancer = Dancer(still(name), facing=float(facing))
        stage = Stage([dancer], size=(SIDE, SIDE), fps=1.0, duration=1.0, seed=seed)
        scenes.append(Scene(stage.frame(0).image, stage.truth(0)))
    return tuple(scenes)


def draw_empty() -> Image:
    """Return a picture of a room with nobody in it."""
    return Stage([], size=(SIDE, SIDE), fps=1.0, duration=1.0, seed=3).frame(0).image
