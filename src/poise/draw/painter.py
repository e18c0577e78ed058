"""Poses painted over pictures."""

from __future__ import annotations

from collections import deque

import numpy as np
import numpy.typing as npt

from poise.draw.labels import draw_label
from poise.draw.strokes import Strokes, draw, join, make_strokes
from poise.draw.style import Parts, Style, get_parts, person_colour
from poise.errors import UsageError
from poise.poses import FloatArray, Image, Poses, bounding_boxes


def paint(image: Image, poses: Poses, style: Style | None = None) -> Image:
    """Return a new picture with the poses painted over it.

    Args:
        image: (H, W, 3) uint8 RGB; it is not changed.
        poses: The people. Where their ``size`` is known and differs from the picture's, they
            are scaled to it.
        style: How they look; ``Style()`` when not given. Trails need a ``Painter``.

    Raises:
        UsageError: The picture is not (H, W, 3) uint8.
    """
    return Painter(style).paint(image, poses)


class Painter:
    """Paints the frames of one video in order; remembers the way people took, for trails."""

    def __init__(self, style: Style | None = None) -> None:
        self.style = style or Style()
        self._trails: deque[tuple[float, dict[int, FloatArray]]] = deque()

    def restart(self) -> None:
        """Forget all trails, as at a cut."""
        self._trails.clear()

    def paint(self, image: Image, poses: Poses) -> Image:
        """Return a new picture with the poses painted over it; see ``paint``."""
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or 0 in image.shape:
            came = f"{image.shape} {image.dtype}"
            raise UsageError(f"wanted (height, width, 3) uint8 RGB, got {came}", where="image")
        canvas = np.array(image, order="C")
        self.paint_onto(canvas, poses)
        return canvas

    def paint_onto(self, canvas: Image, poses: Poses) -> None:
        """Paint over a C-contiguous (H, W, 3) uint8 picture that may be changed."""
        if self.style.background == "black":
            canvas[:] = 0
        height, width = canvas.shape[:2]
        people = _fit(poses, (width, height))
        seen = np.isfinite(people.keypoints).all(axis=2)
        seen &= (people.scores >= self.style.minimum_score) & (people.scores > 0)
        spans = bounding_boxes(np.where(seen[..., None], people.keypoints, np.float32(np.nan)))
        radii = _radii(spans, width, height)
        layer = [*self._trail_strokes(people, seen, radii)]
        if self.style.boxes:
            layer += _box_strokes(people, radii, self._person_colours(people))
        layer += self._body_strokes(people, seen, radii)
        draw(canvas, join(layer))
        if self.style.ids and people.ids is not None:
            _write_ids(canvas, people.ids.tolist(), spans)

    def _person_colours(self, poses: Poses) -> FloatArray:
        ids = range(len(poses)) if poses.ids is None else poses.ids.tolist()
        return np.array([person_colour(identity) for identity in ids], np.float32).reshape(-1, 3)

    def _body_strokes(
        self, poses: Poses, seen: npt.NDArray[np.bool_], radii: FloatArray
    ) -> list[Strokes]:
        parts = get_parts(poses.skeleton)
        opacity = np.where(seen, 0.15 + 0.85 * poses.scores, 0)
        person, edge = np.nonzero(seen[:, parts.edges].all(axis=2))
        a, b = parts.edges[edge].T
        owner, dot = np.nonzero(seen)
        limb_colours, dot_colours = parts.edge_colours[edge], parts.keypoint_colours[dot]
        if self.style.colour == "person":
            colours = self._person_colours(poses)
            limb_colours, dot_colours = colours[person], colours[owner]
        limb = radii[person] * parts.edge_widths[edge]
        ball = radii[owner] * parts.keypoint_widths[dot]
        return [
            make_strokes(
                poses.keypoints[person, a],
                poses.keypoints[person, b],
                radius=np.maximum(limb, 0.5),
                outline=_outline(limb),
                colour=limb_colours,
                opacity=np.minimum(opacity[person, a], opacity[person, b]),
            ),
            make_strokes(
                poses.keypoints[owner, dot],
                poses.keypoints[owner, dot],
                radius=np.maximum(ball, 0.6),
                outline=_outline(ball),
                colour=dot_colours + (255 - dot_colours) * np.float32(0.4),
                opacity=opacity[owner, dot],
            ),
        ]

    def _trail_strokes(
        self, poses: Poses, seen: npt.NDArray[np.bool_], radii: FloatArray
    ) -> list[Strokes]:
        if not self.style.trails:
            return []
        parts = get_parts(poses.skeleton)
        self._remember(poses, seen, parts)
        strokes = []
        colours = self._person_colours(poses)
        for row, identity in enumerate([] if poses.ids is None else poses.ids.tolist()):
            known = [
                (time, people[identity]) for time, people in self._trails if identity in people
            ]
            ages = np.array([poses.time - time for time, _ in known[1:]])
            way = np.stack([points for _, points in known])
            by_person = self.style.colour == "person"
            colour = colours[row] if by_person else parts.keypoint_colours[parts.trailed]
            fade = np.repeat(0.7 * (1 - ages / (self.style.trails * 1.05)), way.shape[1])
            strokes.append(
                make_strokes(
                    way[:-1],
                    way[1:],
                    radius=np.maximum(radii[row] * 0.7 * np.sqrt(np.maximum(fade, 0)), 0.5),
                    colour=np.broadcast_to(colour, way[1:].shape[:2] + (3,)).reshape(-1, 3),  # noqa: RUF005 (mypy)
                    opacity=fade,
                )
            )
        return strokes

    def _remember(self, poses: Poses, seen: npt.NDArray[np.bool_], parts: Parts) -> None:
        if self._trails and poses.time < self._trails[-1][0]:
            self.restart()
        points = np.where(seen[..., None], poses.keypoints, np.float32(np.nan))[:, parts.trailed]
        people = {} if poses.ids is None else dict(zip(poses.ids.tolist(), points, strict=True))
        self._trails.append((poses.time, people))
        while poses.time - self._trails[0][0] > self.style.trails:
            self._trails.popleft()


