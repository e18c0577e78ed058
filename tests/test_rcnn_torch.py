"""Keypoint R-CNN in torch: its operators, its parts, and checkpoints of either publisher."""

from __future__ import annotations

import math
import pickle
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from poise.errors import WeightsError
from poise.geometry import iou, suppress
from poise.models import load_model, rcnn
from poise.models.rcnn.design import Design, read_design
from rcnn_small import made_up_network, made_up_pictures, save_checkpoint, small_card

torch = pytest.importorskip("torch")

from poise.models.rcnn import checkpoint, network, operators, proposals  # noqa: E402


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Of networks as small as these, several threads only wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


# --- operators -----------------------------------------------------------------------------------


def made_up_boxes(count: int, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    corners = rng.uniform(0, 60, (count, 2))
    return np.concatenate([corners, corners + rng.uniform(5, 40, (count, 2))], 1).astype(np.float32)


def keep(boxes: Any, scores: Any, present: Any, threshold: float) -> list[int]:
    arrays = map(torch.as_tensor, (boxes, scores, present))
    return operators.nms(*arrays, threshold).nonzero()[:, 0].tolist()


@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.7])
def test_nms_is_the_greedy_one(threshold: float) -> None:
    boxes = made_up_boxes(300)
    scores = np.random.default_rng(1).permutation(300).astype(np.float32)
    wanted = sorted(suppress(boxes, scores, threshold).tolist())
    assert 5 < len(wanted) < 295
    assert keep(boxes, scores, np.ones(300, bool), threshold) == wanted


def test_nms_of_a_chain_of_ties_and_of_absent_boxes() -> None:
    """Each overlaps the next: every other one stays, for what is suppressed suppresses nothing."""
    x = np.arange(0, 40, 4, dtype=np.float32)
    boxes = np.stack([x, 0 * x, x + 10, 0 * x + 10], 1)
    assert iou(boxes[:1], boxes[1:3])[0].tolist() == pytest.approx([6 / 14, 2 / 18])
    falling, present = np.arange(10, 0, -1, dtype=np.float32), np.ones(10, bool)
    assert keep(boxes, falling, present, 0.4) == [0, 2, 4, 6, 8]
    assert keep(boxes, np.ones(10, np.float32), present, 0.4) == [0, 2, 4, 6, 8]
    present[0] = False
    assert keep(boxes, falling, present, 0.4) == [1, 3, 5, 7, 9]
    assert keep(boxes, falling, np.zeros(10, bool), 0.4) == []
    assert keep(boxes[:0], falling[:0], present[:0], 0.4) == []


def align_one(
    features: Any, box: Any, *, size: int, scale: float, sampling: int, aligned: bool
) -> Any:
    """RoIAlign of one box as the definition has it, sample by sample."""
    _, height, width = features.shape
    x0, y0, x1, y1 = np.array(box, float) * scale - (0.5 if aligned else 0)
    wide, high = x1 - x0, y1 - y0
    if not aligned:
        wide, high = max(wide, 1.0), max(high, 1.0)
    counts = [sampling or math.ceil(side / size) for side in (high, wide)]
    out = np.zeros((len(features), size, size))
    for row, column in np.ndindex(size, size):
        for i, j in np.ndindex(*counts):
            y = y0 + (row + (i + 0.5) / counts[0]) * high / size
            x = x0 + (column + (j + 0.5) / counts[1]) * wide / size
            if not (-1 <= y <= height and -1 <= x <= width):
                continue
            y, x = np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)
            top, left = int(y), int(x)
            below, right = min(top + 1, height - 1), min(left + 1, width - 1)
            upper = features[:, top, left] * (left + 1 - x) + features[:, top, right] * (x - left)
            lower = features[:, below, left] * (left + 1 - x) + features[:, below, right] * (
                x - left
            )
            out[:, row, column] += (upper * (top + 1 - y) + lower * (y - top)) / math.prod(counts)
    return out


