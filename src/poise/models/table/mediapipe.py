"""BlazePose, hands, faces: the networks of MediaPipe's wheel."""

from __future__ import annotations

from typing import Any

from poise.models.card import Card
from poise.models.table.files import ASSETS, WHEEL, landmark
from poise.weights import WeightFile

# Hashes of BlazePose: mediapipe, third_party/external_files.bzl. All other hashes, and all sizes,
# are those of the members of the wheel mediapipe-0.10.21 (cp311, manylinux_2_28_x86_64). It holds
# no lite and no heavy BlazePose: MediaPipe fetches these when they are used.


def _member(folder: str, name: str, sha256: str, size: int) -> WeightFile:
    return WeightFile(name, sha256, size, (f"{WHEEL}{folder}/{name}",))


_BODY_DETECTOR = WeightFile(
    "pose_detection.tflite",
    "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
    2959046,
    (
        WHEEL + "pose_detection/pose_detection.tflite",
        ASSETS + "pose_detection.tflite?generation=1678737489600422",
    ),
)
_BODY = landmark(
    "full",
    "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
    6440512,
    WHEEL + "pose_landmark/pose_landmark_full.tflite",
    ASSETS + "pose_landmark_full.tflite?generation=1661875894245786",
)
_PALM = _member(
    "palm_detection",
    "palm_detection_full.tflite",
    "1b14e9422c6ad006cde6581a46c8b90dd573c07ab7f3934b5589e7cea3f89a54",
    2339846,
)
_PALM_LITE = _member(
    "palm_detection",
    "palm_detection_lite.tflite",
    "e9a4aaddf90dda56a87235303cf00e4c2d3fb28725f68fd88772997dac905c18",
    1985440,
)
_HAND = _member(
    "hand_landmark",
    "hand_landmark_full.tflite",
    "11c272b891e1a99ab034208e23937a8008388cf11ed2a9d776ed3d01d0ba00e3",
    5478917,
)
_HAND_LITE = _member(
    "hand_landmark",
    "hand_landmark_lite.tflite",
    "048edd3645c9bf7397d19a9f6e3a42957d6e414c9bea6598030a2e9b624156e6",
    2071597,
)
_HAND_RECROP = _member(
    "holistic_landmark",
    "hand_recrop.tflite",
    "67d996ce96f9d36fe17d2693022c6da93168026ab2f028f9e2365398d8ac7d5d",
    123792,
)
_FACE_DETECTOR = _member(
    "face_detection",
    "face_detection_short_range.tflite",
    "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",
    229714,
)
_FACE = _member(
    "face_landmark",
    "face_landmark_with_attention.tflite",
    "e06a804e0144f9929eda782122916b35d60c697c3c9344013ca2bbe76a6ce2b4",
    2495106,
)

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

_PACKAGE = "Apache-2.0 (licence of the package)"
_HANDS: dict[str, Any] = {
    "family": "hands",
    "layout": "NHWC",
    # 0..255 becomes 0..1
    "std": (255.0, 255.0, 255.0),
    "licence": _PACKAGE,
    "data": "about 30 000 photographs of Google's own, and rendered hands (MediaPipe, hands.md)",
}
_HANDS_DETECTOR: dict[str, Any] = {
    **_HANDS,
    "kind": "detector",
    "size": (192, 192),
    # tiles: of a still picture it also looks at nine parts, for hands of at most half a part.
    "settings": {"anchors": "hand", "tiles": 0.5},
    "accuracy": "palm AP 95.7 (Google's own set; MediaPipe, hands.md, of an earlier version)",
    "note": "finds palms; the first step of hands",
}
_HANDS_CROP: dict[str, Any] = {
    **_HANDS,
    "kind": "crop",
    "skeleton": "hands42",
    "size": (224, 224),
    # Hands come, go and move fast: the detector looks at every frame of a video.
    "settings": {"anchors": "hand", "restless": True},
    "note": "everyone's hands, each by itself: 21 points, 3D, left or right told apart",
}
_FACES: dict[str, Any] = {
    "family": "face",
    "layout": "NHWC",
}

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
        files=(_BODY_DETECTOR,),
        note="finds the face and the hips of near people; the first step of every BlazePose",
        **_BLAZEPOSE,
    ),
    Card(
        name="blazepose",
        accuracy="PCK@0.2 95.5 to 96.3" + _GOOGLES_SETS,
        files=_BODY,
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
    Card(name="palm-detector", files=(_PALM,), **_HANDS_DETECTOR),
    Card(name="palm-detector-lite", files=(_PALM_LITE,), **_HANDS_DETECTOR),
    Card(name="hands", detector="palm-detector", files=(_HAND,), **_HANDS_CROP),
    Card(name="hands-lite", detector="palm-detector-lite", files=(_HAND_LITE,), **_HANDS_CROP),
    Card(
        name="face-detector",
        kind="detector",
        settings={"anchors": "face", "tiles": 0.4},
        size=(128, 128),
        # 0..255 becomes -1..1
        mean=(127.5, 127.5, 127.5),
        std=(127.5, 127.5, 127.5),
        licence=_PACKAGE,
        data="Google's own 66 000 photographs (arXiv 1907.05047)",
        accuracy="face AP 98.6 (front cameras, Google's own set; arXiv 1907.05047)",
        files=(_FACE_DETECTOR,),
        note="finds faces within about two metres of the camera; the first step of face",
        **_FACES,
    ),
    Card(
        name="face",
        kind="crop",
        settings={"anchors": "face"},
        skeleton="face478",
        size=(192, 192),
        std=(255.0, 255.0, 255.0),
        detector="face-detector",
        licence=_PACKAGE,
        data="Google's own 30 000 photographs (arXiv 1907.06724; attention: 2006.10962)",
        files=(_FACE,),
        note="faces near the camera: the mesh of 478 points, lips, eyelids and irises among them",
        **_FACES,
    ),
    Card(
        name="blazepose-wholebody",
        family="holistic",
        kind="pose",
        skeleton="holistic553",
        # Of the network that aims at a hand; the others are as their own cards say.
        size=(256, 256),
        layout="NHWC",
        std=(255.0, 255.0, 255.0),
        settings={
            "detector": "blazepose-detector",
            "body": "blazepose",
            "hands": "hands",
            "face-detector": "face-detector",
            "face": "face",
        },
        licence="Apache-2.0 (as its parts)",
        data="that of its parts",
        files=(_BODY_DETECTOR, *_BODY, _HAND, _FACE_DETECTOR, _FACE, _HAND_RECROP),
        note="body, both hands and face mesh of near people: 553 keypoints, body and hands in 3D",
    ),
)
