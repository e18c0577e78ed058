"""``poise evaluate``: annotated pictures in; how good a model is out."""

from __future__ import annotations

import json
import math
from typing import Annotated

import typer

from poise.cli.loading import load_named
from poise.cli.parameters import take_options
from poise.cli.progress import Ticker
from poise.evaluation import (
    Evaluation,
    find_pictures,
    measure,
    read_annotations,
    read_boxes,
    require_engine,
    to_json,
    walk,
)
from poise.options import ModelOptions, Precision

Images = Annotated[str, typer.Option("--images", metavar="DIR", help="Folder of the pictures.")]
Annotations = Annotated[
    str, typer.Option("--annotations", metavar="FILE", help="COCO keypoint annotations.")
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
    images: Images,
    annotations: Annotations,
    boxes: BoxSource = "detector",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    precision: Annotated[
        Precision, typer.Option(help="'f32' gives the same figures on every machine.")
    ] = "f32",
    progress: Annotated[bool, typer.Option(help="Show progress on stderr.")] = True,
    model: ModelOptions,
) -> None:
    """Measure a model on annotated pictures: COCO AP and AR, OKS, PCK, kinds of mistakes."""
    require_engine()
    truth = read_annotations(annotations)
    paths = find_pictures(truth, images)
    chosen = boxes if boxes in ("detector", "gt") else read_boxes(boxes)
    ticker = Ticker(enabled=progress)
    try:
        missing = paths.count(None)
        if missing:
            note = f"{missing} of {len(paths)} annotated pictures are not in {images}; left out"
            ticker.say(f"poise: note: {note}", always=True)
        loaded = load_named(model, precision, ticker)
        report = ticker.begin(images, 1, 1)
        estimates = walk(loaded, truth, paths, boxes=chosen, report=report)
    finally:
        ticker.close()
    result = measure(estimates, model=loaded.name, boxes=boxes)
    if as_json:
        typer.echo(json.dumps(to_json(result), ensure_ascii=False, allow_nan=False))
    else:
        typer.echo(tell(result))


def tell(result: Evaluation) -> str:
    """Return the figures as a table for people."""
    coco = result.precision
    lines = [
        f"{result.model}, boxes: {result.boxes}",
        f"pictures {result.images}, missing {result.missing}; people with keypoints "
        f"{result.people}, found {result.matched}; {result.seconds:.1f} s",
        "",
        "      all   at 0.50   at 0.75   medium    large",
        f"AP {_row(coco.AP, coco.AP50, coco.AP75, coco.AP_medium, coco.AP_large)}",
        f"AR {_row(coco.AR, coco.AR50, coco.AR75, coco.AR_medium, coco.AR_large)}",
        "",
        f"mean OKS  {_number(result.mean_oks)} (of those found {_number(result.mean_oks_matched)})",
        f"PCK@0.2   {_number(result.pck)} (of the torso)",
    ]
    if math.isfinite(result.pckh):
        lines.append(f"PCKh@0.5  {_number(result.pckh)}")
    kinds = ", ".join(f"{kind} {_number(share)}" for kind, share in result.mistakes.items())
    lines += [f"keypoints of those found: {kinds}", "", f"{'keypoint':<20} OKS    PCK@0.2"]
    lines += [
        f"{name:<20} {_number(value)}  {_number(result.pck_per_keypoint[name])}"
        for name, value in result.per_keypoint.items()
    ]
    return "\n".join(lines)


def _row(*values: float) -> str:
    return "     ".join(_number(value) for value in values)


def _number(value: float) -> str:
    return f"{value:.3f}" if math.isfinite(value) else "  -  "
