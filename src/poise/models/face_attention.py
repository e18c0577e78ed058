"""The face mesh network with attention, whose three own operations OpenVINO does not know.

Google's TFLite file reads the whole face, then cuts lips and eyes out of its own features, turned
upright, and reads those again. Cutting out is done by operations that only MediaPipe has
(``mediapipe/util/tflite/operations``: ``landmarks_to_transform_matrix``,
``transform_tensor_bilinear`` and ``transform_landmarks``, each in its second version; Apache-2.0).
Here they are made of OpenVINO's. Their settings are those that the file holds.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Unpack

import numpy as np

from poise.errors import ModelError, WeightsError
from poise.runtime import Compute, Session, engine

# Cells of a cut-out's side; how much larger it is than the part; and the side of the features.
_CUT, _SCALE, _FEATURES = 16, 1.5, 48

_LIPS = (
    61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 185, 40, 39, 37, 0, 267, 269, 270, 409,
    78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 191, 80, 81, 82, 13, 312, 311, 310, 415,
    76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306, 184, 74, 73, 72, 11, 302, 303, 304, 408,
    62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292, 183, 42, 41, 38, 12, 268, 271, 272, 407,
)  # fmt: skip
# MediaPipe calls this eye the left one: it is on the left of a picture, and the person's right.
_EYE = (
    33, 7, 163, 144, 145, 153, 154, 155, 133, 246, 161, 160, 159, 158, 157, 173,
    130, 25, 110, 24, 23, 22, 26, 112, 243, 247, 30, 29, 27, 28, 56, 190,
    226, 31, 228, 229, 230, 231, 232, 233, 244, 113, 225, 224, 223, 222, 221, 189,
    35, 124, 46, 53, 52, 65, 143, 111, 117, 118, 119, 120, 121, 128, 245,
    156, 70, 63, 105, 66, 107, 55, 193,
)  # fmt: skip
_OTHER_EYE = (
    263, 249, 390, 373, 374, 380, 381, 382, 362, 466, 388, 387, 386, 385, 384, 398,
    359, 255, 339, 254, 253, 252, 256, 341, 463, 467, 260, 259, 257, 258, 286, 414,
    446, 261, 448, 449, 450, 451, 452, 453, 464, 342, 445, 444, 443, 442, 441, 413,
    265, 353, 276, 283, 282, 295, 372, 340, 346, 347, 348, 349, 350, 357, 465,
    383, 300, 293, 334, 296, 336, 285, 417,
)  # fmt: skip
# Outputs that say better where some of the mesh's points are, and which
# (``tensors_to_face_landmarks_with_attention.pbtxt``).
REFINED: tuple[tuple[str, tuple[int, ...]], ...] = (
    ("output_lips", _LIPS),
    ("output_left_eye", _EYE),
    ("output_right_eye", _OTHER_EYE),
    ("output_left_iris", (468, 469, 470, 471, 472)),
    ("output_right_iris", (473, 474, 475, 476, 477)),
)
_MESH, _FLAG = "output_mesh_identity", "conv_faceflag"
# By the output of a part: the points around which it is cut out, and the two that are level in
# the cut-out, left and right in the picture.
_PARTS = {
    "output_lips": (_LIPS, (61, 291)),
    "output_left_eye": (_EYE, (33, 133)),
    "output_right_eye": (_OTHER_EYE, (362, 263)),
}


def read_attention(path: Path, **compute: Unpack[Compute]) -> Session:
    """Return a session of the network; its outputs are the mesh, those of ``REFINED``, the flag.

    It takes (1, 192, 192, 3) uint8 RGB crops. Where the device's own precision is coarser, f32 is
    used all the same: the places of the cut-outs must be exact to a fraction of a pixel.

    Raises:
        WeightsError: There is no such file, or it is not a TFLite file.
        ModelError: It is another network.
    """
    network = _read(path)
    outputs = [_output(network, name, path) for name in (_MESH, *(name for name, _ in REFINED))]
    for name, (points, level) in _PARTS.items():
        _complete(_output(network, name, path), points, level, path)
    for name in ("output_left_iris", "output_right_iris"):
        _complete_landmarks(_unknown(_output(network, name, path), path))
    ov = engine()
    whole = ov.Model([*outputs, _output(network, _FLAG, path)], network.get_parameters(), "mesh")
    whole.validate_nodes_and_infer_types()
    builder = ov.preprocess.PrePostProcessor(whole)
    builder.input(0).tensor().set_element_type(ov.Type.u8)
    builder.input(0).preprocess().convert_element_type(ov.Type.f32).scale(255.0)
    if compute.get("precision", "auto") == "auto":
        compute["precision"] = "f32"
    return Session.of(builder.build(), streams=2, **compute)


def _read(path: Path) -> Any:
    """Return the network, with a placeholder for each operation that OpenVINO does not know."""
    engine()
    from openvino import frontend as door

    if not Path(path).is_file():
        raise WeightsError("no such file", where=path)
    frontend = door.FrontEndManager().load_by_framework("tflite")
    try:
        return frontend.convert_partially(frontend.load(str(path)))
    except (RuntimeError, TypeError, door.GeneralFailure, door.InitializationFailure) as error:
        raise WeightsError("not a TFLite model that OpenVINO can read", where=path) from error


def _output(network: Any, name: str, path: Path) -> Any:
    for port in network.outputs:
        if name in port.get_names():
            return port
    known = ", ".join(sorted(port.get_any_name() for port in network.outputs))
    raise ModelError(
        f"wanted the face mesh with attention, whose outputs include {name}; got {known}",
        where=path,
    )


def _unknown(port: Any, path: Path) -> Any:
    """Return the nearest placeholder on the way up from an output or an input."""
    node = port.get_node()
    while "Framework" not in node.get_type_name():
        if not node.get_input_size():
            raise ModelError("wanted the face mesh with attention, got another one", where=path)
        node = node.input_value(0).get_node()
    return node


def _complete(port: Any, points: tuple[int, ...], level: tuple[int, int], path: Path) -> None:
    """Replace the three placeholders of one part."""
    op = engine().opset8
    landmarks = _unknown(port, path)
    matrix = _unknown(landmarks.input_value(1), path)
    bilinear = [
        target.get_node()
        for target in matrix.output(0).get_target_inputs()
        if "Framework" in target.get_node().get_type_name()
    ]
    if not bilinear:
        raise ModelError("wanted the face mesh with attention, got another one", where=path)
    made = _transform_matrix(op.squeeze(matrix.input_value(0), np.int32(0)), points, level)
    _replace(bilinear[0], _cut_out(bilinear[0].input_value(0), made))
    _replace(matrix, made)
    _complete_landmarks(landmarks)


def _complete_landmarks(node: Any) -> None:
    """Replace the operation that brings points of a cut-out back to the whole face."""
    op = engine().opset8
    points, matrix = node.input_value(0), op.squeeze(node.input_value(1), np.int32(0))
    turned = op.matmul(points, _part(matrix, (0, 0), (2, 2)), False, True)
    shift = op.reshape(_part(matrix, (0, 3), (2, 4)), np.array([1, 1, 2]), False)
    _replace(node, op.add(turned, shift))


def _transform_matrix(landmarks: Any, points: tuple[int, ...], level: tuple[int, int]) -> Any:
    """Return the node of the (1, 4, 4) map from a cut-out's cells to those of the features.

    Args:
        landmarks: Node of (468, 3) places in cells.
        points: The cut-out surrounds these, turned by two that are then level.
        level: The left and the right one of the two.
    """
    op = engine().opset8
    zero = np.int32(0)
    flat = _part(landmarks, (0, 0), (468, 2))
    ends = op.gather(flat, np.array(level, np.int32), zero)
    across = op.subtract(_part(ends, (1, 0), (2, 2)), _part(ends, (0, 0), (1, 2)))
    length = op.sqrt(op.reduce_sum(op.multiply(across, across), np.array([1]), True))
    # (1, 2): cosine and sine of the angle of the part; the rows of what turns it upright.
    right = op.divide(across, op.maximum(length, np.float32(1e-6)))
    cos, sin = _part(right, (0, 0), (1, 1)), _part(right, (0, 1), (1, 2))
    down = op.concat([op.negative(sin), cos], 1)
    axes = op.concat([right, down], 0)
    along = op.matmul(op.gather(flat, np.array(points, np.int32), zero), axes, False, True)
    low, high = (reduce(along, np.array([0]), True) for reduce in (op.reduce_min, op.reduce_max))
    middle = op.matmul(op.multiply(op.add(low, high), np.float32(0.5)), axes, False, False)
    cells = op.multiply(op.subtract(high, low), np.float32(_SCALE / _CUT))
    # Columns: what one cell to the right and one down in the cut-out are among the features.
    turn = op.multiply(op.transpose(axes, np.array([1, 0])), cells)
    corner = op.matmul(turn, np.full((2, 1), -_CUT / 2, np.float32), False, False)
    shift = op.add(op.transpose(middle, np.array([1, 0])), corner)
    upper = op.concat([turn, np.zeros((2, 1), np.float32), shift], 1)
    lower = np.array([[0, 0, 1, 0], [0, 0, 0, 1]], np.float32)
    return op.unsqueeze(op.concat([upper, lower], 0), zero)


def _cut_out(features: Any, matrix: Any) -> Any:
    """Return the node of a (1, 16, 16, C) cut-out of (1, 48, 48, C) features, read bilinearly.

    Cells are areas; what lies outside the middles of the outer cells is 0.
    """
    op = engine().opset8
    zero, last = np.int32(0), np.float32(_FEATURES - 1)
    rows, columns = np.mgrid[:_CUT, :_CUT].reshape(2, -1) + 0.5
    cells = np.stack([columns, rows, np.zeros_like(rows), np.ones_like(rows)]).astype(np.float32)
    mapped = op.matmul(_part(op.squeeze(matrix, zero), (0, 0), (2, 4)), cells, False, False)
    place = op.subtract(mapped, np.float32(0.5))
    near = op.minimum(op.maximum(place, np.float32(0)), last)
    inside = op.convert(op.reduce_logical_and(op.equal(place, near), np.array([0]), True), "f32")
    first = op.minimum(op.floor(near), np.float32(_FEATURES - 2))
    share = op.subtract(near, first)
    number = op.convert(
        op.matmul(np.array([[1, _FEATURES]], np.float32), first, False, False), "i32"
    )
    across, down = (_column(share, axis) for axis in (0, 1))
    flat = op.reshape(features, np.array([_FEATURES * _FEATURES, -1]), False)

    def read(step: int) -> Any:
        return op.gather(flat, op.squeeze(op.add(number, np.int32(step)), zero), zero)

    upper = _between(read(0), read(1), across)
    lower = _between(read(_FEATURES), read(_FEATURES + 1), across)
    seen = op.multiply(_between(upper, lower, down), _column(inside, 0))
    return op.reshape(seen, np.array([1, _CUT, _CUT, -1]), False)


def _column(rows: Any, number: int) -> Any:
    op = engine().opset8
    row = op.gather(rows, np.array([number], np.int32), np.int32(0))
    return op.transpose(row, np.array([1, 0]))


def _between(first: Any, second: Any, share: Any) -> Any:
    op = engine().opset8
    return op.add(first, op.multiply(op.subtract(second, first), share))


def _part(node: Any, first: tuple[int, int], end: tuple[int, int]) -> Any:
    return engine().opset8.slice(node, np.array(first), np.array(end), np.array([1, 1]))


def _replace(node: Any, other: Any) -> None:
    for target in node.output(0).get_target_inputs():
        target.replace_source_output(other.output(0))
