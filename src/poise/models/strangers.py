"""Models that other packages add, by an entry point of the group ``poise.models``.

The name of the entry point is the family. It leads to a module (or any object) with ``cards``, an
iterable of `Card`, and ``load(card, paths, *, precision)``, as a family of Poise's own has it.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from poise.errors import ModelError
from poise.models.card import Card

GROUP = "poise.models"


def stranger_cards() -> dict[str, Card]:
    """Return the cards of other packages by name. A package that cannot be loaded has none."""
    return {card.name: card for cards, _ in map(_visit, _points().values()) for card in cards}


def stranger_problems() -> list[str]:
    """Return one line for each package whose models cannot be used."""
    return [problem for _, problem in map(_visit, _points().values()) if problem]


def stranger_family(name: str) -> Any:
    """Return the object that loads a family of another package.

    Raises:
        ModelError: No installed package has it, or it fails.
    """
    point = _points().get(name)
    if point is None:
        raise ModelError(
            f"no family named '{name}'", remedy="install the package that brings this family"
        )
    if problem := _visit(point)[1]:
        raise ModelError(problem)
    return point.load()


def _points() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


@lru_cache
def _visit(point: EntryPoint) -> tuple[tuple[Card, ...], str]:
    # A stranger's code may fail in any way, and must not take the other models with it.
    try:
        cards = tuple(point.load().cards)
    except Exception as error:  # noqa: BLE001
        return (), f"models of '{point.name}' cannot be loaded ({type(error).__name__}: {error})"
    wrong = [card for card in cards if not isinstance(card, Card) or card.family != point.name]
    if wrong:
        return (), f"models of '{point.name}' cannot be used (not a card of this family)"
    return cards, ""
