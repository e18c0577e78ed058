"""MoveNet."""

from __future__ import annotations

from typing import Any

from poise.models.card import Card
from poise.models.table.files import own
from poise.weights import WeightFile

_MOVENET: dict[str, Any] = {
    "family": "movenet",
    "kind": "pose",
    "skeleton": "coco17",
    "layout": "NHWC",
    "data": "COCO train2017 and Active, Google's own set of fitness, yoga and dance",
}
# They also read the crops of a detector: DETECTOR+movenet-lightning.
_SINGLE: dict[str, Any] = {**_MOVENET, "settings": {"crop": True}}
_AP = "mAP {} (COCO, pictures cut to hold one person; TensorFlow Lite, pose estimation overview)"
_HUB = (
    "https://tfhub.dev/google/lite-model/movenet/singlepose/{}/tflite/float16/4?lite-format=tflite"
)
_BRING = "nobody has published a hash of this file: get it yourself"

ROWS = (
    Card(
        name="movenet-lightning",
        size=(192, 192),
        licence="Apache-2.0 (the repository that keeps the file; the weights are Google's)",
        accuracy=_AP.format("57.4"),
        files=(
            WeightFile(
                "movenet-lightning-int8.tflite",
                "cd7cc22fa946e5d146a7b98d496853e1923e22828d3972d579973f27f91bb105",
                2894840,
                (
                    "https://github.com/google-coral/test_data/raw/"
                    "104342d2d3480b3e66203073dac24f4e2dbb4c41/"
                    "movenet_single_pose_lightning_ptq.tflite",
                ),
            ),
        ),
        note="for one person; quantised to 8 bits (int8), so less exact than the float16 file",
        **_SINGLE,
    ),
    Card(
        name="movenet-lightning-float16",
        size=(192, 192),
        licence="Apache-2.0",
        accuracy=_AP.format("63.0"),
        files=own("movenet-lightning-float16.tflite", _HUB.format("lightning")),
        note=f"for one person; {_BRING}",
        **_SINGLE,
    ),
    Card(
        name="movenet-thunder",
        size=(256, 256),
        licence="Apache-2.0",
        accuracy=_AP.format("72.0"),
        files=own("movenet-thunder-float16.tflite", _HUB.format("thunder")),
        note=f"for one person; {_BRING}",
        **_SINGLE,
    ),
    Card(
        name="movenet-multipose",
        size=(256, 256),
        settings={"output": "multi"},
        licence="Apache-2.0",
        accuracy="none published with the network",
        files=own("movenet-multipose.tflite"),
        note=f"for up to six people; {_BRING} (google/movenet, multipose lightning)",
        **_MOVENET,
    ),
)
