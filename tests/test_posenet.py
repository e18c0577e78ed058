"""PoseNet: ideal fields decode back, as the published decoder does it, and the real networks."""

from __future__ import annotations

import json
import math

import numpy as np
import openvino
import pytest
from PIL import Image as Pictures
from typer.testing import CliRunner

from ideal_fields import SIZE, encode, heads, people
from poise.cli.app import app
from poise.errors import ModelError
from poise.models import load_model, posenet
from poise.models.card import Card
from poise.models.posenet import PoseNet, read_fields
from poise.models.posenet_decoding import TREE, Fields, decode_multi, decode_single
from poise.models.table import CARDS


def errors(found, poses):
    """(P, 17) distances of each true person to the pose found nearest."""
    away = np.linalg.norm(found.keypoints[:, None] - poses[None], axis=3)
    return away[away.mean(axis=2).argmin(axis=0), np.arange(len(poses))]


def published(fields, *, people, score, radius, steps, least):
    """tfjs's multi-person decoding, restated plainly: loops over cells, edges and people."""
    height, width, count = fields.heat.shape
    stride = fields.stride

    def cell(x, y):
        column, row = math.floor(x / stride + 0.5), math.floor(y / stride + 0.5)
        return min(max(row, 0), height - 1), min(max(column, 0), width - 1)

    def pointed(row, column, part):
        dx, dy = fields.offsets[row, column, part]
        return (
            np.float32(np.float64(column * stride) + dx),
            np.float32(np.float64(row * stride) + dy),
        )

    def hop(edge, point, target):
        dx, dy = fields.hops[(*cell(*point), edge)]
        point = (point[0] + dx, point[1] + dy)
        for _ in range(steps):
            point = pointed(*cell(*point), target)
        return point, float(fields.heat[(*cell(*point), target)])

    queue = []
    for row in range(height):
        for column in range(width):
            near = fields.heat[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
            for part in range(count):
                value = fields.heat[row, column, part]
                if value >= score and value == near[..., part].max():
                    queue.append((float(value), part, pointed(row, column, part)))
    queue.sort(key=lambda entry: -entry[0])

    def taken(poses, part, point):
        return any(
            (pose[part][0] - point[0]) ** 2 + (pose[part][1] - point[1]) ** 2 <= radius**2
            for pose, _, _ in poses
        )

    poses = []
    for value, first, point in queue:
        if len(poses) >= people:
            break
        if taken(poses, first, point):
            continue
        pose, likely = {first: point}, {first: value}
        for edge in reversed(range(16)):
            parent, child = TREE[edge]
            if child in pose and parent not in pose:
                pose[parent], likely[parent] = hop(16 + edge, pose[child], parent)
        for edge, (parent, child) in enumerate(TREE):
            if parent in pose and child not in pose:
                pose[child], likely[child] = hop(edge, pose[parent], child)
        new = [likely[part] for part in range(17) if not taken(poses, part, pose[part])]
        if sum(new) / 17 >= least:
            poses.append((pose, likely, sum(new) / 17))
    return poses


# --- ideal fields ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("noses", "stride"),
    [
        *(([(250, 100)], stride) for stride in (8, 16, 32)),
        *(([(100.3, 60.7), (240.1, 90.2), (400.9, 150.4)], stride) for stride in (8, 16, 32)),
        # They touch, less than two cells of 16 apart; then shoulders lie over shoulders.
        *(([(200, 100), (228, 104)], stride) for stride in (8, 16)),
        *(([(200, 100), (262, 100), (231, 130)], stride) for stride in (8, 16)),
    ],
)
def test_known_people_are_decoded_exactly(noses, stride):
    poses = people(*noses)
    found = decode_multi(encode(poses, stride=stride))
    assert len(found.keypoints) == len(poses)
    assert errors(found, poses).max() < 1e-3
    assert found.scores.shape == (len(poses), 17)


def test_every_keypoint_can_be_the_first():
    poses = people((250, 100))
    for part in range(17):
        seen = np.arange(17)[None] == part
        found = decode_multi(encode(poses, seen=seen))
        assert errors(found, poses).max() < 1e-3
        assert (found.scores[0] > 0.3).tolist() == seen[0].tolist()


def test_what_is_hidden_has_a_low_score():
    poses = people((120, 80), (330, 120))
    seen = np.ones((2, 17), bool)
    seen[0, [7, 9]] = seen[1, [13, 15, 14, 16]] = False
    found = decode_multi(encode(poses, seen=seen))
    order = found.keypoints[:, 0, 0].argsort()
    assert errors(found, poses).max() < 1e-3
    assert found.scores[order][~seen].max() < 1e-3
    assert found.scores[order][seen].min() > 0.3
    # The score is the sum of what is seen, over all 17.
    assert found.people[order] == pytest.approx(found.scores[order].sum(axis=1) / 17)


