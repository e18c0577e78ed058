"""Words written into pictures, with the font that Pillow carries, so that none is installed."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from poise.poses import Image

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

RGB = tuple[int, int, int]
Place = Literal["left", "middle", "right"]

# The carried font has ASCII and these; other letters come from a font of the system, if any.
_CARRIED = frozenset("°·±…“”‘’")
_DOTTED = dict(zip("äöüÄÖÜ", "aouAOU", strict=True))
_SYSTEM_FONTS = ("DejaVuSans.ttf", "NotoSans-Regular.ttf", "Arial.ttf", "Arial Unicode.ttf")


def write(
    image: Image,
    text: str,
    where: tuple[float, float],
    *,
    size: float,
    colour: RGB,
    align: Place = "left",
    bold: bool = False,
) -> None:
    """Write one line into a picture, in place; what lies outside of it is cut off.

    Args:
        image: (H, W, 3) uint8 RGB.
        text: The words.
        where: x of the left end, the middle or the right end, and y of the base line, in pixels.
        size: Height of the font in pixels.
        colour: RGB of the letters.
        align: What ``where`` is the x of.
        bold: Whether the strokes are thicker.
    """
    cover, (dx, dy), wide = _render(text, round(size), bold)
    shift = {"left": 0.0, "middle": wide / 2, "right": wide}[align]
    x, y = round(where[0] - shift + dx), round(where[1] + dy)
    height, width = image.shape[:2]
    top, left = max(-y, 0), max(-x, 0)
    cover = cover[top : height - y, left : width - x]
    if not cover.size or y >= height or x >= width:
        return
    part = image[y + top : y + top + cover.shape[0], x + left : x + left + cover.shape[1]]
    blend(part, cover[..., None], np.array(colour, np.int32))


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Return how many pixels wide a line will be."""
    return _render(text, round(size), bold)[2]


def fitted(text: str, size: float, width: float, *, bold: bool = False) -> str:
    """Return the text, cut with an ellipsis where it is wider than so many pixels."""
    if text_width(text, size, bold=bold) <= width:
        return text
    while text and text_width(text + "…", size, bold=bold) > width:
        text = text[:-1].rstrip()
    return text + "…"


def blend(part: Image, cover: npt.NDArray[np.int32], colour: npt.NDArray[np.int32]) -> None:
    """Mix a colour over a piece of a picture, in place; a cover of 256 is opaque."""
    part[...] = (part * (256 - cover) + colour * cover) >> 8


@lru_cache(maxsize=1024)
def _render(
    text: str, size: int, bold: bool
) -> tuple[npt.NDArray[np.int32], tuple[float, float], float]:
    """Return how much (0..256) the letters cover, where they begin, and how far they reach."""
    font, shown = _font(text, size)
    stroke = 0.028 * size if bold else 0.0
    wide = float(font.getlength(shown))
    if not shown.strip():
        return np.zeros((0, 0), np.int32), (0.0, 0.0), wide
    mask, offset = font.getmask2(
        shown, mode="L", stroke_width=stroke, anchor="ls", stroke_filled=True
    )
    cover = np.array(mask, np.int32).reshape(mask.size[1], mask.size[0])
    if shown != text and len(shown) == len(text):
        cover, offset = _dotted(text, cover, offset, size)
    return cover + (cover >> 7), (float(offset[0]), float(offset[1])), wide


def _dotted(
    text: str, cover: npt.NDArray[np.int32], offset: tuple[int, int], size: int
) -> tuple[npt.NDArray[np.int32], tuple[int, int]]:
    """Put the two dots over the letters that have them, which the carried font has not."""
    font, above = _carried_font(size), round(0.16 * size)
    taller = np.pad(cover, ((above, 0), (0, 0)))
    top, left = offset[1] - above, offset[0]
    y, x = np.indices(taller.shape) + 0.5
    plain = "".join(_DOTTED.get(letter, letter) for letter in text)
    for place, letter in enumerate(text):
        if letter not in _DOTTED:
            continue
        begin, end = (font.getlength(plain[:stop]) for stop in (place, place + 1))
        height = 0.86 if letter.isupper() else 0.68
        for share in (-0.13, 0.13):
            middle = (begin + end) / 2 + share * size - left
            away = np.hypot(x - middle, y + top + height * size)
            dot = (np.clip(0.065 * size + 0.5 - away, 0, 1) * 255).astype(np.int32)
            np.maximum(taller, dot, out=taller)
    return taller, (left, top)


def _font(text: str, size: int) -> tuple[FreeTypeFont, str]:
    """Return a font for a text, and the text as that font can show it."""
    text = text.replace("ß", "ss").replace("–", "-").replace("−", "-")
    shown = "".join(_DOTTED.get(letter, letter) for letter in text)
    if all(map(_is_carried, shown)):
        return _carried_font(size), shown
    system = _system_font(size)
    return (system, text) if system else (_carried_font(size), _plain(text))


def _is_carried(letter: str) -> bool:
    return letter.isascii() or letter in _CARRIED


def _plain(text: str) -> str:
    """Return the text without accents; a letter that the carried font has not is a ``?``."""
    letters = unicodedata.normalize("NFD", text)
    kept = [letter for letter in letters if not unicodedata.combining(letter)]
    return "".join(letter if _is_carried(letter) else "?" for letter in kept)


@lru_cache
def _carried_font(size: int) -> FreeTypeFont:
    from PIL import ImageFont

    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):  # a Pillow built without FreeType
        raise TypeError("this Pillow has no FreeType")
    return font


@lru_cache
def _system_font(size: int) -> FreeTypeFont | None:
    from PIL import ImageFont

    for name in _SYSTEM_FONTS:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return None
