"""Another input size for an ONNX file, without the package ``onnx``.

ONNX Runtime keeps the sizes that a file declares. They are a few bytes of it, written as protocol
buffers (`protobuf`). The numbers here are those of
``onnx/onnx.proto``: ModelProto.graph, GraphProto.input, output and value_info, ValueInfoProto.name
and type, TypeProto.tensor_type, its elem_type and shape, and the shape's dim with its dim_value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from poise.runtime.protobuf import BYTES, VARINT, read_fields

_GRAPH, _INPUT, _OUTPUT, _VALUE_INFO = 7, 11, 12, 13
_NAME, _TYPE, _TENSOR, _SHAPE, _DIM, _VALUE = 1, 2, 1, 2, 1, 1

# Number and kind of a field, and its bytes without their length.
_Field = tuple[int, int, memoryview]
_Change = Callable[[memoryview], Iterable[bytes | memoryview]]


def resize(data: bytes, name: str, shape: Iterable[int]) -> bytes:
    """Return the bytes of an ONNX file with one input set to a shape.

    What the file declares of the sides of its outputs, and of all that lies between, is left out,
    since it holds for the old size only; an engine finds it anew.

    Args:
        data: The file.
        name: Of the input.
        shape: Length of each side.

    Raises:
        ValueError: The bytes are not those of an ONNX file.
    """
    sides = b"".join(
        part for side in shape for part in _write(_DIM, BYTES, _number_field(_VALUE, side))
    )

    def graph(field: _Field) -> Iterable[bytes | memoryview]:
        number, kind, payload = field
        if number == _VALUE_INFO:
            return ()
        if number == _OUTPUT or (number == _INPUT and _name(payload) == name):
            return _write(number, kind, _set_shape(payload, sides if number == _INPUT else None))
        return _write(*field)

    parts: list[bytes | memoryview] = []
    for field in _read(memoryview(data)):
        number, kind, payload = field
        if number == _GRAPH:
            whole = b"".join(part for inner in _read(payload) for part in graph(inner))
            parts.extend(_write(number, kind, whole))
        else:
            parts.extend(_write(*field))
    return b"".join(parts)


def _set_shape(value: memoryview, sides: bytes | None) -> bytes:
    """Return a ValueInfoProto with other sides, or with as many whose lengths are not declared."""

    def shape(payload: memoryview) -> Iterable[bytes | memoryview]:
        if sides is not None:
            return (sides,)
        return _changed(payload, _DIM, lambda side: ())

    def tensor(payload: memoryview) -> Iterable[bytes | memoryview]:
        return _changed(payload, _SHAPE, shape)

    def kind(payload: memoryview) -> Iterable[bytes | memoryview]:
        return _changed(payload, _TENSOR, tensor)

    return b"".join(_changed(value, _TYPE, kind))


def _changed(payload: memoryview, number: int, change: _Change) -> Iterator[bytes | memoryview]:
    for field in _read(payload):
        if field[0] == number and field[1] == BYTES:
            yield from _write(number, BYTES, b"".join(change(field[2])))
        else:
            yield from _write(*field)


def _name(value: memoryview) -> str:
    names = [bytes(payload) for number, _, payload in _read(value) if number == _NAME]
    return names[-1].decode(errors="replace") if names else ""


def _read(data: memoryview) -> Iterator[_Field]:
    for number, kind, place in read_fields(data, (0, len(data))):
        yield number, kind, data[slice(*place)]


def _write(number: int, kind: int, payload: bytes | memoryview) -> Iterator[bytes | memoryview]:
    yield _varint(number << 3 | kind)
    if kind == BYTES:
        yield _varint(len(payload))
    yield payload


def _number_field(number: int, value: int) -> bytes:
    return _varint(number << 3 | VARINT) + _varint(value)


def _varint(value: int) -> bytes:
    written = bytearray()
    while value > 127:
        written.append(value & 127 | 128)
        value >>= 7
    written.append(value)
    return bytes(written)
