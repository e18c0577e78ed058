"""Examples from COCO annotations whose categories or attributes are classes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from poise.classification.learning.columns import find_keypoint, make_skeleton
from poise.classification.learning.examples import Piece
from poise.classification.learning.options import TeachingOptions
from poise.clip import Track
from poise.errors import InputError, UsageError
from poise.io.formats.source import load_json, well_formed
from poise.skeleton import get_skeleton


def read_coco(path: Path, options: TeachingOptions) -> tuple[list[Piece], list[str]]:
    """Return the people of COCO annotations whose categories or attributes are classes.

    The class is the annotation's own field or attribute of the label's name, or else the name of
    its category, where there are several.

    Raises:
        InputError: No person has a class.
        UsageError: Windows are wanted.
    """
    if options.window is not None:
        raise UsageError("COCO annotations have no times", where=path, remedy="leave --window out")
    document = load_json(path)
    with well_formed(path, "COCO annotations"):
        categories = {c["id"]: c for c in document.get("categories", ())}
        images = {image["id"]: str(image["file_name"]) for image in document["images"]}
        people = [a for a in document["annotations"] if a.get("keypoints") and not a.get("iscrowd")]
        named = [(_class(a, categories, options.label_column), a) for a in people]
        pieces = [
            _person(path, images[a["image_id"]], label, a, categories.get(a.get("category_id"), {}))
            for label, a in named
            if label is not None
        ]
    if not pieces:
        what = f"no person has a class: no attribute {options.label_column!r}, one category only"
        raise InputError(what, where=path, remedy="name the attribute with --label-column")
    left = len(people) - len(pieces)
    return pieces, [f"{path.name}: {left} people have no class"] if left else []


def _class(a: dict[str, Any], categories: dict[Any, dict[str, Any]], label: str) -> str | None:
    value = (a.get("attributes") or {}).get(label, a.get(label))
    if value is None and len(categories) > 1:
        value = categories.get(a.get("category_id"), {}).get("name")
    return None if value is None else str(value)


def _person(
    path: Path, image: str, label: str, a: dict[str, Any], category: dict[str, Any]
) -> Piece:
    names: Sequence[str] = category.get("keypoints") or get_skeleton("coco17").keypoints
    skeleton = make_skeleton([find_keypoint(str(name)) or str(name) for name in names])
    flat = np.array(a["keypoints"], np.float64).reshape(len(skeleton), 3)
    seen = flat[:, 2] > 0
    points = np.where(seen[:, None], flat[:, :2], np.nan).astype(np.float32)
    track = Track(0, skeleton, np.zeros(1), points[None], seen[None].astype(np.float32))
    picture = path.parent / image
    where = f"{image}, annotation {a.get('id', '?')}"
    shown = str(picture) if picture.is_file() else None
    return Piece(label, image, track, (where,), timed=False, picture=shown)
