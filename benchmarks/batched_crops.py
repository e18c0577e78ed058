"""What a frame with several people costs, against as many calls with one person each.

    python benchmarks/batched_crops.py [--model NAME] [--people 8] [--rounds 40] [--precision f32]

Three ways to read the same people in the same boxes, in turns, so that a busy machine disturbs all
of them alike: everyone at once; one call a person with the same model; and one call a person with
a model whose network puts every core on one crop, which is the fastest that a single call can be.
The boxes are given, so that the detector costs nothing on either side. Printed are the minimum and
the median of each way, and the ratio of its pairs: of the minima, and the median with quartiles.
"""

from __future__ import annotations

import argparse
import importlib
import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from poise.models import find_model, load_model
from poise.models.topdown import TopDown
from poise.poses import Frame
from poise.runtime import Session
from poise.synthetic import Dancer, Stage, dance

WAYS = ("everyone at once", "one a call", "one a call, all cores on it")


def load_with_all_cores(name: str, compute: dict[str, Any]) -> TopDown:
    """Return a model whose networks work on one crop at a time."""
    family = importlib.import_module(f"poise.models.{find_model(name).reader.family}")
    usual = family.Session
    family.Session = lambda *paths, **given: Session(*paths, **{**given, "streams": 1})
    try:
        return load_model(name, **compute)
    finally:
        family.Session = usual


def measure(ways: dict[str, Callable[[], object]], rounds: int) -> dict[str, np.ndarray]:
    """Return (rounds, 2) wall and processor seconds of each way, taken in turns."""
    for work in ways.values():
        work()
    rows: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for number in range(rounds):
        order = list(ways) if number % 2 else list(ways)[::-1]
        for name in order:
            wall, cpu = time.perf_counter(), time.process_time()
            ways[name]()
            rows[name].append((time.perf_counter() - wall, time.process_time() - cpu))
    return {name: np.array(values) for name, values in rows.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="rtmdet-nano+tinypose-256")
    parser.add_argument("--people", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--precision", default="f32")
    parser.add_argument("--engine", default="openvino")
    given = parser.parse_args()
    compute = {"precision": given.precision, "engine": given.engine}
    model, single = load_model(given.model, **compute), load_with_all_cores(given.model, compute)
    assert isinstance(model, TopDown) and isinstance(single, TopDown)
    people = [Dancer(dance(), position=(x, 0.0)) for x in np.linspace(-2, 2, given.people)]
    stage = Stage(people, size=(1280, 720), duration=0.1)
    frame: Frame = stage.frame(0)
    boxes = stage.truth(0).boxes
    ways = {
        WAYS[0]: lambda: model.read_boxes(frame, boxes),
        WAYS[1]: lambda: [model.read_boxes(frame, box[None]) for box in boxes],
        WAYS[2]: lambda: [single.read_boxes(frame, box[None]) for box in boxes],
    }
    together, apart = ways[WAYS[0]](), ways[WAYS[1]]()
    alone = np.concatenate([poses.keypoints for poses in apart])
    print(f"{given.model}, {model.precision} on {given.engine}, {given.people} people, "
          f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; byte-identical: "
          f"{together.keypoints.tobytes() == alone.tobytes()}")  # fmt: skip
    rows = measure(ways, given.rounds)
    for name, row in rows.items():
        wall = row[:, 0] * 1e3
        print(f"{name:30}{wall.min():8.1f} ms at least, {np.median(wall):8.1f} in the middle; "
              f"processor {np.median(row[:, 1]) * 1e3:7.1f} ms")  # fmt: skip
    for name in WAYS[1:]:
        ratios = rows[WAYS[0]][:, 0] / rows[name][:, 0]
        low, middle, high = np.quantile(ratios, [0.25, 0.5, 0.75])
        least = rows[WAYS[0]][:, 0].min() / rows[name][:, 0].min()
        print(f"{WAYS[0]} / {name}: {least:.2f} of the minima; pairs {middle:.2f} "
              f"({low:.2f} to {high:.2f})")  # fmt: skip


if __name__ == "__main__":
    main()
