"""MoveNet: constructed outputs, the smart crop against its published rule, and real weights."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image as Pictures
from typer.testing import CliRunner

from poise.cli.app import app
from poise.errors import ModelError, WeightsError
from poise.geometry import oks
from poise.models import find_model, load_model
from poise.models.base import Detections
from poise.models.card import Card
from poise.models.movenet import (
    MoveNet,
    MultiMoveNet,
    SmartCrop,
    centre_box,
    decode,
    decode_people,
    load,
    next_box,
    presence,
    whole_box,
)
from poise.models.regions import read_regions
from poise.models.table import CARDS
from poise.models.topdown import TopDown
from poise.poses import Frame, Poses
from poise.runtime import engine
from poise.skeleton import get_skeleton
from seers import rectangle, write_seer

CARD = CARDS["movenet-lightning"]
COCO = get_skeleton("coco17")
# A standing person in a unit square, COCO order.
FIGURE = np.array(
    [
        *((0.5, 0.08), (0.53, 0.05), (0.47, 0.05), (0.56, 0.07), (0.44, 0.07)),
        *((0.65, 0.2), (0.35, 0.2), (0.75, 0.35), (0.25, 0.35), (0.8, 0.5), (0.2, 0.5)),
        *((0.6, 0.52), (0.4, 0.52), (0.62, 0.75), (0.38, 0.75), (0.63, 0.97), (0.37, 0.97)),
    ],
    np.float32,
)


class Seer:
    """A network that sees one person where the red is: the figure fills the red rectangle."""

    precision = "f32"

    def __init__(self):
        self.seen = 0

    def run(self, crops):
        rows = np.zeros((len(crops), 1, 17, 3), np.float32)
        for row, image in zip(rows, crops, strict=True):
            red = image[..., 0] > 127
            self.seen += 1
            if red.any():
                high, wide = red.shape
                y, x = np.flatnonzero(red.any(1)), np.flatnonzero(red.any(0))
                low = np.array([x[0], y[0]])
                side = np.array([x[-1] + 1, y[-1] + 1]) - low
                row[0, :, 1::-1] = (low + FIGURE * side) / (wide, high)
                row[0, :, 2] = 0.9
        return [rows]


class Answer:
    """A network that gives what it was told to."""

    precision = "f32"
    input_shapes = ((1, -1, -1, 3),)

    def __init__(self, *outputs):
        self.outputs, self.seen = list(outputs), []

    def run(self, pictures):
        self.seen.append(pictures)
        return self.outputs


def picture(size, box):
    image = np.zeros((size[1], size[0], 3), np.uint8)
    x0, y0, x1, y1 = (round(value) for value in box)
    image[max(y0, 0) : max(y1, 0), max(x0, 0) : max(x1, 0), 0] = 255
    return image


def walk(size, boxes, **more):
    return [Frame(picture(size, b), i, i / 25, **more) for i, b in enumerate(boxes)]


# --- outputs -------------------------------------------------------------------------------------


def test_y_x_score_become_x_y_in_input_pixels():
    output = np.zeros((2, 1, 17, 3), np.float32)
    output[1, 0, 4] = [0.25, 0.75, 1.2]
    places, scores = decode(output, (192, 192))
    assert places.shape == (2, 17, 2)
    np.testing.assert_array_equal(places[1, 4], [144, 48])
    assert scores[1, 4] == 1


def test_presence_is_the_mean_of_the_sure_scores():
    scores = np.zeros((3, 17), np.float32)
    scores[0, :3], scores[1] = [0.5, 0.3, 0.2], 0.2
    np.testing.assert_allclose(presence(scores), [0.4, 0, 0])


def test_a_person_with_a_low_score_is_nobody():
    output = np.full((1, 1, 17, 3), 0.24, np.float32)
    model = MoveNet(Answer(output), CARD)
    assert len(model(picture((64, 64), (0, 0, 9, 9)))) == 0
    output[..., 2] = 0.26
    assert len(model(picture((64, 64), (0, 0, 9, 9)))) == 1


def test_a_whole_picture_is_read_with_its_proportions():
    for size, box in (((640, 360), (400, 60, 520, 320)), ((300, 700), (40, 100, 200, 600))):
        (found,) = MoveNet(Seer(), CARD).estimate([Frame(picture(size, box), 3, 0.5)])
        wanted = box[:2] + FIGURE * (box[2] - box[0], box[3] - box[1])
        # One pixel of the network is 3.6 of the picture.
        assert np.abs(found.keypoints[0] - wanted).max() < 3.7
        assert (found.index, found.time, found.size) == (3, 0.5, size)


def test_mirrored_readings_are_turned_back():
    model = MoveNet(Seer(), CARD)
    there = np.random.default_rng(1).uniform(0, 1, (2, 1, 17, 3)).astype(np.float32)
    mirrored = there[..., COCO.flip, :].copy()
    mirrored[..., 1] = 1 - mirrored[..., 1]
    np.testing.assert_allclose(model._average([there], [mirrored])[0], there, atol=1e-6)


@pytest.mark.parametrize(
    "outputs",
    [[], [np.zeros((1, 6, 56))], [np.zeros((1, 1, 17, 3))] * 2, [np.zeros((1, 1, 33, 3))]],
)
def test_other_outputs_are_refused(outputs):
    with pytest.raises(ModelError, match=r"wanted one output .*17, 3.*got"):
        MoveNet(Answer(*outputs), CARD)(picture((64, 64), (0, 0, 9, 9)))


# --- the smart crop ------------------------------------------------------------------------------


def published_box(points, scores, width, height):
    """The rule as tfjs-models writes it (crop_utils), number by number."""
    names = {"ls": 5, "rs": 6, "lh": 11, "rh": 12}
    sure = {name: scores[index] > 0.2 for name, index in names.items()}
    padded = max(width, height)
    whole = [(width - padded) / 2, (height - padded) / 2]
    whole = [*whole, whole[0] + padded, whole[1] + padded]
    if not ((sure["lh"] or sure["rh"]) and (sure["ls"] or sure["rs"])):
        return whole
    cx = (float(points[11][0]) + float(points[12][0])) / 2
    cy = (float(points[11][1]) + float(points[12][1])) / 2
    torso_x = max(abs(cx - float(points[i][0])) for i in names.values())
    torso_y = max(abs(cy - float(points[i][1])) for i in names.values())
    body_x = body_y = 0.0
    for (x, y), score in zip(points, scores, strict=True):
        if score >= 0.2:
            body_x, body_y = max(body_x, abs(cx - float(x))), max(body_y, abs(cy - float(y)))
    half = max(1.9 * torso_x, 1.9 * torso_y, 1.2 * body_x, 1.2 * body_y)
    half = min(half, max(cx, width - cx, cy, height - cy))
    if half > max(width, height) / 2:
        return whole
    return [cx - half, cy - half, cx + half, cy + half]


def test_the_next_box_is_the_published_one():
    random, kinds = np.random.default_rng(7), set()
    for _ in range(400):
        width, height = random.integers(100, 900, 2)
        size = (int(width), int(height))
        low, span = random.uniform(0, 0.6, 2), random.uniform(0.05, 0.9, 2)
        points = ((low + FIGURE * span) * size + random.normal(0, 4, (17, 2))).astype(np.float32)
        scores = random.uniform(0, random.choice([0.3, 1]), 17).astype(np.float32)
        wanted = published_box(points, scores, *size)
        np.testing.assert_allclose(next_box(points, scores, size), wanted, rtol=1e-9, atol=1e-9)
        kinds.add(np.allclose(wanted, whole_box(size)))
    assert kinds == {True, False}


def one(points, size=(640, 480), score=0.9):
    scores = np.full((1, 17), score, np.float32)
    return Poses(COCO, points[None].astype(np.float32), scores, size=size)


def test_boxes_are_mixed_nine_to_one():
    aim, held = SmartCrop((640, 480)), None
    np.testing.assert_array_equal(aim.box, [80, 0, 560, 480])
    for step in range(5):
        points = (FIGURE * (60, 150) + (200 + 30 * step, 100 + 5 * step)).astype(np.float32)
        new = np.array(published_box(points, np.full(17, 0.9), 640, 480))
        held = new if held is None else 0.9 * new + 0.1 * held
        aim.learn(one(points))
        np.testing.assert_allclose(aim.box, held)


def test_with_nobody_there_the_whole_picture_and_the_middle_take_turns():
    aim, nobody = SmartCrop((640, 480)), Poses.empty(COCO, size=(640, 480))
    for box in (whole_box, centre_box, whole_box):
        aim.learn(nobody)
        np.testing.assert_array_equal(aim.box, box((640, 480)))
    points = (FIGURE * (60, 150) + (200, 100)).astype(np.float32)
    aim.learn(one(points))
    # Nothing of the time before is mixed in.
    np.testing.assert_allclose(aim.box, published_box(points, np.full(17, 0.9), 640, 480))


def test_somebody_at_the_side_of_a_wide_picture_is_found_and_followed_closely():
    size = (1280, 720)
    boxes = [(20 + 6 * i, 300, 80 + 6 * i, 460) for i in range(20)]
    found = list(MoveNet(Seer(), CARD).follow(walk(size, boxes)))
    assert [len(poses) for poses in found[:2]] == [0, 1]
    for poses, box in zip(found[4:], boxes[4:], strict=True):
        wanted = box[:2] + FIGURE * (60, 160)
        assert np.abs(poses.keypoints[0] - wanted).max() < 3


def test_one_model_serves_two_clips_at_once():
    model = MoveNet(Seer(), CARD)
    clips = [
        walk((640, 480), [(200 + 9 * i, 100, 280 + 9 * i, 300) for i in range(12)]),
        walk((480, 640), [(100, 100 + 7 * i, 160, 300 + 7 * i) for i in range(12)]),
    ]
    alone = [list(model.follow(clip)) for clip in clips]
    together = zip(*(model.follow(clip) for clip in clips), strict=True)
    for index, pair in enumerate(together):
        for poses, other in zip(pair, (alone[0][index], alone[1][index]), strict=True):
            np.testing.assert_array_equal(poses.keypoints, other.keypoints)


def test_a_cut_and_another_size_begin_afresh():
    boxes = [(300, 100, 340, 200)] * 6
    frames = walk((640, 480), boxes)
    after = [Frame(f.image, i + 6, (i + 6) / 25, cut=i == 0) for i, f in enumerate(frames)]
    other = walk((320, 480), [(100, 100, 140, 200)] * 2)
    found = list(MoveNet(Seer(), CARD).follow([*frames, *after, *other]))
    assert len(found) == 14
    for first, again in zip(found[:6], found[6:12], strict=True):
        np.testing.assert_array_equal(first.keypoints, again.keypoints)
    assert np.abs(found[12].keypoints - ((100, 100) + FIGURE * (40, 100))).max() < 3


# --- a detector before it ------------------------------------------------------------------------


class Finder:
    precision = "f32"

    def __init__(self, *boxes):
        self.boxes = np.array(boxes, np.float32)

    def detect(self, images):
        return [Detections(self.boxes, np.ones(len(self.boxes), np.float32)) for _ in images]


def test_a_detector_gives_it_square_crops():
    box = (100, 50, 160, 250)
    model = TopDown(Finder(box), MoveNet(Seer(), CARD), name="finder+movenet-lightning")
    poses = model(picture((640, 480), box))
    # The crop is 1.25 times the long side, 250 pixels, on 192.
    assert np.abs(poses.keypoints[0] - (box[:2] + FIGURE * (60, 200))).max() < 1.4
    assert len(list(model.follow(walk((640, 480), [box] * 3)))) == 3


def test_its_name_goes_alone_and_with_a_detector():
    assert find_model("movenet-lightning").detector is None
    recipe = find_model("rtmdet-nano+movenet-lightning")
    assert [card.name for card in recipe.cards] == ["rtmdet-nano", "movenet-lightning"]
    assert "int8" in CARD.note
    with pytest.raises(ModelError, match="not a detector and a crop model"):
        find_model("movenet-lightning+tinypose-256")


# --- MultiPose -----------------------------------------------------------------------------------

MULTI = CARDS["movenet-multipose"]


def encode(people, extent, count=6):
    """(1, count, 56) of people (keypoints, scores, box, score) in picture pixels."""
    rows = np.zeros((1, count, 56), np.float32)
    for row, (points, scores, box, score) in zip(rows[0], people, strict=False):
        row[:51] = np.column_stack([(points / extent)[:, ::-1], scores]).ravel()
        row[51:55] = (np.reshape(box, (2, 2)) / extent)[:, ::-1].ravel()
        row[55] = score
    return rows


def crowd(count, seed=3):
    random = np.random.default_rng(seed)
    for _ in range(count):
        low, side = random.uniform(0, 200, 2), random.uniform(20, 150, 2)
        points = (low + FIGURE * side).astype(np.float32)
        scores = random.uniform(0, 1, 17).astype(np.float32)
        yield points, scores, (*low, *(low + side)), random.uniform(0.3, 1)


def test_multipose_rows_decode_to_the_people_they_are_made_of():
    people, extent = list(crowd(6)), np.array([640.0, 400.0])
    points, scores, boxes, sure = decode_people(encode(people, extent)[0], extent)
    for index, (wanted, likely, box, score) in enumerate(people):
        np.testing.assert_allclose(points[index], wanted, atol=1e-3)
        np.testing.assert_allclose(scores[index], likely, atol=1e-6)
        np.testing.assert_allclose(boxes[index], box, atol=1e-3)
        assert sure[index] == pytest.approx(score)


@pytest.mark.parametrize(
    ("size", "canvas", "inner"),
    [
        ((640, 360), (256, 160), (256, 144)),
        ((300, 700), (128, 256), (110, 256)),
        ((512, 512), (256, 256), (256, 256)),
        ((2000, 3), (256, 32), (256, 1)),
    ],
)
def test_multipose_pads_right_and_below_and_maps_back(size, canvas, inner):
    people = list(crowd(3))
    extent = np.array(size) * canvas / inner
    session = Answer(encode(people, extent))
    frame = Frame(np.full((size[1], size[0], 3), 200, np.uint8), 5, 0.2)
    (poses,) = MultiMoveNet(session, MULTI).estimate([frame])
    (seen,) = session.seen
    assert seen.shape == (1, canvas[1], canvas[0], 3)
    assert (seen[0, : inner[1], : inner[0]] >= 199).all()
    assert not seen[0, inner[1] :].any()
    assert not seen[0, :, inner[0] :].any()
    # The other three rows are nobody.
    assert (len(poses), poses.index, poses.size) == (3, 5, size)
    np.testing.assert_allclose(poses.keypoints[2], people[2][0], atol=1e-2)
    np.testing.assert_allclose(poses.boxes[1], people[1][2], atol=1e-2)


def test_multipose_refuses_the_other_output():
    with pytest.raises(ModelError, match=r"wanted one output \(1, -1, 56\)"):
        MultiMoveNet(Answer(np.zeros((1, 1, 17, 3))), MULTI)(picture((64, 64), (0, 0, 9, 9)))


def write_network(path, shape, output):
    """Save a network that answers with what it was given, and a trace of its input's mean."""
    ov = engine()
    op = ov.opset8
    door = op.parameter(shape, np.int32)
    mean = op.reduce_mean(op.convert(door, "f32"), np.array([0, 1, 2, 3]), keep_dims=False)
    end = op.add(op.constant(output), op.multiply(mean, np.float32(0)))
    ov.save_model(ov.Model([end], [door]), str(path), compress_to_fp16=False)
    return [path, path.with_suffix(".bin")]


