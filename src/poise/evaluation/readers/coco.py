"""COCO's annotations, and those of the data sets that are kept in the same form.

Source: COCO's data format (cocodataset.org). Which data set it is, the names of the category's
keypoints tell: COCO itself (also OCHuman, Human-Art, COCO-WholeBody's bodies), CrowdPose (also
ExLPose), AI Challenger, PoseTrack18, JHMDB and MHP as MMPose converts them; Halpe names none and
has 26 or 136 keypoints a person. Any other layout keeps its own names.

- Visibility is COCO's: 0 absent, 1 hidden, 2 visible; in PoseTrack18 it is 1 for every label.
- The area is the annotated one; where there is none it is 0.53 of the box (CrowdPose, AI
  Challenger, PoseTrack18, JHMDB; the rule of the evaluations of CrowdPose and xtcocotools).
- PoseTrack18's ``ignore_regions_x`` and ``_y`` are polygons in which nobody was annotated; labels
  in them do not count, nor does what is found there (`ignoring`).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from poise.evaluation.ignoring import without_labels
from poise.evaluation.readers.entries import make_person, picture_number
from poise.evaluation.truth import Floats, TruePerson, TruePicture, Truth
from poise.io.formats.coco import category_skeleton
from poise.skeleton import Skeleton, get_skeleton

TITLE = "COCO"

# The first names of each data set's keypoints, in lower case with underscores, and its layout.
_DATASETS: dict[tuple[str, ...], tuple[str, str]] = {
    get_skeleton("coco17").keypoints: ("coco", "coco17"),
    (*get_skeleton("crowdpose14").keypoints[:12], "head", "neck"): ("crowdpose", "crowdpose14"),
    (*get_skeleton("aic14").keypoints[:13], "neck"): ("aic", "aic14"),
    get_skeleton("posetrack17").keypoints: ("posetrack18", "posetrack17"),
    ("neck", "belly", "head", *get_skeleton("jhmdb15").keypoints[3:]): ("jhmdb", "jhmdb15"),
    get_skeleton("mpii16").keypoints: ("mhp", "mpii16"),
}
_HALPE = {26: "halpe26", 136: "halpe136"}


def read(document: Any, where: Path) -> Truth:
    """Return the truth of a document; malformed ones raise what they set off."""
    named = [category for category in document.get("categories", ()) if category.get("keypoints")]
    entries = [entry for entry in document["annotations"] if _is_person(entry, named)]
    count = len(entries[0]["keypoints"]) // 3 if entries else None
    dataset, skeleton = _tell(document, named, count)
    images = {int(image["id"]): image for image in document["images"]}  # some files repeat them
    people: dict[int, list[TruePerson]] = {number: [] for number in images}
    for entry in entries:
        if int(entry["image_id"]) in people:
            people[int(entry["image_id"])].append(_person(entry, len(skeleton)))
    pictures = tuple(_picture(images[n], tuple(people[n])) for n in sorted(images))
    return Truth(skeleton, pictures, dataset)


def _is_person(entry: dict[str, Any], named: list[dict[str, Any]]) -> bool:
    """Whether an annotation has keypoints and is of the category that the layout is of."""
    same = not named or entry.get("category_id", named[0]["id"]) == named[0]["id"]
    return same and bool(entry.get("keypoints"))


def _tell(
    document: dict[str, Any], named: list[dict[str, Any]], count: int | None
) -> tuple[str, Skeleton]:
    """Return the data set and its layout."""
    if not named:
        if count in _HALPE:
            return "halpe", get_skeleton(_HALPE[count])
        return "coco", category_skeleton(document)
    words = [str(name) for name in named[0]["keypoints"]]
    plain = tuple(word.strip().lower().replace(" ", "_").replace("-", "_") for word in words)
    for names, (dataset, layout) in _DATASETS.items():
        # Human-Art's category names 21 keypoints; its people have COCO's 17 besides.
        if names in (plain, plain[: count or 0]):
            return dataset, get_skeleton(layout)
    skeleton = category_skeleton(document)
    return ("halpe" if skeleton.name in _HALPE.values() else "coco"), skeleton


def _person(entry: dict[str, Any], count: int) -> TruePerson:
    area = entry.get("area")
    return make_person(
        entry["keypoints"],
        count,
        box=entry.get("bbox"),
        area=None if area is None else float(area),
        head=entry.get("bbox_head"),
        crowd=int(entry.get("iscrowd") or 0) == 1,
        id=entry.get("track_id"),
        name=entry.get("id", "?"),
    )


def _picture(entry: dict[str, Any], people: tuple[TruePerson, ...]) -> TruePicture:
    name, crowding = str(entry["file_name"]), entry.get("crowdIndex")
    regions = _polygons(entry)
    if regions:
        people = tuple(replace(p, keypoints=without_labels(p, regions)) for p in people)
    return TruePicture(
        picture_number(entry["id"], name),
        name,
        (int(entry.get("width") or 0), int(entry.get("height") or 0)),
        people,
        regions,
        None if crowding is None else float(crowding),
        str(entry.get("vid_id", "")),
    )


def _polygons(entry: dict[str, Any]) -> tuple[Floats, ...]:
    across, down = entry.get("ignore_regions_x") or [], entry.get("ignore_regions_y") or []
    return tuple(
        np.array([x, y], np.float64).T for x, y in zip(across, down, strict=True) if len(x) > 2
    )
