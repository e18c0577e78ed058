"""Rules files: TOML in, checked rules out; what is wrong is said with its line."""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from importlib import resources
from pathlib import Path

from poise.classification.rules.problems import Lines, Problems
from poise.classification.rules.ruleset import RuleSet
from poise.classification.rules.schema import Reader
from poise.errors import InputError, suggest

BUILT_IN = {"default": "builtin.toml", "system-b": "system_b.toml"}
_QUOTES = 'texts stand in quotes: label = "sitting"'
_DECODER_LINE = re.compile(r"^(.*?) \(at (?:line (\d+), column \d+|end of document)\)$")


def load_rules(source: str | Path = "default") -> RuleSet:
    """Return the rules of a file, or a set that comes with Poise: ``default`` or ``system-b``.

    Raises:
        InputError: The file cannot be read or something in it is wrong; says the line.
    """
    if str(source) in BUILT_IN:
        return _built_in(str(source))
    return parse_rules(read_text(source), where=str(source))


def read_text(source: str | Path) -> str:
    """Return the text of a rules file or of a set that comes with Poise.

    Raises:
        InputError: The file cannot be read.
    """
    if str(source) in BUILT_IN:
        folder = resources.files("poise.classification.rules")
        return (folder / BUILT_IN[str(source)]).read_text(encoding="utf-8")
    path = Path(source)
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        choices = [*BUILT_IN] if not path.suffix else []
        remedy = suggest(str(source), choices) if choices else "name a TOML file of rules"
        raise InputError("no such file of rules", where=source, remedy=remedy) from None
    except UnicodeDecodeError:
        raise InputError("is not text in UTF-8", where=source) from None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=source) from error


def parse_rules(text: str, *, where: str = "rules") -> RuleSet:
    """Read rules from a text.

    Raises:
        InputError: Something is wrong with them; the first of it, with its line.
    """
    rules, wrong = inspect_rules(text, where=where)
    if rules is None:
        more = len(wrong) - 1
        first = wrong[0]
        rest = f" (and {more} more: poise rules check lists them)" if more else ""
        raise InputError(f"{first.what}{rest}", where=first.where, remedy=first.remedy)
    return rules


def inspect_rules(text: str, *, where: str) -> tuple[RuleSet | None, list[InputError]]:
    """Read rules from a text, and return everything that is wrong with them by line."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return None, [_broken(str(error), text, where)]
    problems = Problems(where, Lines(text))
    rules = Reader(table, problems).read(Path(where).stem)
    return (None if problems.found else rules), problems.sorted()


def _broken(message: str, text: str, where: str) -> InputError:
    found = _DECODER_LINE.match(message)
    what = found[1] if found else message
    line = found[2] if found and found[2] else text.count("\n") + 1
    return InputError(
        f"is not TOML: {what[:1].lower()}{what[1:]}",
        where=f"{where}, line {line}",
        remedy=_QUOTES if "value" in what or "character" in what else None,
    )


@lru_cache
def _built_in(name: str) -> RuleSet:
    return parse_rules(read_text(name), where=name)
