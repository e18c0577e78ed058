"""The values of the ground floor: frames, poses, tracks and clips."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from poise.clip import Clip, Header, Track
from poise.errors import UsageError
from poise.poses import Frame, Poses, bounding_boxes
from poise.skeleton import get_skeleton

COCO = get_skeleton("coco17")


def people(count: int = 2, *, seed: int = 0, **fields: object) -> Poses:
    random = np.random.default_rng(seed)
    return Poses(
        COCO,
        random.uniform(0, 500, (count, 17, 2)).astype(np.float32),
        random.uniform(0.1, 1, (count, 17)).astype(np.float32),
        **fields,
    )


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((0, 4, 3), np.uint8),
    ],
    ids=["grey", "alpha", "float", "empty"],
)
def test_frame_refuses_other_pictures(image: np.ndarray) -> None:
    with pytest.raises(UsageError, match=r"Frame\.image: wanted \(height, width, 3\) uint8"):
        Frame(image)


def test_frame_size_is_width_and_height() -> None:
    assert Frame(np.zeros((2, 5, 3), np.uint8)).size == (5, 2)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("keypoints", np.zeros((2, 16, 2))),
        ("keypoints", np.zeros((2, 17, 3))),
        ("scores", np.zeros((2, 16))),
        ("scores", np.zeros(2)),
        ("boxes", np.zeros((2, 5))),
        ("boxes", np.zeros((1, 4))),
        ("ids", np.zeros(3)),
        ("xyz", np.zeros((2, 17, 2))),
        ("person_scores", np.zeros((2, 1))),
    ],
)
def test_wrong_shape_names_field_wanted_and_came(field: str, value: np.ndarray) -> None:
    fields = {"keypoints": np.zeros((2, 17, 2)), "scores": np.ones((2, 17)), field: value}
    with pytest.raises(UsageError) as caught:
        Poses(COCO, **fields)
    assert caught.value.where == f"Poses.{field}"
    assert str(value.shape) in str(caught.value)


def test_repeated_id_is_refused() -> None:
    with pytest.raises(UsageError, match="id stands twice"):
        people(2, ids=np.array([3, 3]))


def test_absent_is_nan_with_score_zero() -> None:
    keypoints = np.ones((1, 17, 2), np.float32)
    keypoints[0, 3, 1] = np.nan
    keypoints[0, 4, 0] = np.inf
    poses = Poses(COCO, keypoints, np.ones((1, 17)))
    assert np.isnan(poses.keypoints[0, 3:5]).all()
    assert poses.scores[0, 3:5].tolist() == [0, 0]
    assert np.count_nonzero(poses.present) == 15
    assert np.isfinite(keypoints[0, 3, 0]), "the caller's array is not changed"


def test_box_and_person_score_are_made_from_keypoints() -> None:
    keypoints = np.full((2, 17, 2), np.nan, np.float32)
    keypoints[0, :2] = [[10, 40], [30, 20]]
    scores = np.zeros((2, 17), np.float32)
    scores[0, :2] = [0.5, 1]
    poses = Poses(COCO, keypoints, scores)
    assert poses.boxes[0].tolist() == [10, 20, 30, 40]
    assert np.isnan(poses.boxes[1]).all(), "nobody is where there is no keypoint"
    assert poses.person_scores.tolist() == [0.75, 0]


def test_empty_has_nobody_and_keeps_its_place() -> None:
    poses = Poses.empty(COCO, index=3, time=0.1, size=(8, 6))
    assert (len(poses), poses.index, poses.time, poses.size) == (0, 3, 0.1, (8, 6))
    assert poses.keypoints.shape == (0, 17, 2) and poses.boxes.shape == (0, 4)
    assert len(poses.to(get_skeleton("body25"))) == 0
    assert len(poses.select([])) == 0


def test_values_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        people().index = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("rows", "kept"),
    [([2, 0], [2, 0]), ([False, True, False], [1]), ([], []), (np.array([1]), [1])],
    ids=["rows", "mask", "none", "array"],
)
def test_select(rows: object, kept: list[int]) -> None:
    poses = people(3, ids=np.array([5, 6, 7]), xyz=np.zeros((3, 17, 3)), index=9)
    chosen = poses.select(rows)
    assert chosen.ids.tolist() == [5 + row for row in kept]
    for field in ("keypoints", "scores", "boxes", "person_scores", "xyz"):
        np.testing.assert_array_equal(getattr(chosen, field), getattr(poses, field)[kept])
    assert chosen.index == 9


def test_to_the_same_skeleton_is_the_same() -> None:
    poses = people()
    assert poses.to(COCO) is poses


def test_picture_for_notebooks_shows_present_keypoints_only() -> None:
    keypoints = np.full((1, 17, 2), np.nan, np.float32)
    keypoints[0, [5, 7]] = [[10, 10], [20, 20]]
    svg = Poses(COCO, keypoints, np.ones((1, 17)), size=(64, 48))._repr_svg_()
    assert svg.count("<circle") == 2 and svg.count("<line") == 1
    assert 'viewBox="0 0 64 48"' in svg
    assert Poses.empty(COCO)._repr_svg_().count("<circle") == 0


def test_bounding_boxes_ignore_half_points() -> None:
    keypoints = np.array([[[1, np.nan], [2, 3], [4, 5]]], np.float32)
    assert bounding_boxes(keypoints).tolist() == [[2, 3, 4, 5]]


def clip(ids: list[list[int] | None]) -> Clip:
    frames = [
        people(2 if row is None else len(row), seed=place, index=place, time=place / 10,
               ids=None if row is None else np.array(row, np.int64))
        for place, row in enumerate(ids)
    ]  # fmt: skip
    return Clip(tuple(frames), Header(COCO))


def test_tracks_are_dense_and_longest_first() -> None:
    moving = clip([[4], [9, 4], [9], [], [9, 4], [9]])
    assert moving.ids() == [9, 4]
    first, second = moving.tracks()
    assert (first.id, len(first)) == (9, 5)
    assert first.times.tolist() == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5])
    assert (second.id, len(second)) == (4, 5)
    assert np.isnan(second.keypoints[2:4]).all() and (second.scores[2:4] == 0).all()
    np.testing.assert_array_equal(second.keypoints[1], moving.frames[1].keypoints[1])
    assert first.xyz is None


def test_track_keeps_3d() -> None:
    frame = people(1, ids=np.array([1]), xyz=np.ones((1, 17, 3)))
    track = Clip((frame, frame.replace(xyz=None)), Header(COCO)).track(1)
    assert (track.xyz[0] == 1).all() and np.isnan(track.xyz[1]).all()


def test_tracks_of_untracked_people_are_refused() -> None:
    with pytest.raises(UsageError, match="no ids; track it first"):
        clip([None]).tracks()
    assert clip([[]]).tracks() == []
    with pytest.raises(UsageError, match=r"no person with id 8; its ids are \[4\]"):
        clip([[4]]).track(8)


def test_clip_refuses_mixed_skeletons_and_names() -> None:
    other = people(1).to(get_skeleton("body25"))
    with pytest.raises(UsageError, match="frame 0 has skeleton body25, the clip coco17"):
        Clip((people(1), other), Header(COCO))
    with pytest.raises(UsageError, match="wanted 1 names, got 2"):
        Clip((people(1),), Header(COCO), ("a", "b"))


def test_track_refuses_wrong_shapes_and_time_running_back() -> None:
    good = {"times": np.zeros(2), "keypoints": np.zeros((2, 17, 2)), "scores": np.zeros((2, 17))}
    assert len(Track(1, COCO, **good)) == 2
    with pytest.raises(UsageError, match=r"Track\.scores: wanted shape \(2, 17\)"):
        Track(1, COCO, **{**good, "scores": np.zeros((2, 16))})
    with pytest.raises(UsageError, match="must not decrease"):
        Track(1, COCO, **{**good, "times": np.array([1.0, 0.5])})
    with pytest.raises(UsageError, match=r"Track\.xyz"):
        Track(1, COCO, **good, xyz=np.zeros((2, 17, 2)))


def test_what_is_printed_fits_on_a_line() -> None:
    coco = get_skeleton("coco17")
    points = np.zeros((2, 17, 2))
    frames = tuple(
        Poses(coco, points, np.ones((2, 17)), ids=np.array([1, 2]), index=i, time=i / 10)
        for i in range(3)
    )
    clip = Clip(frames, Header(coco, source="a.mp4"))
    assert repr(frames[2]) == "Poses(people 2, ids [1, 2], coco17, frame 2, 0.200 s)"
    assert repr(Poses.empty(coco)) == "Poses(people 0, coco17, frame 0, 0.000 s)"
    assert repr(clip) == "Clip(frames 3, coco17, ids [1, 2], 'a.mp4')"
    assert repr(clip.track(2)) == "Track(id 2, coco17, frames 3, 0.000 to 0.200 s)"
