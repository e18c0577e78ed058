"""Ready movements: gymnastics that repeat, walking, and the dance of the demo."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from poise.errors import UsageError
from poise.synthetic.choreography import Beat, Choreography, sequence
from poise.synthetic.postures import JOINT_NUMBER, Angles, mirror, posture


def walk(seconds: float = 4.0, *, steps_per_second: float = 1.8) -> Choreography:
    """Walk on the spot; with a ``Dancer.path`` the walker crosses the stage. Two steps a beat."""
    stride = posture(
        "stand", left_leg_front=26, left_knee=6, left_ankle=-2, right_leg_front=-22, right_knee=18,
        right_ankle=-14, left_arm_front=-22, right_arm_front=24, elbow=22, leg_side=1, leg_twist=4,
    )  # fmt: skip
    passing = posture(
        "stand", left_leg_front=0, left_knee=4, right_leg_front=18, right_knee=58, elbow=22,
        right_ankle=0, leg_side=1, leg_twist=4,
    )  # fmt: skip
    cycle = [stride, passing, mirror(stride), mirror(passing)]
    count = max(1, round(seconds * steps_per_second / 2))
    return _cyclic(cycle, count, seconds / count)


def squats(times: int = 3, *, seconds: float = 2.4) -> Choreography:
    """Squat several times, ``seconds`` each; every squat is one beat."""
    return _cyclic([posture("stand"), posture("squat")], times, seconds)


def jumping_jacks(times: int = 4, *, seconds: float = 1.0) -> Choreography:
    """Jump with spreading arms and legs; every jump is one beat."""
    shut = posture("stand", leg_side=2)
    wide = posture("star", arm_side=150)
    hop = JOINT_NUMBER["lift"]

    def movement(share: float) -> Angles:
        angles: Angles = shut + (wide - shut) * (1 - np.cos(2 * np.pi * share)) / 2
        angles[hop] = 0.07 * np.sin(2 * np.pi * share) ** 2
        return angles

    return _repeat(movement, times, seconds)


def side_steps(times: int = 4, *, seconds: float = 1.2, metres: float = 0.35) -> Choreography:
    """Step to the own left and back with swinging arms; every pair of steps is one beat."""
    left = posture("stand", left_leg_side=16, right_leg_side=4, left_knee=6, sideways=metres / 2,
                   arm_side=38, elbow=60, arm_twist=-40, spine_side=5, head_tilt=4)  # fmt: skip
    close = posture("stand", leg_side=1, knee=14, leg_front=8, elbow=75, arm_side=14)
    right = mirror(left)
    return _cyclic([close, left, close, right], times, seconds)


def arm_circles(times: int = 3, *, seconds: float = 1.6) -> Choreography:
    """Swing both straight arms once around in front of the body; every circle is one beat."""
    base = posture("a-pose", elbow=4)
    arms = [JOINT_NUMBER["left_arm_side"], JOINT_NUMBER["right_arm_side"]]

    def movement(share: float) -> Angles:
        angles = base.copy()
        angles[arms] = 92 - 78 * np.cos(2 * np.pi * share)
        front = 30 * np.sin(2 * np.pi * share)
        angles[[JOINT_NUMBER["left_arm_front"], JOINT_NUMBER["right_arm_front"]]] = front
        return angles

    return _repeat(movement, times, seconds)


def waves(times: int = 3, *, seconds: float = 0.8) -> Choreography:
    """Wave with the right hand; every wave is one beat."""
    return _cyclic(
        [posture("wave", right_elbow=62), posture("wave", right_elbow=118)], times, seconds
    )


def arm_raises(times: int = 3, *, seconds: float = 2.0) -> Choreography:
    """Lift both arms sideways over the head and lower them; every lift is one beat."""
    return _cyclic([posture("stand"), posture("arms up")], times, seconds)


def punches(times: int = 4, *, seconds: float = 0.9) -> Choreography:
    """Box with the right hand from the guard; every punch is one beat."""
    return _cyclic([posture("guard"), posture("punch")], times, seconds)


def lunges(times: int = 4, *, seconds: float = 2.0) -> Choreography:
    """Lunge with the left and the right leg in turn; every lunge is one beat."""
    stand, left = posture("stand"), posture("lunge")
    one, other = _cyclic([stand, left], 1, seconds), _cyclic([stand, mirror(left)], 1, seconds)
    beats = [(one, other)[number % 2].beats[0] for number in range(times)]
    return Choreography(tuple(beats), stand)


def dance() -> Choreography:
    """The performance of the demo: 9 s, eighteen beats at 120 to the minute."""
    beat = 0.5
    groove = posture("half squat", arm_front=30, elbow=85, arm_twist=-30, spine_side=10,
                     head_tilt=8, sideways=0.06)  # fmt: skip
    point, lean = posture("point"), posture("lean")
    return sequence(
        (groove, beat), (mirror(groove), beat), (groove, beat), (mirror(groove), beat),
        (point, beat, "snap"), ("half squat", beat), (mirror(point), beat, "snap"),
        ("half squat", beat),
        (lean, beat), (mirror(lean), beat), ("cactus", beat, "snap"),
        (posture("cheer", lift=0.10), beat), ("side lunge", beat),
        (mirror(posture("side lunge")), beat), ("knee up", beat, "snap"),
        (mirror(posture("knee up")), beat, "snap"), ("star", beat, "snap"), ("hands on hips", beat),
        start="stand",
    )  # fmt: skip


def _cyclic(cycle: list[Angles], times: int, seconds: float) -> Choreography:
    """Go round through some postures; each round is one beat that ends where it began."""
    count = len(cycle)

    def movement(share: float) -> Angles:
        place = (share % 1.0) * count
        number = int(place)
        step = place - number
        ease = (1 - np.cos(np.pi * step)) / 2
        here, there = cycle[number % count], cycle[(number + 1) % count]
        between: Angles = here + (there - here) * ease
        return between

    return _repeat(movement, times, seconds)


def _repeat(movement: Callable[[float], Angles], times: int, seconds: float) -> Choreography:
    if times < 1:
        raise UsageError(f"wanted at least 1 repetition, got {times}")
    beat = Beat(seconds, movement, blend=min(1.0, 0.3 / seconds))
    return Choreography((beat,) * times, movement(0.0))