def test_both_kinds_load_into_the_engine(tmp_path):
    people, size = list(crowd(2)), (640, 360)
    rows = encode(people, np.array(size) * (1, 160 / 144))
    paths = write_network(tmp_path / "multi.xml", [1, -1, -1, 3], rows)
    model = load(MULTI, paths, precision="f32")
    for _ in range(2):
        np.testing.assert_allclose(
            model(picture(size, (0, 0, 9, 9))).keypoints[0], people[0][0], atol=1e-2
        )
    assert len(model(picture((200, 500), (0, 0, 9, 9)))) == 2
    single = np.full((1, 1, 17, 3), 0.5, np.float32)
    paths = write_network(tmp_path / "single.xml", [1, 192, 192, 3], single)
    found = load(CARD, paths, precision="f32")(picture((400, 200), (0, 0, 9, 9)))
    np.testing.assert_allclose(found.keypoints[0, 0], [200, 100], atol=1e-3)


@pytest.mark.parametrize(("size", "scale"), [((640, 360), 0.4), ((300, 700), 1 / 3.5)])
def test_multipose_of_one_size_takes_the_picture_as_large_as_it_fits(size, scale):
    people = list(crowd(3))
    inner = np.rint(np.array(size) * scale).astype(int)
    session = Answer(encode(people, np.array(size) * (256, 200) / inner))
    session.input_shapes = ((1, 200, 256, 3),)
    white = np.full((size[1], size[0], 3), 200, np.uint8)
    poses = MultiMoveNet(session, MULTI)(white)
    (seen,) = session.seen
    assert seen.shape == (1, 200, 256, 3)
    assert (seen[0, : inner[1], : inner[0]] >= 199).all()
    assert not seen[0, inner[1] :].any()
    assert not seen[0, :, inner[0] :].any()
    np.testing.assert_allclose(poses.keypoints[2], people[2][0], atol=1e-2)


