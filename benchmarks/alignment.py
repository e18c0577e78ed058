"""How long alignments take: ``python benchmarks/alignment.py``. The best of seven runs each."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from poise.alignment import align, occurrences, warp


def best_seconds(work: Callable[[], object], runs: int = 7) -> float:
    """Return the shortest time that a piece of work took."""
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)


def main() -> None:
    random = np.random.default_rng(0)
    walk = np.cumsum(random.normal(size=(1800, 3)), axis=0)
    other = walk + random.normal(size=walk.shape) * 0.3
    cost = ((walk[:, None] - other[None]) ** 2).sum(-1)
    low = np.clip(np.arange(1800) - 30, 0, 1800 - 61)
    band = np.take_along_axis(cost, low[:, None] + np.arange(61), axis=1)
    prices = {"omit": 5.0, "insert": 5.0, "open_gap": 10.0}
    cases: dict[str, Callable[[], object]] = {
        "warp 1800 x 1800": lambda: warp(cost),
        "warp 1800 x 1800, window 60": lambda: warp(cost, window=60),
        "align 600 x 600": lambda: align(cost[:600, :600], **prices),
        "align 1800 x 1800": lambda: align(cost, **prices),
        "align 1800 rows, 61 wide": lambda: align(band, low=low, **prices),
        "occurrences, 10 of 300 x 3000": lambda: occurrences(
            np.tile(cost[:300, :300], (1, 10)), limit=1, **prices
        ),
    }
    for name, work in cases.items():
        print(f"{name:32}{1000 * best_seconds(work):7.1f} ms")


if __name__ == "__main__":
    main()
