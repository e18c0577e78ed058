"""Top-down heat maps of several publishers: SimpleBaseline, HRNet and AlphaPose's FastPose.

Nobody publishes these in a form that Poise reads, only PyTorch checkpoints without a hash of what
they become. The rows say everything but the weights; those are the user's own (``--weights``).
"""

from __future__ import annotations

from typing import Any

from poise.models.card import Card
from poise.models.table.files import IMAGENET, own

_SMALL, _LARGE = (192, 256), (288, 384)
_COCO: dict[str, Any] = {
    "family": "heatmap",
    "kind": "crop",
    "skeleton": "coco17",
    "detector": "rtmdet-nano",
    "data": "COCO train2017",
    # SimpleBaseline's test: a quarter of a cell (lib/core/inference.py); mirrored maps move by one.
    "settings": {"refine": "quarter"},
}
# mmpose's checkpoints and HRNet's own were trained on RGB. Microsoft's SimpleBaseline was not:
# its JointsDataset hands OpenCV's BGR to a normalisation in the order of RGB.
_SIMPLE: dict[str, Any] = {
    **_COCO,
    **IMAGENET,
    "licence": "MIT (Microsoft's checkpoints), Apache-2.0 (mmpose's)",
    "note": (
        "bring your own ONNX, --weights FILE: as mmpose's checkpoints, in RGB; of Microsoft's own "
        "write a card with channels BGR and the same mean and std"
    ),
}
_HRNET: dict[str, Any] = {
    **_COCO,
    **IMAGENET,
    "licence": "MIT (HRNet's checkpoints), Apache-2.0 (mmpose's)",
    "note": "bring your own ONNX, --weights FILE, exported from HRNet's or mmpose's checkpoint",
}
# alphapose/utils/presets/simple_transform.py: RGB, x / 255 - (0.406, 0.457, 0.480), box x 1.25;
# alphapose/utils/transforms.py: heatmap_to_coord_simple is SimpleBaseline's.
_FASTPOSE: dict[str, Any] = {
    **_COCO,
    "size": _SMALL,
    "mean": (103.53, 116.535, 122.4),
    "std": (255.0, 255.0, 255.0),
    "settings": {**_COCO["settings"], "nms": "alphapose"},
    "licence": "AlphaPose's own",
    "restriction": (
        "AlphaPose's licence: for non-commercial use only; commercial use needs a licence from "
        "its authors"
    ),
    "note": "bring your own ONNX, --weights FILE, exported from AlphaPose's checkpoint",
}
_MICROSOFT_AP = "AP {} (COCO val2017, flip test; Microsoft's own weights and README)"
_HRNET_AP = "AP {} (COCO val2017, flip test; mmpose; HRNet's README {})"
_ALPHAPOSE_AP = "AP {} (COCO val2017, flip test; AlphaPose, docs/MODEL_ZOO.md)"


def _simple(depth: int, size: tuple[int, int], accuracy: str) -> Card:
    name = f"simplebaseline-resnet{depth}" + ("-384" if size == _LARGE else "")
    return Card(name=name, size=size, accuracy=accuracy, files=own(f"{name}.onnx"), **_SIMPLE)


def _hrnet(width: int, size: tuple[int, int], accuracy: str) -> Card:
    name = f"hrnet-w{width}" + ("-384" if size == _LARGE else "")
    return Card(name=name, size=size, accuracy=accuracy, files=own(f"{name}.onnx"), **_HRNET)


def _fastpose(kind: str, accuracy: str, **changes: Any) -> Card:
    name = f"alphapose-fastpose-{kind}"
    return Card(name=name, accuracy=accuracy, files=own(f"{name}.onnx"), **{**_FASTPOSE, **changes})


ROWS = (
    _simple(
        50,
        _SMALL,
        "AP 71.8 (COCO val2017, flip test; mmpose; Microsoft's own weights 70.4)",
    ),
    _simple(50, _LARGE, _MICROSOFT_AP.format("72.2")),
    _simple(101, _SMALL, _MICROSOFT_AP.format("71.4")),
    _simple(101, _LARGE, _MICROSOFT_AP.format("73.6")),
    _simple(152, _SMALL, _MICROSOFT_AP.format("72.0")),
    _simple(152, _LARGE, _MICROSOFT_AP.format("74.3")),
    _hrnet(32, _SMALL, _HRNET_AP.format("74.9", "74.4")),
    _hrnet(32, _LARGE, _HRNET_AP.format("76.1", "75.8")),
    _hrnet(48, _SMALL, _HRNET_AP.format("75.6", "75.1")),
    _hrnet(48, _LARGE, _HRNET_AP.format("76.7", "76.3")),
    _fastpose("resnet50", _ALPHAPOSE_AP.format("72.0")),
    _fastpose("resnet50-duc", _ALPHAPOSE_AP.format("72.4")),
    _fastpose("resnet152-duc", _ALPHAPOSE_AP.format("73.3")),
    _fastpose(
        "resnet50-body26",
        "AP 69.0 (Halpe-26; AlphaPose, docs/MODEL_ZOO.md)",
        skeleton="halpe26",
        data="Halpe-FullBody",
    ),
)
