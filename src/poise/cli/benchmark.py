"""``poise benchmark``: how fast models run here, on every engine, and what they take."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from poise.benchmarking import (
    BenchmarkOptions,
    Configuration,
    Pictures,
    Row,
    describe_machine,
    draw_pictures,
    find_rival,
    make_matrix,
    measure,
    read_pictures,
    to_json,
)
from poise.benchmarking.figures import Speed
from poise.cli.parameters import take_options
from poise.cli.progress import Ticker
from poise.errors import ModelError, WeightsError
from poise.models import choose_model, find_model, read_card
from poise.models.licence import require_licences
from poise.options import LicenceOptions
from poise.weights import fetch_all

Models = Annotated[
    list[str] | None,
    typer.Option("-m", "--model", help="See 'poise models list'. May be given more than once."),
]
SourceFile = Annotated[
    str | None, typer.Option(metavar="FILE", help="A video or picture; else a drawn dance.")
]
CardFile = Annotated[
    Path | None, typer.Option(help="A card file of your own, which describes a model.")
]
Against = Annotated[
    str | None,
    typer.Option(
        metavar="NAME[=FILE]",
        help="Measure rtmlib, mediapipe or ultralytics=WEIGHTS in turns with it, if installed.",
    ),
]


@take_options(licence=LicenceOptions, options=BenchmarkOptions)
def benchmark(
    *,
    models: Models = None,
    source: SourceFile = None,
    against: Against = None,
    card: CardFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    progress: Annotated[bool, typer.Option(help="Show progress on stderr.")] = True,
    licence: LicenceOptions,
    options: BenchmarkOptions,
) -> None:
    """Measure speed, memory and the network's share, each configuration in its own process."""
    rival = None if against is None else find_rival(against)
    ticker = Ticker(enabled=progress)
    try:
        names, problems = _get_weights(models or [], card, ticker, accept=licence.accept_licence)
        matrix = make_matrix(names, options, card=None if card is None else str(card))
        pictures = draw_pictures(options.people) if source is None else read_pictures(source)
        machine = describe_machine()
        found = measure(
            matrix,
            pictures,
            seconds=options.seconds,
            rival=rival,
            problems=problems,
            report=lambda *begins: ticker.say(_announce(*begins)),
        )
        rows = list(found)
    finally:
        ticker.close()
    _show(rows, pictures, machine, as_json=as_json)
    if not any(row.speed for row in rows):
        raise ModelError("nothing could be measured", where=", ".join(names))


def _show(
    rows: Sequence[Row], pictures: Pictures, machine: dict[str, Any], *, as_json: bool
) -> None:
    if as_json:
        document = {
            "machine": machine,
            "source": pictures.source,
            "size": list(pictures.frames[0].size),
            "pictures": len(pictures.frames),
            "rows": [to_json(row) for row in rows],
        }
        typer.echo(json.dumps(document, ensure_ascii=False, allow_nan=False))
    else:
        typer.echo(tell(rows, pictures, machine))


def _get_weights(
    names: Sequence[str], card: Path | None, ticker: Ticker, *, accept: bool
) -> tuple[list[str], dict[str, str]]:
    """Fetch what is not here, once for all processes; return the names, and who has no weights."""
    own = None if card is None else read_card(card)
    chosen, problems = list(names) or ["auto" if own is None else own.name], {}
    if "auto" in chosen:
        settled = choose_model(report=ticker.say, progress=ticker.fetch)
        chosen = [settled if name == "auto" else name for name in chosen]
    for name in chosen:
        recipe = find_model(name, card=own)
        require_licences(recipe.cards, accept=accept, report=ticker.say)
        try:
            fetch_all(recipe.files, report=ticker.say, progress=ticker.fetch)
        except WeightsError as error:
            problems[name] = str(error)
    return chosen, problems


def _announce(number: int, total: int, configuration: Configuration, left: float) -> str:
    return f"[{number}/{total}] {configuration}: about {left:.0f} s left"


def tell(rows: Sequence[Row], pictures: Pictures, machine: dict[str, Any]) -> str:
    """Return the rows as a table for people."""
    engines = ", ".join(f"{name} {found}" for name, found in machine["engines"].items())
    load = "" if machine["load"] is None else f"; load {machine['load']}"
    lines = [
        f"{machine['processor']}, {machine['cores']} cores, {machine['system']}{load}",
        f"Poise {machine['poise']}, Python {machine['python']}, {engines}",
        f"on {pictures}",
        "",
    ]
    good = [row for row in rows if row.speed is not None]
    if good:
        lines += _align([_TITLES, *[_cells(row) for row in good]])
        lines += ["", "ms a frame: median (quartiles); memory: the process's peak, pictures too"]
    lines += [line for row in good for line in _against(row)]
    return "\n".join([*lines, *_problems(rows)])


_TITLES = [
    "model", "engine", "precision", "batch", "threads", "ms a frame", "frames/s", "network",
    "memory", "people", "loading",
]  # fmt: skip


def _cells(row: Row) -> list[str]:
    chosen = row.configuration
    asked, really = chosen.precision, "" if row.speed is None else row.speed.precision
    return [
        chosen.model,
        chosen.engine,
        really if asked == really else f"{asked}: {really}",
        "follow" if chosen.follow else str(chosen.batch),
        "all" if chosen.threads is None else str(chosen.threads),
        *([] if row.speed is None else _speed_cells(row.speed)),
    ]


def _speed_cells(speed: Speed) -> list[str]:
    times, share, peak = speed.milliseconds, speed.network, speed.peak
    return [
        f"{times.median:.1f} ({times.lower:.1f} to {times.upper:.1f})",
        f"{speed.fps:.1f}",
        "-" if share is None else f"{share:.0%}",
        "-" if peak is None else f"{peak / 1e6:.0f} MB",
        f"{speed.people:.1f}",
        f"{speed.load_seconds:.1f} s",
    ]


def _against(row: Row) -> list[str]:
    versus = row.versus
    if versus is None:
        return []
    if versus.speed is None or versus.times is None:
        return [f"{row.configuration}: {versus.name} cannot: {versus.problem}"]
    times, (ms, *rest) = versus.times, _speed_cells(versus.speed)
    return [
        f"{row.configuration}: {times.median:.2f} times as fast as {versus.name} "
        f"({times.lower:.2f} to {times.upper:.2f}), which took {ms} ms a frame, "
        f"{rest[2]} and found {versus.speed.people:.1f} people"
    ]


def _problems(rows: Sequence[Row]) -> list[str]:
    """Return one line for each thing that could not be done, however often."""
    alike: dict[tuple[str, str, str], list[Configuration]] = {}
    for row in rows:
        if row.problem:
            chosen = row.configuration
            alike.setdefault((chosen.model, chosen.engine, row.problem), []).append(chosen)
    return [
        f"{found[0] if len(found) == 1 else f'{model} on {engine}, {len(found)} configurations'}"
        f": {problem}"
        for (model, engine, problem), found in alike.items()
    ]


def _align(table: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return ["  ".join(map(str.ljust, line, widths)).rstrip() for line in table]
