"""Pose files: the built-in poses and those of the user, as TOML that can be edited."""

from __future__ import annotations

import dataclasses
import json
import re
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

from poise.classification.correction.target import VIEWS, Check, Target, swap_sides
from poise.errors import InputError, UsageError, suggest
from poise.output import save_whole

VERSION = 1
_MARK = "poise_pose"
_BUILT_IN = Path(__file__).parent / "poses"
_TEXTS = ("name", "view", "about", "source")
_FIELDS = tuple(field.name for field in dataclasses.fields(Check))
_NUMBERS = ("ideal", "tolerance", "importance")
_SIDED = re.compile(r"^(angle|arch|heading|elevation)\.(?!left_|right_)(\w+)$")
_BOTH = {
    "shoulder", "elbow", "hip", "knee", "ankle", "upper_arm", "forearm", "thigh", "shin", "foot",
}  # fmt: skip


def pose_names() -> list[str]:
    """Return the names of the built-in poses."""
    return sorted(path.stem for path in _BUILT_IN.glob("*.toml"))


@lru_cache
def find_pose(name: str) -> Target:
    """Return a built-in pose.

    Raises:
        UsageError: There is none of that name; the message names the nearest.
    """
    if name not in pose_names():
        raise UsageError(f"no pose named '{name}'", remedy=suggest(name, pose_names()))
    return read_pose(_BUILT_IN / f"{name}.toml")


def read_pose(path: str | Path) -> Target:
    """Read a pose file.

    Raises:
        InputError: It cannot be read, is no pose file, of another version, or a value in it
            cannot be; the message says in which line.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"is no TOML: {error}", where=path) from error
    except UnicodeDecodeError as error:
        raise InputError("is no text", where=path) from error
    except (OSError, ValueError) as error:
        raise InputError(
            f"cannot be read: {getattr(error, 'strerror', error)}", where=path
        ) from error
    return _Reader(str(path), text).read(document)


@dataclasses.dataclass(frozen=True)
class _Reader:
    """One file, for errors that name the line."""

    path: str
    text: str

    def read(self, document: dict[str, Any]) -> Target:
        self._check_version(document)
        for key in document:
            if key not in (_MARK, *_TEXTS, "checks"):
                self._refuse(f"no key named '{key}'", key, suggest(key, [*_TEXTS, "checks"]))
        texts = {key: document.get(key, "") for key in _TEXTS}
        for key, value in texts.items():
            if not isinstance(value, str):
                self._refuse(f"{key}: wanted a text, got {value!r}", key)
        if texts["view"] not in VIEWS:
            remedy = suggest(texts["view"], VIEWS)
            self._refuse(f"view: no view named '{texts['view']}'", "view", remedy)
        rows = document.get("checks")
        if not isinstance(rows, list) or not rows or not all(isinstance(r, dict) for r in rows):
            self._refuse("it has no checks", "checks", "add one under [[checks]]")
        checks = [
            check for number, row in enumerate(rows or []) for check in self._row(number, row)
        ]
        self._refuse_twice(checks)
        return Target(texts["name"] or Path(self.path).stem, texts["view"], tuple(checks),
                      texts["about"], texts["source"])  # fmt: skip

    def _check_version(self, document: dict[str, Any]) -> None:
        version = document.get(_MARK)
        if version is None:
            raise InputError(
                f"is no pose file: it has no '{_MARK} = {VERSION}'", where=self.path,
                remedy="write one with 'poise correct --save-pose'",
            )  # fmt: skip
        if version != VERSION:
            what = f"is a pose file of version {version!r}; this Poise reads version {VERSION}"
            self._refuse(what, _MARK)

    def _row(self, number: int, row: dict[str, Any]) -> list[Check]:
        for key in row:
            if key not in _FIELDS:
                self._refuse(f"no key named '{key}'", key, suggest(key, _FIELDS), number)
        for key in ("measure", "ideal"):
            if key not in row:
                self._refuse(f"a check has no '{key}'", "", None, number)
        for key, value in row.items():
            number_there = isinstance(value, int | float) and not isinstance(value, bool)
            if number_there if key in _NUMBERS else isinstance(value, str):
                continue
            wanted = "a number" if key in _NUMBERS else "a text"
            self._refuse(f"{key}: wanted {wanted}, got {value!r}", key, None, number)
        try:
            return [Check(**{**row, "measure": one}) for one in _sided(row["measure"])]
        except UsageError as error:
            self._refuse(f"{error.where}: {error.what}", str(error.where), error.remedy, number)
            raise

    def _refuse_twice(self, checks: list[Check]) -> None:
        measures = [check.measure for check in checks]
        for measure in measures:
            if measures.count(measure) > 1:
                raise InputError(f"checks '{measure}' twice", where=self.path)

    def _refuse(
        self, what: str, key: str, remedy: str | None = None, check: int | None = None
    ) -> None:
        line = self._line(key, check)
        where = f"{self.path}, line {line}" if line else self.path
        raise InputError(what, where=where, remedy=remedy)

    def _line(self, key: str, check: int | None) -> int | None:
        """Return the line of a key, after the head of its check; that of the head without one."""
        lines = self.text.splitlines()
        heads = [n for n, line in enumerate(lines) if re.match(r"\s*\[\[\s*checks\s*\]\]", line)]
        if check is None:
            start = 0
        elif check < len(heads):
            start = heads[check]
        else:
            return None
        for number in range(start, len(lines)):
            if re.match(rf"\s*\[*\s*[\"']?{re.escape(key)}[\"']?\s*(=|\])", lines[number]):
                return number + 1
        return start + 1 if check is not None else None


def _sided(measure: str) -> tuple[str, ...]:
    """Return both sides of a measure that names none, such as ``angle.knee``."""
    found = _SIDED.match(measure)
    if not found or found[2] not in _BOTH:
        return (measure,)
    return f"{found[1]}.left_{found[2]}", f"{found[1]}.right_{found[2]}"


def write_pose(target: Target, path: str, *, overwrite: bool = False) -> None:
    """Write a pose file that ``read_pose`` reads and that can be edited.

    Raises:
        OutputError: The name is taken or cannot be written.
    """
    save_whole(path, format_pose(target).encode(), overwrite=overwrite)


def format_pose(target: Target) -> str:
    """Return the text of a pose file."""
    lines = [f"{_MARK} = {VERSION}"]
    lines += [f"{key} = {_quote(getattr(target, key))}" for key in _TEXTS if getattr(target, key)]
    left = list(target.checks)
    while left:
        check = left.pop(0)
        twin = dataclasses.replace(check, measure=swap_sides(check.measure))
        measure = check.measure
        if twin != check and twin in left:
            left.remove(twin)
            measure = measure.replace("left_", "").replace("right_", "")
        lines += ["", "[[checks]]", f"measure = {_quote(measure)}"]
        lines += [f"{key} = {getattr(check, key):g}" for key in _NUMBERS]
        lines += [f"{key} = {_quote(getattr(check, key))}" for key in ("more", "less")
                  if getattr(check, key)]  # fmt: skip
    return "\n".join(lines) + "\n"


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
