"""One person's way down: what is remembered of the last seconds, and whether it was a fall.

All heights are of the picture, in body heights (shares of the person's stature).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median

import numpy as np
import numpy.typing as npt

from poise.skeleton import Skeleton

Floats = npt.NDArray[np.float64]

# Lengths by stature (Drillis and Contini 1966, as printed by Winter, "Biomechanics and Motor
# Control of Human Movement", figure 4.1): hip to shoulder, and thigh and shin.
TRUNK = 0.288
LEG = 0.491

# On the ground: the trunk is flat (a trunk of 0.288 at 56 degrees from the vertical rises 0.16),
# the shoulders are not far above the lowest of hips, knees and ankles, and the hips are not above
# the feet or the knees, as they are in bending (0.5 and 0.25).
FLAT = 0.16
SHOULDERS = 0.28
HIPS_FEET = 0.25
HIPS_KNEES = 0.15
# Where keypoints are scarce, the box tells: lower than this, and wider than high.
BOX = 0.45
WIDER = 1.1

MEMORY = 3.0  # seconds that are remembered
LONGEST = 1.5  # seconds that a fall takes at most; Choi et al. 2015: 0.58, deviation 0.26
INSTANT = 0.25  # seconds over which the speed is measured, so that a shaking point is not fast
STEP = 0.05  # seconds between the samples of the way down
LEAST_SCORE = 0.2  # keypoints below it are absent; on the ground scores sink
_UPRIGHTS = 31  # sizes that the stature is the median of


@dataclass(frozen=True)
class Sighting:
    """Where one person is in one frame: y downwards in pixels, NaN where unknown.

    Attributes:
        time: Seconds.
        shoulder, hip, knee, ankle: Mean of the known ones of both sides.
        box: x0 y0 x1 y1 in pixels.
        stature: How tall the person seems to be, in pixels.
        upright: Whether the trunk is nearer to the vertical than to the horizontal.
    """

    time: float
    shoulder: float
    hip: float
    knee: float
    ankle: float
    box: tuple[float, float, float, float]
    stature: float
    upright: bool

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
    _sizes: deque[float] = field(default_factory=lambda: deque(maxlen=_UPRIGHTS))

    @property
    def last(self) -> Sighting:
        """The latest sighting."""
        return self.sightings[-1][0]

    @property
    def unit(self) -> float:
        """The stature in pixels: the median while upright, else what it seems now."""
        return median(self._sizes) if self._sizes else self.last.stature

    def add(self, sighting: Sighting) -> None:
        """Remember a sighting and forget what is too old."""
        self.sightings.append((sighting, False))
        if sighting.upright and np.isfinite(sighting.stature):
            self._sizes.append(sighting.stature)
        self.sightings[-1] = (sighting, is_down(sighting, self.unit))
        while sighting.time - self.sightings[0][0].time > MEMORY:
            self.sightings.popleft()

    def down_share(self, seconds: float) -> float:
        """Return how much of the last seconds the person was on the ground; 0 if seen shorter."""
        since = self.last.time - seconds
        if self.sightings[0][0].time > since:
            return 0.0
        recent = [down for sighting, down in self.sightings if sighting.time >= since - 1e-6]
        return sum(recent) / len(recent)

    def descent(self) -> Descent | None:
        """Return the last way down; None where it cannot be told."""
        times = np.array([sighting.time for sighting, _ in self.sightings])
        shoulders = _known(times, [_upper(one, self.unit) for one, _ in self.sightings])
        hips = _known(times, [one.hip for one, _ in self.sightings])
        return None if shoulders is None else _measure(times, shoulders, hips, self.unit)


def is_down(sighting: Sighting, unit: float) -> bool:
    """Whether somebody of so many pixels of stature is on the ground."""
    hip, shoulder = sighting.hip, sighting.shoulder
    # A comparison with NaN is false: an unknown joint forbids nothing.
    if sighting.ankle - hip > HIPS_FEET * unit or sighting.knee - hip > HIPS_KNEES * unit:
        return False
    lowest = max((y for y in (hip, sighting.knee, sighting.ankle) if y == y), default=np.nan)
    flat = hip - shoulder <= FLAT * unit and lowest - shoulder <= SHOULDERS * unit
    width, height = sighting.box[2] - sighting.box[0], sighting.box[3] - sighting.box[1]
    return flat or (height <= BOX * unit and width >= WIDER * height)


def see(
    skeleton: Skeleton, points: npt.ArrayLike, scores: npt.ArrayLike, box: npt.ArrayLike, time: float
) -> Sighting | None:
    """Return where a person is; None where there is neither a keypoint nor a box."""
    edges = tuple(np.asarray(box, float).tolist())
    if not all(edge == edge for edge in edges):
        return None
    places = np.asarray(points, float).tolist()
    sure = np.asarray(scores, float).tolist()
    shoulder, hip, knee, ankle = (
        _middle(skeleton, places, sure, name) for name in ("shoulder", "hip", "knee", "ankle")
    )
    trunk = float(np.hypot(shoulder[0] - hip[0], shoulder[1] - hip[1]))
    leg = float(
        np.hypot(hip[0] - knee[0], hip[1] - knee[1])
        + np.hypot(knee[0] - ankle[0], knee[1] - ankle[1])
    )
    sizes = [size for size in (trunk / TRUNK, leg / LEG) if size == size]
    stature = max(sizes, default=max(edges[2] - edges[0], edges[3] - edges[1]))
    upright = hip[1] - shoulder[1] > 0.7 * trunk
    return Sighting(time, shoulder[1], hip[1], knee[1], ankle[1], edges, stature, upright)


def _middle(
    skeleton: Skeleton, places: list[list[float]], sure: list[float], joint: str
) -> tuple[float, float]:
    rows = [skeleton.find(f"{side}_{joint}") for side in ("left", "right")]
    known = [places[row] for row in rows if row is not None and sure[row] >= LEAST_SCORE]
    if not known:
        return np.nan, np.nan
    return sum(x for x, _ in known) / len(known), sum(y for _, y in known) / len(known)


def _upper(sighting: Sighting, unit: float) -> float:
    """The height of the shoulders; without them, where they are in such a box."""
    if sighting.shoulder == sighting.shoulder:
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
    times: Floats,
    shoulders: tuple[Floats, Floats],
    hips: tuple[Floats, Floats] | None,
    unit: float,
) -> Descent | None:
    # Samples at equal distances make the rule independent of the frame rate.
    grid = np.arange(times[-1], times[0] - 1e-9, -STEP)[::-1]
    upper = np.interp(grid, *shoulders) / unit
    longest, instant = round(LONGEST / STEP), round(INSTANT / STEP)
    if len(grid) <= instant:
        return None
    drops = np.array([y - upper[max(0, i - longest) : i + 1].min() for i, y in enumerate(upper)])
    # The way down ends where most of the greatest drop is done; later swaying is no part of it.
    stop = int(np.argmax(drops >= 0.9 * drops.max()))
    begin = max(0, stop - longest) + int(np.argmin(upper[max(0, stop - longest) : stop + 1]))
    way = upper[begin : stop + 1]
    fast = upper[instant:] - upper[:-instant]
    near = fast[max(0, begin - 1) : max(stop - instant + 1, begin) + 1]
    quarter = begin + int(np.argmax(way >= way[0] + 0.25 * (way[-1] - way[0])))
    end, hip_drop = float(grid[stop]), float("nan")
    if hips is not None:
        lower = np.interp(grid, *hips) / unit
        end, hip_drop = _sink(grid, lower, begin, end)
    speed = float(near.max(initial=0.0)) / INSTANT
    return Descent(float(grid[quarter]), end, float(drops[stop]), hip_drop, speed)


def _sink(grid: Floats, lower: Floats, begin: int, otherwise: float) -> tuple[float, float]:
    """Return when the hips had sunk nine tenths of their way after ``begin``, and how far."""
    way = lower[begin:]
    high = int(np.argmin(way))
    rest = way[high:]
    drop = float(np.median(rest[-5:]) - rest[0])
    if drop <= 0:
        return otherwise, drop
    return float(grid[begin + high + int(np.argmax(rest >= rest[0] + 0.9 * drop))]), drop


def newest_first(history: History) -> Iterator[Sighting]:
    """Yield the sightings from the latest to the earliest."""
    return (sighting for sighting, _ in reversed(history.sightings))
