"""The record of a folder run: what is done, and with which source and settings it was done."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from poise.closing import Closing
from poise.errors import OutputError

VERSION = 1
_TABLE = """
CREATE TABLE IF NOT EXISTS done (
    source TEXT PRIMARY KEY, size INTEGER NOT NULL, modified INTEGER NOT NULL,
    settings TEXT NOT NULL, outputs TEXT NOT NULL, frames INTEGER NOT NULL
)
"""


@dataclass(frozen=True)
class Entry:
    """One finished source.

    Attributes:
        source: The source as it was named.
        size: Bytes of the source when it was read.
        modified: Its modification time in nanoseconds.
        settings: Model, precision, options and formats, as one line of JSON.
        outputs: Its outputs' names and sizes, as one line of JSON.
        frames: How many frames were written.
    """

    source: str
    size: int
    modified: int
    settings: str
    outputs: str
    frames: int


class Ledger(Closing):
    """Remembers finished sources in one SQLite file; each commit survives a killed process.

    Raises:
        OutputError: The file cannot be made or written, or a newer Poise wrote it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        base = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._base = base = sqlite3.connect(path, timeout=1.0, isolation_level=None)
            _prepare(base, path)
        except BaseException as error:
            if base is not None:
                base.close()
            if not isinstance(error, OSError | sqlite3.Error):
                raise
            if "locked" in str(error):
                what, remedy = "another run writes to this folder", "wait for it, or end it"
                raise OutputError(what, where=path.parent.parent, remedy=remedy) from error
            reason = getattr(error, "strerror", None) or error
            raise OutputError(f"the record cannot be opened ({reason})", where=path) from error

    def find(self, source: str) -> Entry | None:
        """Return what is known of a source, or None."""
        row = self._base.execute("SELECT * FROM done WHERE source = ?", (source,)).fetchone()
        return Entry(*row) if row else None

    def makers(self) -> dict[str, str]:
        """Return the source that each recorded output was made from."""
        rows = self._base.execute("SELECT source, outputs FROM done")
        return {path: source for source, outputs in rows for path, _ in json.loads(outputs)}

    def record(self, entry: Entry) -> None:
        """Remember a finished source; on return it is on the disk."""
        values = (*vars(entry).values(),)
        try:
            self._base.execute("INSERT OR REPLACE INTO done VALUES (?, ?, ?, ?, ?, ?)", values)
        except sqlite3.Error as error:
            raise OutputError(f"the record cannot be written ({error})", where=self.path) from error

    def forget(self, source: str) -> None:
        """Drop what is known of a source, before it is done anew."""
        self._base.execute("DELETE FROM done WHERE source = ?", (source,))

    def close(self) -> None:
        """Let go of the file."""
        self._base.close()


def _prepare(base: sqlite3.Connection, path: Path) -> None:
    # Held while the run lasts, and let go by the system when its process is killed.
    base.execute("PRAGMA locking_mode=EXCLUSIVE")
    base.execute("PRAGMA journal_mode=WAL")
    # A commit must be on the disk before the next source begins: it costs 0.3 ms.
    base.execute("PRAGMA synchronous=FULL")
    (version,) = base.execute("PRAGMA user_version").fetchone()
    if version not in (0, VERSION):
        what = f"the record has version {version}, this Poise reads {VERSION}"
        raise OutputError(what, where=path)
    base.execute(_TABLE)
    base.execute(f"PRAGMA user_version={VERSION}")
    base.execute("BEGIN IMMEDIATE")
    base.execute("COMMIT")
