"""A pose as it should be: a list of angles, each with an ideal, a tolerance and a weight."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

from poise.angles import JOINT_NAMES, LIMB_NAMES
from poise.errors import UsageError, suggest

View = Literal["front", "side", "any"]
VIEWS: tuple[str, ...] = get_args(View)

# Each kind of measure and the names that may stand after it.
KINDS: dict[str, tuple[str, ...]] = {
    "angle": JOINT_NAMES,
    "arch": (*JOINT_NAMES, "hips"),
    "heading": LIMB_NAMES,
    "elevation": LIMB_NAMES,
}
_RANGES = {"angle": (0, 180), "arch": (-180, 180), "heading": (-180, 180), "elevation": (-90, 90)}


@dataclass(frozen=True)
class Check:
    """One angle of a pose.

    Attributes:
        measure: One of ``angle.JOINT`` (0..180, 180 is straight); ``arch.JOINT`` (degrees by which
            the joint bends, above 0 where it is higher in the picture than the line between its
            neighbours; ``arch.hips`` takes the middles of both sides); ``heading.LIMB``
            (-180..180: 0 points to the right of the picture, which is forwards in a side view and
            to the own left in a front view, 90 up); ``elevation.LIMB`` (-90..90 of the limb's end
            above its start).
        ideal: Degrees.
        tolerance: Degrees to either side that are right.
        importance: 0..1; a check of 1 can spoil the whole pose.
        more: What to say where the value is to grow, with ``{degrees}``; "" for the usual words.
        less: The same where it is to shrink.

    Raises:
        UsageError: A value that cannot be; ``where`` is the field.
    """

    measure: str
    ideal: float
    tolerance: float = 15.0
    importance: float = 1.0
    more: str = ""
    less: str = ""

    def __post_init__(self) -> None:
        check_measure(self.measure)
        low, high = _RANGES[self.kind]
        self._check("ideal", low, high)
        self._check("tolerance", 1, 90)
        self._check("importance", 0.01, 1)

    def _check(self, field: str, low: float, high: float) -> None:
        value = getattr(self, field)
        if not low <= value <= high:
            raise UsageError(f"wanted {low:g} to {high:g}, got {value:g}", where=field)

    @property
    def kind(self) -> str:
        """Such as ``angle``."""
        return self.measure.partition(".")[0]

    @property
    def part(self) -> str:
        """The joint or limb, such as ``left_knee``."""
        return self.measure.partition(".")[2]


@dataclass(frozen=True)
class Target:
    """A pose as it should be, in its left version, seen from the front or facing right.

    Attributes:
        name: Such as ``plank``.
        view: From where it must be filmed to be judged in two dimensions.
        checks: What makes the pose.
        about: How it is done and filmed, in a sentence or two.
        source: Where the ideals come from.
    """

    name: str
    view: View
    checks: tuple[Check, ...]
    about: str = ""
    source: str = ""

    @cached_property
    def is_symmetric(self) -> bool:
        """Whether left and right have the same ideals, so that there is one version only.

        In a side view the headings of both sides are the same, in a front view they are mirrored.
        """
        ours = {(check.measure, check.ideal) for check in self.checks}
        same = {(swap_sides(measure), ideal) for measure, ideal in ours}
        mirrored = {(measure, _mirrored(measure, ideal)) for measure, ideal in same}
        return ours in (same, mirrored)


def check_measure(measure: str) -> None:
    """Refuse what is no measure of a pose.

    Raises:
        UsageError: There is no such kind, joint or limb; the message names the nearest.
    """
    kind, _, part = measure.partition(".")
    if kind not in KINDS:
        what = f"no measure named '{kind}'"
        raise UsageError(what, where="measure", remedy=suggest(kind, KINDS))
    if part not in KINDS[kind]:
        noun = "limb" if KINDS[kind] is LIMB_NAMES else "joint"
        what = f"no {noun} named '{part}'"
        raise UsageError(what, where="measure", remedy=suggest(part, KINDS[kind]))


def swap_sides(name: str) -> str:
    """Return a name with ``left`` and ``right`` exchanged."""
    if "left_" in name:
        return name.replace("left_", "right_")
    return name.replace("right_", "left_")


def _mirrored(measure: str, ideal: float) -> float:
    if measure.startswith("elevation") and measure.endswith((".shoulders", ".hips")):
        return -ideal
    if not measure.startswith("heading") or measure.endswith((".shoulders", ".hips")):
        return ideal
    return (360 - ideal) % 360 - 180