@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize("sampling", [2, 0])
def test_roi_align_is_its_definition(aligned: bool, sampling: int) -> None:
    features = np.random.default_rng(2).normal(size=(3, 12, 17)).astype(np.float32)
    boxes = [[3, 5, 40, 33], [-9, -7, 20, 11], [50, 30, 90, 70], [7, 7, 7.5, 9], [0, 0, 68, 48]]
    options: dict[str, Any] = {"size": 4, "scale": 0.25, "sampling": sampling, "aligned": aligned}
    found = operators.roi_align(torch.tensor(features), torch.tensor(boxes), **options)
    for box, part in zip(boxes, found.numpy(), strict=True):
        np.testing.assert_allclose(part, align_one(features, box, **options), atol=1e-5)


def test_a_slope_is_read_where_the_box_is_when_aligned() -> None:
    """Cell i of a map of stride 4 is at 4 i + 2 pixels; unaligned, RoIAlign reads 2 pixels off."""
    slope = (torch.arange(40.0) * 4 + 2).expand(1, 40, 40)
    box = torch.tensor([[24.0, 24.0, 80.0, 80.0]])
    wanted = 24 + (torch.arange(7) + 0.5) * 8
    for aligned, off in ((True, 0.0), (False, 2.0)):
        cut = operators.roi_align(slope, box, size=7, scale=0.25, sampling=2, aligned=aligned)
        assert torch.allclose(cut[0, 0, 3], wanted + off)


