"""Part affinity fields: which of the peaks of the heat maps belong to one person.

A field of two channels for each pair of keypoints points from the first to the second along the
limb (Cao et al. 2017, "Realtime Multi-Person 2D Pose Estimation using Part Affinity Fields"). Two
sets of rules for reading them are published, and both are here:

- ``tfpose``: tf-pose-estimation's ``pafprocess`` (ildoonet 2018, Apache-2.0);
- ``openpose``: OpenPose 1.7's, one list of all pairs, best first (``pafPtrIntoVector``,
  ``pafVectorIntoPeopleVector`` and the kernel that scores pairs), written anew from its rules.
"""

from __future__ import annotations

from math import sqrt

import numpy as np

from poise.models.paf_lines import (
    Grouped,
    Layout,
    Lines,
    Link,
    Links,
    Peaks,
    Person,
    begin,
    grow,
    join,
    table,
)
from poise.models.paf_maps import Field
from poise.poses import FloatArray

# tf-pose: samples on a line, how many of them must speak for it, and what makes a person.
_STEPS, _ENOUGH, _PARTS, _MEAN = 10, 6, 4, 0.3
# OpenPose: the same, as a share of 5 to 25 samples.
_FEW, _MANY, _SHARE, _OP_PARTS, _OP_MEAN = 5, 25, 0.95, 3, 0.4
# A pair closer than the field's size / 150 has no field to speak of.
_CLOSE = 150


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
    links = join(peaks, layout)
    lines = Lines.of(links, peaks, layout)
    along = lines.sample(field, np.arange(_STEPS), np.full(len(links.pair), _STEPS))
    distance, height = lines.length, field.size[1]
    # The published rule prices pairs that are longer than half the map's height.
    length = np.minimum(0, 0.5 * height / np.maximum(distance, 1e-12) - 1)
    scores = along.mean(axis=1) + length
    good = (distance > 1e-12) & ((along > support).sum(axis=1) > _ENOUGH) & (scores > 0)
    links = links.scored(scores).select(good)
    people = grow(links, peaks.scores, layout, _attach)
    return table(people, layout, parts=_PARTS, mean=_MEAN)


def _attach(
    people: list[Person],
    link: Link,
    heights: FloatArray,
    layout: Layout,
) -> None:
    """Give one limb to the people who hold one of its ends (pafprocess, "generate subset")."""
    pair, first, second, score = link
    a, b = layout.pairs[pair]
    holders = [one for one in people if one.parts[a] == first or one.parts[b] == second]
    if not holders:
        if pair < len(layout.pairs) - layout.helpers:
            people.append(begin(layout, link, heights))
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
    links = _score_openpose(join(peaks, layout), peaks, field, layout, (least, support))
    total = links.scores + 0.1 * (peaks.scores[links.first] + peaks.scores[links.second])
    order = np.lexsort((-links.second, -links.first, -links.pair, -links.scores, -total))
    people = _collect(links.select(order), peaks, layout)
    for one in people:
        one.count -= sum(part >= 0 for part in one.parts[layout.extras :])
    return table(people, layout, parts=_OP_PARTS, mean=_OP_MEAN)


def _score_openpose(
    links: Links, peaks: Peaks, field: Field, layout: Layout, limits: tuple[float, float]
) -> Links:
    """Return the links that something speaks for, with scores; limits as ``least, support``."""
    least, support = limits
    lines = Lines.of(links, peaks, layout)
    reach = np.abs(lines.way).max(axis=1, initial=0).astype(np.float32)
    count = np.clip((np.sqrt(5 * reach) + 0.5).astype(int), _FEW, _MANY)
    near = lines.length < sqrt(field.size[0] * field.size[1]) / _CLOSE
    # Of 25 samples one may be silent: where two of three are, the others need no look.
    few = lines.sample(field, count[:, None] * np.arange(1, 4) // 4, count)
    rows = np.flatnonzero(near | ((few > support).sum(axis=1) >= 2))
    links, lines, count, near = links.select(rows), lines.select(rows), count[rows], near[rows]
    steps = np.arange(count.max(initial=1))
    along = lines.sample(field, steps, count)
    speaks = (along > support) & (steps < count[:, None])
    number = speaks.sum(axis=1)
    mean = (along * speaks).sum(axis=1) / np.maximum(number, 1)
    scores = np.where(number / count > _SHARE, mean, np.where(near, least + 1e-6, 0))
    good = (lines.length > 1e-6) & (scores > 1e-6)
    return links.scored(scores).select(good)


def _collect(links: Links, peaks: Peaks, layout: Layout) -> list[Person]:
    """Grow people from limbs, best first; a limb that contradicts a better one is dropped."""
    owners: list[Person | None] = [None] * len(peaks.parts)
    people: list[Person] = []
    for link_number, link in enumerate(links):
        pair, first, second, score = link
        one, other = owners[first], owners[second]
        if one is None and other is None:
            new = begin(layout, link, peaks.scores)
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
