"""``poise reps``: what it prints, what it writes, and what it refuses."""

from __future__ import annotations

import csv
import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from poise.cli.app import run
from poise.clip import Clip
from poise.io import read_clip, write_clip
from poise.synthetic import Dancer, Stage, squats, still


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two people: one squats three times, the other stands farther off."""
    people = [Dancer(squats(3), facing=90), Dancer(still("stand", 7), position=(1.4, 1.0))]
    path = tmp_path_factory.mktemp("reps") / "squats.jsonl"
    write_clip(Stage(people, duration=7.4, fps=12).clip("coco17"), path)
    return path


def test_lines(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["reps", str(source), "--exercise", "squat"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("3 squats, 0:00.")
    assert "degrees (knee); symmetry 9" in lines[0]
    assert len(lines) == 4
    assert lines[1].startswith("   1  0:00.")
    assert "down 0." in lines[1]
    assert " degrees" in lines[1]


def test_any_is_the_default(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["reps", str(source)]) == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith("3 repetitions, ")
    assert "; sure to " in first


def test_json_has_everybody(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["reps", str(source), "--exercise", "squat", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [(one["person"], one["count"]) for one in document["people"]] == [(1, 3), (2, 0)]
    assert document["people"][0]["repetitions"][0]["faults"] == []
    assert document["people"][1]["tempo"] is None


def test_person_and_table(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "reps.csv"
    line = ["reps", str(source), "--exercise", "squat", "-o", str(out)]
    assert run(line) == 0
    rows = list(csv.DictReader(out.read_text(encoding="utf-8").splitlines()))
    assert [row["number"] for row in rows] == ["1", "2", "3"]
    assert all(float(row["start"]) < float(row["middle"]) < float(row["end"]) for row in rows)
    capsys.readouterr()
    assert run(line) == 7
    assert "exists" in capsys.readouterr().err
    assert run([*line, "--overwrite", "--person", "2"]) == 0
    assert capsys.readouterr().out == "no squats\n"
    assert len(out.read_text(encoding="utf-8").splitlines()) == 1


def _error(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = run(["reps", *arguments])
    said = capsys.readouterr()
    assert said.out == ""
    return code, said.err


def test_refusals(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip = str(source)
    code, text = _error([clip, "--exercise", "pushup"], capsys)
    assert (code, text) == (
        2, "poise: error: no exercise named 'pushup'; did you mean 'push-up'?\n",
    )  # fmt: skip
    code, text = _error([clip, "--exercise", "squat", "--person", "9"], capsys)
    assert code == 2
    assert "no person with id 9; its ids are 1, 2" in text
    code, text = _error([clip, "-o", str(tmp_path / "reps.mp4")], capsys)
    assert code == 2
    assert "no table ends in '.mp4'; name a .csv file" in text


def _changed(source: Path, out: Path, **fields) -> str:
    clip = read_clip(source)
    frames = tuple(
        poses.replace(**{k: v(poses) for k, v in fields.items()}) for poses in clip.frames
    )
    write_clip(Clip(frames, clip.header), out)
    return str(out)


def test_nothing_to_see(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def legless(poses):
        points = poses.keypoints.copy()
        points[:, 15:] = np.nan
        return points

    path = _changed(source, tmp_path / "legless.jsonl", keypoints=legless)
    code, text = _error([path, "--exercise", "squat"], capsys)
    assert code == 6
    assert "person 1: never seen: left ankle, right ankle; counting squats needs them" in text
    clip = read_clip(source)
    empty = tuple(poses.select([]) for poses in clip.frames)
    write_clip(dataclasses.replace(clip, frames=empty), tmp_path / "nobody.jsonl")
    code, text = _error([str(tmp_path / "nobody.jsonl")], capsys)
    assert code == 6
    assert "no person was found" in text
    write_clip(dataclasses.replace(clip, frames=clip.frames[:1]), tmp_path / "one.jsonl")
    code, text = _error([str(tmp_path / "one.jsonl")], capsys)
    assert code == 2
    assert "a picture has no repetitions; name a video" in text


@pytest.mark.weights
def test_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str], default_weights) -> None:
    stage = Stage(Dancer(still("stand", 1)))
    Image.fromarray(stage.frame(0).image).save(tmp_path / "one.png")
    line = [str(tmp_path / "one.png"), "-m", "blazepose", "--no-progress"]
    code, text = _error(line, capsys)
    assert code == 2
    assert text.endswith("one.png: a picture has no repetitions; name a video\n")
