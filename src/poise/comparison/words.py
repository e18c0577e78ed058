"""What a comparison found, said as a teacher would: sentences from a table for each language."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from poise.comparison.result import Comparison, Fault, Relation
from poise.comparison.words_table import TABLES
from poise.errors import UsageError, suggest

LANGUAGES: tuple[str, ...] = tuple(TABLES)

# From these on, what was taken away is worth a word.
_OFFSET, _TEMPO, _SCALE = 0.05, 0.01, 0.05  # seconds, shares
_ROLL, _YAW = 1.0, 5.0  # degrees

_LONG = 10.0  # seconds; of longer spans nobody needs the tenths
_TOGETHER = 0.7  # share of the longer fault during which the other side does the same
_ALIKE = 2.0  # times as large one side may be for one number to say both

# The joint that is bent where a limb is said to be.
_JOINTS = {"upper_arm": "shoulder", "forearm": "elbow", "arm": "elbow", "thigh": "hip"}
_JOINTS |= {"shin": "knee", "leg": "knee", "foot": "ankle"}
_PLURALS = {"foot": "feet", "shoulder": "both_shoulders", "hip": "both_hips"}
_PLURALS |= {part: f"{part}s" for part in ("upper_arm", "forearm", "arm", "thigh", "shin", "leg")}
_PLURALS |= {part: f"{part}s" for part in ("elbow", "knee", "ankle")}
_SINGULARS = {plural: part for part, plural in _PLURALS.items()}
_UPRIGHT = dict.fromkeys(("trunk", "body"), "lean")
_UPRIGHT |= dict.fromkeys(("head", "neck", "shoulders", "hips"), "tilt")


def describe_fault(fault: Fault, language: str = "en", *, mirrored: bool = False) -> str:
    """Say what is wrong, without when: ``left forearm 40° too low``.

    Args:
        fault: Its ``limb`` is a limb, a joint, an arm or leg, ``body``, or what
            ``merge_for_words`` makes of two sides; its ``text`` is not looked at.
        language: One of ``LANGUAGES``.
        mirrored: Whether it is said to somebody whose attempt is a mirror image: their right is
            the left of the fault.

    Raises:
        UsageError: No such language, limb, kind or side.
    """
    table = _table(language)
    if mirrored:
        fault = mirror_fault(fault)
    return _fill(
        table,
        _template(fault, table),
        limb=_limb(fault, table),
        degrees=f"{abs(fault.degrees):.0f}",
        seconds=_seconds(fault.seconds),
    )


def mirror_fault(fault: Fault) -> Fault:
    """Return the fault of a mirror image on the sides of whoever made it."""
    return replace(fault, limb=mirror_name(fault.limb), side=mirror_name(fault.side))


def describe_moment(fault: Fault, language: str = "en", *, mirrored: bool = False) -> str:
    """Say what is wrong, and when in the reference: ``0:12.3 to 0:13.1 left forearm 40° too low``.

    The fault's own ``text`` is taken where it has one; ``compare`` wrote it in the language that
    was asked for, and with the learner's own sides. Spans of ten seconds and more have whole
    seconds: ``0:20 to 0:45 both arms about 0.3 s behind``.

    Raises:
        UsageError: As ``describe_fault``.
    """
    decimals = 0 if fault.end - fault.start >= _LONG else 1
    start, end = (format_time(time, decimals, language) for time in (fault.start, fault.end))
    key = "moment" if start == end else "moment.span"
    text = fault.text or describe_fault(fault, language, mirrored=mirrored)
    return _table(language)[key].format(start=start, end=end, text=text)


def describe_relation(relation: Relation, language: str = "en") -> str:
    """Say what was taken away before judging: ``learner mirrored, 1.3 s late, 4 % slower``.

    Only what is notable is said: an offset of 0.05 s, a tempo 1 % off, a size 5 % off, a roll of
    1° and a yaw of 5°, and more of each. Camera and picture follow the learner.

    Returns:
        The words, or "" where nothing is notable.

    Raises:
        UsageError: No such language.
    """
    table = _table(language)
    learner = ", ".join(_of_learner(relation, table))
    parts = [_fill(table, "relation.learner", text=learner)] if learner else []
    return ", ".join([*parts, *_of_camera(relation, table)])


def describe_verdict(comparison: Comparison, language: str = "en") -> str:
    """Say the result in one line: ``82 of 100: nearly right; 97 % judged``.

    A score below 99.95 is never rounded to 100, nor a share to all or none of it.

    Raises:
        UsageError: No such language.
    """
    table, score = _table(language), comparison.score
    cannot = comparison.verdict == "cannot say"
    points = "" if cannot else f"{min(round(score), 99 if score < 99.95 else 100)}"
    percent = _percent(comparison.coverage)
    return _fill(table, f"verdict.{comparison.verdict}", score=points, percent=percent)


def merge_for_words(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    """Make one fault of two where left and right do the same wrong at the same time.

    They are the same limb of both sides, of one kind and side, together for at least 70 % of the
    longer one, and neither error is more than twice the other. The limb of the merged fault is a
    plural (``forearms``, ``feet``; ``both_hips`` for the joints), its times span both, degrees
    and seconds are the means, the severity is the sum, the text is "".

    Returns:
        All faults, in order of time.
    """
    given = list(faults)
    pairs = [
        (a, b)
        for a, b in itertools.combinations(range(len(given)), 2)
        if _twins(given[a], given[b])
    ]
    pairs.sort(key=lambda pair: -_overlap(given[pair[0]], given[pair[1]]))
    merged, single = [], set(range(len(given)))
    for a, b in pairs:
        if {a, b} <= single:
            single -= {a, b}
            merged.append(_join(given[a], given[b]))
    merged += [given[number] for number in single]
    return tuple(sorted(merged, key=lambda fault: (fault.start, fault.limb)))


def format_time(seconds: float, decimals: int = 1, language: str = "en") -> str:
    """Return ``m:ss.d``, or ``h:mm:ss.d`` from an hour on; rounded first, so never ``0:60.0``.

    Raises:
        UsageError: No such language.
    """
    unit = 10**decimals
    whole = round(abs(seconds) * unit)
    minutes, rest = divmod(whole, 60 * unit)
    hours, minutes = divmod(minutes, 60)
    text = f"{hours}:{minutes:02d}" if hours else f"{minutes}"
    text += f":{rest // unit:02d}"
    if decimals:
        text += f"{_table(language)['decimal']}{rest % unit:0{decimals}d}"
    return f"-{text}" if seconds < 0 and whole else text


def _table(language: str) -> dict[str, str]:
    if language not in TABLES:
        remedy = suggest(language, LANGUAGES)
        raise UsageError(f"no language named '{language}'", where="language", remedy=remedy)
    return TABLES[language]


def _fill(table: dict[str, str], key: str, **values: str) -> str:
    """Fill a template; numbers come with a point and leave with the language's sign."""
    numbers = {"degrees", "seconds", "percent", "score"}
    shown = {
        name: value.replace(".", table["decimal"]) if name in numbers else value
        for name, value in values.items()
    }
    return table[key].format(**shown)


