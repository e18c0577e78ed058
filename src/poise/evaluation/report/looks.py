"""Where the pictures of a report come from: the files of a folder, or the frames of a video."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from poise.evaluation.report.gallery import Look
from poise.evaluation.truth import Truth
from poise.io import read_frames
from poise.poses import Image


def look_in_folder(paths: Sequence[Path | None]) -> Look:
    """Return how to get pictures by their place in the truth; those without a path do not come."""

    def look(places: Sequence[int]) -> Iterator[tuple[int, Image]]:
        for place in places:
            path = paths[place]
            if path is not None:
                with read_frames(path) as frames:
                    yield place, next(frames).image

    return look


def look_in_video(truth: Truth, video: str | Path) -> Look:
    """Return how to get frames by their place in the truth; the video is read once."""

    def look(places: Sequence[int]) -> Iterator[tuple[int, Image]]:
        wanted = {truth.pictures[place].id: place for place in places}
        with read_frames(video) as frames:
            for frame in frames:
                if frame.index in wanted:
                    yield wanted.pop(frame.index), frame.image
                if not wanted:
                    return

    return look
