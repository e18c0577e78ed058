"""The two operators that torch lacks: non-maximum suppression and RoIAlign, in plain torch.

Both are registered with torch under ``poise::``, so that an exporter sees each as one node and can
write the standard ONNX operator for it. One picture at a time: there is no batch axis.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

# RoIAlign looks at so many weights at once, to bound the memory it takes.
_MOST_WEIGHTS = 1 << 22


def nms(boxes: Tensor, scores: Tensor, present: Tensor, threshold: float) -> Tensor:
    """Keep the best of the boxes that overlap, best first (greedy non-maximum suppression).

    Args:
        boxes: (N, 4) x0 y0 x1 y1.
        scores: (N,); of equal scores the first is the best.
        present: (N,) bool; the others neither stay nor suppress anything.
        threshold: Most intersection over union of two that stay.

    Returns:
        (N,) bool, which stay.
    """
    kept: Tensor = torch.ops.poise.nms(boxes, scores, present, threshold)
    return kept


def pyramid_align(
    maps: Sequence[Tensor],
    boxes: Tensor,
    levels: Tensor,
    *,
    size: int,
    sampling: int,
    aligned: bool,
) -> Tensor:
    """Cut boxes out of a pyramid of feature maps, each out of its own level (RoIAlign).

    Args:
        maps: (1, C, H, W) each; the first has a stride of 4 pixels, and each next one twice that.
        boxes: (N, 4) x0 y0 x1 y1 in pixels of the picture.
        levels: (N,) which of the maps, from 0.
        size: Cells of a side of the result.
        sampling: As `roi_align`.
        aligned: As `roi_align`.

    Returns:
        (N, C, size, size).
    """
    cut: Tensor = torch.ops.poise.pyramid_align(
        list(maps), boxes, levels, size=size, sampling=sampling, aligned=aligned
    )
    return cut


def roi_align(
    features: Tensor, boxes: Tensor, *, size: int, scale: float, sampling: int, aligned: bool
) -> Tensor:
    """Average bilinear samples in size x size bins of each box (He et al. 2017, Mask R-CNN).

    Args:
        features: (C, H, W).
        boxes: (N, 4) x0 y0 x1 y1 in pixels of the picture.
        size: Bins of a side.
        scale: From pixels to cells of the map.
        sampling: Samples a bin takes along each side; 0: as many as it has cells, rounded up.
        aligned: Whether the middle of a cell is at + 0.5 (right); else at + 0, and boxes of less
            than one cell are taken to have one (the first publication's way).

    Returns:
        (N, C, size, size).
    """
    channels, height, width = features.shape
    table = features.flatten(1).T.contiguous()
    across = _samples(boxes[:, 0::2] * scale, width, size, sampling, aligned)
    down = _samples(boxes[:, 1::2] * scale, height, size, sampling, aligned)
    weights = size * size * down[0].shape[-1] * across[0].shape[-1]
    step = max(_MOST_WEIGHTS // weights, 1)
    parts = [
        _add_up(table, width, [x[i : i + step] for x in down], [x[i : i + step] for x in across])
        for i in range(0, len(boxes), step)
    ]
    if not parts:
        return features.new_zeros(0, channels, size, size)
    return torch.cat(parts).view(-1, size, size, channels).permute(0, 3, 1, 2)


def _samples(
    ends: Tensor, cells: int, size: int, sampling: int, aligned: bool
) -> tuple[Tensor, Tensor]:
    """Return the cells that each bin looks at along one axis, (N, size, S), and their weights."""
    start, end = (ends - (0.5 if aligned else 0.0)).unbind(1)
    extent = end - start if aligned else (end - start).clamp(min=1.0)
    step = extent / size
    count = torch.full_like(step, sampling) if sampling > 0 else step.ceil()
    most = sampling if sampling > 0 else max(int(count.max()), 1) if len(count) else 1
    number = torch.arange(most, dtype=ends.dtype)
    bins = start[:, None] + torch.arange(size, dtype=ends.dtype) * step[:, None]
    places = bins[..., None] + (number + 0.5) * (step / count.clamp(min=1))[:, None, None]
    used = (number < count[:, None, None]) & (places >= -1) & (places <= cells)
    places = places.clamp(0, cells - 1)
    low = places.floor()
    share = places - low
    near = torch.cat([low, (low + 1).clamp(max=cells - 1)], 2).long()
    part = used / count.clamp(min=1)[:, None, None]
    return near, torch.cat([part * (1 - share), part * share], 2)


def _add_up(table: Tensor, width: int, down: list[Tensor], across: list[Tensor]) -> Tensor:
    """Return (N * size * size, C) sums of the cells of each bin, by their weights both ways."""
    (rows, high), (columns, wide) = down, across
    places = rows[:, :, None, :, None] * width + columns[:, None, :, None, :]
    weights = high[:, :, None, :, None] * wide[:, None, :, None, :]
    bags = places.shape[0] * places.shape[1] * places.shape[2]
    return F.embedding_bag(
        places.reshape(bags, -1),
        table,
        per_sample_weights=weights.reshape(bags, -1),
        mode="sum",
    )


def _nms(boxes: Tensor, scores: Tensor, present: Tensor, threshold: float) -> Tensor:
    """As `nms`. Instead of one box after another, all at once until nothing changes.

    A box stays when no better one that stays overlaps it. Say first that all stay, and apply this
    again and again: after n times the best n are right, mostly all of them after a few. What does
    not change any more is the greedy answer, for it is the only one that fits
    (Zheng et al. 2020, Cluster-NMS).
    """
    chosen = present.nonzero()[:, 0]
    order = chosen[scores[chosen].sort(descending=True, stable=True).indices]
    worse = (_overlaps(boxes[order]) > threshold).triu(1).to(torch.float32)
    stays = torch.ones(len(order))
    while True:
        now = (stays @ worse == 0).to(torch.float32)
        if torch.equal(now, stays):
            break
        stays = now
    kept = torch.zeros(len(boxes), dtype=torch.bool)
    kept[order] = stays > 0
    return kept


def _overlaps(boxes: Tensor) -> Tensor:
    """Return (N, N) intersection over union."""
    low = torch.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = torch.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    shared = (high - low).clamp(min=0).prod(2)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    return shared / (areas[:, None] + areas[None, :] - shared)


def _pyramid_align(
    maps: Sequence[Tensor],
    boxes: Tensor,
    levels: Tensor,
    *,
    size: int,
    sampling: int,
    aligned: bool,
) -> Tensor:
    cut = maps[0].new_zeros(len(boxes), maps[0].shape[1], size, size)
    for level, features in enumerate(maps):
        rows = (levels == level).nonzero()[:, 0]
        cut[rows] = roi_align(
            features[0],
            boxes[rows],
            size=size,
            scale=0.25 / 2**level,
            sampling=sampling,
            aligned=aligned,
        )
    return cut


def _register() -> None:
    """Make both known to torch, once a process; the second function says the result's shape."""
    define = torch.library.custom_op
    define(
        "poise::nms",
        _nms,
        mutates_args=(),
        schema="(Tensor boxes, Tensor scores, Tensor present, float threshold) -> Tensor",
    ).register_fake(lambda boxes, scores, present, threshold: torch.empty_like(present))
    define(
        "poise::pyramid_align",
        _pyramid_align,
        mutates_args=(),
        schema="(Tensor[] maps, Tensor boxes, Tensor levels, *, "
        "int size, int sampling, bool aligned) -> Tensor",
    ).register_fake(
        lambda maps, boxes, levels, *, size, sampling, aligned: maps[0].new_empty(
            boxes.shape[0], maps[0].shape[1], size, size
        )
    )


_register()
