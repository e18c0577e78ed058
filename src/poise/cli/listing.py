"""``poise models list``: every model with what decides about it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.table import Table

from poise.errors import NoInputError
from poise.models import Card, find_cards, list_cards
from poise.models.choice import remembered
from poise.models.licence import accepted
from poise.models.strangers import stranger_problems
from poise.models.table import ALIASES, PREFERENCE, TIERS
from poise.weights import Shelf

# In a pipe there is no edge: a model stays on its line.
_PIPE = 160
# From so many columns on, the table also says kind, input and source.
_ROOMY = 130
_MARK = " !"

Kind = Literal["pose", "crop", "detector"]
Word = Annotated[
    str | None,
    typer.Argument(
        metavar="WORD",
        help="Only models in whose name, other names, family or skeleton it occurs.",
    ),
]


def list_models(
    word: Word = None,
    *,
    here: Annotated[
        bool, typer.Option("--here", help="Only models whose weights are on this machine.")
    ] = False,
    kind: Annotated[
        Kind | None,
        typer.Option(help="Only models that do all, that read one person, or that find people."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """List the models: skeleton, licence, published accuracy, and whether the weights are here."""
    shelf = Shelf.from_environment()
    rows = [_row(card, shelf) for card in list_cards()]
    rows = [row for row in rows if _fits(row, word, here=here, kind=kind)]
    if as_json:
        typer.echo(json.dumps(_document(rows), indent=2))
        return
    if not rows:
        raise NoInputError("no model fits", remedy="'poise models list' lists all")
    console = Console()
    if not console.is_terminal:
        console = Console(width=_PIPE)
    console.print(_table(rows, roomy=console.width >= _ROOMY))
    for line in _tail(rows):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _fits(row: dict[str, Any], word: str | None, *, here: bool, kind: str | None) -> bool:
    texts = (row["name"], row["family"], row["skeleton"], *row["aliases"])
    return (
        (word is None or any(word.lower() in text.lower() for text in texts))
        and (not here or row["available"])
        and (kind is None or row["kind"] == kind)
    )


def _row(card: Card, shelf: Shelf) -> dict[str, Any]:
    files = [file for part in find_cards(card.name) for file in part.files]
    return {
        "name": card.name,
        "aliases": [alias for alias, name in ALIASES.items() if name == card.name],
        "family": card.family,
        "kind": card.kind,
        "skeleton": card.skeleton,
        "detector": card.detector,
        "input": list(card.size),
        "channels": card.channels,
        "mean": list(card.mean),
        "std": list(card.std),
        "settings": dict(card.settings),
        "available": all(shelf.find(file) for file in files),
        "fetchable": all(file.digest and file.sources for file in files),
        "size_bytes": card.bytes,
        "licence": card.licence,
        "restriction": card.restriction,
        "accepted": accepted(card),
        "data": card.data,
        "accuracy": card.accuracy,
        "note": card.note,
        "source": [source for file in card.files for source in file.sources[:1]],
        "sha256": [file.sha256 for file in card.files],
        "sha384": [file.sha384 for file in card.files],
    }


def _document(rows: list[dict[str, Any]]) -> dict[str, Any]:
    tiers = {name: vars(tier) for name, tier in TIERS.items()}
    aliases = {**ALIASES, **{name: tier.model for name, tier in TIERS.items()}}
    chosen = {"auto": remembered() or list(PREFERENCE)}
    return {"models": rows, "aliases": {**aliases, **chosen}, "tiers": tiers}


def _table(rows: Sequence[dict[str, Any]], *, roomy: bool) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2 if roomy else 1, 0, 0))
    cells = [_cells(row) for row in rows]
    for column in cells[0]:
        if not roomy and column in ("kind", "input", "source"):
            continue
        # Only the last two may be cut where there is no room.
        whole = column not in ("accuracy", "source")
        table.add_column(
            column,
            no_wrap=True,
            overflow="ellipsis",
            justify="right" if column in ("MB", "input") else "left",
            min_width=max(len(text) for text in (column, *(one[column] for one in cells)))
            if whole
            else None,
        )
    for one in cells:
        table.add_row(*(one[str(column.header)] for column in table.columns))
    return table


def _cells(row: dict[str, Any]) -> dict[str, str]:
    size, (wide, high) = row["size_bytes"], row["input"]
    figure, data, source = _accuracy(row["accuracy"])
    # Without a hash it cannot be fetched; the user brings the file.
    missing = "no" if row["fetchable"] else "own"
    return {
        "name": row["name"],
        "kind": row["kind"],
        "skeleton": row["skeleton"] or "-",
        "input": f"{wide}x{high}" if wide else "-",
        "here": "yes" if row["available"] else missing,
        "MB": "?" if size is None else f"{size / 1e6:.1f}",
        "licence": row["licence"].partition(" (")[0].partition(",")[0]
        + (_MARK if row["restriction"] else ""),
        "accuracy": f"{figure} {data}".strip(),
        "source": source,
    }


def _accuracy(text: str) -> tuple[str, str, str]:
    """Return figure, data set and source of a text such as ``AP 74.9 (COCO val2017; mmpose)``."""
    if text.startswith(("unknown", "none")):
        return "-", "", ""
    if not (parts := re.fullmatch(r"(.*?) \((.*)\)", text)):
        return text, "", ""
    figure, inside = parts.groups()
    data, _, source = inside.partition("; ")
    return figure, data.split(",")[0], source


def _tail(rows: Sequence[dict[str, Any]]) -> list[str]:
    chosen = remembered() or f"not chosen yet; the first that can be had of {', '.join(PREFERENCE)}"
    tiers = ", ".join(f"{name} = {tier.model}" for name, tier in TIERS.items())
    short = {alias: name for alias, name in ALIASES.items() if "_" not in alias}
    names = ", ".join(f"{alias} = {name}" for alias, name in short.items())
    lines = ["", f"auto: {chosen}", f"For a purpose: {tiers}", f"Other names: {names}"]
    if any(not row["fetchable"] for row in rows):
        lines.append("own: nobody has published a hash to check it by; bring it: --weights FILE")
    for text in dict.fromkeys(row["restriction"] for row in rows if row["restriction"]):
        lines.append(f"!: asks once for --accept-licence: {text}")
    lines.append(
        "Join a detector and a crop model with +: rtmdet-nano+tinypose-256. All facts: --json."
    )
    return [*lines, *stranger_problems()]
