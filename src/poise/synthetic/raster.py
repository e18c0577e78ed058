"""Anti-aliased, shaded shapes, drawn with numpy inside their bounding boxes only.

The canvas is (3, H, W) float32 RGB in 0..255, planar, because numpy works fastest on whole
planes. Coordinates are picture pixels as everywhere: pixel (i, j) has its middle at (i+.5, j+.5).
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from poise.poses import FloatArray, Image
from poise.synthetic.body import Vector

Colour = tuple[int, int, int]

# Where the light comes from, in the camera's axes: from above on the left, before the stage.
LIGHT = np.array([-0.48, -0.52, -0.71], np.float32)
_AMBIENT, _DIFFUSE = 0.56, 0.52


class Tube(NamedTuple):
    """A chain of round pieces: (n, 2) points, (n,) radii and (n,) depths, all in pixels.

    ``flat`` cuts its end off, as the hem of a sleeve.
    """

    points: Vector
    radii: Vector
    depths: Vector
    flat: bool = False


class Window(NamedTuple):
    """A part of the canvas and the middles of its pixels: xs (w,), ys (h, 1)."""

    pixels: FloatArray
    xs: FloatArray
    ys: FloatArray


def open_window(canvas: FloatArray, low: npt.ArrayLike, high: npt.ArrayLike) -> Window | None:
    """Return the pixels of a box (x0 y0, x1 y1) with a rim of one; None where it is outside."""
    _, height, width = canvas.shape
    x0, y0 = np.maximum(np.floor(np.asarray(low) - 1), 0).astype(int)
    x1, y1 = np.minimum(np.ceil(np.asarray(high) + 1), [width, height]).astype(int)
    if x0 >= x1 or y0 >= y1:
        return None
    xs = np.arange(x0, x1, dtype=np.float32) + np.float32(0.5)
    ys = np.arange(y0, y1, dtype=np.float32)[:, None] + np.float32(0.5)
    return Window(canvas[:, y0:y1, x0:x1], xs, ys)


def blend(
    window: Window, colour: Colour, shade: FloatArray | np.float32, cover: FloatArray
) -> None:
    """Lay a colour times a shade over the window, as far as it is covered (0..1)."""
    for plane, value in zip(window.pixels, colour, strict=True):
        change = np.float32(value) * shade - plane
        np.add(plane, change * cover, out=plane)


def lit(nx: FloatArray, ny: FloatArray, nz: FloatArray) -> FloatArray:
    """Return the shade of surfaces with these unit normals (towards the camera: nz < 0)."""
    light: FloatArray = nx * LIGHT[0]
    light += ny * LIGHT[1]
    light += nz * LIGHT[2]
    np.maximum(light, 0, out=light)
    light *= _DIFFUSE
    light += _AMBIENT
    light += nz * np.float32(-0.10)  # edges turn away and darken, as in a drawing
    return light


def paint_limb(canvas: FloatArray, limb: Tube, colour: Colour) -> None:
    """Draw a chain of tapered round pieces; where two overlap, the nearer surface is seen."""
    rim = limb.radii[:, None] + 1
    low, high = (limb.points - rim).min(axis=0), (limb.points + rim).max(axis=0)
    window = open_window(canvas, low, high)
    if window is None:
        return
    cover = shade = nearest = None
    for number in range(len(limb.points) - 1):
        mine, light, depth = _raise_piece(window, limb, number)
        if cover is None or shade is None or nearest is None:
            cover, shade, nearest = mine, light, depth
            continue
        weight = np.clip(nearest - depth + np.float32(0.5), 0, 1)
        shade += (light - shade) * weight
        np.minimum(nearest, depth, out=nearest)
        np.maximum(cover, mine, out=cover)
    if cover is not None and shade is not None:
        blend(window, colour, shade, cover)


def _raise_piece(
    window: Window, limb: Tube, number: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return cover, shade and depth (pixels) of one piece of a limb, between two points."""
    ends, radii = limb.points[number : number + 2], limb.radii[number : number + 2]
    (ax, ay), (ux, uy) = ends[0].astype(np.float32), (ends[1] - ends[0]).astype(np.float32)
    dx, dy = window.xs - ax, window.ys - ay
    share = (dx * ux + dy * uy) / max(ux * ux + uy * uy, np.float32(1e-6))
    along = np.clip(share, 0, 1)
    dx, dy = dx - along * ux, dy - along * uy
    radius = along * np.float32(radii[1] - radii[0]) + np.float32(max(radii[0], 0.3))
    distance = np.sqrt(dx * dx + dy * dy)
    cover = np.clip(radius - distance + np.float32(0.5), 0, 1)
    if limb.flat and number == len(limb.points) - 2:
        cover *= np.clip((1 - share) * np.hypot(ux, uy) + np.float32(0.5), 0, 1)
    bulge = np.float32(1) / np.maximum(radius, distance)
    nx, ny = dx * bulge, dy * bulge
    nz = -np.sqrt(np.maximum(1 - nx * nx - ny * ny, 0))
    start, end = limb.depths[number : number + 2]
    depth = radius * nz + (along * np.float32(end - start) + np.float32(start))
    depth[cover <= 0] = 1e6
    return cover, lit(nx, ny, nz), depth


