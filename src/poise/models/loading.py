"""Loading a model: licence, weights, and the family that reads them."""

from __future__ import annotations

import hashlib
import importlib
import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Unpack, cast

from poise.errors import ModelError, UsageError, WeightsError
from poise.models.base import PoseModel
from poise.models.card import Card, read_card
from poise.models.choice import choose
from poise.models.licence import require_licences
from poise.models.recipe import Recipe, find_model
from poise.models.strangers import stranger_family
from poise.models.table import FAMILIES, PREFERENCE, TIERS
from poise.runtime.plan import Compute
from poise.weights import Progress, Report, fetch_all, hash_file

# What a model of each kind can do (`models.base`).
_ABILITY = {"pose": "estimate", "crop": "read", "detector": "detect"}
# One file or several.
Paths = str | Path | Sequence[str | Path]


def choose_model(*, report: Report | None = None, progress: Progress | None = None) -> str:
    """Return what `auto` stands for on this machine, chosen now if it was not before.

    Raises:
        WeightsError: No weights can be had.
    """
    models = {name: find_model(name).files for name in PREFERENCE}
    return choose(models, report=report, progress=progress)


def load_model(
    name: str = "auto",
    *,
    weights: Paths | None = None,
    card: str | Path | Card | None = None,
    accept_licence: bool = False,
    report: Report | None = None,
    progress: Progress | None = None,
    **compute: Unpack[Compute],
) -> PoseModel:
    """Load a pose model; weights that are not here are fetched.

    Args:
        name: ``auto``, a tier (``fast``, ``accurate``, ``crowd``, ``3d``), a model or another
            name of it, or ``DETECTOR+CROP_MODEL``.
        weights: Files to use for the crop model instead of those of its card, in the card's
            order. They are the user's own: no hash is asked for. The model's name then ends in
            ``@`` and eight digits of a hash of the files (of one file, its SHA-256).
        card: A card of the user's own, or a TOML file with one. With no name, it is the model.
        accept_licence: Accept, now and from now on, what a model's licence forbids or demands.
        report: Told in one line each what is chosen and fetched.
        progress: Told how many bytes of a file are here.
        compute: ``precision`` (``auto``, ``f32`` or ``bf16``), ``engine`` (``openvino`` or
            ``onnxruntime``), ``device`` and ``threads``; `poise.runtime.Compute` says more.

    Raises:
        ModelError: There is no such model, or it cannot be used, or not on this engine.
        LicenceError: Its licence was never accepted.
        WeightsError: Its weights cannot be had.
    """
    own = card if isinstance(card, Card) or card is None else read_card(card)
    if name == "auto":
        if own is None and weights is not None:
            raise UsageError("they need the model that they are for", where="weights")
        name = own.name if own else choose_model(report=report, progress=progress)
    recipe = find_model(name, card=own)
    given = None if weights is None else own_files(recipe.reader, weights)
    require_licences(recipe.cards, accept=accept_licence, report=report)
    first = recipe.detector.files if recipe.detector else ()
    wanted = first if given else (*first, *recipe.reader.files)
    try:
        paths = fetch_all(wanted, report=report, progress=progress)
    except WeightsError as error:
        raise _with_another(name, error) from error
    model = _assemble(recipe, paths[: len(first)], given or paths[len(first) :], compute)
    if given:
        # Results must tell these weights from the model's own, and from others.
        model.name = f"{recipe.name}@{_digest(given)[:8]}"
    return model


def _digest(files: Sequence[Path]) -> str:
    """Return one hash of all files, and of what lies beside them: a graph has its weights there."""
    beside = [path.with_suffix(".bin") for path in files if path.suffix.lower() == ".xml"]
    beside += [path.with_name(f"{path.name}.data") for path in files]
    every = [*files, *(path for path in beside if path.is_file() and path not in files)]
    if len(every) == 1:
        return hash_file(every[0])
    return hashlib.sha256("".join(map(hash_file, every)).encode()).hexdigest()