def test_multipose_of_nobody_and_of_all_six():
    extent = np.array([256.0, 256.0])
    nobody = MultiMoveNet(Answer(encode([], extent)), MULTI)(picture((64, 64), (0, 0, 9, 9)))
    assert nobody.keypoints.shape == (0, 17, 2)
    # The network has six places: of eight people, two are not said.
    found = MultiMoveNet(Answer(encode(list(crowd(8)), extent)), MULTI)(
        picture((256, 256), (0, 0, 9, 9))
    )
    assert len(found) == 6


@pytest.mark.parametrize("kind", ["INT32", "UINT8", "FLOAT"])
@pytest.mark.parametrize("name", ["movenet-thunder", "movenet-multipose"])
def test_networks_of_every_input_type_see_the_same_pixels(tmp_path, name, kind):
    """TensorFlow Lite's take uint8, SavedModels int32, converted ones floats; all 0..255."""
    box, multi = np.array([40, 24, 140, 124]), name == "movenet-multipose"

    def says(frame):
        points = frame[:2] + FIGURE * (frame[2:] - frame[:2])
        if multi:
            return [encode([(points, np.full(17, 0.9), frame, 0.8)], np.array([256, 128]))]
        triples = np.column_stack([(points / 256)[:, ::-1], np.full(17, 0.9)])
        return [triples[None, None].astype(np.float32)]

    path = write_seer(
        tmp_path / "tiny.onnx", says, (256, 256), nhwc=True, kind=kind, free=multi, bright=254
    )
    model = load_model(name, weights=path, precision="f32")
    # Shown at its own size: 256 wide, and below it black.
    poses = model(rectangle((256, 128), box, (255, 0, 0)))
    assert len(poses) == 1
    wanted = box[:2] + FIGURE * (box[2:] - box[:2])
    np.testing.assert_allclose(poses.keypoints[0], wanted, atol=1e-3)
    # Nothing of another colour is seen.
    (other,) = model(rectangle((256, 128), box, (0, 255, 255))).keypoints
    assert np.abs(other - wanted).max() > 50


