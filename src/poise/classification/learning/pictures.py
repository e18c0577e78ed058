"""One example as a small picture: the drawn body, over the real picture where there is one."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import numpy.typing as npt

from poise.classification.learning.features import LEAST_SCORE
from poise.errors import PoiseError
from poise.io import read_frames
from poise.poses import FloatArray
from poise.skeleton import Skeleton

Flags = npt.NDArray[np.bool_]

_SIDE = 160.0  # of the drawing
_MARGIN = 0.12
_PIXELS = 240  # of the longer side of a crop
_COLOURS = {"left": "#2c8fc9", "right": "#e08a1e"}
_MIDDLE = "#6b7a45"


def draw_example(
    skeleton: Skeleton, keypoints: FloatArray, scores: FloatArray, picture: str | None = None
) -> str:
    """Return an SVG of a body; the person's left is blue, the right is orange."""
    seen = np.isfinite(keypoints).all(axis=1) & (scores >= LEAST_SCORE)
    if not seen.any():
        return ""
    low, high = keypoints[seen].min(axis=0), keypoints[seen].max(axis=0)
    span = float(max(*(high - low), 1e-6)) * (1 + 2 * _MARGIN)
    corner = (low + high) / 2 - span / 2
    places = (keypoints - corner) / span * _SIDE
    image = _crop(picture, corner, span) if picture else ""
    lines = "".join(_line(skeleton, places, seen, edge) for edge in skeleton.edges)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.2"/>' for x, y in places[seen].tolist())
    box = f"0 0 {_SIDE:.0f} {_SIDE:.0f}"
    return f'<svg viewBox="{box}" class="body" role="img">{image}{lines}<g>{dots}</g></svg>'


def _line(skeleton: Skeleton, places: FloatArray, seen: Flags, edge: tuple[int, int]) -> str:
    a, b = edge
    if not (seen[a] and seen[b]):
        return ""
    sides = {skeleton.keypoints[end].split("_")[0] for end in edge}
    colour = _COLOURS.get(sides.pop(), _MIDDLE) if len(sides) == 1 else _MIDDLE
    (x0, y0), (x1, y1) = places[a].tolist(), places[b].tolist()
    return (
        f'<line x1="{x0:.1f}" y1="{y0:.1f}" x2="{x1:.1f}" y2="{y1:.1f}" stroke="{colour}" '
        'stroke-width="4" stroke-linecap="round"/>'
    )


def _crop(path: str, corner: FloatArray, span: float) -> str:
    """Return the part of a picture as an image of SVG; nothing where it cannot be read."""
    from PIL import Image

    try:
        with read_frames(Path(path)) as reader:
            image = Image.fromarray(next(reader).image)
    except (PoiseError, StopIteration):
        return ""
    x, y = corner.tolist()
    part = image.crop((round(x), round(y), round(x + span), round(y + span)))
    part.thumbnail((_PIXELS, _PIXELS))
    file = io.BytesIO()
    part.save(file, "JPEG", quality=80)
    data = base64.b64encode(file.getvalue()).decode()
    return f'<image href="data:image/jpeg;base64,{data}" width="{_SIDE:.0f}" height="{_SIDE:.0f}"/>'
