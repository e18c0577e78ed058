"""Several dancers compared with several: a comparison for each pair, and a score for all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from poise.clip import Clip
from poise.comparison.judge import compare
from poise.comparison.options import Mirror
from poise.comparison.performers import find_performers, pair_people
from poise.comparison.result import Comparison, Verdict
from poise.errors import InputError

Floats = npt.NDArray[np.float64]

TOGETHER = 0.15  # share of the ensemble's score that keeping together has
_TOGETHER_SECONDS = 0.05  # apart by no more than this is together: a frame and a half
_ALONE_SECONDS = 0.55  # apart by this or more earns nothing: half a beat at 60 beats a minute
_GAIN = 1.0  # points by which another order, or a mirror, must be better
_ORDER: tuple[Verdict, ...] = ("right", "nearly", "wrong", "cannot say")


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Several dancers against several.

    Attributes:
        score: 0..100: share of the reference's dancers who were paired x (0.85 x mean of the
            pairs' scores, weighted by coverage, + 0.15 x synchrony). Without synchrony the mean
            alone.
        verdict: The worst one among the pairs; ``wrong`` where a dancer has no partner.
        synchrony: 0..100: 100 where the dancers are at most 0.05 s apart, 0 from 0.55 s, a
            straight line in between; None for one pair, or single poses.
        apart: Seconds by which the dancers stray from their common time, more than those of the
            reference: the root mean square over the pairs, then the median over time; or None.
        pairs: Id in the reference, id in the attempt, their comparison; from left to right.
        missing: Ids of the reference's dancers whom nobody danced.
        extra: Ids of the attempt's dancers who danced nobody's part.
    """

    score: float
    verdict: Verdict
    synchrony: float | None
    apart: float | None
    pairs: tuple[tuple[int, int, Comparison], ...] = field(repr=False)
    missing: tuple[int, ...]
    extra: tuple[int, ...]

    @property
    def coverage(self) -> float:
        """Mean share 0..1 of limbs and time that could be judged."""
        return float(np.mean([comparison.coverage for _, _, comparison in self.pairs]))

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the arrays, ready for JSON."""
        pairs = [
            {"reference_person": ours, "person": theirs, **comparison.to_dict()}
            for ours, theirs, comparison in self.pairs
        ]
        return {
            "schema_version": 1,
            "score": round(self.score, 4),
            "verdict": self.verdict,
            "coverage": round(self.coverage, 4),
            "synchrony": None if self.synchrony is None else round(self.synchrony, 4),
            "apart": None if self.apart is None else round(self.apart, 4),
            "missing": list(self.missing),
            "extra": list(self.extra),
            "pairs": pairs,
        }


def compare_people(
    reference: Clip, attempt: Clip, *, mirror: Mirror = "auto", **options: Any
) -> Ensemble:
    """Compare all performers of a clip with those of another, whose people have ids.

    Who dances whose part is found by place. From the other side of the stage, and in a mirror,
    left and right change places, so both orders are tried, with the attempt as it is and mirrored.
    The first of these is taken, unless another one scores at least a point more.

    Args:
        reference, attempt: See ``identify``.
        mirror: Whether the attempt is a mirror image.
        **options: Those of ``compare``.

    Raises:
        InputError: Nobody performs in one of the clips.
        UsageError: As ``compare``.
    """
    for clip in (reference, attempt):
        if not find_performers(clip):
            raise InputError("no person was found", where=clip.header.source or None)
    sides: dict[str, tuple[Mirror, ...]] = {"auto": ("no", "yes"), "yes": ("yes",), "no": ("no",)}
    best: Ensemble | None = None
    tried: list[list[tuple[int, int]]] = []
    for turned in (mirror == "yes", mirror != "yes"):
        couples = pair_people(reference, attempt, mirrored=turned)
        if couples in tried:
            continue
        tried.append(couples)
        for side in sides[mirror]:
            found = _compare_couples(reference, attempt, couples, {"mirror": side, **options})
            if best is None or found.score > best.score + _GAIN:
                best = found
    assert best is not None
    return best


def _compare_couples(
    reference: Clip, attempt: Clip, couples: list[tuple[int, int]], options: dict[str, Any]
) -> Ensemble:
    pairs = tuple(
        (ours, theirs, compare(reference.track(ours), attempt.track(theirs), **options))
        for ours, theirs in couples
    )
    wanted, there = find_performers(reference), find_performers(attempt)
    missing = tuple(one for one in wanted if one not in {ours for ours, _ in couples})
    extra = tuple(one for one in there if one not in {theirs for _, theirs in couples})
    apart = measure_apart([comparison for _, _, comparison in pairs])
    synchrony = None if apart is None else _score_together(apart)
    score = _mean_score(pairs, synchrony) * len(couples) / len(wanted)
    return Ensemble(score, _judge(pairs, missing), synchrony, apart, pairs, missing, extra)


def measure_apart(comparisons: list[Comparison]) -> float | None:
    """Return by how many seconds performers stray from their common time; see ``Ensemble``."""
    lines = [comparison.timeline for comparison in comparisons]
    if len(lines) < 2 or any(len(line.times) < 2 for line in lines):
        return None
    start, end = max(line.times[0] for line in lines), min(line.times[-1] for line in lines)
    if not start < end:
        return None
    moments = np.arange(start, end, 0.1)
    mapped = np.array([_mapped(line.times, line.attempt_times, moments) for line in lines])
    shared = np.isfinite(mapped).all(axis=0)
    if not shared.any():
        return None
    return float(np.median(mapped[:, shared].std(axis=0)))


def _mapped(times: Floats, attempt_times: Floats, moments: Floats) -> Floats:
    mapped: Floats = np.interp(moments, times, attempt_times)  # a NaN stays one
    return mapped


def _score_together(apart: float) -> float:
    share = (_ALONE_SECONDS - apart) / (_ALONE_SECONDS - _TOGETHER_SECONDS)
    return 100 * float(np.clip(share, 0, 1))


def _mean_score(pairs: tuple[tuple[int, int, Comparison], ...], synchrony: float | None) -> float:
    weights = np.array([comparison.coverage for _, _, comparison in pairs])
    scores = np.array([comparison.score for _, _, comparison in pairs])
    mean = float((weights * scores).sum() / max(weights.sum(), 1e-9))
    return mean if synchrony is None else (1 - TOGETHER) * mean + TOGETHER * synchrony


def _judge(pairs: tuple[tuple[int, int, Comparison], ...], missing: tuple[int, ...]) -> Verdict:
    verdicts = {comparison.verdict for _, _, comparison in pairs}
    if missing and "cannot say" not in verdicts:
        return "wrong"
    return max(verdicts, key=_ORDER.index)
