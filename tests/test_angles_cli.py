"""`poise angles` as a stranger types it."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from media import write_video
from poise.classification.kinematics import COLUMNS, find_kinematics
from poise.cli import angles as command
from poise.cli.app import app, run
from poise.io import read_clip, write_clip
from poise.synthetic import Dancer, Stage, dance, squats
from poise.testing import FakeModel, blob_picture


@pytest.fixture
def source(tmp_path: Path) -> str:
    pair = [Dancer(dance(), position=(-0.8, 0), id=3), Dancer(squats(2), position=(0.8, 0), id=5)]
    path = tmp_path / "pair.jsonl"
    write_clip(Stage(pair, size=(320, 240), fps=15, duration=2).clip("blazepose33"), path)
    return str(path)


def _run(capsys: pytest.CaptureFixture[str], *words: object, code: int = 0) -> tuple[str, str]:
    assert run(["angles", *map(str, words), "--no-progress"]) == code
    said = capsys.readouterr()
    if code:
        assert said.err.count("\n") == 1 and said.out == ""
    return said.out, said.err


def test_table(source: str, capsys: pytest.CaptureFixture[str]) -> None:
    rows = list(csv.DictReader(io.StringIO(_run(capsys, source)[0])))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 60 and [row["person"] for row in rows[:4]] == ["3", "5", "3", "5"]
    true = find_kinematics(read_clip(source).track(5))
    knee = [float(row["angle.left_knee"]) for row in rows if row["person"] == "5"]
    assert knee == pytest.approx(true.angles[:, COLUMNS.index("angle.left_knee") - 3], abs=1e-3)
    assert "-0.0" not in {value for row in rows for value in row.values()}
    one = list(csv.DictReader(io.StringIO(_run(capsys, source, "--person", 5)[0])))
    assert len(one) == 30 and {row["person"] for row in one} == {"5"}


def test_files_hold_the_same(
    source: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    names = [tmp_path / f"a{suffix}" for suffix in command.SUFFIXES]
    for name in names:
        out, _ = _run(capsys, source, "-o", name)
        assert out == ""
    assert names[0].read_text(encoding="utf-8") == _run(capsys, source)[0]
    document = json.loads(names[1].read_text(encoding="utf-8"))
    assert document == json.loads(_run(capsys, source, "--json")[0])
    table = parquet.read_table(names[2])
    assert table.column_names == list(COLUMNS) == document["columns"]
    assert [list(row.values()) for row in table.to_pylist()] == document["rows"]
    assert [body["person"] for body in document["bodies"]] == [3, 5]
    assert {"name", "value", "spread", "frames", "doubtful"} == set(
        document["bodies"][0]["ratios"][0]
    )


def test_summary(source: str, capsys: pytest.CaptureFixture[str]) -> None:
    lines = _run(capsys, source, "--summary")[0].splitlines()
    assert lines[0] == "person 3: lengths by the height"
    shin = next(line for line in lines if "left shin" in line)
    assert float(shin.split()[2]) == pytest.approx(0.246, abs=0.012)
    assert any("shoulders by hips" in line for line in lines)


def test_depth(source: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    deep = json.loads(_run(capsys, source, "--json", "--3d")[0])
    flat = json.loads(_run(capsys, source, "--json")[0])
    column = COLUMNS.index("angle.left_knee")
    assert deep["rows"][20][column] != flat["rows"][20][column]
    shallow = tmp_path / "flat.csv"
    clip = read_clip(source)
    frames = tuple(poses.replace(xyz=None) for poses in clip.frames)
    write_clip(replace(clip, frames=frames), shallow)
    said = _run(capsys, shallow, "--3d", code=6)[1]
    assert "person 3 has no 3D keypoints; estimate with a model that gives them" in said


def test_video_with_wide_pixels(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("poise.cli.loading.load_model", lambda *_, **__: FakeModel())
    path = tmp_path / "walk.mp4"
    frames = [blob_picture([(x, 8, x + 20, 44)], (64, 48)) for x in range(2, 22, 2)]
    write_video(path, frames, fps=10)
    square = json.loads(_run(capsys, path, "--json")[0])
    assert len(square["rows"]) == 10
    monkeypatch.setattr(command, "pixel_aspect", lambda _: 2.0)
    out, err = _run(capsys, path, "--json")
    assert "its pixels are 2 times as wide as high" in err
    column = COLUMNS.index("elevation.left_upper_arm")
    wide, tall = (abs(one["rows"][4][column]) for one in (json.loads(out), square))
    ratio = np.tan(np.radians(tall)) / np.tan(np.radians(wide))
    assert ratio == pytest.approx(2, rel=1e-2)


def test_refusals(source: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "there.csv").write_text("x")
    for words, code, wanted in (
        ([source, "-o", "a.xlsx"], 2, "no table ends in '.xlsx'; choose one of .csv"),
        ([source, "-o", tmp_path / "there.csv"], 7, "exists already"),
        ([source, "--json", "--summary"], 2, "--json and --summary exclude each other"),
        ([source, "--person", "4"], 2, "no person with id 4; its ids are 3, 5"),
        ([tmp_path / "no.mp4"], 6, "no such file"),
        (["0"], 2, "is a camera or a stream"),
    ):
        assert wanted in _run(capsys, *words, code=code)[1]


def test_help_names_every_flag() -> None:
    from typer.main import get_command

    flags = {flag for one in get_command(app).commands["angles"].params for flag in one.opts}
    assert {"--3d", "--summary", "--json", "--output", "--person"} <= flags
