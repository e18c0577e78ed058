"""OCHuman's annotations in their original form; converted to COCO's, the COCO reader reads them.

Pictures that hold their people: ``bbox`` (x0, y0, x1, y1) and 19 keypoints, or none. COCO's 17 of
them are kept, as OCHuman's own conversion does; the head and the neck are not in COCO's layout.

- Visibility: 0 missing, 1 visible, 2 hidden by oneself, 3 hidden by others.
- The area is 0.53 of the box; the converted files hold the areas of the outlines.

Source: Zhang et al., "Pose2Seg: Detection Free Human Instance Segmentation", CVPR 2019; OCHumanApi.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from poise.evaluation.readers.entries import make_person, picture_number
from poise.evaluation.truth import TruePerson, TruePicture, Truth
from poise.skeleton import get_skeleton

TITLE = "OCHuman"

_VISIBILITY = np.array([0, 2, 1, 1])  # from OCHuman's to COCO's


def read(document: Any, where: Path) -> Truth:
    """Return the truth of a document; malformed ones raise what they set off."""
    names = [str(name).lower() for name in document["keypoint_names"]]
    columns = [names.index(name) for name in get_skeleton("coco17").keypoints]
    pictures = []
    for number, entry in enumerate(document["images"], start=1):
        size = int(entry.get("width") or 0), int(entry.get("height") or 0)
        people = [_person(one, len(names), columns) for one in entry["annotations"]]
        found = tuple(person for person in people if person is not None)
        name = str(entry["file_name"])
        pictures.append(
            TruePicture(picture_number(entry.get("image_id", number), name), name, size, found)
        )
    ordered = tuple(sorted(pictures, key=lambda one: one.id))
    return Truth(get_skeleton("coco17"), ordered, "ochuman")


def _person(entry: dict[str, Any], count: int, columns: list[int]) -> TruePerson | None:
    if not entry.get("keypoints"):
        return None
    keypoints = np.array(entry["keypoints"], np.float64).reshape(count, 3)[columns]
    keypoints[:, 2] = _VISIBILITY[keypoints[:, 2].astype(int)]
    keypoints[keypoints[:, 2] == 0] = 0
    x0, y0, x1, y1 = (float(side) for side in entry["bbox"])
    return make_person(keypoints, len(columns), box=(x0, y0, x1 - x0, y1 - y0))
