"""One person's movement as directions of limbs and angles of joints, on an even grid of time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt

from poise.angles import LIMB_NAMES, joint_angles, limb_vectors, normalized
from poise.clip import Track
from poise.errors import UsageError
from poise.skeleton import Skeleton

Floats = npt.NDArray[np.float64]

RATE = 30.0  # samples a second; what moves faster than 15 times a second is not dance
_LONGEST_GAP = 0.25  # seconds over which an absent keypoint is interpolated

# Lengths of limbs by the height of the body (Drillis and Contini 1966; Winter, Biomechanics and
# Motor Control of Human Movement, fig. 4.1), joint centre to joint centre, in the order of LIMBS.
_LENGTHS = {"trunk": 0.288, "head": 0.13, "shoulders": 0.23, "hips": 0.12, "upper_arm": 0.186,
            "forearm": 0.146, "thigh": 0.245, "shin": 0.246, "foot": 0.14}  # fmt: skip
LENGTHS = np.array([_LENGTHS[name.removeprefix("left_").removeprefix("right_")]
                    for name in LIMB_NAMES])  # fmt: skip
# A keypoint is off by about 1.4 % of the height (docs/performance.md); a limb that looks shorter
# than a few times that has no direction worth much.
_NOISE = 0.04
# From the side, shoulders and hips lie behind one another: their line then points anywhere.
_WIDTHS = [LIMB_NAMES.index("shoulders"), LIMB_NAMES.index("hips")]
_UNSURE, _SURE = 0.15, 0.5  # scores below and above which a keypoint counts nothing and fully


class Posed(Protocol):
    """What two movements are compared by, moment by moment; a ``Performance`` has it."""

    @property
    def times(self) -> Floats:
        """(T,) seconds."""

    @property
    def units(self) -> Floats:
        """(T, L, 2) directions of the limbs, length 1; zeros where absent."""

    @property
    def weights(self) -> Floats:
        """(T, L) how far each direction can be trusted, 0..1."""

    @property
    def joints(self) -> tuple[Floats, Floats]:
        """(T, J) angles in degrees, NaN where absent, and (T, J) weights 0..1."""


@dataclass(frozen=True, eq=False)
class Performance:
    """A track on an even grid.

    Attributes:
        skeleton: The body layout.
        times: (T,) seconds.
        points: (T, K, 2) pixels, or metres of a turned view; NaN where absent.
        scores: (T, K) in 0..1.
        xyz: (T, K, 3) metres or None.
    """

    skeleton: Skeleton
    times: Floats
    points: Floats
    scores: Floats
    xyz: Floats | None

    def __len__(self) -> int:
        return len(self.times)

    @cached_property
    def _limbs(self) -> tuple[Floats, Floats]:
        return limb_vectors(self.skeleton, self.points, self.scores)

    @cached_property
    def units(self) -> Floats:
        """(T, L, 2) directions of the limbs, length 1; zeros where absent."""
        units: Floats = np.nan_to_num(normalized(self._limbs[0]))
        return units

    @cached_property
    def weights(self) -> Floats:
        """(T, L) how far each direction can be trusted, 0..1: by score and by visible length."""
        lengths = self.lengths / np.maximum(self.size[:, None], 1e-9)
        trust = lengths**2 / (lengths**2 + _NOISE**2)
        trust[:, _WIDTHS] *= np.clip((lengths / LENGTHS)[:, _WIDTHS] / 0.3 - 1, 0, 1)
        weights: Floats = trust_scores(self._limbs[1]) * np.nan_to_num(trust)
        return weights

    @property
    def shown(self) -> npt.NDArray[np.bool_]:
        """(L,) whether each limb is to be seen at all."""
        shown: npt.NDArray[np.bool_] = np.any(self.weights > 0, axis=0)
        return shown

    @cached_property
    def lengths(self) -> Floats:
        """(T, L) visible lengths of the limbs, in the units of the points; NaN where absent."""
        lengths: Floats = np.linalg.norm(self._limbs[0], axis=-1)
        return lengths

    @cached_property
    def size(self) -> Floats:
        """(T,) height of the body in the units of the points, by the limb that shows longest."""
        shown = np.where(self._limbs[1] > _UNSURE, self.lengths / LENGTHS, 0.0)
        size: Floats = np.nan_to_num(np.sort(shown, axis=1)[:, -2])
        return size

    @cached_property
    def directions(self) -> Floats:
        """(T, L, 3) directions of the limbs in space, length 1; zeros where there is no 3D."""
        if self.xyz is None:
            return np.zeros((*self.lengths.shape, 3))
        vectors, _ = limb_vectors(self.skeleton, self.xyz, self.scores)
        directions: Floats = np.nan_to_num(normalized(vectors))
        return directions

    @cached_property
    def joints(self) -> tuple[Floats, Floats]:
        """(T, J) angles in degrees, NaN where absent, and (T, J) weights 0..1."""
        angles, scores = joint_angles(self.skeleton, self.points, self.scores)
        return angles, trust_scores(scores)

    def thinned(self, step: int) -> Performance:
        """Return every n-th moment."""
        return self._rows(slice(None, None, step))

    def between(self, start: float, end: float) -> Performance:
        """Return the moments of a span of time."""
        first, last = np.searchsorted(self.times, [start - 1e-9, end + 1e-9])
        return self._rows(slice(int(first), int(last)))

    def at(self, times: Floats) -> Performance:
        """Return the poses at some times, interpolated; absent where a time is NaN or outside."""
        place = np.interp(times, self.times, np.arange(len(self)), left=np.nan, right=np.nan)
        gone = ~np.isfinite(place)
        low = np.floor(np.where(gone, 0, place)).astype(int)
        high = np.minimum(low + 1, len(self) - 1)
        share = np.where(gone, 0, place) - low

        def mix(values: Floats) -> Floats:
            part = share.reshape(-1, *(1,) * (values.ndim - 1))
            mixed = np.where(part == 0, values[low], values[low] * (1 - part) + values[high] * part)
            mixed[gone] = np.nan
            return np.asarray(mixed, np.float64)

        xyz = None if self.xyz is None else mix(self.xyz)
        scores = np.nan_to_num(np.minimum(mix(self.scores), 1.0))
        return Performance(self.skeleton, times, mix(self.points), scores, xyz)

    def regridded(self, step: float) -> Performance:
        """Return it at moments that are ``step`` times as far apart, from the same first one."""
        if len(self) < 2 or step == 1:
            return self
        count = int((self.times[-1] - self.times[0]) * RATE / step + 1e-6) + 1
        return self.at(self.times[0] + np.arange(count) * step / RATE)

    def mirrored(self) -> Performance:
        """Return the mirror image: left for right."""
        flip = self.skeleton.flip
        xyz = None if self.xyz is None else self.xyz[:, flip] * (-1, 1, 1)
        points = self.points[:, flip] * (-1, 1)
        return replace(self, points=points, scores=self.scores[:, flip], xyz=xyz)

    def from_behind(self) -> Performance:
        """Return what a camera on the other side sees of it, without perspective."""
        xyz = None if self.xyz is None else self.xyz * (-1, 1, -1)
        return replace(self, points=self.points * (-1, 1), xyz=xyz)

    def rolled(self, degrees: float) -> Performance:
        """Return it with the picture turned clockwise."""
        angle = np.radians(degrees)
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        return replace(self, points=self.points @ turn)

    def seen_from(self, yaw: float) -> Performance:
        """Return what a camera sees that stands ``yaw`` degrees further around the person.

        Positive walks the camera counter-clockwise as seen from above. The points are then metres.

        Raises:
            UsageError: There are no 3D coordinates.
        """
        if self.xyz is None:
            raise UsageError("there are no 3D coordinates", where="track")
        angle = np.radians(yaw)
        across = self.xyz[..., 0] * np.cos(angle) - self.xyz[..., 2] * np.sin(angle)
        return replace(self, points=np.stack([across, self.xyz[..., 1]], axis=-1))

    def _rows(self, rows: slice) -> Performance:
        xyz = None if self.xyz is None else self.xyz[rows]
        return Performance(
            self.skeleton, self.times[rows], self.points[rows], self.scores[rows], xyz
        )


def trust_scores(scores: Floats) -> Floats:
    """Return how much keypoints with these scores count, 0..1."""
    trust: Floats = np.clip((scores - _UNSURE) / (_SURE - _UNSURE), 0, 1)
    return trust


def perform(track: Track) -> Performance:
    """Put a track on the even grid; short gaps are interpolated, long ones stay absent.

    Raises:
        UsageError: The track is empty, or no keypoint is ever there.
    """
    if not len(track) or not np.any(track.scores > 0):
        raise UsageError("nobody is to be seen", where=f"track {track.id}")
    times = np.asarray(track.times, np.float64)
    if len(times) > 1:
        grid = times[0] + np.arange(int((times[-1] - times[0]) * RATE + 1e-6) + 1) / RATE
    else:
        grid = times
    scores = np.where(np.isfinite(track.keypoints).all(axis=2), track.scores, 0)
    points, sure = _resample(times, track.keypoints, scores, grid)
    xyz = None
    if track.xyz is not None and np.isfinite(track.xyz).any():
        xyz = _resample(times, track.xyz, scores, grid)[0]
    return Performance(track.skeleton, grid, points, sure, xyz)


def _resample(
    times: Floats, values: npt.NDArray[np.float32], scores: npt.NDArray[np.float32], grid: Floats
) -> tuple[Floats, Floats]:
    """Interpolate (T, K, D) values and (T, K) scores between the moments that have them."""
    out = np.full((len(grid), *values.shape[1:]), np.nan)
    sure = np.zeros((len(grid), values.shape[1]))
    for keypoint in range(values.shape[1]):
        seen = np.flatnonzero(scores[:, keypoint] > 0)
        if not len(seen):
            continue
        known = times[seen]
        after = np.searchsorted(known, grid).clip(0, len(known) - 1)
        before = np.searchsorted(known, grid, side="right").clip(1, len(known)) - 1
        near = (known[after] - known[before] <= _LONGEST_GAP + 1e-9) | (known[before] == grid)
        near &= (grid >= known[0] - 1e-9) & (grid <= known[-1] + 1e-9)
        out[near, keypoint] = _interpolate(known, values[seen, keypoint], grid)[near]
        sure[near, keypoint] = np.interp(grid, known, scores[seen, keypoint])[near]
    return out, sure


def _interpolate(known: Floats, values: npt.NDArray[np.float32], grid: Floats) -> Floats:
    """Return (N, D) values on a grid by cubic Hermite pieces, whose slopes are central differences.

    A limb that swings turns too much between two frames of a slow camera for straight lines.
    """
    exact = values.astype(np.float64)
    if len(known) < 3:
        return np.stack([np.interp(grid, known, axis) for axis in exact.T], axis=1)
    slopes = np.gradient(exact, known, axis=0)
    low = np.clip(np.searchsorted(known, grid, side="right") - 1, 0, len(known) - 2)
    step = known[low + 1] - known[low]
    u = np.clip((grid - known[low]) / step, 0, 1)[:, None]
    a, b = exact[low], exact[low + 1]
    bend_a, bend_b = slopes[low] * step[:, None], slopes[low + 1] * step[:, None]
    rest = 1 - u
    curve: Floats = a * rest**2 * (1 + 2 * u) + b * u**2 * (3 - 2 * u)
    return curve + bend_a * u * rest**2 - bend_b * u**2 * rest
