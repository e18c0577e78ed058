"""A small three-dimensional body: limb lengths, and where joint angles put its landmarks.

Axes of the body, metres: x to the person's own left, y down, z to the back; it looks along -z.
A person who faces the camera thus has the axes of the camera (x right, y down, z away).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from poise.synthetic.postures import JOINTS, Angles

Vector = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Proportions:
    """Lengths as fractions of the stature.

    The lengths of limbs and the heights are Drillis and Contini's (1966), as printed in D. A.
    Winter, "Biomechanics and Motor Control of Human Movement", figure 4.1. The half-widths of
    shoulders and hips are measured to the centres of the joints, where COCO's annotators put
    them, not to the outer edge of the body; the ankle is as high as they mark it, above the shoe.

    Attributes:
        stature: Metres from the ground to the top of the head.
        girth: Thickness of trunk and limbs; 1 is slender, 1.3 is heavy.
        head: Size of the head; children have a larger one for their stature (1.3).
    """

    stature: float = 1.72
    girth: float = 1.0
    head: float = 1.0
    trunk: float = 0.288
    shoulder: float = 0.106
    hip: float = 0.056
    upper_arm: float = 0.186
    forearm: float = 0.146
    hand: float = 0.108
    thigh: float = 0.245
    shin: float = 0.246
    ankle: float = 0.046
    foot: float = 0.152
    neck: float = 0.117


@dataclass(frozen=True, eq=False)
class Body:
    """One posed body, metres, hips over the origin, ground at y = 0.

    Attributes:
        points: Landmarks by name: the keypoints of BlazePose and some more (``neck``, ``waist``).
        turns: (3, 3) orientations by name: pelvis, waist, chest, head, each hand, thigh and foot.
    """

    points: dict[str, Vector]
    turns: dict[str, Matrix]


def turn_x(degrees: float) -> Matrix:
    """Rotation that tips what stands up forwards (and swings what hangs down backwards)."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])


def turn_y(degrees: float) -> Matrix:
    """Rotation that turns the person to the own left."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[cos, 0, -sin], [0, 1, 0], [sin, 0, cos]])


def turn_z(degrees: float) -> Matrix:
    """Rotation that lifts what hangs down to the own left."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]])


def pose_body(angles: Angles, proportions: Proportions) -> Body:
    """Return where the joint angles (``postures``) put a body that stands on the ground."""
    joints = dict(zip(JOINTS, (float(value) for value in angles), strict=True))
    points: dict[str, Vector] = {}
    turns: dict[str, Matrix] = {}
    _pose_trunk(joints, proportions, points, turns)
    _pose_head(joints, proportions, points, turns)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        _pose_arm(joints, proportions, points, turns, side=side, sign=sign)
        _pose_leg(joints, proportions, points, turns, side=side, sign=sign)
    shift = np.array([joints["sideways"], -_lowest(points, proportions), -joints["forward"]])
    shift[1] -= joints["lift"]
    shift[[0, 2]] = (turn_y(joints["body_turn"]) @ shift)[[0, 2]]
    return Body({name: point + shift for name, point in points.items()}, turns)


def _pose_trunk(
    joints: dict[str, float], size: Proportions, points: dict[str, Vector], turns: dict[str, Matrix]
) -> None:
    pelvis = (
        turn_y(joints["body_turn"]) @ turn_z(-joints["body_roll"]) @ turn_x(joints["body_pitch"])
    )
    half = (
        turn_y(joints["spine_twist"] / 2)
        @ turn_z(-joints["spine_side"] / 2)
        @ turn_x(joints["spine_bend"] / 2)
    )
    length = size.trunk * size.stature
    turns["pelvis"], turns["waist"], turns["chest"] = pelvis, pelvis @ half, pelvis @ half @ half
    points["mid_hip"] = np.zeros(3)
    points["waist"] = turns["waist"] @ [0, -0.42 * length, 0]
    points["neck"] = points["waist"] + turns["chest"] @ [0, -0.58 * length, 0]


def _pose_head(
    joints: dict[str, float], size: Proportions, points: dict[str, Vector], turns: dict[str, Matrix]
) -> None:
    nod = turn_x(joints["head_nod"])
    tilt = turn_z(-joints["head_tilt"])
    turns["head"] = turns["chest"] @ turn_y(joints["head_turn"]) @ tilt @ nod
    middle = points["neck"] + turns["head"] @ np.array(
        [0, -size.neck * size.stature, -0.016 * size.stature]
    )
    points["head"] = middle
    axes = head_axes(size)
    for name, place in FACE.items():
        points[name] = middle + turns["head"] @ (axes * place)


