"""One person's way down: what is remembered of the last seconds, and whether it was a fall.

All heights are of the picture, in body heights (shares of the person's stature).
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

import numpy as np
import numpy.typing as npt

from poise.poses import Poses
from poise.skeleton import Skeleton

Floats = npt.NDArray[np.float64]

# Lengths by stature (Drillis and Contini 1966, as printed by Winter, "Biomechanics and Motor
# Control of Human Movement", figure 4.1): hip to shoulder, and thigh and shin.
TRUNK = 0.288
LEG = 0.491
SHOULDERS_APART = 0.26  # the outer ends; joints are nearer, but this must not overrate anybody

# On the ground: the trunk is flat (a trunk of 0.288 at 56 degrees from the vertical rises 0.16),
# the shoulders are not far above the lowest of hips, knees and ankles (lying along the view of a
# camera 2.4 m high they are 0.3 above the feet), and the hips are not above
# the feet or the knees, as they are in bending (0.5 and 0.25).
FLAT = 0.16
SHOULDERS = 0.34
HIPS_FEET = 0.25
HIPS_KNEES = 0.15
# Where keypoints are scarce, the box tells: lower than this, and wider than high.
BOX = 0.45
WIDER = 1.1

MEMORY = 3.0  # seconds that are remembered
LONGEST = 1.5  # seconds that a fall takes at most; Choi et al. 2015: 0.58, deviation 0.26
INSTANT = 0.25  # seconds over which the speed is measured, so that a shaking point is not fast
STEP = 0.05  # seconds between the samples of the way down
STEADY = 0.6  # of the time on the ground, so much seems so: estimates flicker there
LEAST_SCORE = 0.2  # keypoints below it are absent; on the ground scores sink
# Foreshortening only ever makes people seem smaller, so the stature is one of the larger sizes.
_SIZES, _APART, _QUANTILE = 30, 0.1, 0.8  # how many, seconds between them


@dataclass(frozen=True)
class Sighting:
    """Where one person is in one frame: y downwards in pixels, NaN where unknown.

    Attributes:
        time: Seconds.
        shoulder, hip, knee, ankle: Mean of the known ones of both sides.
        box: x0 y0 x1 y1 in pixels.
        stature: How tall the person seems to be, in pixels.
        upright: Whether the trunk is nearer to the vertical than to the horizontal.
        leaving: Whether the box touches the left or right edge of the picture.
    """

    time: float
    shoulder: float
    hip: float
    knee: float
    ankle: float
    box: tuple[float, float, float, float]
    stature: float
    upright: bool
    leaving: bool

    @property
    def middle(self) -> tuple[float, float]:
        """The middle of the box."""
        return (self.box[0] + self.box[2]) / 2, (self.box[1] + self.box[3]) / 2


@dataclass(frozen=True)
class Descent:
    """A way down, and what tells a fall from other ways.

    Attributes:
        start: Second at which the shoulders had sunk a quarter of the way.
        end: Second at which the hips (else the shoulders) had sunk nine tenths of theirs.
        drop: How far the shoulders sank within ``LONGEST``, in body heights.
        hip_drop: The same of the hips; NaN where they were not seen.
        speed: Fastest sinking of the shoulders over ``INSTANT``, body heights per second.
    """

    start: float
    end: float
    drop: float
    hip_drop: float
    speed: float


@dataclass
class History:
    """What is remembered of one person; never more than ``MEMORY`` seconds.

    Attributes:
        person: The identity that events are reported under.
        sightings: With each, whether the person was on the ground.
    """

    person: int
    sightings: deque[tuple[Sighting, bool]] = field(default_factory=deque)
    told: bool = False
    _sizes: deque[float] = field(default_factory=lambda: deque(maxlen=_SIZES))
    _sized: float = -math.inf

    @property
    def last(self) -> Sighting:
        """The latest sighting."""
        return self.sightings[-1][0]

    @property
    def unit(self) -> float:
        """The stature in pixels: one of the largest while upright, else what it seems now."""
        sizes = sorted(self._sizes)
        return sizes[int(_QUANTILE * (len(sizes) - 1))] if sizes else self.last.stature

    def add(self, sighting: Sighting) -> None:
        """Remember a sighting and forget what is too old."""
        self.sightings.append((sighting, False))
        if sighting.upright and sighting.time >= self._sized + _APART:
            self._sizes.append(sighting.stature)
            self._sized = sighting.time
        self.sightings[-1] = (sighting, is_down(sighting, self.unit))
        while sighting.time - self.sightings[0][0].time > MEMORY:
            self.sightings.popleft()

    @property
    def down(self) -> bool:
        """Whether the person is on the ground now."""
        return self.sightings[-1][1]

    def down_share(self, seconds: float) -> float:
        """Return how much of the last seconds the person was on the ground; 0 if seen shorter."""
        since = self.last.time - seconds - 1e-6
        if self.sightings[0][0].time > since + 2e-6:
            return 0.0
        recent = [down for _, down in takewhile(lambda one: one[0].time >= since, self._latest())]
        return sum(recent) / len(recent)

    def _latest(self) -> Iterator[tuple[Sighting, bool]]:
        return reversed(self.sightings)

    def sinking_away(self) -> bool:
        """Whether the trunk was flat when it was last seen, and within the picture."""
        for sighting, _ in self._latest():
            if self.last.time - sighting.time > INSTANT:
                break
            rise = sighting.hip - sighting.shoulder
            if not math.isnan(rise):
                return rise <= FLAT * self.unit and not self.last.leaving
        return False

    def descent(self) -> Descent | None:
        """Return the last way down; None where it cannot be told."""
        times = np.array([sighting.time for sighting, _ in self.sightings])
        shoulders = _known(times, [_upper(one, self.unit) for one, _ in self.sightings])
        hips = _known(times, [one.hip for one, _ in self.sightings])
        arrival = self._arrival()
        if hips is not None and hips[0][-1] < arrival - 2 * STEP:
            hips = None  # lost on the way, so how far they sank is unknown
        return None if shoulders is None else _measure(shoulders, hips, self.unit, arrival)

    def _arrival(self) -> float:
        """Return since when the person has been on the ground, bar short flickers."""
        downs, arrival = 0, self.last.time
        for count, (sighting, down) in enumerate(self._latest(), 1):
            downs += down
            if down and downs >= STEADY * count:
                arrival = sighting.time
        return arrival


def is_down(sighting: Sighting, unit: float) -> bool:
    """Whether somebody of so many pixels of stature is on the ground."""
    hip, shoulder = sighting.hip, sighting.shoulder
    # A comparison with NaN is false: an unknown joint forbids nothing.
    if sighting.ankle - hip > HIPS_FEET * unit or sighting.knee - hip > HIPS_KNEES * unit:
        return False
    below = [y for y in (hip, sighting.knee, sighting.ankle) if not math.isnan(y)]
    lowest = max(below, default=math.nan)
    flat = hip - shoulder <= FLAT * unit and lowest - shoulder <= SHOULDERS * unit
    width, height = sighting.box[2] - sighting.box[0], sighting.box[3] - sighting.box[1]
    return flat or (height <= BOX * unit and width >= WIDER * height)


def see(poses: Poses, row: int) -> Sighting | None:
    """Return where a person is; None where there is neither a keypoint nor a box."""
    left, top, right, bottom = poses.boxes[row].tolist()
    if not np.isfinite(left + top + right + bottom):
        return None
    places, sure = poses.keypoints[row].tolist(), poses.scores[row].tolist()
    shoulder, hip, knee, ankle = (
        _middle(poses.skeleton, places, sure, name) for name in ("shoulder", "hip", "knee", "ankle")
    )
    trunk = float(np.hypot(shoulder[0] - hip[0], shoulder[1] - hip[1]))
    leg = float(
        np.hypot(hip[0] - knee[0], hip[1] - knee[1])
        + np.hypot(knee[0] - ankle[0], knee[1] - ankle[1])
    )
    sizes = (trunk / TRUNK, leg / LEG, _breadth(poses.skeleton, places, sure) / SHOULDERS_APART)
    known = [size for size in sizes if not math.isnan(size)]
    stature = max(known, default=max(right - left, bottom - top))
    width = poses.size[0]
    return Sighting(
        poses.time,
        shoulder=shoulder[1],
        hip=hip[1],
        knee=knee[1],
        ankle=ankle[1],
        box=(left, top, right, bottom),
        stature=stature,
        upright=hip[1] - shoulder[1] > 0.7 * trunk,
        leaving=width > 0 and (left <= 0.01 * width or right >= 0.99 * width),
    )


def _middle(
    skeleton: Skeleton, places: list[list[float]], sure: list[float], joint: str
) -> tuple[float, float]:
    rows = [skeleton.find(f"{side}_{joint}") for side in ("left", "right")]
    known = [places[row] for row in rows if row is not None and sure[row] >= LEAST_SCORE]
    if not known:
        return np.nan, np.nan
    return sum(x for x, _ in known) / len(known), sum(y for _, y in known) / len(known)


def _breadth(skeleton: Skeleton, places: list[list[float]], sure: list[float]) -> float:
    rows = [skeleton.find(f"{side}_shoulder") for side in ("left", "right")]
    known = [places[row] for row in rows if row is not None and sure[row] >= LEAST_SCORE]
    return math.dist(*known) if len(known) == 2 else math.nan


def _upper(sighting: Sighting, unit: float) -> float:
    """The height of the shoulders; without them, where they are in such a box."""
    if not math.isnan(sighting.shoulder):
        return sighting.shoulder
    top, bottom = sighting.box[1], sighting.box[3]
    return min(top + 0.15 * unit, (top + bottom) / 2)


def _known(times: Floats, values: Sequence[float]) -> tuple[Floats, Floats] | None:
    """Return the times and the values that are known, each the median of three."""
    series = np.array(values)
    there = np.isfinite(series)
    if np.count_nonzero(there) < 3:
        return None
    series = series[there]
    calm = series.copy()
    calm[1:-1] = np.median([series[:-2], series[1:-1], series[2:]], axis=0)
    return times[there], calm


def _measure(
    shoulders: tuple[Floats, Floats],
    hips: tuple[Floats, Floats] | None,
    unit: float,
    arrival: float,
) -> Descent | None:
    # Samples at equal distances make the rule independent of the frame rate.
    first = max(shoulders[0][0], arrival - LONGEST)
    grid = np.arange(shoulders[0][-1], first - 1e-9, -STEP)[::-1]
    upper = np.interp(grid, *shoulders) / unit
    there = int(np.searchsorted(grid, arrival)) + 1
    instant = round(INSTANT / STEP)
    if there <= instant:
        return None
    begin = int(np.argmin(upper[:there]))
    # Somebody lost in mid-fall is still sinking: then there is nothing to take the middle of.
    settled = min(instant, len(upper) - there + 1)
    drop = float(np.median(upper[-settled:]) - upper[begin])
    fast = upper[begin + instant :] - upper[begin:-instant]
    speed = float(fast[: max(there - begin, 0)].max(initial=0.0)) / INSTANT
    quarter = begin + int(np.argmax(upper[begin:] >= upper[begin] + 0.25 * drop))
    end = begin + int(np.argmax(upper[begin:] >= upper[begin] + 0.9 * drop))
    ending, hip_drop = float(grid[end]), math.nan
    if hips is not None:
        ending, hip_drop = _sink(grid, np.interp(grid, *hips) / unit, begin, ending)
    return Descent(float(grid[quarter]), ending, drop, hip_drop, speed)


def _sink(grid: Floats, lower: Floats, begin: int, otherwise: float) -> tuple[float, float]:
    """Return when the hips had sunk nine tenths of their way after ``begin``, and how far."""
    way = lower[begin:]
    high = int(np.argmin(way))
    rest = way[high:]
    drop = float(np.median(rest[-3:]) - rest[0])
    if drop <= 0:
        return otherwise, drop
    return float(grid[begin + high + int(np.argmax(rest >= rest[0] + 0.9 * drop))]), drop
