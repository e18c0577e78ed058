"""Measures of accuracy: how far keypoints and angles are from where they should be."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from poise.errors import UsageError
from poise.geometry import oks
from poise.metrics.pairs import (
    Floats,
    check_pair,
    check_points,
    check_weights,
    fit_shapes,
    mean_of,
    numbers,
    pair_up,
    present,
    share_out,
)
from poise.skeleton import Skeleton

HEAD_SHARE = 0.6  # of the diagonal of MPII's head box, which is larger than the head

_FAR = 1e30  # so far away that no keypoint is like it


def pair_oks(
    points: npt.ArrayLike, truth: npt.ArrayLike, area: npt.ArrayLike, sigmas: npt.ArrayLike
) -> npt.NDArray[np.float32]:
    """Return the object keypoint similarity of each pose to its own reference.

    The mean over the reference's keypoints of ``exp(-d^2 / (2 * area * (2 sigma)^2))``: that of
    ``poise.geometry.oks``, which compares everyone with everyone. A keypoint that the pose lacks
    counts as 0, one that the reference lacks does not count.

    Range 0..1, 1 best. Unchanged when both are moved or turned alike, or enlarged together with
    the area.

    Source: COCO keypoint evaluation (Lin et al. 2014; pycocotools).

    Args:
        points: (..., K, 2) keypoints in pixels; NaN where absent.
        truth: (..., K, 2) references in the same layout.
        area: (...) area of the reference in square pixels, at least 1.
        sigmas: (K,) spread of each keypoint, such as ``skeleton.sigmas``.

    Returns:
        (...) similarities; 0 where the reference has no keypoint.

    Raises:
        UsageError: The shapes do not belong together.
    """
    found, wanted = check_pair(points, truth, ("points", "truth"), (2,))
    spread = check_weights(sigmas, (found.shape[-2],), "sigmas")
    areas = _for_each(area, found.shape[:-2], "area")
    # It knows only differences: all of them, from one pose that stands at the origin.
    there = present(wanted)[..., None]
    away = np.where(present(found)[..., None], wanted - found, _FAR)
    away = np.where(there, away, np.nan).reshape(-1, *found.shape[-2:])
    nowhere = np.zeros((1, *found.shape[-2:]), np.float32)
    likeness = oks(nowhere, away, areas.reshape(-1), spread)  # type: ignore[arg-type]  # float64
    mean: npt.NDArray[np.float32] = likeness[0].reshape(found.shape[:-2])[()]
    return mean


def pck(
    points: npt.ArrayLike,
    truth: npt.ArrayLike,
    length: npt.ArrayLike,
    alpha: float = 0.2,
    *,
    axis: int | tuple[int, ...] | None = -1,
) -> Floats:
    """Return the share of keypoints that are right: at most ``alpha * length`` from the truth.

    A keypoint that the pose lacks is wrong; one that the truth lacks does not count, nor do those
    of a person whose length is NaN.

    Range 0..1, 1 best. Unchanged when both are moved or turned alike, or enlarged together with
    the length.

    Sources: PCK, Yang and Ramanan, "Articulated human detection with flexible mixtures of parts",
    PAMI 2013 (length: the longer side of the person's box); PCK of the torso, Sapp and Taskar,
    "MODEC", CVPR 2013 (``torso_length``, alpha 0.2); PCKh, Andriluka et al., "2D human pose
    estimation", CVPR 2014 (``head_length``, alpha 0.5).

    Args:
        points: (..., K, D) keypoints, D = 2 or 3; NaN where absent.
        truth: (..., K, D) in the same layout.
        length: (...) of each person, in the units of the points.
        alpha: Share of the length that a keypoint may be off.
        axis: Axes of the (..., K) keypoints that are averaged: -1 gives one share for each pose,
            0 one for each keypoint of (N, K, D) poses, None a single one over all keypoints.

    Returns:
        Shares; NaN where no keypoint counts.

    Raises:
        UsageError: The shapes do not belong together, or alpha or a length is below 0.
    """
    if not alpha >= 0:
        raise UsageError(f"wanted 0 or more, got {alpha}", where="alpha")
    found, wanted = check_pair(points, truth, ("points", "truth"))
    lengths = _for_each(length, found.shape[:-2], "length")[..., None]
    counts = present(wanted) & np.isfinite(lengths)
    distance = np.linalg.norm(np.where(present(found)[..., None], found - wanted, np.inf), axis=-1)
    right = counts & (distance <= alpha * np.where(np.isfinite(lengths), lengths, 0.0))
    number = counts.sum(axis=axis)
    share: Floats = np.where(number > 0, right.sum(axis=axis) / np.maximum(number, 1), np.nan)[()]
    return share


def torso_length(skeleton: Skeleton, points: npt.ArrayLike) -> Floats:
    """Return the (...) distance from left hip to right shoulder of (..., K, D) keypoints.

    In the units of the points; NaN where one of them is absent. The torso of Sapp and Taskar,
    "MODEC", CVPR 2013.

    Raises:
        UsageError: The layout has no hips and shoulders, or the points are of another.
    """
    places = check_points(points, "points")
    if places.shape[-2] != len(skeleton):
        raise UsageError(
            f"wanted the {len(skeleton)} keypoints of {skeleton.name}, got {places.shape}",
            where="points",
        )
    hip, shoulder = (skeleton.find(name) for name in ("left_hip", "right_shoulder"))
    if hip is None or shoulder is None:
        raise UsageError(f"{skeleton.name} has no left_hip and right_shoulder", where="skeleton")
    length: Floats = np.linalg.norm(places[..., hip, :] - places[..., shoulder, :], axis=-1)
    return length


def head_length(boxes: npt.ArrayLike) -> Floats:
    """Return the (...) head lengths of PCKh from (..., 4) boxes of heads, x0 y0 x1 y1.

    0.6 of the diagonal, as in the evaluation published with MPII (Andriluka et al., CVPR 2014).

    Raises:
        UsageError: The boxes are not (..., 4).
    """
    corners = numbers(boxes, "boxes")
    if corners.ndim == 0 or corners.shape[-1] != 4:
        raise UsageError(f"wanted shape (..., 4), got {corners.shape}", where="boxes")
    length: Floats = HEAD_SHARE * np.linalg.norm(corners[..., 2:] - corners[..., :2], axis=-1)
    return length


def mpjpe(a: npt.ArrayLike, b: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> Floats:
    """Return the mean distance of keypoints (mean per joint position error).

    ``sum w |a_k - b_k| / sum w`` over the keypoints that both poses have.

    Range 0 and above, in the units of the points, 0 best. Unchanged when both are moved or turned
    alike. Benchmarks of 3D poses first move both roots to the origin; the caller does that.

    Source: Ionescu et al., "Human3.6M", PAMI 2014.

    Args:
        a: (..., K, D) keypoints, D = 2 or 3; NaN where absent.
        b: (..., K, D) in the same layout.
        weights: (..., K) of 0 or more. None weighs all alike.

    Returns:
        (...) distances; NaN where no keypoint is common.

    Raises:
        UsageError: The shapes do not belong together, or a weight is below 0.
    """
    pair = pair_up(a, b, weights)
    return mean_of(np.linalg.norm(pair.a - pair.b, axis=-1), pair.shares)


def joint_angle_error(
    a_degrees: npt.ArrayLike, b_degrees: npt.ArrayLike, weights: npt.ArrayLike | None = None
) -> Floats:
    """Return the mean difference of joint angles.

    ``sum w |a_j - b_j| / sum w``, each difference taken the shorter way round, over the angles
    that both have. ``poise.angles.joint_angles`` measures them.

    Range 0..180 degrees, 0 best. As joint angles themselves: unchanged when one of the poses is
    moved, enlarged, turned or mirrored.

    Args:
        a_degrees: (..., J) degrees; NaN where absent.
        b_degrees: (..., J).
        weights: (..., J) of 0 or more. None weighs all alike.

    Returns:
        (...) degrees; NaN where no angle is common.

    Raises:
        UsageError: The shapes do not belong together, or a weight is below 0.
    """
    one, two = numbers(a_degrees, "a_degrees"), numbers(b_degrees, "b_degrees")
    if one.ndim == 0:
        raise UsageError("wanted shape (..., J), got a single number", where="a_degrees")
    if two.shape[-1:] != one.shape[-1:]:
        raise UsageError(f"wanted shape (..., {one.shape[-1]}), got {two.shape}", where="b_degrees")
    fit_shapes(one.shape, two.shape, "b_degrees")
    common = np.isfinite(one) & np.isfinite(two)
    shares = share_out(weights, common)
    turn = np.where(common, one, 0.0) - np.where(common, two, 0.0)
    return mean_of(np.abs((turn + 180) % 360 - 180), shares)


def _for_each(values: npt.ArrayLike, shape: tuple[int, ...], field: str) -> Floats:
    """Return one number for each pose; NaN and 0 may stay."""
    given = numbers(values, field)
    if fit_shapes(given.shape, shape, field) != shape:
        raise UsageError(f"wanted {shape}, one for each pose, got {given.shape}", where=field)
    if (given < 0).any():
        raise UsageError(f"wanted 0 or more, got {np.nanmin(given):g}", where=field)
    return np.broadcast_to(given, shape)
