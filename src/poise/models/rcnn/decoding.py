"""From the maps of a Keypoint R-CNN to keypoints (He et al. 2017, Mask R-CNN, section 5).

A map lies over the person's box. It is enlarged to the box's own pixels by bicubic interpolation,
and the keypoint is the middle of the highest pixel: torchvision's ``heatmaps_to_keypoints``
(``models/detection/roi_heads.py``) and Detectron2's (``structures/keypoints.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from poise.poses import FloatArray, IntArray

# The parameter of the cubic kernel; torch's and OpenCV's own.
_CUBIC = -0.75
# A score is the share of what lies within this many cells of the highest one, both ways.
REACH = 2


@dataclass(frozen=True, eq=False)
class Peaks:
    """Where the maps are highest.

    Attributes:
        keypoints: (N, K, 2) float32 in the pixels of the boxes.
        logits: (N, K) float32, the enlarged maps' values there, as torchvision gives them.
        scores: (N, K) float32 in 0..1, as `share_near` defines them.
    """

    keypoints: FloatArray
    logits: FloatArray
    scores: FloatArray


def decode(maps: FloatArray, boxes: FloatArray) -> Peaks:
    """Return the keypoints of N people.

    Args:
        maps: (N, K, S, S) float32 logits of each cell of the box.
        boxes: (N, 4) float32 x0 y0 x1 y1 in pixels.
    """
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], np.float32(1))
    pixels = np.ceil(sides).astype(int)
    places = np.zeros((*maps.shape[:2], 2), np.int64)
    logits = np.zeros(maps.shape[:2], np.float32)
    for row, (width, height) in enumerate(pixels):
        places[row], logits[row] = _find_peaks(maps[row], width, height)
    steps = (sides / pixels.astype(np.float32))[:, None]
    keypoints = (places.astype(np.float32) + np.float32(0.5)) * steps + boxes[:, None, :2]
    cells = (places + 0.5) / pixels[:, None] * maps.shape[-1]
    return Peaks(keypoints, logits, share_near(maps, cells.astype(np.int64)))


def share_near(maps: FloatArray, cells: IntArray) -> FloatArray:
    """Return how much of each map lies near a cell, 0..1.

    The network is trained with a softmax over all cells of a map, so the softmax is its
    probability that the keypoint is in a cell. Its highest value alone says how narrow the peak is
    rather than how sure the network is: two equal neighbours halve it. So what lies within `REACH`
    cells (a square of 5 x 5, 9 % of the box's sides) is added up: the probability that the
    keypoint is about there. The logits themselves are no scores: a softmax does not change when a
    number is added to them all, and so a sigmoid of one would mean nothing.

    Args:
        maps: (N, K, S, S) logits.
        cells: (N, K, 2) column and row.
    """
    side = maps.shape[-1]
    rows, columns = cells[..., 1], cells[..., 0]
    likely = np.exp(maps - maps.max(axis=(2, 3), keepdims=True))
    steps = np.arange(-REACH, REACH + 1)
    near_rows, near_columns = rows[..., None] + steps, columns[..., None] + steps
    inside = (near_rows >= 0) & (near_rows < side), (near_columns >= 0) & (near_columns < side)
    people, kinds = np.arange(len(cells))[:, None], np.arange(cells.shape[1])[None]
    near = likely[
        people[..., None, None],
        kinds[..., None, None],
        np.clip(near_rows, 0, side - 1)[..., :, None],
        np.clip(near_columns, 0, side - 1)[..., None, :],
    ]
    part = (near * (inside[0][..., :, None] & inside[1][..., None, :])).sum(axis=(2, 3))
    share: FloatArray = (part / likely.sum(axis=(2, 3))).astype(np.float32)
    return np.minimum(share, np.float32(1))


def _find_peaks(maps: FloatArray, width: int, height: int) -> tuple[IntArray, FloatArray]:
    """Return (K, 2) column and row of the highest pixel of K enlarged maps, and (K,) its value."""
    large = _cubic(maps.shape[1], height) @ (maps @ _cubic(maps.shape[2], width).T)
    flat = large.reshape(len(maps), -1)
    highest = flat.argmax(axis=1)
    return np.stack([highest % width, highest // width], axis=1), flat[range(len(maps)), highest]


@lru_cache(maxsize=256)
def _cubic(old: int, new: int) -> FloatArray:
    """Return the (new, old) matrix of bicubic interpolation (Keys 1981), edges repeated."""
    places = (np.arange(new) + 0.5) * (old / new) - 0.5
    first = np.floor(places).astype(int)
    share = places - first
    a, matrix = _CUBIC, np.zeros((new, old))
    for step, distance in enumerate((share + 1, share, 1 - share, 2 - share), start=-1):
        near = ((a + 2) * distance - (a + 3)) * distance**2 + 1
        far = ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a
        weight = np.where(distance <= 1, near, far)
        np.add.at(matrix, (np.arange(new), np.clip(first + step, 0, old - 1)), weight)
    return matrix.astype(np.float32)
