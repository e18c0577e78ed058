"""Where people may be: the region proposal network (Ren et al. 2015, Faster R-CNN)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from poise.models.rcnn.design import Design
from poise.models.rcnn.operators import nms

SIZES = (32.0, 64.0, 128.0, 256.0, 512.0)  # of the anchors of each level, in pixels
RATIOS = (0.5, 1.0, 2.0)  # height to width
STRIDES = (4, 8, 16, 32, 64)
OVERLAP = 0.7
MOST = 1000  # proposals of a level before suppression, and of the picture after it
# A box grows at most so much: 1000 / 16, as both references have it.
_MOST_GROWTH = math.log(1000.0 / 16)


class ProposalHead(nn.Module):
    """For each cell of each level and three anchors: how likely something is there, and where."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        first = nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU())
        self.conv = nn.Sequential(first)
        self.cls_logits = nn.Conv2d(channels, len(RATIOS), 1)
        self.bbox_pred = nn.Conv2d(channels, 4 * len(RATIOS), 1)

    def forward(self, level: Tensor) -> tuple[Tensor, Tensor]:
        """Return (A,) logits and (A, 4) deltas: row by row, and the anchors of a cell together."""
        now = self.conv(level)
        deltas = self.bbox_pred(now)[0].permute(1, 2, 0)
        return self.cls_logits(now)[0].permute(1, 2, 0).reshape(-1), deltas.reshape(-1, 4)


class Proposer(nn.Module):
    """Turns a pyramid into at most 1000 boxes."""

    def __init__(self, design: Design) -> None:
        super().__init__()
        self._design = design
        self.head = ProposalHead(design.pyramid)

    def forward(self, levels: list[Tensor], pixels: Tensor, size: Tensor) -> tuple[Tensor, Tensor]:
        """Return (P, 4) boxes in pixels, the likeliest first, and (P,) which of them are there.

        Args:
            levels: The pyramid.
            pixels: (1, 3, H, W), what it was made of.
            size: (2,) width and height of the picture in it.
        """
        parts = [self._propose(level, number, pixels, size) for number, level in enumerate(levels)]
        boxes, scores, stays = (torch.cat(part) for part in zip(*parts, strict=True))
        best = torch.where(stays, scores, -math.inf).topk(least(MOST, scores.shape[0])).indices
        return boxes[best], stays[best]

    def _propose(
        self, level: Tensor, number: int, pixels: Tensor, size: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        logits, deltas = self.head(level)
        best = logits.topk(least(MOST, logits.shape[0])).indices
        anchors = self._anchors(level, number, pixels)[best]
        boxes = clip(move(anchors, deltas[best]), size)
        likely = logits[best]
        # Detectron2 orders the levels' boxes by their logits, torchvision by their likelihoods.
        scores = likely.sigmoid() if self._design.style == "torchvision" else likely
        real = large(boxes, self._design.least_sides[0])
        return boxes, scores, nms(boxes, scores, real, OVERLAP)

    def _anchors(self, level: Tensor, number: int, pixels: Tensor) -> Tensor:
        """Return (A, 4) the anchors of a level, in the order of the head's answers."""
        rows, columns = level.shape[-2:]
        down = across = STRIDES[number]
        if self._design.measured_strides:
            down, across = pixels.shape[-2] // rows, pixels.shape[-1] // columns
        ratios = torch.tensor(RATIOS).sqrt()
        wide, high = SIZES[number] / ratios, SIZES[number] * ratios
        shapes = torch.stack([-wide, -high, wide, high], 1) / 2
        if self._design.whole_anchors:
            shapes = shapes.round()
        x = (torch.arange(columns) * across).to(torch.float32)
        y = (torch.arange(rows) * down).to(torch.float32)
        down_grid, across_grid = torch.meshgrid(y, x, indexing="ij")
        grid = torch.stack([across_grid, down_grid] * 2, 2).reshape(-1, 1, 4)
        return (grid + shapes).reshape(-1, 4)


def move(boxes: Tensor, deltas: Tensor) -> Tensor:
    """Return (N, 4) boxes moved by parts of their sides and grown by powers of e.

    Args:
        boxes: (N, 4) x0 y0 x1 y1.
        deltas: (N, 4) right, down, wider, higher (Girshick et al. 2014, R-CNN, appendix C).
    """
    sides = boxes[:, 2:] - boxes[:, :2]
    middle = boxes[:, :2] + 0.5 * sides + deltas[:, :2] * sides
    half = 0.5 * (deltas[:, 2:].clamp(max=_MOST_GROWTH).exp() * sides)
    return torch.cat([middle - half, middle + half], 1)


def clip(boxes: Tensor, size: Tensor) -> Tensor:
    """Return (N, 4) boxes cut at the picture's border; ``size`` is (2,) width and height."""
    return torch.minimum(boxes.clamp(min=0), size.repeat(2))


def large(boxes: Tensor, least_side: float) -> Tensor:
    """Return (N,) whether both sides of a box are at least so long, and more than nothing."""
    sides = boxes[:, 2:] - boxes[:, :2]
    return ((sides >= least_side) & (sides > 0)).all(1)


def least(most: int, count: int) -> int:
    """Return the smaller number; the second may be a symbol of an exporter."""
    return torch.sym_min(most, count) if isinstance(count, torch.SymInt) else min(most, count)
