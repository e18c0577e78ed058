"""What can be measured of one person, frame by frame: angles, heights, distances, speeds.

Every measure is a (T,) array over the whole track. NaN means that it cannot be known: a keypoint
that it needs is absent, or its score is too low. Nothing is guessed.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt

from poise.angles import (
    JOINT_NAMES,
    LIMB_NAMES,
    angle_between,
    joint_angles,
    limb_vectors,
)
from poise.classification.vocabulary import HEADS, Measure, check_name, find_measure
from poise.clip import Track
from poise.poses import Poses

Floats = npt.NDArray[np.float64]

LEAST_SCORE = 0.3
# Shares of the stature: Drillis and Contini (1966), as printed by Winter, "Biomechanics and Motor
# Control of Human Movement". The trunk is from the hips (0.530) to the shoulders (0.818).
_SHARES = {"trunk": 0.288, "upper_arm": 0.186, "thigh": 0.245, "shin": 0.246}
_UNIT_BIN, _UNIT_REACH = 0.25, 2.0  # seconds
_UNIT_QUANTILE = 0.8
_SPEED_REACH = 0.1  # seconds to either side
_LEAST_BREADTH = 0.06  # body heights between the shoulders; below, a person is seen from the side


class Measures:
    """Everything that can be measured of one person in the picture. T frames.

    Args:
        track: One person through time; one frame is enough for all but the speeds.
        least_score: Keypoints with a lower score count as absent.
    """

    def __init__(self, track: Track, *, least_score: float = LEAST_SCORE) -> None:
        self.skeleton = track.skeleton
        self.times: Floats = np.asarray(track.times, np.float64)
        self.least_score = least_score
        seen = track.scores >= max(least_score, 1e-9)
        self._points = np.where(seen[..., None], track.keypoints, np.nan).astype(np.float64)
        self._scores = np.where(np.isfinite(self._points[..., 0]), track.scores, 0.0)
        self._apart = False
        self._known: dict[Measure, Floats] = {}

    @classmethod
    def of_people(cls, poses: Poses, *, least_score: float = LEAST_SCORE) -> Measures:
        """Measure everyone in one frame: row n is person n instead of frame n; speeds are NaN."""
        times = np.full(len(poses), poses.time)
        rows = Track(0, poses.skeleton, times, poses.keypoints, poses.scores)
        measures = cls(rows, least_score=least_score)
        measures._apart = True
        return measures

    def __len__(self) -> int:
        return len(self.times)

    @cached_property
    def unit(self) -> Floats:
        """(T,) the body's height in pixels, as if it stood upright.

        Each limb's length divided by its usual share of the stature gives an estimate; one that
        points at the camera looks short, so the mean of the two largest kinds of limb counts. Over
        time, the median of every quarter of a second, of which the upper fifth within two seconds
        to either side counts: a moment of foreshortening changes nothing.
        """
        estimates = [self._stature(limb, share) for limb, share in _SHARES.items()]
        best = np.sort(np.nan_to_num(np.stack(estimates), nan=-1.0), axis=0)[-2:]
        pair = np.where(best[0] > 0, best.mean(axis=0), best[1])
        raw = np.where(pair > 0, pair, np.nan)
        return raw if self._apart or len(raw) < 2 else _steady(self.times, raw)

    def place(self, name: str) -> Floats:
        """Return (T, 2) pixels of a keypoint or of a place such as ``mid_hip``, ``neck``, ``head``.

        The neck is the middle of the shoulders, the head the mean of what is seen of the face.
        """
        check_name("place", name)
        return self._place(name)

    def angle(self, joint: str) -> Floats:
        """Return (T,) degrees 0..180 of a joint of ``poise.angles``: 180 is a straight knee."""
        return self._angles[:, JOINT_NAMES.index(check_name("joint", joint))]

    def heading(self, limb: str) -> Floats:
        """Return (T,) degrees -180..180 of a limb from its start to its end, in the picture.

        0 points to the right of the picture, 90 up, -90 down, 180 to the left.
        """
        x, y = self._limb(limb)
        return np.where((x == 0) & (y == 0), np.nan, np.degrees(np.arctan2(0 - y, x)))

    def elevation(self, limb: str) -> Floats:
        """Return (T,) degrees -90..90 of a limb's end above its start: 0 is level, 90 upright."""
        x, y = self._limb(limb)
        return np.where((x == 0) & (y == 0), np.nan, np.degrees(np.arctan2(0 - y, np.abs(x))))

    @property
    def leaning(self) -> Floats:
        """(T,) degrees 0..180 of the trunk against the vertical: 0 upright, 90 level."""
        x, y = self._limb("trunk")
        upright = np.broadcast_to([0.0, -1.0], (len(self), 2))
        return angle_between(np.stack([x, y], axis=1), upright)

    def ratio(self, limb: str, other: str) -> Floats:
        """Return (T,) the length of a limb over that of another, both as they look."""
        lengths = np.hypot(*self._limb(limb)), np.hypot(*self._limb(other))
        unknown = np.full(len(self), np.nan)
        ratio: Floats = np.divide(*lengths, out=unknown, where=lengths[1] > 0)
        return ratio

    def height(self, a: str, b: str) -> Floats:
        """Return (T,) how far place a is above place b, in body heights."""
        height: Floats = (self.place(b)[:, 1] - self.place(a)[:, 1]) / self.unit
        return height

    def distance(self, a: str, b: str) -> Floats:
        """Return (T,) how far two places are apart in the picture, in body heights."""
        distance: Floats = np.hypot(*(self.place(a) - self.place(b)).T) / self.unit
        return distance

    def aside(self, a: str, b: str) -> Floats:
        """Return (T,) how far two places are apart sideways in the picture, in body heights."""
        aside: Floats = np.abs(self.place(a)[:, 0] - self.place(b)[:, 0]) / self.unit
        return aside

    def across(self, a: str, b: str) -> Floats:
        """Return (T,) how far place a is from place b towards the person's own left, along the
        line of the shoulders, in body heights; NaN for a person seen from the side."""
        x, y = self._limb("shoulders")
        breadth = np.hypot(x, y)
        clear = breadth >= _LEAST_BREADTH * self.unit
        gap = self.place(a) - self.place(b)
        along = gap[:, 0] * x + gap[:, 1] * y
        scale = np.where(clear, breadth * self.unit, np.nan)
        across: Floats = along / scale
        return across

    def speed(self, series: Floats) -> Floats:
        """Return (T,) the slope of a series per second, by the true times of the frames.

        A straight line through what lies within 0.1 s (at least the neighbouring frames).
        """
        if self._apart:
            return np.full(len(self), np.nan)
        return _slope(self.times, np.asarray(series, np.float64))

    def series(self, name: str) -> Floats:
        """Return (T,) a measure by its dotted name, such as ``speed.height.mid_hip.mid_ankle``.

        ``angle.JOINT``, ``elevation.LIMB``, ``heading.LIMB``, ``ratio.LIMB.LIMB``,
        ``height.PLACE.PLACE``, ``distance.PLACE.PLACE``, ``aside.PLACE.PLACE``,
        ``across.PLACE.PLACE``, ``leaning``, and ``speed.`` before any of them.

        Raises:
            UsageError: There is no such measure, joint, limb or place; the message names choices.
        """
        return self.measure(find_measure(name))

    def measure(self, measure: Measure) -> Floats:
        """Return (T,) a measure by its parts, as ``vocabulary.find_measure`` returns them."""
        if measure not in self._known:
            kind, *names = measure
            if kind == "speed":
                self._known[measure] = self.speed(self.measure(tuple(names)))
            else:
                value = getattr(self, kind)
                self._known[measure] = value(*names) if names else value
        return self._known[measure]

    def certainty(self, keypoints: tuple[str, ...]) -> Floats:
        """Return (T,) the mean score, at most 1, of those of some keypoints that are seen."""
        rows = [row for row in map(self.skeleton.find, keypoints) if row is not None]
        scores = np.minimum(self._scores[:, rows], 1.0)
        seen = (scores > 0).sum(axis=1)
        certainty: Floats = scores.sum(axis=1) / np.maximum(seen, 1)
        return certainty

    @cached_property
    def _angles(self) -> Floats:
        return joint_angles(self.skeleton, self._points, self._scores)[0]

    @cached_property
    def _vectors(self) -> Floats:
        return limb_vectors(self.skeleton, self._points, self._scores)[0]

    def _limb(self, limb: str) -> tuple[Floats, Floats]:
        vectors = self._vectors[:, LIMB_NAMES.index(check_name("limb", limb))]
        return vectors[:, 0], vectors[:, 1]

    def _stature(self, limb: str, share: float) -> Floats:
        names = [name for name in LIMB_NAMES if name.endswith(limb)]
        lengths = np.stack([np.hypot(*self._limb(name)) for name in names])
        longest: Floats = np.fmax.reduce(lengths) / share
        return longest

    def _place(self, name: str) -> Floats:
        row = self.skeleton.find(name)
        if row is not None:
            return self._points[:, row]
        if name == "head":
            return _mean_of_seen(np.stack([self._place(part) for part in HEADS]))
        if name == "neck":
            return self._place("mid_shoulder")
        if name.startswith("mid_"):
            part = name.removeprefix("mid_")
            return (self._place(f"left_{part}") + self._place(f"right_{part}")) / 2
        return np.full((len(self), 2), np.nan)


