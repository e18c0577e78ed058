"""A drawn body that faces the reader, each limb in the colour of its score."""

from __future__ import annotations

import math

from poise.comparison.report.markup import Markup, join, tag
from poise.comparison.report.sheet import Sheet, tone_of
from poise.comparison.result import Part

_WIDTH, _HEIGHT = 300, 430
_MIDDLE = _WIDTH / 2
# The person's left half: start, end and half widths there; where its number stands. Distances from
# the middle of the picture and from its top.
_SIDED = {
    "upper_arm": ((47, 116, 13), (66, 176, 11), (100, 148)),
    "forearm": ((66, 182, 10.5), (80, 238, 8), (116, 214)),
    "thigh": ((23, 236, 18), (28, 312, 13), (74, 284)),
    "shin": ((28, 320, 12.5), (31, 386, 8.5), (68, 358)),
    "foot": ((32, 398, 8), (50, 408, 6.5), (88, 408)),
}  # fmt: skip


def draw_body(sheet: Sheet) -> Markup:
    """Return the body with the score of every limb beside it."""
    parts = {part.name: part for part in sheet.comparison.limbs}
    shapes = [_head(sheet, parts), _trunk(sheet, parts)]
    for name, (start, end, label) in _SIDED.items():
        for side, sign in (("left", 1), ("right", -1)):
            part = parts.get(f"{side}_{name}")
            if part is not None:
                shape = tag("path", d=_capsule(_placed(start, sign), _placed(end, sign)))
                shapes.append(_limb(sheet, part, shape, (_MIDDLE + sign * label[0], label[1])))
    return tag("svg", *shapes, viewBox=f"0 0 {_WIDTH} {_HEIGHT}", role="img", class_="body",
               aria_label=sheet.say("limbs_alt"))  # fmt: skip


def _placed(point: tuple[float, float, float], sign: int) -> tuple[float, float, float]:
    return _MIDDLE + sign * point[0], point[1], point[2]


def _limb(sheet: Sheet, part: Part, shape: Markup, label: tuple[float, float]) -> Markup:
    say = sheet.say
    title = tag("title", f"{say.limb(part.name)}: {say.points(part.score)}")
    text = tag("text", say.points(part.score), x=label[0], y=label[1] + 5, class_="mid value")
    return tag("g", title, shape, text, class_=f"limb {tone_of(part.score)}")


def _head(sheet: Sheet, parts: dict[str, Part]) -> Markup | None:
    part = parts.get("head")
    shape = tag("ellipse", cx=_MIDDLE, cy=52, rx=24, ry=30)
    return _limb(sheet, part, shape, (_MIDDLE, 52)) if part else None


def _trunk(sheet: Sheet, parts: dict[str, Part]) -> Markup:
    """The chest and belly, with the lines of the shoulders above and of the hips below."""
    x = _MIDDLE
    chest = (
        f"M{x - 38} 118Q{x} 128 {x + 38} 118L{x + 30} 196Q{x} 204 {x - 30} 196Z",
        (x, 164),
    )
    shapes = {
        "shoulders": (_capsule((x - 38, 101, 10), (x + 38, 101, 10)), (x, 101)),
        "trunk": chest,
        "hips": (_capsule((x - 24, 213, 11), (x + 24, 213, 11)), (x, 213)),
    }
    drawn = [
        _limb(sheet, parts[name], tag("path", d=course), label)
        for name, (course, label) in shapes.items()
        if name in parts
    ]
    return join(drawn)


def _capsule(start: tuple[float, float, float], end: tuple[float, float, float]) -> str:
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
