"""What is wrong with a rules file, and in which line it stands."""

from __future__ import annotations

import re

from poise.errors import InputError, UsageError

_HEADER = re.compile(r"^\s*\[\[?\s*([^\]]+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"""^\s*("[^"]*"|'[^']*'|[\w-]+)\s*=""")


class Lines:
    """Where the tables and keys of a TOML text stand; its parser does not tell.

    A table is ``("", 0)`` for the top, ``("predicates", 0)``, or ``("rules", n)`` for rule n.
    """

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines()
        self._found: dict[tuple[str, int, str], int] = {}
        counts: dict[str, int] = {}
        table, number = "", 0
        for row, line in enumerate(self._lines, start=1):
            header, key = _HEADER.match(line), _KEY.match(line)
            if header:
                table = header[1].strip("\"'")
                number = counts.get(table, 0)
                counts[table] = number + 1
                self._found.setdefault((table, number, ""), row)
            elif key:
                self._found.setdefault((table, number, key[1].strip("\"'")), row)

    def find(self, table: str, number: int, key: str, needle: str = "") -> int:
        """Return the line of a key, or the line at or after it that holds a text."""
        places = [(table, number, key), (table, number, ""), ("", 0, table)]
        row = next((self._found[place] for place in places if place in self._found), 1)
        for later in range(row, len(self._lines) + 1) if needle else ():
            if needle in self._lines[later - 1]:
                return later
        return row


class Problems:
    """Collects what is wrong, each as the error that it would be."""

    def __init__(self, where: str, lines: Lines) -> None:
        self._where, self._lines = where, lines
        self.found: dict[tuple[int, str], InputError] = {}

    def add(
        self, what: str, remedy: str | None, place: tuple[str, int, str], *, needle: str = ""
    ) -> None:
        """Say what is wrong in a table, its number and its key; once for each line."""
        line = self._lines.find(*place, needle)
        error = InputError(what, where=f"{self._where}, line {line}", remedy=remedy)
        self.found.setdefault((line, what), error)

    def add_error(
        self, error: UsageError, place: tuple[str, int, str], *, needle: str = ""
    ) -> None:
        """Say what an error says, with the line."""
        self.add(error.what, error.remedy, place, needle=needle)

    def sorted(self) -> list[InputError]:
        """Return them in order of their lines."""
        return [self.found[key] for key in sorted(self.found)]
