"""The drawn pieces of a figure: each can paint itself and say how near it is at a point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from poise.poses import FloatArray
from poise.synthetic.body import Vector
from poise.synthetic.head import Head, paint_head
from poise.synthetic.raster import Colour, convex_hull, paint_capsule, paint_hull


class Part(Protocol):
    """A piece of a figure.

    Attributes:
        order: Depth in metres by which pieces of one figure are sorted; far ones come first.
    """

    order: float

    def paint(self, canvas: FloatArray) -> None:
        """Draw it on a (3, H, W) canvas."""

    def bounds(self) -> Vector:
        """Return its (4,) box x0 y0 x1 y1 in pixels."""

    def depth_at(self, points: Vector) -> Vector:
        """Return the (n,) depths in metres of its middle at (n, 2) pixels; inf where it is not."""


@dataclass(eq=False)
class Limb:
    """A tapered round piece: (2, 2) ends in pixels, (2,) radii in pixels, (2,) depths in metres."""

    ends: Vector
    radii: Vector
    depths: Vector
    colour: Colour
    order: float

    def paint(self, canvas: FloatArray) -> None:
        """Draw it."""
        paint_capsule(canvas, self.ends, self.radii, self.colour)

    def bounds(self) -> Vector:
        """Return its box."""
        rim = self.radii[:, None]
        return np.concatenate([(self.ends - rim).min(axis=0), (self.ends + rim).max(axis=0)])

    def depth_at(self, points: Vector) -> Vector:
        """Return the depth of its axis where it covers the points."""
        along = self.ends[1] - self.ends[0]
        share = np.clip((points - self.ends[0]) @ along / max(along @ along, 1e-9), 0, 1)
        foot = self.ends[0] + share[:, None] * along
        radius = self.radii[0] + share * (self.radii[1] - self.radii[0])
        depth = self.depths[0] + share * (self.depths[1] - self.depths[0])
        return np.where(np.hypot(*(points - foot).T) < radius, depth, np.inf)


@dataclass(eq=False)
class Cloth:
    """A convex piece: (n, 2) corners and a (2, 2) middle line in pixels, depths of its ends."""

    corners: Vector
    axis: Vector
    depths: Vector
    colour: Colour
    order: float

    def paint(self, canvas: FloatArray) -> None:
        """Draw it."""
        paint_hull(canvas, self.corners, self.axis, self.colour)

    def bounds(self) -> Vector:
        """Return its box."""
        return np.concatenate([self.corners.min(axis=0), self.corners.max(axis=0)])

    def depth_at(self, points: Vector) -> Vector:
        """Return the mean depth where it covers the points."""
        hull = convex_hull(self.corners)
        edge = np.roll(hull, -1, axis=0) - hull
        offset = points[:, None] - hull
        inside = (edge[:, 0] * offset[..., 1] - edge[:, 1] * offset[..., 0] > 0).all(axis=1)
        return np.where(inside, self.depths.mean(), np.inf)


@dataclass(eq=False)
class HeadPart:
    """The head with its depth in metres."""

    head: Head
    depth: float
    order: float

    def paint(self, canvas: FloatArray) -> None:
        """Draw it."""
        paint_head(canvas, self.head)

    def bounds(self) -> Vector:
        """Return its box."""
        reach = np.sqrt(((self.head.turn[:2] * self.head.axes) ** 2).sum(axis=1)) * 1.1
        return np.concatenate([self.head.middle - reach, self.head.middle + reach])

    def depth_at(self, points: Vector) -> Vector:
        """Return the depth of its middle where it covers the points."""
        flat = (points - self.head.middle) @ np.linalg.inv(
            (self.head.turn * self.head.axes**2 @ self.head.turn.T)[:2, :2]
        )
        inside = (flat * (points - self.head.middle)).sum(axis=1) < 1
        return np.where(inside, self.depth, np.inf)
