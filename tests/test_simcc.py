"""Reading SimCC vectors: from ideal ones, and from a tiny network in the real engine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from poise.geometry import invert, transform
from poise.models import simcc
from poise.models.base import Detections
from poise.models.card import Card
from poise.models.simcc import SimccModel, decode
from poise.models.table import CARDS
from poise.skeleton import get_skeleton

CARD = CARDS["rtmpose-m"]
SIGMAS = (4.9, 5.66)


class StandIn:
    """A session that answers with what it was given."""

    precision = "f32"

    def __init__(self, *answers):
        self.answers, self.seen = list(answers), []

    def run(self, pictures):
        self.seen.append(pictures)
        return self.answers[len(self.seen) - 1]


def encode(points, size=(192, 256), split=2):
    """RTMPose's own labels (mmpose, SimCCLabel): a Gaussian around the rounded bin on each axis."""
    fields = []
    for axis in range(2):
        bins = np.arange(size[axis] * split)
        mean = np.round(points[..., axis, None] * split)
        fields.append(np.exp(-((bins - mean) ** 2) / (2 * SIGMAS[axis] ** 2)).astype(np.float32))
    return fields


def poses(count=6, seed=2):
    return np.random.default_rng(seed).uniform([2, 2], [190, 254], (count, 17, 2))


def test_ideal_vectors_decode_to_half_a_pixel():
    points = poses()
    found, scores = decode(*encode(points), split=2)
    assert np.abs(found - points).max() <= 0.5
    np.testing.assert_array_equal(scores, np.ones(scores.shape))


def test_the_score_is_the_lower_maximum_clipped_and_what_has_none_is_absent():
    columns = np.zeros((1, 3, 8), np.float32)
    rows = np.zeros((1, 3, 12), np.float32)
    columns[0, :, 3], rows[0, :, 5] = [0.4, 1.7, 0.9], [0.8, 1.2, 0]
    found, scores = decode(columns, rows, split=2)
    np.testing.assert_allclose(scores, [[0.4, 1, 0]])
    np.testing.assert_array_equal(found[0, 0], [1.5, 2.5])
    assert np.isnan(found[0, 2]).all()


def test_people_come_back_to_the_picture():
    """Known poses in a picture, through region and vectors and back: half a crop pixel."""
    model = SimccModel(StandIn(), CARD)
    points = np.random.default_rng(4).uniform([300, 100], [420, 380], (17, 2)).astype(np.float32)
    box = np.concatenate([points.min(axis=0), points.max(axis=0)])[None]
    (region,) = model.regions(Detections(box, np.ones(1, np.float32)))
    answer = encode(transform(region, points)[None])
    read = SimccModel(StandIn(answer), CARD).read(np.zeros((1, 256, 192, 3), np.uint8))
    back = transform(invert(region), read.keypoints[0])
    assert np.abs(back - points).max() <= 0.5 / region[0, 0]
    assert read.presence[0] == pytest.approx(1)


def test_mirrored_reading_is_turned_round_and_averaged():
    points = poses(1)
    flip = get_skeleton("coco17").flip
    columns, rows = encode(points)
    mirrored = [columns[:, flip, ::-1], rows[:, flip] * np.float32(0.5)]
    card = Card(
        name="t", family="simcc", kind="crop", skeleton="coco17", size=(192, 256),
        settings={"split": 2.0, "flip": True},
    )  # fmt: skip
    session = StandIn([columns, rows], mirrored)
    crops = np.random.default_rng(0).integers(0, 255, (1, 256, 192, 3), dtype=np.uint8)
    read = SimccModel(session, card).read(crops)
    np.testing.assert_array_equal(session.seen[1], crops[:, :, ::-1])
    assert np.abs(read.keypoints - points).max() <= 0.5
    np.testing.assert_allclose(read.scores, 0.75)


def tiny_network(path: Path) -> None:
    """An ONNX network whose vectors are the brightest column and row of the normalised red."""
    onnx = pytest.importorskip("onnx")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    nodes = [
        helper.make_node("Slice", ["input", "zero", "one", "axis"], ["red"]),
        helper.make_node("ReduceMax", ["red"], ["column"], axes=[2], keepdims=0),
        helper.make_node("ReduceMax", ["red"], ["row"], axes=[3], keepdims=0),
        helper.make_node("Tile", ["column", "copies"], ["columns"]),
        helper.make_node("Tile", ["row", "copies"], ["rows"]),
        helper.make_node("Identity", ["columns"], ["simcc_x"]),
        helper.make_node("Identity", ["rows"], ["simcc_y"]),
    ]
    numbers = {"zero": [0], "one": [1], "axis": [1], "copies": [1, 17, 1]}
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("input", kind, ["batch", 3, 32, 24])],
        [
            helper.make_tensor_value_info("simcc_x", kind, ["batch", 17, 24]),
            helper.make_tensor_value_info("simcc_y", kind, ["batch", 17, 32]),
        ],
        [onnx.numpy_helper.from_array(np.array(v, np.int64), k) for k, v in numbers.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    onnx.save(model, str(path))


def test_a_tiny_network_through_the_real_engine(tmp_path):
    tiny_network(tmp_path / "tiny.onnx")
    card = Card(
        name="tiny", family="simcc", kind="crop", skeleton="coco17", size=(24, 32),
        mean=(100.0, 0.0, 0.0), std=(200.0, 1.0, 1.0), settings={"split": 1.0},
    )  # fmt: skip
    model = simcc.load(card, [tmp_path / "tiny.onnx"], precision="f32")
    crops = np.zeros((3, 32, 24, 3), np.uint8)
    crops[0, 20, 7] = [200, 0, 0]
    crops[1, 3, 15] = [255, 0, 0]
    crops[2, 9, 9] = [0, 0, 255]
    read = model.read(crops)
    # Red comes first, and (200 - 100) / 200 is a score of a half; blue is no one's channel.
    np.testing.assert_array_equal(read.keypoints[:2, 0], [[7, 20], [15, 3]])
    np.testing.assert_allclose(read.scores[:, 0], [0.5, 0.775, 0], atol=1e-6)
    assert read.presence[2] < model.minimum_presence


def test_a_crop_shows_what_mmpose_shows_the_network():
    """Crop pixel i is the picture at L + i * S / W (mmpose, get_warp_matrix, with OpenCV)."""
    model = SimccModel(StandIn(), CARD)
    picture = np.repeat(np.tile(np.arange(200, dtype=np.uint8), (260, 1))[..., None], 3, axis=2)
    boxes = np.array([[50, 60, 98, 124]], np.float32)
    (region,) = model.regions(Detections(boxes, np.ones(1, np.float32)))
    wide, side = model.size[0], 48 * 1.25
    seen = model.cut(picture, region)[model.size[1] // 2, :, 0].astype(float)
    wanted = 74 - side / 2 + np.arange(wide) * side / wide
    np.testing.assert_allclose(seen, wanted, atol=0.51)
    assert abs((seen - wanted).mean()) < 0.05
    # And a bin goes back to the place that it was made of.
    back = transform(invert(region), np.array([[wide / 2, model.size[1] / 2]]))
    np.testing.assert_allclose(back, [[74, 92]], atol=1e-6)
