"""`poise compare` as a stranger types it: what is printed, what is written, what is refused."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from media import write_video
from poise.cli.app import app, run
from poise.clip import Clip, Header
from poise.comparison.options import ComparisonOptions, read_beats
from poise.errors import InputError, UsageError
from poise.io import read_clip, write_clip
from poise.loading import expand_sources, load_clip
from poise.poses import Poses
from poise.skeleton import Skeleton
from poise.synthetic import Choreography, Dancer, Stage, dance
from poise.testing import FakeModel, blob_picture

QUIET = ("-m", "fake", "--no-progress")
PERFECT = "100 of 100: right; 100 % judged"
REPORT = {"report.html", "comparison.json", "timeline.csv"}


def _stage(*dancers: Dancer) -> Clip:
    return Stage(list(dancers), size=(320, 240), fps=15.0, duration=4.0).clip()


@lru_cache
def _clip(name: str) -> Clip:
    faulty = dance().with_fault("left_arm", degrees=40, start=2.0, end=3.0)
    choreographies: dict[str, Choreography] = {
        "teacher": dance(),
        "learner": dance().shifted(0.3),
        "wrong": faulty,
        "mirror": faulty.mirrored(),
    }
    if name in choreographies:
        return _stage(Dancer(choreographies[name]))
    first = Dancer(dance(), position=(-0.8, 0.0), id=4)
    second = Dancer(faulty if name == "troupe" else dance(), position=(0.8, 0.0), id=6)
    return _stage(first) if name == "solo" else _stage(first, second)


@pytest.fixture
def source(tmp_path: Path):
    """Write a clip of the stage and return its path."""

    def write(name: str, folder: str = ".") -> str:
        path = tmp_path / folder / f"{name}.jsonl"
        path.parent.mkdir(exist_ok=True)
        write_clip(_clip(name), path, overwrite=True)
        return str(path)

    return write


@pytest.fixture
def video(tmp_path: Path) -> str:
    path = tmp_path / "walk.mp4"
    frames = [blob_picture([(x, 8, x + 20, 44)], (64, 48)) for x in range(2, 32, 2)]
    write_video(path, frames, fps=10)
    return str(path)


def _picture(path: Path, box: tuple[int, int, int, int] = (10, 8, 30, 44)) -> str:
    Image.fromarray(blob_picture([box], (64, 48))).save(path)
    return str(path)


def _fails(capsys: pytest.CaptureFixture[str], code: int, *arguments: object) -> str:
    """Run a comparison that must fail: one line on stderr, the code, nothing on stdout."""
    assert run(["compare", *map(str, arguments), *QUIET]) == code
    said = capsys.readouterr()
    assert said.err.startswith("poise: error: ") and said.err.count("\n") == 1, said.err
    assert said.out == ""
    return said.err


def _says(capsys: pytest.CaptureFixture[str], *arguments: object) -> list[str]:
    assert run(["compare", *map(str, arguments), *QUIET]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    return said.out.splitlines()


def test_the_same_is_right(source, capsys) -> None:
    assert _says(capsys, source("teacher"), source("teacher")) == [
        "100 of 100: right; 100 % judged"
    ]


def test_a_late_learner_is_told_what_was_taken_away(source, capsys) -> None:
    head, relation, *_ = _says(capsys, source("teacher"), source("learner"))
    assert re.fullmatch(r"\d+ of 100: right; \d+ % judged", head)
    assert "0.3 s late" in relation


@pytest.mark.parametrize("name", ["wrong", "mirror"])
def test_the_worst_things_have_times_and_the_learners_side(source, capsys, name: str) -> None:
    head, *lines = _says(capsys, source("teacher"), source(name))
    assert int(head.split()[0]) < 95
    worst = [line for line in lines if re.match(r"0:0\d\.\d to 0:0\d\.\d ", line)]
    assert 1 <= len(worst) <= 3
    side = "left" if name == "wrong" else "right"
    assert any(f"{side} arm" in line or f"{side} upper arm" in line for line in worst), worst
    assert any("mirrored" in line for line in lines) == (name == "mirror")


def test_another_language(source, capsys) -> None:
    head, *lines = _says(capsys, source("teacher"), source("wrong"), "--language", "de")
    assert "von 100" in head and any("Arm" in line or "arm" in line for line in lines)


def test_json_is_one_document(source, tmp_path, capsys) -> None:
    ours, theirs, report = source("teacher"), source("wrong"), tmp_path / "r"
    assert run(["compare", ours, theirs, "--json", "-o", str(report), "--no-film", *QUIET]) == 0
    said = capsys.readouterr()
    document = json.loads(said.out)
    assert document["schema_version"] == 1 and 0 < document["score"] < 95
    assert document["sources"]["reference"] == ours and document["sources"]["attempt"] == theirs
    assert document["sources"]["reference_person"] == 1
    assert {"limb", "start", "end", "degrees", "text"} <= set(document["faults"][0])
    assert json.loads((report / "comparison.json").read_text()) == document
    assert {path.name for path in report.iterdir()} == REPORT


def test_videos_are_estimated_once_and_painted(video, tmp_path, capsys, monkeypatch) -> None:
    report = tmp_path / "deep" / "report"
    line = ["compare", video, video, "-o", str(report), "--gif", *QUIET]
    assert run(line) == 0
    kept = {"reference.jsonl", "attempt.jsonl", "estimates.json"}
    films = {"comparison.mp4", "comparison.gif"}
    assert {path.name for path in report.iterdir()} == REPORT | kept | films
    assert [path.name for path in report.parent.iterdir()] == ["report"]
    clip = read_clip(report / "reference.jsonl")
    assert clip.header.model == "fake" and clip.header.source == video and len(clip) == 15
    before = capsys.readouterr().out

    def refuse(*_: object) -> None:
        raise AssertionError("estimated again")

    monkeypatch.setattr(FakeModel, "estimate", refuse)
    assert run([*line, "--overwrite"]) == 0
    assert capsys.readouterr().out == before
    with pytest.raises(AssertionError, match="estimated again"):
        run([*line, "--overwrite", "--smooth", "none"])
    Path(video).write_bytes(Path(video).read_bytes() + b"\0")
    with pytest.raises(AssertionError, match="estimated again"):
        run([*line, "--overwrite"])


def test_a_failed_run_leaves_the_old_report_and_nothing_else(
    source, tmp_path, capsys, monkeypatch
) -> None:
    ours, report = source("teacher"), tmp_path / "report"
    line = ["compare", ours, ours, "-o", str(report), "--no-film", *QUIET]
    assert run(line) == 0
    before = (report / "report.html").read_bytes()

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("poise.comparison.folder.save_report", interrupt)
    capsys.readouterr()
    assert run([*line, "--overwrite"]) == 130
    assert (report / "report.html").read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"teacher.jsonl", "report"}
    assert capsys.readouterr().out == ""


def test_pictures_are_single_poses(tmp_path, video, capsys) -> None:
    ours, theirs = _picture(tmp_path / "a.png"), _picture(tmp_path / "b.png", (30, 4, 50, 40))
    assert _says(capsys, ours, theirs)[0] == PERFECT
    assert _says(capsys, ours, video)[0].startswith("100 of 100")
    assert "single pose" in _fails(capsys, 2, video, ours)


def test_a_report_of_pictures_has_no_film(tmp_path, capsys) -> None:
    ours = _picture(tmp_path / "a.png")
    _says_nothing = run(["compare", ours, ours, "-o", str(tmp_path / "r"), *QUIET])
    assert _says_nothing == 0
    assert "comparison.mp4" not in {path.name for path in (tmp_path / "r").iterdir()}
    assert (tmp_path / "r" / "report.html").is_file()


def test_several_attempts_are_ranked(source, tmp_path, capsys) -> None:
    ours = source("teacher", "all")
    for name in ("wrong", "learner"):
        source(name, "all")
    (tmp_path / "all" / "notes.txt").write_text("no attempt")
    out = tmp_path / "out"
    assert run(["compare", ours, str(tmp_path / "all"), "-o", str(out), "--no-film", *QUIET]) == 0
    head, first, second = capsys.readouterr().out.splitlines()
    assert head.split()[:5] == ["rank", "score", "verdict", "judged", "attempt"]
    assert first.split()[0] == "1" and "learner.jsonl" in first
    assert second.split()[0] == "2" and "wrong.jsonl" in second
    ranking = {"ranking.html", "ranking.csv", "ranking.json"}
    assert {path.name for path in out.iterdir()} == ranking | {"learner", "wrong"}
    assert {path.name for path in (out / "wrong").iterdir()} == REPORT


def test_one_bad_attempt_stops_nobody(source, tmp_path, capsys) -> None:
    ours, theirs, bad = source("teacher"), source("wrong"), tmp_path / "bad.mp4"
    bad.write_text("no video")
    line = ["compare", ours, str(bad), theirs, "--json", "-o", str(tmp_path / "o"), "--no-film"]
    assert run([*line, *QUIET]) == 3
    said = capsys.readouterr()
    document = json.loads(said.out)
    assert [one["sources"]["attempt"] for one in document["attempts"]] == [theirs]
    assert document["attempts"][0]["rank"] == 1
    assert [one["source"] for one in document["failed"]] == [str(bad)]
    assert "1 of 2 attempts failed" in said.err and "holds text" in said.err
    assert json.loads((tmp_path / "o" / "ranking.json").read_text())["attempts"][1]["error"]


def test_two_attempts_of_one_name_have_a_folder_each(source, tmp_path) -> None:
    ours = source("teacher")
    words = [source("wrong", "a"), source("wrong", "b")]
    out = tmp_path / "out"
    assert run(["compare", ours, *words, "-o", str(out), "--no-film", *QUIET]) == 0
    assert len([path for path in out.iterdir() if path.is_dir()]) == 2


def test_a_score_that_is_too_low_is_an_exit_code(source, capsys) -> None:
    line = ["compare", source("teacher"), source("wrong"), *QUIET, "--min-score"]
    assert run([*line, "10"]) == 0
    capsys.readouterr()
    assert run([*line, "99"]) == 8
    said = capsys.readouterr()
    assert "of 100" in said.out
    assert re.search(r"^poise: error: .*wrong.jsonl: scores \d+\.\d, below 99\n$", said.err)


def test_what_cannot_be_said_is_too_low(source, tmp_path, capsys) -> None:
    clip = _clip("teacher")
    hidden = tuple(poses.replace(scores=poses.scores * np.float32(0.1)) for poses in clip.frames)
    path = tmp_path / "hidden.jsonl"
    write_clip(Clip((*clip.frames[:2], *hidden[2:]), clip.header), path)
    assert run(["compare", source("teacher"), str(path), *QUIET, "--min-score", "0"]) == 8
    assert "nothing can be said: only" in capsys.readouterr().err


def test_a_person_is_named(source, capsys) -> None:
    ours, theirs = source("teacher"), source("troupe")
    own, other = (_says(capsys, ours, theirs, "--person", who)[0] for who in (4, 6))
    assert int(own.split()[0]) >= 95 > int(other.split()[0])
    assert "no person with id 9; its ids are 4, 6" in _fails(capsys, 2, ours, theirs, "--person", 9)
    line = ["--reference-person", 2]
    assert "no person with id 2; its ids are 1" in _fails(capsys, 2, ours, theirs, *line)


def test_everyone_is_paired(source, tmp_path, capsys) -> None:
    ours, out = source("pair"), tmp_path / "out"
    head, together, *pairs = _says(capsys, ours, source("troupe"), "--person", "all")
    assert re.match(r"\d+ of 100: .*; 2 of 2 parts danced", head)
    assert together.endswith("s apart from one another")
    assert pairs[0] == "person 4 as person 4: 100 of 100: right; 100 % judged"
    line = [ours, source("solo"), "--person", "all", "-o", out, "--no-film"]
    assert run(["compare", *map(str, line), *QUIET]) == 0
    assert {path.name for path in out.iterdir()} == {"ensemble.json", "4-4"} or {
        path.name for path in out.iterdir()
    } == {"ensemble.json", "6-4"}
    document = json.loads((out / "ensemble.json").read_text())
    assert document["score"] <= 50 and len(document["missing"]) == 1
    assert "nobody dances the part of person" in capsys.readouterr().out


def test_keypoint_files_that_a_video_made_are_shown_with_it(video, tmp_path) -> None:
    poses = tmp_path / "walk.jsonl"
    assert run(["estimate", video, "-o", str(poses), *QUIET]) == 0
    options = ComparisonOptions()
    from poise.comparison.trial import load_entrant

    assert load_entrant(str(poses), FakeModel, options).footage == video
    Path(video).unlink()
    assert load_entrant(str(poses), FakeModel, options).footage is None


def test_two_models_are_noted(source, video, tmp_path, capsys) -> None:
    assert run(["compare", video, source("teacher"), *QUIET]) == 0
    assert "the reference comes from fake, the attempt from truth" in capsys.readouterr().err


def test_files_without_times_have_a_frame_rate(tmp_path) -> None:
    array = np.random.default_rng(0).uniform(1, 99, (31, 17, 3))
    np.save(tmp_path / "a.npy", array)
    clip = load_clip(str(tmp_path / "a.npy"), FakeModel, ComparisonOptions(fps=15.0))
    assert clip.times[-1] == pytest.approx(2.0)


def test_a_folder_of_openpose_is_one_attempt(source, tmp_path, capsys) -> None:
    write_clip(_clip("teacher"), f"{tmp_path}/op/")
    found = expand_sources([f"{tmp_path}/op", f"{tmp_path}/*.jsonl"][:1])
    assert found == [f"{tmp_path}/op"]
    line = [source("teacher"), tmp_path / "op", "--fps", 15]
    assert _says(capsys, *line)[0].startswith("100 of 100")


def test_progress_names_both_sides(source, video, capsys) -> None:
    assert run(["compare", video, video, "-m", "fake"]) == 0
    assert "100 of 100" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("code", "words", "message"),
    [
        (6, ["gone.mp4", "teacher.jsonl"], "gone.mp4: no such file or folder"),
        (6, ["teacher.jsonl", "gone.mp4"], "gone.mp4: no such file or folder"),
        (6, ["teacher.jsonl", "text.mp4"], "holds text"),
        (6, ["teacher.jsonl", "no.json"], "no known format; name it to 'poise convert --from'"),
        (6, ["dark.png", "teacher.jsonl"], "dark.png: no person was found"),
        (6, ["teacher.jsonl", "nobody.jsonl"], "nobody.jsonl: no person was found"),
        (4, ["teacher.jsonl", "empty"], "empty: holds no picture, video or keypoint file"),
        (6, ["empty", "teacher.jsonl"], "is a folder, not one performance"),
        (4, ["teacher.jsonl", "*.avi"], "nothing matches"),
        (2, ["teacher.jsonl", "0"], "0: is a camera or a stream"),
        (2, ["rtsp://host/a", "teacher.jsonl"], "is a camera or a stream"),
        (7, ["teacher.jsonl", "teacher.jsonl", "-o", "full"], "not empty; add --overwrite"),
        (7, ["teacher.jsonl", "teacher.jsonl", "-o", "text.mp4"], "is a file, not a folder"),
        (7, ["teacher.jsonl", "teacher.jsonl", "-o", "teacher.jsonl"], "is also the source"),
        (7, ["teacher.jsonl", "full/t.jsonl", "-o", "full", "--overwrite"], "holds the source"),
        (2, ["teacher.jsonl", "teacher.jsonl", "--beats", "quick"], "--beats: wanted beats a"),
        (2, ["teacher.jsonl", "teacher.jsonl", "--beats", "90,91"], "no beat lies between"),
        (2, ["teacher.jsonl", "teacher.jsonl", "--sync", "audio"], "carries no sound; leave out"),
        (2, ["teacher.jsonl", "teacher.jsonl", "--person", "x"], "--person: wanted an id or 'all'"),
        (2, ["teacher.jsonl", "teacher.jsonl", "--min-score", "101"], "--min-score: wanted 0 to"),
        (2, ["teacher.jsonl", "hand.jsonl"], "in common"),
        (5, ["dark.png", "teacher.jsonl", "-m", "fak"], "no model named 'fak'"),
        (4, ["teacher.jsonl", "only"], "no attempt but the reference itself"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared(
    source, tmp_path, monkeypatch, capsys, code, words, message
) -> None:
    monkeypatch.chdir(tmp_path)
    source("teacher")
    write_clip(_clip("teacher"), _made("full") / "t.jsonl")
    (_made("only") / "same.jsonl").symlink_to(tmp_path / "teacher.jsonl")
    _made("empty")
    Path("text.mp4").write_text("no video at all")
    Path("no.json").write_text('{"a": 1}')
    Image.new("RGB", (64, 48)).save("dark.png")
    _write_nobody("nobody.jsonl")
    _write_hand("hand.jsonl")
    before = sorted(tmp_path.rglob("*"))
    words = words if "-m" in words else [*words, "-m", "fake"]
    assert run(["compare", *words, "--no-progress"]) == code
    said = capsys.readouterr()
    assert message in said.err and said.err.startswith("poise: error: ")
    assert said.err.count("\n") == 1 and said.out == ""
    assert sorted(tmp_path.rglob("*")) == before


def _made(name: str) -> Path:
    Path(name).mkdir()
    return Path(name)


def _write_nobody(name: str) -> None:
    layout = _clip("teacher").skeleton
    frames = tuple(Poses.empty(layout, index=index, time=index / 10) for index in range(5))
    write_clip(Clip(frames, Header(layout)), name)


def _write_hand(name: str) -> None:
    hand = Skeleton("hand3", ("left_thumb", "left_index", "left_pinky"), ())
    points = np.random.default_rng(0).uniform(1, 99, (20, 1, 3, 2)).astype(np.float32)
    frames = tuple(
        Poses(hand, one, np.ones((1, 3), np.float32), index=index, time=index / 10)
        for index, one in enumerate(points)
    )
    write_clip(Clip(frames, Header(hand)), name)


def test_beats_are_numbers_or_a_file(tmp_path) -> None:
    assert read_beats("120") == 120
    assert read_beats("0.5, 1,1.5") == [0.5, 1.0, 1.5]
    path = tmp_path / "beats.txt"
    path.write_text("0.5\n1.0\n\n1.75\n")
    assert read_beats(str(path)) == [0.5, 1.0, 1.75]
    for wrong in ("5", "500", "1,1", "2,1", "nan", "1,x", ""):
        with pytest.raises(UsageError):
            read_beats(wrong)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=r"beats.txt: cannot be read: it is no text"):
        read_beats(str(path))


def test_the_flags_are_the_options() -> None:
    from dataclasses import fields

    from typer.main import get_command

    command = get_command(app).commands["compare"]
    defaults = {parameter.name: parameter.default for parameter in command.params}
    for field in fields(ComparisonOptions):
        assert defaults[field.name] == field.default


@pytest.mark.data
@pytest.mark.weights
def test_a_real_recording_is_itself(data_dir, default_weights, capsys) -> None:
    video = str(data_dir / "videos" / "exercise" / "tfjs_pose_squats.mp4")
    assert run(["compare", video, video, "-m", "blazepose", "--no-progress"]) == 0
    assert capsys.readouterr().out == "100 of 100: right; 100 % judged\n"


@pytest.mark.data
def test_separate_pictures_are_no_performance(source, capsys, data_dir: Path) -> None:
    pictures = data_dir / "labelled/coco_mini/annotations/person_keypoints_train2017.json"
    said = _fails(capsys, 6, source("teacher"), pictures)
    assert f"{pictures.name}: holds separate pictures" in said
