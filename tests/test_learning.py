"""Learning from examples: what is measured, what is learned, what is kept, what is refused."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from poise.classification.learning import Classifier, load_classifier, save_classifier
from poise.classification.learning.columns import find_columns, find_keypoint
from poise.classification.learning.examples import (
    Examples,
    Piece,
    measure_examples,
    mirror_classes,
)
from poise.classification.learning.features import (
    FEATURE_NAMES,
    find_places,
    measure_poses,
    mirror_places,
)
from poise.classification.learning.figures import count_confusions, judge_classes
from poise.classification.learning.kinds import KINDS, Kind, fit_estimator, fit_network
from poise.classification.learning.options import TeachingOptions, parse_aspect
from poise.classification.learning.tables import read_table
from poise.classification.learning.training import Taught, deal_folds, split_recordings, teach
from poise.classification.learning.vectors import check_vector
from poise.classification.learning.windows import WINDOW_NAMES, measure_windows
from poise.clip import Track
from poise.errors import InputError, OutputError, UsageError
from poise.synthetic import Choreography, Dancer, Stage, posture, sequence, squats, still, waves

QUICK = (KINDS[1],)
POSES = ("stand", "t-pose", "arms up", "squat")


@lru_cache
def _track(
    name: str, *, facing: float = 0.0, skeleton: str = "coco17", mirror: bool = False
) -> Track:
    made: dict[str, Choreography] = {
        "squats": squats(2, seconds=1.6),
        "waves": waves(4, seconds=0.7),
    }
    choreography = made.get(name) or still(name, 1.0)
    dancer = Dancer(choreography, facing=facing, mirror=mirror, scale=1 - abs(facing) / 300)
    stage = Stage([dancer], size=(320, 240), fps=12, duration=3.0 if name in made else 1.0)
    return stage.clip(skeleton).track(1)


def _rows(track: Track) -> np.ndarray:
    return measure_poses(find_places(track.skeleton, track.keypoints, track.scores))


def _pieces(names: tuple[str, ...] = POSES) -> list[Piece]:
    return [
        Piece(name, f"{name} {facing}", track, tuple(f"{name}" for _ in range(len(track))))
        for name in names
        for facing in (-40.0, 0.0, 40.0)
        for track in [_track(name, facing=facing)]
    ]


@lru_cache
def _taught(*, actions: bool = False) -> Taught:
    if actions:
        return teach(measure_examples(_pieces(("squats", "waves")), window=1.0), kinds=QUICK)
    return teach(measure_examples(_pieces()), kinds=QUICK)


def test_features_do_not_depend_on_place_and_size() -> None:
    track = _track("squats")
    moved = dataclasses.replace(track, keypoints=track.keypoints * 3 + np.float32([200, -50]))
    assert np.allclose(_rows(track), _rows(moved), atol=1e-4, equal_nan=True)
    assert _rows(track).shape == (len(track), len(FEATURE_NAMES))


def test_a_mirrored_pose_is_the_pose_of_a_mirrored_body() -> None:
    one, other = _track("waves"), _track("waves", mirror=True)
    places = find_places(other.skeleton, other.keypoints, other.scores)
    mirrored = measure_poses(mirror_places(places))
    assert np.allclose(_rows(one), mirrored, atol=0.02, equal_nan=True)
    assert np.nanmax(np.abs(_rows(one) - _rows(other))) > 0.3


def test_features_mean_the_same_for_every_skeleton() -> None:
    one, other = (_rows(_track("squats", skeleton=name)) for name in ("coco17", "blazepose33"))
    both = np.isfinite(one) & np.isfinite(other)
    assert both.mean() > 0.8
    known = [not name.startswith("known") for name in FEATURE_NAMES]
    assert np.allclose(one[both & known], other[both & known], atol=0.02)


def test_a_missing_keypoint_is_unknown_and_nothing_else_changes() -> None:
    track = _track("stand")
    points, scores = track.keypoints.copy(), track.scores.copy()
    wrist = track.skeleton.find("left_wrist")
    scores[:, wrist] = 0.1
    rows = measure_poses(find_places(track.skeleton, points, scores))
    lost = np.array(["left_wrist" in name for name in FEATURE_NAMES])
    known = FEATURE_NAMES.index("known.left_wrist")
    assert (rows[:, known] == 0).all()
    lost[known] = False
    assert np.isnan(rows[:, lost]).all()
    lost[known] = True
    assert np.array_equal(rows[:, ~lost], _rows(track)[:, ~lost], equal_nan=True)


def test_windows_tell_motion_and_do_not_depend_on_the_frame_rate() -> None:
    stages = [
        Stage([Dancer(squats(2, seconds=1.6))], size=(320, 240), fps=fps, duration=3.0)
        for fps in (20, 60)
    ]
    tracks = [stage.clip().track(1) for stage in stages]
    slow, fast = (
        measure_windows(find_places(t.skeleton, t.keypoints, t.scores), t.times, 1.0)
        for t in tracks
    )
    assert slow.shape == (len(tracks[0]), len(WINDOW_NAMES))
    inside = slice(12, 48)
    apart = np.abs(slow - fast[::3][: len(slow)])[inside]
    assert np.nanmedian(apart) < 0.01 and np.nanmax(apart) < 1.5
    down = WINDOW_NAMES.index("speed.middle.y")
    assert slow[24, down] > 0.1
    still_track = _track("stand")
    places = find_places(still_track.skeleton, still_track.keypoints, still_track.scores)
    assert np.nanmax(measure_windows(places, still_track.times, 1.0)[:, down]) < 0.01


def test_a_window_may_be_longer_than_a_track() -> None:
    track = _track("stand")
    places = find_places(track.skeleton, track.keypoints[:1], track.scores[:1])
    rows = measure_windows(places, track.times[:1], 2.0)
    assert rows.shape == (1, len(WINDOW_NAMES)) and np.isfinite(rows).mean() > 0.7


@pytest.mark.parametrize("kind", [KINDS[1], Kind("network", 1.0)], ids=str)
@pytest.mark.parametrize("count", [2, 4])
def test_numbers_give_the_probabilities_of_scikit_learn(kind: Kind, count: int) -> None:
    examples = measure_examples(_pieces(POSES[:count]))
    network = fit_network(kind, examples.rows, examples.labels, classes=count, seed=3)
    values = np.nan_to_num(network.standardize(examples.rows), nan=0.0)
    theirs = fit_estimator(kind, values, examples.labels, seed=3).predict_proba(values)
    assert np.abs(network.probabilities(examples.rows) - theirs).max() < 1e-6


def test_poses_are_named_and_what_was_not_taught_is_unknown() -> None:
    classifier = _taught().classifier
    assert classifier.training["accuracy"] > 0.9
    for name in POSES:
        poses = Stage([Dancer(still(name, 1.0), facing=20)], size=(640, 480)).clip().frames[0]
        labels, probabilities = classifier.predict(poses)
        assert labels == (name,)
        assert probabilities.shape == (1, 4) and probabilities.sum() == pytest.approx(1)
    poses = Stage([Dancer(still("lie", 1.0))], size=(640, 480)).clip().frames[0]
    assert classifier.predict(poses)[0] == ("unknown",)
    nobody = poses.select([])
    assert classifier.predict(nobody)[0] == ()


def test_a_track_becomes_events_in_any_skeleton() -> None:
    play = sequence(("stand", 1.0), ("arms up", 0.5), (posture("arms up"), 1.0), ("stand", 0.5))
    stage = Stage([Dancer(play, facing=10)], size=(320, 240), fps=15, duration=4.0)
    for skeleton in ("coco17", "body25"):
        found = _taught().classifier.label_track(stage.clip(skeleton).track(1))
        assert [e.label for e in found.events(0.4)] == ["stand", "arms up", "stand"]
        assert all(e.kind == "pose" and e.person == 1 for e in found.events())


def test_frames_without_the_person_are_unknown() -> None:
    track = _track("stand")
    points, scores = track.keypoints.copy(), track.scores.copy()
    points[4:7], scores[4:7] = np.nan, 0
    found = _taught().classifier.label_track(
        dataclasses.replace(track, keypoints=points, scores=scores)
    )
    assert (found.labels[4:7] == -1).all() and (found.confidences[4:7] == 0).all()
    assert found.labels[0] >= 0


def test_actions_are_told_by_their_motion() -> None:
    classifier = _taught(actions=True).classifier
    assert classifier.kind == "action" and classifier.training["accuracy"] > 0.9
    for name in ("squats", "waves"):
        found = classifier.label_track(_track(name, facing=15.0, skeleton="blazepose33"))
        assert [e.label for e in found.events(0.5)] == [name]
    poses = Stage([Dancer(still("stand", 1.0))]).clip().frames[0]
    with pytest.raises(UsageError, match=r"1 s of motion.*label_track"):
        classifier.predict(poses)


@pytest.mark.parametrize("actions", [False, True])
def test_the_file_keeps_everything(tmp_path: Path, actions: bool) -> None:
    taught = _taught(actions=actions)
    path = tmp_path / "my.pose"
    save_classifier(taught.classifier, path)
    again = load_classifier(path)
    rows = taught.examples.rows
    ours, theirs = (c.network.probabilities(rows) for c in (taught.classifier, again))
    assert np.abs(ours - theirs).max() < 1e-9
    assert again.classes == taught.classifier.classes and again.window == taught.classifier.window
    assert len(again.examples) == len(again.classes) + 1
    assert max(check_vector(again, vector) for vector in again.examples) < 1e-9
    assert again.limits.greatest_distance == taught.classifier.limits.greatest_distance
    with pytest.raises(OutputError, match="exists already"):
        save_classifier(again, path)


def test_the_same_seed_gives_the_same_file(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save_classifier(teach(measure_examples(_pieces()), kinds=QUICK).classifier, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_naming_needs_no_scikit_learn(tmp_path: Path) -> None:
    path = tmp_path / "my.pose"
    save_classifier(_taught().classifier, path)
    code = (
        "import sys; sys.modules['sklearn'] = None\n"
        "from poise.classification.learning import load_classifier\n"
        "from poise.classification.learning.vectors import check_vector\n"
        f"c = load_classifier({str(path)!r}); print(max(check_vector(c, v) for v in c.examples))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 1e-9


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": 9}, "version 9; this Poise reads version 1"),
        ({"format": "x"}, "is no classifier; name a file that 'poise teach' wrote"),
        ({"centre": [1.0]}, "numbers for each row"),
        ({"centre": "x"}, "not a readable classifier"),
        ({"temperature": 0}, "temperature is 0"),
        ({"classes": ["a"]}, "at least two classes"),
        ({"layers": []}, "no layers"),
        ({"features": []}, "features are not those"),
        ({"scale": None}, "not a readable classifier"),
    ],
)
def test_files_that_are_not_right(tmp_path: Path, change: dict[str, object], said: str) -> None:
    path = tmp_path / "my.pose"
    save_classifier(_taught().classifier, path)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(InputError, match=said) as caught:
        load_classifier(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\x80\x04\x95pickle", b"{", b"[1]", b"{}"])
def test_files_that_are_something_else(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "my.pose"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"is no classifier|not valid JSON"):
        load_classifier(path)
    with pytest.raises(InputError, match="is a folder"):
        load_classifier(tmp_path)
    with pytest.raises(InputError, match="No such file"):
        load_classifier(tmp_path / "none.pose")


def test_a_recording_is_never_on_both_sides() -> None:
    random = np.random.default_rng(1)
    groups = np.repeat(np.arange(14), random.integers(3, 9, 14))
    labels = groups % 3
    folds = deal_folds(labels, groups, seed=0)
    for group in np.unique(groups):
        assert len(np.unique(folds[groups == group])) == 1
    assert folds.max() == 3  # the smallest class has four recordings
    for fold in np.unique(folds):
        assert set(labels[folds != fold]) == {0, 1, 2}


def test_a_class_of_one_recording_is_cut_and_told() -> None:
    examples = measure_examples(_pieces())
    single = dataclasses.replace(examples, groups=np.minimum(examples.groups, 9))
    groups, notes = split_recordings(single)
    last = examples.labels == examples.labels[-1]
    assert len(np.unique(groups[last])) == 10
    assert notes and "one recording only" in notes[0]
    assert split_recordings(examples)[1] == []


def test_left_and_right_change_in_a_mirror() -> None:
    classes = ["point_left", "point_right", "Left Arm", "stand", "leftover"]
    assert mirror_classes(classes) == [1, 0, None, 3, 4]
    taught = teach(_sided(), kinds=QUICK)
    for mirror, name in ((False, "wave_right"), (True, "wave_left")):
        dancer = Dancer(still("wave", 1.0), facing=10, mirror=mirror)
        poses = Stage([dancer], size=(640, 480)).clip().frames[0]
        assert taught.classifier.predict(poses)[0] == (name,)


def _sided() -> Examples:
    """Waves of both hands: each only ever seen from its own half of the views."""
    pieces = [
        Piece(name, f"{name} {facing}", track, ("",) * len(track))
        for name, mirror in (("wave_right", False), ("wave_left", True))
        for facing in (-30.0, 0.0, 30.0)
        for track in [_track("wave", facing=facing, mirror=mirror)]
    ]
    return measure_examples(pieces)


def test_two_examples_or_one_class_are_refused() -> None:
    track = _track("stand")
    short = Track(1, track.skeleton, track.times[:2], track.keypoints[:2], track.scores[:2])
    few = [*_pieces(("stand",)), Piece("squat", "x", short, ("a", "b"), timed=False)]
    with pytest.raises(InputError, match=r"data: class 'squat' has 2 examples .*at least 5"):
        measure_examples(few, where="data")
    with pytest.raises(InputError, match="holds one class only, 'stand'; a classifier needs"):
        measure_examples(_pieces(("stand",)), where="data")


@pytest.mark.parametrize(
    ("name", "keypoint"),
    [
        ("Rshoulder", "right_shoulder"), ("RWrist", "right_wrist"), ("LElbow", "left_elbow"),
        ("left wrist", "left_wrist"), ("wrist_left", "left_wrist"), ("REye", "right_eye"),
        ("LEFT_FOOT_INDEX", "left_foot_index"), ("leftHip", "left_hip"), ("neck", "neck"),
        ("reward", None), ("class", None),
    ],
)  # fmt: skip
def test_spellings(name: str, keypoint: str | None) -> None:
    assert find_keypoint(name) == keypoint


def test_columns_by_name() -> None:
    heads = ["label", "RWrist_x", "Rwrist_y", "nose_X", "nose_x", "nose_y", "nose_score", "LHip_y"]
    columns = find_columns(heads)
    assert columns.skeleton.keypoints == ("right_wrist", "nose")
    assert columns.x == (1, 4) and columns.y == (2, 5) and columns.scores == (None, 6)
    assert columns.others == ("label", "LHip_y")


def _table(path: Path, rows: int = 8, **extra: str) -> Path:
    """Rows of two poses in pixels, under OpenPose's names; nobody's left elbow is known."""
    names = {"left_shoulder": "LShoulder", "right_shoulder": "Rshoulder", "left_hip": "LHip",
             "right_hip": "RHip", "left_knee": "LKnee", "right_knee": "RKnee", "nose": "nose",
             "left_wrist": "LWrist"}  # fmt: skip
    heads = [f"{short}_{axis}" for short in names.values() for axis in "xy"]
    lines = [",".join([*heads, "LElbow_x", "LElbow_y", *extra, "class"])]
    for name in ("stand", "squat"):
        track = _track(name)
        for n in range(rows):
            numbers = [
                f"{value:.2f}"
                for keypoint in names
                for value in track.keypoints[n % len(track), track.skeleton.find(keypoint)]
            ]
            lines.append(",".join([*numbers, "0", "0", *extra.values(), name]))
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_table_is_read_by_its_names(tmp_path: Path) -> None:
    path = _table(tmp_path / "t.csv", extra="7")
    pieces, notes = read_table(path, TeachingOptions(label_column="class"))
    assert [p.label for p in pieces] == ["stand", "squat"]
    track = pieces[0].track
    assert np.isnan(track.keypoints[:, track.skeleton.find("left_elbow")]).all()
    assert pieces[1].origins[0] == "t.csv, row 10"
    assert notes == ["t.csv: columns that are no keypoint's are passed over: extra"]
    by_group, _ = read_table(path, TeachingOptions(label_column="class", group="extra"))
    assert {p.group for p in by_group} == {"group 7"}


def test_empty_cells_are_absent_keypoints(tmp_path: Path) -> None:
    path = _table(tmp_path / "t.csv")
    lines = path.read_text().splitlines()
    cells = lines[1].split(",")
    lines[1] = ",".join(["", "nan", *cells[2:]])
    lines[2] = "," * (len(cells) - 1) + "stand"
    path.write_text("\n".join(lines))
    pieces, notes = read_table(path, TeachingOptions(label_column="class"))
    points = pieces[0].track.keypoints
    assert np.isnan(points[0, 0]).all() and np.isfinite(points[0, 1]).all()
    assert notes == ["t.csv: 1 of 16 rows hold no keypoint"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("class", "name", "no column named 'class'; name it with --label-column.*: name"),
        (",stand", ",", "row 2: its column class is empty"),
        ("0,0,stand", "x,0,stand", "row 2, column LElbow_x: 'x' is no number"),
        ("0,0,stand", "0,stand", "row 2 has 18 cells, the header 19"),
    ],
)
def test_tables_that_are_not_right(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = _table(tmp_path / "t.csv")
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(InputError, match=said):
        read_table(path, TeachingOptions(label_column="class"))


def test_tables_without_keypoints_rows_or_times(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b,class\n1,2,x\n")
    with pytest.raises(InputError, match="no keypoint recognised in its columns a, b, class"):
        read_table(path, TeachingOptions(label_column="class"))
    path.write_text("")
    with pytest.raises(InputError, match=r"no keypoint recognised|is empty"):
        read_table(path, TeachingOptions())
    _table(path)
    with pytest.raises(UsageError, match=r"no times.*leave --window out"):
        read_table(path, TeachingOptions(label_column="class", window=1.0))
    with pytest.raises(UsageError, match="no shares of the picture"):
        read_table(path, TeachingOptions(label_column="class", aspect="16:9"))


def test_aspects() -> None:
    assert parse_aspect("16:9") == pytest.approx(16 / 9)
    assert parse_aspect("1280x720") == pytest.approx(16 / 9)
    for wrong in ("a", "1:0", "1:2:3", "", "nan"):
        with pytest.raises(UsageError, match="is no ratio; such as 16:9"):
            parse_aspect(wrong)


def test_figures_count_unknown_as_a_miss() -> None:
    labels, answers = np.array([0, 0, 0, 1, 1]), np.array([0, 1, -1, 1, 1])
    table = count_confusions(labels, answers, 2)
    assert table.tolist() == [[1, 1, 1], [0, 2, 0]]
    first, second = judge_classes(table, ("a", "b"))
    assert first.recall == pytest.approx(1 / 3) and first.precision == 1
    assert first.unknown == pytest.approx(1 / 3)
    assert second.precision == pytest.approx(2 / 3) and second.f1 == pytest.approx(0.8)


@pytest.mark.data
def test_squat_phases_of_other_rows(data_dir: Path) -> None:
    folder = data_dir / "keypoints" / "classification"
    parts = [
        measure_examples(read_table(folder / f"exercise_correction_squat_{n}.csv", options)[0])
        for n in ("train", "test")
        for options in [TeachingOptions()]
    ]
    classifier: Classifier = teach(parts[0], kinds=QUICK).classifier
    answers = classifier.network.probabilities(parts[1].rows).argmax(axis=1)
    assert (answers == parts[1].labels).mean() >= 0.97


@pytest.mark.data
def test_planks_of_other_recordings(data_dir: Path) -> None:
    path = data_dir / "keypoints" / "classification" / "exercise_correction_plank_test.csv"
    taught = teach(measure_examples(read_table(path, TeachingOptions())[0]), kinds=QUICK)
    assert taught.folds == 5
    assert taught.classifier.training["accuracy"] >= 0.97
