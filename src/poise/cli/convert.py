"""``poise convert``: one keypoint format to another."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from poise.clip import Clip
from poise.errors import UsageError
from poise.io import detect_format, read_clip, write_clip
from poise.io.clips import format_names, names_format
from poise.output import refuse_source
from poise.skeleton import Skeleton, get_skeleton

_FROM = (
    "Format of IN, found from its content, and its body layout where the file does not name it, "
    "such as openpose:body25b."
)
Input = Annotated[str, typer.Argument(metavar="IN", help="Keypoint file or folder to read.")]
Output = Annotated[
    str, typer.Argument(metavar="OUT", help="File to write, a folder ending in /, or -.")
]
Layout = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Body layout to write, such as coco17 or body25."),
]
FormatIn = Annotated[str | None, typer.Option("--from", metavar="FORMAT[:NAME]", help=_FROM)]
FormatOut = Annotated[
    str | None, typer.Option("--to", metavar="FORMAT", help="Format of OUT; found from its name.")
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace OUT.")]


def convert(
    input: Input,  # noqa: A002
    output: Output,
    *,
    skeleton: Layout = None,
    format_in: FormatIn = None,
    format_out: FormatOut = None,
    overwrite: Overwrite = False,
) -> None:
    """Convert keypoints from one format, and body layout, to another."""
    refuse_source(output, input)
    if format_out is None and not names_format(output):
        choices = ", ".join(format_names())
        remedy = f"end it in .jsonl, .csv, .npz or /, or add --to with one of {choices}"
        raise UsageError("its name does not tell the format", where=output, remedy=remedy)
    target = get_skeleton(skeleton) if skeleton else None
    named, _, layout = (format_in or "").partition(":")
    named = named or detect_format(input)
    clip = read_clip(input, format=named, skeleton=layout or None)
    before = clip.skeleton.name
    clip = _change_skeleton(clip, target or clip.skeleton)
    written = write_clip(clip, output, format=format_out, overwrite=overwrite)
    told = f"{len(clip)} frames from {input} ({named}, {before}) to {output} ({written.name})"
    typer.echo(told, err=True)


def _change_skeleton(clip: Clip, target: Skeleton) -> Clip:
    frames = tuple(poses.to(target) for poses in clip.frames)
    return replace(clip, frames=frames, header=replace(clip.header, skeleton=target))
