"""Reading heat maps: against plain loops, against ideal maps, and with the real network."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pictures

from poise.errors import ModelError
from poise.geometry import invert, transform
from poise.metrics.accuracy import pair_oks
from poise.models import heatmap
from poise.models.base import Detections
from poise.models.card import Card
from poise.models.heatmap import HeatmapModel
from poise.models.heatmap_decoding import REFINEMENTS, blur_kernel, decode, turn_round
from poise.models.regions import read_regions
from poise.models.table import CARDS
from poise.poses import Frame, Poses
from poise.skeleton import get_skeleton
from stand_in import StandIn

CARD = CARDS["tinypose-256"]


def gaussians(points, size=(48, 64), sigma=2.0):
    """Ideal heat maps of (N, K, 2) points in cells."""
    x, y = np.arange(size[0]), np.arange(size[1])[:, None]
    across = (x - points[..., 0, None, None]) ** 2
    down = (y - points[..., 1, None, None]) ** 2
    return np.exp(-(across + down) / (2 * sigma**2)).astype(np.float32)


def loop_argmax(hm):
    row, column = divmod(int(hm.argmax()), hm.shape[1])
    return row, column


def loop_quarter(hm):
    row, column = loop_argmax(hm)
    x, y = float(column), float(row)
    if 0 < column < hm.shape[1] - 1 and 0 < row < hm.shape[0] - 1:
        x += 0.25 * np.sign(hm[row, column + 1] - hm[row, column - 1])
        y += 0.25 * np.sign(hm[row + 1, column] - hm[row - 1, column])
    return x, y


def loop_smooth(hm, blur):
    """The whole map smoothed by OpenCV, with nothing beyond its border (MMPose: gaussian_blur)."""
    cv2 = pytest.importorskip("cv2")
    border = blur // 2
    padded = np.pad(hm.astype(float), border)
    smooth = cv2.GaussianBlur(padded, (blur, blur), 0)
    inner = (slice(border, padded.shape[0] - border), slice(border, padded.shape[1] - border))
    return smooth[inner] * (hm.max() / smooth[inner].max())


def loop_dark(hm, blur=3):
    """DARK as its paper states it: the whole map smoothed, one Newton step on its logarithm."""
    row, column = loop_argmax(hm)
    log = np.log(np.maximum(loop_smooth(hm, blur), 1e-10))
    if not (1 < column < hm.shape[1] - 2 and 1 < row < hm.shape[0] - 2):
        return float(column), float(row)

    def at(dx, dy):
        return log[row + dy, column + dx]

    gradient = np.array([at(1, 0) - at(-1, 0), at(0, 1) - at(0, -1)]) / 2
    xx = (at(2, 0) - 2 * at(0, 0) + at(-2, 0)) / 4
    yy = (at(0, 2) - 2 * at(0, 0) + at(0, -2)) / 4
    xy = (at(1, 1) - at(-1, 1) - at(1, -1) + at(-1, -1)) / 4
    step = -np.linalg.solve(np.array([[xx, xy], [xy, yy]]), gradient)
    return column + step[0], row + step[1]


def loop_udp(hm, blur=11):
    """UDP's refinement as its paper and MMPose state it: differences over one cell."""
    row, column = loop_argmax(hm)
    log = np.pad(np.log(np.clip(loop_smooth(hm, blur), 1e-3, 50)), 1, mode="edge")

    def at(dx, dy):
        return log[row + 1 + dy, column + 1 + dx]

    gradient = np.array([at(1, 0) - at(-1, 0), at(0, 1) - at(0, -1)]) / 2
    xx = at(1, 0) - 2 * at(0, 0) + at(-1, 0)
    yy = at(0, 1) - 2 * at(0, 0) + at(0, -1)
    xy = at(1, 1) - at(1, 0) - at(0, 1) + 2 * at(0, 0) - at(-1, 0) - at(0, -1) + at(-1, -1)
    hessian = np.array([[xx, xy / 2], [xy / 2, yy]]) + np.finfo(np.float32).eps * np.eye(2)
    step = -np.linalg.inv(hessian) @ gradient
    return column + step[0], row + step[1]


