"""Calibration of scores, files of predictions, samples, and the report of an evaluation."""

from __future__ import annotations

import contextlib
import io
import json
import re
from dataclasses import astuple
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from poise.cli.app import run
from poise.clip import Clip, Header
from poise.errors import InputError, OutputError
from poise.evaluation import (
    find_pictures,
    match,
    measure,
    measure_precision,
    read_annotations,
    read_predictions,
    sample,
)
from poise.evaluation.calibration import measure_reliability, person_reliability
from poise.evaluation.engine import result_entries
from poise.evaluation.mistakes import sort_mistakes
from poise.evaluation.report import look_in_folder, write_report
from poise.evaluation.report.gallery import choose_worst
from poise.evaluation.result import to_json
from poise.evaluation.truth import TruePerson, TruePicture, Truth
from poise.evaluation.walk import Estimates
from poise.io import write_clip
from poise.poses import Poses
from poise.skeleton import get_skeleton

COCO = get_skeleton("coco17")


def test_reliability_is_the_sum_by_hand() -> None:
    scores = np.array([0.05, 0.15, 0.17, 0.95, 1.0, 0.3])
    right = np.array([True, False, True, True, False, True])
    found = measure_reliability(scores, right)
    # 0.3 begins the fourth bin; 1 belongs to the last.
    assert [one.count for one in found.bins] == [1, 2, 0, 1, 0, 0, 0, 0, 0, 2]
    gaps = [1 * 0.95, 2 * abs(0.5 - 0.16), 1 * 0.7, 2 * abs(0.5 - 0.975)]
    assert found.error == pytest.approx(sum(gaps) / 6)
    assert found.right == pytest.approx(4 / 6)
    assert np.isnan(found.bins[2].right)


def test_scores_that_mean_what_they_say_have_no_error() -> None:
    rng = np.random.default_rng(0)
    scores = rng.random(200_000)
    honest = measure_reliability(scores, rng.random(200_000) < scores)
    assert honest.error < 0.01
    boastful = measure_reliability(scores, rng.random(200_000) < scores / 2)
    assert boastful.error == pytest.approx(0.25, abs=0.01)
    assert np.isnan(measure_reliability(np.zeros(0), np.zeros(0, bool)).error)


def someone(x: float, *, side: float = 100, crowd: bool = False, labels: int = 17) -> TruePerson:
    rng = np.random.default_rng(int(x))
    points = np.array([x, 50]) + rng.uniform(0, side, (17, 2))
    keypoints = np.column_stack([points, 2.0 * (np.arange(17) < labels)])
    return TruePerson(keypoints, np.array([x, 50, side, side]), 0.6 * side**2, crowd)


def poses(points: np.ndarray, scores: list[float]) -> Poses:
    count = (len(points), 17)
    return Poses(
        COCO, points.astype(np.float32), np.full(count, 0.9, np.float32),
        person_scores=np.array(scores, np.float32),
    )  # fmt: skip


