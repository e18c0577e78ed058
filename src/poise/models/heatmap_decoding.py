"""From heat maps to places: what every family with one map a keypoint shares.

A place is counted in cells: 0 is the first cell, w - 1 the last. Ways to read it finer than a cell:

- none: the cell of the maximum;
- quarter: a quarter of a cell towards the higher neighbour on each axis (Newell et al. 2016;
  SimpleBaseline, Xiao et al. 2018). Nothing moves in the outermost cells;
- dark: the top of the parabola through the logarithm of the smoothed map, because a Gaussian's
  logarithm is one; differences over two cells (Zhang et al. 2020, "Distribution-Aware Coordinate
  Representation for Human Pose Estimation");
- udp: the same with differences over one cell (Huang et al. 2020, "The Devil Is in the Details:
  Delving Into Unbiased Data Processing"; the refinement of ViTPose, and of HRNet where it is
  trained that way). The original repeats the outermost cells beyond the border, which sends a
  maximum that stands there half a cell out of the map; here it stays.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from poise.poses import FloatArray

REFINEMENTS = ("none", "quarter", "dark", "udp")

_Cells = npt.NDArray[np.int64]
_Floats = npt.NDArray[np.float64]

# OpenCV's fixed kernels (getGaussianKernel with no sigma); the wider ones follow a formula.
_KERNELS = {
    1: (1.0,),
    3: (0.25, 0.5, 0.25),
    5: (0.0625, 0.25, 0.375, 0.25, 0.0625),
    7: (0.03125, 0.109375, 0.21875, 0.28125, 0.21875, 0.109375, 0.03125),
    9: tuple(weight / 256 for weight in (4, 13, 30, 51, 60, 51, 30, 13, 4)),
}
# Least smoothed value, so that the logarithm exists: of DARK's code and of UDP's.
_LEAST_DARK, _LEAST_UDP = 1e-10, 1e-3


def decode(
    maps: FloatArray, *, refine: str = "dark", blur: int = 3
) -> tuple[FloatArray, FloatArray]:
    """Return where the maxima of heat maps are, finer than a cell.

    Args:
        maps: (N, K, h, w) heat maps.
        refine: One of ``REFINEMENTS``.
        blur: Cells that the smoothing before ``dark`` and ``udp`` spans; an odd number.

    Returns:
        (N, K, 2) x and y in cells and (N, K) maxima, clipped to 0..1.
    """
    cells, scores = find_tops(maps)
    shift: _Floats | float = 0.0
    if refine == "quarter":
        shift = _quarter_shift(maps, cells)
    elif refine == "dark":
        shift = _dark_shift(maps, cells, blur)
    elif refine == "udp":
        shift = _udp_shift(maps, cells, blur)
    return (cells + shift).astype(np.float32), np.clip(scores, 0, 1).astype(np.float32)


def find_tops(maps: FloatArray) -> tuple[_Cells, FloatArray]:
    """Return the (N, K, 2) columns and rows of the maxima of heat maps, and the (N, K) maxima."""
    count, keypoints, height, width = maps.shape
    flat = maps.reshape(count, keypoints, height * width)
    top = flat.argmax(axis=2)
    scores: FloatArray = np.take_along_axis(flat, top[..., None], axis=2)[..., 0]
    return np.stack([top % width, top // width], axis=-1), scores


def turn_round(maps: FloatArray, flip: npt.ArrayLike, *, shift: bool) -> FloatArray:
    """Return what the maps of mirrored crops say about the crops themselves.

    Args:
        maps: (N, K, h, w) heat maps of mirrored crops.
        flip: (K,) for each keypoint, the one of the other side.
        shift: Whether the mirror image of cell x is w - x, and not w - 1 - x: so it is where a
            cell stands for its upper left corner, and not for its middle or for a share of the
            crop (SimpleBaseline's SHIFT_HEATMAP).
    """
    turned = maps[:, np.asarray(flip), :, ::-1].copy()
    if shift:
        turned[..., 1:] = turned[..., :-1].copy()
    return turned


def blur_kernel(cells: int) -> _Floats:
    """Return the weights with which OpenCV's Gaussian of this many cells smooths.

    Its sigma is 0.3 * ((cells - 1) / 2 - 1) + 0.8 cells; up to 9 cells OpenCV has rounded weights.
    """
    if cells in _KERNELS:
        return np.array(_KERNELS[cells])
    sigma = 0.3 * ((cells - 1) / 2 - 1) + 0.8
    weights = np.exp(-((np.arange(cells) - (cells - 1) / 2) ** 2) / (2 * sigma**2))
    kernel: _Floats = weights / weights.sum()
    return kernel


def _around(maps: FloatArray, cells: _Cells, reach: int) -> FloatArray:
    """Return (N, K, 2 reach + 1, 2 reach + 1) what stands around a cell; 0 outside the map."""
    padded = np.pad(maps, ((0, 0), (0, 0), (reach, reach), (reach, reach)))
    steps = np.arange(2 * reach + 1)
    people, keypoints = np.ogrid[: maps.shape[0], : maps.shape[1]]
    rows = cells[..., 1, None, None] + steps[:, None]
    columns = cells[..., 0, None, None] + steps
    window: FloatArray = padded[people[..., None, None], keypoints[..., None, None], rows, columns]
    return window


def _smooth_around(maps: FloatArray, cells: _Cells, reach: int, blur: int) -> _Floats:
    """Return what `_around` would of the smoothed maps, without smoothing all of them."""
    window = _around(maps, cells, reach + blur // 2).astype(np.float64)
    size, weights = 2 * reach + 1, blur_kernel(blur)
    rows = sum(w * window[..., i : i + size, :] for i, w in enumerate(weights))
    smooth: _Floats = sum(w * rows[..., i : i + size] for i, w in enumerate(weights))
    return smooth


def _inside(maps: FloatArray, cells: _Cells, margin: int) -> npt.NDArray[np.bool_]:
    last = np.array([maps.shape[3], maps.shape[2]]) - 1 - margin
    outside = (cells < margin) | (cells > last)
    return ~(outside[..., 0] | outside[..., 1])


def _quarter_shift(maps: FloatArray, cells: _Cells) -> _Floats:
    window = _around(maps, cells, 1)
    slope = np.stack(
        [window[..., 1, 2] - window[..., 1, 0], window[..., 2, 1] - window[..., 0, 1]], axis=-1
    )
    return np.where(_inside(maps, cells, 1)[..., None], 0.25 * np.sign(slope), 0)


def _dark_shift(maps: FloatArray, cells: _Cells, blur: int) -> _Floats:
    log = np.log(np.maximum(_smooth_around(maps, cells, 2, blur), _LEAST_DARK))
    # First and second differences around the middle (2, 2) of the 5 x 5 window.
    dx, dy = (log[..., 2, 3] - log[..., 2, 1]) / 2, (log[..., 3, 2] - log[..., 1, 2]) / 2
    dxx = (log[..., 2, 4] - 2 * log[..., 2, 2] + log[..., 2, 0]) / 4
    dyy = (log[..., 4, 2] - 2 * log[..., 2, 2] + log[..., 0, 2]) / 4
    dxy = (log[..., 3, 3] - log[..., 3, 1] - log[..., 1, 3] + log[..., 1, 1]) / 4
    step = _newton((dx, dy), (dxx, dyy, dxy))
    return np.where(_inside(maps, cells, 2)[..., None], step, 0)


def _udp_shift(maps: FloatArray, cells: _Cells, blur: int) -> _Floats:
    log = np.log(np.clip(_smooth_around(maps, cells, 1, blur), _LEAST_UDP, 50))
    middle, left, right = log[..., 1, 1], log[..., 1, 0], log[..., 1, 2]
    above, below = log[..., 0, 1], log[..., 2, 1]
    corners = log[..., 2, 2] + log[..., 0, 0]
    dxy = 0.5 * (corners - right - below + 2 * middle - left - above)
    bends = (right - 2 * middle + left, below - 2 * middle + above, dxy)
    step = _newton(((right - left) / 2, (below - above) / 2), bends)
    return np.where(_inside(maps, cells, 1)[..., None], step, 0)


def _newton(slope: tuple[_Floats, _Floats], bends: tuple[_Floats, _Floats, _Floats]) -> _Floats:
    """Return the step to the top of the parabola, at most a cell on each axis; 0 for no summit."""
    (dx, dy), (dxx, dyy, dxy) = slope, bends
    bend = dxx * dyy - dxy**2
    # Only a real summit has a top to go to: both curvatures negative.
    real = (bend > 1e-12) & (dxx < 0)
    safe = np.where(real, bend, 1)
    step = np.stack([dxy * dy - dyy * dx, dxy * dx - dxx * dy], axis=-1) / safe[..., None]
    return np.where(real[..., None], np.clip(step, -1, 1), 0)
