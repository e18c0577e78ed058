"""Pictures of poses: painting, and writing videos, GIFs and images."""

from poise.draw.painter import Painter, paint
from poise.draw.style import Style
from poise.draw.writers import PICTURE_SUFFIXES, PictureWriter, open_picture_writer

__all__ = [
    "PICTURE_SUFFIXES",
    "Painter",
    "PictureWriter",
    "Style",
    "open_picture_writer",
    "paint",
]
