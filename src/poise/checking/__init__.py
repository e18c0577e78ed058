"""Checking a model: run it on drawn people whose keypoints are known, and say what looks wrong.

A card that is wrong in its channel order, range, axes or skeleton mostly runs all the same, and
its keypoints are merely bad. Here the same network is also fed and read in the other ways, and the
way that fits the truth best is told.
"""

from __future__ import annotations

from poise.checking.checks import check_model
from poise.checking.findings import Finding, Report

__all__ = ["Finding", "Report", "check_model"]
