"""Readers of annotated data sets: what each convention becomes, and the real files."""

from __future__ import annotations

import io
import json
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poise.errors import InputError
from poise.evaluation import find_pictures, measure_crowding, read_annotations
from poise.evaluation.heads import measure_heads
from poise.evaluation.ignoring import clear_ignored, inside
from poise.evaluation.matching import match
from poise.evaluation.readers.entries import BODY_SHARE, BOX_MARGIN, KEYPOINT_SHARE
from poise.evaluation.readers.matlab import read_arrays
from poise.evaluation.truth import Truth
from poise.poses import Poses
from poise.skeleton import get_skeleton


def save(path: Path, document: Any) -> Path:
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def coco_like(names: list[str], flat: list[float], **more: Any) -> dict[str, Any]:
    return {
        "images": [{"id": 4, "file_name": "a/4.jpg", "width": 640, "height": 480}],
        "annotations": [
            {"id": 9, "image_id": 4, "category_id": 1, "keypoints": flat, **more},
        ],
        "categories": [{"id": 1, "name": "person", "keypoints": names}],
    }


def flat_of(count: int, visibility: int = 2) -> list[float]:
    return [n for k in range(count) for n in (10.0 + 3 * k, 20.0 + 5 * k, visibility)]


SIDED = ["shoulder", "elbow", "wrist", "hip", "knee", "ankle"]
CROWD = [f"{side}_{part}" for part in SIDED for side in ("left", "right")]


def test_crowdpose_has_its_own_names_sigmas_areas_and_crowding(tmp_path: Path) -> None:
    document = coco_like([*CROWD, "head", "neck"], flat_of(14), bbox=[10, 20, 40, 70])
    document["images"][0]["crowdIndex"] = 0.85
    truth = read_annotations(save(tmp_path / "t.json", document))
    assert (truth.dataset, truth.skeleton.name) == ("crowdpose", "crowdpose14")
    assert truth.skeleton.keypoints[12:] == ("head_top", "upper_neck")
    wanted = [0.079, 0.079, 0.072, 0.072, 0.062, 0.062, 0.107, 0.107, 0.087, 0.087]
    wanted += [0.089, 0.089, 0.079, 0.079]
    assert truth.sigmas.tolist() == wanted
    (picture,) = truth.pictures
    assert picture.crowding == 0.85
    assert picture.people[0].area == pytest.approx(BODY_SHARE * 40 * 70)


def test_average_precision_by_crowding(tmp_path: Path) -> None:
    truths, found = [], []
    for number, index in enumerate((0.0, 0.2, 0.5, 0.8), start=1):
        document = coco_like([*CROWD, "head", "neck"], flat_of(14), bbox=[10, 20, 40, 70])
        document["images"][0] |= {"id": number, "crowdIndex": index}
        document["annotations"][0]["image_id"] = number
        truth = read_annotations(save(tmp_path / "t.json", document))
        truths.append(truth)
        points = truth.pictures[0].people[0].points[None].astype(np.float32)
        points += np.float32(500 * (index == 0.5))
        found.append(Poses(truth.skeleton, points, np.ones(points.shape[:2], np.float32)))
    whole = Truth(truths[0].skeleton, tuple(one.pictures[0] for one in truths), "crowdpose")
    precision = measure_crowding(whole, found)
    assert precision["easy"] == precision["hard"] == pytest.approx(1)
    assert 0 < precision["medium"] < 1


@pytest.mark.parametrize("shape", ["Right Shoulder", "right_shoulder", "Right-shoulder"])
def test_ai_challenger_as_mmpose_converts_it(tmp_path: Path, shape: str) -> None:
    separator = shape[5]
    parts = [f"{side}{separator}{part}" for side in ("Right", "Left") for part in SIDED[:3]]
    parts += [f"{side}{separator}{part}" for side in ("Right", "Left") for part in SIDED[3:]]
    names = [*parts, f"Head{separator}top", "Neck"]
    truth = read_annotations(
        save(tmp_path / "t.json", coco_like(names, flat_of(14), bbox=[0, 0, 90, 200]))
    )
    assert (truth.dataset, truth.skeleton.name) == ("aic", "aic14")
    assert truth.sigmas[0] == 0.01388152


