"""What every part of a report is made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from poise.comparison.report.phrases import Phrases
from poise.comparison.result import Comparison, Fault
from poise.comparison.scoring import NEARLY, RIGHT
from poise.comparison.words import describe_fault, merge_for_words, mirror_name

Picture = npt.NDArray[np.uint8]

TONES = 11  # colours from red to green


@dataclass(frozen=True)
class Sources:
    """Where the two performances come from, as far as that is known.

    Attributes:
        reference, attempt: Their files or addresses.
        reference_model, attempt_model: The models that made their poses.
    """

    reference: str = ""
    attempt: str = ""
    reference_model: str = ""
    attempt_model: str = ""


@dataclass(frozen=True, eq=False)
class MomentPictures:
    """Two pictures of the same moment of the movement.

    Attributes:
        fault: What is wrong in it.
        reference, attempt: (H, W, 3) uint8 RGB, of any size, already painted if at all.
        reference_time, attempt_time: Seconds of the two recordings; None for the middle of the
            fault.
    """

    fault: Fault
    reference: Picture
    attempt: Picture
    reference_time: float | None = None
    attempt_time: float | None = None


@dataclass(frozen=True, eq=False)
class Sheet:
    """A comparison, its sources, and the language it is told in."""

    comparison: Comparison
    sources: Sources = field(default_factory=Sources)
    say: Phrases = field(default_factory=Phrases)
    pictures: Sequence[MomentPictures] = ()

    @cached_property
    def ranked_faults(self) -> tuple[Fault, ...]:
        """The faults, worst first; those of both sides at once are one."""
        merged = merge_for_words(self.comparison.faults)
        return tuple(sorted(merged, key=lambda fault: -fault.severity))

    def own(self, name: str) -> str:
        """Return a limb's or joint's name on the body of whoever made the attempt."""
        return mirror_name(name) if self.comparison.relation.mirrored else name

    def limb(self, name: str) -> str:
        """Return a limb or joint in words, on the side that the sentences call it by."""
        return self.say.limb(self.own(name))

    def text(self, fault: Fault) -> str:
        """Return the sentence of a fault."""
        mirrored = self.comparison.relation.mirrored
        return fault.text or describe_fault(fault, self.say.language, mirrored=mirrored)


def tone_of(score: float | None) -> str:
    """Return the class of the colour for a score: ``t0`` red to ``t10`` green, ``tx`` unknown."""
    if score is None or not np.isfinite(score):
        return "tx"
    place = np.interp(score, [30, NEARLY, RIGHT, 97], [0, 3.2, 7, TONES - 1])
    return f"t{round(float(place))}"


def short_name(source: str) -> str:
    """Return the last part of a path or address."""
    return source.replace("\\", "/").rstrip("/").rpartition("/")[2] or source
