"""NPZ: NumPy arrays that say what they are; exact, and readable with NumPy alone.

With T frames, P people in all of them together and K keypoints: ``poise`` (the header as JSON),
``index``, ``time``, ``size`` and ``people`` (how many there are) a frame; then, person after
person, ``keypoints`` (P, K, 2), ``scores`` (P, K), ``boxes`` (P, 4), ``person_scores`` (P),
``ids`` (P; -1 where untracked, see ``tracked`` a frame) and ``xyz`` (P, K, 3; NaN where there is
none, see ``solid`` a frame); ``names`` a frame, where the frames are pictures. Frames are kept in
memory until the end. Nothing pickled is ever read.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from poise.clip import Clip, Header
from poise.errors import InputError
from poise.io.formats.base import Format
from poise.io.formats.jsonl import header_record, read_header
from poise.io.formats.source import MAXIMUM_DOCUMENT, Source
from poise.io.formats.writer import Writer
from poise.poses import Poses


class NpzWriter(Writer):
    """Keeps all frames and writes them at the end."""

    def __init__(
        self, path: str | Path, header: Header | None = None, *, overwrite: bool = False
    ) -> None:
        self._frames: list[Poses] = []
        self._names: list[str | None] = []
        super().__init__(path, header, overwrite=overwrite)

    def _write(self, poses: Poses, name: str | None) -> None:
        self._frames.append(poses)
        self._names.append(name)

    def _finish(self) -> None:
        header = {**header_record(self.header), "truncated": self.truncated}
        arrays = _arrays(self._frames, len(self._begin()))
        if self._names and None not in self._names:
            arrays["names"] = np.array([str(name) for name in self._names])
        buffer = io.BytesIO()
        np.savez_compressed(buffer, poise=np.array(json.dumps(header)), **arrays)
        self._put(buffer.getvalue())


def _arrays(frames: list[Poses], count: int) -> dict[str, Any]:
    def stack(field: str, *shape: int, fill: float = np.nan, dtype: Any = np.float32) -> Any:
        parts = [getattr(poses, field) for poses in frames]
        filled = [
            np.full((len(poses), *shape), fill, dtype) if part is None else part
            for poses, part in zip(frames, parts, strict=True)
        ]
        return np.concatenate([np.zeros((0, *shape), dtype), *filled])

    return {
        "index": np.array([poses.index for poses in frames], np.int64),
        "time": np.array([poses.time for poses in frames], np.float64),
        "size": np.array([poses.size for poses in frames], np.int64).reshape(-1, 2),
        "people": np.array([len(poses) for poses in frames], np.int64),
        "tracked": np.array([poses.ids is not None for poses in frames], np.bool_),
        "solid": np.array([poses.xyz is not None for poses in frames], np.bool_),
        "keypoints": stack("keypoints", count, 2),
        "scores": stack("scores", count),
        "boxes": stack("boxes", 4),
        "person_scores": stack("person_scores"),
        "ids": stack("ids", fill=-1, dtype=np.int64),
        "xyz": stack("xyz", count, 3) if any(p.xyz is not None for p in frames) else np.zeros(0),
    }


def _sniff(source: Source) -> bool:
    return source.head.startswith(b"PK") and b"poise.npy" in source.head


def _read(source: Source) -> Clip:
    try:
        arrays = _load(source.path)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise ValueError(str(error)) from error
    record = json.loads(str(arrays["poise"]))
    header = read_header(record, source.path)
    source.check_skeleton(header.skeleton)
    ends = np.cumsum(arrays["people"]).tolist()
    starts = [0, *ends[:-1]]
    frames = [
        _frame(header, arrays, place, slice(start, end))
        for place, (start, end) in enumerate(zip(starts, ends, strict=False))
    ]
    names = tuple(map(str, arrays["names"].tolist())) if "names" in arrays else None
    return Clip(tuple(frames), header, names, bool(record.get("truncated")))


def _load(path: Path) -> dict[str, Any]:
    with zipfile.ZipFile(path) as archive:
        if sum(member.file_size for member in archive.infolist()) > MAXIMUM_DOCUMENT:
            raise InputError(
                f"unpacks to more than {MAXIMUM_DOCUMENT >> 20} MB", where=path, remedy="split it"
            )
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def _frame(header: Header, arrays: dict[str, Any], place: int, rows: slice) -> Poses:
    width, height = arrays["size"][place].tolist()
    return Poses(
        header.skeleton,
        arrays["keypoints"][rows],
        arrays["scores"][rows],
        boxes=arrays["boxes"][rows],
        ids=arrays["ids"][rows] if arrays["tracked"][place] else None,
        xyz=arrays["xyz"][rows] if arrays["solid"][place] else None,
        person_scores=arrays["person_scores"][rows],
        index=int(arrays["index"][place]),
        time=float(arrays["time"][place]),
        size=(width, height),
    )


FORMAT = Format("npz", "NPZ", (".npz",), _sniff, _read, NpzWriter)
