"""Painting: the right colours at the right pixels, and nothing where there is nothing."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from poise.draw import Painter, Style, paint
from poise.draw.strokes import draw, make_strokes
from poise.draw.style import PERSON_COLOURS, SIDE_COLOURS, get_parts, person_colour
from poise.errors import UsageError
from poise.poses import Image, IntArray, Poses
from poise.skeleton import get_skeleton, skeleton_names

COCO = get_skeleton("coco17")


def standing(
    size: tuple[int, int] = (300, 400),
    *,
    people: int = 1,
    score: float = 1.0,
    ids: bool = False,
    **fields: object,
) -> Poses:
    """People who stand side by side and face the camera, so that their left is on the right."""
    width, height = size
    across = {"shoulder": 0.10, "elbow": 0.16, "wrist": 0.18, "hip": 0.07, "knee": 0.08}
    across |= {"ankle": 0.09, "eye": 0.02, "ear": 0.04, "nose": 0.0}
    down = {"nose": 0.2, "eye": 0.18, "ear": 0.19, "shoulder": 0.32, "elbow": 0.45}
    down |= {"wrist": 0.55, "hip": 0.57, "knee": 0.74, "ankle": 0.9}
    points = np.zeros((people, len(COCO), 2), np.float32)
    for person in range(people):
        for number, name in enumerate(COCO.keypoints):
            side, _, part = name.rpartition("_")
            sign = {"left": 1, "right": -1}.get(side, 0)
            middle = (person + 0.5) / people
            points[person, number] = (
                width * (middle + sign * across[part] / people),
                height * down[part],
            )
    scores = np.full((people, len(COCO)), score, np.float32)
    numbers = np.arange(1, people + 1) if ids else None
    return Poses(COCO, points, scores, ids=numbers, size=size, **fields)  # type: ignore[arg-type]


def blank(size: tuple[int, int] = (300, 400), grey: int = 90) -> Image:
    return np.full((size[1], size[0], 3), grey, np.uint8)


def at(image: Image, poses: Poses, a: str, b: str) -> IntArray:
    """The colour in the middle between two keypoints."""
    ends = [poses.keypoints[0, COCO.keypoints.index(name)] for name in (a, b)]
    x, y = np.floor((ends[0] + ends[1]) / 2).astype(int)
    return image[y, x].astype(int)


def near(colour: IntArray, wanted: tuple[int, int, int]) -> bool:
    return bool(np.abs(colour - np.array(wanted)).max() <= 4)


def test_left_and_right_limbs_have_their_own_colours_at_their_pixels() -> None:
    poses = standing()
    image = paint(blank(), poses)
    for a, b in (("shoulder", "elbow"), ("hip", "knee"), ("knee", "ankle")):
        assert near(at(image, poses, f"left_{a}", f"left_{b}"), SIDE_COLOURS["left"])
        assert near(at(image, poses, f"right_{a}", f"right_{b}"), SIDE_COLOURS["right"])
    assert near(at(image, poses, "left_shoulder", "right_shoulder"), SIDE_COLOURS["middle"])
    assert (image[5, 5] == 90).all()


def test_the_picture_given_is_not_changed_and_any_layout_of_it_will_do() -> None:
    image = np.asfortranarray(blank())
    painted = paint(image, standing())
    assert (image == 90).all()
    assert np.array_equal(painted, paint(blank(), standing()))
    assert painted.dtype == np.uint8
    assert painted.shape == image.shape


def test_nobody_leaves_the_picture_as_it_is() -> None:
    image = np.random.default_rng(3).integers(0, 255, (40, 50, 3), np.uint8)
    assert np.array_equal(paint(image, Poses.empty(COCO, size=(50, 40))), image)
    assert np.array_equal(paint(image, standing((50, 40)).select([])), image)


def test_absent_and_weak_keypoints_draw_nothing() -> None:
    nothing = np.full((1, len(COCO), 2), np.nan, np.float32)
    absent = Poses(COCO, nothing, np.ones((1, len(COCO)), np.float32), ids=np.array([4]))
    weak = standing(score=0.29, ids=True)
    for poses in (absent, weak):
        assert np.array_equal(paint(blank(), poses), blank())
    poses = standing()
    keypoints = poses.keypoints.copy()
    keypoints[0, COCO.keypoints.index("left_knee")] = np.nan
    image = paint(blank(), poses.replace(keypoints=keypoints))
    assert (at(image, poses, "left_hip", "left_knee") == 90).all()
    assert not (at(image, poses, "right_hip", "right_knee") == 90).all()


def test_a_higher_score_is_more_opaque() -> None:
    distances = []
    for score in (0.3, 0.5, 0.7, 0.9, 1.0):
        poses = standing(score=score)
        colour = at(paint(blank(), poses), poses, "left_hip", "left_knee")
        distances.append(np.abs(colour - 90).sum())
    assert distances == sorted(distances)
    assert distances[0] > 20
    assert distances[-1] > 2 * distances[0]
    assert np.array_equal(
        paint(blank(), standing(score=0.0), Style(minimum_score=0.0)), blank()
    )  # a score of 0 means absent


def test_black_background_holds_only_the_poses() -> None:
    image = paint(blank(grey=200), standing(), Style(background="black"))
    assert (image[5, 5] == 0).all()
    assert near(at(image, standing(), "left_hip", "left_knee"), SIDE_COLOURS["left"])
    assert (paint(blank(), Poses.empty(COCO), Style(background="black")) == 0).all()


def test_persons_keep_their_colour_whatever_their_row() -> None:
    poses = standing((600, 400), people=2).replace(ids=np.array([7, 3]))
    style = Style(colour="person", ids=False)
    image = paint(blank((600, 400)), poses, style)
    turned = paint(blank((600, 400)), poses.select([1, 0]), style)
    assert near(at(image, poses, "left_hip", "left_knee"), person_colour(7))
    assert near(at(image, poses, "right_hip", "right_knee"), person_colour(7))
    assert np.array_equal(image, turned)
    assert len(set(PERSON_COLOURS)) == len(PERSON_COLOURS) >= 12


@pytest.mark.parametrize("size", [(320, 240), (1280, 720), (3840, 2160)])
def test_labels_are_legible_at_every_size(size: tuple[int, int]) -> None:
    plain = paint(blank(size), standing(size))
    image = paint(blank(size), standing(size, ids=True))
    rows, columns = np.nonzero((plain != image).any(axis=2))
    label = image[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1].astype(float)
    assert label.shape[0] >= 11
    light = label @ (0.2126, 0.7152, 0.0722)
    plate = light[label.shape[0] // 2, label.shape[1] // 5]
    digits = np.abs(light - plate)[2:-2, label.shape[1] // 4 : -label.shape[1] // 4]
    assert digits.max() > 100  # dark on light, or light on dark
    assert (digits > 60).mean() > 0.04


def test_labels_stay_inside_and_need_an_id() -> None:
    poses = standing(ids=True).replace(keypoints=standing().keypoints - np.float32([140, 75]))
    image = paint(blank(), poses)
    assert not np.array_equal(image, paint(blank(), poses, Style(ids=False)))
    assert np.array_equal(
        paint(blank(), poses.replace(ids=None)), paint(blank(), poses, Style(ids=False))
    )
    for number in (0, 10, 987654321, -1):
        paint(blank(), poses.replace(ids=np.array([number])))


def test_a_picture_smaller_than_a_label_can_be_painted() -> None:
    for size in ((12, 10), (3, 40), (1, 1)):
        assert paint(blank(size), standing(size, ids=True)).shape == (size[1], size[0], 3)


def test_boxes_are_drawn_where_they_are() -> None:
    poses = standing(boxes=np.array([[20, 30, 280, 390]], np.float32))
    image = paint(blank(), poses, Style(boxes=True))
    plain = paint(blank(), poses)
    changed = (image != plain).any(axis=2)
    assert changed[30, 60]
    assert changed[200, 20]
    assert not changed[200, 60]


def test_poses_are_scaled_to_the_picture() -> None:
    small = paint(blank((150, 200)), standing((300, 400)))
    assert np.array_equal(small, paint(blank((150, 200)), standing((150, 200))))


def test_lines_grow_with_the_picture_and_the_person() -> None:
    def breadth(size: tuple[int, int], people: int = 1) -> int:
        poses = standing(size, people=people)
        row = paint(blank(size), poses)[int(size[1] * 0.82)]
        return int((row != 90).any(axis=1)[: size[0] // people].sum())

    assert breadth((426, 240)) >= 4
    assert breadth((3840, 2160)) > 5 * breadth((426, 240))
    crowd = standing((1280, 720)).keypoints * 0.1
    row = paint(blank((1280, 720)), standing((1280, 720)).replace(keypoints=crowd))[59]
    assert 2 <= (row != 90).any(axis=1).sum() < breadth((1280, 720))


def test_hands_and_face_are_thinner_than_limbs() -> None:
    skeleton = get_skeleton("wholebody133")
    parts = get_parts(skeleton)
    small = {n for n, w in zip(skeleton.keypoints, parts.keypoint_widths, strict=True) if w < 1}
    assert {"left_thumb_1", "left_eye", "left_hand_root", "nose_bridge_0", "chin"} <= small
    assert not small & {"left_elbow", "right_wrist", "left_hip", "right_knee", "nose"}
    assert len(small) >= 110


@pytest.mark.parametrize("name", skeleton_names())
def test_every_layout_can_be_painted(name: str) -> None:
    skeleton = get_skeleton(name)
    rng = np.random.default_rng(1)
    keypoints = rng.uniform(-20, 220, (2, len(skeleton), 2)).astype(np.float32)
    scores = rng.uniform(0, 1, (2, len(skeleton))).astype(np.float32)
    poses = Poses(skeleton, keypoints, scores, ids=np.array([1, 2]))
    assert (paint(blank((200, 200)), poses, Style(boxes=True)) != 90).any()


def test_trails_follow_time_and_end_at_a_cut() -> None:
    style = Style(trails=1.0, ids=False)
    painter, still = Painter(style), Painter(Style(ids=False))
    for number in range(4):
        moved = standing(ids=True).keypoints + np.float32([number * 12, 0])
        poses = standing(ids=True, time=number * 0.1).replace(keypoints=moved)
        image, plain = painter.paint(blank(), poses), still.paint(blank(), poses)
    x, y = standing().keypoints[0, COCO.keypoints.index("left_ankle")] + (18, 0)
    assert (image[int(y), int(x)] != plain[int(y), int(x)]).any()
    late = poses.replace(time=5.0)
    assert np.array_equal(painter.paint(blank(), late), plain)
    painter.paint(blank(), standing(ids=True, time=5.1))
    painter.restart()
    assert np.array_equal(painter.paint(blank(), poses.replace(time=5.2)), plain)
    back = Painter(style)
    back.paint(blank(), standing(ids=True, time=9.0))
    assert np.array_equal(back.paint(blank(), poses.replace(time=0.0)), plain)


def test_no_ids_no_trails() -> None:
    painter = Painter(Style(trails=1.0))
    painter.paint(blank(), standing(time=0.0))
    moved = standing(time=0.1).replace(keypoints=standing().keypoints + 9)
    assert np.array_equal(painter.paint(blank(), moved), paint(blank(), moved))


@settings(max_examples=40, deadline=None, phases=[Phase.generate])
@given(
    st.lists(st.tuples(*[st.floats(-2e4, 2e4) | st.floats(-30, 90)] * 4), min_size=1, max_size=5),
    st.floats(0.5, 40),
)
def test_strokes_stay_near_their_lines(
    lines: list[tuple[float, float, float, float]], radius: float
) -> None:
    ends = np.array(lines, np.float32)
    image = np.zeros((50, 61, 3), np.uint8)
    strokes = make_strokes(ends[:, :2], ends[:, 2:], radius=radius, colour=(255, 255, 255))
    draw(image, strokes)
    y, x = np.mgrid[0:50, 0:61] + 0.5
    distance = np.full(image.shape[:2], np.inf)
    for x0, y0, x1, y1 in ends.astype(float):
        length = max((x1 - x0) ** 2 + (y1 - y0) ** 2, 1e-12)
        t = np.clip(((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / length, 0, 1)
        distance = np.minimum(distance, np.hypot(x - x0 - t * (x1 - x0), y - y0 - t * (y1 - y0)))
    # Far away ends leave float32 few digits for the place in the picture.
    slack = 0.05 + np.abs(ends).max() * 5e-6
    assert (image[distance > radius + 0.5 + slack] == 0).all()
    assert (image[distance < radius - 0.5 - slack] >= 254).all()


def test_absurd_coordinates_do_no_harm() -> None:
    image = np.zeros((50, 61, 3), np.uint8)
    far = [[1e30, 5], [np.nan, 1], [np.inf, -np.inf], [-1e9, 3e8], [3e38, -3e38]]
    draw(image, make_strokes(far, [[5, 5]] * 5, radius=3, colour=(255, 255, 255)))
    draw(image, make_strokes([[20, 20]], [[30, 20]], radius=3, colour=(9, 255, 9)))
    assert image[20, 25].tolist() == [9, 255, 9]


def test_one_stroke_covers_exactly_its_area() -> None:
    image = np.zeros((60, 80, 3), np.uint8)
    draw(image, make_strokes([[20, 20]], [[60, 41]], radius=4, colour=(255, 255, 255)))
    area = image[..., 0].sum() / 255
    assert area == pytest.approx(8 * np.hypot(40, 21) + np.pi * 16, rel=0.01)


@pytest.mark.parametrize(
    ("field", "value", "hint"),
    [
        ("colour", "sides", "did you mean 'side'"),
        ("background", "white", "choose one of source, black"),
        ("trails", -1, "seconds in 0..60"),
        ("trails", float("nan"), "seconds in 0..60"),
        ("minimum_score", 1.5, "0..1"),
        ("minimum_score", "high", "0..1"),
        ("ids", 1, "True or False"),
    ],
)
def test_a_wrong_style_says_what_is_wanted(field: str, value: object, hint: str) -> None:
    with pytest.raises(UsageError, match=f"Style.{field}") as caught:
        Style(**{field: value})  # type: ignore[arg-type]
    assert hint in str(caught.value)


def test_a_style_is_frozen_and_a_wrong_picture_is_refused() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Style().ids = False  # type: ignore[misc]
    for image in (np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)):
        with pytest.raises(UsageError, match=r"wanted \(height, width, 3\) uint8 RGB"):
            paint(image, standing())
