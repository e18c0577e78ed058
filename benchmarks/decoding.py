"""How long the decoding of a picture of ten people takes, without the network.

    python benchmarks/decoding.py [--runs 200] [--people 10]

Ideal outputs of 46 x 54 cells are drawn and decoded: heat maps and part affinity fields by all
published groupings, and PoseNet's heads, several people and one. The decoders run in turn, so that
whatever else the machine does meets all of them; minimum and median are printed. Set
OPENBLAS_NUM_THREADS=1 where the cores are busy: the matrices are too small to be shared well.
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
    for name in ("coco18", "body25"):
        layout = LAYOUTS[name]
        bodies = [person(layout, x * WIDTH, y * HEIGHT, 21) for x, y in crowd(count)]
        maps, field = draw(bodies, layout, sigma=0.7, limbs=(1.0, 1.0))
        for grouping in GROUPINGS:
            jobs[f"{name}, {grouping}"] = lambda m=maps, f=field, la=layout, g=grouping: len(
                decode(m, f, la, grouping=g)[0]
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
    spent: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(options.runs):
        for name, job in jobs.items():
            began = time.perf_counter()
            job()
            spent[name].append(1e3 * (time.perf_counter() - began))
    print(f"{HEIGHT} x {WIDTH} cells, {options.people} people, {options.runs} runs; milliseconds")
    for name, times in spent.items():
        middle = statistics.median(times)
        print(f"{name:24}  min {min(times):5.2f}  median {middle:5.2f}  found {found[name]}")


if __name__ == "__main__":
    main()
