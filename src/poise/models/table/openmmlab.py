"""OpenMMLab's: RTMDet, RTMPose and the YOLOX detectors that go with it."""

from __future__ import annotations

from typing import Any

from poise.models.card import Card
from poise.models.table.files import openmmlab, own
from poise.weights import WeightFile

# mmpose, projects/rtmpose; hashes of the member end2end.onnx, as published by several users.

_HUMANART: dict[str, Any] = {
    "family": "yolox",
    "kind": "detector",
    "channels": "BGR",
    "settings": {"output": "suppressed"},
    "licence": "Apache-2.0",
    "data": "COCO train2017 and Human-Art",
}
_HUMANART_AP = "box AP {} (persons; Human-Art's table of detectors, which does not name the set)"
_RTMDET: dict[str, Any] = {
    "family": "rtmdet",
    "kind": "detector",
    "channels": "BGR",
    "mean": (103.53, 116.28, 123.675),
    "std": (57.375, 57.12, 58.395),
}

ROWS = (
    Card(
        name="rtmdet-nano",
        # Trained at 320; at 512 it finds more of the small people for 2.4 times the work.
        size=(512, 512),
        licence=(
            "Apache-2.0 (the weights, OpenMMLab's; the repository that keeps the converted file "
            "states no licence)"
        ),
        data="COCO train2017, persons",
        accuracy="box AP 40.3 (persons of COCO val2017; mmpose, projects/rtmpose)",
        files=(
            WeightFile(
                "rtmdet-nano.onnx",
                "3ffba1489bb1cd4e4744f505f6423e2173c188795860e94c0fe9937ab6133a0f",
                4098350,
                (
                    "https://github.com/zhouweigogogo/RTMPose-NCNN/raw/"
                    "f231cfd42dea566d7f2c1eb6cc5fdd3ee2f2182e/rtmpose/models/rtmdet-nano.onnx",
                ),
            ),
        ),
        **_RTMDET,
    ),
    Card(
        name="rtmdet-m",
        size=(640, 640),
        licence="Apache-2.0",
        data="COCO train2017 and Objects365, persons",
        accuracy="box AP 62.5 (persons of COCO val2017; mmpose, projects/rtmpose)",
        files=own("rtmdet-m.onnx"),
        note="convert rtmdet_m_8xb32-100e_coco-obj365-person with mmdeploy, and give its hash",
        **_RTMDET,
    ),
    Card(
        name="yolox-nano-humanart",
        size=(416, 416),
        accuracy=_HUMANART_AP.format("38.9"),
        files=openmmlab(
            "yolox_nano_8xb8-300e_humanart-40f6f0d0",
            "1450966de24902b18aada1a78913d7efd8fc8dcd51bd4d0d5591476bd4a38821",
            3722395,
        ),
        **_HUMANART,
    ),
    Card(
        name="yolox-tiny-humanart",
        size=(416, 416),
        accuracy=_HUMANART_AP.format("47.7"),
        files=openmmlab(
            "yolox_tiny_8xb8-300e_humanart-6f3252f9",
            "ceb11c07298f95c50d7c5abeb906d03340c85f23aa79e3e66966e7fb6c307250",
            mirrored=True,
        ),
        **_HUMANART,
    ),
    Card(
        name="yolox-s-humanart",
        size=(640, 640),
        accuracy=_HUMANART_AP.format("54.6"),
        files=openmmlab(
            "yolox_s_8xb8-300e_humanart-3ef259a7",
            "332e09ea9696e3401049b6c5314851db020b6430f85da159e65f37034ab3aee8",
        ),
        **_HUMANART,
    ),
    Card(
        name="yolox-m-humanart",
        size=(640, 640),
        accuracy=_HUMANART_AP.format("59.1"),
        files=openmmlab(
            "yolox_m_8xb8-300e_humanart-c2c7a14a",
            "3dea6513388889f0fff4b77bf7a26013600321b9eb9ceb0e9a400a82572f5f23",
            101400344,
            mirrored=True,
        ),
        **_HUMANART,
    ),
    Card(
        name="yolox-l-humanart",
        size=(640, 640),
        accuracy=_HUMANART_AP.format("60.2"),
        files=openmmlab(
            "yolox_l_8xb8-300e_humanart-ce1d7a62",
            "0e7a169bb6b2f439c318f727fd894b1405c30280baca676e6a5c7d1f8cb52876",
        ),
        **_HUMANART,
    ),
    Card(
        name="yolox-x-humanart",
        size=(640, 640),
        accuracy=_HUMANART_AP.format("61.3"),
        files=openmmlab(
            "yolox_x_8xb8-300e_humanart-a39d44ed",
            "8e9ea96a176bd48501eaaa77216e49ee30794d2f8ba80c7b9862beca4ea972da",
        ),
        **_HUMANART,
    ),
)
