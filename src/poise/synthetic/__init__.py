"""The synthetic stage: drawn, moving people whose keypoints are known exactly."""

from __future__ import annotations

from poise.synthetic.body import Proportions
from poise.synthetic.camera import Camera
from poise.synthetic.choreography import Beat, Choreography, sequence, still
from poise.synthetic.dancer import Dancer
from poise.synthetic.figure import WARDROBE, Clothes
from poise.synthetic.movements import (
    arm_circles,
    arm_raises,
    dance,
    jumping_jacks,
    lunges,
    punches,
    side_steps,
    squats,
    walk,
    waves,
)
from poise.synthetic.postures import JOINTS, POSTURES, mirror, posture
from poise.synthetic.stage import Stage

__all__ = [
    "JOINTS",
    "POSTURES",
    "WARDROBE",
    "Beat",
    "Camera",
    "Choreography",
    "Clothes",
    "Dancer",
    "Proportions",
    "Stage",
    "arm_circles",
    "arm_raises",
    "dance",
    "jumping_jacks",
    "lunges",
    "mirror",
    "posture",
    "punches",
    "sequence",
    "side_steps",
    "squats",
    "still",
    "walk",
    "waves",
]
