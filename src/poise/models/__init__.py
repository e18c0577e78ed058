"""Pose models: one file per family, the table that names them, and the way to load one."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from poise.errors import ModelError, suggest
from poise.models.base import PoseModel
from poise.models.card import Card, read_card
from poise.models.choice import choose
from poise.models.strangers import stranger_cards, stranger_family
from poise.models.table import CARDS, FAMILIES, PREFERENCE, TIERS
from poise.weights import Progress, Report, WeightFile, fetch_all

__all__ = [
    "Card",
    "Recipe",
    "choose_model",
    "find_cards",
    "find_model",
    "list_cards",
    "load_model",
    "model_names",
    "read_card",
]


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
    """Return the names that `load_model` knows, but for combinations with ``+``."""
    return ["auto", *TIERS, *(card.name for card in list_cards() if card.kind != "detector")]


def find_cards(name: str) -> tuple[Card, ...]:
    """Return the cards that a name needs: those of a model, or that of a detector alone.

    Raises:
        ModelError: There is no such model or detector.
    """
    card = _get(name, {}) if "+" not in name and name not in TIERS else None
    if card is not None and card.kind == "detector":
        return (card,)
    return find_model(name).cards


def choose_model(*, report: Report | None = None, progress: Progress | None = None) -> str:
    """Return what `auto` stands for on this machine, chosen now if it was not before.

    Raises:
        WeightsError: No weights can be had.
    """
    models = {name: find_model(name).files for name in PREFERENCE}
    return choose(models, report=report, progress=progress)


def find_model(name: str, *, card: Card | None = None) -> Recipe:
    """Return what a name stands for, without loading anything.

    Args:
        name: A crop model, a tier, or ``DETECTOR+CROP_MODEL``.
        card: A card of the user's own, which wins over one of the same name in the table.

    Raises:
        ModelError: There is no such model; the message names the nearest.
    """
    own = {} if card is None else {card.name: card}
    full = TIERS.get(name, name)
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
        names = [*known, "auto", *TIERS]
        raise ModelError(f"no model named '{name}'", remedy=suggest(name, names))
    return known[name]


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


def load_model(
    name: str = "auto",
    *,
    precision: str = "auto",
    weights: str | Path | Sequence[str | Path] | None = None,
    card: str | Path | Card | None = None,
    report: Report | None = None,
    progress: Progress | None = None,
) -> PoseModel:
    """Load a pose model; weights that are not here are fetched.

    Args:
        name: ``auto``, a tier (``fast``, ``accurate``, ``crowd``, ``3d``), a model, or
            ``DETECTOR+CROP_MODEL``.
        precision: ``auto``, ``f32`` or ``bf16``.
        weights: Files to use for the crop model instead of those of its card, in the card's
            order. They are the user's own: no hash is asked for.
        card: A card of the user's own, or a TOML file with one. With no name, it is the model.
        report: Told in one line each what is chosen and fetched.
        progress: Told how many bytes of a file are here.

    Raises:
        ModelError: There is no such model, or it cannot be used.
        WeightsError: Its weights cannot be had.
    """
    own = card if isinstance(card, Card) or card is None else read_card(card)
    if name == "auto":
        name = own.name if own else choose_model(report=report, progress=progress)
    recipe = find_model(name, card=own)
    detector, reader = recipe.detector, recipe.reader
    given = None if weights is None else _own_files(reader, weights)
    first = detector.files if detector else ()
    wanted = first if given else (*first, *reader.files)
    paths = fetch_all(wanted, report=report, progress=progress)
    loaded = _load(reader, given or paths[len(first) :], precision)
    if detector is None:
        return cast(PoseModel, loaded)
    top_down = importlib.import_module("poise.models.topdown")
    finder = _load(detector, paths[: len(first)], precision)
    still = None
    tiles = detector.settings.get("tiles")
    if tiles:
        tiled = importlib.import_module("poise.models.tiles").TiledDetector
        still = tiled(finder) if tiles is True else tiled(finder, largest=tiles)
    restless = bool(reader.settings.get("restless"))
    return cast(
        PoseModel,
        top_down.TopDown(finder, loaded, name=recipe.name, still_detector=still, restless=restless),
    )


def _own_files(card: Card, weights: str | Path | Sequence[str | Path]) -> tuple[Path, ...]:
    given = [weights] if isinstance(weights, str | Path) else weights
    paths = tuple(Path(path).expanduser() for path in given)
    for path in paths:
        if not path.is_file():
            raise ModelError("there is no such file of weights", where=path)
    if len(paths) != len(card.files):
        wanted = ", ".join(file.name for file in card.files)
        raise ModelError(
            f"{card.name} needs {len(card.files)} files of weights, got {len(paths)}",
            remedy=f"give, in this order, what replaces {wanted}",
        )
    return paths


def _load(card: Card, paths: tuple[Path, ...], precision: str) -> Any:
    if card.family == "fake":
        return importlib.import_module("poise.testing").FakeModel()
    if card.family in FAMILIES:
        family = importlib.import_module(f"poise.models.{card.family}")
    else:
        family = stranger_family(card.family)
    return family.load(card, paths, precision=precision)
