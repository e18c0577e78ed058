"""ONNX Runtime as an engine: equal to OpenVINO on the same file, what it refuses, its silence."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image as Pictures

from poise.errors import MissingExtraError, ModelError, UsageError, WeightsError
from poise.models import heatmap, load_model, movenet, paf, rtmdet, simcc, yolox
from poise.models.card import Card
from poise.models.steps import fit
from poise.models.table import CARDS
from poise.poses import Frame
from poise.runtime import Pixels, Session, devices, engine_version, on_onnxruntime
from poise.runtime.onnx_file import resize
from poise.runtime.plan import Plan

if importlib.util.find_spec("onnxruntime") is None:
    pytest.skip("onnxruntime is not installed", allow_module_level=True)

import tiny_networks as tiny

BOTH = ("openvino", "onnxruntime")
MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def card(kind: str, **facts: object) -> Card:
    given = {"skeleton": "coco17", "size": (48, 64), "mean": MEAN, "std": STD, **facts}
    return Card(name="tiny", family="tiny", kind=kind, **given)


def on(engine: str, path: Path, **kwargs: object) -> Session:
    return Session(path, engine=engine, precision="f32", **kwargs)


# One case a kind of network: its file, its family, its card, and how it answers.
def _crops(model: object) -> tuple[np.ndarray, np.ndarray]:
    read = model.read(noise(5, *model.size[::-1], 3))
    return read.keypoints, read.scores


def _boxes(model: object) -> tuple[np.ndarray, np.ndarray]:
    (found,) = model.detect([noise(90, 120, 3)])
    return found.boxes, found.scores


def _people(model: object) -> tuple[np.ndarray, np.ndarray]:
    (poses,) = model.estimate([Frame(noise(90, 120, 3))])
    return poses.keypoints, poses.scores


def _fields(model: object) -> tuple[np.ndarray, np.ndarray]:
    # Random fields make no people: what people would be made of.
    return paf.split(model._session.run(noise(1, 64, 64, 3)), model.layout, "NCHW")


SQUARE = {"size": (64, 64), "skeleton": ""}
KINDS = {
    "heat maps": (tiny.heatmap, heatmap, card("crop"), _crops),
    "heat maps, mirrored too": (
        tiny.heatmap, heatmap, card("crop", settings={"flip": True}), _crops,
    ),
    "SimCC": (tiny.simcc, simcc, card("crop", settings={"split": 1.0}), _crops),
    "RTMDet, larger": (tiny.rtmdet, rtmdet, card("detector", skeleton="", size=(96, 96)), _boxes),
    "YOLOX, BGR": (tiny.yolox, yolox, card("detector", **SQUARE, channels="BGR"), _boxes),
    "MoveNet, channels last": (
        tiny.movenet, movenet, card("crop", size=(64, 64), layout="NHWC", mean=(0.0,) * 3), _people,
    ),
    "PAF": (tiny.paf, paf, card("pose", skeleton="coco18", size=(64, 64)), _fields),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_both_engines_read_the_same_from_a_network_of_each_kind(tmp_path: Path, kind: str) -> None:
    make, family, row, ask = KINDS[kind]
    path = make(tmp_path / "tiny.onnx")
    (places, scores), (others, sure) = (
        ask(family.load(row, [path], precision="f32", engine=engine)) for engine in BOTH
    )
    assert len(places)
    assert places.shape == others.shape
    np.testing.assert_allclose(others, places, atol=0.5)
    np.testing.assert_allclose(sure, scores, atol=1e-3)
    assert np.ptp(places) > 1


@pytest.mark.parametrize("engine", BOTH)
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("order", ["RGB", "BGR"])
@pytest.mark.parametrize("planar", [False, True])
def test_pictures_are_converted_by_the_same_arithmetic(
    tmp_path: Path, engine: str, layout: str, order: str, planar: bool
) -> None:
    net = tiny.Tiny([2, 3, 4, 6] if layout == "NCHW" else [2, 4, 6, 3])
    path = net.save(tmp_path / "same.onnx", net.node("Identity", "x"))
    pixels = Pixels((10.0, 20.0, 30.0), (2.0, 4.0, 8.0), order, layout, planar=planar)
    # As a crop is whose colours lie apart in memory.
    pictures = noise(2, 3, 4, 6).transpose(0, 2, 3, 1) if planar else noise(2, 4, 6, 3)
    session = on(engine, path, pixels=pixels)
    assert session.input_shapes == [[2, 4, 6, 3]]
    session.input_shapes[0][0] = -1  # both pictures at once, as the network has them
    (seen,) = session.run(pictures)
    channels = pictures[..., ::-1] if order == "BGR" else pictures
    wanted = (channels - np.array(pixels.mean)) / np.array(pixels.std)
    wanted = wanted if layout == "NHWC" else wanted.transpose(0, 3, 1, 2)
    np.testing.assert_allclose(seen, wanted, rtol=1e-6)


def test_only_the_outputs_that_were_asked_for_in_their_order(tmp_path: Path) -> None:
    path = tiny.simcc(tmp_path / "two.onnx")
    x = np.ones((1, 3, 64, 48), np.float32)
    columns, rows = on("onnxruntime", path).run(x)
    (again,) = on("onnxruntime", path, outputs=["n3"]).run(x)
    np.testing.assert_array_equal(again, rows)
    first, second = on("onnxruntime", path, outputs=[1, "n2"]).run(x)
    assert (first.shape, second.shape) == (rows.shape, columns.shape)
    with pytest.raises(ModelError, match=r"no output 'simcc_x'; it has n2, n3"):
        on("onnxruntime", path, outputs=["simcc_x"])


@pytest.mark.parametrize("engine", BOTH)
@pytest.mark.parametrize("batch", [1, "batch"])
def test_what_is_read_from_a_crop_does_not_depend_on_the_others(
    tmp_path: Path, engine: str, batch: int | str
) -> None:
    path = tiny.heatmap(tmp_path / "maps.onnx", batch)
    crops = noise(7, 64, 48, 3)
    session = on(engine, path, streams=2, pixels=Pixels(MEAN, STD))
    together = session.run(crops)[0]
    apart = np.concatenate([session.run(crop[None])[0] for crop in crops])
    np.testing.assert_array_equal(together, apart)
    single = on(engine, path, streams=1, pixels=Pixels(MEAN, STD)).run(crops)[0]
    np.testing.assert_allclose(single, together, atol=1e-5)


@pytest.mark.parametrize("engine", BOTH)
def test_a_batch_that_may_vary_runs_as_one_where_there_is_one_stream(
    tmp_path: Path, engine: str
) -> None:
    session = on(engine, tiny.heatmap(tmp_path / "maps.onnx"), pixels=Pixels(MEAN, STD))
    assert session.input_shapes == [[-1, 64, 48, 3]]
    assert session.run(noise(3, 64, 48, 3))[0].shape == (3, 17, 16, 12)
    # Devices other than the CPU are fast with batches.
    assert Plan(streams=2, pixels=Pixels()).each_alone(-1)
    assert not Plan(streams=2, pixels=Pixels(), device="CUDA").each_alone(-1)
    # What is read from a crop does not change with the number of threads.
    limited = Plan(streams=2, threads=1, pixels=Pixels())
    assert (limited.lanes, limited.each_alone(-1)) == (1, True)


def test_threads_share_a_session_without_mixing_their_results(tmp_path: Path) -> None:
    path = tiny.heatmap(tmp_path / "maps.onnx")
    session = on("onnxruntime", path, streams=2, pixels=Pixels(MEAN, STD))
    pictures = [noise(2, 64, 48, 3, seed=seed) for seed in range(4)]
    wanted = [session.run(each)[0] for each in pictures]
    wrong: list[int] = []

    def work(number: int) -> None:
        for _ in range(30):
            if not np.array_equal(session.run(pictures[number])[0], wanted[number]):
                wrong.append(number)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert wrong == []


RUN = """
import hashlib, sys
import numpy as np
from poise.runtime import Pixels, Session
session = Session(sys.argv[1], engine=sys.argv[2], precision="f32", streams=2, pixels=Pixels())
maps = session.run(np.random.default_rng(0).integers(0, 256, (6, 64, 48, 3), dtype=np.uint8))[0]
print(hashlib.sha256(maps.tobytes()).hexdigest())
"""


@pytest.mark.parametrize("engine", BOTH)
def test_runs_and_processes_give_the_same_bytes(tmp_path: Path, engine: str) -> None:
    path = tiny.heatmap(tmp_path / "maps.onnx")
    session = on(engine, path, streams=2, pixels=Pixels())
    first, second = (session.run(noise(6, 64, 48, 3))[0].tobytes() for _ in range(2))
    assert first == second
    command = [sys.executable, "-c", RUN, str(path), engine]
    said = [subprocess.run(command, capture_output=True, check=True).stdout for _ in range(2)]
    assert said[0] == said[1]


def test_the_threads_may_be_limited(tmp_path: Path) -> None:
    path = tiny.heatmap(tmp_path / "maps.onnx")
    for engine in BOTH:
        one, two = (
            on(engine, path, threads=threads, streams=2, pixels=Pixels()).run(noise(2, 64, 48, 3))
            for threads in (1, 2)
        )
        np.testing.assert_allclose(one[0], two[0], atol=1e-5)
        with pytest.raises(UsageError, match="threads: wanted at least 1, got 0"):
            on(engine, path, threads=0)
    compiled = on("openvino", path, threads=1)._network._compiled
    assert compiled.get_property("INFERENCE_NUM_THREADS") == 1


def test_a_watch_is_told_when_the_network_ran(tmp_path: Path) -> None:
    seen: list[tuple[float, float]] = []
    session = Session(
        tiny.heatmap(tmp_path / "maps.onnx"), engine="onnxruntime", pixels=Pixels(),
        watch=lambda began, ended: seen.append((began, ended)),
    )  # fmt: skip
    session.run(noise(3, 64, 48, 3))
    session.run(noise(1, 64, 48, 3))
    assert len(seen) == 2
    assert seen[0][0] < seen[0][1] <= seen[1][0] < seen[1][1]


def test_what_it_cannot_do_is_refused_in_one_line_with_the_remedy(tmp_path: Path) -> None:
    path = tiny.heatmap(tmp_path / "maps.onnx")
    heads = {"model.tflite": b"\0\0\0\0TFL3", "model.xml": b"<net/>", "graph.PB": b"\n\1x"}
    for name, head in heads.items():
        (tmp_path / name).write_bytes(head)
        with pytest.raises(ModelError, match=r"ONNX Runtime runs ONNX files.*engine openvino"):
            on("onnxruntime", tmp_path / name)
    with pytest.raises(ModelError, match=r"maps\.onnx: .*adds steps.*engine openvino"):
        on("onnxruntime", path, then=lambda ends: ends)
    for precision in ("bf16", "f16"):
        with pytest.raises(UsageError, match=f"not in {precision}; take the precision f32"):
            Session(path, engine="onnxruntime", precision=precision)
    with pytest.raises(UsageError, match="no engine 'onnxruntme'; did you mean 'onnxruntime'"):
        Session(path, engine="onnxruntme")
    with pytest.raises(UsageError, match=r"no device 'CUDA' here; pip install onnxruntime-gpu"):
        on("onnxruntime", path, device="CUDA")
    with pytest.raises(UsageError, match=r"no device 'XYZ' here; choose one of CPU$"):
        on("onnxruntime", path, device="XYZ")
    with pytest.raises(ModelError, match="not NHWC colour pictures"):
        on("onnxruntime", path, pixels=Pixels(layout="NHWC"))


def test_files_that_are_no_models(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no such file"):
        on("onnxruntime", tmp_path / "absent.onnx")
    whole = tiny.heatmap(tmp_path / "maps.onnx").read_bytes()
    for name, content in (("noise", b"this is no model" * 9), ("short", whole[: len(whole) // 2])):
        file = tmp_path / f"{name}.onnx"
        file.write_bytes(content)
        with pytest.raises(WeightsError, match=rf"{name}\.onnx: is no network that can") as caught:
            on("onnxruntime", file)
        assert "\n" not in str(caught.value)


def test_arrays_that_do_not_fit_say_what_was_wanted_and_what_came(tmp_path: Path) -> None:
    path = tiny.heatmap(tmp_path / "maps.onnx", 1)
    plain = on("onnxruntime", path)
    with pytest.raises(ModelError, match=r"\(1, 3, 64, 48\), got float32 \(1, 3, 5, 5\)") as caught:
        plain.run(np.zeros((1, 3, 5, 5), np.float32))
    assert "\n" not in str(caught.value)
    with pytest.raises(ModelError, match="float64"):
        plain.run(np.zeros((1, 3, 64, 48)))
    pictures = on("onnxruntime", path, pixels=Pixels())
    for wrong in (noise(1, 64, 40, 3), noise(1, 64, 48, 4), np.zeros((2, 64, 48, 3), np.float32)):
        with pytest.raises(ModelError, match=r"takes \(1, 64, 48, 3\), got"):
            pictures.run(wrong)
    assert pictures.run(noise(2, 64, 48, 3))[0].shape == (2, 17, 16, 12)


def test_another_input_size_is_written_into_the_file(tmp_path: Path) -> None:
    import onnx

    path = tiny.rtmdet(tmp_path / "heads.onnx")
    small, large = (on("onnxruntime", path, pixels=Pixels(size=s)) for s in (None, (96, 160)))
    assert [out.shape for out in small.run(noise(1, 64, 64, 3))] == [
        (1, 8, 8, 5), (1, 4, 4, 5), (1, 2, 2, 5),
    ]  # fmt: skip
    assert large.input_shapes == [[1, 160, 96, 3]]
    assert large.run(noise(1, 160, 96, 3))[0].shape == (1, 20, 12, 5)
    before = path.read_bytes()
    after = onnx.load_from_string(resize(before, "x", [1, 3, 160, 300]))
    onnx.checker.check_model(after)
    sides = after.graph.input[0].type.tensor_type.shape.dim
    assert [side.dim_value for side in sides] == [1, 3, 160, 300]
    model = onnx.load_from_string(before)
    assert list(after.graph.node) == list(model.graph.node)
    assert list(after.graph.initializer) == list(model.graph.initializer)
    assert after.opset_import == model.opset_import
    for cut in (1, 7, len(before) - 3):
        with pytest.raises(ValueError, match=r"the file ends|no field"):
            resize(before[:cut], "x", [1])


def test_a_size_that_the_network_cannot_take_is_refused(tmp_path: Path) -> None:
    path = tiny.movenet(tmp_path / "net.onnx")
    pixels = Pixels(layout="NHWC", size=(128, 96))
    with pytest.raises(ModelError, match=r"net\.onnx: .*cannot be made \(1, 96, 128, 3\).*card"):
        on("onnxruntime", path, pixels=pixels)


@pytest.mark.parametrize("engine", BOTH)
@pytest.mark.parametrize("kind", ["UINT8", "INT32", "DOUBLE"])
def test_networks_that_take_other_numbers_get_them(tmp_path: Path, engine: str, kind: str) -> None:
    net = tiny.Tiny([1, 4, 4, 3], kind=getattr(tiny.onnx.TensorProto, kind))
    path = net.save(tmp_path / "net.onnx", net.node("Cast", "x", to=tiny.FLOAT))
    pictures = noise(1, 4, 4, 3)
    (seen,) = on(engine, path, pixels=Pixels(layout="NHWC", order="BGR")).run(pictures)
    np.testing.assert_array_equal(seen, pictures[..., ::-1])


def test_numbers_of_sixteen_bits_come_out_as_float32(tmp_path: Path) -> None:
    half = tiny.onnx.TensorProto.FLOAT16
    net = tiny.Tiny([1, 3, 4, 4], kind=half)
    two = net.constant(np.array(2, np.float16))
    path = net.save(tmp_path / "half.onnx", net.node("Mul", "x", two))
    model = tiny.onnx.load(str(path))
    model.graph.output[0].type.tensor_type.elem_type = half
    tiny.onnx.save(model, str(path))
    session = on("onnxruntime", path, pixels=Pixels())
    assert session.precision == "f16"
    pictures = noise(1, 4, 4, 3)
    (double,) = session.run(pictures)
    assert double.dtype == np.float32
    np.testing.assert_array_equal(double, 2.0 * pictures.transpose(0, 3, 1, 2))


def test_without_the_package_the_line_that_installs_it_is_said(monkeypatch, tmp_path) -> None:
    path = tiny.heatmap(tmp_path / "maps.onnx")
    on_onnxruntime.engine.cache_clear()
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    try:
        with pytest.raises(MissingExtraError, match=r"pip install 'poise\[onnxruntime\]'"):
            on("onnxruntime", path)
        with pytest.raises(MissingExtraError):
            engine_version("onnxruntime")
    finally:
        on_onnxruntime.engine.cache_clear()


class StandInEngine:
    """Remembers what a session was made with; has the providers that it is told."""

    def __init__(self, *providers: str, used: tuple[str, ...] | None = None) -> None:
        self.providers, self.used = [*providers, "CPUExecutionProvider"], used
        self.made: list[tuple[SimpleNamespace, list[str], list[dict[str, str]]]] = []
        self.SessionOptions = lambda: SimpleNamespace(enable_mem_pattern=True)

    def get_available_providers(self) -> list[str]:
        return self.providers

    def InferenceSession(self, model, options, chosen, settings):
        self.made.append((options, chosen, settings))
        port = SimpleNamespace(name="x", shape=["n", 3, 8, 8], type="tensor(float)")
        return SimpleNamespace(
            get_providers=lambda: list(self.used or chosen),
            get_inputs=lambda: [port],
            get_outputs=lambda: [port],
            run=lambda names, given: [given["x"]],
        )


@pytest.fixture
def stand_in(monkeypatch):
    def put(*providers: str, used: tuple[str, ...] | None = None) -> StandInEngine:
        engine = StandInEngine(*providers, used=used)
        monkeypatch.setattr(on_onnxruntime, "engine", lambda: engine)
        return engine

    return put


def test_a_device_is_a_provider_of_the_engine(stand_in, tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(b":\1x")  # a graph, by its first byte
    cuda = stand_in("CUDAExecutionProvider")
    assert devices("onnxruntime") == ["CUDA", "CPU"]
    on("onnxruntime", tmp_path / "net.onnx", device="cuda:1")
    ((options, chosen, settings),) = cuda.made
    assert chosen == ["CUDAExecutionProvider", "CPUExecutionProvider"]
    assert settings[0]["device_id"] == "1"
    assert settings[0]["use_tf32"] == "0"  # f32 is not rounded to ten bits
    Session(tmp_path / "net.onnx", engine="onnxruntime", device="CUDA")
    assert cuda.made[1][2] == [{}, {}]
    assert options.enable_mem_pattern


def test_directml_runs_one_picture_at_a_time(stand_in, tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(b":\1x")  # a graph, by its first byte
    directml = stand_in("DmlExecutionProvider")
    session = on(
        "onnxruntime", tmp_path / "net.onnx", device="DirectML", streams=4, pixels=Pixels()
    )
    assert not directml.made[0][0].enable_mem_pattern
    assert session._network._pool._max_workers == 1
    assert session.run(noise(3, 8, 8, 3))[0].shape == (3, 3, 8, 8)


def test_a_device_that_the_engine_quietly_leaves_out_is_an_error(stand_in, tmp_path) -> None:
    (tmp_path / "net.onnx").write_bytes(b":\1x")  # a graph, by its first byte
    stand_in("CUDAExecutionProvider", used=("CPUExecutionProvider",))
    with pytest.raises(UsageError, match="no way to use the device 'CUDA'; check its driver"):
        on("onnxruntime", tmp_path / "net.onnx", device="CUDA")


SILENCE = """
import os, sys
import poise.runtime as r
assert "onnxruntime" not in sys.modules
assert "CPU" in r.devices("onnxruntime")
r.Session(sys.argv[1], engine="onnxruntime")
assert "onnxruntime" in sys.modules
assert "ORT_DISABLE_TELEMETRY" not in os.environ
"""


def test_the_engine_writes_nothing_into_a_fresh_home(tmp_path: Path) -> None:
    path = tiny.heatmap(tmp_path / "maps.onnx")
    home = tmp_path / "home"
    home.mkdir()
    hidden = ("CI", "HOME", "ORT_DISABLE_TELEMETRY", "GITHUB_ACTIONS")
    kept = {k: v for k, v in os.environ.items() if k not in hidden and "XDG" not in k}
    env = {**kept, "HOME": str(home), "USERPROFILE": str(home), "TMPDIR": str(home)}
    command = [sys.executable, "-c", SILENCE, str(path)]
    done = subprocess.run(command, check=False, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert list(home.rglob("*")) == []


def test_a_family_that_knows_no_engines_says_so(monkeypatch) -> None:
    family = SimpleNamespace(load=lambda card, paths, *, precision: (card.name, precision))
    monkeypatch.setattr("poise.models.loading.stranger_family", lambda name: family)
    row = Card(name="odd", family="odd", kind="pose", skeleton="coco17")
    assert load_model(card=row) == ("odd", "auto")
    assert load_model(card=row, precision="f32", watch=lambda *times: None) == ("odd", "f32")
    with pytest.raises(ModelError, match="odd: models of the family 'odd' take no engine"):
        load_model(card=row, engine="onnxruntime")


REAL = {
    "rtmdet-nano": (rtmdet, "rtmdet_nano_person_zhouwei.onnx"),
    "yolox-nano": (yolox, "yolox_nano.onnx"),
}


@pytest.mark.data
@pytest.mark.parametrize("name", REAL)
def test_both_engines_read_the_same_from_photographs(data_dir: Path, name: str) -> None:
    """Every cell of the real networks, before the best are chosen among near ties."""
    family, file = REAL[name]
    one, other = (
        family.load(CARDS[name], [data_dir / "weights/detectors" / file], precision="f32", engine=e)
        for e in BOTH
    )
    folder = data_dir / "labelled/coco_mini/train2017"
    for path in sorted(folder.glob("*.jpg"))[:8]:
        picture = np.asarray(Pictures.open(path).convert("RGB"))
        canvas, factors = fit(picture, CARDS[name].size)
        (boxes, scores), (others, sure) = (
            m._decode(m._session.run(canvas[None])) for m in (one, other)
        )
        likely = scores > 0.01
        assert np.abs(boxes - others)[likely].max() / factors.min() < 0.5
        assert np.abs(scores - sure).max() < 1e-3
        (found,), (again,) = one.detect([picture]), other.detect([picture])
        assert len(found) == len(again)
        np.testing.assert_allclose(again.scores, found.scores, atol=1e-3)


@pytest.mark.data
def test_a_real_detector_gives_the_same_bytes_twice(data_dir: Path) -> None:
    family, file = REAL["yolox-nano"]
    path = data_dir / "weights/detectors" / file
    picture = np.asarray(Pictures.open(data_dir / "weights/tinypose/demo_7.jpg").convert("RGB"))
    seen = []
    for _ in range(2):
        detector = family.load(CARDS["yolox-nano"], [path], precision="f32", engine="onnxruntime")
        (found,) = detector.detect([picture])
        seen.append(found.boxes.tobytes() + found.scores.tobytes())
    assert seen[0] == seen[1]
    assert len(found) >= 4