def test_ai_challengers_own_visibility_runs_the_other_way(tmp_path: Path) -> None:
    flat = flat_of(14, 1)
    flat[5], flat[8] = 2, 3
    entry = {
        "image_id": "abc",
        "keypoint_annotations": {"human1": flat},
        "human_annotations": {"human1": [10, 20, 110, 220]},
    }
    truth = read_annotations(save(tmp_path / "t.json", [entry]))
    (picture,) = truth.pictures
    assert picture.name == "abc.jpg"
    (person,) = picture.people
    assert person.keypoints[:3, 2].tolist() == [2, 1, 0]
    assert person.keypoints[2].tolist() == [0, 0, 0]
    assert person.box.tolist() == [10, 20, 100, 200]
    assert person.area == pytest.approx(BODY_SHARE * 100 * 200)


def test_ochumans_own_form(tmp_path: Path) -> None:
    names = list(get_skeleton("coco17").keypoints)
    mixed = ["head", *reversed(names), "neck"]
    flat = flat_of(19, 1)
    flat[3 * 17 + 2], flat[3 * 16 + 2], flat[3 * 15 + 2] = 0, 2, 3
    document = {
        "images": [
            {
                "image_id": 5,
                "file_name": "5.jpg",
                "width": 9,
                "height": 8,
                "annotations": [
                    {"bbox": [10, 20, 110, 220], "keypoints": flat},
                    {"bbox": [1, 2, 3, 4], "keypoints": None},
                ],
            }
        ],
        "keypoint_names": mixed,
        "keypoint_visible": {"missing": 0, "vis": 1, "self_occluded": 2, "others_occluded": 3},
    }
    truth = read_annotations(save(tmp_path / "t.json", document))
    assert (truth.dataset, truth.skeleton.name) == ("ochuman", "coco17")
    (person,) = truth.pictures[0].people
    # The nose is the second to last in this file.
    assert person.keypoints[:4, 2].tolist() == [0, 1, 1, 2]
    assert person.keypoints[3, :2].tolist() == [10 + 3 * 14, 20 + 5 * 14]
    assert person.box.tolist() == [10, 20, 100, 200]


def test_halpe_names_no_keypoints(tmp_path: Path) -> None:
    for count, layout in ((136, "halpe136"), (26, "halpe26")):
        document = coco_like([], flat_of(count), bbox=[0, 0, 9, 9], area=40)
        truth = read_annotations(save(tmp_path / "t.json", document))
        assert (truth.dataset, truth.skeleton.name) == ("halpe", layout)
    assert truth.sigmas[18] == 0.026


def test_human_art_names_more_than_its_people_have(tmp_path: Path) -> None:
    names = [*get_skeleton("coco17").keypoints, "left_finger", "right_finger", "left_toe", "toe"]
    document = coco_like(names, flat_of(17), bbox=[0, 0, 9, 9], area=40)
    truth = read_annotations(save(tmp_path / "t.json", document))
    assert (truth.dataset, truth.skeleton.name) == ("coco", "coco17")


def test_jhmdb_and_its_face(tmp_path: Path) -> None:
    names = ["neck", "belly", "head", *get_skeleton("jhmdb15").keypoints[3:]]
    document = coco_like(names, flat_of(15), bbox=[0, 0, 54, 159], track_id=3)
    truth = read_annotations(save(tmp_path / "t.json", document))
    assert (truth.dataset, truth.skeleton.keypoints[2]) == ("jhmdb", "face")
    assert truth.pictures[0].people[0].id == 3


def posetrack(tmp_path: Path) -> Truth:
    names = list(get_skeleton("posetrack17").keypoints)
    document = coco_like(names, flat_of(17, 1), bbox=[0, 0, 90, 99], track_id=7)
    square = [[0, 15, 15, 0]], [[0, 0, 30, 30]]
    document["images"][0] |= {"ignore_regions_x": square[0], "ignore_regions_y": square[1]}
    document["images"][0]["vid_id"] = "0042"
    return read_annotations(save(tmp_path / "t.json", document))


