"""What a report's folder remembers of an estimation, so that the next run need not repeat it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from poise.clip import Clip
from poise.comparison.options import ComparisonOptions
from poise.errors import InputError
from poise.io import read_clip
from poise.models.base import PoseModel

RECORD = "estimates.json"


def describe_estimation(
    source: str, model: str, precision: str, options: ComparisonOptions
) -> dict[str, Any]:
    """Return all that the keypoints of a source depend on; its content by size and time."""
    path = Path(source).resolve()
    state = path.stat()
    return {
        "source": str(path),
        "bytes": state.st_size,
        "modified": state.st_mtime_ns,
        "model": model,
        "precision": precision,
        **options.settings(),
    }


def recall_clip(
    folder: str, side: str, source: str, model: PoseModel, options: ComparisonOptions
) -> Clip | None:
    """Return the clip that an earlier run into this folder left, if all that it depends on is
    the same; else None.

    Args:
        folder: Of the report.
        side: ``reference`` or ``attempt``.
        source: A video or picture.
        model: That would estimate it.
        options: How it would be estimated.
    """
    record, clip = Path(folder) / RECORD, Path(folder) / f"{side}.jsonl"
    try:
        known = json.loads(record.read_text(encoding="utf-8"))[side]
        wanted = describe_estimation(source, model.name, model.precision, options)
        return read_clip(clip) if known == wanted else None
    except (InputError, OSError, ValueError, KeyError, TypeError):
        return None
