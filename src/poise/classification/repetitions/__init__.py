"""Count the repetitions of an exercise, and say what is wrong with each."""

from __future__ import annotations

from poise.classification.repetitions.live import RepetitionCounter, count_repetitions
from poise.classification.repetitions.result import Repetition, RepetitionFault, Repetitions
from poise.classification.repetitions.table import ANY, EXERCISES, Exercise, find_exercise

__all__ = [
    "ANY",
    "EXERCISES",
    "Exercise",
    "Repetition",
    "RepetitionCounter",
    "RepetitionFault",
    "Repetitions",
    "count_repetitions",
    "find_exercise",
]
