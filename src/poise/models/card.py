"""A card: everything that is known about one model, without loading it."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any

from poise.errors import ModelError, suggest
from poise.skeleton import skeleton_names
from poise.weights import WeightFile

KINDS = ("crop", "detector", "pose")
Setting = float | int | str | bool | tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Card:
    """One row of the model table.

    Attributes:
        name: What ``-m`` calls it.
        family: The module that loads it: ``poise.models.<family>``, or the name of an entry point.
        kind: ``detector`` finds people, ``crop`` reads one person from a crop, ``pose`` does all.
        skeleton: Layout of its keypoints; empty for a detector.
        size: Width and height of its input in pixels.
        layout: Axis order of its input, ``NCHW`` or ``NHWC``.
        channels: Channel order it was trained with, ``RGB`` or ``BGR``.
        mean: Subtracted from each channel (0..255), in the order of ``channels``.
        std: Each channel is divided by it, likewise.
        settings: What its decoder must know besides, such as a threshold.
        detector: For a crop model, the detector it is used with when none is named.
        licence: Licence of the weights, and what is not clear about it.
        restriction: What the licence forbids or demands of a user, who must accept it once; empty
            where there is nothing of the kind.
        data: What it was trained on.
        accuracy: Published accuracy with its source.
        files: The files it needs, in the order that its family wants them.
        note: What a user should know before choosing it.
    """

    name: str
    family: str
    kind: str
    skeleton: str = ""
    size: tuple[int, int] = (0, 0)
    layout: str = "NCHW"
    channels: str = "RGB"
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    settings: Mapping[str, Setting] = field(default_factory=dict)
    detector: str = ""
    licence: str = "unknown"
    restriction: str = ""
    data: str = "unknown"
    accuracy: str = "unknown"
    files: tuple[WeightFile, ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "settings", MappingProxyType(dict(self.settings)))
        _choose(self.name, "kind", self.kind, KINDS)
        _choose(self.name, "layout", self.layout, ("NCHW", "NHWC"))
        _choose(self.name, "channels", self.channels, ("RGB", "BGR"))
        if self.kind != "detector":
            _choose(self.name, "skeleton", self.skeleton, skeleton_names())
        if not all(map(math.isfinite, (*self.mean, *self.std))) or 0 in self.std:
            what = (
                f"mean and std: wanted finite numbers, and no std of 0, got {self.mean} {self.std}"
            )
            raise ModelError(what, where=f"card {self.name}")

    @property
    def bytes(self) -> int | None:
        """Bytes of all its files, or None where one is not known."""
        sizes = [file.size for file in self.files]
        return None if None in sizes else sum(size for size in sizes if size is not None)


def _choose(card: str, name: str, value: str, choices: Any) -> None:
    if value not in choices:
        raise ModelError(
            f"{name} '{value}' is not known", where=f"card {card}", remedy=suggest(value, choices)
        )


_COUNTS = {"size": 2, "mean": 3, "std": 3}


def read_card(path: Path | str) -> Card:
    """Read a user's own card, a TOML file with the fields of `Card`.

    Every file is a table ``[[files]]`` with ``name``, ``sha256`` (or an empty one and ``sha384``),
    ``sources`` and, if known, ``size``. A source that is a path may be relative to the card.

    Raises:
        ModelError: It cannot be read, a field is missing, not known, or of the wrong type.
    """
    path = Path(path)
    try:
        rows = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ModelError(f"no card can be read ({error})", where=path) from error
    _check_names(path, rows, Card)
    values = {name: _convert(path, name, value) for name, value in rows.items()}
    values["files"] = tuple(_read_file(path, row) for row in values.get("files", ()))
    return Card(**values)


def _check_names(where: Path, row: Mapping[str, Any], kind: type[Card] | type[WeightFile]) -> None:
    known = {one.name: one for one in fields(kind)}
    for name in row:
        if name not in known:
            raise ModelError(f"unknown field '{name}'", where=where, remedy=suggest(name, known))
    for name, one in known.items():
        needed = one.default is MISSING and one.default_factory is MISSING
        if needed and name not in row:
            raise ModelError(f"the field '{name}' is missing", where=where)


def _convert(where: Path, name: str, value: Any) -> Any:
    """Return a field's value as `Card` holds it, or say what was wanted."""
    if name == "files" and isinstance(value, list) and all(isinstance(v, dict) for v in value):
        return value
    if name == "settings" and isinstance(value, dict):
        return {key: tuple(v) if isinstance(v, list) else v for key, v in value.items()}
    if name in _COUNTS and isinstance(value, list) and len(value) == _COUNTS[name]:
        kinds = {int} if name == "size" else {int, float}
        positive = name != "size" or all(type(n) is int and n > 0 for n in value)
        if positive and all(type(number) in kinds for number in value):
            return tuple(value)
    wanted = {"files": "a list of tables", "settings": "a table"}
    wanted |= {field: f"{count} numbers" for field, count in _COUNTS.items()}
    wanted["size"] = "width and height, whole numbers above 0"
    if name in wanted or not isinstance(value, str):
        raise ModelError(f"{name}: wanted {wanted.get(name, 'a text')}, got {value!r}", where=where)
    return value


def _read_file(where: Path, row: dict[str, Any]) -> WeightFile:
    _check_names(where, row, WeightFile)
    sources = row.get("sources", [])
    texts = (
        [row["name"], row["sha256"], row.get("sha384", ""), *sources]
        if isinstance(sources, list)
        else [sources]
    )
    if not all(isinstance(text, str) for text in texts) or not isinstance(sources, list):
        raise ModelError("files: wanted texts and a list of sources", where=where)
    if not isinstance(row.get("size", 0), int):
        raise ModelError("files: size: wanted a number of bytes", where=where)
    if Path(row["name"]).name != row["name"]:
        raise ModelError(f"files: '{row['name']}' is not a plain file name", where=where)
    placed = tuple(_place(where.parent, source) for source in sources)
    hashes = row["sha256"].lower(), row.get("sha384", "").lower()
    return WeightFile(row["name"], hashes[0], row.get("size"), placed, hashes[1])


def _place(folder: Path, source: str) -> str:
    if source.startswith(("http://", "https://", "package:")):
        return source
    return str((folder / Path(source).expanduser()).absolute())
