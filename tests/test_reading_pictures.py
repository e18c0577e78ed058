"""Reading pictures: every format and every kind of pixels, upright and in RGB."""

from __future__ import annotations

import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from media import make_frames
from poise.errors import InputError, MissingExtraError
from poise.io.reading import read_frames

PICTURE = make_frames(1, (40, 30))[0]


def read_one(path: Path) -> np.ndarray:
    with read_frames(path) as reader:
        (frame,) = reader
    assert reader.still and reader.count == 1 and reader.size == frame.size
    assert frame.image.dtype == np.uint8 and frame.image.flags.c_contiguous
    return frame.image


@pytest.mark.parametrize(
    ("suffix", "options", "error"),
    [
        (".png", {}, 0),
        (".bmp", {}, 0),
        (".tif", {}, 0),
        (".webp", {"lossless": True}, 0),
        (".jpg", {"quality": 98, "subsampling": 0}, 6),
        (".avif", {"quality": 98, "subsampling": "4:4:4"}, 12),
    ],
)
def test_formats(tmp_path: Path, suffix: str, options: dict[str, object], error: int) -> None:
    path = tmp_path / f"a{suffix}"
    Image.fromarray(PICTURE).save(path, **options)
    assert np.abs(read_one(path).astype(int) - PICTURE).max() <= error
    # The content decides, not the name.
    assert read_one(path.rename(tmp_path / "a.mp4")).shape == (30, 40, 3)


def test_heic_needs_an_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heif = pytest.importorskip("pillow_heif")
    path = tmp_path / "a.heic"
    heif.from_pillow(Image.fromarray(PICTURE)).save(path, quality=95)
    assert np.abs(read_one(path).astype(int) - PICTURE).mean() < 8
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'poise\[heic\]'"):
        read_frames(path)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif", ".avif"])
def test_exif_orientation(tmp_path: Path, suffix: str, orientation: int) -> None:
    # How a camera stores an upright picture under each orientation (EXIF 2.32, table 6).
    stored = {
        1: PICTURE,
        2: PICTURE[:, ::-1],
        3: PICTURE[::-1, ::-1],
        4: PICTURE[::-1],
        5: PICTURE.transpose(1, 0, 2),
        6: np.rot90(PICTURE, 1),
        7: PICTURE[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(PICTURE, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"a{suffix}"
    options = {
        ".jpg": {"quality": 98, "subsampling": 0},
        ".webp": {"lossless": True},
        ".avif": {"quality": 98, "subsampling": "4:4:4"},
    }
    Image.fromarray(np.ascontiguousarray(stored)).save(path, exif=exif, **options.get(suffix, {}))
    assert np.abs(read_one(path).astype(int) - PICTURE).max() <= 6


@pytest.mark.parametrize("mode", ["L", "P", "1", "CMYK", "LA", "RGBA", "PA"])
def test_pixels_of_any_kind(tmp_path: Path, mode: str) -> None:
    suffix = ".tif" if mode in ("CMYK", "PA") else ".png"
    if mode == "PA":
        mode = "P"
    picture = Image.fromarray(PICTURE).convert(mode)
    picture.save(tmp_path / f"a{suffix}")
    wanted = np.asarray(picture.convert("RGB"))
    assert np.abs(read_one(tmp_path / f"a{suffix}").astype(int) - wanted).max() <= 1


def test_sixteen_bits_are_scaled_down(tmp_path: Path) -> None:
    grey = (np.arange(40 * 30, dtype=np.uint16) * 54).reshape(30, 40)
    for suffix in (".png", ".tif"):
        Image.fromarray(grey).save(tmp_path / f"a{suffix}")
        assert np.array_equal(read_one(tmp_path / f"a{suffix}")[..., 0], grey >> 8)


def test_alpha_lies_over_white(tmp_path: Path) -> None:
    picture = np.dstack([PICTURE, np.full(PICTURE.shape[:2], 255, np.uint8)])
    picture[:10, :10, 3] = 0
    picture[20:, 30:, :] = (0, 0, 0, 128)
    Image.fromarray(picture).save(tmp_path / "a.png")
    image = read_one(tmp_path / "a.png")
    assert (image[:10, :10] == 255).all()
    assert np.abs(image[20:, 30:].astype(int) - 127).max() <= 1
    palette = Image.fromarray(PICTURE).convert("P")
    palette.info["transparency"] = palette.getpixel((0, 0))
    palette.save(tmp_path / "b.png")
    assert (read_one(tmp_path / "b.png")[0, 0] == 255).all()


def test_pixels_without_a_known_white_are_refused(tmp_path: Path) -> None:
    Image.fromarray(np.random.default_rng(0).random((9, 9), np.float32)).save(tmp_path / "a.tif")
    with pytest.raises(InputError, match="32 bits"):
        read_frames(tmp_path / "a.tif")


def test_the_window_does_not_apply_to_a_picture(tmp_path: Path) -> None:
    Image.fromarray(PICTURE).save(tmp_path / "a.png")
    with read_frames(tmp_path / "a.png", start=3, end=4, stride=7) as reader:
        assert len(list(reader)) == 1


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif", ".bmp", ".gif", ".avif"])
def test_a_picture_cut_at_every_tenth(tmp_path: Path, suffix: str) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (60, 80, 3), np.uint8)
    path = tmp_path / f"a{suffix}"
    Image.fromarray(noise).save(path)
    data = path.read_bytes()
    for tenth in range(1, 10):
        path.write_bytes(data[: len(data) * tenth // 10])
        with pytest.raises(InputError, match=r"ends too early|damaged"):
            read_frames(path)


def bomb(width: int, height: int) -> bytes:
    """A PNG that is small on disk: one bit a pixel, all alike."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        head = struct.pack(">I", len(body)) + kind + body
        return head + struct.pack(">I", zlib.crc32(kind + body))

    squeeze, row = zlib.compressobj(9), bytes(1 + (width + 7) // 8)
    rows = b"".join(squeeze.compress(row) for _ in range(height)) + squeeze.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


MEASURE = """
import resource, sys, time
from poise.errors import InputError
from poise.io.reading import read_frames
import PIL.Image, PIL.PngImagePlugin
before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
try:
    read_frames(sys.argv[1])
except InputError as error:
    print(error)
took = time.perf_counter() - start
grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
print(took < 1, grown < 50, took, grown)
"""


def test_a_bomb_is_refused_from_its_header(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(bomb(20000, 20000))
    assert path.stat().st_size < 100_000
    command = [sys.executable, "-W", "error", "-c", MEASURE, str(path)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    message, figures = ran.stdout.strip().split("\n")
    assert "20000x20000 pixels is too large" in message
    assert figures.startswith("True True"), figures


def test_a_long_thin_picture_is_no_bomb(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(bomb(30000, 1))
    assert read_one(tmp_path / "a.png").shape == (1, 30000, 3)


def test_many_frames_are_streamed(tmp_path: Path) -> None:
    pictures = [Image.new("P", (300, 300), i % 2) for i in range(600)]
    pictures[0].save(tmp_path / "a.gif", save_all=True, append_images=pictures[1:], duration=20)
    with read_frames(tmp_path / "a.gif") as reader:
        assert next(reader).size == (300, 300)
