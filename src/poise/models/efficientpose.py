"""EfficientPose: one person, MPII's 16 keypoints (Groos, Ramampiaro and Ihlen, 2020).

The networks have four outputs: part affinity fields, two passes of coarse heat maps, and heat maps
as large as the input, ``upscaled_confs``. Only the last are read. They are smoothed with a
Gaussian of sigma 1 pixel, and the middle of the highest pixel is the keypoint
(daniegr/EfficientPose, ``utils/helpers.py``: ``extract_coordinates``). The input is RGB with
ImageNet's mean and deviation; what lies beyond the picture is black before that.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Unpack

import numpy as np
import numpy.typing as npt

from poise.errors import ModelError
from poise.models.card import Card
from poise.models.heatmap_decoding import find_tops, turn_round
from poise.models.steps import card_pixels
from poise.models.upright import UprightModel
from poise.poses import FloatArray
from poise.runtime import Compute, Session, engine
from poise.skeleton import get_skeleton

# The networks' order of keypoints (``extract_coordinates``: body_parts).
ORDER = (
    "head_top", "upper_neck", "right_shoulder", "right_elbow", "right_wrist", "thorax",
    "left_shoulder", "left_elbow", "left_wrist", "pelvis", "right_hip", "right_knee",
    "right_ankle", "left_hip", "left_knee", "left_ankle",
)  # fmt: skip
OUTPUT = "upscaled_confs/BiasAdd"
SIGMA = 1.0
# SciPy cuts its Gaussian off at four sigma.
_REACH = 4


class EfficientPose(UprightModel):
    """Reads MPII's 16 keypoints from (N, 16, height, width) smoothed maps in MPII's order.

    Raises:
        ModelError: The maps are not of that shape.
    """

    def _decode(self, outputs: list[FloatArray]) -> tuple[FloatArray, FloatArray]:
        maps = outputs[0]
        wide, high = self.size
        if maps.ndim != 4 or maps.shape[1:] != (len(self.skeleton), high, wide):
            raise ModelError(
                f"wanted heat maps (people, {len(self.skeleton)}, {high}, {wide}), "
                f"got {maps.shape}",
                where="efficientpose",
                remedy="check that the weights are those of the card",
            )
        tops, scores = find_tops(maps)
        return (tops + 0.5).astype(np.float32), np.clip(scores, 0, 1).astype(np.float32)

    def _average(self, outputs: list[FloatArray], mirrored: list[FloatArray]) -> list[FloatArray]:
        # A cell stands for its middle, so that the mirror image of cell x is w - 1 - x.
        turned = turn_round(mirrored[0], self.skeleton.flip, shift=False)
        return [np.float32(0.5) * (outputs[0] + turned)]


def smoothing_kernel() -> npt.NDArray[np.float32]:
    """Return the nine weights of SciPy's ``gaussian_filter`` of sigma 1."""
    away = np.arange(-_REACH, _REACH + 1)
    weights = np.exp(-(away**2) / (2 * SIGMA**2))
    kernel: npt.NDArray[np.float32] = (weights / weights.sum()).astype(np.float32)
    return kernel


def finish(ends: list[Any]) -> list[Any]:
    """Return nodes that smooth (N, h, w, 16) maps and put them in MPII's order, channels first."""
    op = engine().opset8
    rows = [ORDER.index(name) for name in get_skeleton("mpii16").keypoints]
    first = op.transpose(ends[0], np.array([0, 3, 1, 2]))
    maps = op.gather(first, np.array(rows), np.int64(1))
    # Beyond the border the map goes on as its mirror image, as SciPy's does.
    margin = np.array([0, 0, _REACH, _REACH])
    padded = op.pad(maps, margin, margin, "symmetric")
    weights = np.tile(smoothing_kernel(), (len(rows), 1, 1, 1, 1))
    still, one = [0, 0], [1, 1]
    across = op.group_convolution(padded, weights, one, still, still, one)
    down = np.ascontiguousarray(weights.swapaxes(3, 4))
    return [op.group_convolution(across, down, one, still, still, one)]


def load(card: Card, paths: Sequence[Path], **compute: Unpack[Compute]) -> EfficientPose:
    """Return the crop model that a card describes, ready to run."""
    session = Session(
        paths,
        outputs=[OUTPUT],
        streams=2,
        pixels=card_pixels(card),
        then=finish,
        **compute,
    )
    return EfficientPose(session, card)
