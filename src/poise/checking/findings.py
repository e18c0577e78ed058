"""What a check found: one line each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Level = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class Finding:
    """One line of the answer.

    Attributes:
        check: What was checked, in a word or two.
        level: ``ok``, ``warn`` (worth a look) or ``fail`` (wrong).
        text: What was seen, and what to do about it.
    """

    check: str
    level: Level
    text: str


@dataclass(frozen=True)
class Report:
    """The answer about one card.

    Attributes:
        name: Name of the card.
        findings: In the order of the checks.
    """

    name: str
    findings: tuple[Finding, ...]

    @property
    def failed(self) -> bool:
        """Whether anything is wrong."""
        return any(finding.level == "fail" for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON takes it."""
        return {
            "model": self.name,
            "ok": not self.failed,
            "checks": [vars(f) for f in self.findings],
        }
