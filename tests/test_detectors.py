"""Finding people: raw heads against plain loops, pictures of all shapes, and the real networks."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pictures

from poise.errors import ModelError
from poise.geometry import iou
from poise.models import heatmap, picodet, rtmdet, yolox
from poise.models.base import Detections
from poise.models.card import Card
from poise.models.picodet import PicoDet
from poise.models.rtmdet import RTMDet
from poise.models.steps import fit, keep_people, sigmoid
from poise.models.table import CARDS
from poise.models.tiles import TiledDetector, tile_corners
from poise.models.topdown import TopDown
from poise.models.yolox import YOLOX
from seers import rectangle, write_seer
from stand_in import StandIn


def test_rtmdet_decodes_as_plain_loops_do():
    random = np.random.default_rng(1)
    levels = [random.normal(3, 5, (2, n, n, 5)).astype(np.float32) for n in (8, 4, 2)]
    boxes, scores = rtmdet.decode(levels, 64)
    wanted = [
        (8 * s * x - left, 8 * s * y - up, 8 * s * x + right, 8 * s * y + down)
        for s, level in zip((1, 2, 4), levels, strict=True)
        for y, row in enumerate(level[1])
        for x, (_, left, up, right, down) in enumerate(row)
    ]
    np.testing.assert_allclose(boxes[1], wanted, rtol=1e-5, atol=1e-4)
    logits = np.concatenate([level[1, ..., 0].ravel() for level in levels])
    np.testing.assert_allclose(scores[1], 1 / (1 + np.exp(-logits)), rtol=1e-4, atol=1e-7)


def test_yolox_decodes_as_plain_loops_do():
    random = np.random.default_rng(2)
    cells = random.normal(0, 1, (1, 64 + 16 + 4, 85)).astype(np.float32)
    cells[..., 4:] = random.uniform(0, 1, cells[..., 4:].shape)
    boxes, scores = yolox.decode(cells, (64, 64))
    wanted, row = [], 0
    for stride in (8, 16, 32):
        for y in range(64 // stride):
            for x in range(64 // stride):
                dx, dy, w, h = cells[0, row, :4]
                cx, cy = (x + dx) * stride, (y + dy) * stride
                w, h = np.exp(w) * stride / 2, np.exp(h) * stride / 2
                wanted.append((cx - w, cy - h, cx + w, cy + h))
                row += 1
    np.testing.assert_allclose(boxes[0], wanted, rtol=1e-4, atol=1e-3)
    # Column 5 is the class person; the other 79 do not count.
    np.testing.assert_allclose(scores[0], cells[0, :, 4] * cells[0, :, 5])


def test_yolox_that_suppresses_by_itself_gives_people_only():
    found = np.array([[[10, 20, 60, 100, 0.8], [0, 0, 50, 50, 0.9]]], np.float32)
    session = StandIn(found, np.array([[0, 16]]))
    card = Card(name="t", family="yolox", kind="detector", size=(416, 416),
                settings={"output": "suppressed"})  # fmt: skip
    (people,) = YOLOX(session, card).detect([np.zeros((208, 208, 3), np.uint8)])
    np.testing.assert_allclose(people.boxes, [[5, 10, 30, 50]])
    np.testing.assert_allclose(people.scores, [0.8])


def end_to_end(people, kinds, *, batch=1):
    """What mmdeploy's detectors say: (N, M, 5) and (N, M), the last row of nobody."""
    found = np.zeros((batch, len(people) + 1, 5), np.float32)
    found[:, :-1] = people
    labels = np.zeros((batch, len(people) + 1), np.int64)
    labels[:, :-1] = kinds
    return found, labels


