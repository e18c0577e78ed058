"""A picture of who did what when: one row for each person and kind of label."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np

from poise.classification.account import RGB, Account, ink_on, pick_colours
from poise.classification.events import Event
from poise.classification.telling import format_time, spell
from poise.draw import open_picture_writer
from poise.draw.lettering import fitted, text_width, write
from poise.draw.plates import fill_plate
from poise.draw.style import person_colour
from poise.errors import UsageError
from poise.poses import Frame, Image, Poses

_WIDE = 1280
_MARGIN = 28
_TITLE, _LETTERS, _SMALL = 22, 16, 14  # heights of the font
_ROW, _BAR, _GAP = 34, 24, 12  # between rows, height of a bar, between people
_GROUND: RGB = (255, 255, 255)
_INK: RGB = (28, 31, 38)
_MUTED: RGB = (112, 118, 130)
_GRID: RGB = (228, 231, 236)
_PRESENT: RGB = (240, 242, 246)
_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
_MOST_TICKS = 10
_NARROWEST = 3  # pixels of the shortest event


def write_summary(account: Account, path: str | PathLike[str], *, overwrite: bool = False) -> None:
    """Write the summary of one source as a picture.

    Args:
        account: What happened.
        path: ``.png``, ``.jpg`` or ``.webp``.
        overwrite: Whether a file of that name may be replaced.

    Raises:
        OutputError: It cannot be written.
        UsageError: Its name ends in nothing that can be written, or the source is no video.
    """
    image = paint_summary(account)
    size = image.shape[1], image.shape[0]
    with open_picture_writer(
        path, size=size, source=account.source, overwrite=overwrite, still=True
    ) as writer:
        writer.write(Frame(image, 0), Poses.empty(account.clip.skeleton))


def paint_summary(account: Account) -> Image:
    """Return (H, W, 3) uint8 RGB: one row for each person and kind, a time axis, and a legend.

    The grey band of a row is the time in which the person is in the picture.

    Raises:
        UsageError: The source is a picture or separate ones, in which nothing has a time.
    """
    if account.separate:
        raise UsageError("is no video: pictures have no time to sum up", where=account.source)
    return _Chart(account).paint()


@dataclass(frozen=True, eq=False)
class _Row:
    person: int
    kind: str
    first: bool
    events: list[Event]
    spans: list[tuple[float, float]]


class _Chart:
    """The measures of one summary, and its painting from top to bottom."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._rows = _rows_of(account)
        self._colours = pick_colours(account.events)
        times = account.clip.times
        self._start, self._end = float(times[0]), max(float(times[-1]), float(times[0]) + 1e-3)
        kinds = [text_width(row.kind, _LETTERS) for row in self._rows]
        ids = [text_width(str(row.person), _LETTERS, bold=True) for row in self._rows]
        self._badge = round(max(ids, default=0)) + 16
        self._left = _MARGIN + self._badge + 10 + round(max(kinds, default=0)) + 16
        self._right = _WIDE - _MARGIN
        self._top = _MARGIN + _TITLE + 22
        gaps = sum(row.first for row in self._rows)
        self._bottom = self._top + max(len(self._rows), 1) * _ROW + gaps * _GAP

    def _x(self, time: float) -> float:
        share = (time - self._start) / (self._end - self._start)
        return self._left + share * (self._right - self._left)

    def paint(self) -> Image:
        legend = _flow(list(self._colours), self._right - _MARGIN)
        height = self._bottom + 44 + len(legend) * 28 + _MARGIN
        canvas = np.empty((height, _WIDE, 3), np.uint8)
        canvas[:] = _GROUND
        self._paint_title(canvas)
        self._paint_axis(canvas)
        y = float(self._top)
        for row in self._rows:
            y += _GAP * row.first
            self._paint_row(canvas, row, y)
            y += _ROW
        if not self._rows:
            where = (self._left, y + 0.5 * _ROW + 6)
            write(canvas, "nothing was named", where, size=_LETTERS, colour=_MUTED)
        self._paint_legend(canvas, legend, self._bottom + 62)
        return canvas

    def _paint_title(self, canvas: Image) -> None:
        rest = len(self._account.people) - len({row.person for row in self._rows})
        note = f"{rest} {'person' if rest == 1 else 'people'} without a label" if rest else ""
        y = _MARGIN + 0.75 * _TITLE
        write(canvas, note, (self._right, y), size=_SMALL, colour=_MUTED, align="right")
        room = self._right - _MARGIN - text_width(note, _SMALL) - 24
        title = fitted(Path(self._account.source).name, _TITLE, room, bold=True)
        write(canvas, title, (_MARGIN, y), size=_TITLE, colour=_INK, bold=True)

    def _paint_axis(self, canvas: Image) -> None:
        step = next((s for s in _STEPS if (self._end - self._start) / s <= _MOST_TICKS), 7200)
        first = np.ceil(self._start / step - 1e-6) * step
        for time in np.arange(first, self._end + 1e-6, step):
            x = self._x(float(time))
            fill_plate(canvas, (x, self._top, x + 1, self._bottom + 6), _GRID)
            text = format_time(float(time), 0 if step >= 1 else 1)
            where = (min(x, self._right - text_width(text, _SMALL) / 2), self._bottom + 24)
            write(canvas, text, where, size=_SMALL, colour=_MUTED, align="middle")

    def _paint_row(self, canvas: Image, row: _Row, y: float) -> None:
        base = y + 0.5 * _ROW + 0.36 * _LETTERS
        top, low = y + (_ROW - _BAR) / 2, y + (_ROW + _BAR) / 2
        if row.first:
            colour = person_colour(row.person)
            box = (_MARGIN, top, _MARGIN + self._badge, low)
            fill_plate(canvas, box, colour, radius=6)
            middle = (_MARGIN + self._badge / 2, base)
            write(canvas, str(row.person), middle, size=_LETTERS, colour=ink_on(colour),
                  align="middle", bold=True)  # fmt: skip
        where = (_MARGIN + self._badge + 10, base)
        write(canvas, row.kind, where, size=_LETTERS, colour=_MUTED)
        for start, end in row.spans:
            fill_plate(canvas, (self._x(start), top, self._x(end), low), _PRESENT, radius=4)
        for event in row.events:
            self._paint_event(canvas, event, (top, low, base))

    def _paint_event(self, canvas: Image, event: Event, rows: tuple[float, float, float]) -> None:
        top, low, base = rows
        colour = self._colours[event.kind, event.label]
        begin = min(self._x(event.start), self._right - _NARROWEST)
        end = max(self._x(event.end), begin + _NARROWEST)
        fill_plate(canvas, (begin, top, end, low), colour, radius=4)
        text = spell(event.label)
        if text_width(text, _SMALL) + 12 <= end - begin:
            where = (begin + 6, base - 1)
            write(canvas, text, where, size=_SMALL, colour=ink_on(colour))

    def _paint_legend(
        self, canvas: Image, lines: list[list[tuple[float, tuple[str, str]]]], y: float
    ) -> None:
        for line in lines:
            for x, (kind, label) in line:
                box = (_MARGIN + x, y - 13, _MARGIN + x + 15, y + 2)
                fill_plate(canvas, box, self._colours[kind, label], radius=4)
                write(canvas, spell(label), (box[2] + 7, y), size=_SMALL, colour=_INK)
            y += 28


