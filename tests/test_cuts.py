"""Cuts are found; motion, light and fades are not taken for cuts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from poise.cuts import CutDetector


def scenery(seed: int, height: int = 360, width: int = 1600) -> np.ndarray:
    """A wide textured picture: large coloured patches with finer ones on them."""
    random = np.random.default_rng(seed)
    picture = np.zeros((height, width, 3))
    for cell, weight in ((90, 0.55), (36, 0.3), (12, 0.15)):
        rows, columns = -(-height // cell), -(-width // cell)
        patches = random.uniform(0, 255, (rows, columns, 3)).repeat(cell, 0).repeat(cell, 1)
        picture += weight * patches[:height, :width]
    tint = random.uniform(0.4, 1.2, 3)
    return np.clip(picture * tint, 0, 255).astype(np.uint8)


def cuts(pictures) -> list[int]:
    detector = CutDetector()
    return [number for number, picture in enumerate(pictures) if detector.is_cut(picture)]


@pytest.mark.parametrize("seed", range(12))
def test_a_hard_cut_is_found_at_once(seed):
    a, b = scenery(seed)[:, :640], scenery(seed + 100)[:, :640]
    assert cuts([a] * 5 + [b] * 5 + [a] * 5) == [5, 10]


@pytest.mark.parametrize("seed", range(6))
def test_a_pan_is_no_cut(seed):
    wide = scenery(seed)
    places = np.cumsum([*np.linspace(0, 45, 8), *[45] * 12]).astype(int)
    assert cuts([wide[:, x : x + 640] for x in places if x + 640 <= 1600]) == []


def test_a_zoom_is_no_cut():
    wide = scenery(3, 720, 1280)
    pictures = []
    for share in 0.95 ** np.arange(16):
        rows = (360 + (np.arange(240) - 120) * 3 * share).astype(int)
        columns = (640 + (np.arange(426) - 213) * 3 * share).astype(int)
        pictures.append(wide[rows[:, None], columns])
    assert cuts(pictures) == []


@pytest.mark.parametrize("gain", [0.0, 0.3, 0.6, 1.5, 2.5, 4.0, 100.0])
def test_one_bright_or_dark_picture_is_no_cut(gain):
    picture = scenery(4)[:, :640]
    flash = np.clip(picture * gain, 0, 255).astype(np.uint8)
    assert cuts([picture] * 4 + [flash] + [picture] * 4) == []


def test_flicker_and_fades_are_no_cuts():
    picture = scenery(5)[:, :640]
    gains = [1, 0.7, 1.2, 0.8, 1.1, *np.linspace(1, 0, 20), *np.linspace(0, 1, 20)]
    assert cuts([np.clip(picture * gain, 0, 255).astype(np.uint8) for gain in gains]) == []


def test_another_scene_after_black_is_a_cut():
    a, b = scenery(6)[:, :640], scenery(7)[:, :640]
    assert cuts([a] * 3 + [np.zeros_like(a)] * 5 + [b] * 3) == [8]


def test_a_moving_person_is_no_cut():
    ground = scenery(8)[:, :640]
    pictures = []
    for x in range(0, 400, 40):
        picture = ground.copy()
        picture[60:340, x : x + 150] = (200, 40, 40)
        pictures.append(picture)
    assert cuts(pictures) == []


def test_pictures_of_another_size_is_a_cut_and_tiny_ones_are_taken():
    picture = scenery(9)[:, :640]
    assert cuts([picture, picture, picture[::2, ::2][:100, :100], picture[:3, :2]]) == [2]


def first_frames(path: Path, count: int = 40) -> list[np.ndarray]:
    av = pytest.importorskip("av")
    frames = []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            frames.append(frame.reformat(width=320, height=180, format="rgb24").to_ndarray())
            if len(frames) == count:
                break
    return frames


@pytest.mark.data
def test_real_videos_have_no_cut_but_where_they_are_joined(data_dir):
    videos = {
        path.name: first_frames(path)
        for path in sorted((data_dir / "videos").rglob("*.*"))
        if path.name.startswith(("felix", "stgcn", "tfjs", "fall-04", "mmaction2", "sign", "intel"))
    }
    assert len(videos) >= 7
    for name, frames in videos.items():
        assert cuts(frames) == [], name
        for other, following in videos.items():
            if other != name:
                assert cuts(frames[-5:] + following[:5]) == [5], (name, other)
