"""Angles, speeds, the centre of mass and proportions against what the stage knows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from poise.angles import JOINT_NAMES, LIMB_NAMES
from poise.classification.bodies import Ratio, measure_body
from poise.classification.kinematics import (
    COLUMNS,
    SEGMENTS,
    centre_of_mass,
    find_kinematics,
    slopes,
    to_rows,
)
from poise.clip import Track
from poise.errors import InputError
from poise.synthetic import (
    Camera,
    Choreography,
    Dancer,
    Proportions,
    Stage,
    dance,
    sequence,
    squats,
)
from poise.synthetic.choreography import Beat
from poise.synthetic.postures import angles


def _stage(dancer: Dancer, **options: object) -> Stage:
    return Stage(dancer, **{"duration": 3.0, "fps": 20.0, **options})  # type: ignore[arg-type]


def _angle(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> float:
    u, v = a - b, c - b
    return float(np.degrees(np.arccos(u @ v / np.linalg.norm(u) / np.linalg.norm(v))))


def test_angles_of_xyz_are_the_true_ones() -> None:
    dancer = Dancer(dance(), facing=35)
    stage = _stage(dancer)
    found = find_kinematics(stage.clip("blazepose33").track(1), depth=True)
    chains = {
        "knee": ("hip", "knee", "ankle"),
        "elbow": ("shoulder", "elbow", "wrist"),
        "hip": ("shoulder", "hip", "knee"),
        "shoulder": ("hip", "shoulder", "elbow"),
    }
    for frame in range(0, 60, 7):
        points = stage.dancers[0].body(frame / 20).points
        for side in ("left", "right"):
            for joint, chain in chains.items():
                true = _angle(*(points[f"{side}_{name}"] for name in chain))
                column = JOINT_NAMES.index(f"{side}_{joint}")
                assert found.angles[frame, column] == pytest.approx(true, abs=0.1)
    assert found.has_depth


def test_elevations_of_xyz_do_not_depend_on_the_side_one_looks_from() -> None:
    def elevation(facing: float) -> float:
        track = _stage(Dancer(squats(2), facing=facing)).clip("blazepose33").track(1)
        found = find_kinematics(track, depth=True)
        return float(found.elevations[15, LIMB_NAMES.index("left_thigh")])

    # The camera stands level, so the vertical of the picture is that of the stage.
    assert elevation(0) == pytest.approx(elevation(77), abs=0.1)


def _swing(hertz: float, degrees: float = 40.0) -> Choreography:
    """The left knee bends and straightens as a sinus about 60 degrees."""

    def bent(time: float) -> np.ndarray:
        return angles({"left_knee": 60 + degrees * np.sin(2 * np.pi * hertz * time)})

    return Choreography((Beat(3.0, lambda share: bent(3.0 * share), 0.0),), bent(0.0))


@pytest.mark.parametrize(("hertz", "fps"), [(0.5, 30.0), (1.0, 30.0), (1.0, 15.0), (2.0, 60.0)])
def test_speed_of_a_known_movement(hertz: float, fps: float) -> None:
    stage = _stage(Dancer(_swing(hertz), facing=90), fps=fps, camera=Camera(distance=60.0))
    found = find_kinematics(stage.clip().track(1))
    true = -40 * 2 * np.pi * hertz * np.cos(2 * np.pi * hertz * found.times)
    column = found.speeds[:, JOINT_NAMES.index("left_knee")]
    inner = slice(8, -8)
    peak = 40 * 2 * np.pi * hertz
    assert np.abs(column[inner] - true[inner]).max() < 0.02 * peak
    still = found.speeds[inner, JOINT_NAMES.index("right_knee")]
    assert np.abs(still).max() < 1e-3 * peak


def test_speed_uses_true_times_and_leaves_gaps_open() -> None:
    random = np.random.default_rng(1)
    times = np.cumsum(random.uniform(0.01, 0.06, 120))
    values = np.stack([100 * np.sin(3 * times), times**3], axis=1)
    found = slopes(times, values)
    true = np.stack([300 * np.cos(3 * times), 3 * times**2], axis=1)
    assert np.abs(found - true)[5:-5, 0].max() < 3
    assert found[3:-3, 1] == pytest.approx(true[3:-3, 1], rel=1e-3, abs=1e-3)
    values[40:60, 0] = np.nan
    holed = slopes(times, values)
    assert np.isnan(holed[40:60, 0]).all() and np.isfinite(holed[60:, 0]).all()
    assert np.isnan(slopes(times[:3], values[:3])).all()
    same = slopes(np.zeros(5), np.arange(5.0)[:, None])
    assert same.shape == (5, 1)


def _own_centre(points: dict[str, np.ndarray]) -> np.ndarray:
    """The centre of mass by Winter's table 4.1, written out a second time."""
    table = [(0.081, ("left_ear", "right_ear"), 0.5)]
    hips = (points["left_hip"] + points["right_hip"]) / 2
    shoulders = (points["left_shoulder"] + points["right_shoulder"]) / 2
    total = 0.497 * (hips + shoulders) / 2
    for side in ("left", "right"):
        table += [
            (0.028, (f"{side}_shoulder", f"{side}_elbow"), 0.436),
            (0.022, (f"{side}_elbow", f"{side}_wrist"), 0.682),
            (0.100, (f"{side}_hip", f"{side}_knee"), 0.433),
            (0.061, (f"{side}_knee", f"{side}_ankle"), 0.606),
        ]
    for mass, (start, end), share in table:
        total = total + mass * ((1 - share) * points[start] + share * points[end])
    return total


