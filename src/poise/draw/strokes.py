"""Anti-aliased strokes, painted straight into a picture with numpy.

Everything that Poise draws (limbs, dots, boxes, trails, digits) is a stroke: a straight line with
round ends. Only the pixels near a stroke are touched, so that a person costs well under a
millisecond, and all strokes of a picture go through the same few array operations together.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from poise.poses import FloatArray, Image

OUTLINE_COLOUR = (12, 14, 18)
_FARTHEST = 1e6
IndexArray = npt.NDArray[np.int64]
_Cover = tuple[IndexArray, IndexArray, FloatArray, FloatArray]


@dataclass(frozen=True, eq=False)
class Strokes:
    """S lines with round ends; a dot is a line of length 0.

    Attributes:
        start: (S, 2) float32 pixels.
        end: (S, 2) float32 pixels.
        radius: (S,) float32 half the width, in pixels.
        outline: (S,) float32 width of the dark rim around the line, in pixels.
        colour: (S, 3) float32 RGB in 0..255.
        opacity: (S,) float32 in 0..1.
    """

    start: FloatArray
    end: FloatArray
    radius: FloatArray
    outline: FloatArray
    colour: FloatArray
    opacity: FloatArray

    def __len__(self) -> int:
        return len(self.start)

    def select(self, rows: npt.ArrayLike) -> Strokes:
        """Return only some of the strokes: row numbers or an (S,) mask."""
        chosen = np.asarray(rows)
        return Strokes(*(getattr(self, field.name)[chosen] for field in fields(self)))


def make_strokes(
    start: npt.ArrayLike,
    end: npt.ArrayLike,
    *,
    radius: npt.ArrayLike,
    outline: npt.ArrayLike = 0.0,
    colour: npt.ArrayLike,
    opacity: npt.ArrayLike = 1.0,
) -> Strokes:
    """Return strokes; what is given once holds for all of them."""
    first = np.asarray(start, np.float32).reshape(-1, 2)
    count = len(first)

    def spread(value: npt.ArrayLike, *shape: int) -> FloatArray:
        column = np.empty((count, *shape), np.float32)
        column[...] = value
        return column

    return Strokes(
        first,
        np.asarray(end, np.float32).reshape(-1, 2),
        spread(radius),
        spread(outline),
        spread(colour, 3),
        spread(opacity),
    )


def join(parts: Iterable[Strokes]) -> Strokes:
    """Return all the strokes as one; where two are equally strong, the later one wins."""
    all_parts = list(parts) or [make_strokes([], [], radius=0, colour=(0, 0, 0))]
    columns = ([getattr(part, field.name) for part in all_parts] for field in fields(Strokes))
    return Strokes(*(np.concatenate(column) for column in columns))


def draw(image: Image, strokes: Strokes) -> None:
    """Paint the strokes into a C-contiguous (H, W, 3) uint8 picture, in place.

    A pixel takes the colour of the stroke that covers it most, so that the limbs of one drawing
    melt together and no rim runs across a joint. Strokes with a coordinate that is not finite or
    beyond all pictures, or with no opacity, draw nothing.
    """
    sane = (np.abs(np.hstack([strokes.start, strokes.end])) < _FARTHEST).all(axis=1)
    groups = _by_width(strokes, np.flatnonzero(sane & (strokes.opacity > 0)))
    height, width = image.shape[:2]
    parts = [_cover(strokes.select(rows), rows, width, height) for rows in groups]
    parts = [part for part in parts if len(part[0])]
    if not parts:
        return
    pixels, owner = (np.concatenate([part[column] for part in parts]) for column in (0, 1))
    line, rim = (np.concatenate([part[column] for part in parts]) for column in (2, 3))
    # Of two that cover a pixel alike, the later is to win.
    rank = line + rim
    rank += owner.astype(np.float32) * np.float32(1e-6)
    seen = np.flatnonzero(_is_strongest(pixels, rank, width * height) & (rim > 0))
    colour = strokes.colour[owner[seen]]
    _blend(image, pixels[seen], colour, _to_256(line[seen]), _to_256(rim[seen]))


def _by_width(strokes: Strokes, rows: IndexArray) -> list[IndexArray]:
    """Sort rows into groups of similar width, because a group is laid out in one rectangle."""
    groups = []
    while len(rows):
        widths = strokes.radius[rows] + strokes.outline[rows] + 1
        near = widths <= 2.2 * widths.min()
        groups.append(rows[near])
        rows = rows[~near]
    return groups


def _cover(strokes: Strokes, rows: IndexArray, width: int, height: int) -> _Cover:
    """Find what the strokes cover of a picture.

    Each stroke is walked along its longer axis (u); at each step stands a run of pixels across
    it (v), as long as the widest stroke needs. Along a run both the place along the stroke and
    the distance from its line grow linearly, so that they cost one multiplication a pixel.

    Returns:
        For each pixel its number in the picture, its row of ``rows``, and how much (0..1) the
        line and the line with its rim cover it.
    """
    start, end, steep = _turn(strokes)
    du, dv, length = _direction(end - start)
    reach = strokes.radius + strokes.outline + np.float32(0.5)
    owner, u = _steps(start[:, 0] - reach, end[:, 0] + reach, np.where(steep, height, width))
    columns = (
        *start.T, end[:, 0] - start[:, 0], du, dv, length / 2,
        reach / du, strokes.radius + np.float32(0.5), strokes.outline, strokes.opacity,
    )  # fmt: skip
    table = np.stack(columns)[:, owner]
    u0, v0, extent, du, dv, middle, reach, radius, outline, opacity = table
    along = u.astype(np.float32) + np.float32(0.5) - u0
    centre = np.clip(along, 0, extent) * (dv / du) + v0
    breadth, down = np.where(steep, width, height)[owner], steep[owner]
    run = min(int(np.ceil(2 * reach.max(initial=0))) + 1, max(width, height))
    highest = np.maximum(breadth - run, 0)
    low = np.clip(np.ceil(centre - reach - 0.5), 0, highest).astype(np.int64)
    across = low.astype(np.float32) + np.float32(0.5) - v0
    offset = np.arange(run, dtype=np.float32)[:, None]
    place = np.abs(offset * dv + (along * du + across * dv - middle)) - middle
    aside = offset * du + (across * du - along * dv)
    line = radius - _hypot(np.maximum(place, 0, out=place), aside)
    rim = line + outline
    first = np.where(down, u * width + low, low * width + u)
    pixels = first + np.arange(run)[:, None] * np.where(down, 1, width)
    if run > min(width, height):  # strokes as wide as the picture is narrow
        outside = low + np.arange(run)[:, None] >= breadth
        pixels[outside], line[outside], rim[outside] = 0, 0, 0
    owners = np.broadcast_to(rows[owner], pixels.shape)
    line, rim = (np.clip(part, 0, 1, out=part) for part in (line, rim))
    line *= opacity
    rim *= opacity
    return pixels.ravel(), owners.ravel(), line.ravel(), rim.ravel()


def _turn(strokes: Strokes) -> tuple[FloatArray, FloatArray, npt.NDArray[np.bool_]]:
    """Return start and end as (u, v), u along the longer axis and growing, and where u is y."""
    delta = np.abs(strokes.end - strokes.start)
    steep = delta[:, 1] >= delta[:, 0]
    start = np.where(steep[:, None], strokes.start[:, ::-1], strokes.start)
    end = np.where(steep[:, None], strokes.end[:, ::-1], strokes.end)
    back = (start[:, 0] > end[:, 0])[:, None]
    return np.where(back, end, start), np.where(back, start, end), steep


def _direction(delta: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the unit vector (along u where there is none) and the length of each stroke."""
    length = np.hypot(delta[:, 0], delta[:, 1])
    unit: FloatArray = (delta / np.maximum(length, 1e-6)[:, None]).astype(np.float32)
    unit[length <= 1e-6] = (1, 0)
    return unit[:, 0], unit[:, 1], length


