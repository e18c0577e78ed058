"""The worst pictures: the person whom a model got most wrong, with the truth over the picture."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import numpy.typing as npt

from poise.evaluation.matching import Matched
from poise.evaluation.mistakes import KINDS
from poise.evaluation.report.charts import KIND_COLOURS
from poise.evaluation.truth import Floats, TruePicture, Truth
from poise.evaluation.walk import Estimates
from poise.markup import Markup, tag
from poise.poses import Image
from poise.skeleton import Skeleton

# Gives the pictures at some places of the truth, in any order, each with its place.
Look = Callable[[Sequence[int]], Iterable[tuple[int, Image]]]

MOST = 24
_APART = 12  # frames between two that are shown of one video
_SIDE = 360  # pixels of a thumbnail's longer side
_QUALITY = 72
_MARGIN = 0.2  # of the person's longer side, on each side
_SLIMMEST = 0.7  # of the longer side


def choose_worst(matched: Matched, truth: Truth, most: int = MOST) -> list[int]:
    """Return the rows of the people who were got most wrong, at most one a picture, worst first.

    How wrong somebody was got is the sum of what each labelled keypoint lacks to 1 of similarity,
    so that a missed person with many labels comes before one with a single label. Frames of a
    video look alike: the same person is shown again only some frames away.
    """
    lost = np.nansum(1 - matched.likeness, axis=1)
    people = [(one.video, p.id) for one in truth.pictures for p in one.counted]
    chosen: dict[int, int] = {}
    for row in np.lexsort((-matched.areas, -lost)).tolist():
        place = int(matched.pictures[row])
        near = (
            abs(place - other) < _APART and people[row] == people[shown]
            for other, shown in chosen.items()
            if people[row][1] is not None
        )
        if place not in chosen and not any(near):
            chosen[place] = row
        if len(chosen) == most:
            break
    return list(chosen.values())


def draw_gallery(
    estimates: Estimates, matched: Matched, kinds: npt.NDArray[np.int64], look: Look
) -> Markup:
    """Return the figures of the worst people.

    Raises:
        InputError: A picture cannot be read any more.
    """
    rows = choose_worst(matched, estimates.truth)
    by_place = {int(matched.pictures[row]): row for row in rows}
    drawn = {
        by_place[place]: _figure(
            image, estimates.truth.pictures[place], matched, kinds[by_place[place]], by_place[place]
        )
        for place, image in look(list(by_place))
    }
    return tag("div", *(drawn[row] for row in rows if row in drawn), class_="gallery")


def _figure(
    image: Image, picture: TruePicture, matched: Matched, kinds: npt.NDArray[np.int64], row: int
) -> Markup:
    window = _window(matched, row, image.shape)
    scale = _SIDE / (window[2:] - window[:2]).max()
    size = np.ceil((window[2:] - window[:2]) * scale).astype(int)
    here = np.flatnonzero(matched.pictures == matched.pictures[row]).tolist()
    shapes: list[Markup] = []
    for other in sorted(here, key=lambda r: r == row):
        faint = other != row
        for points, look in ((matched.truth[other], "true"), (matched.points[other], "found")):
            placed = (points - window[:2]) * scale
            shapes.append(_body(matched.skeleton, placed, f"{look} faint" if faint else look))
    shapes += _marks(matched, (matched.points[row] - window[:2]) * scale, kinds)
    href = "data:image/jpeg;base64," + _jpeg(image, window, size)
    overlay = tag("svg", *shapes, viewBox=f"0 0 {size[0]} {size[1]}")
    alt = f"{picture.name}, truth and estimate"
    shown = tag("div", tag("img", src=href, alt=alt, loading="lazy"), overlay, class_="shot")
    return tag("figure", shown, tag("figcaption", *_caption(picture, matched, kinds, row)))


def _caption(
    picture: TruePicture, matched: Matched, kinds: npt.NDArray[np.int64], row: int
) -> list[Markup]:
    if matched.rows[row] < 0:
        said = "nobody was found here"
    else:
        counts = {KINDS[k]: int(np.count_nonzero(kinds == k)) for k in range(1, len(KINDS))}
        wrong = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
        said = f"OKS {matched.oks[row]:.2f}: {wrong or 'all good'}"
    labels = int(np.isfinite(matched.truth[row, :, 0]).sum())
    where = f"{picture.name} · {labels} labels · {matched.areas[row]:.0f} px²"
    return [tag("b", said), tag("br"), tag("span", where, class_="soft")]


def _window(matched: Matched, row: int, shape: tuple[int, ...]) -> Floats:
    """Return what is shown, x0 y0 x1 y1: the person, true and found, with a margin."""
    both = np.concatenate([matched.truth[row], matched.points[row]])
    points = both[np.isfinite(both[:, 0])]
    low, high = points.min(axis=0), points.max(axis=0)
    least = max(float((high - low).max()), np.sqrt(matched.areas[row]), 16.0)
    middle = (low + high) / 2
    half = np.maximum((high - low) / 2, least * _SLIMMEST / 2) + least * _MARGIN
    edge = np.array([shape[1], shape[0]], float)
    window = np.concatenate([np.clip(middle - half, 0, edge - 1), np.clip(middle + half, 1, edge)])
    window[2:] = np.maximum(window[2:], window[:2] + 1)
    return np.round(window)


def _jpeg(image: Image, window: Floats, size: npt.NDArray[np.int64]) -> str:
    from PIL import Image as Pictures

    picture = Pictures.fromarray(image).crop(tuple(window.astype(int).tolist()))
    stream = io.BytesIO()
    picture.resize((int(size[0]), int(size[1]))).save(stream, "JPEG", quality=_QUALITY)
    return base64.b64encode(stream.getvalue()).decode("ascii")


def _body(skeleton: Skeleton, points: Floats, look: str) -> Markup:
    there = np.isfinite(points[:, 0])
    lines = "".join(
        f"M{points[a, 0]:.1f} {points[a, 1]:.1f}L{points[b, 0]:.1f} {points[b, 1]:.1f}"
        for a, b in skeleton.edges
        if there[a] and there[b]
    )
    dots = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in points[there].tolist())
    return tag("g", tag("path", d=lines), tag("path", d=dots, class_="dots"), class_=look)


def _marks(matched: Matched, points: Floats, kinds: npt.NDArray[np.int64]) -> list[Markup]:
    """Return a ring around each keypoint that is not good."""
    marks = []
    for name, (x, y), kind in zip(matched.skeleton.keypoints, points, kinds, strict=True):
        if kind > 0 and np.isfinite(x):
            note = tag("title", f"{name.replace('_', ' ')}: {KINDS[kind]}")
            colour = KIND_COLOURS[KINDS[kind]]
            marks.append(
                tag("circle", note, cx=float(x), cy=float(y), r=7, stroke=colour, class_="ring")
            )
    return marks
