"""Tiny ONNX networks that really look: they find the bright rectangle of a picture.

What such a network says is any affine function of the rectangle, such as the outputs of a pose
network for people who stand in it. So a test knows who must come back, through the real engine,
the letterbox, the channel order and the scale of the pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

# x0 y0 x1 y1 of the rectangle in input pixels -> the outputs of the network, in order.
Says = Callable[[np.ndarray], Sequence[np.ndarray]]


def rectangle(size: tuple[int, int], box: Sequence[int], colour: Sequence[int]) -> np.ndarray:
    """A black (H, W, 3) picture with a rectangle of one colour."""
    image = np.zeros((size[1], size[0], 3), np.uint8)
    x0, y0, x1, y1 = box
    image[y0:y1, x0:x1] = colour
    return image


def write_seer(
    path: Path,
    says: Says,
    size: tuple[int, int],
    *,
    names: Sequence[str] = (),
    channel: int = 0,
    bright: float = 150.0,
    nhwc: bool = False,
    kind: str = "FLOAT",
    free: bool = False,
    told: str = "",
) -> Path:
    """Write a network that finds what is brighter than ``bright`` in one channel of its input.

    Args:
        path: Where to.
        says: The outputs; whole numbers stay whole.
        size: Width and height of its input.
        names: Of the outputs.
        channel: The channel of the input that it looks at.
        bright: In what the network is given, so after mean and scale.
        nhwc: Whether channels come last.
        kind: Type of its input.
        free: Whether width and height may vary.
        told: Type of a second input, the width and height that places are multiplied by, or none.
    """
    onnx = pytest.importorskip("onnx")
    graph = _Graph(onnx)
    high, wide = (1, 2) if nhwc else (2, 3)
    side = ["height", "width"] if free else [size[1], size[0]]
    door = ["N", *side, 3] if nhwc else ["N", 3, *side]
    doors = [graph.value("images", kind, door)]
    image = graph.node("Cast", "images", to=onnx.TensorProto.FLOAT)
    plane = graph.node("Gather", image, graph.number([channel], np.int64), axis=3 if nhwc else 1)
    lit = graph.node("Greater", plane, graph.number([bright]))
    lit = graph.node("Cast", lit, to=onnx.TensorProto.FLOAT)
    ends = []
    for axis in (wide, high):
        line = graph.node("ReduceMax", lit, axes=[1, 2, 3][: axis - 1] + [1, 2, 3][axis:])
        line = graph.node("Reshape", line, graph.number([-1], np.int64))
        first = graph.node("ArgMax", line, axis=0)
        last = graph.node("ArgMax", line, axis=0, select_last_index=1)
        last = graph.node("Add", last, graph.number([1], np.int64))
        pair = [graph.node("Cast", end, to=onnx.TensorProto.FLOAT) for end in (first, last)]
        any_lit = graph.node("ReduceMax", line, axes=[0])
        ends.append([graph.node("Mul", end, any_lit) for end in pair])
    frame = [ends[0][0], ends[1][0], ends[0][1], ends[1][1], graph.number([1])]
    row = graph.node("Concat", *frame, axis=0)
    factor = None
    if told:
        doors.append(graph.value("orig_target_sizes", told, ["N", 2]))
        asked = graph.node("Cast", "orig_target_sizes", to=onnx.TensorProto.FLOAT)
        factor = graph.node("Div", asked, graph.number([size]))
    still = says(np.zeros(4))
    moved = [says(unit) for unit in np.eye(4)]
    outputs = []
    for number, value in enumerate(still):
        steps = [each[number] - value for each in moved]
        matrix = np.stack([step.ravel() for step in (*steps, value)])
        end = graph.node("MatMul", row, graph.number(matrix))
        end = graph.node("Reshape", end, graph.number(value.shape, np.int64))
        if factor and value.shape[-1] in (2, 4) and value.dtype.kind == "f":
            copies = graph.node("Concat", *[factor] * (value.shape[-1] // 2), axis=1)
            end = graph.node("Mul", end, copies)
        whole = value.dtype.kind in "iu"
        to = onnx.TensorProto.INT64 if whole else onnx.TensorProto.FLOAT
        name = names[number] if names else f"output{number}"
        graph.nodes.append(onnx.helper.make_node("Cast", [end], [name], to=to))
        outputs.append(graph.value(name, "INT64" if whole else "FLOAT", value.shape))
    graph.save(path, doors, outputs)
    return path


class _Graph:
    """Nodes and numbers that name themselves."""

    def __init__(self, onnx: Any) -> None:
        self.onnx, self.nodes, self.numbers = onnx, [], []

    def value(self, name: str, kind: str, shape: Sequence[Any]) -> Any:
        types = self.onnx.TensorProto
        return self.onnx.helper.make_tensor_value_info(name, getattr(types, kind), list(shape))

    def number(self, value: Any, dtype: Any = np.float32) -> str:
        name = f"number{len(self.numbers)}"
        self.numbers.append(self.onnx.numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def node(self, kind: str, *inputs: str, **settings: Any) -> str:
        name = f"node{len(self.nodes)}"
        self.nodes.append(self.onnx.helper.make_node(kind, list(inputs), [name], **settings))
        return name

    def save(self, path: Path, doors: list[Any], outputs: list[Any]) -> None:
        helper = self.onnx.helper
        graph = helper.make_graph(self.nodes, "seer", doors, outputs, self.numbers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
        model.ir_version = 8
        self.onnx.checker.check_model(model)
        self.onnx.save(model, str(path))


def crowd(seed: int = 0, count: int = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """People who overlap, in a unit square.

    Returns:
        (N, 17, 2) keypoints, (N, 17) scores, and (N, 4) boxes around the keypoints.
    """
    random = np.random.default_rng(seed)
    low = random.uniform(0, 0.5, (count, 1, 2))
    side = random.uniform(0.2, 0.5, (count, 1, 2))
    points = low + side * random.uniform(0, 1, (count, 17, 2))
    boxes = np.concatenate([points.min(axis=1), points.max(axis=1)], axis=1)
    return points, random.uniform(0.1, 1, (count, 17)), boxes


def into(frame: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Bring (..., 2) points, or (..., 4) boxes, of the unit square into a frame x0 y0 x1 y1."""
    pairs = points.reshape(*points.shape[:-1], -1, 2)
    placed = frame[:2] + pairs * (frame[2:] - frame[:2])
    return placed.reshape(points.shape)
