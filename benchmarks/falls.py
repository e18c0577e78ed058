"""Falls found and falsely told on the synthetic stage.

``python benchmarks/falls.py [--quick]``. Falls of several kinds and speeds, and movements that are
none, each seen from several sides and by two cameras, at 10 to 60 frames per second, with noise and
missing keypoints: who is found within half a second, and what is told though nothing
fell. Everything is COCO's 17 keypoints and a box. The tests use the same movements.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from poise.classification.falls import FallWatch
from poise.clip import Clip
from poise.poses import Poses
from poise.synthetic import (
    Camera,
    Choreography,
    Dancer,
    Stage,
    jumping_jacks,
    lunges,
    posture,
    sequence,
    squats,
)

FPS = 60.0
CAMERAS = {
    "chest high": Camera(),
    "2.4 m high": Camera(height=2.4, tilt=15.0, distance=6.0, view=3.2),
}
SIDES = (0, 45, 90, 135, 180, 225, 270, 315)
# Frames per second, noise in shares of the box's height, share of missing keypoints.
CONDITIONS = ((30, 0.0, 0.0), (60, 0.01, 0.1), (30, 0.02, 0.1), (15, 0.01, 0.3), (10, 0.01, 0.1))

CHAIR = posture("sit")
FLOOR = posture("sit", leg_front=86, knee=6, arm_front=-20, elbow=10, spine_bend=10)
CRAWL = posture("stand", body_pitch=76, arm_front=84, elbow=4, leg_front=0, ankle=-50)
PUSHED = posture("stand", body_pitch=86, arm_front=60, arm_side=30, elbow=110, ankle=-50)
TOES = posture("bend", spine_bend=110, arm_front=100, knee=4)
PICK = posture("squat", spine_bend=60, arm_front=60)
ENDS = {
    "forward": posture("stand", body_pitch=88, arm_front=110, elbow=60),
    "backward": posture("stand", body_pitch=-90, arm_side=40, elbow=20),
    "to the left": posture("stand", body_roll=88, arm_front=40, knee=30, leg_front=20),
    "to the right": posture("stand", body_roll=-88, arm_front=40, knee=30, leg_front=20),
}


@dataclass(frozen=True, eq=False)
class Case:
    """A movement; ``fall`` is when balance is lost and when the ground is reached, or None."""

    name: str
    moves: Choreography
    fall: tuple[float, float] | None = None


def falls() -> Iterator[Case]:
    """Yield falls that take 0.6, 0.9 and 1.2 s; they accelerate as a tipping rod does."""
    for seconds in (0.6, 0.9, 1.2):
        for name, end in ENDS.items():
            moves = sequence(("stand", 1.0), (end, seconds, "late"), ("hold", 1.2), start="stand")
            yield Case(f"falls {name}", moves, (1.0 + 0.4 * seconds, 1.0 + seconds))
        crumple = sequence(
            ("stand", 1.0), (PICK, seconds / 2, "linear"),
            (ENDS["to the left"], seconds / 2, "linear"), ("hold", 1.2),
            start="stand",
        )  # fmt: skip
        yield Case("collapses", crumple, (1.0 + 0.2 * seconds, 1.0 + seconds))
        chair = sequence((CHAIR, 1.0), (ENDS["forward"], seconds), ("hold", 1.2), start=CHAIR)
        yield Case("falls from a chair", chair, (1.0 + 0.3 * seconds, 1.0 + seconds))


def others() -> Iterator[Case]:
    """Yield movements that are no falls."""
    lie = ENDS["backward"]
    for seconds in (3.0, 4.0, 6.0):
        steps = [(PICK, 0.35 * seconds), (FLOOR, 0.25 * seconds), (lie, 0.4 * seconds)]
        yield Case(f"lies down in {seconds:g} s", sequence(*steps, ("hold", 1.5), start="stand"))
    yield Case(
        "lies down from sitting", sequence((FLOOR, 1.0), (lie, 1.2), ("hold", 1), start=FLOOR)
    )
    for name, goal, seconds in (
        ("sits down", CHAIR, 0.6), ("sits down on the floor", FLOOR, 1.0), ("bends", "bend", 0.6),
        ("touches the toes", TOES, 0.7), ("picks up", PICK, 0.6), ("kneels", "kneel", 0.7),
    ):  # fmt: skip
        there = sequence(("stand", 0.8), (goal, seconds), ("hold", 1.2), ("stand", 0.8),
                         start="stand")  # fmt: skip
        yield Case(name, there)
    yield Case("squats", squats(3, seconds=1.2))
    yield Case("jumping jacks", jumping_jacks(4, seconds=0.8))
    yield Case("lunges", lunges(3, seconds=1.4))
    pushes = sequence(*[(PUSHED, 0.5), (CRAWL, 0.5)] * 4, start=CRAWL)
    yield Case("push-ups", pushes)
    restless = posture("stand", body_pitch=-90, arm_side=100, elbow=80, leg_front=50, knee=90)
    yield Case("lies and moves", sequence((restless, 0.5), (lie, 0.5), (restless, 0.5), start=lie))
    yield Case("gets up", sequence((FLOOR, 0.8), (PICK, 0.8), ("stand", 0.8), start=lie))


def see(
    case: Case, side: float, camera: Camera, *, fps: float = FPS, skeleton: str = "coco17"
) -> Clip:
    """Return the truth of a movement."""
    return Stage(Dancer(case.moves, facing=side), fps=fps, camera=camera).clip(skeleton)


def spoil(clip: Clip, fps: float, noise: float, missing: float, *, seed: int = 0) -> list[Poses]:
    """Return every n-th frame, shaken, with keypoints and now and then everybody missing."""
    random = np.random.default_rng(seed)
    frames = []
    for poses in clip.frames[:: round(FPS / fps)]:
        tall = float((poses.boxes[:, 3] - poses.boxes[:, 1]).max(initial=1.0))
        shaken = poses.keypoints + random.normal(0, noise * tall, poses.keypoints.shape)
        gone = random.random(poses.scores.shape) < missing
        points = np.where(gone[..., None], np.nan, shaken).astype(np.float32)
        frames.append(poses.replace(keypoints=points, scores=poses.scores))
    return frames


def told(frames: list[Poses]) -> list[tuple[float, float]]:
    """Return start and end of every fall that is told."""
    watch = FallWatch()
    return [(event.start, event.end) for poses in frames for event in watch.update(poses)]


def is_right(case: Case, events: list[tuple[float, float]]) -> bool:
    """Whether the fall, and nothing else, was told; start and end within half a second."""
    wanted = [case.fall] if case.fall else []
    return len(events) == len(wanted) and all(
        abs(event[0] - truth[0]) <= 0.5 and abs(event[1] - truth[1]) <= 0.5
        for event, truth in zip(events, wanted, strict=True)
    )


def main() -> None:
    """Print one row a movement: right of all trials, and falls told."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="four sides and two conditions")
    quick = parser.parse_args().quick
    sides, conditions = (SIDES[::2], CONDITIONS[1::3]) if quick else (SIDES, CONDITIONS)
    rows: dict[tuple[str, str], list[int]] = {}
    spent, frames_seen = 0.0, 0
    for case in (*falls(), *others()):
        for name, camera in CAMERAS.items():
            for side in sides:
                clip = see(case, side, camera)
                for fps, noise, missing in conditions:
                    frames = spoil(clip, fps, noise, missing)
                    began = time.perf_counter()
                    events = told(frames)
                    spent += time.perf_counter() - began
                    frames_seen += len(frames)
                    row = rows.setdefault((case.name, name), [0, 0, 0])
                    for column, value in enumerate((1, is_right(case, events), len(events))):
                        row[column] += int(value)
    print("| movement | camera | trials | right | falls told |\n|---|---|---|---|---|")
    for (movement, camera_name), (trials, right, events_told) in rows.items():
        print(f"| {movement} | {camera_name} | {trials} | {right} | {events_told} |")
    print(f"\n{1000 * spent / frames_seen:.3f} ms a person and frame")


if __name__ == "__main__":
    main()
