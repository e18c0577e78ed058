"""What one Keypoint R-CNN is built like, and in what torchvision's and Detectron2's differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from poise.errors import ModelError, suggest
from poise.models.card import Card
from poise.models.steps import card_number
from poise.skeleton import get_skeleton

STYLES = ("torchvision", "detectron2")
SIDE = 32  # The sides of the network's input are multiples of it.


@dataclass(frozen=True, kw_only=True)
class Design:
    """The numbers of one network.

    Attributes:
        style: ``torchvision`` or ``detectron2``: whose conventions it was trained with.
        blocks: Bottlenecks of each of the four stages of the ResNet; (3, 4, 6, 3) is ResNet-50.
        stem: Channels after the first convolution.
        pyramid: Channels of each level of the feature pyramid.
        hidden: Neurons of each of the two layers of the box head.
        heat: Channels of each convolution of the keypoint head.
        convolutions: How many convolutions the keypoint head has.
        keypoints: How many keypoints it finds.
        epsilon: Added to the variances of the frozen batch normalisation.
    """

    style: str = "torchvision"
    blocks: tuple[int, ...] = (3, 4, 6, 3)
    stem: int = 64
    pyramid: int = 256
    hidden: int = 1024
    heat: int = 512
    convolutions: int = 8
    keypoints: int = 17
    epsilon: float = 1e-5

    @property
    def early_stride(self) -> bool:
        """Whether a stage halves the picture in its first 1x1 convolution, not in the 3x3.

        Detectron2 keeps the way of the weights of MSRA that it starts from
        (``MODEL.RESNETS.STRIDE_IN_1X1``); torchvision has the stride in the 3x3.
        """
        return self.style == "detectron2"

    @property
    def aligned(self) -> bool:
        """Whether RoIAlign moves by half a cell (Detectron2's ``ROIAlignV2``)."""
        return self.style == "detectron2"

    @property
    def sampling(self) -> int:
        """Samples a bin of RoIAlign takes along each side; 0: as many as the bin has cells."""
        return 0 if self.style == "detectron2" else 2

    @property
    def whole_anchors(self) -> bool:
        """Whether the corners of the anchors are rounded to pixels (torchvision)."""
        return self.style == "torchvision"

    @property
    def measured_strides(self) -> bool:
        """Whether a level's stride is the input's side divided by the level's, rounded down.

        torchvision's ``AnchorGenerator`` does so. The coarsest level of an input of 800 pixels has
        13 cells, and their stride is 61 pixels there, where Detectron2 has 64.
        """
        return self.style == "torchvision"

    @property
    def least_sides(self) -> tuple[float, float]:
        """Least sides in pixels of a proposal and of a person's box."""
        return (1e-3, 1e-2) if self.style == "torchvision" else (0.0, 0.0)


def read_design(card: Card) -> Design:
    """Return the design that a card describes.

    The card's ``settings`` may hold ``style``, ``epsilon``, ``blocks`` (four numbers) and
    ``widths``: channels of the stem, of the pyramid, of the box head and of the keypoint head.

    Raises:
        ModelError: A setting cannot be.
    """
    settings, where = card.settings, f"card {card.name}"
    style = str(settings.get("style", "torchvision"))
    if style not in STYLES:
        raise ModelError(f"no style '{style}'", where=where, remedy=suggest(style, STYLES))
    blocks = settings.get("blocks", Design.blocks)
    widths = settings.get("widths", (64, 256, 1024, 512))
    for name, value in (("blocks", blocks), ("widths", widths)):
        if not isinstance(value, tuple) or len(value) != 4 or min(value) < 1:
            raise ModelError(f"{name}: wanted four numbers, got {value!r}", where=where)
    stem, pyramid, hidden, heat = map(int, cast("tuple[float, ...]", widths))
    return Design(
        style=style,
        blocks=tuple(map(int, cast("tuple[float, ...]", blocks))),
        stem=stem,
        pyramid=pyramid,
        hidden=hidden,
        heat=heat,
        convolutions=int(card_number(card, "convolutions", Design.convolutions)),
        keypoints=len(get_skeleton(card.skeleton)),
        epsilon=card_number(card, "epsilon", Design.epsilon),
    )