@pytest.mark.parametrize(
    ("settings", "reference"),
    [
        ({}, loop_dark),
        ({"blur": 11}, lambda hm: loop_dark(hm, 11)),
        ({"refine": "quarter"}, loop_quarter),
        ({"refine": "udp", "blur": 3}, lambda hm: loop_udp(hm, 3)),
        ({"refine": "udp", "blur": 11}, loop_udp),
        ({"refine": "none"}, lambda hm: loop_argmax(hm)[::-1]),
    ],
)
def test_decoding_equals_plain_loops(settings, reference):
    random = np.random.default_rng(3)
    points = random.uniform([3, 3], [44, 60], (4, 5, 2))
    maps = gaussians(points) * random.uniform(0.2, 1, (4, 5, 1, 1)).astype(np.float32)
    maps += random.uniform(0, 0.004, maps.shape).astype(np.float32)
    cells, scores = decode(maps, **settings)
    wanted = np.array([[reference(hm) for hm in person] for person in maps])
    np.testing.assert_allclose(cells, wanted, atol=1e-4)
    np.testing.assert_array_equal(scores, maps.max(axis=(2, 3)))


def test_udp_is_the_originals_up_to_the_border_and_stays_in_the_map():
    points = np.array([[[1, 20], [46, 31], [20, 1], [30, 62], [0, 20], [47.4, 31], [20, 63]]])
    maps = gaussians(points) * np.float32(0.8)
    cells = decode(maps, refine="udp", blur=3)[0][0]
    wanted = [loop_udp(hm, 3) for hm in maps[0]]
    np.testing.assert_allclose(cells[:4], wanted[:4], atol=1e-4)
    np.testing.assert_allclose(np.abs(cells[4:] - wanted[4:]).max(axis=1), 0.5, atol=1e-4)
    np.testing.assert_array_equal(cells[4:], [[0, 20], [47, 31], [20, 63]])


@pytest.mark.parametrize("cells", [3, 5, 7, 9, 11, 13, 17])
def test_smoothing_has_the_weights_of_opencv(cells):
    cv2 = pytest.importorskip("cv2")
    np.testing.assert_allclose(blur_kernel(cells), cv2.getGaussianKernel(cells, 0)[:, 0], atol=1e-7)


def test_ideal_tops_are_found_to_the_arithmetic_of_each_refinement():
    points = np.random.default_rng(5).uniform([8, 8], [39, 55], (20, 17, 2))
    maps = gaussians(points)

    def worst(**settings):
        return np.abs(decode(maps, **settings)[0] - points).max()

    assert worst() < 0.02
    assert worst(blur=11) < 0.1
    assert worst(refine="udp", blur=11) < 0.1
    assert 0.45 < worst(refine="none") <= 0.5
    # A quarter towards the higher neighbour: what is half a cell off is then a quarter off.
    nearest = np.rint(points)
    quarter = nearest + 0.25 * np.sign(points - nearest)
    np.testing.assert_array_equal(decode(maps, refine="quarter")[0], quarter.astype(np.float32))


@pytest.mark.parametrize("refine", REFINEMENTS)
def test_a_maximum_in_a_corner_and_a_flat_map_stay_in_the_map(refine):
    maps = np.zeros((1, 3, 64, 48), np.float32)
    maps[0, 0, 0, 0] = 0.7
    maps[0, 1, 63, 47] = 0.7
    cells, scores = decode(maps, refine=refine)
    np.testing.assert_array_equal(cells[0], [[0, 0], [47, 63], [0, 0]])
    np.testing.assert_allclose(scores[0], [0.7, 0.7, 0])


def test_scores_are_clipped():
    maps = np.stack([np.full((8, 6), 1.3), np.full((8, 6), -0.2)])[None].astype(np.float32)
    np.testing.assert_array_equal(decode(maps)[1], [[1, 0]])


def test_maps_turn_round_as_the_original_turns_them():
    random = np.random.default_rng(11)
    maps = random.random((2, 4, 5, 6)).astype(np.float32)
    flip = [0, 2, 1, 3]
    # SimpleBaseline: flip_back with its pairs, then output_flipped[:, :, :, 1:] = [..., :-1].
    wanted = maps[:, :, :, ::-1].copy()
    wanted[:, [1, 2]] = wanted[:, [2, 1]]
    np.testing.assert_array_equal(turn_round(maps, flip, shift=False), wanted)
    shifted = wanted.copy()
    shifted[:, :, :, 1:] = wanted[:, :, :, :-1]
    np.testing.assert_array_equal(turn_round(maps, flip, shift=True), shifted)


