"""The folder of a report: everything that a comparison leaves, complete or not at all."""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from poise.comparison.ensemble import Ensemble
from poise.comparison.estimates import RECORD, describe_estimation
from poise.comparison.film import write_film
from poise.comparison.moments import extract_moments
from poise.comparison.options import ComparisonOptions
from poise.comparison.report import (
    MomentPictures,
    RankedAttempt,
    Sources,
    save_ranking,
    save_report,
)
from poise.comparison.report.pairs import MOST_PAIRS
from poise.comparison.report.saving import to_json
from poise.comparison.result import Comparison
from poise.comparison.trial import Entrant, Trial
from poise.io import write_clip
from poise.output import OutputFolder, refuse_taken, translated

# The report of a film: its name, frames that are painted, and how many there will be.
FilmReport = Callable[[str, int, int], None]

SIDES = ("reference", "attempt")

_FILES = re.compile(
    r"report\.html|comparison\.(json|mp4|gif)|timeline\.csv|(reference|attempt)\.jsonl|"
    r"ensemble\.json|estimates\.json|ranking\.(html|csv|json)"
)


def write_trial(
    trial: Trial,
    folder: str,
    options: ComparisonOptions,
    *,
    overwrite: bool = False,
    keep: Sequence[str] = SIDES,
    report: FilmReport | None = None,
) -> tuple[str, ...]:
    """Write the report of one attempt: all of it, or nothing.

    Several dancers have a folder each, named by their ids in the reference and in the attempt,
    beside ``ensemble.json``.

    Args:
        trial: What came of it.
        folder: Made where it does not exist.
        options: How it was compared.
        overwrite: Whether the folder may hold an earlier report.
        keep: The sides whose estimation is kept for the next run.
        report: Told of each frame that is painted.

    Returns:
        Notes for the user: sound that was lost, a codec that stood in.

    Raises:
        OutputError: The folder is not empty and may not be, or cannot be written.
    """
    refuse_taken(folder, overwrite=overwrite, folder=True)
    kept = {side: getattr(trial, side) for side in keep}
    result = trial.result
    notes: list[str] = []
    if isinstance(result, Comparison):
        with _filling(folder) as place:
            notes += _fill(place, trial, result, options, report)
            _write_json(place / "comparison.json", trial.to_dict())
            _keep_estimates(place, kept, options)
        return tuple(notes)
    for ours, theirs, comparison in result.pairs:
        with _filling(f"{folder}/{ours}-{theirs}") as place:
            notes += _fill(place, trial, comparison, options, report)
    with _filling(folder) as place:
        _write_json(place / "ensemble.json", trial.to_dict())
        _keep_estimates(place, kept, options)
    return tuple(notes)


def write_ranking(
    reference: Entrant,
    trials: Sequence[tuple[str, Trial]],
    failed: Sequence[tuple[str, str]],
    folder: str,
    options: ComparisonOptions,
) -> None:
    """Write ``ranking.html``, ``ranking.csv`` and ``ranking.json``.

    Args:
        reference: With whom all were compared; its estimation is kept here.
        trials: Each with the name of its own folder in this one.
        failed: Sources that could not be compared, and why.
        folder: Of the ranking.
        options: How they were compared.
    """
    rows = [
        RankedAttempt(
            trial.attempt.source, summarize(trial.result), f"{name}/{page_of(trial.result)}"
        )
        for name, trial in trials
    ]
    rows += [RankedAttempt(source, error=line) for source, line in failed]
    with _filling(folder) as place:
        save_ranking(
            rows, place, overwrite=True, reference=reference.source, language=options.language
        )
        _keep_estimates(place, {"reference": reference}, options)


def summarize(result: Comparison | Ensemble) -> Comparison:
    """Return the comparison; that of an ensemble's worst pair, with the score of all."""
    if isinstance(result, Comparison):
        return result
    worst = min((one for _, _, one in result.pairs), key=lambda one: one.score)
    return replace(worst, score=result.score, verdict=result.verdict, coverage=result.coverage)


def page_of(result: Comparison | Ensemble) -> str:
    """Return the name of the file in a report's folder that is read first."""
    return "report.html" if isinstance(result, Comparison) else "ensemble.json"


def _fill(
    place: Path,
    trial: Trial,
    comparison: Comparison,
    options: ComparisonOptions,
    report: FilmReport | None,
) -> list[str]:
    """Write the page, the tables and the films of one comparison."""
    ours, theirs = trial.reference, trial.attempt
    models = ours.clip.header.model, theirs.clip.header.model
    sources = Sources(ours.source, theirs.source, *models)
    save_report(
        comparison,
        place,
        overwrite=True,
        pictures=_show_worst(comparison, ours.footage, theirs.footage),
        sources=sources,
        language=options.language,
    )
    notes: list[str] = []
    for suffix in _films(comparison, options):
        notes += write_film(
            comparison,
            place / f"comparison.{suffix}",
            reference=ours.footage,
            attempt=theirs.footage,
            report=None if report is None else functools.partial(report, f"painting {suffix}"),
        )
    return notes


def _show_worst(
    comparison: Comparison, reference: str | None, attempt: str | None
) -> list[MomentPictures] | None:
    """Pictures of the worst moments; None where nothing was recorded, to draw them instead."""
    if reference is None and attempt is None:
        return None
    faults = [fault for fault in comparison.worst(2 * MOST_PAIRS) if fault.kind != "extra"]
    most = MOST_PAIRS if len(comparison.timeline.times) > 1 else 1
    return extract_moments(comparison, faults[:most], reference, attempt)


def _films(comparison: Comparison, options: ComparisonOptions) -> list[str]:
    moving = len(comparison.timeline.times) > 1
    wanted = {"mp4": options.film, "gif": options.gif}
    return [suffix for suffix, one in wanted.items() if one and moving]


def _keep_estimates(place: Path, sides: dict[str, Entrant], options: ComparisonOptions) -> None:
    kept = {}
    for side, entrant in sides.items():
        if entrant.footage != entrant.source:
            continue
        header = entrant.clip.header
        write_clip(entrant.clip, place / f"{side}.jsonl")
        kept[side] = describe_estimation(entrant.source, header.model, header.precision, options)
    if kept:
        _write_json(place / RECORD, kept)


def _write_json(path: Path, document: dict[str, Any]) -> None:
    with translated(path):
        path.write_text(to_json(document), encoding="utf-8")


@contextlib.contextmanager
def _filling(folder: str) -> Iterator[Path]:
    """A place to write to; what is in it stands in the folder when the block has ended well."""
    with translated(folder):
        Path(folder).parent.mkdir(parents=True, exist_ok=True)
    out = OutputFolder(folder, overwrite=True, stale=_FILES)
    try:
        yield out.place
        out.commit()
    except BaseException:
        out.discard()
        raise
