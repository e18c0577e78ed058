"""Ultralytics' YOLO-pose. Users export the networks themselves; none is fetched."""

from __future__ import annotations

from poise.models.card import Card
from poise.models.table.files import own

# Published AP on COCO val2017 at 640, and what rf-detr's benchmarks measured with pycocotools on
# all 5,000 pictures (docs/learn/benchmarks.md at 051c611).
_OWN = "AP {} (COCO val2017; Ultralytics, by its own validator)"
_OTHERS = "AP {} (COCO val2017; measured by rf-detr's benchmarks with pycocotools)"
_BOTH = "AP {} (COCO val2017; Ultralytics, by its own validator; rf-detr's benchmarks measured {})"

_ACCURACY = {
    "yolov8n": _OWN.format("50.4"),
    "yolov8s": _OWN.format("60.0"),
    "yolov8m": _OWN.format("65.0"),
    "yolov8l": _OWN.format("67.6"),
    "yolov8x": _OWN.format("69.2"),
    "yolo11n": _OTHERS.format("48.9"),
    "yolo11s": _OTHERS.format("57.5"),
    "yolo11m": _OTHERS.format("64.2"),
    "yolo11l": _OTHERS.format("65.2"),
    "yolo11x": _OTHERS.format("68.6"),
    "yolo26n": _BOTH.format("57.2", "55.9"),
    "yolo26s": _BOTH.format("63.1", "62.0"),
    "yolo26m": _BOTH.format("68.8", "68.0"),
    "yolo26l": _BOTH.format("70.4", "69.2"),
    "yolo26x": _BOTH.format("71.6", "71.0"),
}

ROWS = tuple(
    Card(
        name=f"{name}-pose",
        family="yolopose",
        kind="pose",
        skeleton="coco17",
        size=(640, 640),
        std=(255.0, 255.0, 255.0),
        licence="AGPL-3.0 (or Ultralytics' enterprise licence, which is sold)",
        restriction=(
            "AGPL-3.0: whoever passes on a program that uses it, or offers it over a network, must "
            "publish the whole program under AGPL-3.0, or buy Ultralytics' enterprise licence"
        ),
        data="COCO train2017",
        accuracy=accuracy,
        files=own(f"{name}-pose.onnx"),
        note=f"export it yourself: yolo export model={name}-pose.pt format=onnx imgsz=640",
    )
    for name, accuracy in _ACCURACY.items()
)
