"""A drawn body that faces the reader, each limb in the colour of its score."""

from __future__ import annotations

import math

from poise.comparison.report.sheet import Sheet, tone_of
from poise.comparison.result import Part
from poise.markup import Markup, tag

_WIDTH, _HEIGHT = 300, 430
_MIDDLE = _WIDTH / 2
_Point = tuple[float, float, float]
_Label = tuple[float, float]
# The person's left half: start, end and half widths there; where its number stands. Distances from
# the middle of the picture and from its top.
_ARM: dict[str, tuple[_Point, _Point, _Label]] = {
    "upper_arm": ((51, 114, 13), (70, 176, 10.5), (104, 150)),
    "forearm": ((71, 184, 10), (84, 240, 7.5), (119, 216)),
}  # fmt: skip
_LEG: dict[str, tuple[_Point, _Point, _Label]] = {
    "thigh": ((22, 234, 18.5), (27, 310, 13), (74, 284)),
    "shin": ((27, 319, 12.5), (30, 386, 8), (68, 358)),
    "foot": ((32, 399, 8), (50, 409, 6), (88, 410)),
}  # fmt: skip


def draw_body(sheet: Sheet) -> Markup:
    """Return the body with the score of every limb beside it."""
    parts = {sheet.own(part.name): part for part in sheet.comparison.limbs}
    shapes = [*_sides(_LEG), *_middle(), *_sides(_ARM)]
    drawn = [
        _limb(sheet, parts[name], shape, label) for name, shape, label in shapes if name in parts
    ]
    return tag("svg", *drawn, viewBox=f"0 0 {_WIDTH} {_HEIGHT}", role="img", class_="body",
               aria_label=sheet.say("limbs_alt"))  # fmt: skip


def _limb(sheet: Sheet, part: Part, shape: Markup, label: _Label) -> Markup:
    say = sheet.say
    title = tag("title", f"{sheet.limb(part.name)}: {say.points(part.score)}")
    text = tag("text", say.points(part.score), x=label[0], y=label[1] + 5, class_="mid value")
    return tag("g", title, shape, text, class_=f"limb {tone_of(part.score)}")


def _sides(limbs: dict[str, tuple[_Point, _Point, _Label]]) -> list[tuple[str, Markup, _Label]]:
    drawn = []
    for name, (start, end, label) in limbs.items():
        for side, sign in (("left", 1), ("right", -1)):
            one, two = ((_MIDDLE + sign * x, y, radius) for x, y, radius in (start, end))
            place = (_MIDDLE + sign * label[0], label[1])
            drawn.append((f"{side}_{name}", tag("path", d=_capsule(one, two)), place))
    return drawn


def _middle() -> list[tuple[str, Markup, _Label]]:
    """Return the hips, the trunk, the line of the shoulders above it, and the head."""
    x = _MIDDLE
    chest = f"M{x - 39} 112H{x + 39}L{x + 31} 196Q{x + 30} 204 {x + 22} 204H{x - 22}"
    chest += f"Q{x - 30} 204 {x - 31} 196Z"
    hips, shoulders = _capsule((x - 26, 219, 12), (x + 26, 219, 12)), (x, 106)
    yoke = f"M{x - 10} 84V88Q{x - 12} 94 {x - 40} 98A11 11 0 0 0 {x - 40} 119H{x + 40}"
    yoke += f"A11 11 0 0 0 {x + 40} 98Q{x + 12} 94 {x + 10} 88V84Z"
    return [
        ("hips", tag("path", d=hips), (x, 219)),
        ("trunk", tag("path", d=chest), (x, 164)),
        ("shoulders", tag("path", d=yoke), shoulders),
        ("head", tag("ellipse", cx=x, cy=52, rx=25, ry=31), (x, 52)),
    ]


def _capsule(start: _Point, end: _Point) -> str:
    """Return the outline of two circles (x, y, radius) and what is between them."""
    (ax, ay, a), (bx, by, b) = start, end
    length = math.hypot(bx - ax, by - ay) or 1.0
    nx, ny = -(by - ay) / length, (bx - ax) / length
    corners = [
        (ax + nx * a, ay + ny * a),
        (bx + nx * b, by + ny * b),
        (bx - nx * b, by - ny * b),
        (ax - nx * a, ay - ny * a),
    ]
    one, two, three, four = (f"{x:.1f} {y:.1f}" for x, y in corners)
    return f"M{one}L{two}A{b} {b} 0 0 0 {three}L{four}A{a} {a} 0 0 0 {one}Z"