def test_posetracks_ignored_regions_hide_labels_and_people(tmp_path: Path) -> None:
    truth = posetrack(tmp_path)
    assert (truth.dataset, truth.pictures[0].video) == ("posetrack18", "0042")
    (person,) = truth.pictures[0].people
    # The first two keypoints are at 10, 20 and 13, 25: inside.
    assert person.keypoints[:3, 2].tolist() == [0, 0, 1]
    points = np.full((3, 17, 2), 5, np.float32)
    points[1, 0] = 100
    points[2] = 200
    poses = Poses(truth.skeleton, points, np.ones((3, 17), np.float32))
    left = clear_ignored(poses, truth.pictures[0])
    assert np.isfinite(left.keypoints[..., 0]).sum(axis=1).tolist() == [1, 17]
    kept = clear_ignored(poses, truth.pictures[0], keep=True)
    assert np.isfinite(kept.keypoints[..., 0]).sum(axis=1).tolist() == [0, 1, 17]


def test_a_folder_of_files(tmp_path: Path) -> None:
    posetrack(tmp_path)
    document = json.loads((tmp_path / "t.json").read_text())
    document["images"][0] |= {"id": 3, "file_name": "b/3.jpg"}
    document["annotations"][0]["image_id"] = 3
    save(tmp_path / "u.json", document)
    truth = read_annotations(tmp_path)
    assert [picture.id for picture in truth.pictures] == [3, 4]
    save(tmp_path / "v.json", coco_like([*CROWD, "head", "neck"], flat_of(14)))
    with pytest.raises(InputError, match=r"v\.json: is of crowdpose, t\.json of posetrack18"):
        read_annotations(tmp_path)
    (tmp_path / "v.json").unlink()
    save(tmp_path / "w.json", document)
    with pytest.raises(InputError, match="two pictures have the same id"):
        read_annotations(tmp_path)


@given(st.integers(0, 10**6))
def test_inside_equals_the_winding_of_a_convex_polygon(seed: int) -> None:
    rng = np.random.default_rng(seed)
    angles = np.sort(rng.uniform(0, 2 * np.pi, 7))
    polygon = 10 * np.column_stack([np.cos(angles), np.sin(angles)]) + 3
    points = rng.uniform(-10, 16, (50, 2))
    start, end = polygon, np.roll(polygon, -1, axis=0)
    edge, away = end - start, points[:, None] - start
    left = edge[:, 0] * away[..., 1] - edge[:, 1] * away[..., 0]
    assert inside(points, polygon).tolist() == (left > 0).all(axis=1).tolist()
    assert not inside(np.array([np.nan, np.nan]), polygon)


def mpii_entry(name: str, *, scale: float = 2.0) -> dict[str, Any]:
    joints = [[100.0 + k, 200.0 + 10 * k] for k in range(16)]
    return {"image": name, "joints": joints, "joints_vis": [1] * 15 + [0],
            "center": [300.0, 400.0], "scale": scale}  # fmt: skip


def test_mpii_is_one_based_and_keeps_its_heads_elsewhere(tmp_path: Path) -> None:
    scipy = pytest.importorskip("scipy.io")
    path = save(tmp_path / "valid.json", [mpii_entry("a.jpg"), mpii_entry("a.jpg")])
    truth = read_annotations(path)
    (picture,) = truth.pictures
    first = picture.people[0]
    assert first.keypoints[0].tolist() == [99, 199, 2]
    assert first.keypoints[15].tolist() == [0, 0, 0]
    assert first.box.tolist() == [299 - 200, 399 + 30 - 200, 400, 400]
    assert first.area == pytest.approx(KEYPOINT_SHARE * 14 * 140)
    assert first.head is None
    heads = np.zeros((2, 2, 2))
    heads[0, :, 1], heads[1, :, 1] = (11, 21), (41, 61)
    heads[1, :, 0] = (3, 4)
    scipy.savemat(tmp_path / "gt_valid.mat", {"headboxes_src": heads, "names": "text"})
    heads_read = [person.head.tolist() for person in read_annotations(path).pictures[0].people]
    assert heads_read == [[-1, -1, 3, 4], [10, 20, 30, 40]]


