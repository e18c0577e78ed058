"""One body layout: the names of its keypoints, how they are joined, and how they mirror."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from poise.errors import UsageError, suggest
from poise.skeleton_sigmas import DEFAULT_SIGMA, LAYOUT_SIGMAS, SIGMAS
from poise.skeleton_table import ALIASES, DERIVED, LAYOUTS

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Skeleton:
    """The names and joins of one body layout.

    Attributes:
        name: Its name in Poise, such as ``coco17``.
        keypoints: Names of the K keypoints, in the order of the arrays. A keypoint of one side
            begins with ``left_`` or ``right_``: the person's own left and right.
        edges: Pairs of zero-based keypoint numbers that are drawn as limbs.
    """

    name: str
    keypoints: tuple[str, ...]
    edges: tuple[tuple[int, int], ...]

    def __post_init__(self) -> None:
        if len(set(self.keypoints)) != len(self.keypoints):
            raise UsageError("two keypoints have the same name", where=f"skeleton {self.name}")
        for edge in self.edges:
            if len(edge) != 2 or not all(0 <= end < len(self.keypoints) for end in edge):
                raise UsageError(
                    f"edge {edge} does not join two of its {len(self.keypoints)} keypoints",
                    where=f"skeleton {self.name}",
                )

    def __len__(self) -> int:
        return len(self.keypoints)

    def find(self, keypoint: str) -> int | None:
        """Return the number of a keypoint, or None where this layout has no such keypoint."""
        return self._numbers.get(keypoint)

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {keypoint: number for number, keypoint in enumerate(self.keypoints)}

    @cached_property
    def flip(self) -> npt.NDArray[np.int64]:
        """(K,) numbers of the mirrored keypoints, derived from the left and right in the names."""
        return np.array([self._numbers.get(_mirror(name), i) for name, i in self._numbers.items()])

    @cached_property
    def sigmas(self) -> FloatArray:
        """(K,) spread of each keypoint for OKS, relative to the square root of the person's area.

        Published values where there are any (COCO, COCO-WholeBody, Halpe); a keypoint that
        nobody measured has ``DEFAULT_SIGMA``.
        """
        own = LAYOUT_SIGMAS.get(self.name, ())
        if len(own) == len(self):
            return np.array(own, np.float32)
        return np.array([SIGMAS.get(name, DEFAULT_SIGMA) for name in self.keypoints], np.float32)


def _mirror(keypoint: str) -> str:
    if keypoint.startswith("left_"):
        return "right_" + keypoint.removeprefix("left_")
    if keypoint.startswith("right_"):
        return "left_" + keypoint.removeprefix("right_")
    return keypoint


def skeleton_names() -> list[str]:
    """Return the names of the layouts that Poise knows."""
    return list(LAYOUTS)


@lru_cache
def get_skeleton(name: str) -> Skeleton:
    """Return a layout by its name.

    Raises:
        UsageError: There is no such layout; the message names the nearest.
    """
    if name not in LAYOUTS:
        raise UsageError(f"no skeleton named '{name}'", remedy=suggest(name, LAYOUTS))
    keypoints, edges = LAYOUTS[name]
    return Skeleton(name, keypoints, edges)


@lru_cache
def conversion(source: Skeleton, target: Skeleton) -> FloatArray:
    """Return the weights that make the target's keypoints out of the source's, by name.

    Row k of the (K_target, K_source) matrix holds 1 for the keypoint of the same name (or of a
    name that means the same landmark), 1/n for each of the n keypoints that a derived one such
    as the neck is the mean of, and nothing where the source does not know it.
    """
    weights = np.zeros((len(target), len(source)), np.float32)
    for row, keypoint in enumerate(target.keypoints):
        same = [name for name in (keypoint, *ALIASES.get(keypoint, ())) if name in source._numbers]
        parts = same[:1] or DERIVED.get(keypoint, ())
        if all(part in source._numbers for part in parts):
            for part in parts:
                weights[row, source._numbers[part]] = 1 / len(parts)
    return weights
