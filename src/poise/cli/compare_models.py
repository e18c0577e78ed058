"""``poise compare-models``: one picture or video in; what several models make of it, out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from poise.cli.loading import load_named
from poise.cli.parameters import take_options
from poise.cli.progress import Ticker
from poise.draw import Style
from poise.errors import UsageError
from poise.io import read_frames
from poise.lineup import Entry, measure, run_model, tell, to_document, write_lineup
from poise.lineup.picture import check_name
from poise.loading import is_clip
from poise.models import find_model
from poise.options import LoadOptions, ModelOptions, Options
from poise.output import refuse_homeless, refuse_source, refuse_taken

SourceName = Annotated[str, typer.Argument(metavar="IMAGE|VIDEO", help="A picture or a video.")]
ModelNames = Annotated[
    list[str],
    typer.Option(
        "-m",
        "--model",
        metavar="NAME[=FILE]",
        help="A model, perhaps with weights of your own; give it once for each.",
    ),
]
OutputName = Annotated[
    str | None,
    typer.Option(
        "-o",
        "--output",
        metavar="OUT",
        help="The models side by side: a .png, .jpg or .webp of a picture, an .mp4 or .gif of a "
        "video.",
    ),
]


@take_options(loading=LoadOptions, options=Options, style=Style)
def compare_models(
    *,
    source: SourceName,
    models: ModelNames,
    output: OutputName = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    overwrite: Annotated[bool, typer.Option(help="Replace an output that exists.")] = False,
    progress: Annotated[bool, typer.Option(help="Show progress on stderr.")] = True,
    loading: LoadOptions,
    options: Options,
    style: Style,
) -> None:
    """Show what several models make of one picture or video, side by side and in figures."""
    _check_request(source, models, output, overwrite=overwrite)
    ticker = Ticker(enabled=progress, many=True)
    try:
        entries = list(_run_all(models, source, loading, options, ticker))
        figures = measure(entries)
        if output is not None:
            notes = write_lineup(
                output,
                source,
                entries,
                figures,
                options=options,
                style=style,
                overwrite=overwrite,
                report=ticker.begin(output, len(models) + 1, len(models) + 1),
            )
            for note in notes:
                ticker.say(f"poise: note: {output}: {note}", always=True)
    finally:
        ticker.close()
    if as_json:
        typer.echo(json.dumps(to_document(source, figures), ensure_ascii=False, allow_nan=False))
    else:
        typer.echo(tell(figures))


def _run_all(
    models: list[str], source: str, loading: LoadOptions, options: Options, ticker: Ticker
) -> Iterator[Entry]:
    # All are loaded before the first runs: one whose weights cannot be had costs no time.
    named = [_named(name, loading) for name in models]
    loaded = [load_named(each, options.precision, ticker) for each in named]
    # The painting comes last, and is one more step wherever there is an output.
    for number, model in enumerate(loaded, 1):
        report = ticker.begin(model.name, number, len(models) + 1)
        yield run_model(model, source, options, report=report)


def _full(model: str) -> str:
    name, sign, file = model.partition("=")
    return (name if name == "auto" else find_model(name).name) + sign + file


def _named(model: str, loading: LoadOptions) -> ModelOptions:
    name, _, file = model.partition("=")
    return ModelOptions(model=name, weights=[Path(file)] if file else None, **vars(loading))


def _check_request(source: str, models: list[str], output: str | None, *, overwrite: bool) -> None:
    if is_clip(source):
        raise UsageError("holds keypoints already", where=source, remedy="name a picture or video")
    for name in models:
        if name != "auto":
            find_model(name.partition("=")[0])  # an unknown one is refused before the first is run
    if len({_full(name) for name in models}) < len(models):
        raise UsageError("a model is named twice", where="-m", remedy="name each once")
    if output is not None:
        with read_frames(source) as reader:
            check_name(output, still=reader.still)
        refuse_source(output, source)
        refuse_taken(output, overwrite=overwrite)
        refuse_homeless(output)
