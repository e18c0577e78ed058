"""BlazePose: its arithmetic without weights, and the real networks on real video."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from poise.geometry import transform
from poise.io import read_frames
from poise.models import load_model
from poise.models.base import Detections
from poise.models.blaze import merge, ssd_anchors
from poise.models.blazepose import MARGIN, BlazePoseDetector, BlazePoseReader, refine
from poise.models.regions import _turn
from poise.poses import Frame
from poise.runtime import Session, engine

CLIPS = (
    "exercise/tfjs_pose_1.mp4",
    "exercise/stgcn_clean_and_jerk.mp4",
    "exercise/tfjs_pose_squats.mp4",
    "exercise/felixchenfy_exercise.avi",
    "walking/pose2sim_single_cam01.mp4",
    "upper_body/signlang_test_video.mp4",
)


class NoNetwork:
    precision, input_shapes = "f32", ([1, 256, 256, 3],)


def reader() -> BlazePoseReader:
    return BlazePoseReader(NoNetwork())  # type: ignore[arg-type]


def test_the_detector_has_an_anchor_for_each_of_its_rows() -> None:
    anchors = ssd_anchors(224, BlazePoseDetector.layers)
    assert anchors.shape == (2254, 2)
    assert anchors[0].tolist() == anchors[1].tolist() == [4, 4]
    assert anchors[2].tolist() == [12, 4]
    assert anchors[-1].tolist() == [208, 208]


def test_readings_of_one_face_are_averaged_by_score() -> None:
    points = np.zeros((3, 6, 2), np.float32)
    points[:, 0] = [[50, 50], [52, 50], [150, 50]]
    points[:, 1] = 20
    points[:, 2] = [[50, 90], [54, 90], [150, 90]]
    merged, sure = merge(points, np.array([0.9, 0.6, 0.5], np.float32), 0.3)
    assert sure.tolist() == pytest.approx([0.9, 0.5])
    np.testing.assert_allclose(merged[0, 2], [(50 * 0.9 + 54 * 0.6) / 1.5, 90], rtol=1e-5)
    np.testing.assert_allclose(merged[1, 2], [150, 90])
    nobody, _ = merge(points[:0], np.zeros(0, np.float32), 0.3)
    assert nobody.shape == (0, 6, 2)


def refined_slowly(point, heat, cell):
    column, row = int(point[0] / cell), int(point[1] / cell)
    if min(column, row) < 0 or max(column, row) >= heat.shape[0]:
        return point
    total, x, y, best = 0.0, 0.0, 0.0, 0.0
    for r in range(max(row - 3, 0), min(row + 4, heat.shape[0])):
        for c in range(max(column - 3, 0), min(column + 4, heat.shape[1])):
            likely = 1 / (1 + np.exp(-heat[r, c]))
            total, x, y, best = total + likely, x + c * likely, y + r * likely, max(best, likely)
    return np.array([x, y]) / total * cell if best >= 0.5 else point


def refined(points: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """One crop, refined by the engine."""
    op = engine().opset8

    doors = [op.parameter([1, *array.shape], np.float32) for array in (points, heat)]
    better = refine(op.squeeze(doors[0], np.int32(0)), doors[1])
    network = engine().Model([better], doors, "refine")
    return Session.of(network, precision="f32").run(points[None], heat[None])[0]


def test_refinement_equals_the_plain_loop() -> None:
    rng = np.random.default_rng(3)
    heat = rng.normal(-4, 2.5, (2, 64, 64, 39)).astype(np.float32)
    points = rng.uniform(-20, 280, (2, 35, 2)).astype(np.float32)
    points[0, 0], points[0, 1] = (0.2, 255.9), (128, 3)
    found = np.stack([refined(*pair) for pair in zip(points, heat, strict=True)])
    wanted = [
        [refined_slowly(points[n, k], heat[n, :, :, k], 4) for k in range(35)] for n in range(2)
    ]
    np.testing.assert_allclose(found, wanted, atol=2e-3)
    assert (found != points).any()


def test_the_region_stands_with_the_body_and_has_the_margin() -> None:
    hips = np.array([200.0, 150.0])
    for top, angle in (((200, 50), 0.0), ((300, 150), 90.0), ((200, 250), 180.0)):
        ends = np.array([[hips, top]], np.float32)
        detected = Detections(np.zeros((1, 4), np.float32), np.ones(1, np.float32), ends)
        (region,) = reader().regions(detected)
        np.testing.assert_allclose(
            transform(region, hips.astype(np.float32)), [128, 128], atol=0.01
        )
        # The top of the circle is straight above the middle of the crop.
        above = transform(region, np.array(top, np.float32))
        np.testing.assert_allclose(above, [128, 128 - 128 / MARGIN], atol=0.01)
        turned = np.degrees(np.arctan2(region[0, 1], region[0, 0]))
        assert abs((turned - angle + 180) % 360 - 180) < 0.01


def test_another_detectors_boxes_do_as_well() -> None:
    boxes = np.array([[100, 50, 180, 250]], np.float32)
    (region,) = reader().regions(Detections(boxes, np.ones(1, np.float32)))
    corners = transform(region, np.array([[100, 50], [180, 250]], np.float32))
    assert (corners > 10).all() and (corners < 246).all()


def test_metres_are_turned_back_with_the_crop() -> None:
    (region,) = reader().regions(
        Detections(
            np.zeros((1, 4), np.float32),
            np.ones(1, np.float32),
            np.array([[[200, 150], [300, 150]]], np.float32),
        )
    )
    back = np.linalg.inv(np.vstack([region, [0, 0, 1]]))[None, :2]
    # Up in the crop is right in the picture.
    up = np.array([[[0, -0.5, 0.2]]], np.float32)
    np.testing.assert_allclose(_turn(back, up)[0, 0], [0.5, 0, 0.2], atol=1e-6)


@pytest.fixture(scope="module")
def blazepose(default_weights: tuple[Path, ...]):
    return load_model("blazepose", precision="f32")


def first_frames(path: Path, count: int) -> list[Frame]:
    with read_frames(path) as frames:
        return [frame for frame, _ in zip(frames, range(count), strict=False)]


@pytest.mark.weights
def test_an_empty_picture_has_nobody(blazepose) -> None:
    rng = np.random.default_rng(0)
    for image in (
        np.zeros((240, 320, 3), np.uint8),
        np.full((90, 400, 3), 200, np.uint8),
        rng.integers(0, 256, (64, 48, 3), dtype=np.uint8),
        np.zeros((1, 1, 3), np.uint8),
    ):
        assert len(blazepose(image)) == 0


@pytest.mark.weights
@pytest.mark.data
@pytest.mark.parametrize("name", CLIPS)
def test_the_person_is_found_in_nearly_every_frame(blazepose, data_dir: Path, name: str) -> None:
    frames = first_frames(data_dir / "videos" / name, 30)
    found = list(blazepose.follow(frames))
    assert [poses.index for poses in found] == [frame.index for frame in frames]
    assert np.mean([len(poses) >= 1 for poses in found]) >= 0.75
    steps = [
        np.nanmedian(np.linalg.norm(b.keypoints[0] - a.keypoints[0], axis=1))
        for a, b in itertools.pairwise(found)
        if len(a) and len(b)
    ]
    assert np.median(steps) < 0.05 * frames[0].size[1]


@pytest.mark.weights
@pytest.mark.data
def test_what_is_said_of_a_person(blazepose, data_dir: Path) -> None:
    frame = first_frames(data_dir / "videos/exercise/tfjs_pose_1.mp4", 1)[0]
    poses = blazepose(frame.image)
    find = poses.skeleton.find
    assert poses.keypoints.shape == (1, 33, 2) and poses.xyz.shape == (1, 33, 3)
    assert poses.person_scores[0] > 0.9 and poses.boxes.shape == (1, 4)
    points, metres = poses.keypoints[0], poses.xyz[0]
    assert points[find("nose"), 1] < points[find("left_hip"), 1] < points[find("left_ankle"), 1]
    # She faces the camera: her left is on the right of the picture, and so in space.
    for space in (points, metres):
        assert space[find("left_shoulder"), 0] > space[find("right_shoulder"), 0]
    hips = (metres[find("left_hip")] + metres[find("right_hip")]) / 2
    shoulders = (metres[find("left_shoulder")] + metres[find("right_shoulder")]) / 2
    assert np.abs(hips).max() < 0.05
    assert 0.3 < hips[1] - shoulders[1] < 0.8
    # The nose is nearer to the camera than the ears.
    assert metres[find("nose"), 2] < metres[find("left_ear"), 2]


@pytest.mark.weights
@pytest.mark.data
def test_the_mirror_image_has_the_mirrored_pose(blazepose, data_dir: Path) -> None:
    image = first_frames(data_dir / "videos/exercise/tfjs_pose_1.mp4", 1)[0].image
    straight, mirrored = blazepose(image), blazepose(np.ascontiguousarray(image[:, ::-1]))
    back = mirrored.keypoints[0, straight.skeleton.flip] * [-1, 1] + [image.shape[1], 0]
    torso = np.linalg.norm(straight.keypoints[0, 11] - straight.keypoints[0, 24])
    away = np.linalg.norm(straight.keypoints[0] - back, axis=1)[straight.scores[0] > 0.5]
    assert np.median(away) < 0.03 * torso


@pytest.mark.weights
@pytest.mark.data
def test_following_says_the_same_as_looking_anew(blazepose, data_dir: Path) -> None:
    frames = first_frames(data_dir / "videos/exercise/tfjs_pose_1.mp4", 24)
    followed, alone = list(blazepose.follow(frames)), blazepose.estimate(frames)
    torso = np.linalg.norm(alone[0].keypoints[0, 11] - alone[0].keypoints[0, 24])
    away = [
        np.linalg.norm(a.keypoints[0] - b.keypoints[0], axis=1)[b.scores[0] > 0.5]
        for a, b in zip(followed, alone, strict=True)
    ]
    assert np.median(np.concatenate(away)) < 0.05 * torso


@pytest.mark.weights
@pytest.mark.data
def test_f32_gives_the_same_numbers_on_every_run(blazepose, data_dir: Path) -> None:
    frames = first_frames(data_dir / "videos/exercise/stgcn_clean_and_jerk.mp4", 20)
    one, other = list(blazepose.follow(frames)), list(blazepose.follow(frames))
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a.keypoints, b.keypoints)
        np.testing.assert_array_equal(a.scores, b.scores)


@pytest.mark.weights
@pytest.mark.data
def test_several_people_in_a_picture_are_all_read(blazepose, data_dir: Path) -> None:
    frame = first_frames(data_dir / "videos/walking/intel_one_by_one_person.mp4", 1)[0]
    image = first_frames(data_dir / "videos/exercise/tfjs_pose_1.mp4", 1)[0].image
    wide = np.concatenate([image, image[:, ::-1]], axis=1)
    poses = blazepose(wide)
    assert len(poses) == 2
    assert (poses.keypoints[:, 0, 0] < image.shape[1]).sum() == 1
    assert len(blazepose(frame.image)) <= 3
