"""How well held-out examples were named, in numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from poise.classification.learning.features import Floats

Labels = npt.NDArray[np.int64]
_BINS = 10


@dataclass(frozen=True)
class ClassFigures:
    """One class. An unknown answer is a miss, never a wrong name.

    Attributes:
        name: Of the class.
        count: How many examples it has.
        precision: Share of the answers of this name that are right; NaN where there is none.
        recall: Share of its examples that got its name.
        f1: Harmonic mean of both; 0 where one of them is 0 or there is none.
        unknown: Share of its examples that got no name.
    """

    name: str
    count: int
    precision: float
    recall: float
    f1: float
    unknown: float


def count_confusions(labels: Labels, answers: Labels, classes: int) -> Labels:
    """Return (C, C + 1) how often a class (row) was named so (column; unknown is the last)."""
    table = np.zeros((classes, classes + 1), np.int64)
    np.add.at(table, (labels, np.where(answers < 0, classes, answers)), 1)
    return table


def judge_classes(table: Labels, names: tuple[str, ...]) -> list[ClassFigures]:
    """Return the figures of each class of a table of confusions."""
    found = []
    for number, name in enumerate(names):
        right, count = int(table[number, number]), int(table[number].sum())
        named = int(table[:, number].sum())
        precision = right / named if named else float("nan")
        recall = right / count if count else float("nan")
        f1 = 2 * right / (named + count) if named + count else 0.0
        unknown = int(table[number, -1]) / count if count else float("nan")
        found.append(ClassFigures(name, count, precision, recall, f1, unknown))
    return found


def measure_calibration(
    probabilities: Floats, labels: Labels
) -> tuple[list[tuple[float, float, int]], float]:
    """Return how often answers of a probability are right.

    Returns:
        For each tenth of the probability with an example: mean probability, share of right
        answers, count; and the expected calibration error, the mean distance of the two.
    """
    top = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    places = np.minimum((top * _BINS).astype(int), _BINS - 1)
    bins, error = [], 0.0
    for number in np.unique(places):
        mine = places == number
        said, was = float(top[mine].mean()), float(right[mine].mean())
        bins.append((said, was, int(mine.sum())))
        error += abs(said - was) * float(mine.mean())
    return bins, error


def most_confused(
    probabilities: Floats, answers: Labels, labels: Labels, groups: Labels, *, most: int = 12
) -> list[int]:
    """Return the examples whose wrong answer was surest, at most two of one recording."""
    wrong = np.flatnonzero((probabilities.argmax(axis=1) != labels) & (answers >= 0))
    order = wrong[np.argsort(-probabilities[wrong].max(axis=1), kind="stable")]
    chosen: list[int] = []
    seen: dict[int, int] = {}
    for number in order.tolist():
        group = int(groups[number])
        if seen.get(group, 0) < 2:
            chosen.append(number)
            seen[group] = seen.get(group, 0) + 1
    return chosen[:most]
