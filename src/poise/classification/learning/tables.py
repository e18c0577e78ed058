"""Examples from a CSV table: rows of keypoints with a label."""

from __future__ import annotations

import csv
import itertools
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from poise.classification.learning.columns import Columns, find_columns
from poise.classification.learning.examples import Piece
from poise.classification.learning.features import Floats, count_known
from poise.classification.learning.options import TeachingOptions
from poise.clip import Track
from poise.errors import InputError, UsageError
from poise.io.formats.source import numbered_lines, well_formed

_LEAST_KEYPOINTS = 5  # of those that features use


@dataclass(frozen=True)
class Table:
    """A CSV file: the names of its columns, and its rows, each as long as they."""

    path: Path
    heads: list[str]
    rows: list[list[str]]

    def values(self, column: int) -> list[float]:
        """Return the numbers of a column; NaN for an empty cell.

        Raises:
            InputError: A cell is no number; says which.
        """
        values = []
        for number, row in enumerate(self.rows, start=2):
            cell = row[column].strip()
            try:
                value = float(cell) if cell else math.nan
            except ValueError as error:
                what = f"row {number}, column {self.heads[column]}: {cell[:40]!r} is no number"
                remedy = "leave a cell that is absent empty"
                raise InputError(what, where=self.path, remedy=remedy) from error
            values.append(value if math.isfinite(value) else math.nan)
        return values

    def words(self, name: str | None) -> list[str]:
        """Return the cells of a column; empty ones where there is no such column."""
        if name is None or name not in self.heads:
            return [""] * len(self.rows)
        column = self.heads.index(name)
        return [row[column].strip() for row in self.rows]


def read_table(path: Path, options: TeachingOptions) -> tuple[list[Piece], list[str]]:
    """Return the rows of a CSV table, and notes.

    An empty cell, ``nan``, or the place (0, 0) is an absent keypoint; a row without any is left
    out.

    Raises:
        InputError: A column is missing, a cell is no number, or no keypoint is recognised.
        UsageError: Windows are wanted, and the table has no times.
    """
    table = _open_table(path)
    columns = find_columns(table.heads)
    _check_heads(table, columns, options)
    if not table.rows:
        raise InputError("has a header but no row", where=path)
    points, scores, notes = _bodies(table, columns, options)
    return _cut(table, columns, points, scores, options), notes


def _open_table(path: Path) -> Table:
    with well_formed(path, "CSV"):
        lines = (line.decode("utf-8-sig") for _, line in numbered_lines(path))
        heads, *rows = [row for row in csv.reader(lines) if row] or [[]]
    for number, row in enumerate(rows, start=2):
        if len(row) != len(heads):
            what = f"row {number} has {len(row)} cells, the header {len(heads)}"
            raise InputError(what, where=path)
    return Table(path, [head.strip() for head in heads], rows)


def _check_heads(table: Table, columns: Columns, options: TeachingOptions) -> None:
    path, heads = table.path, table.heads
    if not columns.x:
        shown = ", ".join(heads[:4]) + (", ..." if len(heads) > 4 else "")
        remedy = "name them like left_wrist_x, left_wrist_y or RWrist_x, RWrist_y"
        raise InputError(f"no keypoint recognised in its columns {shown}", where=path,
                         remedy=remedy)  # fmt: skip
    if (known := count_known(columns.skeleton)) < _LEAST_KEYPOINTS:
        what = f"has {known} of the body's keypoints in its columns, wanted {_LEAST_KEYPOINTS}"
        raise InputError(what, where=path)
    others = [name for name in columns.others if name]
    for flag, name in (("--label-column", options.label_column), ("--group", options.group)):
        if name is not None and name not in heads:
            listed = ", ".join(others[:6]) or "none"
            remedy = f"name it with {flag}; its columns that are no keypoint's: {listed}"
            raise InputError(f"no column named {name!r}", where=path, remedy=remedy)
    if options.window is not None and "time" not in heads:
        raise UsageError(
            "its rows have no times, so that windows cannot be cut", where=path,
            remedy="add a column 'time' in seconds, or leave --window out",
        )  # fmt: skip


