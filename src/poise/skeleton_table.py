"""The body layouts as data: names, edges, and what may be derived from what.

Two layouts share a keypoint's name when, and only when, they mean the same landmark. What looks
alike but is not the same has another name, and conversion leaves it NaN:

* ``neck`` is the middle of the shoulders (OpenPose BODY_25 and COCO-18, AlphaPose);
  ``upper_neck`` is the label of MPII, LSP, AI Challenger, Halpe and OpenPose BODY_25B and MPI-15.
  MMPose's body8-halpe26 configurations join Halpe 17 and 18 with MPII 9 and 8 and with
  AI Challenger 12 and 13; OpenPose's ``poseParameters.cpp`` calls BODY_25B's 17 "UpperNeck", and
  its training code (``CPMDataTransformer``) takes MPI-15's 0 and 1 from MPII's head top and upper
  neck. SPIN joins the necks of LSP and MPII.
* ``mid_hip`` is the middle of the hips (OpenPose, Halpe's "hip"); ``pelvis`` is MPII's and
  Human3.6M's label of the same place, so each may stand for the other (``ALIASES``).
* ``left_foot_index`` (BlazePose) is no big toe; BlazePose's corners of eyes and mouth and its
  finger knuckles are not said to be the points of the 68-point face or of the 21-point hand.
* MediaPipe's 21 points of a hand are those of OpenPose's and COCO-WholeBody's hand; 50 points of
  its face mesh are among the 68 of the face (``mesh_table``).
* ``head`` (Human3.6M) is a motion-capture marker, not the top of the head. JHMDB's "head" lies in
  the middle of the face (its pictures show it), so it is ``face``, though MMPose joins it with
  Halpe 17; its neck is joined with Halpe 18.
* CrowdPose's "head" and "neck" are ``head_top`` and ``upper_neck``: MMPose joins them with Halpe
  17 and 18. PoseTrack's ``head_bottom`` is joined with nothing.

Orders and pairs: OpenPose ``poseParameters.cpp``; COCO-WholeBody, Halpe, MPII, AI Challenger,
CrowdPose, PoseTrack18, JHMDB and Human3.6M as in MMPose's dataset descriptions; LSP's own README;
MediaPipe Pose's landmark list.
"""

from __future__ import annotations

from poise.mesh_table import FACE478, FACE478_EDGES

Edges = tuple[tuple[int, int], ...]

_COCO17 = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear",
    "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
    "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
)  # fmt: skip
_COCO17_EDGES = (
    (0, 1), (0, 2), (1, 3), (2, 4), (5, 6), (5, 7), (7, 9), (6, 8), (8, 10),
    (5, 11), (6, 12), (11, 12), (11, 13), (13, 15), (12, 14), (14, 16),
)  # fmt: skip

_COCO18 = (
    "nose", "neck", "right_shoulder", "right_elbow", "right_wrist",
    "left_shoulder", "left_elbow", "left_wrist", "right_hip", "right_knee", "right_ankle",
    "left_hip", "left_knee", "left_ankle", "right_eye", "left_eye", "right_ear", "left_ear",
)  # fmt: skip
# The pairs that OpenPose draws: its ear-to-shoulder pairs only help the grouping.
_COCO18_EDGES = (
    (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12),
    (12, 13), (1, 0), (0, 14), (14, 16), (0, 15), (15, 17),
)  # fmt: skip

