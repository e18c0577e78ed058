"""People who were found by somebody else: a file of predictions is evaluated without a model."""

from __future__ import annotations

from collections import Counter
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from poise.clip import Clip
from poise.errors import InputError
from poise.evaluation.ignoring import clear_ignored
from poise.evaluation.truth import Truth
from poise.evaluation.walk import Estimates, share_layout
from poise.io.clips import detect_format, read_clip
from poise.io.formats.people import Person, assemble, from_xywh
from poise.io.formats.source import load_json, readable, well_formed
from poise.poses import Poses
from poise.skeleton import Skeleton, get_skeleton


def read_predictions(path: str | Path, truth: Truth) -> Estimates:
    """Read who was found in annotated pictures.

    COCO results (a list of image_id, keypoints and score) are found by the picture's id, and a
    keypoint counts whatever its score is, as in COCO's evaluation. Every other file that Poise
    reads is found by the names of its pictures, or by their numbers where it has no names. In a
    picture of which the file says nothing, nobody was found.

    Raises:
        InputError: The file cannot be read, or is of none of the annotated pictures.
        ModelError: It has none of the annotated keypoints.
    """
    where = Path(path)
    form = _detect(where)
    if form == "coco":
        skeleton, found = _read_results(where, truth.skeleton)
    else:
        clip = read_clip(where, format=form)
        skeleton, found = clip.skeleton, _place(clip, truth)
    common = share_layout(truth, skeleton, where.name)
    if not any(picture.id in found for picture in truth.pictures):
        raise InputError(
            f"says nothing of any of the {len(truth.pictures)} annotated pictures",
            where=where,
            remedy="give predictions of these pictures, with their ids or names",
        )
    poses = [
        clear_ignored(found.get(one.id, Poses.empty(skeleton)).to(common.skeleton), one)
        for one in common.pictures
    ]
    return Estimates(common, poses, (), np.nan)


def _detect(where: Path) -> str:
    with readable(where), where.open("rb"):
        pass
    try:
        return detect_format(where)
    except InputError as error:
        wanted = "COCO keypoint results (a list of image_id, category_id, keypoints and score)"
        raise InputError(
            "holds no people with keypoints",
            where=where,
            remedy=f"give {wanted}, or a keypoint file that Poise reads",
        ) from error


def _read_results(where: Path, annotated: Skeleton) -> tuple[Skeleton, dict[int, Poses]]:
    entries: list[dict[str, Any]] = load_json(where)
    people: dict[int, list[Person]] = {}
    with well_formed(where, "COCO results"):
        count = len(entries[0]["keypoints"]) // 3
        skeleton = annotated if count == len(annotated) else get_skeleton("coco17")
        for entry in entries:
            points = np.array(entry["keypoints"], np.float64).reshape(len(skeleton), 3)
            points[(points == 0).all(axis=1)] = np.nan
            box, score = from_xywh(entry.get("bbox")), entry.get("score")
            people.setdefault(int(entry["image_id"]), []).append(Person(points, box, score))
        found = {
            image: assemble(skeleton, some, index=image, time=0.0) for image, some in people.items()
        }
    return skeleton, found


def _place(clip: Clip, truth: Truth) -> dict[int, Poses]:
    """Return the frames of a clip by the ids of the pictures that they are of."""
    if clip.names is None:
        known = {picture.id for picture in truth.pictures}
        return {poses.index: poses for poses in clip.frames if poses.index in known}
    whole = {picture.name: picture.id for picture in truth.pictures}
    lasts = Counter(PurePosixPath(name).name for name in whole)
    short = {PurePosixPath(n).name: i for n, i in whole.items() if lasts[PurePosixPath(n).name] < 2}
    found: dict[int, Poses] = {}
    for name, poses in zip(clip.names, clip.frames, strict=True):
        plain = name.replace("\\", "/")
        number = whole.get(plain, short.get(PurePosixPath(plain).name))
        if number is not None:
            found[number] = poses
    return found
