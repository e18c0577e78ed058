"""The whole network of a Keypoint R-CNN (He et al. 2017, Mask R-CNN), in plain torch.

Modules and weights are named as in torchvision's ``keypointrcnn_resnet50_fpn``, so that its files
fit. One picture at a time.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from poise.models.rcnn.backbone import Backbone
from poise.models.rcnn.design import Design
from poise.models.rcnn.operators import nms, pyramid_align
from poise.models.rcnn.proposals import Proposer, clip, large, least, move

CLASSES = 2  # background and person
PERSON = 1
OVERLAP = 0.5
MOST = 100  # people in a picture
_BOX_CELLS, _KEYPOINT_CELLS = 7, 14
# The deltas of the box head are trained in these units.
_UNITS = (10.0, 10.0, 5.0, 5.0)
_LEVELS = 4  # of the pyramid that the heads look at
# A box of 224 pixels looks at the level of stride 16 (Lin et al. 2017, equation 1).
_NORMAL_SIDE, _NORMAL_LEVEL = 224.0, 2


class Network(nn.Module):
    """Finds people and where their keypoints are likely."""

    def __init__(self, design: Design) -> None:
        super().__init__()
        self.backbone = Backbone(design)
        self.rpn = Proposer(design)
        self.roi_heads = Heads(design)

    def forward(self, pixels: Tensor, size: Tensor, least_score: Tensor) -> tuple[Tensor, ...]:
        """Return the people of one picture, the likeliest first.

        Args:
            pixels: (1, 3, H, W) float32; H and W are multiples of 32.
            size: (2,) width and height of the picture in it; what is right of and below it is
                nought.
            least_score: (1,) people need more.

        Returns:
            (N, 4) boxes x0 y0 x1 y1 in these pixels, (N,) scores in 0..1, and (N, K, 56, 56)
            logits of each keypoint in each cell of the box.
        """
        levels = self.backbone(pixels)
        boxes, present = self.rpn(levels, pixels, size)
        people: tuple[Tensor, ...] = self.roi_heads(
            levels[:_LEVELS], boxes, present, (size, least_score)
        )
        return people


class Heads(nn.Module):
    """Says which proposals are people, where exactly they are, and where their keypoints are."""

    def __init__(self, design: Design) -> None:
        super().__init__()
        self._design = design
        self.box_head = BoxHead(design.pyramid * _BOX_CELLS**2, design.hidden)
        self.box_predictor = BoxPredictor(design.hidden)
        layers: list[nn.Module] = []
        for number in range(design.convolutions):
            before = design.heat if number else design.pyramid
            layers += [nn.Conv2d(before, design.heat, 3, padding=1), nn.ReLU()]
        self.keypoint_head = nn.Sequential(*layers)
        self.keypoint_predictor = KeypointPredictor(design.heat, design.keypoints)

    def forward(
        self,
        levels: list[Tensor],
        proposals: Tensor,
        present: Tensor,
        limits: tuple[Tensor, Tensor],
    ) -> tuple[Tensor, ...]:
        """Return boxes, scores and maps as `Network`; ``limits`` are the size and least score."""
        logits, deltas = self.box_predictor(self.box_head(self._cut(levels, proposals, _BOX_CELLS)))
        size, least_score = limits
        scores = F.softmax(logits, 1)[:, PERSON]
        of_person = deltas[:, 4 * PERSON : 4 * PERSON + 4] / torch.tensor(_UNITS)
        boxes = clip(move(proposals, of_person), size)
        good = present & (scores > least_score) & large(boxes, self._design.least_sides[1])
        stays = nms(boxes, scores, good, OVERLAP)
        best = torch.where(stays, scores, -math.inf).topk(least(MOST, scores.shape[0])).indices
        best = best[stays[best].nonzero()[:, 0]]
        boxes, scores = boxes[best], scores[best]
        found = self.keypoint_head(self._cut(levels, boxes, _KEYPOINT_CELLS))
        return boxes, scores, self.keypoint_predictor(found)

    def _cut(self, levels: list[Tensor], boxes: Tensor, size: int) -> Tensor:
        sampling, aligned = self._design.sampling, self._design.aligned
        return pyramid_align(
            levels, boxes, choose_levels(boxes), size=size, sampling=sampling, aligned=aligned
        )


class BoxHead(nn.Module):
    """Two layers over everything in a box."""

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.fc6 = nn.Linear(inputs, hidden)
        self.fc7 = nn.Linear(hidden, hidden)

    def forward(self, now: Tensor) -> Tensor:
        """Return (N, hidden)."""
        return F.relu(self.fc7(F.relu(self.fc6(now.flatten(1)))))


class BoxPredictor(nn.Module):
    """What is in each box, and how to move it to fit."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.cls_score = nn.Linear(hidden, CLASSES)
        self.bbox_pred = nn.Linear(hidden, 4 * CLASSES)

    def forward(self, now: Tensor) -> tuple[Tensor, Tensor]:
        """Return (N, 2) logits and (N, 8) deltas, of the background first."""
        return self.cls_score(now), self.bbox_pred(now)


class KeypointPredictor(nn.Module):
    """Doubles the maps twice: by a transposed convolution, then by bilinear interpolation."""

    def __init__(self, channels: int, keypoints: int) -> None:
        super().__init__()
        self.kps_score_lowres = nn.ConvTranspose2d(channels, keypoints, 4, stride=2, padding=1)

    def forward(self, now: Tensor) -> Tensor:
        """Return (N, keypoints, 56, 56)."""
        return F.interpolate(
            self.kps_score_lowres(now), scale_factor=2.0, mode="bilinear", align_corners=False
        )


def choose_levels(boxes: Tensor) -> Tensor:
    """Return (N,) which level of the pyramid a box looks at, from 0 (Lin et al. 2017, eq. 1).

    Both references add next to nothing so that a side of just 224, 448... pixels falls upwards.
    """
    sides = (boxes[:, 2:] - boxes[:, :2]).prod(1).sqrt()
    levels = (_NORMAL_LEVEL + torch.log2(sides / _NORMAL_SIDE) + 1e-6).floor()
    return levels.clamp(0, _LEVELS - 1).to(torch.int64)
