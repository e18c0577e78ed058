"""Evaluation: COCO's figures against pycocotools, matching, kinds of mistakes, boxes, the walk."""

from __future__ import annotations

import contextlib
import io
import json
import math
import sys
from dataclasses import astuple
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poise.errors import InputError, MissingExtraError, ModelError, NoInputError, UsageError
from poise.evaluation import (
    Truth,
    evaluate,
    measure_precision,
    read_annotations,
    read_boxes,
)
from poise.evaluation.engine import result_entries, truth_document
from poise.evaluation.matching import keypoint_likeness, match
from poise.evaluation.mistakes import shares as shares_of
from poise.evaluation.mistakes import sort_mistakes
from poise.evaluation.truth import TruePerson, TruePicture, share
from poise.evaluation.walk import find_pictures, walk
from poise.geometry import oks
from poise.models.base import CropPoses, Detections
from poise.models.topdown import TopDown
from poise.poses import Frame, Poses
from poise.skeleton import get_skeleton
from poise.testing import FakeModel, blob_picture

COCO = get_skeleton("coco17")


def referee(document: dict[str, Any], entries: list[dict[str, Any]]) -> list[float]:
    """Return pycocotools' ten figures of raw COCO annotations and results; NaN for its -1."""
    from pycocotools.coco import COCO as Api
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        truth, results = Api(), Api()
        truth.dataset = json.loads(json.dumps(document))
        truth.createIndex()
        if entries:
            results = truth.loadRes(json.loads(json.dumps(entries)))
        else:  # pycocotools cannot load an empty list
            results.dataset = {**truth.dataset, "annotations": []}
            results.createIndex()
        run = COCOeval(truth, results, "keypoints")
        run.evaluate()
        run.accumulate()
        run.summarize()
    return [float(n) if n > -1 else math.nan for n in run.stats]


def person(
    rng: np.random.Generator, *, labels: int = 17, crowd: bool = False, side: float = 100
) -> TruePerson:
    box = np.array([*rng.uniform(0, 300, 2), side, side])
    seen = np.zeros(17)
    seen[rng.permutation(17)[:labels]] = rng.integers(1, 3, labels)
    points = box[:2] + rng.uniform(0, side, (17, 2))
    keypoints = np.column_stack([np.where(seen[:, None] > 0, points, 0), seen])
    return TruePerson(keypoints.round(1), box, float(0.6 * side * side), crowd)


def poses(points: np.ndarray, scores: np.ndarray | None = None) -> Poses:
    points = np.asarray(points, np.float32).reshape(-1, 17, 2)
    sure = None if scores is None else np.asarray(scores, np.float32)
    return Poses(COCO, points, np.full(points.shape[:2], 0.9, np.float32), person_scores=sure)


def spoil(rng: np.random.Generator, picture: TruePicture, *, ties: bool) -> Poses:
    """Find some people with errors, some twice, and some who are not there."""
    found = []
    for one in picture.people:
        for _ in range(int(rng.integers(0, 3))):
            error = rng.normal(0, rng.choice([0, 0.01, 0.05, 0.2]) * one.box[2], (17, 2))
            found.append(one.keypoints[:, :2] + error)
    found += [rng.uniform(0, 400, (17, 2)) for _ in range(int(rng.integers(0, 3)))]
    scores = rng.choice([0.3, 0.6], len(found)) if ties else rng.random(len(found))
    spoilt = np.array(found).reshape(-1, 17, 2)
    spoilt[rng.random(spoilt.shape[:2]) < 0.1] = np.nan
    return poses(spoilt, scores)


