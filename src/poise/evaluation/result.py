"""All figures of one evaluation, and what they look like as one JSON document."""

from __future__ import annotations

import contextlib
import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from poise.errors import MissingExtraError
from poise.evaluation.calibration import Reliability, keypoint_reliability, person_reliability
from poise.evaluation.engine import Precision, measure_crowding, measure_precision
from poise.evaluation.heads import measure_heads
from poise.evaluation.matching import Matched, match, mean_known
from poise.evaluation.mistakes import shares, sort_mistakes
from poise.evaluation.motion import Motion, measure_motion
from poise.evaluation.tracks import Identities, has_tracks, measure_identities
from poise.evaluation.truth import Floats, Truth
from poise.evaluation.walk import Estimates
from poise.metrics import pck, torso_length
from poise.skeleton import Skeleton

TORSO, BOX, HEAD = 0.2, 0.2, 0.5  # shares of torso and box for PCK and of the head for PCKh
# COCO's limits of small, medium and large people, in square pixels.
SIZES = {"small": (0.0, 32.0**2), "medium": (32.0**2, 96.0**2), "large": (96.0**2, np.inf)}


@dataclass(frozen=True)
class SizeFigures:
    """How well a model did on people of one size.

    Attributes:
        people: How many count.
        matched: How many of them were found.
        mean_oks: Mean OKS of all of them; missed ones have 0.
        mean_oks_matched: The same of those who were found.
        pck: PCK@0.2 of the torso.
    """

    people: int
    matched: int
    mean_oks: float
    mean_oks_matched: float
    pck: float


@dataclass(frozen=True)
class Evaluation:
    """How well a model did on annotated pictures.

    A person counts who has at least one labelled keypoint and is no crowd. Ranges are 0..1, 1
    best, but for the mistakes and the calibration; NaN where nothing could be measured.

    Attributes:
        model: Its name.
        boxes: Where the people's boxes came from: ``detector``, ``gt`` or a file; ``predictions``
            where the people themselves came from a file.
        dataset: Whose conventions the annotations follow.
        skeleton: Name of the annotations' layout.
        keypoints: Number of keypoints that are evaluated.
        left_out: Names of annotated keypoints that the model does not have. All figures are of the
            others only, and cannot be compared with figures of all.
        precision: COCO's average precision and recall.
        crowding: Average precision of easy, medium and hard pictures (CrowdPose), or nothing.
        mean_oks: Mean object keypoint similarity of all people who count; missed ones have 0.
        mean_oks_matched: The same of those who were found.
        per_keypoint: Mean similarity of each keypoint to its label, over people who were found.
        sizes: Figures of small, medium and large people.
        pck: Share of the labelled keypoints of all people within 0.2 torsos of their place, for
            people whose left hip and right shoulder are labelled.
        pck_per_keypoint: ``pck`` of each keypoint.
        pck_box: The same within 0.2 of the longer side of the person's box.
        pckh: The same within 0.5 heads.
        pckh_per_keypoint: ``pckh`` of each keypoint.
        head: What the head is: ``box`` for 0.6 of the diagonal of its box, ``segment`` for the way
            from the upper neck to the top of the head, where no head has a box; else None.
        mistakes: Share of each kind of keypoint, good ones too, over people who were found.
        keypoint_scores: The keypoints' scores beside what came true.
        person_scores: The people's scores beside what came true.
        identities: How well ids were kept; None where either side has none, or TrackEval is not
            installed.
        motion: Jitter and lag in videos; None where the people of the truth have no ids.
        images: Number of pictures that were read.
        missing: Number of annotated pictures that the folder lacks.
        people: Number of people who count in the pictures that were read.
        matched: Number of them who were found.
        seconds: What reading, estimating and decoding took; NaN where nothing was estimated.
    """

    model: str
    boxes: str
    dataset: str
    skeleton: str
    keypoints: int
    left_out: tuple[str, ...]
    precision: Precision
    crowding: dict[str, float]
    mean_oks: float
    mean_oks_matched: float
    per_keypoint: dict[str, float]
    sizes: dict[str, SizeFigures]
    pck: float
    pck_per_keypoint: dict[str, float]
    pck_box: float
    pckh: float
    pckh_per_keypoint: dict[str, float]
    head: str | None
    mistakes: dict[str, float]
    keypoint_scores: Reliability
    person_scores: Reliability
    identities: Identities | None
    motion: Motion | None
    images: int
    missing: int
    people: int
    matched: int
    seconds: float


