"""Composite fields of OpenPifPaf: from seeds and links to people.

The people grow one after the other, each from the best seed that no earlier one covers, along the
link that is surest at the moment (Kreiss, Bertoni, Alahi 2021). The rules and numbers are those of
the published decoder of openpifpaf 0.13; the code is our own.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from math import floor, hypot, sqrt

import numpy as np

from poise.models.cifcaf_fields import Links, Seeds, build_map, find_links, find_seeds
from poise.poses import FloatArray

# The pairs of COCO's own skeleton (its annotation files list them from 1), in CAF's order.
PAIRS = (
    (15, 13), (13, 11), (16, 14), (14, 12), (11, 12), (5, 11), (6, 12), (5, 6), (5, 7), (6, 8),
    (7, 9), (8, 10), (1, 2), (0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 6),
)  # fmt: skip
KEYPOINTS = 17

# A keypoint's score is at least this share of that of the keypoint before it.
_RELATIVE = 0.5
# The second best link counts if it is this good at all, and this good beside the best one.
_SECOND, _SECOND_SHARE = 0.01, 0.5
# Pixels below which no keypoint is small when links are looked for around it, and when it covers
# others; and the grid that covered places are rounded to.
_SMALL, _COVERS, _GRID = 0.5, 4.0, 2.0
# What is left of the score of a keypoint that a better person covers.
_COVERED = 1e-5
# A person's score: the three best keypoints count three times.
_WEIGHTS = np.array([3.0] * 3 + [1.0] * (KEYPOINTS - 3))

_NEIGHBOURS = tuple(
    tuple(b if a == part else a for a, b in PAIRS if part in (a, b)) for part in range(KEYPOINTS)
)

# Score in 0..1, x, y and size in pixels.
Place = tuple[float, float, float, float]


@dataclass(frozen=True)
class Limits:
    """What is good enough.

    Attributes:
        seed: Least score of a cell that a person grows from.
        keypoint: Least score of a keypoint.
        instance: Least mean of a person's 17 scores, absent keypoints counting as 0.
        complete: Whether every person gets all keypoints, however unsure.
    """

    seed: float = 0.2
    keypoint: float = 0.15
    instance: float = 0.15
    complete: bool = False


_USUAL = Limits()


@dataclass(frozen=True, eq=False)
class Found:
    """N people, best first: (N, 17, 2) x and y in input pixels, (N, 17) and (N,) scores in 0..1."""

    keypoints: FloatArray
    scores: FloatArray
    people: FloatArray


class _Cover:
    """Squares around the keypoints that are taken, on a grid of two pixels."""

    def __init__(self, size: tuple[int, int]) -> None:
        self._last = [int((side - 1) / _GRID) for side in size]
        self._squares: list[list[tuple[int, int, int, int]]] = [[] for _ in range(KEYPOINTS)]

    def add(self, part: int, place: Place) -> None:
        _, x, y, size = place
        reach = max(_COVERS, size) / _GRID
        (x0, x1), (y0, y1) = (
            self._range(at / _GRID, reach, last)
            for at, last in zip((x, y), self._last, strict=True)
        )
        self._squares[part].append((x0, x1, y0, y1))

    @staticmethod
    def _range(middle: float, reach: float, last: int) -> tuple[int, int]:
        first = min(max(floor(middle - reach), 0), last)
        return first, min(max(floor(middle + reach), first + 1), last + 1)

    def holds(self, part: int, x: float, y: float) -> bool:
        across, down = (
            min(max(floor(at / _GRID), 0), last) for at, last in zip((x, y), self._last, strict=True)
        )
        return any(
            x0 <= across < x1 and y0 <= down < y1 for x0, x1, y0, y1 in self._squares[part]
        )


def decode(cif: FloatArray, caf: FloatArray, *, stride: int = 8, limits: Limits = _USUAL) -> Found:
    """Turn composite fields into people.

    Args:
        cif: (17, 5, h, w): unused, confidence, x, y and size of a keypoint, in cells.
        caf: (19, 8, h, w): unused, confidence, x and y of the first keypoint of a pair, x and y of
            the second, and the sizes of both, in cells; the pairs are `PAIRS`.
        stride: Pixels from cell to cell.
        limits: What is good enough.

    Returns:
        People in pixels, counted from the middle of the first one.
    """
    fine = build_map(cif, stride)
    seeds = find_seeds(cif, fine, stride, limits.seed)
    links = find_links(caf, fine, PAIRS, stride=stride)
    cover = _Cover((fine.shape[2], fine.shape[1]))
    people = []
    for part, place in zip(seeds.parts.tolist(), map(tuple, seeds.places.tolist()), strict=True):
        if cover.holds(part, place[1], place[2]):
            continue
        person = {part: place}
        grow(person, links, limits.keypoint)
        for one, where in person.items():
            cover.add(one, where)
        people.append(person)
    table = _suppress(people, (fine.shape[2], fine.shape[1]))
    table[table[:, :, 0] < limits.keypoint] = 0
    table = table[table[:, :, 0].mean(axis=1) >= limits.instance]
    return _rank(table)


def grow(person: dict[int, Place], links: dict[tuple[int, int], Links], least: float) -> None:
    """Add the keypoints that links lead to, the surest first, until no link is good enough.

    A link's score is the root of the product of its candidates' and that of the keypoint it
    starts at, so it is at most the root of the latter: only where that makes it the next one are
    its candidates looked at.
    """
    number = count()
    queue: list[tuple[float, int, int, int, Place | None]] = []

    def reach_out(source: int) -> None:
        for target in _NEIGHBOURS[source]:
            if target not in person:
                bound = -sqrt(person[source][0])
                heapq.heappush(queue, (bound, next(number), source, target, None))

    for part in list(person):
        reach_out(part)
    while queue:
        _, _, source, target, place = heapq.heappop(queue)
        if target in person:
            continue
        if place is not None:
            person[target] = place
            reach_out(target)
            continue
        place = _follow(person[source], links[source, target], links[target, source], least)
        if place is not None:
            heapq.heappush(queue, (-place[0], next(number), source, target, place))


def _follow(start: Place, links: Links, back: Links, least: float) -> Place | None:
    """Return the keypoint that the links from a place lead to, or None."""
    score, x, y, size = start
    end = _blend(links, start)
    if end is None:
        return None
    found = sqrt(end[0] * score)
    if found < least or found < _RELATIVE * score:
        return None
    # Where the way back does not end where we came from, the link is another person's.
    again = _blend(back, end)
    if again is None or abs(again[1] - x) + abs(again[2] - y) > size:
        return None
    return found, end[1], end[2], end[3]


def _blend(links: Links, start: Place) -> Place | None:
    """Return where the two best links from a place lead, on the whole, and half their sum."""
    _, x, y, size = start
    reach = 0.5 * max(_SMALL, size)
    first, last = np.searchsorted(links.x, (x - reach, x + reach + 1e-6))
    if first == last:
        return None
    across, down = links.x[first:last] - x, links.y[first:last] - y
    distance = across * across + down * down
    weight = links.ends[first:last, 0] * np.exp(distance * (-0.5 / reach**2))
    weight[np.abs(down) > reach] = 0
    best = int(weight.argmax())
    top = float(weight[best])
    if top <= 0:
        return None
    weight[best] = 0
    other = int(weight.argmax())
    second = float(weight[other])
    _, x1, y1, size1 = links.ends[first + best].tolist()
    if second < _SECOND or second < _SECOND_SHARE * top:
        return 0.5 * top, x1, y1, size1
    _, x2, y2, size2 = links.ends[first + other].tolist()
    if hypot(x1 - x2, y1 - y2) > 0.5 * size1:
        return 0.5 * top, x1, y1, size1
    share = second / (top + second)
    return (
        0.5 * (top + second),
        x1 + share * (x2 - x1),
        y1 + share * (y2 - y1),
        size1 + share * (size2 - size1),
    )


def _suppress(people: Sequence[dict[int, Place]], size: tuple[int, int]) -> FloatArray:
    """Return (N, 17, 4) places; those that a better person covers have next to no score."""
    table = np.zeros((len(people), KEYPOINTS, 4), np.float32)
    for row, person in zip(table, people, strict=True):
        for part, place in person.items():
            row[part] = place
    table = table[np.argsort(-table[:, :, 0].mean(axis=1), kind="stable")]
    cover = _Cover(size)
    for row in table:
        for part in np.flatnonzero(row[:, 0]).tolist():
            if cover.holds(part, float(row[part, 1]), float(row[part, 2])):
                row[part, 0] *= _COVERED
            else:
                cover.add(part, tuple(row[part].tolist()))
    return table


def _rank(table: FloatArray) -> Found:
    likely = np.sort(table[:, :, 0], axis=1)[:, ::-1] @ _WEIGHTS / _WEIGHTS.sum()
    order = np.argsort(-likely, kind="stable")
    table = table[order]
    scores = table[:, :, 0]
    keypoints = np.where(scores[..., None] > 0, table[:, :, 1:3], np.float32(np.nan))
    return Found(keypoints, scores, likely[order].astype(np.float32))
