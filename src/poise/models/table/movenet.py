"""MoveNet."""

from __future__ import annotations

from poise.models.card import Card
from poise.weights import WeightFile

ROWS = (
    Card(
        name="movenet-lightning",
        family="movenet",
        kind="pose",
        skeleton="coco17",
        size=(192, 192),
        layout="NHWC",
        # It also reads the crops of a detector: DETECTOR+movenet-lightning.
        settings={"crop": True},
        licence="Apache-2.0 (the repository that keeps the file; the weights are Google's)",
        data="COCO train2017 and Active, Google's own set of fitness, yoga and dance",
        accuracy=(
            "mAP 57.4 (COCO, pictures cut to hold one person; TensorFlow Lite, pose estimation "
            "overview)"
        ),
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
    ),
)
