"""AlphaPose's pose NMS: constructed duplicates, properties, and crowds in real photographs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pictures

from ideal_fields import people
from poise.errors import ModelError
from poise.geometry import oks
from poise.models import find_model, load_model
from poise.models.base import CropPoses, Detections
from poise.models.pose_nms import merge_poses, unite
from poise.models.topdown import TopDown
from poise.poses import Frame, Poses, bounding_boxes
from poise.skeleton import get_skeleton

SKELETON = get_skeleton("coco17")


def merge(keypoints, scores=None, **choices):
    keypoints = np.asarray(keypoints, np.float32)
    scores = np.full(keypoints.shape[:2], 0.8, np.float32) if scores is None else scores
    scores = np.where(np.isfinite(keypoints[..., 0]), scores, 0).astype(np.float32)
    return merge_poses(keypoints, scores, bounding_boxes(keypoints), **choices)


def moved(pose, x, y):
    return pose + np.array([x, y])


# --- duplicates -----------------------------------------------------------------------------------


def test_a_pose_alone_stays_as_it_is() -> None:
    pose = people((200, 100))
    merged = merge(pose)
    assert merged.rows.tolist() == [0]
    np.testing.assert_allclose(merged.keypoints, pose, atol=1e-4)
    np.testing.assert_allclose(merged.scores, 0.8)


def test_duplicates_become_their_weighted_mean() -> None:
    pose = people((200, 100))[0]
    scores = np.stack([np.full(17, 0.6), np.full(17, 0.9), np.full(17, 0.3)])
    merged = merge([moved(pose, 4, 0), pose, moved(pose, 0, 3)], scores)
    # The surest is the pick; the others lie within a tenth of its height, at most 7 px.
    assert merged.rows.tolist() == [1]
    assert merged.groups.tolist() == [1, 1, 1]
    np.testing.assert_allclose(
        merged.keypoints[0] - pose, np.tile([0.6 * 4 / 1.8, 0.3 * 3 / 1.8], (17, 1)), atol=1e-4
    )
    wanted = (0.6**2 + 0.9**2 + 0.3**2) / 1.8
    np.testing.assert_allclose(merged.scores, wanted, atol=1e-6)


def test_five_keypoints_make_a_duplicate_and_four_do_not() -> None:
    pose, far = people((200, 100))[0], people((600, 100))[0]
    for agreeing, left in ((4, 2), (5, 1)):
        other = far.copy()
        other[:agreeing] = moved(pose[:agreeing], 4, 4)
        merged = merge([pose, other])
        assert len(merged.rows) == left
        if left == 1:
            # What is elsewhere has no part in the mean.
            np.testing.assert_allclose(merged.keypoints[0, 5:], pose[5:], atol=1e-4)
            np.testing.assert_allclose(merged.keypoints[0, :5], moved(pose[:5], 2, 2), atol=1e-4)


def test_what_is_near_depends_on_the_size_of_the_person() -> None:
    # A person 40 px high: a tenth is 4 px, so that 5 px are another person.
    small = people((50, 50), scale=0.25)[0]
    assert np.ptp(small[:, 1]) == pytest.approx(40.75)
    assert len(merge([small, moved(small, 3, 2)]).rows) == 1
    assert len(merge([small, moved(small, 4, 3)]).rows) == 2
    # Twenty times as large it is still 7 px.
    large = people((500, 300), scale=5)[0]
    assert len(merge([large, moved(large, 6, 3)]).rows) == 1
    assert len(merge([large, moved(large, 6, 5)]).rows) == 2


def test_similarity_finds_a_duplicate_that_no_keypoint_matches() -> None:
    # 3 px wide, so that a match is within 0.3 px.
    tiny = np.stack([np.linspace(0, 3, 17), np.linspace(0, 3, 17)], axis=1) + 50
    assert 17 * (1.7 * np.exp(-0.4 / 2.65) + np.tanh(0.8) ** 2) > 22.48
    assert len(merge([tiny, moved(tiny, 0.4, 0)]).rows) == 1
    # Beyond one pixel the scores say nothing any more.
    assert 17 * 1.7 * np.exp(-1.1 / 2.65) < 22.48
    assert len(merge([tiny, moved(tiny, 1.1, 0)]).rows) == 2


def test_what_the_pick_lacks_stays_absent() -> None:
    pose = people((200, 100))[0]
    without = pose.copy()
    without[[9, 10]] = np.nan
    merged = merge([without, moved(pose, 2, 0)], np.stack([np.full(17, 0.9), np.full(17, 0.5)]))
    assert merged.rows.tolist() == [0]
    assert np.isnan(merged.keypoints[0, 9:11]).all()
    assert (merged.scores[0, 9:11] == 0).all()
    nothing = np.full((17, 2), np.nan)
    assert len(merge([nothing, nothing, pose]).rows) == 1


def test_the_unsure_and_the_small_are_dropped() -> None:
    pose, other = people((200, 100))[0], people((500, 100))[0]
    scores = np.stack([np.full(17, 0.29), np.full(17, 0.31)])
    merged = merge([pose, other], scores)
    assert merged.rows.tolist() == [1]
    assert merged.groups.tolist() == [-1, 1]
    area = float(np.prod(1.5 * np.ptp(pose, axis=0)))
    assert len(merge([pose], min_area=0.99 * area).rows) == 1
    assert len(merge([pose], min_area=1.01 * area).rows) == 0
    assert merge(np.zeros((0, 17, 2))).keypoints.shape == (0, 17, 2)


# --- properties -----------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_each_person_is_left_once_whatever_was_read_twice(data) -> None:
    """Far people, each read up to four times: never merged with one another, and in order."""
    count = data.draw(st.integers(1, 5))
    seed = data.draw(st.integers(0, 2**20))
    random = np.random.default_rng(seed)
    truth = np.concatenate(
        [people((150 + 220 * n, 100), scale=random.uniform(0.8, 1.2)) for n in range(count)]
    )
    owners = random.permutation(np.repeat(np.arange(count), random.integers(1, 5, count)))
    read = truth[owners] + random.uniform(-2.4, 2.4, (len(owners), 17, 2))
    scores = random.uniform(0.4, 1, (len(owners), 17))
    merged = merge(read, scores)
    assert sorted(owners[merged.rows]) == list(range(count))
    assert (np.diff(merged.rows) > 0).all()
    # Each is merged into a pick that is its own; the pick is the surest of its group.
    assert (owners[merged.groups] == owners).all()
    for row in merged.rows:
        assert scores[row].mean() == scores[owners == owners[row]].mean(axis=1).max()
    away = np.linalg.norm(merged.keypoints - truth[owners[merged.rows]], axis=2)
    assert away.max() < 2.4 * 2**0.5 + 1e-3
    # Again, nothing happens; and the order of the rows does not matter.
    again = merge(merged.keypoints, merged.scores)
    assert again.rows.tolist() == list(range(count))
    np.testing.assert_allclose(again.keypoints, merged.keypoints, atol=1e-3)
    turned = merge(read[::-1], scores[::-1])
    assert sorted(len(read) - 1 - turned.rows) == merged.rows.tolist()


# --- in a model -----------------------------------------------------------------------------------


class Boxes:
    """A detector that says each of two people twice."""

    precision = "f32"

    def detect(self, images):
        boxes = np.array([[40, 20, 120, 220], [43, 20, 123, 220], [300, 20, 380, 220]], np.float32)
        return [Detections(boxes, np.ones(3, np.float32)) for _ in images]


class Reader:
    """Reads a person from the corner of each region, less sure of the second."""

    skeleton, precision, size, minimum_presence = SKELETON, "f32", (80, 200), 0.5

    def regions(self, detections):
        return [np.array([[1, 0, -x], [0, 1, -y]], float) for x, y, _, _ in detections.boxes]

    def next_regions(self, poses, anchors):
        corners = poses.keypoints.min(axis=1)
        return [np.array([[1, 0, 4 - x], [0, 1, 25 - y]], float) for x, y in corners]

    def cut(self, image, region):
        return np.zeros((200, 80, 3), np.uint8)

    def read(self, crops):
        count = len(crops)
        points = np.repeat(people((40, 20)), count, axis=0).astype(np.float32)
        scores = np.full((count, 17), 0.9, np.float32)
        scores[1::2] = 0.45
        return CropPoses(points, scores, np.ones(count, np.float32))


@pytest.mark.parametrize("nms", ["oks", "alphapose"])
def test_a_top_down_model_says_each_person_once(nms: str) -> None:
    model = TopDown(Boxes(), Reader(), name="t", nms=nms)
    found = model(np.zeros((240, 400, 3), np.uint8))
    assert len(found) == 2
    # The first is kept as it was read, or drawn towards its duplicate by half as much.
    shift = found.keypoints[0, 0, 0] - 80
    assert shift == pytest.approx({"oks": 0, "alphapose": 1}[nms], abs=1e-3)
    np.testing.assert_allclose(found.keypoints[1] - found.keypoints[0], [[260 - shift, 0]] * 17)
    np.testing.assert_allclose(found.boxes, bounding_boxes(found.keypoints))
    followed = list(
        model.follow([Frame(np.zeros((240, 400, 3), np.uint8), n, n / 30) for n in (0, 1)])
    )
    assert [len(poses) for poses in followed] == [2, 2]


def test_xyz_and_the_rows_are_those_of_the_picks() -> None:
    keypoints = np.concatenate([people((500, 100)), people((200, 100)), people((203, 100))])
    xyz = np.arange(3)[:, None, None] * np.ones((3, 17, 3), np.float32)
    scores = np.full((3, 17), 0.5, np.float32)
    scores[2] = 0.9
    poses = Poses(SKELETON, keypoints.astype(np.float32), scores, xyz=xyz, index=4, time=0.5)
    rows, left = unite(poses, np.array([False, True, True]))
    assert rows.tolist() == [2]
    assert (left.xyz == 2).all()
    assert (left.index, left.time) == (4, 0.5)
    rows, left = unite(poses, np.zeros(3, bool))
    assert len(rows) == len(left) == 0


def test_an_nms_that_is_not_there_is_refused() -> None:
    with pytest.raises(ModelError, match="no nms 'alphapos'; did you mean 'alphapose'"):
        TopDown(Boxes(), Reader(), name="t", nms="alphapos")


# --- crowds ---------------------------------------------------------------------------------------


@pytest.mark.data
@pytest.mark.weights
def test_a_crowd_is_said_once_by_a_card_that_asks_for_it(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POISE_MODELS", str(data_dir / "weights"))
    known = find_model("tinypose-256").reader
    own = replace(known, name="mine", settings={**known.settings, "nms": "alphapose"})
    plain = load_model("rtmdet-nano+tinypose-256", precision="f32")
    merging = load_model("rtmdet-nano+mine", card=own, precision="f32")
    folder = data_dir / "labelled" / "coco_mini"
    labels = json.loads((folder / "annotations/person_keypoints_train2017.json").read_text())
    crowds = [row["file_name"] for row in labels["images"]][:8]
    for name in crowds:
        if not (folder / "train2017" / name).is_file():
            continue
        image = np.asarray(Pictures.open(folder / "train2017" / name).convert("RGB"))
        first, second = plain(image), merging(image)
        few = second.keypoints
        areas = np.prod(np.nan_to_num(second.boxes[:, 2:] - second.boxes[:, :2]), axis=1)
        alike = oks(few, few, areas, SKELETON.sigmas) - np.eye(len(few))
        assert len(few) == 0 or alike.max() < 0.95
        assert abs(len(first) - len(second)) <= 3
