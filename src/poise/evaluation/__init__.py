"""How good a model is on annotated pictures: COCO's AP and AR, OKS, PCK, kinds of mistakes."""

from __future__ import annotations

from pathlib import Path

from poise.evaluation.boxes import read_boxes
from poise.evaluation.engine import (
    Precision,
    measure_crowding,
    measure_precision,
    require_engine,
)
from poise.evaluation.matching import match
from poise.evaluation.predictions import read_predictions
from poise.evaluation.readers import read_annotations
from poise.evaluation.result import Evaluation, measure, to_json
from poise.evaluation.tracks import has_tracks
from poise.evaluation.truth import Truth
from poise.evaluation.videos import follow
from poise.evaluation.walk import Estimates, Report, find_pictures, sample, walk
from poise.models.base import PoseModel

__all__ = [
    "Estimates",
    "Evaluation",
    "Precision",
    "Truth",
    "evaluate",
    "find_pictures",
    "follow",
    "has_tracks",
    "match",
    "measure",
    "measure_crowding",
    "measure_precision",
    "read_annotations",
    "read_boxes",
    "read_predictions",
    "require_engine",
    "sample",
    "to_json",
    "walk",
]


def evaluate(
    model: PoseModel,
    images: str | Path,
    annotations: str | Path,
    *,
    boxes: str | Path = "detector",
    report: Report | None = None,
) -> Evaluation:
    """Measure a model on annotated pictures.

    Args:
        model: A loaded model.
        images: The folder of the pictures; those it lacks are counted and left out.
        annotations: COCO keypoint annotations, or those of another data set that `readers` knows.
        boxes: ``detector`` runs the whole model; ``gt`` gives the annotated boxes to the crop
            model of a top-down model; else a file of COCO detection results.
        report: Told how many pictures are done, and how many there are.

    Raises:
        InputError: A file cannot be read or is of another kind.
        MissingExtraError: faster-coco-eval is not installed.
        ModelError: The model has none of the annotated keypoints.
        NoInputError: None of the annotated pictures is in the folder.
        UsageError: Boxes are given to a model that takes none.
    """
    require_engine()
    truth = read_annotations(annotations)
    paths = find_pictures(truth, images)
    named = str(boxes)
    chosen = named if named in ("detector", "gt") else read_boxes(boxes)
    estimates = walk(model, truth, paths, boxes=chosen, report=report)
    return measure(estimates, model=model.name, boxes=named)
