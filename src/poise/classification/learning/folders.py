"""Examples from folders: one folder a class, of pictures, videos and keypoint files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from poise.classification.learning.examples import Piece
from poise.clip import Clip
from poise.errors import InputError, NoInputError
from poise.io.sources import IMAGE_SUFFIXES, VIDEO_SUFFIXES
from poise.loading import LoadingOptions, choose_track, expand_sources, load_clip
from poise.models.base import PoseModel

# Told of each source: its path, its number, how many there are; returns who is told of its frames.
Watch = Callable[[str, int, int], Callable[[int, int | None], None] | None]


@dataclass(frozen=True)
class Loader:
    """How the files of a folder become clips.

    Attributes:
        load_model: Returns the model; asked only for pictures and videos.
        options: How videos are estimated.
        form: Name of the keypoint format, where the content does not tell.
        watch: Told of each source.
    """

    load_model: Callable[[], PoseModel]
    options: LoadingOptions
    form: str | None = None
    watch: Watch | None = None

    def load(self, source: str, number: int, total: int) -> Clip:
        """Return the clip of one source."""
        report = self.watch(source, number, total) if self.watch else None
        if self.form is not None and _is_keypoints(source):
            from poise.io import read_clip
            from poise.loading import identify

            return identify(read_clip(source, format=self.form, fps=self.options.fps))
        return load_clip(source, self.load_model, self.options, report=report)


def read_folders(
    folder: Path, loader: Loader, *, window: float | None = None
) -> tuple[list[Piece], list[str]]:
    """Return the main person of every file in the folder of each class, and notes.

    A file in which nobody is found is left out, and so is one that cannot be read.

    Raises:
        InputError: There are no folders in it, or no person in any file of a class.
    """
    sources = find_classes(folder)
    total = sum(len(files) for files in sources.values())
    pieces: list[Piece] = []
    lost: list[str] = []
    number = 0
    for label, files in sources.items():
        before, reasons = len(pieces), []
        for file in files:
            number += 1
            try:
                clip = loader.load(file, number, total)
                pieces.append(_piece(label, file, clip, folder, window))
            except InputError as error:
                reasons.append(str(error))
        if len(pieces) == before:
            raise _nobody(folder / label, files, reasons)
        lost += reasons
    return pieces, _tell_lost(lost, total)


def find_classes(folder: Path) -> dict[str, list[str]]:
    """Return the files of each class: the folders in a folder, in the order of their names.

    Raises:
        InputError: It cannot be read, or has no folders.
        NoInputError: A class's folder holds nothing that can be read.
    """
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=folder) from error
    classes = [entry for entry in entries if entry.is_dir() and not entry.name.startswith(".")]
    if not classes:
        what = "holds no folders" if entries else "is an empty folder"
        remedy = "make one folder a class and put its pictures, videos or keypoint files into it"
        raise (InputError if entries else NoInputError)(what, where=folder, remedy=remedy)
    return {each.name: expand_sources([str(each)]) for each in classes}


def _nobody(folder: Path, files: list[str], reasons: list[str]) -> InputError:
    if all(reason.endswith("no person was found") for reason in reasons):
        count = f"any of its {len(files)} files" if len(files) > 1 else "its file"
        return InputError(f"no person was found in {count}", where=folder)
    return InputError(f"none of its files can be used; the first: {reasons[0]}", where=folder)


def _tell_lost(lost: list[str], total: int) -> list[str]:
    if not lost:
        return []
    more = f" (and {len(lost) - 1} more)" if len(lost) > 1 else ""
    return [f"{len(lost)} of {total} files left out: {lost[0]}{more}"]


def _is_keypoints(source: str) -> bool:
    return Path(source).suffix.lower() not in {*IMAGE_SUFFIXES, *VIDEO_SUFFIXES}


def _piece(label: str, file: str, clip: Clip, folder: Path, window: float | None) -> Piece:
    track = choose_track(clip)
    still = len(clip) == 1
    if still and window is not None:
        what = f"is a single pose, and windows of {window:g} s were asked for"
        raise InputError(what, where=file, remedy="leave --window out, or use videos")
    shown = Path(file).relative_to(folder).as_posix()
    if still:
        origins: tuple[str, ...] = (shown,)
    else:
        origins = tuple(f"{shown}, {time:.2f} s" for time in np.asarray(track.times).tolist())
    is_picture = Path(file).suffix.lower() in IMAGE_SUFFIXES
    return Piece(label, file, track, origins, not still, file if is_picture else None)