def _flow(names: list[tuple[str, str]], width: float) -> list[list[tuple[float, tuple[str, str]]]]:
    """Return the lines of a legend: where each label begins, in pixels from the left."""
    lines: list[list[tuple[float, tuple[str, str]]]] = []
    x = width + 1
    for name in names:
        wide = 15 + 7 + text_width(spell(name[1]), _SMALL) + 24
        if x + wide > width:
            lines.append([])
            x = 0.0
        lines[-1].append((x, name))
        x += wide
    return lines


def _rows_of(account: Account) -> list[_Row]:
    """Return a row for each kind of label that a person has, in order of the ids."""
    rows = []
    for person in sorted(account.people):
        own = [event for event in account.events if event.person == person]
        spans = _presence(account, person) if own else []
        for place, kind in enumerate(sorted({event.kind for event in own})):
            events = [event for event in own if event.kind == kind]
            rows.append(_Row(person, kind, place == 0, events, spans))
    return rows


def _presence(account: Account, person: int) -> list[tuple[float, float]]:
    """Return from when to when somebody is in the picture."""
    frames = account.clip.frames
    seen = np.array([poses.ids is not None and person in poses.ids for poses in frames])
    edges = np.flatnonzero(np.diff(np.concatenate([[0], seen.astype(int), [0]])))
    times = account.clip.times
    return [
        (float(times[begin]), float(times[end - 1]))
        for begin, end in zip(edges[::2], edges[1::2], strict=True)
    ]
