"""Body, hands and face together: where they are looked for, and how they come into one layout."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from poise.errors import ModelError
from poise.io import read_frames
from poise.models import find_model, load_model
from poise.models.base import CropPoses, PoseModel
from poise.models.blaze import square_regions
from poise.models.face_attention import _complete_landmarks, _cut_out, _transform_matrix
from poise.models.holistic import Holistic
from poise.models.holistic_parts import (
    FACE,
    FACE_LIMITS,
    HAND,
    HAND_LIMITS,
    FaceFinder,
    HandFinder,
    Seen,
    face_aims,
    hand_aims,
    head_aims,
    keep,
)
from poise.poses import Frame, Poses
from poise.runtime import Session, engine
from poise.skeleton import get_skeleton
from poise.weights import locate

SIGNER = "videos/upper_body/signlang_test_video.mp4"
rng = np.random.default_rng(7)


def turn(points: np.ndarray, degrees: float) -> np.ndarray:
    """Turn points clockwise on the screen."""
    a = np.radians(degrees)
    return points @ np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])


# --- the operations that OpenVINO does not know, against plain loops -----------------------------


def run(build, *arrays: np.ndarray) -> np.ndarray:
    op = engine().opset8
    doors = [op.parameter(array.shape, np.float32) for array in arrays]
    network = engine().Model([build(*doors)], doors, "part")
    given_arrays = [np.asarray(array, np.float32) for array in arrays]
    return Session.of(network, precision="f32").run(*given_arrays)[0]


def matrix_slowly(landmarks: np.ndarray, points, level) -> np.ndarray:
    (x0, y0), (x1, y1) = landmarks[level[0], :2], landmarks[level[1], :2]
    angle = -np.arctan2(y1 - y0, x1 - x0)
    around = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    turned = landmarks[list(points), :2] @ around.T
    low, high = turned.min(axis=0), turned.max(axis=0)
    middle = around.T @ ((low + high) / 2)
    scale = np.diag(1.5 * (high - low) / 16)
    part = around.T @ scale
    matrix = np.eye(4)
    matrix[:2, :2], matrix[:2, 3] = part, middle + part @ [-8, -8]
    return matrix


def test_the_place_of_a_cut_out_equals_the_plain_arithmetic() -> None:
    landmarks = rng.uniform(4, 44, (468, 3))
    points, level = (5, 17, 61, 84, 300, 291), (61, 291)
    op = engine().opset8
    found = run(
        lambda door: _transform_matrix(op.squeeze(door, np.int32(0)), points, level),
        landmarks[None],
    )
    np.testing.assert_allclose(found[0], matrix_slowly(landmarks, points, level), atol=1e-4)


def test_a_cut_out_equals_the_plain_loop() -> None:
    features = rng.normal(size=(1, 48, 48, 3)).astype(np.float32)
    matrix = np.array(
        [[2.4, -0.9, 0, 5.3], [0.8, 2.1, 0, -1.7], [0, 0, 1, 0], [0, 0, 0, 1]], np.float32
    )
    wanted, outside = np.zeros((16, 16, 3)), 0
    for row in range(16):
        for column in range(16):
            x, y = (matrix @ [column + 0.5, row + 0.5, 0, 1])[:2] - 0.5
            if not (0 <= x <= 47 and 0 <= y <= 47):
                outside += 1
                continue
            i, j = min(int(y), 46), min(int(x), 46)
            b, a = y - i, x - j
            corners = features[0, i : i + 2, j : j + 2]
            wanted[row, column] = (
                corners[0, 0] * (1 - a) * (1 - b)
                + corners[0, 1] * a * (1 - b)
                + corners[1, 0] * (1 - a) * b
                + corners[1, 1] * a * b
            )
    assert 0 < outside < 200
    np.testing.assert_allclose(run(_cut_out, features, matrix[None])[0], wanted, atol=2e-5)


def test_points_of_a_cut_out_come_back() -> None:
    op = engine().opset8
    points = rng.uniform(0, 16, (1, 5, 2)).astype(np.float32)
    matrix = np.eye(4, dtype=np.float32)[None]
    matrix[0, :2, [0, 1, 3]] = [[2, 0.5], [-0.5, 2], [7, 9]]

    first, second = op.parameter([1, 5, 2], np.float32), op.parameter([1, 4, 4], np.float32)
    unknown = op.matmul(first, op.slice(second, [0, 0, 0], [1, 2, 2], [1, 1, 1]), False, False)

    class Unknown:
        def input_value(self, number: int):
            return (first.output(0), second.output(0))[number]

        def output(self, number: int):
            return unknown.output(number)

    result = op.abs(unknown)
    _complete_landmarks(Unknown())
    network = engine().Model([result], [first, second], "back")
    (found,) = Session.of(network, precision="f32").run(points, matrix)
    wanted = points[0] @ matrix[0, :2, :2].T + matrix[0, :2, 3]
    np.testing.assert_allclose(found[0], np.abs(wanted), rtol=1e-5)


# --- where to look -------------------------------------------------------------------------------


@given(st.floats(-180, 180), st.floats(5, 200))
def test_a_hand_is_looked_for_beyond_the_wrist(degrees: float, size: float) -> None:
    wrist, little, fore = np.array([[0, 0], [-0.3, -1], [0.3, -1]]) * size
    points = np.stack([turn(p, degrees) + np.array([300, 200]) for p in (wrist, little, fore)])
    ((middle, top),) = hand_aims(points[None].astype(np.float32))
    knuckle = turn((2 * fore + little) / 3, degrees) + np.array([300, 200])
    length = np.linalg.norm(knuckle - points[0])
    up = (knuckle - points[0]) / length
    np.testing.assert_allclose(middle, knuckle + 0.2 * length * up, atol=1e-2)
    np.testing.assert_allclose(top - middle, 2.7 * length * up, atol=0.01 * size)


@given(st.floats(-80, 80))
def test_a_head_is_looked_for_level_with_its_eyes(degrees: float) -> None:
    body = np.zeros((1, 33, 2), np.float32)
    body[0, :11] = turn(rng.uniform(-20, 20, (11, 2)), degrees)
    body[0, [5, 2]] = turn(np.array([[-10, 0], [10, 0]]), degrees)
    (ends,) = head_aims(body)
    np.testing.assert_allclose(
        ends[1] - ends[0],
        turn(np.array([0, -1.5 * np.ptp(body[0, :11], axis=0).max()]), degrees),
        atol=1e-3,
    )
    found = np.zeros((1, 6, 2), np.float32)
    found[0] = body[0, [5, 2, 0, 9, 7, 8]]
    ((middle, top),) = face_aims(found)
    side = np.ptp(found[0], axis=0).max()
    np.testing.assert_allclose(np.linalg.norm(top - middle), side, rtol=1e-4)


def seen(ends: np.ndarray, *, spread: float = 0.3) -> Seen:
    """A hand in the middle of a region."""
    middle, side = ends[0], 2 * np.linalg.norm(ends[1] - ends[0])
    points = middle + side * spread * rng.uniform(-1, 1, (1, HAND, 2))
    nothing = Seen.nothing(HAND)
    return Seen(
        np.zeros(1, np.int64),
        points.astype(np.float32),
        np.ones(1, np.float32),
        np.zeros((1, HAND, 3), np.float32),
        np.concatenate([nothing.ends, ends[None].astype(np.float32)]),
    )


def region(x: float, y: float, side: float, degrees: float) -> np.ndarray:
    return np.stack([np.zeros(2), turn(np.array([0, -side / 2]), degrees)]) + np.array([x, y])


@pytest.mark.parametrize(
    ("before", "kept"),
    [
        (region(100, 100, 80, 0), True),
        (region(115, 100, 80, 0), True),
        (region(117, 100, 80, 0), False),
        (region(100, 117, 80, 0), False),
        (region(100, 100, 80, 39), True),
        (region(100, 100, 80, -41), False),
        (region(100, 100, 110, 10), True),
        (region(100, 100, 113, 0), False),
        (region(100, 100, 47, 0), False),
    ],
)
def test_a_hand_is_read_where_it_was_if_that_is_near(before: np.ndarray, kept: bool) -> None:
    aims = np.stack([region(100, 100, 80, 0), region(700, 100, 80, 0)]).astype(np.float32)
    ends = keep(aims, seen(before, spread=0.2), HAND_LIMITS)
    np.testing.assert_allclose(ends[0], before if kept else aims[0], rtol=1e-5)
    np.testing.assert_array_equal(ends[1], aims[1])


def test_a_hand_that_left_its_region_is_looked_for_anew() -> None:
    aim = region(100, 100, 80, 20)[None].astype(np.float32)
    near = region(104, 100, 80, 25)
    inside, outside = seen(near, spread=0.2), seen(near, spread=0.2)
    outside.points[0, 3] = (100 + 37 * np.cos(0.35), 100 + 37 * np.sin(0.35))
    np.testing.assert_allclose(keep(aim, inside, HAND_LIMITS)[0], near, rtol=1e-5)
    np.testing.assert_array_equal(keep(aim, outside, HAND_LIMITS), aim)
    np.testing.assert_array_equal(keep(aim, Seen.nothing(HAND), HAND_LIMITS), aim)
    np.testing.assert_array_equal(keep(aim, inside, FACE_LIMITS)[0], near.astype(np.float32))


def test_of_two_hands_the_nearer_one_is_followed() -> None:
    aims = np.stack([region(100, 100, 80, 0), region(120, 100, 80, 0)]).astype(np.float32)
    both = [seen(region(x, 100, 80, 0), spread=0.1) for x in (108, 118)]
    before = Seen(*(
        np.concatenate([getattr(one, name) for one in both])
        for name in ("rows", "points", "presence", "xyz", "ends")
    ))  # fmt: skip
    ends = keep(aims, before, HAND_LIMITS)
    assert ends[:, 0, 0].tolist() == [108, 118]


# --- a made-up body, whose hands and face are where they should be -------------------------------


class Body(PoseModel):
    """Two people, who move a little from frame to frame; nobody in a black picture."""

    name, precision = "body", "f32"
    skeleton = get_skeleton("blazepose33")

    def estimate(self, frames):
        return [self._read(frame) for frame in frames]

    def _read(self, frame: Frame) -> Poses:
        known = {"index": frame.index, "time": frame.time, "size": frame.size}
        if not frame.image.any():
            return Poses.empty(self.skeleton, **known)
        keypoints = np.random.default_rng(1).uniform(40, 90, (2, 33, 2)).astype(np.float32)
        keypoints[1] += 200
        scores = np.full((2, 33), 0.8, np.float32)
        # The second person's right wrist is hidden.
        scores[1, 16] = 0.05
        xyz = np.arange(2 * 33 * 3, dtype=np.float32).reshape(2, 33, 3)
        return Poses(self.skeleton, keypoints + frame.index, scores, xyz=xyz, **known)


class Recrop:
    """Says that the hand is in the middle of what it is shown, upright."""

    input_shapes = ([1, 256, 256, 3],)

    def __init__(self, shape: tuple[int, ...] = (1, 1, 4)) -> None:
        self.shape = shape

    def run(self, crops: np.ndarray) -> list[np.ndarray]:
        points = np.array([128, 128, 128, 228, 0, 0], np.float32)[: np.prod(self.shape)]
        return [np.tile(points, (len(crops), 1)).reshape(len(crops), *self.shape)]


class Hands:
    """Reads a hand in the middle of every crop; the third crop of the first frame shows none."""

    size, minimum_presence = (64, 64), 0.5

    def __init__(self) -> None:
        self.crops: list[int] = []

    def cut(self, image, region):
        return np.zeros((64, 64, 3), np.uint8)

    def ends(self, points):
        return np.stack([points.mean(axis=1), points.mean(axis=1) - [0, 30]], axis=1)

    def read_either(self, crops):
        self.crops.append(len(crops))
        points = np.full((len(crops), HAND, 2), 32, np.float32)
        presence = np.full(len(crops), 0.9, np.float32)
        if len(self.crops) == 1:
            presence[2] = 0.1
        metres = np.tile(np.arange(HAND * 3).reshape(HAND, 3), (len(crops), 1, 1))
        return points, presence, np.zeros(len(crops)), metres.astype(np.float32)


class Faces:
    """Finds the first person's face only, and reads it."""

    size, minimum_presence, input_side = (64, 64), 0.5, 64

    def find(self, images, maps):
        points = np.array([[10, 10], [30, 10], [20, 20], [20, 30], [5, 12], [35, 12]], np.float32)
        found = np.concatenate([np.array([[20, 20], [40, 40]]), points])[None]
        none = np.zeros((0, 8, 2), np.float32), np.zeros(0, np.float32)
        return [(found, np.ones(1, np.float32)), *[none] * (len(maps) - 1)]

    def cut(self, image, region):
        return np.zeros((64, 64, 3), np.uint8)

    def ends(self, points):
        return np.stack([points.mean(axis=1), points.mean(axis=1) - [0, 30]], axis=1)

    def read(self, crops):
        points = np.full((len(crops), FACE, 2), 32, np.float32)
        scores = np.full((len(crops), FACE), 0.7, np.float32)
        return CropPoses(points, scores, scores[:, 0])


