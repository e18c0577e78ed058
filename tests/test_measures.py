"""Measures: known bodies, true times, absent joints, names that do not exist."""

from __future__ import annotations

import numpy as np
import pytest

from poise.classification.measures import Measures
from poise.classification.vocabulary import KINDS, PLACES, find_measure, keypoints_of
from poise.clip import Track
from poise.errors import UsageError
from poise.poses import Poses
from poise.skeleton import get_skeleton
from poise.synthetic import Dancer, Stage, posture, sequence, squats

# A person of 200 px who stands in the picture, seen from the front: x and y of each keypoint.
BODY = {
    "nose": (100, 20), "left_eye": (104, 16), "right_eye": (96, 16),
    "left_ear": (110, 20), "right_ear": (90, 20),
    "left_shoulder": (120, 36.4), "right_shoulder": (80, 36.4),
    "left_elbow": (157.2, 36.4), "right_elbow": (80, 73.6),
    "left_wrist": (157.2, 7.2), "right_wrist": (80, 102.8),
    "left_hip": (110, 94), "right_hip": (90, 94),
    "left_knee": (110, 143), "right_knee": (90, 143),
    "left_ankle": (110, 192.2), "right_ankle": (90, 192.2),
}  # fmt: skip


def track(body: dict[str, tuple[float, float]] = BODY, frames: int = 1, fps: float = 10.0) -> Track:
    skeleton = get_skeleton("coco17")
    points = np.array([body.get(name, (np.nan, np.nan)) for name in skeleton.keypoints])
    stacked = np.repeat(points[None].astype(np.float32), frames, axis=0)
    scores = np.isfinite(stacked[..., 0]).astype(np.float32)
    return Track(1, skeleton, np.arange(frames) / fps, stacked, scores)


def changed(measured: Track, **fields: np.ndarray) -> Track:
    given = {"times": measured.times, "keypoints": measured.keypoints, "scores": measured.scores}
    return Track(measured.id, measured.skeleton, **{**given, **fields})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("angle.left_elbow", 90),
        ("angle.right_knee", 180),
        ("elevation.left_forearm", 90),
        ("elevation.left_upper_arm", 0),
        ("heading.left_upper_arm", 0),
        ("heading.right_upper_arm", -90),
        ("heading.left_forearm", 90),
        ("leaning", 0),
        ("ratio.left_shin.left_thigh", 49.2 / 49),
        ("height.left_wrist.left_shoulder", 29.2 / 200),
        ("height.mid_hip.mid_ankle", 98.2 / 200),
        ("distance.left_shoulder.right_shoulder", 0.2),
        ("aside.left_wrist.neck", 57.2 / 200),
        ("across.left_wrist.left_shoulder", 37.2 / 200),
        ("across.right_wrist.left_shoulder", -0.2),
    ],
)
def test_a_known_body(name: str, value: float) -> None:
    measures = Measures(track())
    assert measures.unit[0] == pytest.approx(200, rel=0.01)
    assert measures.series(name)[0] == pytest.approx(value, rel=0.012, abs=0.1 * (value == 0))


def test_sides_are_the_persons_own_from_behind() -> None:
    behind = {name: (200 - x, y) for name, (x, y) in BODY.items()}
    measures = Measures(track(behind))
    assert measures.across("left_wrist", "left_shoulder")[0] == pytest.approx(0.186, abs=0.003)
    assert measures.heading("left_upper_arm")[0] == pytest.approx(180)
    assert measures.elevation("left_upper_arm")[0] == pytest.approx(0)


def test_someone_seen_from_the_side_has_no_across() -> None:
    narrow = BODY | {"left_shoulder": (104, 36.4), "right_shoulder": (96, 36.4)}
    assert np.isnan(Measures(track(narrow)).across("left_wrist", "neck")[0])


def test_absent_and_doubtful_joints_are_unknown() -> None:
    body = {name: place for name, place in BODY.items() if name != "left_wrist"}
    measures = Measures(track(body))
    for name in ("angle.left_elbow", "height.left_wrist.neck", "heading.left_forearm"):
        assert np.isnan(measures.series(name)[0])
    assert np.isfinite(measures.angle("right_elbow")[0])
    assert np.isnan(measures.place("mid_wrist")).all()
    doubtful = track()
    doubtful.scores[:, doubtful.skeleton.find("left_wrist")] = 0.2
    assert np.isnan(Measures(doubtful).angle("left_elbow")[0])
    assert np.isfinite(Measures(doubtful, least_score=0.1).angle("left_elbow")[0])


