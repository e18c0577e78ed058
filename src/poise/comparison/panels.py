"""The panels of a film that show bodies: the two pictures, and both bodies on top of each other."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from poise.comparison.figures import (
    ATTEMPT_COLOUR,
    REFERENCE_COLOUR,
    figure_strokes,
    limb_colours,
)
from poise.comparison.instants import Instant, Person, Pose
from poise.comparison.layout import Rect
from poise.draw.lettering import blend, text_width, write
from poise.draw.plates import rounded_cover
from poise.draw.strokes import Strokes, draw, make_strokes
from poise.loading import resize
from poise.poses import FloatArray, Frame, Image

RGB = tuple[int, int, int]

GROUND: RGB = (13, 15, 20)
CARD: RGB = (25, 28, 36)
TRACK: RGB = (48, 53, 66)
TEXT: RGB = (238, 240, 244)
MUTED: RGB = (150, 157, 171)

_ROOM = 0.3  # torsos of space around the widest reach of both bodies
_MOST = 4.0  # torsos; what reaches further is cut off
_DIMMED = 84  # of 256: how bright a picture stays while its moment is left out


def fill_card(canvas: Image, rect: Rect, *, radius: float, colour: RGB = CARD) -> None:
    """Paint a rectangle with round corners into a picture, in place."""
    cover = rounded_cover(rect.width, rect.height, radius)[..., None]
    blend(canvas[rect.rows(), rect.columns()], cover, np.array(colour, np.int32))


class PicturePanel:
    """One of the two recordings, with the body painted over it.

    Args:
        rect: Where its picture stands.
        title: Its name.
        person: Who is painted.
        frame: x0, y0, x1, y1 of what is shown, in pixels of the source.
        unit: Height of the smallest letters.
        rounded: Whether its corners are.
    """

    def __init__(
        self,
        rect: Rect,
        title: str,
        person: Person,
        frame: tuple[float, float, float, float],
        unit: int,
        *,
        rounded: bool = True,
    ) -> None:
        self.rect = rect
        self._title, self._person, self._unit = title, person, unit
        x0, y0, x1, y1 = frame
        self._origin = np.array([x0, y0])
        self._scale = np.array([rect.width / (x1 - x0), rect.height / (y1 - y0)])
        self._width = x1 + x0  # what a mirrored point is taken from
        self._blank = _blank(rect)
        self._shown: tuple[Frame, Image] | None = None
        self._corners = list(_corners(round(0.55 * unit))) if rounded else []

    def paint(
        self, canvas: Image, frame: Frame | None, time: float, colours: FloatArray, note: str = ""
    ) -> None:
        """Paint the picture of a moment into the film, in place.

        Args:
            canvas: The film's picture.
            frame: The recording's frame, or None where there are no pictures.
            time: Seconds of this recording.
            colours: (L, 3) RGB of the limbs.
            note: Written over the dimmed picture where there is nothing to compare.
        """
        picture = self._picture(frame)
        pose = self._person.in_picture(time, self._width)
        draw(picture, self._strokes(pose, colours))
        if note:
            picture[...] = (picture.astype(np.uint16) * _DIMMED) >> 8
            where = (self.rect.width / 2, self.rect.height / 2)
            write(picture, note, where, size=1.7 * self._unit, colour=TEXT, align="middle",
                  bold=True)  # fmt: skip
        self._label(picture, self._title, time)
        for rows, columns, cover in self._corners:
            blend(picture[rows, columns], cover, np.array(GROUND, np.int32))
        canvas[self.rect.rows(), self.rect.columns()] = picture

    def _picture(self, frame: Frame | None) -> Image:
        if frame is None:
            return self._blank.copy()
        if self._shown is None or self._shown[0] is not frame:
            image = resize(frame.image, (self.rect.width, self.rect.height))
            image = image[:, ::-1] if self._person.mirrored else image
            self._shown = frame, np.ascontiguousarray(image)
        return self._shown[1].copy()

    def _strokes(self, pose: Pose, colours: FloatArray) -> Strokes:
        return figure_strokes(
            self._person.track.skeleton,
            (pose.points - self._origin) * self._scale,
            pose.scores,
            colours=colours,
            radius=max(1.1, 0.0085 * min(self.rect.height, 1.1 * self.rect.width)),
        )

    def _label(self, picture: Image, title: str, time: float) -> None:
        unit = self._unit
        clock = clock_time(time)
        for text, left in ((title, True), (clock, False)):
            wide = round(text_width(text, unit, bold=left) + 1.2 * unit)
            high, gap = round(1.7 * unit), round(0.55 * unit)
            x = gap if left else picture.shape[1] - wide - gap
            if (
                not left
                and 2 * gap + wide > picture.shape[1] - text_width(title, unit) - 2.5 * unit
            ):
                return  # a narrow picture has no room for both
            plate = picture[gap : gap + high, max(x, 0) : x + wide]
            cover = (rounded_cover(wide, high, 0.45 * high)[..., None] * 176) >> 8
            blend(plate, cover[: plate.shape[0], : plate.shape[1]], np.array(GROUND, np.int32))
            write(picture, text, (x + 0.6 * unit, gap + 0.5 * high + 0.36 * unit), size=unit,
                  colour=TEXT, bold=left)  # fmt: skip


def clock_time(seconds: float) -> str:
    """Return minutes, seconds and tenths: ``1:02.5``."""
    tenths = round(max(seconds, 0.0) * 10)
    return f"{tenths // 600}:{tenths // 10 % 60:02d}.{tenths % 10}"


def _corners(radius: int) -> Iterator[tuple[slice, slice, npt.NDArray[np.int32]]]:
    """Yield the rows and columns of each corner, and how much of it the ground covers."""
    corner = 256 - rounded_cover(4 * radius, 4 * radius, radius)[:radius, :radius, None]
    for rows, down in ((slice(0, radius), 1), (slice(-radius, None), -1)):
        for columns, along in ((slice(0, radius), 1), (slice(-radius, None), -1)):
            yield rows, columns, corner[::down, ::along]


def _blank(rect: Rect) -> Image:
    """A plain ground, lighter towards the bottom, for recordings without pictures."""
    shade = np.linspace(0.75, 1.35, rect.height)[:, None, None] * np.array(CARD)
    blank: Image = np.broadcast_to(shade, (rect.height, rect.width, 3)).astype(np.uint8)
    return np.ascontiguousarray(blank)


class OverlayPanel:
    """Both bodies with the same hips, size and roll: the reference dashed, the attempt coloured."""

    def __init__(self, rect: Rect, reference: Person, attempt: Person, unit: int) -> None:
        self._rect, self._unit = rect, unit
        self._reference, self._attempt = reference, attempt
        reaches = zip(reference.reach(), attempt.reach(), strict=True)
        side, up, down = (min(max(pair), _MOST) + _ROOM for pair in reaches)
        high = rect.height - 1.9 * unit
        self._scale = min(high / (up + down), rect.width / (2 * side))
        spare = high - self._scale * (up + down)
        self._middle = np.array([rect.width / 2, self._scale * up + spare / 2])
        self._radius = max(1.1, 0.055 * self._scale)

    def prepare(self, canvas: Image) -> None:
        """Paint what never changes."""
        rect, unit = self._rect, self._unit
        fill_card(canvas, rect, radius=0.55 * unit)
        size = unit if rect.width > 18 * unit else 0.85 * unit
        names = (("reference", REFERENCE_COLOUR), ("attempt", ATTEMPT_COLOUR))
        words = sum(text_width(name, size) for name, _ in names)
        gap = min(1.6 * size, rect.width - words - 5.0 * size)
        x, y = rect.x + (rect.width - words - gap - 4.2 * size) / 2, rect.bottom - 0.85 * unit
        for name, colour in names:
            parts = ((0, 0.55), (0.95, 1.5)) if name == "reference" else ((0.0, 1.5),)
            starts = [(x + a * size, y - 0.36 * size) for a, _ in parts]
            ends = [(x + b * size, y - 0.36 * size) for _, b in parts]
            draw(canvas, make_strokes(starts, ends, radius=0.12 * size, colour=colour))
            write(canvas, name, (x + 2.1 * size, y), size=size, colour=MUTED)
            x += 2.1 * size + text_width(name, size) + gap

    def paint(
        self, canvas: Image, instant: Instant, times: tuple[float, float], colours: FloatArray
    ) -> None:
        """Paint both bodies of a moment; times are the seconds of the two recordings."""
        rect = self._rect
        part = np.ascontiguousarray(canvas[rect.rows(), rect.columns()])
        ours = self._reference.beside(times[0])
        pale = np.tile(np.array(REFERENCE_COLOUR, np.float32), (len(colours), 1))
        draw(part, self._strokes(self._reference, ours, pale, dashed=True))
        if not instant.left_out:
            theirs = self._attempt.beside(times[1])
            draw(part, self._strokes(self._attempt, theirs, colours))
        canvas[rect.rows(), rect.columns()] = part

    def _strokes(
        self, person: Person, pose: Pose, colours: FloatArray, *, dashed: bool = False
    ) -> Strokes:
        return figure_strokes(
            person.track.skeleton,
            pose.points * self._scale + self._middle,
            pose.scores,
            colours=colours,
            radius=self._radius * (0.62 if dashed else 1.0),
            dashed=dashed,
        )


def reference_colours(count: int) -> FloatArray:
    """Return (L, 3) the colour of the reference for every limb."""
    return np.tile(np.array(REFERENCE_COLOUR, np.float32), (count, 1))


def attempt_colours(instant: Instant) -> FloatArray:
    """Return (L, 3) the colours of the attempt's limbs; grey where nothing is judged."""
    errors: npt.NDArray[np.float64] = instant.errors
    return limb_colours(np.full_like(errors, np.nan) if instant.left_out else errors)
