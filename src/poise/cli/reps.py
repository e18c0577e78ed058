"""``poise reps``: the repetitions of an exercise, with tempo, range and faults."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from poise.classification.repetitions import (
    ANY,
    EXERCISES,
    Repetitions,
    count_repetitions,
    find_exercise,
)
from poise.classification.repetitions.telling import tell_repetitions, to_csv, to_document
from poise.cli.loading import load_once
from poise.cli.parameters import take_options
from poise.cli.progress import Ticker
from poise.clip import Clip
from poise.errors import InputError, UsageError
from poise.loading import LoadingOptions, choose_track, is_clip, load_clip
from poise.options import ModelOptions
from poise.output import refuse_source, refuse_taken, save_whole, translated

SourceName = Annotated[
    str,
    typer.Argument(metavar="VIDEO", help="A video, or keypoints in any format that Poise reads."),
]
ExerciseName = Annotated[
    str, typer.Option(help=f"{', '.join(EXERCISES)}, or {ANY} for whatever repeats.")
]
Output = Annotated[
    str | None,
    typer.Option("-o", "--output", metavar="FILE", help="A line for each repetition, as .csv."),
]


@take_options(model=ModelOptions, options=LoadingOptions)
def reps(
    *,
    source: SourceName,
    exercise: ExerciseName = ANY,
    person: Annotated[
        int | None, typer.Option(help="Id of the person; the main one is found by itself.")
    ] = None,
    output: Output = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document with everybody.")
    ] = False,
    overwrite: Annotated[bool, typer.Option(help="Replace an output that exists.")] = False,
    progress: Annotated[bool, typer.Option(help="Show progress on stderr.")] = True,
    model: ModelOptions,
    options: LoadingOptions,
) -> None:
    """Count the repetitions of an exercise, with their times, ranges and faults."""
    if exercise != ANY:
        find_exercise(exercise)
    _check_output(source, output, overwrite=overwrite)
    ticker = Ticker(enabled=progress, many=True)
    model_once = load_once(model, options.precision, ticker)
    try:
        clip = load_clip(source, model_once, options, report=ticker.begin(source, 1, 1))
        main = count_person(clip, exercise, person, source)
        everyone = [main] if person is not None else [main, *_others(clip, exercise, main.person)]
        if output is not None:
            save_whole(output, to_csv(everyone).encode(), overwrite=overwrite, source=source)
    finally:
        ticker.close()
    if as_json:
        typer.echo(json.dumps(to_document(source, everyone), ensure_ascii=False, allow_nan=False))
    else:
        typer.echo(tell_repetitions(main))
    if output is not None:
        ticker.say(f"written: {output}")


def count_person(clip: Clip, exercise: str, person: int | None, source: str) -> Repetitions:
    """Count the repetitions of the named or of the main person.

    Raises:
        UsageError: It is a picture, or nobody has this id.
        InputError: A keypoint that the exercise needs was never seen.
    """
    if len(clip) < 2:
        raise UsageError("a picture has no repetitions", where=source, remedy="name a video")
    try:
        return count_repetitions(choose_track(clip, person), exercise)
    except InputError as error:
        where = f"{source}, {error.where}" if error.where else source
        raise InputError(error.what, where=where, remedy=error.remedy) from error


def _others(clip: Clip, exercise: str, main: int) -> list[Repetitions]:
    """Count everybody else; who is not seen well enough is left out."""
    found = []
    for track in clip.tracks():
        if track.id == main or len(track) < 2:
            continue
        try:
            found.append(count_repetitions(track, exercise))
        except InputError:
            continue
    return found


def _check_output(source: str, output: str | None, *, overwrite: bool) -> None:
    is_clip(source)
    if output is None:
        return
    with translated(output):
        suffix = Path(output).suffix.lower()
    if suffix != ".csv":
        raise UsageError(
            f"no table ends in '{suffix}'" if suffix else "the name has no suffix",
            where=output,
            remedy="name a .csv file",
        )
    refuse_source(output, source)
    refuse_taken(output, overwrite=overwrite)
