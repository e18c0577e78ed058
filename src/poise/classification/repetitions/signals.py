"""Measures of a person frame by frame, in a scale that is known at that moment already."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from poise.classification.measures import Measures
from poise.poses import FloatArray, Poses
from poise.skeleton import Skeleton

Floats = npt.NDArray[np.float64]

_LENGTHS = ("height.", "distance.", "across.")
_SETTLED = 0.34  # seconds
_RISE, _FALL = 0.3, 10.0  # seconds


class Scale:
    """The body's height in pixels, followed causally.

    A limb that points at the camera looks short, so the estimate rises at once and falls slowly;
    in the first third of a second it falls fast too, so that a wrong first frame is forgotten.
    """

    def __init__(self) -> None:
        self._first = self._time = self._unit = math.nan

    def update(self, time: float, raw: float) -> float:
        """Return the height, told what one frame alone would say (NaN for nothing)."""
        if not math.isnan(raw):
            step = max(time - self._time, 0.0)
            if math.isnan(self._unit):
                self._unit, self._first = raw, time
            else:
                settled = time - self._first > _SETTLED
                pace = _FALL if settled and raw <= self._unit else _RISE
                self._unit += (raw - self._unit) * step / (pace + step)
            self._time = time
        return self._unit


def measure_frames(
    skeleton: Skeleton, keypoints: FloatArray, scores: FloatArray, names: Sequence[str]
) -> tuple[Floats, Floats]:
    """Measure one person in T frames, each for itself.

    Returns:
        (T, S) measures, lengths in pixels, and (T,) the body's height in pixels as each frame
        alone tells it.
    """
    measures = Measures.of_people(Poses(skeleton, keypoints, scores))
    unit = measures.unit
    columns = [
        measures.series(name) * unit if name.startswith(_LENGTHS) else measures.series(name)
        for name in names
    ]
    return np.stack(columns, axis=1), unit


def length_columns(names: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Return (S,) which measures are lengths, and so are divided by the body's height."""
    return np.array([name.startswith(_LENGTHS) for name in names])


def mean_known(values: npt.ArrayLike) -> float:
    """Return the mean of what is known; NaN where nothing is."""
    known = [value for value in np.ravel(values).tolist() if value == value]  # noqa: PLR0124
    return sum(known) / len(known) if known else math.nan
