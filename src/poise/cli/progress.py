"""Progress on stderr: a live bar on a terminal, plain lines elsewhere, nothing on request."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from poise.batch.counting import Report
from poise.batch.single import Summary
from poise.errors import PoiseError

PLAIN_SECONDS = 5.0


class Ticker:
    """Shows how far a run of one or many sources is.

    Args:
        enabled: False shows nothing but failures and notes.
        many: Whether several sources share the run.
    """

    def __init__(self, *, enabled: bool = True, many: bool = False) -> None:
        self._enabled, self._many = enabled, many
        self._console = Console(stderr=True)
        self._live = enabled and self._console.is_terminal
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        # The clock of the rate starts with the first frame, not while a model is loaded.
        self._began: float | None = None
        self._said = time.monotonic()
        self._label, self._place = "", (0, 0)
        self._frames = 0
        self._first: float | None = None

    def begin(self, source: str, number: int, total: int) -> Report | None:
        """A source begins."""
        self._label, self._place = Path(source).name or source, (number, total)
        if not self._many:
            self._began = None
        if not self._enabled:
            return None
        self._open_bar()
        return self._report

    def _open_bar(self) -> None:
        if not self._live or self._bar is not None:
            return
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
        )
        self._task = self._bar.add_task("", total=None, rate="")
        self._bar.start()

    def fetch(self, name: str, done: int, total: int | None) -> None:
        """Weights are on their way: ``done`` of ``total`` bytes."""
        now = time.monotonic()
        self._open_bar()
        if self._bar is not None and self._task is not None:
            size = f"{done / 1e6:.0f} MB"
            self._bar.update(
                self._task, description=f"fetching {name}", completed=done, total=total, rate=size
            )
        elif now - self._said > PLAIN_SECONDS:
            self._said = now
            of = f" of {total / 1e6:.0f}" if total else ""
            self.say(f"fetching {name}: {done / 1e6:.0f}{of} MB")

    def _report(self, done: int, total: int | None) -> None:
        now = time.monotonic()
        self._frames += 1
        part = self._part(done, total)
        if self._began is None:
            self._began = self._said = now
            self._frames, self._first = 0, part
            if self._bar is not None and self._task is not None:
                self._bar.reset(self._task)
        if self._bar is not None:
            if now - self._said > 0.1:
                self._said = now
                self._show(part, now)
        elif now - self._said > PLAIN_SECONDS:
            self._said = now
            said = f"{self._count(done, total)}{self._rate(now)}{self._left(part, now)}"
            self.say(f"{self._name()}: {said}")

    def _part(self, done: int, total: int | None) -> float | None:
        """How much of the whole run is done, from 0 to 1; None where nobody knows."""
        part = min(done / total, 1.0) if total else None
        if not self._many:
            return part
        number, of = self._place
        return (number - 1 + (part or 0)) / of

    def _show(self, part: float | None, now: float) -> None:
        if self._bar is None or self._task is None:
            return
        self._bar.update(
            self._task,
            description=self._name(),
            completed=part or 0,
            total=None if part is None else 1,
            rate=self._rate(now),
        )

    def _name(self) -> str:
        number, total = self._place
        return f"[{number}/{total}] {self._label}" if self._many else self._label

    def _count(self, done: int, total: int | None) -> str:
        if total == 1:
            return ""
        return f"{done}{f' of {total}' if total else ''} frames, "

    def _rate(self, now: float) -> str:
        passed = now - (self._began or now)
        rate = self._frames / passed if passed > 0 else 0.0
        return f"{rate:.{0 if rate >= 10 else 1}f} frames/s"

    def _left(self, part: float | None, now: float) -> str:
        if part is None or self._began is None or self._first is None or part <= self._first:
            return ""
        seconds = (now - self._began) * (1 - part) / (part - self._first)
        return f", about {seconds:.0f} s left"

    def end(self, source: str, summary: Summary | None, error: PoiseError | None) -> None:
        """A source is done, failed, or was done before."""
        if error is not None:
            self.say(f"poise: error: {error}", always=True)
        elif summary is not None and self._enabled and not self._live and not self._many:
            self.say(describe(source, summary))
        if summary is not None and not self._many:
            self.note(summary)

    def note(self, summary: Summary) -> None:
        """Show what the user should know of the pictures."""
        for line in summary.notes:
            self.say(f"poise: note: {line}", always=True)

    def say(self, line: str, *, always: bool = False) -> None:
        """Show one line; without progress only those that must always be read."""
        if not (self._enabled or always):
            return
        if self._bar is not None:
            self._bar.console.print(line, markup=False, highlight=False, soft_wrap=True)
        else:
            print(line, file=sys.stderr)  # noqa: T201

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()


def describe(source: str, summary: Summary) -> str:
    """Return one line on what came of a source."""
    rate = summary.frames / max(summary.seconds, 1e-6)
    cut_short = "; the source ended early, before its own declared end" if summary.truncated else ""
    return (
        f"{source}: {summary.frames} frame{'s' * (summary.frames != 1)}, "
        f"{summary.people / max(summary.frames, 1):.1f} people a frame, "
        f"{summary.seconds:.1f} s ({rate:.0f} frames/s){cut_short}"
    )