@settings(max_examples=200, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    counts=st.lists(st.integers(0, 5), min_size=1, max_size=4),
    ties=st.booleans(),
    crowds=st.sampled_from([0.0, 0.3]),
    labels=st.sampled_from([0, 1, 17]),
)
def test_precision_equals_pycocotools(
    seed: int, counts: list[int], ties: bool, crowds: float, labels: int
) -> None:
    rng = np.random.default_rng(seed)
    pictures = tuple(
        TruePicture(
            7 * number + 1,
            f"{number}.jpg",
            (500, 500),
            tuple(
                person(
                    rng,
                    labels=int(rng.integers(min(labels, 1), labels + 1)),
                    crowd=bool(rng.random() < crowds),
                    side=float(rng.choice([30, 60, 150])),
                )
                for _ in range(count)
            ),
        )
        for number, count in enumerate(counts)
    )
    truth = Truth(COCO, pictures)
    found = [spoil(rng, picture, ties=ties) for picture in pictures]
    wanted = referee(truth_document(truth), result_entries(truth, found))
    got = astuple(measure_precision(truth, found))
    np.testing.assert_allclose(got, wanted, atol=1e-6, equal_nan=True)


def test_precision_of_nobody() -> None:
    rng = np.random.default_rng(1)
    truth = Truth(COCO, (TruePicture(1, "a.jpg", (500, 500), (person(rng),)),))
    assert measure_precision(truth, [Poses.empty(COCO)]).AP == 0
    nobody = Truth(COCO, (TruePicture(1, "a.jpg", (500, 500)),))
    assert math.isnan(measure_precision(nobody, [poses(rng.random((1, 17, 2)))]).AP)


def test_perfect_people_beyond_the_twentieth_do_not_count() -> None:
    rng = np.random.default_rng(2)
    people = tuple(person(rng) for _ in range(25))
    truth = Truth(COCO, (TruePicture(1, "a.jpg", (500, 500), people),))
    found = poses(np.stack([one.points for one in people]), np.linspace(1, 0.5, 25))
    assert pytest.approx(20 / 25) == measure_precision(truth, [found]).AR


@pytest.mark.data
def test_precision_on_val2017_equals_pycocotools(data_dir: Path) -> None:
    """The raw annotation file goes to pycocotools; Poise reads it with its own reader."""
    path = data_dir / "keypoints" / "coco" / "person_keypoints_val2017_first1000.json"
    truth = read_annotations(path)
    rng = np.random.default_rng(0)
    found = [spoil(rng, picture, ties=True) for picture in truth.pictures]
    raw = json.loads(path.read_text(encoding="utf-8"))
    raw["images"] = list({image["id"]: image for image in raw["images"]}.values())
    for number, entry in enumerate(raw["annotations"], start=1):
        entry["id"] = number
    wanted = referee(raw, result_entries(truth, found))
    got = astuple(measure_precision(truth, found))
    assert 0.05 < got[0] < 0.9
    np.testing.assert_allclose(got, wanted, atol=1e-6)


def test_likeness_is_that_of_oks() -> None:
    rng = np.random.default_rng(3)
    one = person(rng, labels=9)
    found = one.keypoints[:, :2] + rng.normal(0, 4, (17, 2))
    each = keypoint_likeness(found, one.points, np.array(one.area), COCO.sigmas.astype(float))
    assert np.isfinite(each).sum() == 9
    wanted = oks(found[None], one.points[None], np.array([one.area]), COCO.sigmas)[0, 0]
    assert np.nanmean(each) == pytest.approx(wanted, abs=1e-5)


def test_the_surer_of_two_takes_the_person_and_the_other_takes_nobody() -> None:
    rng = np.random.default_rng(4)
    near, far = person(rng), person(rng, side=50)
    truth = Truth(COCO, (TruePicture(1, "a.jpg", (500, 500), (near, far)),))
    close, exact = near.points + 3, near.points
    matched = match(truth, [poses(np.stack([exact, close]), np.array([0.4, 0.8]))])
    assert matched.found.tolist() == [True, False]
    np.testing.assert_allclose(matched.points[0], close, atol=1e-3)
    assert np.isnan(matched.points[1]).all()


def test_crowds_and_people_without_keypoints_are_not_counted() -> None:
    rng = np.random.default_rng(5)
    people = (person(rng, labels=0), person(rng, crowd=True), person(rng, labels=3))
    truth = Truth(COCO, (TruePicture(1, "a.jpg", (500, 500), people),))
    assert len(match(truth, [Poses.empty(COCO)])) == 1


