"""What a posed body looks like: its clothed, round pieces in the picture, far ones first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from poise.synthetic.body import Body, Proportions, Vector, head_axes
from poise.synthetic.camera import View
from poise.synthetic.head import Head
from poise.synthetic.parts import Cloth, HeadPart, Limb, Part
from poise.synthetic.raster import Colour, Tube


@dataclass(frozen=True)
class Clothes:
    """Colours (RGB 0..255) and cut of what a figure wears, and of the figure itself."""

    shirt: Colour = (206, 74, 66)
    trousers: Colour = (52, 66, 104)
    shoes: Colour = (238, 236, 230)
    skin: Colour = (226, 178, 148)
    hair: Colour = (72, 50, 40)
    skirt: bool = False
    shorts: bool = False
    long_sleeves: bool = False
    long_hair: bool = False


WARDROBE: tuple[Clothes, ...] = (
    Clothes(),
    Clothes(shirt=(64, 140, 170), trousers=(70, 66, 62), shoes=(60, 44, 40), skin=(160, 110, 80),
            hair=(34, 28, 28), long_sleeves=True),
    Clothes(shirt=(236, 190, 84), trousers=(84, 56, 96), shoes=(214, 80, 84), skin=(238, 196, 168),
            hair=(176, 120, 62), skirt=True, long_hair=True),
    Clothes(shirt=(232, 232, 228), trousers=(60, 96, 84), shoes=(46, 46, 50), skin=(116, 78, 56),
            hair=(28, 24, 24), shorts=True),
    Clothes(shirt=(92, 148, 84), trousers=(122, 100, 76), shoes=(240, 238, 232),
            skin=(214, 166, 132), hair=(96, 72, 56), long_hair=True),
    Clothes(shirt=(150, 92, 156), trousers=(48, 50, 58), shoes=(232, 178, 72), skin=(190, 138, 106),
            hair=(48, 36, 34)),
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Figure:
    """A body on the stage: landmarks and orientations in stage axes, its size and its clothes."""

    body: Body
    proportions: Proportions
    clothes: Clothes
    scale: float = 1.0

    @property
    def unit(self) -> float:
        """Metres of its whole stature."""
        return self.proportions.stature * self.scale


class _Tailor:
    """Collects the pieces of one figure, seen by one camera."""

    def __init__(self, figure: Figure, view: View) -> None:
        self.figure, self.view = figure, view
        self.points, self.turns = figure.body.points, figure.body.turns
        self.girth = figure.unit * figure.proportions.girth
        self.parts: list[Part] = []

    def limb(
        self,
        chain: list[tuple[Vector, float]],
        colour: Colour,
        *,
        near: float = 0.0,
        order: float | None = None,
        flat: bool = False,
    ) -> float:
        """Add a round chain of (point, radius): stage metres, fractions of the stature.

        Returns its order: the given one, or its mean depth less ``near`` metres.
        """
        points = np.stack([point for point, _ in chain])
        depths = self.view.see(points)[:, 2]
        scale = self.view.focal / np.maximum(depths, 0.1)
        radii = np.array([radius for _, radius in chain]) * self.girth * scale
        tube = Tube(self.view.project(points), radii, depths * scale.mean(), flat)
        mine = float(depths.mean()) - near if order is None else order
        self.parts.append(Limb(tube, depths, colour, mine))
        return mine

    def cloth(
        self, rings: list[Vector], colour: Colour, *, near: float, before: float = np.inf
    ) -> None:
        """Add rings of stage points that are joined by cloth, nearer than ``before``."""
        flat = [self.view.project(ring) for ring in rings]
        depth = float(self.view.see(np.stack([ring.mean(axis=0) for ring in rings]))[:, 2].mean())
        self.parts.append(Cloth(flat, depth, colour, min(depth - near, before)))

    def ring(self, middle: Vector, turn: str, width: float, depth: float) -> Vector:
        """Return the (12, 3) points of a level cut, in the axes of a part of the body."""
        angle = np.arange(12) * (2 * np.pi / 12)
        flat = np.stack([width * np.cos(angle), 0 * angle, depth * np.sin(angle)], axis=1)
        ring: Vector = middle + flat * self.girth @ self.turns[turn].T
        return ring

    def ball(self, middle: Vector, radius: float) -> Vector:
        """Return the (10, 3) points of a ball's outline, as the camera sees it."""
        angle = np.arange(10) * (2 * np.pi / 10)
        flat = np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)
        outline: Vector = middle + flat * radius * self.girth @ self.view.turn
        return outline


