"""Holding the points that a region is made of still while a person stands still."""

from __future__ import annotations

from typing import Any

import numpy as np

from poise.poses import FloatArray


class Steady:
    """Holds the points that a region is made of still while a person stands still.

    The 1 Euro filter of MediaPipe's ``PoseLandmarkFiltering`` for auxiliary landmarks, which is
    on even where its smoothing of keypoints is off: cut-off 0.01 Hz at rest, plus 10 Hz for each
    body size per second, of a speed that is itself filtered at 1 Hz; every frame counts as 1/30 s.
    """

    REST, GAIN, SPEED = 0.01, 10.0, 1.0
    RATE = 30.0

    def __init__(self) -> None:
        self._last: FloatArray | None = None
        self._size = 1.0
        self._value: Any = 0.0
        self._speed: Any = 0.0

    def update(self, points: FloatArray) -> FloatArray:
        """Take the (A, 2) points of a frame and return where they are when held still."""
        size = max(2 * float(np.hypot(*(points[1] - points[0]))), 1e-6)
        if self._last is None:
            self._value = points.astype(float)
            self._speed = np.zeros(points.shape)
        else:
            moved = (points - self._last) * (self.RATE / size)
            self._speed = self._speed + self._alpha(self.SPEED) * (moved - self._speed)
            self._value = self._value + self._alpha(self._cutoff()) * (points - self._value)
        self._last, self._size = points, size
        held: FloatArray = self._value.astype(np.float32)
        return held

    def expect(self) -> FloatArray:
        """Return where the points will be one frame later if they go on as they do."""
        ahead = self._last + self._speed * (self._size / self.RATE)
        expected: FloatArray = (
            self._value + self._alpha(self._cutoff()) * (ahead - self._value)
        ).astype(np.float32)
        return expected

    def _cutoff(self) -> Any:
        return self.REST + self.GAIN * np.abs(self._speed)

    def _alpha(self, cutoff: Any) -> Any:
        return 1 / (1 + self.RATE / (2 * np.pi * cutoff))
