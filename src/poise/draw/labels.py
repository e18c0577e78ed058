"""Labels: ids written with strokes, so that no font is needed and every size is crisp."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from poise.draw.strokes import OUTLINE_COLOUR, draw, make_strokes
from poise.poses import FloatArray, Image

RGB = tuple[int, int, int]
Rest = npt.NDArray[np.uint16]

ADVANCE = 0.86
_WIDTH = 0.6


def _arc(cx: float, cy: float, rx: float, ry: float, turn: tuple[int, int]) -> list[list[float]]:
    """Points of an elliptic arc; degrees clockwise on the screen, 0 to the right."""
    angles = np.radians(np.linspace(*turn, 2 + abs(turn[1] - turn[0]) // 30))
    points = np.column_stack([cx + rx * np.cos(angles), cy + ry * np.sin(angles)])
    return [[float(x), float(y)] for x, y in points]


# Each sign is one or more polylines in a cell 0.6 wide and 1 high, y down.
_SIGNS: dict[str, list[list[list[float]]]] = {
    "0": [_arc(0.3, 0.5, 0.3, 0.5, (0, 360))],
    "1": [[[0.06, 0.22], [0.34, 0.0], [0.34, 1.0]]],
    "2": [[*_arc(0.3, 0.29, 0.28, 0.29, (-170, 30)), [0.0, 1.0], [0.6, 1.0]]],
    "3": [[*_arc(0.28, 0.25, 0.27, 0.25, (-150, 90)), *_arc(0.28, 0.75, 0.32, 0.25, (-90, 150))]],
    "4": [[[0.44, 1.0], [0.44, 0.0], [0.0, 0.7], [0.62, 0.7]]],
    "5": [[[0.56, 0.0], [0.1, 0.0], [0.06, 0.45], *_arc(0.28, 0.68, 0.32, 0.32, (-120, 140))]],
    "6": [[*_arc(0.46, 0.7, 0.46, 0.7, (-80, -180)), *_arc(0.3, 0.7, 0.3, 0.3, (-180, 180))]],
    "7": [[[0.0, 0.0], [0.6, 0.0], [0.2, 1.0]]],
    "8": [_arc(0.3, 0.24, 0.26, 0.24, (90, 450)), _arc(0.3, 0.74, 0.3, 0.26, (-90, 270))],
    "9": [[*_arc(0.14, 0.3, 0.46, 0.7, (100, 0)), *_arc(0.3, 0.3, 0.3, 0.3, (0, 360))]],
    "-": [[[0.08, 0.5], [0.52, 0.5]]],
}


def _lines(text: str) -> tuple[FloatArray, FloatArray]:
    """Return start and end of the strokes of a number, 1 high, its middle at (0, 0)."""
    middle = np.array([(ADVANCE * (len(text) - 1) + _WIDTH) / 2, 0.5])
    starts: list[npt.NDArray[np.float64]] = []
    ends: list[npt.NDArray[np.float64]] = []
    for place, sign in enumerate(text):
        for polyline in _SIGNS[sign]:
            points = np.array(polyline) + np.array([place * ADVANCE, 0]) - middle
            starts.append(points[:-1])
            ends.append(points[1:])
    return np.concatenate(starts).astype(np.float32), np.concatenate(ends).astype(np.float32)


def draw_label(
    image: Image, number: int, middle_bottom: tuple[float, float], *, height: int, colour: RGB
) -> None:
    """Write a number on a rounded plate into a picture, in place.

    Args:
        image: (H, W, 3) uint8 RGB.
        number: What is written.
        middle_bottom: Where the middle of the plate's lower edge should be, in pixels; the plate
            stays inside the picture.
        height: Height of the digits in pixels.
        colour: RGB of the plate; the digits are black or white, whichever reads better.
    """
    label, rest = _render(str(number), height, colour)
    tall, wide = label.shape[:2]
    x = max(min(round(middle_bottom[0] - wide / 2), image.shape[1] - wide), 0)
    y = max(min(round(middle_bottom[1] - tall), image.shape[0] - tall), 0)
    part = image[y : y + tall, x : x + wide]
    shown = part * rest[: part.shape[0], : part.shape[1]]
    shown //= 255
    shown += label[: part.shape[0], : part.shape[1]]
    part[...] = shown


@lru_cache(maxsize=256)
def _render(text: str, height: int, colour: RGB) -> tuple[Rest, Rest]:
    """Return what a label adds to a picture, and how much (0..255) it leaves of what is there.

    Drawn once over black and once over white; the difference is what shines through.
    """
    radius, bar = 0.86 * height, height * (ADVANCE * (len(text) - 1) + 0.12) / 2
    rim = max(0.5, 0.06 * height)
    tall, wide = (2 * math.ceil(extent + rim + 1) for extent in (radius, radius + bar))
    middle, half = np.array([wide / 2, tall / 2]), np.array([bar, 0])
    plate = make_strokes(middle - half, middle + half, radius=radius, outline=rim, colour=colour)
    start, end = _lines(text)
    dark = np.dot(colour, (0.299, 0.587, 0.114)) > 110
    digits = make_strokes(
        start * height + middle,
        end * height + middle,
        radius=max(0.55, 0.085 * height),
        colour=OUTLINE_COLOUR if dark else (255, 255, 255),
    )
    black = np.zeros((tall, wide, 3), np.uint8)
    white = np.full((tall, wide, 3), 255, np.uint8)
    for canvas in (black, white):
        draw(canvas, plate)
        draw(canvas, digits)
    rest = white.astype(np.uint16) - black
    return black.astype(np.uint16), rest
