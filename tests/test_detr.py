"""Networks of queries: detectors and pose models after DETR, in both forms of their exports."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from poise.errors import ModelError
from poise.models import detr, find_model, load_model
from poise.models.detr import Detr
from poise.models.detr_pose import DetrPose, fuse
from poise.models.table import CARDS
from poise.poses import Frame
from seers import crowd, into, rectangle, write_seer

POINTS, SCORES, BOXES = crowd()
SURE = np.array([0.9, 0.8, 0.7, 0.55])
UNIT = np.array([0, 0, 1, 1.0])
FINDER, RFDETR, READER, DETRPOSE = (
    CARDS[name] for name in ("rtdetr-r18", "rf-detr-nano", "rf-detr-keypoint-preview", "detrpose-n")
)


class Answer:
    """A session that answers with what it was given; with two inputs it asks for the size."""

    precision = "f32"

    def __init__(self, *outputs, inputs=1):
        self.outputs, self.seen = list(outputs), []
        self.input_shapes = [[-1, 8, 8, 3], [-1, 2]][:inputs]

    def run(self, *arrays):
        self.seen.append(arrays)
        return self.outputs


def logit(scores):
    return np.log(scores) - np.log1p(-np.asarray(scores))


def middles(boxes):
    ends = boxes.reshape(*boxes.shape[:-1], 2, 2)
    return np.concatenate([ends.mean(axis=-2), ends[..., 1, :] - ends[..., 0, :]], axis=-1)


def queries(boxes, sure, *, classes=80, person=0, rows=30):
    """Boxes (1, Q, 4) as parts of the picture, logits (1, Q, C): people, then one cat."""
    places = np.full((1, rows, 4), 0.5, np.float32)
    logits = np.full((1, rows, classes), -6, np.float32)
    places[0, : len(boxes)] = middles(boxes)
    logits[0, : len(boxes), person] = logit(sure)
    logits[0, len(boxes), person + 2] = 4
    return places, logits


def said(boxes, sure, *, person=0, rows=30):
    """Labels, boxes and scores, best first, one cat among them; places are parts of the size."""
    labels = np.full((1, rows), 5, np.int64)
    places, scores = np.zeros((1, rows, 4), np.float32), np.zeros((1, rows), np.float32)
    labels[0, : len(boxes)], places[0, : len(boxes)], scores[0, : len(boxes)] = person, boxes, sure
    labels[0, len(boxes)], places[0, len(boxes)], scores[0, len(boxes)] = 15, [0, 0, 9, 9], 0.99
    return labels, places, scores


# --- detectors -----------------------------------------------------------------------------------


@pytest.mark.parametrize("turn", [0, 1])
@pytest.mark.parametrize(
    ("card", "classes", "person"), [(FINDER, 80, 0), (FINDER, 1, 0), (RFDETR, 91, 1)]
)
def test_queries_come_back_to_a_stretched_picture(card, classes, person, turn):
    outputs = queries(BOXES, SURE, classes=max(classes, person + 3), person=person)
    outputs = (outputs[0], outputs[1][..., :classes])
    session = Answer(*(outputs[::-1] if turn else outputs))
    (people,) = Detr(session, card).detect([np.zeros((300, 500, 3), np.uint8)])
    np.testing.assert_allclose(people.boxes, into(np.array([0, 0, 500, 300]), BOXES), atol=1e-3)
    np.testing.assert_allclose(people.scores, SURE, atol=1e-6)
    # All of the network's input is picture.
    assert (session.seen[0][0][:, 2:-2, 2:-2] == 0).all()


def test_labels_boxes_scores_come_back_and_the_size_is_told():
    labels, places, scores = said(640 * BOXES, SURE)
    for order in ((labels, places, scores), (scores, labels, places)):
        session = Answer(*order, inputs=2)
        image = np.zeros((300, 500, 3), np.uint8)
        (people,) = Detr(session, FINDER).detect([image])
        np.testing.assert_allclose(people.boxes, into(np.array([0, 0, 500, 300]), BOXES), atol=1e-3)
        np.testing.assert_allclose(people.scores, SURE, atol=1e-6)
        (_, sizes) = session.seen[0]
        np.testing.assert_array_equal(sizes, [[640, 640]])
        assert sizes.dtype == np.int64


def test_a_batch_is_told_one_size_each():
    both = [np.repeat(output, 2, axis=0) for output in said(640 * BOXES, SURE)]
    both[2][1] *= 0.7
    session = Answer(*both, inputs=2)
    first, second = Detr(session, FINDER).detect([np.zeros((64, 64, 3), np.uint8)] * 2)
    assert session.seen[0][1].shape == (2, 2)
    assert (len(first), len(second)) == (4, 2)
    assert Detr(session, FINDER).detect([]) == []


def test_who_overlaps_stays_and_nobody_is_nobody():
    twice = np.repeat(BOXES[:1], 2, axis=0)
    (people,) = Detr(Answer(*queries(twice, [0.9, 0.8])), FINDER).detect(
        [np.zeros((64, 64, 3), np.uint8)]
    )
    assert len(people) == 2
    # Also where every score is good enough, a cat is nobody.
    every = dataclasses.replace(FINDER, settings={"score": 0.0})
    (people,) = Detr(Answer(*said(640 * BOXES, SURE, rows=5)), every).detect(
        [np.zeros((64, 64, 3), np.uint8)]
    )
    assert len(people) == 4
    none = queries(BOXES[:0], SURE[:0])
    assert len(Detr(Answer(*none), FINDER).detect([np.zeros((64, 64, 3), np.uint8)])[0]) == 0


@pytest.mark.parametrize(
    "outputs",
    [
        [],
        [(1, 30, 4)],
        [(1, 30, 4), (1, 31, 80)],
        [(1, 30, 5), (1, 30, 80)],
        [(1, 30, 4), (1, 30)],
        [(1, 30, 4), (1, 30, 80), (1, 30, 2)],
        [(1, 84, 8400)],
    ],
)
def test_other_outputs_are_refused(outputs):
    model = Detr(Answer(*(np.zeros(shape, np.float32) for shape in outputs)), FINDER)
    with pytest.raises(ModelError, match=r"wanted boxes \(N, Q, 4\) and logits .*got") as error:
        model.detect([np.zeros((64, 64, 3), np.uint8)])
    assert ", ".join(map(str, outputs)) in str(error.value)
    card = dataclasses.replace(FINDER, settings={"person": 80})
    with pytest.raises(ModelError, match="more than 80 classes"):
        Detr(Answer(*queries(BOXES, SURE)), card).detect([np.zeros((64, 64, 3), np.uint8)])


@pytest.mark.parametrize("told", ["", "INT64", "FLOAT"])
def test_a_tiny_detector_through_the_real_engine(tmp_path, told):
    size, box = (64, 48), np.array([16, 12, 64, 60])
    parts = np.array([*size, *size])

    def says(frame):
        if told:
            labels, places, scores = said(into(frame, BOXES), SURE, rows=5)
            return labels, places, scores
        return queries(into(frame, BOXES) / parts, SURE, rows=5)

    path = write_seer(tmp_path / "tiny.onnx", says, size, bright=0.6, told=told)
    card = dataclasses.replace(FINDER, name="small", size=size)
    finder = detr.load(card, [path], precision="f32")
    image = rectangle((128, 72), box, (255, 0, 0))
    # 128 x 72 is stretched to 64 x 48: half in x, two thirds in y.
    (people,) = finder.detect([image])
    assert len(people) == 4
    np.testing.assert_allclose(people.boxes, into(box, BOXES), atol=1.6)
    (again,) = finder.detect([image])
    assert again.boxes.tobytes() == people.boxes.tobytes()
    assert len(finder.detect([rectangle((128, 72), box, (0, 255, 255))])[0]) == 0


# --- pose models ---------------------------------------------------------------------------------


def rf_outputs(points, scores, boxes, sure, *, slots=1, classes=91, rows=100):
    """RF-DETR's three outputs; the factor of the precision is such that its trace is 1."""
    places, logits = queries(boxes, sure, classes=classes, person=slots - 1, rows=rows)
    joints = np.full((1, rows, slots * 17, 8), 0.1, np.float32)
    own = joints[0, : len(points), (slots - 1) * 17 :]
    own[..., :2], own[..., 2] = points, logit(scores)
    own[..., 4:7] = [0.5 * np.log(2), 0, 0.5 * np.log(2)]
    return places, logits, joints