def test_centre_of_mass() -> None:
    assert sum(segment[3] for segment in SEGMENTS) == pytest.approx(1.0)
    track = _stage(Dancer(squats(2), facing=30)).clip().track(1)
    found = find_kinematics(track)
    for frame in (0, 17, 40):
        points = dict(
            zip(track.skeleton.keypoints, track.keypoints[frame].astype(float), strict=True)
        )
        assert found.centre[frame] == pytest.approx(_own_centre(points), abs=1e-3)
    assert found.share == pytest.approx(1.0)
    # An adult who stands has it at about 0.55 of the stature; the ankle is at 0.046.
    assert 0.48 < found.height[0] < 0.56
    assert found.height.min() < 0.4


def test_centre_of_what_is_seen() -> None:
    track = _stage(Dancer(dance())).clip().track(1)
    scores = track.scores.copy()
    scores[:, [track.skeleton.find("left_wrist"), track.skeleton.find("right_ear")]] = 0
    part = find_kinematics(replace(track, scores=scores))
    whole = find_kinematics(track)
    assert part.share == pytest.approx(0.978)
    assert np.abs(part.centre - whole.centre).max() < 4
    scores[:, track.skeleton.find("left_hip")] = 0
    blind = find_kinematics(replace(track, scores=scores))
    assert np.isnan(blind.centre).all() and (blind.share < 0.5).all()


def test_pixels_that_are_not_square() -> None:
    track = _stage(Dancer(dance())).clip().track(1)
    narrow = replace(track, keypoints=track.keypoints / np.array([1.5, 1], np.float32), xyz=None)
    found, true = find_kinematics(narrow, aspect=1.5), find_kinematics(track)
    assert np.nanmax(np.abs(found.angles - true.angles)) < 0.01
    assert found.centre[:, 0] * 1.5 == pytest.approx(true.centre[:, 0], abs=0.01)
    wrong = find_kinematics(narrow)
    assert np.nanmax(np.abs(wrong.angles - true.angles)) > 5


def test_rows() -> None:
    track = _stage(Dancer(dance())).clip().track(1)
    rows = to_rows(find_kinematics(track), range(10, 10 + len(track)))
    assert all(len(row) == len(COLUMNS) for row in rows)
    assert rows[0][:3] == [1, 10, 0.0]
    assert rows[0][COLUMNS.index("angle.left_ankle")] is None  # COCO has no toes


