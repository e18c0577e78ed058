"""``poise evaluate``: what it prints and what it refuses."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from poise.cli.app import run
from poise.poses import Frame
from poise.skeleton import get_skeleton
from poise.testing import FakeModel, blob_picture

COCO = get_skeleton("coco17")
BOX = (20, 10, 70, 110)


@pytest.fixture
def line(tmp_path: Path) -> list[str]:
    """One picture with one person, and one that the folder lacks."""
    picture = blob_picture([BOX], (160, 120))
    Image.fromarray(picture).save(tmp_path / "1.png")
    (found,) = FakeModel().estimate([Frame(picture)])
    flat = np.column_stack([found.keypoints[0], np.full(17, 2)]).ravel().tolist()
    document: dict[str, Any] = {
        "images": [{"id": number, "file_name": f"{number}.png"} for number in (1, 2)],
        "annotations": [
            {"image_id": 1, "keypoints": flat, "bbox": [20, 10, 50, 100], "area": 2500.0}
        ],
        "categories": [{"id": 1, "keypoints": list(COCO.keypoints)}],
    }
    truth = tmp_path / "truth.json"
    truth.write_text(json.dumps(document), encoding="utf-8")
    return ["evaluate", "-m", "fake", "--images", str(tmp_path), "--annotations", str(truth)]


def test_json(line: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*line, "--json"]) == 0
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert document["AP"] == document["AP50"] == document["AP75"] == document["AR"] == 1
    assert document["AP_large"] is None
    assert document["mean_oks"] == pytest.approx(1, abs=1e-6)
    assert list(document["per_keypoint"]) == list(COCO.keypoints)
    assert (document["images"], document["missing"], document["people"]) == (1, 1, 1)
    assert document["seconds"] > 0
    assert "note: 1 of 2 annotated pictures are not in" in err


def test_table(line: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*line, "--no-progress"]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0] == "fake, boxes: detector; annotations: coco"
    assert lines[1].startswith("pictures 1, missing 1; people with keypoints 1, found 1; ")
    assert lines[4].split() == ["AP", "1.000", "1.000", "1.000", "1.000", "-"]
    assert lines[-1].split() == ["right_ankle", "1.000", "1.000"]
    assert len(err.splitlines()) == 1


def test_a_picture_that_cannot_be_read_is_named_and_the_others_go_on(
    line: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "2.png").write_bytes((tmp_path / "1.png").read_bytes()[:40])
    assert run([*line, "--json", "--no-progress"]) == 3
    out, err = capsys.readouterr()
    assert json.loads(out)["images"] == 1
    first, last = err.splitlines()
    assert first.startswith("poise: error: ") and "2.png: " in first
    assert last == "poise: error: 1 of 2 pictures were left out"
    (tmp_path / "1.png").write_bytes(b"x")
    assert run([*line, "--no-progress"]) == 6


@pytest.mark.parametrize(
    "row", [[float("nan")] * 4, [0, 0, 1e300, 1e300], [5, 5, 0, 9]], ids=["nan", "huge", "flat"]
)
def test_boxes_that_cannot_be(
    line: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], row: list[float]
) -> None:
    boxes = tmp_path / "boxes.json"
    boxes.write_text(json.dumps([{"image_id": 1, "category_id": 1, "bbox": row, "score": 0.5}]))
    assert run([*line, "--boxes", str(boxes), "--no-progress"]) == 6
    err = capsys.readouterr().err
    assert "a box of picture 1 holds a number that cannot be" in err or "boxes.json" in err
    assert err.splitlines()[-1].startswith("poise: error: ")


@pytest.mark.parametrize(
    ("flags", "code", "said"),
    [
        (["--images", "nowhere"], 6, "nowhere: no such folder"),
        (["--annotations", "nowhere.json"], 6, "nowhere.json: cannot be read"),
        (["--boxes", "gt"], 2, "fake finds people by itself and takes no boxes"),
        (["--boxes", "nowhere.json"], 6, "nowhere.json: cannot be read"),
        (["-m", "rtmpos-m"], 5, "no model named 'rtmpos-m'"),
    ],
)
def test_refusals(
    line: list[str], capsys: pytest.CaptureFixture[str], flags: list[str], code: int, said: str
) -> None:
    assert run([*line, "--no-progress", *flags]) == code
    errors = [text for text in capsys.readouterr().err.splitlines() if "error:" in text]
    assert len(errors) == 1
    assert said in errors[0]


def test_no_pictures(line: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    assert run([*line, "--images", str(tmp_path / "empty")]) == 4
    assert "has none of the 2 annotated pictures, such as 1.png" in capsys.readouterr().err


def test_without_the_extra(
    line: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "faster_coco_eval", None)
    assert run(line) == 1
    assert "pip install 'poise[eval]'" in capsys.readouterr().err


@pytest.mark.data
@pytest.mark.weights
def test_tinypose_on_photographs(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POISE_MODELS", str(data_dir / "weights"))
    mini = data_dir / "labelled" / "coco_mini"
    truth = mini / "annotations" / "person_keypoints_train2017.json"
    line = ["evaluate", "-m", "rtmdet-nano+tinypose-256", "--images", str(mini / "train2017")]
    line += ["--annotations", str(truth), "--json", "--no-progress", "--boxes", "gt"]
    assert run(line) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["images"], document["missing"], document["people"]) == (36, 44, 86)
    assert document["mean_oks"] > 0.69
    assert document["AP"] > 0.52
    assert np.mean(list(document["per_keypoint"].values())) > 0.78
