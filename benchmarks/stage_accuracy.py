"""How far a model's keypoints are from the synthetic stage's truth.

``python benchmarks/stage_accuracy.py MODEL...``. For one to four people in full view: the share of
people found, the mean keypoint error as a share of the person's height, id switches, and what
smoothing does to jitter and error. The jitter is the mean second difference of the keypoints.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field

import numpy as np

from poise.clip import Clip
from poise.geometry import oks
from poise.models import load_model
from poise.models.base import PoseModel
from poise.pipeline import estimate
from poise.smoothing import smooth
from poise.synthetic import Dancer, Stage, dance, squats, walk, waves


@dataclass
class Scores:
    """What one scene gave."""

    errors: list[float] = field(default_factory=list)
    found: int = 0
    people: int = 0
    switches: int = 0
    extra: int = 0


def scenes() -> dict[str, Stage]:
    """Return the scenes: one to four people in full view, and two who cross."""
    spots = {1: [0.0], 2: [-0.8, 0.8], 3: [-1.3, 0.0, 1.3], 4: [-1.8, -0.6, 0.6, 1.8]}
    moves = [dance(), squats(), waves(), walk()]
    made = {
        f"{count} in full view": Stage(
            [Dancer(moves[i % 4], position=(x, 0.0)) for i, x in enumerate(xs)],
            size=(960, 540),
            fps=15.0,
            duration=4.0,
            seed=count,
        )
        for count, xs in spots.items()
    }
    left = Dancer(walk(), path=[(0.0, -1.8, 0.0), (10.0, 1.8, 0.0)])
    right = Dancer(walk(), path=[(0.0, 1.8, 0.7), (10.0, -1.8, 0.7)])
    made["crossing, 10 s"] = Stage([left, right], size=(960, 540), fps=30.0, duration=10.0)
    return made


def measure(stage: Stage, clip: Clip) -> Scores:
    """Match everyone to the truth by OKS, frame by frame."""
    scores, last = Scores(), {}
    for poses in clip.frames:
        truth = stage.truth(poses.index).to(clip.skeleton)
        heights = truth.boxes[:, 3] - truth.boxes[:, 1]
        areas = heights * (truth.boxes[:, 2] - truth.boxes[:, 0])
        likeness = oks(poses.keypoints, truth.keypoints, areas, clip.skeleton.sigmas)
        scores.people += len(truth)
        matched = 0
        while likeness.size and likeness.max() > 0.2:
            person, real = np.unravel_index(likeness.argmax(), likeness.shape)
            likeness[person], likeness[:, real] = 0, 0
            away = np.linalg.norm(poses.keypoints[person] - truth.keypoints[real], axis=1)
            scores.errors.append(float(np.nanmean(away) / heights[real]))
            identity = poses.ids[person]
            scores.switches += last.get(real, identity) != identity
            last[real] = identity
            matched += 1
        scores.found += matched
        scores.extra += len(poses) - matched
    return scores


def jitter(clip: Clip) -> float:
    """Return the mean second difference of the keypoints in pixels, over the longest track."""
    points = clip.tracks()[0].keypoints
    return float(np.nanmean(np.linalg.norm(np.diff(points, n=2, axis=0), axis=2)))


def report(model: PoseModel) -> None:
    """Print one line a scene."""
    print(f"\n{model.name} ({model.precision})")
    for name, stage in scenes().items():
        with estimate(stage.frames(), model) as found:
            clip = Clip(tuple(found), found.header)
        raw = measure(stage, clip)
        line = (
            f"  {name:16} found {raw.found / raw.people:6.1%}  extra {raw.extra:3}"
            f"  error {np.mean(raw.errors):.2%} of height  id switches {raw.switches}"
        )
        for method in ("one-euro", "savgol", "butterworth"):
            calm = smooth(clip, method)
            after = measure(stage, calm)
            line += (
                f"  | {method} jitter x{jitter(calm) / jitter(clip):.2f}"
                f" error x{np.mean(after.errors) / np.mean(raw.errors):.2f}"
            )
        print(line)


def main() -> None:
    """Measure the models that were named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="+")
    for name in parser.parse_args().models:
        report(load_model(name))


if __name__ == "__main__":
    main()
