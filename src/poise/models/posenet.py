"""PoseNet: everybody in a picture in one pass of a small network, or one person even faster.

The networks are those of tensorflow/tfjs-models and google-coral/project-posenet (Apache-2.0):
MobileNetV1 or ResNet50 with a heat map and an offset for each keypoint, and a displacement for
each edge of the body, both ways (``posenet_decoding``). Quantised and float networks are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Unpack

import numpy as np

from poise.crop import crop
from poise.errors import ModelError, suggest
from poise.geometry import Affine, crop_affine, invert, transform
from poise.models.base import PoseModel
from poise.models.card import Card
from poise.models.posenet_decoding import KEYPOINTS, TREE, Fields, decode_multi, decode_single
from poise.models.steps import card_flag, card_number, card_pixels, sigmoid
from poise.poses import FloatArray, Frame, Poses
from poise.runtime import Compute, Session, engine
from poise.skeleton import get_skeleton

STRIDES = (8, 16, 32)
DECODINGS = ("multi", "single")
# Channels of the heads: heat maps, offsets, displacements both ways.
_HEADS = (KEYPOINTS, 2 * KEYPOINTS, 4 * len(TREE))


class PoseNet(PoseModel):
    """Reads everyone from whole pictures.

    Settings of the card, all optional: ``decoding`` is ``multi`` or ``single``; ``people``,
    ``score``, ``radius``, ``steps`` and ``least`` are those of ``decode_multi``; ``logits`` is
    false where the heat maps need no sigmoid although none is the network's last step.

    Args:
        session: The network: uint8 RGB pictures in, and out come heat maps, offsets and
            displacements, (N, h, w, 17), (N, h, w, 34) and (N, h, w, 64); y before x.
        card: Its name, its input size, and the settings.
    """

    def __init__(self, session: Session, card: Card) -> None:
        self._session, self._card = session, card
        self.name, self.skeleton = card.name, get_skeleton(card.skeleton)
        self.precision = session.precision
        decoding = str(card.settings.get("decoding", "multi"))
        if decoding not in DECODINGS:
            raise ModelError(
                f"no decoding '{decoding}'",
                where=f"card {card.name}",
                remedy=suggest(decoding, DECODINGS),
            )
        self._single = decoding == "single"
        self._least = card_number(card, "least", 0.0)
        self._choices: dict[str, Any] = {
            "people": int(card_number(card, "people", 5)),
            "score": card_number(card, "score", 0.5),
            "radius": card_number(card, "radius", 20.0),
            "steps": int(card_number(card, "steps", 2)),
            "least": self._least,
        }

    def estimate(self, frames: Sequence[Frame]) -> list[Poses]:
        """Return everyone in each of several unrelated pictures, in order."""
        if not frames:
            return []
        size = self._card.size
        maps = [_letterbox(frame.size, size) for frame in frames]
        pictures = [
            crop(frame.image, affine, size) for frame, affine in zip(frames, maps, strict=True)
        ]
        heads = self._session.run(np.stack(pictures))
        return [
            self._decode(frame, affine, [head[row] for head in heads])
            for row, (frame, affine) in enumerate(zip(frames, maps, strict=True))
        ]

    def _decode(self, frame: Frame, affine: Affine, heads: list[FloatArray]) -> Poses:
        logits = card_flag(self._card, "logits", default=True)
        fields = read_fields(heads, self._card.size, logits=bool(logits))
        found = decode_single(fields) if self._single else decode_multi(fields, **self._choices)
        good = found.people >= self._least
        # The network counts from the middle of the first pixel.
        points = transform(invert(affine), found.keypoints[good] + np.float32(0.5))
        return Poses(
            self.skeleton,
            points,
            found.scores[good],
            person_scores=found.people[good],
            index=frame.index,
            time=frame.time,
            size=frame.size,
        )


def read_fields(heads: Sequence[FloatArray], size: tuple[int, int], *, logits: bool) -> Fields:
    """Return one picture's heads as fields.

    Args:
        heads: (h, w, 17) heat maps, (h, w, 34) offsets: 17 times y, then 17 times x, and (h, w,
            64) displacements: 16 times y, 16 times x, and both again for the way back.
        size: Width and height of the network's input in pixels.
        logits: Whether the heat maps need a sigmoid.

    Raises:
        ModelError: The heads are not of these shapes, or of no stride of 8, 16 or 32 pixels, or
            the heat maps are said to be in 0..1 and are not.
    """
    shapes = [head.shape for head in heads]
    cells = shapes[0][:2]
    strides = [s for s in STRIDES if (-(-size[1] // s), -(-size[0] // s)) == cells]
    if shapes != [(*cells, count) for count in _HEADS] or not strides:
        raise ModelError(
            f"wanted heads of h x w x {', '.join(map(str, _HEADS))} for a picture of "
            f"{size[0]} x {size[1]}, h and w an 8th, 16th or 32nd of it, got {shapes}"
        )
    heat, offsets, hops = heads
    if not logits and not (heat.min() >= 0 and heat.max() <= 1):
        raise ModelError(
            f"wanted heat maps of 0..1, got {heat.min():.3g} to {heat.max():.3g}",
            remedy="set settings.logits of the card to true: they need a sigmoid",
        )
    both = hops.reshape(*cells, 2, 2, len(TREE)).swapaxes(3, 4).reshape(*cells, 2 * len(TREE), 2)
    return Fields(
        sigmoid(heat) if logits else heat,
        offsets.reshape(*cells, 2, KEYPOINTS).swapaxes(2, 3)[..., ::-1],
        both[..., ::-1],
        strides[0],
    )


def _letterbox(picture: tuple[int, int], size: tuple[int, int]) -> Affine:
    """Return the map that puts a whole picture into the middle of the input."""
    width, height = picture
    scale = min(size[0] / width, size[1] / height)
    return crop_affine((width / 2, height / 2), (size[0] / scale, size[1] / scale), size)


def load(card: Card, paths: Sequence[Path], **compute: Unpack[Compute]) -> PoseNet:
    """Return the model that a card describes, ready to run.

    Raises:
        ModelError: The network has not the heads of a PoseNet.
    """
    order = partial(_order, card=card)
    session = Session(paths, pixels=card_pixels(card), then=order, **compute)
    return PoseNet(session, card)


def _order(ends: list[Any], card: Card) -> list[Any]:
    """Return the heads of any PoseNet in the order and the layout that `PoseNet` reads."""
    op = engine().opset8

    heads = [_real(end, card) for end in ends]
    if card_flag(card, "logits", default=True):
        heads = [_before_sigmoid(head) for head in heads]
    if card.layout == "NCHW":
        heads = [op.transpose(head, np.array([0, 2, 3, 1])).output(0) for head in heads]
    counts = [_channels(head) for head in heads]
    half = _HEADS[2] // 2
    if sorted(counts) == sorted([*_HEADS[:2], half, half]):
        ways = [head for head, count in zip(heads, counts, strict=True) if count == half]
        # Stable: where no name says which is which, the way to the child comes first.
        ways.sort(key=lambda head: "bwd" in head.get_node().get_friendly_name())
        heads, counts = [*heads, op.concat(ways, 3).output(0)], [*counts, _HEADS[2]]
    elif sorted(counts) != sorted(_HEADS):
        raise ModelError(
            f"a PoseNet has heads of 17, 34 and 64 channels, or 17, 34, 32 and 32, got {counts}",
            where=f"card {card.name}",
        )
    return [heads[counts.index(count)] for count in _HEADS]


def _channels(head: Any) -> int:
    shape = head.get_partial_shape()
    last = shape[len(shape) - 1]
    return int(last.get_length()) if len(shape) == 4 and last.is_static else 0


def _before_sigmoid(head: Any) -> Any:
    """Return a head without a sigmoid of its own: some networks have it inside, most have not."""
    node = _through_moves(head)
    if node.get_type_name() != "Sigmoid":
        return head
    if node is head.get_node():
        return node.input_value(0)
    node.output(0).replace(node.input_value(0))
    return head


def _through_moves(end: Any) -> Any:
    """Return the node that makes the numbers of an output, which others only put in order."""
    node = end.get_node()
    while node.get_type_name() in ("Transpose", "Reshape"):
        node = node.input_value(0).get_node()
    return node


def _real(end: Any, card: Card) -> Any:
    """Return an output in real numbers: of a quantised network, what it is before it is rounded.

    A quantised TFLite network ends in FakeQuantize to 0..255 and Convert to uint8, and OpenVINO
    gives these grey levels as they are. Without the two steps the same numbers come in pixels and
    logits, and no two cells tie because of rounding.
    """
    if end.get_element_type().is_real():
        return end
    node = _through_moves(end)
    before = node.input_value(0).get_node() if node.get_type_name() == "Convert" else node
    if before.get_type_name() != "FakeQuantize":
        raise ModelError(
            f"a head is {end.get_element_type()}, and no scale of it is in the network",
            where=f"card {card.name}",
            remedy="use the float network",
        )
    node.output(0).replace(before.input_value(0))
    return end
