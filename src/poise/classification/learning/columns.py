"""Keypoints by the many names that tables give them: RWrist_x, left_wrist_X, Rshoulder.y."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from poise.skeleton import Skeleton
from poise.skeleton_table import LAYOUTS

_PARTS = {
    "x": "x", "y": "y", "z": "z", "v": "score", "s": "score", "c": "score", "p": "score",
    "score": "score", "vis": "score", "visibility": "score", "conf": "score",
    "confidence": "score", "likelihood": "score", "presence": "presence",
}  # fmt: skip
_LAST = re.compile(r"(.+)[_ .:\-]([A-Za-z]+)")
_FIRST = re.compile(r"([A-Za-z]+)[_ .:\-](.+)")


@dataclass(frozen=True)
class Columns:
    """Which columns of a table hold keypoints.

    Attributes:
        skeleton: The keypoints that were recognised, in the order of their x columns.
        x, y: (K,) columns of each.
        scores: (K,) columns; None where there is none, and what is there has the score 1.
        others: Names of the columns that are no keypoint's.
    """

    skeleton: Skeleton
    x: tuple[int, ...]
    y: tuple[int, ...]
    scores: tuple[int | None, ...]
    others: tuple[str, ...]


def find_columns(names: Sequence[str]) -> Columns:
    """Return where the keypoints are; a keypoint needs both an x and a y column."""
    found: dict[str, dict[str, int]] = {}
    meant: dict[int, str] = {}
    # Where a table has nose_x in pixels and nose_X in metres, the pixels are meant.
    for column in sorted(range(len(names)), key=lambda n: (_is_capital(names[n]), n)):
        keypoint, part = split_column(names[column])
        if keypoint is None:
            continue
        meant[column] = keypoint
        found.setdefault(keypoint, {}).setdefault(part, column)
    whole = {k: parts for k, parts in found.items() if "x" in parts and "y" in parts}
    order = sorted(whole, key=lambda k: whole[k]["x"])
    return Columns(
        make_skeleton(order),
        tuple(whole[k]["x"] for k in order),
        tuple(whole[k]["y"] for k in order),
        tuple(whole[k].get("score") for k in order),
        tuple(n for column, n in enumerate(names) if meant.get(column) not in whole),
    )


def split_column(name: str) -> tuple[str | None, str]:
    """Return the keypoint that a column is of, or None, and which part: x, y, z or score."""
    for pattern, keypoint, part in ((_LAST, 1, 2), (_FIRST, 2, 1)):
        match = pattern.fullmatch(name.strip())
        if match and match[part].lower() in _PARTS:
            return find_keypoint(match[keypoint]), _PARTS[match[part].lower()]
    return None, ""


def find_keypoint(name: str) -> str | None:
    """Return Poise's name of a keypoint: of ``RWrist``, ``wrist_right`` or ``right wrist``."""
    return _spellings().get(re.sub(r"[^a-z0-9]", "", name.lower()))


def make_skeleton(keypoints: Sequence[str]) -> Skeleton:
    """Return the layout of these keypoints, with the edges that known layouts draw."""
    names = tuple(keypoints)
    numbers = {name: n for n, name in enumerate(names)}
    edges = {
        (numbers[ours[a]], numbers[ours[b]])
        for ours, pairs in (LAYOUTS["blazepose33"], LAYOUTS["coco17"], LAYOUTS["body25"])
        for a, b in pairs
        if ours[a] in numbers and ours[b] in numbers
    }
    unique = {(min(a, b), max(a, b)) for a, b in edges}
    return Skeleton("table", names, tuple(sorted(unique)))


def _is_capital(name: str) -> bool:
    match = _LAST.fullmatch(name.strip())
    return bool(match and match[2].isupper())


@lru_cache
def _spellings() -> dict[str, str]:
    spellings: dict[str, str] = {}
    for keypoints, _ in LAYOUTS.values():
        for keypoint in keypoints:
            for spelling in _spell(keypoint):
                spellings.setdefault(spelling, keypoint)
    return spellings


def _spell(keypoint: str) -> list[str]:
    side, _, rest = keypoint.partition("_")
    if side not in ("left", "right"):
        return [keypoint.replace("_", "")]
    part = rest.replace("_", "")
    return [side + part, side[0] + part, part + side, part + side[0]]