def made_up() -> Holistic:
    hands, faces = Hands(), Faces()
    finders = HandFinder(Recrop(), hands, hands.ends), FaceFinder(faces, faces, faces.ends)  # type: ignore[arg-type]
    return Holistic(Body(), *finders, name="made-up")


def picture(index: int = 0, *, grey: int = 9, cut: bool = False) -> Frame:
    return Frame(np.full((300, 400, 3), grey, np.uint8), index, index / 30, cut)


def test_everything_stands_in_its_place() -> None:
    (poses,) = made_up().estimate([picture()])
    body = Body().estimate([picture()])[0]
    assert poses.skeleton.name == "holistic553" and poses.size == (400, 300)
    np.testing.assert_array_equal(poses.keypoints[:, :33], body.keypoints)
    np.testing.assert_array_equal(poses.person_scores, body.person_scores)
    left, right, face = (poses.to(get_skeleton(name)).present for name in
                         ("hands42", "hands42", "face478"))  # fmt: skip
    # The third hand was no hand: the left ones come first, so it was the first person's right one.
    assert left[:, :21].all() and not right[:, 21:].any()
    assert face[0].all() and not face[1].any()
    assert (poses.scores[0, 75:] == np.float32(0.7)).all() and (poses.scores[1, 75:] == 0).all()
    # The hand hangs on the wrist, and the face has no metres.
    np.testing.assert_allclose(poses.xyz[:, 33], body.xyz[:, 15], atol=1e-4)
    np.testing.assert_allclose(
        np.linalg.norm(poses.xyz[:, 34] - poses.xyz[:, 33], axis=1), np.sqrt(27), rtol=1e-5
    )
    assert np.isnan(poses.xyz[:, 75:]).all()


