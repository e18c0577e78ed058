"""A small Keypoint R-CNN with made-up weights, for the tests of the family `rcnn`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from poise.models import Card
from poise.weights import WeightFile

WIDTHS = (8.0, 16.0, 32.0, 16.0)
BLOCKS = (1.0, 1.0, 1.0, 1.0)


def small_card(style: str = "torchvision", **settings: Any) -> Card:
    """Return the card of a network that takes a hundredth of the time."""
    built = {"blocks": BLOCKS, "widths": WIDTHS, "convolutions": 2}
    return Card(
        name="small-rcnn",
        family="rcnn",
        kind="pose",
        skeleton="coco17",
        size=(213, 128),
        channels="BGR" if style == "detectron2" else "RGB",
        mean=(103.53, 116.28, 123.675) if style == "detectron2" else (123.675, 116.28, 103.53),
        std=(58.395, 57.12, 57.375),
        settings={"style": style, **built, **settings},
        files=(WeightFile("small.pth", ""),),
    )


def made_up_network(style: str = "torchvision", seed: int = 0) -> Any:
    """Return a network whose weights are random, but such that it finds people.

    The normalisation is set by what passes through it, as training would, so that no stage's
    numbers grow without end; and the heads are made bolder than their first weights are.
    """
    import torch

    from poise.models.rcnn.backbone import FrozenNorm
    from poise.models.rcnn.design import read_design
    from poise.models.rcnn.network import Network

    torch.manual_seed(seed)
    network = Network(read_design(small_card(style))).eval()
    with torch.no_grad():
        settle(network, FrozenNorm)
        embolden(network)
    return network


def settle(network: Any, kind: type[Any]) -> None:
    """Set every frozen normalisation of a network's backbone by a picture of noise."""
    import torch

    def see(layer: Any, inputs: tuple[Any, ...]) -> None:
        seen = inputs[0]
        layer.running_mean.copy_(seen.mean((0, 2, 3)))
        layer.running_var.copy_(seen.var((0, 2, 3)) + 1e-3)
        layer.weight.uniform_(0.3, 0.9)
        layer.bias.normal_(0, 0.1)

    layers = [layer for layer in network.backbone.modules() if isinstance(layer, kind)]
    hooks = [layer.register_forward_pre_hook(see) for layer in layers]
    network.backbone(torch.randn(1, 3, 128, 160))
    for hook in hooks:
        hook.remove()


def embolden(network: Any) -> None:
    """Give the pyramid and the heads random weights that keep numbers of the order of one.

    So neither scores nor likelihoods are all near 0 or 1, and boxes move by parts of their sides.
    """
    ends = {"cls_logits": 1.5, "cls_score": 1.0, "kps_score_lowres": 3.0}
    for name, weight in network.named_parameters():
        if name.startswith("backbone.body."):
            continue
        layer, kind = name.rsplit(".", 2)[-2:]
        if kind == "bias":
            weight.zero_()
            continue
        gain = ends.get(layer, 1.4)
        if layer == "bbox_pred":
            gain = 0.2 if name.startswith("rpn.") else 1.0
        weight.normal_(0, gain / weight[0].numel() ** 0.5)


def made_up_pictures() -> list[np.ndarray[Any, Any]]:
    """Return pictures of noise, of blocks and of two slopes, wide and high."""
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (120, 160, 3), np.uint8)
    blocks = rng.integers(0, 256, (9, 5, 3), np.uint8).repeat(30, 0).repeat(30, 1)
    slope = np.linspace(0, 255, 140) * np.linspace(0.2, 1, 60)[:, None] + np.zeros((3, 1, 1))
    slopes = np.stack([slope[0], slope[1, ::-1], slope[2, :, ::-1]], 2).astype(np.uint8)
    return [noise, blocks, slopes, noise[:33, :150].copy()]


def save_checkpoint(path: Path, network: Any) -> Path:
    """Write a network's weights as a user would."""
    import torch

    torch.save(network.state_dict(), path)
    return path
