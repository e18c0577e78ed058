"""YOLO-pose: both forms of output come back as the people they were made of."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from poise.errors import ModelError
from poise.models import load_model
from poise.models.steps import place
from poise.models.table import CARDS
from poise.models.yolopose import YoloPose, decode, read_people
from poise.poses import Frame
from seers import crowd, into, rectangle, write_seer
from stand_in import StandIn

CARD = CARDS["yolo11n-pose"]
POINTS, SCORES, BOXES = crowd()
SURE = np.array([0.9, 0.8, 0.7, 0.35])


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is accepted here is not accepted in the user's own home."""
    monkeypatch.setenv("POISE_HOME", str(tmp_path / "home"))


def joined(points, scores):
    return np.concatenate([points, scores[..., None]], axis=2).reshape(len(points), 51)


def encode(points, scores, boxes, sure, *, cells=60, before=0, after=0):
    """(1, 4 + C + 51, A) of v8 and 11; classes before and after the person's are likelier."""
    middle, size = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
    others = np.full((len(points), 1), 0.95)
    classes = [others] * before + [sure[:, None]] + [others] * after
    rows = np.zeros((cells, 4 + len(classes) + 51), np.float32)
    rows[3 : 3 + len(points)] = np.hstack([middle, size, *classes, joined(points, scores)])
    return rows.T[None]


def encode_final(points, scores, boxes, sure, *, rows=300, kind=0):
    """(1, 300, 57) of 26 and of exports that suppress."""
    answer = np.zeros((1, rows, 57), np.float32)
    kinds = np.full(len(points), kind)
    answer[0, : len(points)] = np.column_stack([boxes, sure, kinds, joined(points, scores)])
    return answer


FORMS = {"cells": encode, "final": encode_final}


def frame(size):
    return Frame(np.zeros((size[1], size[0], 3), np.uint8), 7, 0.25)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("size", [(640, 640), (1280, 720), (300, 500), (641, 333)])
def test_people_come_back_through_the_centred_letterbox(form, size):
    unit = np.array([0, 0, *size], float)
    points, boxes = into(unit, POINTS), into(unit, BOXES)
    gain = min(640 / size[0], 640 / size[1])
    # What Ultralytics' letterbox puts on the left and above: half the room, a half rounded down.
    pad = np.array([round((640 - round(side * gain)) / 2 - 0.1) for side in size])
    answer = FORMS[form](points * gain + pad, SCORES, boxes * gain + np.tile(pad, 2), SURE)
    (poses,) = YoloPose(StandIn(answer), CARD).estimate([frame(size)])
    assert (len(poses), poses.index, poses.time, poses.size) == (4, 7, 0.25, size)
    np.testing.assert_allclose(poses.keypoints, points, atol=2e-3)
    np.testing.assert_allclose(poses.boxes, boxes, atol=2e-3)
    np.testing.assert_allclose(poses.scores, SCORES, atol=1e-6)
    np.testing.assert_allclose(poses.person_scores, SURE, atol=1e-6)


@pytest.mark.parametrize(("size", "pad"), [((640, 480), 80), ((640, 360), 140), ((100, 51), 157)])
def test_the_picture_lies_in_the_middle_and_the_rest_is_grey(size, pad):
    session = StandIn(encode_final(POINTS, SCORES, BOXES, SURE))
    white = np.full((size[1], size[0], 3), 255, np.uint8)
    YoloPose(session, CARD)(white)
    (canvas,) = session.seen[0]
    assert canvas.shape == (640, 640, 3)
    assert (canvas[: pad - 4] == 114).all()
    assert (canvas[pad + 4 : 636 - pad, 4:-4] == 255).all()
    assert (canvas[644 - pad :] == 114).all()
    np.testing.assert_array_equal(place(size, (640, 640), centred=True)[:, 2], [0, pad])


def test_one_person_in_many_cells_is_one_and_people_who_touch_are_two():
    box = np.array([100, 100, 200, 400.0])
    near = box + 4  # overlaps by 0.90
    aside = box + np.array([60, 0, 60, 0])  # overlaps by 0.25
    boxes = np.stack([near, box, aside])
    points = np.repeat(POINTS[:1], 3, axis=0) * 100 + boxes[:, None, :2]
    answer = encode(points, SCORES[:3], boxes, np.array([0.6, 0.8, 0.5]))
    poses = YoloPose(StandIn(answer), CARD)(frame((640, 640)).image)
    np.testing.assert_allclose(poses.boxes, [box, aside], atol=1e-3)
    np.testing.assert_allclose(poses.keypoints, points[1:], atol=1e-3)
    loose = dataclasses.replace(CARD, settings={"overlap": 0.95})
    assert len(YoloPose(StandIn(answer), loose)(frame((640, 640)).image)) == 3
    tight = dataclasses.replace(CARD, settings={"overlap": 0.2})
    assert len(YoloPose(StandIn(answer), tight)(frame((640, 640)).image)) == 1
    # Rows that are final already are not suppressed once more.
    final = encode_final(points, SCORES[:3], boxes, np.array([0.6, 0.8, 0.5]))
    assert len(YoloPose(StandIn(final), CARD)(frame((640, 640)).image)) == 3


