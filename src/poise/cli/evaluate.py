"""``poise evaluate``: annotated pictures in; how good a model is out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from poise.cli.evaluation_table import tell
from poise.cli.loading import load_named
from poise.cli.parameters import take_options
from poise.cli.progress import Ticker
from poise.errors import UsageError
from poise.evaluation import (
    Estimates,
    Truth,
    find_pictures,
    measure,
    read_annotations,
    read_boxes,
    read_predictions,
    require_engine,
    to_json,
    walk,
)
from poise.evaluation import sample as choose_sample
from poise.models.base import PoseModel
from poise.options import ModelOptions, Precision

Images = Annotated[
    str | None, typer.Option("--images", metavar="DIR", help="Folder of the pictures.")
]
Annotations = Annotated[
    str,
    typer.Option(
        "--annotations",
        metavar="FILE",
        help="Annotations of COCO, CrowdPose, OCHuman, Halpe, PoseTrack18, JHMDB, MPII, AI "
        "Challenger or LSP; or a folder of PoseTrack18's files.",
    ),
]
Predictions = Annotated[
    str | None,
    typer.Option(
        "--predictions",
        metavar="FILE",
        help="Run no model: evaluate who is in this file, COCO results or any that Poise reads.",
    ),
]
Sample = Annotated[
    int | None,
    typer.Option(
        "--sample", metavar="N", min=1, help="Only so many pictures, always the same random ones."
    ),
]
BoxSource = Annotated[
    str,
    typer.Option(
        "--boxes",
        metavar="gt|detector|FILE",
        help="Whom to read: 'detector' runs the whole model, 'gt' gives the annotated boxes to its "
        "crop model, and a file is one of COCO detection results.",
    ),
]


@take_options(model=ModelOptions)
def evaluate(
    *,
    images: Images = None,
    annotations: Annotations,
    boxes: BoxSource = "detector",
    predictions: Predictions = None,
    sample: Sample = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    precision: Annotated[
        Precision, typer.Option(help="'f32' gives the same figures on every machine.")
    ] = "f32",
    progress: Annotated[bool, typer.Option(help="Show progress on stderr.")] = True,
    model: ModelOptions,
) -> None:
    """Measure a model on annotated pictures: COCO AP and AR, OKS, PCK, kinds of mistakes."""
    require_engine()
    task = Task(read_annotations(annotations), images, boxes, sample)
    ticker = Ticker(enabled=progress)
    try:
        if predictions is not None:
            name, estimates = predictions, task.read(predictions)
        else:
            paths = task.find(ticker)
            loaded = load_named(model, precision, ticker)
            name, estimates = loaded.name, task.run(loaded, paths, ticker)
    finally:
        ticker.close()
    result = measure(estimates, model=name, boxes="predictions" if predictions else boxes)
    if as_json:
        typer.echo(json.dumps(to_json(result), ensure_ascii=False, allow_nan=False))
    else:
        typer.echo(tell(result))


@dataclass
class Task:
    """What to evaluate: the truth, its pictures, and whose boxes.

    Attributes:
        truth: The annotated pictures.
        images: Their folder, or None.
        boxes: ``detector``, ``gt`` or a file.
        sample: Only so many pictures, or None.
    """

    truth: Truth
    images: str | None
    boxes: str
    sample: int | None

    def read(self, predictions: str) -> Estimates:
        """Return the people of a file."""
        for option, given in (("--boxes", self.boxes != "detector"), ("--sample", self.sample)):
            if given:
                raise UsageError("goes with a model, not with --predictions", where=option)
        return read_predictions(predictions, self.truth)

    def find(self, ticker: Ticker) -> list[Path | None]:
        """Return where each picture is, and say how many are missing."""
        if self.images is None:
            remedy = "name the folder of the pictures, or a file with --predictions"
            raise UsageError("missing", where="--images", remedy=remedy)
        paths = find_pictures(self.truth, self.images)
        missing = paths.count(None)
        if missing:
            what = f"{missing} of {len(paths)} annotated pictures are not in {self.images}"
            ticker.say(f"poise: note: {what}; left out", always=True)
        if self.sample is not None:
            self.truth, paths = choose_sample(self.truth, paths, self.sample)
        return paths

    def run(self, model: PoseModel, paths: list[Path | None], ticker: Ticker) -> Estimates:
        """Return the people whom a model finds."""
        chosen = self.boxes if self.boxes in ("detector", "gt") else read_boxes(self.boxes)
        report = ticker.begin(str(self.images), 1, 1)
        return walk(model, self.truth, paths, boxes=chosen, report=report)
