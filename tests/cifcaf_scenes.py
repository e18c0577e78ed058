"""Composite fields of people whose poses are known: ideal ones, and those with faults."""

from __future__ import annotations

import numpy as np

from poise.models.cifcaf_decoding import PAIRS
from poise.skeleton import get_skeleton

STRIDE = 8
SIGMAS = np.array(get_skeleton("coco17").sigmas)
# A standing body that faces us, in units of its height.
BODY = np.array([
    (0, 0.08), (0.03, 0.06), (-0.03, 0.06), (0.06, 0.08), (-0.06, 0.08), (0.13, 0.2), (-0.13, 0.2),
    (0.2, 0.36), (-0.2, 0.36), (0.22, 0.52), (-0.22, 0.52), (0.08, 0.54), (-0.08, 0.54),
    (0.09, 0.76), (-0.09, 0.76), (0.1, 0.96), (-0.1, 0.96),
])  # fmt: skip


def person(x: float, y: float, height: float, turn: float = 0) -> np.ndarray:
    """(17, 2) pixels of a body; (x, y) is the middle of its head's top, which it turns around."""
    around = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return BODY @ around.T * height + [x, y]


def sizes(body: np.ndarray) -> np.ndarray:
    """(17,) pixels: how large OpenPifPaf has keypoints, by the area of the person's box."""
    sides = np.nanmax(body, axis=0) - np.nanmin(body, axis=0)
    return np.sqrt(sides.prod()) * SIGMAS


def draw(people, shape=(41, 41), *, sure=None, scales=None):
    """Ideal fields of (17, 2) bodies in pixels: cells point exactly at what is nearest.

    Args:
        people: NaN is absent.
        shape: Rows and columns of cells.
        sure: (17,) confidences of each body, else 1.
        scales: (17,) sizes in pixels of each body, else those of `sizes`.
    """
    height, width = shape
    y, x = np.mgrid[:height, :width].astype(float)
    cif = np.zeros((17, 5, height, width), np.float32)
    caf = np.zeros((19, 8, height, width), np.float32)
    near, close = np.full((17, height, width), 2.3), np.full((19, height, width), 1.5)
    for number, body in enumerate(people):
        here = body / STRIDE
        size = (sizes(body) if scales is None else scales[number]) / STRIDE
        likely = np.ones(17) if sure is None else sure[number]
        for k in np.flatnonzero(np.isfinite(here[:, 0])):
            away = np.hypot(x - here[k, 0], y - here[k, 1])
            mine = away < near[k]
            near[k][mine] = away[mine]
            cif[k, 1:, mine] = [likely[k], *here[k], size[k]]
        for k, (i, j) in enumerate(PAIRS):
            way = here[j] - here[i]
            if not np.isfinite(way).all():
                continue
            along = ((x - here[i, 0]) * way[0] + (y - here[i, 1]) * way[1]) / max(way @ way, 1e-9)
            along = np.clip(along, 0, 1)
            away = np.hypot(x - here[i, 0] - along * way[0], y - here[i, 1] - along * way[1])
            mine = away < close[k]
            close[k][mine] = away[mine]
            both = min(likely[i], likely[j])
            caf[k, 1:, mine] = [both, *here[i], *here[j], size[i], size[j]]
    return cif, caf


def spoil(fields, random, noise: float):
    """Make ideal fields a network's: unsure, unsteady, and never quite silent."""
    spoilt = []
    for field in fields:
        dirty = field.copy()
        rows, columns = field.shape[2:]
        places = dirty[:, 2:-1] if field.shape[1] == 5 else dirty[:, 2:-2]
        cells = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)))
        silent = field[:, 1] == 0
        tiled = np.tile(cells, (len(field), places.shape[1] // 2, 1, 1))
        places[:] = np.where(silent[:, None], tiled, places)
        places += random.normal(0, noise, places.shape)
        scales = dirty[:, 2 + places.shape[1] :]
        scales[:] = np.where(silent[:, None], 1, scales)
        scales *= np.exp(random.normal(0, 0.3 * noise, scales.shape))
        loud = field[:, 1] * random.uniform(0.4, 1, silent.shape)
        dirty[:, 1] = np.where(silent, random.uniform(0, 0.25, silent.shape), loud)
        spoilt.append(dirty)
    return tuple(spoilt)


def crowd(random, count: int, shape, *, smallest: float, largest: float):
    """Several bodies anywhere, also across the border and each other, with missing keypoints."""
    height, width = (side * STRIDE for side in shape)
    people = []
    for _ in range(count):
        body = person(
            random.uniform(0, width), random.uniform(-0.3 * height, height),
            random.uniform(smallest, largest), random.normal(0, 0.3),
        )  # fmt: skip
        body += random.normal(0, 0.01 * np.ptp(body), body.shape)
        body[random.uniform(size=17) < 0.1] = np.nan
        body[((body < 0) | (body > [width - STRIDE, height - STRIDE])).any(axis=1)] = np.nan
        if np.isfinite(body[:, 0]).sum() > 2:
            people.append(body)
    return people