def _bodies(
    table: Table, columns: Columns, options: TeachingOptions
) -> tuple[Floats, Floats, list[str]]:
    """Return (N, K, 2) places, (N, K) scores, and notes."""
    points = np.empty((len(table.rows), len(columns.x), 2))
    scores = np.ones(points.shape[:2])
    for k, score in enumerate(columns.scores):
        points[:, k, 0] = table.values(columns.x[k])
        points[:, k, 1] = table.values(columns.y[k])
        if score is not None:
            scores[:, k] = np.clip(table.values(score), 0, 1)
    absent = ~np.isfinite(points).all(axis=2) | (points == 0).all(axis=2)
    points[absent], scores[absent | ~np.isfinite(scores)] = np.nan, 0.0
    name, notes = table.path.name, []
    used = {options.label_column, options.group, "time", "frame", "id", ""}
    unknown = [other for other in columns.others if other not in used]
    if unknown:
        shown = ", ".join(unknown[:5]) + (", ..." if len(unknown) > 5 else "")
        notes.append(f"{name}: columns that are no keypoint's are passed over: {shown}")
    if empty := int(absent.all(axis=1).sum()):
        notes.append(f"{name}: {empty} of {len(points)} rows hold no keypoint")
    return _squared(table.path, points, options.ratio, notes), scores, notes


def _squared(path: Path, points: Floats, aspect: float | None, notes: list[str]) -> Floats:
    """Return places whose x and y have one unit."""
    shares = np.isfinite(points).any() and np.nanmax(np.abs(points)) < 3
    if aspect is not None:
        if not shares:
            what = "its coordinates are no shares of the picture"
            raise UsageError(what, where=path, remedy="leave --aspect out")
        return points * [aspect, 1.0]
    if shares:
        notes.append(
            f"{path.name}: its coordinates are shares of the picture, taken as square; name its "
            "proportions, such as --aspect 16:9, or videos will be judged by distorted bodies"
        )
    return points


def _cut(
    table: Table, columns: Columns, points: Floats, scores: Floats, options: TeachingOptions
) -> list[Piece]:
    """Return the rows cut where the label, the group or the person changes."""
    labels = table.words(options.label_column)
    if "" in labels:
        what = f"row {labels.index('') + 2}: its column {options.label_column} is empty"
        raise InputError(what, where=table.path, remedy="name its class, or take the row out")
    groups = table.words(options.group)
    people = table.words("id" if options.window is not None else None)
    keys = list(zip(labels, groups, people, strict=True))
    times = _times(table, options)
    # The people of a timed table stand between one another, row by row.
    order = sorted(range(len(keys)), key=lambda n: people[n])
    pieces = []
    for run, (key, members) in enumerate(itertools.groupby(order, key=lambda n: keys[n])):
        chosen = np.array(list(members))
        if np.any(np.diff(times[chosen]) < 0):
            raise InputError("its times run backwards", where=table.path, remedy="sort its rows")
        bodies = (part[chosen].astype(np.float32) for part in (points, scores))
        track = Track(0, columns.skeleton, times[chosen], *bodies)
        origins = tuple(f"{table.path.name}, row {n + 2}" for n in chosen.tolist())
        group = f"group {key[1]}" if options.group else f"run {run}"
        pieces.append(Piece(key[0], group, track, origins, timed=options.window is not None))
    return pieces


def _times(table: Table, options: TeachingOptions) -> Floats:
    if options.window is None:
        return np.arange(len(table.rows), dtype=np.float64)
    times = np.array(table.values(table.heads.index("time")))
    if not np.isfinite(times).all():
        row = int(np.flatnonzero(~np.isfinite(times))[0]) + 2
        raise InputError(f"row {row}, column time: is empty", where=table.path)
    return times
