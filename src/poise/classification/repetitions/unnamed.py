"""Movements without a name: what repeats is found, and how surely it does.

The limbs' directions of all frames, told so that left and right may change places, have one
direction in which they vary most (the first principal component). Along it, the same finder counts
that counts the named exercises. How much the cycles are like their mean is how sure the count is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from poise.angles import LIMB_NAMES, limb_vectors
from poise.classification.repetitions.cycles import Cycle, CycleFinder
from poise.classification.repetitions.result import Repetition
from poise.poses import FloatArray
from poise.skeleton import Skeleton

Floats = npt.NDArray[np.float64]

_SMALLEST = 0.15  # body heights: the limbs' common way; below, nothing moves
_QUIET = 0.12  # seconds of smoothing
_SHARE = 0.55  # of the movement's range: what counts as a repetition
_HELD = 0.5  # seconds
_KNOWN = 0.5  # of the frames in which a limb must be seen
_CENTRAL = ("trunk", "head")
_PAIRED = ("upper_arm", "forearm", "thigh", "shin")
_STEPS = 24  # to which each cycle is stretched, for comparison
_SINGLE = 0.5  # confidence in what was done only once


def limb_features(skeleton: Skeleton, keypoints: FloatArray, scores: FloatArray) -> Floats:
    """Return (T, F) limbs as vectors in pixels, which stay the same if left and right change.

    Of a pair of limbs: how far both point outwards, their mean height, and by how much they
    differ in each. A mirrored movement gives the same numbers, so that lunges to the left and to
    the right count alike.
    """
    vectors, weights = limb_vectors(skeleton, keypoints, scores)
    vectors = np.where(weights[..., None] > 0, vectors, np.nan)
    columns = []
    for name in _CENTRAL:
        x, y = vectors[:, LIMB_NAMES.index(name)].T
        columns += [np.abs(x), y]
    for name in _PAIRED:
        left = vectors[:, LIMB_NAMES.index(f"left_{name}")]
        right = vectors[:, LIMB_NAMES.index(f"right_{name}")]
        both, apart = (left + right) / 2, (left - right) / 2
        columns += [np.abs(both[:, 0]), both[:, 1], np.abs(apart[:, 0]), np.abs(apart[:, 1])]
    return np.stack(columns, axis=1)


@dataclass(frozen=True, eq=False)
class Component:
    """The direction in which a movement varies most.

    Attributes:
        mean, axis: (F,) where it is, and which way it goes out from its rest.
        range: How far it goes, in body heights.
    """

    mean: Floats
    axis: Floats
    range: float

    def project(self, features: Floats) -> float:
        """Return how far out one frame is; NaN where a limb of weight is not known."""
        parts = np.where(self.axis == 0, 0.0, (features - self.mean) * self.axis)
        return float(parts.sum())


class Holder:
    """Remembers the last place of each limb for a moment in which it is not seen."""

    def __init__(self) -> None:
        self._last: Floats | None = None
        self._seen: Floats | None = None

    def update(self, time: float, features: Floats) -> Floats:
        """Return (F,) features, those that are missing as they were up to half a second ago."""
        known = np.isfinite(features)
        if self._last is None or self._seen is None:
            self._last, self._seen = features.copy(), np.where(known, time, -math.inf)
            return features
        self._last = np.where(known, features, self._last)
        self._seen = np.where(known, time, self._seen)
        held: Floats = np.where(time - self._seen <= _HELD, self._last, math.nan)
        return held


def find_component(times: Floats, features: Floats) -> Component | None:
    """Return the main direction of a movement; None where there is none.

    The rest is the end at which it begins.
    """
    known = np.isfinite(features)
    usable = known.mean(axis=0) >= _KNOWN if len(features) else np.zeros(features.shape[1], bool)
    if len(times) < 4 or not usable.any():
        return None
    filled = np.where(usable, _filled(times, features), 0.0)
    smooth = _smoothed(times, filled)
    mean = smooth.mean(axis=0)
    axis = np.linalg.svd(smooth - mean, full_matrices=False)[2][0]
    axis = np.where(usable, axis, 0.0)
    along = (smooth - mean) @ axis
    low, high = np.quantile(along, (0.03, 0.97))
    if high - low < _SMALLEST:
        return None
    begin = float(np.median(along[times <= times[0] + 0.3]))
    if begin > (low + high) / 2:
        axis = -axis
    return Component(mean, axis, float(high - low))


def finder_of(component: Component) -> CycleFinder:
    """Return a finder for movements along a component."""
    return CycleFinder(_SHARE * component.range)


def repetition_of(cycle: Cycle) -> Repetition:
    """Return a cycle as a repetition without angles."""
    start, held, until, end = cycle.marks()
    top = start + int(np.argmax(cycle.values[start : end + 1]))
    times = cycle.times
    return Repetition(
        start=float(times[start]),
        middle=float(times[top]),
        end=float(times[end]),
        out=float(times[held] - times[start]),
        hold=float(times[until] - times[held]),
        back=float(times[end] - times[until]),
        low=math.nan,
        high=math.nan,
        reach=cycle.range,
        symmetry=math.nan,
        side="both",
    )


def likeness(cycles: list[Cycle]) -> float:
    """Return 0..1 how much the cycles are one movement: their mean correlation with their mean.

    What was done once is believed by half.
    """
    if len(cycles) < 2:
        return _SINGLE if cycles else 0.0
    forms = np.stack([_form(cycle) for cycle in cycles])
    forms -= forms.mean(axis=1, keepdims=True)
    mean = forms.mean(axis=0)
    size = np.sqrt((forms**2).sum(axis=(1, 2)) * (mean**2).sum())
    alike = np.divide((forms * mean).sum(axis=(1, 2)), size, out=np.zeros(len(forms)),
                      where=size > 0)  # fmt: skip
    return float(np.clip(alike.mean(), 0, 1))


def _form(cycle: Cycle) -> Floats:
    """Return (steps, F) the whole body's way through a cycle: out and back take half each."""
    start, held, until, end = cycle.marks()
    marks = [start, max(held, start + 1), max(until, held, start + 1) + 1, end + 2]
    pieces = []
    for first, last in ((marks[0], marks[1]), (marks[2] - 1, marks[3] - 1)):
        rows = cycle.rows[first : max(last, first) + 1]
        places = np.linspace(0, len(rows) - 1, _STEPS // 2)
        known = np.nan_to_num(rows, nan=0.0)
        steps = np.arange(len(rows))
        pieces.append(np.stack([np.interp(places, steps, column) for column in known.T], axis=1))
    return np.concatenate(pieces)


def _filled(times: Floats, features: Floats) -> Floats:
    filled = features.copy()
    for column in filled.T:
        seen = np.isfinite(column)
        if seen.any() and not seen.all():
            column[~seen] = np.interp(times[~seen], times[seen], column[seen])
    return np.nan_to_num(filled, nan=0.0)


def _smoothed(times: Floats, values: Floats) -> Floats:
    """Return the mean over a short time around every frame."""
    step = max(float(np.median(np.diff(times))), 1e-3)
    reach = round(_QUIET / 2 / step)
    if reach < 1:
        return values
    padded = np.pad(values, ((reach + 1, reach), (0, 0)), mode="edge").cumsum(axis=0)
    width = 2 * reach + 1
    smooth: Floats = (padded[width:] - padded[:-width]) / width
    return smooth
