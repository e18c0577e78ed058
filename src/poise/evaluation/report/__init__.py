"""The report of an evaluation: one page that needs nothing else, and the figures as JSON."""

from __future__ import annotations

from poise.evaluation.report.saving import refuse_report, write_report

__all__ = ["refuse_report", "write_report"]