def test_the_table_has_every_published_size():
    sizes = {"movenet-lightning": 192, "movenet-lightning-float16": 192, "movenet-thunder": 256}
    for name, side in sizes.items():
        assert CARDS[name].size == (side, side)
        recipe = find_model(f"rtmdet-nano+{name}")
        assert recipe.reader.channels == "RGB"
    with pytest.raises(ModelError, match="not a detector and a crop model"):
        find_model("rtmdet-nano+movenet-multipose")
    with pytest.raises(WeightsError, match="no hash is recorded"):
        load_model("movenet-thunder")


@pytest.mark.parametrize("shape", [[1, 3, 192, 192], [1, 17]])
def test_a_network_that_takes_something_else_is_refused(tmp_path, shape):
    ov = engine()
    op = ov.opset8
    door = op.parameter(shape, np.float32)
    path = tmp_path / "other.xml"
    ov.save_model(ov.Model([op.relu(door)], [door]), str(path))
    with pytest.raises(ModelError, match=r"takes \(1, .*\), not NHWC colour pictures"):
        load(CARD, [path])


def test_an_unknown_output_setting_is_refused():
    card = Card(
        name="x", family="movenet", kind="pose", skeleton="coco17", settings={"output": "?"}
    )
    with pytest.raises(ModelError, match="single"):
        load(card, [])


