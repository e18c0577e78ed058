"""How to compare: the one description that the command line and other callers share."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, get_args

from poise.errors import InputError, UsageError, suggest
from poise.loading import LoadingOptions
from poise.options import Precision

Mirror = Literal["auto", "yes", "no"]
Sync = Literal["auto", "audio", "motion", "none"]
Language = Literal["en", "de"]

EVERYONE = "all"


@dataclass(frozen=True, kw_only=True)
class ComparisonOptions(LoadingOptions):
    """Options of ``poise compare``; each is described once, here, beside its type.

    Raises:
        UsageError: A value is out of its range; the message names the field.
    """

    min_score: Annotated[
        float | None, "Exit with 8 if a score is below this, or nothing could be said."
    ] = None
    person: Annotated[
        str | None,
        "Id of the person in the attempt; 'all' pairs everyone with everyone. The main one is "
        "found by itself.",
    ] = None
    reference_person: Annotated[int | None, "Id of the person in the reference."] = None
    mirror: Annotated[Mirror, "Whether the attempt is a mirror image."] = "auto"
    sync: Annotated[
        Sync,
        "What the alignment begins from: the sound of both, their motion, or nothing, so that "
        "moments are compared as they come. 'auto' takes the sound where it matches.",
    ] = "auto"
    beats: Annotated[
        str | None,
        "Beats a minute, or the seconds of the reference at which beats begin: '0.5,1,1.5' or a "
        "file with one a line. They are found by motion otherwise.",
    ] = None
    language: Annotated[Language, "Of the sentences and the report."] = "en"
    film: Annotated[bool, "Paint comparison.mp4 into the report."] = True
    gif: Annotated[bool, "Paint comparison.gif into the report."] = False
    # Other defaults than elsewhere: what bf16 and swapped sides spoil shows in every figure of a
    # comparison, and one pair must have one score on all machines (measured in docs/compare.md).
    precision: Annotated[
        Precision, "'f32' gives the same keypoints on every machine, 'auto' is the fastest."
    ] = "f32"
    repair_swaps: Annotated[bool, "Undo left and right limbs that change places in the videos."] = (
        True
    )

    def __post_init__(self) -> None:
        for name, kind in (("mirror", Mirror), ("sync", Sync), ("language", Language)):
            value, choices = getattr(self, name), get_args(kind)
            if value not in choices:
                raise UsageError(f"no '{value}'", where=name, remedy=suggest(str(value), choices))
        if self.min_score is not None and not 0 <= self.min_score <= 100:
            raise UsageError(f"wanted 0 to 100, got {self.min_score:g}", where="min_score")
        if self.person is not None and not (self.everyone or _is_id(self.person)):
            raise UsageError(f"wanted an id or '{EVERYONE}', got '{self.person}'", where="person")
        if self.everyone and self.reference_person is not None:
            raise UsageError(
                f"does not go with --person {EVERYONE}", where="reference_person",
                remedy="leave one of them out",
            )  # fmt: skip
        if self.beats is not None:
            read_beats(self.beats)
        super().__post_init__()

    @property
    def everyone(self) -> bool:
        """Whether several dancers are compared with several."""
        return self.person == EVERYONE

    @property
    def attempt_person(self) -> int | None:
        """Id of the person in the attempt, or None for the main one."""
        return None if self.person is None or self.everyone else int(self.person)


def read_beats(text: str) -> float | list[float]:
    """Return beats a minute, or the seconds at which beats begin.

    Args:
        text: A number, several numbers with commas, or the name of a file of numbers.

    Raises:
        UsageError: It is none of these, or the beats do not come one after the other.
        InputError: The file cannot be read.
    """
    single = _numbers(text)
    if single is not None and len(single) == 1:
        if not 10 <= single[0] <= 400:
            raise UsageError(f"wanted 10 to 400 beats a minute, got {text}", where="beats")
        return single[0]
    seconds = _file_numbers(text) if single is None else single
    if not seconds or any(later <= now for now, later in itertools.pairwise(seconds)):
        raise UsageError("the beats do not come one after the other", where="beats")
    return seconds


def _file_numbers(name: str) -> list[float]:
    wanted = "wanted beats a minute, seconds with commas, or a file of seconds"
    try:
        text = Path(name).read_text(encoding="utf-8")
    except (FileNotFoundError, IsADirectoryError):
        raise UsageError(f"{wanted}, got '{name}'", where="beats") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise InputError(f"cannot be read: {reason}", where=name) from error
    found = _numbers(text.replace("\n", ","))
    if not found:
        raise UsageError(f"{wanted}; {name} holds something else", where="beats")
    return found


def _numbers(text: str) -> list[float] | None:
    """Return the numbers of a list with commas; None where anything else is in it."""
    try:
        found = [float(word) for word in text.split(",") if word.strip()]
    except ValueError:
        return None
    return found if found and all(math.isfinite(number) for number in found) else None


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal()
