"""Equality with rtmlib (Apache-2.0): RTMO, RTMPose's vectors, YOLOX and RTMDet by ONNX Runtime.

It runs the same tiny networks and gets BGR pictures, as its callers do. Its suppression counts a
pixel more on each side than ours, so the boxes here are clearly apart or clearly one.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from PIL import Image as Pictures

from poise.models import load_model, rtmdet, simcc, yolox
from poise.models.rtmo import RTMO
from poise.models.steps import fit
from poise.models.table import CARDS
from poise.poses import Frame
from seers import crowd, into, rectangle, write_seer

pytest.importorskip("rtmlib")
pytest.importorskip("onnxruntime")

from rtmlib.tools.object_detection.rtmdet import RTMDet as TheirRTMDet
from rtmlib.tools.object_detection.yolox import YOLOX as TheirYOLOX
from rtmlib.tools.pose_estimation.post_processings import (
    get_simcc_maximum,
    get_simcc_maximum3d,
)
from rtmlib.tools.pose_estimation.rtmo import RTMO as TheirRTMO

POINTS, SCORES, BOXES = crowd(7, 5)
SIZE = (160, 160)
PICTURE = rectangle((320, 240), (40, 20, 300, 220), (255, 0, 0))
FRAME = np.array([40, 20, 300, 220])


class Answer:
    precision = "f32"

    def __init__(self, *outputs):
        self.outputs = outputs

    def run(self, _):
        return [output.copy() for output in self.outputs]


def rows(boxes, sure):
    found = np.zeros((1, len(boxes) + 1, 5), np.float32)
    found[0, :-1] = np.column_stack([boxes, sure])
    return found


def joints(points, scores):
    found = np.zeros((1, len(points) + 1, 17, 3), np.float32)
    found[0, :-1] = np.concatenate([points, scores[..., None]], axis=2)
    return found


def test_rtmo_end_to_end(tmp_path):
    sure = np.array([0.9, 0.8, 0.75, 0.72, 0.5])
    apart = BOXES[:, :2].repeat(2, 0).reshape(5, 4) * 0
    apart[:, 0], apart[:, 2] = np.arange(5) / 5, np.arange(5) / 5 + 0.19
    apart[:, 3] = 0.9

    def says(frame):
        return rows(into(frame, apart), sure), joints(into(frame, POINTS), SCORES)

    path = write_seer(tmp_path / "end2end.onnx", says, SIZE, channel=2, names=("dets", "keypoints"))
    theirs = TheirRTMO(str(path), model_input_size=SIZE)
    points, scores = theirs(np.ascontiguousarray(PICTURE[..., ::-1]))
    card = dataclasses.replace(CARDS["rtmo-s"], size=SIZE, settings={"score": 0.7})
    ours = load_model("rtmo-s", card=card, weights=path, precision="f32")(PICTURE)
    assert len(ours) == len(points) == 4
    np.testing.assert_allclose(ours.keypoints, points, atol=1e-3)
    np.testing.assert_allclose(ours.scores, scores, atol=1e-6)


def test_rtmo_on_the_same_outputs(tmp_path):
    path = write_seer(tmp_path / "any.onnx", lambda frame: [frame[None]], SIZE)
    theirs = TheirRTMO(str(path), model_input_size=SIZE)
    random = np.random.default_rng(0)
    for _ in range(50):
        count = int(random.integers(1, 30))
        low = np.stack([np.arange(count) % 6 * 100, np.arange(count) // 6 * 120], axis=1)
        boxes = np.hstack([low, low + random.uniform(60, 95, (count, 2))])
        points, sure = random.uniform(0, 640, (count, 17, 2)), random.uniform(0.3, 1, count)
        scores = random.uniform(0.01, 1, (count, 17))
        outputs = rows(boxes, sure), joints(points, scores)
        found, likely = theirs.postprocess([o.copy() for o in outputs], 0.5, 0.45, 0.5)
        card = dataclasses.replace(CARDS["rtmo-s"], settings={"score": 0.5})
        # A picture of twice the size: their ratio is 0.5.
        ours = RTMO(Answer(*outputs), card)(np.zeros((1280, 1280, 3), np.uint8))
        if not len(ours):
            # Theirs then says one person whose keypoints are all at the corner.
            assert not found.any()
            continue
        np.testing.assert_allclose(ours.keypoints, found, rtol=1e-5, atol=1e-3)
        np.testing.assert_allclose(ours.scores, likely, atol=1e-6)


def test_simcc_decoding():
    """Places are rtmlib's. Its scores since 0.0.16 are means, but in 3D the lower, as mmpose's."""
    random = np.random.default_rng(1)
    columns = random.normal(0, 0.5, (8, 17, 384)).astype(np.float32)
    vertical = random.normal(0, 0.5, (8, 17, 512)).astype(np.float32)
    columns[0, 3], vertical[2, 5] = -1, -0.5
    places, _ = get_simcc_maximum(columns, vertical)
    deep, scores = get_simcc_maximum3d(columns, vertical, columns)
    ours, likely = simcc.decode(columns, vertical, split=2)
    there = scores > 0
    assert (~there).sum() == 2
    np.testing.assert_array_equal(ours[there], (places / 2.0)[there])
    np.testing.assert_array_equal(ours[there], (deep[..., :2] / 2.0)[there])
    # Ours are never above 1, and what is not there is NaN and not a place left of the picture.
    np.testing.assert_array_equal(likely, np.clip(scores, 0, 1))
    assert np.isnan(ours[~there]).all()


def test_detectors_end_to_end(tmp_path):
    sure = np.array([0.9, 0.8, 0.6, 0.5, 0.2])
    labels = np.array([[0, 0, 0, 0, 0, 0]])

    def says(frame):
        return rows(into(frame, BOXES), sure), labels

    for name, family, theirs, bright in (
        ("rtmdet-m", rtmdet, TheirRTMDet, 2.0),
        ("yolox-m-humanart", yolox, TheirYOLOX, 150.0),
    ):
        path = write_seer(tmp_path / f"{name}.onnx", says, SIZE, channel=2, bright=bright)
        wanted = theirs(str(path), model_input_size=SIZE)(np.ascontiguousarray(PICTURE[..., ::-1]))
        settings = {"score": 0.3, "overlap": 1.0, "output": "suppressed"}
        card = dataclasses.replace(CARDS[name], size=SIZE, settings=settings)
        (ours,) = family.load(card, [path], precision="f32").detect([PICTURE])
        assert len(wanted) == 4
        np.testing.assert_allclose(ours.boxes, np.clip(wanted, 0, [320, 240] * 2), atol=1e-3)


@pytest.mark.data
@pytest.mark.parametrize("number", [2, 3, 5, 6, 7])
def test_yolox_nano_on_photographs(data_dir, number):
    path = data_dir / "weights/detectors/yolox_nano.onnx"
    photograph = data_dir / f"weights/tinypose/demo_{number}.jpg"
    image = np.asarray(Pictures.open(photograph).convert("RGB"))
    card = dataclasses.replace(CARDS["yolox-nano"], settings={"output": "raw", "score": 0.4})
    ours = yolox.load(card, [path], precision="f32")
    theirs = TheirYOLOX(
        str(path), (416, 416), det_mode="multiclass", nms_thr=ours.overlap, score_thr=0.4
    )
    # The same input for both, so that only the reading of the outputs differs.
    canvas, factors = fit(image, (416, 416))
    raw = theirs.inference(canvas[..., ::-1])[0]
    boxes, kinds = theirs.postprocess(raw, float(factors[0]))
    height, width = image.shape[:2]
    wanted = np.clip(boxes[kinds == 0], 0, [width, height] * 2)
    (found,) = ours.detect([image])
    assert len(found) == len(wanted) > 0
    np.testing.assert_allclose(found.boxes, wanted, atol=0.05)
    assert ours.detect([Frame(image).image])[0].boxes.tobytes() == found.boxes.tobytes()
