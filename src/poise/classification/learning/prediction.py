"""A learned classifier: numbers, and the little arithmetic that makes names of them.

Of a row of features: less the centre, over the scale, not below -5 nor above 5; what is unknown
or has the scale 0 is 0, the neutral value.
Then the layers, one after the other: weights times the row plus biases, and between two layers
what is negative becomes 0. The last layer's outputs over the temperature, through the softmax,
are the probabilities. The answer is the likeliest class; it is "unknown" where its probability is
below the least one, or where the row is farther from every prototype than the greatest distance
(root mean square over the features that are known and used).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from poise.classification.events import UNKNOWN, Labelling
from poise.classification.learning.features import (
    FEATURE_NAMES,
    LEAST_SCORE,
    Floats,
    find_places,
    measure_poses,
)
from poise.classification.learning.windows import WINDOW_NAMES, measure_windows
from poise.clip import Track
from poise.errors import UsageError
from poise.poses import Poses

# Single frames flicker: the probabilities of a track are a mean over so many seconds.
STEADY = 0.3
FARTHEST = 5.0  # spreads from the centre


@dataclass(frozen=True, eq=False)
class Network:
    """What turns features into probabilities. C classes, F features.

    Attributes:
        centre, scale: (F,) of the training; a scale of 0 marks a feature that is not used.
        layers: (weights (inputs, outputs), biases (outputs,)) of each; one is a logistic
            regression.
        temperature: Above 0; it calibrates the probabilities.
    """

    centre: Floats
    scale: Floats
    layers: tuple[tuple[Floats, Floats], ...]
    temperature: float = 1.0

    def standardize(self, rows: Floats) -> Floats:
        """Return (N, F) rows about 0 with a spread of 1; NaN where unknown or not used.

        They end at -5 and 5, so that one keypoint gone astray does not decide alone.
        """
        scale = np.where(self.scale > 0, self.scale, np.nan)
        standard: Floats = np.clip((rows - self.centre) / scale, -FARTHEST, FARTHEST)
        return standard

    def logits(self, rows: Floats) -> Floats:
        """Return (N, C) outputs of the last layer."""
        values = np.nan_to_num(self.standardize(rows), nan=0.0)
        for number, (weights, biases) in enumerate(self.layers):
            values = np.maximum(values, 0.0) if number else values
            values = multiply(values, weights) + biases
        return values

    def probabilities(self, rows: Floats) -> Floats:
        """Return (N, C) probabilities, which sum to 1."""
        return softmax(self.logits(rows) / self.temperature)


def multiply(rows: Floats, weights: Floats) -> Floats:
    """Return the product of matrices (N, F) and (F, C), on one thread.

    The matrices are so small that waking other threads costs more than the product; on a busy
    machine it cost twenty times as much.
    """
    product: Floats = np.einsum("nf,fc->nc", rows, weights)
    return product


def softmax(logits: Floats) -> Floats:
    """Return the probabilities (N, C) of logits."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: Floats = powers / powers.sum(axis=1, keepdims=True)
    return shares


@dataclass(frozen=True, eq=False)
class Limits:
    """Beyond what a row is unknown.

    Attributes:
        least_probability: 0..1, of the likeliest class.
        greatest_distance: From the nearest prototype.
        prototypes: (R, F) standardized rows, typical ones of each class; 0 where unknown.
    """

    least_probability: float
    greatest_distance: float
    prototypes: Floats

    def distances(self, standard: Floats) -> Floats:
        """Return (N,) distances of standardized rows from the nearest prototype.

        (a - b)^2 is taken apart, so that all pairs are two products of matrices.
        """
        known = np.isfinite(standard).astype(np.float64)
        rows = np.nan_to_num(standard, nan=0.0)
        squares = (rows**2).sum(axis=1)[:, None] - 2 * multiply(rows, self.prototypes.T)
        squares += multiply(known, (self.prototypes**2).T)
        nearest = np.maximum(squares.min(axis=1), 0) / np.maximum(known.sum(axis=1), 1)
        distances: Floats = np.sqrt(nearest)
        return distances


