"""What several readers share: people from numbers, checked, and areas where there are none."""

from __future__ import annotations

from typing import Any

import numpy as np

from poise.evaluation.truth import Floats, TruePerson

# Share of the box that counts as the person's area where the annotations give none (the
# evaluations of CrowdPose and xtcocotools).
BODY_SHARE = 0.53
# Where there is no box either, it is the box around the keypoints, larger by this factor; the area
# is this share of the box around the keypoints. The medians of 330 people of COCO val2017 with at
# least 15 labelled keypoints: 1.28 in width and 1.20 in height, and 0.74.
BOX_MARGIN = 1.25
KEYPOINT_SHARE = 0.74
LARGEST = 1e12  # no coordinate and no area in any picture is larger


def make_person(
    keypoints: Any,
    count: int,
    *,
    box: Any = None,
    area: float | None = None,
    head: Any = None,
    crowd: bool = False,
    id: Any = None,  # noqa: A002
    name: object = "?",
) -> TruePerson:
    """Return a person, all numbers checked.

    Args:
        keypoints: 3 * count numbers: x, y and COCO's visibility.
        count: Number of keypoints.
        box: x, y, width, height; None for the one around the keypoints, a quarter larger.
        area: Square pixels; None for the published share of the box.
        head: Box of the head, or nothing.
        crowd: Whether this is a region of many people.
        id: The person's number in a video, or None.
        name: What to call the annotation in a message.

    Raises:
        ValueError: The numbers are too few or too many, or not those of a picture.
    """
    points = np.array(keypoints, np.float64).reshape(count, 3)
    tight = around(points)
    sides = _grown(tight) if box is None else np.array(box, np.float64).reshape(4)
    if area is None:
        share = KEYPOINT_SHARE * tight[2:].prod() if box is None else BODY_SHARE * sides[2:].prod()
        area = float(share)
    crown = np.array(head, np.float64).reshape(4) if head is not None and len(head) else None
    none = np.zeros(0)
    numbers = [points.ravel(), sides, np.array([float(area)]), none if crown is None else crown]
    if not (np.abs(np.concatenate(numbers)) < LARGEST).all() or area < 0:
        raise ValueError(f"annotation {name} holds a number that cannot be")
    number = None if id is None else int(id)
    return TruePerson(points, sides, float(area), crowd, crown, number)


def around(keypoints: Floats) -> Floats:
    """Return the (4,) box x, y, width, height around the labelled ones of (K, 3) keypoints."""
    seen = keypoints[keypoints[:, 2] > 0, :2]
    if not len(seen):
        return np.zeros(4)
    low, high = seen.min(axis=0), seen.max(axis=0)
    return np.concatenate([low, high - low])


def _grown(box: Floats) -> Floats:
    middle, size = box[:2] + box[2:] / 2, box[2:] * BOX_MARGIN
    return np.concatenate([middle - size / 2, size])


def picture_number(value: Any, name: str) -> int:
    """Return a picture's id.

    Raises:
        ValueError: No picture can have it.
    """
    number = int(value)
    if not abs(number) < 2**53:
        raise ValueError(f"the picture {name} has an id that cannot be")
    return number
