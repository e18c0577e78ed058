"""Models that follow people through a video of which the truth is known."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from poise.errors import InputError
from poise.evaluation.ignoring import clear_ignored
from poise.evaluation.truth import TruePicture, Truth
from poise.evaluation.walk import Estimates, Report, share_layout
from poise.models.base import PoseModel
from poise.pipeline import estimate
from poise.poses import Poses


def follow(
    model: PoseModel, truth: Truth, video: str | Path, *, report: Report | None = None
) -> Estimates:
    """Estimate everyone in the frames of a video that the truth knows, with ids.

    Args:
        model: A loaded model.
        truth: Of the video's frames, whose ids are their numbers.
        video: The video.
        report: Told how many frames are done, and how many there are, or None.

    Raises:
        InputError: The video cannot be read, or has none of these frames.
        ModelError: The model has none of the annotated keypoints.
    """
    common = share_layout(truth, model.skeleton, model.name)
    frames = {picture.id: picture for picture in common.pictures}
    found: dict[int, Poses] = {}
    begin = time.perf_counter()
    with estimate(video, model) as walk:
        for number, poses in enumerate(walk):
            if poses.index in frames:
                _check_size(poses, frames[poses.index], video)
                found[poses.index] = poses.to(common.skeleton)
            if report is not None:
                report(number + 1, None)
    seconds = time.perf_counter() - begin
    if not found:
        what = f"has none of the {len(frames)} annotated frames"
        raise InputError(what, where=video, remedy="give the truth of this video")
    kept = tuple(picture for picture in common.pictures if picture.id in found)
    missing = tuple(picture.name for picture in common.pictures if picture.id not in found)
    people = [clear_ignored(found[picture.id], picture) for picture in kept]
    return Estimates(replace(common, pictures=kept), people, missing, seconds)


def _check_size(poses: Poses, picture: TruePicture, video: str | Path) -> None:
    if any(picture.size) and any(poses.size) and poses.size != picture.size:
        came, wanted = ("x".join(map(str, size)) for size in (poses.size, picture.size))
        remedy = "the keypoints belong to the video as it was annotated"
        raise InputError(f"is {came}, annotated as {wanted}", where=video, remedy=remedy)
