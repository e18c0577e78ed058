"""One picture and everyone in it: the two values that walk through the pipeline."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from poise.errors import UsageError
from poise.skeleton import Skeleton, conversion

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
Image = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of a source.

    Attributes:
        image: (H, W, 3) uint8 RGB, upright.
        index: Zero-based number of the frame in its source.
        time: Seconds from the start of the source, from the container's own timestamps.
        cut: Whether a new shot begins here, so that nothing may be followed across it.
    """

    image: Image
    index: int = 0
    time: float = 0.0
    cut: bool = False

    def __post_init__(self) -> None:
        shape = self.image.shape
        if len(shape) != 3 or shape[2] != 3 or self.image.dtype != np.uint8 or 0 in shape:
            raise UsageError(
                f"wanted (height, width, 3) uint8 RGB, got {shape} {self.image.dtype}",
                where="Frame.image",
            )

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.image.shape[1], self.image.shape[0]


@dataclass(frozen=True, eq=False)
class Poses:
    """Everyone in one frame. Holds no pixels. N people, K keypoints.

    Attributes:
        skeleton: The body layout that the K keypoints follow.
        keypoints: (N, K, 2) float32, pixels of the upright source frame; NaN where absent.
        scores: (N, K) float32 in 0..1; 0 where absent.
        boxes: (N, 4) float32, x0 y0 x1 y1 in pixels; made from the keypoints when not given.
        ids: (N,) int64, one identity a person, or None where nobody was tracked.
        xyz: (N, K, 3) float32 metres, origin at the mid-hip, x right, y down, z away from the
            camera; or None.
        person_scores: (N,) float32, the model's own score of each person; the mean score of the
            present keypoints when not given.
        index: Zero-based number of the frame in its source.
        time: Seconds from the start of the source.
        size: Width and height of the frame in pixels.

    Raises:
        UsageError: An array has the wrong shape; says which, what was wanted and what came.
    """

    skeleton: Skeleton
    keypoints: FloatArray
    scores: FloatArray
    boxes: FloatArray = None  # type: ignore[assignment]
    ids: IntArray | None = None
    xyz: FloatArray | None = None
    person_scores: FloatArray = None  # type: ignore[assignment]
    index: int = 0
    time: float = 0.0
    size: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        people, count = len(self.keypoints), len(self.skeleton)
        self._check("keypoints", (people, count, 2), np.float32)
        self._check("scores", (people, count), np.float32)
        self._hide_absent()
        if self.boxes is None:
            self._set("boxes", bounding_boxes(self.keypoints))
        if self.person_scores is None:
            self._set("person_scores", _mean_scores(self.scores))
        self._check("boxes", (people, 4), np.float32)
        self._check("person_scores", (people,), np.float32)
        if self.ids is not None:
            self._check("ids", (people,), np.int64)
            if len(np.unique(self.ids)) != people:
                raise UsageError(f"an id stands twice in {self.ids.tolist()}", where="Poses.ids")
        if self.xyz is not None:
            self._check("xyz", (people, count, 3), np.float32)

    def _check(self, field: str, shape: tuple[int, ...], dtype: npt.DTypeLike) -> None:
        value = np.asarray(getattr(self, field), dtype)
        if value.size == 0 and 0 in shape:
            value = value.reshape(shape)
        if value.shape != shape:
            raise UsageError(f"wanted shape {shape}, got {value.shape}", where=f"Poses.{field}")
        self._set(field, value)

    def _hide_absent(self) -> None:
        present = np.isfinite(self.keypoints.sum(axis=2))
        if not present.all():
            self._set("keypoints", np.where(present[..., None], self.keypoints, np.float32(np.nan)))
            self._set("scores", np.where(present, self.scores, np.float32(0)))

    def _set(self, field: str, value: Any) -> None:
        object.__setattr__(self, field, value)

    @classmethod
    def empty(cls, skeleton: Skeleton, **fields: Any) -> Poses:
        """Nobody, in a frame with the given ``index``, ``time`` and ``size``."""
        count = len(skeleton)
        return cls(
            skeleton,
            np.zeros((0, count, 2), np.float32),
            np.zeros((0, count), np.float32),
            **fields,
        )

    def __len__(self) -> int:
        return len(self.keypoints)

    @property
    def present(self) -> npt.NDArray[np.bool_]:
        """(N, K) whether the keypoint is there at all."""
        return np.isfinite(self.keypoints[..., 0])

    def replace(self, **fields: Any) -> Poses:
        """Return a copy with some fields changed."""
        return dataclasses.replace(self, **fields)

    def select(self, people: npt.ArrayLike) -> Poses:
        """Return only some of the people: a list of row numbers or an (N,) mask."""
        rows = np.asarray(people)
        if rows.size == 0:
            rows = rows.astype(np.int64)
        return dataclasses.replace(
            self,
            keypoints=self.keypoints[rows],
            scores=self.scores[rows],
            boxes=self.boxes[rows],
            person_scores=self.person_scores[rows],
            ids=None if self.ids is None else self.ids[rows],
            xyz=None if self.xyz is None else self.xyz[rows],
        )

    def to(self, skeleton: Skeleton) -> Poses:
        """Return the same people in another layout, keypoint by keypoint name.

        Derived keypoints (neck, mid-hip) are the mean of their parts, with the lowest score of
        them; what the source does not have is NaN with score 0.
        """
        if skeleton == self.skeleton:
            return self
        weights = conversion(self.skeleton, skeleton)
        known = weights > 0
        scores = np.where(known, self.scores[:, None, :], np.inf).min(axis=2, initial=np.inf)
        found = np.count_nonzero(known, axis=1) > 0
        return dataclasses.replace(
            self,
            skeleton=skeleton,
            keypoints=_mix(weights, self.keypoints, found),
            scores=np.where(found, scores, 0).astype(np.float32),
            xyz=None if self.xyz is None else _mix(weights, self.xyz, found),
        )

    def __repr__(self) -> str:
        named = "" if self.ids is None else f", ids {self.ids.tolist()}"
        where = f"frame {self.index}, {self.time:.3f} s"
        return f"Poses(people {len(self)}{named}, {self.skeleton.name}, {where})"

    def _repr_svg_(self) -> str:
        """A picture of the people, for notebooks."""
        width, height = self.size if all(self.size) else _extent(self.keypoints)
        stroke = max(width, height) / 160
        shapes = "".join(_person_svg(self.skeleton, points, stroke) for points in self.keypoints)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="320">'
            f'<rect width="{width}" height="{height}" fill="#1b1e23"/>{shapes}</svg>'
        )


