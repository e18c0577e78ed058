"""``poise models``: what there is, what is here, and how it comes here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn

from poise.cli.checking import check
from poise.cli.listing import list_models
from poise.cli.parameters import one_flag, take_options
from poise.errors import SomeInputsFailedError, WeightsError
from poise.models import choose_model, find_cards, list_cards
from poise.models.choice import remembered
from poise.models.licence import require_licences
from poise.options import LicenceOptions, ModelOptions
from poise.weights import Shelf, WeightFile, cache_path, fetch_all

app = typer.Typer(help="List, fetch and check models.", no_args_is_help=True)
Names = Annotated[list[str] | None, typer.Argument(help="Models; all that are here if not given.")]


app.command("list")(list_models)
app.command("check")(check)


@app.command("get")
def get(
    names: Annotated[list[str], typer.Argument(help="Models, such as blazepose, or auto.")],
    accept_licence: Annotated[bool, one_flag(ModelOptions, "accept_licence")] = False,
    progress: Annotated[bool, typer.Option(help="Show progress on stderr.")] = True,
) -> None:
    """Fetch the weights of models; what is here already is not fetched again."""
    for name in names:
        if name != "auto":
            require_licences(find_cards(name), accept=accept_licence)
    failed = []
    for name in names:
        try:
            paths = _get(name, enabled=progress)
        except WeightsError as error:
            if len(names) == 1:
                raise
            failed.append(name)
            typer.echo(f"poise: error: {error}", err=True)
        else:
            for found in paths:
                typer.echo(str(found))
    if failed:
        raise SomeInputsFailedError(f"{', '.join(failed)} could not be fetched")


def _get(name: str, *, enabled: bool) -> tuple[Path, ...]:
    with _Bars(enabled=enabled) as bars:
        if name == "auto":
            name = choose_model(report=bars.say, progress=bars.show)
        for card in find_cards(name):
            bars.say(f"{card.name}: licence {card.licence}")
        return fetch_all(_files_of(name), report=bars.say, progress=bars.show)


@app.command("export")
@take_options(licence=LicenceOptions)
def export(
    *,
    name: Annotated[str, typer.Argument(help="A model of torch, such as keypoint-rcnn.")],
    target: Annotated[Path, typer.Argument(help="The .onnx file to write.")],
    weights: Annotated[
        Path | None, typer.Option(help="A checkpoint of your own; else the published one.")
    ] = None,
    card: Annotated[
        Path | None, typer.Option(help="A card file of your own, which describes a model.")
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace a file that exists.")] = False,
    licence: LicenceOptions,
) -> None:
    """Write a model of torch as an ONNX file, which runs without torch."""
    from poise.models.exporting import export_model

    with _Bars(enabled=True) as bars:
        path = export_model(
            name,
            target,
            weights=weights,
            card=card,
            accept_licence=licence.accept_licence,
            overwrite=overwrite,
            report=bars.say,
            progress=bars.show,
        )
    typer.echo(str(path))


@app.command("verify")
def verify(names: Names = None) -> None:
    """Hash the weights again; exit code 5 if a file is missing or not what it should be."""
    wrong = []
    for file, found in _look(names):
        typer.echo(f"ok  {found}" if found else f"missing or wrong  {cache_path(file)}")
        if found is None:
            wrong.append(file)
    if wrong:
        owners = " ".join(dict.fromkeys(map(_owner, wrong)))
        files = ", ".join(file.name for file in wrong)
        raise WeightsError(f"missing or wrong: {files}", remedy=f"run 'poise models get {owners}'")


@app.command("path")
def path(names: Names = None) -> None:
    """Print where weights are on this machine, one file a line."""
    for file, found in _look(names):
        if found is None:
            remedy = f"run 'poise models get {_owner(file)}'"
            raise WeightsError("is not on this machine", where=file.name, remedy=remedy)
        typer.echo(str(found))


def _owner(file: WeightFile) -> str:
    return next(card.name for card in list_cards() if file in card.files)


def _files_of(name: str) -> list[WeightFile]:
    if name == "auto":
        chosen = remembered()
        if chosen is None:
            raise WeightsError(
                "nothing is chosen yet", where=name, remedy="run 'poise models get auto'"
            )
        name = chosen
    return [file for card in find_cards(name) for file in card.files]


def _look(names: list[str] | None) -> list[tuple[WeightFile, Path | None]]:
    shelf = Shelf.from_environment()
    if names:
        files = [file for name in names for file in _files_of(name)]
    else:
        known = [file for card in list_cards() for file in card.files if file.digest]
        files = [file for file in known if shelf.find(file) or cache_path(file).exists()]
    return [(file, shelf.find(file)) for file in dict.fromkeys(files)]


class _Bars:
    """One bar for each file that comes, on a terminal; lines elsewhere; nothing on request."""

    def __init__(self, *, enabled: bool) -> None:
        self._enabled = enabled
        self._console = Console(stderr=True)
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            console=self._console,
            transient=True,
            disable=not (enabled and self._console.is_terminal),
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> _Bars:
        self._bars.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self._bars.stop()

    def say(self, line: str) -> None:
        if self._enabled:
            self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def show(self, name: str, done: int, total: int | None) -> None:
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(name, total=total)
        self._bars.update(self._tasks[name], completed=done, total=total)