def _assemble(
    recipe: Recipe, first: tuple[Path, ...], rest: tuple[Path, ...], compute: Compute
) -> PoseModel:
    loaded = load_card(recipe.reader, rest, **compute)
    if recipe.detector is None:
        return cast(PoseModel, loaded)
    top_down = importlib.import_module("poise.models.topdown")
    finder = load_card(recipe.detector, first, **compute)
    still = None
    tiles = recipe.detector.settings.get("tiles")
    if tiles:
        tiled = importlib.import_module("poise.models.tiles").TiledDetector
        still = tiled(finder) if tiles is True else tiled(finder, largest=tiles)
    nms = str(recipe.reader.settings.get("nms", "oks"))
    whole = top_down.TopDown(
        finder,
        loaded,
        name=recipe.name,
        still_detector=still,
        nms=nms,
        restless=bool(recipe.reader.settings.get("restless")),
    )
    return cast(PoseModel, whole)


def _with_another(name: str, error: WeightsError) -> WeightsError:
    """Return the error of a tier's weights with what else to take; another error as it is."""
    if name not in TIERS:
        return error
    tier = TIERS[name]
    return WeightsError(
        f"its model {tier.model} cannot be had here ({error})",
        where=name,
        remedy=f"or take -m {tier.instead}",
    )


def own_files(card: Card, weights: Paths) -> tuple[Path, ...]:
    """Return the user's own files of weights for a card, after a look whether they can be.

    A network in one file (ONNX, TFLite, a frozen graph, OpenVINO's .xml whose .bin lies beside
    it) may take the place of one in two files (.xml and .bin), and the reverse.

    Raises:
        ModelError: A file is not there, or there are too many or too few.
    """
    given = [weights] if isinstance(weights, str | Path) else weights
    paths = tuple(Path(path).expanduser() for path in given)
    for path in paths:
        if not path.is_file():
            raise ModelError("there is no such file of weights", where=path)
    fitting = {len(card.files)} if card.files or card.family == "fake" else {1, 2}
    if paths and paths[0].suffix.lower() == ".xml" and len(card.files) == 1:
        fitting.add(2)
    if len(card.files) == 2 and card.files[0].name.endswith(".xml"):
        fitting.add(1)
    if len(paths) not in fitting:
        raise _wrong_count(card, len(paths))
    return paths


def _wrong_count(card: Card, came: int) -> ModelError:
    wanted = ", ".join(file.name for file in card.files) or "no files"
    plural = "s" * (len(card.files) != 1)
    return ModelError(
        f"{card.name} needs {len(card.files)} file{plural} of weights, got {came}",
        remedy=f"give, in this order, what replaces {wanted}",
    )


def load_card(card: Card, paths: Sequence[Path], **compute: Unpack[Compute]) -> Any:
    """Return the detector, crop model or pose model of one card.

    Raises:
        ModelError: There is no such family, it does not take what ``compute`` asks for, or the
            files are not its weights.
    """
    if card.family == "fake":
        return importlib.import_module("poise.testing").FakeModel()
    if card.family in FAMILIES:
        if not paths:
            raise ModelError(
                "no file of weights is named",
                where=f"card {card.name}",
                remedy="give --weights FILE",
            )
        family = importlib.import_module(f"poise.models.{card.family}")
    else:
        family = stranger_family(card.family)
    model = family.load(card, tuple(paths), **_known(card, family, compute))
    if card.family in FAMILIES and not hasattr(model, _ABILITY[card.kind]):
        kinds = [kind for kind, ability in _ABILITY.items() if hasattr(model, ability)]
        raise ModelError(
            f"a model of the family '{card.family}' is of kind '{kinds[0]}', not '{card.kind}'",
            where=f"card {card.name}",
        )
    return model


def _known(card: Card, family: Any, compute: Compute) -> Compute:
    """Return what is asked of a family; one of another package may not know every word.

    Raises:
        ModelError: It does not know one whose value is not the usual one.
    """
    asked: Compute = {"precision": "auto", **compute}
    takes = inspect.signature(family.load).parameters
    if any(one.kind is inspect.Parameter.VAR_KEYWORD for one in takes.values()):
        return asked
    usual: Compute = {"engine": "openvino", "device": "CPU", "threads": None}
    # Nobody computes differently for being watched.
    foreign = [name for name in asked if name not in takes and name != "watch"]
    unmet = [name for name in foreign if asked.get(name) != usual.get(name, asked)]
    if unmet:
        raise ModelError(
            f"models of the family '{card.family}' take no {', '.join(unmet)}",
            where=card.name,
            remedy="leave it at its default",
        )
    return cast(Compute, {name: value for name, value in asked.items() if name in takes})
