"""Keypoint R-CNN without torch: pictures in, maps to keypoints, the family, and what is refused."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from poise.cli import models as cli
from poise.errors import MissingExtraError, ModelError, UsageError, WeightsError
from poise.models import find_model, load_model, rcnn
from poise.models.rcnn.decoding import decode, share_near
from poise.models.rcnn.design import Design, read_design
from poise.models.rcnn.picture import fit_size, prepare
from poise.poses import Frame
from poise.runtime import engine
from rcnn_small import small_card

# --- pictures ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "down", "nearest"),
    [
        ((640, 480), (1066, 800), (1067, 800)),
        ((480, 640), (800, 1066), (800, 1067)),
        ((2000, 500), (1333, 333), (1333, 333)),
        ((1600, 1200), (1066, 800), (1067, 800)),
        ((1, 1), (800, 800), (800, 800)),
        ((5000, 1), (1333, 1), (1333, 1)),
    ],
)
def test_the_short_side_becomes_800(
    size: tuple[int, int], down: tuple[int, int], nearest: tuple[int, int]
) -> None:
    assert fit_size(size, (1333, 800)) == fit_size(size, (800, 1333)) == down
    assert fit_size(size, (1333, 800), nearest=True) == nearest


@pytest.mark.parametrize("style", ["torchvision", "detectron2"])
def test_a_picture_comes_in_the_networks_channels_and_levels(style: str) -> None:
    card = small_card(style)
    image = np.full((64, 100, 3), (10, 20, 30), np.uint8)
    prepared = prepare(image, card, smooth=style == "detectron2")
    width, height = prepared.size
    assert (width, height) == (200, 128)
    assert prepared.pixels.shape == (1, 3, 128, 224)
    assert prepared.factors.tolist() == [0.5, 0.5]
    order = (10, 20, 30) if style == "torchvision" else (30, 20, 10)
    wanted = (np.array(order) - card.mean) / card.std
    np.testing.assert_allclose(prepared.pixels[0, :, :, :200].mean((1, 2)), wanted, rtol=1e-5)
    assert prepared.pixels[0, :, :, :200].std((1, 2)).max() < 1e-6
    assert not prepared.pixels[..., 200:].any()


def test_a_slope_stays_a_slope() -> None:
    """The middle of pixel i is at i + 0.5 before and after, so a slope only becomes finer."""
    card = small_card()
    slope = np.arange(0, 250, 10, dtype=np.uint8)
    image = np.repeat(np.tile(slope, (16, 1))[..., None], 3, 2)
    prepared = prepare(image, card)
    level = prepared.pixels[0, 0, 5, : int(prepared.size[0])] * card.std[0] + card.mean[0]
    places = (np.arange(len(level)) + 0.5) * prepared.factors[0] - 0.5
    wanted = np.clip(places, 0, len(slope) - 1) * 10
    np.testing.assert_allclose(level, wanted, atol=1e-3)


# --- maps ----------------------------------------------------------------------------------------

SIDE = 56


def draw(points: Any, boxes: Any, sharpness: float = 0.5) -> Any:
    """Return (N, K, 56, 56) maps that are highest at points in the pixels of boxes."""
    places = (points - boxes[:, None, :2]) / (boxes[:, 2:] - boxes[:, :2])[:, None] * SIDE
    middles = np.arange(SIDE) + 0.5
    across = (middles - places[..., 0, None]) ** 2
    down = (middles - places[..., 1, None]) ** 2
    return (-sharpness * (across[..., None, :] + down[..., :, None])).astype(np.float32)


def made_up_people(seed: int, count: int = 3) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    corners = rng.uniform(0, 300, (count, 2))
    sides = rng.uniform(20, 400, (count, 2))
    boxes = np.concatenate([corners, corners + sides], 1).astype(np.float32)
    points = corners[:, None] + rng.uniform(0.02, 0.98, (count, 17, 2)) * sides[:, None]
    return boxes, points.astype(np.float32)


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_maps_of_known_people_give_them_back(seed: int) -> None:
    """To half a pixel of the enlarged map, and half a cell's quarter for what a cubic can do."""
    boxes, points = made_up_people(seed)
    found = decode(draw(points, boxes), boxes)
    cell = (boxes[:, 2:] - boxes[:, :2])[:, None] / SIDE
    assert (np.abs(found.keypoints - points) <= 0.5 + 0.26 * cell).all()
    assert found.scores.min() > 0.7
    assert np.abs(found.logits).max() < 1


