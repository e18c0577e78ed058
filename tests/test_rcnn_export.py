"""Keypoint R-CNN as one ONNX file: the same people as in torch, in both engines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxscript")

from poise.models import rcnn  # noqa: E402
from poise.models.rcnn.picture import prepare  # noqa: E402
from poise.poses import Poses  # noqa: E402
from rcnn_small import made_up_network, made_up_pictures, save_checkpoint, small_card  # noqa: E402


@pytest.fixture(scope="module", params=["torchvision", "detectron2"])
def files(request: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path, Path]:
    """A style, and a checkpoint of it as torch and as ONNX."""
    from test_rcnn_torch import to_detectron2

    folder = tmp_path_factory.mktemp("export")
    made = made_up_network(request.param, seed=0)
    path = save_checkpoint(folder / "small.pth", made)
    if request.param == "detectron2":
        torch.save(to_detectron2(made.state_dict()), path)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    rcnn.export(small_card(request.param), path, folder / "small.onnx")
    torch.set_num_threads(threads)
    return request.param, path, folder / "small.onnx"


def assert_same(found: Poses, wanted: Poses) -> None:
    assert len(found) == len(wanted)
    np.testing.assert_allclose(found.boxes, wanted.boxes, rtol=0, atol=1e-2)
    np.testing.assert_allclose(found.person_scores, wanted.person_scores, rtol=0, atol=1e-4)
    np.testing.assert_allclose(found.scores, wanted.scores, rtol=0, atol=1e-3)
    away = np.linalg.norm(found.keypoints - wanted.keypoints, axis=2)
    assert (away < 0.5).all()


@pytest.mark.parametrize(
    ("number", "score"), [(0, 0.1), (1, 0.1), (2, 0.1), (3, 0.1), (0, 1.0)], ids=str
)
def test_openvino_finds_the_same_people(
    files: tuple[str, Path, Path], number: int, score: float
) -> None:
    style, checkpoint, network = files
    picture, card = made_up_pictures()[number], small_card(style, score=score)
    wanted = rcnn.load(card, [checkpoint])(picture)
    model = rcnn.load(card, [network], precision="f32")
    found = model(picture)
    assert (len(wanted) > 5) == (score < 1)
    assert_same(found, wanted)
    assert model(picture).keypoints.tobytes() == found.keypoints.tobytes()


def test_onnx_runtime_finds_the_same_people(files: tuple[str, Path, Path]) -> None:
    runtime = pytest.importorskip("onnxruntime")
    style, checkpoint, path = files
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [entry.name for entry in session.get_inputs()]
    assert names == ["pixels", "size", "least_score"]

    class Engine:
        precision = "f32"

        def run(self, *arrays: Any) -> list[Any]:
            return session.run(None, dict(zip(names, arrays, strict=True)))

    card = small_card(style, score=0.1)
    for picture in made_up_pictures():
        wanted = rcnn.load(card, [checkpoint])(picture)
        assert_same(rcnn.KeypointRCNN(Engine(), card)(picture), wanted)


def test_the_file_is_whole_and_of_standard_operators(files: tuple[str, Path, Path]) -> None:
    model = onnx.load(files[2])
    onnx.checker.check_model(model)
    assert {entry.domain for entry in model.opset_import} == {""}
    assert [path.name for path in files[2].parent.iterdir()].count("small.onnx") == 1
    assert not list(files[2].parent.glob("*.data"))
    assert {"RoiAlign", "NonMaxSuppression"} <= {node.op_type for node in model.graph.node}
    sides = [side.dim_param for side in model.graph.input[0].type.tensor_type.shape.dim]
    assert all(sides[2:])
    assert not any(sides[:2])


def test_sizes_that_the_exporter_never_saw(files: tuple[str, Path, Path]) -> None:
    """The smallest there is, a long strip, and the size of a large photograph."""
    style, checkpoint, path = files
    card = small_card(style, score=0.8)
    engine = rcnn.load(card, [path], precision="f32")._engine
    torch_engine = rcnn.load(card, [checkpoint])._engine
    for width, height in ((64, 64), (1344, 64), (640, 480)):
        pixels = np.zeros((1, 3, height, width), np.float32)
        noise = np.random.default_rng(width).normal(size=pixels.shape)
        pixels += noise.astype(np.float32)
        size = np.array([width - 7, height - 3], np.float32)
        inputs = (pixels, size, np.array([0.5], np.float32))
        for found, wanted in zip(engine.run(*inputs), torch_engine.run(*inputs), strict=True):
            assert found.shape == wanted.shape
            np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-2)
    assert prepare(made_up_pictures()[0], card).pixels.dtype == np.float32
