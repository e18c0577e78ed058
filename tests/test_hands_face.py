"""Hands and faces: what ideal networks say is read back, regions turn with what they show."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from poise.errors import ModelError, WeightsError
from poise.geometry import invert, transform
from poise.io import read_frames
from poise.models import find_model, load_model
from poise.models.base import Detections
from poise.models.blaze import check, square_regions, squares, ssd_anchors, turned_boxes
from poise.models.face import FaceDetector, FaceReader
from poise.models.face_attention import REFINED, read_attention
from poise.models.hands import HandReader, PalmDetector, one_hand
from poise.models.regions import distinct
from poise.models.tiles import TiledDetector
from poise.poses import Frame, Poses
from poise.weights import locate

SIGNER = "videos/upper_body/signlang_test_video.mp4"
rng = np.random.default_rng(5)
# A left hand, fingers up, seen from its back: wrist, thumb on the right, then four fingers.
HAND = np.array(
    [(0, 0), (3, -2), (5, -4), (6.5, -5.5), (8, -7)]
    + [(x, -8 - 2 * j) for x in (3, 1, -1, -3) for j in range(4)],
    np.float32,
)  # fmt: skip


class Answers:
    """A session that answers what it is told, and keeps what it was asked."""

    precision = "f32"

    def __init__(self, side: int, *outputs: np.ndarray) -> None:
        self.input_shapes = ([1, side, side, 3],)
        self.outputs = list(outputs)
        self.asked: np.ndarray | None = None

    def run(self, crops: np.ndarray) -> list[np.ndarray]:
        self.asked = crops
        return [np.asarray(output, np.float32) for output in self.outputs]


def turn(points: np.ndarray, degrees: float) -> np.ndarray:
    """Turn points clockwise on the screen."""
    a = np.radians(degrees)
    return points @ np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])


def encode(side: int, layers, points: np.ndarray, *, count: int) -> tuple[np.ndarray, np.ndarray]:
    """What a detector's network says of (N, 2 + P, 2) boxes and points in input pixels."""
    anchors = ssd_anchors(side, layers)
    rows = np.zeros((1, len(anchors), count), np.float32)
    logits = np.full((1, len(anchors), 1), -9, np.float32)
    for things in points:
        row = int(np.linalg.norm(anchors - things[0], axis=1).argmin())
        relative = things - anchors[row]
        relative[1] = things[1]
        rows[0, row], logits[0, row] = relative.ravel(), 4.0
    return rows, logits


# --- detectors -----------------------------------------------------------------------------------


def test_the_grids_of_anchors_have_a_row_for_each_of_the_outputs() -> None:
    assert ssd_anchors(192, PalmDetector.layers).shape == (2016, 2)
    assert ssd_anchors(128, FaceDetector.layers).shape == (896, 2)
    assert ssd_anchors(128, FaceDetector.layers)[-6:].tolist() == [[120, 120]] * 6


@pytest.mark.parametrize(("kind", "side", "size"), [(PalmDetector, 192, (384, 192)),
                                                    (FaceDetector, 128, (256, 512))])  # fmt: skip
