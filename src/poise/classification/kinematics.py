"""Joint angles, their speeds and the centre of mass of one person, frame by frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from poise.angles import JOINT_NAMES, LIMB_NAMES, joint_angles, limb_vectors
from poise.classification.measures import LEAST_SCORE, Measures
from poise.clip import Track
from poise.errors import InputError

Floats = npt.NDArray[np.float64]
Row = list[float | int | None]

# Segment, share of the body's mass, and the share of the way from the first to the second place at
# which its centre of mass lies: D. A. Winter, "Biomechanics and Motor Control of Human Movement",
# table 4.1 (after Dempster). Forearm with hand and shin with foot are taken as one, because most
# layouts have no keypoints for hands and feet; the head's centre of mass is at the ears.
SEGMENTS: tuple[tuple[str, str, str, float, float], ...] = (
    ("head", "ears", "ears", 0.081, 0.0),
    ("trunk", "mid_hip", "mid_shoulder", 0.497, 0.5),
    *(
        (f"{side}_{name}", f"{side}_{start}", f"{side}_{end}", mass, share)
        for side in ("left", "right")
        for name, start, end, mass, share in (
            ("upper_arm", "shoulder", "elbow", 0.028, 0.436),
            ("forearm_and_hand", "elbow", "wrist", 0.022, 0.682),
            ("thigh", "hip", "knee", 0.100, 0.433),
            ("shin_and_foot", "knee", "ankle", 0.061, 0.606),
        )
    ),
)
ENOUGH_MASS = 0.5  # share of the mass that must be seen

# A cubic fitted to 0.12 s on either side follows a sinus of 2 Hz with an error below 2 %.
REACH = 0.12  # seconds
_FEWEST = 4


@dataclass(frozen=True, eq=False)
class Kinematics:
    """How one person moves. T frames, J joints, L limbs of ``poise.angles``; NaN is unknown.

    Attributes:
        person: Identity in the clip.
        times: (T,) seconds.
        angles: (T, J) degrees 0..180 of ``JOINT_NAMES``; 180 is straight.
        speeds: (T, J) degrees a second; above 0 where the joint opens.
        elevations: (T, L) degrees -90..90 of ``LIMB_NAMES`` above the horizontal.
        centre: (T, 2) pixels of the centre of mass.
        height: (T,) of the centre of mass above the lower ankle, in body heights.
        share: (T,) 0..1, share of the mass that was seen; below a half there is no centre.
        has_depth: Whether angles, elevations and the height are of xyz, not of the picture.
    """

    person: int
    times: Floats
    angles: Floats
    speeds: Floats
    elevations: Floats
    centre: Floats
    height: Floats
    share: Floats
    has_depth: bool


def find_kinematics(
    track: Track,
    *,
    depth: bool = False,
    aspect: float = 1.0,
    least_score: float = LEAST_SCORE,
) -> Kinematics:
    """Return the angles, speeds and centre of mass of one person.

    Args:
        track: One person through time.
        depth: Whether to measure in the metres of ``xyz`` instead of in the picture.
        aspect: Width of a pixel by its height.
        least_score: Keypoints with a lower score count as absent.

    Raises:
        InputError: Depth is wanted and the track has none.
    """
    if depth and track.xyz is None:
        raise InputError(
            f"person {track.id} has no 3D keypoints",
            remedy="estimate with a model that gives them, such as -m blazepose",
        )
    square = replace(track, keypoints=track.keypoints * np.array([aspect, 1.0], np.float32))
    seen = square.scores >= max(least_score, 1e-9)
    space = track.xyz if depth and track.xyz is not None else square.keypoints
    points = np.where(seen[..., None], space, np.nan).astype(np.float64)
    flat = np.where(seen[..., None], square.keypoints, np.nan).astype(np.float64)
    angles, _ = joint_angles(track.skeleton, points, square.scores)
    vectors, _ = limb_vectors(track.skeleton, points, square.scores)
    centre, share = centre_of_mass(square, flat)
    times = np.asarray(track.times, np.float64)
    return Kinematics(
        track.id, times, angles, slopes(times, angles), _elevations(vectors),
        centre / [aspect, 1.0], _height(square, points, least_score, depth=depth), share, depth,
    )  # fmt: skip


def centre_of_mass(track: Track, points: Floats) -> tuple[Floats, Floats]:
    """Return the (T, D) centre of mass and the (T,) share of the mass that was seen.

    The mean of the centres of the segments that are seen, by their masses (``SEGMENTS``); NaN
    where less than half of the mass is seen.

    Args:
        track: Whose layout the points have.
        points: (T, K, D) keypoints, NaN where absent.
    """
    total = np.zeros((len(points), points.shape[2]))
    mass = np.zeros(len(points))
    for _, start, end, weight, share in SEGMENTS:
        first, last = _place(track, points, start), _place(track, points, end)
        middle = first + share * (last - first)
        seen = np.isfinite(middle[:, 0])
        total += np.where(seen[:, None], weight * middle, 0.0)
        mass += weight * seen
    enough = mass >= ENOUGH_MASS - 1e-9
    centre = np.where(enough[:, None], total / np.maximum(mass, 1e-9)[:, None], np.nan)
    return centre, mass


def slopes(times: Floats, values: Floats) -> Floats:
    """Return the slope per second of (T, C) values, by the true times of the frames.

    The derivative, at each frame, of the cubic that fits the values within 0.12 s best (Savitzky
    and Golay 1964, doi 10.1021/ac60214a047, on uneven times); of slow recordings at least the two
    frames to either side count. NaN where fewer than four values are there, or the value itself is
    not.
    """
    result = np.full(values.shape, np.nan)
    count = len(times)
    if count < _FEWEST:
        return result
    step = float(np.median(np.diff(times)))
    span = max(REACH, 2 * step) + 1e-6
    reach = max(2, int(span / max(step, 1e-3)))
    rows = np.arange(count)[:, None] + np.arange(-reach, reach + 1)
    inside = (rows >= 0) & (rows < count)
    rows = rows.clip(0, count - 1)
    away = (times[rows] - times[:, None]) / span
    basis = np.stack([away**power for power in range(4)], axis=2)  # (T, M, 4)
    near = inside & (np.abs(away) <= 1)
    for column in range(values.shape[1]):
        series = values[:, column]
        known = near & np.isfinite(series[rows])
        result[:, column] = _fit(basis, np.where(known, series[rows], 0.0), known) / span
    return np.where(np.isfinite(values), result, np.nan)


def _fit(basis: Floats, series: Floats, known: npt.NDArray[np.bool_]) -> Floats:
    """Return the (T,) slopes at 0 of the cubics through (T, M) values."""
    weighted = basis * known[..., None]
    normal = weighted.transpose(0, 2, 1) @ basis
    right = (weighted * series[..., None]).sum(axis=1)
    enough = known.sum(axis=1) >= _FEWEST
    normal += 1e-10 * np.eye(4)
    solved = np.linalg.solve(normal, right[..., None])[..., 0]
    slope: Floats = np.where(enough, solved[:, 1], np.nan)
    return slope


def _elevations(vectors: Floats) -> Floats:
    """Return the (T, L) degrees of limbs (T, L, 2 or 3) above the horizontal."""
    level = np.linalg.norm(np.delete(vectors, 1, axis=2), axis=2)
    still = (level == 0) & (vectors[..., 1] == 0)
    elevations: Floats = np.where(still, np.nan, np.degrees(np.arctan2(-vectors[..., 1], level)))
    return elevations


def _height(track: Track, points: Floats, least_score: float, *, depth: bool) -> Floats:
    """Return how high the centre of mass is above the lower ankle, in body heights."""
    centre, _ = centre_of_mass(track, points)
    ankles = [_place(track, points, f"{side}_ankle")[:, 1] for side in ("left", "right")]
    lower = np.fmax(*ankles)  # y grows downwards
    unit = _stature(track, points) if depth else Measures(track, least_score=least_score).unit
    height: Floats = (lower - centre[:, 1]) / unit
    return height


def _stature(track: Track, points: Floats) -> Floats:
    """Return the body height in metres: trunk, thigh and shin are 0.779 of it (Drillis and
    Contini 1966, as printed by Winter); the median over the frames."""
    pieces = []
    for part in (("mid_shoulder", "mid_hip"), ("hip", "knee"), ("knee", "ankle")):
        sides = ("",) if part[0].startswith("mid") else ("left_", "right_")
        lengths = [
            np.linalg.norm(
                _place(track, points, side + part[0]) - _place(track, points, side + part[1]),
                axis=1,
            )
            for side in sides
        ]
        pieces.append(np.fmax.reduce(lengths))
    chain: Floats = np.sum(pieces, axis=0)
    known = chain[np.isfinite(chain)]
    middle = float(np.median(known)) / 0.779 if len(known) else np.nan
    return np.full(len(points), middle)


def _place(track: Track, points: Floats, name: str) -> Floats:
    """Return (T, D) of a keypoint, the middle of a pair, or the ears (else the nose)."""
    if name == "ears":
        left, right = (_place(track, points, f"{side}_ear") for side in ("left", "right"))
        ears = np.where(np.isnan(left), right, np.where(np.isnan(right), left, (left + right) / 2))
        return np.where(np.isnan(ears), _place(track, points, "nose"), ears)
    if name.startswith("mid_"):
        part = name.removeprefix("mid_")
        return (_place(track, points, f"left_{part}") + _place(track, points, f"right_{part}")) / 2
    row = track.skeleton.find(name)
    return np.full((len(points), points.shape[2]), np.nan) if row is None else points[:, row]


COLUMNS: tuple[str, ...] = (
    "person", "frame", "time",
    *(f"angle.{joint}" for joint in JOINT_NAMES),
    *(f"elevation.{limb}" for limb in LIMB_NAMES),
    *(f"speed.{joint}" for joint in JOINT_NAMES),
    "centre.x", "centre.y", "centre.height", "centre.share",
)  # fmt: skip


def to_rows(found: Kinematics, frames: Sequence[int]) -> list[Row]:
    """Return one row a frame, as ``COLUMNS``; None where unknown.

    Args:
        found: The person.
        frames: (T,) numbers of the frames.
    """
    table = np.column_stack(
        [found.angles, found.elevations, found.speeds, found.centre, found.height, found.share]
    )
    rows: list[Row] = []
    times = found.times.tolist()
    for number, time, values in zip(frames, times, table.tolist(), strict=True):
        known = [round(value, 3) + 0.0 if np.isfinite(value) else None for value in values]
        rows.append([found.person, number, round(time, 6), *known])
    return rows
