"""What is measured on: some frames in memory, the same for all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from poise.io import read_frames
from poise.poses import Frame
from poise.synthetic import Dancer, Stage, dance

# Frames are held in memory while a model reads them, and count in its peak.
MOST_BYTES = 64_000_000
MOST_FRAMES = 60
# Metres that the dancers take, and what each wants beside the next.
_WIDTH, _ROOM = 4.0, 1.3


@dataclass(frozen=True)
class Pictures:
    """Frames in memory.

    Attributes:
        source: Where they are from, in words.
        frames: At least one.
    """

    source: str
    frames: tuple[Frame, ...]

    @property
    def bytes(self) -> int:
        """The memory that they take."""
        return sum(frame.image.nbytes for frame in self.frames)

    def __str__(self) -> str:
        count, (width, height) = len(self.frames), self.frames[0].size
        pictures = "picture" if count == 1 else "pictures"
        return f"{count} {pictures} of {width}x{height} ({self.bytes / 1e6:.0f} MB), {self.source}"

    def save(self, path: Path) -> None:
        """Write them to an .npz file, from which `load_pictures` reads them."""
        images = {f"image{i}": frame.image for i, frame in enumerate(self.frames)}
        indices, times = [f.index for f in self.frames], [f.time for f in self.frames]
        with path.open("wb") as file:
            np.savez(file, indices=indices, times=times, **images)  # type: ignore[arg-type]


def load_pictures(path: Path) -> list[Frame]:
    """Return the frames that `Pictures.save` wrote."""
    with np.load(path, allow_pickle=False) as file:
        known = zip(file["indices"], file["times"], strict=True)
        return [
            Frame(file[f"image{i}"], int(index), float(time))
            for i, (index, time) in enumerate(known)
        ]


def read_pictures(source: str) -> Pictures:
    """Return the first frames of a video, or a picture.

    Raises:
        InputError: The source cannot be read.
    """
    with read_frames(source) as reader:
        return Pictures(f"from {source}", _few(reader))


def draw_pictures(people: int = 1) -> Pictures:
    """Return two seconds of a dance on the synthetic stage.

    Args:
        people: How many dance, side by side.
    """
    reach = min(_WIDTH, _ROOM * (people - 1)) / 2
    places = np.linspace(-reach, reach, people)
    dancers = [Dancer(dance(), position=(float(x), 0.0)) for x in places]
    stage = Stage(dancers, size=(640, 360), fps=30.0, duration=MOST_FRAMES / 30)
    who = f"{people} {'person' if people == 1 else 'people'}"
    return Pictures(f"the synthetic stage with {who}", _few(stage.frames()))


def _few(frames: Iterable[Frame]) -> tuple[Frame, ...]:
    kept: list[Frame] = []
    size = 0
    for frame in islice(frames, MOST_FRAMES):
        size += frame.image.nbytes
        if kept and size > MOST_BYTES:
            break
        kept.append(frame)
    return tuple(kept)