def test_pckh_is_mpiis(tmp_path: Path) -> None:
    """Against HRNet's steps: one-based, 0.6 of the diagonal, without pelvis and thorax."""
    scipy = pytest.importorskip("scipy.io")
    rng = np.random.default_rng(3)
    entries, found, gaps = [], [], []
    low = rng.uniform(50, 90, (12, 2))
    high = low + rng.uniform(20, 60, (12, 2))
    for number in range(12):
        entry = mpii_entry(f"{number}.jpg")
        entry["joints_vis"] = (rng.random(16) < 0.8).astype(int).tolist()
        gap = rng.normal(0, 15, (16, 2))
        gaps.append(np.linalg.norm(gap, axis=1))
        found.append(np.array(entry["joints"]) - 1 + gap)
        entries.append(entry)
    scipy.savemat(tmp_path / "gt_v.mat", {"headboxes_src": np.stack([low.T, high.T])})
    truth = read_annotations(save(tmp_path / "v.json", entries))
    skeleton, sure = truth.skeleton, np.ones((1, 16), np.float32)
    poses = [Poses(skeleton, one[None].astype(np.float32), sure) for one in found]
    heads = measure_heads(match(truth, poses, paired=True), truth.dataset, 0.5)
    seen = np.array([entry["joints_vis"] for entry in entries]).T
    scaled = np.array(gaps).T / (0.6 * np.linalg.norm(high - low, axis=1))
    right = (scaled <= 0.5) * seen
    np.testing.assert_allclose(heads.each, right.sum(axis=1) / seen.sum(axis=1))
    body = [k for k in range(16) if k not in (6, 7)]
    assert heads.share == pytest.approx(right[body].sum() / seen[body].sum())
    assert heads.kind == "box"


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("extended", [False, True])
def test_both_forms_of_lsp(tmp_path: Path, compressed: bool, extended: bool) -> None:
    scipy = pytest.importorskip("scipy.io")
    rng = np.random.default_rng(1)
    joints = rng.uniform(1, 150, (14, 3, 5))
    joints[:, 2] = rng.integers(0, 2, (14, 5))
    path = tmp_path / "joints.mat"
    shaped = joints if extended else joints.transpose(1, 0, 2)
    scipy.savemat(path, {"joints": shaped}, do_compression=compressed)
    truth = read_annotations(path)
    assert truth.skeleton.name == "lsp14"
    digits = "00002" if extended else "0002"
    assert truth.pictures[1].name == f"im{digits}.jpg"
    for number, picture in enumerate(truth.pictures):
        flag = joints[:, 2, number]
        seen = picture.people[0].keypoints[:, 2]
        assert seen.tolist() == (2 * flag if extended else 2 - flag).tolist()
        there = seen > 0
        points = picture.people[0].keypoints[there, :2]
        np.testing.assert_array_equal(points, joints[there, :2, number])
        size = points.max(axis=0) - points.min(axis=0)
        np.testing.assert_allclose(picture.people[0].box[2:], BOX_MARGIN * size)