def frame(size):
    return Frame(np.zeros((size[1], size[0], 3), np.uint8), 7, 0.25)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
@pytest.mark.parametrize("slots", [1, 2])
def test_rf_detr_people_come_back_to_a_stretched_picture(slots, order):
    outputs = rf_outputs(POINTS, SCORES, BOXES, SURE, slots=slots)
    plain = dataclasses.replace(READER, settings={"trace": 0.0})
    (poses,) = DetrPose(Answer(*(outputs[i] for i in order)), plain).estimate([frame((500, 300))])
    whole = np.array([0, 0, 500, 300.0])
    assert (len(poses), poses.index, poses.time, poses.size) == (4, 7, 0.25, (500, 300))
    np.testing.assert_allclose(poses.keypoints, into(whole, POINTS), atol=1e-3)
    np.testing.assert_allclose(poses.boxes, into(whole, BOXES), atol=1e-3)
    np.testing.assert_allclose(poses.scores, SCORES, atol=1e-5)
    np.testing.assert_allclose(poses.person_scores, SURE, atol=1e-6)
    # With a trace of 1, the published score is p / (1 + p).
    card = dataclasses.replace(READER, settings={"score": 0.3})
    (poses,) = DetrPose(Answer(*outputs), card).estimate([frame((500, 300))])
    np.testing.assert_allclose(poses.person_scores, SURE / (1 + SURE), atol=1e-6)


