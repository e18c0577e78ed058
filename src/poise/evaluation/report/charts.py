"""Charts of an evaluation as inline SVG: bars of keypoints, kinds of mistakes, calibration."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from poise.evaluation.calibration import Reliability
from poise.evaluation.mistakes import KINDS
from poise.markup import Markup, join, number, tag

# Told apart by every common kind of colour blindness, on white and on black (Okabe and Ito 2008).
KIND_COLOURS = {
    "good": "#009e73", "jitter": "#56b4e9", "inversion": "#e69f00", "swap": "#cc79a7",
    "miss": "#d55e00",
}  # fmt: skip
_ROW, _LEFT, _WIDTH = 22, 150, 420


def keypoint_bars(rows: Mapping[str, tuple[float, float]], names: tuple[str, str]) -> Markup:
    """Return two bars of 0..1 for each keypoint, with their numbers."""
    height = _ROW * len(rows) + 26
    parts = [_legend(zip(names, ("bar-a", "bar-b"), strict=True)), *_grid(height)]
    for row, (name, values) in enumerate(rows.items()):
        top = 24 + _ROW * row
        parts.append(tag("text", name.replace("_", " "), x=_LEFT - 8, y=top + 12, class_="name"))
        for place, (value, look) in enumerate(zip(values, ("bar-a", "bar-b"), strict=True)):
            if math.isfinite(value):
                length = max(value, 0.0) * _WIDTH
                y = top + 8 * place
                parts.append(tag("rect", x=_LEFT, y=y, width=length, height=7, class_=look))
        said = " / ".join(f"{v:.2f}" if math.isfinite(v) else "-" for v in values)
        parts.append(tag("text", said, x=_LEFT + _WIDTH + 8, y=top + 12))
    return _svg(parts, _LEFT + _WIDTH + 110, height)


def mistake_bars(rows: Mapping[str, Sequence[float]]) -> Markup:
    """Return a bar of the kinds of mistakes for each keypoint, the one with most mistakes first."""
    height = _ROW * len(rows) + 26
    parts = [_kinds_legend(), *_grid(height)]
    known = {name: shares for name, shares in rows.items() if math.isfinite(sum(shares))}
    for row, (name, shares) in enumerate(sorted(known.items(), key=lambda item: item[1][0])):
        top, x = 26 + _ROW * row, float(_LEFT)
        parts.append(tag("text", name.replace("_", " "), x=_LEFT - 8, y=top + 11, class_="name"))
        for kind, share in zip(KINDS, shares, strict=True):
            note = tag("title", f"{kind} {share:.1%}")
            fill = KIND_COLOURS[kind]
            parts.append(tag("rect", note, x=x, y=top, width=share * _WIDTH, height=14, fill=fill))
            x += share * _WIDTH
        said = f"{1 - shares[0]:.0%} not good"
        parts.append(tag("text", said, x=_LEFT + _WIDTH + 8, y=top + 11))
    return _svg(parts, _LEFT + _WIDTH + 110, height)


def reliability_plot(reliability: Reliability, title: str) -> Markup:
    """Return the share of right ones over the score, a bar for each of the ten bins."""
    left, low, side = 40, 220, 200
    parts = [
        tag("path", d=f"M{left} {low - side}V{low}H{left + side}", class_="axis"),
        tag("path", d=f"M{left} {low}L{left + side} {low - side}", class_="ideal"),
    ]
    most = max((one.count for one in reliability.bins), default=0) or 1
    for one in reliability.bins:
        if one.count:
            x, height = left + side * one.low + 1, side * one.right
            note = f"scores {one.low:.1f} to {one.high:.1f}: {one.count}, {one.right:.0%} right"
            parts.append(
                tag(
                    "rect", tag("title", note), x=x, y=low - height, width=side / 10 - 2,
                    height=height, class_="bar-a", opacity=0.35 + 0.65 * one.count / most,
                )
            )  # fmt: skip
            parts.append(
                tag("circle", cx=left + side * one.score, cy=low - height, r=3, class_="dot")
            )
    for value in (0.0, 0.5, 1.0):
        text = f"{value:g}"
        parts.append(tag("text", text, x=left + side * value, y=low + 14, text_anchor="middle"))
        parts.append(tag("text", text, x=left - 6, y=low - side * value + 4, class_="name"))
    parts.append(tag("text", title, x=left, y=12))
    parts.append(tag("text", "score", x=left + side / 2, y=low + 28, text_anchor="middle"))
    return _svg(parts, left + side + 16, low + 34)


def _svg(parts: Sequence[Markup], width: float, height: float) -> Markup:
    box = f"0 0 {number(width)} {number(height)}"
    return tag("svg", *parts, class_="chart", viewBox=box, width=width, height=height, role="img")


def _grid(height: float) -> list[Markup]:
    return [
        tag("path", d=f"M{_LEFT + _WIDTH * share:.0f} 20V{height:.0f}", class_="grid")
        for share in (0, 0.25, 0.5, 0.75, 1)
    ]


def _legend(entries: Iterable[tuple[str, str]]) -> Markup:
    parts, x = [], _LEFT
    for name, look in entries:
        parts.append(tag("rect", x=x, y=4, width=10, height=10, class_=look))
        parts.append(tag("text", name, x=x + 14, y=13))
        x += 30 + 7 * len(name)
    return join(parts)


def _kinds_legend() -> Markup:
    parts, x = [], _LEFT
    for kind in KINDS:
        parts.append(tag("rect", x=x, y=4, width=10, height=10, fill=KIND_COLOURS[kind]))
        parts.append(tag("text", kind, x=x + 14, y=13))
        x += 30 + 7 * len(kind)
    return join(parts)
