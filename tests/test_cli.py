"""The command line as a stranger types it: outputs, messages, exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import poise
from media import write_video
from poise.cli.app import app, run
from poise.draw import Style
from poise.options import Options
from poise.testing import blob_picture

BOX = (10, 8, 30, 44)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "person.png"
    Image.fromarray(blob_picture([BOX], (64, 48))).save(path)
    return path


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "walk é.mp4"
    frames = [blob_picture([(x, 8, x + 20, 44)], (64, 48)) for x in range(2, 32, 2)]
    write_video(path, frames, fps=10)
    return path


def _lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _fails(capsys: pytest.CaptureFixture[str], code: int, *arguments: object) -> str:
    """Run a command that must fail: one line on stderr, the code, and no traceback."""
    assert run([str(a) for a in arguments]) == code
    said = capsys.readouterr()
    assert said.err.startswith("poise: error: "), said.err
    assert said.err.count("\n") == 1
    assert "Traceback" not in said.err
    assert said.out == ""
    return said.err


def test_jsonl_is_what_other_programs_rely_on(video: Path, tmp_path: Path) -> None:
    out = tmp_path / "walk.jsonl"
    assert run(["estimate", str(video), "-m", "fake", "-o", str(out), "--no-progress"]) == 0
    header, *frames, end = _lines(out)
    assert list(header)[:8] == [
        "poise", "skeleton", "keypoints", "edges", "model", "precision", "source", "size",
    ]  # fmt: skip
    assert header["poise"] == 1 and header["skeleton"] == "coco17" and header["model"] == "fake"
    assert header["size"] == [64, 48] and header["fps"] == 10 and header["source"] == str(video)
    assert [frame["frame"] for frame in frames] == list(range(15))
    assert [frame["time"] for frame in frames] == pytest.approx([i / 10 for i in range(15)])
    assert {person["id"] for frame in frames for person in frame["people"]} == {
        frames[0]["people"][0]["id"]
    }
    person = frames[3]["people"][0]
    assert set(person) >= {"id", "score", "box", "keypoints"} and len(person["keypoints"]) == 17
    assert person["box"] == pytest.approx([8, 8, 28, 44], abs=3)
    assert end == {"end": {"frames": 15, "truncated": False}}


def test_default_output_is_stdout(picture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["estimate", str(picture), "-m", "fake", "--no-progress"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out.splitlines()[0])["poise"] == 1
    assert said.err == ""


def test_several_outputs_of_one_run(video: Path, tmp_path: Path) -> None:
    names = ["a.jsonl", "a.csv", "a.mp4", "a.gif", "a.npz"]
    outputs = [part for name in names for part in ("-o", str(tmp_path / name))]
    assert run(["estimate", str(video), "-m", "fake", *outputs]) == 0
    assert all((tmp_path / name).stat().st_size > 100 for name in names)
    assert len(poise.read_clip(tmp_path / "a.csv")) == 15


def test_openpose_folder_ends_in_a_slash(video: Path, tmp_path: Path) -> None:
    assert run(["estimate", str(video), "-m", "fake", "-o", f"{tmp_path}/op/"]) == 0
    assert len(list((tmp_path / "op").glob("*.json"))) == 15


def test_start_end_stride(video: Path, tmp_path: Path) -> None:
    out = tmp_path / "part.jsonl"
    flags = ["--start", "0.3", "--end", "1.0", "--stride", "2"]
    assert run(["estimate", str(video), "-m", "fake", "-o", str(out), *flags]) == 0
    frames = _lines(out)[1:-1]
    assert [frame["frame"] for frame in frames] in ([4, 6, 8], [3, 5, 7, 9])
    assert [frame["time"] for frame in frames] == [frame["frame"] / 10 for frame in frames]


@pytest.mark.parametrize("method", ["one-euro", "savgol", "butterworth"])
def test_smoothing_keeps_every_frame(video: Path, tmp_path: Path, method: str) -> None:
    out = tmp_path / f"{method}.jsonl"
    flags = ["--smooth", method, "--fill-gaps", "0.2", "--repair-swaps"]
    assert run(["estimate", str(video), "-m", "fake", "-o", str(out), *flags]) == 0
    assert [frame["frame"] for frame in _lines(out)[1:-1]] == list(range(15))


def test_whole_clip_steps_can_be_painted(video: Path, tmp_path: Path) -> None:
    out = tmp_path / "filled.mp4"
    assert run(["estimate", str(video), "-m", "fake", "-o", str(out), "--fill-gaps", "0.5"]) == 0
    with poise.read_frames(out) as frames:
        assert sum(1 for _ in frames) == 15


def test_skeleton_by_name(video: Path, tmp_path: Path) -> None:
    out = tmp_path / "b.jsonl"
    assert run(["estimate", str(video), "-m", "fake", "-o", str(out), "--skeleton", "body25"]) == 0
    header, first, *_ = _lines(out)
    neck = first["people"][0]["keypoints"][header["keypoints"].index("neck")]
    assert neck is not None
    assert first["people"][0]["keypoints"][header["keypoints"].index("left_heel")] is None


def test_existing_output(picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "x.jsonl"
    out.write_text("mine")
    said = _fails(capsys, 7, "estimate", picture, "-m", "fake", "-o", out)
    assert str(out) in said and "--overwrite" in said
    assert out.read_text() == "mine"
    assert run(["estimate", str(picture), "-m", "fake", "-o", str(out), "--overwrite"]) == 0
    assert out.read_text().startswith('{"poise"')


def test_output_is_the_source(picture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = picture.read_bytes()
    said = _fails(capsys, 7, "estimate", picture, "-m", "fake", "-o", picture, "--overwrite")
    assert "also the source" in said
    assert picture.read_bytes() == before


def test_unwritable_output(picture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = _fails(capsys, 7, "estimate", picture, "-m", "fake", "-o", "/proc/none/x.jsonl")
    assert "/proc/none" in said


def test_full_disk(picture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = [sys.executable, "-m", "poise", "estimate", str(picture), "-m", "fake"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 7, done.stderr
    assert done.stderr.startswith("poise: error: ") and "Traceback" not in done.stderr


def test_long_and_unusual_names(picture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = _fails(capsys, 7, "estimate", picture, "-m", "fake", "-o", "x" * 300 + ".jsonl")
    assert "cannot be written: File name too long" in said


@pytest.mark.parametrize("words", [["models", "list"], ["estimate", "walk é.mp4", "-m", "fake"]])
def test_a_reader_that_goes_away_is_no_failure(video: Path, words: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "poise", *words]
    done = subprocess.run(
        command, stdout=writing, stderr=subprocess.PIPE, text=True, cwd=video.parent, check=False
    )
    os.close(writing)
    assert done.returncode == 0 and "rror" not in done.stderr


def test_notes_of_the_pictures_are_told(
    video: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("poise.draw.video.pick_encoder", lambda form: "mpeg4")
    out = tmp_path / "painted.mp4"
    flags = ["-o", str(out), "-o", str(tmp_path / "a.jsonl"), "--no-progress"]
    assert run(["estimate", str(video), "-m", "fake", *flags]) == 0
    said = capsys.readouterr().err
    assert said == f"poise: note: {out}: no H.264 encoder here, so the video is mpeg4\n"


def test_painted_video_has_the_sources_pixel_aspect(tmp_path: Path) -> None:
    source, out = tmp_path / "wide.mp4", tmp_path / "painted.mp4"
    frames = [blob_picture([BOX], (64, 48))] * 3
    write_video(source, frames, fps=10, aspect=Fraction(4, 3))
    assert run(["estimate", str(source), "-m", "fake", "-o", str(out), "--no-progress"]) == 0
    with poise.read_frames(out) as reader:
        assert reader.pixel_aspect == pytest.approx(4 / 3)


def test_pillow_does_not_talk(picture: Path, tmp_path: Path) -> None:
    code = (
        "import logging; from poise.cli.app import run\n"
        f"run(['estimate', {str(picture)!r}, '-m', 'fake', '-o', 'a.jsonl', '--no-progress'])\n"
        "logging.getLogger('PIL.TiffImagePlugin').warning('a corrupt tag')"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_unknown_model(picture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = _fails(capsys, 5, "estimate", picture, "-m", "rtmpos-m")
    assert "no model named 'rtmpos-m'" in said and "did you mean 'rtmpose-m'?" in said


def test_no_match(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _fails(capsys, 4, "estimate", f"{tmp_path}/*.mp4", "-m", "fake", "-o", tmp_path / "out")


@pytest.mark.parametrize(
    "name, content",
    [
        ("empty.mp4", b""),
        ("one.mp4", b"\x00"),
        ("random.mp4", np.random.default_rng(0).bytes(100_000)),
        ("text.mp4", b"hello, I am a text\n" * 50),
        ("page.jpg", b"<!doctype html><html><body>404</body></html>"),
        ("list.mp4", b"ffconcat version 1.0\nfile 'other.mp4'\n"),
        ("hls.mp4", b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n#EXT-X-ENDLIST\n"),
    ],
)
def test_bad_sources(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: bytes
) -> None:
    path, out = tmp_path / name, tmp_path / "out.jsonl"
    path.write_bytes(content)
    said = _fails(capsys, 6, "estimate", path, "-m", "fake", "-o", out)
    assert name in said
    assert sorted(tmp_path.iterdir()) == [path]


def test_missing_source(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = _fails(capsys, 4, "estimate", tmp_path / "none.mp4", "-m", "fake")
    assert "none.mp4" in said


@pytest.mark.parametrize("flag, value", [("--smooth", "magic"), ("--precision", "f16")])
def test_usage_errors(picture: Path, flag: str, value: str) -> None:
    assert run(["estimate", str(picture), "-m", "fake", flag, value]) == 2


@pytest.mark.parametrize(
    "flags, word",
    [
        (["--stride", "0"], "stride"),
        (["--start", "5", "--end", "2"], "end"),
        (["--skeleton", "coco7"], "coco17"),
        (["--minimum-score", "3"], "--minimum-score"),
        (["--overwrite", "--resume"], "exclude"),
    ],
)
def test_impossible_options(
    picture: Path, capsys: pytest.CaptureFixture[str], flags: list[str], word: str
) -> None:
    assert word in _fails(capsys, 2, "estimate", picture, "-m", "fake", *flags)


def test_flags_have_the_functions_defaults() -> None:
    from typer.main import get_command

    command = get_command(app).commands["estimate"]  # type: ignore[attr-defined]
    flags = {p.name: p.default for p in command.params}
    for name, value in {**vars(Options()), **vars(Style())}.items():
        assert flags[name] == value, name


def _commands() -> list[list[str]]:
    from typer.main import get_command

    found = [[]]
    for name, command in get_command(app).commands.items():  # type: ignore[attr-defined]
        found.append([name])
        found += [[name, sub] for sub in getattr(command, "commands", {})]
    return found


@pytest.mark.parametrize("words", _commands(), ids=lambda words: " ".join(words) or "poise")
def test_every_help(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*words, "--help"]) == 0
    said = capsys.readouterr().out
    assert "Usage: poise" in said and len(said) > 100


def test_every_option_has_help() -> None:
    from typer.main import get_command

    root = get_command(app)
    for words in _commands():
        command = root
        for word in words:
            command = command.commands[word]  # type: ignore[attr-defined]
        for parameter in command.params:
            assert getattr(parameter, "help", None), f"{' '.join(words)}: {parameter.name}"


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"poise {poise.__version__}\n"


def test_nothing_is_sent_or_written_elsewhere(video: Path, tmp_path: Path) -> None:
    """With every socket refused and an empty home, a run works and leaves only its output."""
    home, out = tmp_path / "home", tmp_path / "out.jsonl"
    home.mkdir()
    code = (
        "import socket, sys\n"
        "def refuse(*a, **k): raise SystemExit('the network was used')\n"
        "socket.socket.connect = socket.getaddrinfo = socket.create_connection = refuse\n"
        "from poise.cli.app import run\n"
        f"sys.exit(run(['estimate', {str(video)!r}, '-m', 'fake', '-o', {str(out)!r}]))"
    )
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "LANG", "POISE_MODELS")}
    before = set(tmp_path.rglob("*"))
    env = {**kept, "HOME": str(home), "XDG_CACHE_HOME": str(home / "cache")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert set(tmp_path.rglob("*")) - before == {out}


@pytest.mark.parametrize("name", ["x", "x.json", "x.foo"])
def test_a_name_without_a_format_is_refused_before_a_model_is_loaded(
    picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    said = _fails(capsys, 2, "estimate", picture, "-m", "none such", "-o", tmp_path / name)
    assert "does not tell the format" in said and ".mp4" in said and "--format" in said


def test_a_missing_folder_is_told_before_a_model_is_loaded(
    picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "gone" / "x.jsonl"
    said = _fails(capsys, 7, "estimate", picture, "-m", "none such", "-o", out)
    assert f"there is no folder {out.parent}; make it first" in said


@pytest.mark.parametrize("suffix", ["jsonl", "mp4"])
def test_options_that_leave_no_frame(
    video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], suffix: str
) -> None:
    out = tmp_path / f"x.{suffix}"
    flags = ["--start", "50", "--stride", "2", "--no-progress", "-o", out]
    said = _fails(capsys, 2, "estimate", video, "-m", "fake", *flags)
    assert "no frame is left by start 50 s, stride 2; it is 1.5 s long" in said
    assert not out.exists()


@pytest.mark.parametrize(
    "words", [["--help"], ["models", "list"], ["doctor"], ["estimate", "person.png", "-m", "fake"]]
)
@pytest.mark.parametrize("closed", [False, True])
def test_a_standard_output_that_takes_nothing(
    picture: Path, words: list[str], closed: bool
) -> None:
    command = f"{sys.executable} -m poise {' '.join(words)} {'>&-' if closed else '> /dev/full'}"
    done = subprocess.run(
        command, shell=True, stderr=subprocess.PIPE, text=True, cwd=picture.parent, check=False
    )
    if closed and "estimate" not in words:
        assert done.returncode == 0 and done.stderr == ""  # it was told to say nothing
    else:
        assert done.returncode == 7
        assert done.stderr.startswith("poise: error: the standard output: ")
        assert done.stderr.count("\n") == 1


def test_interrupted_while_it_loads(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "class Slow:\n"
        "    def find_spec(self, name, *rest):\n"
        "        if name == 'typer': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Slow())\n"
        "from poise.cli import main\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "poise: interrupted\n")


_LIVE = """
import sys, threading, time, signal, os
import numpy as np
from poise.errors import InputError
from poise.io import feeds, reading
from poise.poses import Frame
class Camera(feeds.Feed):
    size, fps, count, pixel_aspect = (64, 48), 30.0, None, 1.0
    live, still, has_audio = True, False, False
    eager, truncated = True, False
    def frames(self, window):
        for index in range(10_000):
            if index == 20 and {how!r} == "lost":
                raise InputError("no data came in time", where="camera 0")
            if index == 20 and {how!r} != "lost":
                for _ in range(2):  # as `timeout` does
                    os.kill(os.getpid(), getattr(signal, {how!r}))
                    time.sleep(0.02)
            yield Frame(np.zeros((48, 64, 3), np.uint8), index, index / 30)
            time.sleep(0.005)
    def close(self):
        pass
