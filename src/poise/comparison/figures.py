"""Bodies as strokes: which line is which limb, and the colours from right to wrong."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from poise.angles import LIMB_NAMES
from poise.draw.strokes import Strokes, join, make_strokes
from poise.poses import FloatArray
from poise.skeleton import Skeleton

Floats = npt.NDArray[np.float64]
RGB = tuple[int, int, int]

REFERENCE_COLOUR: RGB = (150, 196, 255)
ATTEMPT_COLOUR: RGB = (46, 204, 113)
UNJUDGED_COLOUR: RGB = (128, 134, 146)
# The error of a limb in degrees and its colour; two people who do the same differ by up to 17.
_STOPS = (10.0, 24.0, 45.0)
_COLOURS = np.array([ATTEMPT_COLOUR, (250, 200, 60), (240, 72, 62)], np.float64)

# The lines of a body: its limb, and the keypoints whose middles are its ends. Hips and shoulders
# stand for a neck or pelvis, which not every layout has.
_NECK = ("left_shoulder", "right_shoulder")
_SIDED = {
    "upper_arm": ("shoulder", "elbow"),
    "forearm": ("elbow", "wrist"),
    "thigh": ("hip", "knee"),
    "shin": ("knee", "ankle"),
}
_FEET = (("ankle", "heel"), ("heel", "big_toe"), ("ankle", "big_toe"))
_LOWEST_SCORE = 0.15


def _lines() -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    lines: list[tuple[str, tuple[str, ...], tuple[str, ...]]] = [
        ("shoulders", ("right_shoulder",), ("left_shoulder",)),
        ("hips", ("right_hip",), ("left_hip",)),
        ("head", _NECK, ("nose",)),
    ]
    for side in ("left", "right"):
        lines.append(("trunk", (f"{side}_shoulder",), (f"{side}_hip",)))
        for name, (start, end) in _SIDED.items():
            lines.append((f"{side}_{name}", (f"{side}_{start}",), (f"{side}_{end}",)))
        for start, end in _FEET:
            lines.append((f"{side}_foot", (f"{side}_{start}",), (f"{side}_{end}",)))
    return lines


@dataclass(frozen=True, eq=False)
class Body:
    """The lines of one layout; E lines.

    Attributes:
        starts, ends: (E, 2) numbers of the two keypoints (or twice the one) that make an end.
        limbs: (E,) numbers in ``LIMB_NAMES``.
        widths: (E,) width by that of an arm.
    """

    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    limbs: npt.NDArray[np.int64]
    widths: FloatArray


@lru_cache
def get_body(skeleton: Skeleton) -> Body:
    """Return those lines whose keypoints a layout has."""

    def rows(names: tuple[str, ...]) -> list[int] | None:
        found = []
        for name in names:
            row = skeleton.find(name)
            if row is None:
                row = skeleton.find(name.replace("big_toe", "foot_index"))
            if row is None:
                return None
            found.append(row)
        return [found[0], found[-1]]

    known = [(limb, rows(start), rows(end)) for limb, start, end in _lines()]
    kept = [(limb, start, end) for limb, start, end in known if start and end]
    return Body(
        np.array([start for _, start, _ in kept], np.int64).reshape(-1, 2),
        np.array([end for _, _, end in kept], np.int64).reshape(-1, 2),
        np.array([LIMB_NAMES.index(limb) for limb, _, _ in kept], np.int64),
        np.array([0.7 if limb.endswith("foot") else 1.0 for limb, _, _ in kept], np.float32),
    )


def limb_colours(errors: Floats) -> FloatArray:
    """Return (L, 3) RGB from green over yellow to red for (L,) degrees; grey where NaN."""
    known = np.nan_to_num(errors)
    channels = [np.interp(known, _STOPS, _COLOURS[:, channel]) for channel in range(3)]
    colours = np.stack(channels, axis=-1)
    colours[~np.isfinite(errors)] = UNJUDGED_COLOUR
    return colours.astype(np.float32)


def score_colour(score: float) -> RGB:
    """Return the colour of a score of 0..100; grey where it is NaN."""
    if not np.isfinite(score):
        return UNJUDGED_COLOUR
    red, green, blue = (
        round(float(np.interp(score, (45, 70, 90), _COLOURS[::-1, channel])))
        for channel in range(3)
    )
    return red, green, blue


def figure_strokes(
    skeleton: Skeleton,
    points: Floats,
    scores: Floats,
    *,
    colours: FloatArray,
    radius: float,
    dashed: bool = False,
    opacity: float = 1.0,
) -> Strokes:
    """Return a body as strokes.

    Args:
        skeleton: Its layout.
        points: (K, 2) pixels; NaN where absent.
        scores: (K,) in 0..1; what is unsure is drawn fainter.
        colours: (L, 3) RGB of the limbs.
        radius: Half the width of an arm in pixels.
        dashed: Whether the lines are broken, without dots.
        opacity: Of the whole, 0..1.
    """
    body = get_body(skeleton)
    start, end = points[body.starts].mean(axis=1), points[body.ends].mean(axis=1)
    sure = np.minimum(scores[body.starts].min(axis=1), scores[body.ends].min(axis=1))
    faint = np.where(sure >= _LOWEST_SCORE, 0.3 + 0.7 * np.clip(sure / 0.5, 0, 1), 0) * opacity
    faint = np.where(np.isfinite(start + end).all(axis=1), faint, 0)
    lines = make_strokes(
        np.nan_to_num(start),
        np.nan_to_num(end),
        radius=radius * body.widths,
        outline=0 if dashed else 0.3 * radius + 0.4,
        colour=colours[body.limbs],
        opacity=faint,
    )
    if dashed:
        return _dashes(lines.select(faint > 0), 3.2 * radius, 3.4 * radius)
    return join([lines, _dots(lines.select(faint > 0), radius)])


def _dots(lines: Strokes, radius: float) -> Strokes:
    ends = np.concatenate([lines.start, lines.end])
    colours = np.concatenate([lines.colour, lines.colour])
    return make_strokes(
        ends,
        ends,
        radius=1.15 * radius,
        outline=0.3 * radius + 0.4,
        colour=colours + (255 - colours) * np.float32(0.45),
        opacity=np.tile(lines.opacity, 2),
    )


def _dashes(lines: Strokes, dash: float, gap: float) -> Strokes:
    """Break lines into dashes of about these lengths, a dash at either end."""
    length = np.hypot(*(lines.end - lines.start).T)
    counts = np.maximum(np.round((length + gap) / (dash + gap)), 1).astype(int)
    owner = np.repeat(np.arange(len(counts)), counts)
    number = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    pitch = 1 / np.maximum(counts - gap / (dash + gap), 1e-6)
    first = (number * pitch[owner])[:, None]
    last = np.minimum(first + (pitch * dash / (dash + gap))[owner, None], 1)
    way = lines.end - lines.start
    broken = lines.select(owner)
    return make_strokes(
        broken.start + way[owner] * first,
        broken.start + way[owner] * last,
        radius=broken.radius,
        colour=broken.colour,
        opacity=broken.opacity,
    )
