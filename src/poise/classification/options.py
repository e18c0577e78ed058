"""How to classify: the one description that the command line and other callers share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from poise.errors import UsageError
from poise.loading import LoadingOptions

EVERYONE = "all"


@dataclass(frozen=True, kw_only=True)
class ClassificationOptions(LoadingOptions):
    """Options of ``poise classify``; each is described once, here, beside its type.

    Raises:
        UsageError: A value is out of its range; the message names the field.
    """

    rules: Annotated[str | None, "A rules file, or a set of 'poise rules list'."] = None
    kinds: Annotated[
        str | None,
        "Kinds of labels that are named, with commas, such as 'fall,posture'. All by default; with "
        "--with and no --rules, only what was taught.",
    ] = None
    person: Annotated[str, "Id of one person, or 'all'."] = EVERYONE

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.person != EVERYONE and not (self.person.isascii() and self.person.isdecimal()):
            raise UsageError(f"wanted an id or '{EVERYONE}', got '{self.person}'", where="person")
        if self.kinds is not None and not self.wanted_kinds:
            raise UsageError(
                f"wanted kinds with commas, got '{self.kinds}'", where="kinds",
                remedy="such as fall,gesture",
            )  # fmt: skip

    @property
    def wanted_kinds(self) -> tuple[str, ...] | None:
        """The kinds that were asked for; None where nothing was said."""
        if self.kinds is None:
            return None
        return tuple(word.strip() for word in self.kinds.split(",") if word.strip())

    @property
    def one_person(self) -> int | None:
        """Id of the one person, or None for all."""
        return None if self.person == EVERYONE else int(self.person)
