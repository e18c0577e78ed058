"""Which pose a word means: a built-in one, a pose file, or what a picture shows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from poise.classification.correction.gauges import Gauges
from poise.classification.correction.reading import find_pose, pose_names, read_pose
from poise.classification.correction.taking import take_pose
from poise.classification.correction.target import Target
from poise.errors import InputError
from poise.loading import LoadingOptions, Report, choose_track, load_clip
from poise.models.base import PoseModel


def choose_pose(
    word: str,
    load_model: Callable[[], PoseModel],
    options: LoadingOptions,
    *,
    report: Report | None = None,
) -> Target:
    """Return the pose that a word means.

    Args:
        word: A built-in name, a pose file (``.toml``), a picture, or a keypoint file of one frame,
            of which the main person counts.
        load_model: Returns the model; asked only for pictures.
        options: How pictures are estimated.
        report: Told of each frame that was estimated.

    Raises:
        UsageError: It is no name of a pose and no file.
        InputError: The file cannot be read, shows nobody, or has several frames.
    """
    if word in pose_names() or not _is_path(word):
        return find_pose(word)
    if Path(word).suffix.lower() == ".toml":
        return read_pose(word)
    clip = load_clip(word, load_model, options, report=report)
    if len(clip) > 1:
        raise InputError(
            f"has {len(clip)} frames, and a pose is one", where=word,
            remedy="name a picture, or a keypoint file of one frame",
        )  # fmt: skip
    return take_pose(Gauges(choose_track(clip)), Path(word).stem)


def _is_path(word: str) -> bool:
    """Whether a word is meant as a file: it has a suffix or a folder, or is there."""
    path = Path(word)
    return bool(path.suffix) or len(path.parts) > 1 or path.exists()
