"""The published measures of how alike two poses are, each under its own name.

All take (..., K, D) keypoints and compare them along the last two axes; the axes before broadcast,
so one pose can be compared with a whole track. An absent keypoint is NaN and is left out on both
sides, and where nothing can be compared the result is NaN. Where a published measure has its own
rule for that (OKS, PCK, the raw cosine distance), its docstring says so.
"""

from poise.metrics.accuracy import (
    head_length,
    joint_angle_error,
    mpjpe,
    pair_oks,
    pck,
    torso_length,
)
from poise.metrics.likeness import (
    COSINE_THRESHOLD,
    centred_cosine,
    cosine_distance,
    nearest_cosine_distance,
    weighted_distance,
)
from poise.metrics.superposition import Superposition, pa_mpjpe, procrustes, procrustes_error

__all__ = [
    "COSINE_THRESHOLD",
    "Superposition",
    "centred_cosine",
    "cosine_distance",
    "head_length",
    "joint_angle_error",
    "mpjpe",
    "nearest_cosine_distance",
    "pa_mpjpe",
    "pair_oks",
    "pck",
    "procrustes",
    "procrustes_error",
    "torso_length",
    "weighted_distance",
]
