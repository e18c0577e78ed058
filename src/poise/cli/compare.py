"""``poise compare``: a reference and attempts in; a score, words and a report out."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from poise.cli.loading import load_once
from poise.cli.parameters import take_options
from poise.cli.progress import Ticker
from poise.cli.verdicts import rank, rank_document, tell_ranking, tell_trial
from poise.clip import Clip
from poise.comparison.estimates import recall_clip
from poise.comparison.folder import (
    SIDES,
    page_of,
    write_ranking,
    write_trial,
)
from poise.comparison.options import ComparisonOptions
from poise.comparison.report.saving import to_json
from poise.comparison.trial import Entrant, Trial, hold_trial, load_entrant
from poise.errors import (
    BelowThresholdError,
    NoInputError,
    OutputError,
    PoiseError,
    SomeInputsFailedError,
)
from poise.loading import Report, choose_track, expand_sources, is_clip, name_sources
from poise.models.base import PoseModel
from poise.options import ModelOptions
from poise.output import refuse_folder, refuse_taken, source_path

_KINDS = (
    "A video, a picture, or keypoints in any format that Poise reads: a file, or a folder of "
    "OpenPose JSON."
)
Reference = Annotated[str, typer.Argument(metavar="REFERENCE", help=f"How it should be. {_KINDS}")]
Attempts = Annotated[
    list[str],
    typer.Argument(
        metavar="ATTEMPT",
        help="How it was done. Several, a folder of them, or a glob give a ranking.",
    ),
]
Output = Annotated[
    str | None, typer.Option("-o", "--output", metavar="FOLDER", help="The folder of the report.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@take_options(model=ModelOptions, options=ComparisonOptions)
def compare(
    *,
    reference: Reference,
    attempts: Attempts,
    output: Output = None,
    as_json: AsJson = False,
    overwrite: Annotated[bool, typer.Option(help="Replace a report that exists.")] = False,
    progress: Annotated[bool, typer.Option(help="Show progress on stderr.")] = True,
    model: ModelOptions,
    options: ComparisonOptions,
) -> None:
    """Compare a performance with the one it should be: what is wrong, where, when, how much."""
    found = expand_sources(attempts)
    many = found != attempts or len(found) > 1
    if many:
        found = _without(found, reference)
    if output is not None:
        refuse_folder(output, [reference, *found])
        refuse_taken(output, overwrite=overwrite, folder=True)
    ticker = Ticker(enabled=progress, many=True)
    model_once = load_once(model, options.precision, ticker)
    job = Job(reference, found, model_once, options, ticker, output, overwrite, as_json)
    try:
        job.compare_many() if many else job.compare_one()
    finally:
        ticker.close()


@dataclass(frozen=True)
class Job:
    """What the user asked for."""

    reference: str
    attempts: list[str]
    load: Callable[[], PoseModel]
    options: ComparisonOptions
    ticker: Ticker
    output: str | None
    overwrite: bool
    as_json: bool

    def compare_one(self) -> None:
        """Compare the one attempt.

        Raises:
            BelowThresholdError: The score is below the one that was asked for.
        """
        source = self.attempts[0]
        is_clip(source)  # a name that leads nowhere must not cost the estimation of the other
        trial = self._try(self._load(self.reference, 0, self.output), 1, self.output)
        text = tell_trial(trial, self.options.language)
        self._print(trial.to_dict() if self.as_json else text, page_of(trial.result))
        self._refuse_low([trial])

    def compare_many(self) -> None:
        """Compare all attempts and rank them; one that fails is listed, and the next one begins.

        Raises:
            SomeInputsFailedError: At least one failed; the others are ranked.
            BelowThresholdError: A score is below the one that was asked for.
        """
        reference = self._load(self.reference, 0, self.output)
        if not self.options.everyone:
            choose_track(reference.clip, self.options.reference_person)
        trials: list[tuple[str, Trial]] = []
        failed: list[tuple[str, str]] = []
        for number, name in enumerate(name_sources(self.attempts), start=1):
            folder = None if self.output is None else str(Path(self.output) / name)
            try:
                trials.append((name, self._try(reference, number, folder)))
            except OutputError:
                raise
            except PoiseError as error:
                self.ticker.say(f"poise: error: {error}", always=True)
                failed.append((self.attempts[number - 1], str(error)))
        if self.output is not None:
            write_ranking(reference, trials, failed, self.output, self.options)
        self._finish_many([trial for _, trial in trials], failed)

    def _finish_many(self, trials: list[Trial], failed: list[tuple[str, str]]) -> None:
        ranked = rank(trials)
        text = tell_ranking(ranked, self.options.language) if trials else ""
        self._print(rank_document(ranked, failed) if self.as_json else text, "ranking.html")
        if failed:
            raise SomeInputsFailedError(f"{len(failed)} of {len(self.attempts)} attempts failed")
        self._refuse_low(trials)

    def _load(self, source: str, number: int, folder: str | None) -> Entrant:
        side = "attempt" if number else "reference"
        label = f"{side} {Path(source).name}"
        report = self.ticker.begin(label, number + 1, len(self.attempts) + 1)
        known = None
        if folder is not None:
            known = functools.partial(_recall, folder, side, source, self.options)
        return load_entrant(source, self.load, self.options, known=known, report=report)

    def _try(self, reference: Entrant, number: int, folder: str | None) -> Trial:
        """Load an attempt, compare it, and write its report."""
        source = self.attempts[number - 1]
        attempt = self._load(source, number, folder)
        trial = hold_trial(reference, attempt, self.options)
        notes = trial.notes
        if folder is not None:
            notes += write_trial(
                trial,
                folder,
                self.options,
                overwrite=self.overwrite,
                keep=SIDES if folder == self.output else SIDES[1:],
                report=self._watch_painting(number),
            )
        for note in notes:
            self.ticker.say(f"poise: note: {note}", always=True)
        return trial

    def _watch_painting(self, number: int) -> Callable[[str, int, int], None]:
        begun: dict[str, Report | None] = {}

        def watch(name: str, done: int, total: int) -> None:
            if name not in begun:
                begun[name] = self.ticker.begin(name, number + 1, len(self.attempts) + 1)
            report = begun[name]
            if report is not None:
                report(done, total)

        return watch

    def _print(self, result: str | dict[str, Any], page: str) -> None:
        """Print the result, and say where the report is."""
        self.ticker.close()
        line = result if isinstance(result, str) else to_json(result).rstrip()
        if line:
            typer.echo(line)
        if self.output is not None:
            self.ticker.say(f"written: {Path(self.output) / page}")

    def _refuse_low(self, trials: list[Trial]) -> None:
        least = self.options.min_score
        for trial in trials if least is not None else ():
            result, where = trial.result, trial.attempt.source
            if result.verdict == "cannot say":
                what = f"nothing can be said: only {result.coverage:.0%} could be judged"
                raise BelowThresholdError(what, where=where)
            if least is not None and result.score < least:
                raise BelowThresholdError(
                    f"scores {result.score:.1f}, below {least:g}", where=where
                )


def _recall(
    folder: str, side: str, source: str, options: ComparisonOptions, model: PoseModel
) -> Clip | None:
    return recall_clip(folder, side, source, model, options)


def _without(sources: list[str], reference: str) -> list[str]:
    """The sources of a ranking, but for the reference itself."""
    kept = [source for source in sources if not _is_same(source, reference)]
    if not kept:
        raise NoInputError("there is no attempt but the reference itself", where=reference)
    return kept


def _is_same(one: str, other: str) -> bool:
    ours, theirs = source_path(one), source_path(other)
    return ours is not None and theirs is not None and ours.samefile(theirs)