def test_kinds_of_mistakes() -> None:
    rng = np.random.default_rng(6)
    one, other = person(rng, side=300), person(rng, side=300)
    truth = Truth(COCO, (TruePicture(1, "a.jpg", (500, 500), (one, other)),))
    spread = np.sqrt(2 * one.area) * 2 * COCO.sigmas.astype(float)
    off = np.sqrt(-np.log(0.7)) * spread
    points = one.points.copy()
    points[0, 0] += off[0]  # jitter
    points[[5, 6]] = points[[6, 5]]  # two inversions
    points[9] = other.points[9]  # swap
    points[15] = np.nan  # miss
    points[16] = 5000  # miss
    matched = match(truth, [poses(np.stack([points, other.points]))], paired=True)
    shares = shares_of(sort_mistakes(matched))
    counts = {kind: round(share * 34) for kind, share in shares.items()}
    assert counts == {"good": 28, "jitter": 1, "inversion": 2, "swap": 1, "miss": 2}


def coco_file(path: Path, people: list[dict[str, Any]], **more: Any) -> Path:
    names = {"id": 1, "name": "person", "keypoints": list(COCO.keypoints), "skeleton": []}
    images = [
        {"id": number, "file_name": f"train/{number}.png", "width": 160, "height": 120}
        for number in (1, 2, 3)
    ]
    document = {"images": images, "annotations": people, "categories": [names], **more}
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def annotation(image: int, box: tuple[int, int, int, int], **more: Any) -> dict[str, Any]:
    """Return what the fake model says of a blob, as the truth of it."""
    (found,) = FakeModel().estimate([Frame(blob_picture([box], (160, 120)))])
    flat = np.column_stack([found.keypoints[0], np.full(17, 2)])
    x0, y0, x1, y1 = box
    sides = [x0, y0, x1 - x0, y1 - y0]
    return {
        "id": image, "image_id": image, "category_id": 1, "keypoints": flat.ravel().tolist(),
        "num_keypoints": 17, "bbox": sides, "area": 0.5 * sides[2] * sides[3], "iscrowd": 0, **more,
    }  # fmt: skip


