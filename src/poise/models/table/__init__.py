"""The model table: one card for each model that Poise knows, and the names that lead to them."""

from __future__ import annotations

from poise.models.card import Card
from poise.models.table import (
    efficientpose,
    mediapipe,
    movenet,
    openmmlab,
    openpifpaf,
    openpose,
    paddle,
    posenet,
    yolox,
)

# Families that are modules of poise.models (`fake` lives in poise.testing).
FAMILIES = (
    "blazepose",
    "rtmdet",
    "yolox",
    "picodet",
    "heatmap",
    "efficientpose",
    "simcc",
    "posenet",
    "movenet",
    "paf",
    "cifcaf",
    "fake",
)

# What `auto` tries, best first.
PREFERENCE = ("rtmpose-m", "rtmdet-nano+tinypose-256", "blazepose")

# Names for a purpose; each always means the same model.
TIERS = {
    "fast": "blazepose",
    "accurate": "rtmpose-l",
    "crowd": "rtmpose-m",
    "3d": "blazepose",
}

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
        *yolox.ROWS,
        *paddle.ROWS,
        *posenet.ROWS,
        *efficientpose.ROWS,
        *movenet.ROWS,
        *openpose.ROWS,
        *openpifpaf.ROWS,
        _FAKE,
    )
}