def _mean_of_seen(places: Floats) -> Floats:
    seen = np.isfinite(places)
    count = seen.sum(axis=0)
    total = np.where(seen, places, 0.0).sum(axis=0)
    mean: Floats = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return mean


def _steady(times: Floats, raw: Floats) -> Floats:
    """Return the upper part of a series within a few seconds around every frame."""
    seen = np.isfinite(raw)
    if not seen.any():
        return raw
    bins = np.floor((times[seen] - times[0]) / _UNIT_BIN).astype(np.int64)
    numbers, medians = _bin_medians(bins, raw[seen])
    reach = round(_UNIT_REACH / _UNIT_BIN)
    padded = np.full(numbers[-1] + 1 + 2 * reach, np.nan)
    padded[numbers + reach] = medians
    windows = np.sort(np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)[numbers])
    places = _UNIT_QUANTILE * (np.isfinite(windows).sum(axis=1) - 1)
    rows, low = np.arange(len(numbers)), np.floor(places).astype(np.int64)
    below, above = windows[rows, low], windows[rows, np.ceil(places).astype(np.int64)]
    upper = below + (above - below) * (places - low)
    middles = times[0] + (numbers + 0.5) * _UNIT_BIN
    steady: Floats = np.interp(times, middles, upper)
    return steady


