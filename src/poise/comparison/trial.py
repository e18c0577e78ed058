"""One attempt against one reference: who, by which clock, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from poise.clip import Clip
from poise.comparison.ensemble import Ensemble, compare_people
from poise.comparison.judge import compare
from poise.comparison.music import find_offset
from poise.comparison.options import ComparisonOptions, Sync, read_beats
from poise.comparison.result import Comparison
from poise.errors import InputError, UsageError
from poise.io.sound import Sound, read_sound
from poise.loading import Report, choose_track, find_footage, is_clip, load_clip
from poise.models.base import PoseModel

_BY_MOTION = "leave out --sync audio, to go by motion"


@dataclass(frozen=True, eq=False)
class Entrant:
    """A source that is loaded.

    Attributes:
        source: As the user named it.
        clip: Everybody in it, named.
        footage: The video or picture that shows it, where there is one.
    """

    source: str
    clip: Clip
    footage: str | None


@dataclass(frozen=True, eq=False)
class Trial:
    """What came of one attempt.

    Attributes:
        reference, attempt: The two sides.
        result: The comparison of two people, or of several with several.
        notes: What the user should know, one line each.
    """

    reference: Entrant
    attempt: Entrant
    result: Comparison | Ensemble
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the result and its sources, ready for JSON."""
        sources: dict[str, Any] = {}
        for side, entrant in (("reference", self.reference), ("attempt", self.attempt)):
            header = entrant.clip.header
            sources[side] = entrant.source
            sources[f"{side}_model"] = header.model
            sources[f"{side}_frames"] = len(entrant.clip)
            sources[f"{side}_people"] = sorted(entrant.clip.ids())
        if isinstance(self.result, Comparison):
            sources["reference_person"] = self.result.reference.id
            sources["attempt_person"] = self.result.attempt.id
        return self.result.to_dict() | {"sources": sources}


def load_entrant(
    source: str,
    load_model: Callable[[], PoseModel],
    options: ComparisonOptions,
    *,
    known: Callable[[PoseModel], Clip | None] | None = None,
    report: Report | None = None,
) -> Entrant:
    """Load a source; see ``load_clip``.

    A keypoint file's own header may name the video that it was made from.

    Args:
        source: A video, a picture, or a keypoint file or folder.
        load_model: Returns the model, for videos and pictures.
        options: How to compare.
        known: Returns what is known of a video or picture already, if anything.
        report: Told of each frame that was estimated.

    Raises:
        InputError: It cannot be read, nobody is in it, or its frames are no performance.
    """
    clip = known(load_model()) if known is not None and not is_clip(source) else None
    if clip is None:
        clip = load_clip(source, load_model, options, report=report)
    if np.any(np.diff(clip.times) < 0):
        raise InputError(
            "holds separate pictures, not one performance",
            where=source,
            remedy="name a video, or one picture",
        )
    footage = find_footage(clip.header.source) if is_clip(source) else source
    return Entrant(source, replace(clip, header=replace(clip.header, source=source)), footage)


def hold_trial(reference: Entrant, attempt: Entrant, options: ComparisonOptions) -> Trial:
    """Compare what two sources hold.

    Raises:
        InputError: Nobody is in a source, or its sound cannot be read.
        UsageError: There is no such person, the two have no limbs in common, an attempt is a
            single pose and the reference is not, or ``--sync audio`` finds no common sound.
    """
    offset = _find_offset(reference, attempt, options.sync)
    common: dict[str, Any] = {
        "offset": offset,
        "beats": None if options.beats is None else read_beats(options.beats),
        "timed": options.sync != "none",
        "language": options.language,
    }
    result: Comparison | Ensemble
    if options.everyone:
        result = compare_people(reference.clip, attempt.clip, mirror=options.mirror, **common)
    else:
        result = compare(
            choose_track(reference.clip, options.reference_person),
            choose_track(attempt.clip, options.attempt_person),
            mirror=options.mirror,
            **common,
        )  # fmt: skip
    return Trial(reference, attempt, result, _tell_models(reference, attempt))


def _tell_models(reference: Entrant, attempt: Entrant) -> tuple[str, ...]:
    ours, theirs = reference.clip.header.model, attempt.clip.header.model
    lines = [
        f"{one.source}: the source ended early, before its own declared end"
        for one in (reference, attempt)
        if one.clip.truncated
    ]
    if ours and theirs and ours != theirs:
        lines.append(f"the reference comes from {ours}, the attempt from {theirs}")
    return tuple(lines)


def _find_offset(reference: Entrant, attempt: Entrant, sync: Sync) -> float | None:
    """Return by how many seconds the attempt's music is later, where it is to be heard."""
    if sync in ("motion", "none"):
        return None
    sounds = [_listen(entrant, needed=sync == "audio") for entrant in (reference, attempt)]
    if sounds[0] is None or sounds[1] is None:
        return None
    match = find_offset(sounds[0], sounds[1])
    if match is None and sync == "audio":
        raise UsageError(
            f"its sound is not that of {reference.source}",
            where=attempt.source,
            remedy=_BY_MOTION,
        )
    return None if match is None else match.offset


def _listen(entrant: Entrant, *, needed: bool) -> Sound | None:
    sound = None
    if entrant.footage is not None and len(entrant.clip) > 1:
        try:
            sound = read_sound(entrant.footage)
        except InputError:
            if needed:
                raise
    if sound is None and needed:
        raise UsageError("carries no sound", where=entrant.source, remedy=_BY_MOTION)
    return sound
