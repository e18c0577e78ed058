"""The engine: cutting, batches, precision, pictures, errors, and that it writes nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from poise.errors import ModelError, UsageError, WeightsError
from poise.runtime import Pixels, Session, devices, engine


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Takes (1, 3, 4, 4); ``double`` is twice that, ``sums`` (1, 3) the sum of each channel."""
    ov = engine()
    op = ov.opset8

    x = op.parameter([1, 3, 4, 4], np.float32, name="x")
    double = op.multiply(x, np.float32(2))
    double.output(0).get_tensor().set_names({"double"})
    sums = op.reduce_sum(x, np.array([2, 3]), False)
    sums.output(0).get_tensor().set_names({"sums"})
    path = tmp_path_factory.mktemp("network") / "small.xml"
    ov.save_model(ov.Model([op.result(double), op.result(sums)], [x], "small"), str(path), False)
    return path


def pictures(count: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(count, 3, 4, 4)).astype(np.float32)


@pytest.mark.parametrize("streams", [1, 3])
@pytest.mark.parametrize("count", [1, 2, 7])
def test_a_batch_through_a_network_of_batch_size_one(
    network: Path, count: int, streams: int
) -> None:
    x = pictures(count)
    double, sums = Session(network, precision="f32", streams=streams).run(x)
    np.testing.assert_allclose(double, 2 * x, rtol=1e-6)
    np.testing.assert_allclose(sums, x.sum(axis=(2, 3)), rtol=1e-4, atol=1e-5)


def test_only_the_outputs_that_were_asked_for_in_their_order(network: Path) -> None:
    x = pictures(1)
    (sums,) = Session(network, outputs=["sums"], precision="f32").run(x)
    assert sums.shape == (1, 3)
    sums, double = Session(network, outputs=[1, "double"], precision="f32").run(x)
    assert (sums.shape, double.shape) == ((1, 3), (1, 3, 4, 4))


def test_pictures_are_converted_as_the_network_wants_them(network: Path) -> None:
    grey = np.random.default_rng(1).integers(0, 256, (2, 4, 4, 3), dtype=np.uint8)
    mean, std = (10.0, 20.0, 30.0), (2.0, 4.0, 8.0)
    pixels = Pixels(mean, std, order="BGR", layout="NCHW")
    session = Session(network, outputs=["double"], precision="f32", pixels=pixels)
    (double,) = session.run(grey)
    wanted = (grey[..., ::-1] - np.array(mean)) / np.array(std)
    np.testing.assert_allclose(double / 2, wanted.transpose(0, 3, 1, 2), rtol=1e-5)


def test_threads_share_a_session_without_mixing_their_results(network: Path) -> None:
    session = Session(network, outputs=["double"], precision="f32", streams=2)
    wrong: list[int] = []

    def work(number: int) -> None:
        x = np.full((1, 3, 4, 4), number, np.float32)
        for _ in range(50):
            if not (session.run(x)[0] == 2 * number).all():
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_the_precision_is_the_one_really_used(network: Path) -> None:
    assert Session(network, precision="f32").precision == "f32"
    assert Session(network).precision in ("f32", "bf16", "f16")


def test_unknown_choices_name_the_known_ones(network: Path) -> None:
    with pytest.raises(UsageError, match="bf16"):
        Session(network, precision="b16")
    with pytest.raises(ModelError, match="double"):
        Session(network, outputs=["doubel"])
    with pytest.raises(UsageError, match="CPU"):
        Session(network, device="NOPE")
    assert "CPU" in devices()


def test_a_file_that_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no such file"):
        Session(tmp_path / "absent.tflite")
    for name in ("broken.tflite", "broken.onnx", "broken.xml"):
        (tmp_path / name).write_bytes(b"this is no model" * 10)
        with pytest.raises(WeightsError, match=name) as caught:
            Session(tmp_path / name)
        assert "\n" not in str(caught.value)


def test_input_of_the_wrong_shape_says_what_was_wanted_and_what_came(network: Path) -> None:
    session = Session(network, precision="f32")
    with pytest.raises(ModelError, match=r"\(1, 3, 4, 4\).*\(1, 3, 5, 5\)"):
        session.run(np.zeros((1, 3, 5, 5), np.float32))
    assert session.run(pictures(1))[0].shape == (1, 3, 4, 4)


def test_the_engine_writes_nothing_into_a_fresh_home(tmp_path: Path) -> None:
    code = (
        "import sys, poise.runtime as r; assert 'openvino' not in sys.modules; r.devices();"
        "assert 'openvino' in sys.modules;"
        "assert sys.modules.get('openvino_telemetry', 1) is not None"
    )
    kept = {k: v for k, v in os.environ.items() if k not in ("CI", "HOME") and "XDG" not in k}
    home = {**kept, "HOME": str(tmp_path), "USERPROFILE": str(tmp_path)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, check=False, env=home, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.rglob("*")) == []
