"""Ids stay with people: through misses, crossings, copies, strides and absences."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from poise.poses import Frame, Poses
from poise.skeleton import get_skeleton
from poise.synthetic import Dancer, Stage, walk
from poise.testing import TruthModel
from poise.tracking import Tracker, assign

COCO = get_skeleton("coco17")
BODY = np.random.default_rng(9).random((17, 2)) * [90, 260]


def poses_at(places, moment: float, *, score=0.8, noise=0.0, seed=0) -> Poses:
    """People of one shape at places (N, 2)."""
    random = np.random.default_rng(seed)
    places = np.asarray(places, float).reshape(-1, 1, 2)
    keypoints = places + BODY + random.normal(0, 1, (len(places), 17, 2)) * noise
    scores = np.broadcast_to(np.reshape(score, (-1, 1)), (len(places), 17))
    return Poses(COCO, keypoints.astype(np.float32), scores.astype(np.float32), time=moment)


def ids_of(tracker: Tracker, frames: Iterable[Poses]) -> list[list[int]]:
    return [tracker.update(poses).ids.tolist() for poses in frames]


def switches(people: list[np.ndarray], ids: list[list[int]]) -> int:
    last: dict[int, int] = {}
    count = 0
    for who, given in zip(people, ids, strict=True):
        for person, identity in zip(who, given, strict=True):
            count += last.setdefault(int(person), identity) != identity
            last[int(person)] = identity
    return count


def test_assignment_is_scipys():
    random = np.random.default_rng(0)
    for _ in range(400):
        cost = random.random(random.integers(1, 9, 2))
        if random.random() < 0.5:
            cost = np.round(cost * 3)  # ties
        pairs = assign(cost)
        rows, columns = linear_sum_assignment(cost)
        assert len(pairs) == len(rows) == len({c for _, c in pairs})
        assert np.isclose(sum(cost[pair] for pair in pairs), cost[rows, columns].sum())


def test_gated_assignment_is_the_cheapest_with_a_price_for_leaving():
    random = np.random.default_rng(1)
    for _ in range(300):
        cost = random.random(random.integers(1, 7, 2))
        cost[random.random(cost.shape) < 0.3] = np.inf
        pairs = assign(cost, limit=0.5)
        clipped = np.minimum(cost, 0.5)
        rows, columns = linear_sum_assignment(clipped)
        ours = sum(cost[pair] for pair in pairs) + 0.5 * (min(cost.shape) - len(pairs))
        assert all(cost[pair] < 0.5 for pair in pairs)
        assert np.isclose(ours, clipped[rows, columns].sum())
    assert assign(np.full((2, 3), np.inf)) == []
    assert assign(np.zeros((0, 3))) == []


def test_ten_people_with_misses_are_never_switched():
    random = np.random.default_rng(2)
    places, speed = random.random((10, 2)) * [1700, 700], random.normal(0, 120, (10, 2))
    tracker, people, ids = Tracker(), [], []
    for number in range(300):
        places += speed / 30
        speed[(places < 0) | (places > [1800, 800])] *= -1
        there = random.permutation(10)[random.random(10) > 0.08]
        poses = poses_at(places[there], number / 30, noise=2, seed=number)
        ids.append(tracker.update(poses).ids.tolist())
        people.append(there)
    assert switches(people, ids) == 0
    assert max(map(max, ids)) == 10


@pytest.mark.parametrize("absence", [0.3, 0.7, 1.0])
@pytest.mark.parametrize("stride", [1, 3])
def test_two_who_cross_keep_their_ids_while_one_is_hidden(absence, stride):
    frames, people = [], []
    for number in range(0, 180, stride):
        moment = number / 30
        places = np.array([[100 + 160 * moment, 200], [1060 - 160 * moment, 215]])
        who = np.array([0]) if abs(moment - 3) < absence / 2 else np.array([1, 0])
        frames.append(poses_at(places[who], moment, noise=2, seed=number))
        people.append(who)
    ids = ids_of(Tracker(), frames)
    assert switches(people, ids) == 0
    assert max(map(max, ids)) == 2


@pytest.mark.parametrize("seed", range(2))
def test_a_ten_second_crossing_on_the_stage_has_no_switch(seed):
    shift = 0.3 * seed
    across = [(0.0, -2.0, 4.0), (10.0, 2.0 + shift, 4.0)]
    back = [(0.0, 2.0, 5.0 + shift), (10.0, -2.0, 4.6)]
    stage = Stage(
        [Dancer(walk(10.0), path=across), Dancer(walk(10.0), path=back)], duration=10.0, fps=12
    )
    model = TruthModel(stage, noise=0.01, dropout=0.05, absent=0.05, shuffle=True, seed=seed)
    blank = np.zeros((1, 1, 3), np.uint8)
    tracker, people, ids = Tracker(), [], []
    for number in range(len(stage)):
        poses = model.estimate([Frame(blank, number, number / 12)])[0]
        truth = stage.truth(number, "coco17")
        distance = np.abs(poses.keypoints[:, None] - truth.keypoints[None]).sum(axis=3)
        people.append(np.nanmean(distance, axis=2).argmin(axis=1))
        ids.append(tracker.update(poses).ids.tolist())
    assert switches(people, ids) == 0


def test_a_second_sighting_of_somebody_takes_nobodys_id():
    random = np.random.default_rng(4)
    ids = []
    tracker = Tracker()
    for number in range(120):
        place = np.array([100 + 4 * number, 100])
        copied = number % 3 == 1 or 60 < number < 80
        places = [place, place + random.normal(0, 4, 2)][: 1 + copied]
        poses = poses_at(places, number / 30, score=[0.9, 0.7][: 1 + copied], noise=2, seed=number)
        ids.append(tracker.update(poses).ids.tolist())
    assert {given[0] for given in ids[3:]} == {ids[3][0]}


def test_a_copy_does_not_revive_somebody_who_went_away():
    frames = [poses_at([[100, 100], [160, 100]], n / 30, noise=1, seed=n) for n in range(30)]
    tracker = Tracker()
    ids = ids_of(tracker, frames)
    tracker.update(poses_at([[100, 100]], 1.8))
    again = tracker.update(poses_at([[100, 100], [106, 100]], 1.85, score=[0.9, 0.5])).ids
    assert again[0] == ids[0][0]
    assert again[1] not in ids[0]


def test_the_weak_are_matched_after_the_confident():
    tracker = Tracker()
    for number in range(10):
        first = tracker.update(poses_at([[100, 100], [600, 100]], number / 30)).ids.tolist()
    poses = poses_at([[603, 100], [103, 100]], 10 / 30, score=[0.1, 0.9])
    assert tracker.update(poses).ids.tolist() == first[::-1]


def test_ids_are_given_at_once_and_never_again():
    tracker, seen = Tracker(max_age=1.0), set()
    for number in range(20):
        given = tracker.update(poses_at([[100, 100]], number * 5.0)).ids.tolist()
        assert not seen & set(given)
        seen |= set(given)
    tracker.restart()
    after = tracker.update(poses_at([[100, 100]], 95.0)).ids.tolist()
    assert not seen & set(after)


def test_order_and_everything_else_stay():
    poses = poses_at([[500, 100], [100, 100]], 0.0).replace(index=7, size=(1280, 720))
    tracked = Tracker().update(poses)
    assert tracked.ids.tolist() == [1, 2]
    assert np.array_equal(tracked.keypoints, poses.keypoints)
    assert (tracked.index, tracked.size) == (7, (1280, 720))


def test_time_that_runs_back_and_another_skeleton_restart():
    tracker = Tracker()
    first = tracker.update(poses_at([[100, 100]], 5.0)).ids
    second = tracker.update(poses_at([[100, 100]], 0.0)).ids
    third = tracker.update(poses_at([[100, 100]], 0.1).to(get_skeleton("blazepose33"))).ids
    assert len({*first.tolist(), *second.tolist(), *third.tolist()}) == 3


def test_people_without_keypoints_or_boxes_and_nobody_are_taken():
    tracker = Tracker()
    assert tracker.update(Poses.empty(COCO)).ids.tolist() == []
    for number in range(5):
        poses = poses_at([[100, 100], [500, 100], [900, 100]], number / 30)
        keypoints, boxes = poses.keypoints.copy(), poses.boxes.copy()
        keypoints[0, number:] = np.nan  # fewer and fewer in common: its box has to do
        boxes[1] = np.nan  # no box: its keypoints have to do
        keypoints[2], boxes[2] = np.nan, np.nan  # nothing at all
        poses = Poses(COCO, keypoints, poses.scores, boxes=boxes, time=number / 30)
        ids = tracker.update(poses).ids.tolist()
        assert ids[:2] == [1, 2]
    assert tracker.update(Poses.empty(COCO, time=0.2)).ids.tolist() == []
    assert tracker.update(poses_at([[500, 100]], 0.25)).ids.tolist() == [2]


def test_memory_is_bounded():
    tracker = Tracker(max_age=1e9)
    random = np.random.default_rng(5)
    for number in range(20):
        tracker.update(poses_at(random.random((60, 2)) * 1e5, float(number)))
    assert len(tracker._tracks.ids) <= 256 + 60
