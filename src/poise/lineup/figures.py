"""The figures by which models are compared where nobody has labelled anything.

They say what a model does, not whether it is right: a model may be sure, steady and wrong.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from poise.clip import Clip, Track
from poise.geometry import box_area
from poise.lineup.walk import Entry
from poise.poses import bounding_boxes
from poise.skeleton import Skeleton, conversion, get_skeleton

# Below this score a keypoint counts as missing; it is the one below which none is painted.
LEAST_SCORE = 0.3

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Figures:
    """What one model did with a source; NaN where nothing could be measured.

    All but the first three are over the keypoints that every model of the line-up has, so that a
    layout of 33 keypoints is not blamed for more of them being hidden.

    Attributes:
        model: Its name.
        frames: Number of frames.
        ms: Milliseconds a frame, from reading to tracking.
        people: Mean number of people a frame.
        empty: Share of the frames in which it found nobody, 0..1.
        confidence: Mean score of all keypoints of everybody who was found, 0..1.
        missing: Mean number of keypoints of a frame that are missing of the people who were
            found: absent, or of a score below 0.3.
        jitter: Mean length of the second difference of the keypoints in time, as a share of the
            square root of the area of the person's box: what trembles from frame to frame. NaN
            for a picture.
    """

    model: str
    frames: int
    ms: float
    people: float
    empty: float
    confidence: float
    missing: float
    jitter: float


def shared_keypoints(skeletons: Sequence[Skeleton]) -> Skeleton:
    """Return the layout of the keypoints of COCO-17 that all layouts have.

    It is empty where they have nothing in common, as a hand and a body.
    """
    coco = get_skeleton("coco17")
    weights = [conversion(each, coco) for each in skeletons]
    names = [
        name
        for row, name in enumerate(coco.keypoints)
        if all(matrix[row].any() for matrix in weights)
    ]
    return Skeleton("shared", tuple(names), ())


def measure(entries: Sequence[Entry]) -> list[Figures]:
    """Return the figures of each model, in the order that they came in."""
    shared = shared_keypoints([entry.clip.skeleton for entry in entries])
    return [_measure(entry, shared if len(shared) else entry.clip.skeleton) for entry in entries]


def _measure(entry: Entry, layout: Skeleton) -> Figures:
    frames = entry.clip.frames
    counts = np.array([len(poses) for poses in frames])
    scores = np.concatenate([poses.to(layout).scores.ravel() for poses in frames])
    return Figures(
        entry.model,
        len(frames),
        1000 * entry.seconds / max(len(frames), 1),
        _mean(counts),
        _mean(counts == 0),
        _mean(scores),
        float(np.count_nonzero(scores < LEAST_SCORE)) / max(len(frames), 1),
        math.nan if entry.still else jitter(entry.clip, layout),
    )


def jitter(clip: Clip, layout: Skeleton) -> float:
    """Return how much keypoints tremble, as `Figures` says; NaN where nobody has an id."""
    moves = [_moves(track, layout) for track in clip.tracks()]
    return _mean(np.concatenate(moves)) if moves else math.nan


def _moves(track: Track, layout: Skeleton) -> _Floats:
    weights = conversion(track.skeleton, layout)
    sources, single = weights.argmax(axis=1), (weights > 0).sum(axis=1) == 1
    rows = sources[single]  # a keypoint that is a mean of others trembles less than they do
    points = track.keypoints[:, rows].astype(float)
    points[track.scores[:, rows] < LEAST_SCORE] = np.nan
    sizes = np.sqrt(box_area(bounding_boxes(track.keypoints))).astype(float)
    bends = np.linalg.norm(points[2:] - 2 * points[1:-1] + points[:-2], axis=2)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares: _Floats = bends / np.where(sizes > 0, sizes, np.nan)[1:-1, None]
    return shares[np.isfinite(shares)]


def _mean(values: npt.NDArray[np.generic]) -> float:
    return float(values.mean()) if len(values) else math.nan
