"""How poses look: the choices, the colours, and which limbs are drawn thin."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt

from poise.errors import UsageError, suggest
from poise.poses import FloatArray
from poise.skeleton import Skeleton

# Blue against orange is told apart by every common kind of colour blindness.
SIDE_COLOURS = {"left": (72, 170, 255), "right": (255, 150, 30), "middle": (236, 238, 240)}

# Okabe and Ito, "Color universal design" (2008), without black, then lighter and deeper mixes.
PERSON_COLOURS = (
    (86, 180, 233), (230, 159, 0), (0, 178, 130), (240, 228, 66), (213, 94, 0), (204, 121, 167),
    (40, 120, 220), (165, 230, 120), (255, 170, 160), (150, 130, 255), (120, 225, 220),
    (200, 200, 200),
)  # fmt: skip

# Parts that are small on a body, so that their limbs and dots are drawn thin, and parts that
# stand so close together that they are drawn thinner still.
_FINE_PARTS = frozenset({
    "eye", "ear", "mouth", "face", "hand", "palm", "finger", "forefinger", "thumb",
    "index", "middle", "pinky", "ring", "toe", "heel", "foot",
})  # fmt: skip
_DENSE_PARTS = frozenset(
    {"eyelid", "brow", "eyebrow", "lip", "jaw", "chin", "bridge", "nostril", "mesh", "iris"}
)
_TRAILED_PARTS = frozenset({"wrist", "ankle"})


@dataclass(frozen=True)
class Style:
    """How poses are painted.

    Each choice is described beside its type. A person's own left is blue, the right orange.

    Raises:
        UsageError: A value that cannot be; says which and what the choices are.
    """

    colour: Annotated[Literal["side", "person"], "Colour limbs by side, or people by id."] = "side"
    background: Annotated[
        Literal["source", "black"], "Paint over the picture, or leave the picture out."
    ] = "source"
    trails: Annotated[
        float, "Show for so many seconds where wrists and ankles of people with an id went."
    ] = 0.0
    ids: Annotated[bool, "Label each person with the id."] = True
    boxes: Annotated[bool, "Draw each person's box."] = False
    minimum_score: Annotated[
        float, "Do not draw keypoints with a lower score; above it, the score is the opacity."
    ] = 0.3

    def __post_init__(self) -> None:
        self._check_choice("colour", ("side", "person"))
        self._check_choice("background", ("source", "black"))
        self._check_range("trails", 60.0, "seconds in 0..60")
        self._check_range("minimum_score", 1.0, "a score in 0..1")
        for field in fields(self):
            if isinstance(field.default, bool) and not isinstance(getattr(self, field.name), bool):
                self._refuse(field.name, "True or False")

    def _check_choice(self, field: str, choices: tuple[str, ...]) -> None:
        value = getattr(self, field)
        if value not in choices:
            what = f"no {field} named '{value}'"
            raise UsageError(what, where=f"Style.{field}", remedy=suggest(str(value), choices))

    def _check_range(self, field: str, highest: float, wanted: str) -> None:
        value = getattr(self, field)
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not (number and math.isfinite(value) and 0 <= value <= highest):
            self._refuse(field, wanted)

    def _refuse(self, field: str, wanted: str) -> None:
        came = getattr(self, field)
        raise UsageError(f"wanted {wanted}, got {came!r}", where=f"Style.{field}")


@dataclass(frozen=True, eq=False)
class Parts:
    """What of a skeleton is drawn how; E edges, K keypoints.

    Attributes:
        edges: (E, 2) keypoint numbers.
        edge_widths: (E,) width of a limb by that of an arm: less for face, hands and feet.
        keypoint_widths: (K,) the same for the dots.
        edge_colours: (E, 3) RGB by side.
        keypoint_colours: (K, 3) RGB by side.
        trailed: Numbers of the keypoints that leave a trail.
    """

    edges: npt.NDArray[np.int64]
    edge_widths: FloatArray
    keypoint_widths: FloatArray
    edge_colours: FloatArray
    keypoint_colours: FloatArray
    trailed: npt.NDArray[np.int64]


@lru_cache
def get_parts(skeleton: Skeleton) -> Parts:
    """Work out, from the names of its keypoints, how a skeleton is drawn."""
    names = skeleton.keypoints
    widths = np.array([_width(name) for name in names], np.float32)
    edges = np.array(skeleton.edges, np.int64).reshape(-1, 2)
    sides = [_side(name) for name in names]
    edge_sides = [_joint_side(sides[a], sides[b]) for a, b in skeleton.edges]
    trailed = [
        i for i, name in enumerate(names) if _words(name) & _TRAILED_PARTS and widths[i] == 1
    ]
    return Parts(
        edges,
        widths[edges].min(axis=1),
        np.where(widths < 1, 1.2 * widths, 1.5).astype(np.float32),
        np.array([SIDE_COLOURS[side] for side in edge_sides], np.float32).reshape(-1, 3),
        np.array([SIDE_COLOURS[side] for side in sides], np.float32).reshape(-1, 3),
        np.array(trailed, np.int64),
    )


def person_colour(identity: int) -> tuple[int, int, int]:
    """Return the RGB colour of an id, always the same one."""
    return PERSON_COLOURS[identity % len(PERSON_COLOURS)]


def _words(keypoint: str) -> set[str]:
    return {word.rstrip("0123456789") for word in keypoint.lower().replace("-", "_").split("_")}


def _width(keypoint: str) -> float:
    words = _words(keypoint)
    if words & _DENSE_PARTS or keypoint == "nose_base":
        return 0.3
    return 0.5 if words & _FINE_PARTS else 1.0


def _side(keypoint: str) -> str:
    first = keypoint.split("_", maxsplit=1)[0]
    return first if first in ("left", "right") else "middle"


def _joint_side(a: str, b: str) -> str:
    """The side of a limb: of the end that has one; the middle where the ends differ."""
    if b in (a, "middle"):
        return a
    return b if a == "middle" else "middle"
