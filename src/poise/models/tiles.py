"""A closer look at still pictures: the detector sees the whole and its overlapping parts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from poise.geometry import suppress
from poise.models.base import Detections, Detector
from poise.poses import Image

# Boxes of two tiles that overlap more (intersection over union) are one person.
SAME = 0.6


class TiledDetector:
    """Shows another detector the whole picture and the parts of a grid, for small people.

    Each part is half as wide and half as high as the picture and shares half of itself with the
    next, so that whoever is smaller than a quarter of the picture is whole in one of them.

    Args:
        detector: Finds people in whole pictures.
        grid: Parts a side; 3 halves cover the picture with half of each shared.
        largest: Longest side, by that of a part, of what is looked for in the parts: what is
            larger is seen well in the whole, and would be found twice.

    Attributes:
        precision: The number format the device computes in.
    """

    def __init__(self, detector: Detector, *, grid: int = 3, largest: float = np.inf) -> None:
        self._detector, self._grid, self._largest = detector, grid, largest
        self.precision = detector.precision

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """Return the people of each picture, after non-maximum suppression across the parts."""
        return [self._detect_one(image) for image in images]

    def _detect_one(self, image: Image) -> Detections:
        corners = tile_corners((image.shape[1], image.shape[0]), self._grid)
        parts = [np.ascontiguousarray(image[y0:y1, x0:x1]) for x0, y0, x1, y1 in corners]
        whole, *found = self._detector.detect([image, *parts])
        limits = [self._largest * max(part.shape[:2]) for part in parts]
        small = [_keep_small(some, limit) for some, limit in zip(found, limits, strict=True)]
        shifts = [(0, 0), *((x0, y0) for x0, y0, _, _ in corners)]
        pairs = zip([whole, *small], shifts, strict=True)
        everyone = _join([_move(some, shift) for some, shift in pairs])
        return everyone.select(suppress(everyone.boxes, everyone.scores, SAME))


def tile_corners(size: tuple[int, int], grid: int) -> list[tuple[int, int, int, int]]:
    """Return x0 y0 x1 y1 of the parts of a picture, row by row; together they cover it.

    Args:
        size: Width and height of the picture.
        grid: Parts a side. Neighbours share half of themselves.
    """
    across, down = (_spans(length, grid) for length in size)
    return [(x0, y0, x1, y1) for y0, y1 in down for x0, x1 in across]


def _spans(length: int, count: int) -> list[tuple[int, int]]:
    step = length / (count + 1)
    return [(int(i * step), max(round((i + 2) * step), int(i * step) + 1)) for i in range(count)]


def _keep_small(found: Detections, limit: float) -> Detections:
    sides = (found.boxes[:, 2:] - found.boxes[:, :2]).max(axis=1, initial=0)
    return found if (sides <= limit).all() else found.select(sides <= limit)


def _move(found: Detections, shift: tuple[int, int]) -> Detections:
    by = np.array(shift, np.float32)
    anchors = None if found.anchors is None else found.anchors + by
    return Detections(found.boxes + np.tile(by, 2), found.scores, anchors)


def _join(parts: list[Detections]) -> Detections:
    anchors = [part.anchors for part in parts if part.anchors is not None]
    return Detections(
        np.concatenate([part.boxes for part in parts]),
        np.concatenate([part.scores for part in parts]),
        np.concatenate(anchors) if anchors else None,
    )
