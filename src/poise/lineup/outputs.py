"""The figures of a line-up as a table and as a document."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from poise.lineup.figures import Figures

_COLUMNS = {
    "ms": ("ms a frame", 1.0, "{:.1f}"),
    "people": ("people a frame", 1.0, "{:.2f}"),
    "empty": ("frames with nobody", 100.0, "{:.0f} %"),
    "confidence": ("mean confidence", 1.0, "{:.2f}"),
    "missing": ("missing a frame", 1.0, "{:.1f}"),
    "jitter": ("jitter", 100.0, "{:.2f} %"),
}


def tell(figures: Sequence[Figures]) -> str:
    """Return a table for people, one line a model."""
    rows = [["model", *(title for title, _, _ in _COLUMNS.values())]]
    rows += [
        [each.model, *(_show(getattr(each, name), *how) for name, how in _COLUMNS.items())]
        for each in figures
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(_aligned(row, widths)).rstrip() for row in rows]
    return "\n".join(lines)


def to_document(source: str, figures: Sequence[Figures]) -> dict[str, Any]:
    """Return one document; what could not be measured is None."""
    models = [{name: _plain(value) for name, value in asdict(each).items()} for each in figures]
    return {"schema_version": 1, "source": source, "models": models}


def _show(value: float, _title: str, factor: float, form: str) -> str:
    return form.format(factor * value) if math.isfinite(value) else "-"


def _aligned(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    first, *others = zip(row, widths, strict=True)
    return [first[0].ljust(first[1]), *(word.rjust(width) for word, width in others)]


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value
