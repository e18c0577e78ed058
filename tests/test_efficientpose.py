"""EfficientPose: against SciPy and the original's arithmetic, and with the real networks."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pictures

from poise.errors import ModelError
from poise.geometry import invert, transform
from poise.metrics.accuracy import pck
from poise.models import efficientpose
from poise.models.base import Detections
from poise.models.efficientpose import ORDER, EfficientPose
from poise.models.regions import read_regions
from poise.models.table import CARDS
from poise.poses import Frame
from poise.runtime import Session, engine
from poise.skeleton import get_skeleton

MPII = get_skeleton("mpii16").keypoints
LSP = (
    "right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle",
    "right_wrist", "right_elbow", "right_shoulder", "left_shoulder", "left_elbow", "left_wrist",
    "upper_neck", "head_top",
)  # fmt: skip
NAMES = {"efficientpose-rt": "EfficientPoseRT", "efficientpose-i": "EfficientPoseI"}


class StandIn:
    """A session that answers with what it was given."""

    precision = "f32"

    def __init__(self, *outputs):
        self.outputs, self.seen = list(outputs), []

    def run(self, pictures):
        self.seen.append(pictures)
        return [self.outputs[min(len(self.seen), len(self.outputs)) - 1]]


def finished(maps):
    """What the engine makes of (N, h, w, 16) maps."""
    ov = engine()
    given = ov.opset8.parameter(list(maps.shape), np.float32)
    return Session.of(ov.Model(efficientpose.finish([given]), [given]), precision="f32").run(maps)


def gaussians(points, side, sigma=3.0):
    """Ideal (N, side, side, K) maps of (N, K, 2) points in pixels (areas)."""
    middles = np.arange(side) + 0.5
    x = np.exp(-((middles[None, :, None] - points[:, None, :, 0]) ** 2) / (2 * sigma**2))
    y = np.exp(-((middles[None, :, None] - points[:, None, :, 1]) ** 2) / (2 * sigma**2))
    return (y[:, :, None, :] * x[:, None, :, :]).astype(np.float32)


def loop_coordinates(output):
    """The original's extract_coordinates of one (h, w, 16) output, as pixels of the input."""
    ndimage = pytest.importorskip("scipy.ndimage")
    width = output.shape[1]
    places = {}
    for number, name in enumerate(ORDER):
        conf = ndimage.gaussian_filter(output[..., number], sigma=1.0)
        highest = np.argmax(conf)
        places[name] = (highest % width + 0.5, math.floor(highest / width) + 0.5, conf.max())
    return np.array([places[name] for name in MPII])


def test_the_networks_order_is_mpiis_sixteen():
    assert sorted(ORDER) == sorted(MPII)
    assert len(set(ORDER)) == 16


def test_the_engine_smooths_as_scipy_does_and_puts_mpiis_order():
    ndimage = pytest.importorskip("scipy.ndimage")
    maps = np.random.default_rng(1).random((1, 24, 31, 16)).astype(np.float32)
    smooth = finished(maps)[0]
    assert smooth.shape == (1, 16, 24, 31)
    for row, name in enumerate(MPII):
        wanted = ndimage.gaussian_filter(maps[0, :, :, ORDER.index(name)], sigma=1.0)
        np.testing.assert_allclose(smooth[0, row], wanted, atol=1e-6)


def test_ideal_maps_come_back_to_half_a_pixel_in_mpiis_order():
    points = np.random.default_rng(2).uniform(8, 216, (2, 16, 2))
    maps = gaussians(points, 224)
    smooth = np.concatenate([finished(one[None])[0] for one in maps])
    read = EfficientPose(StandIn(smooth), CARDS["efficientpose-rt"]).read(
        np.zeros((2, 224, 224, 3), np.uint8)
    )
    rows = [ORDER.index(name) for name in MPII]
    assert np.abs(read.keypoints - points[:, rows]).max() <= 0.5 + 1e-4
    wanted = np.stack([loop_coordinates(one) for one in maps])
    np.testing.assert_array_equal(read.keypoints, wanted[..., :2])
    np.testing.assert_allclose(read.scores, wanted[..., 2], atol=1e-6)