def test_what_an_ideal_network_found_is_found(kind, side: int, size: tuple[int, int]) -> None:
    truth = rng.uniform(0.3, 0.7, (2, 2 + kind.points, 2)) * side
    truth[:, 0] = np.array([[0.3, 0.45], [0.7, 0.55]]) * side
    truth[:, 1] = 0.2 * side
    outputs = encode(side, kind.layers, truth.astype(np.float32), count=4 + 2 * kind.points)
    detector = kind(Answers(side, *outputs))
    picture = np.zeros((size[1], size[0], 3), np.uint8)
    longest = max(size)
    scale = longest / side
    shift = (np.array(size) - longest) / 2
    to_input = np.array([[1 / scale, 0, -shift[0] / scale], [0, 1 / scale, -shift[1] / scale]])
    ((points, scores),) = detector.find([picture], [to_input])
    order = points[:, 0, 0].argsort()
    wanted = truth * scale + shift
    wanted[:, 1] = truth[:, 1] * scale
    np.testing.assert_allclose(points[order], wanted, atol=1e-3)
    assert scores.tolist() == pytest.approx([1 / (1 + np.exp(-4))] * 2, abs=1e-5)
    (detections,) = detector.detect([picture])
    assert len(detections) == 2 and detections.anchors.shape == (2, 2, 2)
    # The boxes are as large as the regions, or as what the network found.
    square = (detections.boxes[:, 2:] - detections.boxes[:, :2])[:, 0]
    side = 2 * np.linalg.norm(detections.anchors[:, 1] - detections.anchors[:, 0], axis=1)
    margin = 1.0 if kind is PalmDetector else 1.5
    np.testing.assert_allclose(side, margin * square, rtol=1e-4)


def test_a_turned_part_of_a_picture_is_searched_as_well() -> None:
    truth = np.full((1, 8, 2), 64, np.float32)
    truth[:, 1], truth[:, 3] = 30, (100, 64)
    detector = FaceDetector(Answers(128, *encode(128, FaceDetector.layers, truth, count=16)))
    ends = np.array([[[200, 150], [300, 150]]], np.float32)
    ((points, _),) = detector.find(
        [np.zeros((300, 400, 3), np.uint8)], square_regions(ends, (128, 128))
    )
    # Up in the part is right in the picture, so right in the part is down.
    np.testing.assert_allclose(points[0, 0], [200, 150], atol=1e-3)
    np.testing.assert_allclose(points[0, 1], np.array([30, 30]) * 200 / 128, rtol=1e-5)
    np.testing.assert_allclose(points[0, 3], [200, 150 + 36 * 200 / 128], atol=1e-3)


def test_outputs_of_another_network_are_refused() -> None:
    outputs = np.zeros((1, 896, 16)), np.zeros((1, 896, 1))
    detector = PalmDetector(Answers(192, *outputs))
    with pytest.raises(ModelError, match=r"shapes \(N, 2016, 18\), \(N, 2016, 1\), got \(N, 896"):
        detector.detect([np.zeros((20, 20, 3), np.uint8)])
    hand = HandReader(Answers(224, np.zeros((1, 63)), np.zeros((1, 1))))
    with pytest.raises(ModelError, match=r"got \(N, 63\), \(N, 1\); are these the weights"):
        hand.read(np.zeros((1, 224, 224, 3), np.uint8))
    face = FaceReader(Answers(192, np.zeros((1, 1, 1, 1404)), np.zeros((1, 1, 1, 1))))
    with pytest.raises(ModelError, match="1404"):
        face.read(np.zeros((1, 192, 192, 3), np.uint8))
    check([np.zeros((7, 4))], [(4,)])


def test_nothing_found_and_nothing_asked() -> None:
    anchors = len(ssd_anchors(192, PalmDetector.layers))
    nobody = Answers(192, np.zeros((1, anchors, 18)), np.full((1, anchors, 1), -9))
    (found,) = PalmDetector(nobody).detect([np.zeros((30, 40, 3), np.uint8)])
    assert len(found) == 0 and found.anchors.shape == (0, 2, 2)
    assert PalmDetector(nobody).detect([]) == []


# --- regions -------------------------------------------------------------------------------------


@given(st.floats(-180, 180), st.floats(20, 300), st.booleans())
def test_the_region_of_a_hand_turns_with_it_and_mirrors_with_it(
    degrees: float, size: float, mirrored: bool
) -> None:
    points = HAND * [-1, 1] if mirrored else HAND
    placed = (turn(points * size / 14, degrees) + np.array([400, 300])).astype(np.float32)
    reader = HandReader(Answers(224))
    straight = reader.ends(points[None] * np.float32(size / 14))[0]
    ends = reader.ends(placed[None])[0]
    np.testing.assert_allclose(
        ends, turn(straight, degrees) + np.array([400, 300]), atol=2e-3 * size
    )
    # All fingers are in the region, and the fingertips are nearer to its upper side.
    inside = transform(square_regions(ends[None], (224, 224))[0], placed)
    assert (inside > 0).all() and (inside < 224).all()
    assert inside[12, 1] < inside[0, 1]


