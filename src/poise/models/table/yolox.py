"""Megvii's YOLOX."""

from __future__ import annotations

from poise.models.card import Card
from poise.weights import WeightFile

ROWS = (
    Card(
        name="yolox-nano",
        family="yolox",
        kind="detector",
        size=(416, 416),
        channels="BGR",
        settings={"output": "raw"},
        licence="Apache-2.0",
        data="COCO train2017",
        accuracy="box AP 25.8 (80 classes of COCO val2017; Megvii YOLOX)",
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
    ),
)
