"""The child process that runs one configuration, or one rival: orders in, replies out.

Both are lines of JSON. A process of its own keeps one configuration from counting for the next. The
first order says what to load and on which pictures; then ``burst`` has it work for a moment, and
``end`` has it say how much memory it took.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from poise.benchmarking.machine import peak_bytes
from poise.benchmarking.matrix import Configuration
from poise.benchmarking.pictures import load_pictures
from poise.benchmarking.rivals import Rival, load_rival
from poise.errors import PoiseError
from poise.models import load_model
from poise.poses import Frame
from poise.runtime import Compute

BURST_SECONDS = 0.25
_WARM_CALLS, _WARM_SECONDS = 2, 0.5

Interval = tuple[float, float]
Look = Callable[[list[Frame]], int]


class Subject:
    """Something that looks for people in frames, over and over.

    Attributes:
        precision: The number format it computes in; empty where it does not say.
    """

    def __init__(self, order: dict[str, Any]) -> None:
        self._configuration = Configuration(**order["configuration"])
        self._frames = load_pictures(Path(order["pictures"]))
        self._busy: list[Interval] = []
        self._place = 0
        rival = order.get("rival")
        if rival is None:
            self._look, self.precision = self._load_own()
            self._watched = True
        else:
            self._look, self.precision = self._load_rival(Rival(**rival)), ""
            self._watched = False

    def _load_own(self) -> tuple[Look, str]:
        chosen = self._configuration
        compute = Compute(
            precision=chosen.precision, watch=lambda began, ended: self._busy.append((began, ended))
        )
        # What is at its default need not be known to a model of another package.
        if chosen.engine != "openvino":
            compute["engine"] = chosen.engine
        if chosen.threads is not None:
            compute["threads"] = chosen.threads
        model = load_model(chosen.model, card=chosen.card, **compute)
        look = model.follow if chosen.follow else model.estimate
        return lambda frames: sum(len(poses) for poses in look(frames)), model.precision

    def _load_rival(self, rival: Rival) -> Look:
        look = load_rival(rival, self._configuration)
        images = {id(frame): rival.prepare(frame.image) for frame in self._frames}
        return lambda frames: look([images[id(frame)] for frame in frames])

    def warm_up(self) -> None:
        """Run until everything has been used before."""
        began, calls = time.perf_counter(), 0
        while calls < _WARM_CALLS or time.perf_counter() - began < _WARM_SECONDS:
            self._look(self._next())
            calls += 1

    def burst(self) -> dict[str, Any]:
        """Work for a moment; return what `figures.Burst` holds."""
        self._busy.clear()
        seconds: list[float] = []
        people, frames, spent = 0, 1, 0.0
        while spent < BURST_SECONDS:
            batch = self._next()
            frames = len(batch)
            began = time.perf_counter()
            people += self._look(batch)
            seconds.append(time.perf_counter() - began)
            spent += seconds[-1]
        network = union(self._busy) if self._watched and self._busy else None
        return {"seconds": seconds, "frames": frames, "network": network, "people": people}

    def _next(self) -> list[Frame]:
        """Return the next batch, or the whole video where people are followed through it."""
        if self._configuration.follow:
            return self._frames
        count = len(self._frames)
        batch = [self._frames[(self._place + i) % count] for i in range(self._configuration.batch)]
        self._place = (self._place + len(batch)) % count
        return batch


def union(intervals: list[Interval]) -> float:
    """Return how long at least one of the intervals lasts, in seconds."""
    total, end = 0.0, float("-inf")
    for first, last in sorted(intervals):
        total += max(0.0, last - max(first, end))
        end = max(end, last)
    return total


def serve(orders: TextIO, replies: TextIO) -> None:
    """Do what the orders say until there are no more."""

    def reply(**said: Any) -> None:
        replies.write(json.dumps(said) + "\n")
        replies.flush()

    for line in islice(orders, 1):
        began = time.perf_counter()
        try:
            subject = Subject(json.loads(line))
            loaded = time.perf_counter() - began
            subject.warm_up()
        except PoiseError as error:
            reply(problem=str(error))
            return
        # A stranger's package may fail in any way, and its row must say how.
        except Exception as error:  # noqa: BLE001
            reply(problem=f"{type(error).__name__}: {error}".splitlines()[0])
            return
        reply(load_seconds=loaded, precision=subject.precision)
        for order in orders:
            if order.strip() == "end":
                reply(peak=peak_bytes())
                return
            reply(**subject.burst())


def main() -> None:
    """Serve the parent; whatever a package prints goes to stderr and not among the replies."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as replies:
        os.dup2(2, 1)
        serve(sys.stdin, replies)


if __name__ == "__main__":
    main()
