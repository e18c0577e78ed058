"""Painted frames as an animated GIF."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from poise.draw.painter import Painter
from poise.draw.strokes import OUTLINE_COLOUR
from poise.draw.style import PERSON_COLOURS, SIDE_COLOURS
from poise.poses import Frame, Image, Poses

LONGEST_SIDE = 480
SHORTEST_STEP = 0.04
_OWN_COLOURS = np.array(
    [*SIDE_COLOURS.values(), *PERSON_COLOURS, OUTLINE_COLOUR, (255, 255, 255)], np.uint8
)
_PICTURE_COLOURS = 255 - len(_OWN_COLOURS)
# A pattern that stands still hides the steps between colours without crawling, and compresses
# well; Bayer's 4x4 matrix.
_PATTERN = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]) - 7.5


class GifEncoder:
    """Paints and encodes one frame after the other; memory does not grow with their number.

    Frames are made at most ``LONGEST_SIDE`` pixels long and wide, those nearer than
    ``SHORTEST_STEP`` seconds to the last one are left out, and the whole lasts exactly (to
    1/100 s) as long as the source. The palette stays the same until a picture no longer fits it.
    """

    def __init__(self, path: Path, painter: Painter, *, fps: float | None) -> None:
        import av

        self.notes: list[str] = []
        self._painter = painter
        self._container = av.open(f"file:{path}", "w", format="gif")
        self._stream: Any = None
        self._palette: Any = None
        self._error = 0.0
        self._start: float | None = None
        self._size = (0, 0)
        self._kept = self._time = 0.0
        self._step = 1 / fps if fps else 0.1
        self._waiting: Any = None

    def add(self, frame: Frame, poses: Poses) -> None:
        """Paint and encode a frame, unless it comes too soon after the last."""
        if frame.cut:
            self._painter.restart()
        if self._start is None:
            self._start, self._size = frame.time, _fitting(*frame.size)
        else:
            self._step, self._time = frame.time - self._time, frame.time
            if frame.time - self._kept < SHORTEST_STEP - 0.002:
                return
        self._kept = self._time = frame.time
        picture = self._to_palette(self._painter.paint(_resize(frame.image, self._size), poses))
        picture.pts = round((frame.time - self._start) * 100)
        if self._waiting is not None:
            picture.pts = max(picture.pts, self._waiting.pts + 2)
            self._encode(self._waiting, picture.pts - self._waiting.pts)
        self._waiting = picture

    def _to_palette(self, canvas: Image) -> Any:
        from av import VideoFrame
        from PIL import Image as Pictures

        height, width = canvas.shape[:2]
        pattern = np.tile(_PATTERN, (height // 4 + 1, width // 4 + 1))[:height, :width, None]
        soft = np.clip(canvas + pattern * 0.5, 0, 255).astype(np.uint8)
        picture = Pictures.fromarray(soft)
        if self._palette is None or self._misfit(picture, canvas) > 1.5 * self._error + 1:
            self._palette = _make_palette(canvas)
            self._error = self._misfit(picture, canvas)
        indices = np.asarray(picture.quantize(palette=self._palette, dither=Pictures.Dither.NONE))
        return VideoFrame.from_ndarray((indices, _argb(self._palette)), format="pal8")

    def _misfit(self, picture: Any, canvas: Image) -> float:
        """Mean difference, in grey levels, between a sample of the picture and its colours."""
        sample = picture.reduce(4)
        shown = sample.quantize(palette=self._palette, dither=0).convert("RGB")
        return float(np.abs(np.asarray(shown, np.int16) - np.asarray(sample, np.int16)).mean())

    def _encode(self, picture: Any, duration: int) -> None:
        if self._stream is None:
            self._stream = self._container.add_stream("gif", rate=100)
            self._stream.width, self._stream.height = picture.width, picture.height
            self._stream.pix_fmt = "pal8"
        picture.time_base = Fraction(1, 100)
        for packet in self._stream.encode(picture):
            packet.duration = duration
            self._container.mux(packet)

    def finish(self) -> None:
        """Write the last frame, which lasts as long as the source's last one."""
        if self._waiting is not None:
            end = round((self._time + self._step - (self._start or 0)) * 100)
            self._encode(self._waiting, max(end - self._waiting.pts, 2))
            for packet in self._stream.encode(None):
                self._container.mux(packet)
        self._container.close()

    def abort(self) -> None:
        """Let go of everything; what was written is of no use."""
        self._container.close()


def _fitting(width: int, height: int) -> tuple[int, int]:
    scale = min(LONGEST_SIDE / max(height, width), 1)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _resize(image: Image, size: tuple[int, int]) -> Image:
    from PIL import Image as Pictures

    if image.shape[1::-1] == size:
        return image
    return np.asarray(Pictures.fromarray(image).resize(size, Pictures.Resampling.BOX))


def _make_palette(canvas: Image) -> Any:
    """Return a picture that carries the palette: its own best colours, and those of the limbs."""
    from PIL import Image as Pictures

    found = Pictures.fromarray(canvas).quantize(_PICTURE_COLOURS, kmeans=3)
    colours = np.zeros((256, 3), np.uint8)
    own = np.array(found.getpalette("RGB"), np.uint8).reshape(-1, 3)
    colours[: len(own)] = own
    colours[len(own) : 255] = _OWN_COLOURS[np.arange(255 - len(own)) % len(_OWN_COLOURS)]
    colours[255] = colours[254]
    carrier = Pictures.new("P", (1, 1))
    carrier.putpalette(colours.ravel().tolist())
    return carrier


def _argb(palette: Any) -> npt.NDArray[np.uint8]:
    """Return (256, 4) the palette as PyAV wants it; the last colour is the transparent one."""
    table = np.full((256, 4), 255, np.uint8)
    table[:, 1:] = np.array(palette.getpalette("RGB"), np.uint8).reshape(256, 3)
    table[255] = 0
    return table