def test_a_keypoint_beyond_the_box_is_found_at_its_edge() -> None:
    boxes = np.array([[10, 20, 66, 76]], np.float32)
    points = np.array([[[5, 40], [80, 90]]], np.float32)
    found = decode(draw(points, boxes), boxes)
    np.testing.assert_allclose(found.keypoints[0], [[10.5, 40], [65.5, 75.5]], atol=0.5)


def test_the_arithmetic_of_a_box_of_whole_cells_is_exact() -> None:
    """56 x 112 pixels: along x a pixel is a cell, along y half of one."""
    boxes = np.array([[100, 200, 156, 312]], np.float32)
    maps = np.zeros((1, 1, SIDE, SIDE), np.float32)
    maps[0, 0, 30, 20] = 8
    found = decode(maps, boxes)
    # Both pixels of the cell are equally high; the first one wins. Its value is the cubic's.
    assert found.keypoints[0, 0].tolist() == [120.5, 260.5]
    t, a = 0.25, -0.75
    assert found.logits[0, 0] == pytest.approx(8 * ((a + 2) * t**3 - (a + 3) * t**2 + 1))


def test_boxes_of_parts_of_pixels_and_of_less_than_one() -> None:
    boxes = np.array([[10, 10, 12.5, 10.2], [3, 4, 3, 4]], np.float32)
    maps = np.zeros((2, 3, SIDE, SIDE), np.float32)
    maps[:, :, :, 40:] = 1
    found = decode(maps, boxes)
    # 2.5 pixels become 3 steps of 5 / 6; what is less than a pixel is one.
    np.testing.assert_allclose(found.keypoints[0, 0], [10 + 2.5 * 5 / 6, 10.5], rtol=1e-6)
    np.testing.assert_allclose(found.keypoints[1, 0], [3.5, 4.5])
    none = decode(maps[:0], boxes[:0])
    assert none.keypoints.shape == (0, 3, 2)
    assert none.scores.shape == none.logits.shape == (0, 3)


def test_a_score_is_the_share_of_the_softmax_that_is_near() -> None:
    maps = np.zeros((1, 4, SIDE, SIDE), np.float32)
    maps[0, 1, 7, 9] = 60  # one sharp peak
    maps[0, 2, 7, [9, 10]] = 60  # two cells share it
    maps[0, 3, 7, 9] = maps[0, 3, 40, 40] = 60  # two places, far apart
    cells = np.array([[[9, 7]] * 4])
    scores = share_near(maps, cells)[0]
    np.testing.assert_allclose(scores, [25 / SIDE**2, 1, 1, 0.5], rtol=1e-5)
    # A number added to all the logits of a map changes nothing.
    np.testing.assert_allclose(share_near(maps + 1000, cells)[0], scores, rtol=1e-5)
    # At the corner, only what is there counts.
    assert share_near(maps[:, :1], np.array([[[0, 0]]]))[0, 0] == pytest.approx(9 / SIDE**2)


# --- the family ----------------------------------------------------------------------------------


class Told:
    """An engine that says what it is told, and remembers what it was asked."""

    precision = "f32"

    def __init__(self, *outputs: Any) -> None:
        self.outputs, self.inputs = list(outputs), ()

    def run(self, *arrays: Any) -> list[Any]:
        self.inputs = arrays
        return self.outputs


def test_people_come_in_the_pictures_own_pixels() -> None:
    boxes, points = made_up_people(3)
    scores = np.linspace(0.9, 0.6, len(boxes), dtype=np.float32)
    told = Told(boxes, scores, draw(points, boxes))
    model = rcnn.KeypointRCNN(told, small_card(score=0.6))
    poses = model.estimate([Frame(np.zeros((32, 50, 3), np.uint8), 7, 1.5)])[0]
    assert (poses.index, poses.time, poses.size, model.precision) == (7, 1.5, (50, 32), "f32")
    np.testing.assert_allclose(poses.boxes, boxes / 4, rtol=1e-6)
    assert poses.person_scores.tolist() == scores.tolist()
    assert np.abs(poses.keypoints - points / 4).max() < 1
    pixels, size, least = told.inputs
    assert (pixels.shape, size.tolist(), least.tolist()) == (
        (1, 3, 128, 224),
        [200.0, 128.0],
        [pytest.approx(0.6)],
    )


