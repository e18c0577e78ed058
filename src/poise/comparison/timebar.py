"""The bar below a film: the whole comparison at a glance, and where the film is."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from poise.comparison.figures import score_colour
from poise.comparison.gauges import FAULT_COLOURS
from poise.comparison.instants import Instant
from poise.comparison.layout import Rect
from poise.comparison.panels import CARD, MUTED, TEXT, TRACK, clock_time, fill_card
from poise.comparison.result import Comparison, Fault
from poise.draw.lettering import text_width, write
from poise.draw.strokes import draw, make_strokes
from poise.poses import Image

_LANES = 3


class TimelineBar:
    """The whole comparison as a strip of scores with its faults, and where the film is."""

    def __init__(self, rect: Rect, unit: int, comparison: Comparison) -> None:
        self._rect, self._unit, self._comparison = rect, unit, comparison
        times = comparison.timeline.times
        self._first, self._last = float(times[0]), float(times[-1])
        self._whole = clock_time(self._last)
        self._end = (
            rect.right - 1.2 * unit - text_width(f"{self._whole} / {self._whole}", unit) - unit
        )
        self._start = rect.x + 1.2 * unit
        self._strip = rect.y + 0.74 * rect.height

    def _x(self, time: float) -> float:
        share = (time - self._first) / max(self._last - self._first, 1e-9)
        return self._start + (self._end - self._start) * min(max(share, 0.0), 1.0)

    def prepare(self, canvas: Image) -> None:
        """Paint what never changes: the scores and the faults."""
        unit = self._unit
        fill_card(canvas, self._rect, radius=0.55 * unit)
        edges = np.linspace(self._first, self._last, int(self._end - self._start) + 1)
        timeline, half = self._comparison.timeline, max(2, round(0.26 * unit))
        places = np.searchsorted(timeline.times, edges)
        for number, (a, b) in enumerate(itertools.pairwise(places.tolist())):
            scores = timeline.scores[a : max(b, a + 1)]
            scores = scores[np.isfinite(scores)]
            shade = score_colour(float(scores.mean())) if len(scores) else TRACK
            column = round(self._start) + number
            row = round(self._strip)
            dark = np.array(shade) * 0.8 + np.array(CARD) * 0.2
            canvas[row - half : row + half, column] = dark
        for fault, lane in place_in_lanes(self._comparison.faults):
            y = self._strip - half - (0.5 + 0.62 * lane) * unit
            start, end = self._x(fault.start), max(self._x(fault.end), self._x(fault.start) + 2)
            radius, colour = 0.17 * unit, FAULT_COLOURS[fault.kind]
            draw(canvas, make_strokes([(start, y)], [(end, y)], radius=radius, colour=colour))

    def paint(self, canvas: Image, instant: Instant) -> None:
        """Paint the playhead and the time."""
        rect, unit = self._rect, self._unit
        x = self._x(instant.time)
        top, low = rect.y + 0.14 * rect.height, rect.bottom - 0.12 * rect.height
        head = make_strokes(
            [(x, top), (x, self._strip)],
            [(x, low), (x, self._strip)],
            radius=[0.09 * unit, 0.4 * unit],
            outline=0.08 * unit,
            colour=TEXT,
        )
        draw(canvas, head)
        y = rect.y + 0.5 * rect.height + 0.36 * unit
        where = (rect.right - 1.2 * unit, y)
        write(canvas, f"/ {self._whole}", where, size=unit, colour=MUTED, align="right")
        where = (where[0] - text_width(f" / {self._whole}", unit), y)
        write(canvas, clock_time(instant.time), where, size=unit, colour=TEXT, align="right")


def place_in_lanes(faults: tuple[Fault, ...]) -> Iterator[tuple[Fault, int]]:
    """Yield the faults with the lowest lane that is free; what finds none is left out."""
    ends = [-np.inf] * _LANES
    for fault in faults:
        for lane, end in enumerate(ends):
            if fault.start >= end:
                ends[lane] = fault.end + 0.05
                yield fault, lane
                break
