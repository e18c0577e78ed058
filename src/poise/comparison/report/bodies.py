"""Two bodies of one moment, drawn from their poses at one size and one place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from poise.angles import LIMBS, Floats
from poise.clip import Track
from poise.comparison.report.axes import Axis
from poise.markup import Markup, tag

PANEL = (220.0, 240.0)
_MARGIN = 18.0
_LARGEST = 70.0  # pixels of a trunk
_HEAD = ("nose", "left_ear", "right_ear", "left_eye", "right_eye")
_HEAD_RADIUS = 0.2  # of the trunk's length

Find = Callable[[str], int | None]


@dataclass(frozen=True, eq=False)
class Body:
    """A body in lengths of its trunk, its hips at the origin: (L, 2, 2) limbs, (2,) head."""

    limbs: Floats
    head: Floats


def body_at(track: Track, time: float, *, mirrored: bool, roll: float) -> Body:
    """Return someone at a time, turned upright and, if mirrored, back to the reference's sides."""
    if not len(track) or not np.isfinite(time):
        return Body(np.full((len(LIMBS), 2, 2), np.nan), np.full(2, np.nan))
    points = np.asarray(track.keypoints, np.float64)
    if mirrored:
        points = points[:, track.skeleton.flip] * (-1, 1)
    angle = np.radians(roll if mirrored else -roll)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = points @ turn.T
    now = points[int(np.abs(track.times - time).argmin())]
    find = track.skeleton.find
    sides = [_middle_of(now, find, [f"{side}_{part}" for side in ("left", "right")])
             for part in ("hip", "shoulder")]  # fmt: skip
    origin = sides[0] if np.isfinite(sides[0]).all() else sides[1]
    scale = _size(points, find)
    limbs = [[_middle_of(now, find, list(end)) for end in (limb.start, _toe(limb.end, find))]
             for limb in LIMBS]  # fmt: skip
    head = _middle_of(now, find, [name for name in _HEAD if find(name) is not None], some=True)
    return Body((np.array(limbs) - origin) / scale, (head - origin) / scale)


def _toe(names: tuple[str, ...], find: Find) -> tuple[str, ...]:
    swapped = tuple(name.replace("big_toe", "foot_index") for name in names)
    return names if all(find(name) is not None for name in names) else swapped


def _middle_of(points: Floats, find: Find, names: list[str], *, some: bool = False) -> Floats:
    rows = [row for row in map(find, names) if row is not None]
    if not rows or len(rows) < len(names):
        return np.full(2, np.nan)
    chosen = points[rows]
    chosen = chosen[np.isfinite(chosen).all(axis=1)] if some else chosen
    middle: Floats = chosen.mean(axis=0) if len(chosen) else np.full(2, np.nan)
    return middle


def _size(points: Floats, find: Find) -> float:
    """Return a body's usual length of the trunk, or width of the shoulders, in pixels."""
    for (a, b), (c, d) in (
        (("left_shoulder", "right_shoulder"), ("left_hip", "right_hip")),
        (("left_shoulder",) * 2, ("right_shoulder",) * 2),
    ):
        rows = [row for row in map(find, (a, b, c, d)) if row is not None]
        if len(rows) == 4:
            one, two, three, four = (points[:, row] for row in rows)
            lengths = np.linalg.norm((one + two) / 2 - (three + four) / 2, axis=1)
            lengths = lengths[np.isfinite(lengths) & (lengths > 0)]
            if len(lengths):
                return float(np.median(lengths))
    return 1.0


def fit_axes(ours: Body, theirs: Body) -> tuple[Axis, Axis]:
    """Return the axes in which both bodies fit a panel at one scale."""
    places = np.concatenate([body.limbs.reshape(-1, 2) for body in (ours, theirs)])
    heads = np.array([body.head + step for body in (ours, theirs) for step in (-0.25, 0.25)])
    places = np.concatenate([places, heads])
    places = places[np.isfinite(places).all(axis=1)]
    if not len(places):
        return Axis(-1, 1, 0, PANEL[0]), Axis(-1, 1, 0, PANEL[1])
    low, high = places.min(axis=0), places.max(axis=0)
    room = np.array(PANEL) - 2 * _MARGIN
    scale = min(float((room / np.maximum(high - low, 1e-6)).min()), _LARGEST)
    half = room / (2 * scale)
    x, y = (low + high) / 2
    return (
        Axis(float(x - half[0]), float(x + half[0]), _MARGIN, PANEL[0] - _MARGIN),
        Axis(float(y - half[1]), float(y + half[1]), _MARGIN, PANEL[1] - _MARGIN),
    )


def draw_strokes(body: Body, place: tuple[Axis, Axis], kind: str, marked: list[str]) -> Markup:
    """Return a body's limbs as lines; the marked ones are drawn last, and stand out."""
    x, y = place
    plain: list[str] = []
    special: list[str] = []
    for limb, (start, end) in zip(LIMBS, body.limbs, strict=True):
        if not (np.isfinite(start).all() and np.isfinite(end).all()):
            continue
        line = f"M{x.at(start[0]):.1f} {y.at(start[1]):.1f}L{x.at(end[0]):.1f} {y.at(end[1]):.1f}"
        (special if limb.name in marked else plain).append(line)
    scale = (x.end - x.start) / (x.high - x.low)
    head = None
    if np.isfinite(body.head).all():
        head = tag("circle", cx=x.at(body.head[0]), cy=y.at(body.head[1]),
                   r=_HEAD_RADIUS * scale, class_="skull")  # fmt: skip
    lines = tag("path", d="".join(plain))
    stand = tag("path", d="".join(special), class_="marked") if special else None
    return tag("g", lines, head, stand, class_=f"figure {kind}")