@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from(["f8", "f4", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"]),
    shape=st.lists(st.integers(0, 4), min_size=2, max_size=4),
    compressed=st.booleans(),
    seed=st.integers(0, 99),
)
def test_matlab_arrays_equal_scipys(
    kind: str, shape: list[int], compressed: bool, seed: int
) -> None:
    scipy = pytest.importorskip("scipy.io")
    from tempfile import TemporaryDirectory

    values = np.random.default_rng(seed).integers(0, 100, shape).astype(kind)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.mat"
        scipy.savemat(
            path,
            {"x": values, "text": "abc", "z": np.array([[1j]]), "cell": np.array([1, "a"], object)},
            do_compression=compressed,
        )
        found = read_arrays(path)
    assert set(found) == {"x"}
    np.testing.assert_array_equal(found["x"], values.astype(float))


def test_matlab_files_that_cannot_be_read(tmp_path: Path) -> None:
    scipy = pytest.importorskip("scipy.io")
    path = tmp_path / "joints.mat"
    stream = io.BytesIO()
    scipy.savemat(stream, {"joints": np.zeros((3, 14, 2))})
    whole = stream.getvalue()
    cases = {
        b"MATLAB 7.3 MAT-file" + bytes(200): "a MAT-file of version 7.3; save it with -v7",
        whole[:-300]: "it ends too early",
        whole[:126] + b"XX" + whole[128:]: "no MAT-file of version 5",
        whole[:128]: "holds no joints",
        whole.replace(b"joints", b"jointx"): "holds no joints",
    }
    for content, said in cases.items():
        path.write_bytes(content)
        with pytest.raises(InputError, match=said):
            read_annotations(path)
    scipy.savemat(path, {"joints": np.zeros((4, 4))})
    with pytest.raises(InputError, match=r"holds joints of \(4, 4\)"):
        read_annotations(path)


def test_a_matlab_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("poise.evaluation.readers.matlab.MAXIMUM_DOCUMENT", 10**5)
    content = zlib.compress(bytes(10**6))
    head = b"MATLAB 5.0".ljust(124) + b"\x00\x01IM"
    path = tmp_path / "joints.mat"
    path.write_bytes(head + struct.pack("<II", 15, len(content)) + content)
    with pytest.raises(InputError, match="an array of more than"):
        read_annotations(path)


@pytest.mark.data
@pytest.mark.parametrize(
    ("file", "images", "dataset", "skeleton", "counts"),
    [
        ("mpii/test_mpii.json", "mpii", "mpii", "mpii16", (5, 5)),
        ("crowdpose/test_crowdpose.json", "crowdpose", "crowdpose", "crowdpose14", (2, 4)),
        ("ochuman/test_ochuman.json", "ochuman", "coco", "coco17", (3, 5)),
        ("aic/test_aic.json", "aic", "aic", "aic14", (3, 9)),
        ("posetrack18/annotations/val", "posetrack18", "posetrack18", "posetrack17", (3, 14)),
        ("jhmdb/test_jhmdb_sub1.json", "jhmdb", "jhmdb", "jhmdb15", (3, 3)),
        ("halpe/test_halpe.json", "coco", "halpe", "halpe136", (4, 12)),
        ("humanart/test_humanart.json", "humanart", "coco", "coco17", (3, 4)),
        ("exlpose/test_exlpose.json", "exlpose", "crowdpose", "crowdpose14", (2, 6)),
        ("mhp/test_mhp.json", "mhp", "mhp", "mpii16", (2, 4)),
    ],
)
def test_the_real_files(
    data_dir: Path, file: str, images: str, dataset: str, skeleton: str, counts: tuple[int, int]
) -> None:
    folder = data_dir / "labelled" / "mmpose_tests"
    truth = read_annotations(folder / file)
    assert (truth.dataset, truth.skeleton.name) == (dataset, skeleton)
    people = sum(len(picture.counted) for picture in truth.pictures)
    assert (len(truth.pictures), people) == counts
    assert all(find_pictures(truth, folder / images))
    for picture in truth.pictures:
        for person in picture.counted:
            low, size = person.box[:2], person.box[2:]
            # Labels lie about the person's box; some data sets let feet and hands stand out.
            points = person.points[np.isfinite(person.points[:, 0])]
            assert (points > low - size / 2).all()
            assert (points < low + 1.5 * size).all()


@pytest.mark.data
def test_lsp_extended(data_dir: Path) -> None:
    folder = data_dir / "labelled" / "lspe"
    truth = read_annotations(folder / "joints.mat")
    assert (truth.dataset, len(truth.pictures)) == ("lsp-extended", 10000)
    assert sum(path is not None for path in find_pictures(truth, folder / "images")) == 3061
    scipy = pytest.importorskip("scipy.io")
    wanted = scipy.loadmat(folder / "joints.mat")["joints"]
    np.testing.assert_array_equal(read_arrays(folder / "joints.mat")["joints"], wanted)