def test_nobody_at_all_is_unknown() -> None:
    measures = Measures(track({}, frames=5))
    for kind, words in KINDS.items():
        names = {"joint": "left_knee", "limb": "trunk", "place": "neck"}
        name = ".".join([kind, *(names[word] for word in words)])
        assert np.isnan(measures.series(name)).all(), name
        assert np.isnan(measures.series(f"speed.{name}")).all(), name
    assert np.isnan(measures.unit).all()


def test_speed_follows_the_true_times() -> None:
    measured = track(frames=20)
    random = np.random.default_rng(3)
    times = np.cumsum(random.uniform(0.02, 0.06, 20)) + 5000
    points = measured.keypoints.copy()
    points[:, measured.skeleton.find("left_wrist"), 1] -= 40 * (times - times[0])
    measures = Measures(changed(measured, times=times, keypoints=points))
    speed = measures.series("speed.height.left_wrist.left_shoulder")
    assert speed == pytest.approx(np.full(20, 0.2), rel=0.02)


def test_speed_of_few_frames() -> None:
    assert np.isnan(Measures(track(frames=1)).series("speed.leaning")).all()
    two = Measures(track(frames=2)).series("speed.leaning")
    assert two == pytest.approx([0, 0])
    same = changed(track(frames=3), times=np.zeros(3))
    assert np.isnan(Measures(same).series("speed.leaning")).all()


def test_speed_passes_over_a_gap() -> None:
    measures = Measures(track(frames=9))
    series = np.arange(9.0) * 0.1
    series[4] = np.nan
    speed = measures.speed(series)
    assert np.isnan(speed[4])
    assert np.delete(speed, 4) == pytest.approx(np.ones(8))


@pytest.mark.parametrize("name", ["stand", "sit", "squat", "bend", "lie", "kneel", "t-pose"])
@pytest.mark.parametrize("facing", [0, 45])
def test_the_unit_is_the_stature(name: str, facing: float) -> None:
    standing = Dancer(sequence((posture("stand"), 1.0)), facing=facing)
    upright = Measures(Stage(standing, fps=2).clip().track(1)).unit[0]
    dancer = Dancer(sequence((posture(name), 1.0)), facing=facing)
    unit = Measures(Stage(dancer, fps=2).clip().track(1)).unit[0]
    assert unit == pytest.approx(upright, rel=0.18)


def test_the_unit_holds_through_a_movement() -> None:
    unit = Measures(Stage(Dancer(squats(2)), fps=10).clip().track(1)).unit
    assert unit.max() / unit.min() < 1.1


def test_people_of_one_frame_do_not_mix() -> None:
    small = track().keypoints[0] / 2
    people = np.stack([track().keypoints[0], small])
    poses = Poses(get_skeleton("coco17"), people, np.ones((2, 17), np.float32))
    measures = Measures.of_people(poses)
    assert measures.unit[0] == pytest.approx(2 * measures.unit[1], rel=1e-4)
    heights = measures.series("height.mid_hip.mid_ankle")
    assert heights[0] == pytest.approx(heights[1], rel=1e-4)
    assert np.isnan(measures.series("speed.height.mid_hip.mid_ankle")).all()
    assert len(Measures.of_people(Poses.empty(get_skeleton("coco17")))) == 0


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("angle.left_kne", "no joint named 'left_kne'; did you mean 'left_knee'"),
        ("elevation.left_arm", "no limb named 'left_arm'; did you mean"),
        ("height.left_wrst.neck", "did you mean 'left_wrist'"),
        ("height.neck", "write it as height.PLACE.PLACE"),
        ("angles.left_knee", "did you mean 'angle'"),
        ("speed", "needs one measure after 'speed.'"),
        ("speed.speed.leaning", "needs one measure after 'speed.'"),
    ],
)
def test_names_that_do_not_exist(name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Measures(track()).series(name)


def test_places_and_what_they_read() -> None:
    assert {"mid_hip", "mid_shoulder", "mid_ankle", "mid_wrist", "neck", "head"} <= set(PLACES)
    assert keypoints_of(find_measure("height.neck.mid_hip")) == (
        "left_shoulder", "right_shoulder", "left_hip", "right_hip",
    )  # fmt: skip
    assert keypoints_of(find_measure("speed.angle.left_knee")) == (
        "left_hip", "left_knee", "left_ankle",
    )  # fmt: skip
    assert Measures(track()).certainty(("left_knee", "left_heel"))[0] == 1
