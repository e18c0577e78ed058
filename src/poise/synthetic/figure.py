"""What a posed body looks like: its clothed, round pieces in the picture, far ones first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from poise.synthetic.body import Body, Proportions, Vector, head_axes
from poise.synthetic.camera import View
from poise.synthetic.head import Head
from poise.synthetic.parts import Cloth, HeadPart, Limb, Part
from poise.synthetic.raster import Colour


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
        self, start: Vector, end: Vector, radii: tuple[float, float], colour: Colour, *,
        near: float = 0.0,
    ) -> None:  # fmt: skip
        """Add a round piece; radii in fractions of the stature, ``near`` in metres."""
        depths = self.view.see(np.stack([start, end]))[:, 2]
        pixels = self.view.focal / np.maximum(depths, 0.1)
        ends = self.view.project(np.stack([start, end]))
        thick = np.array(radii) * self.girth * pixels
        self.parts.append(Limb(ends, thick, depths, colour, float(depths.mean()) - near))

    def cloth(
        self, rings: list[Vector], axis: tuple[Vector, Vector], colour: Colour, *, near: float
    ) -> None:
        """Add the hull of rings of stage points."""
        ends = np.stack(axis)
        depths = self.view.see(ends)[:, 2]
        corners = self.view.project(np.concatenate(rings))
        order = float(depths.mean()) - near
        self.parts.append(Cloth(corners, self.view.project(ends), depths, colour, order))

    def ring(self, middle: Vector, turn: str, width: float, depth: float) -> Vector:
        """Return the (12, 3) points of a level cut through the trunk."""
        angle = np.arange(12) * (2 * np.pi / 12)
        flat = np.stack([width * np.cos(angle), 0 * angle, depth * np.sin(angle)], axis=1)
        ring: Vector = middle + flat * self.girth @ self.turns[turn].T
        return ring


def cut_parts(figure: Figure, view: View) -> list[Part]:
    """Return the pieces of a figure, far ones first."""
    tailor = _Tailor(figure, view)
    for side in ("left", "right"):
        _dress_leg(tailor, side)
        _dress_arm(tailor, side)
        _add_hand(tailor, side)
    _dress_trunk(tailor)
    _add_head(tailor)
    return sorted(tailor.parts, key=lambda part: -part.order)


def _dress_leg(tailor: _Tailor, side: str) -> None:
    points, clothes = tailor.points, tailor.figure.clothes
    bare = clothes.shorts or clothes.skirt
    cloth = clothes.trousers
    hip, knee, ankle = (points[f"{side}_{name}"] for name in ("hip", "knee", "ankle"))
    socket = hip + (knee - hip) * 0.06
    if bare:
        tailor.limb(socket, knee, (0.048, 0.030), clothes.skin)
        tailor.limb(socket, hip + (knee - hip) * 0.68, (0.052, 0.046), cloth, near=0.02)
    else:
        tailor.limb(socket, knee, (0.052, 0.034), cloth)
    calf = knee + (ankle - knee) * 0.3
    shin = clothes.skin if bare else cloth
    tailor.limb(knee, calf, (0.030, 0.031) if bare else (0.033, 0.033), shin)
    tailor.limb(calf, ankle, (0.031, 0.019) if bare else (0.033, 0.025), shin)
    heel, toe = points[f"{side}_heel"], points[f"{side}_foot_index"]
    if bare:
        tailor.limb(ankle + (knee - ankle) * 0.06, ankle, (0.021, 0.021), (236, 236, 236))
    tailor.limb(ankle, heel + (toe - heel) * 0.22, (0.022, 0.020), clothes.shoes, near=0.01)
    ball = heel + (toe - heel) * 0.72
    tailor.limb(heel, ball, (0.019, 0.021), clothes.shoes, near=0.02)
    tailor.limb(ball, toe, (0.021, 0.016), clothes.shoes, near=0.02)


def _dress_arm(tailor: _Tailor, side: str) -> None:
    points, clothes = tailor.points, tailor.figure.clothes
    shoulder, elbow, wrist = (points[f"{side}_{name}"] for name in ("shoulder", "elbow", "wrist"))
    near = 0.06
    if clothes.long_sleeves:
        tailor.limb(shoulder, elbow, (0.033, 0.026), clothes.shirt, near=near)
        cuff = wrist + (elbow - wrist) * 0.1
        tailor.limb(elbow, cuff, (0.026, 0.019), clothes.shirt, near=near)
        return
    tailor.limb(shoulder, elbow, (0.029, 0.023), clothes.skin, near=near)
    tailor.limb(elbow, wrist, (0.0235, 0.0155), clothes.skin, near=near)
    hem = shoulder + (elbow - shoulder) * 0.52
    tailor.limb(shoulder, hem, (0.033, 0.031), clothes.shirt, near=near + 0.02)


def _add_hand(tailor: _Tailor, side: str) -> None:
    points, skin = tailor.points, tailor.figure.clothes.skin
    wrist, index, pinky = (points[f"{side}_{name}"] for name in ("wrist", "index", "pinky"))
    knuckles = (index + pinky) / 2
    palm = wrist + (knuckles - wrist) * 0.6
    tips = wrist + (knuckles - wrist) * 1.12
    tailor.limb(wrist, palm, (0.0155, 0.0195), skin, near=0.07)
    tailor.limb(palm, tips, (0.019, 0.011), skin, near=0.07)
    root = wrist + (knuckles - wrist) * 0.25
    tailor.limb(root, points[f"{side}_thumb"], (0.010, 0.008), skin, near=0.08)


def _dress_trunk(tailor: _Tailor) -> None:
    points, clothes, turns = tailor.points, tailor.figure.clothes, tailor.turns
    unit = tailor.figure.unit
    hips, waist, neck = points["mid_hip"], points["waist"], points["neck"]
    down = turns["pelvis"] @ [0, 1, 0]
    seat = tailor.ring(hips + down * 0.012 * unit, "pelvis", 0.088, 0.062)
    belt = tailor.ring(hips - down * 0.05 * unit, "pelvis", 0.084, 0.060)
    tailor.cloth([seat, belt], (hips + down * 0.02 * unit, waist), clothes.trousers, near=0.03)
    if clothes.skirt:
        knees = [points[f"{side}_hip"] * 0.32 + points[f"{side}_knee"] * 0.68
                 for side in ("left", "right")]  # fmt: skip
        hem = [tailor.ring(knee, "pelvis", 0.062, 0.056) for knee in knees]
        middle = (knees[0] + knees[1]) / 2
        tailor.cloth([belt, *hem], (hips, middle), clothes.trousers, near=0.10)
    hem_ring = tailor.ring(hips - down * 0.012 * unit, "pelvis", 0.091, 0.066)
    waist_ring = tailor.ring(waist, "waist", 0.080, 0.056)
    tailor.cloth([hem_ring, waist_ring], (hips, waist), clothes.shirt, near=0.05)
    chest = waist + (neck - waist) * 0.5
    chest_ring = tailor.ring(chest, "chest", 0.094, 0.064)
    slope = [points[f"{side}_shoulder"] for side in ("left", "right")]
    caps = [tailor.ring(shoulder, "chest", 0.022, 0.034) + turns["chest"] @ [0, lift * unit, 0]
            for shoulder in slope for lift in (-0.022, 0.012)]  # fmt: skip
    collar = tailor.ring(neck + turns["chest"] @ [0, -0.026 * unit, 0], "chest", 0.040, 0.036)
    tailor.cloth([waist_ring, chest_ring, *caps, collar], (waist, neck), clothes.shirt, near=0.055)


def _add_head(tailor: _Tailor) -> None:
    figure, view, points = tailor.figure, tailor.view, tailor.points
    clothes, unit = figure.clothes, figure.unit
    middle, neck, turn = points["head"], points["neck"], tailor.turns["head"]
    throat = neck + (middle - neck) * 0.25 + turn @ [0, 0, 0.008 * unit]
    tailor.limb(throat, middle * 0.75 + neck * 0.25, (0.031, 0.030), clothes.skin, near=0.058)
    depth = float(view.see(middle)[2])
    if clothes.long_hair:
        back = turn @ [0, 0, 0.032 * unit]
        fall = neck + tailor.turns["chest"] @ [0, 0.02 * unit, 0.055 * unit]
        tailor.limb(middle + back, fall, (0.047, 0.042), clothes.hair, near=-0.02)
    pixels = view.focal / max(depth, 0.1)
    axes = head_axes(figure.proportions) * figure.scale * pixels
    head = Head(view.project(middle), view.turn @ turn, axes, clothes.skin, clothes.hair)
    for side in ("left", "right"):
        ear = points[f"{side}_ear"]
        low = ear + turn @ [0, 0.009 * unit, 0]
        tailor.limb(ear, low, (0.011, 0.008), clothes.skin, near=-0.01)
    tailor.parts.append(HeadPart(head, depth, depth - 0.075))
    nose = points["nose"]
    if float(view.see(nose)[2]) < depth - 0.02:
        bridge = nose + turn @ [0, -0.012 * unit, 0.004 * unit]
        tailor.limb(bridge, nose + turn @ [0, 0, 0.006 * unit], (0.005, 0.0085), clothes.skin,
                    near=0.2)  # fmt: skip
