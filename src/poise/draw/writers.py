"""Writing painted frames: videos, GIFs, pictures, and folders of pictures."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from poise.closing import Completing
from poise.draw.background import Background
from poise.draw.gif import GifEncoder
from poise.draw.painter import Painter
from poise.draw.stills import FORMATS, FolderEncoder, StillEncoder, refuse_video
from poise.draw.style import Style
from poise.draw.video import FORMS, VideoEncoder
from poise.errors import OutputError, UsageError
from poise.output import OutputFile, OutputFolder, source_path, translated
from poise.poses import Frame, Poses

PICTURE_SUFFIXES = (*FORMS, ".gif", *FORMATS)

_NUMBERED = re.compile(r"\d{6,}\.jpg")

# Frames may wait for the encoder within this much memory.
_WAITING_BYTES = 48_000_000


class Encoder(Protocol):
    """Paints and writes frames, one after the other, in one thread."""

    notes: list[str]

    def add(self, frame: Frame, poses: Poses) -> None:
        """Paint and write a frame."""

    def finish(self) -> None:
        """Complete what was written."""

    def abort(self) -> None:
        """Let go of everything."""


class PictureWriter(Completing):
    """Paints frames and writes them, in a thread of its own; a context manager.

    What it writes appears under its name when it is closed without an error, and not at all
    otherwise. Made by ``open_picture_writer``.

    Attributes:
        truncated: Whether the source ended early; changes nothing, all writers have it.
    """

    def __init__(
        self, output: OutputFile | OutputFolder, encoder: Encoder, path: Path, waiting: int
    ) -> None:
        self.truncated = False
        self._output, self._encoder, self._path = output, encoder, path
        self._background = Background(self._add, waiting)
        self._open, self._empty = True, True

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know: a codec that stood in, sound that was lost."""
        return tuple(self._encoder.notes)

    def write(self, frame: Frame, poses: Poses) -> None:
        """Paint and write a frame, soon. Its picture must not be changed afterwards.

        Raises:
            OutputError: This or an earlier frame could not be written.
            UsageError: The writer is closed, or one picture was to hold several frames.
        """
        if not self._open:
            raise UsageError("the writer is closed", where=self._path)
        self._empty = False
        self._background.put((frame, poses))

    def _add(self, item: tuple[Frame, Poses]) -> None:
        with _translated(self._path):
            self._encoder.add(*item)

    def close(self) -> None:
        """Write what waits, and bring the file to its name.

        Raises:
            OutputError: It could not be written; nothing stands under its name.
        """
        if not self._open:
            return
        try:
            self._background.finish()
            if self._empty:
                raise OutputError("no frame came, so there is nothing to show", where=self._path)
            with _translated(self._path):
                self._encoder.finish()
            self._output.commit()
            self._open = False
        finally:
            self.discard()

    def discard(self) -> None:
        """Stop, and remove what was written; does nothing once the writer is closed."""
        if not self._open:
            return
        self._open = False
        self._background.stop()
        _abort(self._encoder)
        self._output.discard()


@contextlib.contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Turn what FFmpeg, Pillow and the operating system say into an OutputError."""
    from av.error import FFmpegError

    try:
        with translated(path):
            yield
    except FFmpegError as error:
        reason = error.strerror or str(error) or type(error).__name__
        raise OutputError(f"cannot be written: {reason}", where=path) from error
    except MemoryError as error:
        raise OutputError("cannot be encoded: out of memory", where=path) from error


def _abort(encoder: Encoder) -> None:
    """Closing a container writes its end, which may fail once more; it is thrown away anyway."""
    from av.error import FFmpegError

    with contextlib.suppress(OSError, FFmpegError, ValueError):
        encoder.abort()


def open_picture_writer(
    path: str | os.PathLike[str],
    *,
    size: tuple[int, int],
    fps: float | None = None,
    source: object = None,
    overwrite: bool = False,
    style: Style | None = None,
    still: bool | None = None,
    pixel_aspect: float = 1.0,
) -> PictureWriter:
    """Open a file, or a folder, that painted frames are written to.

    Args:
        path: ``.mp4``, ``.m4v``, ``.mov``, ``.mkv`` (H.264), ``.webm`` (VP9), ``.gif``, a single
            picture (``.jpg``, ``.png``, ``.webp``), or a folder of numbered JPEGs, whose name
            ends in ``/``.
        size: Width and height of the upright frames in pixels.
        fps: Frames per second, for the encoder's rate control and the length of the last frame.
            Every other time comes from the frames.
        source: Where the frames come from. If it is a file with sound, a video gets the sound.
        overwrite: Whether what stands there may be replaced.
        style: How the poses look; ``Style()`` when not given.
        still: Whether one frame will come; False refuses a single picture at once.
        pixel_aspect: Width of a pixel by its height, for videos.

    Raises:
        UsageError: Nothing is known to be written under such a name.
        OutputError: The name is taken, is the source, or cannot be written.
    """
    name = os.fspath(path)
    final, folder = Path(name), name.endswith(("/", os.sep))
    suffix = "" if folder else _suffix(final)
    if still is False and suffix in FORMATS:
        raise refuse_video()
    origin = source_path(source)
    output = _open_output(name, folder=folder, overwrite=overwrite, source=origin)
    encoder: Encoder
    try:
        with _translated(final):
            painter, place = Painter(style), output.place
            if folder:
                encoder = FolderEncoder(place, painter)
            elif suffix in FORMATS:
                encoder = StillEncoder(place, painter, form=FORMATS[suffix])
            elif suffix == ".gif":
                encoder = GifEncoder(place, painter, fps=fps)
            else:
                form = FORMS[suffix]
                encoder = VideoEncoder(place, painter, form=form, size=size, fps=fps)
                encoder.take_sound_of(origin if origin and origin.is_file() else None)
                encoder.set_pixel_aspect(pixel_aspect)
    except BaseException:
        output.discard()
        raise
    waiting = min(max(_WAITING_BYTES // max(size[0] * size[1] * 3, 1), 2), 8)
    return PictureWriter(output, encoder, final, waiting)


def _suffix(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix not in PICTURE_SUFFIXES:
        choices = f"{', '.join(PICTURE_SUFFIXES)}, or a folder whose name ends in /"
        what = f"no kind of picture ends in '{suffix}'" if suffix else "the name has no suffix"
        raise UsageError(what, where=path, remedy=f"choose one of {choices}")
    return suffix


def _open_output(
    name: str, *, folder: bool, overwrite: bool, source: Path | None
) -> OutputFile | OutputFolder:
    if folder:
        return OutputFolder(name, overwrite=overwrite, stale=_NUMBERED, shared=False)
    with translated(name):
        if Path(name).exists() and not (Path(name).is_file() or Path(name).is_dir()):
            raise OutputError("is a device or pipe; a picture needs a file", where=name)
    return OutputFile(name, overwrite=overwrite, source=source)
