"""The truth: annotated pictures and their people, whatever data set they are of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from poise.skeleton import Skeleton, conversion

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TruePerson:
    """One annotated person.

    Attributes:
        keypoints: (K, 3) float64 x, y in pixels and the visibility 0 absent, 1 hidden, 2 visible.
        box: (4,) float64 x, y, width, height in pixels.
        area: Of the person's outline, in square pixels.
        crowd: Whether this is a region of many people, whom nobody told apart.
        head: (4,) box of the head, as ``box``, or None.
        id: The person's number in the video, or None.
    """

    keypoints: Floats
    box: Floats
    area: float
    crowd: bool = False
    head: Floats | None = None
    id: int | None = None

    @property
    def counts(self) -> bool:
        """Whether this is one person with at least one labelled keypoint."""
        return not self.crowd and bool((self.keypoints[:, 2] > 0).any())

    @property
    def points(self) -> Floats:
        """(K, 2) the labelled keypoints; NaN where there is none."""
        return np.where(self.keypoints[:, 2:] > 0, self.keypoints[:, :2], np.nan)


@dataclass(frozen=True, eq=False)
class TruePicture:
    """One annotated picture.

    Attributes:
        id: Its number in the annotations.
        name: Its file name, as annotated.
        size: Width and height in pixels, or (0, 0) where the annotations do not say.
        people: Everyone in it, in the file's order.
        ignored: Polygons, each (P, 2) pixels, in which nobody was annotated.
        crowding: CrowdPose's crowd index, 0..1, or None.
        video: The name of the video that it is a frame of, or nothing.
        time: Seconds from the start of the video; NaN where nobody says.
    """

    id: int
    name: str
    size: tuple[int, int] = (0, 0)
    people: tuple[TruePerson, ...] = ()
    ignored: tuple[Floats, ...] = ()
    crowding: float | None = None
    video: str = ""
    time: float = math.nan

    @property
    def counted(self) -> tuple[TruePerson, ...]:
        """Those with at least one labelled keypoint, without crowds."""
        return tuple(person for person in self.people if person.counts)


@dataclass(frozen=True, eq=False)
class Truth:
    """What is true of some pictures.

    Attributes:
        skeleton: The layout of all keypoints.
        pictures: Sorted by id.
        dataset: Whose conventions the annotations follow, such as ``coco`` or ``mpii``.
        left_out: Names of annotated keypoints that are not evaluated (`share`).
        spread: The sigmas where they are not the layout's own.
    """

    skeleton: Skeleton
    pictures: tuple[TruePicture, ...]
    dataset: str = "coco"
    left_out: tuple[str, ...] = ()
    spread: tuple[float, ...] = field(default=(), repr=False)

    @property
    def sigmas(self) -> Floats:
        """(K,) the sigmas as published; float32 alone would add an error in the eighth digit."""
        if self.spread:
            return np.array(self.spread)
        return np.array([round(float(sigma), 8) for sigma in self.skeleton.sigmas])


def share(truth: Truth, source: Skeleton) -> Truth:
    """Return the truth of those keypoints only that a layout has, too.

    People without any of them no longer count. The names of the others are in ``left_out``.
    """
    known = np.count_nonzero(conversion(source, truth.skeleton), axis=1) > 0
    if known.all():
        return truth
    names = np.array(truth.skeleton.keypoints)
    rank = np.cumsum(known) - 1
    kept = [edge for edge in truth.skeleton.edges if known[edge[0]] and known[edge[1]]]
    skeleton = Skeleton(
        truth.skeleton.name,
        tuple(names[known].tolist()),
        tuple((int(rank[a]), int(rank[b])) for a, b in kept),
    )
    pictures = tuple(
        replace(
            picture,
            people=tuple(replace(p, keypoints=p.keypoints[known]) for p in picture.people),
        )
        for picture in truth.pictures
    )
    left_out = (*truth.left_out, *names[~known].tolist())
    return replace(
        truth,
        skeleton=skeleton,
        pictures=pictures,
        left_out=left_out,
        spread=tuple(truth.sigmas[known].tolist()),
    )


def name_some(names: Sequence[str], most: int = 6) -> str:
    """Return the first names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
