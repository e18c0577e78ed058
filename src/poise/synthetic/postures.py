"""Named postures: the whole body as joint angles, in degrees, from the person's own point of view.

A posture is a (D,) vector; ``JOINTS`` names its numbers. All zeros is a person who stands upright
with hanging arms. The joints of one side begin with ``left_`` or ``right_``.

    forward, sideways, lift    metres that the hips move (sideways: to the own left; lift: jump)
    body_pitch, _roll, _turn   the whole figure tips forward, tips to its left, turns to its left
    spine_bend, _side, _twist  the trunk bends forward, to its left, turns to its left
    head_nod, _tilt, _turn     the head likewise
    arm_front, arm_side        the upper arm leaves hanging: forwards, outwards
    arm_twist, elbow           turns the forearm outwards about the upper arm; bends the elbow
    leg_front, _side, _twist   the thigh likewise; twist turns the toes outwards
    knee, ankle                bends the knee; points the toes down
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from poise.errors import UsageError, suggest

Angles = npt.NDArray[np.float64]

_CENTRAL = (
    "forward", "sideways", "lift", "body_pitch", "body_roll", "body_turn",
    "spine_bend", "spine_side", "spine_twist", "head_nod", "head_tilt", "head_turn",
)  # fmt: skip
_SIDED = (
    "arm_front", "arm_side", "arm_twist", "elbow",
    "leg_front", "leg_side", "leg_twist", "knee", "ankle",
)  # fmt: skip

JOINTS: tuple[str, ...] = (
    *_CENTRAL,
    *(f"{side}_{joint}" for side in ("left", "right") for joint in _SIDED),
)
JOINT_NUMBER: dict[str, int] = {joint: number for number, joint in enumerate(JOINTS)}

# Numbers that change their sign in a mirror; the sided ones are measured outwards and do not.
_MIRROR_SIGN = np.array(
    [
        -1.0
        if joint in {"sideways", "body_roll", "body_turn", "spine_side", "spine_twist",
                     "head_tilt", "head_turn"}
        else 1.0
        for joint in JOINTS
    ]
)  # fmt: skip
_MIRROR_FROM = np.array(
    [
        JOINT_NUMBER[
            joint.replace("left_", "right_")
            if joint.startswith("left_")
            else joint.replace("right_", "left_")
        ]
        for joint in JOINTS
    ]
)

# A name without a side stands for both sides.
POSTURES: dict[str, dict[str, float]] = {
    "stand": {"arm_side": 8, "elbow": 10, "arm_twist": -30, "leg_side": 4, "leg_twist": 8},
    "t-pose": {"arm_side": 90, "leg_side": 4, "leg_twist": 8},
    "a-pose": {"arm_side": 45, "leg_side": 10, "leg_twist": 8},
    "arms up": {"arm_side": 165, "elbow": 12, "leg_side": 6, "leg_twist": 8},
    "cheer": {"arm_side": 140, "elbow": 15, "arm_twist": 90, "leg_side": 14, "leg_twist": 12,
              "head_nod": -8},
    "star": {"arm_side": 125, "elbow": 4, "leg_side": 24, "leg_twist": 20},
    "hands on hips": {"arm_side": 42, "arm_front": -8, "elbow": 95, "arm_twist": -80,
                      "leg_side": 8, "leg_twist": 10},
    "wave": {"arm_side": 8, "elbow": 10, "right_arm_side": 100, "right_elbow": 100,
             "right_arm_twist": 80, "leg_side": 5, "head_tilt": 6},
    "cactus": {"arm_side": 90, "elbow": 90, "arm_twist": 90, "leg_side": 10, "leg_twist": 8},
    "squat": {"leg_front": 88, "knee": 104, "leg_side": 18, "leg_twist": 18, "spine_bend": 34,
              "arm_front": 78, "arm_side": 6, "elbow": 12, "head_nod": -18, "forward": -0.22},
    "half squat": {"leg_front": 46, "knee": 62, "leg_side": 14, "leg_twist": 16,
                   "spine_bend": 18, "arm_front": 40, "arm_side": 14, "elbow": 50,
                   "head_nod": -8, "forward": -0.18},
    "sit": {"leg_front": 88, "knee": 88, "leg_side": 8, "arm_front": 25, "arm_side": 10,
            "elbow": 60, "arm_twist": -20},
    "lunge": {"left_leg_front": 62, "left_knee": 62, "right_leg_front": -10, "right_knee": 70,
              "right_ankle": -25, "arm_side": 40, "elbow": 90, "arm_twist": -80, "leg_side": 5},
    "side lunge": {"left_leg_side": 62, "left_leg_twist": 75, "left_knee": 60, "left_ankle": 0,
                   "right_leg_side": 41, "right_leg_twist": 12, "right_arm_side": 95,
                   "left_arm_side": 60, "left_elbow": 70, "left_arm_twist": -60,
                   "spine_side": 10, "sideways": 0.16},
    "kneel": {"left_leg_front": 92, "left_knee": 92, "right_leg_front": -4, "right_knee": 88,
              "right_ankle": -55, "arm_side": 14, "elbow": 35, "leg_side": 6},
    "bend": {"spine_bend": 82, "leg_front": 8, "knee": 8, "arm_front": 80, "arm_side": 6,
             "leg_side": 6, "head_nod": -14, "forward": -0.12},
    "bow": {"spine_bend": 50, "arm_side": 10, "elbow": 15, "leg_side": 3, "head_nod": 8},
    "lie": {"body_pitch": -90, "body_turn": 90, "arm_side": 16, "leg_side": 6, "ankle": 25},
    "punch": {"right_arm_front": 88, "right_arm_side": 6, "right_elbow": 4,
              "left_arm_front": 20, "left_arm_side": 16, "left_elbow": 128,
              "left_arm_twist": -18, "spine_twist": 18, "left_leg_front": 16,
              "left_knee": 20, "right_leg_front": -12, "right_knee": 6, "leg_side": 10},
    "guard": {"arm_front": 26, "arm_side": 14, "elbow": 126, "arm_twist": -14, "leg_side": 10,
              "left_leg_front": 14, "left_knee": 18, "right_leg_front": -12, "right_knee": 8},
    "kick": {"right_leg_front": 82, "right_knee": 8, "right_ankle": 30, "arm_side": 42,
             "elbow": 70, "arm_twist": -50, "spine_bend": -6, "left_leg_side": 4},
    "knee up": {"left_leg_front": 92, "left_knee": 96, "left_ankle": 12, "arm_side": 14,
                "right_arm_front": 40, "right_elbow": 90, "left_arm_front": -24,
                "left_elbow": 60, "right_leg_side": 2},
    "tree": {"left_leg_front": 48, "left_leg_side": 44, "left_leg_twist": 46, "left_knee": 122,
             "left_ankle": 30, "arm_side": 160, "elbow": 42, "arm_twist": 90},
    "point": {"right_arm_side": 136, "right_elbow": 2, "left_arm_side": 42,
              "left_arm_front": -8, "left_elbow": 95, "left_arm_twist": -80,
              "leg_side": 14, "leg_twist": 14, "spine_side": 10, "head_tilt": -6,
              "head_turn": -18},
    "lean": {"spine_side": 26, "left_arm_side": 42, "left_elbow": 95, "left_arm_twist": -80,
             "left_arm_front": -8, "right_arm_side": 158, "right_elbow": 20,
             "right_arm_twist": 80, "leg_side": 14, "leg_twist": 12, "head_tilt": 8},
}  # fmt: skip


def posture(name: str = "stand", **changes: float) -> Angles:
    """Return a named posture, with some of its joints changed.

    A joint may be named with its side (``left_elbow=90``) or without, for both sides. The ankles
    keep the soles level where neither the posture nor the changes say otherwise.

    Raises:
        UsageError: No posture or no joint has that name; the message names the nearest.
    """
    if name not in POSTURES:
        raise UsageError(f"no posture named '{name}'", remedy=suggest(name, POSTURES))
    return angles({**POSTURES[name], **changes})


def angles(joints: Mapping[str, float]) -> Angles:
    """Return the (D,) vector of a mapping of joint names to degrees (see ``posture``)."""
    vector = np.zeros(len(JOINTS))
    level = {"left_", "right_"}
    for joint, value in sorted(joints.items(), key=lambda item: item[0] in JOINT_NUMBER):
        numbers = _numbers(joint)
        vector[numbers] = value
        level -= {JOINTS[number].removesuffix("ankle") for number in numbers}
    for side in level:
        front, knee = vector[[JOINT_NUMBER[side + "leg_front"], JOINT_NUMBER[side + "knee"]]]
        vector[JOINT_NUMBER[side + "ankle"]] = front - knee
    return vector


def mirror(vector: Angles) -> Angles:
    """Return the mirrored posture: left and right change places."""
    mirrored: Angles = vector[..., _MIRROR_FROM] * _MIRROR_SIGN
    return mirrored


def _numbers(joint: str) -> list[int]:
    if joint in JOINT_NUMBER:
        return [JOINT_NUMBER[joint]]
    if joint in _SIDED:
        return [JOINT_NUMBER[f"left_{joint}"], JOINT_NUMBER[f"right_{joint}"]]
    raise UsageError(f"no joint named '{joint}'", remedy=suggest(joint, [*JOINTS, *_SIDED]))
