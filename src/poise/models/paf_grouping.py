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

import numpy as np
import numpy.typing as npt

from poise.poses import FloatArray, IntArray

_SUPPORT = 0.05  # what a sample of the field must exceed to speak for a pair
# tf-pose: samples on a line, how many of them must speak for it, and what makes a person.
_STEPS, _ENOUGH, _PARTS, _MEAN = 10, 6, 4, 0.3
# OpenPose: the same, as a share of 5 to 25 samples.
_FEW, _MANY, _SHARE, _OP_PARTS, _OP_MEAN = 5, 25, 0.95, 3, 0.4
# A pair closer than the field's size / 150 has no field to speak of; this little joins it.
_CLOSE, _BARELY = 150, 0.05 + 1e-6


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
    """A person in the making: peak of each keypoint or -1, how many parts, and the sum."""

    parts: list[int]
    count: int
    total: float


Grouped = tuple[IntArray, FloatArray]


def group_tfpose(peaks: Peaks, field: FloatArray, layout: Layout, *, scale: int = 1) -> Grouped:
    """Put peaks together by tf-pose's rules.

    Args:
        peaks: With whole-numbered points.
        field: (2 * pairs, h, w) the fields.
        layout: What the channels mean.
        scale: Cells of the peaks' map in one cell of the field, on each axis.

    Returns:
        (N, K) number of the peak of each keypoint or -1, and (N,) the published score of each
        person: the sum of peaks and pairs divided by the number of parts that count.
    """
    links = _join(peaks, layout)
    count = np.full(len(links.pair), _STEPS)
    along, distance = _sample(links, peaks, field, layout, count=count, scale=scale)
    height = field.shape[1] * scale
    # The published rule prices pairs that are longer than half the map's height.
    length = np.minimum(0, 0.5 * height / np.maximum(distance, 1e-12) - 1)
    scores = along.mean(axis=1) + length
    good = (distance > 1e-12) & ((along > _SUPPORT).sum(axis=1) > _ENOUGH) & (scores > 0)
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


def group_openpose(peaks: Peaks, field: FloatArray, layout: Layout, *, scale: int = 1) -> Grouped:
    """Put peaks together by OpenPose's rules; arguments and result as in `group_tfpose`."""
    links = _join(peaks, layout)
    reach = np.abs(peaks.points[links.second] - peaks.points[links.first]).max(axis=1, initial=0)
    count = np.clip((np.sqrt(5 * reach) + 0.5).astype(int), _FEW, _MANY)
    along, distance = _sample(links, peaks, field, layout, count=count, scale=scale)
    speaks = along > _SUPPORT
    number = speaks.sum(axis=1)
    mean = (along * speaks).sum(axis=1) / np.maximum(number, 1)
    near = np.sqrt(field.shape[1] * field.shape[2]) * scale / _CLOSE
    scores = np.where(number / count > _SHARE, mean, np.where(distance < near, _BARELY, 0))
    links = _Links(links.pair, links.first, links.second, scores)
    links = links.select((distance > 1e-6) & (scores > 1e-6))
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
    for link in links:
        pair, first, second, score = link
        one, other = owners[first], owners[second]
        if one is None and other is None:
            owners[first] = owners[second] = _begin(layout, link, peaks.scores)
            people.append(owners[first])  # type: ignore[arg-type]
        elif one is other and one is not None:
            one.total += score
        elif one is not None and other is not None:
            earlier, later = sorted((one, other), key=people.index)
            if not any(p >= 0 <= q for p, q in zip(earlier.parts, later.parts, strict=True)):
                earlier.parts = [max(p, q) for p, q in zip(earlier.parts, later.parts, strict=True)]
                earlier.count += later.count
                earlier.total += later.total + score
                people.remove(later)
                owners = [earlier if owner is later else owner for owner in owners]
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
    of_part = [np.flatnonzero(peaks.parts == part) for part in range(1 + np.max(layout.pairs))]
    columns = [np.zeros((3, 0), np.int64)]
    for number, (a, b) in enumerate(layout.pairs):
        size = len(of_part[a]), len(of_part[b])
        first, second = np.repeat(of_part[a], size[1]), np.tile(of_part[b], size[0])
        columns.append(np.stack([np.full(len(first), number), first, second]))
    pair, first, second = np.concatenate(columns, axis=1)
    return _Links(pair, first, second, np.zeros(len(pair)))


def _sample(
    links: _Links,
    peaks: Peaks,
    field: FloatArray,
    layout: Layout,
    *,
    count: npt.NDArray[np.int64],
    scale: int,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return (C, S) the field along each limb and (C,) the limb's length in cells of the peaks.

    Samples stand at 0, 1/n ... (n - 1)/n of the way, on the nearest cell; what is beyond a
    limb's own ``count`` n is 0.
    """
    start = peaks.points[links.first].astype(np.float64)
    way = peaks.points[links.second] - start
    distance = np.hypot(way[:, 0], way[:, 1])
    unit = way / np.maximum(distance, 1e-12)[:, None]
    steps = np.arange(count.max(initial=1))
    _, height, width = field.shape
    places = start[..., None] + steps * (way / count[:, None])[..., None]
    cells = (places + 0.5).astype(np.int64) // scale
    x, y = np.clip(cells[:, 0], 0, width - 1), np.clip(cells[:, 1], 0, height - 1)
    channels = np.array(layout.channels)[links.pair, :, None]
    within = y * width + x
    flat = field.reshape(-1)
    area = height * width
    along = unit[:, :1] * flat[channels[:, 0] * area + within]
    along += unit[:, 1:] * flat[channels[:, 1] * area + within]
    return np.where(steps < count[:, None], along, 0), distance


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
