"""What a file of a network is, told from its content before an engine reads it.

An engine that is handed anything tries everything: PyTorch's pickled code, text, files that lie
elsewhere. So only what looks whole and harmless is handed on: ONNX, TFLite, OpenVINO IR and
TensorFlow's frozen graphs, and of ONNX only what keeps its data in the same folder.
"""

from __future__ import annotations

import mmap
import zipfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from poise.errors import WeightsError
from poise.runtime.protobuf import BYTES, BrokenError, Span, read_fields

READABLE = "ONNX, TFLite, OpenVINO IR (.xml with its .bin) or a TensorFlow frozen graph (.pb)"
_PICKLED = (
    "is pickled code (as PyTorch's checkpoints are), which can do anything and is never run; "
    f"wanted {READABLE}"
)
_SUFFIXES = {".pth", ".pt", ".ckpt", ".pkl", ".pickle", ".joblib"}
# The first bytes of what people mistake for a network.
_STRANGERS = {
    b"\x89HDF": "is a Keras or HDF5 file",
    b"\x1f\x8b": "is a compressed archive",
    b"7z\xbc\xaf": "is a compressed archive",
    b"Rar!": "is a compressed archive",
    b"version https://git-lfs": "is a pointer to a file that Git LFS keeps, not the file",
    b"<!": "is a web page",
    b"<html": "is a web page",
    b"<HTML": "is a web page",
}

_Data = mmap.mmap | bytes


def check_network_files(files: Sequence[str | Path]) -> None:
    """Refuse what is not there, no network, not whole, or could do harm.

    Args:
        files: The network, and for OpenVINO IR perhaps its .bin.

    Raises:
        WeightsError: Says what came and what was wanted.
    """
    if not files:
        raise WeightsError("no file of weights was named")
    for file in files:
        if not Path(file).is_file():
            raise WeightsError("no such file", where=file)
    path = Path(files[0])
    try:
        with path.open("rb") as stream:
            if path.stat().st_size == 0:
                raise WeightsError(f"is empty; wanted {READABLE}", where=path)
            with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
                _check(path, data)
    except OSError as error:
        raise WeightsError(f"cannot be read ({error.strerror or error})", where=path) from error


def _check(path: Path, data: _Data) -> None:
    head = data[:64]
    if head[4:8] == b"TFL3" or _is_ir(head):
        return
    if _is_pickled(path, head):
        raise WeightsError(_PICKLED, where=path, remedy="export it, for example to ONNX")
    for start, what in {**_STRANGERS, b"PK": "is an archive"}.items():
        if head.startswith(start):
            raise WeightsError(f"{what}; wanted {READABLE}", where=path)
    try:
        kinds = {number for number, kind, _ in read_fields(data, (0, len(data))) if kind == BYTES}
        if 7 in kinds and data.find(b"location") >= 0:
            _check_outside(path, data)
    except BrokenError as error:
        raise WeightsError(
            f"is no network that can be read, or not the whole of one; wanted {READABLE}",
            where=path,
        ) from error
    if not kinds & {1, 7}:  # nodes of a frozen graph; the graph of an ONNX model
        raise WeightsError(f"is no network that can be read; wanted {READABLE}", where=path)


def _is_ir(head: bytes) -> bool:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return text.startswith((b"<?xml", b"<net"))


def _is_pickled(path: Path, head: bytes) -> bool:
    if head[:1] == b"\x80" and head[1:2] in {b"\x02", b"\x03", b"\x04", b"\x05"}:
        return True
    if head.startswith(b"PK"):
        try:
            with zipfile.ZipFile(path) as bundle:
                if any(name.endswith(".pkl") for name in bundle.namelist()):
                    return True
        except (OSError, zipfile.BadZipFile, NotImplementedError):
            pass
    return path.suffix.lower() in _SUFFIXES


# onnx.proto: which fields of a message hold which messages, down to a tensor's external data.
_MESSAGES: dict[str, dict[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {13: "entry"},
}


def _check_outside(path: Path, data: _Data) -> None:
    """Refuse an ONNX model whose tensors lie in files outside of its folder."""
    waiting: list[tuple[str, Span]] = [("model", (0, len(data)))]
    while waiting:
        message, span = waiting.pop()
        if message == "entry":
            texts = {number: data[slice(*place)] for number, _, place in read_fields(data, span)}
            if texts.get(1) == b"location":
                _check_place(path, texts.get(2, b"").decode("utf-8", "replace"))
            continue
        inside = _MESSAGES[message]
        for number, kind, place in read_fields(data, span):
            if kind == BYTES and number in inside:
                waiting.append((inside[number], place))


def _check_place(path: Path, place: str) -> None:
    parts: tuple[Any, ...] = (PurePosixPath(place), PureWindowsPath(place))
    away = any(part.is_absolute() or part.drive or ".." in part.parts for part in parts)
    folder, target = path.parent.resolve(), path.parent / place
    if not away and "\0" not in place:
        if target.is_file() and target.resolve().is_relative_to(folder):
            return
        away = target.exists()
    what = "which is outside of its folder" if away else "which is not beside it"
    raise WeightsError(f"keeps its data in {place!r}, {what}", where=path)