def paint_cloth(canvas: FloatArray, rings: list[Vector], colour: Colour) -> None:
    """Draw the convex hulls of rings that follow one another, shaded as one rounded piece.

    Args:
        rings: (n, 2) pixels each, in any order, such as level cuts through a trunk.
    """
    points = np.concatenate(rings)
    window = open_window(canvas, points.min(axis=0), points.max(axis=0))
    if window is None:
        return
    pairs = list(pairwise(rings)) if len(rings) > 1 else [(rings[0], rings[0])]
    cover = np.zeros((len(window.ys), len(window.xs)), np.float32)
    for pair in pairs:  # two hulls cover one half each where they touch
        cover += np.clip(_inside(window, np.concatenate(pair)) + np.float32(0.5), 0, 1)
    np.minimum(cover, 1, out=cover)
    blend(window, colour, _shade_across(window, rings), cover)


def _inside(window: Window, corners: Vector) -> FloatArray:
    """Return how many pixels deep each pixel lies in the hull; negative outside."""
    hull = convex_hull(corners)
    if len(hull) < 3:
        return np.full((len(window.ys), len(window.xs)), -1, np.float32)
    inside = np.full((len(window.ys), len(window.xs)), np.inf, np.float32)
    for (px, py), (qx, qy) in zip(hull, np.roll(hull, -1, axis=0), strict=True):
        length = np.hypot(qx - px, qy - py)
        nx, ny = np.float32((py - qy) / length), np.float32((qx - px) / length)
        offset = np.float32(px) * nx + np.float32(py) * ny
        np.minimum(inside, window.xs * nx + (window.ys * ny - offset), out=inside)
    return inside


def _shade_across(window: Window, rings: list[Vector]) -> FloatArray:
    """Shade across the line from the first ring to the last, between the edges of the rings."""
    middles = np.array([ring.mean(axis=0) for ring in rings])
    line = middles[-1] - middles[0]
    length = float(np.hypot(*line))
    along = line / length if length > 1.0 else np.array([0.0, 1.0])
    across = np.array([-along[1], along[0]])
    places = np.maximum.accumulate(middles @ along + np.arange(len(rings)) * 1e-6)
    sides = [ring @ across for ring in rings]
    half = np.array([max(float(np.ptp(side)) / 2, 0.5) for side in sides])
    centre = np.array([(side.max() + side.min()) / 2 for side in sides])
    x, y = across.astype(np.float32)
    step = window.xs * np.float32(along[0]) + window.ys * np.float32(along[1])
    share = window.xs * x + window.ys * y - np.interp(step, places, centre).astype(np.float32)
    share /= np.interp(step, places, half).astype(np.float32)
    np.clip(share, -0.97, 0.97, out=share)
    return lit(share * x, share * y, -np.sqrt(1 - share * share))


def convex_hull(points: Vector) -> Vector:
    """Return the corners of the convex hull of (n, 2) points, so that inside is on the left
    of every edge as numbers go (Andrew's monotone chain)."""
    ordered = sorted({(float(x), float(y)) for x, y in points})
    if len(ordered) < 3:
        return np.array(ordered).reshape(-1, 2)

    def chain(row: list[tuple[float, float]]) -> list[tuple[float, float]]:
        kept: list[tuple[float, float]] = []
        for x, y in row:
            while len(kept) > 1 and _turn(kept[-2], kept[-1], (x, y)) <= 1e-9:
                kept.pop()
            kept.append((x, y))
        return kept[:-1]

    return np.array(chain(ordered) + chain(ordered[::-1])).reshape(-1, 2)


def _turn(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def paint_shadow(canvas: FloatArray, middle: Vector, radii: Vector, strength: float) -> None:
    """Darken a soft ellipse, for where a body stands on the ground."""
    window = open_window(canvas, middle - radii, middle + radii)
    if window is None:
        return
    dx = (window.xs - np.float32(middle[0])) / np.float32(radii[0])
    dy = (window.ys - np.float32(middle[1])) / np.float32(radii[1])
    soft = np.maximum(1 - dx * dx - dy * dy, 0)
    window.pixels[...] *= 1 - np.float32(strength) * soft * soft


def to_image(canvas: FloatArray) -> Image:
    """Return the canvas as (H, W, 3) uint8."""
    _, height, width = canvas.shape
    image = np.empty((height, width, 3), np.uint8)
    for channel, plane in enumerate(canvas):
        image[..., channel] = np.clip(plane + np.float32(0.5), 0, 255)
    return image
