"""The drawn pieces of a figure: each can paint itself and say how near it is at a point."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np

from poise.poses import FloatArray
from poise.synthetic.body import Vector
from poise.synthetic.head import Head, paint_head
from poise.synthetic.raster import Colour, Tube, convex_hull, paint_cloth, paint_limb


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
    """A chain of round pieces in pixels, and the (n,) depths of its points in metres."""

    tube: Tube
    depths: Vector
    colour: Colour
    order: float

    def paint(self, canvas: FloatArray) -> None:
        """Draw it."""
        paint_limb(canvas, self.tube, self.colour)

    def bounds(self) -> Vector:
        """Return its box."""
        points, rim = self.tube.points, self.tube.radii[:, None]
        return np.concatenate([(points - rim).min(axis=0), (points + rim).max(axis=0)])

    def depth_at(self, points: Vector) -> Vector:
        """Return the depth of its axis where it covers the points."""
        nearest = np.full(len(points), np.inf)
        ends, radii, depths = self.tube.points, self.tube.radii, self.depths
        for i in range(len(ends) - 1):
            along = ends[i + 1] - ends[i]
            share = np.clip((points - ends[i]) @ along / max(along @ along, 1e-9), 0, 1)
            away = np.hypot(*(points - ends[i] - share[:, None] * along).T)
            inside = away < radii[i] + share * (radii[i + 1] - radii[i])
            depth = depths[i] + share * (depths[i + 1] - depths[i])
            nearest = np.where(inside, np.minimum(nearest, depth), nearest)
        return nearest


@dataclass(eq=False)
class Cloth:
    """Rings of corners in pixels, joined by their hulls, and the mean depth in metres."""

    rings: list[Vector]
    depth: float
    colour: Colour
    order: float

    def paint(self, canvas: FloatArray) -> None:
        """Draw it."""
        paint_cloth(canvas, self.rings, self.colour)

    def bounds(self) -> Vector:
        """Return its box."""
        corners = np.concatenate(self.rings)
        return np.concatenate([corners.min(axis=0), corners.max(axis=0)])

    def depth_at(self, points: Vector) -> Vector:
        """Return the mean depth where it covers the points."""
        inside = np.zeros(len(points), bool)
        for pair in pairwise(self.rings):
            hull = convex_hull(np.concatenate(pair))
            edge = np.roll(hull, -1, axis=0) - hull
            offset = points[:, None] - hull
            cross = edge[:, 0] * offset[..., 1] - edge[:, 1] * offset[..., 0]
            inside |= (cross > 0).all(axis=1)
        return np.where(inside, self.depth, np.inf)


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