BOX = (20, 10, 70, 110)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two of the three annotated pictures: one shows somebody, the other nobody."""
    from PIL import Image

    (tmp_path / "train").mkdir()
    Image.fromarray(blob_picture([BOX], (160, 120))).save(tmp_path / "train" / "1.png")
    Image.fromarray(blob_picture([], (160, 120))).save(tmp_path / "2.png")
    return tmp_path


def test_a_perfect_model_has_perfect_figures(folder: Path) -> None:
    people = [annotation(1, BOX, bbox_head=[40, 10, 10, 10]), annotation(3, BOX)]
    path = coco_file(folder / "truth.json", people)
    told: list[tuple[int, int | None]] = []
    result = evaluate(
        FakeModel(), folder, path, report=lambda done, total: told.append((done, total))
    )
    assert pytest.approx(1) == result.precision.AP
    assert pytest.approx(1) == result.precision.AP50
    assert (result.images, result.missing, result.people, result.matched) == (2, 1, 1, 1)
    assert result.mean_oks == pytest.approx(1)
    assert result.pck == result.pckh == 1
    assert result.mistakes["good"] == 1
    assert set(result.per_keypoint) == set(COCO.keypoints)
    assert told == [(1, 2), (2, 2)]


def test_somebody_who_is_missed_counts(folder: Path) -> None:
    path = coco_file(folder / "truth.json", [annotation(1, BOX), annotation(2, BOX)])
    result = evaluate(FakeModel(), folder, path)
    assert result.mean_oks == pytest.approx(0.5)
    assert result.mean_oks_matched == pytest.approx(1)
    assert pytest.approx(0.5) == result.precision.AR
    assert result.pck == pytest.approx(0.5)
    assert math.isnan(result.pckh)


def test_another_layout_is_converted(folder: Path) -> None:
    path = coco_file(folder / "truth.json", [annotation(1, BOX)])
    assert pytest.approx(1) == evaluate(FakeModel("blazepose33"), folder, path).precision.AP


def test_a_model_without_some_keypoints_is_measured_by_the_others(folder: Path) -> None:
    face = [*range(5)]
    only_face = annotation(2, BOX)
    flat = np.array(only_face["keypoints"]).reshape(17, 3)
    flat[5:] = 0
    only_face["keypoints"] = flat.ravel().tolist()
    path = coco_file(folder / "truth.json", [annotation(1, BOX), only_face])
    result = evaluate(FakeModel("mpii16"), folder, path)
    assert result.keypoints == 12
    assert result.left_out == COCO.keypoints[:5]
    assert list(result.per_keypoint) == list(COCO.keypoints[5:])
    # Who is labelled only where the model says nothing does not count.
    assert (result.people, result.matched) == (1, 1)
    shared = share(read_annotations(path), get_skeleton("mpii16"))
    np.testing.assert_allclose(shared.sigmas, np.delete(COCO.sigmas.astype(float), face), atol=1e-8)
    names = shared.skeleton.keypoints
    assert {(names[a], names[b]) for a, b in shared.skeleton.edges} == {
        (COCO.keypoints[a], COCO.keypoints[b]) for a, b in COCO.edges if min(a, b) > 4
    }


def test_a_model_without_any_of_the_keypoints(folder: Path) -> None:
    hand = {"id": 1, "name": "hand", "keypoints": ["palm"]}
    person = {"image_id": 1, "keypoints": [30, 30, 2], "bbox": [20, 10, 50, 100]}
    path = coco_file(folder / "truth.json", [person], categories=[hand])
    with pytest.raises(ModelError, match="has none of the 1 annotated keypoints, such as palm"):
        evaluate(FakeModel(), folder, path)


class Reader:
    """Says that everybody's keypoints are on the middle of the crop."""

    skeleton, precision, size, minimum_presence = COCO, "f32", (48, 64), 0.5

    def regions(self, detections: Detections) -> list[np.ndarray]:
        from poise.geometry import crop_affine

        return [
            crop_affine((box[:2] + box[2:]) / 2, box[2:] - box[:2], self.size)
            for box in detections.boxes
        ]

    def cut(self, image: np.ndarray, region: np.ndarray) -> np.ndarray:
        return np.zeros((64, 48, 3), np.uint8)

    def read(self, crops: np.ndarray) -> CropPoses:
        points = np.tile(np.float32([24, 32]), (len(crops), 17, 1))
        return CropPoses(points, points[..., 0] / 100, np.full(len(crops), 0.1, np.float32))


class Blind:
    """A detector that must not be asked."""

    precision = "f32"

    def detect(self, images: Any) -> Any:
        raise AssertionError("the detector was asked")


def test_true_boxes_go_to_the_crop_model(folder: Path) -> None:
    people = [annotation(1, (100, 20, 140, 100)), annotation(1, BOX), annotation(1, BOX, iscrowd=1)]
    truth = read_annotations(coco_file(folder / "truth.json", people))
    model = TopDown(Blind(), Reader(), name="blind+middle")
    estimates = walk(model, truth, find_pictures(truth, folder), boxes="gt")
    assert estimates.missing == ("train/3.png",)
    # Below the least presence, and in the order of the people; the crowd is not read.
    np.testing.assert_allclose(estimates.found[0].keypoints[:, 0], [[120, 60], [45, 60]], atol=1e-3)
    assert len(estimates.found[1]) == 0


