"""A rule, and a set of rules that were read from one file."""

from __future__ import annotations

import math
from dataclasses import dataclass

from poise.classification.measures import LEAST_SCORE
from poise.classification.rules.conditions import Condition

DEGREES = frozenset({"angle", "elevation", "heading", "leaning"})
HEIGHTS = frozenset({"height", "distance", "across", "aside"})


@dataclass(frozen=True)
class Hysteresis:
    """How far every comparison of a label that holds must be missed before the label ends.

    Attributes:
        degrees: For angles, elevations, headings and the leaning.
        heights: Body heights, for heights and distances.
        share: Share of the bound itself, for any measure; the larger of the two counts.
    """

    degrees: float = 0.0
    heights: float = 0.0
    share: float = 0.0

    def __bool__(self) -> bool:
        return bool(self.degrees or self.heights or self.share)

    def margin(self, kind: str, bound: float) -> float:
        """Return the margin at one bound of a comparison, in the unit of its measure."""
        if math.isinf(bound):
            return 0.0
        own = self.degrees if kind in DEGREES else self.heights if kind in HEIGHTS else 0.0
        return max(own, self.share * abs(bound))


@dataclass(frozen=True)
class Rule:
    """When a label holds.

    Attributes:
        label: What it is called.
        kind: What it is a label of; the labels of one kind exclude each other, the first wins.
        condition: What must be true.
        min_score: Keypoints with a lower score count as absent.
        min_duration: Seconds that it must hold.
        max_gap: Seconds that it may be interrupted and still be the same event.
        hysteresis: What keeps it from flickering.
        text: For people.
    """

    label: str
    kind: str
    condition: Condition
    min_score: float = LEAST_SCORE
    min_duration: float = 0.0
    max_gap: float = 0.0
    hysteresis: Hysteresis = Hysteresis()
    text: str = ""


@dataclass(frozen=True)
class RuleSet:
    """The rules of one file, in its order."""

    name: str
    rules: tuple[Rule, ...]
    text: str = ""

    def kinds(self) -> tuple[str, ...]:
        """Return the kinds of label, in the order of the file."""
        return tuple(dict.fromkeys(rule.kind for rule in self.rules))

    def of_kind(self, kind: str) -> tuple[Rule, ...]:
        """Return the rules of one kind, the one that wins first."""
        return tuple(rule for rule in self.rules if rule.kind == kind)
