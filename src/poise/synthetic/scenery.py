"""The room behind the figures: a textured wall and a tiled or wooden floor, seen in perspective."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow

from poise.poses import FloatArray
from poise.synthetic.body import Matrix
from poise.synthetic.camera import View

_DENSITY = 48  # texture pixels a metre
_WIDE, _DEEP, _HIGH = 40, 14, 10  # metres of floor width, floor depth and wall height
_BEYOND = (128, 126, 122)  # where wall and floor end
WALL = 3.0  # metres from the middle of the stage to the wall

_PALETTES: tuple[tuple[tuple[int, int, int], tuple[int, int, int]], ...] = (
    ((176, 184, 188), (150, 126, 104)),
    ((196, 186, 168), (112, 104, 100)),
    ((140, 156, 150), (168, 150, 128)),
    ((120, 128, 148), (132, 120, 112)),
)


def paint_scenery(view: View, size: tuple[int, int], seed: int, *, fine: bool) -> FloatArray:
    """Return the empty stage as a (3, H, W) canvas; ``fine`` samples four times as much."""
    height, width = size
    more = 2 if fine else 1
    to_floor = _map(view, (0.0, 0.0, WALL), (1.0, 0.0, 0.0), (0.0, 0.0, -1.0))
    to_wall = _map(view, (0.0, 0.0, WALL), (1.0, 0.0, 0.0), (0.0, -1.0, 0.0))
    floor, wall = _textures(seed)
    grid = np.diag([1 / more, 1 / more, 1.0])
    out = (width * more, height * more)
    ground = _warp(floor, to_floor @ grid, out)
    back = _warp(wall, to_wall @ grid, out)
    mask = _below(to_floor @ grid, out)
    picture = Pillow.composite(ground, back, mask)
    if fine:
        picture = picture.reduce(more)
    return np.ascontiguousarray(np.asarray(picture, np.float32).transpose(2, 0, 1))


def _map(
    view: View,
    origin: tuple[float, float, float],
    right: tuple[float, float, float],
    out: tuple[float, float, float],
) -> Matrix:
    """Return the (3, 3) map from picture pixels to (u, v, 1) metres of a plane of the stage."""
    lens = np.array([[view.focal, 0, view.centre[0]], [0, view.focal, view.centre[1]], [0, 0, 1]])
    plane = np.stack([np.array(right), np.array(out), np.array(origin) - view.place], axis=1)
    inverse: Matrix = np.linalg.inv(lens @ view.turn @ plane)
    return inverse


def _warp(texture: Pillow.Image, plane: Matrix, out: tuple[int, int]) -> Pillow.Image:
    to_texture = np.array([[_DENSITY, 0, texture.width / 2], [0, _DENSITY, 0], [0, 0, 1]]) @ plane
    data = (to_texture / to_texture[2, 2]).ravel()[:8]
    return texture.transform(
        out,
        Pillow.Transform.PERSPECTIVE,
        tuple(data),
        Pillow.Resampling.BILINEAR,
        fillcolor=_BEYOND,
    )


def _below(to_floor: Matrix, out: tuple[int, int]) -> Pillow.Image:
    """Mask the pixels on the camera's side of the line where floor and wall meet."""
    xs = np.arange(out[0], dtype=np.float32) + np.float32(0.5)
    ys = np.arange(out[1], dtype=np.float32)[:, None] + np.float32(0.5)
    row = (to_floor[1] / np.hypot(to_floor[1, 0], to_floor[1, 1])).astype(np.float32)
    side = xs * row[0] + (ys * row[1] + row[2])
    return Pillow.fromarray(np.uint8(np.clip(side + 0.5, 0, 1) * 255))


@lru_cache(maxsize=8)
def _textures(seed: int) -> tuple[Pillow.Image, Pillow.Image]:
    random = np.random.default_rng([seed, 5])
    wall_colour, floor_colour = _PALETTES[int(random.integers(len(_PALETTES)))]
    return _floor(random, floor_colour), _wall(random, wall_colour)


def _floor(random: np.random.Generator, colour: tuple[int, int, int]) -> Pillow.Image:
    height, width = _DEEP * _DENSITY, _WIDE * _DENSITY
    shade = (
        1 + 0.03 * _noise(random, (height, width), 3) + 0.03 * _noise(random, (height, width), 60)
    )
    tile = int(0.8 * _DENSITY)
    rows, columns = np.arange(height) // tile, np.arange(width) // tile
    tones = random.uniform(0.93, 1.05, (rows[-1] + 1, columns[-1] + 1))
    shade *= tones[rows][:, columns]
    joint = np.minimum.outer(_edge(height, tile), _edge(width, tile))
    shade *= 0.82 + 0.18 * joint
    return _tint(shade, colour)


def _wall(random: np.random.Generator, colour: tuple[int, int, int]) -> Pillow.Image:
    height, width = _HIGH * _DENSITY, _WIDE * _DENSITY
    shade = (
        1 + 0.02 * _noise(random, (height, width), 2) + 0.025 * _noise(random, (height, width), 90)
    )
    above = np.arange(height)[:, None] / _DENSITY  # row 0 is the foot of the wall
    shade *= 1.04 - 0.05 * np.abs(above - 1.6)
    panel = int(1.6 * _DENSITY)
    shade *= 0.92 + 0.08 * _edge(width, panel)
    shade *= np.where(above < 0.12, 0.62, 1.0)
    return _tint(np.clip(shade, 0.2, 1.2), colour)


def _edge(length: int, period: int) -> npt.NDArray[np.float64]:
    """0 on the joints between panels, 1 elsewhere."""
    place = np.arange(length) % period
    return np.clip(np.minimum(place, period - 1 - place) / 1.0, 0, 1)


def _noise(
    random: np.random.Generator, size: tuple[int, int], cell: int
) -> npt.NDArray[np.float64]:
    """Smooth noise of about unit spread with blobs of ``cell`` pixels."""
    rows, columns = size[0] // cell + 2, size[1] // cell + 2
    coarse = Pillow.fromarray(random.normal(0, 1, (rows, columns)).astype(np.float32))
    smooth = coarse.resize((size[1], size[0]), Pillow.Resampling.BICUBIC)
    return np.asarray(smooth, np.float64)


def _tint(shade: npt.NDArray[np.float64], colour: tuple[int, int, int]) -> Pillow.Image:
    return Pillow.fromarray(np.uint8(np.clip(shade[..., None] * np.array(colour), 0, 255)))