def test_the_score_is_that_of_covariances_written_out():
    random = np.random.default_rng(3)
    joints = random.normal(0, 1.5, (6, 17, 8)).astype(np.float32)
    logits = random.normal(0, 2, 6).astype(np.float32)
    found = fuse(logits, joints, 0.2)
    for i in range(6):
        total = weight = 0.0
        for *_, there, _, a, b, c, _ in joints[i].astype(float):
            lower = np.array([[np.exp(a), 0], [b, np.exp(c)]])
            trace = np.trace(np.linalg.inv(lower @ lower.T))
            sigmoid = 1 / (1 + np.exp(-there))
            total, weight = total + sigmoid * trace, weight + sigmoid
        fused = 1 / (1 + np.exp(-logits[i].astype(float))) * (total / weight) ** -0.2
        assert found[i] == pytest.approx(fused / (1 + fused), rel=1e-5)


def test_the_score_survives_numbers_that_are_very_large():
    joints = np.zeros((2, 17, 8), np.float32)
    joints[0, :, 4:7], joints[1, :, 4:7] = 400, -400
    joints[..., 2] = -400
    found = fuse(np.array([400, -400], np.float32), joints, 0.2)
    assert np.isfinite(found).all()
    assert found[0] == pytest.approx(1)
    assert found[1] == pytest.approx(0)


@pytest.mark.parametrize("inputs", [1, 2])
def test_detrpose_people_come_back_and_keypoints_have_the_persons_score(inputs):
    labels, _, scores = said(BOXES, SURE, person=1, rows=60)
    scores[0, 4] = 0
    joints = np.zeros((1, 60, 17, 2), np.float32)
    joints[0, :4] = 640 * POINTS
    session = Answer(scores, labels, joints, inputs=inputs)
    (poses,) = DetrPose(session, DETRPOSE).estimate([frame((500, 300))])
    whole = np.array([0, 0, 500, 300.0])
    np.testing.assert_allclose(poses.keypoints, into(whole, POINTS), atol=1e-3)
    np.testing.assert_allclose(poses.boxes, into(whole, BOXES), atol=1e-3)
    np.testing.assert_allclose(poses.scores, np.repeat(SURE[:, None], 17, axis=1), atol=1e-6)
    assert len(session.seen[0]) == inputs


