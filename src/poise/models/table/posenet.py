"""PoseNet, Coral's quantised networks."""

from __future__ import annotations

from typing import Any

from poise.models.card import Card
from poise.models.table.files import coral

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
        settings={"decoding": "single", "least": 0.25},
        files=coral(
            "posenet_mobilenet_v1_075_353_481_quant",
            "d589f727ee72effba3e8211b04c284fc65fc0a22907c161e2d6c080244d5c264",
            1298664,
        ),
        **{**_POSENET, "note": "one person, each keypoint by itself; for pictures of one person"},
    ),
)
