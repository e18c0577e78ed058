"""What kind of mistake each wrong keypoint is: jitter, inversion, swap or miss."""

from __future__ import annotations

import numpy as np

from poise.evaluation.annotations import Floats
from poise.evaluation.engine import sigma_list
from poise.evaluation.matching import Matched, keypoint_likeness
from poise.skeleton import Skeleton

KINDS = ("good", "jitter", "inversion", "swap", "miss")
GOOD, NEAR = 0.85, 0.5


def sort_mistakes(matched: Matched, skeleton: Skeleton) -> dict[str, float]:
    """Return the share of each kind among the labelled keypoints of people who were found.

    By a keypoint's similarity to its own label, ``exp(-d^2 / (2 * area * (2 sigma)^2))``:

    - good: at least 0.85;
    - jitter: 0.5 to 0.85;
    - inversion: below 0.5, but at least 0.5 to the same person's label of the other side;
    - swap: below 0.5, but at least 0.5 to another person's label of the same keypoint, or of the
      other side's; where both an inversion and a swap fit, the nearer one counts;
    - miss: nothing of these.

    Source: Ronchi and Perona, "Benchmarking and error diagnosis in multi-instance pose
    estimation", ICCV 2017.

    Returns:
        Shares of 0..1 by name, of sum 1; NaN where nobody was found.
    """
    own, inverted, swapped = _likenesses(matched, skeleton)
    labelled = np.isfinite(matched.truth[..., 0]) & matched.found[:, None]
    wrong = own < NEAR
    inversion = wrong & (inverted >= NEAR) & (inverted >= swapped)
    swap = wrong & (swapped >= NEAR) & ~inversion
    masks = {
        "good": own >= GOOD,
        "jitter": (own >= NEAR) & (own < GOOD),
        "inversion": inversion,
        "swap": swap,
        "miss": wrong & ~inversion & ~swap,
    }
    total = np.count_nonzero(labelled)
    return {
        kind: float(np.count_nonzero(masks[kind] & labelled) / total) if total else np.nan
        for kind in KINDS
    }


def _likenesses(matched: Matched, skeleton: Skeleton) -> tuple[Floats, Floats, Floats]:
    """Return (N, K) similarities: to one's own label, to that of the other side, to others'."""
    sigmas, flip = np.array(sigma_list(skeleton)), skeleton.flip
    sided = flip != np.arange(len(skeleton))
    points, truth, areas = matched.points, matched.truth, matched.areas
    own = np.nan_to_num(keypoint_likeness(points, truth, areas, sigmas))
    mirrored = keypoint_likeness(points, truth[:, flip], areas, sigmas)
    inverted = np.where(sided, np.nan_to_num(mirrored), 0.0)
    swapped = np.zeros_like(own)
    for number in range(len(matched)):
        others = matched.pictures == matched.pictures[number]
        others[number] = False
        if not others.any():
            continue
        labels = np.concatenate([truth[others], truth[others][:, flip]])
        spread = np.concatenate([areas[others]] * 2)
        alike = keypoint_likeness(points[number][None], labels, spread, sigmas)
        swapped[number] = np.nan_to_num(alike).max(axis=0)
    return own, inverted, swapped
