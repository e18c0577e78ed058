"""One NumPy array of keypoints: what is read out of it, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from poise.clip import Clip, Header
from poise.errors import InputError
from poise.io import detect_format, read_clip, write_clip
from poise.poses import Poses
from poise.skeleton import get_skeleton


def _points(*shape: int) -> np.ndarray:
    array = np.random.default_rng(1).uniform(1, 99, shape)
    array[..., 2:] = 0.75
    return array


def _save(folder: Path, array: np.ndarray) -> Path:
    path = folder / "dance.npy"
    np.save(path, array, allow_pickle=array.dtype == object)
    return path


@pytest.mark.parametrize(
    ("count", "layout"), [(17, "coco17"), (18, "coco18"), (25, "body25"), (33, "blazepose33")]
)
def test_the_number_of_keypoints_tells_the_layout(tmp_path: Path, count: int, layout: str) -> None:
    array = _points(4, count, 3)
    array[1, 2] = 0
    array[2, 3, 1] = np.nan
    array[3] = 0
    path = _save(tmp_path, array)
    assert detect_format(path) == "npy"
    clip = read_clip(path, fps=25)
    assert clip.skeleton.name == layout
    assert clip.times.tolist() == [0, 0.04, 0.08, 0.12]
    assert [len(poses) for poses in clip.frames] == [1, 1, 1, 0]
    np.testing.assert_allclose(clip.frames[0].keypoints[0], array[0, :, :2], rtol=1e-6)
    assert clip.frames[1].scores[0, 2] == 0 and clip.frames[1].scores[0, 3] == 0.75
    assert np.isnan(clip.frames[2].keypoints[0, 3]).all()


def test_a_layout_may_be_named(tmp_path: Path) -> None:
    path = _save(tmp_path, _points(2, 25, 3))
    assert read_clip(path, skeleton="body25b").skeleton.name == "body25b"
    with pytest.raises(InputError, match="25 keypoints, skeleton coco17 has 17"):
        read_clip(path, skeleton="coco17")


def test_several_people_and_no_scores(tmp_path: Path) -> None:
    array = _points(2, 3, 17, 2)
    array[1, 1] = 0
    clip = read_clip(_save(tmp_path, array))
    assert [len(poses) for poses in clip.frames] == [3, 2]
    assert (clip.frames[0].scores == 1).all()


def test_a_round_trip_keeps_who_stands_where(tmp_path: Path) -> None:
    skeleton = get_skeleton("coco17")
    points = _points(2, 2, 17, 2).astype(np.float32)
    scores = np.full((2, 17), 0.5, np.float32)
    frames = (Poses(skeleton, points[0], scores), Poses(skeleton, points[1, :1], scores[:1]))
    write_clip(Clip(frames, Header(skeleton)), tmp_path / "a.npy")
    back = read_clip(tmp_path / "a.npy")
    assert np.load(tmp_path / "a.npy").shape == (2, 2, 17, 3)
    assert [len(poses) for poses in back.frames] == [2, 1]
    np.testing.assert_allclose(back.frames[0].keypoints, points[0], atol=0.006)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((4, 17, 4)), r"wanted numbers \(frames, keypoints, 3\), got float64 of shape"),
        (np.zeros(7), "of shape"),
        (np.zeros((4, 19, 3)), "its people have 19 keypoints"),
        (np.array([None, {}], object), "not a readable NumPy array file"),
        (np.array(["a"]), "wanted numbers"),
    ],
)
def test_what_is_no_pose_is_refused(tmp_path: Path, array: np.ndarray, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_clip(_save(tmp_path, array))


def test_a_promise_that_the_file_does_not_keep(tmp_path: Path) -> None:
    path = _save(tmp_path, _points(4, 17, 3))
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match="not a readable NumPy array file"):
        read_clip(path)


@pytest.mark.data
def test_real_sequences(data_dir: Path) -> None:
    files = sorted((data_dir / "keypoints" / "posetrainer").rglob("*.npy"))
    assert len(files) > 50
    for path in files[::10]:
        clip = read_clip(path, fps=30)
        assert clip.skeleton.name == "coco18" and len(clip) > 20
        assert np.mean([len(poses) == 1 for poses in clip.frames]) > 0.9
