"""Published measures against independent references, and the invariances that they claim."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import distance
from scipy.spatial import procrustes as scipy_procrustes
from scipy.spatial.transform import Rotation

from poise import geometry, metrics
from poise.errors import UsageError
from poise.metrics import (
    COSINE_THRESHOLD,
    centred_cosine,
    cosine_distance,
    head_length,
    joint_angle_error,
    mpjpe,
    nearest_cosine_distance,
    pa_mpjpe,
    pair_oks,
    pck,
    procrustes,
    procrustes_error,
    torso_length,
    weighted_distance,
)
from poise.skeleton import get_skeleton
from poise.synthetic import POSTURES, Dancer, Stage, dance, lunges, squats, still

SEED = st.integers(0, 10_000)
DIMENSIONS = st.sampled_from([2, 3])
KEYPOINTS = st.integers(3, 25)
Array = np.ndarray

ONES = np.ones(12)
SIGMAS = np.linspace(0.03, 0.1, 12)
# Every measure of two poses of 12 keypoints, in one call.
MEASURES: dict[str, Callable[[Array, Array], Array]] = {
    "cosine_distance": cosine_distance,
    "centred_cosine": centred_cosine,
    "weighted_distance": lambda a, b: weighted_distance(a, b, ONES),
    "pair_oks": lambda a, b: pair_oks(a, b, 9000.0, SIGMAS),
    "pck": lambda a, b: pck(a, b, 150.0, 0.5),
    "procrustes_error": procrustes_error,
    "procrustes_error mirror": lambda a, b: procrustes_error(a, b, mirror=True),
    "pa_mpjpe": pa_mpjpe,
    "mpjpe": mpjpe,
}
LEAVING_OUT = sorted(set(MEASURES) - {"cosine_distance", "pair_oks", "pck"})


def two_poses(seed: int, keypoints: int = 12, dimensions: int = 2) -> tuple[Array, Array, Array]:
    """Two random poses in a picture, and weights."""
    random = np.random.default_rng(seed)
    a = random.uniform(20, 400, (keypoints, dimensions))
    b = a + random.normal(0, random.choice([5, 80, 300]), a.shape)
    return a, b, random.uniform(0.1, 1, keypoints)


def turned(points: Array, degrees: float) -> Array:
    angle = np.radians(degrees)
    return points @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])


# Against independent references


@given(SEED, KEYPOINTS)
def test_cosine_distance_is_that_of_scipy(seed: int, keypoints: int) -> None:
    a, b, _ = two_poses(seed, keypoints)
    a[seed % keypoints] = np.nan
    expected = distance.cosine(np.nan_to_num(a).ravel(), b.ravel())
    assert cosine_distance(a, b) == pytest.approx(expected, abs=1e-12)


def test_nearest_cosine_distance_is_the_least_over_all_frames() -> None:
    random = np.random.default_rng(4)
    reference, attempt = random.uniform(0, 400, (9, 18, 2)), random.uniform(0, 400, (2, 3, 18, 2))
    attempt[0, 0] = np.nan
    expected = cosine_distance(reference, attempt[:, :, None]).min(axis=-1)
    found = nearest_cosine_distance(reference, attempt)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert found[0, 0] == 1  # nobody is as far from everything as can be
    assert np.isnan(nearest_cosine_distance(reference[:0], attempt)).all()


@given(SEED, KEYPOINTS, DIMENSIONS)
def test_centred_cosine_is_that_of_scipy(seed: int, keypoints: int, dimensions: int) -> None:
    a, b, _ = two_poses(seed, keypoints, dimensions)
    expected = 1 - distance.cosine((a - a.mean(0)).ravel(), (b - b.mean(0)).ravel())
    assert centred_cosine(a, b) == pytest.approx(expected, abs=1e-9)


@given(SEED, DIMENSIONS)
def test_a_weight_is_a_number_of_copies(seed: int, dimensions: int) -> None:
    a, b, _ = two_poses(seed, 8, dimensions)
    copies = np.random.default_rng(seed).integers(0, 4, 8)
    copies[:4] += 1
    many = [np.repeat(points, copies, axis=0) for points in (a, b)]
    for measure in (centred_cosine, mpjpe, procrustes_error, pa_mpjpe):
        assert measure(a, b, 0.3 * copies) == pytest.approx(measure(*many), rel=1e-9, abs=1e-9)


def test_weighted_distance_is_the_sum_of_the_article() -> None:
    a, b, scores = two_poses(7, 17)

    def vector(points: Array) -> list[float]:
        x, y = points[:, 0].min(), points[:, 1].min()
        flat = [value for point in points for value in (point[0] - x, point[1] - y)]
        length = sum(value * value for value in flat) ** 0.5
        return [value / length for value in flat]

    f, g = vector(a), vector(b)
    total = sum(scores[i // 2] * abs(f[i] - g[i]) for i in range(34))
    assert weighted_distance(a, b, scores) == pytest.approx(total / sum(scores))


@given(SEED)
def test_pair_oks_is_the_diagonal_of_oks(seed: int) -> None:
    random = np.random.default_rng(seed)
    truth = random.uniform(0, 400, (6, 17, 2))
    points = truth + random.normal(0, 12, truth.shape)
    points[random.random((6, 17)) < 0.2] = np.nan
    truth[random.random((6, 17)) < 0.2] = np.nan
    truth[0] = np.nan
    areas, sigmas = random.uniform(0, 20_000, 6), get_skeleton("coco17").sigmas
    expected = np.diag(geometry.oks(points, truth, areas, sigmas))
    found = pair_oks(points, truth, areas, sigmas)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_allclose(pair_oks(points[1], truth[1], areas[1], sigmas), found[1])


@given(SEED)
def test_pck_counts(seed: int) -> None:
    random = np.random.default_rng(seed)
    truth = random.uniform(0, 100, (5, 7, 2))
    points = truth + random.normal(0, 15, truth.shape)
    points[random.random((5, 7)) < 0.2] = np.nan
    truth[random.random((5, 7)) < 0.2] = np.nan
    length = random.uniform(20, 90, 5)
    length[0] = np.nan
    right, count = np.zeros((5, 7)), np.zeros((5, 7))
    for n in range(1, 5):
        for k in range(7):
            if not np.isnan(truth[n, k, 0]):
                count[n, k] = 1
                apart = np.hypot(*(points[n, k] - truth[n, k]))
                right[n, k] = not np.isnan(apart) and apart <= 0.2 * length[n]
    for axis in (-1, 0, None, (0, 1)):
        total = count.sum(axis)
        expected = np.where(total > 0, right.sum(axis) / np.maximum(total, 1), np.nan)
        np.testing.assert_allclose(pck(points, truth, length, axis=axis), expected)


def test_pck_includes_the_limit() -> None:
    assert pck([[0.0, 0.0], [0.0, 3.0]], [[0.0, 2.0], [0.0, 0.0]], 10) == 0.5


def test_lengths_of_torso_and_head() -> None:
    points = np.full((4, 17, 2), np.nan)
    points[:, 11], points[:3, 6] = (10, 50), (40, 10)
    lengths = torso_length(get_skeleton("coco17"), points)
    np.testing.assert_array_equal(lengths, [50, 50, 50, np.nan])
    assert head_length([10, 10, 40, 50]) == pytest.approx(30)


@given(SEED, KEYPOINTS, DIMENSIONS)
def test_procrustes_with_mirror_is_that_of_scipy(seed: int, count: int, dimensions: int) -> None:
    a, b, _ = two_poses(seed, count, dimensions)
    _, _, disparity = scipy_procrustes(a, b)
    assert procrustes_error(a, b, mirror=True) ** 2 == pytest.approx(disparity, abs=1e-9)


@given(SEED, KEYPOINTS)
def test_procrustes_in_the_plane_is_one_complex_factor(seed: int, keypoints: int) -> None:
    a, b, weights = two_poses(seed, keypoints)
    u, v = (points[:, 0] + 1j * points[:, 1] for points in (a, b))
    u, v = (z - np.average(z, weights=weights) for z in (u, v))
    factor = (weights * u.conj() * v).sum() / (weights * abs(u) ** 2).sum()
    left = (weights * abs(v - factor * u) ** 2).sum() / (weights * abs(v) ** 2).sum()
    fit = procrustes(a, b, weights)
    assert fit.error == pytest.approx(left**0.5, abs=1e-9)
    assert fit.scale == pytest.approx(abs(factor))
    angle = np.arctan2(fit.rotation[1, 0], fit.rotation[0, 0])
    assert np.cos(angle - np.angle(factor)) == pytest.approx(1)


@given(SEED, KEYPOINTS)
def test_rotation_in_space_is_that_of_scipy(seed: int, keypoints: int) -> None:
    a, b, weights = two_poses(seed, keypoints + 1, 3)
    u, v = (points - np.average(points, axis=0, weights=weights) for points in (a, b))
    if seed % 2:
        v = v * [-1, 1, 1]  # a reflection, which must not be found
    expected, _ = Rotation.align_vectors(v, u, weights=weights)
    fit = procrustes(u, v, weights)
    np.testing.assert_allclose(np.linalg.det(fit.rotation), 1)
    np.testing.assert_allclose(fit.rotation, expected.as_matrix(), atol=1e-6)


@given(SEED, DIMENSIONS, st.floats(0.1, 9))
def test_a_known_transform_is_found(seed: int, dimensions: int, scale: float) -> None:
    a, _, weights = two_poses(seed, 9, dimensions)
    random = np.random.default_rng(seed)
    turn = Rotation.random(rng=random).as_matrix()
    turn = turn if dimensions == 3 else turned(np.eye(2), random.uniform(-180, 180)).T
    b = scale * a @ turn.T + random.uniform(-300, 300, dimensions)
    fit = procrustes(a, b, weights)
    assert fit.error < 1e-9
    np.testing.assert_allclose(fit.rotation, turn, atol=1e-9)
    np.testing.assert_allclose(fit.scale, scale)
    np.testing.assert_allclose(fit.apply(a), b, atol=1e-8)
    assert pa_mpjpe(a, b) < 1e-8


@given(SEED)
def test_a_reflection_only_when_asked(seed: int) -> None:
    a, _, _ = two_poses(seed)
    b = a * [-1, 1]
    fit = procrustes(a, b, mirror=True)
    assert fit.error < 1e-9
    assert np.linalg.det(fit.rotation) == pytest.approx(-1)
    assert procrustes_error(a, b) > 0.01
    other = two_poses(seed)[1]
    mirrored = procrustes_error(b, other, mirror=True)
    assert mirrored == pytest.approx(procrustes_error(a, other, mirror=True), abs=1e-7)


def test_mean_distance_by_hand() -> None:
    a = np.array([[0, 0, 0], [1, 1, 1], [5, 5, 5]], float)
    b = np.array([[3, 4, 0], [1, 1, 3], [np.nan, 5, 5]])
    assert mpjpe(a, b) == pytest.approx(3.5)
    assert mpjpe(a, b, [1, 3, 9]) == pytest.approx((5 + 3 * 2) / 4)


def test_joint_angles_take_the_shorter_way() -> None:
    assert joint_angle_error([10, 170, 90], [20, 150, np.nan]) == pytest.approx(15)
    assert joint_angle_error([350.0], [20.0]) == pytest.approx(30)
    assert joint_angle_error([0.0], [180.0]) == pytest.approx(180)
    assert joint_angle_error([10, 20], [20, 60], [3, 1]) == pytest.approx(70 / 4)
    both = joint_angle_error(np.zeros((4, 1, 3)), np.ones((5, 3)))
    np.testing.assert_allclose(both, np.ones((4, 5)))
    assert np.isnan(joint_angle_error([np.nan], [1.0]))


# Claims of the docstrings


@given(SEED)
def test_ranges_and_the_best_value(seed: int) -> None:
    a, b, scores = two_poses(seed)
    a, b = np.abs(a), np.abs(b)
    assert 0 <= cosine_distance(a, b) <= 1
    assert -1 <= centred_cosine(a, b) <= 1
    assert 0 <= weighted_distance(a, b, scores) <= 2
    assert weighted_distance(a, b, ONES) <= 2 / np.sqrt(12)
    assert 0 <= procrustes_error(a, b, scores) <= 1
    assert procrustes_error(a, b, mirror=True) <= procrustes_error(a, b) + 1e-9
    best = {"centred_cosine": 1, "pair_oks": 1, "pck": 1}
    for name, measure in MEASURES.items():
        assert measure(a, a) == pytest.approx(best.get(name, 0), abs=1e-9), name


@given(SEED, st.floats(-300, 300), st.floats(0.2, 5))
def test_moving_and_enlarging_one_pose(seed: int, shift: float, scale: float) -> None:
    a, b, weights = two_poses(seed)
    other = scale * a + [shift, -2 * shift]
    for measure in (centred_cosine, procrustes_error, weighted_distance, pa_mpjpe):
        assert measure(other, b, weights) == pytest.approx(measure(a, b, weights), abs=1e-7)
    for measure in (centred_cosine, procrustes_error, weighted_distance):
        assert measure(b, other, weights) == pytest.approx(measure(b, a, weights), abs=1e-7)
    assert cosine_distance(scale * a, b) == pytest.approx(cosine_distance(a, b), abs=1e-9)


@given(SEED, st.floats(-180, 180))
def test_turning(seed: int, degrees: float) -> None:
    a, b, weights = two_poses(seed)
    for measure in (procrustes_error, pa_mpjpe):
        assert measure(turned(a, degrees), b) == pytest.approx(measure(a, b), abs=1e-7)
    both = turned(a, degrees), turned(b, degrees)
    for measure in (centred_cosine, mpjpe):
        assert measure(*both, weights) == pytest.approx(measure(a, b, weights), abs=1e-7)
    for name in ("pair_oks", "pck"):
        assert MEASURES[name](*both) == pytest.approx(MEASURES[name](a, b), abs=1e-5)


@given(SEED, st.floats(-300, 300), st.floats(0.2, 5))
def test_moving_and_enlarging_both_poses(seed: int, shift: float, scale: float) -> None:
    a, b, _ = two_poses(seed)
    one, two = scale * a + shift, scale * b + shift
    expected = pair_oks(a, b, 9000, SIGMAS)
    assert pair_oks(one, two, 9000 * scale**2, SIGMAS) == pytest.approx(expected, abs=1e-5)
    assert pck(one, two, 111.1 * scale) == pck(a, b, 111.1)
    assert mpjpe(one, two) == pytest.approx(scale * mpjpe(a, b))


def test_what_turning_one_pose_changes() -> None:
    a, _, weights = two_poses(3)
    assert centred_cosine(turned(a, 90), a) < 0.5
    assert weighted_distance(turned(a, 90), a, weights) > 0.02
    assert centred_cosine(-a, a) == pytest.approx(-1)


@given(SEED)
def test_symmetry(seed: int) -> None:
    a, b, weights = two_poses(seed)
    for measure in (centred_cosine, mpjpe, procrustes_error):
        assert measure(a, b, weights) == pytest.approx(measure(b, a, weights), abs=1e-9)
    assert cosine_distance(a, b) == pytest.approx(cosine_distance(b, a))


@given(SEED)
def test_the_best_turn_is_at_least_as_good_as_none(seed: int) -> None:
    a, b, weights = two_poses(seed)
    after = np.sqrt(1 - procrustes_error(a, b, weights) ** 2)
    assert after >= centred_cosine(a, b, weights) - 1e-9


# What is absent


@pytest.mark.parametrize("name", LEAVING_OUT)
@given(seed=SEED)
def test_absent_keypoints_are_left_out_on_both_sides(name: str, seed: int) -> None:
    a, b, _ = two_poses(seed)
    kept = np.arange(12) % 4 != seed % 4
    expected = {
        "weighted_distance": lambda a, b: weighted_distance(a, b, np.ones(9)),
    }.get(name, MEASURES[name])(a[kept], b[kept])
    for first, second in ((0, 1), (1, 0)):
        holes = a.copy(), b.copy()
        holes[first][~kept] = np.nan
        holes[second][np.flatnonzero(~kept)[0], 1] = np.inf
        assert MEASURES[name](*holes) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_absent_keypoints_of_accuracy() -> None:
    a, _, _ = two_poses(1)
    holes = a.copy()
    holes[:3] = np.nan
    assert pck(holes, a, 100) == pck(holes, a, 1e9) == 0.75  # not found is wrong
    assert pair_oks(holes, a, 1e4, SIGMAS) == pytest.approx(0.75)
    assert pck(a, holes, 100) == pair_oks(a, holes, 1e4, SIGMAS) == 1  # unknown is not judged


def test_the_published_distance_takes_absent_for_the_corner() -> None:
    a, _, _ = two_poses(1)
    holes = a.copy()
    holes[4:] = np.nan
    assert cosine_distance(holes, a) == cosine_distance(np.nan_to_num(holes), a)
    assert cosine_distance(holes, a) > COSINE_THRESHOLD  # though what is there is the same
    assert centred_cosine(holes, a) == pytest.approx(1)


@given(SEED)
def test_what_has_no_weight_does_not_matter(seed: int) -> None:
    a, b, weights = two_poses(seed)
    weights[2], weights[5] = 0, np.nan
    changed = a.copy()
    changed[[2, 5]] = 1e6
    for measure in (centred_cosine, weighted_distance, mpjpe, procrustes_error, pa_mpjpe):
        assert measure(changed, b, weights) == pytest.approx(measure(a, b, weights), abs=1e-9)


@pytest.mark.parametrize("name", LEAVING_OUT)
def test_nothing_in_common_is_not_a_number(name: str) -> None:
    a, b, _ = two_poses(2)
    a[:6], b[6:] = np.nan, np.nan
    assert np.isnan(MEASURES[name](a, b))


@pytest.mark.parametrize("name", sorted(set(LEAVING_OUT) - {"mpjpe"}))
def test_a_pose_in_one_point_has_no_shape(name: str) -> None:
    a, b, _ = two_poses(2)
    point = np.full_like(a, 123.456)
    assert np.isnan(MEASURES[name](point, b))
    assert np.isnan(MEASURES[name](b, point))


def test_a_transform_that_is_not_determined_is_nan_throughout() -> None:
    a, b, _ = two_poses(2)
    fit = procrustes(np.stack([a, a]), np.stack([b, np.full_like(b, 7.0)]))
    assert np.isfinite(fit.rotation[0]).all()
    for part in (fit.error, fit.scale, fit.rotation, fit.translation):
        assert np.isnan(part[1]).all()


# Shapes


@pytest.mark.parametrize("name", sorted(MEASURES))
def test_leading_axes_broadcast(name: str) -> None:
    random = np.random.default_rng(5)
    a, b = random.uniform(0, 400, (3, 1, 12, 2)), random.uniform(0, 400, (4, 12, 2))
    a[0, 0, :2] = np.nan
    b[1] = np.nan
    together = MEASURES[name](a, b)
    assert together.shape == (3, 4)
    singly = [[MEASURES[name](a[i, 0], b[j]) for j in range(4)] for i in range(3)]
    assert np.ndim(singly[0][0]) == 0
    np.testing.assert_allclose(together, singly, atol=1e-9)
    assert MEASURES[name](a[:0], b).shape == (0, 4)


def test_the_fit_of_a_whole_track_moves_it() -> None:
    random = np.random.default_rng(5)
    a, b = random.uniform(0, 400, (6, 12, 3)), random.uniform(0, 400, (12, 3))
    fit = procrustes(a, b)
    assert fit.rotation.shape == (6, 3, 3)
    apart = np.linalg.norm(fit.apply(a) - b, axis=-1).mean(axis=-1)
    np.testing.assert_allclose(pa_mpjpe(a, b), apart)


@pytest.mark.parametrize(
    ("field", "call"),
    [
        ("a", lambda a: mpjpe(a[0], a)),
        ("a", lambda a: centred_cosine("a pose", a)),
        ("b", lambda a: procrustes(a, a[:5])),
        ("b", lambda a: mpjpe(np.zeros((4, 12, 2)), np.zeros((3, 12, 2)))),
        ("a", lambda a: cosine_distance(np.zeros((12, 3)), np.zeros((12, 3)))),
        ("a", lambda a: mpjpe(a[:0], a[:0])),
        ("reference_sequence", lambda a: nearest_cosine_distance(a, a)),
        ("reference_sequence", lambda a: nearest_cosine_distance(a[None, :3], a)),
        ("attempt", lambda a: nearest_cosine_distance(a[None], a[0])),
        ("weights", lambda a: procrustes(a, a, np.ones(5))),
        ("weights", lambda a: mpjpe(a, a, 1.0)),
        ("weights", lambda a: centred_cosine(a, a, -ONES)),
        ("weights", lambda a: centred_cosine(a, a, np.inf * ONES)),
        ("weights", lambda a: centred_cosine(a, a, np.ones((3, 12)))),
        ("scores", lambda a: weighted_distance(a, a, np.ones(5))),
        ("a", lambda a: pa_mpjpe(a[0], a)),
        ("truth", lambda a: pck(a, a[:5], 1.0)),
        ("alpha", lambda a: pck(a, a, 1.0, -1)),
        ("length", lambda a: pck(a, a, -1.0)),
        ("length", lambda a: pck(a, a, [1.0, 2.0])),
        ("area", lambda a: pair_oks(a, a, [1.0, 2.0], SIGMAS)),
        ("sigmas", lambda a: pair_oks(a, a, 1.0, SIGMAS[:5])),
        ("points", lambda a: torso_length(get_skeleton("coco17"), a)),
        ("skeleton", lambda a: torso_length(_hand(), a)),
        ("boxes", lambda a: head_length([1, 2, 3])),
        ("a_degrees", lambda a: joint_angle_error(3.0, [1.0])),
        ("b_degrees", lambda a: joint_angle_error([1.0, 2.0], [1.0])),
        ("b_degrees", lambda a: joint_angle_error(np.ones((2, 3)), np.ones((4, 3)))),
        ("weights", lambda a: joint_angle_error([1.0, 2.0], [1.0, 3.0], [1.0])),
    ],
)
def test_bad_input_names_its_field(field: str, call: Callable[[Array], Array]) -> None:
    with pytest.raises(UsageError) as caught:
        call(two_poses(0)[0])
    assert str(caught.value).startswith(f"{field}: "), caught.value
    assert "\n" not in str(caught.value)


def _hand():
    from poise.skeleton import Skeleton

    return Skeleton("hand", tuple(f"finger_{number}" for number in range(12)), ())


def test_public_names_are_real() -> None:
    assert metrics.__all__ == sorted(metrics.__all__)
    assert all(getattr(metrics, name).__doc__ for name in metrics.__all__)


# What is wrong with the raw cosine distance


@lru_cache
def _performed(name: str, right: float = 0.0) -> Array:
    """A posture on the stage, as the notebook sees it: COCO-18 in a picture of 420 x 720."""
    stage = Stage(Dancer(still(name, 0.1), position=(right, 0)), size=(420, 720), fps=10)
    return stage.truth(0, "coco18").keypoints[0]


def test_raw_cosine_calls_a_waving_person_a_standing_one() -> None:
    standing, waving = _performed("stand"), _performed("wave")
    assert cosine_distance(standing, waving) < COSINE_THRESHOLD / 10
    assert centred_cosine(standing, waving) < 0.95
    assert procrustes_error(standing, waving) > 0.3


def test_raw_cosine_accepts_every_posture_that_there_is() -> None:
    standing = _performed("stand")
    raw = {name: float(cosine_distance(standing, _performed(name))) for name in POSTURES}
    assert len(raw) >= 25
    assert max(raw.values()) < COSINE_THRESHOLD  # even for "lie"
    assert centred_cosine(standing, _performed("lie")) < 0.2


def test_raw_cosine_minds_the_place_more_than_the_pose() -> None:
    standing, aside = _performed("stand"), _performed("stand", right=0.6)
    assert cosine_distance(standing, aside) > 3 * cosine_distance(standing, _performed("wave"))
    assert centred_cosine(standing, aside) > 0.99


def test_nearest_cosine_accepts_another_performance() -> None:
    reference, *others = (
        np.array([poses.keypoints[0] for poses in _clip(item)])
        for item in (dance(), squats(3), lunges(3))
    )
    for other in others:
        accepted = nearest_cosine_distance(reference, other) < COSINE_THRESHOLD
        assert accepted.all()


def _clip(choreography):
    return Stage(Dancer(choreography), size=(420, 720), fps=4).clip("coco18").frames
