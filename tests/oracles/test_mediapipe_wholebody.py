"""Hands and faces against MediaPipe's own Python solutions, on the same pictures and weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from poise.io import read_frames
from poise.models import find_model, load_model
from poise.models.base import PoseModel
from poise.poses import Frame, Poses
from poise.weights import locate

mediapipe = pytest.importorskip("mediapipe")
if not hasattr(mediapipe, "solutions"):
    pytest.skip("this mediapipe has no solutions; 0.10.21 has", allow_module_level=True)

pytestmark = [
    pytest.mark.data,
    # MediaPipe's own code warns of what protobuf has deprecated.
    pytest.mark.filterwarnings("ignore::UserWarning:google.protobuf"),
]


def pictures(data_dir: Path) -> list[np.ndarray]:
    with read_frames(data_dir / "videos/upper_body/signlang_test_video.mp4") as frames:
        return [np.ascontiguousarray(frame.image) for frame in frames if frame.index % 4 == 0]


def real(name: str):
    absent = [file.name for file in find_model(name).files if locate(file) is None]
    if absent:
        pytest.skip(f"{', '.join(absent)} not here; poise models get {name} fetches them")
    return load_model(name, precision="f32")


def read(model: PoseModel, image: np.ndarray) -> Poses:
    """Read a picture as on video: its parts are not searched, as MediaPipe does not."""
    (poses,) = model.follow([Frame(image)])
    return poses


def places(landmarks, image: np.ndarray) -> np.ndarray:
    size = (image.shape[1], image.shape[0])
    return np.array([(mark.x, mark.y) for mark in landmarks.landmark]) * size


def test_hands_are_those_of_mediapipe(data_dir: Path) -> None:
    model = real("hands")
    compared = 0
    with mediapipe.solutions.hands.Hands(static_image_mode=True, max_num_hands=4) as solution:
        for image in pictures(data_dir):
            found = solution.process(image)
            theirs, ours = found.multi_hand_landmarks or (), read(model, image)
            assert len(ours) == len(theirs)
            for hand, kind, mine in zip(
                theirs, found.multi_handedness or (), ours.keypoints, strict=True
            ):
                # MediaPipe takes the picture for a mirrored one.
                left = kind.classification[0].label == "Right"
                points = mine[:21] if left else mine[21:]
                wanted = places(hand, image)
                away = np.linalg.norm(points - wanted, axis=1)
                assert away.max() < 0.01 * np.ptp(wanted, axis=0).max()
                compared += 1
    assert compared >= 4


def test_faces_are_those_of_mediapipe(data_dir: Path) -> None:
    model = real("face")
    with mediapipe.solutions.face_mesh.FaceMesh(
        static_image_mode=True, refine_landmarks=True
    ) as solution:
        for image in pictures(data_dir):
            (face,) = solution.process(image).multi_face_landmarks
            wanted = places(face, image)
            away = np.linalg.norm(read(model, image).keypoints[0] - wanted, axis=1)
            assert away.max() < 0.003 * np.ptp(wanted, axis=0).max()
