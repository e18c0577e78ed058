"""Ideal outputs of networks, drawn from known people: what a decoder must find again."""

from __future__ import annotations

import numpy as np

from poise.models.paf_lines import Layout
from poise.models.posenet_decoding import TREE, Fields
from poise.skeleton import get_skeleton

# --- heat maps and part affinity fields ----------------------------------------------------------

HEIGHT, WIDTH = 46, 54
# A standing body in units of its height, by keypoint name; the person faces us.
BODY = {
    "head_top": (0, 0), "nose": (0, 0.08), "left_eye": (0.03, 0.06), "right_eye": (-0.03, 0.06),
    "left_ear": (0.06, 0.08), "right_ear": (-0.06, 0.08), "neck": (0, 0.2),
    "upper_neck": (0, 0.17), "left_shoulder": (0.13, 0.2), "right_shoulder": (-0.13, 0.2),
    "left_elbow": (0.2, 0.36), "right_elbow": (-0.2, 0.36), "left_wrist": (0.22, 0.52),
    "right_wrist": (-0.22, 0.52), "chest": (0, 0.35), "mid_hip": (0, 0.54),
    "left_hip": (0.08, 0.54), "right_hip": (-0.08, 0.54), "left_knee": (0.09, 0.76),
    "right_knee": (-0.09, 0.76), "left_ankle": (0.1, 0.96), "right_ankle": (-0.1, 0.96),
    "left_big_toe": (0.17, 1.02), "left_small_toe": (0.22, 0.98), "left_heel": (0.06, 1.02),
    "right_big_toe": (-0.17, 1.02), "right_small_toe": (-0.22, 0.98), "right_heel": (-0.06, 1.02),
}  # fmt: skip


def person(layout: Layout, x: float, y: float, size: float) -> np.ndarray:
    names = get_skeleton(layout.skeleton).keypoints
    return np.array([BODY[name] for name in names]) * size + [x, y]


def draw(
    people: list[np.ndarray], layout: Layout, shape=(HEIGHT, WIDTH), sigma=0.9, limbs=(0.5, 0.8)
):
    """Ideal maps: Gaussians (their maximum where people overlap), unit vectors along limbs.

    ``limbs``: how far a field reaches beyond the ends and beside the line, in cells.
    """
    height, width = shape
    y, x = np.mgrid[:height, :width] + 0.5
    maps = np.zeros((len(get_skeleton(layout.skeleton)), height, width), np.float32)
    field = np.zeros((2 * len(layout.pairs), height, width), np.float32)
    for (a, b), (cx, cy) in zip(layout.pairs, layout.channels, strict=True):
        total, count = np.zeros((2, height, width)), np.zeros((height, width))
        for body in people:
            way = body[b] - body[a]
            if not np.isfinite(way).all():
                continue
            length = np.hypot(*way)
            unit = way / length
            along = (x - body[a, 0]) * unit[0] + (y - body[a, 1]) * unit[1]
            beside = np.abs((x - body[a, 0]) * unit[1] - (y - body[a, 1]) * unit[0])
            on = (along > -limbs[0]) & (along < length + limbs[0]) & (beside < limbs[1])
            total += unit[:, None, None] * on
            count += on
        field[[cx, cy]] = total / np.maximum(count, 1)
    for body in people:
        for k, (px, py) in enumerate(body):
            if np.isfinite(px):
                spot = np.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * sigma**2))
                maps[k] = np.maximum(maps[k], spot)
    return maps, field


# --- PoseNet --------------------------------------------------------------------------------------

# A standing person, 170 px high: COCO's 17 keypoints, x and y from the nose.
PERSON = np.array(
    [
        (0, 0), (6, -5), (-6, -5), (13, 0), (-13, 0), (24, 28), (-24, 28), (36, 56), (-36, 56),
        (44, 82), (-44, 82), (16, 86), (-16, 86), (18, 122), (-18, 122), (19, 158), (-19, 158),
    ],
    np.float64,
)  # fmt: skip
SIZE = (513, 385)


def people(*noses, scale=1.0):
    return np.stack([PERSON * scale + nose for nose in noses])


def encode(poses, *, seen=None, size=SIZE, stride=16):
    """Ideal fields of (N, 17, 2) poses; what is not in the (N, 17) mask has places but no heat."""
    width, height = (size[0] - 1) // stride + 1, (size[1] - 1) // stride + 1
    grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1) * float(stride)
    seen = np.ones(poses.shape[:2], bool) if seen is None else seen
    heat, offsets = np.zeros((height, width, 17)), np.zeros((height, width, 17, 2))
    hops = np.zeros((height, width, 32, 2))
    edges = [*TREE, *((child, parent) for parent, child in TREE)]
    for part in range(17):
        away = ((poses[:, part] - grid[:, :, None]) ** 2).sum(axis=3)
        owner = away.argmin(axis=2)
        glow = np.where(seen[:, part], np.exp(-away / (2 * 10.0**2)), 0)
        heat[..., part] = glow.max(axis=2)
        offsets[:, :, part] = poses[owner, part] - grid
        for number, (source, target) in enumerate(edges):
            if source == part:
                hops[:, :, number] = (poses[:, target] - poses[:, source])[owner]
    return Fields(
        heat.astype(np.float32), offsets.astype(np.float32), hops.astype(np.float32), stride
    )


def heads(fields):
    """The three heads of a network that says these fields, y before x, heat as logits."""
    cells = fields.heat.shape[:2]
    likely = np.clip(fields.heat, 1e-6, 1 - 1e-6)
    offsets = np.concatenate([fields.offsets[..., 1], fields.offsets[..., 0]], axis=2)
    hops = fields.hops.reshape(*cells, 2, 16, 2)
    blocks = [hops[:, :, way, :, axis] for way in (0, 1) for axis in (1, 0)]
    return [np.log(likely / (1 - likely)), offsets, np.concatenate(blocks, axis=2)]