@dataclass(frozen=True, eq=False)
class Classifier:
    """Names poses, or what happens in short windows of them; made by ``teach``.

    Attributes:
        classes: The C names.
        window: Seconds; None where single poses are named.
        network, limits: The numbers.
        least_score: A keypoint below it is unknown.
        training: What it was learned from, and how well it did on held-out examples.
        examples: Inputs with their features and probabilities, to test other implementations.
    """

    classes: tuple[str, ...]
    window: float | None
    network: Network
    limits: Limits
    least_score: float = LEAST_SCORE
    training: dict[str, Any] = field(default_factory=dict)
    examples: tuple[dict[str, Any], ...] = ()

    @property
    def kind(self) -> str:
        """``pose``, or ``action`` where it looks at windows."""
        return "pose" if self.window is None else "action"

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The names of its features, in order."""
        return FEATURE_NAMES if self.window is None else WINDOW_NAMES

    def __repr__(self) -> str:
        return f"Classifier({self.kind}, classes {', '.join(self.classes)})"

    def measure(self, track: Track) -> Floats:
        """Return the (T, F) features of a track's frames."""
        places = find_places(
            track.skeleton, track.keypoints, track.scores, least_score=self.least_score
        )
        if self.window is None:
            return measure_poses(places)
        return measure_windows(places, track.times, self.window)

    def label_track(self, track: Track) -> Labelling:
        """Return the class of every frame of one person.

        Where single poses are named, the probabilities are a mean over 0.3 s, so that one bad
        frame does not end an event. A frame in which the person is absent is unknown.
        """
        rows = self.measure(track)
        probabilities = self.network.probabilities(rows)
        present = np.isfinite(track.keypoints).all(axis=2).sum(axis=1) > 0
        if self.window is None:
            probabilities = _steady(probabilities, track.times, present)
        labels = self._decide(rows, probabilities)
        labels[~present] = -1
        sure = np.where(present, probabilities.max(axis=1), 0.0)
        times = np.asarray(track.times, np.float64)
        return Labelling(track.id, self.kind, times, labels, self.classes, sure)

    def predict(self, poses: Poses) -> tuple[tuple[str, ...], Floats]:
        """Return the label of each person, or ``unknown``, and (N, C) probabilities.

        Raises:
            UsageError: The classifier names actions, for which one frame is not enough.
        """
        if self.window is not None:
            what = f"this classifier looks at {self.window:g} s of motion, not at one frame"
            raise UsageError(what, remedy="give a track to label_track")
        places = find_places(
            poses.skeleton, poses.keypoints, poses.scores, least_score=self.least_score
        )
        rows = measure_poses(places)
        probabilities = self.network.probabilities(rows)
        labels = self._decide(rows, probabilities).tolist()
        return tuple(self.classes[k] if k >= 0 else UNKNOWN for k in labels), probabilities

    def _decide(self, rows: Floats, probabilities: Floats) -> npt.NDArray[np.int64]:
        """Return (N,) numbers of classes, -1 where unknown."""
        labels: npt.NDArray[np.int64] = probabilities.argmax(axis=1).astype(np.int64)
        far = self.limits.distances(self.network.standardize(rows))
        unsure = probabilities.max(axis=1) < self.limits.least_probability
        labels[unsure | (far > self.limits.greatest_distance)] = -1
        return labels


def _steady(probabilities: Floats, times: Floats, present: npt.NDArray[np.bool_]) -> Floats:
    """Return the mean of the present frames around each, from STEADY / 2 before to after it."""
    if not len(times):
        return probabilities
    first = np.searchsorted(times, times - STEADY / 2 - 1e-9)
    last = np.searchsorted(times, times + STEADY / 2 + 1e-9)
    weight = np.concatenate([[0.0], np.cumsum(present)])
    total = np.cumsum(np.where(present[:, None], probabilities, 0.0), axis=0)
    total = np.concatenate([np.zeros((1, total.shape[1])), total])
    count = (weight[last] - weight[first])[:, None]
    mean: Floats = np.where(count > 0, (total[last] - total[first]) / np.maximum(count, 1), 0.0)
    return mean
