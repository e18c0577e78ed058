"""Trying what else a card could say, on pictures whose truth is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from poise.checking.findings import Finding, Level
from poise.checking.scenes import Scene
from poise.checking.sights import Sight, Subject
from poise.errors import PoiseError
from poise.models import Card
from poise.poses import Image

# Another way of feeding the network is the right one where it is so much better on the whole, and
# better in so many of twelve pictures. Measured on ten networks: the wrong order of channels costs
# 6 to 83 % (but for PicoDet, to which it is all one), and no right card was beaten by more than
# 2.2 %, in 8 of 12 pictures.
_BETTER, _MUCH_BETTER, _WINS = 1.02, 1.05, 0.75
# Below it, nothing that was tried can be called a reading of the picture.
_NOTHING = 0.1

RANGES: dict[str, tuple[float, float]] = {
    "0..255 as they are (mean 0, std 1)": (0.0, 1.0),
    "0..1 (mean 0, std 255)": (0.0, 255.0),
    "-1..1 (mean and std 127.5)": (127.5, 127.5),
}
_MEAN, _STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)

Load = Callable[[Card], Subject]
_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Trial:
    """One way of feeding a network, and how well it then reads each scene.

    Attributes:
        card: What it is fed by.
        subject: The network so fed.
        swapped: Whether pictures are handed on with red and blue exchanged.
        sights: What it sees of each scene.
        qualities: (S,) how good each is, in 0..1.
    """

    card: Card
    subject: Subject
    swapped: bool
    sights: tuple[Sight, ...]
    qualities: _Floats

    @property
    def quality(self) -> float:
        """The mean quality."""
        return float(self.qualities.mean())

    @classmethod
    def run(
        cls, card: Card, subject: Subject, scenes: Sequence[Scene], *, swapped: bool = False
    ) -> Trial:
        """Look at every scene."""
        sights = tuple(subject.see(feed(s.image, swapped=swapped), s) for s in scenes)
        pairs = zip(sights, scenes, strict=True)
        return cls(card, subject, swapped, sights, np.array([subject.quality(*p) for p in pairs]))


def feed(image: Image, *, swapped: bool) -> Image:
    """Return a picture, or the same with red and blue exchanged."""
    return np.ascontiguousarray(image[..., ::-1]) if swapped else image


def check_range(own: Trial, load: Load, scenes: Sequence[Scene]) -> tuple[Finding, Trial]:
    """Try other scales of the pixels; return the best trial for the checks that follow."""
    tried = {}
    for name, changes in _ranges(own.card).items():
        card = replace(own.card, **changes)
        try:
            tried[name] = Trial.run(card, load(card), scenes)
        except PoiseError:
            continue
    return _compare("range", own, tried, "the card's mean and std", "of the pixels")


def _ranges(card: Card) -> dict[str, dict[str, Any]]:
    values: dict[str, tuple[tuple[float, ...], tuple[float, ...]]]
    values = {name: ((mean,) * 3, (std,) * 3) for name, (mean, std) in RANGES.items()}
    turn = -1 if card.channels == "BGR" else 1
    mean, std = _MEAN[::turn], _STD[::turn]
    values[f"ImageNet's (mean {list(mean)}, std {list(std)})"] = (mean, std)
    return {
        name: {"mean": means, "std": stds}
        for name, (means, stds) in values.items()
        if not np.allclose([card.mean, card.std], [means, stds], rtol=0.02, atol=0.5)
    }


def check_channels(own: Trial, scenes: Sequence[Scene]) -> tuple[Finding, Trial]:
    """Try the other order of the channels."""
    order = own.card.channels
    other = "BGR" if order == "RGB" else "RGB"
    tried = {other: Trial.run(own.card, own.subject, scenes, swapped=True)}
    return _compare("channel order", own, tried, order, "of the channels")


def _compare(
    check: str, own: Trial, tried: dict[str, Trial], mine: str, what: str
) -> tuple[Finding, Trial]:
    name, best = max(tried.items(), key=lambda item: item[1].quality, default=("", own))
    if max(own.quality, best.quality) < _NOTHING:
        text = f"cannot be told: nothing {what} that was tried lets it find the drawn people"
        return Finding(check, "warn", text), own
    ratio = best.quality / max(own.quality, 1e-6)
    wins = float((best.qualities > own.qualities).mean())
    mark, other = f"{own.quality:.2f}", f"{best.quality:.2f}"
    if ratio >= _BETTER and wins >= _WINS:
        text = f"{name} reads {wins:.0%} of the drawn pictures better: {other} instead of {mark}"
        level: Level = "fail" if ratio >= _MUCH_BETTER else "warn"
        return Finding(check, level, text), best if level == "fail" else own
    if ratio > 1 / _BETTER:
        text = f"{mine} ({mark}); {name} makes no difference ({other})"
        return Finding(check, "ok", text), own
    return Finding(check, "ok", f"{mine} ({mark}; {other} with {name})"), own
