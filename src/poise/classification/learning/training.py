"""Learning from examples: folds by recording, the choice of a kind, calibration, the limits.

Everything is decided on held-out examples: those that a classifier of the same kind, learned from
the other recordings, has not seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from poise.classification.learning.examples import Examples, mirror_classes
from poise.classification.learning.features import Floats
from poise.classification.learning.kinds import (
    KINDS,
    Kind,
    find_prototypes,
    fit_network,
    require_learning,
    spread,
)
from poise.classification.learning.prediction import Classifier, Limits, Network, softmax
from poise.classification.learning.vectors import make_vectors

Labels = npt.NDArray[np.int64]
FOLDS = 5
_BLOCKS = 10  # a class of one recording is cut into so many pieces
_ENOUGH = 0.005  # a more complicated kind must be better by this much
_KEPT = 0.98  # of the right answers, by the least probability
_HIGHEST = 0.7  # that the least probability is ever set to
_NEAR = 0.99  # of the held-out examples lie nearer than ...
_MARGIN = 1.2  # ... the greatest distance without this
_MOST = 4000  # examples of a class that are learned from


@dataclass(frozen=True, eq=False)
class Taught:
    """What came of the teaching.

    Attributes:
        classifier: Learned from all examples.
        examples: What it was learned from.
        probabilities: (N, C) of the held-out examples, calibrated.
        answers: (N,) numbers of classes, -1 where the answer is unknown.
        trials: Each kind that was tried and its held-out accuracy, the mean over the classes.
        folds: How many; 0 where there was no test.
        notes: What the user should know.
    """

    classifier: Classifier
    examples: Examples
    probabilities: Floats
    answers: Labels
    trials: tuple[tuple[Kind, float], ...]
    folds: int
    notes: tuple[str, ...]


def teach(examples: Examples, *, seed: int = 0, kinds: tuple[Kind, ...] = KINDS) -> Taught:
    """Learn a classifier.

    Args:
        examples: From ``measure_examples`` or one of the readers.
        seed: Of everything that is drawn by chance.
        kinds: That are tried, the simplest first.

    Raises:
        MissingExtraError: scikit-learn is not installed.
    """
    require_learning()
    examples = _thinned(examples)
    groups, notes = split_recordings(examples)
    folds = deal_folds(examples.labels, groups, seed=seed)
    tried = [_hold_out(examples, folds, kind, seed=seed) for kind in kinds]
    scores = [_balanced(logits.argmax(axis=1), examples.labels) for logits in tried]
    best = _simplest(scores)
    temperature = fit_temperature(tried[best], examples.labels)
    probabilities = softmax(tried[best] / temperature)
    distances = _held_distances(examples, folds, seed=seed)
    least, greatest = _choose_limits(probabilities, examples.labels, distances)
    network = _fit(kinds[best], examples, np.ones(len(examples), bool), seed=seed)
    network = Network(network.centre, network.scale, network.layers, temperature)
    prototypes = _prototypes(network, examples, np.ones(len(examples), bool), seed=seed)
    answers = probabilities.argmax(axis=1)
    answers[(probabilities.max(axis=1) < least) | (distances > greatest)] = -1
    limits = Limits(least, greatest, prototypes)
    training = _summary(examples, kinds[best], scores[best], answers)
    bare = Classifier(examples.classes, examples.window, network, limits, training=training)
    classifier = make_vectors(bare, examples)
    trials = tuple(zip(kinds, scores, strict=True))
    said = (*examples.notes, *notes)
    return Taught(classifier, examples, probabilities, answers, trials, int(folds.max()) + 1, said)


def split_recordings(examples: Examples) -> tuple[Labels, list[str]]:
    """Return (N,) groups of which every class has at least two, and what had to be cut.

    A class of a single recording is cut into ten blocks of neighbouring rows.
    """
    groups = examples.groups.copy()
    cut = []
    for number, name in enumerate(examples.classes):
        mine = np.flatnonzero(examples.labels == number)
        if len(np.unique(groups[mine])) < 2:
            blocks = min(_BLOCKS, len(mine))
            groups[mine] = groups.max() + 1 + np.arange(len(mine)) * blocks // len(mine)
            cut.append(name)
    if not cut:
        return groups, []
    named = ", ".join(cut[:3]) + (f" and {len(cut) - 3} more" if len(cut) > 3 else "")
    have = "have" if len(cut) > 1 else "has"
    return groups, [
        f"{named} {have} one recording only: tested on blocks of it, which looks better than it is"
    ]


def deal_folds(labels: Labels, groups: Labels, *, seed: int) -> Labels:
    """Return (N,) the fold of each example: a group lies in one, every class in all of them.

    The groups of each class in turn, largest first, go to the fold with the fewest examples of
    that class; chance decides between equals.
    """
    random = np.random.default_rng(seed)
    fewest = min(len(np.unique(groups[labels == c])) for c in np.unique(labels))
    count = max(2, min(FOLDS, fewest))
    folds = np.full(len(labels), -1, np.int64)
    for label in np.unique(labels)[np.argsort(np.unique(labels, return_counts=True)[1])]:
        names, sizes = np.unique(groups[(labels == label) & (folds < 0)], return_counts=True)
        order = np.lexsort((random.random(len(names)), -sizes))
        for name in names[order]:
            load = np.bincount(folds[(labels == label) & (folds >= 0)], minlength=count)
            folds[groups == name] = int(load.argmin())
    return folds


def fit_temperature(logits: Floats, labels: Labels) -> float:
    """Return the temperature of least mean log loss (Guo et al. 2017), from 0.05 to 20."""
    choices = np.exp(np.linspace(np.log(0.05), np.log(20), 121))
    rows = np.arange(len(labels))
    losses = [-np.log(np.maximum(softmax(logits / t)[rows, labels], 1e-12)).mean() for t in choices]
    return float(round(choices[int(np.argmin(losses))], 4))


def _simplest(scores: list[float]) -> int:
    top = max(scores)
    return next(n for n, score in enumerate(scores) if score >= top - _ENOUGH)


def _balanced(answers: Labels, labels: Labels) -> float:
    """Return the share of right answers, the mean over the classes."""
    return float(np.mean([(answers[labels == c] == c).mean() for c in np.unique(labels)]))


def _thinned(examples: Examples) -> Examples:
    """Return at most so many examples of each class, evenly over them all."""
    counts = np.bincount(examples.labels)
    if counts.max() <= _MOST:
        return examples
    parts = []
    for label, count in enumerate(counts.tolist()):
        mine = np.flatnonzero(examples.labels == label)
        chosen = np.linspace(0, count - 1, min(count, _MOST)).round().astype(np.int64)
        parts.append(mine[chosen])
    note = f"learned from {_MOST} examples of each class that has more, evenly spaced"
    return examples.select(np.sort(np.concatenate(parts)), note)


def _with_mirrors(examples: Examples, rows: npt.NDArray[np.bool_]) -> tuple[Floats, Labels]:
    """Return the examples and their mirror images, with the label that each has there."""
    mirrored = np.array([-1 if c is None else c for c in mirror_classes(examples.classes)])
    labels = examples.labels[rows]
    flipped = mirrored[labels]
    return (
        np.concatenate([examples.rows[rows], examples.mirrored[rows][flipped >= 0]]),
        np.concatenate([labels, flipped[flipped >= 0]]),
    )


def _fit(kind: Kind, examples: Examples, rows: npt.NDArray[np.bool_], *, seed: int) -> Network:
    values, labels = _with_mirrors(examples, rows)
    return fit_network(kind, values, labels, classes=len(examples.classes), seed=seed)


def _hold_out(examples: Examples, folds: Labels, kind: Kind, *, seed: int) -> Floats:
    """Return (N, C) logits of each example by a network that has not seen its recording."""
    logits = np.zeros((len(examples), len(examples.classes)))
    for fold in np.unique(folds):
        network = _fit(kind, examples, folds != fold, seed=seed)
        logits[folds == fold] = network.logits(examples.rows[folds == fold])
    return logits


def _prototypes(
    network: Network, examples: Examples, rows: npt.NDArray[np.bool_], *, seed: int
) -> Floats:
    values, labels = _with_mirrors(examples, rows)
    return find_prototypes(network.standardize(values), labels, seed=seed)


def _held_distances(examples: Examples, folds: Labels, *, seed: int) -> Floats:
    """Return (N,) distances of each example from the prototypes of the other recordings."""
    distances = np.zeros(len(examples))
    for fold in np.unique(folds):
        values, _ = _with_mirrors(examples, folds != fold)
        bare = Network(*spread(values), ())
        prototypes = _prototypes(bare, examples, folds != fold, seed=seed)
        held = bare.standardize(examples.rows[folds == fold])
        distances[folds == fold] = Limits(0.0, np.inf, prototypes).distances(held)
    return distances


def _choose_limits(probabilities: Floats, labels: Labels, distances: Floats) -> tuple[float, float]:
    """Return the least probability and the greatest distance of what gets a name."""
    top = probabilities.max(axis=1)
    right = top[probabilities.argmax(axis=1) == labels]
    least = float(np.quantile(right, 1 - _KEPT)) if len(right) else _HIGHEST
    greatest = float(np.quantile(distances, _NEAR)) * _MARGIN
    return round(min(least, _HIGHEST), 4), round(greatest, 4)


def _summary(examples: Examples, kind: Kind, score: float, answers: Labels) -> dict[str, Any]:
    counts = np.bincount(examples.labels, minlength=len(examples.classes)).tolist()
    return {
        "kind": str(kind),
        "examples": dict(zip(examples.classes, counts, strict=True)),
        "recordings": len(np.unique(examples.groups)),
        "accuracy": round(score, 4),
        "unknown": round(float((answers < 0).mean()), 4),
    }
