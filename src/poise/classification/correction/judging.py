"""A person's pose against the one that it should be: what is off, by how much, and the score."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from poise.classification.correction.gauges import VARIANTS, Gauges
from poise.classification.correction.target import Check, Target

Floats = npt.NDArray[np.float64]

IN_ZONE = 80.0  # score from which the pose counts as held
ENOUGH = 0.5  # share of the checks, by importance, that must be seen
_SPAN = 60.0  # degrees beyond the tolerance at which a check is wholly wrong
_AROUND = 0.5  # seconds to either side of the best moment that are judged together
_BRIDGED = 0.3  # seconds for which the pose may be lost within one hold


@dataclass(frozen=True)
class Finding:
    """One check of the moment that is judged.

    Attributes:
        check: What was to be.
        value: Degrees that were measured; NaN where it cannot be seen.
        off: Degrees by which the value must grow, below 0 shrink, to be ideal; NaN likewise.
    """

    check: Check
    value: float
    off: float

    @property
    def seen(self) -> bool:
        """Whether it can be judged."""
        return bool(np.isfinite(self.off))

    @property
    def wrong(self) -> bool:
        """Whether it is beyond its tolerance."""
        return self.seen and abs(self.off) > self.check.tolerance

    @property
    def weight(self) -> float:
        """How bad it is: degrees beyond the tolerance x importance."""
        return (abs(self.off) - self.check.tolerance) * self.check.importance if self.seen else 0.0


@dataclass(frozen=True, eq=False)
class Judgement:
    """How near a person came to a pose. T frames, C checks.

    Attributes:
        target: The pose.
        times: (T,) seconds.
        scores: (T,) 0..100 of every frame; NaN where less than half can be judged.
        values: (T, C) degrees of every check; NaN where it cannot be seen.
        offs: (T, C) degrees from there to the ideal.
        variants: (T,) number of the mirroring in ``VARIANTS`` that fits best.
        findings: The moment that is judged: the median of half a second to either side.
        score: 0..100 of that moment; NaN where nothing can be said.
        judged: 0..1, share of the checks that were seen in it, by importance.
        best: Seconds of the moment; the best one, unless ``at`` chose another.
        variant: Its mirroring.
    """

    target: Target
    times: Floats
    scores: Floats
    values: Floats
    offs: Floats
    variants: npt.NDArray[np.int64]
    findings: tuple[Finding, ...]
    score: float
    judged: float
    best: float
    variant: int

    @property
    def flipped(self) -> bool:
        """Whether the person faces left where the target faces right, or stands with the back."""
        return VARIANTS[self.variant][0]

    @property
    def swapped(self) -> bool:
        """Whether it is the right version of a pose that is written as its left one."""
        return VARIANTS[self.variant][1]

    @property
    def corrections(self) -> tuple[Finding, ...]:
        """What is beyond its tolerance, worst first."""
        wrong = [finding for finding in self.findings if finding.wrong]
        return tuple(sorted(wrong, key=lambda finding: -finding.weight))

    def at(self, frame: int, *, around: float = _AROUND) -> Judgement:
        """Return the same judgement of another moment: so many seconds to either side."""
        time, variant = float(self.times[frame]), int(self.variants[frame])
        near = (np.abs(self.times - time) <= around) & (self.variants == variant)
        measured, offs = _median(self.values[near]), _median(self.offs[near])
        score, share = _rate(offs[None], self.target)
        findings = map(Finding, self.target.checks, measured.tolist(), offs.tolist())
        return replace(
            self, findings=tuple(findings), score=float(score[0]), judged=float(share[0]),
            best=time, variant=variant,
        )  # fmt: skip

    def holds(self) -> list[tuple[float, float]]:
        """Return from when to when the pose was held; losses of up to 0.3 s do not end a hold."""
        inside = np.flatnonzero(np.nan_to_num(self.scores, nan=0.0) >= IN_ZONE)
        if len(self.times) < 2 or not len(inside):
            return []
        last = float(np.median(np.diff(self.times)))
        ends = np.append(self.times[1:], self.times[-1] + last)
        breaks = self.times[inside[1:]] - ends[inside[:-1]] > _BRIDGED
        runs = np.split(inside, np.flatnonzero(breaks) + 1)
        return [(float(self.times[run[0]]), float(ends[run[-1]])) for run in runs]


def judge(gauges: Gauges, target: Target) -> Judgement:
    """Compare every frame of a person with a pose, in its better version.

    The score of a frame is 100 x the mean quality of what is seen, by importance, x the quality of
    the worst check, which counts by its importance. The quality of a check is 1 within its
    tolerance and falls to 0 at 60 degrees beyond it.
    """
    count = 2 if target.is_symmetric else len(VARIANTS)
    values = np.array(
        [[gauges.series(c.measure, v) for c in target.checks] for v in range(count)]
    ).transpose(0, 2, 1)
    offs = _apart(values, target)
    scores, judged = _rate(offs, target)
    fit = np.where(np.isfinite(scores), scores, -1.0) * judged
    variants = fit.argmax(axis=0)
    frames = np.arange(len(gauges))
    chosen = variants, frames
    whole = Judgement(
        target, gauges.times, scores[chosen], values[chosen], offs[chosen], variants,
        (), np.nan, 0.0, 0.0, 0,
    )  # fmt: skip
    return whole.at(int(_calm(gauges.times, fit[chosen]).argmax()))


def rank_targets(gauges: Gauges, targets: list[Target]) -> list[Judgement]:
    """Return a judgement by each pose, the nearest one first; what cannot be said comes last."""
    found = [judge(gauges, target) for target in targets]
    return sorted(found, key=lambda one: -np.nan_to_num(one.score, nan=-1.0) * one.judged)


def _apart(values: Floats, target: Target) -> Floats:
    """Return the (V, T, C) degrees from values to ideals; headings go the shorter way around."""
    offs = np.array([check.ideal for check in target.checks]) - values
    circular = np.array([check.kind == "heading" for check in target.checks])
    wrapped: Floats = np.where(circular, (offs + 180) % 360 - 180, offs)
    return wrapped


def _rate(offs: Floats, target: Target) -> tuple[Floats, Floats]:
    """Return the (...,) scores and the shares of the checks that were seen, of (..., C)."""
    tolerance = np.array([check.tolerance for check in target.checks])
    weight = np.array([check.importance for check in target.checks])
    seen = np.isfinite(offs)
    excess = np.abs(np.where(seen, offs, 0.0)) - tolerance
    quality = 1 - np.clip(excess / _SPAN, 0, 1)
    weights = weight * seen
    total = weights.sum(axis=-1)
    mean = (quality * weights).sum(axis=-1) / np.maximum(total, 1e-9)
    worst = np.where(seen, 1 - weight * (1 - quality), 1.0).min(axis=-1)
    judged: Floats = total / weight.sum()
    return np.where(judged >= ENOUGH, 100 * mean * worst, np.nan), judged


def _calm(times: Floats, fit: Floats) -> Floats:
    """Return the mean of each frame's neighbours within a quarter of a second."""
    low = np.searchsorted(times, times - 0.25)
    high = np.searchsorted(times, times + 0.25, side="right")
    sums = np.concatenate([[0.0], np.cumsum(fit)])
    calm: Floats = (sums[high] - sums[low]) / (high - low)
    return calm


def _median(values: Floats) -> Floats:
    """Return the (C,) medians of what is seen in at least half of the (T, C) frames."""
    middle = np.full(values.shape[1], np.nan)
    often = np.isfinite(values).mean(axis=0) >= 0.5
    middle[often] = np.nanmedian(values[:, often], axis=0)
    return middle
