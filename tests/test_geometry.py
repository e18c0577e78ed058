"""Affine maps, overlaps, suppression, and OKS against pycocotools."""

from __future__ import annotations

from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from poise.geometry import box_area, crop_affine, invert, iou, oks, suppress, transform
from poise.skeleton import get_skeleton

COORDINATE = st.floats(-4000, 8000)
SIDE = st.floats(8, 4000)
CROP = st.tuples(st.sampled_from([96, 192, 256, 320]), st.sampled_from([128, 224, 256, 384]))


@given(COORDINATE, COORDINATE, SIDE, SIDE, CROP, st.floats(-7, 7), st.integers(0, 99))
def test_uncrop_of_crop_is_the_identity(
    cx: float, cy: float, width: float, height: float, out: tuple[int, int], angle: float, seed: int
) -> None:
    affine = crop_affine((cx, cy), (width, height), out, angle=angle)
    spread = np.random.default_rng(seed).uniform(-1, 1, (17, 2)) * [width, height]
    points = np.float32(spread + np.array([cx, cy]))
    there = points @ affine[:, :2].T + affine[:, 2]
    inverse = invert(affine)
    back = there @ inverse[:, :2].T + inverse[:, 2]
    np.testing.assert_allclose(back, points, atol=1e-3)
    both = invert(inverse)
    np.testing.assert_allclose(both, affine, rtol=1e-6, atol=1e-6 * np.abs(affine).max())


def test_uncrop_in_float32_keeps_a_thousandth_of_a_pixel() -> None:
    random = np.random.default_rng(1)
    for _ in range(200):
        centre, side = random.uniform(0, 1080, 2), random.uniform(64, 1080)
        affine = crop_affine(centre, (side, side), (256, 256), angle=random.uniform(-3, 3))
        points = (centre + random.uniform(-0.5, 0.5, (33, 2)) * side).astype(np.float32)
        back = transform(invert(affine), transform(affine, points))
        assert np.abs(back - points).max() < 1e-3


def test_crop_maps_the_region_to_the_whole_crop() -> None:
    affine = crop_affine((50, 40), (20, 10), (200, 100))
    corners = np.float32([[40, 35], [60, 45], [50, 40]])
    np.testing.assert_allclose(transform(affine, corners), [[0, 0], [200, 100], [100, 50]])


def test_turned_crop_stands_upright() -> None:
    """A person leaning a quarter clockwise has the head on the right; the crop puts it on top."""
    affine = crop_affine((100, 100), (40, 40), (40, 40), angle=np.pi / 2)
    head = transform(affine, np.float32([[115, 100]]))
    np.testing.assert_allclose(head, [[20, 5]], atol=1e-4)


def test_nan_stays_nan() -> None:
    mapped = transform(crop_affine((0, 0), (1, 1), (2, 2)), np.float32([[np.nan, np.nan], [0, 0]]))
    assert np.isnan(mapped[0]).all() and np.isfinite(mapped[1]).all()
    assert mapped.dtype == np.float32


def test_area_and_overlap() -> None:
    boxes = np.float32([[0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 10, 10], [0, 0, 0, 0]])
    assert box_area(boxes).tolist() == [100, 100, 0, 0]
    overlap = iou(boxes, boxes)
    assert overlap[0].tolist() == pytest.approx([1, 1 / 3, 0, 0])
    assert np.array_equal(overlap, overlap.T)
    assert overlap[3, 3] == 0
    assert iou(boxes[:0], boxes).shape == (0, 4)


def test_overlap_agrees_with_pycocotools() -> None:
    mask = pytest.importorskip("pycocotools.mask")
    random = np.random.default_rng(3)
    corner, side = random.uniform(0, 100, (2, 20, 2)), random.uniform(1, 80, (2, 20, 2))
    a, b = (np.float32(np.hstack([c, c + s])) for c, s in zip(corner, side, strict=True))
    xywh = [np.hstack([c, s]) for c, s in zip(corner, side, strict=True)]
    expected = mask.iou(xywh[0], xywh[1], np.zeros(20))
    np.testing.assert_allclose(iou(a, b), expected, atol=1e-5)


