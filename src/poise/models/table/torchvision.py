"""torchvision's Keypoint R-CNN."""

from __future__ import annotations

from poise.models.card import Card
from poise.models.table.files import IMAGENET
from poise.weights import WeightFile

ROWS = (
    Card(
        name="keypoint-rcnn",
        family="rcnn",
        kind="pose",
        skeleton="coco17",
        # The short side becomes 800 pixels, unless the long one would pass 1333.
        size=(1333, 800),
        # torchvision sets the epsilon of all its normalisation to nought for these weights.
        settings={"style": "torchvision", "epsilon": 0.0},
        licence=(
            "BSD-3-Clause (torchvision's; it says that weights may have terms of their own, "
            "derived from the data, and states none for these)"
        ),
        data="COCO train2017, persons with keypoints",
        accuracy=(
            "AP 65.0, box AP 54.6 (COCO val2017, people of a score above 0.05; torchvision, "
            "KeypointRCNN_ResNet50_FPN_Weights.COCO_V1)"
        ),
        files=(
            # The first 8 digits of the hash are torchvision's own, in the file's name; the whole
            # is as published by several users.
            WeightFile(
                "keypointrcnn_resnet50_fpn_coco-fc266e95.pth",
                "fc266e953d2b302cdcbb9ae66f71f6b0d4649928bf02dc573961e361e4918926",
                237034793,
                (
                    "https://download.pytorch.org/models/"
                    "keypointrcnn_resnet50_fpn_coco-fc266e95.pth",
                ),
            ),
        ),
        note=(
            "everyone by itself, boxes first; large and slow; needs torch, or its export to ONNX; "
            "shows people of a score above 0.5"
        ),
        **IMAGENET,
    ),
)
