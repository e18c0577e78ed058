"""Megvii's YOLOX."""

from __future__ import annotations

from typing import Any

from poise.models.card import Card
from poise.models.table.files import own
from poise.weights import WeightFile

_YOLOX: dict[str, Any] = {
    "family": "yolox",
    "kind": "detector",
    "channels": "BGR",
    "settings": {"output": "raw"},
    "licence": "Apache-2.0",
    "data": "COCO train2017",
}
_AP = "box AP {} (80 classes of COCO val2017; Megvii YOLOX)"
_RELEASE = "https://github.com/Megvii-BaseDetection/YOLOX/releases/download/0.1.1rc0/"
_OTHERS = {"tiny": "32.8", "s": "40.5", "m": "46.9", "l": "49.7", "x": "51.1"}

ROWS = (
    Card(
        name="yolox-nano",
        size=(416, 416),
        accuracy=_AP.format("25.8"),
        files=(
            WeightFile(
                "yolox-nano.onnx",
                "695e750a5d5754bb5a8d5325643b59282191a7e7a564e435a415fd3c578eab14",
                3660092,
                (
                    "https://github.com/Kazuhito00/YOLOX-ONNX-TFLite-Sample/raw/"
                    "3d4f1119d069/model/yolox_nano.onnx",
                ),
            ),
        ),
        **_YOLOX,
    ),
    *(
        Card(
            name=f"yolox-{grade}",
            size=(416, 416) if grade == "tiny" else (640, 640),
            accuracy=_AP.format(accuracy),
            files=own(f"yolox-{grade}.onnx", f"{_RELEASE}yolox_{grade}.onnx"),
            note="nobody has published a hash of this file: get it yourself, and give its hash",
            **_YOLOX,
        )
        for grade, accuracy in _OTHERS.items()
    ),
)