def test_who_stands_in_a_crowd_is_neither_right_nor_wrong() -> None:
    one, crowd, nobody = someone(0), someone(200, crowd=True), someone(400)
    truth = Truth(COCO, (TruePicture(1, "a.jpg", (600, 300), (one, crowd)),))
    points = np.stack([one.keypoints[:, :2], crowd.keypoints[:, :2], nobody.keypoints[:, :2]])
    found = [poses(points, [0.9, 0.8, 0.7])]
    reliability = person_reliability(truth, found, match(truth, found))
    assert reliability.count == 2
    assert reliability.right == 0.5


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pictures, each of two people, as COCO annotates them."""
    rng = np.random.default_rng(5)
    images, people = [], []
    for number in (1, 2, 3):
        picture = rng.integers(0, 255, (300, 600, 3), dtype=np.uint8)
        Image.fromarray(picture).save(tmp_path / f"{number}.png")
        images.append({"id": number, "file_name": f"{number}.png", "width": 600, "height": 300})
        for x in (10.0 * number, 10.0 * number + 250):
            one = someone(x)
            people.append(
                {"id": len(people) + 1, "image_id": number, "category_id": 1, "iscrowd": 0,
                 "keypoints": one.keypoints.ravel().tolist(), "num_keypoints": 17,
                 "bbox": one.box.tolist(), "area": one.area}
            )  # fmt: skip
    category = {"id": 1, "name": "person", "keypoints": list(COCO.keypoints)}
    document = {"images": images, "annotations": people, "categories": [category]}
    (tmp_path / "truth.json").write_text(json.dumps(document), encoding="utf-8")
    return tmp_path


def estimates_of(folder: Path) -> Estimates:
    """Find the first person of each picture nearly, the second not at all in the second."""
    rng = np.random.default_rng(6)
    truth = read_annotations(folder / "truth.json")
    found = []
    for picture in truth.pictures:
        people = picture.people[: 1 if picture.id == 2 else 2]
        points = np.stack([one.keypoints[:, :2] for one in people])
        found.append(
            poses(points + rng.normal(0, 4, points.shape), rng.random(len(points)).tolist())
        )
    return Estimates(truth, found, (), 1.0)


def test_coco_results_are_evaluated_as_pycocotools_does(folder: Path) -> None:
    coco, cocoeval = (
        pytest.importorskip("pycocotools.coco"),
        pytest.importorskip("pycocotools.cocoeval"),
    )
    estimates = estimates_of(folder)
    entries = result_entries(estimates.truth, estimates.found)
    entries[0]["keypoints"][2::3] = [0.0] * 17  # a keypoint counts whatever its score is
    path = folder / "results.json"
    path.write_text(json.dumps(entries), encoding="utf-8")
    read = read_predictions(path, estimates.truth)
    got = astuple(measure_precision(read.truth, read.found))
    with contextlib.redirect_stdout(io.StringIO()):
        truth = coco.COCO(str(folder / "truth.json"))
        referee = cocoeval.COCOeval(truth, truth.loadRes(str(path)), "keypoints")
        referee.evaluate()
        referee.accumulate()
        referee.summarize()
    wanted = [float(n) if n > -1 else np.nan for n in referee.stats]
    np.testing.assert_allclose(got, wanted, atol=1e-6)


@pytest.mark.parametrize("named", [True, False])
def test_poises_own_files_are_predictions(folder: Path, named: bool) -> None:
    estimates = estimates_of(folder)
    frames = tuple(
        one.replace(index=picture.id, time=float(picture.id))
        for one, picture in zip(estimates.found, estimates.truth.pictures, strict=True)
    )
    names = ("1.png", "2.png", "3.png") if named else None
    path = folder / "found.jsonl"
    write_clip(Clip(frames, Header(COCO), names), path)
    read = read_predictions(path, estimates.truth)
    assert [len(one) for one in read.found] == [2, 1, 2]
    ours = measure(read, model="x", boxes="predictions")
    wanted = measure(estimates, model="x", boxes="detector")
    assert ours.mean_oks == pytest.approx(wanted.mean_oks, abs=1e-3)
    assert pytest.approx(wanted.precision.AP, abs=1e-3) == ours.precision.AP
    assert to_json(ours)["seconds"] is None


def test_predictions_of_other_pictures(folder: Path) -> None:
    truth = read_annotations(folder / "truth.json")
    entry = {"image_id": 77, "category_id": 1, "keypoints": [1.0] * 51, "score": 0.5}
    path = folder / "results.json"
    path.write_text(json.dumps([entry]), encoding="utf-8")
    with pytest.raises(InputError, match="says nothing of any of the 3 annotated pictures"):
        read_predictions(path, truth)


def test_a_sample_is_always_the_same_and_of_pictures_that_are_there(folder: Path) -> None:
    truth = read_annotations(folder / "truth.json")
    (folder / "2.png").unlink()
    paths = find_pictures(truth, folder)
    few, places = sample(truth, paths, 1)
    again, _ = sample(truth, paths, 1)
    assert [p.id for p in few.pictures] == [p.id for p in again.pictures]
    assert sum(path is not None for path in places) == 1
    assert places.count(None) == 1
    everything, _ = sample(truth, paths, 9)
    assert len(everything.pictures) == 3


class Page(HTMLParser):
    """Counts elements, and notes what would be loaded."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.count: dict[str, int] = {}
        self.loaded: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.count[tag] = self.count.get(tag, 0) + 1
        self.loaded += [str(value) for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_stands_alone(folder: Path) -> None:
    estimates = estimates_of(folder)
    matched = match(estimates.truth, estimates.found)
    result = measure(estimates, model="<made & up>", boxes="detector", matched=matched)
    paths = find_pictures(estimates.truth, folder)
    write_report(folder / "out", result, estimates, matched, look=look_in_folder(paths))
    text = (folder / "out" / "report.html").read_text(encoding="utf-8")
    page = Page(text)
    assert not page.open
    assert page.count["figure"] == 3
    assert all(address.startswith("data:image/jpeg;base64,") for address in page.loaded)
    assert "default-src 'none'" in text
    assert "<script" not in text and "http" not in re.sub("http-equiv", "", text)
    assert "&lt;made &amp; up&gt;" in text
    assert "nobody was found here" in text
    figures = json.loads((folder / "out" / "report.json").read_text(encoding="utf-8"))
    assert figures == to_json(result)
    with pytest.raises(OutputError, match="exists"):
        write_report(folder / "out", result, estimates, matched)


def test_the_worst_come_first_and_only_one_of_a_picture(folder: Path) -> None:
    estimates = estimates_of(folder)
    matched = match(estimates.truth, estimates.found)
    rows = choose_worst(matched, estimates.truth)
    assert len(rows) == 3
    assert matched.rows[rows[0]] == -1  # the one who was missed
    kinds = sort_mistakes(matched)
    assert (kinds[rows[0]] == -1).all()
    assert choose_worst(matched, estimates.truth, 1) == rows[:1]


def test_the_command_writes_a_report_of_predictions(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    estimates = estimates_of(folder)
    path = folder / "results.json"
    path.write_text(json.dumps(result_entries(estimates.truth, estimates.found)), encoding="utf-8")
    line = ["evaluate", "--annotations", str(folder / "truth.json"), "--predictions", str(path)]
    out = folder / "report"
    assert run([*line, "--images", str(folder), "--report", str(out), "--json"]) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert document["boxes"] == "predictions"
    assert document["keypoint_scores"]["count"] == 5 * 17
    assert document["sizes"]["medium"]["people"] == 6
    assert "data:image/jpeg" in (out / "report.html").read_text(encoding="utf-8")
    assert run([*line, "--report", str(out)]) != 0
    assert "report.html" in capsys.readouterr().err
    assert run([*line, "--report", str(out), "--overwrite"]) == 0
    assert "Not shown" in (out / "report.html").read_text(encoding="utf-8")
    capsys.readouterr()
    assert run([*line, "--boxes", "gt"]) == 2
    assert "--boxes: goes with a model, not with --predictions" in capsys.readouterr().err
