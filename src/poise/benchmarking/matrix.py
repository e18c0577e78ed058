"""What is to be measured: models, engines, precisions, batches and threads, each with each."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any, TypeVar

from poise.errors import UsageError, suggest
from poise.runtime import ENGINES, PRECISIONS

_T = TypeVar("_T")
MOST_PEOPLE = 16

_MOST_BATCH = 256  # pictures; more at once than any server gathers


@dataclass(frozen=True, kw_only=True)
class BenchmarkOptions:
    """Options of ``poise benchmark``; several values stand with commas between.

    Raises:
        UsageError: A value is out of its range; the message names the field.
    """

    people: Annotated[int, "How many people dance, where no source is given."] = 1
    engine: Annotated[str, "openvino, onnxruntime, or both: openvino,onnxruntime."] = "openvino"
    precision: Annotated[str, "auto, f32, bf16, f16, or several: auto,f32."] = "auto"
    batch: Annotated[str, "Pictures that the model is given at once, such as 1,8."] = "1"
    threads: Annotated[str, "Threads of the networks, such as 1,2; 'all' takes every core."] = "all"
    follow: Annotated[
        bool, "Follow people as in a video; else every frame is a picture of its own."
    ] = False
    seconds: Annotated[float, "How long each configuration works."] = 3.0

    def __post_init__(self) -> None:
        if not 1 <= self.people <= MOST_PEOPLE:
            raise UsageError(f"wanted 1 to {MOST_PEOPLE}, got {self.people}", where="people")
        if not 0 < self.seconds < math.inf:
            raise UsageError(f"wanted more than 0, got {self.seconds}", where="seconds")
        for name, known in (("engine", ENGINES), ("precision", PRECISIONS)):
            for word in _words(getattr(self, name)):
                if word not in known:
                    raise UsageError(f"no '{word}'", where=name, remedy=suggest(word, known))
        _numbers("threads", self.threads, _thread_count)
        batches = _numbers("batch", self.batch, _count)
        if max(batches) > _MOST_BATCH:
            raise UsageError(f"wanted at most {_MOST_BATCH}, got {max(batches)}", where="batch")
        if self.follow and batches != [1]:
            what = "people are followed through one frame after the other, not through batches"
            raise UsageError(what, where="follow", remedy="leave out --batch or --follow")


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """One way to run a model.

    Attributes:
        model: Its name, such as ``rtmdet-nano+tinypose-256``.
        card: A card file of the user's own, or None.
        engine: ``openvino`` or ``onnxruntime``.
        precision: As it is asked for: ``auto``, ``f32``...
        batch: Pictures that the model is given at once.
        threads: Threads that its networks may use in all; None takes every core.
        follow: Whether the pictures are a video in which people are followed from frame to frame;
            else each of them is a picture of its own.
    """

    model: str
    card: str | None = None
    engine: str = "openvino"
    precision: str = "auto"
    batch: int = 1
    threads: int | None = None
    follow: bool = False

    def __str__(self) -> str:
        threads = "every core" if self.threads is None else f"threads {self.threads}"
        given = "following" if self.follow else f"batch {self.batch}"
        return f"{self.model} on {self.engine}, {self.precision}, {given}, {threads}"

    def to_json(self) -> dict[str, Any]:
        """Return the fields, ready for JSON."""
        return asdict(self)


def make_matrix(
    models: Sequence[str], options: BenchmarkOptions, *, card: str | None = None
) -> list[Configuration]:
    """Return every combination, model by model."""
    return [
        Configuration(
            model=model,
            card=card,
            engine=engine,
            precision=precision,
            batch=batch,
            threads=threads,
            follow=options.follow,
        )
        for model in dict.fromkeys(models)
        for engine in _words(options.engine)
        for precision in _words(options.precision)
        for batch in _numbers("batch", options.batch, _count)
        for threads in _numbers("threads", options.threads, _thread_count)
    ]


def _words(text: str) -> list[str]:
    return list(dict.fromkeys(word.strip() for word in text.split(",")))


def _numbers(name: str, text: str, read: Callable[[str], _T]) -> list[_T]:
    try:
        return [read(word) for word in _words(text)]
    except ValueError as error:
        what = f"wanted whole numbers above 0 with commas between, got '{text}'"
        raise UsageError(what, where=name) from error


def _count(word: str) -> int:
    if int(word) < 1:
        raise ValueError(word)
    return int(word)


def _thread_count(word: str) -> int | None:
    return None if word == "all" else _count(word)
