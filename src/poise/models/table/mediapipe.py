"""BlazePose: the networks of MediaPipe's wheel."""

from __future__ import annotations

from typing import Any

from poise.models.card import Card
from poise.models.table.files import ASSETS, WHEEL, landmark
from poise.weights import WeightFile

# Hashes: mediapipe, third_party/external_files.bzl; the sizes are those of the wheel's members.

_BLAZEPOSE: dict[str, Any] = {
    "family": "blazepose",
    "layout": "NHWC",
    "licence": "Apache-2.0 (model card BlazePose GHUM 3D)",
    "data": "Google's own photographs, and GHUM body fits for depth",
}
_BLAZEPOSE_CROP: dict[str, Any] = {
    **_BLAZEPOSE,
    "kind": "crop",
    "skeleton": "blazepose33",
    "size": (256, 256),
    # 0..255 becomes 0..1
    "std": (255.0, 255.0, 255.0),
    "detector": "blazepose-detector",
    # It turns its crop by two points that only its own detector finds.
    "settings": {"anchors": 2},
}
_GOOGLES_SETS = " (yoga, dance and HIIT of single persons, Google's own sets; MediaPipe, pose.md)"
_ONE_PERSON = "for one near, whole person: 33 keypoints, 3D, very fast; misses most of a group"

ROWS = (
    Card(
        name="blazepose-detector",
        kind="detector",
        size=(224, 224),
        # 0..255 becomes -1..1
        mean=(127.5, 127.5, 127.5),
        std=(127.5, 127.5, 127.5),
        # tiles: of a still picture it also looks at nine parts, for the people of a group.
        settings={"anchors": 2, "tiles": True},
        files=(
            WeightFile(
                "pose_detection.tflite",
                "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
                2959046,
                (
                    WHEEL + "pose_detection/pose_detection.tflite",
                    ASSETS + "pose_detection.tflite?generation=1678737489600422",
                ),
            ),
        ),
        note="finds the face and the hips of near people; the first step of every BlazePose",
        **_BLAZEPOSE,
    ),
    Card(
        name="blazepose",
        accuracy="PCK@0.2 95.5 to 96.3" + _GOOGLES_SETS,
        files=landmark(
            "full",
            "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
            6440512,
            WHEEL + "pose_landmark/pose_landmark_full.tflite",
            ASSETS + "pose_landmark_full.tflite?generation=1661875894245786",
        ),
        note=_ONE_PERSON,
        **_BLAZEPOSE_CROP,
    ),
    Card(
        name="blazepose-lite",
        accuracy="PCK@0.2 90.2 to 93.5" + _GOOGLES_SETS,
        files=landmark(
            "lite",
            "f17bfbecadb61c3be1baa8b8d851cc6619c870a87167b32848ad20db306b9d61",
            None,
            ASSETS + "pose_landmark_lite.tflite?generation=1661875901231143",
            ASSETS + "modules/pose_landmark/pose_landmark_lite.tflite?generation=1782183674047673",
        ),
        note=_ONE_PERSON,
        **_BLAZEPOSE_CROP,
    ),
    Card(
        name="blazepose-heavy",
        accuracy="PCK@0.2 96.4 to 97.5" + _GOOGLES_SETS,
        files=landmark(
            "heavy",
            "59e42d71bcd44cbdbabc419f0ff76686595fd265419566bd4009ef703ea8e1fe",
            None,
            ASSETS + "pose_landmark_heavy.tflite?generation=1661875897944151",
            ASSETS + "modules/pose_landmark/pose_landmark_heavy.tflite?generation=1782183666398574",
        ),
        note=_ONE_PERSON,
        **_BLAZEPOSE_CROP,
    ),
)
