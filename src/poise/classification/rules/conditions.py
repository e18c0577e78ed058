"""What a rule may ask: one comparison of a measure, and comparisons joined by logic."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from poise.classification.vocabulary import Measure, find_measure
from poise.errors import UsageError

_OPERATORS = re.compile(r"\s*(<=|>=|==|!=|=<|=>|=|<|>)\s*")
_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
# What a measure can be at all; the others have no bounds.
_RANGES: dict[str, tuple[float, float]] = {
    "angle": (0.0, 180.0),
    "elevation": (-90.0, 90.0),
    "heading": (-180.0, 180.0),
    "leaning": (0.0, 180.0),
    "ratio": (0.0, math.inf),
    "distance": (0.0, math.inf),
    "aside": (0.0, math.inf),
}


@dataclass(frozen=True)
class Compare:
    """Whether a measure lies between two bounds; ``closed`` says which bounds count as within."""

    measure: Measure
    low: float = -math.inf
    high: float = math.inf
    closed: tuple[bool, bool] = (False, False)


@dataclass(frozen=True)
class Not:
    """The opposite of a condition."""

    one: Condition


@dataclass(frozen=True)
class Join:
    """Whether all of some conditions hold, or at least one."""

    any: bool
    parts: tuple[Condition, ...]


Condition = Compare | Not | Join


def measures_of(condition: Condition) -> Iterator[Measure]:
    """Give every measure that a condition reads."""
    if isinstance(condition, Compare):
        yield condition.measure
    elif isinstance(condition, Not):
        yield from measures_of(condition.one)
    else:
        for part in condition.parts:
            yield from measures_of(part)


def is_comparison(text: str) -> bool:
    """Say whether a text compares something, rather than naming a predicate."""
    return _OPERATORS.search(text) is not None


def parse_comparison(text: str) -> Compare:
    """Read ``angle.left_knee < 120`` or ``40 < angle.left_knee < 140``.

    Raises:
        UsageError: It is no comparison, names what does not exist, or can never (or only) be true.
    """
    parts = _OPERATORS.split(text.strip())
    words, operators = parts[::2], parts[1::2]
    for operator in operators:
        if operator not in _TURNED:
            raise UsageError(f"'{operator}' in '{text}'", remedy="compare with one of <, <=, >, >=")
    if len(operators) == 1:
        found = _one_sided(words, operators[0], text)
    elif len(operators) == 2:
        found = _two_sided(words, operators, text)
    else:
        raise UsageError(f"'{text}' compares more than twice", remedy="write LOW < MEASURE < HIGH")
    _refuse_pointless(found, text)
    return found


def _one_sided(words: list[str], operator: str, text: str) -> Compare:
    measure, number = words
    if _is_number(measure):
        measure, number, operator = number, measure, _TURNED[operator]
    bound, closed = _number(number, text), operator.endswith("=")
    if operator.startswith("<"):
        return Compare(find_measure(measure), high=bound, closed=(False, closed))
    return Compare(find_measure(measure), low=bound, closed=(closed, False))


def _two_sided(words: list[str], operators: list[str], text: str) -> Compare:
    first, second = operators
    low, measure, high = words
    if first[0] != second[0]:
        raise UsageError(f"'{text}' points both ways", remedy="write LOW < MEASURE < HIGH")
    if first[0] == ">":
        low, high, first, second = high, low, _TURNED[second], _TURNED[first]
    closed = (first.endswith("="), second.endswith("="))
    return Compare(find_measure(measure), _number(low, text), _number(high, text), closed)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _number(text: str, whole: str) -> float:
    if not _is_number(text) or not math.isfinite(float(text)):
        raise UsageError(
            f"'{text}' in '{whole}' is no number",
            remedy="compare a measure with a number, as angle.left_knee < 120",
        )
    return float(text)


def _refuse_pointless(found: Compare, text: str) -> None:
    low, high = _RANGES.get(found.measure[0], (-math.inf, math.inf))
    if found.low >= found.high or found.low >= high or found.high <= low:
        raise UsageError(f"'{text}' is never true", remedy=_remedy(found))
    if found.low < low and found.high > high:
        raise UsageError(f"'{text}' is always true", remedy=_remedy(found))


def _remedy(found: Compare) -> str | None:
    kind = found.measure[0]
    if found.low >= found.high or kind not in _RANGES:
        return "the lower bound comes first: LOW < MEASURE < HIGH"
    low, high = _RANGES[kind]
    return f"{kind} is {low:g} to {high:g}" if math.isfinite(high) else f"{kind} is {low:g} or more"
