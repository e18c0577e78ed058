"""Who performs, and who dances whose part."""

from __future__ import annotations

import numpy as np

from poise.clip import Clip
from poise.loading.people import find_presences, weigh_people
from poise.tracking import assign

_PERFORMS = 0.5  # of the main person's weight, so that passers-by take no part


def find_performers(clip: Clip) -> list[int]:
    """Return who performs, from left to right: all of at least half the main one's weight."""
    weights = weigh_people(clip)
    least = _PERFORMS * max(weights.values(), default=0.0)
    places = {person.id: float(person.middles[:, 0].mean()) for person in find_presences(clip)}
    chosen = [identity for identity, weight in weights.items() if weight >= least]
    return sorted(chosen, key=lambda identity: places[identity])


def pair_people(reference: Clip, attempt: Clip, *, mirrored: bool = False) -> list[tuple[int, int]]:
    """Return who of the attempt dances whose part: (id in the reference, id in the attempt).

    The performers of both clips are paired so that the sum of |difference of place| + (1 -
    overlap in time) is least. A place is the mean distance to the right of all performers' mean,
    in median body heights; the time is the span from a person's first to last frame as shares of
    the clip, and the overlap its intersection over union.

    Args:
        reference, attempt: Clips whose people have ids (see ``identify``).
        mirrored: Whether the attempt is a mirror image, so that left and right change places.
    """
    ours, theirs = _stand(reference), _stand(attempt)
    if not ours or not theirs:
        return []
    side = -1.0 if mirrored else 1.0
    cost = np.array(
        [
            [abs(one[0] - side * other[0]) + 1 - _overlap(one[1], other[1]) for other in
             theirs.values()]
            for one in ours.values()
        ]
    )  # fmt: skip
    left, right = list(ours), list(theirs)
    return [(left[row], right[column]) for row, column in assign(cost)]


def _stand(clip: Clip) -> dict[int, tuple[float, tuple[float, float]]]:
    """Return the place and the span of time of each performer, from left to right."""
    people = {person.id: person for person in find_presences(clip)}
    chosen = [people[identity] for identity in find_performers(clip)]
    if not chosen:
        return {}
    unit = float(np.median(np.concatenate([person.heights for person in chosen])))
    places = [float(person.middles[:, 0].mean()) / unit for person in chosen]
    middle = float(np.mean(places))
    last = len(clip)
    return {
        person.id: (place - middle, (person.frames[0] / last, (person.frames[-1] + 1) / last))
        for person, place in zip(chosen, places, strict=True)
    }


def _overlap(a: tuple[float, float], b: tuple[float, float]) -> float:
    both = max(0.0, min(a[1], b[1]) - max(a[0], b[0]))
    return both / (a[1] - a[0] + b[1] - b[0] - both)
