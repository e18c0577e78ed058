"""Which channel comes first: what each network was trained with, held by a network that looks.

RTMPose and ViTPose are trained on RGB, RTMO and YOLOX on BGR, whatever the examples around them
feed. (mmpose's configurations: `bgr_to_rgb` true in RTMPose's data preprocessor, absent in RTMO's;
easy_ViTPose, inference; mmdetection's and Megvii's YOLOX read OpenCV's pictures as they are.)
"""

from __future__ import annotations

import importlib
import re
from typing import Any

import numpy as np
import pytest

from poise.models.table import CARDS
from poise.runtime import Session
from seers import rectangle, write_seer

TRAINED = {
    "rtmpose": "RGB",
    "rtmw": "RGB",
    "dwpose": "RGB",
    "vitpose": "RGB",
    "tinypose": "RGB",
    "movenet": "RGB",
    "yolov8": "RGB",
    "yolo11": "RGB",
    "yolo26": "RGB",
    "rtdetr": "RGB",
    "rf-detr": "RGB",
    "detrpose": "RGB",
    "rtmo": "BGR",
    "yolox": "BGR",
    "rtmdet": "BGR",
}
NAMES = [
    (name, order)
    for name in CARDS
    for stem, order in TRAINED.items()
    if re.match(rf"{stem}[nsmlx]?(-|$)", name)
]


def test_the_names_that_matter_are_there() -> None:
    known = dict(NAMES)
    for name in ("rtmpose-m", "rtmo-s", "yolox-nano", "yolox-m-humanart", "yolo26x-pose"):
        assert name in known


@pytest.mark.parametrize(("name", "order"), NAMES)
def test_a_card_says_what_the_network_was_trained_with(name: str, order: str) -> None:
    card = CARDS[name]
    assert card.channels == order
    # Means are in the order of the channels: ImageNet's red is the brightest of its three.
    if len(set(card.mean)) > 1:
        assert (card.mean[0] > card.mean[2]) == (order == "RGB")


@pytest.mark.parametrize("name", ["rtmpose-m", "rtmo-s", "yolox-nano", "yolox-m-humanart"])
def test_red_reaches_the_channel_that_the_card_names(
    tmp_path: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network that looks at one channel alone sees a red square there, and a blue one not."""
    card = CARDS[name]
    red = card.channels.index("R")
    bright = (200 - card.mean[red]) / card.std[red]
    path = write_seer(
        tmp_path / "tiny.onnx",
        lambda frame: [frame[None].astype(np.float32)],
        card.size,
        channel=red,
        bright=bright,
    )
    opened: list[Session] = []
    start = Session.__init__

    def remember(self: Session, *given: Any, **more: Any) -> None:
        start(self, *given, **more)
        opened.append(self)

    monkeypatch.setattr(Session, "__init__", remember)
    importlib.import_module(f"poise.models.{card.family}").load(card, [path], precision="f32")
    for colour, box in (((255, 0, 0), [16, 24, 80, 100]), ((0, 0, 255), [0, 0, 0, 0])):
        image = rectangle(card.size, (16, 24, 80, 100), colour)
        np.testing.assert_array_equal(opened[0].run(image[None])[0], [box])
