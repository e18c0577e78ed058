"""Keypoint R-CNN against torchvision's own, with the same made-up weights.

torchvision as pip installs it beside the CPU's torch does not import, for its compiled operators
want CUDA's libraries. Then its `nms` is defined here, and its own `roi_align` in plain torch is
used, mended in one place; where its compiled operators load, they are used as they are.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
if importlib.util.find_spec("torchvision") is None:
    pytest.skip("torchvision is not installed", allow_module_level=True)

from poise.models import rcnn  # noqa: E402
from poise.models.rcnn.decoding import decode  # noqa: E402
from poise.models.rcnn.design import Design, read_design  # noqa: E402
from poise.models.rcnn.network import Network  # noqa: E402
from poise.models.rcnn.operators import nms, roi_align  # noqa: E402
from poise.models.rcnn.picture import prepare  # noqa: E402
from rcnn_small import (  # noqa: E402
    embolden,
    made_up_pictures,
    save_checkpoint,
    settle,
    small_card,
)

# torchvision's ResNet begins with 64 channels; the rest may be small.
WIDTHS = (64.0, 32.0, 64.0, 32.0)
SIDES = (128, 213)


def greedy(boxes: Any, scores: Any, threshold: float) -> Any:
    """One box after the other, as the definition has it."""
    order = scores.sort(descending=True, stable=True).indices.tolist()
    corners, kept = boxes.numpy(), []
    areas = (corners[:, 2] - corners[:, 0]) * (corners[:, 3] - corners[:, 1])
    for row in order:
        low = np.maximum(corners[row, :2], corners[kept, :2])
        high = np.minimum(corners[row, 2:], corners[kept, 2:])
        shared = np.clip(high - low, 0, None).prod(1)
        if not (shared / (areas[row] + areas[kept] - shared) > threshold).any():
            kept.append(row)
    return torch.tensor(kept, dtype=torch.int64)


def _mend(module: Any) -> None:
    """Samples beyond the map count nothing in the compiled operator (csrc/ops/cpu)."""
    plain = module._bilinear_interpolate

    def mended(features: Any, batch: Any, y: Any, x: Any, *masks: Any) -> Any:
        height, width = features.shape[-2:]
        down, across = (y >= -1) & (y <= height), (x >= -1) & (x <= width)
        inside = down[:, None, :, None, :, None] & across[:, None, None, :, None, :]
        return plain(features, batch, y, x, *masks) * inside

    module._bilinear_interpolate = mended


@pytest.fixture(scope="module")
def theirs() -> Iterator[Any]:
    """torchvision's modules, with or without its compiled operators."""
    os.environ["TORCHDYNAMO_DISABLE"] = "1"
    kept = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            importlib.import_module("torchvision")
        except RuntimeError:
            for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
                del sys.modules[name]
            kept = torch.library.Library("torchvision", "DEF")
            for name in ("nms", "qnms"):
                kept.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
            kept.impl("nms", greedy, "CPU")
            importlib.import_module("torchvision.ops.boxes")._assert_has_ops = lambda: None
            importlib.import_module("torchvision.ops")
            _mend(sys.modules["torchvision.ops.roi_align"])
        found = SimpleNamespace(
            detection=importlib.import_module("torchvision.models.detection.keypoint_rcnn"),
            faster=importlib.import_module("torchvision.models.detection.faster_rcnn"),
            backbones=importlib.import_module("torchvision.models.detection.backbone_utils"),
            resnet=importlib.import_module("torchvision.models.resnet"),
            frozen=importlib.import_module("torchvision.ops.misc").FrozenBatchNorm2d,
            ops=importlib.import_module("torchvision.ops"),
        )
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield found
    torch.set_num_threads(threads)
    del kept


def build(theirs: Any, score: float) -> Any:
    """Return torchvision's network of the sizes of `WIDTHS`."""
    _, pyramid, hidden, heat = map(int, WIDTHS)
    torch.manual_seed(1)
    body = theirs.resnet.ResNet(theirs.resnet.Bottleneck, [1] * 4, norm_layer=theirs.frozen)
    backbone = theirs.backbones.BackboneWithFPN(
        body,
        return_layers={f"layer{stage + 1}": str(stage) for stage in range(4)},
        in_channels_list=[256, 512, 1024, 2048],
        out_channels=pyramid,
    )
    model = theirs.detection.KeypointRCNN(
        backbone,
        min_size=SIDES[0],
        max_size=SIDES[1],
        box_score_thresh=score,
        box_head=theirs.faster.TwoMLPHead(pyramid * 49, hidden),
        box_predictor=theirs.faster.FastRCNNPredictor(hidden, 2),
        keypoint_head=theirs.detection.KeypointRCNNHeads(pyramid, (heat, heat)),
        keypoint_predictor=theirs.detection.KeypointRCNNPredictor(heat, 17),
    ).eval()
    with torch.no_grad():
        settle(model, theirs.frozen)
        embolden(model)
    return model


@pytest.fixture(scope="module")
def pair(theirs: Any) -> tuple[Any, Network]:
    model = build(theirs, 0.05)
    network = Network(read_design(small_card(widths=WIDTHS))).eval()
    network.load_state_dict(model.state_dict(), strict=True)
    return model, network


