"""Pictures of the moments at which something is wrong."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from typing import Any

import numpy as np

from poise.angles import LIMB_NAMES
from poise.comparison.film import Side, attempt_title, open_sides
from poise.comparison.instants import Course, limb_rows
from poise.comparison.layout import Rect
from poise.comparison.panels import PicturePanel, attempt_colours, reference_colours
from poise.comparison.report.sheet import MomentPictures
from poise.comparison.result import Comparison, Fault
from poise.errors import UsageError
from poise.poses import Image

_TALLEST = 1.6  # heights of a picture by its width, beyond which it is made narrower


def extract_moments(
    comparison: Comparison,
    faults: Iterable[Fault],
    reference: Any,
    attempt: Any,
    *,
    width: int = 480,
) -> list[MomentPictures]:
    """Return a pair of painted pictures for each fault, at its worst instant.

    Each recording is read once, and only the chosen pictures are kept.

    Args:
        comparison: What was found.
        faults: Those that are shown, such as ``comparison.worst()``.
        reference, attempt: The recordings, as for ``write_film``; None paints on plain ground.
        width: Of the wider picture in pixels; both have the same height.

    Returns:
        One pair a fault, in the order of the faults.

    Raises:
        InputError: A recording cannot be read.
        UsageError: The width is below 16.
    """
    if width < 16:
        raise UsageError(f"wanted at least 16 pixels, got {width}", where="width")
    wanted = list(faults)
    times = [worst_time(comparison, fault) for fault in wanted]
    pairs: dict[int, MomentPictures] = {}
    with ExitStack() as stack:
        sides = open_sides(comparison, reference, attempt, stack)
        stills = Stills(comparison, sides, width)
        for number in sorted(range(len(wanted)), key=times.__getitem__):
            pairs[number] = stills.take(wanted[number], times[number])
    return [pairs[number] for number in range(len(wanted))]


def worst_time(comparison: Comparison, fault: Fault) -> float:
    """Return the second of the reference at which a fault is largest; its middle if none is."""
    timeline = comparison.timeline
    inside = np.flatnonzero((timeline.times >= fault.start) & (timeline.times < fault.end))
    inside = inside[np.isfinite(timeline.attempt_times[inside])]
    errors = timeline.errors[inside][:, limb_rows(fault.limb)]
    seen = np.isfinite(errors).any(axis=1)
    if fault.kind in {"missed", "extra"} or not seen.any():
        return (fault.start + fault.end) / 2
    sums = np.nan_to_num(errors[seen]).sum(axis=1)
    return float(timeline.times[inside[seen][int(sums.argmax())]])


class Stills:
    """Paints both recordings of single moments, which must not run backwards."""

    def __init__(self, comparison: Comparison, sides: tuple[Side, Side], width: int) -> None:
        self._course, self._sides = Course(comparison), sides
        height = width / max(side.aspect for side in sides)
        height = round(min(height, _TALLEST * width))
        self._panels = [
            PicturePanel(
                Rect(0, 0, max(1, round(height * side.aspect)), height),
                title,
                side.person,
                side.frame,
                max(11, round(width / 34)),
                rounded=False,
            )
            for side, title in zip(sides, ("reference", attempt_title(comparison)), strict=True)
        ]  # fmt: skip

    def take(self, fault: Fault, time: float) -> MomentPictures:
        """Return both pictures of a second of the reference."""
        instant = self._course.at(time)
        ours, our_time = self._sides[0].picture(time)
        theirs, their_time = self._sides[1].picture(instant.attempt_time)
        first, second = (_empty(panel) for panel in self._panels)
        self._panels[0].paint(first, ours, our_time, reference_colours(len(LIMB_NAMES)))
        self._panels[1].paint(second, theirs, their_time, attempt_colours(instant), instant.note)
        return MomentPictures(fault, first, second, our_time, their_time)


def _empty(panel: PicturePanel) -> Image:
    return np.zeros((panel.rect.height, panel.rect.width, 3), np.uint8)
