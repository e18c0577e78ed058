"""What `auto` stands for on this machine: chosen once, then remembered."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

from poise.errors import WeightsError
from poise.weights import Progress, Report, Shelf, WeightFile, fetch_all, home, offline
from poise.weights.sources import reachable

_Models = Mapping[str, Sequence[WeightFile]]


def choice_path() -> Path:
    """Return the small file that remembers the choice; remove it to have `auto` choose anew."""
    return home() / "auto.json"


def remembered() -> str | None:
    """Return the name of the model that was chosen before, or None."""
    try:
        name = json.loads(choice_path().read_text(encoding="utf-8"))["model"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return name if isinstance(name, str) else None


def choose(
    models: _Models, *, report: Report | None = None, progress: Progress | None = None
) -> str:
    """Return the model that `auto` stands for; its weights are on this machine afterwards.

    The remembered one while its weights are here; else the first whose weights are here; else
    the first that can be fetched.

    Args:
        models: Name and files of each model, best first.
        report: Told in one line which it is and why.
        progress: Told how many bytes of a file are here.

    Raises:
        WeightsError: None can be had.
    """
    tell = report or (lambda line: None)
    shelf = Shelf.from_environment()
    here = [name for name, files in models.items() if all(shelf.find(file) for file in files)]
    before = remembered()
    if before in here:
        tell(f"auto: {before} (chosen before; -m NAME takes another)")
        return str(before)
    if here:
        return _settle(here[0], "the first of the list whose weights are on this machine", tell)
    name, failed = _fetch_first(models, tell, progress)
    why = f"{', '.join(failed)} cannot be fetched here" if failed else "the first of the list"
    return _settle(name, why, tell)


def _fetch_first(models: _Models, tell: Report, progress: Progress | None) -> tuple[str, list[str]]:
    failed = []
    answering = set() if offline() else reachable(_addresses(models))
    for name, files in models.items():
        if all(_may_come(file, answering) for file in files):
            try:
                fetch_all(files, report=tell, progress=progress)
            except WeightsError:
                failed.append(name)
            else:
                return name, failed
        else:
            failed.append(name)
    why = "POISE_OFFLINE is set" if offline() else "no source answers or has the right file"
    raise WeightsError(
        f"no weights of {', '.join(models)} are here or can be fetched ({why})",
        where="auto",
        remedy="put weights into a folder and name that folder in POISE_MODELS",
    )


def _addresses(models: _Models) -> list[str]:
    sources = [source for files in models.values() for file in files for source in file.sources]
    return [source for source in sources if source.startswith(("http://", "https://"))]


def _may_come(file: WeightFile, answering: set[str]) -> bool:
    if Shelf.from_environment().find(file):
        return True
    network = ("http://", "https://")
    return any(source in answering or not source.startswith(network) for source in file.sources)


def _settle(name: str, why: str, tell: Report) -> str:
    tell(f"auto: {name} ({why}; -m NAME takes another)")
    path = choice_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".auto-{uuid.uuid4().hex}")
        temporary.write_text(json.dumps({"model": name, "why": why}), encoding="utf-8")
        temporary.replace(path)
    except OSError:
        # A home that cannot be written is no reason to fail; the next run chooses the same way.
        tell(f"auto: the choice cannot be remembered in {path}")
    return name
