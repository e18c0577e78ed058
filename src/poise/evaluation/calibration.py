"""Whether scores mean what they say: of what has a score of 0.8, is eight in ten right?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from poise.evaluation.ignoring import inside
from poise.evaluation.matching import MOST_PEOPLE, Matched
from poise.evaluation.truth import Floats, TruePicture, Truth
from poise.poses import Poses

BINS = 10
RIGHT = 0.5  # least similarity of what counts as right


@dataclass(frozen=True)
class Bin:
    """What has a score between two limits.

    Attributes:
        low: Lower limit; it belongs to the bin.
        high: Upper limit; it does not, but 1 does.
        count: How many have such a score.
        score: Their mean score; NaN where there are none.
        right: The share of them that is right, 0..1; NaN where there are none.
    """

    low: float
    high: float
    count: int
    score: float
    right: float


@dataclass(frozen=True)
class Reliability:
    """Scores beside what came true.

    Attributes:
        error: Expected calibration error, 0..1, 0 best: the mean over all of how far the share of
            right ones is from the mean score in their bin; NaN where there is nothing.
        count: How many scores there are.
        right: The share that is right.
        bins: Ten of equal width.

    Source: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, equations 2 and 3.
    """

    error: float
    count: int
    right: float
    bins: tuple[Bin, ...]


def measure_reliability(scores: Floats, right: npt.NDArray[np.bool_]) -> Reliability:
    """Set (n,) scores beside whether each is right; scores outside 0..1 fall into the last bins."""
    place = np.clip(np.floor(scores * BINS), 0, BINS - 1).astype(int)
    counts = np.bincount(place, minlength=BINS)
    many = np.where(counts > 0, counts, np.nan)
    means = np.bincount(place, weights=scores, minlength=BINS) / many
    shares = np.bincount(place, weights=right.astype(float), minlength=BINS) / many
    bins = tuple(
        Bin(n / BINS, (n + 1) / BINS, int(counts[n]), float(means[n]), float(shares[n]))
        for n in range(BINS)
    )
    if not len(scores):
        return Reliability(np.nan, 0, np.nan, bins)
    error = float(np.nansum(counts * np.abs(shares - means)) / len(scores))
    return Reliability(error, len(scores), float(right.mean()), bins)


def keypoint_reliability(matched: Matched) -> Reliability:
    """Set the scores of keypoints beside whether each is at least 0.5 like its label.

    The labelled keypoints of people who were found; one that a model left out has score 0.
    """
    there = np.isfinite(matched.truth[..., 0]) & matched.found[:, None]
    return measure_reliability(matched.scores[there], matched.likeness[there] >= RIGHT)


def person_reliability(truth: Truth, found: Sequence[Poses], matched: Matched) -> Reliability:
    """Set the scores of people who were found beside whether their OKS is at least 0.5.

    Of each picture the 20 best. Somebody who is nobody annotated is wrong, but one most of whose
    keypoints lie in the box of a crowd or of a person without labels is left out.
    """
    scores, right = [np.zeros(0)], [np.zeros(0, bool)]
    for number, (picture, poses) in enumerate(zip(truth.pictures, found, strict=True)):
        here = matched.pictures == number
        likeness = np.zeros(len(poses))
        known = np.zeros(len(poses), bool)
        rows = matched.rows[here]
        likeness[rows[rows >= 0]] = matched.oks[here][rows >= 0]
        known[rows[rows >= 0]] = True
        kept = known | ~_beside(picture, poses)
        best = np.argsort(-poses.person_scores, kind="stable")[:MOST_PEOPLE]
        chosen = best[kept[best]]
        scores.append(poses.person_scores[chosen].astype(np.float64))
        right.append(likeness[chosen] >= RIGHT)
    return measure_reliability(np.concatenate(scores), np.concatenate(right))


def _beside(picture: TruePicture, poses: Poses) -> npt.NDArray[np.bool_]:
    """Whether most keypoints of each person lie in a box of somebody who does not count."""
    most = np.zeros(len(poses), bool)
    for person in picture.people:
        if not person.counts:
            x, y, width, height = person.box
            corners = np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]])
            within = inside(poses.keypoints, corners).sum(axis=1)
            most |= within * 2 > poses.present.sum(axis=1)
    return most
