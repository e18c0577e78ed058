"""OpenPifPaf's: networks with composite fields. Users export them themselves."""

from __future__ import annotations

from typing import Any

from poise.models.card import Card
from poise.models.table.files import IMAGENET
from poise.weights import WeightFile

_OPENPIFPAF: dict[str, Any] = {
    "family": "cifcaf",
    "kind": "pose",
    "skeleton": "coco17",
    # 16 n + 1, as the published figures; the proportions stay, the rest is grey.
    "size": (641, 641),
    **IMAGENET,
    "licence": "AGPL-3.0 (openpifpaf, which publishes the weights; commercial licences are sold)",
    "restriction": (
        "AGPL-3.0: who serves this model to others, over a network too, must offer them the "
        "source of the whole program, or buy a commercial licence of openpifpaf"
    ),
    "data": "COCO train2017",
    "note": (
        "no file of it is published for this: export your own with python -m "
        "openpifpaf.export_onnx --checkpoint {0} --input-width 641 --input-height 641, and give "
        "it as weights"
    ),
}
_AP = "AP {} (COCO val2017 at 641 px; openpifpaf, guide/intro.md)"


def _row(checkpoint: str, ap: str) -> Card:
    known = {**_OPENPIFPAF, "note": _OPENPIFPAF["note"].format(checkpoint)}
    file = WeightFile(f"openpifpaf-{checkpoint}.onnx", "", None, ())
    return Card(name=f"openpifpaf-{checkpoint}", accuracy=_AP.format(ap), files=(file,), **known)


ROWS = (_row("shufflenetv2k16", "68.1"), _row("shufflenetv2k30", "71.8"))