def test_suppress_keeps_the_best_of_each_heap() -> None:
    boxes = np.float32([[0, 0, 10, 10], [1, 0, 11, 10], [50, 50, 60, 60], [0, 0, 10, 9]])
    scores = np.float32([0.5, 0.9, 0.3, 0.7])
    assert suppress(boxes, scores, 0.5).tolist() == [1, 2]
    assert suppress(boxes, scores, 1.0).tolist() == [1, 3, 0, 2]
    assert suppress(boxes[:0], scores[:0], 0.5).tolist() == []


@given(st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_suppressed_rows_really_overlap(seed: int, threshold: float) -> None:
    random = np.random.default_rng(seed)
    corner = random.uniform(0, 50, (12, 2))
    boxes = np.float32(np.hstack([corner, corner + random.uniform(1, 40, (12, 2))]))
    scores = random.uniform(size=12).astype(np.float32)
    kept = suppress(boxes, scores, threshold).tolist()
    overlap = iou(boxes, boxes)
    for row in range(12):
        better = [k for k in kept if k != row and scores[k] >= scores[row]]
        hidden = any(overlap[row, k] > threshold for k in better)
        assert hidden == (row not in kept)


def coco_oks(a: np.ndarray, b: np.ndarray, areas: np.ndarray, visible: np.ndarray) -> np.ndarray:
    """The matrix of pycocotools' own computeOks."""
    from pycocotools.cocoeval import COCOeval

    boxes = [[0.0, 0.0, 1.0, 1.0]] * len(b)
    truth = [
        {
            "keypoints": np.column_stack([np.nan_to_num(p), v]).ravel().tolist(),
            "bbox": box,
            "area": float(area),
        }
        for p, v, box, area in zip(b, visible, boxes, areas, strict=True)
    ]
    found = [
        {"keypoints": np.column_stack([p, np.ones(17)]).ravel().tolist(), "score": 1 - i / 100}
        for i, p in enumerate(a)
    ]
    with mock.patch("builtins.print"):
        judge = COCOeval(iouType="keypoints")
    judge._gts, judge._dts = {(0, 0): truth}, {(0, 0): found}
    judge.params.useCats = 1
    return np.asarray(judge.computeOks(0, 0))


@pytest.mark.parametrize("seed", range(8))
def test_oks_agrees_with_pycocotools(seed: int) -> None:
    pytest.importorskip("pycocotools")
    random = np.random.default_rng(seed)
    b = random.uniform(0, 300, (5, 17, 2)).astype(np.float32)
    a = np.concatenate([b, b[:3]]) + random.normal(0, 12, (8, 17, 2)).astype(np.float32)
    areas = random.uniform(900, 40000, 5).astype(np.float32)
    visible = random.integers(0, 3, (5, 17))
    visible[:, 0] = 2
    b[visible == 0] = np.nan
    ours = oks(a.astype(np.float32), b, areas, get_skeleton("coco17").sigmas)
    np.testing.assert_allclose(ours, coco_oks(a, b, areas, visible), atol=1e-5)


def test_oks_of_missing_keypoints() -> None:
    sigmas = get_skeleton("coco17").sigmas
    whole = np.random.default_rng(0).uniform(0, 99, (1, 17, 2)).astype(np.float32)
    half = whole.copy()
    half[0, ::2] = np.nan
    nothing = np.full_like(whole, np.nan)
    area = np.float32([5000])
    assert oks(whole, whole, area, sigmas)[0, 0] == 1
    assert oks(half, whole, area, sigmas)[0, 0] == pytest.approx(8 / 17)
    assert oks(whole, half, area, sigmas)[0, 0] == 1
    assert oks(nothing, whole, area, sigmas)[0, 0] == 0
    assert oks(whole, nothing, area, sigmas)[0, 0] == 0
    assert oks(whole[:0], whole, area, sigmas).shape == (0, 1)
