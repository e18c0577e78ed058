"""MPII Human Pose, in the JSON form that HRNet, MMPose and others keep it in.

A list of people: ``image``, ``joints`` (16 of x, y), ``joints_vis`` (1 labelled, 0 not), ``center``
and ``scale`` (the person's height in 200 pixels).

- Coordinates are Matlab's: the first pixel is 1. They are made zero-based, as those
  implementations do before they compare.
- The box is the square that HRNet crops, without its margin: 200 times the scale wide, its middle
  15 times the scale below ``center``.
- There are no areas: `entries` says what counts. OKS and AP are no official figures of MPII.
- The head's box, which PCKh needs, is not in the JSON file. It is taken from ``gt_NAME.mat``,
  ``NAME_gt.mat`` or ``mpii_gt_val.mat`` beside it, if its number of people fits, as those
  implementations keep it (``headboxes_src``).

Source: Andriluka et al., "2D human pose estimation", CVPR 2014; HRNet's lib/dataset/mpii.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from poise.errors import InputError
from poise.evaluation.readers.entries import make_person
from poise.evaluation.readers.matlab import read_arrays
from poise.evaluation.truth import Floats, TruePerson, TruePicture, Truth
from poise.skeleton import get_skeleton

TITLE = "MPII"

_HEIGHT = 200.0  # pixels that a scale of 1 stands for
_LOWER = 15.0  # HRNet looks this much lower, times the scale
_COUNT = 16


def read(document: Any, where: Path) -> Truth:
    """Return the truth of a document; malformed ones raise what they set off."""
    heads = _heads(where, len(document))
    people: dict[str, list[TruePerson]] = {}
    for number, entry in enumerate(document):
        head = None if heads is None else heads[number]
        people.setdefault(str(entry["image"]), []).append(_person(entry, number, head))
    pictures = [
        TruePicture(number, name, people=tuple(found))
        for number, (name, found) in enumerate(people.items(), start=1)
    ]
    return Truth(get_skeleton("mpii16"), tuple(pictures), "mpii")


def _person(entry: dict[str, Any], number: int, head: Floats | None) -> TruePerson:
    points = np.array(entry["joints"], np.float64).reshape(_COUNT, 2) - 1
    seen = np.array(entry.get("joints_vis", np.ones(_COUNT)), np.float64).reshape(_COUNT) > 0
    keypoints = np.column_stack([np.where(seen[:, None], points, 0), 2 * seen])
    plain = make_person(keypoints, _COUNT, head=head, name=number)
    box = _box(entry)
    return make_person(keypoints, _COUNT, box=box, area=plain.area, head=head, name=number)


def _box(entry: dict[str, Any]) -> Floats | None:
    if "center" not in entry or "scale" not in entry:
        return None
    middle = np.array(entry["center"], np.float64).reshape(2) - 1
    scale = float(entry["scale"])
    side = _HEIGHT * scale
    return np.array([middle[0] - side / 2, middle[1] + _LOWER * scale - side / 2, side, side])


def _heads(where: Path, count: int) -> Floats | None:
    """Return the (N, 4) x, y, width, height of the heads, zero-based, or None."""
    stem = where.stem
    for name in (f"gt_{stem}.mat", f"{stem}_gt.mat", "mpii_gt_val.mat"):
        path = where.with_name(name)
        if path.is_file():
            boxes = read_arrays(path).get("headboxes_src")
            if boxes is None or boxes.ndim != 3 or boxes.shape[:2] != (2, 2):
                raise InputError("holds no headboxes_src of 2 x 2 x people", where=path)
            if boxes.shape[2] == count:
                return np.concatenate([boxes[0].T - 1, boxes[1].T - boxes[0].T], axis=1)
    return None
