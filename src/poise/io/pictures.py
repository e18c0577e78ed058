"""Pictures and animations, read by Pillow. The only module that knows Pillow's errors."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING

import numpy as np

from poise.errors import InputError, MissingExtraError
from poise.io.feeds import MAX_FRAME_PIXELS, MAX_PIXELS, Feed, Still, Window
from poise.poses import Frame
from poise.poses import Image as Pixels

if TYPE_CHECKING:
    from PIL import Image, ImageFile

# What Pillow's readers raise on bytes that are not what they should be.
_ERRORS = (OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError, ArithmeticError,
           RuntimeError, AttributeError, struct.error, MemoryError, Warning)  # fmt: skip

_ANIMATED = ("GIF", "WEBP", "PNG", "AVIF")

# GIF's way to say that no delay was chosen; browsers show such frames for a tenth of a second.
_NO_DELAY = 100.0


def picture_format(head: bytes) -> str | None:
    """Return Pillow's name of the format that a file's first 32 bytes tell of, or None."""
    starts = {
        b"\xff\xd8\xff": "JPEG",
        b"\x89PNG\r\n\x1a\n": "PNG",
        b"GIF87a": "GIF",
        b"GIF89a": "GIF",
        b"II*\0": "TIFF",
        b"MM\0*": "TIFF",
        b"II+\0": "TIFF",
        b"MM\0+": "TIFF",
        b"BM": "BMP",
    }
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[4:8] == b"ftyp":
        return _brand_format(head)
    return next((name for start, name in starts.items() if head.startswith(start)), None)


def _brand_format(head: bytes) -> str | None:
    # ISO base media: the major brand, then a version, then compatible brands of four bytes.
    brands = {head[8:12], *(head[i : i + 4] for i in range(16, 32, 4))}
    if brands & {b"avif", b"avis"}:
        return "AVIF"
    major = head[8:12]
    return "HEIF" if major in (b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1") else None


def open_picture(file: IO[bytes], form: str, name: str) -> Feed:
    """Open a picture or an animation; the feed closes the file.

    Args:
        file: Where the bytes are, at the start.
        form: What ``picture_format`` said.
        name: What to call it in messages.

    Raises:
        InputError: It is damaged, too large, or has a kind of pixels that is no photograph.
        MissingExtraError: It is HEIC and pillow-heif is not installed.
    """
    with contextlib.ExitStack() as undo:
        undo.callback(file.close)
        with _translated(name):
            picture = _open_heif(file, name) if form == "HEIF" else _open(file, form)
        _check_size(picture.size, name)
        if form in _ANIMATED and _is_animated(picture):
            _check_size(picture.size, name, MAX_FRAME_PIXELS)
            animation = Animation(picture, file, name)
            undo.pop_all()
            return animation
        with _translated(name):
            return Still(_upright_rgb(picture, name))


@contextlib.contextmanager
def _translated(name: str) -> Iterator[None]:
    try:
        yield
    except _ERRORS as error:
        if isinstance(error, MemoryError):
            raise InputError("does not fit into memory", where=name) from error
        cut = any(word in str(error) for word in ("truncated", "Truncated", "not enough"))
        what = "the picture ends too early" if cut else "the picture is damaged"
        raise InputError(what, where=name, remedy="fetch or save it again") from error


def _open(file: IO[bytes], form: str) -> ImageFile.ImageFile:
    # Not Image.open: it tries other formats, and warns of large pictures in its own way.
    from PIL import Image

    if form not in Image.OPEN:
        Image.init()
    picture: ImageFile.ImageFile = Image.OPEN[form][0](file, "")
    return picture


def _is_animated(picture: Image.Image) -> bool:
    try:
        return bool(getattr(picture, "is_animated", False))
    except _ERRORS:
        return True  # a GIF cut after its first frame


def _open_heif(file: IO[bytes], name: str) -> Image.Image:
    try:
        import pillow_heif
    except ImportError as error:
        raise MissingExtraError("HEIC pictures need pillow-heif", "heic") from error
    heif = pillow_heif.open_heif(file, convert_hdr_to_8bit=True)
    _check_size(heif.size, name)
    picture: Image.Image = heif.to_pillow()
    return picture


def _check_size(size: tuple[int, int], name: str, most: int = MAX_PIXELS) -> None:
    width, height = size
    if width < 1 or height < 1:
        raise InputError("the picture has no pixels", where=name)
    if width * height > most:
        what = f"a picture of {width}x{height} pixels is too large"
        raise InputError(what, where=name, remedy=f"the most is {most // 1_000_000} million pixels")


def _upright_rgb(picture: Image.Image, name: str) -> Pixels:
    """Turn by EXIF orientation and convert any kind of pixels to RGB, alpha over white."""
    from PIL import ImageOps

    if picture.mode in ("I", "F"):
        what = f"pixels of 32 bits (mode {picture.mode}) have no known white"
        raise InputError(what, where=name, remedy="save it with 8 or 16 bits")
    picture.load()
    return np.array(_rgb(ImageOps.exif_transpose(picture)))


def _rgb(picture: Image.Image) -> Image.Image:
    from PIL import Image

    if picture.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8)).convert("RGB")
    if not picture.has_transparency_data:
        return picture if picture.mode == "RGB" else picture.convert("RGB")
    see_through = picture.convert("RGBA")
    white = Image.new("RGBA", picture.size, "white")
    return Image.alpha_composite(white, see_through).convert("RGB")


class Animation(Feed):
    """An animated GIF, WebP, PNG or AVIF: a video whose frames each have their own duration.

    Args:
        picture: The animation, as Pillow opened it.
        file: The file it reads; closed by the feed.
        name: What to call it in messages.
    """

    def __init__(self, picture: Image.Image, file: IO[bytes], name: str) -> None:
        self._picture, self._file, self._name = picture, file, name
        # An animated PNG may begin with a picture for old readers that is not part of it.
        self._skip = int(bool(picture.info.get("default_image")))
        # A GIF must be read to its end before Pillow can count its frames.
        if picture.format != "GIF":
            self.count = int(picture.n_frames) - self._skip  # type: ignore[attr-defined]
        first = self._read(0)
        if first is None:
            raise InputError("the animation has no frames", where=name)
        self._first = first
        self.size = first[0].shape[1], first[0].shape[0]
        self.fps = 1000 / first[1]

    def _read(self, index: int) -> tuple[Pixels, float] | None:
        """Return a frame and its duration in milliseconds, or None after the last."""
        with _translated(self._name):
            try:
                self._picture.seek(index + self._skip)
            except EOFError:
                return None
            image = _upright_rgb(self._picture, self._name)
        return image, self._picture.info.get("duration") or _NO_DELAY

    def frames(self, window: Window) -> Iterator[Frame]:
        """Yield the wanted frames; ends early and sets ``truncated`` where the file was cut."""
        index, elapsed = 0, 0.0
        read: tuple[Pixels, float] | None = self._first
        while read is not None and elapsed / 1000 < window.end:
            if window.keeps(index, elapsed / 1000):
                yield Frame(read[0], index, elapsed / 1000)
            index, elapsed = index + 1, elapsed + read[1]
            try:
                read = self._read(index)
            except InputError:
                self.truncated = True
                return
        if read is None:
            self.truncated = index < self.count if self.count else not self._has_trailer()

    def _has_trailer(self) -> bool:
        self._file.seek(-1, 2)
        return self._file.read(1) == b";"

    def close(self) -> None:
        """Close the file."""
        self._picture.close()
        self._file.close()
