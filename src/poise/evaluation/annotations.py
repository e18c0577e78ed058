"""The truth: pictures and their people, from COCO keypoint annotations."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from poise.errors import InputError
from poise.io.formats.coco import category_skeleton
from poise.io.formats.source import load_json, well_formed
from poise.skeleton import Skeleton

Floats = npt.NDArray[np.float64]

# Share of the box that counts as the person's area where the annotations give none (CrowdPose's
# own evaluation and xtcocotools).
_BODY_SHARE = 0.53
_LARGEST = 1e12  # no coordinate and no area in any picture is larger
_WANTED = "COCO keypoint annotations: a JSON object with images, annotations and categories"


@dataclass(frozen=True, eq=False)
class TruePerson:
    """One annotated person.

    Attributes:
        keypoints: (K, 3) float64 x, y in pixels and the visibility 0 absent, 1 hidden, 2 visible.
        box: (4,) float64 x, y, width, height in pixels.
        area: Of the person's outline, in square pixels.
        crowd: Whether this is a region of many people, whom nobody told apart.
        head: (4,) box of the head, as ``box``, or None.
    """

    keypoints: Floats
    box: Floats
    area: float
    crowd: bool = False
    head: Floats | None = None

    @property
    def counts(self) -> bool:
        """Whether this is one person with at least one labelled keypoint."""
        return not self.crowd and bool((self.keypoints[:, 2] > 0).any())

    @property
    def points(self) -> Floats:
        """(K, 2) the labelled keypoints; NaN where there is none."""
        return np.where(self.keypoints[:, 2:] > 0, self.keypoints[:, :2], np.nan)


@dataclass(frozen=True, eq=False)
class TruePicture:
    """One annotated picture.

    Attributes:
        id: Its number in the annotations.
        name: Its file name, as annotated.
        size: Width and height in pixels, or (0, 0) where the annotations do not say.
        people: Everyone in it, in the file's order.
    """

    id: int
    name: str
    size: tuple[int, int] = (0, 0)
    people: tuple[TruePerson, ...] = ()

    @property
    def counted(self) -> tuple[TruePerson, ...]:
        """Those with at least one labelled keypoint, without crowds."""
        return tuple(person for person in self.people if person.counts)


@dataclass(frozen=True, eq=False)
class Truth:
    """What is true of some pictures.

    Attributes:
        skeleton: The layout of all keypoints.
        pictures: Sorted by id.
    """

    skeleton: Skeleton
    pictures: tuple[TruePicture, ...]


def read_annotations(path: str | Path) -> Truth:
    """Read COCO keypoint annotations, crowd regions too.

    Raises:
        InputError: The file cannot be read, or is of another kind.
    """
    where = Path(path)
    document = load_json(where)
    if not isinstance(document, dict) or not {"images", "annotations"} <= document.keys():
        raise InputError("holds something else", where=where, remedy=f"give {_WANTED}")
    with well_formed(where, "COCO annotations"):
        skeleton = category_skeleton(document)
        entries = [e for e in document["annotations"] if _is_person(e, document)]
        pictures = {int(one["id"]): one for one in document["images"]}  # some files repeat them
        people: dict[int, list[TruePerson]] = {number: [] for number in pictures}
        for entry in entries:
            if int(entry["image_id"]) in people:
                people[int(entry["image_id"])].append(_person(entry, skeleton))
        found = tuple(_picture(pictures[n], people[n]) for n in sorted(pictures))
    if not any(person.counts for one in found for person in one.people):
        raise InputError("nobody in it has keypoints", where=where, remedy=f"give {_WANTED}")
    return Truth(skeleton, found)


def _is_person(entry: dict[str, Any], document: dict[str, Any]) -> bool:
    """Whether an annotation has keypoints and is of the category that the layout is of."""
    named = [c["id"] for c in document.get("categories", ()) if c.get("keypoints")]
    same = not named or entry.get("category_id", named[0]) == named[0]
    return same and bool(entry.get("keypoints"))


def _picture(entry: dict[str, Any], people: list[TruePerson]) -> TruePicture:
    number, name = int(entry["id"]), str(entry["file_name"])
    size = int(entry.get("width") or 0), int(entry.get("height") or 0)
    if not abs(number) < 2**53:
        raise ValueError(f"the picture {name} has an id that cannot be")
    return TruePicture(number, name, size, tuple(people))


def _person(entry: dict[str, Any], skeleton: Skeleton) -> TruePerson:
    keypoints = np.array(entry["keypoints"], np.float64).reshape(len(skeleton), 3)
    box = entry.get("bbox")
    sides = _around(keypoints) if box is None else np.array(box, np.float64).reshape(4)
    area, head = entry.get("area"), entry.get("bbox_head")
    size = float(sides[2] * sides[3] * _BODY_SHARE) if area is None else float(area)
    crown = np.array(head, np.float64).reshape(4) if head else None
    numbers = [keypoints.ravel(), sides, np.array([size]), np.zeros(0) if crown is None else crown]
    if not (np.abs(np.concatenate(numbers)) < _LARGEST).all() or size < 0:
        raise ValueError(f"annotation {entry.get('id', '?')} holds a number that cannot be")
    return TruePerson(keypoints, sides, size, bool(entry.get("iscrowd")), crown)


def _around(keypoints: Floats) -> Floats:
    seen = keypoints[keypoints[:, 2] > 0, :2]
    if not len(seen):
        return np.zeros(4)
    low, high = seen.min(axis=0), seen.max(axis=0)
    return np.concatenate([low, high - low])
