"""How often each built-in label is said, rightly and wrongly, on the synthetic stage.

python benchmarks/rules.py            the table of docs/classify.md
python benchmarks/rules.py --misses   every pose that got another label
"""

from __future__ import annotations

import argparse
from collections import Counter

import numpy as np

from poise.classification.rules import classify_poses, classify_track, load_rules
from poise.poses import Poses
from poise.synthetic import (
    Dancer,
    Proportions,
    Stage,
    dance,
    jumping_jacks,
    posture,
    sequence,
    squats,
    walk,
)
from poise.synthetic.postures import Angles

VIEWS = (0, 30, -30, 60, -60, 90, 180)
BODIES = {
    "adult": (1.0, Proportions()),
    "child": (0.7, Proportions(head=1.25)),
    "long legs": (1.1, Proportions(thigh=0.26, shin=0.258, trunk=0.275)),
    "long trunk": (1.0, Proportions(trunk=0.305, thigh=0.235, shin=0.236)),
}
NOISE = 0.01  # of the stature: as the default model's errors


def _pointing(side: str) -> Angles:
    arm = {f"{side}_arm_side": 88, f"{side}_elbow": 4, f"{side}_arm_twist": 0}
    return posture("stand", **arm)


POSES: dict[str, dict[str, list[Angles]]] = {
    "posture": {
        "standing": [posture("stand"), posture("hands on hips"), posture("stand", spine_side=8)],
        "sitting": [
            posture("sit"),
            posture("sit", knee=110, spine_bend=10),
            posture("sit", leg_side=16, knee=75),
            posture("sit", arm_front=10),
        ],
        "squatting": [
            posture("squat"),
            posture("squat", leg_front=105, knee=125, spine_bend=40),
            posture("squat", arm_front=0, arm_side=10),
        ],
        "kneeling": [posture("kneel"), posture("stand", knee=90, ankle=30)],
        "bending": [posture("bend"), posture("bow", spine_bend=70), posture("bend", arm_front=20)],
        "lying": [posture("lie"), posture("lie", arm_side=60), posture("lie", leg_front=20)],
        "one_leg": [posture("knee up"), posture("tree"), posture("stand", left_knee=95)],
    },
    "gesture": {
        "arms_crossed": [
            posture("stand", arm_front=48, arm_side=2, elbow=108, arm_twist=-75),
            posture("stand", arm_front=42, arm_side=5, elbow=115, arm_twist=-80),
        ],
        "hands_up": [posture("arms up"), posture("cheer"), posture("stand", arm_front=165)],
        "t_pose": [posture("t-pose"), posture("t-pose", arm_side=82, elbow=10)],
        "stop": [posture("cactus"), posture("cactus", arm_side=70)],
        "hello": [posture("wave"), posture("point"), posture("wave", right_arm_side=70)],
        "pointing_left": [_pointing("left")],
        "pointing_right": [_pointing("right")],
    },
}
# Arms that point at the camera, a body along the line of sight, one arm behind the other.
UNSEEN = {label: {90} for label in ("t_pose", "pointing_left", "pointing_right", "lying")} | {
    "arms_crossed": {60, 90}
}


def _look(angles: Angles, facing: float, body: str, random: np.random.Generator) -> Poses:
    scale, proportions = BODIES[body]
    dancer = Dancer(sequence((angles, 1.0)), facing=facing, scale=scale, proportions=proportions)
    truth = Stage(dancer, fps=2).truth(0, "coco17")
    spread = NOISE * scale * 244  # the stature in pixels
    noisy = truth.keypoints + random.normal(0, spread, truth.keypoints.shape).astype(np.float32)
    return truth.replace(keypoints=noisy, ids=None)


def measure(kind: str, misses: bool) -> None:
    """Print recall and precision of the labels of one kind."""
    random = np.random.default_rng(0)
    right, wanted, said = Counter[str](), Counter[str](), Counter[str]()
    for label, variants in POSES[kind].items():
        for facing in VIEWS:
            if abs(facing) in UNSEEN.get(label, set()):
                continue
            for body in BODIES:
                for number, angles in enumerate(variants):
                    poses = _look(angles, facing, body, random)
                    found = {event.kind: event.label for event in classify_poses(poses)}
                    got = found.get(kind, "-")
                    wanted[label] += 1
                    said[got] += 1
                    right[label] += got == label
                    if misses and got != label:
                        print(f"  {label} {number} at {facing}, {body}: {got}")
    for label in wanted:
        recall, precision = right[label] / wanted[label], right[label] / max(said[label], 1)
        print(f"| {label} | {wanted[label]} | {recall:.2f} | {precision:.2f} |")


def measure_movements() -> None:
    """Print the share of frames of each label over movements."""
    rules = load_rules()
    movements = {
        "walk": walk(4), "squats": squats(2), "jumping jacks": jumping_jacks(4), "dance": dance(),
    }  # fmt: skip
    for name, movement in movements.items():
        share, frames = Counter[str](), 0
        for facing in (0, 45, 90):
            track = Stage(Dancer(movement, facing=facing), fps=15).clip().tracks()[0]
            frames += len(track)
            for labelling in classify_track(track, rules):
                said = [labelling.names[n] if n >= 0 else "unknown" for n in labelling.labels]
                share.update(label or f"no {labelling.kind}" for label in said)
        words = ", ".join(f"{label} {n / frames:.2f}" for label, n in share.most_common())
        print(f"| {name} | {frames} | {words} |")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--misses", action="store_true")
    misses = parser.parse_args().misses
    print("| label | poses | recall | precision |\n|---|---|---|---|")
    for kind in POSES:
        measure(kind, misses)
    print("\n| movement | frames | share of the frames |\n|---|---|---|")
    measure_movements()


if __name__ == "__main__":
    main()
