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
_SPACE = 0.27  # heights of the font between two words; its own is too narrow for small letters
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
) -> tuple[npt.NDArray[np.int32], tuple[int, int], float]:
    """Return how much (0..256) the letters cover, where they begin, and how far they reach."""
    font, text = _font(text, size)
    placed, x = [], 0.0
    for word in text.split(" "):
        if word:
            placed.append((_render_word(word, font, size, bold=bold), round(x)))
        x += font.getlength(_undotted(word)) + _SPACE * size
    wide = max(x - _SPACE * size, 0.0)
    if not placed:
        return np.zeros((0, 0), np.int32), (0, 0), wide
    top = min(dy for (_, (_, dy)), _ in placed)
    left = min(dx + at for (_, (dx, _)), at in placed)
    low = max(dy + cover.shape[0] for (cover, (_, dy)), _ in placed)
    right = max(dx + at + cover.shape[1] for (cover, (dx, _)), at in placed)
    whole = np.zeros((low - top, right - left), np.int32)
    for (cover, (dx, dy)), at in placed:
        part = whole[dy - top :, dx + at - left :][: cover.shape[0], : cover.shape[1]]
        np.maximum(part, cover, out=part)
    return whole + (whole >> 7), (left, top), wide


def _render_word(
    word: str, font: FreeTypeFont, size: int, *, bold: bool
) -> tuple[npt.NDArray[np.int32], tuple[int, int]]:
    """Return how much (0..255) the letters cover, and where they begin."""
    plain = _undotted(word) if font is _carried_font(size) else word
    stroke = 0.028 * size if bold else 0.0
    mask, offset = font.getmask2(
        plain, mode="L", stroke_width=stroke, anchor="ls", stroke_filled=True
    )
    cover = np.array(mask, np.int32).reshape(mask.size[1], mask.size[0])
    return (cover, offset) if plain == word else _dotted(word, cover, offset, size)


def _dotted(
    word: str, cover: npt.NDArray[np.int32], offset: tuple[int, int], size: int
) -> tuple[npt.NDArray[np.int32], tuple[int, int]]:
    """Put the two dots over the letters that have them, which the carried font has not."""
    font, above = _carried_font(size), round(0.16 * size)
    taller = np.pad(cover, ((above, 0), (0, 0)))
    left, top = offset[0], offset[1] - above
    y, x = np.indices(taller.shape) + 0.5
    plain = _undotted(word)
    for place, letter in enumerate(word):
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


def _undotted(text: str) -> str:
    return "".join(_DOTTED.get(letter, letter) for letter in text)


def _font(text: str, size: int) -> tuple[FreeTypeFont, str]:
    """Return a font for a text, and the text as that font can show it."""
    text = text.replace("ß", "ss").replace("–", "-").replace("−", "-")
    if all(map(_is_carried, _undotted(text))):
        return _carried_font(size), text
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
