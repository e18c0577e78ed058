"""The proportions of a body, from a recording: lengths of limbs by the height."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from poise.classification.measures import LEAST_SCORE
from poise.clip import Track
from poise.errors import InputError

Floats = npt.NDArray[np.float64]

# Pieces and their usual share of the stature: Drillis and Contini (1966), as printed by D. A.
# Winter, "Biomechanics and Motor Control of Human Movement", figure 4.1; the widths of shoulders
# and hips between the centres of the joints, where keypoints are.
PIECES: dict[str, tuple[tuple[str, ...], tuple[str, ...], float]] = {
    "trunk": (("left_shoulder", "right_shoulder"), ("left_hip", "right_hip"), 0.288),
    "shoulders": (("left_shoulder",), ("right_shoulder",), 0.212),
    "hips": (("left_hip",), ("right_hip",), 0.112),
    **{
        f"{side}_{name}": ((f"{side}_{start}",), (f"{side}_{end}",), share)
        for side in ("left", "right")
        for name, start, end, share in (
            ("upper_arm", "shoulder", "elbow", 0.186),
            ("forearm", "elbow", "wrist", 0.146),
            ("thigh", "hip", "knee", 0.245),
            ("shin", "knee", "ankle", 0.246),
        )
    },
}
_CHAIN = 0.288 + 0.245 + 0.246  # trunk, thigh and shin of the stature
_LONG = ("trunk", "upper_arm", "forearm", "thigh", "shin")
_WINDOW = 1.0  # seconds to either side, over which the person's size in the picture is found
_UPPER = 90.0  # percentile
_WHOLE = 0.9  # of the upper percentile: from there a limb counts as not foreshortened
_PLAUSIBLE = (0.65, 1.5)  # of the usual share


@dataclass(frozen=True)
class Ratio:
    """One proportion of a body.

    Attributes:
        name: Such as ``left_thigh`` or ``shoulders_by_hips``.
        value: The ratio; lengths are by the height.
        spread: Its uncertainty over the frames: 1.4826 x the median absolute deviation.
        frames: How many frames it rests on.
        doubtful: Whether it is so far from usual bodies that the limb was probably never seen at
            its full length.
    """

    name: str
    value: float
    spread: float
    frames: int
    doubtful: bool = False


def measure_body(
    track: Track,
    *,
    depth: bool = False,
    aspect: float = 1.0,
    least_score: float = LEAST_SCORE,
) -> tuple[Ratio, ...]:
    """Return the proportions of one person; what was never seen is left out.

    The height is (trunk + thigh + shin) / 0.779, since neither the top of the head nor the sole is
    a keypoint: head, neck and feet are taken as usual.

    In a picture, a limb that points at the camera looks short and never looks long. So every
    length is divided by the person's size in the picture (the 90th percentile, over all long limbs
    and one second to either side, of length by usual share), and of each limb the 90th percentile
    over the frames is its length; the frames above 0.9 of that give the spread. In three
    dimensions (``depth``) nothing is foreshortened: the median and the spread of all frames.

    Raises:
        InputError: Depth is wanted and the track has none.
    """
    if depth and track.xyz is None:
        raise InputError(
            f"person {track.id} has no 3D keypoints", remedy="estimate with -m blazepose"
        )
    space = track.xyz if depth and track.xyz is not None else track.keypoints
    points: Floats = np.asarray(space, np.float64) * ([1, 1, 1] if depth else [aspect, 1])
    seen = track.scores >= max(least_score, 1e-9)
    square = replace(track, keypoints=np.where(seen[..., None], track.keypoints, np.nan))
    lengths = _lengths(square, np.where(seen[..., None], points, np.nan))
    size = np.ones(len(track)) if depth else _size(square.times, lengths)
    scaled = {name: length / size for name, length in lengths.items()}
    found = {name: _settle(one, depth=depth) for name, one in scaled.items()}
    known = {name: one for name, one in found.items() if one is not None}
    height = _height({name: one[0] for name, one in known.items()})
    if not np.isfinite(height):
        return ()
    return (*_limbs(known, height), *_derived(known, height))


def _lengths(track: Track, points: Floats) -> dict[str, Floats]:
    lengths = {}
    for name, (start, end, _) in PIECES.items():
        rows = [[track.skeleton.find(keypoint) for keypoint in group] for group in (start, end)]
        if any(row is None for group in rows for row in group):
            continue
        first, last = (points[:, group].mean(axis=1) for group in rows)  # type: ignore[index]
        lengths[name] = np.linalg.norm(first - last, axis=1)
    return lengths


def _size(times: Floats, lengths: dict[str, Floats]) -> Floats:
    """Return (T,) how tall the person would stand in the picture, by the longest looks of limbs."""
    guesses = [length / PIECES[name][2] for name, length in lengths.items() if name.endswith(_LONG)]
    size = np.full(len(times), np.nan)
    if not guesses:
        return size
    table = np.stack(guesses, axis=1)
    low = np.searchsorted(times, times - _WINDOW)
    high = np.searchsorted(times, times + _WINDOW, side="right")
    for row in range(len(times)):
        part = table[low[row] : high[row]]
        part = part[np.isfinite(part)]
        if len(part):
            size[row] = np.percentile(part, _UPPER)
    return size


def _settle(values: Floats, *, depth: bool) -> tuple[float, float, int] | None:
    """Return the length, its spread and the number of frames; None where it was never seen."""
    seen = values[np.isfinite(values) & (values > 0)]
    if not len(seen):
        return None
    whole = seen
    if not depth:
        whole = seen[seen >= _WHOLE * np.percentile(seen, _UPPER)]
    middle = float(np.median(whole))
    spread = 1.4826 * float(np.median(np.abs(whole - middle)))
    value = middle if depth else float(np.percentile(seen, _UPPER))
    return value, spread, len(whole)


def _height(values: dict[str, float]) -> float:
    chain = [values.get("trunk", np.nan)]
    for name in ("thigh", "shin"):
        sides = [values[one] for one in (f"left_{name}", f"right_{name}") if one in values]
        chain.append(float(np.mean(sides)) if sides else np.nan)
    return float(sum(chain)) / _CHAIN


def _limbs(known: dict[str, tuple[float, float, int]], height: float) -> list[Ratio]:
    limbs = []
    for name, (value, spread, frames) in known.items():
        usual = value / height / PIECES[name][2]
        doubtful = not _PLAUSIBLE[0] <= usual <= _PLAUSIBLE[1]
        limbs.append(Ratio(name, value / height, spread / height, frames, doubtful))
    return limbs


def _derived(known: dict[str, tuple[float, float, int]], height: float) -> list[Ratio]:
    """Return what is made of several lengths; the spreads add up as independent errors."""
    ratios = []
    doubts = {one.name: one.doubtful for one in _limbs(known, height)}
    arms = [f"{side}_{name}" for side in ("left", "right") for name in ("upper_arm", "forearm")]
    if all(name in known for name in (*arms, "shoulders")):
        parts = [known[name] for name in (*arms, "shoulders")]
        spread = float(np.sqrt(sum(part[1] ** 2 for part in parts)))
        ratios.append(Ratio("arm_span_to_wrists", sum(part[0] for part in parts) / height,
                            spread / height, min(part[2] for part in parts),
                            any(doubts[name] for name in (*arms, "shoulders"))))  # fmt: skip
    legs = [name for name in known if name.endswith(("thigh", "shin"))]
    for name, top, bottom in (
        ("shoulders_by_hips", ["shoulders"], ["hips"]),
        ("legs_by_trunk", legs if len(legs) == 4 else [""], ["trunk"]),
    ):
        if not all(one in known for one in (*top, *bottom)):
            continue
        over = sum(known[one][0] for one in top) / (2 if len(top) == 4 else 1)
        under = known[bottom[0]][0]
        error = np.hypot(known[top[0]][1] / known[top[0]][0], known[bottom[0]][1] / under)
        frames = min(known[one][2] for one in (*top, *bottom))
        doubtful = any(doubts[one] for one in (*top, *bottom))
        ratios.append(Ratio(name, over / under, float(error) * over / under, frames, doubtful))
    return ratios
