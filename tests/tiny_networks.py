"""Small ONNX networks with random weights, shaped like those of the families."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
from onnx import helper, numpy_helper  # noqa: E402

FLOAT = onnx.TensorProto.FLOAT


class Tiny:
    """A graph that grows by one node at a time. The input is ``x``."""

    def __init__(self, shape: list[int | str], seed: int = 0, kind: int = FLOAT) -> None:
        self.random = np.random.default_rng(seed)
        self.input = helper.make_tensor_value_info("x", kind, shape)
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, value: np.ndarray) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(value, name))
        return name

    def node(self, kind: str, *inputs: str, name: str | None = None, **attributes: object) -> str:
        name = name or f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def conv(self, channels: int, stride: int, x: str = "x", inputs: int = 3) -> str:
        weights = self.random.normal(0, 0.4, (channels, inputs, stride, stride)) / stride
        bias = self.random.normal(0, 0.5, channels)
        names = [self.constant(part.astype(np.float32)) for part in (weights, bias)]
        return self.node("Conv", x, *names, strides=[stride, stride])

    def reshape(self, x: str, *shape: int) -> str:
        return self.node("Reshape", x, self.constant(np.array(shape, np.int64)))

    def save(self, path: Path, *outputs: str) -> Path:
        ports = [helper.make_empty_tensor_value_info(name) for name in outputs]
        for port in ports:
            port.type.tensor_type.elem_type = FLOAT
        graph = helper.make_graph(self.nodes, "tiny", [self.input], ports, self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
        model.ir_version = 8
        # So that the file declares the sizes of everything, as exporters write them.
        onnx.save(onnx.shape_inference.infer_shapes(model), str(path))
        return path


def heatmap(path: Path, batch: int | str = "batch") -> Path:
    """(N, 3, 64, 48) -> (N, 17, 16, 12) maps in 0..1."""
    net = Tiny([batch, 3, 64, 48])
    return net.save(path, net.node("Sigmoid", net.conv(17, 4)))


def simcc(path: Path) -> Path:
    """(N, 3, 64, 48) -> (N, 17, 48) columns and (N, 17, 64) rows in 0..1."""
    net = Tiny(["batch", 3, 64, 48])
    maps = net.node("Sigmoid", net.conv(17, 1))
    return net.save(path, *[net.node("ReduceMax", maps, axes=[a], keepdims=0) for a in (2, 3)])


def rtmdet(path: Path) -> Path:
    """(1, 3, 64, 64) -> (1, h, w, 5) for the strides 8, 16 and 32."""
    net = Tiny([1, 3, 64, 64])
    heads = [net.conv(5, stride) for stride in (8, 16, 32)]
    return net.save(path, *[net.node("Transpose", head, perm=[0, 2, 3, 1]) for head in heads])


def yolox(path: Path) -> Path:
    """(N, 3, 64, 64) -> (N, 84, 85)."""
    net = Tiny(["batch", 3, 64, 64])
    rows = []
    for stride in (8, 16, 32):
        columns = net.node("Transpose", net.conv(85, stride), perm=[0, 2, 3, 1])
        rows.append(net.reshape(columns, 0, -1, 85))
    return net.save(path, net.node("Sigmoid", net.node("Concat", *rows, axis=1)))


def movenet(path: Path) -> Path:
    """(1, 64, 64, 3) -> (1, 1, 17, 3) in 0..1."""
    net = Tiny([1, 64, 64, 3])
    planes = net.node("Transpose", "x", perm=[0, 3, 1, 2])
    small = net.conv(17 * 3, 64, planes)
    return net.save(path, net.reshape(net.node("Sigmoid", small), 1, 1, 17, 3))


def paf(path: Path) -> Path:
    """(1, 3, 64, 64) -> (1, 57, 8, 8): 19 heat maps, 38 fields."""
    net = Tiny([1, 3, 64, 64])
    return net.save(path, net.node("Tanh", net.conv(57, 8)))
