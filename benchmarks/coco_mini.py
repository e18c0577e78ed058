"""How many of the people of labelled photographs a model finds, and how well.

    python benchmarks/coco_mini.py DATA [MODEL ...] [--precision f32]

DATA is the reference data folder. People with at least five labelled keypoints count: found means
that the pose matched to them one-to-one (so that the sum of the OKS is largest) has an OKS above
0.5. A person is false where no labelled box, of anyone, overlaps the pose's own box by 0.3
(intersection over union) and the box's middle is in no labelled crowd. Weights are looked for by
hash in DATA/weights and the folders of POISE_MODELS, and fetched if they are in neither.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image as Pictures

from poise.geometry import iou, oks
from poise.models import load_model
from poise.models.base import PoseModel
from poise.poses import Image, Poses
from poise.skeleton import get_skeleton

MODELS = ("rtmdet-nano+tinypose-256", "blazepose")
LEAST_KEYPOINTS = 5


@dataclass
class Photograph:
    """A labelled picture: P people with keypoints and boxes, B boxes of all people, C of crowds."""

    image: Image
    keypoints: np.ndarray
    areas: np.ndarray
    counted: np.ndarray
    boxes: np.ndarray
    crowds: np.ndarray


@dataclass
class Result:
    """What a model reached on all people of all photographs."""

    oks: np.ndarray
    false: float
    milliseconds: float

    @property
    def found(self) -> float:
        """The part of the people whose OKS is above 0.5."""
        return float((self.oks > 0.5).mean())


def read_photographs(folder: Path) -> list[Photograph]:
    """Read the pictures that are there and whose people have labels."""
    labels = json.loads((folder / "annotations/person_keypoints_train2017.json").read_text())
    found = []
    for row in labels["images"]:
        path = folder / "train2017" / row["file_name"]
        if path.is_file():
            people = [a for a in labels["annotations"] if a["image_id"] == row["id"]]
            image = np.asarray(Pictures.open(path).convert("RGB"))
            found.append(_label(image, people))
    return found


def _label(image: Image, people: list[dict]) -> Photograph:
    counted = [
        one for one in people if not one["iscrowd"] and one["num_keypoints"] >= LEAST_KEYPOINTS
    ]
    points = np.array([one["keypoints"] for one in counted], np.float32).reshape(-1, 17, 3)
    return Photograph(
        image,
        np.where(points[..., 2:] > 0, points[..., :2], np.nan).astype(np.float32),
        np.array([one["area"] for one in counted], np.float32),
        _boxes(counted),
        _boxes([one for one in people if not one["iscrowd"]]),
        _boxes([one for one in people if one["iscrowd"]]),
    )


def _boxes(people: list[dict]) -> np.ndarray:
    boxes = np.array([one["bbox"] for one in people], np.float32).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    return boxes


def match(poses: Poses, photograph: Photograph) -> np.ndarray:
    """Return (P,) the OKS of each labelled person's own pose; 0 where nobody was found."""
    from scipy.optimize import linear_sum_assignment

    best = np.zeros(len(photograph.areas))
    sigmas = get_skeleton("coco17").sigmas
    if len(poses) and len(best):
        likeness = oks(poses.keypoints, photograph.keypoints, photograph.areas, sigmas)
        rows, columns = linear_sum_assignment(-likeness)
        best[columns] = likeness[rows, columns]
    return best


def count_false(poses: Poses, photograph: Photograph) -> int:
    """Return how many poses belong to nobody who is labelled."""
    boxes = poses.boxes
    near = (iou(boxes, photograph.boxes) >= 0.3).any(axis=1)
    middle = (boxes[:, None, :2] + boxes[:, None, 2:]) / 2
    low, high = photograph.crowds[None, :, :2], photograph.crowds[None, :, 2:]
    crowd = ((middle >= low) & (middle <= high)).all(axis=2).any(axis=1)
    return int(np.count_nonzero(~(near | crowd)))


def measure(model: PoseModel, photographs: list[Photograph]) -> Result:
    """Run a model on every photograph."""
    likeness, false = [], 0
    begun = time.perf_counter()
    everyone = [model(photograph.image).to(get_skeleton("coco17")) for photograph in photographs]
    spent = time.perf_counter() - begun
    for poses, photograph in zip(everyone, photographs, strict=True):
        likeness.append(match(poses, photograph))
        false += count_false(poses, photograph)
    count = len(photographs)
    return Result(np.concatenate(likeness), false / count, 1e3 * spent / count)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("models", nargs="*", default=MODELS)
    parser.add_argument("--precision", default="f32")
    options = parser.parse_args()
    folders = [str(options.data / "weights"), os.environ.get("POISE_MODELS", "")]
    os.environ["POISE_MODELS"] = os.pathsep.join(filter(None, folders))
    photographs = read_photographs(options.data / "labelled" / "coco_mini")
    print(f"{'model':28} people  found  mean OKS  false/picture  ms/picture")
    for name in options.models:
        model = load_model(name, precision=options.precision, report=_tell)
        result = measure(model, photographs)
        print(
            f"{name:28} {len(result.oks):6} {result.found:6.3f} {result.oks.mean():9.3f}"
            f" {result.false:14.2f} {result.milliseconds:11.1f}"
        )


def _tell(line: str) -> None:
    print(line, file=sys.stderr)


if __name__ == "__main__":
    main()
