"""``poise rules``: the rules that name poses: what there is, how it reads, and what is wrong."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from poise.classification.rules import BUILT_IN, Rule, inspect_rules, load_rules
from poise.classification.rules.reading import read_text
from poise.errors import InputError

app = typer.Typer(help="List, show and check rules that name poses.", no_args_is_help=True)
_WIDE = 120
Rules = Annotated[
    str,
    typer.Argument(metavar="RULES", help=f"A file of rules, or one of {', '.join(BUILT_IN)}."),
]


@app.command("list")
def list_rules(
    rules: Rules = "default",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """List the labels of a set of rules; the first of a kind that is true wins."""
    chosen = load_rules(rules)
    if as_json:
        rows = [_row(rule) for rule in chosen.rules]
        typer.echo(json.dumps({"name": chosen.name, "text": chosen.text, "rules": rows}, indent=2))
        return
    table = Table(box=None, pad_edge=False)
    for column in ("label", "kind", "seconds", "when"):
        table.add_column(column, no_wrap=column != "when")
    for rule in chosen.rules:
        table.add_row(rule.label, rule.kind, f"{rule.min_duration:g}", rule.text)
    console = Console()
    (console if console.is_terminal else Console(width=_WIDE)).print(table)


@app.command("show")
def show_rules(rules: Rules = "default") -> None:
    """Print a set of rules as it is written: a start for your own."""
    typer.echo(read_text(rules), nl=False)


@app.command("check")
def check_rules(
    rules: Annotated[str, typer.Argument(metavar="FILE", help="A file of rules.")],
) -> None:
    """Say everything that is wrong with a file of rules, line by line.

    Raises:
        InputError: Something is wrong.
    """
    found, wrong = inspect_rules(read_text(rules), where=rules)
    if found is None:
        for error in wrong[:-1]:
            typer.echo(f"poise: error: {error}", err=True)
        last = wrong[-1]
        raise InputError(last.what, where=last.where, remedy=last.remedy)
    labels = ", ".join(rule.label for rule in found.rules)
    count = len(found.rules)
    typer.echo(f"{rules}: {count} rule{'s' if count > 1 else ''}, nothing wrong: {labels}")


def _row(rule: Rule) -> dict[str, Any]:
    margins = rule.hysteresis
    return {
        "label": rule.label,
        "kind": rule.kind,
        "text": rule.text,
        "min_score": rule.min_score,
        "min_duration": rule.min_duration,
        "max_gap": rule.max_gap,
        "hysteresis": {
            "degrees": margins.degrees,
            "heights": margins.heights,
            "share": margins.share,
        },
    }
