"""The picture of a line-up: one panel a model, each painted with what that model found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from poise.draw import PICTURE_SUFFIXES, Painter, Style, open_picture_writer
from poise.draw.lettering import RGB, fitted, text_width, write
from poise.draw.stills import FORMATS
from poise.errors import UsageError
from poise.lineup.figures import Figures
from poise.lineup.walk import Entry
from poise.loading import Report, resize
from poise.options import Options
from poise.pipeline import open_source
from poise.poses import Frame, Image, Poses

_MOST = (1920, 1080)  # pixels of the whole picture
_LEAST = 360  # pixels that a panel is wide at least, so that its line can be read
_GAP = 6
_GROUND: RGB = (13, 15, 20)
_TEXT: RGB = (238, 240, 244)
_MUTED: RGB = (150, 157, 171)


@dataclass(frozen=True)
class Grid:
    """Where the panels stand.

    Attributes:
        columns, rows: How many there are.
        panel: Width and height of a panel's picture in pixels.
        line: Height of the line above each panel in pixels.
    """

    columns: int
    rows: int
    panel: tuple[int, int]
    line: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the whole, even numbers, as video codecs want them."""
        wide = self.columns * self.panel[0] + (self.columns + 1) * _GAP
        high = self.rows * (self.panel[1] + self.line) + (self.rows + 1) * _GAP
        return wide + wide % 2, high + high % 2

    def corner(self, number: int) -> tuple[int, int]:
        """Return x and y of the upper left corner of a panel's line."""
        row, column = divmod(number, self.columns)
        x = _GAP + column * (self.panel[0] + _GAP)
        return x, _GAP + row * (self.panel[1] + self.line + _GAP)


def choose_grid(count: int, size: tuple[int, int]) -> Grid:
    """Return the grid whose panels are largest.

    Args:
        count: Number of panels.
        size: Width and height of the source in pixels.
    """

    def scale(columns: int) -> float:
        rows = -(-count // columns)
        most = max(_LEAST / size[0], 1.0)
        return min(_MOST[0] / columns / size[0], _MOST[1] / rows / size[1], most)

    # Of equal ones the one with the fewest empty places, then the widest.
    columns = max(range(1, count + 1), key=lambda n: (scale(n), -(-count % n), n))
    factor = scale(columns)
    panel = max(round(size[0] * factor), 1), max(round(size[1] * factor), 1)
    line = min(max(round(0.06 * panel[1]), 16), 40)
    return Grid(columns, -(-count // columns), panel, line)


class LineUp:
    """Paints the panels of one frame after another."""

    def __init__(self, grid: Grid, figures: Sequence[Figures], style: Style) -> None:
        self._grid = grid
        self._figures = figures
        self._painters = [Painter(style) for _ in figures]
        self._base = np.empty((grid.size[1], grid.size[0], 3), np.uint8)
        self._base[:] = _GROUND

    def paint(self, image: Image, found: Sequence[Poses]) -> Image:
        """Return the whole picture: every model's people over the same frame."""
        canvas = self._base.copy()
        wide, high = self._grid.panel
        small = resize(image, self._grid.panel)
        for number, (painter, poses) in enumerate(zip(self._painters, found, strict=True)):
            x, y = self._grid.corner(number)
            self._write_line(canvas, (x, y), self._figures[number], len(poses))
            y += self._grid.line
            canvas[y : y + high, x : x + wide] = painter.paint(small, poses)
        return canvas

    def _write_line(
        self, canvas: Image, corner: tuple[int, int], figures: Figures, people: int
    ) -> None:
        size, wide = 0.62 * self._grid.line, self._grid.panel[0]
        base = corner[1] + 0.72 * self._grid.line
        right = f"{people} found, {figures.ms:.0f} ms"
        room = wide - text_width(right, size) - size
        name = fitted(figures.model, size, room, bold=True)
        write(canvas, name, (corner[0], base), size=size, colour=_TEXT, bold=True)
        place = corner[0] + wide, base
        write(canvas, right, place, size=size, colour=_MUTED, align="right")


def check_name(path: str, *, still: bool) -> None:
    """Refuse a name that no picture of a line-up can have.

    Args:
        path: The output.
        still: Whether the source is a single picture.

    Raises:
        UsageError: Its name ends in nothing that can be written.
    """
    suffix = Path(path).suffix.lower()
    if path.endswith("/") or suffix not in PICTURE_SUFFIXES:
        raise UsageError(
            f"no line-up is written as '{suffix or path}'", where=path,
            remedy=f"choose one of {', '.join(PICTURE_SUFFIXES)}",
        )  # fmt: skip
    picture = suffix in FORMATS
    if still and not picture:
        raise UsageError(
            "a picture makes no video", where=path, remedy="write a .png, .jpg or .webp"
        )
    if not still and picture:
        raise UsageError(
            "one picture cannot hold a video", where=path, remedy="write an .mp4 or a .gif"
        )


def write_lineup(
    path: str,
    source: str,
    entries: Sequence[Entry],
    figures: Sequence[Figures],
    *,
    options: Options,
    style: Style | None = None,
    overwrite: bool = False,
    report: Report | None = None,
) -> tuple[str, ...]:
    """Read a source again and paint what every model found in it, panel by panel.

    Args:
        path: A picture or a video; its suffix tells.
        source: The picture or video that the models were run on.
        entries, figures: What they found, in the same order.
        options: Those that they were run with.
        style: How the poses look.
        overwrite: Whether a file of that name may be replaced.
        report: Told of each frame that was painted.

    Returns:
        Notes for the user: sound that was lost, a codec that stood in.

    Raises:
        InputError: The source cannot be read.
        OutputError: It cannot be written; nothing then stands under its name.
        UsageError: Its name ends in nothing that can be written.
    """
    total = len(entries[0].clip)
    nobody = Poses.empty(entries[0].clip.skeleton)
    with open_source(source, options) as reader:
        grid = choose_grid(len(entries), reader.size)
        lineup = LineUp(grid, figures, style or Style())
        writer = open_picture_writer(
            path,
            size=grid.size,
            fps=reader.fps,
            source=source,
            overwrite=overwrite,
            still=reader.still,
            pixel_aspect=reader.pixel_aspect,
        )
        found = zip(*(entry.clip.frames for entry in entries), strict=True)
        with writer:
            for number, (frame, poses) in enumerate(zip(reader, found, strict=False)):
                painted = lineup.paint(frame.image, poses)
                writer.write(Frame(painted, frame.index, frame.time), nobody)
                if report is not None:
                    report(number + 1, total)
    return writer.notes
