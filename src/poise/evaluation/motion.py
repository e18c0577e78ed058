"""How found keypoints move: whether they tremble where the truth rests, and whether they lag."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from poise.evaluation.matching import Matched
from poise.evaluation.truth import Floats, Truth

# A keypoint rests that moves less than this share of the person's size over so many frames.
REST, REST_FRAMES = 0.005, 5
MOST_LAG = 15  # frames
_MOVES = 0.02  # least spread of the true places, in shares of the size, to tell a lag by
_LEAST_FRAMES = 20


@dataclass(frozen=True)
class Motion:
    """How found keypoints move, over everybody who was found; NaN where nothing can be told.

    Attributes:
        jitter: Mean length of the second difference of a found keypoint's places over frames,
            ``|p[t+1] - 2 p[t] + p[t-1]|``, in shares of the person's size (the longer side of the
            box around all true keypoints, its median over time).
        true_jitter: The same of the truth, which moves, too.
        rest_jitter: ``jitter`` where the true keypoint rests: it moves less than 0.5 % of the size
            in five frames. 0 is best.
        rests: How many such keypoints-in-frames there were.
        lag_frames: How many frames the found places come late; negative where they come early.
        lag_ms: The same in milliseconds; NaN where the frames have no times.
    """

    jitter: float
    true_jitter: float
    rest_jitter: float
    rests: int
    lag_frames: float
    lag_ms: float


def measure_motion(truth: Truth, matched: Matched, times: Floats | None = None) -> Motion:
    """Return how the keypoints of people with ids move.

    Args:
        truth: The frames; people in them have ids.
        matched: Who is whom in them.
        times: (frames,) seconds, or None.
    """
    bends: list[list[Floats]] = [[], [], []]
    lags: list[float] = []
    for found, true in walks(truth, matched):
        size = _size(true)
        if not size > 0:
            continue
        shaking = _second(found) / size
        both = np.isfinite(shaking) & np.isfinite(_second(true))
        rests = _resting(true, size)[1:-1] & both
        for kept, values in zip(bends, (shaking[both], (_second(true) / size)[both],
                                        shaking[rests]), strict=True):  # fmt: skip
            kept.append(values)
        lags.append(measure_lag(found, true, size))
    known = [lag for lag in lags if np.isfinite(lag)]
    lag = float(np.median(known)) if known else np.nan
    step = np.nan if times is None or len(times) < 2 else float(np.median(np.diff(times)))
    jitter, true_jitter, rest = (_mean(values) for values in bends)
    count = sum(map(len, bends[2]))
    return Motion(jitter, true_jitter, rest, count, lag, lag * step * 1000)


def walks(truth: Truth, matched: Matched) -> Iterator[tuple[Floats, Floats]]:
    """Yield (T, K, 2) found and true places of each person of each video; NaN where unknown."""
    rows: dict[tuple[str, int], list[tuple[int, int]]] = {}
    frames: dict[str, int] = {}
    row = 0
    for picture in truth.pictures:
        frame = frames.setdefault(picture.video, 0)
        for person in picture.counted:
            if person.id is not None:
                rows.setdefault((picture.video, person.id), []).append((frame, row))
            row += 1
        frames[picture.video] += 1
    count = len(truth.skeleton)
    for (video, _), places in rows.items():
        found, true = np.full((2, frames[video], count, 2), np.nan)
        at, which = np.array(places).T
        found[at], true[at] = matched.points[which], matched.truth[which]
        yield found, true


def measure_lag(found: Floats, true: Floats, size: float) -> float:
    """Return by how many frames found places come late, to a part of a frame.

    That delay of the truth which leaves the least mean square distance, after each keypoint's own
    mean distance is taken away; the top of the parabola through the three best. NaN where the
    truth hardly moves, or too little was found.

    Args:
        found: (T, K, 2) places; NaN where absent.
        true: (T, K, 2).
        size: Of the person.
    """
    most = min(MOST_LAG, len(found) - _LEAST_FRAMES)
    if most < 1 or not _spread(true) > _MOVES * size:
        return np.nan
    delays = np.arange(-most, most + 1)
    errors = np.array([_error(found, true, int(delay), most) for delay in delays])
    if not np.isfinite(errors).all():
        return np.nan
    best = int(errors.argmin())
    if best in (0, len(errors) - 1):
        return np.nan
    low, middle, high = errors[best - 1 : best + 2]
    bend = low - 2 * middle + high
    return float(delays[best] + (0.5 * (low - high) / bend if bend > 0 else 0.0))


def _error(found: Floats, true: Floats, delay: int, most: int) -> float:
    """Return the mean square distance of the found places to the truth so many frames before."""
    there = slice(most, len(found) - most)
    shifted = true[most - delay : len(true) - most - delay]
    gaps = found[there] - shifted
    known = np.isfinite(gaps)
    count = known.sum(axis=0)
    means = np.where(known, gaps, 0).sum(axis=0) / np.maximum(count, 1)
    left = np.where(known, gaps - means, 0)
    total = int(known.sum())
    return float((left**2).sum() / total) if total >= 2 * _LEAST_FRAMES else np.nan


def _second(points: Floats) -> Floats:
    """Return (T - 2, K) lengths of the second differences."""
    bends: Floats = np.linalg.norm(points[2:] - 2 * points[1:-1] + points[:-2], axis=-1)
    return bends


def _resting(true: Floats, size: float) -> npt.NDArray[np.bool_]:
    """Whether each of (T, K) keypoints moves hardly in the frames around it."""
    rests = np.zeros(true.shape[:2], bool)
    half = REST_FRAMES // 2
    if len(true) < REST_FRAMES:
        return rests
    windows = np.lib.stride_tricks.sliding_window_view(true, REST_FRAMES, axis=0)
    reach = np.linalg.norm(windows.max(axis=-1) - windows.min(axis=-1), axis=-1)
    rests[half : len(true) - half] = reach < REST * size
    return rests


def _size(true: Floats) -> float:
    there = np.isfinite(true[..., 0]).sum(axis=1) > 1
    if not there.any():
        return np.nan
    places = true[there]
    sides = np.nanmax(places, axis=1) - np.nanmin(places, axis=1)
    return float(np.median(sides.max(axis=1)))


def _spread(true: Floats) -> float:
    """Return the standard deviation of the place that moves most."""
    known = np.isfinite(true)
    count = np.maximum(known.sum(axis=0), 1)
    means = np.where(known, true, 0).sum(axis=0) / count
    deviations = np.where(known, true - means, 0)
    return float(np.sqrt((deviations**2).sum(axis=0) / count).max(initial=0.0))


def _mean(parts: list[Floats]) -> float:
    values = np.concatenate([np.zeros(0), *parts])
    return float(values.mean()) if len(values) else np.nan
