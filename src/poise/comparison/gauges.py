"""The panels of a film that show figures and words: scores, limbs, what is wrong."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from poise.angles import LIMB_NAMES
from poise.comparison.figures import limb_colours, score_colour
from poise.comparison.instants import Instant
from poise.comparison.layout import Rect
from poise.comparison.panels import MUTED, TEXT, TRACK, fill_card
from poise.comparison.words import describe_fault
from poise.draw.lettering import RGB, fitted, text_width, write
from poise.draw.strokes import Strokes, draw, join, make_strokes
from poise.poses import Image

_VERDICTS = {
    "right": ("right", (46, 204, 113)),
    "nearly": ("nearly right", (250, 200, 60)),
    "wrong": ("wrong", (240, 72, 62)),
    "cannot say": ("cannot say", (128, 134, 146)),
}
FAULT_COLOURS: dict[str, RGB] = {
    "pose": (240, 72, 62), "late": (255, 165, 60), "early": (255, 165, 60),
    "missed": (176, 138, 255), "extra": (176, 138, 255),
}  # fmt: skip
_FULL = 60.0  # degrees at which a limb's bar is full
_LATEST = 0.5  # seconds at either end of the lag's scale
_IN_TIME = 0.07  # seconds; less than this is in time, as the score has it


class Measures:
    """The running score, the verdict so far, lag and tempo."""

    def __init__(self, rect: Rect, unit: int) -> None:
        self._rect, self._unit = rect, unit
        pad = 1.2 * unit
        self._left, self._right = rect.x + pad, rect.right - pad
        self._middle = rect.x + 0.5 * rect.width + 0.3 * unit

    def prepare(self, canvas: Image) -> None:
        """Paint what never changes."""
        rect, unit = self._rect, self._unit
        fill_card(canvas, rect, radius=0.55 * unit)
        for x, y, words in (
            (self._left, 1.9, "last second"), (self._middle, 1.9, "so far"),
            (self._left, 9.3, "timing"), (self._middle, 9.3, "tempo"),
        ):  # fmt: skip
            write(canvas, words, (x, rect.y + y * unit), size=unit, colour=MUTED)
        draw(canvas, self._bar(self._left, self._right, 7.2, TRACK))
        draw(canvas, self._bar(self._left, self._lag_end, 12.6, TRACK))
        zero = (self._left + self._lag_end) / 2
        y = rect.y + 12.6 * unit
        tick = ([(zero, y - 0.5 * unit)], [(zero, y + 0.5 * unit)])
        draw(canvas, make_strokes(*tick, radius=0.08 * unit, colour=MUTED))
        for x, words, align in (
            (self._left, "ahead", "left"), (self._lag_end, "behind", "right"),
        ):  # fmt: skip
            where = (x, y + 1.5 * unit)
            write(canvas, words, where, size=0.8 * unit, colour=MUTED, align=align)  # type: ignore[arg-type]

    @property
    def _lag_end(self) -> float:
        return self._middle - 1.5 * self._unit

    def _bar(self, start: float, end: float, row: float, colour: RGB) -> Strokes:
        radius, y = 0.24 * self._unit, self._rect.y + row * self._unit
        first, last = (start + radius, y), (max(end - radius, start + radius), y)
        return make_strokes([first], [last], radius=radius, colour=colour)

    def paint(self, canvas: Image, instant: Instant) -> None:
        """Paint the figures of a moment."""
        unit, top = self._unit, self._rect.y
        colour = score_colour(instant.running)
        shown = "-" if np.isnan(instant.running) else f"{instant.running:.0f}"
        write(canvas, shown, (self._left - 0.1 * unit, top + 5.7 * unit), size=4.2 * unit,
              colour=colour, bold=True)  # fmt: skip
        so_far = "-" if np.isnan(instant.so_far) else f"{instant.so_far:.0f}"
        write(canvas, so_far, (self._middle, top + 4.0 * unit), size=2.0 * unit, colour=TEXT,
              bold=True)  # fmt: skip
        verdict, shade = _VERDICTS[instant.verdict]
        write(canvas, verdict, (self._middle, top + 5.7 * unit), size=1.3 * unit, colour=shade,
              bold=True)  # fmt: skip
        write(canvas, say_lag(instant), (self._left, top + 11.1 * unit), size=1.3 * unit,
              colour=TEXT)  # fmt: skip
        write(canvas, say_tempo(instant), (self._middle, top + 11.1 * unit), size=1.3 * unit,
              colour=TEXT)  # fmt: skip
        draw(canvas, join(self._moving(instant, colour)))

    def _moving(self, instant: Instant, colour: RGB) -> Iterator[Strokes]:
        unit = self._unit
        if np.isfinite(instant.running):
            end = self._left + (self._right - self._left) * instant.running / 100
            yield self._bar(self._left, end, 7.2, colour)
        if np.isfinite(instant.lag) and not instant.left_out:
            share = np.clip(instant.lag / _LATEST, -1, 1)
            half = (self._lag_end - self._left) / 2
            place = (self._left + half * (1 + share), self._rect.y + 12.6 * unit)
            late = abs(instant.lag) > _IN_TIME
            shade = FAULT_COLOURS["late"] if late else _VERDICTS["right"][1]
            yield make_strokes([place], [place], radius=0.42 * unit, colour=shade)


def say_lag(instant: Instant) -> str:
    """Return by how much the attempt is behind or ahead, in words."""
    if instant.left_out:
        return instant.note
    if np.isnan(instant.lag):
        return "-"
    if abs(instant.lag) <= _IN_TIME:
        return "in time"
    return f"{abs(instant.lag):.1f} s {'behind' if instant.lag > 0 else 'ahead'}"


def say_tempo(instant: Instant) -> str:
    """Return the attempt's speed by the reference's, in words."""
    percent = round((instant.tempo - 1) * 100)
    if instant.left_out:
        return "-"
    if percent == 0:
        return "the same"
    return f"{abs(percent)} % {'faster' if percent > 0 else 'slower'}"


class Limbs:
    """Each limb with its error as a number and a bar.

    Args:
        rect: Where it stands.
        grid: Columns and rows: three columns are left, middle and right; two are left and right.
        unit: Height of the smallest letters.
        mirrored: Whether left and right are to be named as the attempt's own, who is mirrored.
    """

    def __init__(self, rect: Rect, grid: tuple[int, int], unit: int, *, mirrored: bool) -> None:
        self._rect, self._unit = rect, unit
        self._mirrored = mirrored
        columns, rows = grid
        left, middle, right = (
            [row for row, name in enumerate(LIMB_NAMES) if _side(self._own_name(name)) == side]
            for side in ("left", "", "right")
        )
        halves = [[*left, *middle[::2]], [*right, *middle[1::2]]]
        lists = [left, middle, right] if columns == 3 else halves
        wide = (rect.width - 2.4 * unit + 1.4 * unit) / columns
        high = (rect.height - 0.9 * unit) / rows
        self._cells = {
            row: (rect.x + 1.2 * unit + column * wide, rect.y + 0.45 * unit + number * high)
            for column, members in enumerate(lists)
            for number, row in enumerate(members)
        }
        self._wide, self._high = wide - 1.4 * unit, high

    def _own_name(self, name: str) -> str:
        side = _side(name)
        if not (self._mirrored and side):
            return name
        return name.replace(side, "right" if side == "left" else "left", 1)

    def prepare(self, canvas: Image) -> None:
        """Paint what never changes."""
        fill_card(canvas, self._rect, radius=0.55 * self._unit)
        for row, (x, y) in self._cells.items():
            words = self._own_name(LIMB_NAMES[row]).replace("_", " ")
            size = self._unit if self._wide > 10 * self._unit else 0.87 * self._unit
            write(canvas, words, (x, y + 0.56 * self._high), size=size, colour=MUTED)
        full = np.ones(len(self._cells))
        draw(canvas, self._bars(full, np.array(TRACK)))

    def _bars(self, shares: npt.ArrayLike, colours: npt.ArrayLike) -> Strokes:
        radius = 0.16 * self._unit
        shift = np.array([radius, 0.78 * self._high])
        places = np.array(list(self._cells.values())) + shift
        ends = places.copy()
        ends[:, 0] += (self._wide - 2 * radius) * np.asarray(shares)
        return make_strokes(places, ends, radius=radius, colour=colours)

    def paint(self, canvas: Image, instant: Instant) -> None:
        """Paint the errors of a moment."""
        errors = np.full_like(instant.errors, np.nan) if instant.left_out else instant.errors
        rows = list(self._cells)
        colours = limb_colours(errors)
        for row, (x, y) in self._cells.items():
            shown = "-" if np.isnan(errors[row]) else f"{errors[row]:.0f}°"
            colour = TEXT if np.isfinite(errors[row]) else MUTED
            write(canvas, shown, (x + self._wide, y + 0.56 * self._high), size=self._unit,
                  colour=colour, align="right")  # fmt: skip
        seen = np.isfinite(errors[rows])
        shares = np.clip(np.nan_to_num(errors[rows]) / _FULL, 0, 1)
        draw(canvas, self._bars(shares, colours[rows]).select(seen))


def _side(name: str) -> str:
    first = name.partition("_")[0]
    return first if first in {"left", "right"} else ""


class Caption:
    """What is wrong now, in words."""

    def __init__(self, rect: Rect, unit: int) -> None:
        self._rect, self._unit = rect, unit

    def prepare(self, canvas: Image) -> None:
        """Paint what never changes."""
        fill_card(canvas, self._rect, radius=0.55 * self._unit)

    def paint(self, canvas: Image, instant: Instant) -> None:
        """Write the worst faults of a moment, as many as there is room for."""
        rect, unit = self._rect, self._unit
        size, y = 1.3 * unit, rect.y + 0.5 * rect.height + 0.46 * unit
        x, end = rect.x + 1.2 * unit, rect.right - 1.2 * unit
        if not instant.faults:
            words = instant.note or "no fault here"
            write(canvas, words, (x, y), size=size, colour=MUTED)
        for number, fault in enumerate(instant.faults):
            words = fault.text or describe_fault(fault)
            wide = 1.2 * unit + text_width(words, size, bold=True)
            if number and x + wide > end:
                break
            dot = (x + 0.35 * unit, y - 0.46 * unit)
            colour = FAULT_COLOURS[fault.kind]
            draw(canvas, make_strokes([dot], [dot], radius=0.36 * unit, colour=colour))
            words = fitted(words, size, end - x - 1.2 * unit, bold=True)
            write(canvas, words, (x + 1.2 * unit, y), size=size, colour=TEXT, bold=True)
            x += wide + 1.8 * unit
