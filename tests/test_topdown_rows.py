"""Each row of a top-down model, proved on made-up networks: what it feeds and how it decodes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from poise.models import heatmap, simcc
from poise.models.base import Detections
from poise.models.card import Card
from poise.models.table import CARDS, heatmaps, rtmpose, vitpose
from poise.runtime import engine
from poise.skeleton import get_skeleton

MAPS = [*heatmaps.ROWS, *vitpose.ROWS, CARDS["tinypose-256"], CARDS["tinypose-128"]]
PIXEL = np.array([200, 90, 30], np.float32)  # RGB


def gaussians(points, grid, sigma):
    x, y = np.arange(grid[0]), np.arange(grid[1])[:, None]
    squares = (x - points[..., 0, None, None]) ** 2 + (y - points[..., 1, None, None]) ** 2
    return np.exp(-squares / (2 * sigma**2)).astype(np.float32)


def scaled(path: Path, size, outputs):
    """A network of (N, 3, H, W): its outputs are constants, scaled for the first three keypoints.

    The factor of keypoint k is (3 + the mean of channel k, as the network sees it) / 10.
    """
    ov = engine()
    op = ov.opset13
    picture = op.parameter([-1, 3, size[1], size[0]], np.float32, name="picture")
    channels = op.reduce_mean(picture, np.array([2, 3]), keep_dims=False)
    factor = op.multiply(op.add(channels, np.float32(3)), np.float32(0.1))
    ends = []
    for output in outputs:
        rest = op.multiply(op.gather(channels, [0] * (output.shape[0] - 3), 1), np.float32(0))
        whole = op.concat([factor, op.add(rest, np.float32(0.8))], 1)
        for _ in output.shape[1:]:
            whole = op.unsqueeze(whole, np.int64(-1))
        ends.append(op.multiply(whole, output))
    ov.save_model(ov.Model(ends, [picture], "made-up"), path, compress_to_fp16=False)
    return path


def seen_by_the_network(card: Card) -> np.ndarray:
    pixel = PIXEL if card.channels == "RGB" else PIXEL[::-1]
    return (pixel - card.mean) / card.std


@pytest.mark.parametrize("card", MAPS, ids=lambda card: card.name)
def test_a_row_of_heat_maps_feeds_and_decodes_as_it_says(card: Card, tmp_path: Path) -> None:
    count, grid = len(get_skeleton(card.skeleton)), np.array(card.size) // 4
    sigma = 3.0 if card.size == (288, 384) else 2.0
    points = np.random.default_rng(5).uniform([9, 9], grid - 10.0, (count, 2))
    path = scaled(tmp_path / "made.xml", card.size, [gaussians(points, grid, sigma)])
    model = heatmap.load(card, [path], precision="f32")
    crops = np.broadcast_to(PIXEL.astype(np.uint8), (2, card.size[1], card.size[0], 3)).copy()
    read = model.read(crops)
    refine = card.settings.get("refine", "dark")
    if card.settings.get("unbiased"):
        wanted = points * ((np.array(card.size) - 1) / (grid - 1)) + 0.5
    else:
        wanted = points * 4.0
    # A quarter of a cell is what that refinement leaves at most, and half of it on average.
    off = np.abs(read.keypoints - wanted)
    assert off.max() <= (4 * 0.25 if refine == "quarter" else 0.35) + 1e-3
    peak = gaussians(points, grid, sigma).max(axis=(1, 2))[:3]
    told = read.scores[0, :3] / peak * 10 - 3
    np.testing.assert_allclose(told, seen_by_the_network(card), atol=2e-3)


@pytest.mark.parametrize("card", rtmpose.ROWS, ids=lambda card: card.name)
def test_a_row_of_vectors_feeds_and_decodes_as_it_says(card: Card, tmp_path: Path) -> None:
    count = len(get_skeleton(card.skeleton))
    points = np.random.default_rng(6).uniform([9, 9], np.array(card.size) - 10.0, (count, 2))
    vectors = [
        np.exp(-((np.arange(2 * side) - 2 * points[:, axis, None]) ** 2) / (2 * 5.0**2))
        for axis, side in enumerate(card.size)
    ]
    outputs = [vector.astype(np.float32) for vector in vectors]
    path = scaled(tmp_path / "made.xml", card.size, outputs)
    model = simcc.load(card, [path], precision="f32")
    crops = np.broadcast_to(PIXEL.astype(np.uint8), (2, card.size[1], card.size[0], 3)).copy()
    read = model.read(crops)
    assert np.abs(read.keypoints - points).max() <= 0.25 + 1e-4  # half a bin
    peak = np.minimum(outputs[0].max(axis=1), outputs[1].max(axis=1))[:3]
    told = read.scores[0, :3] / peak * 10 - 3
    np.testing.assert_allclose(told, seen_by_the_network(card), atol=2e-3)


def test_the_published_inputs_are_what_the_rows_say() -> None:
    assert {CARDS[name].channels for name in CARDS if name.startswith(("rtm", "vit"))} == {
        "RGB",
        "BGR",  # rtmdet-nano
    }
    assert all(card.channels == "RGB" for card in (*MAPS, *rtmpose.ROWS))
    # AlphaPose: x / 255 - (0.406, 0.457, 0.480).
    card = CARDS["alphapose-fastpose-resnet50"]
    pixel = (PIXEL / 255) - (0.406, 0.457, 0.480)
    np.testing.assert_allclose((PIXEL - card.mean) / card.std, pixel, atol=1e-6)
    # torchvision's, as everybody else's: (x / 255 - mean) / std.
    card = CARDS["vitpose-b"]
    pixel = (PIXEL / 255 - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225)
    np.testing.assert_allclose((PIXEL - card.mean) / card.std, pixel, atol=1e-6)


@pytest.mark.parametrize("card", [*MAPS, *rtmpose.ROWS], ids=lambda card: card.name)
def test_a_region_is_a_quarter_larger_than_the_box_and_of_the_crops_proportions(card: Card) -> None:
    class Silent:
        precision = "f32"

    family = heatmap.HeatmapModel if card.family == "heatmap" else simcc.SimccModel
    model = family(Silent(), card)
    box = np.array([[100, 50, 160, 250]], np.float32)
    (region,) = model.regions(Detections(box, np.ones(1, np.float32)))
    # The person's 200 pixels of height and a quarter fill the crop, up to UDP's one pixel.
    assert abs(region[1, 1] * 250 - card.size[1]) <= 1 + 1e-6
    assert region[0, 0] == pytest.approx(region[1, 1], rel=0.01)


@pytest.mark.parametrize(
    ("start", "settings"),
    [
        ("simplebaseline", {"refine": "quarter"}),
        ("hrnet", {"refine": "quarter"}),
        ("alphapose", {"refine": "quarter", "nms": "alphapose"}),
        ("vitpose", {"refine": "udp", "blur": 11, "unbiased": True}),
        ("rtmpose", {"split": 2.0}),
        ("dwpose", {"split": 2.0}),
        ("rtmw", {"split": 2.0}),
    ],
)
def test_the_published_decodings_are_what_the_rows_say(start: str, settings: dict) -> None:
    rows = [card for name, card in CARDS.items() if name.startswith(start)]
    assert rows
    assert all(dict(card.settings) == settings for card in rows)
