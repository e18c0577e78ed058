"""What the table's rows share, such as how publishers name and address their files."""

from __future__ import annotations

from typing import Any

from poise.weights import WeightFile

IMAGENET: dict[str, Any] = {"mean": (123.675, 116.28, 103.53), "std": (58.395, 57.12, 57.375)}

NO_HASH = "nobody has published a hash of this file: get it yourself and give it with --weights"

ASSETS = "https://storage.googleapis.com/mediapipe-assets/"
WHEEL = "package:mediapipe==0.10.21#mediapipe/modules/"
_OPENMMLAB = "https://download.openmmlab.com/mmpose/v1/projects/"
_TAU = "https://huggingface.co/Tau-J/RTMPose/resolve/cd4d7095f5cfc9cfc4f46289bee91ea4a1e1d9fd/"
# Already unpacked. Not a fixed address, but the hash tells whether the file is still the same.
_PAGNON = "https://huggingface.co/datasets/DavidPagnon/rtmlib_models/resolve/main/mmpose/"
_PADDLE = (
    "https://github.com/guojin-yan/Csharp_and_OpenVINO_deploy_PP-TinyPose/raw/"
    "456426437889131f0c50983d24b4aab1d2fc3174/model/"
)
_CORAL = (
    "https://github.com/google-coral/project-posenet/raw/"
    "37cfb84eaff9fa7a02bbc8b60a36d6d422859c5f/models/mobilenet/components/"
)


def landmark(grade: str, sha256: str, size: int | None, *sources: str) -> tuple[WeightFile, ...]:
    """Return BlazePose's landmark network of one grade: lite, full or heavy."""
    return (WeightFile(f"pose_landmark_{grade}.tflite", sha256, size, sources),)


def openmmlab(
    stem: str,
    sha256: str = "",
    size: int | None = None,
    *,
    project: str = "rtmposev1",
    mirrored: bool = False,
) -> tuple[WeightFile, ...]:
    """Return the network of one archive of OpenMMLab's; the hash is that of the network.

    Args:
        stem: Name of the archive without ``.zip``.
        sha256: Hash of the member ``end2end.onnx``, empty where nobody has published it.
        size: Bytes of that member.
        project: Folder of the archive.
        mirrored: Whether the unpacked network is also in Pagnon's collection.
    """
    member = f"{project}/onnx_sdk/{stem}.zip#end2end.onnx"
    sources = [_OPENMMLAB + member, _TAU + member]
    if mirrored:
        sources.append(f"{_PAGNON}{project}/onnx_sdk/{stem}.onnx")
    return (WeightFile(f"{stem}.onnx", sha256, size, tuple(sources)),)


def ir(
    folder: str, stem: str, sha256: tuple[str, str], size: tuple[int, int], name: str
) -> tuple[WeightFile, ...]:
    """Return the .xml and .bin of a network that was converted to OpenVINO's own format."""
    address = f"{_PADDLE}{folder}/ir_fp16/{stem}"
    return (
        WeightFile(f"{name}.xml", sha256[0], size[0], (f"{address}.xml",)),
        WeightFile(f"{name}.bin", sha256[1], size[1], (f"{address}.bin",)),
    )


def coral(stem: str, sha256: str, size: int) -> tuple[WeightFile, ...]:
    """Return one of Coral's PoseNet networks, the one without a decoder of its own."""
    return (WeightFile(f"{stem}.tflite", sha256, size, (f"{_CORAL}{stem}.tflite",)),)


def own(name: str, *sources: str) -> tuple[WeightFile, ...]:
    """Return a file whose hash nobody has published, so that users bring it themselves."""
    return (WeightFile(name, "", None, sources),)
