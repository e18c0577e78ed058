"""When the attempt does what the reference does: offset, tempo, lag, and what was left out."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from poise.comparison.matching import Match
from poise.comparison.performance import RATE, Performance

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

_SMOOTH = 0.2  # seconds over which the path, a staircase of samples, is straightened
_WINDOW = 1.0  # seconds over which a lag is told
_RETURN = 3.0  # seconds within which a path that jumped comes back, if nothing was left out
_REMAINS = 0.6  # seconds that must still be matched after a gap, if the recording goes on
_SHORTEST_GAP = 0.27  # seconds
_SAME_PAUSE = 0.6  # seconds of the reference between two pauses that are one
_REST = 15.0  # degrees a second of a limb on average, below which timing cannot be seen


@dataclass(frozen=True)
class Gap:
    """A piece of one performance that the other has not.

    Attributes:
        missed: Whether the attempt leaves it out; else the attempt adds it.
        start, end: Seconds of the reference (equal where the attempt adds something).
        attempt_start, attempt_end: Seconds of the attempt (equal where it leaves something out).
        seconds: How long it is.
    """

    missed: bool
    start: float
    end: float
    attempt_start: float
    attempt_end: float
    seconds: float


@dataclass(frozen=True, eq=False)
class Timing:
    """The clock of the attempt, told by the reference's.

    Attributes:
        attempt_times: (T,) seconds of the attempt for each moment of the reference; NaN where it
            is left out or was not recorded.
        lag: (T,) seconds by which the attempt follows, offset and tempo removed; NaN likewise.
        offset: Seconds of the attempt at the reference's first moment, less that moment.
        tempo: Speed of the attempt by that of the reference.
        gaps: What was left out or added.
        motion: (T,) degrees a second that the reference's limbs move, on average.
    """

    attempt_times: Floats
    lag: Floats
    offset: float
    tempo: float
    gaps: tuple[Gap, ...]
    motion: Floats


def tell_times(
    reference: Performance, attempt: Performance, match: Match, music: float | None
) -> Timing:
    """Turn matched moments into times, tempo and lag.

    Args:
        reference, attempt: In the same view.
        match: Which moments belong together.
        music: Seconds by which the music is later in the attempt's recording; then lag is told
            against the music, whose tempo is that of the reference. None without music.
    """
    times, pieces, gaps = _follow(reference, attempt, match)
    motion = measure_motion(reference)
    jumps = np.zeros(len(reference))
    for gap in gaps:
        jumps[reference.times >= gap.end - 1e-9] += -gap.seconds if gap.missed else gap.seconds
    here = np.isfinite(times)
    if music is None:
        base, slope = fit_line(reference.times[here], (times - jumps)[here], motion[here])
        expected = base + slope * reference.times + jumps
    else:
        slope, base = 1.0, music
        expected = reference.times + music
    lag = _soften(times - expected, motion, pieces)
    first = reference.times[0]
    return Timing(times, lag, base + slope * first - first, 1 / slope, gaps, motion)


def _follow(
    reference: Performance, attempt: Performance, match: Match
) -> tuple[Floats, list[slice], tuple[Gap, ...]]:
    """Return attempt times (T,), the runs of moments without a gap, and the gaps."""
    times = np.full(len(reference), np.nan)
    if not len(match.rows):
        return times, [], ()
    rows, first = np.unique(match.rows, return_index=True)
    ends = np.append(first[1:], len(match.rows))
    low, high = match.columns[first], match.columns[ends - 1]
    place = np.array(
        [match.columns[a:b].mean() for a, b in zip(first, ends, strict=True)], np.float64
    )
    breaks = np.flatnonzero((np.diff(rows) > 1) | (low[1:] - high[:-1] > 1)) + 1
    counts = len(reference), len(attempt)
    rows, place, breaks = _prolong(*_mend(rows, place, breaks, counts), counts)
    pieces = []
    for piece in np.split(np.arange(len(rows)), breaks):
        span = slice(int(rows[piece[0]]), int(rows[piece[-1]]) + 1)
        pieces.append(span)
        times[span] = np.interp(_straighten(place[piece]), np.arange(len(attempt)), attempt.times)
    gaps = [
        gap
        for cut in breaks
        for gap in _gaps(reference, attempt, rows[cut - 1 : cut + 1], place[cut - 1 : cut + 1])
    ]
    return times, pieces, _join_pauses(gaps)


def _join_pauses(gaps: list[Gap]) -> tuple[Gap, ...]:
    """Return the gaps with neighbouring pauses as one: the band of the alignment cuts long ones."""
    joined: list[Gap] = []
    for gap in gaps:
        last = joined[-1] if joined else None
        if last and not last.missed and not gap.missed and gap.start - last.end < _SAME_PAUSE:
            seconds = last.seconds + gap.seconds
            joined[-1] = replace(last, attempt_end=gap.attempt_end, seconds=seconds)
        else:
            joined.append(gap)
    return tuple(joined)


def _mend(
    rows: Indices, place: Floats, breaks: Indices, counts: tuple[int, int]
) -> tuple[Indices, Floats, Indices]:
    """Close the gaps after which the attempt soon is where it was: it did not leave anything out.

    Somebody who leaves a move out, or stops, is early or late from then on. A path that jumps and
    comes back within three seconds only avoids a moment that does not fit.
    """
    kept: list[int] = []
    while len(breaks):
        cut, breaks = int(breaks[0]), breaks[1:]
        lag = place - rows
        before, jump = lag[cut - 1], lag[cut] - lag[cut - 1]
        near = np.abs(lag[cut:] - before) <= max(0.1 * RATE, 0.3 * abs(jump))
        back = cut + int(near.argmax())
        if len(rows) - cut < _REMAINS * RATE and not near.any():
            last = min(counts[0] - 1, int(counts[1] - 1 - before))
            if last - rows[cut - 1] >= 0.8 * (counts[0] - 1 - rows[cut - 1]):
                more = np.arange(rows[cut - 1] + 1, last + 1)
                rows = np.concatenate([rows[:cut], more])
                place = np.concatenate([place[:cut], more + before])
                break
        if abs(jump) < _SHORTEST_GAP * RATE:
            back = cut
        elif not near.any() or rows[back] - rows[cut - 1] > _RETURN * RATE + abs(jump):
            kept.append(cut)
            continue
        missing = np.arange(rows[cut - 1] + 1, rows[back])
        line = np.interp(missing, [rows[cut - 1], rows[back]], [place[cut - 1], place[back]])
        rows = np.concatenate([rows[:cut], missing, rows[back:]])
        place = np.concatenate([place[:cut], line, place[back:]])
        shift = len(missing) - (back - cut)
        breaks = breaks[breaks > back] + shift
    return rows, place, np.array(kept, np.int64)


def _prolong(
    rows: Indices, place: Floats, breaks: Indices, counts: tuple[int, int]
) -> tuple[Indices, Floats, Indices]:
    """Go on at the same tempo at both ends, as far as both recordings go.

    What lies beyond the end of one of them was not recorded, and is not judged; what lies before
    it was, and is, however badly it fits.
    """
    head = np.arange(max(0, int(np.ceil(rows[0] - place[0] - 1e-9))), rows[0])
    last = min(counts[0] - 1, int(counts[1] - 1 - place[-1] + rows[-1] + 1e-9))
    tail = np.arange(rows[-1] + 1, last + 1)
    line = np.concatenate([head - rows[0] + place[0], place, tail - rows[-1] + place[-1]])
    return np.concatenate([head, rows, tail]), line, breaks + len(head)


def _straighten(place: Floats) -> Floats:
    """Smooth a staircase of samples with a moving line, which keeps its ends and its slope."""
    reach = min(int(_SMOOTH * RATE / 2), (len(place) - 1) // 2)
    if reach < 1:
        return place
    # Odd reflection about both ends: a straight path stays exactly as it is.
    head = 2 * place[0] - place[reach:0:-1]
    tail = 2 * place[-1] - place[-2 : -reach - 2 : -1]
    kernel = np.full(2 * reach + 1, 1 / (2 * reach + 1))
    smooth: Floats = np.convolve(np.concatenate([head, place, tail]), kernel, mode="valid")
    return smooth


def _gaps(reference: Performance, attempt: Performance, rows: Indices, place: Floats) -> list[Gap]:
    """Return what is missing between two neighbouring pairs: of the reference, of the attempt."""
    start, end = reference.times[rows].tolist()
    theirs, after = np.interp(place, np.arange(len(attempt)), attempt.times).tolist()
    missed, extra = int(rows[1] - rows[0]) - 1, float(place[1] - place[0]) - 1
    found = []
    if missed >= _SHORTEST_GAP * RATE:
        found.append(Gap(True, start, end, theirs, theirs, missed / RATE))
    if extra >= _SHORTEST_GAP * RATE:
        seconds = (after - theirs) * extra / (extra + 1)
        found.append(Gap(False, end, end, theirs, after, seconds))
    return found


def measure_motion(performance: Performance) -> Floats:
    """Return (T,) how fast the limbs turn on average, degrees a second."""
    if len(performance) < 2:
        return np.zeros(len(performance))
    units, weights = performance.units, performance.weights
    both = np.minimum(weights[1:], weights[:-1])
    turned = np.degrees(np.arccos(np.clip((units[1:] * units[:-1]).sum(axis=2), -1, 1)))
    speed = RATE * (both * turned).sum(axis=1) / np.maximum(both.sum(axis=1), 1e-9)
    return np.concatenate([speed[:1], speed])


def fit_line(ours: Floats, theirs: Floats, motion: Floats) -> tuple[float, float]:
    """Fit theirs = base + slope x ours, by moments that move, far ones counting less (Huber)."""
    if not len(ours):
        return 0.0, 1.0
    if len(ours) < RATE or motion.mean() < _REST / 3:
        return float(np.median(theirs - ours)), 1.0
    weights = motion + _REST / 3
    line = np.zeros(2)
    far = np.ones(len(ours))
    middle = ours.mean()
    design = np.stack([np.ones(len(ours)), ours - middle], axis=1)
    for _ in range(12):
        root = np.sqrt(weights * far)
        line = np.linalg.lstsq(design * root[:, None], theirs * root, rcond=None)[0]
        away = np.abs(theirs - design @ line)
        far = np.minimum(1, 0.05 / np.maximum(away, 1e-9))
    slope = float(np.clip(line[1], 0.25, 4))
    return float(line[0] - slope * middle), slope


def _soften(lag: Floats, motion: Floats, pieces: list[slice]) -> Floats:
    """Average the lag over a second, by motion: where nobody moves, it cannot be seen."""
    soft = np.full(len(lag), np.nan)
    reach = int(_WINDOW * RATE / 2)
    kernel = np.hanning(2 * reach + 3)[1:-1]
    for piece in pieces:
        weights = motion[piece] + 1.0
        top = np.convolve(lag[piece] * weights, kernel)
        bottom = np.convolve(weights, kernel)
        soft[piece] = (top / bottom)[reach : reach + len(weights)]
    return soft