# --- real weights --------------------------------------------------------------------------------


@pytest.fixture
def _weights(data_dir, tmp_path, monkeypatch):
    monkeypatch.setenv("POISE_MODELS", str(data_dir / "weights"))
    monkeypatch.setenv("POISE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("POISE_OFFLINE", "1")


def labelled(folder, least=5):
    """Yield each picture with the boxes, keypoints and areas (COCO's) of its labelled people."""
    labels = json.loads((folder / "annotations/person_keypoints_train2017.json").read_text())
    for row in labels["images"]:
        path = folder / "train2017" / row["file_name"]
        people = [
            a
            for a in labels["annotations"]
            if a["image_id"] == row["id"] and not a["iscrowd"] and a["num_keypoints"] >= least
        ]
        if people and path.is_file():
            boxes = np.array([a["bbox"] for a in people], np.float32)
            boxes[:, 2:] += boxes[:, :2]
            points = np.array([a["keypoints"] for a in people], np.float32).reshape(-1, 17, 3)
            seen = np.where(points[..., 2:] > 0, points[..., :2], np.nan).astype(np.float32)
            areas = np.array([a["area"] for a in people], np.float32)
            yield np.asarray(Pictures.open(path).convert("RGB")), boxes, seen, areas


@pytest.mark.weights
@pytest.mark.data
@pytest.mark.usefixtures("_weights")
def test_runs_are_equal_to_the_last_bit():
    crops = np.random.default_rng(0).integers(0, 256, (3, 192, 192, 3)).astype(np.uint8)
    first, again = (load_model("movenet-lightning", precision="f32") for _ in range(2))
    wanted = first.read(crops)
    for model in (first, again):
        read = model.read(crops)
        np.testing.assert_array_equal(read.keypoints, wanted.keypoints)
        np.testing.assert_array_equal(read.scores, wanted.scores)


@pytest.mark.weights
@pytest.mark.data
@pytest.mark.usefixtures("_weights")
def test_weights_of_another_model_are_refused(data_dir):
    other = data_dir / "weights/efficientpose/tflite/EfficientPoseRT.tflite"
    model = load_model("movenet-lightning", weights=other)
    with pytest.raises(ModelError, match="wanted one output"):
        model(picture((64, 64), (0, 0, 9, 9)))


@pytest.mark.weights
@pytest.mark.data
@pytest.mark.usefixtures("_weights")
def test_accuracy_on_square_crops_of_labelled_people(data_dir):
    model = load_model("movenet-lightning", precision="f32")
    by_outline, by_box = [], []
    for image, boxes, points, areas in labelled(data_dir / "labelled/coco_mini"):
        detections = Detections(boxes, np.ones(len(boxes), np.float32))
        poses = read_regions(model, Frame(image), model.regions(detections)).poses
        squares = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
        for found, area in ((by_outline, areas), (by_box, squares)):
            found.extend(np.diag(oks(poses.keypoints, points, area, COCO.sigmas)))
    assert len(by_box) == 72
    # Measured: 0.499 with COCO's areas, of outlines, and 0.586 with those of boxes (the reference
    # runtime on the same crops: 0.511 and 0.594).
    assert np.mean(by_outline) > 0.485
    assert np.mean(by_box) > 0.57


@pytest.mark.weights
@pytest.mark.data
@pytest.mark.usefixtures("_weights")
def test_the_command_line_reads_a_photograph_and_a_video(data_dir, tmp_path):
    photograph = data_dir / "labelled/coco_mini/train2017/000000000790.jpg"
    video = next((data_dir / "videos/exercise").glob("*squat*"))
    for source, more in ((photograph, []), (video, ["--end", "1"])):
        out = tmp_path / f"{source.stem}.jsonl"
        command = ["estimate", str(source), "-m", "movenet-lightning", "-o", str(out), *more]
        done = CliRunner().invoke(app, command)
        assert done.exit_code == 0, done.output
        lines = [json.loads(line) for line in out.read_text().splitlines()]
        assert "movenet-lightning" in json.dumps(lines[0])
        assert len(lines) > 1
