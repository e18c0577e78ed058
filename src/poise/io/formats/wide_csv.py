"""Wide CSV: one row a person and frame, for spreadsheets and data frames.

Columns: frame, time, id, score, box_x0, box_y0, box_x1, box_y1, then NAME_x, NAME_y, NAME_score of
each keypoint, and NAME_X, NAME_Y, NAME_Z in metres where the clip has 3D. An empty cell is absent.
A frame without people has no row.
"""

from __future__ import annotations

import csv
import io
from itertools import groupby
from typing import Any

import numpy as np

from poise.clip import Clip, Header
from poise.errors import InputError, OutputError
from poise.io.formats.base import Format
from poise.io.formats.columns import (
    FIXED,
    column_names,
    columns_skeleton,
    person_values,
    row_person,
)
from poise.io.formats.people import assemble
from poise.io.formats.source import Source, numbered_lines
from poise.io.formats.writer import (
    METRE_DECIMALS,
    PIXEL_DECIMALS,
    SCORE_DECIMALS,
    SECOND_DECIMALS,
    Writer,
)
from poise.poses import Poses


class CsvWriter(Writer):
    """Writes every frame as soon as it comes; the first person decides whether there is 3D."""

    def _start(self) -> None:
        self._has_xyz: bool | None = None

    def _write(self, poses: Poses, name: str | None) -> None:
        if not len(poses):
            return
        if self._has_xyz is None:
            self._has_xyz = poses.xyz is not None
            self._title()
        if self._has_xyz != (poses.xyz is not None):
            raise OutputError(
                f"frame {poses.index} and the first one are not both with or without 3D",
                where=self.path,
            )
        count = 3 * len(poses.skeleton)
        decimals = np.array(
            [SCORE_DECIMALS, *[PIXEL_DECIMALS] * 4]
            + [PIXEL_DECIMALS, PIXEL_DECIMALS, SCORE_DECIMALS] * len(poses.skeleton)
            + [METRE_DECIMALS] * (count if self._has_xyz else 0)
        )
        rows = _round(person_values(poses), decimals).tolist()
        head = f"{poses.index},{round(float(poses.time), SECOND_DECIMALS)!r},"
        ids = [""] * len(poses) if poses.ids is None else map(str, poses.ids.tolist())
        for identity, row in zip(ids, rows, strict=True):
            cells = ",".join("" if value != value else repr(value) for value in row)  # noqa: PLR0124
            self._put(f"{head}{identity},{cells}\n".encode())

    def _title(self) -> None:
        skeleton = self._begin()
        row = io.StringIO()
        names = column_names(skeleton, has_xyz=bool(self._has_xyz))
        csv.writer(row, lineterminator="\n").writerow(names)
        self._put(row.getvalue().encode())

    def _finish(self) -> None:
        if self._has_xyz is None:
            self._title()


def _round(values: Any, decimals: Any) -> Any:
    scale = 10.0**decimals
    return np.round(np.where(np.isfinite(values), values, np.nan) * scale) / scale + 0.0


def _sniff(source: Source) -> bool:
    return source.head.removeprefix(b"\xef\xbb\xbf").startswith(",".join(FIXED).encode())


def _read(source: Source) -> Clip:
    lines = (line.decode("utf-8-sig") for _, line in numbered_lines(source.path))
    rows = csv.reader(lines)
    columns = next(rows, [])
    skeleton = columns_skeleton(columns, source)
    frames = [
        _frame(source, skeleton, list(group), len(columns))
        for _, group in groupby(rows, key=lambda row: row[0])
    ]
    return Clip(tuple(frames), Header(skeleton, fps=source.fps))


def _frame(source: Source, skeleton: Any, rows: list[list[str]], width: int) -> Poses:
    people = []
    for row in rows:
        if len(row) != width:
            raise InputError(
                f"frame {row[0]} has a row of {len(row)} cells, wanted {width}", where=source.path
            )
        values = np.array([float(cell) if cell else np.nan for cell in row[3:]])
        people.append(row_person(values, len(skeleton), int(row[2]) if row[2] else None))
    return assemble(skeleton, people, index=int(rows[0][0]), time=float(rows[0][1]))


FORMAT = Format("csv", "wide CSV", (".csv",), _sniff, _read, CsvWriter)