def _template(fault: Fault, table: dict[str, str]) -> str:
    if fault.kind == "pose":
        if not fault.side:
            return "pose"
        return _known(f"{_manner(fault)}.{fault.side}", table, "side")
    key = _known(fault.kind, table, "kind")
    return f"{key}.body" if fault.limb == "body" else key


def _manner(fault: Fault) -> str:
    return _UPRIGHT.get(fault.limb, "pose") if fault.side in ("left", "right") else "pose"


def _limb(fault: Fault, table: dict[str, str]) -> str:
    name = fault.limb
    if fault.kind == "pose" and fault.side in ("bent", "straight"):
        side, part = _split(name)
        joint = _JOINTS.get(part, part)
        name = f"{side}_{joint}" if side else _PLURALS[joint] if part != name else name
    return table[_known(f"limb.{name}", table, "limb")]


def mirror_name(name: str) -> str:
    """Return the name of the same thing on the other side of the body."""
    side, line, part = name.partition("_")
    return {"left": "right", "right": "left"}.get(side, side) + line + part


def _split(limb: str) -> tuple[str, str]:
    """Return the side, "" for none or both, and the part of the body in the singular."""
    side, _, part = limb.partition("_")
    return (side, part) if side in ("left", "right") else ("", _SINGULARS.get(limb, limb))