def _bin_medians(
    bins: npt.NDArray[np.int64], values: Floats
) -> tuple[npt.NDArray[np.int64], Floats]:
    numbers, first, counts = np.unique(bins, return_index=True, return_counts=True)
    ordered = values[np.lexsort((values, bins))]
    medians = (ordered[first + (counts - 1) // 2] + ordered[first + counts // 2]) / 2
    return numbers, medians


def _slope(times: Floats, series: Floats) -> Floats:
    """Return the slope of the straight line through the values near each frame."""
    slope = np.full(len(times), np.nan)
    if len(times) < 2:
        return slope
    step = float(np.median(np.diff(times)))
    span = max(_SPEED_REACH, 1.5 * step) + 1e-9
    sums = np.zeros((5, len(times)))  # weight, t, x, t t, t x: all against the frame's own
    for offset in range(-int(span / max(step, 1e-3)), int(span / max(step, 1e-3)) + 1):
        to, source = _overlap(len(times), offset)
        dt, dx = times[source] - times[to], series[source] - series[to]
        near = np.isfinite(dx) & (np.abs(dt) <= span)
        dt, dx = np.where(near, dt, 0), np.where(near, dx, 0)
        sums[:, to] += near, dt, dx, dt * dt, dt * dx
    weight, t, x, tt, tx = sums
    spread = weight * tt - t * t
    np.divide(weight * tx - t * x, spread, out=slope, where=spread > 1e-12)
    return slope


def _overlap(count: int, offset: int) -> tuple[slice, slice]:
    shift = min(abs(offset), count)
    early, late = slice(0, count - shift), slice(shift, count)
    return (early, late) if offset >= 0 else (late, early)
