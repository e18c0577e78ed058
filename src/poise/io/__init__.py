"""Reading pictures and videos, and reading and writing keypoint files.

Every name is loaded on first use, so that keypoint files can be read without the video library.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

_HOMES = {
    "FrameReader": "reading",
    "Writer": "formats.writer",
    "detect_format": "clips",
    "find_sources": "sources",
    "open_writer": "clips",
    "read_clip": "clips",
    "read_frames": "reading",
    "write_clip": "clips",
}

if TYPE_CHECKING:
    from poise.io.clips import detect_format, open_writer, read_clip, write_clip
    from poise.io.formats.writer import Writer
    from poise.io.reading import FrameReader, read_frames
    from poise.io.sources import find_sources

__all__ = [
    "FrameReader",
    "Writer",
    "detect_format",
    "find_sources",
    "open_writer",
    "read_clip",
    "read_frames",
    "write_clip",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'poise.io' has no attribute '{name}'")
    return getattr(importlib.import_module(f"poise.io.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