def _write_ids(canvas: Image, ids: list[int], spans: FloatArray) -> None:
    short = min(canvas.shape[:2])
    for identity, (x0, y0, x1, y1) in zip(ids, spans.tolist(), strict=True):
        if np.isfinite(x0):
            wanted = max(0.03 * max(x1 - x0, y1 - y0), 0.016 * short, 7.0)
            height = round(min(wanted, max(0.034 * short, 9.0)))
            place = ((x0 + x1) / 2, y0 - 0.5 * height)
            draw_label(canvas, identity, place, height=height, colour=person_colour(identity))


def _fit(poses: Poses, size: tuple[int, int]) -> Poses:
    if poses.size == size or not all(poses.size):
        return poses
    scale = np.array(size, np.float32) / np.array(poses.size, np.float32)
    return poses.replace(
        keypoints=poses.keypoints * scale, boxes=poses.boxes * np.tile(scale, 2), size=size
    )


def _radii(spans: FloatArray, width: int, height: int) -> FloatArray:
    """(N,) half the width of a limb: by the size of the person, within what the picture bears."""
    tall = np.nan_to_num(np.maximum(spans[:, 2] - spans[:, 0], spans[:, 3] - spans[:, 1]))
    short = min(width, height)
    low = max(0.8, 0.0016 * short)
    radii: FloatArray = np.clip(0.0048 * tall, low, max(0.0065 * short, low)).astype(np.float32)
    return radii


def _outline(radius: FloatArray) -> FloatArray:
    return 0.25 + 0.25 * radius


def _box_strokes(poses: Poses, radii: FloatArray, colours: FloatArray) -> list[Strokes]:
    corners = poses.boxes[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2)
    four = np.repeat(np.arange(len(poses)), 4)
    return [
        make_strokes(
            corners,
            np.roll(corners, -1, axis=1),
            radius=np.maximum(radii * 0.45, 0.5)[four],
            outline=0.4,
            colour=colours[four],
            opacity=0.85,
        )
    ]