reading._open = lambda *rest: Camera()
from poise.cli import main
main()
"""


@pytest.mark.parametrize("how, code", [("SIGINT", 0), ("SIGTERM", 0), ("lost", 6)])
def test_what_a_camera_gave_is_kept_when_it_ends(tmp_path: Path, how: str, code: int) -> None:
    words = ["estimate", "0", "-m", "fake", "-o", "a.jsonl", "-o", "a.mp4", "--smooth", "one-euro"]
    done = subprocess.run(
        [sys.executable, "-c", _LIVE.format(how=how), *words, "--no-progress"],
        capture_output=True, text=True, cwd=tmp_path, check=False, timeout=30,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    clip = poise.read_clip(tmp_path / "a.jsonl")
    assert 5 <= len(clip) <= 40 and clip.truncated == (how == "lost")
    with poise.read_frames(tmp_path / "a.mp4") as frames:
        assert len(list(frames)) == len(clip)
    if how == "lost":
        said = f"no data came in time; the {len(clip)} frames before that are kept\n"
        assert done.stderr == f"poise: error: camera 0: {said}"


@pytest.mark.parametrize(
    "flags, says",
    [
        (["--max-people", "0"], "--max-people: wanted at least 1, got 0"),
        (["--fill-gaps", "-1"], "--fill-gaps: wanted at least 0, got -1.0"),
        (["--fill-gaps", "inf"], "--fill-gaps: wanted at least 0, got inf"),
        (["--start", "nan"], "--start: wanted at least 0, got nan"),
        (["--timeout", "0"], "--timeout: wanted more than 0"),
    ],
)
def test_options_are_named_as_they_are_typed(
    picture: Path, capsys: pytest.CaptureFixture[str], flags: list[str], says: str
) -> None:
    assert says in _fails(capsys, 2, "estimate", picture, "-m", "fake", *flags)


@pytest.mark.parametrize("name", ["painted.mp4", "all.jsonl"])
def test_a_folder_does_not_go_into_one_file(
    picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    out = tmp_path / name
    said = _fails(capsys, 2, "estimate", picture.parent, "-m", "fake", "-o", out)
    assert f"{name}: several sources do not go into one file; name a folder" in said
    assert not out.exists()
    assert run(["estimate", str(picture.parent), "-m", "fake", "-o", f"{out}/"]) == 0


def test_models_path_says_what_to_get(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POISE_HOME", str(tmp_path))
    monkeypatch.delenv("POISE_MODELS", raising=False)
    assert "run 'poise models get rtmdet-nano'" in _fails(
        capsys, 5, "models", "path", "rtmdet-nano+tinypose-256"
    )
    assert "auto: nothing is chosen yet; run 'poise models get auto'" in _fails(
        capsys, 5, "models", "path", "auto"
    )


def test_convert_names_the_flag_for_the_format(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = tmp_path / "a.jsonl"
    clip.write_text('{"poise":1,"skeleton":"coco17"}\n{"end":{"frames":0,"truncated":false}}\n')
    said = _fails(capsys, 2, "convert", clip, tmp_path / "b.json")
    assert "b.json: its name does not tell the format" in said and "--to with one of jsonl" in said


def test_each_model_has_one_line_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.startswith("blazepose ") for line in lines) == 1
    assert "PCK@0.2 95.5 to 96.3" in next(line for line in lines if line.startswith("blazepose "))


def test_a_demo_without_its_model_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "demo"
    _fails(capsys, 5, "demo", "-m", "none such", "-o", out)
    assert not out.exists()
    assert "--seconds: wanted seconds above 0" in _fails(
        capsys, 2, "demo", "-m", "fake", "--seconds", "nan", "-o", out
    )
    assert run(["demo", "-m", "fake", "--seconds", "0.1", "-o", str(out), "--no-progress"]) == 0
    assert len(list(out.iterdir())) == 5
    capsys.readouterr()
    (out / "dance.mp4").unlink()
    assert "dance.jsonl: exists already" in _fails(capsys, 7, "demo", "-m", "fake", "-o", out)
    assert not (out / "dance.mp4").exists()


def test_the_style_of_pictures_can_be_chosen(video: Path, tmp_path: Path) -> None:
    black, plain = tmp_path / "black.png", tmp_path / "plain.png"
    picture = tmp_path / "one.png"
    Image.fromarray(blob_picture([BOX], (64, 48))).save(picture)
    for out, flags in ((black, ["--background", "black", "--boxes"]), (plain, [])):
        assert run(["estimate", str(picture), "-m", "fake", "-o", str(out), *flags]) == 0
    dark, bright = (np.asarray(Image.open(path)).min(axis=2) for path in (black, plain))
    assert (dark == 0).mean() > 0.5 > (bright == 0).mean()
