"""The report of a comparison: a page, the findings as JSON, the moments as a table."""

from __future__ import annotations

from poise.comparison.report.ranking import RankedAttempt, save_ranking
from poise.comparison.report.saving import save_report
from poise.comparison.report.sheet import MomentPictures, Sources

__all__ = ["MomentPictures", "RankedAttempt", "Sources", "save_ranking", "save_report"]
