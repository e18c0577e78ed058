"""AI Challenger's keypoint annotations, in their original form.

A list of pictures: ``image_id`` (the file's name without .jpg), ``keypoint_annotations`` (14 times
x, y, visibility for each person) and ``human_annotations`` (boxes x0, y0, x1, y1).

- Visibility runs the other way round: 1 visible, 2 hidden, 3 absent.
- There are no areas: 0.53 of the box, as in MMPose's evaluation. AI Challenger's own takes the
  whole box, so its figures are higher.

Source: Wu et al., "AI Challenger: a large-scale dataset for going deeper in image understanding",
2017, and its keypoint_eval.py. The form that MMPose converts it to is COCO's.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from poise.evaluation.readers.entries import make_person
from poise.evaluation.truth import TruePerson, TruePicture, Truth
from poise.skeleton import get_skeleton

TITLE = "AI Challenger"

_COUNT = 14
_ABSENT = 3


def read(document: Any, where: Path) -> Truth:
    """Return the truth of a document; malformed ones raise what they set off."""
    pictures = [
        TruePicture(number, _name(entry), people=tuple(_people(entry)))
        for number, entry in enumerate(document, start=1)
    ]
    return Truth(get_skeleton("aic14"), tuple(pictures), "aic")


def _name(entry: dict[str, Any]) -> str:
    name = str(entry["image_id"])
    return name if Path(name).suffix else f"{name}.jpg"


def _people(entry: dict[str, Any]) -> list[TruePerson]:
    boxes = entry.get("human_annotations", {})
    found = []
    for name, numbers in entry["keypoint_annotations"].items():
        keypoints = np.array(numbers, np.float64).reshape(_COUNT, 3)
        keypoints[:, 2] = np.clip(_ABSENT - keypoints[:, 2], 0, 2)
        keypoints[keypoints[:, 2] == 0] = 0
        box = boxes.get(name)
        if box is not None:
            x0, y0, x1, y1 = (float(side) for side in box)
            box = (x0, y0, x1 - x0, y1 - y0)
        found.append(make_person(keypoints, _COUNT, box=box, name=f"{name} of {_name(entry)}"))
    return found