@given(st.floats(-180, 180))
def test_the_region_of_a_palm_points_to_the_fingers(degrees: float) -> None:
    points = np.zeros((1, 9, 2), np.float32)
    points[0, 1] = 50
    points[0, 4] = turn(np.array([0, -40]), degrees)
    detections = PalmDetector(Answers(192))._finish(points, np.ones(1, np.float32))
    middle, top = detections.anchors[0]
    np.testing.assert_allclose(middle, turn(np.array([0, -25.0]), degrees), atol=1e-3)
    np.testing.assert_allclose(top - middle, turn(np.array([0, -65.0]), degrees), atol=1e-3)


@given(st.floats(-60, 60))
def test_the_region_of_a_face_is_level_with_its_eyes(degrees: float) -> None:
    points = rng.uniform(-50, 50, (1, 478, 2)).astype(np.float32)
    points[0, 33], points[0, 263] = turn(np.array([[-30, 0], [30, 0]]), degrees)
    ends = FaceReader(Answers(192)).ends(points)
    eyes = transform(square_regions(ends, (192, 192))[0], points[0, [33, 263]])
    assert eyes[0, 0] < eyes[1, 0] and abs(eyes[0, 1] - eyes[1, 1]) < 1e-2
    side = np.ptp(points[0], axis=0).max() * 1.5
    np.testing.assert_allclose(2 * np.linalg.norm(ends[0, 1] - ends[0, 0]), side, rtol=1e-4)


def test_a_turned_box_is_tight() -> None:
    corners = np.array([[-3, -1], [3, -1], [3, 1], [-3, 1]], float)
    for degrees in (0, 30, 90, 200):
        up = turn(np.array([[0, -1.0]]), degrees)
        middles, sizes = turned_boxes(turn(corners, degrees)[None] + [10, 20], up)
        np.testing.assert_allclose(middles, [[10, 20]], atol=1e-9)
        np.testing.assert_allclose(sizes, [[6, 2]], atol=1e-9)


def test_a_point_that_points_nowhere_is_up() -> None:
    ends = squares((np.zeros((1, 2)), np.full((1, 2), 4)), np.zeros((1, 2), np.float32), scale=1)
    assert ends.tolist() == [[[0, 0], [0, -2]]]


# --- readers -------------------------------------------------------------------------------------


def read_hands(right: list[float], presence: list[float] | None = None):
    count = len(right)
    points = np.concatenate([HAND * 8 + 112, np.ones((21, 1))], axis=1)
    metres = rng.normal(size=(count, 63))
    session = Answers(
        224,
        np.tile(points.ravel(), (count, 1)),
        np.reshape(presence or [0.9] * count, (count, 1)),
        np.reshape(right, (count, 1)),
        metres,
    )
    return HandReader(session).read(np.zeros((count, 224, 224, 3), np.uint8)), metres


def test_the_names_say_which_hand_it_is() -> None:
    read, metres = read_hands([0.1, 0.9, 0.49])
    for row, side in enumerate((slice(0, 21), slice(21, 42), slice(0, 21))):
        np.testing.assert_allclose(read.keypoints[row, side], HAND * 8 + 112)
        np.testing.assert_allclose(read.xyz[row, side].ravel(), metres[row], rtol=1e-6)
        assert np.isfinite(read.keypoints[row]).all(axis=1).sum() == 21
    np.testing.assert_allclose(one_hand(read.keypoints), np.tile(HAND * 8 + 112, (3, 1, 1)))
    skeleton = HandReader(Answers(224)).skeleton
    poses = Poses(skeleton, read.keypoints, read.scores, xyz=read.xyz)
    assert skeleton.keypoints[0] == "left_hand_root"
    assert skeleton.keypoints[21] == "right_hand_root"
    assert np.isfinite(poses.boxes).all() and (poses.scores[0, 21:] == 0).all()


