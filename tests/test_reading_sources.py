"""Which sources the words of a user name."""

from __future__ import annotations

import os
import socket
import tracemalloc
from pathlib import Path, PurePath

import pytest

from poise.errors import NoInputError
from poise.io.sources import find_sources


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def plant(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def relatives(*words: str, **options: bool) -> list[str]:
    return [str(source.relative) for source in find_sources(words, **options)]


def test_single_words(here: Path) -> None:
    plant(here, "a.jpg", "b.MP4", "c.gif", "odd.name")
    found = list(find_sources(["a.jpg", "b.MP4", Path("c.gif"), "odd.name", "-", "0"]))
    assert [(source.address, source.kind) for source in found] == [
        ("a.jpg", "image"),
        ("b.MP4", "video"),
        ("c.gif", "video"),
        ("odd.name", "video"),
        ("-", "stdin"),
        ("0", "camera"),
    ]
    assert found[0].relative == PurePath("a.jpg")


def test_addresses_keep_passwords_out_of_file_names() -> None:
    (source,) = find_sources(["rtsp://me:secret@door.local:554/cam/1?token=abc"])
    assert source.kind == "stream" and source.address.startswith("rtsp://me:secret@")
    assert str(source.relative) == "door.local_cam_1"
    with pytest.raises(NoInputError, match="only rtsp://"):
        find_sources(["ftp://door.local/a.mp4"])


def test_a_folder_is_mirrored_in_natural_order(here: Path) -> None:
    plant(here, "in/f10.jpg", "in/f2.JPG", "in/b/1.mp4", "in/a/x/2.webp", "in/notes.txt")
    plant(here, "in/.hidden.jpg", "in/.git/3.jpg", "in/readme", "in/a.ts")
    assert relatives("in") == ["f2.JPG", "f10.jpg", "a/x/2.webp", "b/1.mp4"]
    assert relatives("in/") == relatives("./in") == relatives(str(here / "in")) == relatives("in")
    assert relatives("in", recursive=False) == ["f2.JPG", "f10.jpg"]
    found = list(find_sources(["in"]))
    assert [Path(source.address).exists() for source in found] == [True] * 4
    os.chdir("in")
    assert relatives(".") == ["f2.JPG", "f10.jpg", "a/x/2.webp", "b/1.mp4"]
    assert relatives("../in/a/..") == relatives(".")


def test_relatives_never_collide(here: Path) -> None:
    plant(here, "one/in/a.jpg", "two/in/a.jpg", "a.jpg", "in.jpg")
    assert relatives("one/in", "two/in") == ["in/a.jpg", "in-2/a.jpg"]
    assert relatives("one/in/a.jpg", "two/in/a.jpg", "a.jpg") == ["a.jpg", "a-2.jpg", "a-3.jpg"]


def test_globs(here: Path) -> None:
    plant(here, "s1/a.mp4", "s2/a.mp4", "s10/a.mp4", "s2/notes.md", "s2/t/b.mp4", "x[1].jpg")
    assert relatives("s*/a.mp4") == ["s1/a.mp4", "s2/a.mp4", "s10/a.mp4"]
    assert relatives(f"{here}/s2/*") == ["a.mp4", "t/b.mp4"]
    assert relatives("s2/**/*.mp4") == ["a.mp4", "t/b.mp4"]
    assert relatives("x[1].jpg") == ["x[1].jpg"]  # a name before it is a pattern
    assert relatives("s?") == ["s1/a.mp4", "s2/a.mp4", "s2/t/b.mp4"]
    with pytest.raises(NoInputError, match=r"s\*/nothing\*"):
        find_sources(["s*/nothing*"])


def test_a_text_list(here: Path) -> None:
    plant(here, "d/a b.jpg", "d/in/1.mp4", "e.png", "d/other.txt")
    lines = ["\ufeff# my clips", "", "a b.jpg", "in", str(here / "e.png"), "http://h/v.mp4"]
    (here / "d/list.txt").write_text("\r\n".join([*lines, "gone.mp4", "-"]), encoding="utf-8")
    sources = find_sources(["d/list.txt"])
    assert [source.kind for source in sources] == ["image", "video", "image", "stream"]
    assert [Path(entry.path).name for entry in sources.skipped] == ["gone.mp4", "-"]
    assert relatives("d/list.txt") == ["a b.jpg", "in/1.mp4", "e.png", "h_v.mp4"]


def test_many_tells_one_source_from_several(here: Path) -> None:
    plant(here, "a.jpg", "in/b.jpg", "l.txt")
    (here / "l.txt").write_text("a.jpg\n")
    plural = {
        word: find_sources([word]).many for word in ("a.jpg", "0", "-", "in", "*.jpg", "l.txt")
    }
    assert plural == {
        "a.jpg": False, "0": False, "-": False, "in": True, "*.jpg": True, "l.txt": True,
    }  # fmt: skip
    assert find_sources(["a.jpg", "0"]).many


def test_nothing_found(here: Path) -> None:
    (here / "empty").mkdir()
    plant(here, "docs/notes.md")
    (here / "list.txt").write_text("# nothing\n")
    for words, says in [
        ([], "no source was named"),
        (["missing.mp4"], "missing.mp4: no such file or folder"),
        (["empty"], "empty: holds no picture or video"),
        (["docs"], "docs: holds no picture or video"),
        (["list.txt"], "list.txt: holds no picture or video"),
        (["*.mp4"], r"\*.mp4: no picture or video matches"),
        (["gone/a.mp4", "b.mp4", "c"], r"no such file or folder \(and 2 more\)"),
    ]:
        with pytest.raises(NoInputError, match=says) as caught:
            find_sources(words)
        assert caught.value.exit_code == 4 and "\n" not in str(caught.value)


def test_a_missing_word_does_not_stop_the_others(here: Path) -> None:
    plant(here, "a.jpg")
    sources = find_sources(["gone.jpg", "a.jpg"])
    assert [source.address for source in sources] == ["a.jpg"]
    assert [(entry.path, entry.reason) for entry in sources.skipped] == [
        ("gone.jpg", "no such file or folder")
    ]


def test_what_cannot_be_read_is_listed(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(here, "in/a.jpg", "in/locked/b.jpg", "in/z.jpg")
    os.mkfifo(here / "in/pipe.mp4")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("in/socket.mp4")
    (here / "in/broken.jpg").symlink_to("nowhere.jpg")
    scan = os.scandir

    def guarded(folder: str) -> object:
        if Path(folder).name == "locked":
            raise PermissionError(13, "Permission denied", folder)
        return scan(folder)

    monkeypatch.setattr(os, "scandir", guarded)
    sources = find_sources(["in"])
    assert [str(source.relative) for source in sources] == ["a.jpg", "z.jpg"]
    reasons = {Path(entry.path).name: entry.reason for entry in sources.skipped}
    assert reasons == {
        "pipe.mp4": "a pipe, socket or device, not a file",
        "socket.mp4": "a pipe, socket or device, not a file",
        "broken.jpg": "a broken link",
        "locked": "permission denied",
    }
    with pytest.raises(NoInputError, match="locked: permission denied"):
        find_sources(["in/locked"])
    with pytest.raises(NoInputError, match="a pipe, socket or device"):
        find_sources(["in/pipe.mp4"])


def test_links_are_followed_once(here: Path) -> None:
    plant(here, "real/a.jpg", "in/b.jpg")
    (here / "in/loop").symlink_to(here / "in")
    (here / "in/up").symlink_to(here)
    (here / "in/more").symlink_to(here / "real")
    (here / "in/c.jpg").symlink_to(here / "real/a.jpg")
    assert relatives("in")[:3] == ["b.jpg", "c.jpg", "more/a.jpg"]
    assert len(relatives("in")) == 3


def test_any_name(here: Path) -> None:
    names = [
        "ä ö.jpg",
        "new\nline.jpg",
        "💃.mp4",
        "-v.jpg",
        "%d.jpg",
        "a:b.mp4",
        "漢字.png",
        "#1.jpg",
    ]
    plant(here / "in", *names)
    assert sorted(relatives("in")) == sorted(names)
    assert all(relatives(f"./in/{name}") == [name] for name in names)
    odd = os.fsdecode(b"in/\xff.jpg")
    Path(odd).write_bytes(b"x")
    assert os.fsdecode(b"\xff.jpg") in relatives("in")


def test_ten_thousand_files_in_little_memory(here: Path) -> None:
    for folder in range(20):
        (here / f"in/s{folder}").mkdir(parents=True)
        for number in range(500):
            (here / f"in/s{folder}/{number}.jpg").touch()
    sources = find_sources(["in"])
    count = sum(1 for _ in sources)
    assert count == 10_000 and not sources.skipped
    tracemalloc.start()
    for _ in find_sources(["in"]):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000  # one folder at a time, not all of them
