"""Repetitions are counted exactly: on the stage, and on videos that were counted by eye."""

from __future__ import annotations

import functools
import math
from pathlib import Path

import numpy as np
import pytest

from poise.classification.repetitions import (
    ANY,
    EXERCISES,
    RepetitionCounter,
    Repetitions,
    count_repetitions,
)
from poise.clip import Track
from poise.errors import InputError, UsageError
from poise.poses import Poses
from poise.skeleton import conversion, get_skeleton
from poise.synthetic import Dancer, mirror, posture, sequence, still, walk
from poise.synthetic.figure import WARDROBE, Figure
from poise.synthetic.moment import landmarks

PIXELS = 110.0  # a metre, so that a person is about 190 pixels high
STAND = posture("stand")
SHUT = posture("stand", leg_side=2)
HANG = posture("stand", arm_side=6, elbow=8, arm_twist=0)
LEFT_CURL = posture("stand", arm_side=6, elbow=8, left_elbow=140, arm_twist=0)
PLANK = posture("stand", body_pitch=75, arm_front=82, arm_side=8, elbow=4, ankle=-10)
LOW = posture("stand", body_pitch=84, arm_front=10, arm_side=25, elbow=85, ankle=-5)
RACK = posture("stand", arm_side=60, elbow=125, arm_twist=90)
OVERHEAD = posture("stand", arm_side=168, elbow=8)
LUNGE = posture("lunge")
# Name: exercise, rest, what is done in turn, half of it, seconds of one.
SETS = {
    "squat": ("squat", STAND, [posture("squat")], posture("half squat"), 2.0),
    "lunge": ("lunge", STAND, [LUNGE, mirror(LUNGE)], None, 2.0),
    "push-up": ("push-up", PLANK, [LOW], PLANK + 0.3 * (LOW - PLANK), 2.0),
    "curl": ("curl", HANG, [posture("stand", arm_side=6, elbow=140, arm_twist=0)],
             posture("stand", arm_side=6, elbow=60, arm_twist=0), 2.0),
    "curls in turn": ("curl", HANG, [LEFT_CURL, mirror(LEFT_CURL)], None, 2.0),
    "jumping-jack": ("jumping-jack", SHUT, [posture("star", arm_side=150)],
                     posture("star", arm_side=60), 1.0),
    "shoulder-press": ("shoulder-press", RACK, [OVERHEAD], RACK + 0.3 * (OVERHEAD - RACK), 2.0),
    "arm raises": ("shoulder-press", STAND, [posture("arms up")], posture("a-pose"), 2.0),
}  # fmt: skip
TEMPI = (1.0, 1.4, 0.7, 1.2, 0.9)


@functools.cache
def way(name: str, number: int) -> np.ndarray:
    """Landmarks in metres at even steps from the rest of a set to one of its ends, or half way."""
    _, rest, outs, half, _ = SETS[name]
    end = half if number < 0 else outs[number]
    return pose([rest + (end - rest) * share for share in np.linspace(0, 1, 41)])


def pose(angles) -> np.ndarray:
    """Landmarks: x right, y down, z away from the camera."""
    dancers = [Dancer(sequence((vector, 1.0), start=vector)) for vector in angles]
    return np.array([
        landmarks(Figure(d.body(0.0), d.proportions, WARDROBE[0], d.scale)) for d in dancers
    ])  # fmt: skip


