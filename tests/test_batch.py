"""Folder runs: mirrored outputs, failures that stop nobody, resuming, and killed processes."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from media import write_video
from poise.batch.folder import LEDGER
from poise.batch.ledger import Ledger
from poise.cli.app import run
from poise.io import detect_format, read_clip, write_clip
from poise.testing import blob_picture


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two videos, two pictures (one broken) and a text, in a small tree."""
    folder = tmp_path / "in"
    (folder / "deep er").mkdir(parents=True)
    frames = [blob_picture([(x, 8, x + 20, 44)], (64, 48)) for x in range(2, 22, 2)]
    write_video(folder / "a.mp4", frames, fps=10)
    write_video(folder / "deep er" / "ü.mp4", frames, fps=10)
    Image.fromarray(frames[0]).save(folder / "deep er" / "p.png")
    (folder / "broken.jpg").write_bytes(b"not a picture")
    (folder / "notes.txt").write_text("hello")
    return folder


def _tree(out: Path) -> dict[str, bytes]:
    files = (p for p in out.rglob("*") if p.is_file() and ".poise" not in p.parts)
    return {str(p.relative_to(out)): p.read_bytes() for p in files}


def _run(folder: Path, out: Path, *flags: str) -> int:
    return run(["estimate", str(folder), "-m", "fake", "-o", str(out), *flags])


