"""The source with everybody's labels painted at them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from poise.classification.account import FALL_COLOUR, Account, Colours, ink_on, pick_colours
from poise.classification.events import Event
from poise.classification.telling import spell
from poise.draw import Painter, Style, open_picture_writer
from poise.draw.lettering import text_width, write
from poise.draw.plates import fill_plate
from poise.draw.style import person_colour
from poise.loading import Footage, resize
from poise.output import refuse_source
from poise.poses import Frame, Image, Poses, bounding_boxes

Box = tuple[float, float, float, float]

_GROUND = (22, 25, 31)
_INK = (245, 246, 248)
_USUAL_RATE = 30.0
_GIF_SIDE = 480  # what a GIF is made smaller to, so that letters are written in that size
_LEAST_SCORE = 0.3


def write_overlay(
    account: Account,
    path: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    report: Callable[[int, int], None] | None = None,
) -> tuple[str, ...]:
    """Write the source with bodies and labels over it; without footage, on a plain ground.

    Args:
        account: What happened.
        path: Any video, GIF or picture that ``open_picture_writer`` takes.
        overwrite: Whether a file of that name may be replaced.
        report: Called with the frames written so far and their number.

    Returns:
        Notes for the user: sound that was lost, a codec that stood in.

    Raises:
        InputError: The footage cannot be read any more.
        OutputError: The file cannot be written; nothing then stands under its name.
        UsageError: Its name ends in nothing that can be written, or a picture is to hold a video.
    """
    refuse_source(os.fspath(path), account.source)
    with ExitStack() as stack:
        footage = stack.enter_context(Footage(account.footage)) if account.footage else None
        size = footage.size if footage else _plain_size(account)
        shown = _shown_size(size, small=Path(path).suffix.lower() == ".gif")
        writer = open_picture_writer(
            path,
            size=shown,
            fps=(footage and footage.fps) or account.clip.header.fps,
            source=account.footage,
            overwrite=overwrite,
            still=account.still,
            pixel_aspect=footage.pixel_aspect if footage else 1.0,
        )
        nobody = Poses.empty(account.clip.skeleton)
        stack.enter_context(writer)
        for number, frame in enumerate(_frames(account, footage, shown, size)):
            writer.write(frame, nobody)
            if report is not None:
                report(number + 1, len(account.clip))
    return writer.notes


def _frames(
    account: Account, footage: Footage | None, shown: tuple[int, int], size: tuple[int, int]
) -> Iterator[Frame]:
    labels = LabelPainter(account)
    blank = np.empty((shown[1], shown[0], 3), np.uint8)
    blank[:] = _GROUND
    for number, poses in enumerate(account.clip.frames):
        known = poses if all(poses.size) else poses.replace(size=size)
        frame = footage.at(poses.time) if footage else None
        image = blank if frame is None else resize(frame.image, shown)
        yield Frame(labels.paint(image, known), number, poses.time)


class LabelPainter:
    """Paints bodies and what they do over the pictures of one source.

    Args:
        account: What happened.
    """

    def __init__(self, account: Account) -> None:
        self._account = account
        self._colours = pick_colours(account.events)
        self._painter = Painter(Style(ids=False))

    def paint(self, image: Image, poses: Poses) -> Image:
        """Return a new picture with the people of a frame and their labels.

        Args:
            image: (H, W, 3) uint8 RGB.
            poses: The people, with the size of the picture that their keypoints are in.
        """
        canvas = self._painter.paint(image, poses)
        active = self._account.active(poses.time)
        taken: list[Box] = []
        for identity, body in _bodies(poses, (canvas.shape[1], canvas.shape[0])):
            if identity in self._account.people:
                plate = _Plate(identity, active.get(identity, []), body, canvas)
                plate.paint(canvas, plate.find_place(taken), self._colours)
        return canvas


class _Plate:
    """What one person does: the id, and one line for each label."""

    def __init__(self, identity: int, events: list[Event], body: Box, canvas: Image) -> None:
        self._id, self._events, self._body = str(identity), events, body
        self._frame = canvas.shape[1], canvas.shape[0]
        short = min(self._frame)
        tall = max(body[2] - body[0], body[3] - body[1])
        self._size = round(min(max(0.055 * tall, 0.028 * short, 11), max(0.05 * short, 11)))
        self._line = 1.32 * self._size
        self._badge = text_width(self._id, self._size, bold=True) + 0.7 * self._size
        widths = [text_width(spell(one.label), self._size, bold=True) for one in events]
        self._wide = self._badge + (max(widths) + 1.75 * self._size if events else 0)
        self._high = max(len(events), 1) * self._line + 0.3 * self._size

    def find_place(self, taken: list[Box]) -> Box:
        """Return where it stands: over the person, in the picture, and clear of the others."""
        width, height = self._frame
        x = (self._body[0] + self._body[2] - self._wide) / 2
        x = max(min(x, width - self._wide - 2), 2)
        y = max(min(self._body[1] - self._high - 0.6 * self._size, height - self._high - 2), 2)
        place = x, y, x + self._wide, y + self._high
        for _ in range(len(taken)):
            hit = next((other for other in taken if _overlap(place, other)), None)
            if hit is None:
                break
            # Above the other one; below it where there is no room above.
            y = hit[1] - self._high - 2 if hit[1] - self._high - 2 >= 2 else hit[3] + 2
            place = x, y, x + self._wide, y + self._high
        taken.append(place)
        return place

    def paint(self, canvas: Image, place: Box, colours: Colours) -> None:
        x0, y0, _, y1 = place
        size, line = self._size, self._line
        falls = any(event.kind == "fall" for event in self._events)
        radius = 0.35 * size
        if self._events:
            fill_plate(canvas, place, FALL_COLOUR if falls else _GROUND, radius=radius,
                       opacity=0.92 if falls else 0.78)  # fmt: skip
        person = person_colour(int(self._id))
        fill_plate(canvas, (x0, y0, x0 + self._badge, y1), person, radius=radius)
        middle = x0 + self._badge / 2, (y0 + y1) / 2 + 0.36 * size
        write(canvas, self._id, middle, size=size, colour=ink_on(person), align="middle", bold=True)
        for row, event in enumerate(self._events):
            base = y0 + 0.15 * size + row * line + 0.5 * line + 0.36 * size
            dot = x0 + self._badge + 0.4 * size
            colour = colours[event.kind, event.label]
            fill_plate(
                canvas, (dot, base - 0.6 * size, dot + 0.5 * size, base - 0.1 * size),
                _INK if event.kind == "fall" else colour, radius=size,
            )  # fmt: skip
            write(
                canvas,
                spell(event.label),
                (dot + 0.9 * size, base),
                size=size,
                colour=_INK,
                bold=True,
            )


def _bodies(poses: Poses, shown: tuple[int, int]) -> list[tuple[int, Box]]:
    """Return who is to be seen and where, in pixels of the picture that is shown."""
    if poses.ids is None or not len(poses):
        return []
    seen = poses.scores >= _LEAST_SCORE
    spans = bounding_boxes(np.where(seen[..., None], poses.keypoints, np.float32(np.nan)))
    spans = spans * np.tile(np.array(shown) / np.array(poses.size), 2)
    return [
        (identity, (span[0], span[1], span[2], span[3]))
        for identity, span in zip(poses.ids.tolist(), spans.tolist(), strict=True)
        if np.isfinite(span).all()
    ]


def _overlap(one: Box, other: Box) -> bool:
    return (
        one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
    )  # fmt: skip


def _plain_size(account: Account) -> tuple[int, int]:
    """Return the size of the source's pictures; where it is unknown, how far people reach."""
    for width, height in (account.clip.header.size, *(f.size for f in account.clip.frames[:1])):
        if width and height:
            return width, height
    boxes = np.concatenate([poses.boxes for poses in account.clip.frames])
    reach = np.nanmax(boxes[:, 2:], axis=0, initial=64) if len(boxes) else np.array([64, 64])
    return int(1.05 * reach[0]) + 1, int(1.05 * reach[1]) + 1


def _shown_size(size: tuple[int, int], *, small: bool) -> tuple[int, int]:
    scale = min(_GIF_SIDE / max(size), 1) if small else 1.0
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
