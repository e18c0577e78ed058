"""Composite fields of OpenPifPaf: from seeds and links to people.

The people grow one after the other, each from the best seed that no earlier one covers, along the
link that is surest at the moment (Kreiss, Bertoni, Alahi 2021). The rules and numbers are those of
the published decoder of openpifpaf 0.13; the code is our own.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import count
from math import hypot, sqrt

import numpy as np

from poise.models.cifcaf_fields import Grid, Links, Seeds, build_map, find_links, find_seeds
from poise.poses import FloatArray

# The pairs of COCO's own skeleton (its annotation files list them from 1), in CAF's order.
PAIRS = (
    (15, 13), (13, 11), (16, 14), (14, 12), (11, 12), (5, 11), (6, 12), (5, 6), (5, 7), (6, 8),
    (7, 9), (8, 10), (1, 2), (0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 6),
)  # fmt: skip
KEYPOINTS = 17

# A keypoint's score is at least this share of that of the keypoint before it.
_RELATIVE = 0.5
# Where everyone is completed, this much of a link will do, and it may start this many times as
# far from where it should.
_HINT, _FARTHER = 0.001, 4
# The second best link counts if it is this good at all, and this good beside the best one.
_SECOND, _SECOND_SHARE = 0.01, 0.5
# Pixels below which no keypoint is small when links are looked for around it.
_SMALL = 0.5
# What is left of the score of a keypoint that a better person covers, and the score of one that
# nothing hints at.
_COVERED = _UNKNOWN = 1e-5
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
        complete: Whether every person gets all keypoints: first along links that say next to
            nothing, then, with a score of 0.00001, where the next known keypoint is. The published
            decoder has 0 for ``keypoint`` and ``instance`` then.
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
    people = _grow_all(seeds, links, Grid(fine.shape), limits)
    if limits.complete:
        hints = find_links(caf, fine, PAIRS, stride=stride, least=_HINT)
        for row in people:
            _complete(row, hints)
    people = people[people[:, :, 0].mean(axis=1) >= limits.instance]
    table = _suppress(people, Grid(fine.shape))
    table[table[:, :, 0] < limits.keypoint] = 0
    # Who has nothing of his own is nobody.
    real = (table[:, :, 0] > _COVERED).any(axis=1)
    return _rank(table[real & (table[:, :, 0].mean(axis=1) >= limits.instance)])


def _grow_all(
    seeds: Seeds, links: dict[tuple[int, int], Links], grid: Grid, limits: Limits
) -> FloatArray:
    """Return (N, 17, 4) the places of everyone that a seed grows to, score 0 where absent."""
    rows = [np.flatnonzero(seeds.parts == part) for part in range(KEYPOINTS)]
    cells = grid.cells(seeds.places[:, 1:3])
    cells_of = [cells[mine] for mine in rows]
    free = np.ones(len(cells), bool)
    people = []
    number = 0
    while number < len(free):
        number += int(free[number:].argmax())
        if not free[number]:
            break
        part = int(seeds.parts[number])
        person = {part: _place(seeds.places[number])}
        grow(person, links, limits.keypoint, relative=0 if limits.complete else _RELATIVE)
        places = np.array(list(person.values()), np.float32)
        for one, square in zip(person, grid.squares(places), strict=True):
            inside = (cells_of[one] >= square[:2]) & (cells_of[one] < square[2:])
            free[rows[one][inside.all(axis=1)]] = False
        row = np.zeros((KEYPOINTS, 4), np.float32)
        row[list(person)] = places
        people.append(row)
        number += 1
    return np.array(people, np.float32).reshape(-1, KEYPOINTS, 4)


def grow(
    person: dict[int, Place],
    links: dict[tuple[int, int], Links],
    least: float,
    *,
    relative: float = _RELATIVE,
    complete: bool = False,
) -> None:
    """Add the keypoints that links lead to, the surest first, until no link is good enough.

    A link's score is the root of the product of its candidates' and that of the keypoint it
    starts at, so it is at most the root of the latter: only where that makes it the next one are
    its candidates looked at.

    Args:
        person: The keypoints that are known; those that are found are added.
        links: From keypoint to keypoint.
        least: Least score of a keypoint.
        relative: Least share of the score of the keypoint that the link starts at.
        complete: Whether a link may start somewhat farther away, and its way back lead elsewhere.
            Else a link of which the way back does not lead to its start is another person's.
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
        start = person[source]
        end = _blend(links[source, target], start, _FARTHER if complete else 1)
        if end is None:
            continue
        place = (sqrt(end[0] * start[0]), *end[1:])
        if place[0] < max(least, relative * start[0]):
            continue
        if complete or _leads_to(links[target, source], place, start):
            heapq.heappush(queue, (-place[0], next(number), source, target, place))


