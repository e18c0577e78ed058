"""The body layouts as data: names, edges, published sigmas, and what may be derived from what."""

from __future__ import annotations

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

LAYOUTS: dict[str, tuple[tuple[str, ...], Edges]] = {
    "coco17": (_COCO17, _COCO17_EDGES),
    "blazepose33": (_BLAZEPOSE33, _BLAZEPOSE33_EDGES),
}

# COCO's own constants (cocoapi, cocoeval.py, kpt_oks_sigmas).
SIGMAS: dict[str, float] = dict(
    zip(
        _COCO17,
        (.026, .025, .025, .035, .035, .079, .079, .072, .072, .062, .062,
         .107, .107, .087, .087, .089, .089),
        strict=True,
    )
)  # fmt: skip
DEFAULT_SIGMA = 0.079

# Names that mean the same landmark in different layouts.
ALIASES: dict[str, tuple[str, ...]] = {
    "mid_hip": ("pelvis",),
    "pelvis": ("mid_hip",),
}

# A keypoint that is by definition the mean of others (OpenPose and AlphaPose define these so).
DERIVED: dict[str, tuple[str, ...]] = {
    "neck": ("left_shoulder", "right_shoulder"),
    "mid_hip": ("left_hip", "right_hip"),
    "pelvis": ("left_hip", "right_hip"),
}
