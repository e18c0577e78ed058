"""HTML and SVG as text that is escaped once, by construction."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable


class Markup(str):
    """Text that is HTML already; every other text is escaped when it is put into a page."""

    __slots__ = ()


Content = str | int | None
Attribute = str | float | bool | None
_VOID = {"br", "img", "meta", "link"}


def tag(name: str, /, *content: Content, **attributes: Attribute) -> Markup:
    """Return one element.

    Args:
        name: Of the element.
        content: Inside it, in order; None is left out, text that is no ``Markup`` is escaped.
        attributes: ``class_`` is ``class``, ``stroke_width`` is ``stroke-width``; None and False
            are left out, True is an attribute without a value, a number has at most 2 decimals.
    """
    head = name + "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _VOID:
        return Markup(f"<{head}>")
    return Markup(f"<{head}>{join(content)}</{name}>")


def join(content: Iterable[Content]) -> Markup:
    """Return contents one after the other."""
    return Markup("".join(_escaped(one) for one in content if one is not None))


def number(value: float) -> str:
    """Return a coordinate with at most two decimals."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def path_of(xs: Iterable[float], ys: Iterable[float]) -> str:
    """Return the course of an SVG path, lifted where a value is not a number."""
    steps, drawing = [], False
    for x, y in zip(xs, ys, strict=True):
        if not (math.isfinite(x) and math.isfinite(y)):
            drawing = False
            continue
        steps.append(f"{'L' if drawing else 'M'}{x:.1f} {y:.1f}")
        drawing = True
    return "".join(steps)


def _escaped(content: Content) -> str:
    return content if isinstance(content, Markup) else html.escape(str(content))


def _attribute(key: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    if value is True:
        return f" {name}"
    text = number(value) if isinstance(value, int | float) else str(value)
    return f' {name}="{html.escape(text)}"'
