"""Procrustes analysis: one pose laid over another by the best similarity transform."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from poise.metrics.pairs import Floats, mean_of, pair_up


@dataclass(frozen=True, eq=False)
class Superposition:
    """The transform that lays one pose over another, and what it leaves.

    Attributes:
        error: (...) 0..1, what is left, as a share of the size of the pose that was met.
        scale: (...) enlargement.
        rotation: (..., D, D) rotation; a reflection too where one was allowed and fits better.
        translation: (..., D) in the units of the pose that was met.

    All are NaN where no transform is determined.
    """

    error: Floats
    scale: Floats
    rotation: Floats
    translation: Floats

    def apply(self, points: npt.ArrayLike) -> Floats:
        """Return (..., K, D) points moved: ``scale * rotation @ point + translation``."""
        turned = np.asarray(points, np.float64) @ np.swapaxes(self.rotation, -1, -2)
        moved: Floats = self.scale[..., None, None] * turned + self.translation[..., None, :]
        return moved


def procrustes(
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    weights: npt.ArrayLike | None = None,
    *,
    mirror: bool = False,
) -> Superposition:
    """Lay pose a over pose b by the best scale, rotation and translation.

    They minimise ``e^2 = sum w |b_k - (s R a_k + t)|^2`` over the keypoints that both poses have.
    The error is ``e / sqrt(sum w |b_k - mean b|^2)``, the square root of the disparity of
    ``scipy.spatial.procrustes`` (which allows reflections).

    Range of the error 0..1, 0 best; the same from a to b as from b to a. Unchanged when one of the
    poses is moved, turned or enlarged; with ``mirror`` also when it is mirrored.

    Sources: Kabsch, Acta Cryst. A32 (1976) 922; Umeyama, "Least-squares estimation of
    transformation parameters between two point patterns", PAMI 13 (1991) 376.

    Args:
        a: (..., K, D) keypoints, D = 2 or 3; NaN where absent.
        b: (..., K, D) in the same layout.
        weights: (..., K) of 0 or more, such as the product of both scores. None weighs all alike.
        mirror: Also allow a reflection. The sides keep their names: to compare with a person's
            mirror image, exchange them by ``points[..., skeleton.flip, :]`` as well.

    Returns:
        The transform; NaN where fewer than two keypoints are common, or where all keypoints of a
        pose lie in one point. Two keypoints always fit, so look at how many there are.

    Raises:
        UsageError: The shapes do not belong together, or a weight is below 0.
    """
    pair = pair_up(a, b, weights)
    one, two = pair.centred()
    size, goal = pair.spread(one), pair.spread(two)
    covariance = np.einsum("...k,...ki,...kj->...ij", pair.shares, two, one)
    rotation, stretch = _best_rotation(covariance, mirror=mirror)
    scale = np.where(np.isfinite(goal), stretch / size, np.nan)
    rotation = np.where(np.isfinite(scale)[..., None, None], rotation, np.nan)
    turned = scale[..., None, None] * (one @ np.swapaxes(rotation, -1, -2))
    error = np.sqrt(mean_of(((two - turned) ** 2).sum(axis=-1), pair.shares) / goal)
    start = np.einsum("...ij,...j->...i", rotation, pair.middle(pair.a))
    shift = pair.middle(pair.b) - scale[..., None] * start
    return Superposition(np.minimum(error, 1.0), scale[()], rotation, shift)


def procrustes_error(
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    weights: npt.ArrayLike | None = None,
    *,
    mirror: bool = False,
) -> Floats:
    """Return only the error of ``procrustes``: (...) in 0..1, 0 best."""
    return procrustes(a, b, weights, mirror=mirror).error


def pa_mpjpe(a: npt.ArrayLike, b: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> Floats:
    """Return the mean distance of keypoints after ``procrustes`` has laid pose a over b.

    Range 0 and above, in the units of b, 0 best. Unchanged when a is moved, turned or enlarged. Not
    symmetric: b is the truth. May be above ``mpjpe``: the fit makes squares least.

    Source: "protocol 2" of the benchmarks on Human3.6M, also called reconstruction error.

    Args:
        a: (..., K, D) keypoints, D = 2 or 3; NaN where absent.
        b: (..., K, D) in the same layout.
        weights: (..., K) of 0 or more. None weighs all alike.

    Returns:
        (...) distances; NaN where ``procrustes`` determines no transform.

    Raises:
        UsageError: The shapes do not belong together, or a weight is below 0.
    """
    pair = pair_up(a, b, weights)
    fit = procrustes(a, b, weights)
    return mean_of(np.linalg.norm(pair.b - fit.apply(pair.a), axis=-1), pair.shares)


def _best_rotation(covariance: Floats, *, mirror: bool) -> tuple[Floats, Floats]:
    """Return the (..., D, D) rotations of Kabsch, and the (...) traces of what they bring over."""
    left, strengths, right = np.linalg.svd(covariance)
    if not mirror:
        # The weakest axis is turned over where the best fit would otherwise be a reflection.
        handed = np.where(np.linalg.det(left) * np.linalg.det(right) < 0, -1.0, 1.0)
        left[..., -1] *= handed[..., None]
        strengths[..., -1] *= handed
    return left @ right, strengths.sum(axis=-1)