def test_no_depth() -> None:
    track = replace(_stage(Dancer(dance())).clip().track(1), xyz=None)
    for function in (find_kinematics, measure_body):
        with pytest.raises(InputError, match="person 1 has no 3D keypoints; estimate with"):
            function(track, depth=True)


LONG = {"trunk": 0.25, "thigh": 0.29, "shin": 0.27, "upper_arm": 0.17, "forearm": 0.165}


def _ratios(track: Track, **options: bool) -> dict[str, Ratio]:
    return {one.name: one for one in measure_body(track, **options)}


def _true(size: Proportions) -> dict[str, float]:
    height = (size.trunk + size.thigh + size.shin) / 0.779
    return {name: getattr(size, name) / height for name in LONG} | {
        "shoulders": 2 * size.shoulder / height,
        "hips": 2 * size.hip / height,
    }


@pytest.mark.parametrize("size", [Proportions(), Proportions(**LONG)])
@pytest.mark.parametrize("depth", [False, True])
def test_proportions_of_a_dance(size: Proportions, depth: bool) -> None:
    """In the picture within 6 %, whatever is foreshortened meanwhile; in 3D within 3 %."""
    show = sequence(("t-pose", 0.5), ("hold", 0.5), ("squat", 0.7), ("stand", 0.7), ("punch", 0.5),
                    ("lunge", 0.8), ("arms up", 0.6), ("stand", 0.5))  # fmt: skip
    dancer = Dancer(show, proportions=size, facing=[(0, 0), (5, 40)])
    track = _stage(dancer, duration=4.8).clip().track(1)
    random = np.random.default_rng(2)
    noise = random.normal(0, 0.6, track.keypoints.shape).astype(np.float32)
    found = _ratios(replace(track, keypoints=track.keypoints + noise), depth=depth)
    for name, value in _true(size).items():
        for one in (name, f"left_{name}", f"right_{name}"):
            # The trunk bends, and shoulders draw in as arms go up.
            least = 0.12 if depth and name in ("trunk", "shoulders") else 0.03 if depth else 0.07
            if one in found:
                assert found[one].value == pytest.approx(value, rel=least), one
                assert not found[one].doubtful
                assert found[one].frames > 5 and 0 <= found[one].spread < 0.03
    span = 2 * (size.upper_arm + size.forearm + size.shoulder) * _true(size)["trunk"] / size.trunk
    assert found["arm_span_to_wrists"].value == pytest.approx(span, rel=0.06)
    assert found["shoulders_by_hips"].value == pytest.approx(size.shoulder / size.hip, rel=0.15)


def test_proportions_while_walking_nearer() -> None:
    dancer = Dancer(squats(2), path=[(0, 0.0, 2.0), (3, 0.0, -1.5)], facing=0)
    found = _ratios(_stage(dancer).clip().track(1))
    assert found["left_shin"].value == pytest.approx(0.246, rel=0.08)
    assert found["left_upper_arm"].value == pytest.approx(0.186, rel=0.08)


def test_what_is_never_seen_whole_is_doubtful() -> None:
    found = _ratios(_stage(Dancer(squats(2), facing=90)).clip().track(1))
    assert found["shoulders"].doubtful and found["shoulders_by_hips"].doubtful
    assert not found["left_shin"].doubtful


def test_half_a_body_has_no_height() -> None:
    track = _stage(Dancer(dance())).clip().track(1)
    scores = track.scores.copy()
    for side in ("left", "right"):
        scores[:, track.skeleton.find(f"{side}_ankle")] = 0
    assert measure_body(replace(track, scores=scores)) == ()


def test_centre_needs_half_of_the_mass() -> None:
    track = _stage(Dancer(dance())).clip().track(1)
    nothing = np.full((len(track), len(track.skeleton), 2), np.nan)
    centre, share = centre_of_mass(track, nothing)
    assert np.isnan(centre).all() and (share == 0).all()
