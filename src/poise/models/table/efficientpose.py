"""EfficientPose."""

from __future__ import annotations

from typing import Any

from poise.models.card import Card
from poise.models.table.files import IMAGENET
from poise.weights import WeightFile

# The hashes are those of the files of this commit.

_EFFICIENTPOSE: dict[str, Any] = {
    **IMAGENET,
    "family": "efficientpose",
    "kind": "crop",
    "skeleton": "mpii16",
    "layout": "NHWC",
    "detector": "rtmdet-nano",
    # Of 1.1 to 2.0 around the joints of LSP-extended, 1.6 was best (PCK 0.71 against 0.65 at the
    # usual 1.25). A detector's box is larger than the joints' own, so a little less is taken.
    "settings": {"padding": 1.5},
    "licence": "Apache-2.0",
    "data": "MPII, single persons",
    "note": "for one whole, unhidden person in the middle of the crop",
}
_EFFICIENTPOSE_ACCURACY = "PCKh@0.5 {} (MPII val; Groos et al. 2020, the repository's table)"
_EFFICIENTPOSE_FILES = "https://github.com/daniegr/EfficientPose/raw/78e4bd191378/models/tflite/"

ROWS = (
    Card(
        name="efficientpose-rt",
        size=(224, 224),
        accuracy=_EFFICIENTPOSE_ACCURACY.format("82.9"),
        files=(
            WeightFile(
                "EfficientPoseRT.tflite",
                "baf3da751c55517b7072a13f37ad5ce89d2dee813a7f0038ce90a7c8776d63b7",
                962840,
                (_EFFICIENTPOSE_FILES + "EfficientPoseRT.tflite",),
            ),
        ),
        **_EFFICIENTPOSE,
    ),
    Card(
        name="efficientpose-i",
        size=(256, 256),
        accuracy=_EFFICIENTPOSE_ACCURACY.format("85.2"),
        files=(
            WeightFile(
                "EfficientPoseI.tflite",
                "fc5aac01a3b10b00f110acf862ff241cfa687f66a54ed022784c946218d5d54b",
                1495900,
                (_EFFICIENTPOSE_FILES + "EfficientPoseI.tflite",),
            ),
        ),
        **_EFFICIENTPOSE,
    ),
)
