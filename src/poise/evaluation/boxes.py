"""Where a crop model is to look: the annotated boxes, or those of a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from poise.errors import InputError, UsageError
from poise.evaluation.truth import TruePicture
from poise.io.formats.source import load_json, well_formed
from poise.models.base import PoseModel
from poise.models.topdown import TopDown
from poise.poses import FloatArray, Frame, Poses

_PERSON = 1  # COCO's category of people
_LARGEST = 1e7  # no coordinate in any picture is larger


@dataclass(frozen=True, eq=False)
class Boxes:
    """People found elsewhere in one picture.

    Attributes:
        corners: (N, 4) float32 x0 y0 x1 y1 in pixels.
        scores: (N,) float32.
    """

    corners: FloatArray
    scores: FloatArray


def true_boxes(picture: TruePicture) -> Boxes:
    """Return the annotated boxes of the people with keypoints, in their order."""
    sides = np.array([person.box for person in picture.counted], np.float32).reshape(-1, 4)
    sides[:, 2:] += sides[:, :2]
    return Boxes(sides, np.ones(len(sides), np.float32))


def read_boxes(path: str | Path) -> dict[int, Boxes]:
    """Return the boxes of each picture's id from COCO results of detection, people only.

    Raises:
        InputError: The file cannot be read, or is of another kind.
    """
    where = Path(path)
    document = load_json(where)
    wanted = "give COCO results of detection: a list of image_id, category_id, bbox and score"
    if not isinstance(document, list):
        raise InputError("holds no boxes", where=where, remedy=wanted)
    found: dict[int, list[list[float]]] = {}
    with well_formed(where, "COCO results"):
        for entry in document:
            if entry.get("category_id", _PERSON) == _PERSON:
                found.setdefault(int(entry["image_id"]), []).append(_row(entry))
    if not found:
        raise InputError("holds no boxes of people", where=where, remedy=wanted)
    return {image: _boxes(np.array(rows, np.float32)) for image, rows in found.items()}


def require_reader(model: PoseModel) -> TopDown:
    """Return the model, if it can be told where people are.

    Raises:
        UsageError: It finds people by itself.
    """
    if not isinstance(model, TopDown):
        what = f"{model.name} finds people by itself and takes no boxes"
        raise UsageError(
            what, where="--boxes", remedy="leave it out, or choose DETECTOR+CROP_MODEL"
        )
    return model


def read_people(model: TopDown, frame: Frame, boxes: Boxes) -> Poses:
    """Return the person in each box; the scores are multiplied by those of the boxes."""
    poses = model.read_boxes(frame, boxes.corners)
    return poses.replace(person_scores=poses.person_scores * boxes.scores)


def _row(entry: dict[str, Any]) -> list[float]:
    x, y, width, height = (float(number) for number in entry["bbox"])
    row = [x, y, x + width, y + height, float(entry.get("score", 1.0))]
    if not all(abs(number) < _LARGEST for number in row) or width <= 0 or height <= 0:
        raise ValueError(f"a box of picture {entry.get('image_id')} holds a number that cannot be")
    return row


def _boxes(rows: FloatArray) -> Boxes:
    return Boxes(rows[:, :4], rows[:, 4])
