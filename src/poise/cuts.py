"""Cuts: whether a new shot begins, so that nobody is followed across it.

A cut changes both what is where (the coarse picture no longer correlates with the last one) and
which colours there are (the histogram). Motion, pan and zoom change the first only; flicker and
flashes the second only. Both must change at once, and by more than they lately did.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from poise.poses import Image

Values = npt.NDArray[np.float32]

_ROWS, _COLUMNS, _BINS = 27, 48, 4
_BLANK = 6.0  # grey levels of contrast below which a picture shows nothing


@dataclass
class CutDetector:
    """Says of each picture of a video whether a new shot begins with it. One detector a source.

    Attributes:
        threshold: How different, 0..1, two pictures must at least be for a cut.
    """

    threshold: float = 0.35
    _grey: Values | None = field(default=None, init=False, repr=False)
    _colours: Values | None = field(default=None, init=False, repr=False)
    _usual: float = field(default=0.0, init=False, repr=False)

    def is_cut(self, image: Image) -> bool:
        """Return whether a new shot begins with this (H, W, 3) uint8 picture.

        Call it with every picture, in order. The first is no cut. A picture without contrast
        (black, white flash) is no cut; what follows is compared with what was before it.
        """
        grey, colours = _sample(image)
        if float(grey.std()) < _BLANK:
            return False
        before, self._grey = self._grey, grey
        palette, self._colours = self._colours, colours
        if before is None or palette is None:
            return False
        change = np.sqrt(_unlike(before, grey) * 0.5 * float(np.abs(palette - colours).sum()))
        cut = bool(change > max(self.threshold, 3 * self._usual))
        self._usual = 0.0 if cut else self._usual + 0.15 * (change - self._usual)
        return cut


def _sample(image: Image) -> tuple[Values, Values]:
    """A coarse grid of grey levels, and the histogram of its colours (sums to 1)."""
    height, width = image.shape[:2]
    rows = np.linspace(0, height - 1, _ROWS).astype(np.intp)
    columns = np.linspace(0, width - 1, _COLUMNS).astype(np.intp)
    grid = image[rows[:, None], columns]
    grey = grid @ np.array([0.299, 0.587, 0.114], np.float32)
    cells = grid >> 6
    codes = (cells[..., 0] * 16 + cells[..., 1] * 4 + cells[..., 2]).ravel()
    counts = np.bincount(codes, minlength=_BINS**3)
    return grey, (counts / codes.size).astype(np.float32)


def _unlike(a: Values, b: Values) -> float:
    """One minus the correlation of two grids, in 0..1; blind to brightness and contrast."""
    a, b = a - a.mean(), b - b.mean()
    alike = float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum()))
    return min(max(1 - alike, 0.0), 1.0)
