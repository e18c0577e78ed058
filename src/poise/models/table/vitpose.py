"""ViTPose++, as ONNX of easy_ViTPose."""

from __future__ import annotations

from typing import Any

from poise.models.card import Card
from poise.models.table.files import IMAGENET, NO_HASH
from poise.weights import WeightFile

# easy_ViTPose, inference.py: RGB, ImageNet's mean and std, UDP's coordinates and refinement with
# a kernel of 11. The method's own test takes 1.25 of the box (ViTPose, configs); easy_ViTPose
# takes ten pixels more than the box, which suits its detector. The collection's address is not
# a fixed one, but the hash tells whether the file is still the same.
_FILES = "https://huggingface.co/JunkyByte/easy_ViTPose/resolve/main/onnx/"
_VITPOSE: dict[str, Any] = {
    **IMAGENET,
    "family": "heatmap",
    "kind": "crop",
    "size": (192, 256),
    "detector": "rtmdet-nano",
    "settings": {"refine": "udp", "blur": 11, "unbiased": True},
    "licence": "Apache-2.0 (ViTPose and easy_ViTPose, which converted the weights)",
    "data": "six sets of people and animals together, COCO train2017 among them (ViTPose++)",
}
_AP = "AP {} (COCO val2017, flip test; ViTPose++ of ViTPose's README)"
_WHOLE_AP = "whole AP {} (COCO-WholeBody val; rtmlib's README)"
_TOO_LARGE = (
    "larger than one ONNX file can be, so its publisher splits it, and Poise reads no ONNX in "
    "pieces: convert it to OpenVINO IR and give both files with --weights"
)


def _files(
    name: str, folder: str, sha256: str = "", size: int | None = None
) -> tuple[WeightFile, ...]:
    return (WeightFile(f"{name}.onnx", sha256, size, (f"{_FILES}{folder}/{name}.onnx",)),)


def _body(grade: str, accuracy: str, note: str = NO_HASH, **known: Any) -> Card:
    return Card(
        name=f"vitpose-{grade}",
        skeleton="coco17",
        accuracy=_AP.format(accuracy),
        files=_files(f"vitpose-{grade}-coco", "coco", **known),
        note=note,
        **_VITPOSE,
    )


def _whole(grade: str, accuracy: str) -> Card:
    return Card(
        name=f"vitpose-{grade}-wholebody",
        skeleton="wholebody133",
        accuracy=_WHOLE_AP.format(accuracy),
        files=_files(f"vitpose-{grade}-wholebody", "wholebody"),
        note=NO_HASH,
        **_VITPOSE,
    )


ROWS = (
    _body("s", "75.8"),
    _body(
        "b",
        "77.0",
        note="",
        sha256="26e215fd6e27305824f13db0a0d0b597c3c4adf030dd66cbadf2228256f4af25",
        size=360123609,
    ),
    _body("l", "78.6"),
    _body("h", "79.4", note=_TOO_LARGE),
    _whole("s", "54.4"),
    _whole("b", "57.4"),
    _whole("l", "60.6"),
)
