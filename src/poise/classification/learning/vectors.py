"""Test vectors: a few inputs with their features and probabilities, kept in the saved file.

Another implementation, such as the one in a browser, is right when it gives the same numbers.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from poise.classification.learning.examples import Examples
from poise.classification.learning.prediction import Classifier
from poise.clip import Track
from poise.skeleton import Skeleton

_EACH = 1  # of every class, and one with a missing arm
_DECIMALS = 4  # of pixels and scores


def make_vectors(classifier: Classifier, examples: Examples) -> Classifier:
    """Return the classifier with test vectors: one example of each class, one with a gap."""
    chosen = [int(np.flatnonzero(examples.labels == c)[0]) for c in range(len(examples.classes))]
    inputs = [_input(*examples.tracks[n], classifier.window) for n in chosen]
    inputs.append(_without(inputs[0], "left_wrist"))
    vectors = tuple(_vector(classifier, *one) for one in inputs)
    return dataclasses.replace(classifier, examples=vectors)


def read_vector(vector: dict[str, Any]) -> Track:
    """Return the input of a test vector."""
    data = np.array(
        [[[np.nan if v is None else v for v in point] for point in frame]
         for frame in vector["keypoints"]], np.float64,
    )  # fmt: skip
    skeleton = Skeleton("vector", tuple(vector["names"]), ())
    times = np.array(vector["times"], np.float64)
    points, scores = data[..., :2].astype(np.float32), data[..., 2].astype(np.float32)
    return Track(0, skeleton, times, points, np.nan_to_num(scores, nan=0.0))


def check_vector(classifier: Classifier, vector: dict[str, Any]) -> float:
    """Return the greatest difference between the vector's probabilities and those now."""
    rows = classifier.measure(read_vector(vector))[[vector["frame"]]]
    now = classifier.network.probabilities(rows)[0]
    return float(np.abs(now - np.array(vector["probabilities"])).max())


def _input(track: Track, frame: int, window: float | None) -> tuple[Track, int]:
    """Return the frame, or the frames of its window, with rounded numbers."""
    rows = np.array([frame])
    if window is not None:
        rows = np.flatnonzero(np.abs(track.times - track.times[frame]) <= window / 2 + 0.05)
    cut = Track(
        0,
        track.skeleton,
        np.round(track.times[rows] - track.times[rows[0]], 6),
        np.round(track.keypoints[rows].astype(np.float64), _DECIMALS).astype(np.float32),
        np.round(track.scores[rows], _DECIMALS),
    )
    return cut, int(np.flatnonzero(rows == frame)[0])


def _without(given: tuple[Track, int], keypoint: str) -> tuple[Track, int]:
    track, frame = given
    row = track.skeleton.find(keypoint) or 0
    points, scores = track.keypoints.copy(), track.scores.copy()
    points[:, row], scores[:, row] = np.nan, 0.0
    return dataclasses.replace(track, keypoints=points, scores=scores), frame


def _vector(classifier: Classifier, track: Track, frame: int) -> dict[str, Any]:
    both = np.concatenate([track.keypoints, track.scores[..., None]], axis=2).astype(np.float64)
    vector = {
        "names": list(track.skeleton.keypoints),
        "times": track.times.tolist(),
        "keypoints": _nulls(np.round(both, _DECIMALS)),
        "frame": frame,
    }
    rows = classifier.measure(read_vector(vector))[[frame]]
    vector["features"] = _nulls(rows[0])
    vector["probabilities"] = classifier.network.probabilities(rows)[0].tolist()
    return vector


def _nulls(values: Any) -> Any:
    """Return nested lists in which what is not a number is null."""
    listed = np.asarray(values).astype(object)
    listed[~np.isfinite(values)] = None
    return listed.tolist()
