"""`poise teach` as a stranger types it: what is printed, what is written, what is refused."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from poise.classification.learning import load_classifier
from poise.cli.app import run
from poise.io import write_clip
from poise.synthetic import Dancer, Stage, squats, still, waves
from poise.testing import blob_picture

QUIET = ("-m", "fake", "--no-progress")


def _fails(capsys: pytest.CaptureFixture[str], code: int, *arguments: object) -> str:
    """Run a teaching that must fail: one line on stderr, the code, nothing on stdout."""
    assert run(["teach", *map(str, arguments), *QUIET]) == code
    said = capsys.readouterr()
    assert said.err.startswith("poise: error: ") and said.err.count("\n") == 1, said.err
    assert said.out == ""
    return said.err


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """Keypoint files of two actions, in the folders of their classes."""
    root = tmp_path / "clips"
    for name, play in (("squat", squats(2, seconds=1.5)), ("wave", waves(4, seconds=0.7))):
        (root / name).mkdir(parents=True)
        for number, facing in enumerate((-30, 0, 30)):
            stage = Stage([Dancer(play, facing=facing)], size=(320, 240), fps=10, duration=2.6)
            write_clip(stage.clip(), root / name / f"{number}.jsonl")
    return root


def _picture(path: Path, box: tuple[int, int, int, int] | None) -> None:
    image = blob_picture([box], (64, 48)) if box else np.zeros((48, 64, 3), np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path)


def test_clips_become_a_classifier_and_a_report(clips, tmp_path, capsys) -> None:
    out, report = tmp_path / "my.pose", tmp_path / "report"
    line = ["teach", str(clips), "-o", str(out), "--report", str(report), "--window", "0.8"]
    assert run([*line, *QUIET]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    lines = said.out.splitlines()
    assert "2 classes from 6 recordings" in lines[0] and "held-out" in lines[1]
    assert lines[2].split() == ["class", "examples", "precision", "recall", "F1"]
    assert [row.split()[0] for row in lines[3:]] == ["squat", "wave"]
    classifier = load_classifier(out)
    assert classifier.window == 0.8 and classifier.classes == ("squat", "wave")
    figures = json.loads((report / "report.json").read_text())
    assert sum(map(sum, figures["confusion"])) == sum(c["count"] for c in figures["classes"])
    page = (report / "report.html").read_text()
    assert "What was taken for what" in page and "http" not in page.replace("http-equiv", "")
    assert run([*line, *QUIET]) == 7
    assert "exists already" in capsys.readouterr().err
    assert run([*line, "--overwrite", *QUIET]) == 0


def test_pictures_in_folders(tmp_path, capsys) -> None:
    for number in range(8):
        _picture(tmp_path / "p" / "tall" / f"{number}.png", (10 + number, 4, 22 + number, 44))
        _picture(tmp_path / "p" / "wide" / f"{number}.png", (4 + number, 20, 50, 36 + number // 4))
    _picture(tmp_path / "p" / "wide" / "nobody.png", None)
    report = tmp_path / "r"
    out = tmp_path / "m.pose"
    assert run(["teach", str(tmp_path / "p"), "-o", str(out), "--report", str(report), *QUIET]) == 0
    said = capsys.readouterr()
    assert "16 examples of 2 classes from 16 recordings" in said.out
    assert "1 of 17 files left out" in said.err and "no person was found" in said.err


def test_pictures_without_people(tmp_path, capsys) -> None:
    for number in range(5):
        _picture(tmp_path / "p" / "a" / f"{number}.png", (10, 4, 22, 44))
        _picture(tmp_path / "p" / "b" / f"{number}.png", None)
    said = _fails(capsys, 6, tmp_path / "p", "-o", tmp_path / "m.pose")
    assert "b: no person was found in any of its 5 files" in said
    assert not (tmp_path / "m.pose").exists()


def test_folders_that_are_not_right(clips, tmp_path, capsys) -> None:
    out = tmp_path / "m.pose"
    (tmp_path / "empty").mkdir()
    assert "is an empty folder; make one folder a class" in _fails(
        capsys, 4, tmp_path / "empty", "-o", out
    )
    assert "holds no folders" in _fails(capsys, 6, clips / "squat", "-o", out)
    (clips / "none").mkdir()
    assert "none: holds no picture" in _fails(capsys, 4, clips, "-o", out)
    (clips / "none").rmdir()
    (clips / "wave").rename(tmp_path / "wave")
    assert "one class only, 'squat'" in _fails(capsys, 6, clips, "-o", out)
    assert "no such file or folder" in _fails(capsys, 6, tmp_path / "nothing", "-o", out)
    one = clips / "squat" / "0.jsonl"
    assert "table" in _fails(capsys, 2, one, "--from", "tabel", "-o", out)
    assert "--window" in _fails(capsys, 2, clips, "--window", "0", "-o", out)
    assert "--aspect: 'wide' is no ratio" in _fails(capsys, 2, clips, "--aspect", "wide", "-o", out)


def test_a_class_of_two_pictures(tmp_path, capsys) -> None:
    for number in range(6):
        _picture(tmp_path / "p" / "a" / f"{number}.png", (10, 4, 22, 44))
    for number in range(2):
        _picture(tmp_path / "p" / "b" / f"{number}.png", (4, 20, 50, 36))
    said = _fails(capsys, 6, tmp_path / "p", "-o", tmp_path / "m.pose")
    assert "class 'b' has 2 examples" in said and "at least 5" in said


def test_stills_have_no_motion(tmp_path, capsys) -> None:
    _picture(tmp_path / "p" / "a" / "1.png", (10, 4, 22, 44))
    said = _fails(capsys, 6, tmp_path / "p", "--window", "1", "-o", tmp_path / "m.pose")
    assert "single pose" in said and "leave --window out" in said


def test_a_missing_extra_names_the_line(clips, tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    said = _fails(capsys, 1, clips, "-o", tmp_path / "m.pose")
    assert "scikit-learn; pip install 'poise[teach]'" in said


def _coco(path: Path, *, categories: bool) -> None:
    people, images = [], []
    for number in range(12):
        name = ("stand", "squat")[number % 2]
        stage = Stage([Dancer(still(name, 1.0), facing=5 * number)], size=(320, 240))
        poses = stage.clip().frames[0]
        flat = np.concatenate([poses.keypoints[0], np.full((17, 1), 2.0)], axis=1)
        entry = {"id": number, "image_id": number, "keypoints": flat.ravel().tolist(),
                 "category_id": 1 + number % 2 if categories else 1}  # fmt: skip
        people.append(entry if categories else entry | {"attributes": {"pose": name}})
        images.append({"id": number, "file_name": f"{number}.jpg"})
    kinds = [{"id": 1, "name": "stand"}, {"id": 2, "name": "squat"}] if categories else []
    path.write_text(json.dumps({"images": images, "annotations": people, "categories": kinds}))


def test_coco_categories_and_attributes(tmp_path, capsys) -> None:
    out, source = tmp_path / "m.pose", tmp_path / "c.json"
    _coco(source, categories=True)
    assert run(["teach", str(source), "-o", str(out), *QUIET]) == 0
    assert load_classifier(out).classes == ("squat", "stand")
    _coco(source, categories=False)
    line = [str(source), "--label-column", "pose", "-o", str(out), "--overwrite"]
    assert run(["teach", *line, *QUIET]) == 0
    assert load_classifier(out).classes == ("squat", "stand")
    capsys.readouterr()
    said = _fails(capsys, 6, source, "-o", out, "--overwrite")
    assert "no person has a class" in said and "--label-column" in said
