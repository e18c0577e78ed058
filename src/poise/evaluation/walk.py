"""The walk over the annotated pictures of a folder: read each, estimate, keep the poses."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from poise.errors import InputError, ModelError, NoInputError
from poise.evaluation.annotations import TruePicture, Truth
from poise.evaluation.boxes import Boxes, read_people, require_reader, true_boxes
from poise.io import read_frames
from poise.models.base import PoseModel
from poise.poses import Frame, Poses
from poise.skeleton import Skeleton, conversion

Report = Callable[[int, int | None], None]
_SHOWN = 3


@dataclass(frozen=True, eq=False)
class Estimates:
    """What a model found in the pictures that are there.

    Attributes:
        truth: The annotations of these pictures only.
        found: Who was found in each of them, in the truth's layout.
        missing: Names of annotated pictures that the folder lacks.
        seconds: What reading, estimating and decoding took.
    """

    truth: Truth
    found: list[Poses]
    missing: tuple[str, ...]
    seconds: float


def find_pictures(truth: Truth, folder: str | Path) -> list[Path | None]:
    """Return where each annotated picture is; None where the folder lacks it.

    A picture is looked for under its annotated name, then under the last part of that name.

    Raises:
        InputError: There is no such folder.
        NoInputError: None of the pictures is there.
    """
    root = Path(folder)
    if not root.is_dir():
        raise InputError("no such folder", where=root, remedy="name the folder of the pictures")
    paths = [_find(root, picture.name) for picture in truth.pictures]
    if not any(paths):
        names = ", ".join(picture.name for picture in truth.pictures[:_SHOWN])
        what = f"has none of the {len(paths)} annotated pictures, such as {names}"
        raise NoInputError(what, where=root, remedy="name the folder that these names start from")
    return paths


def check_layout(model: PoseModel, skeleton: Skeleton) -> None:
    """Refuse a model that lacks some of the annotated keypoints.

    Raises:
        ModelError: It does; the message names them.
    """
    sources = np.count_nonzero(conversion(model.skeleton, skeleton), axis=1)
    lacking = [name for name, count in zip(skeleton.keypoints, sources, strict=True) if not count]
    if lacking:
        shown = ", ".join(lacking[:_SHOWN]) + (", ..." if len(lacking) > _SHOWN else "")
        raise ModelError(
            f"its layout {model.skeleton.name} lacks {len(lacking)} of the {len(skeleton)} "
            f"annotated keypoints: {shown}",
            where=model.name,
            remedy="choose a model with the annotations' layout",
        )


def walk(
    model: PoseModel,
    truth: Truth,
    paths: list[Path | None],
    *,
    boxes: str | dict[int, Boxes] = "detector",
    report: Report | None = None,
) -> Estimates:
    """Estimate everyone in the pictures that are there.

    Args:
        model: A loaded model.
        truth: The annotated pictures.
        paths: Where each of them is, or None.
        boxes: ``detector`` runs the whole model, ``gt`` reads the annotated boxes of the people
            with keypoints; or the boxes by the picture's id.
        report: Told how many pictures are done, and how many there are.

    Raises:
        InputError: A picture cannot be read, or is not of the annotated size.
        ModelError: The model lacks some of the annotated keypoints.
        UsageError: Boxes are given to a model that takes none.
    """
    check_layout(model, truth.skeleton)
    look = _looker(model, boxes)
    here = [(one, path) for one, path in zip(truth.pictures, paths, strict=True) if path]
    found: list[Poses] = []
    begin = time.perf_counter()
    for number, (picture, path) in enumerate(here):
        poses = look(_open(path, picture, number), picture)
        found.append(poses.to(truth.skeleton))
        if report is not None:
            report(number + 1, len(here))
    seconds = time.perf_counter() - begin
    missing = [one.name for one, path in zip(truth.pictures, paths, strict=True) if not path]
    kept = Truth(truth.skeleton, tuple(picture for picture, _ in here))
    return Estimates(kept, found, tuple(missing), seconds)


def _looker(
    model: PoseModel, boxes: str | dict[int, Boxes]
) -> Callable[[Frame, TruePicture], Poses]:
    if boxes == "detector":
        return lambda frame, picture: model.estimate([frame])[0]
    reader = require_reader(model)
    if isinstance(boxes, str):
        return lambda frame, picture: read_people(reader, frame, true_boxes(picture))
    none = Boxes(np.zeros((0, 4), np.float32), np.zeros(0, np.float32))
    return lambda frame, picture: read_people(reader, frame, boxes.get(picture.id, none))


def _open(path: Path, picture: TruePicture, number: int) -> Frame:
    with read_frames(path) as frames:
        frame = next(frames)
    if any(picture.size) and frame.size != picture.size:
        came, wanted = ("x".join(map(str, size)) for size in (frame.size, picture.size))
        remedy = "the keypoints belong to the picture as it was annotated"
        raise InputError(f"is {came}, annotated as {wanted}", where=path, remedy=remedy)
    return Frame(frame.image, number)


def _find(root: Path, name: str) -> Path | None:
    plain = PurePosixPath(name)
    inside = not plain.is_absolute() and ".." not in plain.parts
    for path in (root / plain if inside else None, root / plain.name):
        # A name that no file can have is the name of a missing one.
        with contextlib.suppress(OSError):
            if path is not None and plain.name and path.is_file():
                return path
    return None
