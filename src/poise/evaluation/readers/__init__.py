"""Readers of annotated data sets: one module each, all giving `Truth`.

Which data set a file is of is told from the file. What differs is said in the modules: the layout,
what the visibility means, what counts as a person's area, and where coordinates begin.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from poise.clip import Clip
from poise.errors import InputError
from poise.evaluation.readers import aic, coco, lsp, mpii, ochuman
from poise.evaluation.readers.clips import clip_truth
from poise.evaluation.readers.matlab import is_matlab
from poise.evaluation.truth import Truth
from poise.io.clips import detect_format, read_clip
from poise.io.formats.source import Source, load_json, natural_key, well_formed

_WANTED = (
    "COCO keypoint annotations (a JSON object with images, annotations and categories), or those "
    "of MPII, AI Challenger, OCHuman or LSP"
)


def read_annotations(path: str | Path) -> Truth:
    """Read the annotations of pictures: COCO's and its kin, MPII, AI Challenger, OCHuman, LSP.

    A keypoint file of another kind, such as Poise's own JSONL, is the truth of its frames.

    Args:
        path: The file, or a folder of JSON files of one kind, as PoseTrack18 has one a video.

    Raises:
        InputError: A file cannot be read, or is of another kind.
    """
    where = Path(path)
    truth = _read_folder(where) if where.is_dir() else _read(where)
    if not any(person.counts for one in truth.pictures for person in one.people):
        raise InputError("nobody in it has keypoints", where=where, remedy=f"give {_WANTED}")
    return truth


def _read(where: Path) -> Truth:
    if is_matlab(where):
        return lsp.read(where)
    if not _is_json(where):
        return clip_truth(_read_clip(where))
    document = load_json(where)
    reader = _choose(document)
    if reader is None:
        raise InputError("holds something else", where=where, remedy=f"give {_WANTED}")
    with well_formed(where, f"{reader.TITLE} annotations"):
        truth: Truth = reader.read(document, where)
    return truth


def _read_clip(where: Path) -> Clip:
    try:
        form = detect_format(where)
    except InputError as error:
        wanted = f"{_WANTED}; or a keypoint file that Poise reads"
        raise InputError("holds something else", where=where, remedy=f"give {wanted}") from error
    return read_clip(where, format=form)


def _is_json(where: Path) -> bool:
    """Whether a file is one JSON document, or not there; else it may be a clip, such as JSONL."""
    if not where.is_file():
        return True
    return where.suffix.lower() != ".jsonl" and Source(where).head.lstrip()[:1] in (b"{", b"[")


def _choose(document: Any) -> Any:
    """Return the module that reads a document of this kind, or None."""
    if isinstance(document, dict) and "images" in document:
        if "keypoint_names" in document:
            return ochuman
        return coco if "annotations" in document else None
    if isinstance(document, list) and document and isinstance(document[0], dict):
        if "keypoint_annotations" in document[0]:
            return aic
        return mpii if "joints_vis" in document[0] or "joints" in document[0] else None
    return None


def _read_folder(where: Path) -> Truth:
    paths = sorted(where.glob("*.json"), key=lambda path: natural_key(path.name))
    if not paths:
        raise InputError("holds no .json file", where=where, remedy=f"give {_WANTED}")
    parts = [_read(path) for path in paths]
    first = parts[0]
    for path, part in zip(paths, parts, strict=True):
        if part.skeleton != first.skeleton or part.dataset != first.dataset:
            raise InputError(
                f"is of {part.dataset}, {paths[0].name} of {first.dataset}",
                where=path,
                remedy="give a folder of files of one kind",
            )
    pictures = [picture for part in parts for picture in part.pictures]
    if len({picture.id for picture in pictures}) < len(pictures):
        raise InputError(
            "two pictures have the same id", where=where, remedy="give one of the files"
        )
    return replace(first, pictures=tuple(sorted(pictures, key=lambda one: one.id)))
