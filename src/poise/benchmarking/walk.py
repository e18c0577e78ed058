"""The walk: one configuration after the other, a rival in turns with it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from poise.benchmarking.figures import Row, Versus, compare
from poise.benchmarking.matrix import Configuration
from poise.benchmarking.pictures import Pictures
from poise.benchmarking.process import Process
from poise.benchmarking.rivals import Rival
from poise.errors import ModelError

# Told which configuration begins: its number from 1, how many there are, the configuration, and
# about how many seconds all that are left will take.
Report = Callable[[int, int, Configuration, float], None]

_LEAST_BURSTS = 3
_START_SECONDS = 3.0


def measure(
    matrix: Sequence[Configuration],
    pictures: Pictures,
    *,
    seconds: float = 3.0,
    rival: Rival | None = None,
    problems: Mapping[str, str] | None = None,
    report: Report | None = None,
) -> Iterator[Row]:
    """Measure every configuration; a row comes as soon as it is known.

    Each runs in a process of its own: it loads, warms up, and works in bursts of a quarter of a
    second. A rival has a process too, and its bursts take turns with those of the configuration,
    so that a busy machine slows both alike.

    Args:
        matrix: What to measure.
        pictures: What on.
        seconds: How long each works, at least; a rival as long again.
        rival: Whom to measure against.
        problems: Why a model cannot run, where that is known before.
        report: Told what begins.
    """
    known = problems or {}
    began = time.monotonic()
    each = (seconds + _START_SECONDS) * (1 if rival is None else 2)
    with tempfile.TemporaryDirectory(prefix="poise-benchmark-") as folder:
        path = Path(folder) / "pictures.npz"
        pictures.save(path)
        for number, configuration in enumerate(matrix):
            if number:
                each = (time.monotonic() - began) / number
            if report is not None:
                report(number + 1, len(matrix), configuration, each * (len(matrix) - number))
            if configuration.model in known:
                yield Row(configuration, problem=known[configuration.model])
                continue
            try:
                yield _play(configuration, path, seconds, rival)
            except ModelError as error:
                yield Row(configuration, problem=str(error))


def _play(configuration: Configuration, path: Path, seconds: float, rival: Rival | None) -> Row:
    with Process(configuration, path) as ours:
        if rival is None:
            _take_turns([ours], seconds)
            return Row(configuration, ours.finish())
        try:
            with Process(configuration, path, rival=rival) as theirs:
                _take_turns([ours, theirs], seconds)
                times = compare(ours.bursts, theirs.bursts)
                versus = Versus(rival.name, theirs.finish(), times)
        except ModelError as error:
            if not ours.bursts:
                _take_turns([ours], seconds)
            versus = Versus(rival.name, problem=str(error))
        return Row(configuration, ours.finish(), versus=versus)


def _take_turns(processes: Sequence[Process], seconds: float) -> None:
    began, rounds = time.monotonic(), 0
    while rounds < _LEAST_BURSTS or time.monotonic() - began < seconds * len(processes):
        # Who goes first changes, so that what one leaves behind meets both.
        for process in processes if rounds % 2 else reversed(processes):
            process.burst()
        rounds += 1
