"""``poise demo``: a performance drawn, estimated, painted and measured, without any input."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from poise.batch.single import Output, Summary, write_estimate
from poise.clip import Clip
from poise.cli.progress import Ticker
from poise.draw import Style, open_picture_writer, paint
from poise.errors import OutputError
from poise.io import read_clip
from poise.models import load_model
from poise.options import Options
from poise.poses import FloatArray
from poise.synthetic import Dancer, Stage, dance


def demo(
    folder: Annotated[
        Path, typer.Option("-o", "--output", help="The folder that everything is written to.")
    ] = Path("poise-demo"),
    model: Annotated[str, typer.Option("-m", "--model", help="See 'poise models list'.")] = "auto",
    seconds: Annotated[float, typer.Option(help="How long the performance is.")] = 6.0,
    overwrite: Annotated[bool, typer.Option(help="Replace outputs that exist.")] = False,
    progress: Annotated[bool, typer.Option(help="Show progress on stderr.")] = True,
) -> None:
    """Draw a dance, find its keypoints, and say how far they are from the truth."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder ({error.strerror})", where=folder) from error
    ticker = Ticker(enabled=progress)
    try:
        stage = Stage([Dancer(dance())], size=(360, 640), fps=30.0, duration=seconds)
        video, keypoints = folder / "dance.mp4", folder / "dance.jsonl"
        _write_stage(stage, video, overwrite=overwrite, ticker=ticker)
        loaded = load_model(model, report=ticker.say)
        names = (keypoints, folder / "dance_poses.mp4", folder / "dance_poses.gif")
        summary = write_estimate(
            str(video),
            [Output(str(name)) for name in names],
            loaded,
            Options(),
            overwrite=overwrite,
            report=ticker.begin("estimating dance.mp4", 1, 1),
        )
        clip = read_clip(keypoints)
        _write_picture(stage, clip, folder / "dance_poses.png", overwrite=overwrite)
    finally:
        ticker.close()
    _tell(folder, stage, clip, summary)
