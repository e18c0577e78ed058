"""Lightweight OpenPose's own rules: which maxima count, and which belong to one person.

Osokin 2018, "Real-time 2D Multi-Person Pose Estimation on CPU: Lightweight OpenPose"; the rules are
those of ``modules/keypoints.py`` in Daniil-Osokin/lightweight-human-pose-estimation.pytorch
(Apache-2.0), whose checkpoints and Open Model Zoo's human-pose-estimation-0001 are read by them.
The code is our own.

Every pair is read on its own, in the layout's order, and only its first keypoint finds the person
that it belongs to: nobody is put together of two halves, as by OpenPose and tf-pose.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from poise.models.paf_lines import (
    Grouped,
    Layout,
    Lines,
    Link,
    Peaks,
    Person,
    begin,
    grow,
    join,
    table,
)
from poise.models.paf_maps import Field
from poise.poses import FloatArray, IntArray

APART = 1.5  # cells of the network's maps within which two maxima are one (6 of 4 times as many)
# Samples on a line, ends and all; how many must speak for it; what makes a person.
_STEPS, _ENOUGH, _PARTS, _MEAN = 10, 9, 3, 0.2


def far_apart(parts: IntArray, cells: IntArray, apart: float) -> npt.NDArray[np.int64]:
    """Return the rows of the maxima that count: of two that are too close, the left one.

    Args:
        parts: (P,) number of the map.
        cells: (P, 2) x and y, by map, then row, then column.
        apart: Least distance.
    """
    kept = []
    for part in np.unique(parts):
        left = np.flatnonzero(parts == part)
        left = left[np.argsort(cells[left, 0], kind="stable")]
        while len(left):
            kept.append(left[0])
            away = np.hypot(*(cells[left] - cells[left[0]]).T)
            left = left[(away >= apart) & (np.arange(len(left)) > 0)]
    return np.array(kept, np.int64)


def group_lightweight(
    peaks: Peaks, field: Field, layout: Layout, *, support: float = 0.05
) -> Grouped:
    """Put peaks together by Lightweight OpenPose's rules; the rest as `group_tfpose`."""
    links = join(peaks, layout)
    lines = Lines.of(links, peaks, layout)
    along = lines.sample(field, np.arange(_STEPS), np.full(len(links.pair), _STEPS - 1))
    speaks = along > support
    number = speaks.sum(axis=1)
    scores = (along * speaks).sum(axis=1) / np.maximum(number, 1)
    good = (number >= _ENOUGH) & (scores > 0)
    links = links.scored(scores).select(good)
    people = grow(links, peaks.scores, layout, _attach)
    return table(people, layout, parts=_PARTS, mean=_MEAN)


def _attach(people: list[Person], link: Link, heights: FloatArray, layout: Layout) -> None:
    pair, first, second, score = link
    a, b = layout.pairs[pair]
    if pair >= len(layout.pairs) - layout.helpers:
        # Shoulder and ear only fill gaps, and do not count.
        for one in people:
            if one.parts[a] == first and one.parts[b] < 0:
                one.parts[b] = second
            elif one.parts[b] == second and one.parts[a] < 0:
                one.parts[a] = first
        return
    holders = [one for one in people if pair and one.parts[a] == first]
    for one in holders:
        one.parts[b] = second
        one.count += 1
        one.total += float(heights[second]) + score
    if not holders:
        people.append(begin(layout, link, heights))
