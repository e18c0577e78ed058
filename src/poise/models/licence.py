"""The licence gate: what a model's licence forbids or demands is accepted once, by its user.

The acceptance is remembered in a small file in the home folder, for each model and the very text
that was accepted: where the text changes, it is asked again. On a cluster, whose workers may have
homes of their own, the variable `POISE_ACCEPT_LICENCE` names the models (with commas between
them) whose licences its user accepts.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

from poise.errors import LicenceError, OutputError
from poise.models.card import Card
from poise.output import save_whole
from poise.weights import Report, home

VARIABLE = "POISE_ACCEPT_LICENCE"


def acceptance_path() -> Path:
    """Return the small file that remembers which restrictions were accepted."""
    return home() / "licences.json"


def accepted(card: Card) -> bool:
    """Return whether a card restricts nothing, or its restriction was accepted before."""
    if not card.restriction or card.name in _named():
        return True
    return _remembered().get(card.name) == card.restriction


def require_licences(
    cards: Iterable[Card], *, accept: bool = False, report: Report | None = None
) -> None:
    """Let pass what is free or accepted, and remember what is accepted now.

    Args:
        cards: All cards of a model.
        accept: Whether the user accepts their restrictions, now and from now on.
        report: Told in one line what was accepted.

    Raises:
        LicenceError: A card's restriction was never accepted.
    """
    tell = report or (lambda line: None)
    for card in cards:
        if accepted(card):
            continue
        if not accept:
            raise LicenceError(
                f"the licence must be accepted once ({card.restriction})",
                where=card.name,
                remedy="give --accept-licence, or accept_licence=True in Python, if you do",
            )
        tell(f"{card.name}: accepted: {card.restriction}")
        _remember(card, tell)


def _named() -> set[str]:
    return {name.strip() for name in os.environ.get(VARIABLE, "").split(",")}


def _remembered() -> dict[str, object]:
    try:
        rows = json.loads(acceptance_path().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return rows if isinstance(rows, dict) else {}


def _remember(card: Card, tell: Report) -> None:
    path = acceptance_path()
    rows = {**_remembered(), card.name: card.restriction}
    text = json.dumps(rows, indent=1, ensure_ascii=False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_whole(str(path), text.encode(), overwrite=True)
    except (OSError, OutputError):
        # It was accepted all the same; the next run only has to say so again.
        tell(f"{card.name}: that it was accepted cannot be remembered in {path}")
