"""``poise demo``: a performance drawn, estimated, painted and measured, without any input."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from poise.batch.single import Output, Summary, write_estimate
from poise.cli.loading import load_named
from poise.cli.parameters import take_options
from poise.cli.progress import Ticker
from poise.clip import Clip
from poise.draw import open_picture_writer
from poise.errors import UsageError
from poise.io import read_clip
from poise.options import ModelOptions, Options
from poise.output import refuse_taken, translated
from poise.poses import FloatArray, Poses
from poise.skeleton import get_skeleton
from poise.synthetic import Dancer, Stage, dance

_NAMES = ("dance.mp4", "dance.jsonl", "dance_poses.mp4", "dance_poses.gif", "dance_poses.png")


@take_options(model=ModelOptions)
def demo(
    *,
    folder: Annotated[
        Path, typer.Option("-o", "--output", help="The folder that everything is written to.")
    ] = Path("poise-demo"),
    seconds: Annotated[float, typer.Option(help="How long the performance is.")] = 6.0,
    overwrite: Annotated[bool, typer.Option(help="Replace outputs that exist.")] = False,
    progress: Annotated[bool, typer.Option(help="Show progress on stderr.")] = True,
    model: ModelOptions,
) -> None:
    """Draw a dance, find its keypoints, and say how far they are from the truth."""
    if not 0 < seconds < math.inf:
        raise UsageError(f"wanted seconds above 0, got {seconds}", where="--seconds")
    names = [folder / name for name in _NAMES]
    for name in names:
        refuse_taken(str(name), overwrite=overwrite)
    ticker = Ticker(enabled=progress)
    try:
        # Before anything is written, so that a fetch that fails can be tried again as it is.
        loaded = load_named(model, "auto", ticker)
        with translated(folder):
            folder.mkdir(parents=True, exist_ok=True)
        stage = Stage([Dancer(dance())], size=(360, 640), fps=30.0, duration=seconds)
        video, keypoints, *painted, picture = names
        _write_stage(stage, video, overwrite=overwrite, ticker=ticker)
        summary = write_estimate(
            str(video),
            [Output(str(name)) for name in (keypoints, *painted)],
            loaded,
            Options(),
            overwrite=overwrite,
            report=ticker.begin("estimating dance.mp4", 1, 1),
        )
        ticker.note(summary)
        clip = read_clip(keypoints)
        _write_picture(stage, clip, picture, overwrite=overwrite)
    finally:
        ticker.close()
    _tell(folder, stage, clip, summary)


def _write_stage(stage: Stage, video: Path, *, overwrite: bool, ticker: Ticker) -> None:
    report = ticker.begin("drawing the dance", 1, 1)
    with open_picture_writer(
        str(video), size=stage.size, fps=stage.fps, overwrite=overwrite
    ) as writer:
        for frame in stage.frames():
            writer.write(frame, Poses.empty(get_skeleton("coco17")))
            if report is not None:
                report(frame.index + 1, len(stage))


def _write_picture(stage: Stage, clip: Clip, path: Path, *, overwrite: bool) -> None:
    middle = len(stage) // 2
    with open_picture_writer(str(path), size=stage.size, overwrite=overwrite, still=True) as writer:
        writer.write(stage.frame(middle), clip.frames[middle])


def mean_error(stage: Stage, clip: Clip) -> tuple[float, float]:
    """Return how far a clip of one dancer is from the stage's truth.

    Returns:
        The mean distance of the keypoints that both name, as a share of the person's height (the
        truth's box), and the share of frames in which the person was found.
    """
    errors: list[FloatArray] = []
    found = 0
    for poses in clip.frames:
        truth = stage.truth(poses.index).to(clip.skeleton)
        if len(poses) == 0:
            continue
        found += 1
        best = int(np.argmax(poses.person_scores))
        height = truth.boxes[0, 3] - truth.boxes[0, 1]
        distance = np.linalg.norm(poses.keypoints[best] - truth.keypoints[0], axis=1)
        errors.append(distance[np.isfinite(distance)] / height)
    mean = float(np.concatenate(errors).mean()) if errors else float("nan")
    return mean, found / max(len(clip), 1)


def _tell(folder: Path, stage: Stage, clip: Clip, summary: Summary) -> None:
    error, found = mean_error(stage, clip)
    rate = summary.frames / summary.seconds
    files = "\n".join(f"  {path}" for path in sorted(folder.glob("dance*")))
    typer.echo(
        f"{summary.header.model} found the dancer in {found:.0%} of {summary.frames} frames.\n"
        f"Mean distance from the truth: {error:.1%} of the dancer's height.\n"
        f"Speed: {rate:.0f} frames/s, decoding, estimating, painting a video and a GIF "
        f"({summary.header.precision}).\n\n"
        f"Written:\n{files}\n\n"
        "Try next:\n"
        "  poise estimate YOUR_VIDEO.mp4 -o keypoints.jsonl -o painted.mp4\n"
        "  poise models list\n"
        "  poise --help"
    )
