"""Protocol buffers, as far as is needed: the fields of a message, and where their content lies.

A message is a row of fields: a number and a kind, and then its bytes
(protobuf.dev/programming-guides/encoding).
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_LENGTHS = {FIXED64: 8, FIXED32: 4}

Span = tuple[int, int]
Data = mmap.mmap | bytes | memoryview


class BrokenError(ValueError):
    """These bytes are no message, or not the whole of one."""


def read_fields(data: Data, span: Span) -> Iterator[tuple[int, int, Span]]:
    """Yield the number and kind of each field of a message, and the span of its content.

    Args:
        data: What the message lies in.
        span: Where it begins and ends.

    Raises:
        BrokenError: There is no such message.
    """
    place, end = span
    while place < end:
        key, place = _read_number(data, place, end)
        number, kind, start = key >> 3, key & 7, place
        if kind == VARINT:
            _, place = _read_number(data, place, end)
        elif kind == BYTES:
            length, start = _read_number(data, place, end)
            place = start + length
        elif kind in _LENGTHS:
            place += _LENGTHS[kind]
        else:
            raise BrokenError(f"no field of protocol buffers is of kind {kind}")
        if place > end or number == 0:
            raise BrokenError("the file ends in the middle of a field")
        yield number, kind, (start, place)


def _read_number(data: Data, place: int, end: int) -> tuple[int, int]:
    """Return the number that stands at a place, seven bits a byte, and the place behind it."""
    value = 0
    for shift in range(0, 70, 7):
        if place >= end:
            break
        byte = data[place]
        place += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, place
    raise BrokenError("the file ends in the middle of a number")