_BODY25 = (
    "nose", "neck", "right_shoulder", "right_elbow", "right_wrist",
    "left_shoulder", "left_elbow", "left_wrist", "mid_hip", "right_hip", "right_knee",
    "right_ankle", "left_hip", "left_knee", "left_ankle", "right_eye", "left_eye", "right_ear",
    "left_ear", "left_big_toe", "left_small_toe", "left_heel",
    "right_big_toe", "right_small_toe", "right_heel",
)  # fmt: skip
_BODY25_EDGES = (
    (1, 8), (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (8, 9), (9, 10), (10, 11), (8, 12),
    (12, 13), (13, 14), (1, 0), (0, 15), (15, 17), (0, 16), (16, 18), (14, 19), (19, 20),
    (14, 21), (11, 22), (22, 23), (11, 24),
)  # fmt: skip

_FEET = (
    "left_big_toe", "left_small_toe", "left_heel", "right_big_toe", "right_small_toe",
    "right_heel",
)  # fmt: skip
_BODY25B = (*_COCO17, "upper_neck", "head_top", *_FEET)
_BODY25B_EDGES = (
    *_COCO17_EDGES, (5, 17), (6, 17), (17, 18), (15, 19), (19, 20), (15, 21), (16, 22), (22, 23),
    (16, 24),
)  # fmt: skip

_MPII15 = (
    "head_top", "upper_neck", "right_shoulder", "right_elbow", "right_wrist",
    "left_shoulder", "left_elbow", "left_wrist", "right_hip", "right_knee", "right_ankle",
    "left_hip", "left_knee", "left_ankle", "chest",
)  # fmt: skip
_MPII15_EDGES = (
    (0, 1), (1, 2), (2, 3), (3, 4), (1, 5), (5, 6), (6, 7), (1, 14), (14, 8), (8, 9), (9, 10),
    (14, 11), (11, 12), (12, 13),
)  # fmt: skip

_MPII16 = (
    "right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle",
    "pelvis", "thorax", "upper_neck", "head_top",
    "right_wrist", "right_elbow", "right_shoulder", "left_shoulder", "left_elbow", "left_wrist",
)  # fmt: skip
_MPII16_EDGES = (
    (0, 1), (1, 2), (2, 6), (6, 3), (3, 4), (4, 5), (6, 7), (7, 8), (8, 9), (8, 12), (12, 11),
    (11, 10), (8, 13), (13, 14), (14, 15),
)  # fmt: skip

_BLAZEPOSE33 = (
    "nose", "left_eye_inner", "left_eye", "left_eye_outer",
    "right_eye_inner", "right_eye", "right_eye_outer", "left_ear", "right_ear",
    "left_mouth", "right_mouth", "left_shoulder", "right_shoulder", "left_elbow", "right_elbow",
    "left_wrist", "right_wrist", "left_pinky", "right_pinky", "left_index", "right_index",
    "left_thumb", "right_thumb", "left_hip", "right_hip", "left_knee", "right_knee",
    "left_ankle", "right_ankle", "left_heel", "right_heel", "left_foot_index", "right_foot_index",
)  # fmt: skip
_BLAZEPOSE33_EDGES = (
    (0, 1), (1, 2), (2, 3), (3, 7), (0, 4), (4, 5), (5, 6), (6, 8), (9, 10),
    (11, 12), (11, 13), (13, 15), (15, 17), (15, 19), (15, 21), (17, 19),
    (12, 14), (14, 16), (16, 18), (16, 20), (16, 22), (18, 20),
    (11, 23), (12, 24), (23, 24), (23, 25), (25, 27), (27, 29), (29, 31), (27, 31),
    (24, 26), (26, 28), (28, 30), (30, 32), (28, 32),
)  # fmt: skip

_HALPE26 = (
    *_COCO17, "head_top", "upper_neck", "mid_hip",
    "left_big_toe", "right_big_toe", "left_small_toe", "right_small_toe", "left_heel", "right_heel",
)  # fmt: skip
_HALPE26_EDGES = (
    (15, 13), (13, 11), (11, 19), (16, 14), (14, 12), (12, 19), (17, 18), (18, 19),
    (18, 5), (5, 7), (7, 9), (18, 6), (6, 8), (8, 10), (1, 2), (0, 1), (0, 2), (1, 3), (2, 4),
    (15, 20), (15, 22), (15, 24), (16, 21), (16, 23), (16, 25),
)  # fmt: skip

# The 68 points of the face (iBUG 300-W), seen from the front: 0 is at the person's right ear.
# The points of one side are numbered from the outside to the middle.
_FACE68 = (
    *(f"right_jaw_{i}" for i in range(8)), "chin", *(f"left_jaw_{i}" for i in reversed(range(8))),
    *(f"right_brow_{i}" for i in range(5)), *(f"left_brow_{i}" for i in reversed(range(5))),
    *(f"nose_bridge_{i}" for i in range(4)),
    "right_nostril_0", "right_nostril_1", "nose_base", "left_nostril_1", "left_nostril_0",
    "right_eyelid_outer", "right_eyelid_upper_0", "right_eyelid_upper_1", "right_eyelid_inner",
    "right_eyelid_lower_1", "right_eyelid_lower_0",
    "left_eyelid_inner", "left_eyelid_upper_1", "left_eyelid_upper_0", "left_eyelid_outer",
    "left_eyelid_lower_0", "left_eyelid_lower_1",
    "right_lip_corner", "right_lip_top_0", "right_lip_top_1", "lip_top",
    "left_lip_top_1", "left_lip_top_0", "left_lip_corner",
    "left_lip_bottom_0", "left_lip_bottom_1", "lip_bottom",
    "right_lip_bottom_1", "right_lip_bottom_0",
    "right_lip_inner_corner", "right_lip_inner_top", "lip_inner_top", "left_lip_inner_top",
    "left_lip_inner_corner", "left_lip_inner_bottom", "lip_inner_bottom", "right_lip_inner_bottom",
)  # fmt: skip
_HAND21 = (
    "hand_root",
    *(
        f"{finger}_{joint}"
        for finger in ("thumb", "forefinger", "middle_finger", "ring_finger", "pinky_finger")
        for joint in range(1, 5)
    ),
)


def _chain(first: int, last: int, *, closed: bool = False) -> Edges:
    links = tuple((point, point + 1) for point in range(first, last))
    return (*links, (last, first)) if closed else links


def _hand(root: int) -> Edges:
    fingers = range(root + 1, root + 21, 4)
    return tuple(
        edge for base in fingers for edge in ((root, base), *_chain(base, base + 3))
    )  # fmt: skip


def _face(first: int) -> Edges:
    lines = (_chain(0, 16), _chain(17, 21), _chain(22, 26), _chain(27, 30), _chain(31, 35))
    rings = ((36, 41), (42, 47), (48, 59), (60, 67))
    links = (*lines, *(_chain(a, b, closed=True) for a, b in rings))
    return tuple((first + a, first + b) for chain in links for a, b in chain)


_WHOLEBODY133 = (
    *_COCO17, *_FEET, *_FACE68, *(f"left_{name}" for name in _HAND21),
    *(f"right_{name}" for name in _HAND21),
)  # fmt: skip
_WHOLEBODY133_EDGES = (
    *_COCO17_EDGES, (15, 17), (15, 18), (15, 19), (16, 20), (16, 21), (16, 22), *_face(23),
    (9, 91), *_hand(91), (10, 112), *_hand(112),
)  # fmt: skip

_HANDS42 = (*(f"left_{name}" for name in _HAND21), *(f"right_{name}" for name in _HAND21))
_HANDS42_EDGES = (*_hand(0), *_hand(21))

# BlazePose's body, the hands and the face mesh of one person.
_HOLISTIC553 = (*_BLAZEPOSE33, *_HANDS42, *FACE478)
_HOLISTIC553_EDGES = (
    *_BLAZEPOSE33_EDGES, (15, 33), *_hand(33), (16, 54), *_hand(54),
    *((a + 75, b + 75) for a, b in FACE478_EDGES),
)  # fmt: skip

_HALPE136 = (*_HALPE26, *_FACE68, *_HANDS42)
_HALPE136_EDGES = (
    *_HALPE26_EDGES, *_face(26), (9, 94), *_hand(94), (10, 115), *_hand(115),
)  # fmt: skip

_CROWDPOSE14 = (*_COCO17[5:], "head_top", "upper_neck")
_CROWDPOSE14_EDGES = (
    (10, 8), (8, 6), (11, 9), (9, 7), (6, 7), (0, 6), (1, 7), (0, 1), (0, 2), (1, 3), (2, 4),
    (3, 5), (12, 13), (1, 13), (0, 13),
)  # fmt: skip

_POSETRACK17 = ("nose", "head_bottom", "head_top", *_COCO17[3:])
_POSETRACK17_EDGES = (
    (15, 13), (13, 11), (16, 14), (14, 12), (11, 12), (5, 11), (6, 12), (5, 6), (5, 7), (6, 8),
    (7, 9), (8, 10), (0, 1), (0, 2), (0, 3), (0, 4), (1, 5), (1, 6),
)  # fmt: skip

_JHMDB15 = (
    "upper_neck", "belly", "face", "right_shoulder", "left_shoulder", "right_hip", "left_hip",
    "right_elbow", "left_elbow", "right_knee", "left_knee", "right_wrist", "left_wrist",
    "right_ankle", "left_ankle",
)  # fmt: skip
_JHMDB15_EDGES = (
    (13, 9), (9, 5), (5, 1), (1, 6), (6, 10), (10, 14), (1, 0), (0, 2), (0, 3), (3, 7), (7, 11),
    (0, 4), (4, 8), (8, 12),
)  # fmt: skip

_LSP14 = (
    "right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle",
    "right_wrist", "right_elbow", "right_shoulder", "left_shoulder", "left_elbow", "left_wrist",
    "upper_neck", "head_top",
)  # fmt: skip
_LSP14_EDGES = (
    (0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (6, 7), (7, 8), (8, 12), (12, 9), (9, 10), (10, 11),
    (2, 8), (3, 9), (12, 13),
)  # fmt: skip

_AIC14 = (
    "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow", "left_wrist",
    "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle",
    "head_top", "upper_neck",
)  # fmt: skip
_AIC14_EDGES = (
    (2, 1), (1, 0), (0, 13), (13, 3), (3, 4), (4, 5), (8, 7), (7, 6), (6, 9), (9, 10), (10, 11),
    (12, 13), (0, 6), (3, 9),
)  # fmt: skip

# Human3.6M's "foot" is the ankle joint.
_H36M17 = (
    "pelvis", "left_hip", "left_knee", "left_ankle", "right_hip", "right_knee", "right_ankle",
    "spine", "thorax", "neck_base", "head",
    "left_shoulder", "left_elbow", "left_wrist", "right_shoulder", "right_elbow", "right_wrist",
)  # fmt: skip
_H36M17_EDGES = (
    (0, 1), (1, 2), (2, 3), (0, 4), (4, 5), (5, 6), (0, 7), (7, 8), (8, 9), (9, 10),
    (8, 11), (11, 12), (12, 13), (8, 14), (14, 15), (15, 16),
)  # fmt: skip

LAYOUTS: dict[str, tuple[tuple[str, ...], Edges]] = {
    "coco17": (_COCO17, _COCO17_EDGES),
    "coco18": (_COCO18, _COCO18_EDGES),
    "body25": (_BODY25, _BODY25_EDGES),
    "body25b": (_BODY25B, _BODY25B_EDGES),
    "mpii15": (_MPII15, _MPII15_EDGES),
    "mpii16": (_MPII16, _MPII16_EDGES),
    "blazepose33": (_BLAZEPOSE33, _BLAZEPOSE33_EDGES),
    "halpe26": (_HALPE26, _HALPE26_EDGES),
    "halpe136": (_HALPE136, _HALPE136_EDGES),
    "wholebody133": (_WHOLEBODY133, _WHOLEBODY133_EDGES),
    "crowdpose14": (_CROWDPOSE14, _CROWDPOSE14_EDGES),
    "posetrack17": (_POSETRACK17, _POSETRACK17_EDGES),
    "jhmdb15": (_JHMDB15, _JHMDB15_EDGES),
    "hands42": (_HANDS42, _HANDS42_EDGES),
    "face478": (FACE478, FACE478_EDGES),
    "holistic553": (_HOLISTIC553, _HOLISTIC553_EDGES),
    "lsp14": (_LSP14, _LSP14_EDGES),
    "aic14": (_AIC14, _AIC14_EDGES),
    "h36m17": (_H36M17, _H36M17_EDGES),
}

# Names that mean the same landmark in different layouts.
ALIASES: dict[str, tuple[str, ...]] = {
    "mid_hip": ("pelvis",),
    "pelvis": ("mid_hip",),
}

# A keypoint that is by definition the mean of others: the neck in OpenPose's and AlphaPose's
# COCO-18, the mid-hip in OpenPose's BODY_25, the chest in OpenPose's MPI-15 training code.
DERIVED: dict[str, tuple[str, ...]] = {
    "neck": ("left_shoulder", "right_shoulder"),
    "mid_hip": ("left_hip", "right_hip"),
    "pelvis": ("left_hip", "right_hip"),
    "chest": ("thorax", "pelvis"),
}
