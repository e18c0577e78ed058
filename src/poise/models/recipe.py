"""What a model's name stands for: its cards, found without loading anything."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from poise.errors import ModelError, suggest
from poise.models.card import Card
from poise.models.strangers import stranger_cards
from poise.models.table import ALIASES, CARDS, TIERS
from poise.weights import WeightFile


@dataclass(frozen=True)
class Recipe:
    """What a model's name stands for.

    Attributes:
        name: The name without aliases, such as ``rtmdet-nano+tinypose-256``.
        detector: Card of the detector, or None where the model needs none.
        reader: Card of the crop model, or of a model that does all by itself.
    """

    name: str
    detector: Card | None
    reader: Card

    @property
    def cards(self) -> tuple[Card, ...]:
        """The cards it is made of, the detector first."""
        return (self.reader,) if self.detector is None else (self.detector, self.reader)

    @property
    def files(self) -> tuple[WeightFile, ...]:
        """Every file of weights that it needs."""
        return tuple(file for card in self.cards for file in card.files)


def list_cards() -> list[Card]:
    """Return every card that is known: Poise's own, then those of other packages."""
    return list({**CARDS, **{n: c for n, c in stranger_cards().items() if n not in CARDS}}.values())


def model_names() -> list[str]:
    """Return the names that `load_model` knows, but for aliases and combinations with ``+``."""
    return ["auto", *TIERS, *(card.name for card in list_cards() if card.kind != "detector")]


def plain_name(name: str) -> str:
    """Return a name without tiers and aliases: ``rtmdet-nano+human`` is ``rtmdet-nano+rtmpose-m``.

    A name that nobody knows stays as it is.
    """
    if name in TIERS:
        return TIERS[name].model
    return "+".join(part if part in CARDS else ALIASES.get(part, part) for part in name.split("+"))


def find_cards(name: str) -> tuple[Card, ...]:
    """Return the cards that a name needs: those of a model, or that of a detector alone.

    Raises:
        ModelError: There is no such model or detector.
    """
    full = plain_name(name)
    card = _get(full, {}) if "+" not in full else None
    if card is not None and card.kind == "detector":
        return (card,)
    return find_model(name).cards


def find_model(name: str, *, card: Card | None = None) -> Recipe:
    """Return what a name stands for, without loading anything.

    Args:
        name: A crop model, an alias or tier, or ``DETECTOR+CROP_MODEL``.
        card: A card of the user's own, which wins over one of the same name in the table.

    Raises:
        ModelError: There is no such model; the message names the nearest.
    """
    own = {} if card is None else {card.name: card}
    full = name if name in own else plain_name(name)
    parts = full.split("+")
    if len(parts) > 2:
        raise ModelError(f"'{name}' has too many parts", remedy="write DETECTOR+CROP_MODEL")
    reader = _get(parts[-1], own)
    if reader.kind == "detector":
        raise ModelError(
            f"'{reader.name}' only finds people", remedy=f"write {reader.name}+CROP_MODEL"
        )
    if len(parts) == 1:
        detector = _get(reader.detector, own) if reader.detector else None
    else:
        detector = _get(parts[0], own)
    _check_fit(full, detector, reader)
    return Recipe(full, detector, reader)


def _get(name: str, own: dict[str, Card]) -> Card:
    known = {**CARDS, **own}
    if name not in known:
        known = {**stranger_cards(), **known}
    if name not in known:
        raise ModelError(f"no model named '{name}'", remedy=_nearest(name, known))
    return known[name]


def _nearest(name: str, known: Iterable[str]) -> str:
    remedy = suggest(name, [*known, "auto", *TIERS, *ALIASES])
    # A list of a hundred names helps nobody.
    return remedy if remedy.startswith("did") else "'poise models list' lists them"


def _check_fit(name: str, detector: Card | None, reader: Card) -> None:
    if detector is None:
        if reader.kind == "crop":
            raise ModelError(
                f"'{name}' reads people but does not find them", remedy=f"write DETECTOR+{name}"
            )
        return
    reads_crops = reader.kind == "crop" or bool(reader.settings.get("crop"))
    if detector.kind != "detector" or not reads_crops:
        raise ModelError(f"'{name}' is not a detector and a crop model", where="model")
    anchors = reader.settings.get("anchors")
    if anchors is not None and detector.settings.get("anchors") != anchors:
        raise ModelError(
            f"{reader.name} needs a detector that finds {anchors} anchors, and "
            f"{detector.name} does not",
            remedy=f"write '{reader.name}', which brings {reader.detector}",
        )
