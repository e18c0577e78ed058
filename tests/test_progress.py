"""Progress: a clock that starts with the first frame, and totals that the options leave."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from poise.batch.counting import Counting, expected_frames
from poise.cli import progress
from poise.cli.progress import Ticker
from poise.options import Options


class Clock:
    """A clock that tests set."""

    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


def _reader(count: int | None = 100, fps: float | None = 10.0, still: bool = False):
    return SimpleNamespace(count=count, fps=fps, still=still)


def test_loading_a_model_does_not_count(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    ticker = Ticker()
    report = ticker.begin("dance.mp4", 1, 1)
    clock.now += 60  # the model is loaded, its first frame is slow
    report(1, 101)
    clock.now += 10
    report(2, 101)
    for done in range(3, 52):
        report(done, 101)
    said = capsys.readouterr().err
    assert said == "dance.mp4: 2 of 101 frames, 0.1 frames/s, about 990 s left\n"
    clock.now += 10
    report(52, 101)
    assert capsys.readouterr().err.endswith("52 of 101 frames, 2.5 frames/s, about 19 s left\n")


def test_a_folder_counts_parts_of_its_videos(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    ticker = Ticker(many=True)
    report = ticker.begin("in/a.mp4", 1, 4)
    for done in range(1, 51):
        report(done, 101)
    clock.now += 10
    report(51, 101)
    assert "[1/4] a.mp4: 51 of 101 frames, 5.0 frames/s, about 71 s left" in capsys.readouterr().err
    clock.now += 10
    ticker.begin("in/b.png", 3, 4)(1, 1)
    assert "[3/4] b.png: 2.5 frames/s, about 7 s left" in capsys.readouterr().err


@pytest.mark.parametrize(
    "changes, frames",
    [
        ({}, 100),
        ({"stride": 3}, 34),
        ({"start": 9.05}, 9),
        ({"end": 0.5}, 5),
        ({"start": 1.0, "end": 2.0, "stride": 5}, 2),
        ({"end": 99.0}, 100),
    ],
)
def test_expected_frames(changes: dict, frames: int) -> None:
    assert expected_frames(_reader(), Options(**changes)) == frames
    assert expected_frames(_reader(count=None), Options(**changes)) is None


def test_painting_a_whole_clip_is_a_second_round() -> None:
    told: list[tuple[int, int | None]] = []

    def report(done: int, total: int | None) -> None:
        told.append((done, total))

    options = Options(fill_gaps=1.0)
    counting = Counting(_reader(2), options, painted=True, report=report)
    for step in (counting.add_estimated, counting.add_estimated) + (counting.add_written,) * 2:
        step()
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    told.clear()
    counting = Counting(_reader(2), options, painted=False, report=report)
    counting.add_estimated()
    counting.add_written()
    assert told == [(1, 2)]
