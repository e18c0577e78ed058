"""What ``poise compare`` prints: a score, what was taken away, the worst things; or a ranking."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from poise.comparison.ensemble import Ensemble
from poise.comparison.folder import summarize
from poise.comparison.result import Comparison
from poise.comparison.trial import Trial
from poise.comparison.words import (
    describe_fault,
    describe_moment,
    describe_relation,
    describe_verdict,
    merge_for_words,
    mirror_fault,
)

WORST = 3

_TABLES = {
    "en": {
        "right": "right", "nearly": "nearly right", "wrong": "wrong", "cannot say": "cannot say",
        "all": "{score:.0f} of 100: {verdict}; {count} of {total} parts danced",
        "apart": "{apart:.2f} s apart from one another",
        "pair": "person {theirs} as person {ours}: {head}",
        "missing": "nobody dances the part of person {who}",
        "columns": "rank|score|verdict|judged|attempt|worst",
    },
    "de": {
        "right": "richtig", "nearly": "fast richtig", "wrong": "falsch",
        "cannot say": "nicht zu beurteilen",
        "all": "{score:.0f} von 100: {verdict}; {count} von {total} Rollen getanzt",
        "apart": "{apart:.2f} s auseinander",
        "pair": "Person {theirs} als Person {ours}: {head}",
        "missing": "niemand tanzt die Rolle von Person {who}",
        "columns": "Platz|Punkte|Urteil|beurteilt|Versuch|am schlimmsten",
    },
}  # fmt: skip


def tell_trial(trial: Trial, language: str) -> str:
    """Return the lines on one attempt."""
    result = trial.result
    if isinstance(result, Comparison):
        told = _tell_one(result, language)
    else:
        told = _tell_all(result, language)
    return "\n".join(line for line in told if line)


def rank(trials: Sequence[Trial]) -> list[tuple[int | None, Trial]]:
    """Return the trials with their ranks, best first.

    Equal scores share a rank. Those of which nothing can be said come last, without one.
    """
    judged = [trial for trial in trials if trial.result.verdict != "cannot say"]
    judged.sort(key=lambda trial: -trial.result.score)
    scores = [round(trial.result.score, 4) for trial in judged]
    ranked: list[tuple[int | None, Trial]] = [
        (scores.index(score) + 1, trial) for score, trial in zip(scores, judged, strict=True)
    ]
    return ranked + [(None, trial) for trial in trials if trial not in judged]


def tell_ranking(ranked: Sequence[tuple[int | None, Trial]], language: str) -> str:
    """Return a table of attempts."""
    table = _TABLES[language]
    rows = [table["columns"].split("|")]
    for place, trial in ranked:
        result = trial.result
        score = "-" if place is None else f"{result.score:.0f}"
        share = f"{100 * result.coverage:.0f} %"
        head = [str(place or "-"), score, table[result.verdict], share, trial.attempt.source]
        rows.append([*head, next(iter(_worst(summarize(result), language)), "")])
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    return "\n".join(_line(row, widths) for row in rows)


def rank_document(
    ranked: Sequence[tuple[int | None, Trial]], failed: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    """Return a ranking, ready for JSON."""
    attempts = [{"rank": place, **trial.to_dict()} for place, trial in ranked]
    lost = [{"source": source, "error": line} for source, line in failed]
    return {"schema_version": 1, "attempts": attempts, "failed": lost}


def _tell_one(comparison: Comparison, language: str) -> Iterator[str]:
    yield describe_verdict(comparison, language)
    yield describe_relation(comparison.relation, language)
    yield from _worst(comparison, language)


def _tell_all(ensemble: Ensemble, language: str) -> Iterator[str]:
    table, count = _TABLES[language], len(ensemble.pairs)
    yield table["all"].format(
        score=ensemble.score,
        verdict=table[ensemble.verdict],
        count=count,
        total=count + len(ensemble.missing),
    )
    if ensemble.apart is not None:
        yield table["apart"].format(apart=ensemble.apart)
    for ours, theirs, comparison in ensemble.pairs:
        head = describe_verdict(comparison, language)
        yield table["pair"].format(ours=ours, theirs=theirs, head=head)
        yield from (f"  {line}" for line in _worst(comparison, language))
    yield from (table["missing"].format(who=who) for who in ensemble.missing)


def _worst(comparison: Comparison, language: str) -> list[str]:
    """The worst things, worst first; said to whoever made the attempt."""
    faults = [
        mirror_fault(fault) if comparison.relation.mirrored else fault
        for fault in merge_for_words(comparison.faults)
    ]
    chosen = sorted(faults, key=lambda fault: -fault.severity)[:WORST]
    tell = describe_moment if len(comparison.timeline.times) > 1 else describe_fault
    return [tell(fault, language) for fault in chosen]


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    aligned = [
        word.rjust(width) if column in (0, 1, 3) else word.ljust(width)
        for column, (word, width) in enumerate(zip(row, widths, strict=False))
    ]
    return "  ".join([*aligned, *row[5:]]).rstrip()
