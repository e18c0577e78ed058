"""``poise classify``: sources in; who did what when, as lines, tables, videos and pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import typer

from poise.classification.account import Account
from poise.classification.learning import Classifier, load_classifier
from poise.classification.naming import choose_kinds, give_account
from poise.classification.naming import classify as name_events
from poise.classification.options import ClassificationOptions
from poise.classification.outputs import Outputs, sort_outputs
from poise.classification.rules import RuleSet, load_rules
from poise.classification.saving import to_collection, to_document, to_json
from poise.classification.telling import tell_account, tell_accounts
from poise.cli.loading import load_once
from poise.cli.parameters import take_options
from poise.cli.progress import Ticker
from poise.errors import OutputError, PoiseError, SomeInputsFailedError
from poise.loading import (
    Report,
    expand_sources,
    find_footage,
    is_clip,
    load_clip,
    name_sources,
)
from poise.models.base import PoseModel
from poise.options import ModelOptions

Sources = Annotated[
    list[str],
    typer.Argument(
        metavar="SOURCE",
        help="Videos, pictures, or keypoints in any format that Poise reads; or a folder or glob "
        "of them.",
    ),
]
Outs = Annotated[
    list[str] | None,
    typer.Option(
        "-o",
        "--output",
        metavar="OUT",
        help="Events as .csv or .json, the source with labels as a video, .gif or picture, or a "
        "folder that ends in '/' for all of it. May be given more than once.",
    ),
]
Taught = Annotated[
    str | None, typer.Option("--with", metavar="FILE", help="What 'poise teach' learned.")
]
Summary = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="A picture of who did what when: .png, .jpg or .webp."),
]


@take_options(model=ModelOptions, options=ClassificationOptions)
def classify(
    *,
    sources: Sources,
    output: Outs = None,
    summary: Summary = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    taught: Taught = None,
    overwrite: Annotated[bool, typer.Option(help="Replace outputs that exist.")] = False,
    progress: Annotated[bool, typer.Option(help="Show progress on stderr.")] = True,
    model: ModelOptions,
    options: ClassificationOptions,
) -> None:
    """Name what people do: postures, gestures, falls, or what you taught it."""
    outputs = sort_outputs(output or (), summary, overwrite=overwrite)
    rules = None if options.rules is None else load_rules(options.rules)
    classifier = None if taught is None else load_classifier(taught)
    choose_kinds(rules, classifier, options.wanted_kinds)
    found = expand_sources(sources)
    many = found != sources or len(found) > 1
    outputs.check(found, many=many)
    ticker = Ticker(enabled=progress, many=True)
    model_once = load_once(model, options.precision, ticker)
    job = Job(found, model_once, options, rules, classifier, outputs, ticker, as_json)
    try:
        job.name_many() if many else job.name_one()
    finally:
        ticker.close()


@dataclass(frozen=True)
class Job:
    """What the user asked for."""

    sources: list[str]
    load: Callable[[], PoseModel]
    options: ClassificationOptions
    rules: RuleSet | None
    classifier: Classifier | None
    outputs: Outputs
    ticker: Ticker
    as_json: bool

    def name_one(self) -> None:
        """Name what happens in the one source."""
        account = self._read(0)
        self._write(account, 0)
        self.outputs.write_tables([account], (), many=False)
        self._print(to_json(to_document(account)) if self.as_json else tell_account(account))
        if not account.events and not self.as_json:
            self._note(f"{account.source}: nothing was named")

    def name_many(self) -> None:
        """Name what happens in all sources; one that fails does not stop the others.

        Raises:
            SomeInputsFailedError: At least one failed.
        """
        accounts: list[Account] = []
        failed: list[tuple[str, str]] = []
        for number, source in enumerate(self.sources):
            try:
                account = self._read(number)
                self._write(account, number)
                accounts.append(account)
            except OutputError:
                raise
            except PoiseError as error:
                self.ticker.say(f"poise: error: {error}", always=True)
                failed.append((source, str(error)))
        self.outputs.write_tables(accounts, failed, many=True)
        document = to_json(to_collection(accounts, failed)) if self.as_json else ""
        self._print(document or tell_accounts(accounts))
        if failed:
            raise SomeInputsFailedError(f"{len(failed)} of {len(self.sources)} sources failed")

    def _read(self, number: int) -> Account:
        source = self.sources[number]
        report = self.ticker.begin(source, number + 1, len(self.sources))
        clip = load_clip(source, self.load, self.options, report=report)
        if clip.truncated:
            self._note(f"{source}: the source ended early, before its own declared end")
        kinds = self.options.wanted_kinds
        events = name_events(clip, self.rules, self.classifier, kinds=kinds)
        footage = find_footage(clip.header.source) if is_clip(source) else source
        return give_account(source, clip, events, person=self.options.one_person, footage=footage)

    def _write(self, account: Account, number: int) -> None:
        """Write what shows one source."""
        watch = self._watch_painting(number)
        notes = self.outputs.write_one(account, watch)
        if self.outputs.folder is not None:
            name = name_sources(self.sources)[number]
            notes += self.outputs.write_apart(account, name, watch)
        for note in notes:
            self._note(note)

    def _watch_painting(self, number: int) -> Callable[[str, int, int], None]:
        begun: dict[str, Report | None] = {}

        def watch(name: str, done: int, total: int) -> None:
            if name not in begun:
                begun[name] = self.ticker.begin(f"painting {name}", number + 1, len(self.sources))
            report = begun[name]
            if report is not None:
                report(done, total)

        return watch

    def _print(self, text: str) -> None:
        self.ticker.close()
        if text:
            typer.echo(text.rstrip())

    def _note(self, line: str) -> None:
        self.ticker.say(f"poise: note: {line}", always=True)
