"""Write a model's checkpoint as a network that the engines read."""

from __future__ import annotations

import importlib
from pathlib import Path

from poise.errors import OutputError, UsageError
from poise.models import find_model, read_card
from poise.models.licence import require_licences
from poise.models.table import FAMILIES
from poise.output import refuse_taken
from poise.weights import Progress, Report, fetch_all


def export_model(
    name: str,
    target: str | Path,
    *,
    weights: str | Path | None = None,
    card: str | Path | None = None,
    accept_licence: bool = False,
    overwrite: bool = False,
    report: Report | None = None,
    progress: Progress | None = None,
) -> Path:
    """Write a model's checkpoint as one ONNX file.

    Args:
        name: A model whose weights are a checkpoint of torch, such as ``keypoint-rcnn``.
        target: The file to write, which ends in ``.onnx``.
        weights: A checkpoint of the user's own; else that of the model's card, which is fetched.
        card: A card file of the user's own, which describes the model.
        accept_licence: Accept, now and from now on, what the licence forbids or demands.
        overwrite: Whether a file of that name may be replaced.
        report: Told in one line what is fetched.
        progress: Told how many bytes of a file are here.

    Raises:
        UsageError: The model's weights are a network already, or the target is no ``.onnx``.
        ModelError: There is no such model, or the checkpoint is not its.
        LicenceError: Its licence was never accepted.
        MissingExtraError: A package that this needs is not installed.
        OutputError: The target cannot be written.
    """
    own = read_card(card) if card else None
    model, target = find_model(name, card=own).reader, Path(target)
    known = model.family in FAMILIES and model.family != "fake"
    family = importlib.import_module(f"poise.models.{model.family}") if known else None
    if not hasattr(family, "export"):
        raise UsageError(f"the weights of {name} are no checkpoint of torch", where="export")
    if target.suffix.lower() != ".onnx":
        raise UsageError(f"wanted a file that ends in .onnx, got '{target}'", where="export")
    if not target.parent.is_dir():
        raise OutputError("there is no such folder", where=target.parent)
    refuse_taken(str(target), overwrite=overwrite)
    require_licences([model], accept=accept_licence, report=report)
    path = Path(weights) if weights else fetch_all(model.files, report=report, progress=progress)[0]
    family.export(model, path, target)  # type: ignore[union-attr]
    return target
