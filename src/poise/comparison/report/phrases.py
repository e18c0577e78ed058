"""The words and the number formats of the report, in the language that was asked for."""

from __future__ import annotations

import math

from poise.comparison.report.phrases_table import TABLES
from poise.comparison.words import format_time
from poise.comparison.words_table import TABLES as WORDS
from poise.errors import UsageError, suggest


class Phrases:
    """Says things in one language.

    Raises:
        UsageError: No such language.
    """

    def __init__(self, language: str = "en") -> None:
        if language not in TABLES:
            remedy = suggest(language, TABLES)
            raise UsageError(f"no language named '{language}'", where="language", remedy=remedy)
        self._table, self._words = TABLES[language], WORDS[language]
        self.language = language

    def __call__(self, key: str, **values: object) -> str:
        """Return a phrase with its places filled."""
        return self._table[key].format(**values)

    def limb(self, name: str) -> str:
        """Return a limb or joint in words: ``left upper arm``."""
        return self._words.get(f"limb.{name}", name.replace("_", " "))

    def clock(self, time: float | None, decimals: int = 1) -> str:
        """Return seconds as ``1:02.5``; a dash where unknown."""
        if time is None or not math.isfinite(time):
            return self("none")
        return format_time(time, decimals, self.language)

    def decimal(self, text: str) -> str:
        """Return a number with the language's sign for decimals."""
        return text.replace(".", self._words["decimal"])

    def span(self, start: float, end: float) -> str:
        """Return ``0:02.0–0:03.5``; a dash where unknown."""
        if not (math.isfinite(start) and math.isfinite(end)):
            return self("none")
        return f"{self.clock(start)}–{self.clock(end)}"

    def points(self, score: float | None) -> str:
        """Return a score without decimals, never 100 for less; a dash where not judged."""
        if score is None or not math.isfinite(score):
            return self("none")
        return f"{min(round(score), 99 if score < 99.95 else 100)}"

    def degrees(self, value: float | None) -> str:
        """Return ``12°``, with a decimal below 10."""
        if value is None or not math.isfinite(value):
            return self("none")
        return self.decimal(f"{value:.0f}°" if abs(value) >= 9.95 else f"{value:.1f}°")

    def seconds(self, value: float) -> str:
        """Return ``0.25 s``, with one decimal from 1 s."""
        return self.decimal(f"{value:.2f} s" if abs(value) < 0.995 else f"{value:.1f} s")

    def percent(self, share: float) -> str:
        """Return ``97 %``, never 100 for less and never 0 for more."""
        whole = round(100 * share)
        if share < 1:
            whole = min(whole, 99)
        return f"{max(whole, 1) if share > 0 else 0} %"

    def tempo(self, factor: float) -> str:
        """Return a speed by that of the reference, as ``96 %``."""
        return f"{100 * factor:.0f} %"

    def lag(self, seconds: float | None, tolerance: float) -> str:
        """Return ``0.20 s late``, ``in time``, or a dash."""
        if seconds is None or not math.isfinite(seconds):
            return self("none")
        if abs(seconds) <= tolerance:
            return self("in_time")
        key = "late_by" if seconds > 0 else "early_by"
        return self(key, seconds=self.seconds(abs(seconds)))
