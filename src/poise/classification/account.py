"""What happened in one source, and the colours that its labels have wherever they are shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from poise.classification.events import Event
from poise.clip import Clip

RGB = tuple[int, int, int]
Colours = dict[tuple[str, str], RGB]  # by kind and label

_LINGER = 2.0  # seconds

FALL_COLOUR: RGB = (226, 46, 46)
# Okabe and Ito, "Color universal design" (2008), without black and the red that a fall has, then
# lighter and deeper mixes.
_COLOURS: tuple[RGB, ...] = (
    (86, 180, 233), (230, 159, 0), (0, 158, 115), (204, 121, 167), (240, 228, 66), (0, 114, 178),
    (165, 215, 110), (150, 130, 235), (255, 175, 150), (110, 205, 205), (160, 110, 60),
    (170, 175, 185),
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Account:
    """What happened in one source.

    Attributes:
        source: As the user named it.
        clip: Everybody in it.
        people: Ids of those who were watched.
        events: In order of time.
        footage: The video or picture that shows it, where there is one.
    """

    source: str
    clip: Clip
    people: tuple[int, ...]
    events: tuple[Event, ...]
    footage: str | None = None

    @property
    def still(self) -> bool:
        """Whether it is a single picture, so that nothing has a time."""
        return len(self.clip) == 1

    @property
    def separate(self) -> bool:
        """Whether it is one picture, or several that have nothing to do with one another."""
        return self.still or self.clip.names is not None

    def active(self, time: float) -> dict[int, list[Event]]:
        """Return what everybody does at a moment: by id, in the order of ``events``.

        A fall is over in less than a second; so that it can be read, it counts for two more.
        """
        found: dict[int, list[Event]] = {}
        for event in self.events:
            end = event.end + (_LINGER if event.kind == "fall" else 0.0)
            if event.start - 1e-6 <= time <= end + 1e-6:
                found.setdefault(event.person, []).append(event)
        return found


def order_events(events: Iterable[Event]) -> tuple[Event, ...]:
    """Return events by start, then by person and kind."""
    return tuple(sorted(events, key=lambda one: (one.start, one.person, one.kind, one.label)))


def pick_colours(events: Iterable[Event]) -> Colours:
    """Return a colour for each label; falls are red."""
    names = sorted({(event.kind, event.label) for event in events})
    calm = [name for name in names if name[0] != "fall"]
    colours = {name: _COLOURS[place % len(_COLOURS)] for place, name in enumerate(calm)}
    return {name: colours.get(name, FALL_COLOUR) for name in names}


def ink_on(colour: RGB) -> RGB:
    """Return black or white, whichever reads better on a colour."""
    red, green, blue = colour
    return (16, 18, 22) if 0.299 * red + 0.587 * green + 0.114 * blue > 120 else (255, 255, 255)
