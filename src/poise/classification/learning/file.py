"""A classifier as one file: JSON that holds numbers and names, and nothing that could run.

Fields: ``format`` ("poise-classifier"), ``version``, ``kind``, ``classes``, ``window`` (seconds or
null), ``least_score``, ``features`` (their names, in order), ``centre``, ``scale``, ``layers``
(``weights`` as one list of outputs for each input, ``biases``), ``temperature``, ``limits``
(``least_probability``, ``greatest_distance``, ``prototypes``), ``training``, ``examples`` (test
vectors: the keypoints' ``names``, ``times``, ``keypoints`` as frames of [x, y, score], the
``frame`` that is meant, its ``features`` and ``probabilities``).
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from poise.classification.learning.features import Floats
from poise.classification.learning.prediction import Classifier, Limits, Network
from poise.errors import InputError
from poise.io.formats.source import load_json, readable, well_formed
from poise.output import save_whole

FORMAT = "poise-classifier"
VERSION = 1
_HEAD = 64


def save_classifier(
    classifier: Classifier, path: str | Path, *, overwrite: bool = False, source: object = None
) -> None:
    """Write a classifier.

    Args:
        classifier: What ``teach`` made.
        path: Its file, by custom ``NAME.pose``.
        overwrite: Whether a file of that name may be replaced.
        source: What it was learned from, which is never replaced.

    Raises:
        OutputError: The file exists already or cannot be written.
    """
    text = json.dumps(to_document(classifier), separators=(",", ":"), allow_nan=False)
    save_whole(str(path), text.encode() + b"\n", overwrite=overwrite, source=source)


def load_classifier(path: str | Path) -> Classifier:
    """Read a classifier; needs no scikit-learn.

    Raises:
        InputError: It cannot be read, is no such file, is of another version, or is damaged.
    """
    place = Path(path)
    with readable(place):
        if place.is_dir():
            raise InputError("is a folder, not a file of 'poise teach'", where=path)
        with place.open("rb") as file:
            head = file.read(_HEAD)
    if not head.lstrip().startswith(b"{"):
        raise _stranger(path)
    document = load_json(place)
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise _stranger(path)
    if document.get("version") != VERSION:
        what = f"is of version {document.get('version')}; this Poise reads version {VERSION}"
        raise InputError(what, where=path, remedy="teach it again, or use the Poise that wrote it")
    with well_formed(place, "classifier"):
        return from_document(document)


def _stranger(path: object) -> InputError:
    return InputError("is no classifier", where=path, remedy="name a file that 'poise teach' wrote")


def to_document(classifier: Classifier) -> dict[str, Any]:
    """Return the classifier as it is written."""
    network, limits = classifier.network, classifier.limits
    return {
        "format": FORMAT,
        "version": VERSION,
        "kind": classifier.kind,
        "classes": list(classifier.classes),
        "window": classifier.window,
        "least_score": classifier.least_score,
        "training": classifier.training,
        "features": list(classifier.feature_names),
        "centre": network.centre.tolist(),
        "scale": network.scale.tolist(),
        "layers": [{"weights": w.tolist(), "biases": b.tolist()} for w, b in network.layers],
        "temperature": network.temperature,
        "limits": {
            "least_probability": limits.least_probability,
            "greatest_distance": limits.greatest_distance,
            "prototypes": np.round(limits.prototypes, 5).tolist(),
        },
        "examples": list(classifier.examples),
    }


def from_document(document: dict[str, Any]) -> Classifier:
    """Return the classifier of a document, every number of it checked.

    Raises:
        KeyError: A field is missing.
        ValueError: A field is not what it should be.
    """
    window = document["window"]
    classifier = Classifier(
        tuple(str(name) for name in document["classes"]),
        None if window is None else _number("window", window, 0.0),
        Network(
            _array("centre", document["centre"], 1),
            _array("scale", document["scale"], 1),
            tuple(
                (_array("weights", layer["weights"], 2), _array("biases", layer["biases"], 1))
                for layer in document["layers"]
            ),
            _number("temperature", document["temperature"], 0.0),
        ),
        _limits(document["limits"]),
        _number("least_score", document["least_score"], -1.0),
        dict(document["training"]),
        tuple(document["examples"]),
    )
    _check(classifier, document["features"])
    return classifier


def _limits(fields: dict[str, Any]) -> Limits:
    return Limits(
        _number("least_probability", fields["least_probability"], -1.0),
        _number("greatest_distance", fields["greatest_distance"], -1.0),
        _array("prototypes", fields["prototypes"], 2),
    )


def _check(classifier: Classifier, features: list[str]) -> None:
    network, count = classifier.network, len(classifier.classes)
    if tuple(features) != classifier.feature_names:
        raise ValueError("its features are not those that this Poise measures")
    if count < 2 or len(set(classifier.classes)) != count:
        raise ValueError(f"wanted at least two classes of different names, got {count}")
    width = len(features)
    if len(network.centre) != width or classifier.limits.prototypes.shape[1] != width:
        raise ValueError(f"wanted {width} numbers for each row of features")
    if len(network.scale) != width or not network.layers:
        raise ValueError("it has no layers, or not one scale for each feature")
    for weights, biases in network.layers:
        if weights.shape != (width, len(biases)):
            raise ValueError(
                f"a layer has weights {weights.shape}, wanted ({width}, {len(biases)})"
            )
        width = len(biases)
    if width != count:
        raise ValueError(f"its last layer has {width} outputs for {count} classes")


def _array(name: str, values: Any, dimensions: int) -> Floats:
    array = np.array(values, np.float64)
    if array.ndim != dimensions or not array.size or not np.isfinite(array).all():
        raise ValueError(f"{name} is not {dimensions}-dimensional numbers")
    return array


def _number(name: str, value: Any, above: float) -> float:
    if not isinstance(value, int | float) or not above < value < math.inf:
        raise ValueError(f"{name} is {value!r}")
    return float(value)
