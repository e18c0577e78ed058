"""``poise angles``: joint angles, their speeds, the centre of mass and the body's proportions."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from poise.classification.bodies import Ratio, measure_body
from poise.classification.kinematics import COLUMNS, Row, find_kinematics, to_rows
from poise.cli.correct import pixel_aspect
from poise.cli.loading import load_once
from poise.cli.parameters import take_options
from poise.cli.progress import Ticker
from poise.clip import Clip
from poise.errors import InputError, MissingExtraError, UsageError, suggest
from poise.loading import LoadingOptions, choose_track, is_clip, load_clip
from poise.options import ModelOptions
from poise.output import refuse_source, refuse_taken, save_whole, translated

SUFFIXES = (".csv", ".json", ".parquet")

SourceName = Annotated[
    str,
    typer.Argument(
        metavar="SOURCE", help="A video, a picture, or keypoints in any format that Poise reads."
    ),
]
Output = Annotated[
    str | None,
    typer.Option(
        "-o",
        "--output",
        metavar="FILE",
        help="The table as .csv, .json or .parquet; without it, CSV goes to the standard output.",
    ),
]
Depth = Annotated[
    bool,
    typer.Option("--3d", help="Measure in 3D; needs a model that gives it, such as blazepose."),
]


@take_options(model=ModelOptions, options=LoadingOptions)
def angles(
    *,
    source: SourceName,
    output: Output = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    summary: Annotated[
        bool, typer.Option("--summary", help="Print each body's proportions instead of the table.")
    ] = False,
    depth: Depth = False,
    person: Annotated[int | None, typer.Option(help="Id of the only person wanted.")] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace an output that exists.")] = False,
    progress: Annotated[bool, typer.Option(help="Show progress on stderr.")] = True,
    model: ModelOptions,
    options: LoadingOptions,
) -> None:
    """Measure everybody's joint angles, angular speeds, centre of mass and proportions."""
    _check_request(source, output, as_json=as_json, summary=summary, overwrite=overwrite)
    ticker = Ticker(enabled=progress, many=True)
    model_once = load_once(model, options.precision, ticker)
    try:
        report = ticker.begin(source, 1, 1)
        clip = load_clip(source, model_once, options, report=report)
        aspect = pixel_aspect(source)
        if aspect != 1:
            note = f"its pixels are {aspect:.3g} times as wide as high; angles take that away"
            ticker.say(f"poise: note: {note}", always=True)
        rows, bodies = measure(clip, person, depth=depth, aspect=aspect)
        if output is not None:
            write_table(output, source, rows, bodies, overwrite=overwrite)
    finally:
        ticker.close()
    if as_json:
        typer.echo(to_json(source, rows, bodies), nl=False)
    elif summary:
        typer.echo(tell_bodies(bodies))
    elif output is None:
        typer.echo(to_csv(rows), nl=False)
    if output is not None:
        ticker.say(f"written: {output}")


def measure(
    clip: Clip, person: int | None, *, depth: bool, aspect: float
) -> tuple[list[Row], dict[int, tuple[Ratio, ...]]]:
    """Return the rows of everybody, by frame and person, and everybody's proportions.

    Raises:
        UsageError: Nobody has the id that is wanted.
        InputError: Depth is wanted and there is none.
    """
    tracks = clip.tracks() if person is None else [choose_track(clip, person)]
    rows: list[Row] = []
    bodies = {}
    for track in sorted(tracks, key=lambda track: track.id):
        try:
            found = find_kinematics(track, depth=depth, aspect=aspect)
            bodies[track.id] = measure_body(track, depth=depth, aspect=aspect)
        except InputError as error:
            where = clip.header.source or None
            raise InputError(error.what, where=where, remedy=error.remedy) from error
        seen = [n for n, poses in enumerate(clip.frames)
                if poses.ids is not None and track.id in poses.ids]  # fmt: skip
        span = clip.frames[seen[0] : seen[-1] + 1]
        rows += to_rows(found, [poses.index for poses in span])
    return sorted(rows, key=lambda row: (row[1], row[0])), bodies


def to_csv(rows: Sequence[Row]) -> str:
    """Return the table as text; unknown values are empty."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    table.writerows(rows)
    return text.getvalue()


def to_json(source: str, rows: Sequence[Row], bodies: dict[int, tuple[Ratio, ...]]) -> str:
    """Return the table and the proportions as one document; unknown values are null."""
    document: dict[str, Any] = {
        "schema_version": 1,
        "source": source,
        "columns": list(COLUMNS),
        "rows": list(rows),
        "bodies": [
            {"person": person, "ratios": [_rounded(ratio) for ratio in ratios]}
            for person, ratios in bodies.items()
        ],
    }
    return json.dumps(document, ensure_ascii=False, allow_nan=False) + "\n"


def tell_bodies(bodies: dict[int, tuple[Ratio, ...]]) -> str:
    """Return the proportions as a table for people."""
    lines = []
    for person, ratios in bodies.items():
        lines.append(f"person {person}: lengths by the height")
        if not ratios:
            lines.append("  too little of the body is seen")
        for one in ratios:
            doubt = "  doubtful: probably never seen at full length" if one.doubtful else ""
            name = one.name.replace("_", " ")
            lines.append(
                f"  {name:<20}{one.value:7.3f} ± {one.spread:.3f}{one.frames:7d} frames{doubt}"
            )
    return "\n".join(lines)


def write_table(
    path: str,
    source: str,
    rows: Sequence[Row],
    bodies: dict[int, tuple[Ratio, ...]],
    *,
    overwrite: bool = False,
) -> None:
    """Write the table in the format of the name's suffix.

    Raises:
        OutputError: It cannot be written.
        MissingExtraError: Parquet is wanted without its package.
    """
    suffix = Path(path).suffix.lower()
    if suffix == ".parquet":
        data = _to_parquet(rows)
    else:
        text = to_csv(rows) if suffix == ".csv" else to_json(source, rows, bodies)
        data = text.encode()
    save_whole(path, data, overwrite=overwrite, source=source)


def _to_parquet(rows: Sequence[Row]) -> bytes:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise MissingExtraError("Parquet files need pyarrow", "parquet") from error
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(COLUMNS)
    kinds = [pyarrow.int64()] * 2 + [pyarrow.float64()] * (len(COLUMNS) - 2)
    arrays = [pyarrow.array(column, kind) for column, kind in zip(columns, kinds, strict=True)]
    sink = io.BytesIO()
    parquet.write_table(pyarrow.table(arrays, names=list(COLUMNS)), sink)
    return sink.getvalue()


def _check_request(
    source: str, output: str | None, *, as_json: bool, summary: bool, overwrite: bool
) -> None:
    if as_json and summary:
        raise UsageError("--json and --summary exclude each other", remedy="choose one")
    is_clip(source)
    if output is None:
        return
    with translated(output):
        suffix = Path(output).suffix.lower()
    if suffix not in SUFFIXES:
        what = f"no table ends in '{suffix}'" if suffix else "the name has no suffix"
        raise UsageError(what, where=output, remedy=suggest(suffix, SUFFIXES))
    refuse_source(output, source)
    refuse_taken(output, overwrite=overwrite)


def _rounded(ratio: Ratio) -> dict[str, Any]:
    return {**asdict(ratio), "value": round(ratio.value, 4), "spread": round(ratio.spread, 4)}
