"""What kind of mistake each wrong keypoint is: jitter, inversion, swap or miss."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from poise.evaluation.matching import Matched, keypoint_likeness
from poise.evaluation.truth import Floats

KINDS = ("good", "jitter", "inversion", "swap", "miss")
GOOD, NEAR = 0.85, 0.5


def sort_mistakes(matched: Matched) -> npt.NDArray[np.int64]:
    """Return the (N, K) kind of each labelled keypoint of people who were found, from 0; else -1.

    By a keypoint's similarity to its own label, ``exp(-d^2 / (2 * area * (2 sigma)^2))``:

    - good: at least 0.85;
    - jitter: 0.5 to 0.85;
    - inversion: below 0.5, but at least 0.5 to the same person's label of the other side;
    - swap: below 0.5, but at least 0.5 to another person's label of the same keypoint, or of the
      other side's; where both an inversion and a swap fit, the nearer one counts;
    - miss: nothing of these.

    Source: Ronchi and Perona, "Benchmarking and error diagnosis in multi-instance pose
    estimation", ICCV 2017.
    """
    own, inverted, swapped = _likenesses(matched)
    labelled = np.isfinite(matched.truth[..., 0]) & matched.found[:, None]
    wrong = own < NEAR
    inversion = wrong & (inverted >= NEAR) & (inverted >= swapped)
    swap = wrong & (swapped >= NEAR) & ~inversion
    choices = [~labelled, own >= GOOD, own >= NEAR, inversion, swap]
    return np.select(choices, [-1, 0, 1, 2, 3], 4)


def shares(kinds: npt.NDArray[np.int64]) -> dict[str, float]:
    """Return the share of each kind, 0..1 by name, of sum 1; NaN where nobody was found."""
    total = np.count_nonzero(kinds >= 0)
    return {
        name: float(np.count_nonzero(kinds == number) / total) if total else np.nan
        for number, name in enumerate(KINDS)
    }


def _likenesses(matched: Matched) -> tuple[Floats, Floats, Floats]:
    """Return (N, K) similarities: to one's own label, to that of the other side, to others'."""
    sigmas, flip = matched.sigmas, matched.skeleton.flip
    sided = flip != np.arange(len(flip))
    points, truth, areas = matched.points, matched.truth, matched.areas
    own = np.nan_to_num(matched.likeness)
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
