"""Boxes, affine maps and the similarity of two poses: the small arithmetic that all rooms share."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from poise.poses import FloatArray

Affine = npt.NDArray[np.float64]


def crop_affine(
    centre: npt.ArrayLike, size: npt.ArrayLike, out: tuple[int, int], *, angle: float = 0.0
) -> Affine:
    """Return the (2, 3) map from picture pixels to the pixels of a crop.

    Pixels are areas: the picture spans 0..W and pixel (i, j) has its middle at (i + 0.5, j + 0.5).

    Args:
        centre: x and y of the middle of the region, in picture pixels.
        size: Width and height of the region before it is turned, in picture pixels.
        out: Width and height of the crop in pixels.
        angle: Radians, clockwise on the screen, by which the region is turned.
    """
    (cx, cy), (width, height) = np.asarray(centre, float), np.asarray(size, float)
    sx, sy = out[0] / width, out[1] / height
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.array([[sx * cos, sx * sin], [-sy * sin, sy * cos]])
    shift = np.array([out[0] / 2, out[1] / 2]) - turn @ [cx, cy]
    return np.column_stack([turn, shift])


def invert(affine: Affine) -> Affine:
    """Return the (2, 3) map that undoes another."""
    # Written out: it runs several times a frame, and a general inverse costs ten times as much.
    (a, b, x), (c, d, y) = affine.tolist()
    scale = 1 / (a * d - b * c)
    back = np.array([[d, -b, b * y - d * x], [-c, a, c * x - a * y]])
    inverse: Affine = back * scale
    return inverse


def transform(affine: Affine, points: FloatArray) -> FloatArray:
    """Map (..., 2) points; NaN stays NaN."""
    mapped: FloatArray = (points @ affine[:, :2].T + affine[:, 2]).astype(np.float32)
    return mapped


def box_area(boxes: FloatArray) -> FloatArray:
    """Return the (...,) areas of (..., 4) boxes in square pixels; 0 for inside-out ones."""
    sides = np.maximum(boxes[..., 2:] - boxes[..., :2], 0)
    area: FloatArray = sides[..., 0] * sides[..., 1]
    return area


def iou(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return the (N, M) intersection over union of (N, 4) and (M, 4) boxes, in 0..1."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=2)
    union = box_area(a)[:, None] + box_area(b)[None, :] - shared
    overlap: FloatArray = np.where(union > 0, shared / np.maximum(union, 1e-9), 0)
    return overlap.astype(np.float32)


def suppress(boxes: FloatArray, scores: FloatArray, threshold: float) -> npt.NDArray[np.int64]:
    """Greedy non-maximum suppression.

    Returns:
        Row numbers of the boxes that stay, best first: none overlaps a better one by more than
        ``threshold`` (intersection over union).
    """
    left = np.argsort(-scores, kind="stable")
    if threshold >= 1:
        return left
    keep: list[int] = []
    while len(left):
        best, left = left[:1], left[1:]
        keep.extend(best)
        left = left[iou(boxes[best], boxes[left])[0] <= threshold]
    return np.array(keep, np.int64)


def oks(a: FloatArray, b: FloatArray, areas: FloatArray, sigmas: FloatArray) -> FloatArray:
    """Return the (N, M) object keypoint similarity of poses to references, in 0..1.

    COCO's definition: the mean over the reference's present keypoints of
    exp(-d^2 / (2 * area * (2 sigma)^2)). A keypoint that the pose lacks counts as 0; a pair that
    shares none has similarity 0.

    Args:
        a: (N, K, 2) poses.
        b: (M, K, 2) references.
        areas: (M,) area of each reference in square pixels.
        sigmas: (K,) spread of each keypoint.
    """
    distance = ((a[:, None] - b[None, :]) ** 2).sum(axis=3)
    spread = 2 * np.maximum(areas, 1)[None, :, None] * (2 * sigmas) ** 2
    there = np.isfinite(b[..., 0])
    likeness = np.nan_to_num(np.exp(-distance / spread), nan=0.0)
    mean: FloatArray = likeness.sum(axis=2) / np.maximum(there.sum(axis=1), 1)
    return mean.astype(np.float32)