def _known(key: str, table: dict[str, str], field: str) -> str:
    if key not in table:
        group, _, name = key.rpartition(".")
        known = [one.rpartition(".")[2] for one in table if one.rpartition(".")[0] == group]
        if field == "kind":
            known = ["pose", "late", "early", "missed", "extra"]
        remedy = suggest(name, known)
        raise UsageError(f"no {field} named '{name}'", where=f"Fault.{field}", remedy=remedy)
    return key


def _seconds(value: float) -> str:
    """Return a tenth of a second and more with one decimal, less with two."""
    size = abs(value)
    return f"{size:.1f}" if size >= 0.095 else f"{size:.2f}"


def _percent(share: float) -> str:
    whole = round(100 * share)
    return f"{max(1, min(whole, 99)) if 0 < share < 1 else whole}"


def _of_learner(relation: Relation, table: dict[str, str]) -> Iterator[str]:
    if relation.mirrored:
        yield table["relation.mirrored"]
    if abs(relation.offset) >= _OFFSET:
        key = "relation.late" if relation.offset > 0 else "relation.early"
        yield _fill(table, key, seconds=_seconds(relation.offset))
    for change, least, less, more in (
        (relation.tempo - 1, _TEMPO, "slower", "faster"),
        (relation.scale - 1, _SCALE, "smaller", "larger"),
    ):
        if abs(change) >= least - 1e-9:
            key = f"relation.{less if change < 0 else more}"
            yield _fill(table, key, percent=f"{100 * abs(change):.0f}")


def _of_camera(relation: Relation, table: dict[str, str]) -> Iterator[str]:
    for turn, least, less, more in (
        (relation.yaw or 0.0, _YAW, "right", "left"),
        (relation.roll, _ROLL, "anticlockwise", "clockwise"),
    ):
        if abs(turn) >= least:
            key = f"relation.{less if turn < 0 else more}"
            yield _fill(table, key, degrees=f"{abs(turn):.0f}")


def _twins(one: Fault, other: Fault) -> bool:
    first, second = _split(one.limb), _split(other.limb)
    same = (one.kind, one.side, first[1]) == (other.kind, other.side, second[1])
    sides = {first[0], second[0]} == {"left", "right"} and first[1] in _PLURALS
    sizes = _alike(one.degrees, other.degrees) and _alike(one.seconds, other.seconds)
    return same and sides and sizes and _overlap(one, other) >= _TOGETHER


def _alike(one: float, other: float) -> bool:
    return max(abs(one), abs(other)) <= _ALIKE * min(abs(one), abs(other))


def _overlap(one: Fault, other: Fault) -> float:
    """Return the share 0..1 of the longer fault during which there is the other one too."""
    longer = max(one.end - one.start, other.end - other.start)
    common = min(one.end, other.end) - max(one.start, other.start)
    return common / longer if longer > 0 else float(one.start == other.start)


def _join(one: Fault, other: Fault) -> Fault:
    return replace(
        one,
        limb=_PLURALS[_split(one.limb)[1]],
        start=min(one.start, other.start),
        end=max(one.end, other.end),
        attempt_start=float(np.fmin(one.attempt_start, other.attempt_start)),
        attempt_end=float(np.fmax(one.attempt_end, other.attempt_end)),
        degrees=(one.degrees + other.degrees) / 2,
        seconds=(one.seconds + other.seconds) / 2,
        severity=one.severity + other.severity,
        text="",
    )
