"""RTMO, OpenMMLab's one-stage pose models."""

from __future__ import annotations

from typing import Any

from poise.models.card import Card
from poise.models.table.files import openmmlab

# mmpose, projects/rtmo; the hash of rtmo-s is that of the member, as several users published it.
_RTMO: dict[str, Any] = {
    "family": "rtmo",
    "kind": "pose",
    "skeleton": "coco17",
    "channels": "BGR",
    "licence": "Apache-2.0",
    "data": "Body7: AI Challenger, COCO, CrowdPose, MPII, sub-JHMDB, Halpe, PoseTrack18",
}
_AP = "AP {} (COCO val2017; mmpose, projects/rtmo, trained on Body7)"
_NOTE = "everyone in one pass: its time does not grow with the number of people"
_NO_HASH = f"{_NOTE}; nobody has published a hash of this file: get it yourself"


ROWS = (
    Card(
        name="rtmo-t",
        size=(416, 416),
        accuracy=_AP.format("57.4"),
        files=openmmlab("rtmo-t_8xb32-600e_body7-416x416-f48f75cb_20231219", "", project="rtmo"),
        note=_NO_HASH,
        **_RTMO,
    ),
    Card(
        name="rtmo-s",
        size=(640, 640),
        accuracy=_AP.format("68.6"),
        files=openmmlab(
            "rtmo-s_8xb32-600e_body7-640x640-dac2bf74_20231211",
            "d0703d40d19f3921da51ae725402d5fdae4d2478c7442072d3101bd396f370d8",
            39617685,
            project="rtmo",
        ),
        note=_NOTE,
        **_RTMO,
    ),
    Card(
        name="rtmo-m",
        size=(640, 640),
        accuracy=_AP.format("72.6"),
        files=openmmlab("rtmo-m_16xb16-600e_body7-640x640-39e78cc4_20231211", "", project="rtmo"),
        note=_NO_HASH,
        **_RTMO,
    ),
    Card(
        name="rtmo-l",
        size=(640, 640),
        accuracy=_AP.format("74.8"),
        files=openmmlab("rtmo-l_16xb16-600e_body7-640x640-b37118ce_20231211", "", project="rtmo"),
        note=_NO_HASH,
        **_RTMO,
    ),
)
