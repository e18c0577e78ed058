"""Repetitions as sentences, as a table and as one document."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from poise.classification.repetitions.result import Repetitions
from poise.classification.repetitions.table import ANY, EXERCISES

COLUMNS = (
    "person", "exercise", "number", "start", "middle", "end", "seconds", "out", "hold", "back",
    "low", "high", "reach", "symmetry", "side", "faults",
)  # fmt: skip
_NUMBERS = COLUMNS[3:14]


def tell_repetitions(found: Repetitions) -> str:
    """Return a line on all repetitions, and one on each."""
    lines = [_tell_all(found)]
    lines += [_tell_one(found, number) for number in range(found.count)]
    return "\n".join(lines)


def to_document(source: str, everyone: Sequence[Repetitions]) -> dict[str, Any]:
    """Return the repetitions of everybody, ready for JSON."""
    return {
        "schema_version": 1,
        "source": source,
        "people": [found.to_dict() for found in everyone],
    }


def to_csv(everyone: Sequence[Repetitions]) -> str:
    """Return a line for each repetition of everybody; what is unknown is empty."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    for found in everyone:
        for number, one in enumerate(found.repetitions, start=1):
            values = one.to_dict()
            numbers = ["" if values[name] is None else values[name] for name in _NUMBERS]
            faults = "; ".join(fault.text for fault in one.faults)
            head = [found.person, found.exercise, number]
            table.writerow([*head, *numbers, one.side, faults])
    return text.getvalue()


def _tell_all(found: Repetitions) -> str:
    begun = "; one more had begun" if found.unfinished else ""
    if not found.count:
        return f"{_name(found)}{begun}"
    ones = found.repetitions
    seconds = sorted(one.seconds for one in ones)
    told = [f"{_name(found)}, {clock(ones[0].start)} to {clock(ones[-1].end)}"]
    told[0] += f", {np.median(seconds):.1f} s each"
    if found.count > 1:
        told[0] += f" ({seconds[0]:.1f} to {seconds[-1]:.1f}), {found.per_minute:.0f} a minute"
    lows = [one.low for one in ones if not math.isnan(one.low)]
    if lows:
        low, high = np.median(lows), np.median([o.high for o in ones if not math.isnan(o.high)])
        told.append(f"range {low:.0f} to {high:.0f} degrees ({found.joint})")
    if not math.isnan(found.symmetry):
        told.append(f"symmetry {100 * found.symmetry:.0f} %")
    if found.exercise == ANY:
        told.append(f"sure to {100 * found.confidence:.0f} %")
    return "; ".join(told) + begun


def _name(found: Repetitions) -> str:
    plural = "repetitions" if found.exercise == ANY else EXERCISES[found.exercise].plural
    single = plural.removesuffix("es") if plural.endswith("sses") else plural.removesuffix("s")
    return f"{found.count or 'no'} {single if found.count == 1 else plural}"


def _tell_one(found: Repetitions, number: int) -> str:
    one = found.repetitions[number]
    out, back = EXERCISES[found.exercise].ways if found.exercise != ANY else ("out", "back")
    line = f"{number + 1:>4}  {clock(one.start)} to {clock(one.end)}  "
    line += f"{out} {one.out:.1f} s, held {one.hold:.1f} s, {back} {one.back:.1f} s"
    if not math.isnan(one.low):
        line += f"; {one.low:.0f} to {one.high:.0f} degrees"
    if one.side != "both":
        line += f"; {one.side}"
    return line + "".join(f"; {fault.text}" for fault in one.faults)


def clock(seconds: float) -> str:
    """Return minutes and seconds, such as ``1:03.4``."""
    tenths = round(seconds * 10)
    return f"{tenths // 600}:{tenths % 600 / 10:04.1f}"