def test_the_names_and_shapes_of_the_weights_are_torchvisions(theirs: Any) -> None:
    with torch.device("meta"):
        body = theirs.resnet.resnet50(weights=None, norm_layer=theirs.frozen)
        backbone = theirs.backbones._resnet_fpn_extractor(body, 3)
        model = theirs.detection.KeypointRCNN(backbone, 2, num_keypoints=17)
        network = Network(Design())
    assert [(name, tensor.shape) for name, tensor in network.state_dict().items()] == [
        (name, tensor.shape) for name, tensor in model.state_dict().items()
    ]


@pytest.mark.parametrize("score", [0.05, 0.7, 0.999], ids=["many", "some", "none"])
@pytest.mark.parametrize("number", range(4))
def test_the_same_people_as_torchvision(
    pair: tuple[Any, Network], number: int, score: float
) -> None:
    model, network = pair
    picture = made_up_pictures()[number]
    model.roi_heads.score_thresh = score
    with torch.no_grad():
        batch, _ = model.transform([torch.from_numpy(picture).permute(2, 0, 1) / 255.0])
        height, width = batch.image_sizes[0]
        levels = model.backbone(batch.tensors)
        proposals, _ = model.rpn(batch, levels)
        wanted = model.roi_heads(levels, proposals, batch.image_sizes)[0][0]
        limits = torch.tensor([float(width), float(height)]), torch.tensor([score])
        boxes, scores, maps = network(batch.tensors, *limits)
    found = decode(maps.numpy(), boxes.numpy())
    assert len(boxes) == len(wanted["boxes"])
    assert (len(boxes) == 0) == (score > 0.99)
    assert len(boxes) > 50 or score > 0.1
    np.testing.assert_allclose(boxes.numpy(), wanted["boxes"].numpy(), rtol=0, atol=1e-4)
    np.testing.assert_allclose(scores.numpy(), wanted["scores"].numpy(), rtol=0, atol=1e-5)
    keypoints = wanted["keypoints"].numpy()[..., :2].reshape(-1, 17, 2)
    np.testing.assert_allclose(found.keypoints, keypoints, rtol=0, atol=1e-4)
    logits = wanted["keypoints_scores"].numpy().reshape(-1, 17)
    np.testing.assert_allclose(found.logits, logits, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("number", range(4))
def test_pictures_are_prepared_as_by_torchvision(pair: tuple[Any, Network], number: int) -> None:
    picture = made_up_pictures()[number]
    batch, _ = pair[0].transform([torch.from_numpy(picture).permute(2, 0, 1) / 255.0])
    prepared = prepare(picture, small_card())
    assert prepared.size.tolist() == list(batch.image_sizes[0][::-1])
    np.testing.assert_allclose(prepared.pixels, batch.tensors.numpy(), rtol=0, atol=5e-6)


@pytest.mark.parametrize("number", range(4))
def test_from_picture_to_picture_as_torchvision(
    pair: tuple[Any, Network], number: int, tmp_path: Path
) -> None:
    """Both ways whole; the pixels' rounding may change the order of two nearly equal scores."""
    model, network = pair
    picture = made_up_pictures()[number]
    model.roi_heads.score_thresh = 0.5
    card = small_card(widths=WIDTHS, score=0.5)
    ours = rcnn.load(card, [save_checkpoint(tmp_path / "small.pth", network)])(picture)
    with torch.no_grad():
        wanted = model([torch.from_numpy(picture).permute(2, 0, 1) / 255.0])[0]
    boxes = wanted["boxes"].numpy()
    assert len(ours) == len(boxes) > 5
    away = np.abs(ours.boxes[:, None] - boxes).max(axis=2)
    same = away.argmin(axis=1)
    assert away.min(axis=1).max() < 2e-3
    np.testing.assert_allclose(ours.person_scores, wanted["scores"].numpy(), rtol=0, atol=1e-4)
    keypoints = wanted["keypoints"].numpy()[same, :, :2]
    assert (np.abs(ours.keypoints - keypoints).max(axis=2) < 2e-3).mean() > 0.995


@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize("sampling", [2, 3, 0])
def test_roi_align_is_torchvisions(theirs: Any, aligned: bool, sampling: int) -> None:
    made = torch.Generator().manual_seed(sampling)
    features = torch.randn(1, 5, 23, 31, generator=made)
    corners = torch.rand(200, 2, generator=made) * torch.tensor([140.0, 105.0]) - 10
    sides = torch.rand(200, 2, generator=made) ** 3 * 120 + 0.01
    boxes = torch.cat([corners, corners + sides], 1)
    wanted = theirs.ops.roi_align(features, [boxes], (7, 7), 0.25, sampling, aligned)
    options: dict[str, Any] = {"size": 7, "scale": 0.25, "sampling": sampling, "aligned": aligned}
    found = roi_align(features[0], boxes, **options)
    assert float((found - wanted).abs().max()) < 2e-6
    assert roi_align(features[0], boxes[:0], **options).shape == (0, 5, 7, 7)


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7])
def test_nms_is_torchvisions(theirs: Any, threshold: float) -> None:
    made = torch.Generator().manual_seed(7)
    corners = torch.rand(1500, 2, generator=made) * 200
    boxes = torch.cat([corners, corners + 10 + torch.rand(1500, 2, generator=made) * 60], 1)
    # Some scores tie, some boxes are the same.
    scores = (torch.rand(1500, generator=made) * 400).round() / 400
    boxes[700:800] = boxes[:100]
    wanted = torch.zeros(1500, dtype=torch.bool)
    wanted[theirs.ops.nms(boxes, scores, threshold)] = True
    found = nms(boxes, scores, torch.ones(1500, dtype=torch.bool), threshold)
    assert torch.equal(found, wanted)
    assert 10 < int(found.sum()) < 1400
