"""RTMO: ideal outputs come back as the people they were made of, through the real engine too."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from poise.errors import ModelError
from poise.models import load_model
from poise.models.rtmo import RTMO
from poise.models.table import CARDS
from poise.poses import Frame
from seers import crowd, into, rectangle, write_seer
from stand_in import StandIn

CARD = CARDS["rtmo-s"]
POINTS, SCORES, BOXES = crowd()
SURE = np.array([0.9, 0.8, 0.7, 0.35])


def encode(points, scores, boxes, sure):
    """What mmdeploy's network says of people in input pixels; the last row is of nobody."""
    found = np.zeros((1, len(points) + 1, 5), np.float32)
    joints = np.zeros((1, len(points) + 1, 17, 3), np.float32)
    found[0, :-1] = np.column_stack([boxes, sure])
    joints[0, :-1] = np.concatenate([points, scores[..., None]], axis=2)
    return found, joints


def frame(size):
    return Frame(np.zeros((size[1], size[0], 3), np.uint8), 7, 0.25)


@pytest.mark.parametrize("size", [(640, 640), (1280, 720), (300, 500)])
def test_people_come_back_to_the_picture(size):
    scale = min(640 / size[0], 640 / size[1])
    unit = np.array([0, 0, *size], float)
    points, boxes = into(unit, POINTS), into(unit, BOXES)
    answer = encode(points * scale, SCORES, boxes * scale, SURE)
    (poses,) = RTMO(StandIn(*answer), CARD).estimate([frame(size)])
    assert (len(poses), poses.index, poses.time, poses.size) == (4, 7, 0.25, size)
    np.testing.assert_allclose(poses.keypoints, points, atol=1e-3)
    np.testing.assert_allclose(poses.boxes, boxes, atol=1e-3)
    np.testing.assert_allclose(poses.scores, SCORES, atol=1e-6)
    np.testing.assert_allclose(poses.person_scores, SURE, atol=1e-6)


def test_outputs_may_come_in_either_order_and_the_best_comes_first():
    order = [2, 0, 3, 1]
    points, boxes = 640 * POINTS[order], 640 * BOXES[order]
    found, joints = encode(points, SCORES[order], boxes, SURE[order])
    (poses,) = RTMO(StandIn(joints, found), CARD).estimate([frame((640, 640))])
    np.testing.assert_allclose(poses.keypoints, 640 * POINTS, atol=1e-3)
    assert (np.diff(poses.person_scores) < 0).all()


def test_who_overlaps_stays_since_the_network_suppresses():
    same = [0, 0, 0]
    answer = encode(640 * POINTS[same], SCORES[same], 640 * BOXES[same], [0.9, 0.8, 0.7])
    assert len(RTMO(StandIn(*answer), CARD)(frame((640, 640)).image)) == 3


def test_nobody_and_many():
    nobody = np.zeros((1, 1, 5), np.float32), np.zeros((1, 1, 17, 3), np.float32)
    nothing = np.zeros((1, 0, 5), np.float32), np.zeros((1, 0, 17, 3), np.float32)
    zero = dataclasses.replace(CARD, settings={"score": 0.0})
    for outputs in (nobody, nothing):
        for card in (CARD, zero):
            poses = RTMO(StandIn(*outputs), card)(frame((200, 100)).image)
            assert poses.keypoints.shape == (0, 17, 2)
            assert poses.size == (200, 100)
    points, scores, boxes = crowd(3, 120)
    answer = encode(640 * points, scores, 640 * boxes, np.linspace(0.9, 0.4, 120))
    assert len(RTMO(StandIn(*answer), CARD)(frame((640, 640)).image)) == 120


def test_the_least_score_is_a_setting():
    answer = encode(640 * POINTS, SCORES, 640 * BOXES, SURE)
    strict = dataclasses.replace(CARD, settings={"score": 0.75})
    assert len(RTMO(StandIn(*answer), strict)(frame((640, 640)).image)) == 2


def test_who_is_cut_by_the_border_keeps_the_keypoints_and_a_keypoint_without_score_is_absent():
    points, boxes = 640 * POINTS - (250, 0), 640 * BOXES - (250, 0, 250, 0)
    scores = SCORES.copy()
    scores[0, 3] = 0
    (poses,) = RTMO(StandIn(*encode(points, scores, boxes, SURE)), CARD).estimate(
        [frame((640, 640))]
    )
    assert np.isnan(poses.keypoints[0, 3]).all()
    assert np.isfinite(poses.keypoints[1:]).all()
    assert (poses.boxes >= 0).all()
    np.testing.assert_allclose(poses.boxes[0], np.maximum(boxes[0], 0), atol=1e-3)
    np.testing.assert_allclose(poses.keypoints[1], points[1], atol=1e-3)


