"""Two performances side by side as a video or a GIF: what is wrong is seen where it happens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from poise.angles import LIMB_NAMES
from poise.comparison.gauges import Caption, Limbs, Measures
from poise.comparison.instants import Course, Person
from poise.comparison.layout import Layout, choose_layout, picture_height
from poise.comparison.panels import (
    GROUND,
    OverlayPanel,
    PicturePanel,
    attempt_colours,
    fill_card,
    reference_colours,
)
from poise.comparison.result import Comparison
from poise.comparison.timebar import TimelineBar
from poise.draw import open_picture_writer
from poise.draw.video import FORMS
from poise.errors import UsageError
from poise.loading import Footage, track_rate
from poise.output import refuse_source
from poise.poses import Frame, Image, Poses

Box = tuple[float, float, float, float]
Report = Callable[[int, int], None]

FILM_SUFFIXES = (*FORMS, ".gif")
_FASTEST = 30.0
_GIF_RATE = 10.0
_PLAIN_SHAPES = (9 / 16, 16 / 9)  # width by height of panels without pictures
_MARGIN = 0.08  # of the height of a body's way, around it, where there are no pictures


def write_film(
    comparison: Comparison,
    path: str | Path,
    *,
    reference: Any = None,
    attempt: Any = None,
    overwrite: bool = False,
    report: Report | None = None,
) -> tuple[str, ...]:
    """Write both performances side by side, on the reference's clock.

    The reference's picture is on the left; on the right the attempt's at the moment that is
    compared with it, mirrored where the attempt is a mirror image, dimmed where it leaves the
    moment out. A third panel lays both bodies over one another with the same hips, length of the
    torso and roll. Each limb of the attempt is green to red by its error, grey where not judged.

    Both recordings are read once, in step; memory does not grow with their length.

    Args:
        comparison: What was found.
        path: ``.mp4``, ``.m4v``, ``.mov``, ``.mkv``, ``.webm`` (1280x720, the reference's frame
            rate up to 30, with its sound) or ``.gif`` (480 wide, 10 frames a second, no sound).
        reference, attempt: The recordings: a video, a picture, a folder of pictures; None where
            there are only keypoints.
        overwrite: Whether a file of that name may be replaced.
        report: Called with the frames written so far and their number.

    Returns:
        Notes for the user: sound that was lost, a codec that stood in.

    Raises:
        InputError: A recording cannot be read.
        OutputError: The film cannot be written; nothing then stands under its name.
        UsageError: Its name ends in nothing that can be written.
    """
    final = Path(path)
    if final.suffix.lower() not in FILM_SUFFIXES:
        raise UsageError(f"no film ends in '{final.suffix}'", where=path,
                         remedy=f"choose one of {', '.join(FILM_SUFFIXES)}")  # fmt: skip
    refuse_source(str(final), attempt)
    small = final.suffix.lower() == ".gif"
    with ExitStack() as stack:
        sides = open_sides(comparison, reference, attempt, stack)
        film = Film(comparison, *sides, small=small)
        times = film_times(comparison, sides[0], _GIF_RATE if small else _FASTEST)
        writer = open_picture_writer(
            final, size=film.size, fps=rate_of(times), source=reference, overwrite=overwrite
        )
        nobody = Poses.empty(comparison.reference.skeleton)
        with writer:
            for index, time in enumerate(times):
                writer.write(Frame(film.paint(time), index, time), nobody)
                if report is not None:
                    report(index + 1, len(times))
    return writer.notes


@dataclass(frozen=True, eq=False)
class Side:
    """One of the two recordings: who is in it, and its pictures, where there are any."""

    person: Person
    footage: Footage | None

    @property
    def frame(self) -> Box:
        """x0, y0, x1, y1 of what is shown, in pixels of the source."""
        if self.footage is not None:
            width, height = self.footage.size
            return 0.0, 0.0, float(width), float(height)
        x0, y0, x1, y1 = self.person.extent()
        margin = _MARGIN * max(y1 - y0, x1 - x0, 1.0)
        wide, high = x1 - x0 + 2 * margin, y1 - y0 + 2 * margin
        shape = min(_PLAIN_SHAPES, key=lambda shape: abs(np.log(shape * high / wide)))
        wide, high = max(wide, shape * high), max(high, wide / shape)
        x, y = (x0 + x1 - wide) / 2, (y0 + y1 - high) / 2
        return x, y, x + wide, y + high

    @property
    def aspect(self) -> float:
        """Width by height of what is shown."""
        x0, y0, x1, y1 = self.frame
        pixel = self.footage.pixel_aspect if self.footage else 1.0
        return min(max((x1 - x0) * pixel / (y1 - y0), 0.2), 5.0)

    def picture(self, time: float) -> tuple[Frame | None, float]:
        """Return the frame nearest to a moment, and the moment that it shows."""
        frame = self.footage.at(time) if self.footage else None
        return frame, time if frame is None or len(self.person.track) == 1 else frame.time


def open_sides(
    comparison: Comparison, reference: Any, attempt: Any, stack: ExitStack
) -> tuple[Side, Side]:
    """Open both recordings where they begin to be compared; the stack closes them."""
    timeline = comparison.timeline
    known = timeline.attempt_times[np.isfinite(timeline.attempt_times)]
    starts = float(timeline.times[0]), float(known[0]) if len(known) else 0.0
    sides = []
    for number, (source, track) in enumerate(
        ((reference, comparison.reference), (attempt, comparison.attempt))
    ):
        footage = None
        if source is not None:
            footage = stack.enter_context(Footage(source, track_rate(track), starts[number]))
        sides.append(Side(Person(track, comparison, attempt=number == 1), footage))
    return sides[0], sides[1]


def film_times(comparison: Comparison, side: Side, fastest: float) -> list[float]:
    """Return the seconds of the reference that are shown: even steps of its own frame rate.

    A faster recording is thinned by a whole number, so that its frames stay evenly spaced.
    """
    first, last = Course(comparison).span
    own = side.footage.fps if side.footage and side.footage.fps else track_rate(side.person.track)
    own = own if 1 <= own <= 1000 else fastest
    rate = own / np.ceil(own / fastest - 0.01)
    return [first + number / rate for number in range(int((last - first) * rate + 1e-3) + 1)]


def rate_of(times: list[float]) -> float:
    """Return the frames per second of even times."""
    return 1 / (times[1] - times[0]) if len(times) > 1 else 1.0


class Film:
    """Paints the pictures of a film, moment after moment.

    Attributes:
        size: Width and height in pixels.
    """

    def __init__(
        self, comparison: Comparison, reference: Side, attempt: Side, *, small: bool
    ) -> None:
        layout = choose_layout((reference.aspect, attempt.aspect), small=small)
        self.size = layout.size
        self._course = Course(comparison)
        self._sides = reference, attempt
        self._panels = list(_picture_panels(layout, comparison, self._sides))
        self._overlay = OverlayPanel(layout.overlay, reference.person, attempt.person, layout.unit)
        self._gauges = list(_gauges(layout, comparison))
        self._base = np.empty((self.size[1], self.size[0], 3), np.uint8)
        self._base[:] = GROUND
        for room in (layout.left, layout.right):
            fill_card(self._base, room, radius=0.55 * layout.unit)
        for part in (self._overlay, *self._gauges):
            part.prepare(self._base)

    def paint(self, time: float) -> Image:
        """Return the picture of a second of the reference; seconds must not run backwards."""
        instant = self._course.at(time)
        canvas = self._base.copy()
        ours, our_time = self._sides[0].picture(time)
        theirs, their_time = self._sides[1].picture(instant.attempt_time)
        colours = attempt_colours(instant)
        self._panels[0].paint(canvas, ours, our_time, reference_colours(len(LIMB_NAMES)))
        self._panels[1].paint(canvas, theirs, their_time, colours, instant.note)
        self._overlay.paint(canvas, instant, (our_time, their_time), colours)
        for gauge in self._gauges:
            gauge.paint(canvas, instant)
        return canvas


def attempt_title(comparison: Comparison) -> str:
    """Return what the attempt is called above its picture."""
    return "attempt (mirrored)" if comparison.relation.mirrored else "attempt"


def _picture_panels(
    layout: Layout, comparison: Comparison, sides: tuple[Side, Side]
) -> Iterator[PicturePanel]:
    height = picture_height(layout, (sides[0].aspect, sides[1].aspect))
    rooms, titles = (layout.left, layout.right), ("reference", attempt_title(comparison))
    for room, title, side in zip(rooms, titles, sides, strict=True):
        width = min(room.width, max(1, round(height * side.aspect)))
        rect = room.centred(width, height)
        # A picture that leaves a part of its card free has the card's corners around it.
        full = room.width - width <= 4 and room.height - height <= 4
        yield PicturePanel(rect, title, side.person, side.frame, layout.unit, rounded=full)


def _gauges(
    layout: Layout, comparison: Comparison
) -> Iterator[Measures | Limbs | Caption | TimelineBar]:
    yield Measures(layout.measures, layout.unit)
    if layout.limbs is not None:
        mirrored = comparison.relation.mirrored
        yield Limbs(layout.limbs, layout.grid, layout.unit, mirrored=mirrored)
    yield Caption(layout.caption, layout.unit)
    yield TimelineBar(layout.timeline, layout.unit, comparison)
