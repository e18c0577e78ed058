"""Detectron2's COCO person keypoint baseline."""

from __future__ import annotations

from poise.models.card import Card
from poise.weights import WeightFile

ROWS = (
    Card(
        name="detectron2-keypoint-rcnn",
        family="rcnn",
        kind="pose",
        skeleton="coco17",
        size=(1333, 800),
        channels="BGR",
        mean=(103.53, 116.28, 123.675),
        settings={"style": "detectron2"},
        licence="CC BY-SA 3.0 (the weights; Detectron2, MODEL_ZOO.md; its code is Apache-2.0)",
        restriction=(
            "CC BY-SA 3.0: whoever passes on these weights, or others made of them, names "
            "Detectron2 and does so under the same licence"
        ),
        data="COCO train2017, persons with keypoints",
        accuracy=(
            "AP 65.5, box AP 55.4 (COCO val2017, people of a score above 0.05; Detectron2, "
            "MODEL_ZOO.md, keypoint_rcnn_R_50_FPN_3x)"
        ),
        files=(
            WeightFile(
                "model_final_a6e10b.pkl",
                "",
                None,
                (
                    "https://dl.fbaipublicfiles.com/detectron2/COCO-Keypoints/"
                    "keypoint_rcnn_R_50_FPN_3x/137849621/model_final_a6e10b.pkl",
                ),
            ),
        ),
        note=(
            "Detectron2 publishes a pickle, which may run code and is not opened: write its "
            "model.state_dict() with torch.save where you trust it, and give that file"
        ),
    ),
)
