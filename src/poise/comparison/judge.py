"""The walk of a comparison: grid, view, alignment, timing, errors, score, faults, words."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from poise.alignment import occurrences
from poise.angles import LIMB_NAMES
from poise.clip import Track
from poise.comparison.beats import Beats, split_beats, still_moments
from poise.comparison.faults import Scene, find_faults
from poise.comparison.lateness import find_late
from poise.comparison.matching import (
    Match,
    coarse_step,
    cost_matrix,
    gap_costs,
    match_fine,
    weigh_limbs,
)
from poise.comparison.performance import RATE, Performance, perform
from poise.comparison.result import Comparison, Fault, Part, Relation, Span, Timeline
from poise.comparison.scoring import (
    DEEP_TOLERANCE,
    TOLERANCE,
    Errors,
    Losses,
    cover,
    join_scores,
    judge_score,
    measure,
    score_parts,
    score_segments,
    score_timing,
    weigh,
)
from poise.comparison.timing import Timing, tell_times
from poise.comparison.views import Mirror, View, facing, find_view
from poise.comparison.words import describe_fault
from poise.errors import UsageError

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_MUSIC_BAND = 1.5  # seconds by which a dancer may be off the music
_REPEATED = 1.6  # times as long as the reference; from there on it may hold several performances
_WORST_REPEAT = 0.25  # mean cost of an alignment that still counts as a performance
_FEWEST_LIMBS = 2


@dataclass(frozen=True)
class _Wish:
    reference: Track
    attempt: Track
    mirror: Mirror
    offset: float | None
    beats: Beats
    timed: bool
    language: str


def compare(
    reference: Track,
    attempt: Track,
    *,
    mirror: Mirror = "auto",
    offset: float | None = None,
    beats: Beats = None,
    timed: bool = True,
    language: str = "en",
) -> Comparison:
    """Compare two performances of one movement.

    Args:
        reference: How it should be.
        attempt: How it was done. It may be longer, and hold the movement several times.
        mirror: Whether the attempt is a mirror image: ``yes``, ``no``, or ``auto`` to find out.
        offset: Seconds by which the attempt's music is later in its recording than the same music
            in the reference's; None where there is no music to go by.
        beats: Beats a minute, or seconds of the reference at which beats begin; None finds them
            by motion.
        timed: Align in time; False compares moment with moment as they come.
        language: Of the sentences: ``en`` or ``de``.

    Returns:
        The comparison. Left and right are those of the reference's body; in the sentences, which
        speak to whoever made the attempt, those of the attempt's.

    Raises:
        UsageError: A track is empty, the two have no limbs in common, or an option is wrong.
    """
    ours, theirs = perform(reference), perform(attempt)
    _check(ours, theirs, mirror)
    wish = _Wish(reference, attempt, mirror, offset, beats, timed, language)
    found = _find_performances(ours, theirs, wish)
    if len(found) > 1:
        each = [_judge(ours, theirs.between(*span), wish) for span in found]
    else:
        each = [_judge(ours, theirs, wish)]
        found = _recorded(each[0])
    best = max(each, key=lambda one: one.score)
    spans = tuple(Span(*span, one.score) for span, one in zip(found, each, strict=False))
    return replace(best, attempts=spans)


def _recorded(comparison: Comparison) -> list[tuple[float, float]]:
    times = comparison.timeline.attempt_times
    times = times[np.isfinite(times)]
    return [(float(times[0]), float(times[-1]))] if len(times) else []


def _check(ours: Performance, theirs: Performance, mirror: str) -> None:
    if mirror not in {"auto", "yes", "no"}:
        raise UsageError(f"wanted auto, yes or no, got '{mirror}'", where="mirror")
    check_common(ours.shown & theirs.shown, ours.skeleton.name, theirs.skeleton.name)
    if len(theirs) == 1 < len(ours):
        raise UsageError("a single pose is no attempt at a movement", where="attempt",
                         remedy="give one picture on either side, or two videos")  # fmt: skip


def check_common(common: Flags, ours: str, theirs: str) -> None:
    """Raise a UsageError where two skeletons, by name, show too few limbs (L,) in common."""
    if common.sum() < _FEWEST_LIMBS:
        names = [name for name, here in zip(LIMB_NAMES, common.tolist(), strict=True) if here]
        raise UsageError(
            f"the two show {', '.join(names) or 'no limb'} in common; nothing can be compared",
            where=f"{ours} and {theirs}",
        )


def _find_performances(
    ours: Performance, theirs: Performance, wish: _Wish
) -> list[tuple[float, float]]:
    """Return the seconds of every performance of the reference, with a little room around it.

    Only a recording that is much longer than the reference is searched, and none with music, which
    says where the one performance is.
    """
    long = len(theirs) > _REPEATED * len(ours) and len(ours) > RATE / 3
    if wish.offset is not None or not wish.timed or not long:
        return []
    view = find_view(ours, theirs, wish.mirror, _allow_all)
    step = coarse_step(view.reference, view.attempt)
    a, b = view.reference.thinned(step), view.attempt.thinned(step)
    cost = cost_matrix(a, b, weigh_limbs(a, b))
    paths = occurrences(cost, most=50, limit=_WORST_REPEAT, **gap_costs(step))
    margin = 0.1 * (ours.times[-1] - ours.times[0])
    edges = [(theirs.times[p.columns[0] * step], theirs.times[p.columns[-1] * step]) for p in paths]
    found = []
    for number, (start, end) in enumerate(edges):
        before = edges[number - 1][1] if number else theirs.times[0]
        after = edges[number + 1][0] if number + 1 < len(edges) else theirs.times[-1]
        found.append((float(max(start - margin, before)), float(min(end + margin, after))))
    return found


def _allow_all(ours: Performance, theirs: Performance) -> None:
    return None


def _judge(ours: Performance, theirs: Performance, wish: _Wish) -> Comparison:
    def allowed(a: Performance, b: Performance) -> Flags | None:
        if wish.offset is None:
            return None
        return np.abs(a.times[:, None] + wish.offset - b.times) <= _MUSIC_BAND

    view = find_view(ours, theirs, wish.mirror, allowed)
    limbs = weigh_limbs(view.reference, view.attempt)
    stretched, match = _match(view, limbs, wish)
    timing = tell_times(view.reference, stretched, match, wish.offset)
    if not wish.timed:
        timing = replace(timing, tempo=1.0, lag=np.zeros(len(ours)))
    errors = measure(view.reference, view.attempt, timing, limbs)
    tolerance = DEEP_TOLERANCE if view.deep else TOLERANCE
    losses = weigh(errors, tolerance)
    late = find_late(view.reference, view.attempt, timing.attempt_times) if wish.timed else ()
    still = still_moments(view.reference.times, timing.motion).tolist()
    scene = Scene(errors, timing, late, facing(view.reference), tuple(still), tolerance - TOLERANCE)
    relation = _relate(ours, theirs, view, timing, wish)
    return _assemble(view, scene, losses, relation, wish)


def _match(view: View, limbs: Floats, wish: _Wish) -> tuple[Performance, Match]:
    if not wish.timed:
        count = np.arange(min(len(view.reference), len(view.attempt)))
        return view.attempt, Match(count, count, 0.0)
    if len(view.reference) == 1:
        best = int(cost_matrix(view.reference, view.attempt, limbs)[0].argmin())
        return view.attempt, Match(np.array([0]), np.array([best]), 0.0)
    if not len(view.match.rows):
        return view.attempt, view.match
    return match_fine(view.reference, view.attempt, limbs, view.match)


def _assemble(
    view: View, scene: Scene, losses: Losses, relation: Relation, wish: _Wish
) -> Comparison:
    errors, timing = scene.errors, scene.timing
    shape = losses.score(slice(None))
    kept = score_timing(timing)
    coverage = cover(errors)
    score = join_scores(0.0 if np.isnan(shape) else shape, kept)
    limbs, joints = score_parts(errors, losses)
    bounds = split_beats(view.reference.times, timing.motion, wish.beats)
    faults = tuple(_worded(fault, view.mirrored, wish.language) for fault in find_faults(scene))
    return Comparison(
        score,
        judge_score(score, coverage),
        0.0 if np.isnan(shape) else shape,
        kept,
        coverage,
        relation,
        tuple(_with_lag(part, scene) for part in limbs),
        joints,
        score_segments(bounds, errors, losses, timing),
        faults,
        (),
        _timeline(errors, losses, timing),
        wish.reference,
        wish.attempt,
    )


def _relate(
    ours: Performance, theirs: Performance, view: View, timing: Timing, wish: _Wish
) -> Relation:
    large, small = np.median(theirs.size), np.median(ours.size)
    return Relation(
        view.mirrored,
        float(timing.offset),
        float(timing.tempo),
        float(large / small) if small > 0 else 1.0,
        view.roll,
        view.yaw,
        "audio" if wish.offset is not None else "motion" if wish.timed else "none",
    )


def _with_lag(part: Part, scene: Scene) -> Part:
    lags = [late.seconds for late in scene.late if part.name in late.limbs]
    return replace(part, lag=float(np.mean(lags))) if lags else part


def _worded(fault: Fault, mirrored: bool, language: str) -> Fault:
    """Say it to whoever made the attempt: in a mirror image their other side is meant."""
    return replace(fault, text=describe_fault(fault, language, mirrored=mirrored))


def _timeline(errors: Errors, losses: Losses, timing: Timing) -> Timeline:
    seen = errors.weights > 0
    return Timeline(
        errors.reference.times,
        timing.attempt_times,
        losses.moments(),
        np.where(seen, np.abs(errors.turns), np.nan),
        errors.weights,
        timing.lag,
    )
