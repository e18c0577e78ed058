"""Many attempts at one reference, the best first."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import quote

from poise.comparison.report.page import render_page
from poise.comparison.report.phrases import Phrases
from poise.comparison.report.saving import to_json
from poise.comparison.report.sheet import Sheet, short_name
from poise.comparison.report.summary import verdict_chip
from poise.comparison.report.tables import cell, score_cell, table
from poise.comparison.result import Comparison, Fault
from poise.markup import Markup, tag
from poise.output import save_files


@dataclass(frozen=True)
class RankedAttempt:
    """One attempt of a ranking.

    Attributes:
        name: What it is called in the list; its file, for instance.
        comparison: What was found; None where the attempt could not be compared.
        report: Its report as a path from the ranking's folder; empty where there is none.
        error: Why it could not be compared.
    """

    name: str
    comparison: Comparison | None = None
    report: str = ""
    error: str = ""

    @property
    def is_judged(self) -> bool:
        """Whether it has a place in the ranking: it was compared, and enough of it was seen."""
        return self.comparison is not None and self.comparison.verdict != "cannot say"


def save_ranking(
    rows: Iterable[RankedAttempt],
    folder: Path,
    *,
    overwrite: bool = False,
    reference: str = "",
    language: str = "en",
) -> None:
    """Write ``ranking.html``, ``ranking.csv`` and ``ranking.json`` into a folder.

    Attempts of which too little was seen follow those that were judged, without a rank, and those
    that failed come last, with the reason.

    Args:
        rows: The attempts in any order.
        folder: Made where it does not exist.
        overwrite: Whether the three files may be replaced.
        reference: What they were compared with.
        language: Of the page: ``en`` or ``de``.

    Raises:
        OutputError: One of the files exists and may not be replaced (then none is written), or
            cannot be written.
        UsageError: No such language.
    """
    ordered = _ranked(rows)
    documents = [_document(rank, row) for rank, row in ordered]
    head: dict[str, Any] = {"schema_version": 1, "reference": reference or None}
    save_files(
        folder,
        {
            "ranking.html": _render(ordered, reference, Phrases(language)),
            "ranking.json": to_json(head | {"attempts": documents}),
            "ranking.csv": _to_csv(documents),
        },
        overwrite=overwrite,
    )


def _ranked(rows: Iterable[RankedAttempt]) -> list[tuple[int | None, RankedAttempt]]:
    """Return the attempts in order with their ranks; equal scores share one."""

    def place(row: RankedAttempt) -> tuple[bool, bool, float, str]:
        score = row.comparison.score if row.comparison else 0.0
        return row.comparison is None, not row.is_judged, -score, row.name

    ordered: list[tuple[int | None, RankedAttempt]] = []
    last: tuple[float, int] | None = None
    for number, row in enumerate(sorted(rows, key=place), 1):
        if not row.is_judged or row.comparison is None:
            ordered.append((None, row))
            continue
        score = round(row.comparison.score, 4)
        rank = last[1] if last and last[0] == score else number
        last = (score, rank)
        ordered.append((rank, row))
    return ordered


def _worst(comparison: Comparison) -> Fault | None:
    return next(iter(comparison.worst(1)), None)


def _document(rank: int | None, row: RankedAttempt) -> dict[str, Any]:
    found = row.comparison
    worst = _worst(found) if found else None
    return {
        "rank": rank,
        "name": row.name,
        "score": round(found.score, 4) if found else None,
        "verdict": found.verdict if found else None,
        "coverage": round(found.coverage, 4) if found else None,
        "worst_fault": worst.text if worst else None,
        "report": row.report or None,
        "error": row.error or None,
    }


def _to_csv(documents: list[dict[str, Any]]) -> str:
    heads = ["rank", "name", "score", "verdict", "coverage", "worst_fault", "report", "error"]
    file = io.StringIO()
    writer = csv.DictWriter(file, heads, lineterminator="\n")
    writer.writeheader()
    writer.writerows(documents)
    return file.getvalue()


def _render(ordered: list[tuple[int | None, RankedAttempt]], reference: str, say: Phrases) -> str:
    judged = [(rank, row, row.comparison) for rank, row in ordered if row.comparison]
    failed = [row for _, row in ordered if row.comparison is None]
    count = sum(rank is not None for rank, _ in ordered)
    heads = [say(key) for key in ("rank", "name", "score", "verdict", "coverage", "worst_fault")]
    rows = [_row(rank, row, Sheet(found, say=say)) for rank, row, found in judged]
    name = say("ranking_title", reference=short_name(reference))
    title = name if reference else say("ranking_untitled")
    lead = tag("p", say("ranking_lead", judged=count, count=len(ordered)), class_="lead top")
    sections = [tag("section", lead, table(heads, rows, title, class_="ranked"), class_="card")]
    if failed:
        sections.append(_failures(failed, say))
    return render_page(title, say("ranking_eyebrow"), sections, say.language)


def _row(rank: int | None, row: RankedAttempt, sheet: Sheet) -> Markup:
    found, say = sheet.comparison, sheet.say
    worst = _worst(found)
    link = tag("a", row.name, href=_address(row.report)) if row.report else row.name
    return tag(
        "tr",
        cell(say("none") if rank is None else rank, class_="place"),
        tag("th", link, scope="row", class_="file"),
        score_cell(sheet, found.score if row.is_judged else None),
        cell(verdict_chip(sheet, found.verdict)),
        cell(say.percent(found.coverage), class_="num"),
        cell(sheet.text(worst) if worst else say("none")),
    )


def _address(path: str) -> str:
    """Return a path as an address beside the page; never one with a scheme."""
    return quote(PurePath(path).as_posix())


def _failures(failed: list[RankedAttempt], say: Phrases) -> Markup:
    rows = [
        tag("tr", tag("th", row.name, scope="row", class_="file"), cell(row.error or say("none")))
        for row in failed
    ]
    content = table([say("name"), say("reason")], rows, say("failed"))
    return tag("section", tag("h2", say("failed")), content, class_="card")
