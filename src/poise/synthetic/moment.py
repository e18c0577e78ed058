"""One frame of a stage before it is drawn: who is where, and which landmarks cannot be seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from poise.poses import FloatArray
from poise.skeleton import get_skeleton
from poise.synthetic.body import FACE, Vector
from poise.synthetic.camera import View
from poise.synthetic.figure import Figure
from poise.synthetic.parts import Part
from poise.synthetic.raster import paint_shadow

TRUTH = "blazepose33"  # the layout that every figure has


@dataclass(frozen=True, eq=False)
class Moment:
    """Everything about one frame: who is in the picture, their pieces, their landmarks."""

    view: View
    figures: list[Figure]
    parts: list[list[Part]]
    ids: list[int]


def landmarks(figure: Figure) -> Vector:
    """Return the (K, 3) places of a figure's keypoints on the stage, in metres."""
    return np.stack([figure.body.points[name] for name in get_skeleton(TRUTH).keypoints])


def far_first(moment: Moment) -> list[int]:
    """Return the numbers of the figures, the farthest first."""
    depths = [moment.view.see(figure.body.points["mid_hip"])[2] for figure in moment.figures]
    return [int(row) for row in np.argsort(depths, kind="stable")[::-1]]


def cast_shadow(canvas: FloatArray, figure: Figure, view: View) -> None:
    """Darken the ground under the hips and the feet."""
    points, unit = figure.body.points, figure.unit
    spots = [(points["mid_hip"], 0.26, 0.35)]
    spots += [(points[f"{side}_{end}"], 0.085, 0.45) for side in ("left", "right")
              for end in ("heel", "foot_index")]  # fmt: skip
    for point, radius, strength in spots:
        ground = np.array([point[0], 0.0, point[2]])
        if view.see(ground)[2] < 0.3 + radius * unit:
            continue
        middle, front, back, side = view.project(
            ground + np.array([[0, 0, 0], [0, 0, -1], [0, 0, 1], [1, 0, 0]]) * radius * unit
        )
        radii = np.array([np.hypot(*(side - middle)), max(np.hypot(*(front - back)) / 2, 1.0)])
        high = np.clip(1 + (point[1] + (0.95 if radius > 0.2 else 0.06)) / unit * 0.6, 0.2, 1)
        paint_shadow(canvas, middle, radii, strength * float(high))


# How much nearer a piece must be, in metres, to hide a keypoint that is inside the body.
_MARGIN = 0.07


def find_covered(moment: Moment, row: int) -> npt.NDArray[np.bool_]:
    """Return (K,) which keypoints of a figure lie behind a nearer piece of anybody, or on the far
    side of the head."""
    figure, view = moment.figures[row], moment.view
    places = landmarks(figure)
    pixels, depths = view.project(places), view.see(places)[:, 2]
    own_hips = view.see(figure.body.points["mid_hip"])[2]
    covered = np.zeros(len(places), bool)
    for other, parts in enumerate(moment.parts):
        nearer = view.see(moment.figures[other].body.points["mid_hip"])[2] < own_hips
        if other != row and not nearer:
            continue
        margin = _MARGIN * figure.scale if other == row else -np.inf
        for part in parts:
            depth = part.depth_at(pixels)
            covered |= np.isfinite(depth) & (depth < depths - margin)
    return covered | _behind_head(figure, view)


def _behind_head(figure: Figure, view: View) -> npt.NDArray[np.bool_]:
    names = get_skeleton(TRUTH).keypoints
    head = figure.body.points["head"]
    ray = (head - view.place) / np.linalg.norm(head - view.place)
    turn = figure.body.turns["head"]
    away = [name in FACE and float(turn @ FACE[name] @ ray) > 0.35 for name in names]
    return np.array(away)