@pytest.mark.parametrize(
    "shapes",
    [
        [],
        [(1, 4, 5)],
        [(1, 4, 5), (1, 5, 17, 3)],
        [(1, 4, 5), (1, 4, 14, 3)],
        [(1, 4, 6), (1, 4, 17, 3)],
        [(2, 4, 5), (2, 4, 17, 3)],
        [(1, 4, 5), (1, 4, 17, 3), (1, 4)],
        [(1, 56, 8400)],
    ],
)
def test_other_outputs_are_refused(shapes):
    model = RTMO(StandIn(*(np.zeros(shape, np.float32) for shape in shapes)), CARD)
    with pytest.raises(ModelError, match=r"dets \(1, N, 5\) and keypoints .*got") as error:
        model(frame((64, 64)).image)
    came = ", ".join(map(str, shapes)) or "none"
    assert f"got {came}; check the card" in str(error.value)
    assert "\n" not in str(error.value)


def says(frame):
    return encode(into(frame, POINTS), SCORES, into(frame, BOXES), SURE)


def small(**more):
    return dataclasses.replace(CARD, name="small", size=(160, 160), **more)


@pytest.mark.parametrize(("size", "scale"), [((320, 240), 0.5), ((160, 120), 1), ((80, 80), 2)])
def test_a_tiny_network_through_the_real_engine(tmp_path, size, scale):
    # BGR: red is the third channel, and grey levels are as they are.
    path = write_seer(tmp_path / "tiny.onnx", says, (160, 160), channel=2, names=["dets", "k"])
    box = np.array([20, 12, 20 + size[0] // 2, 12 + size[1] // 2])
    model = load_model("small", card=small(), weights=path, precision="f32")
    poses = model(rectangle(size, box, (255, 0, 0)))
    slack = 1.01 / scale if scale > 1 else 1e-3
    np.testing.assert_allclose(poses.keypoints, into(box, POINTS), atol=slack)
    again = load_model("small", card=small(), weights=path, precision="f32")
    for other in (model, again):
        twin = other(rectangle(size, box, (255, 0, 0)))
        assert twin.keypoints.tobytes() == poses.keypoints.tobytes()
        assert twin.scores.tobytes() == poses.scores.tobytes()
    # Where nothing is lit in red, nobody is a pixel high.
    assert len(model(rectangle(size, box, (0, 0, 255)))) == 0


def test_a_card_file_and_a_folder_of_pictures(tmp_path):
    """As a stranger does it: a card file beside the network, two pictures of unlike sizes."""
    write_seer(tmp_path / "mine.onnx", says, (160, 160), channel=2)
    (tmp_path / "mine.toml").write_text(
        'name = "mine"\nfamily = "rtmo"\nkind = "pose"\nskeleton = "coco17"\n'
        'size = [160, 160]\nchannels = "BGR"\nsettings = { score = 0.5 }\n'
        '[[files]]\nname = "mine.onnx"\nsha256 = ""\n'
    )
    model = load_model(card=tmp_path / "mine.toml", weights=tmp_path / "mine.onnx")
    boxes = [np.array([0, 0, 100, 100]), np.array([40, 20, 120, 100])]
    frames = [
        Frame(rectangle((side, side), box, (255, 255, 255)))
        for side, box in zip((160, 320), boxes, strict=True)
    ]
    for poses, box in zip(model.estimate(frames), boxes, strict=True):
        assert len(poses) == 3
        np.testing.assert_allclose(poses.keypoints, into(box, POINTS[:3]), atol=2.1)
    assert [len(poses) for poses in model.follow(frames)] == [3, 3]


def test_a_network_of_another_size_is_refused_in_one_line(tmp_path):
    onnx = pytest.importorskip("onnx")
    path = write_seer(tmp_path / "tiny.onnx", says, (160, 160))
    network = onnx.load(str(path))
    # A number of pixels that is written into the network, as exporters do.
    count = onnx.numpy_helper.from_array(np.array([1, 3, 160 * 160], np.int64), "count")
    network.graph.initializer.append(count)
    network.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    network.graph.node.insert(0, onnx.helper.make_node("Reshape", ["images", "count"], ["flat"]))
    network.graph.output.append(onnx.helper.make_tensor_value_info("flat", 1, [1, 3, 25600]))
    onnx.save(network, str(path))
    assert load_model("small", card=small(), weights=path)
    card = dataclasses.replace(small(), size=(320, 320))
    with pytest.raises(ModelError, match=r"takes \(1, 3, 160, 160\), not \(1, 3, 320, 320\)"):
        load_model("small", card=card, weights=path)
