"""How sources become clips: the options that every command on whole clips shares."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any

from poise.errors import UsageError
from poise.options import Options, Precision, SmoothingMethod

FILL_GAPS = 0.25  # seconds


@dataclass(frozen=True, kw_only=True)
class LoadingOptions:
    """Options of ``load_clip``; each is described once, here, beside its type.

    Raises:
        UsageError: A value is out of its range; the message names the field.
    """

    fps: Annotated[float, "Frames per second of keypoint files that hold no times."] = 30.0
    precision: Annotated[
        Precision, "'f32' gives the same keypoints on every machine, 'auto' is the fastest."
    ] = "auto"
    smooth: Annotated[SmoothingMethod, "Smooth the keypoints of videos in time."] = "savgol"
    repair_swaps: Annotated[bool, "Undo left and right limbs that change places in the videos."] = (
        False
    )

    def __post_init__(self) -> None:
        if not 0 < self.fps < math.inf:
            raise UsageError(f"wanted more than 0, got {self.fps:g}", where="fps")
        self.estimation()

    def estimation(self) -> Options:
        """Return how videos are estimated: tracked, smoothed, short gaps filled."""
        return Options(
            precision=self.precision,
            smooth=self.smooth,
            fill_gaps=FILL_GAPS,
            repair_swaps=self.repair_swaps,
        )

    def settings(self) -> dict[str, Any]:
        """Return what the keypoints of a video depend on, apart from the model."""
        return {"smooth": self.smooth, "repair_swaps": self.repair_swaps, "fill_gaps": FILL_GAPS}