def test_a_person_cut_off_by_the_border_keeps_what_is_in_the_picture():
    poses = people((250, 290))
    inside = poses[0, :, 1] < SIZE[1]
    found = decode_multi(encode(poses))
    assert len(found.keypoints) == 1
    assert errors(found, poses)[0, inside].max() < 1e-3
    assert found.scores[0, ~inside].max() < 0.3 < found.scores[0, inside].min()


def test_nobody_is_nobody():
    empty = encode(people((250, 100)), seen=np.zeros((1, 17), bool))
    found = decode_multi(empty)
    assert (found.keypoints.shape, found.scores.shape) == ((0, 17, 2), (0, 17))
    assert found.people.shape == (0,)


def test_there_are_no_more_people_than_asked_for_and_the_weak_are_dropped():
    poses = people((80, 60), (200, 60), (320, 60), (440, 60))
    seen = np.ones((4, 17), bool)
    seen[3, 5:] = False
    fields = encode(poses, seen=seen)
    assert len(decode_multi(fields).keypoints) == 4
    assert len(decode_multi(fields, people=3).keypoints) == 3
    strong = decode_multi(fields, least=0.4)
    assert sorted(strong.keypoints[:, 0, 0].round().tolist()) == [80, 200, 320]


def test_one_person_is_where_each_map_is_highest():
    poses = people((250.4, 100.2))
    fields = encode(poses)
    fields.heat[3, 4, 9] = 1
    found = decode_single(fields)
    wrist = (64 + fields.offsets[3, 4, 9, 0], 48 + fields.offsets[3, 4, 9, 1])
    assert found.keypoints[0, 9] == pytest.approx(wrist)
    assert found.scores[0, 9] == 1
    for part in range(17):
        cell = np.unravel_index(fields.heat[..., part].argmax(), fields.heat.shape[:2])
        place = np.array(cell[::-1]) * 16 + fields.offsets[(*cell, part)]
        assert found.keypoints[0, part] == pytest.approx(place)
        assert found.scores[0, part] == fields.heat[(*cell, part)]
    assert found.people == pytest.approx([found.scores.mean()])


# --- the published decoder ------------------------------------------------------------------------


def noise(seed, size=(27, 21)):
    """Fields that mean nothing: hundreds of maxima, hops across the whole picture."""
    chance = np.random.default_rng(seed)
    cells = (size[1], size[0])
    return Fields(
        chance.random((*cells, 17), np.float32),
        chance.normal(0, 12, (*cells, 17, 2)).astype(np.float32),
        chance.normal(0, 40, (*cells, 32, 2)).astype(np.float32),
        16,
    )


@pytest.mark.parametrize("fields", [noise(1), noise(2), encode(people((90, 70), (140, 80)))])
@pytest.mark.parametrize(
    "choices",
    [
        {"people": 5, "score": 0.5, "radius": 20.0, "steps": 2, "least": 0.0},
        {"people": 10, "score": 0.5, "radius": 20.0, "steps": 1, "least": 0.5},
        {"people": 40, "score": 0.3, "radius": 30.0, "steps": 0, "least": 0.3},
    ],
    ids=["tfjs", "python", "others"],
)
def test_it_decodes_as_the_published_decoder(fields, choices):
    found, wanted = decode_multi(fields, **choices), published(fields, **choices)
    assert len(found.keypoints) == len(wanted)
    for row, (pose, likely, total) in enumerate(wanted):
        places = np.array([pose[part] for part in range(17)])
        assert np.abs(found.keypoints[row] - places).max() < 1e-2
        assert found.scores[row] == pytest.approx([likely[part] for part in range(17)])
        assert found.people[row] == pytest.approx(total, abs=1e-5)


