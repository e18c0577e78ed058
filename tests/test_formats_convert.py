"""``poise convert``, as a user calls it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from poise.cli.convert import convert
from poise.clip import Clip, Header
from poise.errors import InputError, OutputError, UsageError
from poise.io import detect_format, read_clip, write_clip
from poise.poses import Poses
from poise.skeleton import get_skeleton

APP = typer.Typer()
APP.command()(convert)


@pytest.fixture
def dance(tmp_path: Path) -> Path:
    skeleton = get_skeleton("blazepose33")
    random = np.random.default_rng(0)
    frames = [
        Poses(
            skeleton,
            random.uniform(0, 500, (2, 33, 2)).astype(np.float32),
            random.uniform(0.1, 1, (2, 33)).astype(np.float32),
            ids=np.array([1, 2]),
            index=index,
            time=index / 30,
        )
        for index in range(3)
    ]
    path = tmp_path / "dance.jsonl"
    write_clip(Clip(tuple(frames), Header(skeleton)), path)
    return path


def run(*words: object) -> tuple[str, str]:
    done = CliRunner().invoke(APP, [str(word) for word in words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout, done.stderr


def test_one_line_says_what_was_done(dance: Path, tmp_path: Path) -> None:
    out, err = run(dance, tmp_path / "d.csv")
    assert out == ""
    assert (
        err == f"3 frames from {dance} (jsonl, blazepose33) to {tmp_path / 'd.csv'} (blazepose33)\n"
    )
    assert len(read_clip(tmp_path / "d.csv")) == 3


def test_skeleton_and_formats(dance: Path, tmp_path: Path) -> None:
    run(dance, tmp_path / "a.json", "--to", "coco-annotations", "--skeleton", "body25b")
    assert detect_format(tmp_path / "a.json") == "coco-annotations"
    assert read_clip(tmp_path / "a.json").skeleton.name == "body25b"
    _, err = run(dance, f"{tmp_path}/op/")
    assert "(jsonl, blazepose33) to" in err and err.endswith("/op/ (body25)\n")
    run(f"{tmp_path}/op", tmp_path / "b.jsonl", "--from", "openpose:body25b")
    assert read_clip(tmp_path / "b.jsonl").skeleton.name == "body25b"


def test_standard_output(dance: Path) -> None:
    out, err = run(dance, "-", "--skeleton", "coco17")
    assert out.splitlines()[0].startswith('{"poise":1,"skeleton":"coco17"')
    assert len(out.splitlines()) == 5 and err.endswith("to - (coco17)\n")


def test_errors_pass_through(dance: Path, tmp_path: Path) -> None:
    def fails(error: type[Exception], match: str, *words: object) -> None:
        with pytest.raises(error, match=match):
            CliRunner().invoke(APP, [str(word) for word in words], catch_exceptions=False)

    fails(OutputError, "is also the source", dance, dance, "--overwrite")
    fails(UsageError, "no skeleton named", dance, tmp_path / "a.csv", "--skeleton", "x")
    fails(UsageError, "no format named", dance, tmp_path / "a.csv", "--from", "x")
    fails(UsageError, "no skeleton named", dance, tmp_path / "a.csv", "--from", "jsonl:x")
    fails(UsageError, "does not tell", dance, tmp_path / "a.json")
    fails(InputError, "no such file", tmp_path / "none.jsonl", tmp_path / "a.csv")
    (tmp_path / "a.csv").write_text("")
    fails(OutputError, "--overwrite", dance, tmp_path / "a.csv")
    run(dance, tmp_path / "a.csv", "--overwrite")


def test_help_shows_every_option() -> None:
    out, _ = run("--help")
    for word in ("IN", "OUT", "--skeleton", "--from", "--to", "--overwrite"):
        assert word in out