def measure(
    estimates: Estimates, *, model: str, boxes: str, matched: Matched | None = None
) -> Evaluation:
    """Return all figures of what a model found.

    Args:
        estimates: What it found.
        model: Its name.
        boxes: ``gt``, ``detector`` or the name of a file; with ``gt``, who is whom is known.
        matched: Who is whom, if that is known already.

    Raises:
        MissingExtraError: faster-coco-eval is not installed.
    """
    truth, found = estimates.truth, estimates.found
    matched = matched or match(truth, found, paired=boxes == "gt")
    skeleton, here = truth.skeleton, matched.found
    torsos = _torsos(matched)
    heads = measure_heads(matched, truth.dataset, HEAD)
    return Evaluation(
        model,
        boxes,
        truth.dataset,
        skeleton.name,
        len(skeleton),
        truth.left_out,
        measure_precision(truth, found),
        measure_crowding(truth, found),
        mean_oks=_mean(matched.oks),
        mean_oks_matched=_mean(matched.oks[here]),
        per_keypoint=named(skeleton, mean_known(matched.likeness[here], axis=0)),
        sizes=_by_size(matched, torsos),
        pck=_share(matched, torsos, TORSO),
        pck_per_keypoint=_each(matched, torsos, TORSO),
        pck_box=_share(matched, np.where(matched.sides > 0, matched.sides, np.nan), BOX),
        pckh=heads.share,
        pckh_per_keypoint=named(skeleton, heads.each),
        head=heads.kind,
        mistakes=shares(sort_mistakes(matched)),
        keypoint_scores=keypoint_reliability(matched),
        person_scores=person_reliability(truth, found, matched),
        identities=_identities(estimates),
        motion=_motion(truth, matched),
        images=len(truth.pictures),
        missing=len(estimates.missing),
        people=len(matched),
        matched=int(np.count_nonzero(here)),
        seconds=estimates.seconds,
    )


def to_json(evaluation: Evaluation) -> dict[str, Any]:
    """Return one document; COCO's figures stand at its top, unknown values are None."""
    document: dict[str, Any] = {"schema_version": 1}
    for name, value in asdict(evaluation).items():
        if name == "precision":
            document.update(clean(value))
        else:
            document[name] = clean(value)
    return document


def clean(value: Any) -> Any:
    """Return a value as JSON can say it: rounded to six places, None where nothing is known."""
    if isinstance(value, dict):
        return {name: clean(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [clean(each) for each in value]
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value


def named(skeleton: Skeleton, values: Floats) -> dict[str, float]:
    """Return (K,) values by the keypoints' names."""
    return {name: float(value) for name, value in zip(skeleton.keypoints, values, strict=True)}


def _by_size(matched: Matched, torsos: Floats) -> dict[str, SizeFigures]:
    figures = {}
    for name, (low, high) in SIZES.items():
        rows = (matched.areas >= low) & (matched.areas < high)
        share = pck(matched.points[rows], matched.truth[rows], torsos[rows], TORSO, axis=None)
        figures[name] = SizeFigures(
            int(rows.sum()),
            int((rows & matched.found).sum()),
            _mean(matched.oks[rows]),
            _mean(matched.oks[rows & matched.found]),
            float(share),
        )
    return figures


def _identities(estimates: Estimates) -> Identities | None:
    if not has_tracks(estimates.truth, estimates.found):
        return None
    # The extra is large, and everything else can be said without it.
    with contextlib.suppress(MissingExtraError):
        return measure_identities(estimates.truth, estimates.found)
    return None


def _motion(truth: Truth, matched: Matched) -> Motion | None:
    videos = [picture.video for picture in truth.pictures]
    named = any(person.id is not None for one in truth.pictures for person in one.people)
    if not named or len(videos) == len(set(videos)):
        return None
    first = [one.time for one in truth.pictures if one.video == videos[0]]
    if not _even(np.array(first, float)):
        return None
    return measure_motion(truth, matched, np.array(first))


def _even(times: Floats) -> bool:
    """Whether frames follow each other: in a sample, neighbours in the list are none in time."""
    steps = np.diff(times)
    return not len(steps) or not np.isfinite(steps).all() or steps.max() < 1.5 * np.median(steps)


def _share(matched: Matched, lengths: Floats, alpha: float) -> float:
    return float(pck(matched.points, matched.truth, lengths, alpha, axis=None))


def _each(matched: Matched, lengths: Floats, alpha: float) -> dict[str, float]:
    return named(matched.skeleton, pck(matched.points, matched.truth, lengths, alpha, axis=0))


def _torsos(matched: Matched) -> Floats:
    skeleton = matched.skeleton
    if skeleton.find("left_hip") is None or skeleton.find("right_shoulder") is None:
        return np.full(len(matched), np.nan)
    return torso_length(skeleton, matched.truth)


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else math.nan
