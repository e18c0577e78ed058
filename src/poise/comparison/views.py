"""What lies between two recordings of one movement: mirror, side, yaw and roll of the camera."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from poise.angles import LIMB_NAMES
from poise.comparison.matching import (
    Match,
    coarse_step,
    cost_matrix,
    elevation_matrix,
    match_coarse,
    weigh_limbs,
)
from poise.comparison.performance import Performance

Floats = npt.NDArray[np.float64]
Mirror = Literal["auto", "yes", "no"]
Allowed = Callable[[Performance, Performance], npt.NDArray[np.bool_] | None]

# A mirror image must fit clearly better: a movement that is the same on both sides is not mirrored.
_MIRROR_GAIN = 0.85
_MIRROR_LEAST = 0.012  # and by more than one wrong limb can make up
# Below this the 2D keypoints, which are several times more exact than the third coordinate, say
# more than a turned view; beyond it they say less.
_SMALLEST_YAW = 12.0
_LARGEST_ROLL = 20.0
_SHOULDERS, _HIPS = LIMB_NAMES.index("shoulders"), LIMB_NAMES.index("hips")


@dataclass(frozen=True, eq=False)
class View:
    """Both performances as one camera would see them, and what was done to that end.

    Attributes:
        reference, attempt: The performances in the same view.
        mirrored: Whether the attempt was mirrored.
        yaw: Degrees that the attempt's camera stands to the person's left, as it was recorded.
        roll: Degrees by which the attempt's picture is turned clockwise, as it was recorded.
        match: The coarse match in this view.
        deep: Whether the view was made from 3D coordinates.
    """

    reference: Performance
    attempt: Performance
    mirrored: bool
    yaw: float | None
    roll: float
    match: Match
    deep: bool = False


def find_view(
    reference: Performance, attempt: Performance, mirror: Mirror, allowed: Allowed
) -> View:
    """Bring the attempt into the reference's view.

    Args:
        reference, attempt: As they were recorded.
        mirror: Whether the attempt is a mirror image; ``auto`` finds out.
        allowed: Returns which pairs of moments may be matched, or None for all.
    """
    choices = {"auto": (False, True), "yes": (True,), "no": (False,)}[mirror]
    views = [_view(reference, attempt, mirrored=mirrored, allowed=allowed) for mirrored in choices]
    plain = views[0]
    best = plain
    if len(views) > 1 and views[1].match.cost < _MIRROR_GAIN * plain.match.cost - _MIRROR_LEAST:
        best = views[1]
    return _without_roll(best)


def _view(
    reference: Performance, attempt: Performance, *, mirrored: bool, allowed: Allowed
) -> View:
    if mirrored:
        attempt = attempt.mirrored()
    flat = _flat_view(reference, attempt, mirrored=mirrored, allowed=allowed)
    if reference.xyz is None or attempt.xyz is None:
        return flat
    yaw = _find_yaw(reference, attempt, allowed)
    if abs(yaw) < _SMALLEST_YAW:
        return replace(flat, yaw=yaw if mirrored else -yaw)
    ours, theirs = reference.seen_from(0.0), attempt.seen_from(-yaw)
    match = _match(ours, theirs, allowed)
    turned = View(ours, theirs, mirrored, yaw if mirrored else -yaw, 0.0, match, deep=True)
    return turned if turned.match.cost < flat.match.cost else replace(flat, yaw=None)


def _flat_view(
    reference: Performance, attempt: Performance, *, mirrored: bool, allowed: Allowed
) -> View:
    """The 2D view; where one shows the face and the other the back, from the other side."""
    yaw = None
    if facing(reference) * facing(attempt) < 0:
        attempt, yaw = attempt.from_behind(), 180.0
    return View(reference, attempt, mirrored, yaw, 0.0, _match(reference, attempt, allowed))


def facing(performance: Performance) -> int:
    """1 where the person mostly looks into the camera, -1 where it sees the back, 0 if unclear."""
    rows = [_SHOULDERS, _HIPS]
    weights = performance.weights[:, rows]
    total = float(weights.sum())
    mean = float((weights * performance.units[:, rows, 0]).sum()) / max(total, 1e-9)
    return int(np.sign(mean)) if abs(mean) > 0.5 else 0


def _match(reference: Performance, attempt: Performance, allowed: Allowed) -> Match:
    step = coarse_step(reference, attempt)
    ours, theirs = reference.thinned(step), attempt.thinned(step)
    cost = cost_matrix(ours, theirs, weigh_limbs(ours, theirs))
    return match_coarse(cost, step, allowed(ours, theirs))


def _find_yaw(reference: Performance, attempt: Performance, allowed: Allowed) -> float:
    """Return the turn about the vertical, in degrees, that fits the limbs in space best.

    The alignment is made from elevations, which do not change with the turn. For pairs of
    horizontal components the best turn has a closed form: the angle of the sum of products, as in
    Kabsch 1976 for one axis.
    """
    step = coarse_step(reference, attempt)
    ours, theirs = reference.thinned(step), attempt.thinned(step)
    limbs = weigh_limbs(ours, theirs)
    match = match_coarse(elevation_matrix(ours, theirs, limbs), step, allowed(ours, theirs))
    a, b = reference.directions[match.rows], attempt.directions[match.columns]
    weights = reference.weights[match.rows] * attempt.weights[match.columns]
    turn = np.vdot(weights, a[..., 0] * b[..., 2] - a[..., 2] * b[..., 0])
    along = np.vdot(weights, a[..., 0] * b[..., 0] + a[..., 2] * b[..., 2])
    return float(np.degrees(np.arctan2(turn, along)))


def _without_roll(view: View) -> View:
    """Take the camera's roll away: the turn that most of the limbs share most of the time."""
    rows, columns = view.match.rows, view.match.columns
    if not len(rows):
        return view
    a, b = view.reference.units[rows], view.attempt.units[columns]
    weights = view.reference.weights[rows] * view.attempt.weights[columns]
    turns = np.degrees(np.arctan2(cross(a, b), (a * b).sum(axis=2)))
    roll = find_roll(turns, weights)
    if not roll:
        return view
    recorded = -roll if view.mirrored else roll
    return replace(view, attempt=view.attempt.rolled(-roll), roll=recorded)


def find_roll(turns: Floats, weights: Floats) -> float:
    """Return the turn in degrees that most of the limbs share; 0 for one that is no roll."""
    roll = weighted_median(turns.ravel(), weights.ravel())
    return roll if 0.1 <= abs(roll) <= _LARGEST_ROLL else 0.0


def cross(a: Floats, b: Floats) -> Floats:
    """Return the sines of the angles from a to b, (..., 2) unit vectors; clockwise is positive."""
    turned: Floats = a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    return turned


def weighted_median(values: Floats, weights: Floats) -> float:
    """Return the value with half of the weight on either side; 0 where there is no weight."""
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    if not len(total) or total[-1] <= 0:
        return 0.0
    return float(values[order][np.searchsorted(total, total[-1] / 2)])
