"""What holds at one moment of a comparison: two poses, errors, scores, faults."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from poise.angles import LIMB_NAMES
from poise.clip import Track
from poise.comparison.performance import Performance
from poise.comparison.result import Comparison, Fault, Verdict
from poise.comparison.scoring import judge_score

Floats = npt.NDArray[np.float64]

_RUNNING = 1.0  # seconds over which the running score is taken
_STEADY = 0.5  # seconds over which the lag is taken, so that it can be read
_LOOK = 0.2  # seconds over which the errors are taken
_TORSO_WINDOW = 2.0  # seconds over which the size of a body is taken
_SEEN = 0.3  # a keypoint of a lower score does not widen what is shown
_SMALLEST_YAW = 20.0  # below it the comparison was made in 2D (views.py)


@dataclass(frozen=True, eq=False)
class Pose:
    """One person at one moment: (K, D) points and (K,) scores; NaN and 0 where absent."""

    points: Floats
    scores: Floats


@dataclass(frozen=True, eq=False)
class Instant:
    """One moment of a comparison.

    Attributes:
        time: Seconds of the reference.
        attempt_time: Seconds of the attempt; the last one known while it leaves something out.
        note: Why nothing of the attempt is shown: ``left out``, or ``nothing to compare`` where
            that is not held against it; else empty.
        errors: (L,) degrees; NaN where not judged.
        running: Score 0..100 of the last second; NaN where not judged.
        so_far: Score 0..100 from the beginning; at the end it is that of the comparison.
        verdict: The verdict on what was seen so far.
        lag: Seconds by which the attempt follows; NaN where unknown.
        tempo: Speed of the attempt by that of the reference.
        faults: What is wrong now, worst first.
    """

    time: float
    attempt_time: float
    note: str
    errors: Floats
    running: float
    so_far: float
    verdict: Verdict
    lag: float
    tempo: float
    faults: tuple[Fault, ...]

    @property
    def left_out(self) -> bool:
        """Whether the attempt has nothing for this moment."""
        return bool(self.note)


class Course:
    """A comparison, moment by moment."""

    def __init__(self, comparison: Comparison) -> None:
        self.comparison = comparison
        timeline = comparison.timeline
        self._times = timeline.times
        loss = 1 - timeline.scores / 100
        weights = np.where(np.isfinite(loss), timeline.weights.sum(axis=1), 0.0)
        # A piece that was left out has no weights, but it has a score.
        usual = float(np.median(weights[weights > 0])) if (weights > 0).any() else 1.0
        weights = np.where(np.isfinite(loss) & (weights == 0), usual, weights)
        self._weight = np.concatenate([[0.0], np.cumsum(weights)])
        self._loss = np.concatenate([[0.0], np.cumsum(weights * np.nan_to_num(loss) ** 2)])
        self._whole = self._score(0, len(self._times))

    @property
    def span(self) -> tuple[float, float]:
        """First and last second of the reference that were compared."""
        return float(self._times[0]), float(self._times[-1])

    def at(self, time: float) -> Instant:
        """Return what holds at a second of the reference."""
        row = self._row(time)
        attempt_time, left_out = self._attempt_time(time, row)
        part = self._score(0, row + 1) / self._whole if self._whole > 0 else np.nan
        judged = self.comparison.verdict != "cannot say" and np.isfinite(part)
        verdict = judge_score(self.comparison.score * part, 1.0) if judged else "cannot say"
        return Instant(
            time,
            attempt_time,
            self._note(time, row) if left_out else "",
            self._errors(time, row),
            self._score(self._row(time - _RUNNING), row + 1),
            min(self.comparison.score * part, 100.0),
            verdict,
            self._lag(time),
            self._tempo(time),
            self._faults(time),
        )

    def _row(self, time: float) -> int:
        after = int(np.searchsorted(self._times, time).clip(1, max(len(self._times) - 1, 1)))
        if len(self._times) == 1:
            return 0
        nearer = abs(self._times[after] - time) < abs(self._times[after - 1] - time)
        return after if nearer else after - 1

    def _errors(self, time: float, row: int) -> Floats:
        """The mean of a fifth of a second, which can be read; NaN where the moment itself is."""
        first, last = np.searchsorted(self._times, [time - _LOOK / 2, time + _LOOK / 2])
        near = self.comparison.timeline.errors[min(first, row) : max(last, row + 1)]
        seen = np.isfinite(near)
        mean = np.where(seen, near, 0).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
        errors: Floats = np.where(seen[row - min(first, row)], mean, np.nan)
        return errors

    def _score(self, start: int, end: int) -> float:
        """The root mean square of the losses, as in ``scoring``, as a score."""
        weight = self._weight[end] - self._weight[start]
        if weight <= 0:
            return float("nan")
        return float(100 * (1 - np.sqrt(max(self._loss[end] - self._loss[start], 0) / weight)))

    def _attempt_time(self, time: float, row: int) -> tuple[float, bool]:
        theirs = self.comparison.timeline.attempt_times
        if not np.isfinite(theirs[row]):
            before = theirs[:row][np.isfinite(theirs[:row])]
            known = before if len(before) else theirs[np.isfinite(theirs)][:1]
            return (float(known[-1]) if len(known) else 0.0), True
        other = int(np.clip(row + (1 if time > self._times[row] else -1), 0, len(theirs) - 1))
        if other == row or not np.isfinite(theirs[other]):
            return float(theirs[row]), False
        share = (time - self._times[row]) / (self._times[other] - self._times[row])
        return float(theirs[row] + min(share, 1.0) * (theirs[other] - theirs[row])), False

    def _note(self, time: float, row: int) -> str:
        missed = any(fault.kind == "missed" for fault in self._faults(time))
        held = missed or np.isfinite(self.comparison.timeline.scores[row])
        return "left out" if held else "nothing to compare"

    def _lag(self, time: float) -> float:
        first, last = np.searchsorted(self._times, [time - _STEADY / 2, time + _STEADY / 2])
        lag = self.comparison.timeline.lag[first : max(last, first + 1)]
        lag = lag[np.isfinite(lag)]
        return float(np.median(lag)) if len(lag) else float("nan")

    def _tempo(self, time: float) -> float:
        for segment in self.comparison.segments:
            if segment.start <= time < segment.end:
                return segment.tempo
        return self.comparison.relation.tempo

    def _faults(self, time: float) -> tuple[Fault, ...]:
        on = [fault for fault in self.comparison.faults if _is_on(fault, time)]
        return tuple(sorted(on, key=lambda fault: -fault.severity))


def _is_on(fault: Fault, time: float) -> bool:
    # What is added has no duration on the reference's clock, and is shown for as long as it takes
    # to be read.
    return fault.start <= time < max(fault.end, fault.start + 0.8)


class Person:
    """One of the two, at any moment: in the picture, and beside the other one.

    Args:
        track: As it came.
        comparison: Tells what lies between the two.
        attempt: Whether this is the attempt, which is brought into the reference's view.
    """

    def __init__(self, track: Track, comparison: Comparison, *, attempt: bool) -> None:
        relation = comparison.relation
        self.track = track
        self.mirrored = attempt and relation.mirrored
        xyz = None if track.xyz is None else track.xyz.astype(np.float64)
        raw = Performance(
            track.skeleton,
            np.asarray(track.times, np.float64),
            track.keypoints.astype(np.float64),
            track.scores.astype(np.float64),
            xyz,
        )
        self._raw = raw.mirrored() if self.mirrored else raw
        self._view = _turned(self._raw, comparison, attempt=attempt)
        self._torsos = _torsos(self._view)

    def in_picture(self, time: float, width: float) -> Pose:
        """Return the pose in pixels of the picture, which is so wide, mirrored with it."""
        now = self._at(self._raw, time)
        shift = (width, 0.0) if self.mirrored else (0.0, 0.0)
        return Pose(now.points[0] + shift, now.scores[0])

    def beside(self, time: float) -> Pose:
        """Return the pose with the hips at (0, 0), in lengths of its torso, without the roll."""
        now = self._at(self._view, time)
        hips = _middle(now, "hip")[0]
        size = float(np.interp(time, self._view.times, self._torsos))
        return Pose((now.points[0] - hips) / size, now.scores[0])

    def reach(self) -> tuple[float, float, float]:
        """Return how far the body reaches to a side, up and down from its hips, in torsos."""
        view = self._view
        places = (view.points - _middle(view, "hip")[:, None]) / self._torsos[:, None, None]
        across, down = places[view.scores > _SEEN].T
        known = np.isfinite(across) & np.isfinite(down)
        if not known.any():
            return 1.0, 1.0, 1.0
        side = float(np.quantile(np.abs(across[known]), 0.995))
        up, low = np.quantile(down[known], (0.005, 0.995))
        return side, max(float(-up), 0.5), max(float(low), 0.5)

    def extent(self) -> tuple[float, float, float, float]:
        """Return x0, y0, x1, y1 around the whole way of the person, in pixels."""
        points = self._raw.points[self._raw.scores > 0]
        if not len(points):
            return 0.0, 0.0, 1.0, 1.0
        (x0, y0), (x1, y1) = np.nanmin(points, axis=0), np.nanmax(points, axis=0)
        return float(x0), float(y0), float(x1), float(y1)

    def _at(self, performance: Performance, time: float) -> Performance:
        times = performance.times
        near = min(max(time, times[0]), times[-1]) if len(times) else time
        # A frame that the track begins or ends beside still shows the person.
        step = (times[-1] - times[0]) / max(len(times) - 1, 1)
        return performance.at(np.array([near if abs(near - time) <= step + 1e-3 else np.nan]))


def _turned(performance: Performance, comparison: Comparison, *, attempt: bool) -> Performance:
    """Bring a performance into the view in which the two were compared, as ``views`` does."""
    relation = comparison.relation
    yaw, space = relation.yaw or 0.0, comparison.reference.xyz is not None
    if abs(yaw) >= _SMALLEST_YAW and space and performance.xyz is not None:
        performance = performance.seen_from(-yaw if attempt else 0.0)
    elif attempt and abs(yaw) == 180:
        performance = performance.from_behind()
    # The roll is that of the recording; in the mirror it turns the other way.
    turn = relation.roll if relation.mirrored else -relation.roll
    return performance.rolled(turn) if attempt else performance


def _middle(performance: Performance, name: str) -> Floats:
    """Return (T, 2) the middle of a left and a right keypoint; of the whole body without them."""
    rows = [performance.skeleton.find(f"{side}_{name}") for side in ("left", "right")]
    known = [row for row in rows if row is not None]
    points = performance.points[:, known or slice(None)]
    middle: Floats = points.mean(axis=1)
    return middle


def _torsos(performance: Performance) -> Floats:
    """Return (T,) the length of the torso, as seen upright around each moment."""
    lengths = np.linalg.norm(_middle(performance, "shoulder") - _middle(performance, "hip"), axis=1)
    known = np.flatnonzero(np.isfinite(lengths) & (lengths > 0))
    if not len(known):
        return np.ones(len(lengths))
    filled = np.interp(np.arange(len(lengths)), known, lengths[known])
    rate = (len(filled) - 1) / max(performance.times[-1] - performance.times[0], 1e-9)
    reach = int(np.clip(rate * _TORSO_WINDOW / 2, 0, len(filled)))
    padded = np.pad(filled, reach, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)
    step = max(1, reach // 8)  # nine looks at each window are enough
    size: Floats = np.quantile(windows[:, ::step], 0.8, axis=1)
    return size


def limb_rows(name: str) -> list[int]:
    """Return the numbers in ``LIMB_NAMES`` that a fault's limb means: an arm is two of them."""
    if name in LIMB_NAMES:
        return [LIMB_NAMES.index(name)]
    side, _, kind = name.partition("_")
    pieces = {"arm": ("upper_arm", "forearm"), "leg": ("thigh", "shin", "foot")}.get(kind, ())
    if not pieces:
        pieces, side = (
            {"arms": ("upper_arm", "forearm"), "legs": ("thigh", "shin")}.get(name, ()),
            "",
        )
    found = [
        row
        for row, limb in enumerate(LIMB_NAMES)
        if any(limb.endswith(piece) for piece in pieces) and limb.startswith(side)
    ]
    return found or list(range(len(LIMB_NAMES)))