def test_ten_people_are_decoded_exactly():
    size = (54 * 16 - 15, 46 * 16 - 15)
    poses = people(*[(60 + 160 * (n % 5), 60 + 300 * (n // 5)) for n in range(10)])
    fields = encode(poses, size=size)
    assert fields.heat.shape == (46, 54, 17)
    found = decode_multi(fields, people=10)
    assert len(found.keypoints) == 10
    assert errors(found, poses).max() < 1e-3


# --- networks of all layouts ----------------------------------------------------------------------


def test_heads_become_fields_again():
    fields = encode(people((250, 100)))
    read = read_fields(heads(fields), SIZE, logits=True)
    assert np.abs(read.heat - fields.heat).max() < 1e-5
    assert np.array_equal(read.offsets, fields.offsets)
    assert np.array_equal(read.hops, fields.hops)
    assert read.stride == 16
    likely = read_fields([fields.heat, *heads(fields)[1:]], SIZE, logits=False)
    assert likely.heat is fields.heat


@pytest.mark.parametrize(
    ("number", "shape"), [(0, (25, 33, 16)), (1, (25, 33, 17)), (2, (24, 33, 64))]
)
def test_heads_of_other_shapes_are_refused(number, shape):
    wrong = heads(encode(people((250, 100))))
    wrong[number] = np.zeros(shape, np.float32)
    with pytest.raises(ModelError, match=r"17, 34, 64 for a picture of 513 x 385"):
        read_fields(wrong, SIZE, logits=True)
    with pytest.raises(ModelError, match="an 8th, 16th or 32nd"):
        read_fields(heads(encode(people((250, 100)))), (700, 385), logits=True)


def save(path, outputs, *, layout="NHWC", kind="f32", size=SIZE):
    """Write a network whose named outputs are constants, moved by the mean of its input."""
    op = openvino.opset8
    shape = [1, size[1], size[0], 3] if layout == "NHWC" else [1, 3, size[1], size[0]]
    door = op.parameter(shape, np.float32)
    mean = op.reduce_mean(door, np.array([0, 1, 2, 3]), False)
    ends = []
    for name, array in outputs.items():
        value = array[None] if layout == "NHWC" else array.transpose(2, 0, 1)[None].copy()
        end = op.convert(op.add(value.astype(np.float32), mean), kind)
        end.set_friendly_name(name)
        ends.append(end)
    openvino.save_model(openvino.Model(ends, [door]), path, compress_to_fp16=False)


def card(**fields):
    values = {"name": "mine", "family": "posenet", "kind": "pose", "skeleton": "coco17"}
    return Card(**{**values, "size": SIZE, "layout": "NHWC", **fields})


RESNET_MEAN = (123.15, 115.90, 103.06)


@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
def test_a_float_resnet_is_read_in_any_order_of_heads(tmp_path, layout):
    poses = people((150, 90), (350, 100))
    heat, offsets, hops = heads(encode(poses, stride=32))
    outputs = {
        "offsets": offsets,
        "displacement_bwd": hops[..., 32:],
        "heatmap": heat,
        "displacement_fwd": hops[..., :32],
    }
    path = tmp_path / "net.xml"
    save(path, outputs, layout=layout)
    model = posenet.load(card(layout=layout, mean=RESNET_MEAN), [path], precision="f32")
    # This grey is the mean, so that the network's outputs are not moved.
    grey = np.broadcast_to(np.uint8([123, 116, 103]), (SIZE[1], SIZE[0], 3)).copy()
    found = model(grey)
    assert errors(found, poses + 0.5).max() < 0.2
    assert (found.size, found.skeleton.name) == (SIZE, "coco17")
    assert found.boxes[:, 0] == pytest.approx(found.keypoints[..., 0].min(axis=1))


def sigmoid(array):
    return 1 / (1 + np.exp(-array))


FLOAT_ROWS = [name for name in CARDS if name.startswith(("posenet-mobilenet-f", "posenet-resnet"))]


@pytest.mark.parametrize("row", FLOAT_ROWS)
@pytest.mark.parametrize("stride", [8, 16, 32])
def test_float_rows_read_networks_of_every_stride(tmp_path, row, stride):
    known = CARDS[row]
    single = known.settings.get("decoding") == "single"
    poses = people((240.3, 90.6)) if single else people((110.2, 90.4), (330.7, 100.3))
    heat, offsets, hops = heads(encode(poses, size=known.size, stride=stride))
    save(
        tmp_path / "net.xml",
        {"fwd": hops[..., :32], "bwd": hops[..., 32:], "offsets": offsets, "heatmap": heat},
        size=known.size,
    )
    model = posenet.load(known, [tmp_path / "net.xml"], precision="f32")
    picture = np.broadcast_to(np.uint8(np.round(known.mean)), (*known.size[::-1], 3)).copy()
    found = model(picture)
    assert len(found) == len(poses)
    # The mean is no whole number, so that the heads are moved by up to 0.2.
    assert errors(found, poses + 0.5).max() < 0.6
    assert found.scores.min() > 0.1
    # A brighter picture moves them as the card says.
    before, after = (model._session.run(one[None]) for one in (picture, picture + np.uint8(50)))
    assert (after[1] - before[1]).mean() == pytest.approx(50 / known.std[0], rel=1e-4)


@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
@pytest.mark.parametrize("inside", ["last", "before a transpose"])
def test_a_network_with_a_sigmoid_of_its_own_says_the_same(tmp_path, layout, inside):
    op, poses = openvino.opset8, people((150, 90), (350, 100))
    outputs = dict(zip("abc", heads(encode(poses)), strict=True))
    save(tmp_path / "plain.xml", outputs, layout=layout)
    network = openvino.Core().read_model(tmp_path / "plain.xml")
    ends = [port.get_node().input_value(0) for port in network.outputs]
    ends[0] = op.sigmoid(ends[0]).output(0)
    if inside != "last":
        turned = op.transpose(ends[0], np.array([0, 2, 3, 1]))
        ends[0] = op.transpose(turned, np.array([0, 3, 1, 2])).output(0)
    network = openvino.Model(ends, network.get_parameters())
    openvino.save_model(network, tmp_path / "own.xml", compress_to_fp16=False)
    black = np.zeros((*SIZE[::-1], 3), np.uint8)
    plain, own = (
        posenet.load(card(layout=layout), [tmp_path / name], precision="f32")(black)
        for name in ("plain.xml", "own.xml")
    )
    assert len(plain) == 2
    np.testing.assert_allclose(own.scores, plain.scores, atol=1e-6)
    np.testing.assert_array_equal(own.keypoints, plain.keypoints)


def test_heat_maps_that_are_said_to_need_no_sigmoid_are_believed_or_refused(tmp_path):
    logits, offsets, hops = heads(encode(people((250, 100))))
    settings, black = {"logits": False}, np.zeros((*SIZE[::-1], 3), np.uint8)
    save(tmp_path / "likely.xml", {"a": sigmoid(logits), "b": offsets, "c": hops})
    found = posenet.load(card(settings=settings), [tmp_path / "likely.xml"])(black)
    assert len(found) == 1
    assert found.scores.max() > 0.7
    save(tmp_path / "logits.xml", {"a": logits, "b": offsets, "c": hops})
    model = posenet.load(card(settings=settings), [tmp_path / "logits.xml"])
    with pytest.raises(ModelError, match=r"wanted heat maps of 0\.\.1, got -13.* to .*logits"):
        model(black)


def test_places_come_back_to_the_picture(tmp_path):
    poses = people((200, 100), (330, 120))
    path = tmp_path / "net.xml"
    save(path, dict(zip("abc", heads(encode(poses)), strict=True)))
    model = posenet.load(card(), [path], precision="f32")
    # Twice as large and higher than the input's shape: bars of 128.25 px left and right.
    found = model(np.zeros((770, 513, 3), np.uint8))
    back = (poses + 0.5 - [128.25, 0]) * 2
    assert errors(found, back).max() < 1e-2
    assert model.estimate([]) == []


@pytest.mark.parametrize(
    ("outputs", "kind", "message"),
    [
        ({"a": np.zeros((25, 33, 17)), "b": np.zeros((25, 33, 34))}, "f32", r"got \[17, 34\]"),
        ({"a": np.zeros((25, 33, 51))}, "f32", r"got \[51\]"),
        ({"a": np.zeros((25, 33, 17))}, "u8", "no scale of it is in the network"),
    ],
    ids=["two heads", "another network", "integers"],
)
def test_another_network_is_refused(tmp_path, outputs, kind, message):
    path = tmp_path / "net.xml"
    save(path, outputs, kind=kind)
    with pytest.raises(ModelError, match=message) as error:
        posenet.load(card(), [path])
    assert "\n" not in str(error.value)


def test_a_decoding_that_is_not_there_is_refused(tmp_path):
    path = tmp_path / "net.xml"
    save(path, dict(zip("abc", heads(encode(people((200, 100)))), strict=True)))
    with pytest.raises(ModelError, match="no decoding 'multy'; did you mean 'multi'"):
        posenet.load(card(settings={"decoding": "multy"}), [path])


# --- the real networks ----------------------------------------------------------------------------

# google-coral/project-posenet, test_data/*_quant_decoder_reference.csv: nose, shoulders, wrists and
# hips of both people, in input pixels counted from the middle of the first; their decoder reads
# between cells, ours from the nearest one.
_PARTS = [0, 5, 6, 9, 11, 12]
REFERENCE = {
    "posenet-mobilenet": [
        [(272, 131.5), (280.2, 163), (227.8, 175.8), (297.5, 257.9), (280.9, 267), (246.8, 269.1)],
        [(343.3, 141.2), (385.3, 173.6), (339.6, 174.4), (415.6, 248.8), (379.7, 256.9),
         (351.5, 257.3)],
    ],
    "posenet-mobilenet-small": [
        [(203.6, 97.6), (210.9, 123.1), (169, 127.6), (222.6, 192.2), (206.3, 197.6), (185.1, 199)],
        [(257.9, 105.1), (290.1, 129.2), (256.3, 127.6), (309.1, 183.2), (286.6, 190.3),
         (264.9, 191.6)],
    ],
}  # fmt: skip


@pytest.fixture
def couple(data_dir, monkeypatch):
    monkeypatch.setenv("POISE_MODELS", str(data_dir / "weights"))
    return data_dir / "weights" / "posenet" / "test_couple.jpg"


@pytest.mark.data
@pytest.mark.weights
@pytest.mark.parametrize("name", REFERENCE)
def test_the_couple_is_found_where_the_reference_finds_it(couple, name):
    size = CARDS[name].size
    picture = Pictures.open(couple).convert("RGB").resize(size, Pictures.Resampling.NEAREST)
    found = load_model(name, precision="f32")(np.asarray(picture))
    assert len(found) == 2
    order = found.keypoints[:, 0, 0].argsort()
    away = found.keypoints[order][:, _PARTS] - 0.5 - np.array(REFERENCE[name])
    assert np.linalg.norm(away, axis=2).max() < 3.5
    assert np.median(np.linalg.norm(away, axis=2)) < 1
    assert found.scores[order][:, 0] == pytest.approx([0.99, 0.99], abs=0.01)
    if name == "posenet-mobilenet":
        assert found.person_scores[order] == pytest.approx([0.890, 0.732], abs=0.02)


@pytest.mark.data
@pytest.mark.weights
def test_the_same_people_are_found_in_the_whole_photograph(couple):
    photograph = np.asarray(Pictures.open(couple).convert("RGB"))
    small = np.asarray(Pictures.fromarray(photograph).resize((641, 481)))
    model = load_model("posenet-mobilenet", precision="f32")
    large, little = model(photograph), model(small)
    factors = np.array([1920 / 641, 1278 / 481])
    away = errors(large, little.keypoints * factors)
    assert np.median(away) < 9  # of 1920 pixels: a fifth of a cell
    one = load_model("posenet-mobilenet-single", precision="f32")(photograph)
    assert len(one) == 1
    assert one.scores[0, [0, 5, 6]].min() > 0.9


@pytest.mark.data
@pytest.mark.weights
def test_a_mirrored_picture_gives_mirrored_people(couple):
    photograph = np.asarray(Pictures.open(couple).convert("RGB"))
    model = load_model("posenet-mobilenet", precision="f32")
    plain, mirrored = model(photograph), model(np.ascontiguousarray(photograph[:, ::-1]))
    flip = plain.skeleton.flip
    back = mirrored.keypoints[:, flip] * [-1, 1] + [photograph.shape[1], 0]
    away = errors(plain.replace(keypoints=back.astype(np.float32)), plain.keypoints)
    assert np.median(away[plain.scores > 0.9]) < 9


@pytest.mark.data
@pytest.mark.weights
def test_a_video_goes_through_the_command_line(couple, data_dir, tmp_path):
    video = data_dir / "videos" / "multi" / "pose2sim_multi_cam01.mp4"
    out = tmp_path / "out.jsonl"
    arguments = ["estimate", str(video), "-m", "posenet-mobilenet-small", "-o", str(out)]
    done = CliRunner().invoke(app, [*arguments, "--end", "0.2"])
    assert done.exit_code == 0, done.output
    head, *frames, _ = map(json.loads, out.read_text().splitlines())
    assert head["model"] == "posenet-mobilenet-small"
    assert frames
    assert all(len(frame["people"]) >= 2 for frame in frames)


def test_the_session_is_asked_for_whole_batches():
    class StandIn:
        precision = "f32"

        def run(self, pictures):
            assert pictures.shape == (2, 385, 513, 3)
            both = [encode(people((250, 100))), encode(people((100, 80), (300, 90)))]
            return [np.stack(pair) for pair in zip(*map(heads, both), strict=True)]

    from poise.poses import Frame

    frames = [Frame(np.zeros((385, 513, 3), np.uint8), index=n, time=n / 10) for n in (3, 4)]
    first, second = PoseNet(StandIn(), card()).estimate(frames)
    assert (len(first), len(second)) == (1, 2)
    assert (first.index, second.index, second.time) == (3, 4, 0.4)
