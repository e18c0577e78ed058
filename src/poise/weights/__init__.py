"""Weights: where they are on this machine, and how they come here. Never a file of a wrong hash."""

from __future__ import annotations

from poise.weights.fetching import Progress, Report, fetch, fetch_all
from poise.weights.shelf import Shelf, WeightFile, cache_path, hash_file, home, locate, offline

__all__ = [
    "Progress",
    "Report",
    "Shelf",
    "WeightFile",
    "cache_path",
    "fetch",
    "fetch_all",
    "hash_file",
    "home",
    "locate",
    "offline",
]
