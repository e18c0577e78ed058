"""COCO keypoint results and COCO keypoint annotations.

Source: COCO's data and results formats (cocodataset.org). The image id is the frame's index.
Results hold 17 keypoints (x, y, score), a score and a box; annotations name their own keypoints
and hold the visibility 0 absent, 1 hidden, 2 visible, which is read as the scores 0, 0.5, 1 and
written as 2 for a score above 0.5. Crowd regions are not people and are left out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from poise.clip import Clip, Header
from poise.io.formats.base import Format
from poise.io.formats.people import Person, assemble, flat_keypoints, from_xywh
from poise.io.formats.source import Source
from poise.io.formats.writer import (
    JsonListWriter,
    Writer,
    encode,
    rounded_scores,
    triples,
    xywh,
)
from poise.poses import Poses
from poise.skeleton import Skeleton, get_skeleton, skeleton_names

_LAYOUTS = {17: "coco17"}


class CocoResultsWriter(JsonListWriter):
    """Writes one entry a person; frames without people leave no trace."""

    skeletons = ("coco17",)

    def _write(self, poses: Poses, name: str | None) -> None:
        scores = rounded_scores(poses.person_scores).tolist()
        for row, (points, box) in enumerate(zip(triples(poses), xywh(poses), strict=True)):
            entry = {
                "image_id": image_id(poses, name),
                "category_id": 1,
                "keypoints": points.ravel().tolist(),
                "score": scores[row],
                "bbox": box,
            }
            if poses.ids is not None:
                entry["track_id"] = int(poses.ids[row])
            self._add(entry)


def image_id(poses: Poses, name: str | None) -> int:
    """Return the number that is the picture's name, as COCO names pictures, or the index."""
    stem = Path(name).stem if name else ""
    return int(stem) if stem.isascii() and stem.isdecimal() and len(stem) < 16 else poses.index


class CocoAnnotationsWriter(Writer):
    """Writes images, people and the category that names the keypoints; keeps them till the end."""

    def _start(self) -> None:
        self._images: list[dict[str, Any]] = []
        self._people: list[dict[str, Any]] = []

    def _write(self, poses: Poses, name: str | None) -> None:
        width, height = poses.size if any(poses.size) else self.header.size
        number = image_id(poses, name)
        file_name = f"{number:012d}.jpg" if name is None else name
        self._images.append(
            {"id": number, "file_name": file_name, "width": width, "height": height}
        )
        points = triples(poses)
        points[..., 2] = np.where(poses.present, np.where(poses.scores > 0.5, 2, 1), 0)
        ids = [None] * len(poses) if poses.ids is None else poses.ids.tolist()
        for flat, box, track in zip(points, xywh(poses), ids, strict=True):
            self._people.append(_annotation(flat, box, len(self._people) + 1, number, track))

    def _finish(self) -> None:
        skeleton = self.skeleton or get_skeleton("coco17")
        category = {
            "id": 1,
            "name": "person",
            "supercategory": "person",
            "keypoints": list(skeleton.keypoints),
            "skeleton": [[a + 1, b + 1] for a, b in skeleton.edges],
        }
        document = {
            "images": self._images,
            "annotations": self._people,
            "categories": [category],
        }
        self._put(encode(document).encode())


def _annotation(
    points: Any, box: list[float], number: int, image: int, track: int | None
) -> dict[str, Any]:
    record = {
        "id": number,
        "image_id": image,
        "category_id": 1,
        "keypoints": points.ravel().tolist(),
        "num_keypoints": int(np.count_nonzero(points[:, 2])),
        "bbox": box,
        "area": round(box[2] * box[3], 2),
        "iscrowd": 0,
    }
    return record if track is None else {**record, "track_id": track}


def _sniff_results(source: Source) -> bool:
    entry = first_entry(source)
    return (
        entry is not None
        and {"image_id", "keypoints"} <= entry.keys()
        and not {"box", "idx"} & entry.keys()
        and not isinstance(entry["image_id"], str)
    )


def first_entry(source: Source) -> dict[str, Any] | None:
    """Return the first object of a JSON list of objects, or None."""
    document = source.sniffed
    if isinstance(document, list) and document and isinstance(document[0], dict):
        return document[0]
    return None


def _read_results(source: Source) -> Clip:
    entries: list[dict[str, Any]] = source.document
    count = len(entries[0]["keypoints"]) // 3 if entries else None
    skeleton = source.choose_skeleton(count, _LAYOUTS)
    by_image: dict[int, list[Person]] = {}
    for entry in entries:
        person = Person(
            flat_keypoints(entry["keypoints"], len(skeleton)),
            box=from_xywh(entry.get("bbox")),
            score=entry.get("score"),
            id=entry.get("track_id"),
        )
        by_image.setdefault(int(entry["image_id"]), []).append(person)
    frames = [
        assemble(skeleton, people, index=image, time=source.time(image))
        for image, people in by_image.items()
    ]
    return Clip(tuple(frames), Header(skeleton, fps=source.fps))


def _sniff_annotations(source: Source) -> bool:
    document = source.sniffed
    return isinstance(document, dict) and {"images", "annotations"} <= document.keys()


def _read_annotations(source: Source) -> Clip:
    document: dict[str, Any] = source.document
    skeleton = category_skeleton(document) if source.skeleton is None else source.skeleton
    images = {int(image["id"]): image for image in document["images"]}  # some files repeat them
    people: dict[int, list[Person]] = {number: [] for number in images}
    for entry in document["annotations"]:
        if not entry.get("iscrowd") and "keypoints" in entry:
            people[int(entry["image_id"])].append(_annotated(entry, skeleton))
    frames = [
        assemble(
            skeleton,
            people[number],
            index=number,
            time=source.time(number),
            size=(image.get("width") or 0, image.get("height") or 0),
        )
        for number, image in images.items()
    ]
    sizes = {poses.size for poses in frames}
    size = sizes.pop() if len(sizes) == 1 else (0, 0)
    names = tuple(str(image["file_name"]) for image in images.values())
    return Clip(tuple(frames), Header(skeleton, size=size, fps=source.fps), names)


def _annotated(entry: dict[str, Any], skeleton: Skeleton) -> Person:
    points = np.array(entry["keypoints"], np.float64).reshape(len(skeleton), 3)
    points[points[:, 2] == 0] = np.nan
    points[:, 2] /= 2
    return Person(points, box=from_xywh(entry.get("bbox")), id=entry.get("track_id"))


def category_skeleton(document: dict[str, Any]) -> Skeleton:
    """Return the layout that the first category with keypoints names; COCO's where none does."""
    named = [category for category in document.get("categories", ()) if category.get("keypoints")]
    if not named:
        return get_skeleton("coco17")
    keypoints = tuple(str(name) for name in named[0]["keypoints"])
    for name in skeleton_names():
        if get_skeleton(name).keypoints == keypoints:
            return get_skeleton(name)
    pairs = [(int(a), int(b)) for a, b in named[0].get("skeleton", ())]
    # COCO counts from 1; some files that call themselves COCO's count from 0.
    first = 0 if any(0 in pair for pair in pairs) else 1
    return Skeleton("custom", keypoints, tuple((a - first, b - first) for a, b in pairs))


RESULTS = Format(
    "coco",
    "COCO results",
    (".coco.json",),
    _sniff_results,
    _read_results,
    CocoResultsWriter,
)
ANNOTATIONS = Format(
    "coco-annotations",
    "COCO annotations",
    (".coco-annotations.json",),
    _sniff_annotations,
    _read_annotations,
    CocoAnnotationsWriter,
)
