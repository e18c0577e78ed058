"""What a pose is judged by, measured in the four ways in which a person may be mirrored."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from poise.angles import JOINTS, Joint, angle_between
from poise.classification.measures import Measures
from poise.clip import Track

Floats = npt.NDArray[np.float64]

_BOTH = {part: (f"left_{part}", f"right_{part}") for part in ("shoulder", "hip", "knee")}
_ARCHES = {joint.name: joint for joint in JOINTS} | {
    "hips": Joint("hips", _BOTH["shoulder"], _BOTH["hip"], _BOTH["knee"])
}

# (flipped, swapped): the picture mirrored in x, and left and right exchanged.
VARIANTS = ((False, False), (True, False), (True, True), (False, True))


class Gauges:
    """Measures of one person as they are, mirrored, and with left and right exchanged.

    Args:
        track: The person; one frame is enough.
        aspect: Width of a pixel by its height.
    """

    def __init__(self, track: Track, *, aspect: float = 1.0) -> None:
        self.times: Floats = np.asarray(track.times, np.float64)
        self._all = [Measures(_turned(track, aspect, *variant)) for variant in VARIANTS]

    def __len__(self) -> int:
        return len(self.times)

    @property
    def plain(self) -> Measures:
        """The person as they are."""
        return self._all[0]

    def series(self, measure: str, variant: int) -> Floats:
        """Return (T,) degrees of a measure of a ``Check``; NaN where it cannot be seen."""
        measures = self._all[variant]
        kind, _, part = measure.partition(".")
        if kind == "arch":
            return _arch(measures, part)
        return measures.series(measure)

    def breadth(self) -> float:
        """Return how broad the shoulders look by the length of the trunk; NaN where unseen.

        About 0.7 from the front, 0 from the side.
        """
        ratio = self.plain.ratio("shoulders", "trunk")
        seen = ratio[np.isfinite(ratio)]
        return float(np.median(seen)) if len(seen) else float("nan")


def _turned(track: Track, aspect: float, flipped: bool, swapped: bool) -> Track:
    points = track.keypoints * np.array([-aspect if flipped else aspect, 1.0], np.float32)
    scores = track.scores
    if swapped:
        points, scores = points[:, track.skeleton.flip], scores[:, track.skeleton.flip]
    return replace(track, keypoints=points, scores=scores, xyz=None)


def _arch(measures: Measures, name: str) -> Floats:
    """Return (T,) how many degrees a joint bends; above 0 where it is higher in the picture than
    the line between its neighbours, below 0 where it is lower."""
    joint = _ARCHES[name]
    first, middle, last = (
        (measures.place(group[0]) + measures.place(group[-1])) / 2
        for group in (joint.first, joint.middle, joint.last)
    )
    chord, out = last - first, middle - first
    cross = chord[:, 0] * out[:, 1] - chord[:, 1] * out[:, 0]
    # y grows downwards: the joint is above the chord where the cross product has the sign of -dx.
    sign = np.where(cross * chord[:, 0] < 0, 1.0, -1.0)
    bent: Floats = sign * (180 - angle_between(first - middle, last - middle))
    return bent
