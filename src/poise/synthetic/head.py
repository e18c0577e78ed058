"""The head: an egg with hair, eyes, brows, nose and mouth that turn with it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from poise.poses import FloatArray
from poise.synthetic.body import Matrix, Vector
from poise.synthetic.raster import Colour, Window, blend, lit, open_window

_LIPS: Colour = (178, 92, 88)
_WHITE: Colour = (246, 244, 240)
_IRIS: Colour = (62, 48, 42)

# Size and place of the hair, in half-axes of the head.
_LONG = np.array([1.13, 1.02, 1.06]), np.array([0, -0.13, 0.20])
_SHORT = np.array([1.08, 0.92, 1.04]), np.array([0, -0.27, 0.18])


@dataclass(frozen=True, eq=False)
class Head:
    """A head as the camera sees it.

    Attributes:
        middle: (2,) pixels.
        turn: (3, 3) from the head's axes (left, down, back) to the camera's.
        axes: (3,) half-axes in pixels.
        skin, hair: Colours.
        long_hair: Whether the hair covers the ears.
    """

    middle: Vector
    turn: Matrix
    axes: Vector
    skin: Colour
    hair: Colour
    long_hair: bool = False


@dataclass(frozen=True, eq=False)
class _Surface:
    """The visible side of an ellipsoid: cover, depth (pixels, near is small), unit-ball place."""

    cover: FloatArray
    depth: FloatArray
    ball: FloatArray
    axes: Vector
    turn: Matrix

    def shade(self) -> FloatArray:
        normal = [
            plane / np.float32(axis) for plane, axis in zip(self.ball, self.axes, strict=True)
        ]
        length = np.sqrt(normal[0] ** 2 + normal[1] ** 2 + normal[2] ** 2) + np.float32(1e-6)
        seen = [
            sum((np.float32(row[i]) * normal[i] for i in range(3)), np.float32(0)) / length
            for row in self.turn
        ]
        return lit(seen[0], seen[1], seen[2])


def paint_head(canvas: FloatArray, head: Head) -> None:
    """Draw a head: where the hair's surface is nearer than the face's, there is hair."""
    reach = head.axes.max() * 1.35
    window = open_window(canvas, head.middle - reach, head.middle + reach)
    if window is None:
        return
    axes = head.axes
    size, shift = _LONG if head.long_hair else _SHORT
    hair = _raise(window, head, axes * size, axes * shift)
    face = _raise(window, head, axes * [1.0, 1.0, 1.0], np.zeros(3))
    jaw = _raise(window, head, axes * [0.74, 0.62, 0.70], np.array([0, 0.42, -0.12]) * axes)
    blend(window, head.hair, hair.shade(), hair.cover)
    blend(window, head.skin, jaw.shade(), jaw.cover * np.clip(hair.depth - jaw.depth, 0, 1))
    skin = face.cover * np.clip(hair.depth - face.depth, 0, 1)
    blend(window, head.skin, face.shade(), skin)
    _paint_face(window, face, skin, head)


def _raise(window: Window, head: Head, axes: Vector, offset: Vector) -> _Surface:
    """Cut the rays of the window with an ellipsoid (solved in its own unit ball)."""
    middle = head.turn @ offset
    inward = (head.turn / axes).T  # camera axes -> unit ball
    dx = window.xs - np.float32(head.middle[0] + middle[0])
    dy = window.ys - np.float32(head.middle[1] + middle[1])
    flat = [dx * np.float32(row[0]) + dy * np.float32(row[1]) for row in inward]
    back = inward[:, 2].astype(np.float32)
    alpha = np.float32(back @ back)
    beta = flat[0] * back[0] + flat[1] * back[1] + flat[2] * back[2]
    gamma = flat[0] ** 2 + flat[1] ** 2 + flat[2] ** 2
    outside = np.sqrt(np.maximum(gamma - beta * beta / alpha, 0))  # 1 on the silhouette
    radius = np.sqrt(dx * dx + dy * dy) / np.maximum(outside, np.float32(1e-6))
    cover = np.clip((1 - outside) * radius + np.float32(0.5), 0, 1)
    inside = np.maximum(1 - outside * outside, 0) * alpha
    depth = -(beta + np.sqrt(inside)) / alpha
    ball = np.stack([plane + depth * part for plane, part in zip(flat, back, strict=True)])
    far = np.where(cover > 0, depth + np.float32(middle[2]), np.float32(1e6))
    return _Surface(cover, far, ball, axes, head.turn)


def _paint_face(window: Window, face: _Surface, skin: FloatArray, head: Head) -> None:
    x, y, z = face.ball
    pixel = np.float32(head.axes[0])
    front = skin * (z < 0)
    shade = np.float32(0.98)

    def spot(cx: float, cy: float, rx: float, ry: float) -> FloatArray:
        far = np.sqrt(((x - np.float32(cx)) / rx) ** 2 + ((y - np.float32(cy)) / ry) ** 2)
        soft: FloatArray = np.clip((1 - far) * pixel * min(rx, ry) + np.float32(0.5), 0, 1) * front
        return soft

    brow = _tone(head.hair, 0.6, 0.6)
    blush = _tone(head.skin, 1.0, 0.85)
    for side in (-1, 1):
        blend(window, blush, shade, spot(side * 0.52, 0.30, 0.2, 0.14) * np.float32(0.5))
        blend(window, _WHITE, shade, spot(side * 0.38, -0.08, 0.17, 0.105))
        blend(window, _IRIS, shade, spot(side * 0.37, -0.075, 0.09, 0.10))
        blend(window, brow, shade, spot(side * 0.39, -0.30, 0.21, 0.045))
    nose = _tone(head.skin, 0.86, 0.86)
    blend(window, nose, shade, spot(0.05, 0.05, 0.07, 0.15) * np.float32(0.7))
    blend(window, nose, shade, spot(0.0, 0.22, 0.15, 0.06))
    y = y + np.float32(0.7) * x * x  # the corners of the mouth go up
    blend(window, _LIPS, shade, spot(0, 0.55, 0.27, 0.055))


def _tone(colour: Colour, red: float, rest: float) -> Colour:
    return int(colour[0] * red), int(colour[1] * rest), int(colour[2] * rest)
