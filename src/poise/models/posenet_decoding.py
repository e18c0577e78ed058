"""Reading PoseNet's fields: where keypoints are, and which of them are one person's.

The method is that of PersonLab (Papandreou et al. 2018, arXiv 1803.08225), with the tree and the
numbers of the published decoder (tensorflow/tfjs-models, pose-detection and posenet, Apache-2.0).
The code is our own.

A cell (column, row) stands for the input's pixel (column, row) times the stride. Coordinates in
this module count from the middle of the input's first pixel, as the network's own do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from poise.poses import FloatArray, IntArray

# The 16 edges of the tree, parent and child, as numbers of COCO's 17 keypoints.
TREE = (
    (0, 1), (1, 3), (0, 2), (2, 4), (0, 5), (5, 7), (7, 9), (5, 11),
    (11, 13), (13, 15), (0, 6), (6, 8), (8, 10), (6, 12), (12, 14), (14, 16),
)  # fmt: skip
KEYPOINTS = 17
# Candidates that grow into poses at the same time.
_GROUP = 64


@dataclass(frozen=True, eq=False)
class Fields:
    """What PoseNet says about one picture; h x w cells, ``stride`` input pixels apart.

    Attributes:
        heat: (h, w, 17) how likely the keypoint is within a few pixels, 0..1.
        offsets: (h, w, 17, 2) x and y in pixels from the cell to the nearest such keypoint.
        hops: (h, w, 32, 2) x and y in pixels from a keypoint to the next one of the same person:
            along the 16 edges of the tree, then along the same edges backwards.
        stride: Pixels.
    """

    heat: FloatArray
    offsets: FloatArray
    hops: FloatArray
    stride: int


@dataclass(frozen=True, eq=False)
class Found:
    """N people: (N, 17, 2) x and y in input pixels, (N, 17) and (N,) scores in 0..1."""

    keypoints: FloatArray
    scores: FloatArray
    people: FloatArray


def decode_single(fields: Fields) -> Found:
    """Return the one person of a picture: each keypoint where its own heat map is highest.

    The person's score is the mean of the keypoints'.
    """
    height, width, count = fields.heat.shape
    top = fields.heat.reshape(-1, count).argmax(axis=0)
    rows, columns = np.unravel_index(top, (height, width))
    parts = np.arange(count)
    points = _place(fields, rows, columns, parts)
    scores = fields.heat[rows, columns, parts]
    return Found(points[None], scores[None], scores.mean(keepdims=True))


def decode_multi(
    fields: Fields,
    *,
    people: int = 5,
    score: float = 0.5,
    radius: float = 20.0,
    steps: int = 2,
    least: float = 0.0,
) -> Found:
    """Return the people of a picture, in the order in which their best keypoints are found.

    The maxima of the heat maps are tried from the highest down. One that lies near the same
    keypoint of a person who is already known is that person's. From another, a pose grows along
    the tree. A person's score is the sum of the scores of the keypoints that no earlier person
    has there, over 17. The defaults are the published ones.

    Args:
        fields: What the network says.
        people: Most people.
        score: Least score of a maximum that a pose grows from.
        radius: Pixels within which two keypoints of one name are the same.
        steps: How often a keypoint is moved by the offsets after each hop.
        least: Least score of a person (rwightman/posenet-python drops others; tfjs keeps all).
    """
    scores, parts, points = _candidates(fields, score)
    poses = np.zeros((0, KEYPOINTS, 2), np.float32)
    likely = np.zeros((0, KEYPOINTS), np.float32)
    sums: list[float] = []
    while len(parts) and len(poses) < people:
        grown, sure = _grow(fields, parts[:_GROUP], points[:_GROUP], scores[:_GROUP], steps)
        near = _near(grown, parts[:_GROUP], points[:_GROUP], radius)
        free = np.ones(len(grown), bool)
        for row in range(len(grown)):
            if not free[row] or len(poses) >= people:
                continue
            total = _new_score(grown[row], sure[row], poses, radius)
            if total >= least:
                poses, likely = np.append(poses, grown[[row]], 0), np.append(likely, sure[[row]], 0)
                sums.append(total)
                free &= ~near[row]
        parts, points, scores = parts[_GROUP:], points[_GROUP:], scores[_GROUP:]
        left = ~_near(poses, parts, points, radius).any(axis=0)
        parts, points, scores = parts[left], points[left], scores[left]
    return Found(poses, likely, np.array(sums, np.float32))


def _candidates(fields: Fields, least: float) -> tuple[FloatArray, IntArray, FloatArray]:
    """Return score, keypoint and place of the maxima of 3 x 3 cells, the highest first."""
    heat = fields.heat
    highest = _highest_of_three(_highest_of_three(heat, 0), 1)
    rows, columns, parts = np.nonzero((heat >= least) & (heat == highest))
    scores = heat[rows, columns, parts]
    order = np.argsort(-scores, kind="stable")
    rows, columns, parts = rows[order], columns[order], parts[order]
    return scores[order], parts, _place(fields, rows, columns, parts)


def _highest_of_three(heat: FloatArray, axis: int) -> FloatArray:
    high = heat.copy()
    into, of = high.swapaxes(0, axis), heat.swapaxes(0, axis)
    np.maximum(into[1:], of[:-1], out=into[1:])
    np.maximum(into[:-1], of[1:], out=into[:-1])
    return high


def _place(fields: Fields, rows: IntArray, columns: IntArray, parts: IntArray) -> FloatArray:
    """Return (N, 2) the keypoints that cells point at."""
    cells = np.stack([columns, rows], axis=-1) * fields.stride
    points: FloatArray = (cells + fields.offsets[rows, columns, parts]).astype(np.float32)
    return points


def _grow(
    fields: Fields, parts: IntArray, points: FloatArray, scores: FloatArray, steps: int
) -> tuple[FloatArray, FloatArray]:
    """Return (N, 17, 2) and (N, 17) the poses that grow from N keypoints, hop by hop."""
    everyone = np.arange(len(parts))
    poses = np.empty((len(parts), KEYPOINTS, 2), np.float32)
    likely = np.empty((len(parts), KEYPOINTS), np.float32)
    poses[everyone, parts], likely[everyone, parts] = points, scores
    for source, target, edge in _ROUTES[parts].transpose(1, 2, 0):
        start = poses[everyone, source]
        rows, columns = _cells(fields, start)
        place = start + fields.hops[rows, columns, edge]
        for _ in range(steps):
            rows, columns = _cells(fields, place)
            place = _place(fields, rows, columns, target)
        rows, columns = _cells(fields, place)
        poses[everyone, target] = place
        likely[everyone, target] = fields.heat[rows, columns, target]
    return poses, likely


def _cells(fields: Fields, points: FloatArray) -> tuple[IntArray, IntArray]:
    """Return row and column of the cells nearest to points; halves go up."""
    height, width = fields.heat.shape[:2]
    nearest = np.floor(points / np.float32(fields.stride) + np.float32(0.5)).astype(np.int64)
    return nearest[:, 1].clip(0, height - 1), nearest[:, 0].clip(0, width - 1)


def _near(
    poses: FloatArray, parts: IntArray, points: FloatArray, radius: float
) -> npt.NDArray[np.bool_]:
    """Return (P, N) whether the keypoint of a pose lies where the N-th candidate for it lies."""
    near: npt.NDArray[np.bool_] = ((poses[:, parts] - points) ** 2).sum(axis=2) <= radius**2
    return near


def _new_score(pose: FloatArray, scores: FloatArray, known: FloatArray, radius: float) -> float:
    new = (((known - pose) ** 2).sum(axis=2) > radius**2).all(axis=0)
    return float(scores[new].sum()) / KEYPOINTS


def _routes() -> IntArray:
    """Return (17, 16, 3) for each first keypoint the hops to all others: from, to, and edge."""
    edges = [*TREE, *((child, parent) for parent, child in TREE)]
    routes = []
    for first in range(KEYPOINTS):
        reached, hops = {first}, []
        while len(reached) < KEYPOINTS:
            source, target, edge = next(
                (source, target, edge)
                for edge, (source, target) in enumerate(edges)
                if source in reached and target not in reached
            )
            reached.add(target)
            hops.append((source, target, edge))
        routes.append(hops)
    return np.array(routes, np.int64)


_ROUTES = _routes()