def test_nobody() -> None:
    told = Told(*(np.zeros(shape, np.float32) for shape in ((0, 4), (0,), (0, 17, 56, 56))))
    model = rcnn.KeypointRCNN(told, small_card())
    assert len(model(np.zeros((32, 50, 3), np.uint8))) == 0
    assert told.inputs[2].tolist() == [0.5]
    assert model.estimate([]) == []


@pytest.mark.parametrize(
    "shapes",
    [
        [(2, 4), (2,), (2, 16, 56, 56)],
        [(2, 4), (3,), (2, 17, 56, 56)],
        [(2, 5), (2,), (2, 17, 56, 56)],
        [(2, 4), (2,), (2, 17, 56)],
        [(2, 4), (2,)],
        [],
    ],
)
def test_outputs_of_another_network_are_refused(shapes: list[tuple[int, ...]]) -> None:
    told = Told(*(np.ones(shape, np.float32) for shape in shapes))
    with pytest.raises(ModelError, match=r"small-rcnn.*wanted boxes \(N, 4\), .*got \["):
        rcnn.KeypointRCNN(told, small_card())(np.zeros((32, 50, 3), np.uint8))


def save_network(path: Path, shapes: list[list[int]]) -> Path:
    """Write a network of the engine's own format that sends its inputs back."""
    op = engine().opset13
    inputs = [op.parameter(shape, dtype=np.float32) for shape in shapes]
    outputs = [op.relu(node).output(0) for node in inputs]
    engine().save_model(engine().Model(outputs, inputs), str(path), compress_to_fp16=False)
    return path


def test_a_network_with_other_inputs_is_refused(tmp_path: Path) -> None:
    path = save_network(tmp_path / "other.xml", [[1, 3, 64, 64]])
    with pytest.raises(ModelError, match=r"takes pixels .* got \[\[1, 3, 64, 64\]\]; export it"):
        rcnn.load(small_card(), [path])
    fit = save_network(tmp_path / "fit.xml", [[1, 3, 64, 64], [2], [1]])
    assert rcnn.load(small_card(), [fit], precision="f32").precision == "f32"


# --- cards and what is refused -------------------------------------------------------------------


def test_the_rows_say_whose_conventions_they_are() -> None:
    ours = find_model("keypoint-rcnn").reader
    theirs = find_model("detectron2-keypoint-rcnn").reader
    assert read_design(ours) == Design(epsilon=0.0)
    assert read_design(theirs) == Design(style="detectron2")
    assert (ours.channels, theirs.channels) == ("RGB", "BGR")
    assert ours.files[0].sha256.startswith("fc266e95")
    assert theirs.std == (1, 1, 1)
    assert theirs.restriction


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"style": "torchvisoin"}, "no style 'torchvisoin'; did you mean 'torchvision'"),
        ({"blocks": (3.0, 4.0)}, r"blocks: wanted four numbers, got \(3.0, 4.0\)"),
        ({"widths": 64}, "widths: wanted four numbers, got 64"),
    ],
)
def test_settings_that_cannot_be(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=f"card small-rcnn: {message}"):
        read_design(small_card(**wrong))


def test_without_torch_the_line_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    path = tmp_path / "some.pth"
    path.write_bytes(b"PK")
    with pytest.raises(MissingExtraError, match=r"need torch; pip install 'poise\[torch\]'"):
        load_model("keypoint-rcnn", weights=path)


def test_a_pickle_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POISE_HOME", str(tmp_path))
    path = tmp_path / "model_final_a6e10b.pkl"
    path.write_bytes(b"anything")
    with pytest.raises(WeightsError, match=r"a pickle may run any code .* not opened; load it"):
        load_model("detectron2-keypoint-rcnn", weights=path, accept_licence=True)


def test_no_precision_of_that_name() -> None:
    with pytest.raises(UsageError, match="no precision 'f23'; did you mean 'f32'"):
        rcnn.load(small_card(), [Path("none.pth")], precision="f23")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["movenet-lightning", "x.onnx"], "no checkpoint of torch"),
        (["keypoint-rcnn", "x.xml"], "wanted a file that ends in .onnx"),
        (["keypoint-rcnn", "nowhere/x.onnx"], "there is no such folder"),
        (["keypoint-rcnn", "x.onnx", "--weights", "none.pth"], "no such file of weights"),
    ],
)
def test_what_cannot_be_exported(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(cli.app, ["export", *arguments])
    assert message in str(done.exception)
    assert not list(tmp_path.iterdir())
