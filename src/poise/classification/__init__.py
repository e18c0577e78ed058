"""Name poses and actions: by rules, from examples, over time."""

from poise.classification.events import Event, Labelling
from poise.classification.falls import find_falls
from poise.classification.learning import Classifier, load_classifier
from poise.classification.naming import classify
from poise.classification.rules import RuleSet, load_rules

__all__ = [
    "Classifier",
    "Event",
    "Labelling",
    "RuleSet",
    "classify",
    "find_falls",
    "load_classifier",
    "load_rules",
]
