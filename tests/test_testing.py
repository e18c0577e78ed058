"""The fakes: what users' own tests may rely on."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from poise.errors import InputError, UsageError
from poise.models.base import PoseModel
from poise.poses import Frame
from poise.skeleton import get_skeleton
from poise.synthetic import Dancer, Stage, dance, squats, walk
from poise.testing import FakeCamera, FakeModel, TruthModel, blob_picture

BOXES = [(10, 20, 50, 110), (70, 5, 100, 60)]


@pytest.fixture(scope="module")
def stage() -> Stage:
    people = [Dancer(dance(), position=(-0.8, 0)), Dancer(squats(2), position=(0.8, 0.5))]
    return Stage(people, size=(160, 90), duration=2)


def test_the_fake_model_sees_a_person_in_each_bright_region() -> None:
    model = FakeModel()
    assert isinstance(model, PoseModel)
    assert (model.name, model.precision) == ("fake", "f32")
    poses = model(blob_picture(BOXES))
    assert np.array_equal(poses.boxes, np.array(BOXES, np.float32))
    assert (poses.scores == np.float32(0.9)).all()
    assert poses.size == (160, 120)


def test_its_template_fills_the_box_and_knows_left_from_right() -> None:
    poses = FakeModel("blazepose33")(blob_picture(BOXES[:1]))
    (points,) = poses.keypoints
    assert (points >= [10, 20]).all() and (points <= [50, 110]).all()
    assert np.ptp(points[:, 0]) == pytest.approx(40)
    names = get_skeleton("blazepose33").keypoints
    left, right = names.index("left_shoulder"), names.index("right_shoulder")
    assert points[left, 0] > points[right, 0]
    assert points[names.index("nose"), 1] < points[left, 1] < points[names.index("left_hip"), 1]


def test_it_sees_nobody_in_the_dark_and_nobody_in_specks() -> None:
    dark = blob_picture([])
    assert len(FakeModel()(dark)) == 0
    dark[40:43, 60:63] = 255
    assert len(FakeModel()(dark)) == 0


def test_it_sees_clear_colours_and_keeps_index_and_time() -> None:
    picture = blob_picture(BOXES[:1], colour=(0, 0, 200))
    first, second = FakeModel().estimate([Frame(picture, 3, 0.1), Frame(picture, 4, 0.2)])
    assert (first.index, first.time, second.index, second.time) == (3, 0.1, 4, 0.2)
    assert len(first) == len(second) == 1
    assert np.array_equal(first.keypoints, second.keypoints)


def test_it_follows_a_moving_blob() -> None:
    frames = [Frame(blob_picture([(x, 20, x + 40, 110)]), x) for x in range(5, 105, 10)]
    lefts = [poses.boxes[0, 0] for poses in FakeModel().follow(frames)]
    assert lefts == list(range(5, 105, 10))


def test_the_truth_model_tells_the_truth(stage: Stage) -> None:
    model = TruthModel(stage)
    frame = Frame(np.zeros((90, 160, 3), np.uint8), 12, 0.4)
    poses = model.estimate([frame])[0]
    truth = stage.truth(12, "coco17")
    assert np.array_equal(poses.keypoints, truth.keypoints)
    assert poses.ids is None
    assert (poses.index, poses.time) == (12, 0.4)
    assert np.array_equal(poses.scores == np.float32(0.3), stage.hidden(12, "coco17"))


def test_its_noise_is_as_large_as_was_asked_for_and_the_same_each_time(stage: Stage) -> None:
    frames = [Frame(np.zeros((90, 160, 3), np.uint8), index) for index in range(40)]
    once = TruthModel(stage, noise=0.02, seed=1).estimate(frames)
    again = TruthModel(stage, noise=0.02, seed=1).estimate(frames[::-1])[::-1]
    other = TruthModel(stage, noise=0.02, seed=2).estimate(frames)
    shares = []
    for index in range(40):
        assert np.array_equal(once[index].keypoints, again[index].keypoints)
        assert not np.array_equal(once[index].keypoints, other[index].keypoints)
        truth = stage.truth(index, "coco17")
        height = np.diff(truth.boxes[:, 1::2])[:, None]
        shares.append((once[index].keypoints - truth.keypoints) / height)
    assert np.std(shares) == pytest.approx(0.02, rel=0.1)


def test_it_can_lose_people_and_keypoints_and_swap_sides(stage: Stage) -> None:
    frames = [Frame(np.zeros((90, 160, 3), np.uint8), index) for index in range(60)]
    counts = [len(poses) for poses in TruthModel(stage, dropout=0.3).estimate(frames)]
    assert 1.1 < np.mean(counts) < 1.7
    lost = np.mean([~poses.present for poses in TruthModel(stage, absent=0.2).estimate(frames)])
    assert lost == pytest.approx(0.2, abs=0.04)
    swapped = TruthModel(stage, swaps=1.0).estimate(frames[:1])[0]
    truth = stage.truth(0, "coco17")
    assert np.array_equal(swapped.keypoints, truth.keypoints[:, truth.skeleton.flip])
    firsts = [poses.boxes[0, 0] for poses in TruthModel(stage, shuffle=True).estimate(frames)]
    assert np.ptp(firsts) > 20  # the first row is not always the same person


def test_it_survives_an_empty_frame() -> None:
    stage = Stage(Dancer(walk(1), path=[(0, 30, 0), (1, 40, 0)]), size=(80, 60))
    model = TruthModel(stage, noise=0.1, dropout=0.5, shuffle=True)
    assert len(model.estimate([Frame(np.zeros((60, 80, 3), np.uint8), 5)])[0]) == 0


def test_the_fake_camera_gives_the_frames_of_a_stage(stage: Stage) -> None:
    camera = FakeCamera(stage)
    assert (camera.size, camera.fps, camera.live, camera.count) == ((160, 90), 30.0, True, None)
    assert [frame.index for frame in camera] == list(range(60))
    assert FakeCamera(stage, live=False).count == 60


def test_it_numbers_and_times_plain_pictures() -> None:
    pictures = [blob_picture(BOXES)] * 3
    frames = list(FakeCamera(pictures, fps=10, live=False))
    assert [(frame.index, frame.time) for frame in frames] == [(0, 0.0), (1, 0.1), (2, 0.2)]


def test_it_fails_when_told_to() -> None:
    seen = []
    with pytest.raises(InputError, match="unplugged"):
        for frame in FakeCamera([blob_picture([])] * 5, fail_after=2):
            seen.append(frame.index)
    assert seen == [0, 1]


def test_it_stalls_until_it_is_closed() -> None:
    camera = FakeCamera([blob_picture([])] * 5, stall_after=2)
    seen: list[int] = []
    reader = threading.Thread(target=lambda: seen.extend(frame.index for frame in camera))
    reader.start()
    reader.join(0.1)
    assert reader.is_alive()
    camera.close()
    reader.join(2)
    assert not reader.is_alive()
    assert seen == [0, 1]


def test_it_keeps_its_pace() -> None:
    begin = time.monotonic()
    with FakeCamera([blob_picture([])] * 6, fps=50, paced=True) as camera:
        assert len(list(camera)) == 6
    assert 0.09 < time.monotonic() - begin < 1.0


def test_a_camera_without_frames_is_refused() -> None:
    with pytest.raises(UsageError, match="at least one frame"):
        FakeCamera([])
