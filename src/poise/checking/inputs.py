"""Does the file take what the card says: axes, channels, size?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from poise.checking.findings import Finding
from poise.models import Card
from poise.runtime import Session


def check_input(card: Card, paths: Sequence[Path]) -> tuple[Finding, Card]:
    """Compare the network's own input with the card's layout and size.

    Returns:
        The finding, and the card with what is plainly wrong put right, for the other checks.
    """
    if paths[0].suffix.lower() in (".pth", ".pt"):
        return Finding("input", "ok", "a checkpoint of torch: pictures of any size"), card
    shapes = Session(paths, precision="f32").input_shapes
    shape = tuple(shapes[0])
    # Further inputs tell sizes (the DETR kin, Keypoint R-CNN); the family knows them.
    if len(shape) != 4:
        came = ", ".join(str(tuple(one)) for one in shapes)
        text = f"wanted one input of pictures with four axes, got {came}"
        return Finding("input", "fail", text), card
    told = f"the network takes {shape}"
    layouts = {"NCHW": shape[1], "NHWC": shape[3]}
    if layouts[card.layout] not in (3, -1):
        fitting = [layout for layout, channels in layouts.items() if channels == 3]
        what = f"which is {fitting[0]}" if fitting else "no picture of three channels"
        text = f"{told}, {what}; the card's layout is {card.layout}"
        right = replace(card, layout=fitting[0]) if fitting else card
        return Finding("input", "fail", text), right
    height, width = (shape[2], shape[3]) if card.layout == "NCHW" else (shape[1], shape[2])
    size = _words(card.size)
    if min(height, width) < 1:
        return Finding("input", "ok", f"{told}: any size; the card's is {size}"), card
    if (width, height) == card.size:
        return Finding("input", "ok", f"{told}, as the card says ({card.layout}, {size})"), card
    if (height, width) == card.size:
        text = (
            f"{told}, so it is {width} wide and {height} high; the card has width and height the "
            f"other way round: write size = [{width}, {height}]"
        )
        return Finding("input", "fail", text), replace(card, size=(width, height))
    text = f"{told}, made for {_words((width, height))}; the card sets it to {size}"
    return Finding("input", "warn", text), card


def _words(size: tuple[int, int]) -> str:
    return f"{size[0]} wide, {size[1]} high"