@functools.cache
def bodies(name: str, kind: str, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Times at 60 frames a second, and landmarks of repetitions of one set."""
    _, _, outs, half, seconds = SETS[name]
    points = [still_at(name, 0.4)]
    for number in range(count):
        if kind == "halves" and half is not None and number:
            points.append(out_and_back(name, -1, seconds))
        pace = TEMPI[number % 5] if kind == "tempo" else 1.0
        points.append(out_and_back(name, number % len(outs), pace * seconds))
        if kind == "pauses":
            points.append(still_at(name, 1.0 + number % 4))
    points.append(still_at(name, 0.6))
    joined = np.concatenate(points)
    return np.arange(len(joined)) / 60, joined


def still_at(name: str, seconds: float) -> np.ndarray:
    return np.repeat(way(name, 0)[:1], round(60 * seconds), axis=0)


def out_and_back(name: str, number: int, seconds: float) -> np.ndarray:
    shares = np.arange(round(60 * seconds)) / round(60 * seconds)
    steps = (1 - np.cos(2 * np.pi * shares)) / 2 * 40
    low = np.minimum(steps.astype(int), 39)
    part = (steps - low)[:, None, None]
    return way(name, number)[low] * (1 - part) + way(name, number)[low + 1] * part


def sample(choreography) -> tuple[np.ndarray, np.ndarray]:
    dancer = Dancer(choreography)
    times = np.arange(0, choreography.duration, 1 / 30)
    points = []
    for time in times:
        figure = Figure(dancer.body(time), dancer.proportions, WARDROBE[0], dancer.scale)
        points.append(landmarks(figure))
    return times, np.array(points)


def film(
    times: np.ndarray,
    points: np.ndarray,
    facing: float = 0.0,
    fps: int = 30,
    *,
    noise: float = 0.0,
    absent: float = 0.0,
    seed: int = 0,
) -> Track:
    """See landmarks from one side, frames of another rate, spoiled."""
    steps = np.searchsorted(times, np.arange(times[0], times[-1], 1 / fps) - 1e-9)
    seen = points[steps]
    turn = math.radians(facing)
    x = seen[..., 0] * math.cos(turn) + seen[..., 2] * math.sin(turn)
    places = np.stack([320 + PIXELS * x, 300 + PIXELS * seen[..., 1]], axis=-1)
    weights = conversion(get_skeleton("blazepose33"), get_skeleton("coco17"))
    places = np.einsum("kj,tjd->tkd", weights, places)
    random = np.random.default_rng(seed)
    places += random.normal(0, 1, places.shape) * noise
    gone = random.random(places.shape[:2]) < absent
    places[gone] = np.nan
    scores = np.where(gone, 0.0, 0.9).astype(np.float32)
    return Track(1, get_skeleton("coco17"), times[steps], places.astype(np.float32), scores)


def count_live(track: Track, exercise: str) -> int:
    counter = RepetitionCounter(exercise)
    for time, points, scores in zip(track.times, track.keypoints, track.scores, strict=True):
        counter.update(Poses(track.skeleton, points[None], scores[None], time=float(time)))
    return counter.finish()


def counts(name: str, track: Track) -> tuple[int, int]:
    return (
        count_repetitions(track, SETS[name][0]).count,
        count_repetitions(track, ANY).count,
    )


@pytest.mark.parametrize("name", SETS)
def test_views_rates_and_noise(name: str) -> None:
    """Five of changing tempo, from six sides, at 10 to 60 frames a second, with errors of 2 px
    (1 % of the body's height) and every tenth keypoint missing."""
    times, points = bodies(name, "tempo", 5)
    views = (0, 45, 90, 180, -90, -45)
    for number, (facing, fps) in enumerate(zip(views, (10, 60, 30, 20, 60, 30), strict=True)):
        track = film(times, points, facing, fps, noise=2, absent=0.1, seed=number)
        assert counts(name, track) == (5, 5), (facing, fps)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize(("kind", "number"), [("pauses", 5), ("halves", 4), ("plain", 1)])
def test_pauses_halves_and_single_ones(name: str, kind: str, number: int) -> None:
    times, points = bodies(name, kind, number)
    for facing in (0, 60):
        track = film(times, points, facing, 30, noise=1)
        assert counts(name, track) == (number, number), facing


@pytest.mark.parametrize("name", ["squat", "jumping-jack", "curls in turn"])
def test_thirty(name: str) -> None:
    times, points = bodies(name, "plain", 30)
    track = film(times, points, 20, 12, noise=1)
    assert counts(name, track) == (30, 30)
    if name == "squat":
        assert count_live(track, "squat") == count_live(track, ANY) == 30


@pytest.mark.parametrize("name", SETS)
def test_live_counts_the_same(name: str) -> None:
    times, points = bodies(name, "tempo", 5)
    track = film(times, points, 30, 20, noise=1, absent=0.05)
    assert count_live(track, SETS[name][0]) == count_live(track, ANY) == 5


def test_memory_is_bounded() -> None:
    """Standing for minutes keeps a second of samples, and no more than 30 s of `any`."""
    times, points = sample(still("stand", 0.5))
    pose = film(times, points)
    named, unnamed = RepetitionCounter("squat"), RepetitionCounter()
    for number in range(300):
        poses = Poses(pose.skeleton, pose.keypoints[:1], pose.scores[:1], time=number / 2)
        named.update(poses)
        unnamed.update(poses)
    assert (named.count, unnamed.count) == (0, 0)
    assert len(named._way._counter._finders["both"]._samples) < 5
    assert len(unnamed._way._kept) < 65


@pytest.mark.parametrize("facing", [0, 90])
def test_nothing_to_count(facing: float) -> None:
    for movement in (still("stand", 6), still("squat", 6), walk(6)):
        track = film(*sample(movement), facing, noise=2)
        for exercise in EXERCISES:
            if exercise != "lunge" or movement.duration != 6:
                assert count_repetitions(track, exercise).count == 0, exercise
    assert count_repetitions(film(*sample(still("stand", 6)), noise=2), ANY).count == 0


def test_times_range_and_phase() -> None:
    times, points = sample(
        sequence((STAND, 1.0), ("squat", 1.5), ("hold", 1.0), (STAND, 0.5), ("hold", 1.0),
                 start=STAND)
    )  # fmt: skip
    found = count_repetitions(film(times, points, 90), "squat")
    (one,) = found.repetitions
    # A tenth of the way down: the hips sink slowly while the knees begin to bend.
    assert 1.0 < one.start < 1.7
    assert 2.4 < one.middle < 3.7
    assert 3.7 < one.end < 4.1
    assert one.hold == pytest.approx(1.3, abs=0.3)
    assert one.low == pytest.approx(180 - 104, abs=6)
    assert one.high > 165
    phase = found.phase[(found.times > 1.6) & (found.times < 3.9)]
    assert np.nanmax(phase) > 0.8
    assert (np.diff(phase) > -0.1).all()
    assert found.phase[-1] == 0


def test_tempo_and_events() -> None:
    found = count_repetitions(film(*bodies("squat", "plain", 30), 0, 20), "squat")
    assert found.tempo == pytest.approx(2.0, abs=0.1)
    assert found.per_minute == pytest.approx(30, abs=1.5)
    assert len(found.events()) == 30
    assert found.events()[0].kind == "repetition"
    assert found.to_dict()["count"] == len(found) == 30


def test_unfinished() -> None:
    times, points = bodies("squat", "plain", 1)
    track = film(times[:84], points[:84], 45)
    assert (count_repetitions(track, "squat").count, len(track)) == (0, 42)
    assert count_repetitions(track, "squat").unfinished


def _faults(exercise: str, rest, out, facing: float) -> set[str]:
    movement = sequence((rest, 0.3), (out, 1.0), (rest, 1.0), ("hold", 0.6), start=rest)
    found: Repetitions = count_repetitions(film(*sample(movement), facing), exercise)
    assert found.count == 1, exercise
    for fault in found.repetitions[0].faults:
        assert f"{fault.value:.0f} degrees" in fault.text
    return {fault.name for fault in found.repetitions[0].faults}


SHALLOW = posture("squat", leg_front=62, knee=74)
KNOCKED = posture("squat", leg_side=-4, leg_twist=-14)


@pytest.mark.parametrize(
    ("exercise", "rest", "good", "bad", "facing", "fault"),
    [
        ("squat", STAND, posture("squat"), SHALLOW, 90, "not deep enough"),
        ("squat", STAND, posture("squat"), posture("squat", spine_bend=75), 90, "trunk leaning"),
        ("squat", STAND, posture("squat"), KNOCKED, 0, "knees inwards"),
        ("lunge", STAND, LUNGE, posture("lunge", spine_bend=45), 90, "trunk leaning"),
        ("push-up", PLANK, LOW, LOW + (PLANK - LOW) * 0.25, 90, "not low enough"),
        ("curl", HANG, SETS["curl"][2][0], posture("stand", elbow=140, arm_front=50), 90,
         "elbow forward"),
        ("curl", HANG, SETS["curl"][2][0], posture("stand", elbow=101), 90, "not bent enough"),
        ("jumping-jack", SHUT, SETS["jumping-jack"][2][0], posture("star", arm_side=112), 0,
         "arms not over the head"),
        ("shoulder-press", RACK, OVERHEAD, posture("stand", arm_side=150, elbow=50), 0,
         "not fully straight"),
        ("shoulder-press", RACK, OVERHEAD, posture("stand", arm_side=168, elbow=8, spine_bend=-28),
         90, "leaning back"),
    ],
)  # fmt: skip
def test_faults(exercise: str, rest, good, bad, facing: float, fault: str) -> None:
    """Each is found where it is, and the good one has none."""
    assert _faults(exercise, rest, good, facing) == set()
    assert fault in _faults(exercise, rest, bad, facing)


def test_sides() -> None:
    found = count_repetitions(film(*bodies("curls in turn", "tempo", 5), 0, 20), "curl")
    assert [one.side for one in found.repetitions[:4]] == ["left", "right", "left", "right"]
    assert found.symmetry > 0.9
    lunges = count_repetitions(film(*bodies("lunge", "tempo", 5), 60), "lunge")
    assert [one.side for one in lunges.repetitions] == ["left", "right", "left", "right", "left"]


def test_errors() -> None:
    track = film(*bodies("squat", "plain", 1))
    with pytest.raises(UsageError, match="no exercise named 'squad'; did you mean 'squat'"):
        count_repetitions(track, "squad")
    with pytest.raises(UsageError, match="no exercise named 'ani'"):
        RepetitionCounter("ani")
    one = Track(1, track.skeleton, track.times[:1], track.keypoints[:1], track.scores[:1])
    with pytest.raises(UsageError, match="one frame has no repetitions; give a video"):
        count_repetitions(one, "squat")
    ankles = [track.skeleton.find(f"{side}_ankle") for side in ("left", "right")]
    track.scores[:, ankles] = 0
    with pytest.raises(InputError, match="never seen: left ankle, right ankle; counting squats"):
        count_repetitions(track, "squat")


# Counted by eye, frame by frame. The aerobics of the first video raise one arm over the head
# eight times, and nobody does any of the others; the squat video ends in the middle of the third
# squat; of the clean and jerk the rest of the clean, a dip, the jerk into a split and the drop
# are seen; in the last one somebody on one leg raises both arms and brings the hands to the face.
REAL = {
    "felixchenfy_exercise.avi": {
        "squat": 0, "push-up": 0, "jumping-jack": 0, "shoulder-press": 8,
    },
    "stgcn_clean_and_jerk.mp4": {
        "squat": 0, "lunge": 1, "push-up": 0, "curl": 0, "jumping-jack": 0, "shoulder-press": 1,
    },
    "tfjs_pose_1.mp4": {
        "squat": 0, "lunge": 0, "push-up": 0, "curl": 0, "jumping-jack": 0, "shoulder-press": 1,
    },
    "tfjs_pose_squats.mp4": {
        "squat": 2, "lunge": 0, "push-up": 0, "jumping-jack": 0, "shoulder-press": 0, ANY: 2,
    },
}  # fmt: skip


@pytest.mark.data
@pytest.mark.weights
@pytest.mark.parametrize("name", REAL)
def test_real_videos(name: str, data_dir: Path, default_weights) -> None:
    from poise.loading import LoadingOptions, choose_track, load_clip
    from poise.models import load_model

    source = str(data_dir / "videos" / "exercise" / name)
    clip = load_clip(source, lambda: load_model("blazepose"), LoadingOptions())
    track = choose_track(clip)
    found = {exercise: count_repetitions(track, exercise).count for exercise in REAL[name]}
    assert found == REAL[name]
    assert {exercise: count_live(track, exercise) for exercise in REAL[name]} == REAL[name]