def test_frames_come_in_order_and_memory_ends_where_it_should() -> None:
    model = made_up()
    frames = [picture(0), picture(1), picture(2, grey=0), picture(3), picture(4, cut=True)]
    found = list(model.follow(iter(frames)))
    assert [poses.index for poses in found] == [0, 1, 2, 3, 4]
    assert [len(poses) for poses in found] == [2, 2, 0, 2, 2]
    assert found[2].keypoints.shape == (0, 553, 2)
    # Three wrists are seen: both left ones, and one right one.
    assert model._hands._reader.crops == [3, 3, 3, 3]
    assert list(model.follow(iter([]))) == [] and model.estimate([]) == []


def test_a_network_that_does_not_aim_is_refused() -> None:
    hands = Hands()
    finder = HandFinder(Recrop((1, 1, 6)), hands, hands.ends)  # type: ignore[arg-type]
    body = Body().estimate([picture()])[0]
    nothing = Seen.nothing(HAND), Seen.nothing(HAND)
    with pytest.raises(ModelError, match=r"shapes \(N, 1, 1, 4\), got \(N, 1, 1, 6\)"):
        finder.read(picture().image, body, nothing)


# --- the layout ----------------------------------------------------------------------------------


def test_the_layout_becomes_others_where_names_mean_the_same() -> None:
    (poses,) = made_up().estimate([picture()])
    whole = poses.to(get_skeleton("wholebody133"))
    there = whole.present[0]
    # The body but for four toes, 50 points of the face, and the left hand.
    assert there[:17].all() and there[17:23].sum() == 2
    assert there[23:91].sum() == 50 and there[91:112].all() and not there[112:].any()
    assert poses.to(get_skeleton("coco17")).present.all()
    assert poses.to(get_skeleton("blazepose33")).present.all()
    assert poses.to(get_skeleton("body25")).present[0].sum() == 21


