"""Numeric arrays of MATLAB's MAT-files of version 5 (``save -v6`` and ``-v7``).

Only what LSP and MPII keep: real arrays of numbers, compressed or not. Everything else in such a
file (texts, cells, structures) is passed over. scipy reads all of it, but is 35 MB to download and
more than a hundred on disk, for two data sets; this is a page of code, held against scipy in the
tests.

Source: MathWorks, "MAT-File Format", the chapter on level 5.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from poise.errors import InputError
from poise.evaluation.truth import Floats
from poise.io.formats.source import MAXIMUM_DOCUMENT, readable, well_formed

_MAGIC = b"MATLAB "
_HEADER = 128
_MATRIX, _COMPRESSED = 14, 15
_NUMBERS = {
    1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8",
}  # fmt: skip
_NUMERIC_CLASSES = range(6, 16)  # double, single and the eight kinds of whole numbers
_COMPLEX = 0x0800


def is_matlab(path: Path) -> bool:
    """Whether a file begins as MATLAB's do.

    Raises:
        InputError: It cannot be read.
    """
    with readable(path), path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def read_arrays(path: Path) -> dict[str, Floats]:
    """Return the real numeric arrays of a MAT-file by name, as float64.

    Raises:
        InputError: It cannot be read, is too large, or is of another version.
    """
    with readable(path):
        if path.stat().st_size > MAXIMUM_DOCUMENT:
            raise InputError(f"more than {MAXIMUM_DOCUMENT >> 20} MB", where=path)
        data = path.read_bytes()
    if data[:10] == b"MATLAB 7.3":
        raise InputError(
            "a MAT-file of version 7.3", where=path, remedy="save it with -v7 in MATLAB"
        )
    mark = data[_HEADER - 2 : _HEADER]
    if data[: len(_MAGIC)] != _MAGIC or mark not in (b"IM", b"MI"):
        raise InputError("no MAT-file of version 5", where=path)
    order = "<" if mark == b"IM" else ">"
    found: dict[str, Floats] = {}
    with well_formed(path, "MAT"):
        try:
            for kind, body in _elements(data[_HEADER:], order):
                content = next(_elements(_inflate(body), order)) if kind == _COMPRESSED else None
                shown, bytes_ = content or (kind, body)
                if shown == _MATRIX and (array := _array(bytes_, order)) is not None:
                    found[array[0]] = array[1]
        except (struct.error, zlib.error, StopIteration) as error:
            raise ValueError(str(error) or "it ends too early") from error
    return found


def _inflate(data: bytes) -> bytes:
    stream = zlib.decompressobj()
    content = stream.decompress(data, MAXIMUM_DOCUMENT)
    if stream.unconsumed_tail:
        raise ValueError(f"an array of more than {MAXIMUM_DOCUMENT >> 20} MB")
    return content


def _elements(data: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    """Yield the type and the bytes of each element; they begin at multiples of eight bytes."""
    place = 0
    while place + 8 <= len(data):
        kind, size = struct.unpack_from(f"{order}II", data, place)
        if kind >> 16:  # a small one: type and size in four bytes, the content in the next four
            kind, size, begin = kind & 0xFFFF, kind >> 16, place + 4
            end, place = begin + size, place + 8
        else:
            begin = place + 8
            end = begin + size
            place = end if kind == _COMPRESSED else begin + math.ceil(size / 8) * 8
        if end > len(data):
            raise ValueError("it ends too early")
        yield kind, data[begin:end]


def _array(data: bytes, order: str) -> tuple[str, Floats] | None:
    """Return name and values of a matrix element, or None where they are not real numbers."""
    parts = _elements(data, order)
    (flags,) = struct.unpack_from(f"{order}I", next(parts)[1])
    if flags & 0xFF not in _NUMERIC_CLASSES or flags & _COMPLEX:
        return None
    shape = np.frombuffer(next(parts)[1], f"{order}i4").tolist()
    name = next(parts)[1].decode("ascii", "replace")
    kind, raw = next(parts)
    # Whole numbers may be stored smaller than the class of the array says.
    values = np.frombuffer(raw, f"{order}{_NUMBERS[kind]}").astype(np.float64)
    return name, values.reshape(shape, order="F")
