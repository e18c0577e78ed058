"""Parquet: the wide table with exact numbers; needs the extra ``parquet``.

The file's metadata hold, under the key ``poise``, the header, the frames without people, and the
picture names, so that nothing but the sizes of single frames is lost. Frames are kept in memory
until the end.
"""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from poise.clip import Clip, Header
from poise.errors import MissingExtraError, OutputError
from poise.io.formats.base import Format
from poise.io.formats.columns import column_names, columns_skeleton, person_values, row_person
from poise.io.formats.jsonl import header_record, read_header
from poise.io.formats.people import assemble
from poise.io.formats.source import Source
from poise.io.formats.writer import Writer
from poise.poses import Poses

_KEY = b"poise"


def _arrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise MissingExtraError("Parquet files need pyarrow", "parquet") from error
    return pyarrow, parquet


class ParquetWriter(Writer):
    """Keeps all frames and writes them at the end."""

    def __init__(
        self, path: str | Path, header: Header | None = None, *, overwrite: bool = False
    ) -> None:
        _arrow()
        self._frames: list[Poses] = []
        self._names: list[str | None] = []
        super().__init__(path, header, overwrite=overwrite)

    def _write(self, poses: Poses, name: str | None) -> None:
        self._frames.append(poses)
        self._names.append(name)

    def _finish(self) -> None:
        pyarrow, parquet = _arrow()
        meta = {
            "header": header_record(self.header),
            "truncated": self.truncated,
            "empty": [[p.index, float(p.time)] for p in self._frames if not len(p)],
            "names": {str(p.index): n for p, n in zip(self._frames, self._names, strict=True)}
            if None not in self._names
            else {},
        }
        table = _table(pyarrow, [poses for poses in self._frames if len(poses)], self._begin())
        table = table.replace_schema_metadata({_KEY: json.dumps(meta).encode()})
        sink = pyarrow.BufferOutputStream()
        parquet.write_table(table, sink, compression="zstd")
        self._put(sink.getvalue().to_pybytes())


def _table(pyarrow: Any, frames: list[Poses], skeleton: Any) -> Any:
    has_xyz = {poses.xyz is not None for poses in frames}
    if len(has_xyz) > 1:
        raise OutputError("some frames have 3D and some have not")
    names = column_names(skeleton, has_xyz=has_xyz == {True})
    counts = [len(poses) for poses in frames]
    values = np.concatenate(
        [person_values(poses) for poses in frames] or [np.zeros((0, len(names) - 3))]
    ).astype(np.float32)
    ids: list[int | None] = []
    for poses in frames:
        ids += [None] * len(poses) if poses.ids is None else poses.ids.tolist()
    return pyarrow.table(
        [
            pyarrow.array(np.repeat([poses.index for poses in frames], counts), pyarrow.int64()),
            pyarrow.array(np.repeat([poses.time for poses in frames], counts), pyarrow.float64()),
            pyarrow.array(ids, pyarrow.int64()),
            *(pyarrow.array(column, pyarrow.float32()) for column in values.T.copy()),
        ],
        names=names,
    )


def _sniff(source: Source) -> bool:
    return source.head.startswith(b"PAR1")


def _read(source: Source) -> Clip:
    pyarrow, parquet = _arrow()
    try:
        table = parquet.read_table(pyarrow.BufferReader(source.path.read_bytes()))
    except pyarrow.ArrowException as error:
        raise ValueError(str(error)) from error
    meta = json.loads((table.schema.metadata or {}).get(_KEY, b"{}"))
    skeleton = columns_skeleton(table.column_names, source)
    header = Header(skeleton, fps=source.fps)
    if "header" in meta and source.skeleton is None:
        header = read_header(meta["header"], source.path)
    frames = [Poses.empty(header.skeleton, index=i, time=t) for i, t in meta.get("empty", ())]
    frames = sorted(frames + _frames(table, header), key=lambda poses: poses.index)
    frames = [poses.replace(size=header.size) for poses in frames]
    names = meta.get("names") or {}
    listed = tuple(str(names[str(poses.index)]) for poses in frames) if names else None
    return Clip(tuple(frames), header, listed, bool(meta.get("truncated")))


def _frames(table: Any, header: Header) -> list[Poses]:
    numbers, times, ids = (table.column(place).to_pylist() for place in range(3))
    columns = [table.column(place).to_numpy() for place in range(3, table.num_columns)]
    values = np.column_stack(columns).astype(np.float64)
    frames = []
    for number, group in groupby(range(len(numbers)), key=lambda row: numbers[row]):
        rows = list(group)
        people = [row_person(values[row], len(header.skeleton), ids[row]) for row in rows]
        frames.append(assemble(header.skeleton, people, index=number, time=times[rows[0]]))
    return frames


FORMAT = Format("parquet", "Parquet", (".parquet",), _sniff, _read, ParquetWriter)
