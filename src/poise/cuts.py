"""Cuts: whether a new shot begins, so that nobody is followed across it.

A cut changes both what is where (the coarse picture no longer correlates with the last one) and
which colours there are (the histogram). Motion, pan and zoom change mostly the first; flicker,
flashes and fades the second. So both must change at once, and by more than they lately did.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from poise.poses import FloatArray, Image

_ROWS, _COLUMNS = 27, 48  # samples down and across a picture
_BLANK = 6.0  # grey levels of contrast below which a picture shows nothing
_GREY = np.array([0.299, 0.587, 0.114], np.float32)  # luma of ITU-R BT.601
_CODE = np.array([16, 4, 1], np.uint8)  # four steps of each channel: 64 colours


@dataclass
class CutDetector:
    """Says of each picture of a video whether a new shot begins with it. One detector a source.

    Attributes:
        threshold: How unlike, 0..1, two pictures must at least be for a cut. Unlikeness is the
            geometric mean of one minus their correlation and half the distance of their
            histograms.
    """

    threshold: float = 0.27
    _grid: Image | None = field(default=None, init=False, repr=False)
    _colours: FloatArray | None = field(default=None, init=False, repr=False)
    _usual: float = field(default=0.0, init=False, repr=False)

    def is_cut(self, image: Image) -> bool:
        """Return whether a new shot begins with this (H, W, 3) uint8 picture.

        Call it with every picture, in order. The first is no cut. A picture without contrast
        (black, a white flash) is no cut; what follows is compared with what was before it.
        """
        grid = _sample(image)
        if float((grid @ _GREY).std()) < _BLANK:
            return False
        colours = _histogram(grid)
        before, palette = self._grid, self._colours
        self._grid, self._colours = grid, colours
        if before is None or palette is None:
            return False
        change = self._change(before, grid, float(np.abs(palette - colours).sum()) / 2)
        cut = change > max(self.threshold, 2 * self._usual)
        if not cut:
            self._usual = max(change, 0.85 * self._usual)
        return cut

    def _change(self, before: Image, grid: Image, recoloured: float) -> float:
        if before.shape != grid.shape:
            return 1.0  # another shape of picture is another source
        change = float(np.sqrt(_unlike(before @ _GREY, grid @ _GREY) * recoloured))
        if change <= self.threshold:
            return change
        return float(np.sqrt(_unlike_in_any_light(before, grid) * recoloured))


def _sample(image: Image) -> Image:
    """A coarse grid of pixels."""
    down, across = (max(n // m, 1) for n, m in zip(image.shape, (_ROWS, _COLUMNS), strict=False))
    return np.ascontiguousarray(image[down // 2 :: down, across // 2 :: across])


def _histogram(grid: Image) -> FloatArray:
    """(64,) share of each colour."""
    codes = ((grid >> 6) @ _CODE).ravel()
    return (np.bincount(codes, minlength=64) / codes.size).astype(np.float32)


def _unlike(a: FloatArray, b: FloatArray) -> float:
    """One minus the correlation of two grids, in 0..1; blind to brightness and contrast."""
    a, b = (a - a.mean()).ravel(), (b - b.mean()).ravel()
    alike = float(a @ b) / max(float(np.sqrt((a @ a) * (b @ b))), 1e-6)
    return min(max(1 - alike, 0.0), 1.0)


def _unlike_in_any_light(a: Image, b: Image) -> float:
    """The same, blind to any tone curve of each channel: also to a flash that burns parts out."""
    pairs = [(a[..., c].astype(np.float32), b[..., c].astype(np.float32)) for c in range(3)]
    pairs = [(x, y) for x, y in pairs if min(x.std(), y.std()) > 1]
    unlike = [min(_unlike(_toned(x, y), y), _unlike(x, _toned(y, x))) for x, y in pairs]
    return float(np.mean(unlike)) if unlike else 0.0


def _toned(grey: FloatArray, like: FloatArray) -> FloatArray:
    """The picture with the grey levels of the other, darkest for darkest (histogram matching)."""
    toned = np.empty(grey.size, np.float32)
    toned[grey.ravel().argsort(kind="stable")] = np.sort(like.ravel())
    return toned.reshape(grey.shape)