def test_the_card_lists_the_files_of_its_parts() -> None:
    recipe = find_model("blazepose-wholebody")
    assert recipe.detector is None and len(recipe.files) == 6
    parts = [recipe.reader.settings[job] for job in
             ("detector", "body", "hands", "face-detector", "face")]  # fmt: skip
    files = [file for part in parts for file in find_cards_of(str(part))]
    assert list(recipe.files[:5]) == files


def find_cards_of(name: str):
    from poise.models.table import CARDS

    return CARDS[name].files


# --- the real networks, where their files are already here ---------------------------------------


@pytest.fixture(scope="module")
def whole():
    absent = [f.name for f in find_model("blazepose-wholebody").files if locate(f) is None]
    if absent:
        pytest.skip(f"{', '.join(absent)} not here: poise models get blazepose-wholebody")
    return load_model("blazepose-wholebody", precision="f32")


@pytest.mark.data
def test_the_signer_is_read_whole(whole, data_dir: Path) -> None:
    with read_frames(data_dir / SIGNER) as reader:
        frames = [frame for frame, _ in zip(reader, range(42), strict=False)]
    found = list(whole.follow(frames))
    assert [len(poses) for poses in found] == [1] * len(frames)
    find = found[0].skeleton.find
    right = [poses for poses in found if poses.present[0, find("right_hand_root")]]
    assert len(right) >= 15
    assert not any(poses.present[0, find("left_hand_root")] for poses in found)
    for poses in right:
        wrist, root = poses.keypoints[0, [find("right_wrist"), find("right_hand_root")]]
        hand = poses.keypoints[0, 54:75]
        assert np.linalg.norm(wrist - root) < 0.8 * np.ptp(hand, axis=0).max()
        metres = poses.xyz[0, 54:75]
        assert 0.05 < np.linalg.norm(metres[9] - metres[0]) < 0.14
    for poses in found:
        points = poses.keypoints[0]
        assert poses.present[0, 75:].all()
        nose, tip = points[find("nose")], points[find("nose_bridge_3")]
        assert np.linalg.norm(nose - tip) < 0.2 * np.ptp(points[75:, 1])
    again = list(whole.follow(frames))
    for one, other in zip(found, again, strict=True):
        np.testing.assert_array_equal(one.keypoints, other.keypoints)


@pytest.mark.data
def test_a_still_says_the_same_as_the_video(whole, data_dir: Path) -> None:
    with read_frames(data_dir / SIGNER) as reader:
        frames = [frame for frame, _ in zip(reader, range(32), strict=False)]
    still, followed = whole(frames[31].image), list(whole.follow(frames))[31]
    part = slice(54, 75)
    best = np.linalg.norm(still.keypoints[:, part] - followed.keypoints[0, part], axis=2)
    size = np.ptp(followed.keypoints[0, part], axis=0).max()
    assert np.nanmedian(best, axis=1).min() < 0.05 * size
    assert len(square_regions(np.zeros((0, 2, 2)), (8, 8))) == 0