def test_a_hand_is_one_hand_whichever_side_it_was_read_as() -> None:
    skeleton = HandReader(Answers(224)).skeleton
    points = np.full((4, 42, 2), np.nan, np.float32)
    points[0, :21] = HAND * 8 + 112
    points[1, 21:] = HAND * 8 + 112.5
    points[2, :21] = HAND * 8 + 300
    points[3, 21:] = HAND * 8 + 300
    poses = Poses(skeleton, points, np.full((4, 42), 0.9, np.float32))
    assert distinct(poses, np.ones(4, bool)).tolist() == [0, 2]
    assert distinct(poses, np.array([False, True, True, False])).tolist() == [1, 2]
    claims = np.array([0.1, 0.9, 0.8, 0.2], np.float32)
    assert distinct(poses, np.ones(4, bool), claims=claims).tolist() == [1, 2]


def test_what_the_face_network_refines_is_taken_from_it() -> None:
    mesh = rng.uniform(0, 192, (2, 468, 3)).astype(np.float32)
    parts = [rng.uniform(0, 192, (2, len(numbers), 2)) for _, numbers in REFINED]
    outputs = [mesh.reshape(2, 1, 1, -1), *(part.reshape(2, 1, 1, -1) for part in parts)]
    reader = FaceReader(Answers(192, *outputs, np.array([3.0, -3.0]).reshape(2, 1, 1, 1)))
    read = reader.read(np.zeros((2, 192, 192, 3), np.uint8))
    refined = {number for _, numbers in REFINED for number in numbers}
    assert len(refined) == 80 + 2 * 71 + 10
    for (_, numbers), part in zip(REFINED, parts, strict=True):
        np.testing.assert_allclose(read.keypoints[:, numbers], part, rtol=1e-6)
    rest = [i for i in range(468) if i not in refined]
    np.testing.assert_array_equal(read.keypoints[:, rest], mesh[:, rest, :2])
    assert (read.presence >= reader.minimum_presence).tolist() == [True, False]


def test_boxes_of_other_detectors_do_as_well() -> None:
    boxes = Detections(np.array([[100, 50, 180, 250]], np.float32), np.ones(1, np.float32))
    for reader in (HandReader(Answers(224)), FaceReader(Answers(192))):
        (region,) = reader.regions(boxes)
        corners = transform(region, np.array([[100, 50], [180, 250]], np.float32))
        assert (corners > 0).all() and (corners < reader.size[0]).all()


def test_the_parts_of_a_picture_are_searched_for_what_is_small() -> None:
    class Finder:
        precision = "f32"

        def detect(self, images):
            # In each picture a thing of 10 pixels, and one of 30, at the same place.
            boxes = np.array([[2, 2, 12, 12], [15, 15, 45, 45]], np.float32)
            return [Detections(boxes, np.array([0.9, 0.8], np.float32)) for _ in images]

    picture = np.zeros((100, 100, 3), np.uint8)
    everything = TiledDetector(Finder()).detect([picture])[0]
    small = TiledDetector(Finder(), largest=0.4).detect([picture])[0]
    sides = [(found.boxes[:, 2] - found.boxes[:, 0]).tolist() for found in (everything, small)]
    assert sides[0].count(10) == sides[1].count(10) == 9
    assert sides[0].count(30) > 1 and sides[1].count(30) == 1


# --- the table -----------------------------------------------------------------------------------


def test_names_and_what_does_not_fit() -> None:
    assert [card.name for card in find_model("hands").cards] == ["palm-detector", "hands"]
    assert [card.name for card in find_model("face").cards] == ["face-detector", "face"]
    with pytest.raises(ModelError, match="hands needs a detector that finds hand anchors"):
        find_model("blazepose-detector+hands")
    with pytest.raises(ModelError, match="face needs a detector that finds face anchors"):
        find_model("rtmdet-nano+face")


