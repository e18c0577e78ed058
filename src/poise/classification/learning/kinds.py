"""The kinds of networks that are tried, fitted by scikit-learn; the only place that imports it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from poise.classification.learning.features import Floats
from poise.classification.learning.prediction import Network
from poise.errors import MissingExtraError

Labels = npt.NDArray[np.int64]
_HIDDEN = 32
_PROTOTYPES = 8  # of each class, at most
_FLAT = 1e-6  # a feature that varies less tells nothing, ...
_LEAST_SCALE = 0.02  # ... and less than this is mostly noise


@dataclass(frozen=True)
class Kind:
    """One kind with its strength of regularisation.

    Attributes:
        name: ``logistic`` (multinomial logistic regression) or ``network`` (one hidden layer).
        strength: Of the penalty on large weights: 1/C, or alpha.
    """

    name: str
    strength: float

    def __str__(self) -> str:
        title = {"logistic": "logistic regression", "network": f"network of {_HIDDEN} units"}
        return f"{title[self.name]}, penalty {self.strength:g}"


# The simplest first.
KINDS = (
    Kind("logistic", 100.0), Kind("logistic", 10.0), Kind("logistic", 1.0), Kind("network", 1.0),
)  # fmt: skip


def require_learning() -> None:
    """Refuse to go on where scikit-learn is missing.

    Raises:
        MissingExtraError: Says the line that installs it.
    """
    try:
        import sklearn  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("learning needs scikit-learn", "teach") from error


def fit_network(kind: Kind, rows: Floats, labels: Labels, *, classes: int, seed: int) -> Network:
    """Fit one kind to rows (N, F) with NaN where unknown, and return it as numbers.

    A class of which there is no row has a probability of next to nothing.
    """
    centre, scale = spread(rows)
    bare = Network(centre, scale, ())
    values = np.nan_to_num(bare.standardize(rows), nan=0.0)
    model = fit_estimator(kind, values, labels, seed=seed)
    layers = _layers(model)
    return Network(centre, scale, _widened(layers, model.classes_, classes))


def fit_estimator(kind: Kind, values: Floats, labels: Labels, *, seed: int) -> Any:
    """Return the fitted estimator of scikit-learn for standardized values."""
    require_learning()
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier

    if kind.name == "logistic":
        model: Any = LogisticRegression(C=1 / kind.strength, max_iter=400)
    else:
        model = MLPClassifier((_HIDDEN,), alpha=kind.strength, max_iter=120, random_state=seed)
    with fitting():
        return model.fit(values, labels)


@contextmanager
def fitting() -> Iterator[None]:
    """Everything that scikit-learn does, done on one thread and without warnings of early ends.

    The matrices are small: several threads cost more than they save, and the order of their sums
    is not the same each time. A fit that ends at its limit of steps is no worse than others.
    """
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def spread(rows: Floats) -> tuple[Floats, Floats]:
    """Return (F,) the mean and the deviation of the known values; a scale of 0 is not used."""
    known = np.isfinite(rows)
    count = np.maximum(known.sum(axis=0), 1)
    centre = np.where(known, rows, 0.0).sum(axis=0) / count
    scale = np.sqrt(np.where(known, (rows - centre) ** 2, 0.0).sum(axis=0) / count)
    return centre, np.where(scale > _FLAT, np.maximum(scale, _LEAST_SCALE), 0.0)


def find_prototypes(standard: Floats, labels: Labels, *, seed: int) -> Floats:
    """Return (R, F) typical rows: the middles of up to eight clusters of each class.

    A value that is unknown counts as the neutral 0.
    """
    from sklearn.cluster import KMeans

    rows = np.nan_to_num(standard, nan=0.0)
    found = []
    for label in np.unique(labels):
        mine = rows[labels == label]
        count = min(_PROTOTYPES, len(np.unique(mine, axis=0)))
        with fitting():
            fitted = KMeans(count, n_init=1, random_state=seed).fit(mine)
        found.append(np.asarray(fitted.cluster_centers_, np.float64))
    return np.concatenate(found)


def _layers(model: Any) -> list[tuple[Floats, Floats]]:
    """Return weights (inputs, outputs) and biases; two classes have two outputs, too."""
    if hasattr(model, "coefs_"):
        layers = list(zip(model.coefs_, model.intercepts_, strict=True))
    else:
        layers = [(model.coef_.T, model.intercept_)]
    weights, biases = layers[-1]
    if weights.shape[1] == 1:
        # A sigmoid of z is the softmax of 0 and z.
        weights = np.hstack([np.zeros_like(weights), weights])
        layers[-1] = (weights, np.concatenate([[0.0], biases]))
    return [(np.array(w, np.float64), np.array(b, np.float64)) for w, b in layers]


def _widened(
    layers: list[tuple[Floats, Floats]], present: Labels, classes: int
) -> tuple[tuple[Floats, Floats], ...]:
    weights, biases = layers[-1]
    wide, low = np.zeros((len(weights), classes)), np.full(classes, -50.0)
    wide[:, present], low[present] = weights, biases
    return (*layers[:-1], (wide, low))
