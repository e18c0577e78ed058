"""``poise correct``: a pose against the one that it should be, in the words of a teacher."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from poise.classification.correction import (
    Gauges,
    Judgement,
    Target,
    find_pose,
    judge,
    pose_names,
    rank_targets,
    write_pose,
)
from poise.classification.correction.choosing import choose_pose
from poise.classification.correction.overlay import paint_judgement
from poise.classification.correction.report import (
    tell_lines,
    tell_nearest,
    to_document,
    view_note,
)
from poise.cli.loading import load_once
from poise.cli.parameters import take_options
from poise.cli.progress import Ticker
from poise.clip import Clip, Track
from poise.errors import UsageError
from poise.loading import LoadingOptions, choose_track, is_clip, load_clip
from poise.models.base import PoseModel
from poise.options import ModelOptions
from poise.output import refuse_source, refuse_taken

AUTO = "auto"

SourceName = Annotated[
    str | None,
    typer.Argument(
        metavar="SOURCE", help="A video, a picture, or keypoints in any format that Poise reads."
    ),
]
PoseName = Annotated[
    str,
    typer.Option(
        metavar="POSE",
        help=f"How it should be: {', '.join(pose_names())}; a pose file (.toml); a picture or a "
        "keypoint file of one frame; or 'auto', the nearest of the built-in ones.",
    ),
]
SavePose = Annotated[
    str | None, typer.Option(metavar="FILE", help="Write the pose as a TOML file, to edit it.")
]
Output = Annotated[
    str | None,
    typer.Option(
        "-o", "--output", metavar="OUT",
        help="Limbs in green, amber and red with the sentences: a picture of the best moment, "
        "or a video or .gif.",
    ),
]  # fmt: skip


@take_options(model=ModelOptions, options=LoadingOptions)
def correct(
    *,
    source: SourceName = None,
    pose: PoseName = AUTO,
    save_pose: SavePose = None,
    person: Annotated[int | None, typer.Option(help="Id of the person; else the main one.")] = None,
    output: Output = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    overwrite: Annotated[bool, typer.Option(help="Replace outputs that exist.")] = False,
    progress: Annotated[bool, typer.Option(help="Show progress on stderr.")] = True,
    model: ModelOptions,
    options: LoadingOptions,
) -> None:
    """Correct a pose: what to move, which way, by how many degrees; how long it was held."""
    _check_request(source, pose, save_pose, output, overwrite=overwrite)
    ticker = Ticker(enabled=progress, many=True)
    model_once = load_once(model, options.precision, ticker)
    job = Job(model_once, options, ticker, person, output, overwrite, as_json)
    try:
        target = job.find(pose) if pose != AUTO else None
        if save_pose is not None and target is not None:
            write_pose(target, save_pose, overwrite=overwrite)
            ticker.say(f"written: {save_pose}")
        if source is not None:
            job.correct(source, target)
    finally:
        ticker.close()


def _check_request(
    source: str | None, pose: str, save_pose: str | None, output: str | None, *, overwrite: bool
) -> None:
    """Refuse at once what cannot be, before anything is estimated."""
    if save_pose is not None and pose == AUTO:
        raise UsageError("'auto' is no pose that can be saved", where="--pose",
                         remedy="name a pose or a picture")  # fmt: skip
    if source is None and save_pose is None:
        raise UsageError("no source was named", remedy="poise correct SOURCE --pose plank")
    if source is not None:
        is_clip(source)
    for path in (save_pose, output):
        if path is not None:
            refuse_source(path, source)
            refuse_source(path, pose)
            if not path.endswith("/"):
                refuse_taken(path, overwrite=overwrite)


@dataclass(frozen=True)
class Job:
    """What the user asked for."""

    load: Callable[[], PoseModel]
    options: LoadingOptions
    ticker: Ticker
    person: int | None
    output: str | None
    overwrite: bool
    as_json: bool

    def find(self, pose: str) -> Target:
        """Return the pose that was named."""
        return choose_pose(pose, self.load, self.options)

    def correct(self, source: str, target: Target | None) -> None:
        """Judge the source; without a target, by the nearest one."""
        report = self.ticker.begin(source, 1, 1)
        clip = load_clip(source, self.load, self.options, report=report)
        track = choose_track(clip, self.person)
        gauges = Gauges(track, aspect=pixel_aspect(source))
        ranked = [] if target else rank_targets(gauges, list(map(find_pose, pose_names())))
        judgement = judge(gauges, target) if target else ranked[0]
        note = view_note(judgement, gauges)
        if self.output is not None:
            self._paint(source, clip, track, judgement)
        self._print(source, track, judgement, ranked, note)

    def _paint(self, source: str, clip: Clip, track: Track, judgement: Judgement) -> None:
        output = str(self.output)
        notes = paint_judgement(
            output, clip, track, judgement, source=source, overwrite=self.overwrite,
            report=self.ticker.begin(output, 1, 1),
        )  # fmt: skip
        for line in notes:
            self.ticker.say(f"poise: note: {line}", always=True)
        self.ticker.say(f"written: {output}")

    def _print(
        self,
        source: str,
        track: Track,
        judgement: Judgement,
        ranked: list[Judgement],
        note: str | None,
    ) -> None:
        self.ticker.close()
        if note:
            self.ticker.say(f"poise: note: {note}", always=True)
        if not self.as_json:
            nearest = [tell_nearest(ranked)] if ranked else []
            typer.echo("\n".join([*nearest, *tell_lines(judgement)]))
            return
        document: dict[str, Any] = {"source": source, "person": track.id}
        document |= to_document(judgement)
        document["notes"] = [note] if note else []
        if ranked:
            found = [to_document(one) for one in ranked[:3]]
            document["nearest"] = [{"pose": one["pose"], "score": one["score"]} for one in found]
        typer.echo(json.dumps(document, ensure_ascii=False, indent=2))


def pixel_aspect(source: str) -> float:
    """Return the width of a recording's pixels by their height; 1 for keypoints."""
    from poise.io import read_frames

    if is_clip(source):
        return 1.0
    with read_frames(source) as reader:
        return float(reader.pixel_aspect)