def cut_parts(figure: Figure, view: View) -> list[Part]:
    """Return the pieces of a figure, far ones first."""
    tailor = _Tailor(figure, view)
    legs = min(_dress_leg(tailor, side) for side in ("left", "right"))
    for side in ("left", "right"):
        _add_shoe(tailor, side)
        arm = _dress_arm(tailor, side)
        _add_hand(tailor, side, arm - 0.01)
    _dress_trunk(tailor, legs)
    _add_head(tailor)
    return sorted(tailor.parts, key=lambda part: -part.order)


def _between(start: Vector, end: Vector, share: float) -> Vector:
    point: Vector = start + (end - start) * share
    return point


def _dress_leg(tailor: _Tailor, side: str) -> float:
    """Add a leg with its trousers; return the order of the leg."""
    points, clothes = tailor.points, tailor.figure.clothes
    hip, knee, ankle = (points[f"{side}_{name}"] for name in ("hip", "knee", "ankle"))
    socket, calf, low = _between(hip, knee, 0.09), _between(knee, ankle, 0.3), ankle
    if not (clothes.shorts or clothes.skirt):
        legs = [(socket, 0.049), (knee, 0.036), (calf, 0.036), (_between(knee, ankle, 1.05), 0.027)]
        return tailor.limb(legs, clothes.trousers, flat=True)
    legs = [(socket, 0.047), (knee, 0.030), (calf, 0.032), (low, 0.019)]
    order = tailor.limb(legs, clothes.skin, near=-0.05)
    sock = _between(ankle, knee, 0.14)
    tailor.limb([(low, 0.021), (sock, 0.0235)], (236, 236, 234), flat=True)
    if clothes.shorts:
        hem = _between(hip, knee, 0.72)
        cut = [(socket, 0.050), (hem, 0.045)]
        tailor.limb(cut, clothes.trousers, order=order - 0.06, flat=True)
    return order


def _add_shoe(tailor: _Tailor, side: str) -> None:
    points, clothes = tailor.points, tailor.figure.clothes
    ankle, heel, toe = (points[f"{side}_{name}"] for name in ("ankle", "heel", "foot_index"))
    tailor.limb([(ankle, 0.018), (_between(heel, ankle, 0.5), 0.018)], clothes.skin)
    instep = _between(heel, toe, 0.5) + (ankle - heel) * 0.12
    rings = [
        np.concatenate([tailor.ball(heel, 0.017), tailor.ball(_between(heel, ankle, 0.4), 0.018)]),
        np.concatenate([tailor.ball(instep, 0.021), tailor.ball(_between(heel, toe, 0.6), 0.018)]),
        tailor.ball(toe, 0.0155),
    ]
    tailor.cloth(rings, clothes.shoes, near=0.02)
    below = tailor.turns[f"{side}_foot"] @ [0, 0.011 * tailor.figure.unit, 0]
    sole = [(heel + below, 0.008), (toe + below, 0.0075)]
    dark = tuple(int(channel * 0.55) for channel in clothes.shoes)
    tailor.limb(sole, (dark[0], dark[1], dark[2]), near=0.03)


def _dress_arm(tailor: _Tailor, side: str) -> float:
    """Add an arm with its sleeve; return the order of the arm."""
    points, clothes = tailor.points, tailor.figure.clothes
    shoulder, elbow, wrist = (points[f"{side}_{name}"] for name in ("shoulder", "elbow", "wrist"))
    near = 0.13
    if clothes.long_sleeves:
        cuff = _between(elbow, wrist, 0.94)
        chain = [(shoulder, 0.032), (elbow, 0.027), (cuff, 0.020)]
        return tailor.limb(chain, clothes.shirt, near=near, flat=True)
    swell = _between(elbow, wrist, 0.25)
    chain = [(shoulder, 0.029), (elbow, 0.023), (swell, 0.0235), (wrist, 0.0155)]
    order = tailor.limb(chain, clothes.skin, near=near)
    sleeve = [(shoulder, 0.032), (_between(shoulder, elbow, 0.6), 0.031)]
    tailor.limb(sleeve, clothes.shirt, order=order - 0.001, flat=True)
    return order


