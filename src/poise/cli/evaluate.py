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
from poise.errors import SomeInputsFailedError, UsageError
from poise.evaluation import (
    Estimates,
    Evaluation,
    Truth,
    find_pictures,
    follow,
    has_tracks,
    match,
    measure,
    read_annotations,
    read_boxes,
    read_predictions,
    require_engine,
    to_json,
    walk,
)
from poise.evaluation import sample as choose_sample
from poise.evaluation.report import (
    look_in_folder,
    look_in_video,
    refuse_report,
    write_report,
)
from poise.evaluation.report.gallery import Look
from poise.models.base import PoseModel
from poise.options import ModelOptions, Precision

Images = Annotated[
    str | None,
    typer.Option(
        "--images",
        metavar="DIR|VIDEO",
        help="Folder of the pictures; or a video, whose annotations are a keypoint file.",
    ),
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
ReportFolder = Annotated[
    str | None,
    typer.Option(
        "--report",
        metavar="DIR",
        help="Write one HTML page, with the worst pictures, and its figures as JSON here.",
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
    report: ReportFolder = None,
    overwrite: Annotated[bool, typer.Option(help="Replace a report.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    precision: Annotated[
        Precision, typer.Option(help="'f32' gives the same figures on every machine.")
    ] = "f32",
    progress: Annotated[bool, typer.Option(help="Show progress on stderr.")] = True,
    model: ModelOptions,
) -> None:
    """Measure a model on annotated pictures or a video: COCO AP and AR, OKS, PCK, mistakes, ids."""
    require_engine()
    task = Task(images, boxes, predictions, sample)
    task.check()
    if report is not None:
        refuse_report(Path(report), overwrite=overwrite)
    truth = read_annotations(annotations)
    ticker = Ticker(enabled=progress)
    try:
        if predictions is not None:
            name, estimates = predictions, read_predictions(predictions, truth)
        else:
            truth, paths = task.find(truth, ticker)
            loaded = load_named(model, precision, ticker)
            name, estimates = loaded.name, task.run(loaded, truth, paths, ticker)
    finally:
        ticker.close()
    result = task.judge(name, estimates, report, overwrite=overwrite)
    typer.echo(as_text(result) if as_json else tell(result))
    for error in estimates.failed:
        typer.echo(f"poise: error: {error}", err=True)
    if estimates.failed:
        count = len(estimates.failed)
        raise SomeInputsFailedError(f"{count} of {count + result.images} pictures were left out")


def as_text(result: Evaluation) -> str:
    """Return the figures as one JSON document."""
    return json.dumps(to_json(result), ensure_ascii=False, allow_nan=False)


@dataclass(frozen=True)
class Task:
    """Where the people come from.

    Attributes:
        images: The folder of the pictures, a video, or None.
        boxes: ``detector``, ``gt`` or a file.
        predictions: A file of people who were found already, or None.
        sample: Only so many pictures, or None.
    """

    images: str | None
    boxes: str
    predictions: str | None
    sample: int | None

    @property
    def source(self) -> str:
        """What is said of where the people come from."""
        return self.boxes if self.predictions is None else "predictions"

    def check(self) -> None:
        """Refuse options that do not go together.

        Raises:
            UsageError: They do not.
        """
        given = {"--boxes": self.boxes != "detector", "--sample": self.sample is not None}
        for option in (name for name, is_given in given.items() if is_given):
            if self.predictions is not None:
                raise UsageError("goes with a model, not with --predictions", where=option)
            if self.is_video:
                raise UsageError("goes with a folder of pictures, not with a video", where=option)
        if self.predictions is None and self.images is None:
            remedy = "name the folder of the pictures or a video, or give --predictions"
            raise UsageError("missing", where="--images", remedy=remedy)

    @property
    def is_video(self) -> bool:
        """Whether the pictures are the frames of a video."""
        return self.images is not None and Path(self.images).is_file()

    def find(self, truth: Truth, ticker: Ticker) -> tuple[Truth, list[Path | None]]:
        """Return what is to be evaluated, and where each picture is; say how many are missing."""
        if self.images is None or self.is_video:
            return truth, []
        paths = find_pictures(truth, self.images)
        missing = paths.count(None)
        if missing:
            what = f"{missing} of {len(paths)} annotated pictures are not in {self.images}"
            ticker.say(f"poise: note: {what}; left out", always=True)
        return (truth, paths) if self.sample is None else choose_sample(truth, paths, self.sample)

    def judge(
        self, name: str, estimates: Estimates, report: str | None, *, overwrite: bool
    ) -> Evaluation:
        """Return the figures, and write the report if there is to be one."""
        matched = match(estimates.truth, estimates.found, paired=self.source == "gt")
        result = measure(estimates, model=name, boxes=self.source, matched=matched)
        if result.identities is None and has_tracks(estimates.truth, estimates.found):
            note = "ids are not judged; HOTA and IDF1 need TrackEval: pip install 'poise[tracks]'"
            typer.echo(f"poise: note: {note}", err=True)
        if report is not None:
            look, folder = self.look(estimates), Path(report)
            write_report(folder, result, estimates, matched, look=look, overwrite=overwrite)
        return result

    def look(self, estimates: Estimates) -> Look | None:
        """Return how to get the pictures that were evaluated; None where there are none."""
        if self.images is None:
            return None
        if self.is_video:
            return look_in_video(estimates.truth, self.images)
        return look_in_folder(find_pictures(estimates.truth, self.images))

    def run(
        self, model: PoseModel, truth: Truth, paths: list[Path | None], ticker: Ticker
    ) -> Estimates:
        """Return the people whom a model finds."""
        source = str(self.images)
        report = ticker.begin(source, 1, 1)
        if self.is_video:
            return follow(model, truth, source, report=report)
        chosen = self.boxes if self.boxes in ("detector", "gt") else read_boxes(self.boxes)
        if isinstance(chosen, dict) and not any(one.id in chosen for one in truth.pictures):
            what = "none of its boxes is of an annotated picture"
            raise UsageError(
                what, where=self.boxes, remedy="its image_id are those of the pictures"
            )
        return walk(model, truth, paths, boxes=chosen, report=report)
