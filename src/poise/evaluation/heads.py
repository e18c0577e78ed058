"""PCKh: the share of keypoints within half a head of their place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from poise.evaluation.matching import Matched
from poise.evaluation.truth import Floats
from poise.metrics import head_length, pck

# MPII's published mean leaves these out (HRNet's lib/dataset/mpii.py; MPII's evaluation).
_UNCOUNTED = {"mpii": ("pelvis", "thorax")}


@dataclass(frozen=True, eq=False)
class HeadFigures:
    """PCKh of all keypoints and of each.

    Attributes:
        share: Over all keypoints that count; NaN where no head's length is known.
        each: (K,) of each keypoint.
        kind: ``box`` for 0.6 of the diagonal of the head's box (MPII); ``segment`` for the way
            from the upper neck to the top of the head (LSP, and where no head has a box); None.
    """

    share: float
    each: Floats
    kind: str | None


def measure_heads(matched: Matched, dataset: str, alpha: float) -> HeadFigures:
    """Return PCKh.

    Source: Andriluka et al., "2D human pose estimation", CVPR 2014, and its evaluation.

    Args:
        matched: Who is whom.
        dataset: Whose conventions hold; MPII's leaves pelvis and thorax out of the mean.
        alpha: Share of the head's length that a keypoint may be off.
    """
    lengths, kind = head_length(matched.heads), "box"
    if not np.isfinite(lengths).any():
        lengths, kind = _segments(matched), "segment"
    names = matched.skeleton.keypoints
    counted = [name not in _UNCOUNTED.get(dataset, ()) for name in names]
    truth = matched.truth[:, counted]
    share = float(pck(matched.points[:, counted], truth, lengths, alpha, axis=None))
    each = pck(matched.points, matched.truth, lengths, alpha, axis=0)
    return HeadFigures(share, each, kind if np.isfinite(share) else None)


def _segments(matched: Matched) -> Floats:
    neck, top = (matched.skeleton.find(name) for name in ("upper_neck", "head_top"))
    if neck is None or top is None:
        return np.full(len(matched), np.nan)
    length: Floats = np.linalg.norm(matched.truth[:, neck] - matched.truth[:, top], axis=-1)
    return length
