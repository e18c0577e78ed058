"""Anti-aliased, shaded shapes, drawn with numpy inside their bounding boxes only.

The canvas is (3, H, W) float32 RGB in 0..255, planar, because numpy works fastest on whole
planes. Coordinates are picture pixels as everywhere: pixel (i, j) has its middle at (i+.5, j+.5).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from poise.poses import FloatArray, Image
from poise.synthetic.body import Vector

Colour = tuple[int, int, int]

# Where the light comes from, in the camera's axes: from above on the left, before the stage.
LIGHT = np.array([-0.48, -0.52, -0.71], np.float32)
_AMBIENT, _DIFFUSE = 0.56, 0.52


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


def paint_capsule(canvas: FloatArray, ends: Vector, radii: Vector, colour: Colour) -> None:
    """Draw a tapered, round limb between two points.

    Args:
        ends: (2, 2) pixels.
        radii: (2,) pixels.
    """
    rim = radii.max() + 1
    window = open_window(canvas, ends.min(axis=0) - rim, ends.max(axis=0) + rim)
    if window is None:
        return
    (ax, ay), (ux, uy) = ends[0].astype(np.float32), (ends[1] - ends[0]).astype(np.float32)
    dx, dy = window.xs - ax, window.ys - ay
    along = np.clip((dx * ux + dy * uy) / max(ux * ux + uy * uy, np.float32(1e-6)), 0, 1)
    dx, dy = dx - along * ux, dy - along * uy
    radius = along * np.float32(radii[1] - radii[0]) + np.float32(max(radii[0], 0.3))
    distance = np.sqrt(dx * dx + dy * dy)
    cover = np.clip(radius - distance + np.float32(0.5), 0, 1)
    bulge = np.float32(1) / np.maximum(radius, distance)
    nx, ny = dx * bulge, dy * bulge
    nz = -np.sqrt(np.maximum(1 - nx * nx - ny * ny, 0))
    blend(window, colour, lit(nx, ny, nz), cover)


def paint_hull(canvas: FloatArray, corners: Vector, axis: Vector, colour: Colour) -> None:
    """Draw the convex hull of points as a rounded piece of cloth, shaded across an axis.

    Args:
        corners: (n, 2) pixels, in any order.
        axis: (2, 2) pixels: the middle line, from one end to the other.
    """
    hull = convex_hull(corners)
    if len(hull) < 3:
        return
    window = open_window(canvas, hull.min(axis=0), hull.max(axis=0))
    if window is None:
        return
    inside = np.full((len(window.ys), len(window.xs)), np.inf, np.float32)
    for (px, py), (qx, qy) in zip(hull, np.roll(hull, -1, axis=0), strict=True):
        length = np.hypot(qx - px, qy - py)
        nx, ny = np.float32((py - qy) / length), np.float32((qx - px) / length)
        offset = np.float32(px) * nx + np.float32(py) * ny
        np.minimum(inside, window.xs * nx + (window.ys * ny - offset), out=inside)
    cover = np.clip(inside + np.float32(0.5), 0, 1)
    blend(window, colour, _shade_across(window, hull, axis), cover)


def _shade_across(window: Window, hull: Vector, axis: Vector) -> FloatArray:
    along = axis[1] - axis[0]
    length = np.hypot(*along)
    across = np.array([-along[1], along[0]]) / length if length > 1e-6 else np.array([1.0, 0.0])
    half = max(float(np.ptp(hull @ across)) / 2, 1e-3)
    middle = (hull @ across).max() - half
    dx, dy = (across / half).astype(np.float32)
    share = window.xs * dx + (window.ys * dy - np.float32(middle / half))
    np.clip(share, -0.97, 0.97, out=share)
    depth = -np.sqrt(1 - share * share)
    return lit(share * np.float32(across[0]), share * np.float32(across[1]), depth)


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