def made(outputs=(), *, size=(192, 256), **settings):
    card = Card(
        name="t", family="heatmap", kind="crop", skeleton="coco17", size=size, settings=settings
    )
    return HeatmapModel(StandIn(*outputs), card)


def udp_matrix(centre, scale, size):
    """MMPose's get_udp_warp_matrix without a turn: indices of pixels, not areas."""
    factors = (np.array(size) - 1) / scale
    return np.column_stack([np.diag(factors), factors * (-np.array(centre) + 0.5 * scale)])


def test_udp_points_go_to_the_maps_and_come_back():
    points = np.random.default_rng(13).uniform([120, 90], [180, 250], (1, 17, 2))
    box = Detections(np.array([[100, 60, 200, 280]], np.float32), np.ones(1, np.float32))
    model = made(unbiased=True, refine="udp", blur=11)
    (region,) = model.regions(box)
    # The original's way there: the warp's matrix, then the map's share of the crop. The region is
    # as high as the box and 3:4, times 1.25; a picture's area is half a pixel more than its index.
    scale = np.array([220 * 3 / 4, 220]) * 1.25
    matrix = udp_matrix((149.5, 169.5), scale, (192, 256))
    crops = (points - 0.5) @ matrix[:, :2].T + matrix[:, 2]
    np.testing.assert_allclose(transform(region, points[0]), crops[0] + 0.5, atol=1e-9)
    cells = crops * (np.array([47, 63]) / [191, 255])
    # The original's way back: cells / (map - 1) * scale + centre - scale / 2.
    back = cells / [47, 63] * scale + [149.5, 169.5] - scale / 2
    np.testing.assert_allclose(back + 0.5, points, atol=1e-9)
    # Poise's way back, from exact parabolas in the logarithm that need no smoothing.
    exact = made([gaussians(cells)], unbiased=True, refine="udp", blur=1)
    read = exact.read(np.zeros((1, 256, 192, 3), np.uint8))
    np.testing.assert_allclose(transform(invert(region), read.keypoints[0]), points[0], atol=1e-3)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"refine": "drak"}, "did you mean 'dark'"),
        ({"blur": 4}, "wanted an odd number, got 4"),
        ({"blur": 2.5}, "wanted an odd number"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(settings, message):
    with pytest.raises(ModelError, match=message):
        made(**settings)


@pytest.mark.parametrize("shape", [(1, 16, 64, 48), (1, 17, 384), (1, 64, 48, 17)])
@pytest.mark.parametrize("flip", [True, False])
def test_outputs_of_another_model_are_refused(shape, flip):
    model = made([np.zeros(shape, np.float32)], flip=flip)
    with pytest.raises(ModelError, match=r"wanted heat maps \(people, 17, height, width\), got"):
        model.read(np.zeros((1, 256, 192, 3), np.uint8))


class Bright:
    """A made-up network: the maps are the crop's own brightness, some of them with a slope."""

    precision = "f32"

    def run(self, crops):
        grey = crops.astype(np.float32).mean(axis=3)
        cells = grey.reshape(len(grey), 64, 4, 48, 4).mean(axis=(2, 4)) / 255
        ramp = np.linspace(0, 1, 48, dtype=np.float32)
        return [np.stack([cells * (ramp if k % 2 else 1) for k in range(17)], axis=1)]


@pytest.mark.parametrize("unbiased", [True, False])
@pytest.mark.parametrize("refine", REFINEMENTS)
def test_with_the_flip_test_a_mirrored_crop_gives_mirrored_keypoints(unbiased, refine):
    points = np.random.default_rng(15).uniform([40, 40], [150, 210], (3, 1, 2))
    crops = np.repeat((255 * gaussians(points, (192, 256), 20.0))[:, 0, ..., None], 3, axis=3)
    crops = crops.astype(np.uint8)
    model = made(unbiased=unbiased, refine=refine, flip=True)
    model._session = Bright()
    straight, mirrored = model.read(crops), model.read(crops[:, :, ::-1])
    wanted = straight.keypoints[:, model.skeleton.flip] * [-1, 1] + [192, 0]
    # Where two cells are equally high, the first is the maximum: then it is a cell off.
    off = np.abs(mirrored.keypoints - wanted)
    assert np.median(off) < 1e-3
    assert off.max() <= 4.01
    np.testing.assert_allclose(mirrored.scores, straight.scores[:, model.skeleton.flip], atol=1e-6)


def test_keypoints_come_back_in_crop_pixels_with_their_mean_as_presence():
    points = np.random.default_rng(7).uniform([6, 6], [41, 57], (2, 17, 2))
    model = HeatmapModel(StandIn(gaussians(points)), CARD)
    read = model.read(np.zeros((2, 256, 192, 3), np.uint8))
    np.testing.assert_allclose(read.keypoints, points * 4, atol=0.1)
    np.testing.assert_allclose(read.presence, read.scores.mean(axis=1))


def test_no_crops_are_nobody():
    read = HeatmapModel(StandIn(), CARD).read(np.zeros((0, 256, 192, 3), np.uint8))
    assert read.keypoints.shape == (0, 17, 2)
    assert read.presence.shape == (0,)


def test_mirrored_reading_is_turned_round_and_averaged():
    random = np.random.default_rng(9)
    points = random.uniform([6, 6], [41, 57], (1, 17, 2))
    flip = get_skeleton("coco17").flip
    mirrored = points[:, flip] * [-1, 1] + [48, 0]

    class Both(StandIn):
        def run(self, pictures):
            self.seen.append(pictures)
            return [gaussians(points if len(self.seen) == 1 else mirrored)]

    card = Card(
        name="t", family="heatmap", kind="crop", skeleton="coco17", size=(192, 256),
        settings={"flip": True},
    )  # fmt: skip
    session = Both()
    crops = random.integers(0, 255, (1, 256, 192, 3), dtype=np.uint8)
    read = HeatmapModel(session, card).read(crops)
    np.testing.assert_array_equal(session.seen[1], crops[:, :, ::-1])
    np.testing.assert_allclose(read.keypoints, points * 4, atol=0.1)


def test_a_region_has_the_crops_proportions_and_a_quarter_of_margin():
    model = HeatmapModel(StandIn(), CARD)
    boxes = np.array([[100, 100, 130, 300], [0, 50, 300, 100]], np.float32)
    tall, wide = model.regions(Detections(boxes, np.ones(2, np.float32)))
    corners = np.array([[115, 200 - 125], [115 - 93.75, 200]], np.float32)
    np.testing.assert_allclose(transform(tall, corners), [[96, 0], [0, 128]], atol=1e-3)
    corners = np.array([[150 - 187.5, 75], [150, 75 + 250]], np.float32)
    np.testing.assert_allclose(transform(wide, corners), [[0, 128], [96, 256]], atol=1e-3)


def test_the_next_region_is_around_what_was_sure():
    model = HeatmapModel(StandIn(), CARD)
    keypoints = np.full((1, 17, 2), np.nan, np.float32)
    keypoints[0, 5], keypoints[0, 12], keypoints[0, 16] = (100, 100), (140, 220), (900, 900)
    scores = np.where(np.isfinite(keypoints[..., 0]), 0.9, 0).astype(np.float32)
    scores[0, 16] = 0.05
    poses = Poses(get_skeleton("coco17"), keypoints, scores)
    (region,) = model.next_regions(poses, None)
    middle = transform(region, np.array([[120, 160]], np.float32))
    np.testing.assert_allclose(middle, [[96, 128]], atol=1e-3)


def test_a_crop_equals_the_reference_warp():
    cv2 = pytest.importorskip("cv2")
    image = np.random.default_rng(1).integers(0, 255, (240, 320, 3), dtype=np.uint8)
    image = cv2.GaussianBlur(image, (9, 9), 3)
    model = HeatmapModel(StandIn(), CARD)
    box = Detections(np.array([[60, 40, 140, 200]], np.float32), np.ones(1, np.float32))
    (region,) = model.regions(box)
    # The references hand this matrix to OpenCV, which counts pixels from the middle of the first.
    wanted = cv2.warpAffine(image, region, (192, 256), flags=cv2.INTER_LINEAR)
    difference = np.abs(model.cut(image, region).astype(int) - wanted)
    assert difference.max() <= 3
    assert difference.mean() < 0.5


@pytest.mark.data
@pytest.mark.parametrize(("name", "folder"), [("256", "256_192"), ("128", "128_96")])
def test_the_real_network_reads_a_whole_person(data_dir: Path, name: str, folder: str):
    card = CARDS[f"tinypose-{name}"]
    path = data_dir / "weights/tinypose" / f"tinypose_{folder}_fp16/model.xml"
    model = heatmap.load(card, [path], precision="f32")
    image = np.asarray(Pictures.open(data_dir / "weights/tinypose/demo_3.jpg").convert("RGB"))
    boxes = np.array([[106, 16, 254, 352]], np.float32)
    (region,) = model.regions(Detections(boxes, np.ones(1, np.float32)))
    crop = model.cut(image, region)
    read = model.read(np.stack([crop, np.zeros_like(crop)]))
    # A goalkeeper who faces us: his left is on our right, his ankles are below his knees.
    points = dict(zip(model.skeleton.keypoints, read.keypoints[0], strict=True))
    assert points["left_shoulder"][0] > points["right_shoulder"][0] + model.size[0] / 8
    heights = [points[f"left_{part}"][1] for part in ("shoulder", "hip", "knee", "ankle")]
    assert (np.diff(heights) > model.size[1] / 10).all()
    assert read.presence[0] > 0.7
    assert read.presence[1] < model.minimum_presence
    # In company or alone, in any order, a crop reads the same.
    alone = model.read(crop[None])
    np.testing.assert_array_equal(alone.keypoints[0], read.keypoints[0])
    assert (read.scores >= 0).all()
    assert (read.scores <= 1).all()


@pytest.mark.data
def test_a_mirrored_picture_gives_mirrored_keypoints_with_the_flip_test(data_dir: Path):
    card = replace(CARDS["tinypose-256"], settings={"flip": True})
    path = data_dir / "weights/tinypose/tinypose_256_192_fp16/model.xml"
    model = heatmap.load(card, [path], precision="f32")
    image = np.asarray(Pictures.open(data_dir / "weights/tinypose/demo_3.jpg").convert("RGB"))
    width = image.shape[1]
    boxes = np.array([[106, 16, 254, 352]], np.float32)
    # Whole numbers are the middles of pixels, and the region's right edge is one crop pixel beyond
    # the last of them, so that the crop of this box is the other's mirror image.
    last = width - 1 + 336 * 0.75 * 1.25 / 192
    turned = np.array([[last - 254, 16, last - 106, 352]], np.float32)
    poses = []
    for picture, box in ((image, boxes), (np.ascontiguousarray(image[:, ::-1]), turned)):
        regions = model.regions(Detections(box, np.ones(1, np.float32)))
        poses.append(read_regions(model, Frame(picture), regions).poses.keypoints[0])
    wanted = poses[0][model.skeleton.flip] * [-1, 1] + [last, 0]
    # A mirrored crop is the same to a grey level: half a picture pixel is a ninth of a cell.
    np.testing.assert_allclose(poses[1], wanted, atol=0.5)


@pytest.mark.data
def test_people_of_coco_in_their_labelled_boxes(data_dir: Path):
    folder = data_dir / "labelled/coco_mini"
    notes = json.loads((folder / "annotations/person_keypoints_train2017.json").read_text())
    names = {one["id"]: folder / "train2017" / one["file_name"] for one in notes["images"]}
    people = [
        one
        for one in notes["annotations"]
        if one["num_keypoints"] >= 5 and not one["iscrowd"] and names[one["image_id"]].exists()
    ]
    path = data_dir / "weights/tinypose/tinypose_256_192_fp16/model.xml"
    means = []
    for settings in ({}, {"flip": True}):
        card = replace(CARDS["tinypose-256"], settings=settings)
        model = heatmap.load(card, [path], precision="f32")
        means.append(np.mean([oks_of(model, one, names[one["image_id"]]) for one in people]))
    assert len(people) == 72
    assert means[0] > 0.74
    assert means[1] > means[0] + 0.01


def oks_of(model, person, path):
    left, top, width, height = person["bbox"]
    box = np.array([[left, top, left + width, top + height]], np.float32)
    labels = np.array(person["keypoints"], float).reshape(17, 3)
    truth = np.where(labels[:, 2:] > 0, labels[:, :2], np.nan)
    frame = Frame(np.asarray(Pictures.open(path).convert("RGB")))
    regions = model.regions(Detections(box, np.ones(1, np.float32)))
    found = read_regions(model, frame, regions).poses.keypoints[0]
    return float(pair_oks(found, truth, person["area"], model.skeleton.sigmas))


@pytest.mark.parametrize(
    ("size", "grid", "settings"),
    [
        ((192, 256), (48, 64), {"refine": "quarter"}),
        ((288, 384), (72, 96), {"refine": "dark", "blur": 17, "flip": True}),
        ((192, 256), (48, 64), {"refine": "udp", "blur": 11, "unbiased": True, "flip": True}),
    ],
    ids=["simplebaseline", "hrnet-dark", "vitpose"],
)
def test_a_users_own_card_reads_a_made_up_network(tmp_path: Path, size, grid, settings):
    onnx = pytest.importorskip("onnx")
    points = np.random.default_rng(17).uniform([12, 12], np.array(grid) - 12, (1, 17, 2))
    # One whose mirrored crop must look the same: the sides' maps are each other's mirror image.
    flip = list(get_skeleton("coco17").flip)
    last = grid[0] - 1 if settings.get("unbiased") else grid[0]
    mirrored = points[:, flip] * [-1, 1] + [last, 0]
    points = (points + mirrored) / 2
    maps = onnx.numpy_helper.from_array(gaussians(points, grid), "maps")
    nodes = [
        onnx.helper.make_node("ReduceMean", ["image"], ["mean"], axes=[1, 2, 3], keepdims=1),
        onnx.helper.make_node("Mul", ["mean", "nothing"], ["zero"]),
        onnx.helper.make_node("Add", ["zero", "maps"], ["heat"]),
    ]
    nothing = onnx.numpy_helper.from_array(np.zeros(1, np.float32), "nothing")
    image = onnx.helper.make_tensor_value_info("image", 1, ["n", 3, size[1], size[0]])
    heat = onnx.helper.make_tensor_value_info("heat", 1, ["n", 17, grid[1], grid[0]])
    graph = onnx.helper.make_graph(nodes, "made", [image], [heat], [maps, nothing])
    path = tmp_path / "made.onnx"
    opset = [onnx.helper.make_opsetid("", 13)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opset, ir_version=8), path)
    card = Card(
        name="t", family="heatmap", kind="crop", skeleton="coco17", size=size, settings=settings
    )
    model = heatmap.load(card, [path], precision="f32")
    read = model.read(np.full((2, size[1], size[0], 3), 90, np.uint8))
    if settings.get("unbiased"):
        wanted = points * ((np.array(size) - 1) / (np.array(grid) - 1)) + 0.5
    else:
        wanted = points * 4
    cell = 0.25 if settings["refine"] == "quarter" else 0.1
    assert np.abs(read.keypoints - wanted).max() <= 4 * cell + 1e-3
    np.testing.assert_array_equal(read.keypoints[0], read.keypoints[1])


@pytest.mark.parametrize("unbiased", [False, True])
def test_a_crop_shows_what_the_references_show_the_network(unbiased: bool):
    """Crop pixel i is the picture at L + i * S / W, or at L + i * S / (W - 1) as UDP counts."""
    model = made(unbiased=unbiased)
    # A picture whose grey is its column, so that a crop tells where each of its pixels is from.
    picture = np.repeat(np.tile(np.arange(200, dtype=np.uint8), (260, 1))[..., None], 3, axis=2)
    boxes = np.array([[50, 60, 98, 124]], np.float32)
    (region,) = model.regions(Detections(boxes, np.ones(1, np.float32)))
    wide, side = model.size[0], 48 * 1.25
    seen = model.cut(picture, region)[model.size[1] // 2, :, 0].astype(float)
    wanted = 74 - side / 2 + np.arange(wide) * side / (wide - unbiased)
    np.testing.assert_allclose(seen, wanted, atol=0.51)
    assert abs((seen - wanted).mean()) < 0.05
