"""The coach follows, judges and corrects somebody frame by frame."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from comparison_cases import Filming, cut, film, routine, rows, wander
from poise.clip import Track
from poise.comparison import Advice, Coach, compare
from poise.errors import UsageError
from poise.poses import Poses
from poise.skeleton import Skeleton, get_skeleton
from poise.synthetic import Camera, dance

MOVE = dance()
REFERENCE = film(MOVE)


def frames(track: Track, *, ids: bool = True) -> Iterator[Poses]:
    """Yield a track as a camera would, frame by frame; frames without keypoints are empty."""
    for number, time in enumerate(track.times.tolist()):
        here = slice(number, number + 1 if (track.scores[number] > 0).any() else number)
        points = track.keypoints[here]
        names = np.ones(len(points), np.int64) if ids else None
        yield Poses(track.skeleton, points, track.scores[here], ids=names, time=time,
                    index=number, size=(640, 360))  # fmt: skip


def follow(
    track: Track, reference: Track = REFERENCE, **options: Any
) -> tuple[Coach, list[Advice]]:
    coach = Coach(reference, **options)
    return coach, [coach.update(poses) for poses in frames(track)]


def phase_error(track: Track, said: list[Advice], truth: Callable[[float], float]) -> float:
    """Return the largest error of the reference time, from a second after the begin on."""
    pairs = [
        (time, one) for time, one in zip(track.times.tolist(), said, strict=True)
        if one.state in ("following", "done")
    ]  # fmt: skip
    begin = pairs[0][0] + 1
    return max(abs(one.reference_time - truth(time)) for time, one in pairs if time > begin)


def told(track: Track, said: list[Advice]) -> list[tuple[float, str]]:
    """Return the times at which the correction changed, and its limb; "" for none."""
    limbs = [one.correction.limb if one.correction else "" for one in said]
    changes = zip(track.times.tolist(), ["", *limbs], limbs, strict=False)
    return [(time, now) for time, before, now in changes if now != before]


def same(one: Advice, other: Advice) -> bool:
    limbs = np.array_equal(one.limbs, other.limbs, equal_nan=True)
    rest = [dataclasses.replace(each, limbs=np.zeros(0)) for each in (one, other)]
    return limbs and repr(rest[0]) == repr(rest[1])


def held(track: Track, at: float, seconds: float) -> Track:
    """Stop at a moment for some time."""
    row, count = int(np.searchsorted(track.times, at)), round(seconds * 30)
    order = np.concatenate([np.arange(row), np.full(count, row), np.arange(row, len(track))])
    return dataclasses.replace(rows(track, order), times=np.arange(len(order)) / 30)


def hidden(track: Track, start: float, end: float) -> Track:
    gone = (track.times >= start) & (track.times < end)
    points, scores = track.keypoints.copy(), track.scores.copy()
    points[gone], scores[gone] = np.nan, 0
    return dataclasses.replace(track, keypoints=points, scores=scores)


def uneven(track: Track) -> Track:
    """Keep frames of a 60 fps track that are 1/60 to 1/12 of a second apart."""
    steps = np.random.default_rng(0).integers(1, 6, len(track))
    return rows(track, np.flatnonzero(np.isin(np.arange(len(track)), steps.cumsum())))


def test_the_same_again_is_right() -> None:
    coach, said = follow(REFERENCE)
    assert phase_error(REFERENCE, said, lambda time: time) < 0.1
    assert said[-1].running is not None and said[-1].running >= 99
    assert said[0].state == "waiting" and said[0].score is None
    assert said[150].state == "following" and said[150].score == pytest.approx(100, abs=0.5)
    assert said[150].phase == pytest.approx(150 / 269, abs=0.01)
    assert said[-1].state == "done"
    assert not told(REFERENCE, said)
    summary = coach.finish()
    assert summary.verdict == "right" and not summary.faults and not summary.mirrored
    assert summary.coverage > 0.9


@pytest.mark.parametrize(
    ("attempt", "truth"),
    [
        (film(MOVE.at_tempo(0.8)), lambda time: 0.8 * time),
        (film(MOVE.at_tempo(1.25)), lambda time: 1.25 * time),
        (film(MOVE.shifted(3.0)), lambda time: time - 3),
        (uneven(film(MOVE, fps=60.0)), lambda time: time),
        (film(MOVE, fps=12.0), lambda time: time),
        (film(MOVE, camera=Camera(roll=8, zoom=0.6), skeleton="blazepose33"), lambda time: time),
    ],
    ids=["slow", "quick", "late", "uneven", "12 fps", "rolled, far, other skeleton"],
)
def test_what_is_no_fault_costs_nothing(attempt: Track, truth: Callable[[float], float]) -> None:
    coach, said = follow(attempt)
    assert phase_error(attempt, said, truth) < 0.15
    assert not told(attempt, said)
    assert coach.finish().score == pytest.approx(compare(REFERENCE, attempt).score, abs=3)


def test_the_start_is_waited_for() -> None:
    attempt = film(MOVE.shifted(3.0))
    _, said = follow(attempt)
    assert {one.state for one in said[:85]} == {"waiting"}
    assert {one.phase for one in said[:85]} == {0.0}
    assert next(t for t, one in zip(attempt.times, said, strict=True) if one.phase > 0) < 3.6


def test_tempo_and_lag_are_told() -> None:
    _, said = follow(film(MOVE.at_tempo(0.8)))
    assert said[200].tempo == pytest.approx(0.8, abs=0.06)
    assert said[200].lag == pytest.approx(0, abs=0.1)
    _, behind = follow(film(MOVE.shifted(1.0)), offset=0.6)
    assert behind[200].lag == pytest.approx(0.4, abs=0.05)


def test_a_pause_is_waited_out() -> None:
    attempt = held(REFERENCE, 4.0, 2.0)
    coach, said = follow(attempt)
    error = phase_error(attempt, said, lambda time: time if time < 4 else max(4, time - 2))
    assert error < 0.15
    assert coach.finish().shape > 97
    assert not told(attempt, said)


def test_a_wrong_forearm_is_said_and_taken_back() -> None:
    attempt = film(MOVE.with_fault("left_forearm", degrees=45, start=4.0, end=5.5))
    coach, said = follow(attempt)
    (first, limb), *_, (last, nothing) = told(attempt, said)
    assert (limb, nothing) == ("left_forearm", "")
    assert 3.85 + 0.35 <= first <= 4.7
    assert 5.5 <= last <= 7.0
    correction = next(one.correction for one in said if one.correction is not None)
    assert correction.text.startswith("left forearm ") and "°" in correction.text
    assert coach.finish().score == pytest.approx(compare(REFERENCE, attempt).score, abs=3)
    assert "left_forearm" in {fault.limb for fault in coach.finish().faults}


def test_corrections_do_not_flicker() -> None:
    attempt = film(MOVE.with_fault("left_forearm", degrees=60, start=2.0).delayed("right_arm", 0.3))
    _, said = follow(attempt)
    changes = [time for time, _ in told(attempt, said)]
    assert len(changes) > 2
    assert min(np.diff(changes)) >= 1 - 1e-6


def test_a_short_slip_is_not_mentioned() -> None:
    attempt = film(MOVE.with_fault("left_forearm", degrees=60, start=4.0, end=4.05))
    assert not told(attempt, follow(attempt)[1])


def test_a_mirror_image_is_found_early_and_said_with_its_own_side() -> None:
    fault = MOVE.with_fault("left_forearm", degrees=45, start=4.0, end=5.5)
    attempt = film(fault, dancer={"mirror": True})
    coach, said = follow(attempt)
    sides = [one.mirrored for one in said if one.state != "waiting"]
    assert all(sides[90:])
    correction = next(one.correction for one in said if one.correction is not None)
    assert correction.limb == "left_forearm" and correction.text.startswith("right forearm")
    assert coach.finish().mirrored
    assert coach.finish().score == pytest.approx(compare(REFERENCE, attempt).score, abs=3)
    german = next(
        one.correction
        for one in follow(attempt, mirror="yes", language="de")[1]
        if one.correction is not None
    )
    assert german.text.startswith("rechter Unterarm")


def test_a_late_arm_does_not_lead_astray() -> None:
    attempt = film(MOVE.delayed("left_arm", 0.3))
    coach, said = follow(attempt)
    assert phase_error(attempt, said, lambda time: time) < 0.35
    assert coach.finish().score == pytest.approx(compare(REFERENCE, attempt).score, abs=5)


@pytest.mark.parametrize("other", [routine(), wander(10, 1)], ids=["another dance", "random"])
def test_something_else_is_wrong(other: Any) -> None:
    coach, said = follow(film(other))
    assert said[-1].running is not None and said[-1].running < 60
    assert coach.finish().verdict == "wrong"


def test_nobody_for_a_while() -> None:
    attempt = hidden(REFERENCE, 4.0, 6.0)
    coach, said = follow(attempt)
    assert said[150].state == "lost" and said[150].correction is None
    assert np.isnan(said[150].limbs).all() and said[165].score is None
    assert said[185].state == "following"
    assert phase_error(attempt, said, lambda time: time) < 0.15
    assert coach.finish().shape > 98
    assert coach.finish().coverage < 0.85


def test_nobody_at_all() -> None:
    coach, said = follow(hidden(REFERENCE, 0.0, 99.0))
    assert {one.state for one in said} == {"waiting"}
    assert coach.finish().verdict == "cannot say"


@pytest.mark.parametrize("ids", [True, False], ids=["ids", "no ids"])
def test_the_main_person_of_many_is_coached(ids: bool) -> None:
    small = film(routine(), Filming(camera=Camera(zoom=0.4)))
    coach = Coach(REFERENCE)
    for number, time in enumerate(REFERENCE.times.tolist()):
        people = [
            (small.keypoints[number] - np.float32([200, 0]), 7),
            (REFERENCE.keypoints[number], 3),
            (small.keypoints[-1 - number] + np.float32([200, 0]), 5),
        ]
        people = people[number % 3 :] + people[: number % 3]
        points = np.stack([person for person, _ in people])
        names = np.array([name for _, name in people]) if ids else None
        coach.update(Poses(REFERENCE.skeleton, points, np.ones(points.shape[:2], np.float32),
                           ids=names, time=time, size=(640, 360)))  # fmt: skip
    assert coach.finish().score > 98
    other = Coach(REFERENCE, person=99)
    assert {other.update(poses).state for poses in frames(REFERENCE)} == {"waiting"}


def test_the_future_changes_nothing() -> None:
    attempt = film(MOVE.with_fault("left_forearm", degrees=45, start=3.0, end=5.5))
    elsewhere = film(routine())
    count = 150
    changed = dataclasses.replace(
        attempt,
        keypoints=np.concatenate([attempt.keypoints[:count], elsewhere.keypoints[count:270]]),
    )
    whole, other = follow(attempt)[1], follow(changed)[1]
    assert all(same(a, b) for a, b in zip(whole[:count], other[:count], strict=True))
    assert not same(whole[-1], other[-1])


def test_memory_and_work_do_not_grow() -> None:
    long = held(REFERENCE, 2.0, 20.0)
    coach = Coach(REFERENCE)
    sizes = []
    for number, poses in enumerate(frames(long)):
        coach.update(poses)
        if number % 100 == 99:
            sizes.append(_held_numbers(coach))
    assert len(sizes) > 7
    assert len(set(sizes[4:])) == 1  # by then the mirror is decided
    minute = Coach(film(MOVE.repeated(7)))
    other = Coach(film(MOVE.repeated(3)))
    widths = [each._sides[0].tracker.mass.shape for each in (minute, other)]
    assert widths[0] == widths[1]


def _held_numbers(value: Any, known: set[int] | None = None) -> int:
    """Count all numbers in all arrays and containers that an object holds."""
    known = set() if known is None else known
    if id(value) in known:
        return 0
    known.add(id(value))
    if isinstance(value, np.ndarray):
        return value.size
    if isinstance(value, list | tuple | set):
        return len(value) + sum(_held_numbers(one, known) for one in value)
    if isinstance(value, dict):
        return len(value) + sum(_held_numbers(one, known) for one in value.values())
    module = type(value).__module__
    if module.startswith("poise.comparison"):
        return sum(_held_numbers(one, known) for one in vars(value).values())
    return 0


def test_a_posture_is_held_against_one_pose() -> None:
    pose = cut(REFERENCE, 4.0, 4.02)
    assert len(pose) == 1
    right = held(pose, 0.0, 2.0)
    _, said = follow(right, pose)
    assert said[-1].score == pytest.approx(100) and said[-1].state == "following"
    _, wrong = follow(held(cut(REFERENCE, 1.0, 1.02), 0.0, 2.0), pose)
    assert wrong[-1].score is not None and wrong[-1].score < 80


@pytest.mark.parametrize(
    ("options", "words"),
    [({"mirror": "maybe"}, "mirror: wanted auto"), ({"language": "fr"}, "language: no language")],
)
def test_options_that_cannot_be(options: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Coach(REFERENCE, **options)


def test_an_empty_reference() -> None:
    with pytest.raises(UsageError, match="track 1: nobody is to be seen"):
        Coach(rows(REFERENCE, np.arange(0)))


def test_nothing_in_common() -> None:
    hand = Skeleton("hand", ("wrist", "thumb"), ((0, 1),))
    with pytest.raises(UsageError, match="coco17 and hand: the two show no limb in common"):
        Coach(REFERENCE).update(Poses.empty(hand))


def test_time_runs_backwards() -> None:
    coach = Coach(REFERENCE)
    first, second, *_ = frames(REFERENCE)
    said = coach.update(second)
    assert coach.update(second) is said
    with pytest.raises(UsageError, match=r"Poses.time: time ran backwards, from 0.033 to 0.000 s;"):
        coach.update(first)


def test_two_skeletons_in_one_session() -> None:
    coach = Coach(REFERENCE)
    blaze = film(MOVE, skeleton="blazepose33")
    assert blaze.skeleton == get_skeleton("blazepose33")
    for number, poses in enumerate(zip(frames(REFERENCE), frames(blaze), strict=True)):
        coach.update(poses[number % 2])
    assert coach.finish().score > 95
