"""The tables of a rules file as rules: keys, types and bounds are checked here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from poise.classification.measures import LEAST_SCORE
from poise.classification.rules.conditions import Condition, Join
from poise.classification.rules.problems import Problems
from poise.classification.rules.ruleset import Hysteresis, Rule, RuleSet
from poise.classification.rules.scope import LOGIC, SIDES, Scope, substitute
from poise.errors import suggest

VERSION = 1
_TOP = ("version", "name", "text", "predicates", "rules")
_SHARED = ("min_score", "min_duration", "max_gap", "hysteresis")
_RULE = ("label", "kind", "text", *_SHARED, *LOGIC)
_MARGINS = ("degrees", "heights", "share")
_RESERVED = ("unknown", "")

Place = tuple[str, int, str]


@dataclass(frozen=True)
class _Draft:
    """A rule of the file, and the side that it was written out for."""

    table: dict[str, Any]
    number: int
    label: str
    side: str | None

    @property
    def key(self) -> str:
        """What finds its condition, where an earlier rule has taken its label."""
        return f"rule {self.number + 1}: {self.label}"


class Reader:
    """Turns the tables of one file into rules, and collects what is wrong with them."""

    def __init__(self, table: dict[str, Any], problems: Problems) -> None:
        self._table, self._problems = table, problems
        self._defaults: dict[str, Any] = {}

    def read(self, stem: str) -> RuleSet | None:
        """Return the rules; they are only of use where no problem was found."""
        table = self._table
        if not self._check_version():
            return None
        self._check_keys(table, (*_TOP, *_SHARED), ("", 0))
        self._defaults = self._read_shared(table, ("", 0), {})
        rules = table.get("rules")
        if not isinstance(rules, list) or not rules:
            self._problems.add("has no rules", "write at least one [[rules]]", ("", 0, "rules"))
            return None
        drafts = [draft for number, rule in enumerate(rules) for draft in self._draft(rule, number)]
        scope = Scope(self._definitions(drafts), self._problems)
        made = [self._make(draft, scope) for draft in drafts]
        scope.finish()
        self._refuse_twice(drafts)
        name, text = self._text(table, "name", ("", 0)), self._text(table, "text", ("", 0))
        return RuleSet(name or stem, tuple(rule for rule in made if rule), text)

    def _check_version(self) -> bool:
        version = self._table.get("version")
        if version == VERSION and not isinstance(version, bool):
            return True
        if isinstance(version, int) and version > VERSION:
            what, remedy = (
                f"version {version} is newer than this Poise reads ({VERSION})",
                "update Poise",
            )
        else:
            what = "has no version" if version is None else f"version {version!r} does not exist"
            remedy = f"write version = {VERSION} at the top"
        self._problems.add(what, remedy, ("", 0, "version"))
        return False

    def _check_keys(self, table: dict[str, Any], known: Iterable[str], at: tuple[str, int]) -> None:
        for key in table:
            if key not in known:
                self._problems.add(f"no key named '{key}'", suggest(key, known), (*at, key))

    def _draft(self, rule: Any, number: int) -> list[_Draft]:
        at = ("rules", number)
        if not isinstance(rule, dict):
            self._problems.add(f"wanted a table, got {rule!r}", "write [[rules]]", (*at, ""))
            return []
        self._check_keys(rule, _RULE, at)
        label = self._text(rule, "label", at, needed=True)
        if label in _RESERVED:
            if "label" in rule and isinstance(rule["label"], str):
                what = f"no rule may be named '{label}'"
                self._problems.add(what, "choose another name", (*at, "label"))
            return []
        sides = SIDES if "{side}" in label else (None,)
        return [_Draft(rule, number, substitute(label, side), side) for side in sides]

    def _definitions(self, drafts: list[_Draft]) -> dict[str, tuple[Any, str | None, Place]]:
        found: dict[str, tuple[Any, str | None, Place]] = {}
        predicates = self._table.get("predicates", {})
        if not isinstance(predicates, dict):
            place = ("", 0, "predicates")
            self._problems.add("predicates is no table", "write [predicates]", place)
            predicates = {}
        for name, asked in predicates.items():
            for side in SIDES if "{side}" in name else (None,):
                found[substitute(name, side)] = (asked, side, ("predicates", 0, name))
        for draft in drafts:
            logic = {key: draft.table[key] for key in LOGIC if key in draft.table}
            asked = logic, draft.side, ("rules", draft.number, next(iter(logic), ""))
            if draft.label in predicates:
                self._problems.add(
                    f"'{draft.label}' is a predicate and a rule",
                    "rename one of them",
                    ("rules", draft.number, "label"),
                )
            if logic:
                found[draft.key if draft.label in found else draft.label] = asked
        return found

    def _make(self, draft: _Draft, scope: Scope) -> Rule | None:
        at = ("rules", draft.number)
        kind = self._text(draft.table, "kind", at, needed=True)
        text = substitute(self._text(draft.table, "text", at), draft.side)
        condition: Condition = Join(False, ())
        if any(key in draft.table for key in LOGIC):
            key = draft.key if draft.key in scope else draft.label
            condition = scope.find(key) or condition
        else:
            remedy = f"give it one of {', '.join(LOGIC)}"
            self._problems.add(f"the rule '{draft.label}' asks nothing", remedy, (*at, "label"))
        shared = self._read_shared(draft.table, at, self._defaults)
        return Rule(draft.label, kind, condition, text=text, **shared)

    def _read_shared(
        self, table: dict[str, Any], at: tuple[str, int], defaults: dict[str, Any]
    ) -> dict[str, Any]:
        start: dict[str, Any] = {"min_score": LEAST_SCORE, **defaults}
        for key, high in (("min_score", 1.0), ("min_duration", 3600.0), ("max_gap", 3600.0)):
            if key in table:
                start[key] = self._number(table[key], key, high, (*at, key))
        if "hysteresis" in table:
            start["hysteresis"] = self._hysteresis(table["hysteresis"], (*at, "hysteresis"))
        return start

    def _hysteresis(self, value: Any, place: Place) -> Hysteresis:
        if not isinstance(value, dict):
            return Hysteresis(share=self._number(value, "hysteresis", 1.0, place))
        for key in value:
            if key not in _MARGINS:
                self._problems.add(f"no margin named '{key}'", suggest(key, _MARGINS), place)
        highest = {"degrees": 180.0, "heights": 1.0, "share": 1.0}
        margins = {
            key: self._number(value[key], f"hysteresis.{key}", high, place)
            for key, high in highest.items()
            if key in value
        }
        return Hysteresis(**margins)

    def _number(self, value: Any, key: str, high: float, place: Place) -> float:
        right = isinstance(value, int | float) and not isinstance(value, bool)
        if right and 0 <= value <= high:
            return float(value)
        self._problems.add(f"{key} = {value!r}", f"wanted a number in 0 to {high:g}", place)
        return 0.0

    def _text(
        self, table: dict[str, Any], key: str, at: tuple[str, int], *, needed: bool = False
    ) -> str:
        value = table.get(key)
        if isinstance(value, str):
            return value
        if value is not None:
            self._problems.add(f"{key} = {value!r}", "wanted a text in quotes", (*at, key))
        elif needed:
            remedy = 'as label = "sitting"' if key == "label" else 'as kind = "posture"'
            self._problems.add(f"a rule without a {key}", f"write one, {remedy}", (*at, key))
        return ""

    def _refuse_twice(self, drafts: list[_Draft]) -> None:
        seen: set[str] = set()
        for draft in drafts:
            if draft.label in seen:
                place = ("rules", draft.number, "label")
                self._problems.add(
                    f"the label '{draft.label}' stands twice",
                    "join the two with any = [...], or rename one",
                    place,
                )
            seen.add(draft.label)