def test_files_that_are_no_face_mesh_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no such file"):
        read_attention(tmp_path / "absent.tflite")
    wrong = tmp_path / "wrong.tflite"
    wrong.write_bytes(b"not a network" * 40)
    with pytest.raises(WeightsError, match="not a TFLite model"):
        read_attention(wrong)


# --- the real networks, where their files are already here ---------------------------------------


def real(name: str):
    files = find_model(name).files
    absent = [file.name for file in files if locate(file) is None]
    if absent:
        pytest.skip(f"{', '.join(absent)} not here; poise models get {name} fetches them")
    return load_model(name, precision="f32")


def frames_of(data_dir: Path, count: int) -> list[Frame]:
    with read_frames(data_dir / SIGNER) as frames:
        return [frame for frame, _ in zip(frames, range(count), strict=False)]


def test_another_networks_file_is_no_face_mesh() -> None:
    (file,) = find_model("hands").reader.files
    path = locate(file)
    if path is None:
        pytest.skip(f"{file.name} is not here")
    with pytest.raises(ModelError, match=r"wanted the face mesh with attention.*got Identity"):
        read_attention(path)


@pytest.mark.data
def test_the_signers_hand_and_face(data_dir: Path) -> None:
    frames = frames_of(data_dir, 40)
    hands, face = real("hands"), real("face")
    found = list(hands.follow(frames))
    assert sum(len(poses) for poses in found) >= 15
    assert max(len(poses) for poses in found) == 1
    # It is her right hand, and all readings but one of a blurred picture say so.
    left = [np.isfinite(poses.keypoints[:, :21]).any() for poses in found]
    assert sum(left) <= 2
    faces = list(face.follow(frames))
    assert [len(poses) for poses in faces] == [1] * len(frames)
    points = faces[0].keypoints[0]
    at = faces[0].skeleton.find
    assert points[at("right_eyelid_outer"), 0] < points[at("left_eyelid_outer"), 0]
    assert points[at("lip_top"), 1] < points[at("lip_bottom"), 1] < points[at("chin"), 1]
    for side in ("left", "right"):
        lid, iris = points[at(f"{side}_eyelid_outer")], points[at(f"{side}_iris")]
        assert np.linalg.norm(lid - iris) < 0.2 * np.ptp(points[:, 0])
    assert np.ptp(faces[20].boxes[0, [1, 3]]) > 100


@pytest.mark.data
def test_the_mirror_image_has_the_other_hand_and_the_mirrored_face(data_dir: Path) -> None:
    frame = frames_of(data_dir, 32)[31]
    flipped = np.ascontiguousarray(frame.image[:, ::-1])
    for name, share in (("hands", 0.05), ("face", 0.02)):
        model = real(name)
        straight, mirrored = model(frame.image), model(flipped)
        back = mirrored.keypoints[0, straight.skeleton.flip] * [-1, 1] + [frame.size[0], 0]
        away = np.linalg.norm(straight.keypoints[0] - back, axis=1)
        there = np.isfinite(straight.keypoints[0, :, 0])
        assert np.isfinite(away[there]).all()
        size = np.ptp(straight.boxes[0].reshape(2, 2), axis=0).max()
        assert np.median(away[there]) < share * size, name


@pytest.mark.data
def test_reading_twice_gives_the_same_numbers(data_dir: Path) -> None:
    frames = frames_of(data_dir, 24)
    model = real("hands")
    for one, other in zip(model.follow(frames), model.follow(frames), strict=True):
        np.testing.assert_array_equal(one.keypoints, other.keypoints)
    assert invert(square_regions(np.array([[[5, 5], [5, 0]]]), (10, 10))[0]).shape == (2, 3)
