"""A judgement as lines for people and as a document for programs."""

from __future__ import annotations

import math
from typing import Any

from poise.classification.correction.gauges import Gauges
from poise.classification.correction.judging import IN_ZONE, Judgement
from poise.classification.correction.taking import FRONT, SIDE
from poise.classification.correction.words import own_part, tell, unseen

_NEAR = 50.0  # score below which no pose is near


def tell_lines(judgement: Judgement) -> list[str]:
    """Return the score, the corrections (worst first), the holds, and what was not judged."""
    still = len(judgement.times) < 2
    if math.isnan(judgement.score):
        lines = [
            f"{_title(judgement)}: cannot say; only {100 * judgement.judged:.0f} % could be judged"
        ]
    else:
        when = "" if still else f" at {judgement.best:.1f} s"
        share = f"{100 * judgement.judged:.0f} % judged"
        lines = [f"{_title(judgement)}: {judgement.score:.0f} of 100{when}; {share}"]
        lines += [f"- {text}" for text, _ in tell(judgement)]
    if not still:
        lines.append(_tell_holds(judgement.holds()))
    hidden = unseen(judgement)
    if hidden:
        lines.append(f"not judged: {', '.join(hidden)}")
    return lines


def tell_nearest(ranked: list[Judgement]) -> str:
    """Return which pose is the nearest, and the next two."""
    scores = [(one.target.name, one.score) for one in ranked if not math.isnan(one.score)]
    if not scores:
        return "no pose can be told: too little of the person is seen"
    others = ", ".join(f"{name} {score:.0f}" for name, score in scores[1:3])
    head = "nearest to" if scores[0][1] >= _NEAR else "near no pose that is known; nearest to"
    return f"{head} {scores[0][0]} (then {others})" if others else f"{head} {scores[0][0]}"


def view_note(judgement: Judgement, gauges: Gauges) -> str | None:
    """Return a warning where a person is not filmed from where the pose can be judged."""
    breadth, target = gauges.breadth(), judgement.target
    if target.view == "side" and breadth > FRONT:
        return f"seen from the front, but {target.name} is judged from the side"
    if target.view == "front" and breadth < SIDE:
        return f"seen from the side, but {target.name} is judged from the front"
    return None


def to_document(judgement: Judgement) -> dict[str, Any]:
    """Return the judgement ready for JSON; what cannot be said is null."""
    holds = judgement.holds()
    longest = max(holds, key=lambda hold: hold[1] - hold[0], default=None)
    return {
        "pose": judgement.target.name,
        "version": version_of(judgement),
        "score": _number(judgement.score),
        "judged": round(judgement.judged, 3),
        "best": round(judgement.best, 3),
        "corrections": [
            {
                "text": text,
                "measure": finding.check.measure.split(".")[0],
                "part": own_part(finding, judgement),
                "value": _number(finding.value),
                "ideal": finding.check.ideal,
                "off": _number(finding.off),
            }
            for text, finding in tell(judgement)
        ],
        "not_judged": unseen(judgement),
        "held": {
            "seconds": round(sum(end - start for start, end in holds), 3),
            "longest": None if longest is None else [round(time, 3) for time in longest],
            "holds": [[round(start, 3), round(end, 3)] for start, end in holds],
        },
    }


def version_of(judgement: Judgement) -> str | None:
    """Return ``left`` or ``right``, or None where both sides of a pose are alike."""
    if judgement.target.is_symmetric or math.isnan(judgement.score):
        return None
    return "right" if judgement.swapped else "left"


def _title(judgement: Judgement) -> str:
    version = version_of(judgement)
    return f"{judgement.target.name}, {version}" if version else judgement.target.name


def _tell_holds(holds: list[tuple[float, float]]) -> str:
    if not holds:
        return f"never held: no moment reaches {IN_ZONE:.0f} of 100"
    start, end = max(holds, key=lambda hold: hold[1] - hold[0])
    total = sum(stop - begin for begin, stop in holds)
    if len(holds) == 1:
        return f"held {total:.1f} s, from {start:.1f} to {end:.1f} s"
    return f"held {total:.1f} s in {len(holds)} holds, the longest from {start:.1f} to {end:.1f} s"


def _number(value: float) -> float | None:
    return round(value, 1) if math.isfinite(value) else None
