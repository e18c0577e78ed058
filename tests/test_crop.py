"""Warping: conventions at the middle and at the border, against a plain reference."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poise import crop as warping
from poise.crop import crop
from poise.geometry import crop_affine, invert, transform


def _have_opencv() -> bool:
    try:
        import cv2  # noqa: F401
    except ImportError:
        return False
    return True


@pytest.fixture(params=["engine", "opencv"])
def way(request, monkeypatch) -> str:
    if request.param == "engine":
        monkeypatch.setattr(warping, "_opencv", lambda: None)
    elif not _have_opencv():
        pytest.skip("OpenCV is not installed")
    return request.param


def reference(image, affine, size, pad):
    """Bilinear interpolation in float64, pixel by pixel as the words say it."""
    height, width = image.shape[:2]
    columns, rows = np.meshgrid(np.arange(size[0]) + 0.5, np.arange(size[1]) + 0.5)
    places = np.stack([columns, rows], axis=-1) @ invert(affine)[:, :2].T + invert(affine)[:, 2]
    x, y = places[..., 0] - 0.5, places[..., 1] - 0.5
    out = np.zeros((size[1], size[0], 3))
    for dy in (0, 1):
        for dx in (0, 1):
            i, j = np.floor(x).astype(int) + dx, np.floor(y).astype(int) + dy
            weight = (1 - abs(x - i)) * (1 - abs(y - j))
            seen = image[np.clip(j, 0, height - 1), np.clip(i, 0, width - 1)].astype(float)
            if pad is not None:
                inside = (i >= 0) & (i < width) & (j >= 0) & (j < height)
                seen = np.where(inside[..., None], seen, pad)
            out += weight[..., None] * seen
    return out


def noise(width: int, height: int) -> np.ndarray:
    return np.random.default_rng(width).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("pad", [0, 114, None])
@pytest.mark.parametrize(
    ("centre", "side", "angle"),
    [
        ((30, 20), 24, 0.0),
        ((30, 20), 50, 0.6),
        ((0, 0), 40, -2.0),
        ((59.3, 39.8), 300, 0.1),
        ((-100, 500), 60, 0.0),
        ((31.5, 22.25), 3, 1.0),
    ],
)
def test_equals_the_reference_inside_across_and_beyond_the_border(
    way, centre, side, angle, pad
) -> None:
    image, size = noise(60, 40), (32, 48)
    affine = crop_affine(centre, (side, side * 1.5), size, angle=angle)
    patch = crop(image, affine, size, pad=pad)
    assert patch.shape == (48, 32, 3) and patch.dtype == np.uint8
    away = np.abs(patch - reference(image, affine, size, pad))
    # OpenCV interpolates at 32 places between two pixels; noise is the worst there is for that.
    assert away.max() <= (0.51 if way == "engine" else 9)
    assert away.mean() <= (0.3 if way == "engine" else 1.5)


def test_both_ways_to_warp_agree_on_a_smooth_picture(monkeypatch) -> None:
    if not _have_opencv():
        pytest.skip("OpenCV is not installed")
    columns, rows = np.meshgrid(np.arange(200), np.arange(150))
    smooth = np.stack([columns, rows, (columns + rows) / 2], axis=-1).astype(np.uint8)
    affine = crop_affine((100, 140), (120, 120), (64, 64), angle=0.4)
    for pad in (0, 114, None):
        one = crop(smooth, affine, (64, 64), pad=pad).astype(int)
        with monkeypatch.context() as patched:
            patched.setattr(warping, "_opencv", lambda: None)
            other = crop(smooth, affine, (64, 64), pad=pad).astype(int)
        assert np.abs(one - other).mean() <= 1
        assert np.percentile(np.abs(one - other), 99) <= 2


def test_the_whole_picture_at_its_own_size_is_itself(way) -> None:
    image = noise(33, 21)
    same = crop(image, np.array([[1.0, 0, 0], [0, 1.0, 0]]), (33, 21))
    np.testing.assert_array_equal(same, image)
    assert same.dtype == np.uint8


def test_a_picture_whose_rows_are_not_next_to_each_other(way) -> None:
    image = noise(64, 48)[::2, 4:-4]
    affine = crop_affine((20, 10), (16, 16), (16, 16), angle=0.3)
    np.testing.assert_array_equal(
        crop(image, affine, (16, 16)), crop(np.ascontiguousarray(image), affine, (16, 16))
    )


def test_far_places_of_a_large_picture_are_found(way) -> None:
    image = np.zeros((2900, 6000, 3), np.uint8)
    image[2890, 5990] = (10, 200, 30)
    affine = crop_affine((5990.5, 2890.5), (3, 3), (3, 3))
    patch = crop(image, affine, (3, 3))
    assert patch[1, 1].tolist() == [10, 200, 30]
    assert patch.sum() == 240


@settings(max_examples=25, deadline=None)
@given(
    st.floats(-50, 150),
    st.floats(-50, 150),
    st.floats(4, 400),
    st.floats(-3.2, 3.2),
)
def test_a_point_goes_to_the_crop_and_back(x, y, side, angle) -> None:
    affine = crop_affine((x, y), (side, side), (256, 256), angle=angle)
    points = np.random.default_rng(0).uniform(0, 100, (5, 2))
    there = points @ affine[:, :2].T + affine[:, 2]
    back = there @ invert(affine)[:, :2].T + invert(affine)[:, 2]
    assert np.abs(back - points).max() < 1e-3
    assert np.abs(transform(affine, points.astype(np.float32)) - there).max() < 0.05


@pytest.mark.parametrize("angle", [0.0, 0.7, -1.9])
def test_a_mark_in_the_picture_lies_where_the_map_sends_it(way, angle: float) -> None:
    columns, rows = np.meshgrid(np.arange(120) + 0.5, np.arange(90) + 0.5)
    spot = np.array([70.3, 40.8])
    light = 250 * np.exp(-((columns - spot[0]) ** 2 + (rows - spot[1]) ** 2) / 50)
    image = np.repeat(light[..., None].round().astype(np.uint8), 3, axis=2)
    affine = crop_affine((65, 45), (60, 60), (96, 96), angle=angle)
    patch = crop(image, affine, (96, 96))[..., 0].astype(float)
    columns, rows = np.meshgrid(np.arange(96) + 0.5, np.arange(96) + 0.5)
    middle = np.array([(patch * columns).sum(), (patch * rows).sum()]) / patch.sum()
    wanted = affine[:, :2] @ spot + affine[:, 2]
    assert np.abs(middle - wanted).max() < 0.15


def test_a_picture_that_may_not_be_written_to(way) -> None:
    image = np.random.default_rng(0).integers(0, 255, (40, 50, 3), np.uint8)
    image.flags.writeable = False
    assert np.array_equal(crop(image, crop_affine((25, 20), (50, 40), (50, 40)), (50, 40)), image)
