"""RTMPose and its kin of OpenMMLab: 17 and 26 keypoints, and whole bodies (DWPose, RTMW)."""

from __future__ import annotations

from typing import Any

from poise.models.card import Card
from poise.models.table.files import IMAGENET, NO_HASH, openmmlab

# Hashes of the member end2end.onnx, as published by users; mmpose's own lists have none.
# RGB: mmpose trains with bgr_to_rgb (configs, rtmpose-m_8xb256-420e_coco-256x192.py).

_SMALL, _LARGE = (192, 256), (288, 384)
_RTMPOSE: dict[str, Any] = {
    **IMAGENET,
    "family": "simcc",
    "kind": "crop",
    "settings": {"split": 2.0},
    "licence": "Apache-2.0",
}
_BODY7 = "Body7: AI Challenger, COCO, CrowdPose, MPII, sub-JHMDB, Halpe, PoseTrack18"
_BODY: dict[str, Any] = {**_RTMPOSE, "skeleton": "coco17", "data": _BODY7}
_FEET: dict[str, Any] = {**_RTMPOSE, "skeleton": "halpe26", "data": _BODY7}
_ART: dict[str, Any] = {**_RTMPOSE, "skeleton": "coco17", "data": "COCO train2017 and Human-Art"}
_WHOLE: dict[str, Any] = {**_RTMPOSE, "skeleton": "wholebody133"}
_DWPOSE: dict[str, Any] = {**_WHOLE, "data": "COCO-WholeBody and UBody, distilled"}
_RTMW: dict[str, Any] = {**_WHOLE, "data": "Cocktail14: fourteen sets of bodies, hands and faces"}

_BODY_AP = "AP {} (COCO val2017, flip test; mmpose, projects/rtmpose, trained on Body7)"
_FEET_AUC = "AUC {} (Body8, PCK@0.1 {}; mmpose, rtmpose_body8-halpe26)"
_ART_AP = "AP {} (Human-Art val, true boxes; mmpose, configs of rtmpose/humanart)"
_WHOLE_AP = "whole AP {} (COCO-WholeBody val; {})"
_M_OR_S = (
    "the lists disagree on which file is RTMW-m: mmpose's checkpoint is 'dw-l-m' (this one), "
    "rtmlib's newer list says 'dw-m-s'; nobody has published a hash of either, so bring your own: "
    "--weights FILE"
)

