"""Pictures of poses: painting, and writing videos, GIFs and images."""

from poise.draw.painter import Painter, paint
from poise.draw.style import Style

__all__ = ["Painter", "Style", "paint"]
