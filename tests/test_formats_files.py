"""Keypoint files as files: real ones, broken ones, complete ones or none."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clips_made_up import assert_same_people
from poise.clip import Clip, Header
from poise.errors import InputError, MissingExtraError, OutputError, UsageError
from poise.io import detect_format, open_writer, read_clip, write_clip
from poise.io.clips import format_names
from poise.io.formats import source as source_module
from poise.io.formats.source import frame_numbers, natural_key
from poise.poses import Poses
from poise.skeleton import Skeleton, get_skeleton

COCO = get_skeleton("coco17")


def dancer(index: int = 0, people: int = 1, **fields: object) -> Poses:
    random = np.random.default_rng(index)
    return Poses(
        COCO,
        random.uniform(0, 600, (people, 17, 2)).astype(np.float32),
        random.uniform(0.1, 1, (people, 17)).astype(np.float32),
        index=index,
        time=index / 25,
        size=(640, 480),
        **fields,
    )


def dance(frames: int = 3) -> Clip:
    header = Header(COCO, "rtmpose-m", "f32", "dance.mp4", (640, 480), 25.0)
    return Clip(tuple(dancer(index) for index in range(frames)), header)


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


# ---- Poise JSONL, name by name


def test_jsonl_has_exactly_the_promised_names(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    keypoints = np.full((1, 17, 2), 1.23456, np.float32)
    keypoints[0, 1] = np.nan
    first = Poses(
        COCO, keypoints, np.full((1, 17), 0.123456), ids=np.array([4]), size=(640, 480),
        boxes=np.array([[1, 2, 3, 4]]), xyz=np.full((1, 17, 3), 0.123456),
        person_scores=np.array([0.98766]),
    )  # fmt: skip
    second = Poses.empty(COCO, index=1, time=1 / 30, size=(640, 480))
    third = dancer(2).replace(boxes=np.full((1, 4), np.nan, np.float32))
    with open_writer(path, dance().header) as out:
        for poses in (first, second, third):
            out.write(poses)
        out.truncated = True
    head, *frames, end = lines(path)
    assert head == {
        "poise": 1,
        "skeleton": "coco17",
        "keypoints": list(COCO.keypoints),
        "edges": [list(edge) for edge in COCO.edges],
        "model": "rtmpose-m",
        "precision": "f32",
        "source": "dance.mp4",
        "size": [640, 480],
        "fps": 25.0,
    }
    person = frames[0]["people"][0]
    assert list(frames[0]) == ["frame", "time", "people"]
    assert list(person) == ["id", "score", "box", "keypoints", "xyz"]
    assert person["id"] == 4 and person["score"] == 0.9877 and person["box"] == [1, 2, 3, 4]
    assert person["keypoints"][:3] == [[1.23, 1.23, 0.1235], None, [1.23, 1.23, 0.1235]]
    assert person["xyz"][0] == [0.1235, 0.1235, 0.1235]
    assert frames[1] == {"frame": 1, "time": 0.033333, "people": []}
    assert "xyz" not in frames[2]["people"][0]
    assert frames[2]["people"][0]["id"] is None and frames[2]["people"][0]["box"] is None
    assert end == {"end": {"frames": 3, "truncated": True}}
    assert read_clip(path).truncated


def test_jsonl_without_end_line_is_truncated(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write_clip(dance(), path)
    text = path.read_bytes()
    whole, cut = text.splitlines(keepends=True), tmp_path / "cut.jsonl"
    assert not read_clip(path).truncated
    cut.write_bytes(b"".join(whole[:-1]))
    assert read_clip(cut).truncated and len(read_clip(cut)) == 3
    cut.write_bytes(text[: text.index(b'"frame":2') + 40])  # killed in the middle of a line
    assert read_clip(cut).truncated and len(read_clip(cut)) == 2
    cut.write_bytes(whole[0])
    assert read_clip(cut).truncated and len(read_clip(cut)) == 0


def test_jsonl_errors_name_the_line(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write_clip(dance(), path)
    good = path.read_text().splitlines()

    def error(*rows: str) -> str:
        path.write_text("\n".join(rows) + "\n")
        with pytest.raises(InputError) as caught:
            read_clip(path, format="jsonl")
        assert "\n" not in str(caught.value)
        return str(caught.value)

    assert "line 3: not valid JSON" in error(*good[:2], '{"frame": oops}')
    assert "line 3: not a frame" in error(*good[:2], "[1]")
    assert "line 3: not a frame of this clip: no 'people'" in error(*good[:2], '{"frame":1}')
    short = good[2].replace("[[", "[[1,2,3],[", 1)
    assert "line 3: not a frame of this clip" in error(*good[:2], short)
    assert "line 6: text after the end line" in error(*good, good[1])
    assert "line 1: no header line" in error(good[1])
    newer = good[0].replace('"poise":1', '"poise":2')
    assert "format version 2, this Poise reads version 1; install a newer" in error(
        newer, *good[1:]
    )
    twice = good[0].replace('"left_eye"', '"nose"', 1)
    assert "same name" in error(twice, *good[1:])


def test_jsonl_keeps_an_unknown_skeleton(tmp_path: Path) -> None:
    dog = Skeleton("dog3", ("nose", "left_paw", "tail"), ((0, 2),))
    poses = Poses(dog, np.ones((1, 3, 2)), np.ones((1, 3)))
    write_clip(Clip((poses,), Header(dog)), tmp_path / "dog.jsonl")
    assert read_clip(tmp_path / "dog.jsonl").skeleton == dog


@pytest.mark.parametrize("name", ["a.jsonl", "a.npz", "a.csv", "a.parquet"])
def test_file_that_names_its_skeleton_is_believed(tmp_path: Path, name: str) -> None:
    write_clip(dance(), tmp_path / name)
    assert read_clip(tmp_path / name, skeleton="coco17").skeleton == COCO
    with pytest.raises(InputError, match=r"its skeleton is coco17|not the keypoints of body25"):
        read_clip(tmp_path / name, skeleton="body25")


def test_writer_without_header_takes_the_first_frame(tmp_path: Path) -> None:
    with open_writer(tmp_path / "a.jsonl") as out:
        out.write(dancer())
    assert read_clip(tmp_path / "a.jsonl").header == Header(COCO, size=(640, 480))
    with open_writer(tmp_path / "none.jsonl"):
        pass
    assert len(read_clip(tmp_path / "none.jsonl")) == 0


# ---- complete or nothing


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.npz", "a.parquet", "a/"])
def test_failure_leaves_nothing(tmp_path: Path, name: str) -> None:
    with pytest.raises(RuntimeError), open_writer(f"{tmp_path}/{name}") as out:
        out.write(dancer())
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a.jsonl", "a/"])
def test_nothing_has_the_final_name_before_the_end(tmp_path: Path, name: str) -> None:
    with open_writer(f"{tmp_path}/{name}") as out:
        out.write(dancer())
        assert not (tmp_path / name).exists()
    assert [path.name for path in tmp_path.iterdir()] == [name.rstrip("/")]


@pytest.mark.parametrize("name", ["a.jsonl", "a.npz", "a/"])
def test_existing_output_is_refused(tmp_path: Path, name: str) -> None:
    path = f"{tmp_path}/{name}"
    write_clip(dance(2), path)
    with pytest.raises(OutputError, match=r"exists already.*; add --overwrite to") as caught:
        write_clip(dance(3), path)
    assert caught.value.exit_code == 7
    assert len(read_clip(path)) == 2
    write_clip(dance(3), path, overwrite=True)
    assert len(read_clip(path)) == 3
    write_clip(dance(1), path, overwrite=True)
    assert len(read_clip(path)) == 1, "no frame of the longer run stays"


def test_failed_overwrite_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write_clip(dance(2), path)
    with pytest.raises(RuntimeError), open_writer(path, overwrite=True) as out:
        out.write(dancer())
        raise RuntimeError
    assert len(read_clip(path)) == 2


def test_overwriting_a_folder_leaves_what_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    write_clip(dance(1), tmp_path, overwrite=True)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert (tmp_path / "dance_000000000000_keypoints.json").is_file()


def test_file_that_appears_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with pytest.raises(OutputError, match="exists already"), open_writer(path) as out:
        out.write(dancer())
        path.write_text("another program was here")
    assert path.read_text() == "another program was here"
    assert list(tmp_path.iterdir()) == [path]


def test_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    target, link = tmp_path / "real" / "a.jsonl", tmp_path / "link.jsonl"
    write_clip(dance(1), target)
    link.symlink_to(target)
    write_clip(dance(2), link, overwrite=True)
    assert link.is_symlink() and len(read_clip(target)) == 2


def test_new_file_has_ordinary_permissions(tmp_path: Path) -> None:
    old = os.umask(0o022)
    try:
        write_clip(dance(1), tmp_path / "a.jsonl")
    finally:
        os.umask(old)
    assert (tmp_path / "a.jsonl").stat().st_mode & 0o777 == 0o644


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_full_disk(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="/dev/full: cannot be written: No space left") as caught:
        write_clip(dance(3000), "/dev/full", format="jsonl")
    assert caught.value.exit_code == 7 and caught.value.__cause__.errno == 28


def test_unwritable_names(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "d.jsonl").mkdir()
    for path in ("no/such/folder/a.jsonl", "file/a.jsonl", "x" * 300 + ".jsonl", "nul\0.jsonl"):
        with pytest.raises(OutputError, match="cannot be written"):
            open_writer(f"{tmp_path}/{path}")
    with pytest.raises(OutputError, match="is a folder; name a file in it"):
        open_writer(tmp_path / "d.jsonl", format="jsonl")
    with pytest.raises(OutputError, match="is a file, not a folder"):
        open_writer(tmp_path / "file", format="openpose")


def test_long_name_is_written(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 240 + ".jsonl")
    write_clip(dance(1), path)
    assert len(read_clip(path)) == 1


def test_standard_output() -> None:
    code = (
        "import numpy as np; from poise.io import open_writer; from poise.poses import Poses;"
        "from poise.skeleton import get_skeleton\n"
        "with open_writer('-') as out: out.write(Poses.empty(get_skeleton('coco17')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert [next(iter(json.loads(row))) for row in done.stdout.splitlines()] == [
        "poise",
        "frame",
        "end",
    ]


def test_wrong_use_of_a_writer(tmp_path: Path) -> None:
    message = "frame 0 has skeleton body25, the clip coco17"
    with (
        pytest.raises(UsageError, match=message),
        open_writer(tmp_path / "a.jsonl", Header(COCO)) as out,
    ):
        out.write(Poses.empty(get_skeleton("body25")))
    with open_writer(tmp_path / "b.jsonl") as out:
        out.write(dancer())
    with pytest.raises(UsageError, match="the writer is closed"):
        out.write(dancer())
    with pytest.raises(OutputError, match="two frames would be written as"):
        write_clip(Clip((dancer(1), dancer(1)), Header(COCO)), f"{tmp_path}/c/")
    with pytest.raises(OutputError, match=r"two frames would be written as 1\.jpg"):
        twice = Clip((dancer(1), dancer(1)), Header(COCO))
        write_clip(twice, tmp_path / "c.json", format="alphapose-cmu")
    with pytest.raises(OutputError, match="with or without 3D"):
        solid = dancer(1).replace(xyz=np.zeros((1, 17, 3), np.float32))
        write_clip(Clip((dancer(0), solid), Header(COCO)), tmp_path / "c.csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.jsonl"]


# ---- which format


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("a.jsonl", "jsonl"),
        ("A.CSV", "csv"),
        ("a.npz", "npz"),
        ("a.parquet", "parquet"),
        ("folder/", "openpose"),
        ("there", "openpose"),
        ("x.jpg.predictions.json", "openpifpaf"),
        ("alphapose-results.json", "alphapose"),
    ],
)
def test_name_chooses_the_format(tmp_path: Path, name: str, wanted: str) -> None:
    (tmp_path / "there").mkdir()
    write_clip(dance(1), f"{tmp_path}/{name}")
    assert detect_format(tmp_path / name) == wanted


def test_names_that_tell_no_format(tmp_path: Path) -> None:
    for name in ("a.json", "a.mp4", "a"):
        with pytest.raises(UsageError, match=r"does not tell .* coco-annotations"):
            open_writer(tmp_path / name)
    with pytest.raises(UsageError, match="no format named 'openpos'; did you mean 'openpose'"):
        open_writer(tmp_path / "a", format="openpos")
    with pytest.raises(UsageError, match="no format named"):
        read_clip(tmp_path / "a.jsonl", format="x")


def test_content_not_name_tells_the_format(tmp_path: Path) -> None:
    for name in format_names():
        path = f"{tmp_path}/{name}" + ("/" if name == "openpose" else ".dat")
        write_clip(dance(2), path, format=name)
        assert detect_format(path) == name
        if name not in ("npz", "npy", "parquet", "openpose"):  # a mark that editors put there
            marked = tmp_path / "marked"
            marked.write_bytes(b"\xef\xbb\xbf" + Path(path).read_bytes())
            if name != "openpifpaf":
                assert detect_format(marked) == name


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no known format"),
        (b"\0", "no known format"),
        (b"hello", "no known format"),
        (b"[]", "no known format"),
        (b"{}", "no known format"),
        (b"[1, 2]", "no known format"),
        (b'{"a": [}', "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b"[" + b"9" * 5000 + b"]", "not valid JSON"),
        (b'{"people": "x"}', "no known format"),
        (b'[{"image_id": 1, "keypoints": 5}]', "not a readable COCO results"),
        (b'[{"image_id": 1, "keypoints": [1, 2]}]', "0 keypoints; this system documents 17"),
        (b'[{"image_id": 1e999, "keypoints": %s}]' % str([1] * 51).encode(), "not a readable"),
        (b'{"people": [{"person_id": [-1]}]}', "not a readable OpenPose"),
        (b'{"people": [{"pose_keypoints_2d": [1, 2, 3]}]}', "25 .body25., 18 .coco18."),
        (b'{"images": [], "annotations": [{"image_id": 5, "keypoints": []}]}', "no 5"),
        (b'{"a.jpg": {"bodies": [{}]}}', "AlphaPose .cmu."),
        (b'[{"instances": [{"keypoints": 5, "keypoint_scores": [1]}]}]', "readable MMPose"),
        (b'[{"instances": [{"keypoints": [[1, 2]], "keypoint_scores": [1]}]}]', "have 1 keyp"),
        (b"frame,time,id,score,box_x0,box_y0,box_x1,box_y1,a_x\n", "its columns are not"),
        (b"frame,time,id,score,box_x0,box_y0,box_x1,box_y1,a_x,a_y,a_score\n1,2\n", "2 cells"),
        (b"PAR1 and then nothing", "not a readable Parquet"),
        (b"PK\x03\x04 poise.npy", "not a readable NPZ"),
        (b'{"poise": 1}', "no 'skeleton'"),
    ],
)  # fmt: skip
def test_bad_files_give_one_clear_line(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        read_clip(path)
    assert caught.value.exit_code == 6
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


def test_missing_and_unreadable_inputs(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file or folder"):
        read_clip(tmp_path / "no.jsonl")
    with pytest.raises(InputError, match="cannot be read: File name too long"):
        read_clip(tmp_path / ("x" * 300))
    with pytest.raises(InputError, match=r"holds no \.json file"):
        read_clip(tmp_path)
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        read_clip(tmp_path, format="jsonl")


def test_numbers_that_are_none_do_no_harm(tmp_path: Path) -> None:
    """NaN, infinities and giants in a file are absent, and the rest can be written again."""
    person = {"id": None, "score": 1e999, "box": [float("nan"), 0, 1e300, 5],
              "keypoints": [[1e300, 1, 1], [float("nan"), 1, 1], [1, 2, 1e999], *[None] * 14],
              "xyz": [[1e300, 1, 1], *[None] * 16]}  # fmt: skip
    path = tmp_path / "a.jsonl"
    write_clip(dance(0), path)
    head, end = path.read_text().splitlines()
    for frame, good in (({"frame": 0, "time": 0.5}, True), ({"frame": 10**30, "time": 0.5}, False),
                        ({"frame": 0, "time": float("inf")}, False)):  # fmt: skip
        path.write_text(f"{head}\n{json.dumps({**frame, 'people': [person]})}\n{end}\n")
        if not good:
            with pytest.raises(InputError, match="line 2: not a frame of this clip: no frame has"):
                read_clip(path)
            continue
        clip = read_clip(path)
        assert clip.frames[0].present[0].tolist() == [False, False, True] + [False] * 14
        assert clip.frames[0].scores[0, 2] == 1 and np.isnan(clip.frames[0].xyz[0, 0, 0])
        for name in format_names():
            write_clip(clip, f"{tmp_path}/{name}" + "/" * (name == "openpose"), format=name)


@pytest.mark.parametrize("name", format_names())
@given(data=st.data())
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_damaged_files_are_read_or_refused(tmp_path: Path, name: str, data: st.DataObject) -> None:
    path = tmp_path / "whole"
    if not path.exists():
        write_clip(dance(2), path, format=name)
    file = min(path.iterdir()) if path.is_dir() else path
    content = file.read_bytes()
    place = data.draw(st.integers(0, len(content) - 1))
    piece = data.draw(
        st.sampled_from(
            [b"", b"null", b"1e999", b"9" * 30, b"[", b'"', b"{}", b"\n", b"\xff", b"\r"]
        )
    )
    removed = data.draw(st.sampled_from([0, 1, 7, 100, len(content)]))
    damaged = tmp_path / "damaged"
    damaged.write_bytes(content[:place] + piece + content[place + removed :])
    for chosen in (None, name):
        try:
            clip = read_clip(damaged, format=chosen)
        except InputError as error:
            assert "\n" not in str(error)
        else:
            write_clip(clip, tmp_path / "again.jsonl", overwrite=True)


def test_huge_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_module, "MAXIMUM_DOCUMENT", 2**20)
    monkeypatch.setattr(source_module, "MAXIMUM_LINE", 2**20)
    path = tmp_path / "big.json"
    path.write_bytes(b"[" + b" " * 2**20 + b"]")
    with pytest.raises(InputError, match="a JSON file of more than 1 MB; split it"):
        read_clip(path, format="coco")
    path.write_bytes(b'{"poise":1,' + b" " * 2**20)
    with pytest.raises(InputError, match="line 1 is longer than 1 MB"):
        read_clip(path, format="jsonl")


def test_links_out_of_a_folder_are_not_followed(tmp_path: Path) -> None:
    write_clip(dance(2), f"{tmp_path}/in/")
    secret = save(tmp_path / "secret.json", {"people": []})
    (tmp_path / "in" / "x_000000000009_keypoints.json").symlink_to(secret)
    with pytest.raises(InputError, match="a link out of it"):
        read_clip(tmp_path / "in")


def test_nothing_pickled_is_read(tmp_path: Path) -> None:
    write_clip(dance(), tmp_path / "good.npz")
    with np.load(tmp_path / "good.npz") as file:
        arrays = dict(file)
    arrays["keypoints"] = np.array([print], object)
    np.savez(tmp_path / "bad.npz", allow_pickle=True, **arrays)
    with pytest.raises(InputError, match="not a readable NPZ file: Object arrays cannot be loaded"):
        read_clip(tmp_path / "bad.npz", format="npz")


def test_packed_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("poise.io.formats.npz.MAXIMUM_DOCUMENT", 2**20)
    with zipfile.ZipFile(tmp_path / "b.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("poise.npy", b"\0" * 2**21)
    with pytest.raises(InputError, match="unpacks to more than 1 MB"):
        read_clip(tmp_path / "b.npz")


def test_npz_says_what_it_is_without_poise(tmp_path: Path) -> None:
    write_clip(dance(), tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz", allow_pickle=False) as file:
        assert json.loads(str(file["poise"]))["keypoints"] == list(COCO.keypoints)
        assert file["people"].tolist() == [1, 1, 1] and file["keypoints"].shape == (3, 17, 2)


def test_missing_extra_says_the_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"need pyarrow; pip install 'poise\[parquet\]'"):
        open_writer(tmp_path / "a.parquet")
    assert list(tmp_path.iterdir()) == []


def test_importing_io_is_light() -> None:
    code = (
        "import sys, poise.io.clips; "
        "print(sorted({'av', 'PIL', 'pyarrow', 'typer', 'openvino'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


# ---- what other systems write


def save(path: Path, document: object) -> Path:
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_openpose_folder_of_another_program(tmp_path: Path) -> None:
    flat = [10.0, 20.0, 0.5] + [0, 0, 0] * 24
    person = {"person_id": [-1], "pose_keypoints_2d": flat}
    for number in (10, 9, 2):
        people = [person, {"person_id": [-1], "pose_keypoints_2d": []}] if number == 9 else []
        save(tmp_path / f"v_{number:012d}_keypoints.json", {"version": 1.3, "people": people})
    clip = read_clip(tmp_path, fps=10)
    assert [poses.index for poses in clip.frames] == [2, 9, 10]
    assert clip.times.tolist() == pytest.approx([0.2, 0.9, 1.0])
    assert clip.skeleton.name == "body25" and clip.frames[1].ids is None
    poses = clip.frames[1]
    assert poses.keypoints[0, 0].tolist() == [10, 20] and np.isnan(poses.keypoints[0, 1:]).all()
    assert not poses.present[1].any(), "a person without keypoints is a person"
    assert read_clip(tmp_path, skeleton="body25b").skeleton.name == "body25b"
    with pytest.raises(InputError, match="have 25 keypoints, skeleton coco17 has 17"):
        read_clip(tmp_path, skeleton="coco17")


@pytest.mark.parametrize(("count", "name"), [(25, "body25"), (18, "coco18"), (15, "mpii15")])
def test_openpose_layout_by_count(tmp_path: Path, count: int, name: str) -> None:
    person = {"person_id": [3], "pose_keypoints_2d": [1.0, 1.0, 0.5] * count}
    clip = read_clip(save(tmp_path / "a.json", {"version": 1.3, "people": [person]}))
    assert clip.skeleton.name == name and clip.frames[0].ids.tolist() == [3]


def test_written_openpose_is_what_openpose_writes(tmp_path: Path) -> None:
    write_clip(dance(1), f"{tmp_path}/out/")
    (file,) = (tmp_path / "out").iterdir()
    assert file.name == "dance_000000000000_keypoints.json"
    document = json.loads(file.read_text())
    assert document["version"] == 1.3 and len(document["people"][0]["pose_keypoints_2d"]) == 75
    assert list(document["people"][0]) == [
        "person_id", "pose_keypoints_2d", "face_keypoints_2d", "hand_left_keypoints_2d",
        "hand_right_keypoints_2d", "pose_keypoints_3d", "face_keypoints_3d",
        "hand_left_keypoints_3d", "hand_right_keypoints_3d",
    ]  # fmt: skip
    assert document["people"][0]["person_id"] == [-1]


def test_mmpose_picture_video_and_demo_forms(tmp_path: Path) -> None:
    person = {
        "keypoints": [[5.0, 6.0]] * 17,
        "keypoint_scores": [0.5] * 17,
        "bbox": [[1.0, 2.0, 3.0, 4.0]],
        "bbox_score": 0.75,
    }
    picture = read_clip(save(tmp_path / "p.json", [person]))
    assert len(picture) == 1 and picture.frames[0].boxes.tolist() == [[1, 2, 3, 4]]
    assert picture.frames[0].person_scores.tolist() == [0.75]
    frames = [{"frame_id": 4, "instances": [person]}, {"frame_id": 5, "instances": []}]
    for document in (frames, {"meta_info": {}, "instance_info": frames}):
        video = read_clip(save(tmp_path / "v.json", document), fps=2)
        assert video.times.tolist() == [2, 2.5] and len(video.frames[0]) == 1
    assert len(read_clip(save(tmp_path / "e.json", []), format="mmpose")) == 1


def test_alphapose_ids(tmp_path: Path) -> None:
    def entry(image: object, idx: object) -> dict[str, object]:
        return {"image_id": image, "category_id": 1, "keypoints": [1, 2, 1.2] * 17, "score": 2.5,
                "box": [1, 2, 10, 20], "idx": idx}  # fmt: skip

    path = save(tmp_path / "a.json", [entry("2.jpg", 7), entry("2.jpg", 3), entry("10.jpg", [0.0])])
    clip = read_clip(path)
    assert [poses.index for poses in clip.frames] == [2, 10]
    assert clip.names == ("2.jpg", "10.jpg")
    assert clip.frames[0].ids.tolist() == [7, 3] and clip.frames[1].ids is None
    assert clip.frames[0].scores.max() == 1, "AlphaPose goes above 1, Poise does not"
    assert clip.frames[0].boxes[0].tolist() == [1, 2, 11, 22]
    assert clip.frames[0].person_scores[0] == 2.5


def test_coco_annotations_visibility_and_crowds(tmp_path: Path) -> None:
    keypoints = [1, 2, 2, 3, 4, 1] + [0, 0, 0] * 15
    person = {"image_id": 8, "keypoints": keypoints, "bbox": [0, 0, 5, 5], "iscrowd": 0}
    document = {
        "images": [{"id": 8, "file_name": "x.jpg", "width": 64, "height": 48}],
        "annotations": [person, {**person, "iscrowd": 1}],
        "categories": [{"id": 1, "keypoints": list(COCO.keypoints), "skeleton": [[1, 2]]}],
    }
    clip = read_clip(save(tmp_path / "a.json", document))
    poses = clip.frames[0]
    assert clip.skeleton == COCO and clip.names == ("x.jpg",) and poses.size == (64, 48)
    assert len(poses) == 1 and poses.index == 8
    assert poses.scores[0, :3].tolist() == [1, 0.5, 0]


def test_coco_results_are_what_pycocotools_reads(tmp_path: Path) -> None:
    tools = pytest.importorskip("pycocotools.coco")
    write_clip(dance(), tmp_path / "truth.json", format="coco-annotations")
    write_clip(dance(), tmp_path / "found.json", format="coco")
    from contextlib import redirect_stdout

    from pycocotools.cocoeval import COCOeval

    with redirect_stdout(io.StringIO()):
        truth = tools.COCO(str(tmp_path / "truth.json"))
        judge = COCOeval(truth, truth.loadRes(str(tmp_path / "found.json")), "keypoints")
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    assert judge.stats[0] == pytest.approx(1)


def test_image_id_is_the_number_that_names_the_picture(tmp_path: Path) -> None:
    clip = Clip((dancer(0), dancer(1)), Header(COCO), ("000000397133.jpg", "cat.jpg"))
    write_clip(clip, tmp_path / "a.json", format="coco")
    entries = json.loads((tmp_path / "a.json").read_text())
    assert [entry["image_id"] for entry in entries] == [397133, 1]


def test_openpifpaf_marks_and_video_lines(tmp_path: Path) -> None:
    person = {"keypoints": [0.0, -3.0, 0.0] + [5.0, 6.0, 0.5] * 16, "bbox": [1, 1, 9, 9],
              "score": 0.5, "category_id": 1, "id_": 2}  # fmt: skip
    one = read_clip(save(tmp_path / "x.jpg.predictions.json", [person]))
    assert not one.frames[0].present[0, 0] and one.frames[0].present[0, 1:].all()
    assert one.frames[0].ids.tolist() == [2]
    path = tmp_path / "video.json"
    rows = [json.dumps({"frame": n, "predictions": [person][: n % 2]}) for n in (1, 2, 3)]
    path.write_text("\n".join(rows))
    assert [len(poses) for poses in read_clip(path).frames] == [1, 0, 1]


def test_numbers_in_names() -> None:
    assert frame_numbers(["cam01.0000", "cam01.0007"]) == [0, 7]
    assert frame_numbers(["v_000000000012_keypoints", "v_000000000003_keypoints"]) == [12, 3]
    assert frame_numbers(["000000081988.jpg.predictions"]) == [81988]
    assert frame_numbers(["a1", "b1"]) == [0, 1], "numbers that repeat tell nothing"
    assert frame_numbers(["a", "b2"]) == [0, 1]
    assert sorted(["f10", "f9", "F1", "f"], key=natural_key) == ["F1", "f", "f9", "f10"]


# ---- real files


@pytest.mark.data
@pytest.mark.parametrize(
    ("place", "form", "frames", "people", "skeleton"),
    [
        ("alphapose/masterhm_alphapose-results.json", "alphapose", 206, 449, "coco17"),
        ("alphapose/masterhm_alphapose-results_old.json", "alphapose", 13, 15, "coco17"),
        ("openpifpaf/000000081988.jpg.predictions.json", "openpifpaf", 1, 5, "coco17"),
        ("openpose_pose2sim_multi/cam01_json", "openpose", 100, 300, "body25b"),
        ("openpose_pose2sim_multi/cam02_json", "openpose", 100, 300, "body25b"),
        ("openpose_pose2sim_balancing/cam01_json", "openpose", 100, 201, "body25b"),
        ("openpose_pose2sim_balancing/cam02_json", "openpose", 100, 200, "body25b"),
        ("coco/person_keypoints_val2017_first1000.json", "coco-annotations", 538, 2164, "coco17"),
    ],
)
def test_real_files(
    data_dir: Path, tmp_path: Path, place: str, form: str, frames: int, people: int, skeleton: str
) -> None:
    path = data_dir / "keypoints" / place
    assert detect_format(path) == form
    clip = read_clip(path, skeleton=skeleton if form == "openpose" else None)
    assert (len(clip), sum(map(len, clip.frames))) == (frames, people)
    assert clip.skeleton.name == skeleton
    again = f"{tmp_path}/{path.name}" + ("/" if path.is_dir() else "")
    write_clip(clip, again, format=form)
    back = read_clip(again)
    assert [poses.index for poses in back.frames] == [poses.index for poses in clip.frames]
    assert back.names == clip.names
    for before, after in zip(clip.frames, back.frames, strict=True):
        assert before.size == after.size
        assert_same_people(before, after, person=0.000501, boxes=form != "openpose")


@pytest.mark.data
def test_real_openpose_numbers(data_dir: Path) -> None:
    """Against the numbers in the file itself: nothing moved, nothing swapped."""
    folder = data_dir / "keypoints" / "openpose_pose2sim_balancing" / "cam01_json"
    clip = read_clip(folder, skeleton="body25b")
    for poses in (clip.frames[0], clip.frames[57]):
        people = json.loads((folder / f"cam01.{poses.index:04d}.json").read_text())["people"]
        for person, ours in zip(people, poses.keypoints, strict=True):
            theirs = np.float32(person["pose_keypoints_2d"]).reshape(25, 3)
            seen = theirs.any(axis=1)
            np.testing.assert_array_equal(ours[seen], theirs[seen, :2])
            assert np.isnan(ours[~seen]).all()


@pytest.mark.data
@pytest.mark.parametrize("form", ["jsonl", "npz", "parquet", "csv", "coco", "mmpose", "openpifpaf"])
def test_real_tracks_survive_every_conversion(data_dir: Path, tmp_path: Path, form: str) -> None:
    clip = read_clip(data_dir / "keypoints/alphapose/masterhm_alphapose-results_old.json")
    path = tmp_path / f"x.{form}"
    write_clip(clip, path, format=form)
    back = read_clip(path)
    assert len(back) == len(clip)
    for before, after in zip(clip.frames, back.frames, strict=True):
        assert_same_people(before, after, score=0.00505, person=0.000505)


def test_a_layout_whose_edges_count_from_0_is_read() -> None:
    from poise.io.formats.coco import category_skeleton

    names = ["root", "knee", "foot"]
    edges = [[0, 1], [1, 2]]
    for first in (0, 1):
        counted = [[a + first, b + first] for a, b in edges]
        document = {"categories": [{"id": 1, "keypoints": names, "skeleton": counted}]}
        assert category_skeleton(document).edges == ((0, 1), (1, 2))
