"""Everything that Poise raises on purpose, and the exit code that the command line gives it.

PoiseError                 1  something failed
├── UsageError             2  an option or argument that cannot be (also a ValueError)
├── SomeInputsFailedError  3  a run over several sources went on, but some of them failed
├── NoInputError           4  nothing matched the sources that were named
├── ModelError             5  no such model
│   ├── WeightsError       5  weights are missing, cannot be fetched, or have the wrong hash
│   └── LicenceError       5  the licence of a model must be accepted first
├── InputError             6  a source cannot be read
├── OutputError            7  an output cannot be written
├── BelowThresholdError    8  a score is below the one that was asked for
└── MissingExtraError      1  an optional package is not installed (says the line that installs it)
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class PoiseError(Exception):
    """A failure with one clear line: where it happened, what was wrong, what to do about it.

    Args:
        what: What was wrong and what came, without a full stop.
        where: The file, address or field it happened at.
        remedy: What the reader can do about it.
    """

    exit_code = 1

    def __init__(self, what: str, *, where: object = None, remedy: str | None = None) -> None:
        self.what, self.where, self.remedy = what, where, remedy
        head = f"{where}: {what}" if where is not None else what
        super().__init__(f"{head}; {remedy}" if remedy else head)


class UsageError(PoiseError, ValueError):
    """An argument that cannot be: says which, what was wanted and what came."""

    exit_code = 2


class SomeInputsFailedError(PoiseError):
    """Some sources of a run failed; the others are done."""

    exit_code = 3


class NoInputError(PoiseError):
    """Nothing matched the sources that were named."""

    exit_code = 4


class ModelError(PoiseError):
    """A model that is not known or cannot be used."""

    exit_code = 5


class WeightsError(ModelError):
    """Weights that are missing, cannot be fetched, or are not the file they should be."""


class LicenceError(ModelError):
    """A model whose licence forbids or demands something that its user has not accepted."""


class InputError(PoiseError):
    """A source that cannot be read."""

    exit_code = 6


class OutputError(PoiseError):
    """An output that cannot be written."""

    exit_code = 7


class BelowThresholdError(PoiseError):
    """A score is below the one that was asked for, or nothing could be said."""

    exit_code = 8


class MissingExtraError(PoiseError):
    """An optional package that is not installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(what, remedy=f"pip install 'poise[{extra}]'")


def suggest(word: str, choices: Iterable[str]) -> str:
    """Say which of the choices was probably meant, or list them all.

    Returns:
        A remedy such as ``did you mean 'rtmpose-m'?`` or ``choose one of a, b, c``.
    """
    known = list(choices)
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"did you mean '{near[0]}'?" if near else f"choose one of {', '.join(known)}"
