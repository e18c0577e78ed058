"""The model table: one card for each model that Poise knows, and the names that lead to them."""

from __future__ import annotations

from poise.models.card import Card
from poise.models.table import (
    detectron2,
    detr,
    efficientpose,
    heatmaps,
    mediapipe,
    movenet,
    openmmlab,
    openpifpaf,
    openpose,
    paddle,
    posenet,
    rtmo,
    rtmpose,
    torchvision,
    ultralytics,
    vitpose,
    yolox,
)
from poise.models.table.names import ALIASES, PREFERENCE, TIERS, Tier

__all__ = ["ALIASES", "CARDS", "FAMILIES", "PREFERENCE", "TIERS", "Tier"]

# Families that are modules of poise.models (`fake` lives in poise.testing).
FAMILIES = (
    "blazepose",
    "hands",
    "face",
    "holistic",
    "rtmdet",
    "yolox",
    "picodet",
    "heatmap",
    "efficientpose",
    "simcc",
    "posenet",
    "movenet",
    "paf",
    "rtmo",
    "yolopose",
    "detr",
    "detr_pose",
    "rcnn",
    "cifcaf",
    "fake",
)

_FAKE = Card(
    name="fake",
    family="fake",
    kind="pose",
    skeleton="coco17",
    licence="Apache-2.0",
    data="none",
    accuracy="none (it is made for tests and needs no weights)",
)

CARDS: dict[str, Card] = {
    card.name: card
    for card in (
        *mediapipe.ROWS,
        *openmmlab.ROWS,
        *rtmpose.ROWS,
        *heatmaps.ROWS,
        *vitpose.ROWS,
        *yolox.ROWS,
        *detr.ROWS,
        *paddle.ROWS,
        *posenet.ROWS,
        *efficientpose.ROWS,
        *movenet.ROWS,
        *openpose.ROWS,
        *rtmo.ROWS,
        *ultralytics.ROWS,
        *torchvision.ROWS,
        *detectron2.ROWS,
        *openpifpaf.ROWS,
        _FAKE,
    )
}
