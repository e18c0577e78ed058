"""Painted frames as pictures: one file, or a folder of numbered ones."""

from __future__ import annotations

from pathlib import Path

from poise.draw.painter import Painter
from poise.errors import UsageError
from poise.poses import Frame, Image, Poses

# Quality and sampling at which thin coloured lines stay clean.
_OPTIONS: dict[str, dict[str, object]] = {
    "JPEG": {"quality": 92, "subsampling": 0},
    "PNG": {"compress_level": 4},
    "WEBP": {"quality": 92},
}
FORMATS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".webp": "WEBP"}


class StillEncoder:
    """Paints and writes exactly one frame."""

    def __init__(self, path: Path, painter: Painter, *, form: str) -> None:
        self.notes: list[str] = []
        self._path, self._painter, self._form = path, painter, form
        self._done = False

    def add(self, frame: Frame, poses: Poses) -> None:
        """Paint and write the frame.

        Raises:
            UsageError: There was one before.
        """
        if self._done:
            raise refuse_video()
        _save(self._painter.paint(frame.image, poses), self._path, self._form)
        self._done = True

    def finish(self) -> None:
        """Nothing is left to write."""

    def abort(self) -> None:
        """Nothing is open."""


def refuse_video() -> UsageError:
    """Return the error for a video that should become one picture."""
    remedy = "write an .mp4, a .gif, or a folder whose name ends in /"
    return UsageError("one picture cannot hold a video", remedy=remedy)


class FolderEncoder:
    """Paints and writes each frame as a JPEG that is named by the frame's index."""

    def __init__(self, path: Path, painter: Painter) -> None:
        self.notes: list[str] = []
        self._path, self._painter = path, painter

    def add(self, frame: Frame, poses: Poses) -> None:
        """Paint and write a frame."""
        if frame.cut:
            self._painter.restart()
        name = f"{frame.index:06d}.jpg"
        _save(self._painter.paint(frame.image, poses), self._path / name, "JPEG")

    def finish(self) -> None:
        """Nothing is left to write."""

    def abort(self) -> None:
        """Nothing is open."""


def _save(image: Image, path: Path, form: str) -> None:
    from PIL import Image as Pictures

    with path.open("wb") as file:
        Pictures.fromarray(image).save(file, format=form, **_OPTIONS[form])
