"""Measures of shape that compare two poses as vectors: cosines and the weighted distance."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from poise.errors import UsageError
from poise.metrics.pairs import (
    Bools,
    Floats,
    check_pair,
    check_points,
    mean_of,
    pair_up,
    present,
    share_out,
)

COSINE_THRESHOLD = 0.15
"""Cosine distance below which the dance similarity notebook says "CORRECT STEPS"."""


def cosine_distance(a: npt.ArrayLike, b: npt.ArrayLike) -> Floats:
    """Return the cosine distance of raw pixel coordinates. For comparison only: do not trust it.

    ``1 - f.g / (|f| |g|)``, where f and g are the poses written as 2K coordinates, an absent
    keypoint as 0, 0. It is 0 for the same pose and 1 for a pose without keypoints.

    Do not trust it, for three reasons. Pixel coordinates are all positive and are measured from the
    corner of the picture, so two vectors point nearly the same way whenever two people stand in
    about the same place: what they do with their arms hardly counts, and where they stand does.
    An absent keypoint pulls the pose to the corner. And no keypoint is more certain than another.
    ``centred_cosine`` repairs the first two, its weights the third.

    Range 0..1 for coordinates inside a picture, 0 best. Unchanged only when a whole picture is
    enlarged about its corner; moving a person changes it.

    Source: 2D-Pose-Similarity.ipynb of mohit9949/Pose-Estimation-Similarity-With-TensorFlow
    (commit b126dc2a580c, Apache-2.0): COCO-18 in whole pixels of a picture of 420 x 720.

    Args:
        a: (..., K, 2) keypoints in pixels; NaN where absent.
        b: (..., K, 2) in the same layout.

    Returns:
        (...) distances.

    Raises:
        UsageError: The shapes do not belong together.
    """
    one, two = (_raw_directions(points) for points in check_pair(a, b, dimensions=(2,)))
    distance: Floats = np.maximum(1 - (one * two).sum(axis=-1), 0.0)
    return distance


def nearest_cosine_distance(reference_sequence: npt.ArrayLike, attempt: npt.ArrayLike) -> Floats:
    """Return the least ``cosine_distance`` to any frame of a reference. For comparison only.

    The score of the dance similarity notebook as its README describes it: a frame is "CORRECT
    STEPS" where the score is below ``COSINE_THRESHOLD``. (The notebook's code compares with the
    last frame of the reference alone.) Besides what is wrong with the cosine distance, order and
    time do not count: any frame of the reference may answer for any frame of the attempt.

    Range 0..1, 0 best.

    Args:
        reference_sequence: (T, K, 2) keypoints in pixels; NaN where absent.
        attempt: (..., K, 2) in the same layout, in a picture of the same size.

    Returns:
        (...) distances, NaN where the reference has no frame.

    Raises:
        UsageError: The shapes do not belong together.
    """
    reference = check_points(reference_sequence, "reference_sequence", (2,))
    tried = check_points(attempt, "attempt", (2,))
    if reference.ndim != 3 or reference.shape[1] != tried.shape[-2]:
        raise UsageError(
            f"wanted shape (T, {tried.shape[-2]}, 2), as attempt, got {reference.shape}",
            where="reference_sequence",
        )
    frames = _raw_directions(reference)
    if not len(frames):
        return np.full(tried.shape[:-2], np.nan)[()]
    # One product of matrices: every frame of the reference against every one of the attempt.
    likest = (_raw_directions(tried) @ frames.T).max(axis=-1)
    nearest: Floats = np.maximum(1 - likest, 0.0)
    return nearest


def centred_cosine(
    a: npt.ArrayLike, b: npt.ArrayLike, weights: npt.ArrayLike | None = None
) -> Floats:
    """Return the cosine similarity of two centred poses.

    ``sum w u.v / sqrt(sum w |u|^2 * sum w |v|^2)`` over the keypoints that both poses have, where
    u and v are measured from the weighted mean of those keypoints.

    Range -1..1, 1 best; 0 means unrelated, -1 the same pose upside down and mirrored. Unchanged
    when one of the poses is moved or enlarged, or both are turned alike; turning one changes it.

    Source: the correlation coefficient (Pearson) of the coordinates, with one mean for each axis
    and one scale for all. ``procrustes`` is the same with the best turn.

    Args:
        a: (..., K, D) keypoints, D = 2 or 3; NaN where absent.
        b: (..., K, D) in the same layout.
        weights: (..., K) of 0 or more, such as the product of both scores. None weighs all alike.

    Returns:
        (...) similarities; NaN where fewer than two keypoints are common, or where all keypoints
        of a pose lie in one point.

    Raises:
        UsageError: The shapes do not belong together, or a weight is below 0.
    """
    pair = pair_up(a, b, weights)
    one, two = pair.centred()
    product = mean_of((one * two).sum(axis=-1), pair.shares)
    lengths = np.sqrt(pair.spread(one)) * np.sqrt(pair.spread(two))
    similarity: Floats = np.clip(product / lengths, -1, 1)
    return similarity


def weighted_distance(a: npt.ArrayLike, b: npt.ArrayLike, scores: npt.ArrayLike) -> Floats:
    """Return Move Mirror's weighted distance: the surer a keypoint, the more it counts.

    ``1 / sum c_k * sum c_k (|x_k - x'_k| + |y_k - y'_k|)``, where c are the scores of the first
    pose. Each pose is measured from the upper left corner of the box around its keypoints and
    divided by the length of the vector of its 2K coordinates. Only keypoints that both poses have
    count, for the boxes too; the source knows no absent keypoints. The pictures' shape is kept.

    Range 0..2, 0 best; with K equal scores at most 2 / sqrt(K). Unchanged when one of the poses is
    moved or enlarged; turning one or both changes it. Not symmetric, as the scores are those of a.

    Source: "Move Mirror: An AI Experiment with Pose Estimation in the Browser using TensorFlow.js",
    Google Creative Lab, 2018, matching strategy 2, a formula of G. Papandreou and T. Zhu. The
    article writes the norm of the difference; the code printed in it adds up both coordinates.

    Args:
        a: (..., K, 2) keypoints in pixels; NaN where absent.
        b: (..., K, 2) in the same layout.
        scores: (..., K) of ``a``, in 0..1.

    Returns:
        (...) distances; NaN where fewer than two keypoints are common, or where all keypoints of
        a pose lie in one point.

    Raises:
        UsageError: The shapes do not belong together, or a score is below 0.
    """
    one, two = check_pair(a, b, dimensions=(2,))
    shares = share_out(scores, present(one) & present(two), "scores")
    gap = np.abs(_boxed(one, shares > 0) - _boxed(two, shares > 0)).sum(axis=-1)
    return mean_of(gap, shares)


def _raw_directions(points: Floats) -> Floats:
    """Return (..., 2K) coordinates of length 1, with 0, 0 for what is absent."""
    flat = np.where(present(points)[..., None], points, 0.0)
    flat = flat.reshape(*points.shape[:-2], 2 * points.shape[-2])
    length = np.linalg.norm(flat, axis=-1, keepdims=True)
    directions: Floats = np.divide(flat, length, out=np.zeros_like(flat), where=length > 0)
    return directions


def _boxed(points: Floats, counted: Bools) -> Floats:
    """Return points from the corner of their box, as one vector of length 1; NaN for a point."""
    inside = counted[..., None]
    corner = np.where(inside, points, np.inf).min(axis=-2, keepdims=True)
    placed = np.where(inside, points - np.where(np.isfinite(corner), corner, 0.0), 0.0)
    length = np.sqrt((placed**2).sum(axis=(-2, -1), keepdims=True))
    unit: Floats = np.divide(placed, length, out=np.full_like(placed, np.nan), where=length > 0)
    return unit
