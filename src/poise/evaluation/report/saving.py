"""Writing a report whole, or not at all."""

from __future__ import annotations

import json
from pathlib import Path

from poise.evaluation.matching import Matched
from poise.evaluation.report.gallery import Look
from poise.evaluation.report.page import render
from poise.evaluation.result import Evaluation, to_json
from poise.evaluation.walk import Estimates
from poise.output import refuse_files, save_files

PAGE, FIGURES = "report.html", "report.json"


def write_report(
    folder: Path,
    result: Evaluation,
    estimates: Estimates,
    matched: Matched,
    *,
    look: Look | None = None,
    overwrite: bool = False,
) -> None:
    """Write ``report.html`` and ``report.json`` into a folder, which is made.

    Args:
        folder: Where to.
        result: The figures.
        estimates: What was found.
        matched: Who is whom.
        look: Gives pictures of the estimates by their place; without it no picture is shown.
        overwrite: Whether a report that is there already is replaced.

    Raises:
        InputError: A picture cannot be read any more.
        OutputError: One of the files exists, or cannot be written.
    """
    texts = {
        PAGE: render(result, estimates, matched, look),
        FIGURES: json.dumps(to_json(result), indent=2, ensure_ascii=False, allow_nan=False) + "\n",
    }
    save_files(folder, texts, overwrite=overwrite)


def refuse_report(folder: Path, *, overwrite: bool) -> None:
    """Refuse a folder that is a file, or that has a report that may not be replaced.

    Raises:
        OutputError: It is.
    """
    refuse_files(folder, (PAGE, FIGURES), overwrite=overwrite)
