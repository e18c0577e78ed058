"""`poise classify` as a stranger types it: what is printed, written, painted and refused."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from media import write_video
from poise.classification import Event, classify
from poise.classification.account import FALL_COLOUR, Account, pick_colours
from poise.classification.naming import give_account
from poise.classification.options import ClassificationOptions
from poise.classification.overlay import LabelPainter, write_overlay
from poise.classification.summary import paint_summary
from poise.classification.telling import format_time, tell_account
from poise.cli.app import app, run
from poise.clip import Clip, Header
from poise.errors import UsageError
from poise.io import read_frames, write_clip
from poise.poses import Poses
from poise.synthetic import Dancer, Stage, sequence, squats, still, waves
from poise.testing import blob_picture

QUIET = ("-m", "fake", "--no-progress")
LINE = re.compile(r"person (\d+) +(\w+) +(\d+:\d\d\.\d) to +(\d+:\d\d\.\d)  (\d\.\d\d)")
KEYS = ["person", "label", "kind", "start", "end", "confidence"]

RULES = """
version = 1
[[rules]]
label = "tall"
kind = "height"
all = ["height.mid_shoulder.mid_hip > 0.1"]
"""


@lru_cache
def _clip(seconds: float = 4.0) -> Clip:
    greeting = sequence(("stand", 0.5), waves(2), ("stand", 0.3))
    people = [
        Dancer(greeting, position=(-0.8, 0.0), id=1),
        Dancer(squats(2), position=(0.8, 0.0), id=2),
    ]
    return Stage(people, size=(320, 240), fps=15.0, duration=seconds).clip("coco17")


@pytest.fixture
def source(tmp_path: Path) -> str:
    write_clip(_clip(), tmp_path / "stage.jsonl")
    return str(tmp_path / "stage.jsonl")


@pytest.fixture
def video(tmp_path: Path) -> str:
    path = tmp_path / "walk.mp4"
    frames = [blob_picture([(x, 8, x + 20, 44)], (64, 48)) for x in range(2, 32, 2)]
    write_video(path, frames, fps=10)
    return str(path)


def _account(*events: Event) -> Account:
    return give_account("stage.jsonl", _clip(), events)


def _says(capsys: pytest.CaptureFixture[str], *words: object, code: int = 0) -> str:
    assert run(["classify", *map(str, words), *QUIET]) == code
    return capsys.readouterr().out


def _size(path: Path) -> tuple[int, int]:
    with Image.open(path) as picture:
        return picture.size


def test_lines_say_who_what_when_and_how_surely(source, capsys) -> None:
    lines = _says(capsys, source).splitlines()
    found = [LINE.fullmatch(line) for line in lines]
    assert all(found), lines
    what = {(one[1], one[2]) for one in found if one}
    assert {("1", "hello"), ("1", "standing"), ("2", "squatting")} <= what
    starts = [one[3] for one in found if one]
    assert starts == sorted(starts)


def test_json_is_exactly_events(source, capsys) -> None:
    document = json.loads(_says(capsys, source, "--json"))
    assert list(document) == ["schema_version", "source", "events"]
    assert document["schema_version"] == 1 and document["source"] == source
    assert all(list(event) == KEYS for event in document["events"])
    hello = next(e for e in document["events"] if e["label"] == "hello")
    assert hello["person"] == 1 and hello["kind"] == "gesture"
    assert 0 <= hello["start"] < hello["end"] <= 4 and 0 < hello["confidence"] <= 1


def test_one_person_and_one_kind(source, capsys) -> None:
    events = json.loads(_says(capsys, source, "--json", "--person", 2))["events"]
    assert {event["person"] for event in events} == {2}
    events = json.loads(_says(capsys, source, "--json", "--kinds", "gesture"))["events"]
    assert {event["kind"] for event in events} == {"gesture"}


def test_tables_overlay_and_summary(source, tmp_path, capsys) -> None:
    names = [tmp_path / name for name in ("e.csv", "e.json", "o.mp4", "o.gif", "s.png")]
    table, document, film, gif, summary = names
    words = [part for name in names[:4] for part in ("-o", name)]
    printed = _says(capsys, source, *words, "--summary", summary, "--json")
    assert json.loads(document.read_text()) == json.loads(printed)
    rows = list(csv.DictReader(table.read_text().splitlines()))
    events = json.loads(printed)["events"]
    assert [row["label"] for row in rows] == [event["label"] for event in events]
    assert rows[0]["source"] == source and float(rows[0]["end"]) == events[0]["end"]
    with read_frames(film) as reader:
        assert reader.size == (320, 240) and len(list(reader)) == len(_clip())
    assert _size(summary)[0] == 1280
    assert len(list(read_frames(gif))) > 30


def test_a_video_is_estimated_and_painted_over_itself(video, tmp_path, capsys) -> None:
    out = tmp_path / "o.mp4"
    assert run(["classify", video, "-o", str(out), *QUIET]) == 0
    plain, painted = ([frame.image for frame in read_frames(path)] for path in (video, out))
    assert len(plain) == len(painted) == 15
    changed = np.abs(plain[5].astype(int) - painted[5]).max(axis=2) > 60
    assert changed.sum() > 20


def test_a_picture_has_one_line_a_person(tmp_path, capsys) -> None:
    one = _clip().frames[0]
    path = tmp_path / "one.jsonl"
    write_clip(Clip((one,), _clip().header), path)
    first, second = _says(capsys, path).splitlines()
    assert re.fullmatch(r"person 1  standing \d\.\d\d", first)
    assert second.startswith("person 2  ")
    events = json.loads(_says(capsys, path, "--json"))["events"]
    assert {event["start"] for event in events} == {event["end"] for event in events} == {0.0}
    out = tmp_path / "one.png"
    _says(capsys, path, "-o", out)
    assert _size(out) == (320, 240)


def test_a_person_of_a_picture_may_be_unknown(capsys) -> None:
    one = _clip().frames[0]
    account = give_account("a.png", Clip((one,), _clip().header), ())
    assert tell_account(account) == "person 1  unknown\nperson 2  unknown"


def test_separate_pictures_are_named_by_their_files() -> None:
    clip = replace(_clip(), frames=_clip().frames[:2], names=("a.jpg", "b.jpg"))
    account = give_account("coco.json", clip, classify(clip))
    lines = tell_account(account).splitlines()
    assert [line.split()[0] for line in lines] == ["a.jpg", "a.jpg", "b.jpg", "b.jpg"]
    with pytest.raises(UsageError, match=r"coco.json: is no video"):
        paint_summary(account)


def test_several_sources_go_on_without_the_bad_one(source, tmp_path, capsys) -> None:
    bad = tmp_path / "bad.mp4"
    bad.write_text("no video")
    assert run(["classify", source, str(bad), "--json", *QUIET]) == 3
    said = capsys.readouterr()
    document = json.loads(said.out)
    assert list(document) == ["schema_version", "sources", "failed"]
    assert [one["source"] for one in document["sources"]] == [source]
    assert document["failed"][0]["source"] == str(bad)
    assert "holds text" in said.err and "1 of 2 sources failed" in said.err


def test_a_folder_is_several_sources_and_each_has_a_name(source, tmp_path, capsys) -> None:
    lines = _says(capsys, tmp_path).splitlines()
    assert lines[0] == f"{source}:" and lines[1].startswith("  person 1")


def test_everything_goes_into_one_folder(source, video, tmp_path, capsys) -> None:
    picture = tmp_path / "one.png"
    Image.fromarray(blob_picture([(10, 8, 30, 44)], (64, 48))).save(picture)
    out = tmp_path / "deep" / "out"
    _says(capsys, source, video, picture, "-o", f"{out}/", "-o", tmp_path / "all.json")
    assert sorted(path.name for path in out.iterdir()) == [
        "events.csv", "one.jpg", "one.json", "stage-summary.png", "stage.json", "stage.mp4",
        "walk-summary.png", "walk.json", "walk.mp4",
    ]  # fmt: skip
    assert len(json.loads((tmp_path / "all.json").read_text())["sources"]) == 3
    again = ["classify", source, "-o", f"{out}/", *QUIET]
    assert run(again) == 7
    assert "not empty; add --overwrite" in capsys.readouterr().err
    assert run([*again, "--overwrite"]) == 0


def test_rules_of_ones_own(source, tmp_path, capsys) -> None:
    path = tmp_path / "my.toml"
    path.write_text(RULES)
    events = json.loads(_says(capsys, source, "--json", "--rules", path))["events"]
    assert {(event["label"], event["kind"]) for event in events} == {("tall", "height")}


class _Taught:
    """Says "busy" of every frame of everybody."""

    kind = "action"

    def label_track(self, track):
        from poise.classification import Labelling

        count = len(track)
        labels = np.zeros(count, np.int64)
        return Labelling(track.id, self.kind, track.times, labels, ("busy",), np.ones(count))


def test_what_was_learned_is_named_alone_unless_more_is_asked_for() -> None:
    taught = _Taught()
    alone = classify(_clip(), classifier=taught)
    assert [(e.person, e.label) for e in alone] == [(1, "busy"), (2, "busy")]
    more = classify(_clip(), classifier=taught, kinds=["gesture", "action"])
    assert {event.kind for event in more} == {"gesture", "action"}
    assert list(more) == sorted(more, key=lambda e: (e.start, e.person, e.kind))
    with pytest.raises(UsageError, match="kinds: no kind named 'actoin'; did you mean 'action'"):
        classify(_clip(), classifier=taught, kinds=["actoin"])


def test_with_takes_a_file_that_was_taught(source, monkeypatch, capsys) -> None:
    asked = []
    monkeypatch.setattr(
        "poise.cli.classify.load_classifier", lambda path: asked.append(path) or _Taught()
    )
    lines = _says(capsys, source, "--with", "my.pose").splitlines()
    assert asked == ["my.pose"] and len(lines) == 2 and "busy" in lines[0]


def test_nothing_named_is_said(tmp_path, capsys) -> None:
    path = tmp_path / "still.jsonl"
    hidden = [p.replace(scores=p.scores * np.float32(0.1)) for p in _clip().frames]
    write_clip(Clip(tuple(hidden), _clip().header), path)
    assert run(["classify", str(path), *QUIET]) == 0
    said = capsys.readouterr()
    assert said.out == "" and said.err == f"poise: note: {path}: nothing was named\n"


@pytest.mark.parametrize(
    ("code", "words", "message"),
    [
        (6, ["gone.mp4"], "gone.mp4: no such file or folder; check the path"),
        (6, ["text.mp4"], "holds text"),
        (6, ["dark.png"], "dark.png: no person was found"),
        (6, ["nobody.jsonl"], "nobody.jsonl: no person was found"),
        (4, ["empty"], "empty: holds no picture, video or keypoint file"),
        (4, ["*.avi"], "*.avi: nothing matches"),
        (2, ["0"], "0: is a camera or a stream"),
        (5, ["dark.png", "-m", "fak"], "no model named 'fak'"),
        (6, ["stage.jsonl", "--rules", "defalt"], "defalt: no such file of rules; did you mean"),
        (6, ["stage.jsonl", "--rules", "bad.toml"], "bad.toml, line 1: is not TOML"),
        (6, ["stage.jsonl", "--with", "gone.pose"], "gone.pose: "),
        (6, ["stage.jsonl", "--with", "bad.toml"], "bad.toml: is no classifier; name a file"),
        (2, ["stage.jsonl", "--kinds", "gestur"], "kinds: no kind named 'gestur'; did you mean"),
        (2, ["stage.jsonl", "--kinds", ","], "--kinds: wanted kinds with commas, got ','"),
        (2, ["stage.jsonl", "--person", "x"], "--person: wanted an id or 'all', got 'x'"),
        (2, ["stage.jsonl", "--person", "9"], "no person with id 9; its ids are 1, 2"),
        (2, ["stage.jsonl", "--fps", "0"], "--fps: wanted more than 0, got 0"),
        (2, ["stage.jsonl", "-o", "a.xyz"], "a.xyz: nothing is known to end in '.xyz'; choose"),
        (2, ["stage.jsonl", "-o", "events"], "events: the name has no suffix; choose one of .csv"),
        (2, ["stage.jsonl", "--summary", "a.svg"], "choose one of .png, .jpg, .jpeg, .webp"),
        (2, ["stage.jsonl", "-o", "a.png"], "one picture cannot hold a video"),
        (2, ["stage.jsonl", "-o", "a/", "-o", "b/"], "b/: there can be one folder of outputs"),
        (2, ["stage.jsonl", "dark.png", "-o", "a.mp4"], "do not go into one picture; name a fold"),
        (7, ["stage.jsonl", "-o", "full.csv"], "full.csv: exists already; add --overwrite"),
        (7, ["stage.jsonl", "-o", "text.mp4"], "text.mp4: exists already; add --overwrite"),
        (7, ["stage.jsonl", "-o", "text.mp4/"], "is a file, not a folder"),
        (7, ["stage.jsonl", "-o", "no/a.csv"], "no/a.csv: there is no folder no; make it first"),
        (7, ["empty/a.mp4", "-o", "empty/"], "empty/: holds the source empty/a.mp4; choose anot"),
        (7, ["full.csv", "-o", "full.csv", "--overwrite"], "full.csv: is also the source"),
    ],
)  # fmt: skip
def test_what_cannot_be(tmp_path, monkeypatch, capsys, code, words, message) -> None:
    monkeypatch.chdir(tmp_path)
    write_clip(_clip(), "stage.jsonl")
    Path("text.mp4").write_text("no video at all")
    Path("bad.toml").write_text("version =")
    Path("full.csv").write_text("x")
    Path("empty").mkdir()
    if "empty/a.mp4" in words:
        Path("empty/a.mp4").touch()
    Image.new("RGB", (64, 48)).save("dark.png")
    layout = _clip().skeleton
    nobody = tuple(Poses.empty(layout, index=n, time=n / 10) for n in range(5))
    write_clip(Clip(nobody, Header(layout)), "nobody.jsonl")
    before = sorted(tmp_path.rglob("*"))
    words = words if "-m" in words else [*words, "-m", "fake"]
    assert run(["classify", *words, "--no-progress"]) == code
    said = capsys.readouterr()
    assert message in said.err and said.err.startswith("poise: error: "), said.err
    assert said.err.count("\n") == 1 and said.out == ""
    assert sorted(tmp_path.rglob("*")) == before


def test_labels_stand_at_their_people_and_apart() -> None:
    events = (Event(1, "hello", "gesture", 0, 4, 1.0), Event(2, "fall", "fall", 0, 0.5, 1.0))
    painter, poses = LabelPainter(_account(*events)), _clip().frames[10]
    blank = np.full((240, 320, 3), 255, np.uint8)
    bare = LabelPainter(_account()).paint(blank, poses)
    painted = painter.paint(blank, poses)
    red = np.abs(painted.astype(int) - FALL_COLOUR).max(axis=2) < 40
    ys, xs = np.nonzero(red)
    box = poses.boxes[1]
    assert len(xs) > 100 and box[0] - 40 < xs.mean() < box[2] + 40 and ys.mean() < box[1] + 5
    left = np.abs(painted.astype(int) - bare).max(axis=2)[:, :160] > 60
    assert left.sum() > 100


def test_a_fall_is_shown_for_two_seconds_more() -> None:
    account = _account(Event(2, "fall", "fall", 1.0, 1.5, 0.9), Event(1, "a", "b", 1.0, 1.5, 1))
    assert set(account.active(1.5)) == {1, 2}
    assert set(account.active(3.4)) == {2} and not account.active(3.6) and not account.active(0.9)


def test_plates_of_two_in_one_place_do_not_cover_each_other() -> None:
    from poise.classification.overlay import _overlap, _Plate

    taken: list = []
    canvas = np.zeros((240, 320, 3), np.uint8)
    body = (150.0, 100.0, 190.0, 200.0)
    for person in range(3):
        event = Event(person, "sitting", "posture", 0, 1, 1.0)
        _Plate(person, [event], body, canvas).find_place(taken)
    pairs = [(a, b) for n, a in enumerate(taken) for b in taken[:n]]
    assert len(taken) == 3 and not any(_overlap(a, b) for a, b in pairs)
    assert all(x0 >= 0 and y0 >= 0 and x1 <= 320 for x0, y0, x1, _ in taken)


def test_footage_of_another_size_and_unknown_sizes(tmp_path) -> None:
    frames = tuple(poses.replace(size=(0, 0)) for poses in _clip().frames[:3])
    header = replace(_clip().header, size=(0, 0))
    account = give_account("a.npy", Clip(frames, header), ())
    write_overlay(account, tmp_path / "a.mp4")
    with read_frames(tmp_path / "a.mp4") as reader:
        assert reader.size[0] > 150 and len(list(reader)) == 3


def test_the_summary_has_bars_where_the_events_are() -> None:
    event = Event(1, "hello", "gesture", 1.0, 3.0, 0.9)
    account = _account(event)
    image = paint_summary(account)
    colour = pick_colours(account.events)["gesture", "hello"]
    near = np.abs(image.astype(int) - colour).max(axis=2) < 8
    rows = near.sum(axis=1)
    wide = int(rows.max())
    last = float(_clip().times[-1])
    assert wide == pytest.approx(2.0 / last * (1280 - 28 - 160), rel=0.15)
    empty = paint_summary(_account())
    assert empty.shape[1] == 1280 and empty.shape[0] < image.shape[0] + 30


def test_colours_stay_apart_and_falls_are_red() -> None:
    labels = [Event(1, f"l{n}", "posture", 0, 1, 1) for n in range(12)]
    colours = pick_colours([*labels, Event(1, "fall", "fall", 0, 1, 1)])
    assert len(set(colours.values())) == 13 and colours["fall", "fall"] == FALL_COLOUR


@pytest.mark.parametrize(
    ("seconds", "decimals", "text"),
    [
        (0, 1, "0:00.0"), (59.97, 1, "1:00.0"), (62.34, 1, "1:02.3"), (75, 0, "1:15"),
        (-1.5, 1, "-0:01.5"),
    ],
)  # fmt: skip
def test_times_are_minutes_and_seconds(seconds: float, decimals: int, text: str) -> None:
    assert format_time(seconds, decimals) == text


def test_the_flags_are_the_options() -> None:
    from dataclasses import fields

    from typer.main import get_command

    command = get_command(app).commands["classify"]
    defaults = {parameter.name: parameter.default for parameter in command.params}
    for field in fields(ClassificationOptions):
        assert defaults[field.name] == field.default


def test_somebody_who_stands_still_stands(tmp_path) -> None:
    stage = Stage(Dancer(still("stand", 2.0)), size=(320, 240), fps=15.0)
    (event,) = classify(stage.clip("coco17"))
    assert (event.label, event.kind) == ("standing", "posture")
    assert event.end == pytest.approx(2.0, abs=0.2)


@pytest.mark.data
@pytest.mark.weights
def test_a_real_fall_is_named(data_dir, default_weights, capsys) -> None:
    video = str(data_dir / "videos" / "fall" / "fall-04-cam0.mp4")
    assert run(["classify", video, "--json", "-m", "blazepose", "--no-progress"]) == 0
    events = json.loads(capsys.readouterr().out)["events"]
    assert any(event["kind"] == "fall" for event in events)