def head_axes(size: Proportions) -> Vector:
    """Half-width, half-height and half-depth of the head in metres."""
    axes: Vector = np.array([0.047, 0.068, 0.056]) * size.head * size.stature
    return axes


def _on_face(x: float, y: float, out: float = 1.0) -> Vector:
    return np.array([x, y, -np.sqrt(1 - x * x - y * y)]) * out


# Landmarks on the head, in half-axes of the head: on the unit ball, front at z = -1.
FACE: dict[str, Vector] = {
    "nose": _on_face(0, 0.16, 1.12),
    "left_eye_inner": _on_face(0.22, -0.08),
    "left_eye": _on_face(0.38, -0.08),
    "left_eye_outer": _on_face(0.54, -0.08),
    "right_eye_inner": _on_face(-0.22, -0.08),
    "right_eye": _on_face(-0.38, -0.08),
    "right_eye_outer": _on_face(-0.54, -0.08),
    "left_ear": np.array([0.97, 0.06, 0.10]),
    "right_ear": np.array([-0.97, 0.06, 0.10]),
    "left_mouth": _on_face(0.26, 0.52),
    "right_mouth": _on_face(-0.26, 0.52),
}


def _pose_arm(
    joints: dict[str, float],
    size: Proportions,
    points: dict[str, Vector],
    turns: dict[str, Matrix],
    *,
    side: str,
    sign: float,
) -> None:
    scale = size.stature
    raised = np.clip((joints[f"{side}_arm_side"] - 60) / 120, 0, 1)
    socket = np.array([sign * size.shoulder * (1 - 0.12 * raised), 0.004 - 0.03 * raised, 0])
    upper = (
        turns["chest"]
        @ turn_x(-joints[f"{side}_arm_front"])
        @ turn_z(sign * joints[f"{side}_arm_side"])
        @ turn_y(sign * joints[f"{side}_arm_twist"])
    )
    lower = upper @ turn_x(-joints[f"{side}_elbow"])
    turns[f"{side}_hand"] = lower
    shoulder = points["neck"] + turns["chest"] @ socket * scale
    elbow = shoulder + upper @ [0, size.upper_arm * scale, 0]
    wrist = elbow + lower @ [0, size.forearm * scale, 0]
    points[f"{side}_shoulder"], points[f"{side}_elbow"] = shoulder, elbow
    points[f"{side}_wrist"] = wrist
    places = {
        "index": (0.0, 0.54, -0.17), "pinky": (0.0, 0.48, 0.17), "thumb": (-0.04, 0.36, -0.28),
    }  # fmt: skip
    for finger, (x, y, z) in places.items():
        offset = np.array([sign * x, y, z]) * size.hand * scale
        points[f"{side}_{finger}"] = wrist + lower @ offset


def _pose_leg(
    joints: dict[str, float],
    size: Proportions,
    points: dict[str, Vector],
    turns: dict[str, Matrix],
    *,
    side: str,
    sign: float,
) -> None:
    scale = size.stature
    upper = (
        turns["pelvis"]
        @ turn_x(-joints[f"{side}_leg_front"])
        @ turn_z(sign * joints[f"{side}_leg_side"])
        @ turn_y(sign * joints[f"{side}_leg_twist"])
    )
    lower = upper @ turn_x(joints[f"{side}_knee"])
    foot = lower @ turn_x(joints[f"{side}_ankle"])
    turns[f"{side}_thigh"], turns[f"{side}_foot"] = upper, foot
    hip = turns["pelvis"] @ [sign * size.hip * scale, 0, 0]
    knee = hip + upper @ [0, size.thigh * scale, 0]
    ankle = knee + lower @ [0, size.shin * scale, 0]
    points[f"{side}_hip"], points[f"{side}_knee"], points[f"{side}_ankle"] = hip, knee, ankle
    low = 0.7 * size.ankle
    points[f"{side}_heel"] = ankle + foot @ [0, low * scale, 0.24 * size.foot * scale]
    points[f"{side}_foot_index"] = ankle + foot @ [0, low * scale, -0.7 * size.foot * scale]


# How far the surface is below a landmark, as a fraction of the stature.
_PADDING = {
    "heel": 0.015, "foot_index": 0.015, "knee": 0.03, "wrist": 0.018, "index": 0.012,
    "elbow": 0.022, "hip": 0.06, "shoulder": 0.04, "ear": 0.01, "nose": 0.0,
}  # fmt: skip


def _lowest(points: dict[str, Vector], size: Proportions) -> float:
    return max(
        float(point[1]) + padding * size.stature
        for name, point in points.items()
        if (padding := _PADDING.get(name.split("_", 1)[-1])) is not None
    )
