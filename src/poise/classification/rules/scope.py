"""The named predicates of a file, and how a condition is made of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from poise.classification.rules.conditions import (
    Condition,
    Join,
    Not,
    is_comparison,
    parse_comparison,
)
from poise.classification.rules.problems import Problems
from poise.errors import UsageError, suggest

LOGIC = ("all", "any", "none", "any_side", "each_side")
SIDES = ("left", "right")
_OTHER = {"left": "right", "right": "left"}

Place = tuple[str, int, str]


def substitute(text: str, side: str | None) -> str:
    """Write a text out for one side: ``{side}`` and ``{other}`` become left and right."""
    if side is None:
        return text
    return text.replace("{side}", side).replace("{other}", _OTHER[side])


class Scope:
    """Finds conditions by name.

    Args:
        definitions: What each predicate or rule asks, the side it is written out for, and where
            it stands.
        problems: Takes what is wrong.
    """

    def __init__(
        self, definitions: Mapping[str, tuple[Any, str | None, Place]], problems: Problems
    ) -> None:
        self._definitions, self._problems = definitions, problems
        self._known: dict[str, Condition | None] = {}
        self._open: list[str] = []

    def __contains__(self, name: str) -> bool:
        return name in self._definitions

    def find(self, name: str) -> Condition | None:
        """Return the condition of a predicate or rule; None where something is wrong with it."""
        if name not in self._known:
            asked, side, place = self._definitions[name]
            self._open.append(name)
            self._known[name] = self._build(asked, side, place)
            self._open.pop()
        return self._known[name]

    def finish(self) -> None:
        """Check also what no rule uses."""
        for name in self._definitions:
            self.find(name)

    def _build(self, asked: Any, side: str | None, place: Place) -> Condition | None:
        if isinstance(asked, str):
            return self._leaf(substitute(asked, side), asked, place)
        if not isinstance(asked, dict):
            remedy = 'write a text such as "angle.left_knee < 120", or { any = [...] }'
            self._problems.add(f"wanted a condition, got {asked!r}", remedy, place)
            return None
        parts = [self._join(key, value, side, place) for key, value in asked.items()]
        if not parts:
            self._problems.add("an empty condition", f"give it one of {', '.join(LOGIC)}", place)
        return _together(False, parts)

    def _join(self, key: str, value: Any, side: str | None, place: Place) -> Condition | None:
        if key not in LOGIC:
            self._problems.add(f"no key named '{key}'", suggest(key, LOGIC), place, needle=key)
            return None
        items = value if isinstance(value, list) else [value]
        if not items:
            what = f"'{key}' is empty"
            self._problems.add(what, "name at least one condition", place, needle=key)
            return None
        if not key.endswith("_side"):
            parts = [self._build(item, side, place) for item in items]
            joined = _together(key != "all", parts)
            return Not(joined) if joined and key == "none" else joined
        if "{side}" not in str(items):
            what = f"nothing in '{key}' holds '{{side}}'"
            self._problems.add(what, "write {side} for left and right", place, needle=key)
            return None
        sides = [
            _together(False, [self._build(item, one, place) for item in items]) for one in SIDES
        ]
        return _together(key == "any_side", sides)

    def _leaf(self, text: str, written: str, place: Place) -> Condition | None:
        text = text.strip()
        if text.startswith("not "):
            one = self._leaf(text.removeprefix("not "), written, place)
            return None if one is None else Not(one)
        if "{side}" in text or "{other}" in text:
            remedy = "write it under any_side or each_side, or put {side} into the name"
            what = f"'{text}' does not know its side"
            self._problems.add(what, remedy, place, needle=written)
            return None
        try:
            return parse_comparison(text) if is_comparison(text) else self._named(text)
        except UsageError as error:
            self._problems.add_error(error, place, needle=written)
            return None

    def _named(self, name: str) -> Condition | None:
        if name not in self._definitions:
            known = suggest(name, self._definitions)
            raise UsageError(f"no predicate or rule named '{name}'", remedy=known)
        if name in self._open:
            circle = " > ".join([*self._open[self._open.index(name) :], name])
            raise UsageError(f"a condition that needs itself: {circle}", remedy="break the circle")
        return self.find(name)


def _together(any_: bool, parts: list[Condition | None]) -> Condition | None:
    sound = tuple(part for part in parts if part is not None)
    if len(sound) < len(parts) or not sound:
        return None
    return sound[0] if len(sound) == 1 else Join(any_, sound)
