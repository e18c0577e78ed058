"""PoseNet: Coral's quantised networks, and the float ones of TensorFlow.js for users to convert."""

from __future__ import annotations

from typing import Any

from poise.models.card import Card
from poise.models.table.files import coral
from poise.weights import WeightFile

# Ten people, of a score of 0.25 at least: rwightman/posenet-python, image_demo.py. With tfjs's own
# (five people of any score) 36 pictures had 0.39 false people each instead of 0.14.

_POSENET: dict[str, Any] = {
    "family": "posenet",
    "kind": "pose",
    "skeleton": "coco17",
    "layout": "NHWC",
    "licence": "Apache-2.0 (licence of google-coral/project-posenet, which keeps the weights)",
    "data": "not stated with the weights; the method's paper trained on COCO train2017",
    "accuracy": "none published for MobileNetV1 0.75",
    "note": "everyone in one pass: its time does not grow with the number of people",
}
_CROWD: dict[str, Any] = {"people": 10, "least": 0.25}
_ALONE: dict[str, Any] = {"decoding": "single", "least": 0.25}
# tfjs-models, posenet: mobilenet.ts scales to -1..1; resnet.ts subtracts ImageNet's mean, in RGB.
# Sides are a multiple of the stride, which is 8, 16 or 32 pixels, and 1.
_FLOAT: dict[str, Any] = {
    **_POSENET,
    "size": (513, 385),
    "licence": "Apache-2.0 (licence of tensorflow/tfjs-models, whose networks they are)",
    "note": "bring your own ONNX, TFLite or frozen graph, --weights FILE, of any stride",
}
_MOBILENET: dict[str, Any] = {
    "mean": (127.5, 127.5, 127.5),
    "std": (127.5, 127.5, 127.5),
    "files": (WeightFile("posenet-mobilenet-float.onnx", ""),),
    "accuracy": "none published for MobileNetV1",
}
_RESNET50: dict[str, Any] = {
    "mean": (123.15, 115.90, 103.06),
    "files": (WeightFile("posenet-resnet50.onnx", ""),),
    "accuracy": "none published for ResNet50",
}

ROWS = (
    Card(
        name="posenet-mobilenet",
        size=(641, 481),
        settings=_CROWD,
        files=coral(
            "posenet_mobilenet_v1_075_481_641_quant",
            "d7ac211a927e114a9266e424c3cb5b6ce0db462ee2d5311471c437cca2b262a6",
            1298664,
        ),
        **_POSENET,
    ),
    Card(
        name="posenet-mobilenet-small",
        size=(481, 353),
        settings=_CROWD,
        files=coral(
            "posenet_mobilenet_v1_075_353_481_quant",
            "d589f727ee72effba3e8211b04c284fc65fc0a22907c161e2d6c080244d5c264",
            1298664,
        ),
        **_POSENET,
    ),
    Card(
        name="posenet-mobilenet-single",
        size=(481, 353),
        settings=_ALONE,
        files=coral(
            "posenet_mobilenet_v1_075_353_481_quant",
            "d589f727ee72effba3e8211b04c284fc65fc0a22907c161e2d6c080244d5c264",
            1298664,
        ),
        **{**_POSENET, "note": "one person, each keypoint by itself; for pictures of one person"},
    ),
    Card(name="posenet-mobilenet-float", settings=_CROWD, **{**_FLOAT, **_MOBILENET}),
    Card(name="posenet-mobilenet-float-single", settings=_ALONE, **{**_FLOAT, **_MOBILENET}),
    Card(name="posenet-resnet50", settings=_CROWD, **{**_FLOAT, **_RESNET50}),
    Card(name="posenet-resnet50-single", settings=_ALONE, **{**_FLOAT, **_RESNET50}),
)