ROWS = (
    Card(
        name="rtmpose-t",
        size=_SMALL,
        detector="yolox-tiny-humanart",
        accuracy=_BODY_AP.format("65.9"),
        files=openmmlab("rtmpose-t_simcc-body7_pt-body7_420e-256x192-026a1439_20230504"),
        note=NO_HASH,
        **_BODY,
    ),
    Card(
        name="rtmpose-s",
        size=_SMALL,
        detector="yolox-tiny-humanart",
        accuracy=_BODY_AP.format("69.7"),
        files=openmmlab(
            "rtmpose-s_simcc-body7_pt-body7_420e-256x192-acd4a1ef_20230504",
            "9aeb635b83f86aea45cf45d85798f7eba1a162de8e0d721c44e54fe5eebaf47d",
        ),
        **_BODY,
    ),
    Card(
        name="rtmpose-m",
        size=_SMALL,
        detector="yolox-m-humanart",
        accuracy=_BODY_AP.format("74.9"),
        files=openmmlab(
            "rtmpose-m_simcc-body7_pt-body7_420e-256x192-e48f03d0_20230504",
            "5c0a4bf67953e6d2ac43ce15e77dc9d5d354ae18430a47d2c5963a7bc5683e3c",
            54330655,
        ),
        **_BODY,
    ),
    Card(
        name="rtmpose-m-384",
        size=_LARGE,
        detector="yolox-m-humanart",
        accuracy=_BODY_AP.format("76.6"),
        files=openmmlab("rtmpose-m_simcc-body7_pt-body7_420e-384x288-65e718c4_20230504"),
        note=NO_HASH,
        **_BODY,
    ),
    Card(
        name="rtmpose-l",
        size=_SMALL,
        detector="yolox-m-humanart",
        accuracy=_BODY_AP.format("76.7"),
        files=openmmlab(
            "rtmpose-l_simcc-body7_pt-body7_420e-256x192-4dba18fc_20230504",
            "cff059fd58a2c0d5fabaddcd66a96abcfb327563bcb0149ea59c9de4a8990fe2",
        ),
        **_BODY,
    ),
    Card(
        name="rtmpose-l-384",
        size=_LARGE,
        detector="yolox-m-humanart",
        accuracy=_BODY_AP.format("78.3"),
        files=openmmlab(
            "rtmpose-l_simcc-body7_pt-body7_420e-384x288-3f5a1437_20230504",
            "62425affc6b9edba8f8a65f55f5e278fec5d905d0c90578e0f8503bdf3954587",
        ),
        **_BODY,
    ),
    Card(
        name="rtmpose-x-384",
        size=_LARGE,
        detector="yolox-m-humanart",
        accuracy=_BODY_AP.format("78.8"),
        files=openmmlab(
            "rtmpose-x_simcc-body7_pt-body7_700e-384x288-71d7b7e9_20230629",
            "df0c0fa91e9870b1515dcaff741fd76cc753dcfb12786862f61b243bae81cd52",
        ),
        **_BODY,
    ),
    Card(
        name="rtmpose-t-body26",
        size=_SMALL,
        detector="yolox-tiny-humanart",
        accuracy=_FEET_AUC.format("66.35", "91.89"),
        files=openmmlab("rtmpose-t_simcc-body7_pt-body7-halpe26_700e-256x192-6020f8a6_20230605"),
        note=NO_HASH,
        **_FEET,
    ),
    Card(
        name="rtmpose-s-body26",
        size=_SMALL,
        detector="yolox-tiny-humanart",
        accuracy=_FEET_AUC.format("68.62", "93.01"),
        files=openmmlab("rtmpose-s_simcc-body7_pt-body7-halpe26_700e-256x192-7f134165_20230605"),
        note=NO_HASH,
        **_FEET,
    ),
    Card(
        name="rtmpose-m-body26",
        size=_SMALL,
        detector="yolox-m-humanart",
        accuracy=_FEET_AUC.format("71.91", "94.75"),
        files=openmmlab(
            "rtmpose-m_simcc-body7_pt-body7-halpe26_700e-256x192-4d3e73dd_20230605",
            "26f3a19e61304a600dfb82d1001d41d24343b89fc70a33ffc84657e0b0bf2ecf",
            55685444,
            mirrored=True,
        ),
        **_FEET,
    ),
    Card(
        name="rtmpose-l-body26",
        size=_SMALL,
        detector="yolox-m-humanart",
        accuracy=_FEET_AUC.format("73.19", "95.37"),
        files=openmmlab("rtmpose-l_simcc-body7_pt-body7-halpe26_700e-256x192-2abb7558_20230605"),
        note=NO_HASH,
        **_FEET,
    ),
    Card(
        name="rtmpose-m-body26-384",
        size=_LARGE,
        detector="yolox-m-humanart",
        accuracy=_FEET_AUC.format("73.56", "95.15"),
        files=openmmlab("rtmpose-m_simcc-body7_pt-body7-halpe26_700e-384x288-89e6428b_20230605"),
        note=NO_HASH,
        **_FEET,
    ),
    Card(
        name="rtmpose-l-body26-384",
        size=_LARGE,
        detector="yolox-m-humanart",
        accuracy=_FEET_AUC.format("74.38", "95.56"),
        files=openmmlab("rtmpose-l_simcc-body7_pt-body7-halpe26_700e-384x288-734182ce_20230605"),
        note=NO_HASH,
        **_FEET,
    ),
    Card(
        name="rtmpose-x-body26-384",
        size=_LARGE,
        detector="yolox-m-humanart",
        accuracy=_FEET_AUC.format("74.82", "95.74"),
        files=openmmlab("rtmpose-x_simcc-body7_pt-body7-halpe26_700e-384x288-7fb6e239_20230606"),
        note=NO_HASH,
        **_FEET,
    ),
    Card(
        name="rtmpose-t-humanart",
        size=_SMALL,
        detector="yolox-tiny-humanart",
        accuracy="unknown (mmpose, configs/body_2d_keypoint/rtmpose/humanart)",
        files=openmmlab("rtmpose-t_8xb256-420e_humanart-256x192-60b68c98_20230612"),
        note=NO_HASH,
        **_ART,
    ),
    Card(
        name="rtmpose-s-humanart",
        size=_SMALL,
        detector="yolox-tiny-humanart",
        accuracy="unknown (mmpose, configs/body_2d_keypoint/rtmpose/humanart)",
        files=openmmlab("rtmpose-s_8xb256-420e_humanart-256x192-5a3ac943_20230611"),
        note=NO_HASH,
        **_ART,
    ),
    Card(
        name="rtmpose-m-humanart",
        size=_SMALL,
        detector="yolox-m-humanart",
        accuracy=_ART_AP.format("72.8"),
        files=openmmlab(
            "rtmpose-m_8xb256-420e_humanart-256x192-8430627b_20230611",
            "12e1b9fcbcd867c3fb6d8f4d509cf1d8c5373df5e529676e32f6dd888758316c",
        ),
        **_ART,
    ),
    Card(
        name="rtmpose-l-humanart",
        size=_SMALL,
        detector="yolox-m-humanart",
        accuracy=_ART_AP.format("75.3"),
        files=openmmlab("rtmpose-l_8xb256-420e_humanart-256x192-389f2cb0_20230611"),
        note=NO_HASH,
        **_ART,
    ),
    Card(
        name="dwpose-t",
        size=_SMALL,
        detector="yolox-tiny-humanart",
        accuracy=_WHOLE_AP.format("48.5", "rtmlib's README, DWPose"),
        files=openmmlab("rtmpose-t_simcc-ucoco_dw-ucoco_270e-256x192-dcf277bf_20230728"),
        note=NO_HASH,
        **_DWPOSE,
    ),
    Card(
        name="dwpose-s",
        size=_SMALL,
        detector="yolox-tiny-humanart",
        accuracy=_WHOLE_AP.format("53.8", "rtmlib's README, DWPose"),
        files=openmmlab("rtmpose-s_simcc-ucoco_dw-ucoco_270e-256x192-3fd922c8_20230728"),
        note=NO_HASH,
        **_DWPOSE,
    ),
    Card(
        name="dwpose-m",
        size=_SMALL,
        detector="yolox-m-humanart",
        accuracy=_WHOLE_AP.format("60.6", "rtmlib's README, DWPose"),
        files=openmmlab("rtmpose-m_simcc-ucoco_dw-ucoco_270e-256x192-c8b76419_20230728"),
        note=NO_HASH,
        **_DWPOSE,
    ),
    Card(
        name="dwpose-l",
        size=_SMALL,
        detector="yolox-m-humanart",
        accuracy=_WHOLE_AP.format("63.1", "rtmlib's README, DWPose"),
        files=openmmlab("rtmpose-l_simcc-ucoco_dw-ucoco_270e-256x192-4d6dfc62_20230728"),
        note=NO_HASH,
        **_DWPOSE,
    ),
    Card(
        name="dwpose-l-384",
        size=_LARGE,
        detector="yolox-m-humanart",
        accuracy=_WHOLE_AP.format("66.5", "rtmlib's README, DWPose"),
        files=openmmlab(
            "rtmpose-l_simcc-ucoco_dw-ucoco_270e-384x288-2438fd99_20230728",
            "8cfecfc2226d8e14b510c2fd28442226c518b4d60690535753187877411d4005",
            134399323,
        ),
        **_DWPOSE,
    ),
    Card(
        name="rtmw-m",
        size=_SMALL,
        detector="yolox-m-humanart",
        accuracy=_WHOLE_AP.format("58.2", "mmpose, projects/rtmpose, Cocktail14"),
        files=openmmlab("rtmw-dw-l-m_simcc-cocktail14_270e-256x192_20231122", project="rtmw"),
        note=_M_OR_S,
        **_RTMW,
    ),
    Card(
        name="rtmw-l",
        size=_SMALL,
        detector="yolox-m-humanart",
        accuracy=_WHOLE_AP.format("66.0", "mmpose, projects/rtmpose, Cocktail14"),
        files=openmmlab(
            "rtmw-dw-x-l_simcc-cocktail14_270e-256x192_20231122",
            "9a9bc17c13ff0a1e37507f45a037a21bc410cd08374b0e664c57d0080843aa58",
            228708578,
            project="rtmw",
        ),
        **_RTMW,
    ),
    Card(
        name="rtmw-l-384",
        size=_LARGE,
        detector="yolox-m-humanart",
        accuracy=_WHOLE_AP.format("70.1", "mmpose, projects/rtmpose, Cocktail14"),
        files=openmmlab("rtmw-dw-x-l_simcc-cocktail14_270e-384x288_20231122", project="rtmw"),
        note=NO_HASH,
        **_RTMW,
    ),
    Card(
        name="rtmw-x-384",
        size=_LARGE,
        detector="yolox-m-humanart",
        accuracy=_WHOLE_AP.format("70.2", "mmpose, projects/rtmpose, Cocktail14"),
        files=openmmlab(
            "rtmw-x_simcc-cocktail13_pt-ucoco_270e-384x288-0949e3a9_20230925",
            project="rtmw",
        ),
        note=NO_HASH,
        **_RTMW,
    ),
)
