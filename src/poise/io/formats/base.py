"""What the registry knows of a format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from poise.clip import Clip
from poise.io.formats.source import Source
from poise.io.formats.writer import Writer


@dataclass(frozen=True)
class Format:
    """One keypoint file format.

    Attributes:
        name: What ``--format``, ``--from`` and ``--to`` take.
        title: What messages and documents call it.
        suffixes: File name endings that choose it for writing, the usual one first; ``/`` is a
            folder.
        sniff: Tells from the content whether a source is of this format; never raises.
        read: Reads a source of this format.
        writer: The class that writes it.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    sniff: Callable[[Source], bool]
    read: Callable[[Source], Clip]
    writer: type[Writer]