def test_nobody_everybody_and_the_truncated():
    card = dataclasses.replace(READER, settings={"trace": 0.0})
    none = rf_outputs(POINTS[:0], SCORES[:0], BOXES[:0], SURE[:0])
    poses = DetrPose(Answer(*none), card)(frame((64, 64)).image)
    assert poses.keypoints.shape == (0, 17, 2)
    points, scores, boxes = crowd(4, 99)
    full = rf_outputs(points, scores, boxes, np.linspace(0.99, 0.6, 99))
    poses = DetrPose(Answer(*full), card)(frame((64, 64)).image)
    np.testing.assert_allclose(poses.keypoints, 64 * points, atol=1e-3)
    points, boxes = POINTS + np.array([0.4, 0]), BOXES + np.array([0.4, 0, 0.4, 0])
    poses = DetrPose(Answer(*rf_outputs(points, SCORES, boxes, SURE)), card)(
        frame((100, 100)).image
    )
    np.testing.assert_allclose(poses.keypoints, 100 * points, atol=1e-3)
    assert poses.boxes.max() <= 100


@pytest.mark.parametrize(
    "outputs",
    [
        [],
        [(1, 100, 4), (1, 100, 91)],
        [(1, 100, 4), (1, 100, 91), (1, 100, 108, 108)],
        [(1, 100, 4), (1, 100, 91), (1, 100, 33, 8)],
        [(1, 100, 4), (1, 100, 1), (1, 100, 34, 8)],
        [(1, 100, 4), (1, 90, 91), (1, 100, 17, 8)],
        [(1, 60), (1, 60, 17, 2)],
        [(2, 100, 4), (2, 100, 91), (2, 100, 17, 8)],
        [(1, 56, 8400)],
    ],
)
def test_other_outputs_are_refused_by_pose_models(outputs):
    model = DetrPose(Answer(*(np.zeros(shape, np.float32) for shape in outputs)), READER)
    wanted = r"wanted boxes \(1, Q, 4\), logits .*keypoints \(1, Q, 17 or 34, 8\).*got"
    with pytest.raises(ModelError, match=wanted) as error:
        model(frame((64, 64)).image)
    assert ", ".join(map(str, outputs)) in str(error.value)


@pytest.mark.parametrize("told", ["", "INT64"])
def test_a_tiny_pose_network_through_the_real_engine(tmp_path, told):
    size, box = (64, 48), np.array([16, 12, 64, 60])
    parts = np.array([*size, *size])

    def says(frame):
        points, boxes = into(frame, POINTS), into(frame, BOXES)
        if told:
            labels, _, scores = said(boxes, SURE, person=1, rows=5)
            scores[0, 4] = 0.1
            joints = np.zeros((1, 5, 17, 2), np.float32)
            joints[0, :4] = points
            return scores, labels, joints
        return rf_outputs(points / size, SCORES, boxes / parts, SURE, rows=6)

    # ImageNet's mean and deviation for one, 0..1 for the other: both take 1 and above as bright.
    bright, card = (0.9, DETRPOSE) if told else (1.5, READER)
    path = write_seer(tmp_path / "tiny.onnx", says, size, bright=bright, told=told)
    card = dataclasses.replace(card, name="small", size=size, settings={"score": 0.3})
    model = load_model("small", card=card, weights=path, precision="f32")
    image = rectangle((128, 96), box, (255, 0, 0))
    poses = model(image)
    assert len(poses) == 4
    np.testing.assert_allclose(poses.keypoints, into(box, POINTS), atol=1e-3)
    assert model(image).keypoints.tobytes() == poses.keypoints.tobytes()
    assert len(model(rectangle((128, 96), box, (0, 255, 255)))) == 0


@pytest.mark.parametrize("name", ["rtdetr-r18", "dfine-n", "rf-detr-nano"])
def test_a_detector_of_queries_goes_with_any_crop_model(name):
    recipe = find_model(f"{name}+tinypose-256")
    assert [card.name for card in recipe.cards] == [name, "tinypose-256"]
    with pytest.raises(ModelError, match="not a detector and a crop model"):
        find_model(f"{name}+detrpose-n")


def test_users_who_have_no_file_are_told_how_to_make_it():
    for name, card in CARDS.items():
        if card.family in ("detr", "detr_pose"):
            assert "export" in card.note, name
            assert card.channels == "RGB"
