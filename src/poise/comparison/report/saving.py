"""The files of a report."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from poise.angles import LIMB_NAMES
from poise.comparison.report.page import render
from poise.comparison.report.phrases import Phrases
from poise.comparison.report.sheet import MomentPictures, Sheet, Sources
from poise.comparison.result import Comparison
from poise.output import save_files


def save_report(
    comparison: Comparison,
    folder: Path,
    *,
    overwrite: bool = False,
    pictures: Sequence[MomentPictures] | None = None,
    sources: Sources | None = None,
    language: str = "en",
) -> None:
    """Write ``report.html``, ``comparison.json`` and ``timeline.csv`` into a folder.

    Args:
        comparison: What was found.
        folder: Made where it does not exist; other files in it stay.
        overwrite: Whether the three files may be replaced.
        pictures: Of the worst moments; without them the two bodies are drawn from the poses.
        sources: Where the performances come from; named in the page and in the JSON.
        language: Of the page: ``en`` or ``de``; the comparison's own sentences stay as they are.

    Raises:
        OutputError: One of the files exists and may not be replaced (then none is written), or
            cannot be written.
        UsageError: No such language.
    """
    known = sources or Sources()
    sheet = Sheet(comparison, known, Phrases(language), tuple(pictures or ()))
    save_files(
        folder,
        {
            "report.html": render(sheet),
            "comparison.json": to_json(to_document(comparison, known)),
            "timeline.csv": to_csv(comparison),
        },
        overwrite=overwrite,
    )


def to_document(comparison: Comparison, sources: Sources) -> dict[str, Any]:
    """Return the comparison as it is written to JSON, with what is known of its sources."""
    known = {name: value for name, value in asdict(sources).items() if value}
    document = comparison.to_dict()
    return document | {"sources": known} if known else document


def to_json(document: object) -> str:
    """Return JSON in which what is not a number is null."""
    return json.dumps(_finite(document), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def to_csv(comparison: Comparison) -> str:
    """Return one row a moment: times, score, lag, and the error of every limb in degrees."""
    timeline = comparison.timeline
    heads = ["reference_time", "attempt_time", "score", "lag", *LIMB_NAMES]
    columns = [timeline.times, timeline.attempt_times, timeline.scores, timeline.lag]
    values = np.column_stack([*columns, timeline.errors])
    decimals = [3, 3, 1, 3] + [1] * len(LIMB_NAMES)
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(heads)
    for row in values.tolist():
        writer.writerow(
            f"{value:.{places}f}" if math.isfinite(value) else ""
            for value, places in zip(row, decimals, strict=True)
        )
    return file.getvalue()
