"""Candidate limbs, the field along their lines, and the people that are made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from poise.models.paf_maps import Field
from poise.poses import FloatArray, IntArray

# Pair, first and second peak, and score of one limb.
Link = tuple[int, int, int, float]
# (N, K) number of the peak of each keypoint or -1, and (N,) score of each person.
Grouped = tuple[IntArray, FloatArray]


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
class Links:
    """Candidate limbs: (C,) pair, first and second peak, and how much speaks for each."""

    pair: IntArray
    first: IntArray
    second: IntArray
    scores: npt.NDArray[np.float64]

    def __iter__(self) -> Iterator[Link]:
        columns = (self.pair, self.first, self.second, self.scores)
        return iter(zip(*(column.tolist() for column in columns), strict=True))

    def scored(self, scores: npt.NDArray[np.float64]) -> Links:
        """Return the same limbs with other scores."""
        return Links(self.pair, self.first, self.second, scores)

    def select(self, rows: npt.NDArray[np.generic]) -> Links:
        """Return only some of them: row numbers or a mask."""
        return Links(self.pair[rows], self.first[rows], self.second[rows], self.scores[rows])


def join(peaks: Peaks, layout: Layout) -> Links:
    """Return every first with every second peak of each pair, without scores."""
    ends = np.array(layout.pairs)
    edges = np.searchsorted(peaks.parts, np.arange(ends.max() + 2))
    begins, sizes = edges[ends], np.diff(edges)[ends]
    joins = sizes.prod(axis=1)
    pair = np.repeat(np.arange(len(ends)), joins)
    number = np.arange(len(pair)) - (joins.cumsum() - joins)[pair]
    first, second = np.divmod(number, sizes[pair, 1])
    return Links(pair, begins[pair, 0] + first, begins[pair, 1] + second, np.zeros(len(pair)))


@dataclass(frozen=True, eq=False)
class Lines:
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
    def of(cls, links: Links, peaks: Peaks, layout: Layout) -> Lines:
        """Return the lines of candidate limbs."""
        start = peaks.points[links.first].astype(np.float64)
        way = peaks.points[links.second] - start
        length = np.hypot(way[:, 0], way[:, 1])
        unit = way / np.maximum(length, 1e-12)[:, None]
        return cls(np.array(layout.channels)[links.pair], start, way, unit, length)

    def select(self, rows: npt.NDArray[np.generic]) -> Lines:
        """Return only some of them: row numbers or a mask."""
        columns = self.channels, self.start, self.way, self.unit, self.length
        return Lines(*(column[rows] for column in columns))

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


@dataclass(eq=False)
class Person:
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


def begin(layout: Layout, link: Link, heights: FloatArray) -> Person:
    """Return a new person of one limb."""
    pair, first, second, score = link
    parts = [-1] * (max(max(ends) for ends in layout.pairs) + 1)
    a, b = layout.pairs[pair]
    parts[a], parts[b] = first, second
    return Person(parts, 2, float(heights[first]) + float(heights[second]) + score)


def one_to_one(links: Links) -> Iterator[Link]:
    """Yield each limb whose ends no better limb of the same pair has taken."""
    taken: set[tuple[int, int]] = set()
    for pair, first, second, score in links:
        if (pair, first) not in taken and (pair, second) not in taken:
            taken |= {(pair, first), (pair, second)}
            yield pair, first, second, score


def grow(
    links: Links,
    heights: FloatArray,
    layout: Layout,
    attach: Callable[[list[Person], Link, FloatArray, Layout], None],
) -> list[Person]:
    """Return the people that limbs make, pair after pair, the best of each pair first.

    Args:
        links: The limbs that may be.
        heights: (P,) scores of the peaks.
        layout: What the channels mean.
        attach: Gives one limb to the people who hold one of its ends.
    """
    order = np.lexsort((-links.scores, links.pair))
    people: list[Person] = []
    for link in one_to_one(links.select(order)):
        attach(people, link, heights, layout)
    return people


def table(people: list[Person], layout: Layout, *, parts: int, mean: float) -> Grouped:
    """Return people as rows, the best first, of so many parts and such a mean score at least."""
    people = [one for one in people if one.count >= parts and one.total / one.count >= mean]
    people = sorted(people, key=lambda one: -one.total / one.count)
    keypoints = max(max(ends) for ends in layout.pairs) + 1
    rows = np.array([one.parts for one in people], np.int64).reshape(-1, keypoints)
    return rows, np.array([one.total / one.count for one in people], np.float32)
