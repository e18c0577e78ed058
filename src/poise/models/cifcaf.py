"""OpenPifPaf: everybody in a picture at once, from composite fields (Kreiss et al. 2021).

The network answers with a composite intensity field, (N, 17, 5, h, w), and a composite association
field, (N, 19, 8, h, w) (`cifcaf_fields` says what they hold). ``openpifpaf.export_onnx`` writes
networks that give them ready to be decoded. Of such a network the picture's size is part, so it
must be exported for the size of its card. A network of the head alone, before its last step, needs
the setting ``raw``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Unpack

import numpy as np

from poise.errors import ModelError
from poise.models.base import PoseModel
from poise.models.card import Card
from poise.models.cifcaf_decoding import KEYPOINTS, PAIRS, Limits, decode
from poise.models.steps import card_flag, card_pixels, fit, sigmoid
from poise.poses import FloatArray, Frame, Poses
from poise.runtime import Compute, Session
from poise.skeleton import get_skeleton

# Rows and values a cell of the two fields.
_FIELDS = ((KEYPOINTS, 5), (len(PAIRS), 8))
_STRIDE = 8
# How far beyond 0..1 a confidence may be for its rounding.
_ROUNDING = 0.01


class CIFCAFModel(PoseModel):
    """Finds everyone in a picture at once with a network of the OpenPifPaf kind.

    Settings of the card, all optional: ``seed``, ``keypoint``, ``instance`` and ``force_complete``
    are those of `Limits`, with the published decoder's defaults; ``stride`` is the pixels from cell
    to cell, 8; ``raw`` says that the head's last step is still to be done: a sigmoid for the
    confidence, the cell's own place for x and y, and log(1 + exp(x)) for sizes.

    Args:
        session: The network: uint8 RGB pictures in, and out come the two fields, in this order.
        card: Its name, its input size, and the settings.
    """

    def __init__(self, session: Session, card: Card) -> None:
        self._session, self._card = session, card
        self.name, self.skeleton = card.name, get_skeleton(card.skeleton)
        if self.skeleton.name != "coco17":
            raise ModelError(
                f"composite fields are read as coco17, and the card says {self.skeleton.name}",
                where=f"card {card.name}",
            )
        self.precision = session.precision
        self._stride = _stride(card)
        self._raw = card_flag(card, "raw")
        complete = card_flag(card, "force_complete")
        least = 0.0 if complete else 0.15
        self._limits = Limits(
            _share(card, "seed", 0.2),
            _share(card, "keypoint", least),
            _share(card, "instance", least),
            complete,
        )

    def estimate(self, frames: Sequence[Frame]) -> list[Poses]:
        """Return everyone in each of several unrelated pictures, in order."""
        # One at a time: most exports are made for one, and the fields are large.
        return [self._read(frame) for frame in frames]

    def _read(self, frame: Frame) -> Poses:
        canvas, factors = fit(frame.image, self._card.size)
        outputs = self._session.run(canvas[None])
        fields = _pick(outputs, [output.shape for output in outputs], self._card)
        cif, caf = (read_field(field[0], raw=self._raw) for field in fields)
        found = decode(cif, caf, stride=self._stride, limits=self._limits)
        # The network counts from the middle of the first pixel.
        return Poses(
            self.skeleton,
            (found.keypoints + np.float32(0.5)) / factors,
            np.clip(found.scores, 0, 1),
            person_scores=np.clip(found.people, 0, 1),
            index=frame.index,
            time=frame.time,
            size=frame.size,
        )


def read_field(field: FloatArray, *, raw: bool) -> FloatArray:
    """Return a composite field as `decode` wants it.

    Args:
        field: (rows, 5 or 8, h, w) of the network, for one picture.
        raw: Whether the head's last step is still to be done.

    Raises:
        ModelError: The confidences do not look as ``raw`` says.
    """
    sure = field[:, 1]
    low, high = float(sure.min()), float(sure.max())
    if raw and low >= 0:
        raise ModelError(
            f"wanted confidences before the sigmoid, got {low:.3g} to {high:.3g}",
            remedy="leave settings.raw out of the card",
        )
    if not raw and (low < -_ROUNDING or high > 1 + _ROUNDING):
        raise ModelError(
            f"wanted confidences of 0 to 1, got {low:.3g} to {high:.3g}",
            remedy="set settings.raw = true in the card if the network ends before the sigmoid",
        )
    if not raw:
        return field
    field = field.astype(np.float32)
    field[:, 1] = sigmoid(field[:, 1])
    places = field[:, 2:-1] if field.shape[1] == 5 else field[:, 2:-2]
    places[:, 0::2] += np.arange(field.shape[3], dtype=np.float32)
    places[:, 1::2] += np.arange(field.shape[2], dtype=np.float32)[:, None]
    sizes = field[:, 2 + places.shape[1] :]
    sizes[:] = np.logaddexp(0, sizes)
    return field


def load(card: Card, paths: Sequence[Path], **compute: Unpack[Compute]) -> CIFCAFModel:
    """Return the model that a card describes, ready to run.

    Raises:
        ModelError: The network has not the two fields, or was made for another size of picture.
    """
    # The other engine computes all outputs anyway; they are chosen when they are read.
    foreign = compute.get("engine", "openvino") != "openvino"
    choose = None if foreign else partial(_choose, card=card)
    session = Session(paths, pixels=card_pixels(card), then=choose, **compute)
    return CIFCAFModel(session, card)


def _choose(ends: list[Any], card: Card) -> list[Any]:
    """Return the two fields among the ends of a network."""
    return _pick(ends, [_known(end) for end in ends], card)


def _pick(ends: list[Any], shapes: list[tuple[int, ...]], card: Card) -> list[Any]:
    """Return the two fields among a network's outputs, whatever their order.

    Older networks have a third head with more pairs, which nobody needs.
    """
    chosen, found = [], []
    for rows in _FIELDS:
        mine = [number for number, shape in enumerate(shapes) if shape[1:3] == rows]
        if len(mine) != 1:
            raise _misfit(shapes, card)
        chosen.append(ends[mine[0]])
        found.append(shapes[mine[0]])
    # OpenVINO would reshape the network, and leave the fields as they are.
    _check_shapes(found, card)
    return chosen


def _known(end: Any) -> tuple[int, ...]:
    """Return the shape of an output, -1 where it may vary."""
    shape = end.get_partial_shape()
    if shape.rank.is_dynamic:
        return ()
    return tuple(side.get_length() if side.is_static else -1 for side in shape)


def _check_shapes(shapes: Sequence[tuple[int, ...]], card: Card) -> None:
    cells = _cells(card)
    if [shape[1:3] for shape in shapes] != list(_FIELDS):
        raise _misfit(shapes, card)
    for shape in shapes:
        if any(came not in (-1, side) for came, side in zip(shape[3:], cells, strict=True)):
            raise _misfit(shapes, card)


def _cells(card: Card) -> tuple[int, int]:
    """Return how many rows and columns of cells there are for pictures of a card's size."""
    width, height = ((side - 1) // _stride(card) + 1 for side in card.size)
    return height, width


def _misfit(shapes: Sequence[tuple[int, ...]], card: Card) -> ModelError:
    width, height = card.size
    rows, columns = _cells(card)
    wanted = " and ".join(f"(N, {n}, {values}, {rows}, {columns})" for n, values in _FIELDS)
    came = ", ".join(map(str, shapes)).replace("-1", "N")
    return ModelError(
        f"wanted fields of {wanted} for pictures of {width} x {height}, got {came}",
        where=f"card {card.name}",
        remedy=f"export the network with --input-width {width} --input-height {height}, or give "
        "the card the size and stride that it was exported with",
    )


def _stride(card: Card) -> int:
    stride = card.settings.get("stride", _STRIDE)
    if not isinstance(stride, int | float) or stride < 1 or stride != int(stride):
        raise ModelError(f"stride: wanted whole pixels, got {stride!r}", where=f"card {card.name}")
    return int(stride)


def _share(card: Card, setting: str, default: float) -> float:
    value = card.settings.get(setting, default)
    if not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ModelError(
            f"{setting}: wanted a number of 0 to 1, got {value!r}", where=f"card {card.name}"
        )
    return float(value)
