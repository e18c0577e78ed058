"""The two ways of counting while it happens: a named exercise, and whatever repeats."""

from __future__ import annotations

import math
from collections import deque

import numpy as np
import numpy.typing as npt

from poise.classification.repetitions.counting import ExerciseCounter, merge
from poise.classification.repetitions.cycles import Cycle, CycleFinder
from poise.classification.repetitions.result import Repetition
from poise.classification.repetitions.signals import Scale, measure_frames
from poise.classification.repetitions.unnamed import (
    Component,
    Holder,
    find_component,
    finder_of,
    likeness,
    limb_features,
    repetition_of,
)
from poise.poses import FloatArray
from poise.skeleton import Skeleton

Floats = npt.NDArray[np.float64]

_LEARNS = 30.0  # seconds of an unnamed movement that are kept until it is known
_TRIES = 1.0  # seconds between two looks for it
_SURE = 3  # cycles after which it is known ...
_ALIKE = 0.7  # ... if they are so much alike
_KEPT = 4  # repetitions that may still be joined with one of the other arm


class NamedStream:
    """Counts a named exercise."""

    def __init__(self, counter: ExerciseCounter) -> None:
        self._counter = counter
        self._settled = 0
        self._recent: list[Repetition] = []

    @property
    def count(self) -> int:
        """How many are complete."""
        return self._settled + len(self._recent)

    @property
    def phase(self) -> float:
        """See ``RepetitionCounter``."""
        return self._counter.phase

    @property
    def last(self) -> Repetition | None:
        """The last one."""
        return self._recent[-1] if self._recent else None

    def push(
        self, time: float, skeleton: Skeleton, keypoints: FloatArray, scores: FloatArray
    ) -> None:
        """Take one frame of one person: (1, K, 2) and (1, K)."""
        rows, units = measure_frames(skeleton, keypoints, scores, self._counter.names)
        self._take(self._counter.push(time, rows[0], float(units[0])))

    def finish(self) -> None:
        """Nothing more comes."""
        self._take(self._counter.finish())

    def _take(self, found: list[Repetition]) -> None:
        for one in found:
            merge(self._recent, one)
        while len(self._recent) > _KEPT:
            self._recent.pop(0)
            self._settled += 1


class UnnamedStream:
    """Counts whatever repeats."""

    def __init__(self) -> None:
        self._scale = Scale()
        self._holder = Holder()
        self._kept: deque[tuple[float, Floats]] = deque()
        self._tried = -math.inf
        self._component: Component | None = None
        self._finder: CycleFinder | None = None
        self.count = 0
        self.last: Repetition | None = None

    @property
    def phase(self) -> float:
        """See ``RepetitionCounter``."""
        return self._finder.phase if self._finder else math.nan

    def push(
        self, time: float, skeleton: Skeleton, keypoints: FloatArray, scores: FloatArray
    ) -> None:
        """Take one frame of one person: (1, K, 2) and (1, K)."""
        _, raw = measure_frames(skeleton, keypoints, scores, ("leaning",))
        features = limb_features(skeleton, keypoints, scores)[0]
        features = features / self._scale.update(time, float(raw[0]))
        features = self._holder.update(time, features)
        if self._component is not None and self._finder is not None:
            self._add(self._finder.push(time, self._component.project(features), features))
            return
        self._kept.append((time, features))
        while time - self._kept[0][0] > _LEARNS:
            self._kept.popleft()
        if time - self._tried >= _TRIES:
            self._tried = time
            self._learn(final=False)

    def finish(self) -> None:
        """Nothing more comes: what was not surely known yet is counted as it is."""
        if self._component is None and self._kept:
            self._learn(final=True)
        if self._finder is not None:
            self._add(self._finder.finish())

    def _add(self, cycle: Cycle | None) -> None:
        if cycle is not None:
            self.count += 1
            self.last = repetition_of(cycle)

    def _learn(self, *, final: bool) -> None:
        """Look for what repeats in all that is kept, and count it from there."""
        times = np.array([time for time, _ in self._kept])
        features = np.array([row for _, row in self._kept])
        component = find_component(times, features)
        if component is None:
            return
        finder = finder_of(component)
        found = [finder.push(time, component.project(row), row) for time, row in self._kept]
        cycles = [cycle for cycle in found if cycle is not None]
        self.count = len(cycles)
        self.last = repetition_of(cycles[-1]) if cycles else self.last
        if final or (len(cycles) >= _SURE and likeness(cycles) >= _ALIKE):
            self._component, self._finder = component, finder
            self._kept.clear()
