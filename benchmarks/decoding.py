"""How long the decoding of a picture of ten people takes, without the network.

    python benchmarks/decoding.py [--runs 200] [--people 10]

Ideal outputs of 46 x 54 cells are drawn and decoded: heat maps and part affinity fields by all
published groupings, and PoseNet's heads, several people and one. The decoders run in turn, so that
whatever else the machine does meets all of them. Printed are the least and the median time that
passed, and the least that the processor worked for it, which counts where the machine is busy (set
OPENBLAS_NUM_THREADS=1 for that, or what other threads do is not in it).
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from poise.models.paf import GROUPINGS, LAYOUTS, decode
from poise.models.posenet import read_fields
from poise.models.posenet_decoding import decode_multi, decode_single

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from ideal_fields import HEIGHT, WIDTH, draw, encode, heads, people, person


def crowd(count: int) -> list[tuple[float, float]]:
    """Return so many places in two rows, as parts of the picture's width and height."""
    across = -(-count // 2)
    return [((n % across + 0.55) / across, 0.02 + 0.49 * (n // across)) for n in range(count)]


def affinity(count: int) -> dict[str, Callable[[], int]]:
    """Return the decoders of heat maps and part affinity fields; each returns whom it found."""
    jobs: dict[str, Callable[[], int]] = {}
    kinds = [*(("coco18", grouping) for grouping in GROUPINGS), ("body25", "openpose")]
    for name, grouping in kinds:
        layout = LAYOUTS[name]
        bodies = [person(layout, x * WIDTH, y * HEIGHT, 21) for x, y in crowd(count)]
        drawn = draw(bodies, layout, sigma=0.7, limbs=(1.0, 1.0))
        jobs[f"{name}, {grouping}"] = lambda d=drawn, la=layout, g=grouping: len(
            decode(*d, la, grouping=g)[0]
        )
    return jobs


def displacement(count: int) -> dict[str, Callable[[], int]]:
    """Return PoseNet's decoders, from heads of logits to keypoints."""
    size = (WIDTH - 1) * 16 + 1, (HEIGHT - 1) * 16 + 1
    noses = [(x * size[0], 20 + y * size[1]) for x, y in crowd(count)]
    answers = [head.astype(np.float32) for head in heads(encode(people(*noses), size=size))]

    def multi() -> int:
        fields = read_fields(answers, size, logits=True)
        return len(decode_multi(fields, people=max(count, 10)).keypoints)

    def single() -> int:
        return len(decode_single(read_fields(answers, size, logits=True)).keypoints)

    return {"posenet, several people": multi, "posenet, one person": single}


def main() -> None:
    """Time all decoders in turn and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--people", type=int, default=10)
    options = parser.parse_args()
    jobs = affinity(options.people) | displacement(options.people)
    found = {name: job() for name, job in jobs.items()}
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in jobs}
    for _ in range(options.runs):
        for name, job in jobs.items():
            began, worked = time.perf_counter(), time.thread_time()
            job()
            worked, began = time.thread_time() - worked, time.perf_counter() - began
            spent[name].append((1e3 * began, 1e3 * worked))
    print(f"{HEIGHT} x {WIDTH} cells, {options.people} people, {options.runs} runs; milliseconds")
    for name, times in spent.items():
        wall, processor = zip(*times, strict=True)
        print(
            f"{name:24}  min {min(wall):5.2f}  median {statistics.median(wall):5.2f}"
            f"  processor {min(processor):5.2f}  found {found[name]}"
        )


if __name__ == "__main__":
    main()
