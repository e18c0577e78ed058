"""What is common to two poses: checked shapes, the keypoints that both have, their weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from poise.errors import UsageError

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


_TINY = 1e-12  # extent, as a share of the coordinates, that is only rounding


@dataclass(frozen=True, eq=False)
class Pair:
    """Two poses of the same shape.

    Attributes:
        a, b: (..., K, D), 0 where the keypoint does not count.
        shares: (..., K) weight of each keypoint, 0 where it does not count: one of the poses lacks
            it, or its weight is 0. They sum to 1, or are all 0 where no keypoint counts.
    """

    a: Floats
    b: Floats
    shares: Floats

    def centred(self) -> tuple[Floats, Floats]:
        """Return both poses, measured from the weighted mean of the keypoints that count.

        All 0 where these lie in one point.
        """
        return self._centre(self.a), self._centre(self.b)

    def middle(self, points: Floats) -> Floats:
        """Return the (..., D) weighted mean of the keypoints that count."""
        middle: Floats = np.einsum("...k,...kd->...d", self.shares, points)
        return middle

    def spread(self, centred: Floats) -> Floats:
        """Return the (...) weighted mean square of a centred pose; NaN where it is all 0."""
        spread = np.einsum("...k,...kd->...", self.shares, centred**2)
        return np.where(spread > 0, spread, np.nan)

    def _centre(self, points: Floats) -> Floats:
        away = np.where(self.shares[..., None] > 0, points - self.middle(points)[..., None, :], 0.0)
        extent, reach = (np.abs(part).max(axis=(-2, -1), keepdims=True) for part in (away, points))
        return np.where(extent > _TINY * reach, away, 0.0)


def pair_up(a: npt.ArrayLike, b: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> Pair:
    """Return two poses with the keypoints that they have in common.

    Args:
        a: (..., K, D).
        b: (..., K, D), in the same layout.
        weights: (..., K), 0 or more; NaN counts as 0. None weighs all alike.

    Raises:
        UsageError: A shape is wrong, or a weight is below 0.
    """
    one, two = check_pair(a, b)
    shares = share_out(weights, present(one) & present(two))
    counted = shares[..., None] > 0
    return Pair(np.where(counted, one, 0.0), np.where(counted, two, 0.0), shares)


def share_out(weights: npt.ArrayLike | None, common: Bools, field: str = "weights") -> Floats:
    """Return (..., K) weights that sum to 1 over what is common, and are 0 elsewhere.

    Raises:
        UsageError: They do not fit what is common, or one is below 0.
    """
    shares = np.where(common, check_weights(weights, common.shape, field), 0.0)
    total = shares.sum(axis=-1, keepdims=True)
    part: Floats = np.divide(shares, total, out=np.zeros_like(shares), where=total > 0)
    return part


def mean_of(values: Floats, shares: Floats) -> Floats:
    """Return the (...) weighted mean of (..., K) values; NaN where nothing has a share."""
    total = (shares * np.where(shares > 0, values, 0.0)).sum(axis=-1)
    mean: Floats = np.where(shares.any(axis=-1), total, np.nan)[()]
    return mean


def check_points(points: npt.ArrayLike, field: str, dimensions: tuple[int, ...] = (2, 3)) -> Floats:
    """Return (..., K, D) keypoints as float64, NaN where they are not finite.

    Raises:
        UsageError: The shape is another; names the field.
    """
    values = numbers(points, field)
    if values.ndim < 2 or values.shape[-1] not in dimensions or values.shape[-2] == 0:
        wanted = " or ".join(f"(..., K, {number})" for number in dimensions)
        raise UsageError(f"wanted shape {wanted}, got {values.shape}", where=field)
    return np.where(np.isfinite(values), values, np.nan)


def check_pair(
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    fields: tuple[str, str] = ("a", "b"),
    dimensions: tuple[int, ...] = (2, 3),
) -> tuple[Floats, Floats]:
    """Return two poses as float64 arrays of one shape.

    Raises:
        UsageError: The shapes do not belong together; names the field.
    """
    one, two = check_points(a, fields[0], dimensions), check_points(b, fields[1], dimensions)
    if one.shape[-2:] != two.shape[-2:]:
        raise UsageError(
            f"wanted (..., {one.shape[-2]}, {one.shape[-1]}) as {fields[0]}, got {two.shape}",
            where=fields[1],
            remedy="bring both into one layout with Poses.to(skeleton)",
        )
    shape = fit_shapes(one.shape, two.shape, fields[1])
    return np.broadcast_to(one, shape), np.broadcast_to(two, shape)


def check_weights(
    weights: npt.ArrayLike | None, shape: tuple[int, ...], field: str = "weights"
) -> Floats:
    """Return weights of the given shape, all 1 where there are none; NaN becomes 0.

    Raises:
        UsageError: They do not fit the shape, or one is below 0 or without bound.
    """
    if weights is None:
        return np.ones(shape)
    values = numbers(weights, field)
    values = np.where(np.isnan(values), 0.0, values)
    if not bool(((values >= 0) & (values < np.inf)).all()):
        came = f"{values.min():g} to {values.max():g}"
        raise UsageError(f"wanted finite numbers from 0 up, got {came}", where=field)
    if values.ndim == 0 or values.shape[-1] != shape[-1]:
        raise UsageError(f"wanted shape (..., {shape[-1]}), got {values.shape}", where=field)
    if fit_shapes(values.shape, shape, field) != shape:
        raise UsageError(f"wanted {shape}, one for each keypoint, got {values.shape}", where=field)
    return np.broadcast_to(values, shape)


def present(points: Floats) -> Bools:
    """Return (..., K) which of (..., K, D) keypoints are there."""
    there: Bools = np.asarray(np.isfinite(points).all(axis=-1))
    return there


def numbers(values: npt.ArrayLike, field: str) -> Floats:
    """Return anything like an array as float64.

    Raises:
        UsageError: It holds something else, or its rows differ in length.
    """
    try:
        return np.asarray(values, np.float64)
    except (TypeError, ValueError) as error:
        raise UsageError(f"wanted an array of numbers ({error})", where=field) from error


def fit_shapes(one: tuple[int, ...], two: tuple[int, ...], field: str) -> tuple[int, ...]:
    """Return the shape that two broadcast to.

    Raises:
        UsageError: There is none; names the field.
    """
    try:
        return np.broadcast_shapes(one, two)
    except ValueError as error:
        raise UsageError(f"shapes {one} and {two} do not fit each other", where=field) from error