def _leads_to(links: Links, start: Place, goal: Place) -> bool:
    """Return whether the links from a place end within the size of another."""
    end = _blend(links, start)
    return end is not None and abs(end[1] - goal[1]) + abs(end[2] - goal[2]) <= goal[3]


def _complete(row: FloatArray, hints: dict[tuple[int, int], Links]) -> None:
    """Give (17, 4) places all keypoints."""
    known = np.flatnonzero(row[:, 0]).tolist()
    person: dict[int, Place] = {part: _place(row[part]) for part in known}
    grow(person, hints, 0, relative=0, complete=True)
    queue = sorted(person, key=lambda part: -person[part][0])
    for source in queue:  # it grows
        for target in _NEIGHBOURS[source]:
            if target not in person:
                person[target] = (_UNKNOWN, *person[source][1:])
                queue.append(target)
    for part, place in person.items():
        row[part] = place


def _place(row: FloatArray) -> Place:
    score, x, y, size = row.tolist()
    return score, x, y, size


def _blend(links: Links, start: Place, farther: float = 1) -> Place | None:
    """Return where the two best links from a place lead, on the whole, and half their sum.

    A link counts that starts within half the size of the place along both axes, or ``farther``.
    """
    _, x, y, size = start
    sigma = 0.5 * max(_SMALL, size)
    reach = farther * sigma
    first, last = bisect_left(links.x, x - reach), bisect_right(links.x, x + reach)
    if first == last:
        return None
    away = links.starts[first:last] - np.array((x, y), np.float32)
    away *= away
    weight = np.exp(away.sum(axis=1) * (-0.5 / sigma**2))
    weight *= links.ends[first:last, 0]
    weight[away[:, 1] > reach**2] = 0
    # Of equal ones the last counts, as published: the order is turned round.
    best = int(weight[::-1].argmax())
    top = float(weight[-1 - best])
    if top <= 0:
        return None
    weight[-1 - best] = 0
    other = int(weight[::-1].argmax())
    second = float(weight[-1 - other])
    _, x1, y1, size1 = links.ends[last - 1 - best].tolist()
    if second < _SECOND or second < _SECOND_SHARE * top:
        return 0.5 * top, x1, y1, size1
    _, x2, y2, size2 = links.ends[last - 1 - other].tolist()
    if hypot(x1 - x2, y1 - y2) > 0.5 * size1:
        return 0.5 * top, x1, y1, size1
    share = second / (top + second)
    return (
        0.5 * (top + second),
        x1 + share * (x2 - x1),
        y1 + share * (y2 - y1),
        size1 + share * (size2 - size1),
    )


def _suppress(people: FloatArray, grid: Grid) -> FloatArray:
    """Return the people, best first; keypoints that a better one covers have next to no score."""
    table = people[np.argsort(-people[:, :, 0].mean(axis=1), kind="stable")]
    places = table.reshape(-1, 4)
    squares = grid.squares(places).reshape(*table.shape)
    cells = grid.cells(places[:, 1:3]).reshape(*table.shape[:2], 2)
    covers = np.zeros(table.shape[:2], bool)
    for number, row in enumerate(table):
        inside = (cells[number] >= squares[:number, :, :2]) & (
            cells[number] < squares[:number, :, 2:]
        )
        covered = (inside.all(axis=2) & covers[:number]).any(axis=0)
        covers[number] = (row[:, 0] > 0) & ~covered
        row[covered, 0] *= np.float32(_COVERED)
    return table


def _rank(table: FloatArray) -> Found:
    likely = np.sort(table[:, :, 0], axis=1)[:, ::-1] @ _WEIGHTS / _WEIGHTS.sum()
    order = np.argsort(-likely, kind="stable")
    table = table[order]
    scores = table[:, :, 0]
    keypoints = np.where(scores[..., None] > 0, table[:, :, 1:3], np.float32(np.nan))
    return Found(keypoints, scores, likely[order].astype(np.float32))
