"""The table of docs/models.md: what each model finds, how fast it is, and what its card says.

    python benchmarks/models_table.py DATA [MODEL ...] [--passes 5] [--no-speed]

Prints one Markdown row a model: found, mean OKS and false people of coco_mini (``coco_mini.py``
says how they are counted), the speed on its still pictures and on a video of one person, both as
multiples of the default's (``rtmdet-nano+tinypose-256``; 2.0 is twice as fast), the published
accuracy and the licence.

SPEED IS ONLY WORTH SOMETHING ON A QUIET MACHINE. Every pass runs all models in turn, and the least
time of each model counts, so that what else the machine does falls on all of them alike; but give
it the machine for itself, and more passes.
"""

from __future__ import annotations

import argparse
import os
import time
from itertools import islice
from pathlib import Path

import numpy as np
from coco_mini import Photograph, measure, read_photographs

from poise.io import read_frames
from poise.models import find_model, load_model
from poise.models.base import PoseModel
from poise.poses import Frame

DEFAULT = "rtmdet-nano+tinypose-256"
MODELS = (
    DEFAULT,
    "rtmdet-nano+tinypose-128",
    "yolox-nano+tinypose-256",
    "picodet-s-pedestrian+tinypose-256",
    "picodet-s-pedestrian+tinypose-128",
    "rtmdet-nano+movenet-lightning",
    "movenet-lightning",
    "posenet-mobilenet",
    "posenet-mobilenet-small",
    "openpose-mobilenet-v2-small",
    "blazepose",
)
VIDEO = "videos/exercise/tfjs_pose_1.mp4"
PICTURES, FRAMES = 12, 60


def time_stills(model: PoseModel, photographs: list[Photograph]) -> float:
    """Return the seconds that a model takes for the first pictures."""
    begun = time.perf_counter()
    for photograph in photographs[:PICTURES]:
        model(photograph.image)
    return time.perf_counter() - begun


def time_video(model: PoseModel, frames: list[Frame]) -> float:
    """Return the seconds that a model takes to follow one person."""
    begun = time.perf_counter()
    for _ in model.follow(iter(frames)):
        pass
    return time.perf_counter() - begun


def speeds(
    models: dict[str, PoseModel], photographs: list[Photograph], frames: list[Frame], passes: int
) -> dict[str, tuple[float, float]]:
    """Return each model's speed on stills and on video, as multiples of the default's."""
    stills = {name: [] for name in models}
    videos = {name: [] for name in models}
    for number in range(passes + 1):
        for name, model in models.items():
            pair = time_stills(model, photographs), time_video(model, frames)
            if number:  # the first pass warms up
                stills[name].append(pair[0])
                videos[name].append(pair[1])
    still, video = min(stills[DEFAULT]), min(videos[DEFAULT])
    print(
        f"<!-- {DEFAULT}: {1e3 * still / PICTURES:.1f} ms a picture, "
        f"{1e3 * video / len(frames):.1f} ms a frame; least of {passes} -->"
    )
    return {name: (still / min(stills[name]), video / min(videos[name])) for name in models}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("models", nargs="*", default=MODELS)
    parser.add_argument("--passes", type=int, default=5)
    parser.add_argument("--no-speed", action="store_true")
    options = parser.parse_args()
    folders = [str(options.data / "weights"), os.environ.get("POISE_MODELS", "")]
    os.environ["POISE_MODELS"] = os.pathsep.join(filter(None, folders))
    photographs = read_photographs(options.data / "labelled" / "coco_mini")
    with read_frames(str(options.data / VIDEO)) as reader:
        frames = list(islice(reader, FRAMES))
    names = list(dict.fromkeys([DEFAULT, *options.models]))
    models = {name: load_model(name, precision="f32") for name in names}
    faster = {} if options.no_speed else speeds(models, photographs, frames, options.passes)
    print(
        "| model | found | mean OKS | false people | speed, stills | speed, video | published |"
        " licence |\n|---|---|---|---|---|---|---|---|"
    )
    for name, model in models.items():
        result, card = measure(model, photographs), find_model(name).reader
        ratios = [f"{value:.2f}" for value in faster.get(name, (np.nan, np.nan))]
        print(
            f"| `{name}` | {result.found:.2f} | {result.oks.mean():.2f} | {result.false:.2f} |"
            f" {ratios[0]} | {ratios[1]} | {card.accuracy.partition(' (')[0]} |"
            f" {card.licence.partition(' (')[0]} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