def test_each_box_looks_at_its_own_level() -> None:
    sides = [10, 111, 112, 223, 224, 447, 448, 2000]
    boxes = torch.tensor([[0.0, 0.0, side, side] for side in sides])
    levels = network.choose_levels(boxes)
    assert levels.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    maps = [torch.full((1, 2, 512 // 2**n, 512 // 2**n), float(n)) for n in range(4)]
    cut = operators.pyramid_align(maps, boxes, levels, size=3, sampling=2, aligned=True)
    assert cut.shape == (8, 2, 3, 3)
    assert cut[:, 0, 1, 1].tolist() == pytest.approx(levels.tolist(), abs=1e-5)


# --- proposals -----------------------------------------------------------------------------------


def test_boxes_that_were_encoded_come_back() -> None:
    anchors, boxes = torch.tensor(made_up_boxes(50)), torch.tensor(made_up_boxes(50, 5))
    sides, middles = anchors[:, 2:] - anchors[:, :2], (anchors[:, 2:] + anchors[:, :2]) / 2
    new_sides, new_middles = boxes[:, 2:] - boxes[:, :2], (boxes[:, 2:] + boxes[:, :2]) / 2
    deltas = torch.cat([(new_middles - middles) / sides, (new_sides / sides).log()], 1)
    assert float((proposals.move(anchors, deltas) - boxes).abs().max()) < 1e-4
    grown = proposals.move(torch.tensor([[0.0, 0, 16, 16]]), torch.full((1, 4), 50.0))
    assert float((grown[:, 2:] - grown[:, :2]).max()) == pytest.approx(1000, rel=1e-5)


@pytest.mark.parametrize(("style", "stride"), [("torchvision", 61.0), ("detectron2", 64.0)])
def test_anchors_of_the_coarsest_level_of_800_pixels(style: str, stride: float) -> None:
    proposer = proposals.Proposer(Design(style=style, pyramid=4))
    anchors = proposer._anchors(torch.zeros(1, 4, 13, 17), 4, torch.zeros(1, 3, 800, 1088))
    assert anchors.shape == (13 * 17 * 3, 4)
    middles = (anchors[:, :2] + anchors[:, 2:]) / 2
    assert middles[0].tolist() == [0, 0]
    across = 1088 // 17 if style == "torchvision" else 64.0
    assert middles[3].tolist() == [across, 0]
    assert middles[17 * 3].tolist() == [0, stride]
    sides = anchors[:3, 2:] - anchors[:3, :2]
    assert sides[1].tolist() == [512, 512]
    wanted = [724.0, 362.0] if style == "torchvision" else [724.0773, 362.0387]
    assert sides[0].tolist() == pytest.approx(wanted, abs=1e-4)


# --- the family ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rcnn")
    made = made_up_network()
    save_checkpoint(folder / "small.pth", made)
    torch.save({"model": to_detectron2(made.state_dict()), "iteration": 7}, folder / "theirs.pth")
    return folder


def test_people_of_a_checkpoint(checkpoints: Path) -> None:
    model = rcnn.load(small_card(score=0.5), [checkpoints / "small.pth"])
    assert (model.name, model.precision, model.skeleton.name) == ("small-rcnn", "f32", "coco17")
    pictures = made_up_pictures()[:2]
    first, second = model(pictures[0]), model(pictures[1])
    assert len(first) > 20
    assert first.size == (160, 120)
    assert (np.diff(first.person_scores) <= 0).all()
    assert first.person_scores.min() > 0.5
    assert first.boxes.min() >= 0
    assert (first.boxes <= [160, 120, 160, 120]).all()
    low, high = first.boxes[:, None, :2], first.boxes[:, None, 2:]
    assert ((first.keypoints >= low - 0.01) & (first.keypoints <= high + 0.01)).all()
    assert (first.scores > 0).all()
    overlaps = iou(first.boxes, first.boxes) - np.eye(len(first))
    assert overlaps.max() <= 0.5 + 1e-4
    assert not np.array_equal(first.boxes[:5], second.boxes[:5])
    again = model(pictures[0])
    assert again.keypoints.tobytes() == first.keypoints.tobytes()


def test_a_higher_least_score_takes_the_others_away(checkpoints: Path) -> None:
    path, picture = [checkpoints / "small.pth"], made_up_pictures()[2]
    many = rcnn.load(small_card(score=0.05), path)(picture)
    least = float(many.person_scores[7])
    few = rcnn.load(small_card(score=least), path)(picture)
    assert len(few) == 7
    np.testing.assert_allclose(few.boxes, many.boxes[:7], atol=1e-4)
    assert len(rcnn.load(small_card(score=1.0), path)(picture)) == 0


# --- checkpoints ---------------------------------------------------------------------------------

# How Detectron2 names its parts (its own `state_dict`), written down apart from what reads them.
THEIRS = {
    "backbone.body.conv1": "backbone.bottom_up.stem.conv1",
    "backbone.body.bn1": "backbone.bottom_up.stem.conv1.norm",
    **{
        f"backbone.body.layer{stage}.0.{ours}": f"backbone.bottom_up.res{stage + 1}.0.{theirs}"
        for stage in (1, 2, 3, 4)
        for ours, theirs in {
            **{f"conv{n}": f"conv{n}" for n in (1, 2, 3)},
            **{f"bn{n}": f"conv{n}.norm" for n in (1, 2, 3)},
            "downsample.0": "shortcut",
            "downsample.1": "shortcut.norm",
        }.items()
    },
    **{f"backbone.fpn.inner_blocks.{n}.0": f"backbone.fpn_lateral{n + 2}" for n in range(4)},
    **{f"backbone.fpn.layer_blocks.{n}.0": f"backbone.fpn_output{n + 2}" for n in range(4)},
    "rpn.head.conv.0.0": "proposal_generator.rpn_head.conv",
    "rpn.head.cls_logits": "proposal_generator.rpn_head.objectness_logits",
    "rpn.head.bbox_pred": "proposal_generator.rpn_head.anchor_deltas",
    "roi_heads.box_head.fc6": "roi_heads.box_head.fc1",
    "roi_heads.box_head.fc7": "roi_heads.box_head.fc2",
    "roi_heads.box_predictor.cls_score": "roi_heads.box_predictor.cls_score",
    "roi_heads.box_predictor.bbox_pred": "roi_heads.box_predictor.bbox_pred",
    "roi_heads.keypoint_head.0": "roi_heads.keypoint_head.conv_fcn1",
    "roi_heads.keypoint_head.2": "roi_heads.keypoint_head.conv_fcn2",
    "roi_heads.keypoint_predictor.kps_score_lowres": "roi_heads.keypoint_head.score_lowres",
}


def to_detectron2(state: dict[str, Any]) -> dict[str, Any]:
    """Return weights as Detectron2 saves them: person, then background; deltas of persons."""
    named = {
        "pixel_mean": torch.zeros(3, 1, 1),
        "proposal_generator.anchor_generator.cell_anchors.0": torch.zeros(3, 4),
    }
    for name, tensor in state.items():
        part, kind = name.rsplit(".", 1)
        if part.endswith("cls_score"):
            tensor = tensor.flip(0)  # noqa: PLW2901
        if part.endswith("box_predictor.bbox_pred"):
            tensor = tensor[4:]  # noqa: PLW2901
        named[f"{THEIRS[part]}.{kind}"] = tensor
    return named


def test_detectron2s_names_become_torchvisions(checkpoints: Path) -> None:
    ours = made_up_network().state_dict()
    design = read_design(small_card("detectron2"))
    loaded = checkpoint.load_network(checkpoints / "theirs.pth", design).state_dict()
    assert list(loaded) == list(ours)
    for name, tensor in ours.items():
        if "box_predictor.bbox_pred" in name:
            tensor[:4] = 0  # nobody reads the background's
        assert torch.equal(loaded[name], tensor), name


def test_every_name_of_a_whole_detectron2_network_is_known() -> None:
    """Also of more blocks, more layers and two digits."""
    with torch.device("meta"):
        ours = network.Network(Design(blocks=(3, 4, 23, 3)))
    renamed = {}
    for name in ours.state_dict():
        stage = name.split(".")[2].removeprefix("layer")
        head = f"backbone.body.layer{stage}."
        if name.startswith(head) and stage.isdigit():
            block, part = name.removeprefix(head).split(".", 1)
            known = f"{head}0.{part}".rsplit(".", 1)
            theirs = THEIRS[known[0]].replace(".0.", f".{block}.", 1)
            renamed[name] = f"{theirs}.{known[1]}"
        elif name.startswith("roi_heads.keypoint_head."):
            number, kind = name.split(".")[2:]
            renamed[name] = f"roi_heads.keypoint_head.conv_fcn{int(number) // 2 + 1}.{kind}"
        else:
            part, kind = name.rsplit(".", 1)
            renamed[name] = f"{THEIRS[part]}.{kind}"
    found = checkpoint.from_detectron2({theirs: torch.zeros(1) for theirs in renamed.values()})
    assert set(found) == set(renamed)


def test_detectron2_looks_elsewhere_with_the_same_numbers(checkpoints: Path) -> None:
    """Its stride in the first convolution, its RoIAlign and its channels change what is found."""
    picture = made_up_pictures()[1]
    ours = rcnn.load(small_card(score=0.5), [checkpoints / "small.pth"])(picture)
    model = rcnn.load(small_card("detectron2", score=0.5), [checkpoints / "theirs.pth"])
    theirs = model(picture)
    assert len(theirs) > 5
    assert not np.allclose(ours.boxes[:5], theirs.boxes[:5], atol=0.1)
    design = read_design(small_card("detectron2"))
    stage = network.Network(design).backbone.body.layer2[0]
    assert (stage.conv1.stride, stage.conv2.stride) == ((2, 2), (1, 1))
    # With red and blue exchanged in the picture and in the card, all is as before.
    card = small_card("detectron2", score=0.5)
    turned = type(card)(**{**vars(card), "channels": "RGB", "mean": card.mean, "std": card.std})
    exchanged = rcnn.load(turned, [checkpoints / "theirs.pth"])(picture[..., ::-1].copy())
    np.testing.assert_array_equal(exchanged.boxes, theirs.boxes)


def test_names_of_old_files_and_numbers_that_are_no_weights(tmp_path: Path) -> None:
    state = made_up_network().state_dict()
    old = {
        name.replace("rpn.head.conv.0.0.", "rpn.head.conv.")
        .replace(".0.weight", ".weight" if "_blocks" in name else ".0.weight")
        .replace(".0.bias", ".bias" if "_blocks" in name else ".0.bias"): tensor
        for name, tensor in state.items()
    }
    assert "backbone.fpn.inner_blocks.2.weight" in old
    old["backbone.body.bn1.num_batches_tracked"] = torch.tensor(4)
    torch.save(old, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    loaded = checkpoint.load_network(tmp_path / "old.pth", read_design(small_card()))
    assert all(torch.equal(loaded.state_dict()[name], state[name]) for name in state)


@pytest.mark.parametrize(
    ("style", "file", "message"),
    [
        ("torchvision", "theirs.pth", "these are Detectron2's weights; use detectron2-keypoint"),
        ("detectron2", "small.pth", "these are torchvision's weights; use keypoint-rcnn"),
    ],
)
def test_each_style_refuses_the_others_weights(
    checkpoints: Path, style: str, file: str, message: str
) -> None:
    with pytest.raises(WeightsError, match=message):
        rcnn.load(small_card(style), [checkpoints / file])


def test_weights_of_another_model_or_shape(checkpoints: Path, tmp_path: Path) -> None:
    path = tmp_path / "other.pth"
    torch.save({"layer1.weight": torch.zeros(2), "fc.bias": torch.zeros(2)}, path)
    wanted = (
        r"missing backbone.body.conv1.weight, .* and \d+ more; not known layer1.weight, fc.bias"
    )
    with pytest.raises(WeightsError, match=wanted):
        rcnn.load(small_card(), [path])
    with pytest.raises(WeightsError, match=r"missing .*layer1\.1\.conv1\.weight"):
        load_model("keypoint-rcnn", weights=checkpoints / "small.pth")
    wide = small_card(widths=(8.0, 16.0, 64.0, 16.0))
    wanted = r"roi_heads.box_head.fc6.weight: wanted \(64, 784\), got \(32, 784\)"
    with pytest.raises(WeightsError, match=wanted):
        rcnn.load(wide, [checkpoints / "small.pth"])


class _Touch:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.path,))


def test_code_in_a_checkpoint_does_not_run(tmp_path: Path) -> None:
    marker, path = tmp_path / "ran", tmp_path / "bad.pth"
    torch.save({"model": {"a": torch.zeros(1)}, "hook": _Touch(marker)}, path)
    plain = tmp_path / "plain.pth"
    plain.write_bytes(pickle.dumps(_Touch(marker)))
    for bad in (path, plain):
        with pytest.raises(WeightsError, match="refused: it is not plain tensors alone"):
            rcnn.load(small_card(), [bad])
    assert not marker.exists()
    pickle.loads(plain.read_bytes())
    assert marker.exists(), "the trap would not have gone off"


def test_what_is_no_checkpoint(checkpoints: Path, tmp_path: Path) -> None:
    whole = (checkpoints / "small.pth").read_bytes()
    cases = {"cut": whole[: len(whole) // 2], "empty": b"", "text": b"<html>404</html>"}
    for name, content in cases.items():
        path = tmp_path / f"{name}.pth"
        path.write_bytes(content)
        with pytest.raises(WeightsError, match=rf"{name}.pth: (not a checkpoint|refused)") as told:
            rcnn.load(small_card(), [path])
        assert "\n" not in str(told.value)
    with zipfile.ZipFile(tmp_path / "zip.pth", "w") as archive:
        archive.writestr("readme", "nothing")
    with pytest.raises(WeightsError, match="not a checkpoint that torch can read"):
        rcnn.load(small_card(), [tmp_path / "zip.pth"])
    for number, content in enumerate(([1, 2], {}, {"model": {"a": 3}}, torch.zeros(2))):
        torch.save(content, tmp_path / f"{number}.pth")
        with pytest.raises(WeightsError, match="wanted named tensors, got a"):
            rcnn.load(small_card(), [tmp_path / f"{number}.pth"])
