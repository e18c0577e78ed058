"""``poise models check``: does a card say what its network really wants?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from poise.checking import Report, check_model
from poise.cli.parameters import one_flag
from poise.cli.progress import Ticker
from poise.errors import ModelError, UsageError
from poise.io import read_frames
from poise.models import Card, find_cards, plain_name, read_card
from poise.models.licence import require_licences
from poise.models.loading import own_files
from poise.options import ModelOptions
from poise.poses import Image
from poise.weights import fetch_all

Name = Annotated[
    str,
    typer.Argument(
        metavar="CARD|NAME",
        help="A card file (.toml), a model or a detector; of DETECTOR+CROP_MODEL both are checked.",
    ),
]
Weights = Annotated[list[Path] | None, one_flag(ModelOptions, "weights")]
Accept = Annotated[bool, one_flag(ModelOptions, "accept_licence")]


def check(
    name: Name,
    *,
    weights: Weights = None,
    image: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A picture of your own to run it on too.")
    ] = None,
    accept_licence: Accept = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    progress: Annotated[bool, typer.Option(help="Show progress on stderr.")] = True,
) -> None:
    """Run a model on drawn people whose keypoints are known; say what looks wrong with its card.

    Checked are input size and axes, range and order of the channels, orientation, skeleton, scores
    and batches. The exit code is 5 if something is wrong.
    """
    cards = _cards(name)
    chosen = cards if "+" in plain_name(name) else cards[-1:]
    picture = None if image is None else _read(image)
    ticker = Ticker(enabled=progress)
    try:
        require_licences(cards, accept=accept_licence, report=ticker.say)
        reports = [
            _check(card, cards, weights if card is cards[-1] else None, picture, ticker)
            for card in chosen
        ]
    finally:
        ticker.close()
    if as_json:
        typer.echo(json.dumps({"models": [report.to_dict() for report in reports]}, indent=2))
    else:
        typer.echo("\n\n".join(map(tell, reports)))
    wrong = [report.name for report in reports if report.failed]
    if wrong:
        raise ModelError("something is wrong with its card or weights", where=", ".join(wrong))


def _cards(name: str) -> Sequence[Card]:
    if not name.endswith(".toml"):
        if name == "auto":
            raise UsageError("'auto' is a choice, not a model", remedy="name the model")
        return find_cards(name)
    card = read_card(name)
    return (*find_cards(card.detector), card) if card.settings.get("anchors") else (card,)


def _check(
    card: Card,
    cards: Sequence[Card],
    weights: list[Path] | None,
    picture: Image | None,
    ticker: Ticker,
) -> Report:
    paths = own_files(card, weights) if weights else _fetch(card, ticker)
    detector = None
    if card.settings.get("anchors") and card.kind == "crop":
        detector = (cards[0], _fetch(cards[0], ticker))
    ticker.say(f"{card.name}: running on drawn people")
    return check_model(card, paths, detector=detector, image=picture)


def _fetch(card: Card, ticker: Ticker) -> tuple[Path, ...]:
    return fetch_all(card.files, report=ticker.say, progress=ticker.fetch)


def _read(path: Path) -> Image:
    with read_frames(str(path)) as reader:
        for frame in reader:
            return frame.image
    raise UsageError("holds no picture", where=path)


def tell(report: Report) -> str:
    """Return the findings as a table for people."""
    wide = max(len(finding.check) for finding in report.findings)
    lines = [f"{one.level:<4}  {one.check:<{wide}}  {one.text}" for one in report.findings]
    return "\n".join([f"{report.name}:", *lines])