@pytest.mark.parametrize("name", ["rtmdet-m", "rtmdet-nano"])
def test_rtmdet_that_suppresses_by_itself_gives_people_only(name):
    size = CARDS[name].size[0]
    found, labels = end_to_end([[10, 20, 60, 100, 0.8], [0, 0, 50, 50, 0.9]], [0, 16])
    image = np.zeros((size // 2, size // 2, 3), np.uint8)
    for outputs in ((found, labels), (labels, found), (found[:, :1],)):
        (people,) = RTMDet(StandIn(*outputs), CARDS[name]).detect([image])
        np.testing.assert_allclose(people.boxes, [[5, 10, 30, 50]])
        np.testing.assert_allclose(people.scores, [0.8])
    nobody = RTMDet(StandIn(*end_to_end(np.zeros((0, 5)), [])), CARDS[name]).detect([image])
    assert nobody[0].boxes.shape == (0, 4)


@pytest.mark.parametrize(
    ("family", "name", "shapes", "wanted"),
    [
        (RTMDet, "rtmdet-nano", [], "one output (N, h, w, 5) a stride, or dets"),
        (RTMDet, "rtmdet-nano", [(1, 64, 64, 6)] * 3, "a stride"),
        (RTMDet, "rtmdet-nano", [(1, 9, 5), (1, 8)], "dets (N, M, 5) and labels (N, M)"),
        (RTMDet, "rtmdet-nano", [(1, 56, 8400)], "a stride"),
        (YOLOX, "yolox-nano", [(1, 3000, 85)], "one output (N, 3549, 5 + classes)"),
        (YOLOX, "yolox-nano", [(1, 3549, 5)], "one output (N, 3549, 5 + classes)"),
        (YOLOX, "yolox-nano", [(1, 9, 5), (1, 9)], "one output (N, 3549, 5 + classes)"),
        (YOLOX, "yolox-s-humanart", [(1, 8400, 85)], "dets (N, M, 5) and labels (N, M)"),
        (PicoDet, "picodet-s-pedestrian", [(1, 2125, 4)], "boxes (N, A, 4) and scores (N, 1, A)"),
        (PicoDet, "picodet-s-pedestrian", [(1, 2125, 4), (1, 80, 2125)], "scores (N, 1, A)"),
    ],
)
def test_other_outputs_are_refused(family, name, shapes, wanted):
    model = family(StandIn(*(np.zeros(shape, np.float32) for shape in shapes)), CARDS[name])
    with pytest.raises(ModelError) as error:
        model.detect([np.zeros((40, 40, 3), np.uint8)])
    came = ", ".join(map(str, shapes)) or "none"
    assert f"{name}: wanted " in str(error.value)
    assert f"{wanted}" in str(error.value)
    assert f"got {came}; check the card" in str(error.value)


@pytest.mark.parametrize("name", ["rtmdet-m", "yolox-x-humanart"])
def test_a_tiny_end_to_end_network_through_the_real_engine(tmp_path, name):
    def says(frame):
        return end_to_end([[*frame, 0.9], [*frame, 0.8], [0, 0, 30, 30, 0.9]], [0, 3, 56])

    # Red is the third channel of BGR; rtmdet's is brighter than the mean of a white one's.
    bright = 2.0 if name == "rtmdet-m" else 150
    path = write_seer(tmp_path / "end2end.onnx", says, (160, 160), channel=2, bright=bright)
    card = dataclasses.replace(CARDS[name], size=(160, 160))
    family = {"rtmdet": rtmdet, "yolox": yolox}[card.family]
    detector = family.load(card, [path], precision="f32")
    (people,) = detector.detect([rectangle((320, 240), (40, 60, 100, 200), (255, 0, 0))])
    np.testing.assert_allclose(people.boxes, [[40, 60, 100, 200]])
    assert len(detector.detect([rectangle((320, 240), (40, 60, 100, 200), (0, 0, 255))])[0]) == 0


def level(size, people):
    """A stride-8 head with one sure box for each (column, row, logit, left, up, right, down)."""
    head = np.full((1, size, size, 5), -20, np.float32)
    for x, y, *values in people:
        head[0, y, x] = values
    return head


def rtm(head, **settings):
    side = head.shape[1] * 8
    card = Card(name="t", family="rtmdet", kind="detector", size=(side, side), settings=settings)
    return RTMDet(StandIn(head), card)


def test_a_box_comes_back_in_picture_pixels_and_ends_at_the_border():
    # 160 input pixels for 320 picture pixels: half the scale, and grey below the 240 rows.
    head = level(20, [(10, 5, 3.0, 20, 30, 20, 30), (19, 10, 2.0, 10, 10, 50, 10)])
    (people,) = rtm(head).detect([np.zeros((240, 320, 3), np.uint8)])
    np.testing.assert_allclose(people.boxes, [[120, 20, 200, 140], [284, 140, 320, 180]])
    np.testing.assert_allclose(people.scores, sigmoid(np.array([3.0, 2.0])), atol=1e-6)


def test_two_boxes_of_one_person_are_one_and_settings_are_kept():
    head = level(20, [(5, 5, 2.0, 20, 30, 20, 30), (6, 5, 3.0, 28, 30, 12, 30)])
    image = np.zeros((160, 160, 3), np.uint8)
    (people,) = rtm(head).detect([image])
    np.testing.assert_allclose(people.scores, sigmoid(np.array([3.0])), atol=1e-6)
    assert len(rtm(head, overlap=1.0).detect([image])[0]) == 2
    assert len(rtm(head, score=0.99).detect([image])[0]) == 0


def test_a_letterbox_keeps_proportions_and_fills_with_grey():
    image = np.full((100, 200, 3), 250, np.uint8)
    canvas, factors = fit(image, (320, 320))
    np.testing.assert_allclose(factors, [1.6, 1.6])
    assert (canvas[1:159, 1:319] == 250).all()
    assert (canvas[161:] == 114).all()
    stretched, factors = fit(image, (320, 320), stretch=True)
    np.testing.assert_allclose(factors, [1.6, 3.2])
    assert (stretched[2:-2, 2:-2] == 250).all()


def test_a_letterbox_equals_the_resize_of_the_references():
    cv2 = pytest.importorskip("cv2")
    image = cv2.GaussianBlur(
        np.random.default_rng(1).integers(0, 255, (240, 320, 3), dtype=np.uint8), (9, 9), 3
    )
    canvas, _ = fit(image, (160, 160))
    wanted = cv2.resize(image, (160, 120), interpolation=cv2.INTER_LINEAR)
    # The references repeat the picture's edge there; here it meets the grey.
    assert np.abs(canvas[1:119, 1:159].astype(int) - wanted[1:119, 1:159]).max() <= 2


def test_nothing_sure_is_nobody():
    boxes = np.array([[0, 0, 50, 50], [70, 0, 90, 20]], np.float32)
    scores = np.array([0.2, 0.9], np.float32)
    # The second lies outside the picture altogether.
    people = keep_people(boxes, scores, (60, 60), minimum=0.3, overlap=0.5)
    assert people.boxes.shape == (0, 4)
    assert people.scores.shape == (0,)


@pytest.mark.parametrize("size", [(640, 480), (101, 33), (4, 3), (1, 1)])
def test_tiles_cover_the_picture_and_share_half(size):
    seen = np.zeros(size[::-1], int)
    for x0, y0, x1, y1 in tile_corners(size, 3):
        assert 0 <= x0 < x1 <= size[0]
        assert 0 <= y0 < y1 <= size[1]
        seen[y0:y1, x0:x1] += 1
    assert seen.min() >= 1
    if size == (640, 480):
        assert len(tile_corners(size, 3)) == 9
        assert seen[120:360, 160:480].min() == 4


def test_who_is_seen_in_two_tiles_is_one_person():
    class Spot:
        """Finds the white square of a picture, and one point above it."""

        precision = "f32"

        def detect(self, images):
            return [self._find(image[..., 0]) for image in images]

        def _find(self, image):
            rows, columns = np.nonzero(image)
            if not len(rows):
                nothing = np.zeros((0, 4), np.float32)
                return Detections(nothing, nothing[:, 0], nothing.reshape(0, 2, 2))
            low, high = (columns.min(), rows.min()), (columns.max() + 1, rows.max() + 1)
            box = np.array([[*low, *high]], np.float32)
            return Detections(box, np.ones(1, np.float32), np.array([[low, high]], np.float32))

    image = np.zeros((120, 160, 3), np.uint8)
    image[70:80, 90:110] = 255
    (people,) = TiledDetector(Spot()).detect([image])
    np.testing.assert_array_equal(people.boxes, [[90, 70, 110, 80]])
    np.testing.assert_array_equal(people.anchors, [[[90, 70], [110, 80]]])
    (nobody,) = TiledDetector(Spot()).detect([np.zeros((50, 50, 3), np.uint8)])
    assert len(nobody) == 0


# Where the people of the demonstration photographs stand, by eye, to the nearest few pixels.
DEMO = {
    "demo_2": [(60, 0, 800, 860)],
    "demo_3": [(106, 16, 254, 350)],
    "demo_5": [(65, 0, 790, 532)],
    "demo_6": [(95, 15, 367, 610)],
    "demo_7": [(98, 79, 155, 260), (152, 92, 204, 260), (200, 82, 260, 258), (255, 97, 328, 256)],
}
REAL = {
    "rtmdet-nano": (rtmdet, "detectors/rtmdet_nano_person_zhouwei.onnx"),
    "yolox-nano": (yolox, "detectors/yolox_nano.onnx"),
    "picodet-s-pedestrian": (picodet, "tinypose/picodet_s_320_pedestrian_fp16/model.xml"),
}


@pytest.mark.data
@pytest.mark.parametrize("name", REAL)
def test_each_detector_finds_the_people_of_the_photographs(data_dir: Path, name: str):
    family, path = REAL[name]
    detector = family.load(CARDS[name], [data_dir / "weights" / path], precision="f32")
    assert detector.precision == "f32"
    for photograph, people in DEMO.items():
        path = data_dir / "weights/tinypose" / f"{photograph}.jpg"
        image = np.asarray(Pictures.open(path).convert("RGB"))
        (found,) = detector.detect([image])
        overlap = iou(np.array(people, np.float32), found.boxes)
        assert (overlap.max(axis=1) > 0.6).all(), (photograph, found.boxes)
        assert (np.diff(found.scores) <= 0).all()
        assert found.scores.max() <= 1
        assert (found.boxes >= 0).all()
        assert (found.boxes <= [*image.shape[1::-1], *image.shape[1::-1]]).all()
    both = detector.detect([image[::2, ::2], image])
    np.testing.assert_array_equal(both[1].boxes, found.boxes)
    assert detector.detect([]) == []


@pytest.mark.data
@pytest.mark.parametrize("name", REAL)
def test_nobody_is_in_an_empty_picture(data_dir: Path, name: str):
    family, path = REAL[name]
    detector = family.load(CARDS[name], [data_dir / "weights" / path], precision="f32")
    network = data_dir / "weights/tinypose/tinypose_256_192_fp16/model.xml"
    reader = heatmap.load(CARDS["tinypose-256"], [network], precision="f32")
    model = TopDown(detector, reader, name="t")
    for grey in (0, 90, 255):
        assert len(model(np.full((300, 400, 3), grey, np.uint8))) == 0
    noise = np.random.default_rng(0).integers(0, 255, (300, 400, 3), dtype=np.uint8)
    assert len(model(noise)) == 0
