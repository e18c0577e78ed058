"""What ``poise classify`` writes: tables, the overlay, the summary, or a folder of all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from poise.classification.account import Account
from poise.classification.overlay import write_overlay
from poise.classification.saving import (
    Failure,
    to_collection,
    to_csv,
    to_document,
    to_json,
)
from poise.classification.summary import write_summary
from poise.draw import PICTURE_SUFFIXES
from poise.errors import UsageError
from poise.output import (
    refuse_folder,
    refuse_homeless,
    refuse_source,
    refuse_taken,
    save_whole,
    translated,
)

# What is painted, frames so far, and how many there will be.
Report = Callable[[str, int, int], None]

TABLES = (".csv", ".json")
SUMMARIES = (".png", ".jpg", ".jpeg", ".webp")


@dataclass(frozen=True)
class Outputs:
    """Where the results go.

    Attributes:
        files: Tables (.csv, .json), and the overlay as a video or picture.
        folder: For everything of every source; or None.
        summary: The picture of who did what when; or None.
        overwrite: Whether what stands there may be replaced.
    """

    files: tuple[str, ...] = ()
    folder: str | None = None
    summary: str | None = None
    overwrite: bool = False

    @property
    def tables(self) -> list[str]:
        """The files that hold text; they take several sources."""
        return [name for name in self.files if _suffix(name) in TABLES]

    @property
    def overlays(self) -> list[str]:
        """The files that show one source."""
        return [name for name in self.files if _suffix(name) not in TABLES]

    def check(self, sources: Sequence[str], *, many: bool) -> None:
        """Refuse what cannot be, before anything is read.

        Args:
            sources: None of them may be written over.
            many: Whether there may be several.

        Raises:
            OutputError: An output exists, is a source, or stands in no folder.
            UsageError: An output is of no known kind, or shows one source where there are many.
        """
        shown = [*self.overlays, *([self.summary] if self.summary else [])]
        if many and shown:
            remedy = "name a folder, such as -o out/"
            raise UsageError("several sources do not go into one picture", where=shown[0],
                             remedy=remedy)  # fmt: skip
        for name in [*self.files, *([self.summary] if self.summary else [])]:
            _refuse(name, sources, overwrite=self.overwrite)
        if self.folder is not None:
            refuse_folder(self.folder, sources)
            refuse_taken(self.folder, overwrite=self.overwrite, folder=True)

    def write_one(self, account: Account, report: Report | None = None) -> tuple[str, ...]:
        """Write what shows one source: its overlays and its summary; return notes for the user."""
        notes: list[str] = []
        for name in self.overlays:
            notes += _paint(account, name, self.overwrite, report)
        if self.summary is not None:
            write_summary(account, self.summary, overwrite=self.overwrite)
        return tuple(notes)

    def write_apart(
        self, account: Account, name: str, report: Report | None = None
    ) -> tuple[str, ...]:
        """Write everything of one source into the folder, under its name; return notes."""
        if self.folder is None:
            return ()
        with translated(self.folder):
            Path(self.folder).mkdir(parents=True, exist_ok=True)
        place = Path(self.folder) / name
        document = to_json(to_document(account))
        save_whole(
            f"{place}.json", document.encode(), overwrite=self.overwrite, source=account.source
        )
        if account.separate and not account.still:
            return ()
        if not account.still:
            write_summary(account, f"{place}-summary.png", overwrite=self.overwrite)
        shown = f"{place}{'.jpg' if account.still else '.mp4'}"
        return _paint(account, shown, self.overwrite, report)

    def write_tables(
        self, accounts: Sequence[Account], failed: Sequence[Failure], *, many: bool
    ) -> None:
        """Write the tables of all sources."""
        folder = [f"{self.folder}/events.csv"] if self.folder is not None and many else []
        for name in [*self.tables, *folder]:
            if _suffix(name) == ".csv":
                text = to_csv(accounts)
            elif many:
                text = to_json(to_collection(accounts, failed))
            else:
                text = to_json(to_document(accounts[0]))
            save_whole(name, text.encode(), overwrite=self.overwrite)


def sort_outputs(names: Sequence[str], summary: str | None, *, overwrite: bool) -> Outputs:
    """Return what the names of outputs mean.

    Args:
        names: Files, told by their suffix, and at most one folder, which exists or ends in ``/``.
        summary: The picture of who did what when.
        overwrite: Whether what stands there may be replaced.

    Raises:
        UsageError: A name means nothing, or there are two folders.
    """
    folders = [name for name in names if name.endswith("/") or Path(name).is_dir()]
    files = tuple(name for name in names if name not in folders)
    if len(folders) > 1:
        raise UsageError("there can be one folder of outputs", where=folders[1])
    for name in files:
        _check_suffix(name, (*TABLES, *PICTURE_SUFFIXES), ", or a folder that ends in /")
    if summary is not None:
        _check_suffix(summary, SUMMARIES, "")
    return Outputs(files, folders[0] if folders else None, summary, overwrite)


def _paint(account: Account, name: str, overwrite: bool, report: Report | None) -> tuple[str, ...]:
    def watch(done: int, total: int) -> None:
        if report is not None:
            report(Path(name).name, done, total)

    notes = write_overlay(account, name, overwrite=overwrite, report=watch)
    return tuple(f"{name}: {note}" for note in notes)


def _check_suffix(name: str, choices: Sequence[str], more: str) -> None:
    suffix = _suffix(name)
    if suffix not in choices:
        what = f"nothing is known to end in '{suffix}'" if suffix else "the name has no suffix"
        raise UsageError(what, where=name, remedy=f"choose one of {', '.join(choices)}{more}")


def _refuse(name: str, sources: Sequence[str], *, overwrite: bool) -> None:
    for source in sources:
        refuse_source(name, source)
    refuse_taken(name, overwrite=overwrite)
    refuse_homeless(name)


def _suffix(name: str) -> str:
    return Path(name).suffix.lower()
