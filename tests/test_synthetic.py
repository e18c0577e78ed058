"""The stage: its truth sits on its pictures, its language moves the right limb in time."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from poise.errors import UsageError
from poise.poses import Image, Poses
from poise.skeleton import get_skeleton
from poise.synthetic import (
    POSTURES,
    WARDROBE,
    Camera,
    Choreography,
    Clothes,
    Dancer,
    Proportions,
    Stage,
    arm_circles,
    arm_raises,
    dance,
    jumping_jacks,
    lunges,
    mirror,
    posture,
    punches,
    sequence,
    side_steps,
    squats,
    still,
    walk,
    waves,
)

SMALL = (200, 120)
BLAZE = get_skeleton("blazepose33")


def at(poses: Poses, name: str, row: int = 0) -> npt.NDArray[np.float32]:
    return poses.keypoints[row, BLAZE.keypoints.index(name)]


def in_space(poses: Poses, name: str, row: int = 0) -> npt.NDArray[np.float32]:
    assert poses.xyz is not None
    return poses.xyz[row, BLAZE.keypoints.index(name)]


def length(poses: Poses, start: str, end: str) -> float:
    return float(np.linalg.norm(in_space(poses, start) - in_space(poses, end)))


def difference(one: Image, other: Image) -> float:
    return float(np.abs(one.astype(float) - other).mean())


def angle(poses: Poses, start: str, middle: str, end: str) -> float:
    one = in_space(poses, start) - in_space(poses, middle)
    other = in_space(poses, end) - in_space(poses, middle)
    cosine = one @ other / np.linalg.norm(one) / np.linalg.norm(other)
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


# Pictures


def test_the_same_seed_draws_the_same_bytes() -> None:
    pictures = [Stage(Dancer(dance()), size=SMALL, seed=seed).frame(40).image for seed in (3, 3, 4)]
    assert pictures[0].tobytes() == pictures[1].tobytes()
    assert difference(pictures[0], pictures[2]) > 3


def test_frames_may_be_drawn_in_any_order() -> None:
    stage = Stage(Dancer(dance()), size=SMALL, cuts=(1.0,), duration=1.2)
    late = stage.frame(35).image
    assert [frame.index for frame in stage.frames()] == list(range(36))
    assert np.array_equal(stage.frame(35).image, late)


def test_frames_have_the_size_and_the_times_that_were_asked_for() -> None:
    stage = Stage(Dancer(still(seconds=2)), size=SMALL, fps=12.5)
    frame = stage.frame(10)
    assert (frame.size, frame.index, frame.time) == ((200, 120), 10, 0.8)
    assert len(stage) == 25


@pytest.mark.parametrize("height", [240, 720])
def test_a_larger_picture_shows_the_same(height: int) -> None:
    size = (height * 16 // 9, height)
    small, large = (Stage(Dancer(dance()), size=s, seed=1) for s in (SMALL, size))
    factor = height / SMALL[1]
    moved = large.truth(9).keypoints[0] - [size[0] / 2, 0]
    expected = (small.truth(9).keypoints[0] - [SMALL[0] / 2, 0]) * factor
    assert np.abs(moved - expected).max() < 0.01 * factor


def test_a_picture_of_twice_the_size_shrinks_to_the_same_picture() -> None:
    small, large = (Stage(Dancer(dance()), size=s, seed=1) for s in ((200, 120), (800, 480)))
    shrunk = large.frame(9).image.reshape(120, 4, 200, 4, 3).mean(axis=(1, 3))
    assert difference(small.frame(9).image, shrunk) < 4


@pytest.mark.parametrize("name", POSTURES)
def test_every_visible_keypoint_of_every_posture_lies_on_the_drawn_figure(name: str) -> None:
    clothes = Clothes(*[(255, 0, 255)] * 5)
    for facing in (0, 50, 180):
        stage = Stage(Dancer(still(name), facing=facing, clothes=clothes), size=(320, 240))
        image, truth, hidden = stage.frame(0).image, stage.truth(0), stage.hidden(0)
        drawn = image[..., 0].astype(int) - image[..., 1] > 60
        near = np.array(drawn)
        for rows, columns in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            near |= np.roll(drawn, (rows, columns), (0, 1))
        x, y = truth.keypoints[0][~hidden[0]].astype(int).T
        face = np.flatnonzero(~hidden[0]) < 11  # eyes and mouth have colours of their own
        assert near[y, x][~face].all()


def test_the_box_surrounds_what_is_drawn() -> None:
    clothes = Clothes(*[(255, 0, 255)] * 5)
    stage = Stage(Dancer(dance(), clothes=clothes), size=(320, 240), duration=9)
    for index in (20, 150, 240):
        image = stage.frame(index).image
        rows, columns = np.nonzero(image[..., 0].astype(int) - image[..., 1] > 100)
        drawn = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        assert np.abs(stage.truth(index).boxes[0] - drawn).max() < 3.5


def test_the_nearer_person_is_painted_over_the_farther_one() -> None:
    near = Dancer(still(), position=(0, -0.8), clothes=Clothes(shirt=(0, 200, 0)))
    far = Dancer(still(), position=(0, 0.8), clothes=Clothes(shirt=(200, 0, 0)))
    for order in ([near, far], [far, near]):
        stage = Stage(order, size=(320, 240))
        x, y = stage.truth(0).keypoints[order.index(near), 11:13].mean(axis=0)
        red, green, _ = stage.frame(0).image[int(y) + 15, int(x)]
        assert green > red + 60
        hidden = stage.hidden(0)
        assert hidden[order.index(far), 23:25].all()
        assert not hidden[order.index(near), 23:25].any()


# Truth


def test_limbs_keep_their_lengths_through_the_dance() -> None:
    stage = Stage(Dancer(dance(), facing=30, proportions=Proportions(stature=1.80), scale=0.9))
    for index in range(0, len(stage), 15):
        truth = stage.truth(index)
        for side in ("left", "right"):
            assert length(truth, f"{side}_shoulder", f"{side}_elbow") == pytest.approx(
                0.186 * 1.80 * 0.9, abs=1e-4
            )
            assert length(truth, f"{side}_knee", f"{side}_ankle") == pytest.approx(
                0.246 * 1.80 * 0.9, abs=1e-4
            )


def test_xyz_starts_between_the_hips_and_projects_to_the_keypoints() -> None:
    camera = Camera(orbit=25, tilt=3, roll=12, pan=4)
    stage = Stage(Dancer(dance(), position=(0.4, 0.3)), camera=camera, size=(640, 360))
    truth = stage.truth(75)
    assert truth.xyz is not None
    assert np.abs(truth.xyz[0, 23:25].mean(axis=0)).max() < 1e-6
    focal = 360 * 6.0 / 2.6
    rays = (truth.keypoints[0] - [320, 180]) / focal  # x/z and y/z of every keypoint
    # The depth of the mid-hip is the only unknown: solve it from one keypoint, test all others.
    hip = np.append((truth.keypoints[0, 23:25].mean(axis=0) - [320, 180]) / focal, 1)
    xyz = truth.xyz[0].astype(float)
    depth = (rays[:, 0] * xyz[:, 2] - xyz[:, 0]) / (hip[0] - rays[:, 0])
    assert np.median(depth) == pytest.approx(6.3, abs=0.4)
    seen = xyz + hip * np.median(depth)
    assert np.abs(seen[:, :2] / seen[:, 2:] - rays).max() < 0.002


@pytest.mark.parametrize(("facing", "sign"), [(0, 1), (180, -1)])
def test_left_is_the_persons_own_left(facing: float, sign: int) -> None:
    truth = Stage(Dancer(still(), facing=facing)).truth(0)
    for part in ("eye", "shoulder", "wrist", "hip", "ankle"):
        assert (at(truth, f"left_{part}")[0] - at(truth, f"right_{part}")[0]) * sign > 0


def test_facing_90_looks_to_the_right_of_the_picture_and_hides_the_far_side() -> None:
    stage = Stage(Dancer(still("stand", 1), facing=90))
    truth, hidden = stage.truth(0), stage.hidden(0)[0]
    assert at(truth, "nose")[0] > at(truth, "right_ear")[0] + 5
    hides = {name: hidden[BLAZE.keypoints.index(name)] for name in BLAZE.keypoints}
    assert hides["left_ear"] and hides["left_hip"] and hides["left_eye_outer"]
    assert not (hides["right_ear"] or hides["right_knee"] or hides["right_wrist"])


def test_nothing_is_hidden_of_a_person_who_faces_the_camera_with_spread_arms() -> None:
    assert not Stage(Dancer(still("star"))).hidden(0, "coco17").any()


def test_the_face_is_hidden_from_behind() -> None:
    hidden = Stage(Dancer(still("star"), facing=180)).hidden(0, "coco17")[0]
    assert hidden[:3].all()
    assert not hidden[5:].any()


def test_who_leaves_the_picture_leaves_the_truth_and_half_of_one_is_hidden() -> None:
    walker = Dancer(walk(2), path=[(0, 0, 0), (2, 6, 0)])
    stage = Stage([Dancer(still(), position=(-1, 0)), walker], duration=2)
    counts = [len(stage.truth(index)) for index in range(len(stage))]
    assert (counts[0], counts[-1]) == (2, 1)
    leaving = counts.index(1) - 2
    hidden = stage.hidden(leaving)
    assert hidden[1].any()
    assert stage.truth(leaving).boxes[1, 2] == 640


def test_the_truth_comes_in_other_skeletons_and_as_a_clip_with_ids() -> None:
    people = [Dancer(dance(), id=7), Dancer(walk(2), position=(1, 0))]
    stage = Stage(people, size=SMALL, duration=0.5)
    clip = stage.clip()
    assert (clip.skeleton.name, len(clip), clip.header.size, clip.header.fps) == (
        "coco17", 15, (200, 120), 30.0,
    )  # fmt: skip
    assert sorted(clip.ids()) == [2, 7]
    assert clip.track(7).times[-1] == pytest.approx(14 / 30)
    both = stage.truth(3), stage.truth(3, "coco17")
    assert np.array_equal(at(both[0], "left_knee"), both[1].keypoints[0, 13])
    assert stage.hidden(3, "coco17").shape == (2, 17)


def test_nobody_on_the_stage_is_a_picture_and_an_empty_truth() -> None:
    stage = Stage([], size=SMALL)
    assert len(stage.truth(0)) == 0
    assert stage.hidden(0).shape == (0, 33)
    assert stage.frame(0).image.std() > 5


def test_children_are_smaller_and_the_far_are_smaller() -> None:
    people = [Dancer(still(), scale=0.6), Dancer(still()), Dancer(still(), position=(0, 2))]
    child, grown, far = (np.ptp(Stage(person).truth(0).keypoints[0, :, 1]) for person in people)
    assert child == pytest.approx(0.6 * grown, rel=0.06)
    assert far == pytest.approx(0.75 * grown, rel=0.06)


# Bodies


def test_everybody_stands_on_the_ground_unless_they_jump() -> None:
    stage = Stage(Dancer(sequence((posture("stand"), 1), (posture("stand", lift=0.3), 1))))
    truth = stage.truth(10), stage.truth(len(stage) - 1)
    pixels_a_metre = 360 / 2.6
    rise = at(truth[0], "left_heel")[1] - at(truth[1], "left_heel")[1]
    assert rise == pytest.approx(0.3 * pixels_a_metre, rel=0.05)


def test_postures_are_what_their_names_say() -> None:
    def seen(name: str, facing: float = 0) -> Poses:
        return Stage(Dancer(still(name), facing=facing)).truth(0)

    tee, up, squat, lie = seen("t-pose"), seen("arms up"), seen("squat", 90), seen("lie")
    assert abs(in_space(tee, "left_wrist")[1] - in_space(tee, "left_shoulder")[1]) < 0.02
    assert in_space(up, "left_wrist")[1] < in_space(up, "nose")[1] - 0.2
    assert angle(squat, "left_hip", "left_knee", "left_ankle") < 90
    assert np.ptp(lie.keypoints[0, :, 0]) > 3 * np.ptp(lie.keypoints[0, :, 1])
    punch = seen("punch", 90)
    assert in_space(punch, "right_wrist")[0] > in_space(punch, "nose")[0] + 0.3


def test_soles_stay_level_where_nothing_else_is_said() -> None:
    truth = Stage(Dancer(still("squat"), facing=90)).truth(0)
    assert abs(in_space(truth, "left_heel")[1] - in_space(truth, "left_foot_index")[1]) < 0.03


def test_a_mirrored_performance_is_the_mirrored_picture_of_it() -> None:
    plain, mirrored = (Stage(Dancer(dance(), mirror=m)).truth(130) for m in (False, True))
    flipped = plain.keypoints[0, BLAZE.flip] * [-1, 1] + [640, 0]
    assert np.abs(mirrored.keypoints[0] - flipped).max() < 1e-2
    assert np.array_equal(mirror(mirror(posture("punch"))), posture("punch"))


# The language


def test_a_sequence_reaches_each_posture_at_its_time() -> None:
    course = sequence(("stand", 0.5), ("t-pose", 1.0), ("hold", 0.5), ("squat", 1.0, "linear"))
    assert course.duration == 3.0
    assert course.beat_times == [0.0, 0.5, 1.5, 2.0]
    assert np.allclose(course.at(0.2), posture("stand"))
    assert np.allclose(course.at(1.5), posture("t-pose"))
    assert np.allclose(course.at(1.9), posture("t-pose"))
    assert np.allclose(course.at(2.5), (posture("t-pose") + posture("squat")) / 2)
    assert np.allclose(course.at(99), posture("squat"))


@pytest.mark.parametrize(
    "course",
    [dance(), walk(), squats(), jumping_jacks(), side_steps(), arm_circles(), waves(),
     arm_raises(), punches(), lunges(), sequence(("squat", 1), walk(2), ("hold", 0.2), waves(2))],
)  # fmt: skip
def test_movements_have_no_jumps(course: Choreography) -> None:
    times = np.arange(0, course.duration, 1 / 120)
    angles = np.array([course.at(time) for time in times])
    assert np.abs(np.diff(angles[:, 3:], axis=0)).max() < 12  # degrees in 1/120 s
    assert np.isfinite(angles).all()


def test_squats_are_as_many_as_were_asked_for() -> None:
    stage = Stage(Dancer(squats(4, seconds=1.5)), size=SMALL)
    hips = np.array([at(stage.truth(index), "left_hip")[1] for index in range(len(stage))])
    low = hips > (hips.min() + hips.max()) / 2
    assert np.count_nonzero(np.diff(low.astype(int)) == 1) == 4


def test_a_faster_performance_is_the_same_sooner() -> None:
    course = dance().with_fault("left_forearm", degrees=40, start=2, end=3)
    for plain, fast in ((dance(), dance().at_tempo(1.25)), (course, course.at_tempo(1.25))):
        assert fast.duration == pytest.approx(plain.duration / 1.25)
        for time in (0.0, 1.1, 2.4, 8.0):
            assert np.allclose(fast.at(time / 1.25), plain.at(time))


def test_a_shifted_performance_is_the_same_later() -> None:
    late = dance().shifted(0.7)
    assert late.duration == pytest.approx(dance().duration + 0.7)
    assert np.allclose(late.at(3.0), dance().at(2.3))
    assert np.allclose(late.at(0.3), dance().start)
    faulty = dance().with_fault("head", degrees=20).shifted(1)
    assert np.allclose(faulty.at(3.0), dance().with_fault("head", degrees=20).at(2.0))


def test_a_fault_turns_one_limb_by_its_degrees_and_only_in_its_time() -> None:
    held = still("t-pose", 5)
    faulty = held.with_fault("left_forearm", degrees=40, start=2.0, end=3.0)
    truths = [Stage(Dancer(faulty)).truth(index) for index in (30, 75, 120)]
    bends = [angle(truth, "left_shoulder", "left_elbow", "left_wrist") for truth in truths]
    assert bends == pytest.approx([180, 140, 180], abs=0.5)
    right = [angle(truth, "right_shoulder", "right_elbow", "right_wrist") for truth in truths]
    assert right == pytest.approx([180] * 3, abs=0.5)
    assert np.array_equal(held.at(2.5), posture("t-pose"))


def test_a_performance_can_lack_a_beat_and_delay_a_limb() -> None:
    course = sequence(("stand", 1), ("t-pose", 1), ("squat", 1))
    short = course.without_beat(1)
    assert short.duration == 2
    assert np.allclose(short.at(2), posture("squat"))
    delayed = dance().delayed("left_arm", 0.3)
    now, before, seen = dance().at(2.4), dance().at(2.1), delayed.at(2.4)
    late = ~np.isclose(seen, now)
    assert late.any() and late.sum() <= 4
    assert np.allclose(seen[late], before[late])


def test_changes_apply_in_the_order_they_were_made() -> None:
    faulty = still("t-pose").with_fault("left_forearm", degrees=30)
    assert np.allclose(faulty.mirrored().at(0.5), posture("t-pose", right_elbow=30))
    again = still("t-pose").mirrored().with_fault("left_forearm", degrees=30)
    assert np.allclose(again.at(0.5), posture("t-pose", left_elbow=30))


def test_choreographies_join_and_repeat() -> None:
    joined = squats(2, seconds=1) + waves(2, seconds=1).at_tempo(2)
    assert joined.duration == 3
    assert np.allclose(
        joined.at(2.9), sequence(squats(2, seconds=1), waves(2, seconds=0.5)).at(2.9)
    )
    assert waves(1, seconds=1).repeated(3).duration == 3


def test_a_walker_goes_along_the_path_and_looks_there() -> None:
    stage = Stage(Dancer(walk(2), path=[(0, -2, 0), (2, 2, 0)]))
    truths = [stage.truth(index) for index in range(0, 60, 10)]
    assert all(np.diff([at(truth, "left_hip")[0] for truth in truths]) > 50)
    assert all(at(truth, "nose")[0] > at(truth, "left_ear")[0] for truth in truths)
    circle = Dancer(walk(2), path=lambda time: (np.sin(time), -np.cos(time)))
    body = circle.body(np.pi / 2)  # at the right of the stage, walking away from the camera
    assert body.points["nose"][2] > body.points["left_ear"][2] + 0.05


# The camera


def test_the_camera_pans_zooms_rolls_and_orbits() -> None:
    def seen(camera: Camera, time: int = 0) -> Poses:
        return Stage(Dancer(still("t-pose", 3)), camera=camera).truth(time)

    plain = seen(Camera())
    hip = plain.keypoints[0, 23:25].mean(axis=0)
    assert seen(Camera(pan=5)).keypoints[0, 23, 0] < plain.keypoints[0, 23, 0] - 40
    assert seen(Camera(tilt=5)).keypoints[0, 23, 1] < plain.keypoints[0, 23, 1] - 40
    zoomed = seen(Camera(zoom=[(0, 1), (2, 2)]), 60)
    assert np.allclose(zoomed.keypoints[0] - [320, 180], 2 * (plain.keypoints[0] - [320, 180]))
    rolled = seen(Camera(roll=10))
    arms = at(rolled, "left_wrist") - at(rolled, "right_wrist")
    assert np.degrees(np.arctan2(arms[1], arms[0])) == pytest.approx(10, abs=0.5)
    around = seen(Camera(orbit=lambda time: 45))
    assert at(around, "left_wrist")[0] - hip[0] < 0.85 * (at(plain, "left_wrist")[0] - hip[0])
    assert in_space(around, "left_wrist")[2] < in_space(around, "right_wrist")[2]


def test_a_shaking_camera_moves_picture_and_truth_together_and_the_same_each_time() -> None:
    camera = Camera(shake=0.01)
    stages = [Stage(Dancer(still()), camera=camera, size=SMALL, seed=2) for _ in range(2)]
    first, second = (stage.frame(7).image for stage in stages)
    assert np.array_equal(first, second)
    places = np.array([stages[0].truth(index).keypoints[0, 0] for index in range(30)])
    assert 0.3 < places.std(axis=0).mean() < 5
    assert difference(stages[0].frame(0).image, stages[0].frame(12).image) > 0.5


def test_a_cut_changes_the_room_and_the_side_but_not_the_dance() -> None:
    stage = Stage(Dancer(dance()), size=SMALL, cuts=(1.0, 2.0))
    assert stage.cut_frames == (30, 60)
    steps = [
        difference(stage.frame(index).image, stage.frame(index - 1).image)
        for index in (29, 30, 31, 60)
    ]
    assert min(steps[1], steps[3]) > 4 * max(steps[0], steps[2])
    assert not stage.frame(30).cut
    lengths = [length(stage.truth(index), "left_hip", "left_knee") for index in (29, 30)]
    assert lengths[0] == pytest.approx(lengths[1], abs=1e-4)


# Refusals


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: posture("sqat"), "did you mean 'squat'"),
        (lambda: posture("stand", left_elbo=3), "did you mean 'left_elbow'"),
        (lambda: dance().with_fault("left_forarm", degrees=3), "did you mean 'left_forearm'"),
        (lambda: dance().at_tempo(0), "above 0"),
        (lambda: dance().without_beat(99), "no beat 99"),
        (sequence, "at least one item"),
        (lambda: sequence(("stand", 1, "smoth")), "did you mean 'smooth'"),
        (lambda: sequence(("stand", 0)), "more than 0 seconds"),
        (lambda: squats(0), "at least 1 repetition"),
        (lambda: Stage([Dancer(dance(), id=1), Dancer(dance(), id=1)]), "stands twice"),
        (lambda: Stage(Dancer(dance()), fps=0), "above 0"),
        (lambda: Stage(Dancer(dance())).frame(999), "no frame 999"),
    ],
)
def test_what_cannot_be_is_refused_with_a_remedy(call: object, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        call()  # type: ignore[operator]


def test_the_wardrobe_has_no_two_alike() -> None:
    assert len(set(WARDROBE)) == len(WARDROBE) >= 4


# The real networks


@pytest.mark.weights
def test_blazepose_finds_the_dancer_where_the_truth_is(
    default_weights: tuple[Path, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    from poise.models import load_model

    folders = {str(path.parent) for path in default_weights}
    monkeypatch.setenv("POISE_MODELS", os.pathsep.join(sorted(folders)))
    model = load_model("blazepose", precision="f32")
    stage = Stage(Dancer(dance()))
    errors = []
    for index in range(0, len(stage), 30):
        found, truth = model(stage.frame(index).image), stage.truth(index)
        assert len(found) == 1
        away = np.linalg.norm(found.keypoints[0] - truth.keypoints[0], axis=1)
        errors.append(np.where(stage.hidden(index)[0], np.nan, away))
    stature = 1.72 * 360 / 2.6
    assert np.nanmean(errors) / stature < 0.03
