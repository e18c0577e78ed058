"""The report of an evaluation: one page that needs nothing else, and the figures as JSON."""

from __future__ import annotations

from poise.evaluation.report.looks import look_in_folder, look_in_video
from poise.evaluation.report.saving import refuse_report, write_report

__all__ = ["look_in_folder", "look_in_video", "refuse_report", "write_report"]
