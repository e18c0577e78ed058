"""What the order of the colours costs: each model with its own order, and with the other one.

    python benchmarks/channel_order.py DATA [MODEL ...] [--lsp 500]

DATA is the reference data folder. Only the model that is measured is given the other order; what
helps it (the detector of a crop model, the crop model of a detector) sees the right one.

- Crop models read the labelled boxes of the 72 people of coco_mini (as ``coco_mini.py`` counts
  them): mean OKS, and the share of an OKS above 0.5.
- Detectors: the share of these people whose box they find (intersection over union of 0.5), and
  what ``tinypose-256`` then finds in their boxes.
- Models that do all by themselves: what they find in the whole pictures.
- EfficientPose, whose keypoints are not COCO's, reads LSP-extended: PCK@0.2 of the torso.

The accuracy of ``other`` is what a program gets that hands OpenCV's pictures on without a thought.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

import numpy as np
from coco_mini import Photograph, match, read_photographs
from PIL import Image as Pictures

from poise.geometry import iou
from poise.models import find_cards, load_model
from poise.models.base import Detections
from poise.models.loading import load_card
from poise.models.regions import read_regions
from poise.models.topdown import TopDown
from poise.poses import Frame, Poses
from poise.skeleton import get_skeleton
from poise.weights import fetch_all

MODELS = (
    "tinypose-256",
    "tinypose-128",
    "movenet-lightning",
    "blazepose",
    "efficientpose-i",
    "efficientpose-rt",
    "rtmdet-nano",
    "yolox-nano",
    "picodet-s-pedestrian",
    "posenet-mobilenet",
    "openpose-mobilenet-v2-small",
)
COCO = get_skeleton("coco17")


class Other:
    """A detector or crop model that sees red as blue and blue as red."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def cut(self, image: np.ndarray, region: np.ndarray) -> np.ndarray:
        return self._inner.cut(swap(image), region)

    def detect(self, images: list[np.ndarray]) -> list[Detections]:
        return self._inner.detect([swap(image) for image in images])


def swap(image: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(image[..., ::-1])


def read_crops(reader: Any, photographs: list[Photograph]) -> tuple[float, float]:
    """Return mean OKS and share found of a crop model in the labelled boxes."""
    everyone = []
    for photograph in photographs:
        boxes = photograph.counted
        frame = Frame(photograph.image)
        if not len(boxes):
            continue
        found = Detections(boxes, np.ones(len(boxes), np.float32))
        poses = read_regions(reader, frame, reader.regions(found)).poses
        everyone.append(match(poses.to(COCO), photograph))
    likeness = np.concatenate(everyone)
    return float(likeness.mean()), float((likeness > 0.5).mean())


def read_whole(model: Any, photographs: list[Photograph], *, other: bool) -> tuple[float, float]:
    """Return mean OKS and share found of a model that does all by itself."""
    everyone = []
    for photograph in photographs:
        poses: Poses = model(swap(photograph.image) if other else photograph.image)
        everyone.append(match(poses.to(COCO), photograph))
    likeness = np.concatenate(everyone)
    return float(likeness.mean()), float((likeness > 0.5).mean())


def recall(detector: Any, photographs: list[Photograph]) -> float:
    """Return the share of the people that count whose box is found."""
    hits = []
    for photograph in photographs:
        boxes, (found,) = photograph.counted, detector.detect([photograph.image])
        if len(boxes):
            best = iou(found.boxes, boxes).max(axis=0) if len(found) else np.zeros(len(boxes))
            hits.append(best >= 0.5)
    return float(np.concatenate(hits).mean())


def read_lsp(reader: Any, folder: Path, count: int) -> float:
    """Return PCK@0.2 of the torso on the first pictures of LSP-extended that are there."""
    from scipy.io import loadmat

    labels = loadmat(folder / "joints.mat")["joints"]
    layout, right = get_skeleton("lsp14"), []
    for path in sorted(folder.rglob("im*.jpg"))[:count]:
        x, y, seen = labels[:, :, int(path.stem[2:]) - 1].T
        truth = np.where(seen[:, None] > 0, np.column_stack([x, y]), np.nan)
        torso = truth[layout.find("left_shoulder")] - truth[layout.find("right_hip")]
        reach = 0.2 * float(np.hypot(*torso))
        if not np.isfinite(reach) or np.isfinite(truth[:, 0]).sum() < 8:
            continue
        box = np.concatenate([np.nanmin(truth, axis=0), np.nanmax(truth, axis=0)])
        frame = Frame(np.asarray(Pictures.open(path).convert("RGB")))
        found = Detections(box[None].astype(np.float32), np.ones(1, np.float32))
        poses = read_regions(reader, frame, reader.regions(found)).poses.to(layout)
        away = np.linalg.norm(poses.keypoints[0] - truth, axis=1)
        right.append(away[np.isfinite(truth[:, 0])] <= reach)
    return float(np.concatenate(right).mean())


def measure(name: str, photographs: list[Photograph], lsp: Path, count: int) -> str:
    """Return one row of the table: what is measured, with the own order, with the other."""
    card = find_cards(name)[-1]
    if card.kind == "pose" and not card.settings.get("crop"):
        model = load_model(name, precision="f32")
        pair = [read_whole(model, photographs, other=other) for other in (False, True)]
        what = "mean OKS (found), whole pictures"
    elif card.kind == "detector":
        detector = load_card(card, fetch_all(card.files), precision="f32")
        reader = _part("tinypose-256")
        pair = [
            (recall(one, photographs), read_whole(TopDown(one, reader, name=name), photographs,
                                                  other=False)[1])
            for one in (detector, Other(detector))
        ]  # fmt: skip
        what = "boxes found (people found with tinypose-256)"
    elif card.skeleton == "mpii16":
        reader = _part(name)
        values = [read_lsp(one, lsp, count) for one in (reader, Other(reader))]
        return _row(name, card.channels, "PCK@0.2, LSP-extended", *(f"{v:.3f}" for v in values))
    elif card.settings.get("anchors"):
        model = load_model(name, precision="f32")
        wrong = load_model(name, precision="f32")
        wrong._reader = Other(wrong._reader)
        pair = [read_whole(one, photographs, other=False) for one in (model, wrong)]
        what = "mean OKS (found), whole pictures"
    else:
        reader = _part(name)
        pair = [read_crops(one, photographs) for one in (reader, Other(reader))]
        what = "mean OKS (found), labelled boxes"
    return _row(name, card.channels, what, *(f"{a:.3f} ({b:.2f})" for a, b in pair))


def _part(name: str) -> Any:
    card = find_cards(name)[-1]
    return load_card(card, fetch_all(card.files), precision="f32")


def _row(name: str, order: str, what: str, own: str, other: str) -> str:
    return f"| `{name}` | {order} | {what} | {own} | {other} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("models", nargs="*", default=MODELS)
    parser.add_argument("--lsp", type=int, default=500, help="pictures of LSP-extended")
    options = parser.parse_args()
    folders = [str(options.data / "weights"), os.environ.get("POISE_MODELS", "")]
    os.environ["POISE_MODELS"] = os.pathsep.join(filter(None, folders))
    photographs = read_photographs(options.data / "labelled" / "coco_mini")
    print("| model | its order | figure | own order | the other |\n|---|---|---|---|---|")
    for name in options.models:
        row = measure(name, photographs, options.data / "labelled" / "lspe", options.lsp)
        print(row, flush=True)


if __name__ == "__main__":
    main()
