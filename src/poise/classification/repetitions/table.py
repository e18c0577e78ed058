"""The exercises: what moves, how far at least, and what is a fault of it.

Measures are named as in rules (``poise.classification.measures``), with ``{side}`` for left and
right. Heights, distances and shifts are in body heights, angles in degrees. Shares of the stature
are those of Drillis and Contini (1966), as printed by Winter, "Biomechanics and Motor Control of
Human Movement": trunk 0.288, upper arm 0.186, forearm 0.146, thigh 0.245, shin 0.246. A standing
person's hip is 0.49 above the ankle; a squat to level thighs lowers it by 0.25, half of it in
degrees by 0.09.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from poise.errors import UsageError, suggest

When = Literal["held", "least", "most"]
View = Literal["any", "front", "side"]

_DEGREES = 180 / math.pi


@dataclass(frozen=True)
class Fault:
    """What is wrong with a repetition, told of one number in degrees.

    Attributes:
        name: One or two words.
        text: A sentence with ``{value}`` and ``{limit}``.
        when: The number is taken where the movement is farthest out (``held``), or at its
            ``least`` or ``most`` of the whole repetition (without the outer twentieths).
        series: The measures; the number is their weighted sum, of both sides the mean.
        weights: One for each measure; () for 1.
        above, below: It is a fault above or below this; None for never.
        view: From where it can be seen.
    """

    name: str
    text: str
    when: When
    series: tuple[str, ...]
    weights: tuple[float, ...] = ()
    above: float = math.inf
    below: float = -math.inf
    view: View = "any"


@dataclass(frozen=True)
class Gate:
    """What must hold where the movement is farthest out, or it is another movement.

    Attributes:
        series: One measure, with or without sides.
        least, most: Its range; the mean of the sides.
        change: Whether the change since the rest is meant, not the value.
        size: Whether the sign does not matter.
        view: From where it can be seen; from elsewhere nothing is asked.
    """

    series: str
    least: float = -math.inf
    most: float = math.inf
    change: bool = False
    size: bool = False
    view: View = "any"


@dataclass(frozen=True)
class Exercise:
    """One row of the table.

    Attributes:
        name, plural: In words; the name is what the command line takes.
        drive: The measure that goes out and back, of each side.
        sign: 1 where out is more, -1 where out is less.
        least: The least range of a repetition, in body heights.
        joint: The angle that the range of motion is told of, of each side.
        ways: What the way out and the way back are called.
        sides: ``both`` move as one, ``lower`` takes the one that lags, ``each`` counts arms that
            move in turn.
        gates, faults: See there.
        lead: A measure that is above 0 where the left side leads.
        floor: Below this the driving measure is at rest.
        legs: Whether the joint is a knee, whose angle from the front is told by the hips' height.
    """

    name: str
    plural: str
    drive: str
    sign: int
    least: float
    joint: str
    ways: tuple[str, str]
    sides: Literal["both", "lower", "each"] = "both"
    gates: tuple[Gate, ...] = ()
    faults: tuple[Fault, ...] = ()
    lead: str | None = None
    legs: bool = False
    floor: float = -math.inf


ANY = "any"
JOINT = "joint"  # in a fault: the number is the range of motion's own

_HIPS_OFF_LINE = (
    "height.{side}_hip.{side}_shoulder",
    "height.{side}_hip.{side}_ankle",
)  # the hip is 0.288 from the shoulder and 0.49 from the ankle, along the body
_KNEES = "height.left_knee.right_knee"
_OFF_LINE_DEGREES = _DEGREES * (1 / 0.288 + 1 / 0.49)

EXERCISES: dict[str, Exercise] = {
    row.name: row
    for row in (
        Exercise(
            "squat", "squats", "height.{side}_hip.{side}_ankle", -1, 0.12,
            "angle.{side}_knee", ("down", "up"), legs=True,
            gates=(Gate(_KNEES, most=0.06, size=True),),
            faults=(
                Fault("not deep enough", "not deep enough: the knees bend to {value} degrees, "
                      "wanted at most {limit}", "least", (JOINT,), above=100),
                Fault("knees inwards", "the knees go inwards: the shins lean in by {value} "
                      "degrees, wanted at most {limit}", "held",
                      ("across.left_ankle.left_knee", "across.right_knee.right_ankle"),
                      (_DEGREES / 0.246 / 2,) * 2, above=8, view="front"),
                Fault("trunk leaning", "the trunk leans by {value} degrees, wanted at most {limit}",
                      "held", ("leaning",), above=55, view="side"),
            ),
        ),
        Exercise(
            "lunge", "lunges", "height.{side}_hip.{side}_ankle", -1, 0.07,
            "angle.{side}_knee", ("down", "up"), lead=_KNEES, legs=True,
            gates=(Gate(_KNEES, least=0.03, size=True),),
            faults=(
                Fault("not deep enough", "not deep enough: the knee bends to {value} degrees, "
                      "wanted at most {limit}", "least", (JOINT,), above=120),
                Fault("trunk leaning", "the trunk leans by {value} degrees, wanted at most {limit}",
                      "held", ("leaning",), above=30),
            ),
        ),
        Exercise(
            "push-up", "push-ups", "height.{side}_shoulder.{side}_wrist", -1, 0.075,
            "angle.{side}_elbow", ("down", "up"),
            gates=(Gate("height.{side}_shoulder.{side}_hip", most=0.2),
                   Gate("height.{side}_shoulder.{side}_ankle", most=0.45)),
            faults=(
                Fault("not low enough", "not low enough: the elbows bend to {value} degrees, "
                      "wanted at most {limit}", "least", (JOINT,), above=110, view="side"),
                Fault("not straight", "the arms do not straighten: {value} degrees, wanted at "
                      "least {limit}", "most", (JOINT,), below=150, view="side"),
                Fault("hips sagging", "the hips sag by {value} degrees, wanted at most {limit}",
                      "held", _HIPS_OFF_LINE,
                      (-0.63 * _OFF_LINE_DEGREES, -0.37 * _OFF_LINE_DEGREES), above=20,
                      view="side"),
                Fault("hips piked", "the hips are {value} degrees too high, wanted at most {limit}",
                      "held", _HIPS_OFF_LINE,
                      (0.63 * _OFF_LINE_DEGREES, 0.37 * _OFF_LINE_DEGREES), above=25,
                      view="side"),
            ),
        ),
        Exercise(
            "curl", "curls", "height.{side}_wrist.{side}_elbow", 1, 0.14,
            "angle.{side}_elbow", ("up", "down"), "each",
            gates=(Gate("height.{side}_elbow.{side}_shoulder", most=-0.06),
                   Gate("height.{side}_wrist.{side}_elbow", least=0.0)),
            faults=(
                Fault("not fully straight", "the arm does not straighten: {value} degrees, wanted "
                      "at least {limit}", "most", (JOINT,), below=145),
                Fault("not bent enough", "the elbow bends only to {value} degrees, wanted at most "
                      "{limit}", "least", (JOINT,), above=75),
                Fault("elbow forward", "the elbow moves forward: the upper arm leaves the trunk by "
                      "{value} degrees, wanted at most {limit}", "held",
                      ("angle.{side}_shoulder",), above=35, view="side"),
            ),
        ),
        Exercise(
            "jumping-jack", "jumping jacks", "height.{side}_wrist.{side}_shoulder", 1, 0.3,
            "angle.{side}_shoulder", ("out", "in"), "lower",
            gates=(Gate("distance.left_ankle.right_ankle", least=0.06, change=True, view="front"),
                   Gate("height.{side}_wrist.{side}_shoulder", least=0.04)),
            faults=(
                Fault("arms not over the head", "the arms do not go over the head: {value} degrees "
                      "from the trunk, wanted at least {limit}", "most", (JOINT,), below=135,
                      view="front"),
            ),
        ),
        Exercise(
            "shoulder-press", "shoulder presses", "height.{side}_wrist.{side}_shoulder", 1, 0.13,
            "angle.{side}_shoulder", ("up", "down"), "each", floor=0.0,
            gates=(Gate("height.{side}_wrist.{side}_shoulder", least=0.17),),
            faults=(
                Fault("not fully straight", "the arm does not straighten: {value} degrees at the "
                      "elbow, wanted at least {limit}", "held", ("angle.{side}_elbow",), below=150),
                Fault("leaning back", "the trunk leans by {value} degrees, wanted at most {limit}",
                      "held", ("leaning",), above=15, view="side"),
            ),
        ),
    )
}  # fmt: skip


def find_exercise(name: str) -> Exercise:
    """Return a row of the table.

    Raises:
        UsageError: There is no such exercise; the message names the nearest.
    """
    if name not in EXERCISES:
        choices = [*EXERCISES, ANY]
        raise UsageError(f"no exercise named '{name}'", remedy=suggest(name, choices))
    return EXERCISES[name]


def sided(series: str) -> tuple[str, ...]:
    """Return the measure of the left and the right side, or the one that has no sides."""
    if "{side}" not in series:
        return (series,)
    return series.format(side="left"), series.format(side="right")


def needed_series(exercise: Exercise) -> tuple[str, ...]:
    """Return every measure of the exercise, each once."""
    named = [exercise.drive, exercise.joint, VIEW]
    named += [gate.series for gate in exercise.gates]
    named += [series for fault in exercise.faults for series in fault.series if series != JOINT]
    named += [exercise.lead] if exercise.lead else []
    return tuple(dict.fromkeys(name for series in named for name in sided(series)))


def needed_keypoints(exercise: Exercise) -> tuple[str, ...]:
    """Return the keypoints without which nothing can be counted: those of the drive."""
    return tuple(name for series in sided(exercise.drive) for name in series.split(".")[1:])


VIEW = "distance.left_shoulder.right_shoulder"
