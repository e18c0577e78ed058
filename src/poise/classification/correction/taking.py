"""A pose taken from a picture: its ideals are what is measured there."""

from __future__ import annotations

import numpy as np

from poise.classification.correction.gauges import Gauges
from poise.classification.correction.target import Check, Target, View
from poise.classification.measures import Measures
from poise.errors import InputError

TOLERANCE = 15.0
_FEWEST = 4
# A limb that looks shorter than half its usual share of the stature points at the camera, so that
# its heading says little. Shares as in Drillis and Contini (1966), printed by Winter.
_SHARES = {"upper_arm": ("shoulder", "elbow", 0.186), "thigh": ("hip", "knee", 0.245)}
_SHORTEST = 0.5
# Shoulders by trunk: from the front about 0.7, from the side near 0.
FRONT, SIDE = 0.5, 0.35


def take_pose(gauges: Gauges, name: str, *, frame: int = 0) -> Target:
    """Return the pose of one frame of a person, with default tolerances.

    The trunk, upper arms and thighs count by their headings, elbows and knees by their angles, so
    that one limb that is wrong is one finding. What cannot be seen is left out, and so is a limb
    that points at the camera.

    Raises:
        InputError: Fewer than four of these can be seen.
    """
    plain = gauges.plain
    measures = ["heading.trunk"]
    for side in ("left", "right"):
        for limb, (start, end, share) in _SHARES.items():
            length = plain.distance(f"{side}_{start}", f"{side}_{end}")[frame]
            if length >= _SHORTEST * share:
                measures.append(f"heading.{side}_{limb}")
        measures += [f"angle.{side}_elbow", f"angle.{side}_knee"]
    values = {measure: float(plain.series(measure)[frame]) for measure in measures}
    checks = tuple(
        Check(measure, round(value, 1), TOLERANCE)
        for measure, value in values.items()
        if np.isfinite(value)
    )
    if len(checks) < _FEWEST:
        raise InputError(
            "too little of the person can be seen to make a pose of it", where=name,
            remedy="take a picture that shows the whole body",
        )  # fmt: skip
    return Target(name, guess_view(plain, frame), checks, "Taken from a picture.")


def guess_view(measures: Measures, frame: int = 0) -> View:
    """Return from where a person is seen, by how broad the shoulders look."""
    breadth = measures.ratio("shoulders", "trunk")[frame]
    if breadth >= FRONT:
        return "front"
    return "side" if breadth <= SIDE else "any"
