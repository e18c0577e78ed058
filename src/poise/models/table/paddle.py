"""PaddleDetection's PP-TinyPose and PicoDet, as OpenVINO IR."""

from __future__ import annotations

from typing import Any

from poise.models.card import Card
from poise.models.table.files import IMAGENET, ir

_PADDLE_LICENCE = (
    "Apache-2.0 (the weights, PaddleDetection's; the repository that keeps the converted files "
    "states no licence)"
)
_TINYPOSE: dict[str, Any] = {
    **IMAGENET,
    "family": "heatmap",
    "kind": "crop",
    "skeleton": "coco17",
    "detector": "rtmdet-nano",
    "licence": _PADDLE_LICENCE,
    "data": "COCO train2017 and AI Challenger",
}

ROWS = (
    Card(
        name="picodet-s-pedestrian",
        family="picodet",
        kind="detector",
        size=(320, 320),
        licence=_PADDLE_LICENCE,
        data="PaddleDetection's pedestrian set",
        files=ir(
            "picodet_v2_s_320_pedestrian",
            "picodet_s_320_lcnet_pedestrian",
            (
                "fc69d950abc656f657e59874e2466f82da5370166c975367fa83b1f4f72c92da",
                "f3b8b2de41f9b34c05f10bd4640f9dd66f4ec191be3740b261183eaff9e554d2",
            ),
            (674659, 2292314),
            "picodet-s-pedestrian",
        ),
        **IMAGENET,
    ),
    Card(
        name="tinypose-256",
        size=(192, 256),
        accuracy="AP 68.3 to 68.8 (COCO val2017; PaddleDetection, PP-TinyPose)",
        files=ir(
            "tinypose_256_192",
            "model",
            (
                "71990905e8ee8de250c57c4d52a6bb25028fecb7f3fc35d43707febefa45ba14",
                "b16cdb387b96f431c4e0052a8f1c5344bb5cc7c71cc14e245be260624968e462",
            ),
            (1470698, 2600722),
            "tinypose-256",
        ),
        **_TINYPOSE,
    ),
    Card(
        name="tinypose-128",
        size=(96, 128),
        accuracy="AP 58.1 to 58.4 (COCO val2017; PaddleDetection, PP-TinyPose)",
        files=ir(
            "tinypose_128_96",
            "model",
            (
                "f743e248d871ce647c63e05cde6a1bc660bf612208687acf70173bbe18e1885a",
                "aa745b5711155bf07b3c60bb9d0b17ad4f5cd6ff57606fba564f20764fe79daf",
            ),
            (1469407, 2600722),
            "tinypose-128",
        ),
        **_TINYPOSE,
    ),
)
