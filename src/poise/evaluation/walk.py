"""The walk over the annotated pictures of a folder: read each, estimate, keep the poses."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np

from poise.errors import InputError, ModelError, NoInputError
from poise.evaluation.boxes import Boxes, read_people, require_reader, true_boxes
from poise.evaluation.ignoring import clear_ignored
from poise.evaluation.truth import TruePicture, Truth, share
from poise.io import read_frames
from poise.models.base import PoseModel
from poise.poses import Frame, Poses
from poise.skeleton import Skeleton

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
        failed: What is wrong with pictures that cannot be read; they are left out.
    """

    truth: Truth
    found: list[Poses]
    missing: tuple[str, ...]
    seconds: float
    failed: tuple[InputError, ...] = ()


def find_pictures(truth: Truth, folder: str | Path) -> list[Path | None]:
    """Return where each annotated picture is; None where the folder lacks it.

    A picture is looked for under its annotated name, then without the name's first folders, one
    after the other, as long as what is left is one picture's alone.

    Raises:
        InputError: There is no such folder.
        NoInputError: None of the pictures is there.
    """
    root = Path(folder)
    if not root.is_dir():
        raise InputError("no such folder", where=root, remedy="name the folder of the pictures")
    endings = Counter(name for one in truth.pictures for name in _endings(one.name))
    paths = [
        _find(root, [e for n, e in enumerate(_endings(one.name)) if n == 0 or endings[e] == 1])
        for one in truth.pictures
    ]
    if not any(paths):
        names = ", ".join(picture.name for picture in truth.pictures[:_SHOWN])
        what = f"has none of the {len(paths)} annotated pictures, such as {names}"
        raise NoInputError(what, where=root, remedy="name the folder that these names start from")
    return paths


def sample(
    truth: Truth, paths: list[Path | None], count: int, seed: int = 0
) -> tuple[Truth, list[Path | None]]:
    """Return so many of the pictures that are there, chosen at random by a fixed seed.

    All of them where there are fewer; those that the folder lacks are returned, too.
    """
    here = [number for number, path in enumerate(paths) if path]
    chosen = np.random.default_rng(seed).permutation(len(here))[:count]
    kept = {here[number] for number in chosen.tolist()}
    rows = [n for n, path in enumerate(paths) if path is None or n in kept]
    pictures = tuple(truth.pictures[row] for row in rows)
    return replace(truth, pictures=pictures), [paths[row] for row in rows]


def share_layout(truth: Truth, skeleton: Skeleton, name: str) -> Truth:
    """Return the truth of the keypoints that somebody's layout has, too.

    Raises:
        ModelError: It has none of them.
    """
    common = share(truth, skeleton)
    if not len(common.skeleton):
        raise ModelError(
            f"its layout {skeleton.name} has none of the {len(truth.skeleton)} annotated "
            f"keypoints, such as {', '.join(truth.skeleton.keypoints[:_SHOWN])}",
            where=name,
            remedy="choose a model of the same part of the body",
        )
    return common


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
        InputError: No picture can be read and is of the annotated size.
        ModelError: The model has none of the annotated keypoints.
        UsageError: Boxes are given to a model that takes none.
    """
    truth = share_layout(truth, model.skeleton, model.name)
    look = _looker(model, boxes)
    here = [(one, path) for one, path in zip(truth.pictures, paths, strict=True) if path]
    found: list[Poses] = []
    kept: list[TruePicture] = []
    failed: list[InputError] = []
    begin = time.perf_counter()
    for number, (picture, path) in enumerate(here):
        try:
            frame = _open(path, picture, number)
        except InputError as error:
            failed.append(error)
        else:
            poses = look(frame, picture).to(truth.skeleton)
            found.append(clear_ignored(poses, picture, keep=boxes == "gt"))
            kept.append(picture)
        if report is not None:
            report(number + 1, len(here))
    if failed and not kept:
        raise failed[0]
    seconds = time.perf_counter() - begin
    missing = [one.name for one, path in zip(truth.pictures, paths, strict=True) if not path]
    return Estimates(
        replace(truth, pictures=tuple(kept)), found, tuple(missing), seconds, tuple(failed)
    )


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


def _endings(name: str) -> list[str]:
    """Return a name and what is left of it without its first folders, longest first."""
    plain = PurePosixPath(name)
    parts = plain.parts[1:] if plain.is_absolute() else plain.parts
    begin = len(parts) - parts[::-1].index("..") if ".." in parts else 0
    return ["/".join(parts[number:]) for number in range(begin, len(parts))]


def _find(root: Path, names: list[str]) -> Path | None:
    for name in names:
        # A name that no file can have is the name of a missing one.
        with contextlib.suppress(OSError, ValueError):
            if (root / name).is_file():
                return root / name
    return None
