"""Poses named by rules that people write: files in, labels and events out."""

from poise.classification.rules.applying import (
    classify_clip,
    classify_poses,
    classify_track,
    collect_events,
)
from poise.classification.rules.reading import BUILT_IN, inspect_rules, load_rules, parse_rules
from poise.classification.rules.ruleset import Hysteresis, Rule, RuleSet

__all__ = [
    "BUILT_IN",
    "Hysteresis",
    "Rule",
    "RuleSet",
    "classify_clip",
    "classify_poses",
    "classify_track",
    "collect_events",
    "inspect_rules",
    "load_rules",
    "parse_rules",
]
