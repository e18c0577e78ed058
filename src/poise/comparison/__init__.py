"""Compare two performances: what is wrong, where, when, and how much."""

from poise.comparison.coach import Advice, Coach
from poise.comparison.judge import compare
from poise.comparison.result import Comparison, Fault, Part, Relation, Segment, Span, Timeline

__all__ = [
    "Advice",
    "Coach",
    "Comparison",
    "Fault",
    "Part",
    "Relation",
    "Segment",
    "Span",
    "Timeline",
    "compare",
]
