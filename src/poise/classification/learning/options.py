"""How to teach: each option is described once, here, beside its type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from poise.errors import UsageError

_LONGEST = 60.0  # seconds of a window


@dataclass(frozen=True, kw_only=True)
class TeachingOptions:
    """Options of ``poise teach``.

    Raises:
        UsageError: A value is out of its range; the message names the field.
    """

    window: Annotated[
        float | None, "Learn actions: windows of so many seconds instead of single poses."
    ] = None
    label_column: Annotated[str, "The column or attribute that holds the class."] = "label"
    group: Annotated[
        str | None,
        "The column that names the recording or person; tests never mix them. Without it every "
        "file is a recording, and in a table every unbroken run of rows with one label.",
    ] = None
    aspect: Annotated[
        str | None,
        "Proportions of the pictures, such as 16:9, for tables whose coordinates are shares of "
        "width and height.",
    ] = None
    seed: Annotated[int, "Of what is drawn by chance."] = 0

    def __post_init__(self) -> None:
        if self.window is not None and not 0.2 <= self.window <= _LONGEST:
            what = f"wanted 0.2 to {_LONGEST:g} seconds, got {self.window:g}"
            raise UsageError(what, where="window")
        if not 0 <= self.seed < 2**32:
            raise UsageError(f"wanted 0 to 4294967295, got {self.seed}", where="seed")
        if self.aspect is not None:
            parse_aspect(self.aspect)

    @property
    def ratio(self) -> float | None:
        """Width over height of the pictures, or None."""
        return None if self.aspect is None else parse_aspect(self.aspect)


def parse_aspect(text: str) -> float:
    """Return width over height of ``16:9``, ``1280x720`` or ``1.78``.

    Raises:
        UsageError: It is none of these.
    """
    parts = text.replace("x", ":").split(":")
    try:
        values = [float(part) for part in parts]
        ratio = values[0] / values[1] if len(values) == 2 else values[0]
    except (ValueError, ZeroDivisionError):
        ratio = 0.0
    if len(parts) > 2 or not 0.1 <= ratio <= 10:
        raise UsageError(f"{text!r} is no ratio", where="aspect", remedy="such as 16:9")
    return ratio