def test_the_flip_test_of_a_mirrored_crop_gives_mirrored_keypoints():
    card = replace(CARDS["efficientpose-rt"], settings={"flip": True})
    random = np.random.default_rng(4)
    straight, mirrored = random.random((2, 1, 16, 224, 224)).astype(np.float32)
    crops = random.integers(0, 255, (1, 224, 224, 3), dtype=np.uint8)
    session = StandIn(straight, mirrored)
    one = EfficientPose(session, card).read(crops)
    np.testing.assert_array_equal(session.seen[1], crops[:, :, ::-1])
    other = EfficientPose(StandIn(mirrored, straight), card).read(crops[:, :, ::-1])
    flip = get_skeleton("mpii16").flip
    np.testing.assert_array_equal(other.keypoints, one.keypoints[:, flip] * [-1, 1] + [224, 0])
    np.testing.assert_array_equal(other.scores, one.scores[:, flip])


@pytest.mark.parametrize("shape", [(1, 16, 256, 256), (1, 17, 224, 224), (1, 16, 224)])
def test_maps_of_another_model_are_refused(shape):
    model = EfficientPose(StandIn(np.zeros(shape, np.float32)), CARDS["efficientpose-rt"])
    with pytest.raises(ModelError, match=r"wanted heat maps \(people, 16, 224, 224\), got"):
        model.read(np.zeros((1, 224, 224, 3), np.uint8))


def load(data_dir, name, precision="f32"):
    path = data_dir / "weights/efficientpose/tflite" / f"{NAMES[name]}.tflite"
    return efficientpose.load(CARDS[name], [path], precision=precision)


def people(data_dir, count):
    """Pictures of LSP-extended with the (14, 2) joints of the one person; NaN where unseen."""
    loadmat = pytest.importorskip("scipy.io").loadmat
    folder = data_dir / "labelled/lspe"
    joints = loadmat(folder / "joints.mat")["joints"]
    for path in sorted((folder / "images").glob("*.jpg"))[:count]:
        person = joints[:, :, int(path.stem[2:]) - 1]
        truth = np.where(person[:, 2:] > 0, person[:, :2], np.nan)
        yield np.asarray(Pictures.open(path).convert("RGB")), truth


def box_of(truth):
    return np.concatenate([np.nanmin(truth, axis=0), np.nanmax(truth, axis=0)]).astype(np.float32)


@pytest.mark.data
def test_the_weights_of_another_model_are_refused(data_dir: Path):
    path = next((data_dir / "weights").rglob("*lightning*.tflite"), None)
    if path is None:
        pytest.skip("no other TFLite network")
    with pytest.raises(ModelError, match="no output 'upscaled_confs/BiasAdd'"):
        efficientpose.load(CARDS["efficientpose-rt"], [path])


@pytest.mark.data
@pytest.mark.parametrize("name", NAMES)
def test_the_real_network_reads_as_the_original_does(data_dir: Path, name: str):
    model = load(data_dir, name)
    image, truth = next(iter(people(data_dir, 1)))
    (region,) = model.regions(Detections(box_of(truth)[None], np.ones(1, np.float32)))
    crop = model.cut(image, region)
    read = model.read(crop[None])
    path = data_dir / "weights/efficientpose/tflite" / f"{NAMES[name]}.tflite"
    plain = Session(path, outputs=[efficientpose.OUTPUT], precision="f32")
    # Keras' preprocess_input in its mode "torch".
    pixels = (crop / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    wanted = loop_coordinates(plain.run(pixels[None].astype(np.float32))[0][0])
    np.testing.assert_allclose(read.keypoints[0], wanted[:, :2], atol=1.01)
    assert np.median(np.abs(read.keypoints[0] - wanted[:, :2])) == 0
    np.testing.assert_allclose(read.scores[0], np.clip(wanted[:, 2], 0, 1), atol=1e-3)
    inside = transform(invert(region), read.keypoints[0])
    assert np.isfinite(inside).all()


@pytest.mark.data
@pytest.mark.parametrize("name", NAMES)
def test_photographs_of_athletes(data_dir: Path, name: str):
    model = load(data_dir, name)
    rows = [MPII.index(joint) for joint in LSP]
    found, wanted, longest = [], [], []
    for image, truth in people(data_dir, 20):
        box = box_of(truth)
        regions = model.regions(Detections(box[None], np.ones(1, np.float32)))
        found.append(read_regions(model, Frame(image), regions).poses.keypoints[0, rows])
        wanted.append(truth)
        longest.append((box[2:] - box[:2]).max())
    share = pck(np.array(found), np.array(wanted), np.array(longest), 0.2, axis=None)
    assert share > 0.6