def bounding_boxes(keypoints: FloatArray) -> FloatArray:
    """Return (N, 4) the smallest boxes around the present keypoints; NaN where there are none."""
    low, high = keypoints.min(axis=1, initial=np.inf), keypoints.max(axis=1, initial=-np.inf)
    boxes: FloatArray = np.concatenate([low, high], axis=1).astype(np.float32)
    if np.isfinite(boxes).all():
        return boxes
    boxes = np.full((len(keypoints), 4), np.nan, np.float32)
    for box, points in zip(boxes, keypoints, strict=True):
        seen = points[np.isfinite(points).all(axis=1)]
        if len(seen):
            box[:2], box[2:] = seen.min(axis=0), seen.max(axis=0)
    return boxes


def _mean_scores(scores: FloatArray) -> FloatArray:
    present = np.count_nonzero(scores > 0, axis=1)
    mean: FloatArray = (scores.sum(axis=1) / np.maximum(present, 1)).astype(np.float32)
    return mean


def _mix(weights: FloatArray, points: FloatArray, found: npt.NDArray[np.bool_]) -> FloatArray:
    # A plain matrix product would spread one NaN over every keypoint of the person.
    used = np.einsum("tk,nkd->ntd", weights, np.nan_to_num(points))
    absent = np.einsum("tk,nk->nt", weights > 0, np.isnan(points).any(axis=2)) > 0
    mixed: FloatArray = np.where((absent | ~found)[..., None], np.nan, used).astype(np.float32)
    return mixed


def _extent(keypoints: FloatArray) -> tuple[int, int]:
    seen = keypoints[np.isfinite(keypoints).all(axis=2)]
    width, height = seen.max(axis=0) * 1.05 if len(seen) else (320, 240)
    return max(int(width), 1), max(int(height), 1)


def _person_svg(skeleton: Skeleton, points: FloatArray, stroke: float) -> str:
    return "".join(_limb_svg(skeleton, points, edge, stroke) for edge in skeleton.edges) + "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{stroke:.1f}" fill="#fff"/>'
        for x, y in points
        if np.isfinite(x)
    )


def _limb_svg(skeleton: Skeleton, points: FloatArray, edge: tuple[int, int], stroke: float) -> str:
    (x0, y0), (x1, y1) = points[edge[0]], points[edge[1]]
    if not np.isfinite([x0, y0, x1, y1]).all():
        return ""
    sides: Iterable[str] = {skeleton.keypoints[end].split("_")[0] for end in edge}
    colour = {"left": "#4fc3f7", "right": "#ffb74d"}.get("/".join(sides), "#aed581")
    return (
        f'<line x1="{x0:.1f}" y1="{y0:.1f}" x2="{x1:.1f}" y2="{y1:.1f}" '
        f'stroke="{colour}" stroke-width="{stroke:.1f}" stroke-linecap="round"/>'
    )
