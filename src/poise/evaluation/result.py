"""All figures of one evaluation, and what they look like as JSON and as a table."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from poise.evaluation.annotations import Floats
from poise.evaluation.engine import Precision, measure_precision, sigma_list
from poise.evaluation.matching import Matched, keypoint_likeness, match
from poise.evaluation.mistakes import sort_mistakes
from poise.evaluation.walk import Estimates
from poise.metrics import head_length, pck, torso_length
from poise.skeleton import Skeleton

TORSO, HEAD = 0.2, 0.5  # shares of the torso for PCK and of the head for PCKh


@dataclass(frozen=True)
class Evaluation:
    """How well a model did on annotated pictures.

    A person counts who has at least one labelled keypoint and is no crowd. Ranges are 0..1, 1
    best, but for the mistakes; NaN where nothing could be measured.

    Attributes:
        model: Its name.
        boxes: Where the people's boxes came from: ``detector``, ``gt`` or a file.
        skeleton: Name of the annotations' layout.
        precision: COCO's average precision and recall.
        mean_oks: Mean object keypoint similarity of all people who count; missed ones have 0.
        mean_oks_matched: The same of those who were found.
        per_keypoint: Mean similarity of each keypoint to its label, over people who were found.
        pck: Share of the labelled keypoints of all people within 0.2 torsos of their place, for
            people whose left hip and right shoulder are labelled.
        pckh: The same within 0.5 heads, for people whose head has a box.
        pck_per_keypoint: ``pck`` of each keypoint.
        mistakes: Share of each kind of keypoint, good ones too, over people who were found.
        images: Number of pictures that were read.
        missing: Number of annotated pictures that the folder lacks.
        people: Number of people who count in the pictures that were read.
        matched: Number of them who were found.
        seconds: What reading, estimating and decoding took.
    """

    model: str
    boxes: str
    skeleton: str
    precision: Precision
    mean_oks: float
    mean_oks_matched: float
    per_keypoint: dict[str, float]
    pck: float
    pckh: float
    pck_per_keypoint: dict[str, float]
    mistakes: dict[str, float]
    images: int
    missing: int
    people: int
    matched: int
    seconds: float


def measure(estimates: Estimates, *, model: str, boxes: str) -> Evaluation:
    """Return all figures of what a model found.

    Args:
        estimates: What it found.
        model: Its name.
        boxes: ``gt``, ``detector`` or the name of a file; with ``gt``, who is whom is known.

    Raises:
        MissingExtraError: faster-coco-eval is not installed.
    """
    truth, skeleton = estimates.truth, estimates.truth.skeleton
    matched = match(truth, estimates.found, paired=boxes == "gt")
    likeness = keypoint_likeness(
        matched.points, matched.truth, matched.areas, np.array(sigma_list(skeleton))
    )
    oks = _means(likeness, axis=1)
    lengths = _torsos(skeleton, matched.truth)
    return Evaluation(
        model,
        boxes,
        skeleton.name,
        measure_precision(truth, estimates.found),
        mean_oks=_mean(oks),
        mean_oks_matched=_mean(oks[matched.found]),
        per_keypoint=_named(skeleton, _means(likeness[matched.found], axis=0)),
        pck=_share(matched, lengths, TORSO),
        pckh=_share(matched, head_length(matched.heads), HEAD),
        pck_per_keypoint=_named(
            skeleton, pck(matched.points, matched.truth, lengths, TORSO, axis=0)
        ),
        mistakes=sort_mistakes(matched, skeleton),
        images=len(truth.pictures),
        missing=len(estimates.missing),
        people=len(matched),
        matched=int(np.count_nonzero(matched.found)),
        seconds=estimates.seconds,
    )


def to_json(evaluation: Evaluation) -> dict[str, Any]:
    """Return one document; COCO's figures stand at its top, unknown values are None."""
    plain = asdict(evaluation)
    document: dict[str, Any] = {"schema_version": 1}
    for name, value in plain.items():
        if name == "precision":
            document.update(_clean(value))
        else:
            document[name] = _clean(value)
    return document


def _clean(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _clean(each) for name, each in value.items()}
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value


def _share(matched: Matched, lengths: Floats, alpha: float) -> float:
    return float(pck(matched.points, matched.truth, lengths, alpha, axis=None))


def _torsos(skeleton: Skeleton, truth: Floats) -> Floats:
    if skeleton.find("left_hip") is None or skeleton.find("right_shoulder") is None:
        return np.full(len(truth), np.nan)
    return torso_length(skeleton, truth)


def _means(values: Floats, *, axis: int) -> Floats:
    """Return means over the numbers that there are; NaN where there are none."""
    known = np.isfinite(values)
    count = known.sum(axis=axis)
    total = np.where(known, values, 0).sum(axis=axis)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else math.nan


def _named(skeleton: Skeleton, values: Floats) -> dict[str, float]:
    return {name: float(value) for name, value in zip(skeleton.keypoints, values, strict=True)}