def _add_hand(tailor: _Tailor, side: str, order: float) -> None:
    points, skin = tailor.points, tailor.figure.clothes.skin
    wrist, index, pinky = (points[f"{side}_{name}"] for name in ("wrist", "index", "pinky"))
    length = tailor.figure.proportions.hand * tailor.figure.unit
    along = (index + pinky) / 2 - wrist
    along = along / np.linalg.norm(along) * length
    palm = wrist + along * 0.34
    for finger, tip in ((index, 0.98), (pinky, 0.86), ((index + pinky) / 2, 1.02)):
        end = wrist + along * tip + (finger - wrist - along * 0.5) * 0.8
        tailor.limb([(palm, 0.014), (finger, 0.0095), (end, 0.007)], skin, order=order)
    flat = [(wrist, 0.0155), (palm, 0.019), (wrist + along * 0.52, 0.0165)]
    tailor.limb(flat, skin, order=order)
    root, thumb = wrist + along * 0.14, points[f"{side}_thumb"]
    chain = [(root, 0.011), (thumb, 0.0085), (thumb + along * 0.16, 0.007)]
    tailor.limb(chain, skin, order=order - 0.005)


def _dress_trunk(tailor: _Tailor, legs: float) -> None:
    points, clothes, turns = tailor.points, tailor.figure.clothes, tailor.turns
    unit = tailor.figure.unit
    hips, waist, neck = points["mid_hip"], points["waist"], points["neck"]
    down, up = turns["pelvis"] @ [0, unit, 0], turns["chest"] @ [0, -unit, 0]
    seat = tailor.ring(hips + down * 0.014, "pelvis", 0.090, 0.064)
    belt = tailor.ring(hips - down * 0.030, "pelvis", 0.084, 0.060)
    tailor.cloth([seat, belt], clothes.trousers, near=0.03)
    if clothes.skirt:
        _add_skirt(tailor, belt, legs)
    ends = [points[f"{side}_shoulder"] for side in ("left", "right")]
    shoulders = np.concatenate([tailor.ball(_between(end, neck, 0.06), 0.031) for end in ends])
    rings = [
        tailor.ring(hips + down * 0.008, "pelvis", 0.093, 0.068),
        tailor.ring(waist, "waist", 0.082, 0.058),
        tailor.ring(_between(waist, neck, 0.55), "chest", 0.096, 0.066),
        shoulders,
        tailor.ring(neck + up * 0.030, "chest", 0.037, 0.036),
    ]
    tailor.cloth(rings, clothes.shirt, near=0.10)


def _add_skirt(tailor: _Tailor, belt: Vector, legs: float) -> None:
    points, sides = tailor.points, ("left", "right")
    middle, hem = [], []
    for side in sides:
        hip, knee = points[f"{side}_hip"], points[f"{side}_knee"]
        middle.append(tailor.ring(_between(hip, knee, 0.2), f"{side}_thigh", 0.050, 0.068))
        hem.append(tailor.ring(_between(hip, knee, 0.72), f"{side}_thigh", 0.062, 0.062))
    rings = [belt, np.concatenate(middle), np.concatenate(hem)]
    tailor.cloth(rings, tailor.figure.clothes.trousers, near=0.09, before=legs - 0.001)


def _add_head(tailor: _Tailor) -> None:
    figure, view, points = tailor.figure, tailor.view, tailor.points
    clothes, unit = figure.clothes, figure.unit
    middle, neck, turn = points["head"], points["neck"], tailor.turns["head"]
    throat = _between(neck, middle, 0.26) + turn @ [0, 0, 0.008 * unit]
    tailor.limb([(throat, 0.030), (_between(neck, middle, 0.75), 0.030)], clothes.skin, near=0.125)
    depth = float(view.see(middle)[2])
    if clothes.long_hair:
        fall = neck + tailor.turns["chest"] @ [0, 0.03 * unit, 0.06 * unit]
        chain = [(middle + turn @ [0, 0, 0.03 * unit], 0.05), (fall, 0.040)]
        tailor.limb(chain, clothes.hair, near=0.10)
    pixels = view.focal / max(depth, 0.1)
    axes = head_axes(figure.proportions) * figure.scale * pixels
    colours = (clothes.skin, clothes.hair, clothes.long_hair)
    head = Head(view.project(middle), view.turn @ turn, axes, *colours)
    for side in ("left", "right"):
        ear = points[f"{side}_ear"] + turn @ [(0.004 if side == "left" else -0.004) * unit, 0, 0]
        low = ear + turn @ [0, 0.009 * unit, 0]
        tailor.limb([(ear, 0.011), (low, 0.008)], clothes.skin, near=0.055)
    tailor.parts.append(HeadPart(head, depth, depth - 0.14))
    nose = points["nose"]
    if float(view.see(nose)[2]) < depth - 0.02:
        bridge = nose + turn @ [0, -0.014 * unit, 0.005 * unit]
        tip = nose + turn @ [0, 0, 0.006 * unit]
        tailor.limb([(bridge, 0.005), (tip, 0.008)], clothes.skin, near=0.27)
