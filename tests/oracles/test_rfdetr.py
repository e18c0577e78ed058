"""Equality with rfdetr 1.11.2 (Apache-2.0): its own postprocessing of the same tensors."""

from __future__ import annotations

import dataclasses
import importlib.util
import warnings

import numpy as np
import pytest

from poise.models.detr import Detr
from poise.models.detr_pose import DetrPose
from poise.models.table import CARDS


@pytest.fixture(scope="module")
def post_process():
    """Their ``PostProcess``; torchvision may be a build whose own operators do not load."""
    torch = pytest.importorskip("torch")
    if importlib.util.find_spec("rfdetr") is None:
        # Else torchvision would be left half imported for the tests after this one.
        pytest.skip("rfdetr is not installed")
    libraries = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            pytest.importorskip("torchvision")
        except RuntimeError:
            libraries.append(torch.library.Library("torchvision", "FRAGMENT"))
            for name in ("nms", "qnms"):
                libraries[0].define(f"{name}(Tensor boxes, Tensor scores, float most) -> Tensor")
        found = pytest.importorskip("rfdetr.models.postprocess")
    yield found.PostProcess
    libraries.clear()


class Answer:
    precision = "f32"
    input_shapes = ((-1, 576, 576, 3),)

    def __init__(self, *outputs):
        self.outputs = list(outputs)

    def run(self, _):
        return self.outputs


def tensors(seed, *, slots, classes, queries=100):
    random = np.random.default_rng(seed)
    middle, size = (
        random.uniform(0.2, 0.8, (1, queries, 2)),
        random.uniform(0.05, 0.9, (1, queries, 2)),
    )
    boxes = np.concatenate([middle, size], axis=2).astype(np.float32)
    logits = random.normal(-2, 1, (1, queries, classes)).astype(np.float32)
    logits[..., slots - 1] = random.normal(0, 2, (1, queries))
    joints = random.normal(0, 1, (1, queries, slots * 17, 8)).astype(np.float32)
    joints[..., :2] = random.uniform(-0.1, 1.1, (1, queries, slots * 17, 2))
    joints[..., 4:7] += [3, 0, 3]
    return boxes, logits, joints


@pytest.mark.parametrize("trace", [0.0, 0.2, 0.5])
@pytest.mark.parametrize(("slots", "classes"), [(1, 2), (2, 2), (1, 91)])
def test_keypoints_are_theirs(post_process, slots, classes, trace):
    torch = pytest.importorskip("torch")
    known = [17] if slots == 1 else [0, 17]
    for seed in range(10):
        boxes, logits, joints = tensors(seed, slots=slots, classes=classes)
        theirs = post_process(100 * classes, known, trace)(
            {
                "pred_logits": torch.from_numpy(logits),
                "pred_boxes": torch.from_numpy(boxes),
                "pred_keypoints": torch.from_numpy(joints),
            },
            torch.tensor([[300, 500]]),
        )[0]
        theirs = {name: value.numpy() for name, value in theirs.items()}
        keep = np.flatnonzero((theirs["labels"] == slots - 1) & (theirs["scores"] >= 0.5))
        keep = keep[np.argsort(-theirs["scores"][keep], kind="stable")]
        card = dataclasses.replace(
            CARDS["rf-detr-keypoint-preview"], settings={"trace": trace, "score": 0.5}
        )
        ours = DetrPose(Answer(boxes, logits, joints), card)(np.zeros((300, 500, 3), np.uint8))
        assert 0 < len(ours) == len(keep)
        np.testing.assert_allclose(ours.person_scores, theirs["scores"][keep], atol=2e-6)
        np.testing.assert_allclose(ours.boxes, theirs["boxes"][keep], atol=1e-2)
        found = theirs["keypoints"][keep]
        np.testing.assert_allclose(ours.keypoints, found[..., :2], atol=1e-2)
        np.testing.assert_allclose(ours.scores, found[..., 2], atol=1e-6)


def test_detections_are_theirs(post_process):
    torch = pytest.importorskip("torch")
    for seed in range(10):
        boxes, logits, _ = tensors(seed, slots=2, classes=91, queries=300)
        theirs = post_process(300 * 91)(
            {"pred_logits": torch.from_numpy(logits), "pred_boxes": torch.from_numpy(boxes)},
            torch.tensor([[300, 500]]),
        )[0]
        theirs = {name: value.numpy() for name, value in theirs.items()}
        keep = (theirs["labels"] == 1) & (theirs["scores"] >= 0.5)
        (ours,) = Detr(Answer(boxes, logits), CARDS["rf-detr-nano"]).detect(
            [np.zeros((300, 500, 3), np.uint8)]
        )
        assert 0 < len(ours) == keep.sum()
        np.testing.assert_allclose(ours.scores, theirs["scores"][keep], atol=1e-6)
        np.testing.assert_allclose(ours.boxes, theirs["boxes"][keep], atol=1e-2)
