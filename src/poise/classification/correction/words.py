"""Findings as the sentences of a teacher: what to move, which way, by how many degrees."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from poise.classification.correction.judging import Finding, Judgement
from poise.classification.correction.target import swap_sides

_PLURALS = {"foot": "feet"}
# What to say of a joint or limb where its value is to grow, and where it is to shrink.
_WORDS: dict[str, tuple[str, str]] = {
    "angle.knee": ("straighten {part} by {n} degrees", "bend {part} {n} degrees more"),
    "angle.elbow": ("straighten {part} by {n} degrees", "bend {part} {n} degrees more"),
    "angle.hip": ("open {part} by {n} degrees", "fold {part} {n} degrees more"),
    "angle.shoulder": (
        "move {arm} {n} degrees further from the trunk",
        "bring {arm} {n} degrees closer to the trunk",
    ),
    "angle.ankle": ("point {foot} {n} degrees more", "draw up {foot} by {n} degrees"),
    "angle.neck": ("straighten the neck by {n} degrees", "bend the neck {n} degrees more"),
    "arch": ("lift {part} by {n} degrees", "lower {part} by {n} degrees"),
    "across": (
        "lift the {left} end of {part} by {n} degrees",
        "lift the {right} end of {part} by {n} degrees",
    ),
    "elevation": ("raise {part} by {n} degrees", "lower {part} by {n} degrees"),
}


def tell(judgement: Judgement) -> list[tuple[str, Finding]]:
    """Return a sentence for everything that is beyond its tolerance, worst first.

    Where both sides do the same wrong they share a sentence, with the mean of their degrees. Left
    and right are the person's own.
    """
    told: list[tuple[str, Finding]] = []
    left = list(judgement.corrections)
    while left:
        worst = left.pop(0)
        twin = next((one for one in left if _are_twins(worst, one)), None)
        if twin is None:
            told.append((say(worst, judgement), worst))
            continue
        left.remove(twin)
        size = (abs(worst.off) + abs(twin.off)) / 2
        both = replace(worst, off=float(np.copysign(size, worst.off)))
        told.append((say(both, judgement, both=True), both))
    return told


def say(finding: Finding, judgement: Judgement, *, both: bool = False) -> str:
    """Return the sentence of one finding."""
    part = own_part(finding, judgement)
    degrees = f"{abs(finding.off):.0f}"
    custom = finding.check.more if finding.off > 0 else finding.check.less
    names = _names(part, both=both)
    if custom:
        return custom.replace("{degrees}", degrees).replace("{part}", names["part"])
    kind = finding.check.kind
    if kind == "heading":
        return _say_heading(finding, judgement, names["part"], degrees)
    if kind == "elevation" and part in ("shoulders", "hips"):
        kind = "across"
    elif kind == "angle":
        kind = f"angle.{_bare(part)}"
    elif kind == "arch":
        names["part"] = "the hips" if _bare(part) in ("hip", "hips") else names["part"]
    sides = ("right", "left") if judgement.swapped else ("left", "right")
    text = _WORDS[kind][finding.off < 0]
    return text.format(n=degrees, left=sides[0], right=sides[1], **names)


def own_part(finding: Finding, judgement: Judgement) -> str:
    """Return the joint or limb of a finding by the person's own left and right."""
    part = finding.check.part
    return swap_sides(part) if judgement.swapped else part


def unseen(judgement: Judgement) -> list[str]:
    """Return what could not be judged, in plain words, each once."""
    parts = [own_part(one, judgement) for one in judgement.findings if not one.seen]
    return [part.replace("_", " ") for part in dict.fromkeys(parts)]


def _say_heading(finding: Finding, judgement: Judgement, part: str, degrees: str) -> str:
    """Say where the limb's far end must go: up, down, forwards, outwards."""
    now, then = np.radians([finding.value, finding.value + finding.off])
    right, up = np.cos(then) - np.cos(now), np.sin(then) - np.sin(now)
    own = finding.check.part
    if own in ("shoulders", "hips"):
        sides = ("right", "left") if judgement.swapped else ("left", "right")
        return f"lift the {sides[int(up < 0)]} end of {part} by {degrees} degrees"
    verb = {"trunk": "lean", "head": "lean"}.get(own, "turn")
    if abs(up) >= abs(right):
        return f"{'raise' if up > 0 else 'lower'} {part} by {degrees} degrees"
    if judgement.target.view == "side":
        way = "forwards" if right > 0 else "backwards"
    elif judgement.target.view == "front" and own.startswith(("left_", "right_")):
        way = "outwards" if (right > 0) == own.startswith("left_") else "inwards"
    elif judgement.target.view == "front":
        way = f"to the {'left' if (right > 0) != judgement.swapped else 'right'}"
    else:
        seen_right = (right > 0) != judgement.flipped
        way = f"to the {'right' if seen_right else 'left'} of the picture"
    return f"{verb} {part} {degrees} degrees {way}"


def _are_twins(one: Finding, other: Finding) -> bool:
    if one.check.measure != swap_sides(other.check.measure):
        return False
    less, more = sorted([abs(one.off), abs(other.off)])
    # Where the headings of both sides are mirrored, what grows on one side shrinks on the other.
    mirrored = one.check.kind == "heading" and one.check.ideal != other.check.ideal
    return more <= 2 * less and ((one.off > 0) == (other.off > 0)) != mirrored


def _bare(part: str) -> str:
    return part.removeprefix("left_").removeprefix("right_")


def _names(part: str, *, both: bool) -> dict[str, str]:
    """Return how to call a joint or limb, and the arm or foot that it moves."""
    bare = _bare(part)
    if both:
        names = {"part": _PLURALS.get(bare, f"{bare}s"), "arm": "arms", "foot": "feet"}
        return {key: f"both {name}".replace("_", " ") for key, name in names.items()}
    side = "" if bare == part else f"{part.split('_', maxsplit=1)[0]} "
    names = {"part": bare, "arm": "arm", "foot": "foot"}
    return {key: f"the {side}{name}".replace("_", " ") for key, name in names.items()}