def test_tree_is_mirrored_and_failures_are_listed(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert _run(folder, out) == 3
    assert sorted(_tree(out)) == ["a.jsonl", "deep er/p.jsonl", "deep er/ü.jsonl"]
    said = capsys.readouterr().err
    assert "broken.jpg" in said and "3 done, 0 skipped, 1 failed" in said
    assert said.splitlines()[-1].startswith("poise: error: 1 of 4 sources failed")


def test_resume_does_only_what_is_left(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    _run(folder, out)
    before = _tree(out)
    (out / "a.jsonl").unlink()
    (folder / "broken.jpg").unlink()
    stamp = (out / "deep er" / "p.jsonl").stat().st_mtime_ns
    capsys.readouterr()
    assert _run(folder, out, "--resume") == 0
    assert "1 done, 2 skipped, 0 failed" in capsys.readouterr().err
    assert _tree(out) == before
    assert (out / "deep er" / "p.jsonl").stat().st_mtime_ns == stamp


def test_resume_sees_changed_sources_and_options(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "broken.jpg").unlink()
    out = tmp_path / "out"
    _run(folder, out)
    (folder / "a.mp4").write_bytes((folder / "deep er" / "ü.mp4").read_bytes())
    capsys.readouterr()
    assert _run(folder, out, "--resume") == 0
    assert "1 done, 2 skipped" in capsys.readouterr().err
    assert _run(folder, out, "--resume", "--stride", "2") == 0
    assert "3 done, 0 skipped" in capsys.readouterr().err


def test_existing_outputs_are_refused(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    _run(folder, out)
    before = _tree(out)
    capsys.readouterr()
    assert _run(folder, out) == 7
    assert "--resume" in capsys.readouterr().err
    assert _tree(out) == before


def test_same_stem_keeps_both(folder: Path, tmp_path: Path) -> None:
    Image.fromarray(blob_picture([(2, 8, 20, 44)], (64, 48))).save(folder / "a.png")
    _run(folder, tmp_path / "out", "--format", "csv")
    assert {"a.mp4.csv", "a.png.csv"} <= set(_tree(tmp_path / "out"))


@pytest.mark.parametrize("name", ["coco", "mmpose", "alphapose", "coco-annotations", "csv"])
def test_names_tell_the_format(folder: Path, tmp_path: Path, name: str) -> None:
    (folder / "broken.jpg").unlink()
    empty = blob_picture([], (64, 48))
    write_video(folder / "nobody.mp4", [empty] * 3, fps=10)
    assert _run(folder, tmp_path / "out", "--format", name) == 0
    suffix = name if name == "csv" else f"{name}.json"
    assert {f"a.{suffix}", f"nobody.{suffix}"} <= set(_tree(tmp_path / "out"))
    written = tmp_path / "out" / f"a.{suffix}"
    assert detect_format(written) == name and len(read_clip(written)) == 10
    assert read_clip(tmp_path / "out" / f"nobody.{suffix}").tracks() == []
    write_clip(read_clip(written), tmp_path / f"again.{suffix}")
    assert detect_format(tmp_path / f"again.{suffix}") == name


@pytest.mark.parametrize("word, meant", [("cocoo", "coco"), ("mp5", "mp4"), ("jsnl", "jsonl")])
def test_unknown_format_is_refused_before_anything_else(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], word: str, meant: str
) -> None:
    wanted = f"poise: error: no format named '{word}'; did you mean '{meant}'?\n"
    for source in (folder, folder / "a.mp4", tmp_path / "none.mp4"):
        out = str(tmp_path / "out")
        assert run(["estimate", str(source), "-m", "none", "-o", out, "--format", word]) == 2
        assert capsys.readouterr().err == wanted
    assert not (tmp_path / "out").exists()


def test_existing_folders_and_sources_are_refused(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    _run(folder, out, "--format", "openpose")
    before = _tree(out)
    capsys.readouterr()
    assert _run(folder, out, "--format", "openpose") == 7
    assert "exists already and is not empty; add --resume" in capsys.readouterr().err
    assert _tree(out) == before
    assert _run(folder, folder, "--format", "mp4") == 7
    assert "a.mp4: is also the source; choose another name" in capsys.readouterr().err


def test_several_sources_need_a_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["estimate", str(folder), "-m", "fake"]) == 2
    assert "-o FOLDER" in capsys.readouterr().err


def test_killed_runs_resume_to_the_same_bytes(tmp_path: Path) -> None:
    """kill -9 at random moments; the resumed outputs equal an uninterrupted run's."""
    folder = tmp_path / "in"
    folder.mkdir()
    frames = [blob_picture([(x % 40, 8, x % 40 + 20, 44)], (64, 48)) for x in range(60)]
    for number in range(30):
        write_video(folder / f"{number:02}.mp4", frames[number : number + 30], fps=10)
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    assert _run(folder, whole, "--no-progress") == 0
    command = [sys.executable, "-m", "poise", "estimate", str(folder), "-m", "fake", "--resume"]
    moments = random.Random(1)
    for _ in range(4):
        process = subprocess.Popen([*command, "-o", str(torn), "--no-progress"])
        time.sleep(moments.uniform(0.6, 1.4))
        process.send_signal(signal.SIGKILL)
        process.wait()
        for path in torn.glob("*.jsonl"):
            assert json.loads(path.read_text().splitlines()[-1])["end"]["frames"] == 30
    subprocess.run([*command, "-o", str(torn), "--no-progress"], check=True)
    assert _tree(torn) == _tree(whole)


def test_interrupt_leaves_nothing_half(folder: Path, tmp_path: Path) -> None:
    frames = [blob_picture([(5, 8, 25, 44)], (64, 48))] * 3000
    write_video(folder / "0.mp4", frames, fps=30)
    out = tmp_path / "out"
    command = [sys.executable, "-m", "poise", "estimate", str(folder), "-m", "fake"]
    process = subprocess.Popen([*command, "-o", str(out)], stderr=subprocess.PIPE, text=True)
    while not (out / LEDGER).exists():
        time.sleep(0.02)
    time.sleep(0.15)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=10)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert _tree(out) == {}


def test_full_disk_stops_the_run(folder: Path, tmp_path: Path) -> None:
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))\n"
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "from poise.cli.app import run\n"
        f"sys.exit(run(['estimate', {str(folder)!r}, '-m', 'fake', '-o', {str(tmp_path / 'o')!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 7, done.stderr
    assert "Traceback" not in done.stderr
    assert _tree(tmp_path / "o") == {}


def test_second_run_on_one_folder_is_refused(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    with Ledger(out / LEDGER):
        assert _run(folder, out) == 7
    assert "another run writes to this folder" in capsys.readouterr().err
    assert _run(folder, out) == 3


def test_resume_does_not_replace_what_others_made(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "broken.jpg").unlink()
    out, other = tmp_path / "out", tmp_path / "other"
    other.mkdir()
    (other / "a.mp4").write_bytes((folder / "a.mp4").read_bytes())
    assert _run(folder, out) == 0
    before = _tree(out)
    capsys.readouterr()
    assert _run(other, out, "--resume") == 7
    said = capsys.readouterr().err
    assert f"a.jsonl: was made from {folder / 'a.mp4'}; name another folder" in said
    assert _tree(out) == before
    link = tmp_path / "link"
    link.symlink_to(folder)
    assert _run(link, out, "--resume") == 0  # the same sources by another name