def test_boxes_of_a_file(folder: Path) -> None:
    truth = read_annotations(coco_file(folder / "truth.json", [annotation(1, BOX)]))
    entries = [
        {"image_id": 1, "category_id": 1, "bbox": [100, 20, 40, 80], "score": 0.5},
        {"image_id": 1, "category_id": 2, "bbox": [0, 0, 9, 9], "score": 0.9},
        {"image_id": 9, "category_id": 1, "bbox": [0, 0, 9, 9], "score": 0.9},
    ]
    path = folder / "boxes.json"
    path.write_text(json.dumps(entries), encoding="utf-8")
    model = TopDown(Blind(), Reader(), name="blind+middle")
    boxes = read_boxes(path)
    found = walk(model, truth, find_pictures(truth, folder), boxes=boxes).found
    np.testing.assert_allclose(found[0].keypoints[:, 0], [[120, 60]], atol=1e-3)
    np.testing.assert_allclose(found[0].person_scores, [0.05], atol=1e-6)


def test_boxes_for_a_model_that_takes_none(folder: Path) -> None:
    path = coco_file(folder / "truth.json", [annotation(1, BOX)])
    with pytest.raises(UsageError, match="fake finds people by itself and takes no boxes"):
        evaluate(FakeModel(), folder, path, boxes="gt")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "holds something else; give COCO keypoint annotations"),
        ("{", "not valid JSON"),
        ('{"images": [], "annotations": []}', "nobody in it has keypoints"),
        ('{"images": [{"id": 1}], "annotations": []}', "no 'file_name'"),
        (
            '{"images": [{"id": 1, "file_name": "a"}], "annotations": '
            '[{"image_id": 1, "bbox": [1, 2, 3, 4]}]}',
            "nobody in it has keypoints",
        ),
        (
            '{"images": [{"id": 1, "file_name": "a"}], "annotations": '
            '[{"image_id": 1, "keypoints": [1, 2, 2]}]}',
            "not a readable COCO annotations file",
        ),
        (
            '{"images": [{"id": 1, "file_name": "a"}], "annotations": '
            '[{"id": 8, "image_id": 1, "keypoints": [' + ", ".join(["NaN"] * 51) + "]}]}",
            "annotation 8 holds a number that cannot be",
        ),
    ],
)
def test_annotations_of_another_kind(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "truth.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=said) as caught:
        read_annotations(path)
    assert "\n" not in str(caught.value)


def test_boxes_of_another_kind(tmp_path: Path) -> None:
    path = tmp_path / "boxes.json"
    for text, said in (("{}", "holds no boxes"), ("[]", "no boxes of people"), ("[1]", "readable")):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(InputError, match=said):
            read_boxes(path)


def test_no_pictures(tmp_path: Path) -> None:
    truth = read_annotations(coco_file(tmp_path / "truth.json", [annotation(1, BOX)]))
    with pytest.raises(NoInputError, match=r"has none of the 3 annotated pictures, such as train/"):
        find_pictures(truth, tmp_path)
    with pytest.raises(InputError, match="no such folder"):
        find_pictures(truth, tmp_path / "nowhere")


def test_names_do_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(b"x")
    inner = tmp_path / "inner"
    inner.mkdir()
    for name in ("../secret.png", str(tmp_path / "secret.png")):
        with pytest.raises(NoInputError):
            find_pictures(Truth(COCO, (TruePicture(1, name),)), inner)


def test_a_picture_of_another_size(folder: Path) -> None:
    images = [{"id": 1, "file_name": "2.png", "width": 320, "height": 240}]
    path = coco_file(folder / "truth.json", [annotation(1, BOX)], images=images)
    with pytest.raises(InputError, match="is 160x120, annotated as 320x240"):
        evaluate(FakeModel(), folder, path)


def test_without_the_extra(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faster_coco_eval", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'poise\[eval\]'"):
        evaluate(FakeModel(), folder, folder / "truth.json")


def test_no_area_is_a_share_of_the_box(tmp_path: Path) -> None:
    entry = annotation(1, BOX)
    del entry["area"]
    truth = read_annotations(coco_file(tmp_path / "truth.json", [entry]))
    assert truth.pictures[0].people[0].area == pytest.approx(0.53 * 50 * 100)
