"""Do the points lie where the drawn people's keypoints are, under the right names?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from poise.checking.findings import Finding
from poise.checking.scenes import Scene
from poise.checking.sights import point_quality
from poise.checking.trials import Trial
from poise.skeleton import Skeleton, get_skeleton, skeleton_names

# Another reading is the right one where it is itself good, and so much better than the own one.
_GOOD, _BETTER = 0.3, 1.25
# A person's mirror image and one with exchanged sides are nearly the same, but for the posture.
_LIKELIER = 1.02

_Turn = Callable[[Any, tuple[int, int]], Any]
_TURNS: dict[str, _Turn] = {
    "mirrored": lambda p, plane: p * [-1, 1] + [plane[0], 0],
    "upside down": lambda p, plane: p * [1, -1] + [0, plane[1]],
    "turned by half a circle": lambda p, plane: p * [-1, -1] + plane,
    "x and y have changed places": lambda p, plane: p[:, ::-1],
    "x and y have changed places (as shares of width and height)": (
        lambda p, plane: p[:, ::-1] * [plane[0] / plane[1], plane[1] / plane[0]]
    ),
}


def check_orientation(trial: Trial, scenes: Sequence[Scene]) -> tuple[Finding, Trial]:
    """Try the points mirrored, upside down, and with exchanged axes.

    Returns:
        The finding, and the trial with the points turned back, for the checks that follow.
    """
    own = trial.quality
    tried = {name: _turned(trial, scenes, turn) for name, turn in _TURNS.items()}
    name, best = max(tried.items(), key=lambda item: item[1].quality)
    sides = _named_anew(trial, scenes, trial.subject.layout) if trial.subject.layout else 0.0
    fit = best.quality
    if fit >= _GOOD and fit > _BETTER * own and fit > _LIKELIER * sides:
        text = f"{name}: turned back, the points fit ({fit:.2f} instead of {own:.2f})"
        return Finding("orientation", "fail", text), best
    if max(own, sides) < _GOOD:
        text = "cannot be told: no way to turn the points fits"
        return Finding("orientation", "warn", text), trial
    return Finding("orientation", "ok", "upright, and not mirrored"), trial


def _turned(trial: Trial, scenes: Sequence[Scene], turn: _Turn) -> Trial:
    sights = []
    for sight in trial.sights:
        points = np.asarray(turn(sight.points, sight.plane), np.float32)
        box = None
        if sight.box is not None:
            box = np.concatenate([points.min(axis=0), points.max(axis=0)])
        sights.append(replace(sight, points=points, box=box))
    pairs = zip(sights, scenes, strict=True)
    qualities = np.array([trial.subject.quality(*pair) for pair in pairs])
    return replace(trial, sights=tuple(sights), qualities=qualities)


def _named_anew(trial: Trial, scenes: Sequence[Scene], layout: Skeleton) -> float:
    """Return the quality with the names of left and right exchanged."""
    values = [
        point_quality(sight.placed()[layout.flip], sight.scores[layout.flip], scene, layout)
        for sight, scene in zip(trial.sights, scenes, strict=True)
    ]
    return float(np.mean(values))


def check_skeleton(trial: Trial, scenes: Sequence[Scene]) -> Finding:
    """Try other names for the points: left and right exchanged, and other layouts."""
    layout, own = trial.subject.layout, trial.quality
    if layout is None:
        return Finding("skeleton", "ok", "a detector has none")
    sides = _named_anew(trial, scenes, layout)
    mirrored = _turned(trial, scenes, _TURNS["mirrored"]).quality
    if sides >= _GOOD and sides > _BETTER * own and sides > _LIKELIER * mirrored:
        text = f"left and right have changed places ({sides:.2f} instead of {own:.2f})"
        return Finding("skeleton", "fail", text)
    for name in skeleton_names():
        other = get_skeleton(name)
        if len(other) == len(layout) and other.keypoints != layout.keypoints:
            fit = _as_layout(trial, scenes, other)
            if fit >= _GOOD and fit > _BETTER * own:
                text = f"the points are those of '{name}', not '{layout.name}'"
                return Finding("skeleton", "fail", f"{text} ({fit:.2f} instead of {own:.2f})")
    if wrong := _confused(trial, scenes, layout):
        return Finding("skeleton", "fail", f"not in the order of '{layout.name}': {wrong}")
    if own < _GOOD:
        return Finding("skeleton", "warn", f"cannot be told: no order fits '{layout.name}'")
    return Finding("skeleton", "ok", f"{len(layout)} keypoints in the order of '{layout.name}'")


def _as_layout(trial: Trial, scenes: Sequence[Scene], layout: Skeleton) -> float:
    values = [
        point_quality(sight.placed(), sight.scores, scene, layout)
        for sight, scene in zip(trial.sights, scenes, strict=True)
    ]
    return float(np.mean(values))


def _confused(trial: Trial, scenes: Sequence[Scene], layout: Skeleton) -> str:
    """Return up to three keypoints that lie where others are, if a third of them do."""
    away = np.stack(
        [
            np.linalg.norm(
                sight.placed()[:, None] - scene.points(layout).keypoints[0][None], axis=2
            ) / scene.height
            for sight, scene in zip(trial.sights, scenes, strict=True)
        ]
    )  # fmt: skip
    known = np.isfinite(scenes[0].points(layout).keypoints[0, :, 0])
    if not np.isfinite(away).any():
        return ""
    middle = np.median(np.where(np.isfinite(away), away, 1.0), axis=0)
    middle[:, ~known] = 1.0
    nearest = middle.argmin(axis=1)
    rows = np.arange(len(layout))
    # Near another one and far from the own one; eyes and ears are near each other anyway.
    wrong = known & (middle[rows, nearest] < 0.05) & (middle[rows, rows] > 0.12)
    if wrong.sum() < max(2, known.sum() / 3):
        return ""
    pairs = [f"'{layout.keypoints[k]}' lies at the {layout.keypoints[nearest[k]]}"
             for k in np.flatnonzero(wrong)[:3]]  # fmt: skip
    return ", ".join(pairs)
