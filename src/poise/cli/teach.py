"""``poise teach``: examples in; a classifier of poses or actions out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from poise.classification.learning.annotations import read_coco
from poise.classification.learning.examples import Examples, Piece, measure_examples
from poise.classification.learning.file import save_classifier
from poise.classification.learning.folders import Loader, read_folders
from poise.classification.learning.kinds import require_learning
from poise.classification.learning.options import TeachingOptions
from poise.classification.learning.report import PAGE, refuse_report, summarize, write_report
from poise.classification.learning.tables import read_table
from poise.classification.learning.training import teach as learn
from poise.cli.loading import load_once
from poise.cli.parameters import take_options
from poise.cli.progress import Ticker
from poise.errors import InputError, UsageError, suggest
from poise.io.clips import format_names
from poise.io.sources import VIDEO_SUFFIXES
from poise.loading import LoadingOptions
from poise.options import ModelOptions
from poise.output import refuse_taken

_TABLE, _COCO = "table", "coco-annotations"

Source = Annotated[
    str,
    typer.Argument(
        metavar="SOURCE",
        help="A folder that holds one folder a class, of pictures, videos or keypoint files; a "
        "CSV table of keypoints with a label column; or COCO annotations with classes.",
    ),
]
Output = Annotated[str, typer.Option("-o", "--output", metavar="FILE", help="The classifier.")]


@take_options(model=ModelOptions, teaching=TeachingOptions, options=LoadingOptions)
def teach(
    *,
    source: Source,
    output: Output = "my.pose",
    report: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write a page on how well it does.")
    ] = None,
    from_: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="FORMAT", help="The format: 'table', or one of 'poise convert'."
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace outputs that exist.")] = False,
    progress: Annotated[bool, typer.Option(help="Show progress on stderr.")] = True,
    model: ModelOptions,
    teaching: TeachingOptions,
    options: LoadingOptions,
) -> None:
    """Learn to name poses or actions from your own examples."""
    _check(output, report, from_, overwrite=overwrite)
    require_learning()
    ticker = Ticker(enabled=progress, many=True)
    model_once = load_once(model, options.precision, ticker)
    try:
        loader = Loader(model_once, options, from_, ticker.begin)
        examples = _gather(Path(source), loader, teaching)
        ticker.say(f"learning from {len(examples)} examples")
        taught = learn(examples, seed=teaching.seed)
    finally:
        ticker.close()
    save_classifier(taught.classifier, output, overwrite=overwrite, source=source)
    for note in taught.notes:
        ticker.say(f"poise: note: {note}", always=True)
    typer.echo(summarize(taught))
    ticker.say(f"written: {output}")
    if report is not None:
        write_report(taught, report, name=Path(output).name, overwrite=overwrite)
        ticker.say(f"written: {report / PAGE}")


def _check(output: str, report: Path | None, form: str | None, *, overwrite: bool) -> None:
    """Refuse what cannot be before anything is read."""
    refuse_taken(output, overwrite=overwrite)
    if report is not None:
        refuse_report(report, overwrite=overwrite)
    known = [_TABLE, *format_names()]
    if form is not None and form not in known:
        raise UsageError(f"no format named '{form}'", where="--from", remedy=suggest(form, known))


def _gather(path: Path, loader: Loader, options: TeachingOptions) -> Examples:
    """Read and measure what the user named."""
    pieces: list[Piece]
    if path.is_dir():
        pieces, notes = read_folders(path, loader, window=options.window)
    elif not path.exists():
        raise InputError("no such file or folder", where=path, remedy="check the path")
    elif loader.form == _COCO or (loader.form is None and path.suffix.lower() == ".json"):
        pieces, notes = read_coco(path, options)
    elif loader.form in (None, _TABLE) and path.suffix.lower() not in VIDEO_SUFFIXES:
        pieces, notes = read_table(path, options)
    else:
        remedy = "put it into a folder of its class, and name the folder of these folders"
        raise InputError("is one recording without labels", where=path, remedy=remedy)
    return measure_examples(pieces, window=options.window, where=path, notes=notes)
