"""The published sigmas of the body layouts: the spread of each keypoint for OKS, as data."""

from __future__ import annotations

from poise.skeleton_table import LAYOUTS

# COCO's own constants (cocoapi, cocoeval.py, kpt_oks_sigmas).
_COCO_SIGMAS = (
    .026, .025, .025, .035, .035, .079, .079, .072, .072, .062, .062, .107, .107, .087, .087,
    .089, .089,
)  # fmt: skip
# COCO-WholeBody's (evaluation/myeval_wholebody.py): body, feet, face, left hand, right hand.
_FOOT_SIGMAS = (.068, .066, .066, .092, .094, .094)  # fmt: skip
_FACE_SIGMAS = (
    .042, .043, .044, .043, .040, .035, .031, .025, .020, .023, .029, .032, .037, .038, .043,
    .041, .045, .013, .012, .011, .011, .012, .012, .011, .011, .013, .015, .009, .007, .007,
    .007, .012, .009, .008, .016, .010, .017, .011, .009, .011, .009, .007, .013, .008, .011,
    .012, .010, .034, .008, .008, .009, .008, .008, .007, .010, .008, .009, .009, .009, .007,
    .007, .008, .011, .008, .008, .008, .010, .008,
)  # fmt: skip
_HAND_SIGMAS = (
    .029, .022, .035, .037, .047, .026, .025, .024, .035, .018, .024, .022, .026, .017, .021,
    .021, .032, .020, .019, .022, .031,
)  # fmt: skip
# Halpe's (HalpeCOCOAPI, cocoeval.py).
_HALPE_SIGMAS = (*_COCO_SIGMAS, .026, .026, .066, .079, .079, .079, .079, .079, .079)  # fmt: skip
_HALPE136_SIGMAS = (
    *_COCO_SIGMAS, *(.08,) * 3, *(.089,) * 6, *(.015,) * 110,
)  # fmt: skip
_WHOLEBODY_SIGMAS = (*_COCO_SIGMAS, *_FOOT_SIGMAS, *_FACE_SIGMAS, *_HAND_SIGMAS, *_HAND_SIGMAS)

# By keypoint name, for every layout that has no list of its own. COCO-WholeBody's feet win over
# Halpe's, which give all six foot points one common value.
SIGMAS: dict[str, float] = {
    **dict(zip(LAYOUTS["halpe26"][0], _HALPE_SIGMAS, strict=True)),
    "pelvis": _HALPE_SIGMAS[19],
    **dict(zip(LAYOUTS["wholebody133"][0], _WHOLEBODY_SIGMAS, strict=True)),
}
# By layout, in the order of its keypoints, where its makers published them.
LAYOUT_SIGMAS: dict[str, tuple[float, ...]] = {
    "coco17": _COCO_SIGMAS,
    "halpe26": _HALPE_SIGMAS,
    "halpe136": _HALPE136_SIGMAS,
    "wholebody133": _WHOLEBODY_SIGMAS,
    # CrowdPose's evaluation (crowdposetools, cocoeval.py).
    "crowdpose14": (*_COCO_SIGMAS[5:], 0.079, 0.079),
    # AI Challenger's evaluation (keypoint_eval.py), whose deltas are twice these.
    "aic14": (
        0.01388152,
        0.01515228,
        0.01057665,
        0.01417709,
        0.01497891,
        0.01402144,
        0.03909642,
        0.03686941,
        0.01981803,
        0.03843971,
        0.03412318,
        0.02415081,
        0.01291456,
        0.01236173,
    ),
    # Both as in MMPose's dataset descriptions, after COCO's.
    "posetrack17": _COCO_SIGMAS,
    "jhmdb15": (
        0.025,
        0.107,
        0.025,
        0.079,
        0.079,
        0.107,
        0.107,
        0.072,
        0.072,
        0.087,
        0.087,
        0.062,
        0.062,
        0.089,
        0.089,
    ),
}
DEFAULT_SIGMA = 0.079