@pytest.mark.parametrize("form", FORMS)
def test_nobody_and_more_than_most(form):
    none = FORMS[form](POINTS[:0], SCORES[:0], BOXES[:0], SURE[:0])
    poses = YoloPose(StandIn(none), CARD)(frame((200, 100)).image)
    assert (poses.keypoints.shape, poses.size) == ((0, 17, 2), (200, 100))
    count = 300
    low = np.stack(np.meshgrid(np.arange(20), np.arange(15)), -1).reshape(-1, 2) * [32, 40.0]
    points = low[:, None] + np.repeat(POINTS[:1], count, 0) * 30
    boxes = np.hstack([low, low + 30])
    sure = np.linspace(0.99, 0.3, count)
    more = {"cells": 8400} if form == "cells" else {}
    answer = FORMS[form](points, np.repeat(SCORES[:1], count, 0), boxes, sure, **more)
    poses = YoloPose(StandIn(answer), CARD)(frame((640, 640)).image)
    np.testing.assert_allclose(poses.keypoints, points, atol=1e-3)


def test_a_flood_of_cells_is_cut_to_the_best():
    cells = np.zeros((8400, 56), np.float32)
    middles = np.random.default_rng(0).uniform(20, 620, (8400, 2))
    cells[:, :2], cells[:, 2:4], cells[:, 4] = middles, 2, np.linspace(0.3, 0.9, 8400)
    poses = YoloPose(StandIn(cells.T[None]), CARD)(frame((640, 640)).image)
    assert 1000 < len(poses) <= 2000
    assert poses.person_scores[0] == pytest.approx(0.9)
    # A keypoint whose score is 0 is absent, and not at the corner of the picture.
    assert np.isnan(poses.keypoints).all()


def test_other_classes_do_not_count():
    card = dataclasses.replace(CARD, settings={"person": 1, "classes": 4})
    answer = encode(640 * POINTS, SCORES, 640 * BOXES, SURE, before=1, after=2)
    poses = YoloPose(StandIn(answer), card)(frame((640, 640)).image)
    np.testing.assert_allclose(poses.person_scores, SURE, atol=1e-6)
    np.testing.assert_allclose(poses.keypoints, 640 * POINTS, atol=1e-3)
    final = encode_final(640 * POINTS, SCORES, 640 * BOXES, SURE, kind=1)
    assert len(YoloPose(StandIn(final), card)(frame((640, 640)).image)) == 4
    for card in (CARD, dataclasses.replace(CARD, settings={"score": 0.0})):
        assert len(YoloPose(StandIn(final), card)(frame((640, 640)).image)) == 0


def test_rows_are_read_as_plain_loops_do():
    random = np.random.default_rng(5)
    cells = random.uniform(0, 100, (7, 59)).astype(np.float32)
    people = decode(cells, 17, 2)
    final = read_people(cells[:, :57], 1)
    for i, row in enumerate(cells):
        cx, cy, w, h = row[:4]
        wanted = [cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2]
        np.testing.assert_allclose(people.boxes[i], wanted, rtol=1e-5, atol=1e-4)
        assert people.sure[i] == row[6]
        assert final.sure[i] == -1
        for k in range(17):
            np.testing.assert_array_equal(people.keypoints[i, k], row[8 + 3 * k : 10 + 3 * k])
            assert people.scores[i, k] == row[10 + 3 * k]
            np.testing.assert_array_equal(final.keypoints[i, k], row[6 + 3 * k : 8 + 3 * k])


@pytest.mark.parametrize(
    "shapes",
    [
        [],
        [(56, 8400)],
        [(1, 84, 8400)],
        [(1, 55, 8400)],
        [(1, 6, 8400)],
        [(1, 300, 6)],
        [(2, 56, 8400)],
        [(1, 56, 8400), (1, 32, 160, 160)],
    ],
)
def test_other_outputs_are_refused(shapes):
    model = YoloPose(StandIn(*(np.zeros(shape, np.float32) for shape in shapes)), CARD)
    wanted = r"wanted one output \(1, 56, A\) or \(1, M, 57\), got"
    with pytest.raises(ModelError, match=wanted) as error:
        model(frame((64, 64)).image)
    assert ", ".join(map(str, shapes)) in str(error.value)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("size", "scale"), [((320, 240), 0.5), ((160, 120), 1), ((80, 80), 2)])
def test_a_tiny_network_through_the_real_engine(tmp_path, form, size, scale):
    def says(frame):
        return [FORMS[form](into(frame, POINTS), SCORES, into(frame, BOXES), SURE)]

    # RGB, 0..1: red is the first channel, and 0.6 is brighter than the grey of the letterbox.
    path = write_seer(tmp_path / "tiny.onnx", says, (160, 160), bright=0.6)
    box = np.array([20, 12, 20 + size[0] // 2, 12 + size[1] // 2])
    card = dataclasses.replace(CARD, name="small", size=(160, 160))
    model = load_model("small", card=card, weights=path, accept_licence=True, precision="f32")
    image = rectangle(size, box, (255, 0, 0))
    poses = model(image)
    slack = 1.01 / scale if scale > 1 else 1e-3
    assert len(poses) == 4
    np.testing.assert_allclose(poses.keypoints, into(box, POINTS), atol=slack)
    np.testing.assert_allclose(poses.boxes, into(box, BOXES), atol=slack)
    assert model(image).keypoints.tobytes() == poses.keypoints.tobytes()
    assert len(model(rectangle(size, box, (0, 0, 255)))) == 0


@pytest.mark.parametrize(
    "name", [name for name, card in CARDS.items() if card.family == "yolopose"]
)
def test_a_card_says_what_the_licence_demands_and_how_to_get_the_file(name):
    card = CARDS[name]
    assert "AGPL-3.0" in card.licence
    assert "AGPL-3.0" in card.restriction
    assert f"model={name}.pt format=onnx" in card.note
    assert not card.files[0].sources
