"""Part affinity fields: which of the peaks of the heat maps belong to one person.

A field of two channels for each pair of keypoints points from the first to the second along the
limb (Cao et al. 2017, "Realtime Multi-Person 2D Pose Estimation using Part Affinity Fields"). Two
sets of rules for reading them are published, and both are here:

- ``tfpose``: tf-pose-estimation's ``pafprocess`` (ildoonet 2018, Apache-2.0);
- ``openpose``: OpenPose 1.7's, one list of all pairs, best first (``pafPtrIntoVector``,
  ``pafVectorIntoPeopleVector`` and the kernel that scores pairs), written anew from its rules.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt

import numpy as np
import numpy.typing as npt

from poise.models.paf_maps import Field
from poise.poses import FloatArray, IntArray

# tf-pose: samples on a line, how many of them must speak for it, and what makes a person.
_STEPS, _ENOUGH, _PARTS, _MEAN = 10, 6, 4, 0.3
# OpenPose: the same, as a share of 5 to 25 samples.
_FEW, _MANY, _SHARE, _OP_PARTS, _OP_MEAN = 5, 25, 0.95, 3, 0.4
# A pair closer than the field's size / 150 has no field to speak of.
_CLOSE = 150


@dataclass(frozen=True)
class Layout:
    """How a network's channels stand for keypoints and pairs.

    Attributes:
        skeleton: Name of the keypoints' layout; heat map k is its keypoint k.
        pairs: Numbers of the two keypoints of each pair.
        channels: The field's channels of x and y for each pair.
        helpers: Number of pairs at the end of the list that never begin a person (tf-pose).
        extras: Keypoints from this number on do not count as parts of a person (OpenPose's feet).
    """

    skeleton: str
    pairs: tuple[tuple[int, int], ...]
    channels: tuple[tuple[int, int], ...]
    helpers: int = 0
    extras: int = 1000


@dataclass(frozen=True, eq=False)
class Peaks:
    """The maxima of all heat maps, those of keypoint 0 first.

    Attributes:
        parts: (P,) number of the keypoint.
        points: (P, 2) x and y in cells of the (enlarged) map; whole numbers for tf-pose's rules.
        scores: (P,) height of the maximum.
    """

    parts: IntArray
    points: FloatArray
    scores: FloatArray


@dataclass(frozen=True, eq=False)
class _Links:
    """Candidate limbs: (C,) pair, first and second peak, and how much speaks for each."""

    pair: IntArray
    first: IntArray
    second: IntArray
    scores: npt.NDArray[np.float64]

    def __iter__(self) -> Iterator[tuple[int, int, int, float]]:
        columns = (self.pair, self.first, self.second, self.scores)
        return iter(zip(*(column.tolist() for column in columns), strict=True))

    def select(self, rows: npt.NDArray[np.generic]) -> _Links:
        return _Links(self.pair[rows], self.first[rows], self.second[rows], self.scores[rows])


@dataclass(eq=False)
class _Person:
    """A person in the making.

    Attributes:
        parts: Peak of each keypoint or -1.
        count, total: How many parts, and the sum of peaks and pairs.
        number: Of the limb that it began with.
    """

    parts: list[int]
    count: int
    total: float
    number: int = 0


Grouped = tuple[IntArray, FloatArray]


def group_tfpose(peaks: Peaks, field: Field, layout: Layout, *, support: float = 0.05) -> Grouped:
    """Put peaks together by tf-pose's rules.

    Args:
        peaks: With whole-numbered points.
        field: The fields, read at the cells of the peaks' map.
        layout: What the channels mean.
        support: What a sample of the field must exceed to speak for a pair.

    Returns:
        (N, K) number of the peak of each keypoint or -1, and (N,) the published score of each
        person: the sum of peaks and pairs divided by the number of parts that count.
    """
    links = _join(peaks, layout)
    lines = _Lines.of(links, peaks, layout)
    along = lines.sample(field, np.arange(_STEPS), np.full(len(links.pair), _STEPS))
    distance, height = lines.length, field.size[1]
    # The published rule prices pairs that are longer than half the map's height.
    length = np.minimum(0, 0.5 * height / np.maximum(distance, 1e-12) - 1)
    scores = along.mean(axis=1) + length
    good = (distance > 1e-12) & ((along > support).sum(axis=1) > _ENOUGH) & (scores > 0)
    links = _Links(links.pair, links.first, links.second, scores).select(good)
    order = np.lexsort((-links.scores, links.pair))
    people: list[_Person] = []
    for link in _one_to_one(links.select(order)):
        _attach(people, link, peaks.scores, layout)
    kept = [one for one in people if one.count >= _PARTS and one.total / one.count >= _MEAN]
    return _table(kept, layout)


def _attach(
    people: list[_Person],
    link: tuple[int, int, int, float],
    heights: FloatArray,
    layout: Layout,
) -> None:
    """Give one limb to the people who hold one of its ends (pafprocess, "generate subset")."""
    pair, first, second, score = link
    a, b = layout.pairs[pair]
    holders = [one for one in people if one.parts[a] == first or one.parts[b] == second]
    if not holders:
        if pair < len(layout.pairs) - layout.helpers:
            people.append(_begin(layout, link, heights))
        return
    if len(holders) > 2:
        return
    one = holders[0]
    if len(holders) == 2:
        other = holders[1]
        # The published code takes peak number 0 for absent here; it is not.
        if not any(p >= 0 <= q for p, q in zip(one.parts, other.parts, strict=True)):
            one.parts = [max(p, q) for p, q in zip(one.parts, other.parts, strict=True)]
            one.count += other.count
            one.total += other.total + score
            people.remove(other)
            return
    elif one.parts[b] == second:
        return
    one.parts[b] = second
    one.count += 1
    one.total += float(heights[second]) + score


def group_openpose(
    peaks: Peaks, field: Field, layout: Layout, *, least: float = 0.05, support: float = 0.05
) -> Grouped:
    """Put peaks together by OpenPose's rules; arguments and result as in `group_tfpose`.

    ``least`` is what a peak had to exceed; a pair that is too close to have a field of its own is
    joined by that little.
    """
    links = _join(peaks, layout)
    lines = _Lines.of(links, peaks, layout)
    reach = np.abs(lines.way).max(axis=1, initial=0).astype(np.float32)
    count = np.clip((np.sqrt(5 * reach) + 0.5).astype(int), _FEW, _MANY)
    near = lines.length < sqrt(field.size[0] * field.size[1]) / _CLOSE
    # Of 25 samples one may be silent: where two of three are, the others need no look.
    few = lines.sample(field, count[:, None] * np.arange(1, 4) // 4, count)
    open_ = np.flatnonzero(near | ((few > support).sum(axis=1) >= 2))
    links, lines, count, near = links.select(open_), lines.select(open_), count[open_], near[open_]
    steps = np.arange(count.max(initial=1))
    along = lines.sample(field, steps, count)
    speaks = (along > support) & (steps < count[:, None])
    number = speaks.sum(axis=1)
    mean = (along * speaks).sum(axis=1) / np.maximum(number, 1)
    scores = np.where(number / count > _SHARE, mean, np.where(near, least + 1e-6, 0))
    links = _Links(links.pair, links.first, links.second, scores)
    links = links.select((lines.length > 1e-6) & (scores > 1e-6))
    total = links.scores + 0.1 * (peaks.scores[links.first] + peaks.scores[links.second])
    order = np.lexsort((-links.second, -links.first, -links.pair, -links.scores, -total))
    people = _collect(links.select(order), peaks, layout)
    for one in people:
        one.count -= sum(part >= 0 for part in one.parts[layout.extras :])
    kept = [one for one in people if one.count >= _OP_PARTS and one.total / one.count >= _OP_MEAN]
    return _table(kept, layout)


def _collect(links: _Links, peaks: Peaks, layout: Layout) -> list[_Person]:
    """Grow people from limbs, best first; a limb that contradicts a better one is dropped."""
    owners: list[_Person | None] = [None] * len(peaks.parts)
    people: list[_Person] = []
    for link_number, link in enumerate(links):
        pair, first, second, score = link
        one, other = owners[first], owners[second]
        if one is None and other is None:
            new = _begin(layout, link, peaks.scores)
            new.number, owners[first], owners[second] = link_number, new, new
            people.append(new)
        elif one is other and one is not None:
            one.total += score
        elif one is not None and other is not None:
            earlier, later = (one, other) if one.number < other.number else (other, one)
            if not any(p >= 0 <= q for p, q in zip(earlier.parts, later.parts, strict=True)):
                earlier.parts = [max(p, q) for p, q in zip(earlier.parts, later.parts, strict=True)]
                earlier.count += later.count
                earlier.total += later.total + score
                people.remove(later)
                for peak in later.parts:
                    if peak >= 0:
                        owners[peak] = earlier
        else:
            owner, peak = (one, second) if one is not None else (other, first)
            part = layout.pairs[pair][int(one is not None)]
            if owner is not None and owner.parts[part] < 0:
                owner.parts[part], owners[peak] = peak, owner
                owner.count += 1
                owner.total += float(peaks.scores[peak]) + score
    return people


def _begin(layout: Layout, link: tuple[int, int, int, float], heights: FloatArray) -> _Person:
    pair, first, second, score = link
    parts = [-1] * (max(max(ends) for ends in layout.pairs) + 1)
    a, b = layout.pairs[pair]
    parts[a], parts[b] = first, second
    return _Person(parts, 2, float(heights[first]) + float(heights[second]) + score)


def _join(peaks: Peaks, layout: Layout) -> _Links:
    """Return every first with every second peak of each pair, without scores."""
    ends = np.array(layout.pairs)
    edges = np.searchsorted(peaks.parts, np.arange(ends.max() + 2))
    begins, sizes = edges[ends], np.diff(edges)[ends]
    joins = sizes.prod(axis=1)
    pair = np.repeat(np.arange(len(ends)), joins)
    number = np.arange(len(pair)) - (joins.cumsum() - joins)[pair]
    first, second = np.divmod(number, sizes[pair, 1])
    return _Links(pair, begins[pair, 0] + first, begins[pair, 1] + second, np.zeros(len(pair)))


@dataclass(frozen=True, eq=False)
class _Lines:
    """The straight lines of C candidate limbs, from the first peak to the second.

    Attributes:
        channels: (C, 2) the field's channels of x and y.
        start, way, unit: (C, 2) in cells of the peaks' map.
        length: (C,) cells.
    """

    channels: IntArray
    start: npt.NDArray[np.float64]
    way: npt.NDArray[np.float64]
    unit: npt.NDArray[np.float64]
    length: npt.NDArray[np.float64]

    @classmethod
    def of(cls, links: _Links, peaks: Peaks, layout: Layout) -> _Lines:
        start = peaks.points[links.first].astype(np.float64)
        way = peaks.points[links.second] - start
        length = np.hypot(way[:, 0], way[:, 1])
        unit = way / np.maximum(length, 1e-12)[:, None]
        return cls(np.array(layout.channels)[links.pair], start, way, unit, length)

    def select(self, rows: npt.NDArray[np.generic]) -> _Lines:
        columns = self.channels, self.start, self.way, self.unit, self.length
        return _Lines(*(column[rows] for column in columns))

    def sample(self, field: Field, steps: IntArray, count: IntArray) -> npt.NDArray[np.float64]:
        """Return (C, S) how much the field points along the lines.

        Samples stand at ``steps`` (S,) or (C, S) times 1/n of the way, n being ``count`` (C,), on
        the nearest cell.
        """
        step = self.way / count[:, None]
        x, y = (
            (self.start[:, [axis]] + steps * step[:, [axis]] + 0.5)
            .astype(np.int64)
            .clip(0, field.size[axis] - 1)
            for axis in (0, 1)
        )
        along: npt.NDArray[np.float64] = self.unit[:, :1] * field.read(self.channels[:, :1], x, y)
        along += self.unit[:, 1:] * field.read(self.channels[:, 1:], x, y)
        return along


def _one_to_one(links: _Links) -> Iterator[tuple[int, int, int, float]]:
    """Yield each limb whose ends no better limb of the same pair has taken."""
    taken: set[tuple[int, int]] = set()
    for pair, first, second, score in links:
        if (pair, first) not in taken and (pair, second) not in taken:
            taken |= {(pair, first), (pair, second)}
            yield pair, first, second, score


def _table(people: list[_Person], layout: Layout) -> Grouped:
    people = sorted(people, key=lambda one: -one.total / one.count)
    keypoints = max(max(ends) for ends in layout.pairs) + 1
    parts = np.array([one.parts for one in people], np.int64).reshape(-1, keypoints)
    return parts, np.array([one.total / one.count for one in people], np.float32)