def _steps(low: FloatArray, high: FloatArray, length: IndexArray) -> tuple[IndexArray, IndexArray]:
    """Count from low to high, inside 0..length: return whose step each is, and its number."""
    first = np.clip(np.floor(low), 0, length).astype(np.int64)
    last = np.clip(np.ceil(high), first, length).astype(np.int64)
    counts = last - first
    owner = np.repeat(np.arange(len(counts)), counts)
    before = np.cumsum(counts) - counts
    return owner, np.arange(len(owner)) - (before - first)[owner]


def _hypot(a: FloatArray, b: FloatArray) -> FloatArray:
    """Like numpy.hypot, which is five times slower; overwrites its arguments."""
    a *= a
    b *= b
    a += b
    return np.sqrt(a, out=a)


def _is_strongest(pixels: IndexArray, rank: FloatArray, count: int) -> npt.NDArray[np.bool_]:
    """Return where a pixel has its highest rank; a sort would cost three times as much.

    Every touched pixel is written before it is read, and numpy keeps the last value of a
    repeated index; then the positions that rank higher than what was kept are written again.
    """
    kept = np.empty(count, np.float32)
    kept[pixels] = rank
    left = np.flatnonzero(rank > kept[pixels])
    while len(left):
        kept[pixels[left]] = rank[left]
        left = left[rank[left] > kept[pixels[left]]]
    best: npt.NDArray[np.bool_] = rank == kept[pixels]
    return best


def _to_256(cover: FloatArray) -> npt.NDArray[np.int32]:
    return (cover * np.float32(256)).astype(np.int32)


def _blend(
    image: Image,
    pixels: IndexArray,
    colour: FloatArray,
    line: npt.NDArray[np.int32],
    rim: npt.NDArray[np.int32],
) -> None:
    """Mix colour (by line) and the dark rim (by rim - line) over the picture; 256 is opaque."""
    canvas, places = image.reshape(-1), pixels * 3
    rest, dark = 256 - rim, rim - line
    for channel, shade in enumerate(OUTLINE_COLOUR):
        mixed = canvas[places] * rest
        mixed += colour[:, channel].astype(np.int32) * line
        mixed += dark * shade
        mixed >>= 8
        canvas[places] = mixed
        places += 1
