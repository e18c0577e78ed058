"""Correction of poses: on the stage the deviation is known, so the first sentence must name it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from poise.classification.correction import (
    Check,
    Gauges,
    Judgement,
    Target,
    find_pose,
    format_pose,
    judge,
    pose_names,
    rank_targets,
    read_pose,
    take_pose,
    tell,
    unseen,
)
from poise.classification.correction.overlay import COLOURS, limb_levels
from poise.classification.correction.report import view_note
from poise.cli.app import run
from poise.clip import Track
from poise.errors import InputError, UsageError
from poise.io import write_clip
from poise.synthetic import Beat, Camera, Choreography, Dancer, Stage, sequence
from poise.synthetic.postures import angles

# Every target as joint angles of the stage.
POSES: dict[str, dict[str, float]] = {
    "plank": {"body_pitch": 73, "leg_front": 10, "arm_front": 75},
    "forearm-plank": {"body_pitch": 82, "leg_front": 10, "arm_front": 82, "elbow": 90},
    "downward-dog": {"body_pitch": 135, "leg_front": 95, "arm_front": 172},
    "cobra": {"body_pitch": 90, "spine_bend": -51, "arm_front": 40, "elbow": 35},
    "bridge": {"body_pitch": -115, "knee": 100, "arm_front": -20},
    "chair": {"leg_front": 55, "knee": 75, "spine_bend": 36, "arm_front": 173},
    "squat": {"leg_front": 90, "knee": 105, "spine_bend": 41, "arm_front": 60},
    "boat": {"body_pitch": -38, "leg_front": 102, "arm_front": 47},
    "warrior-i": {
        "left_leg_front": 80, "left_knee": 85, "right_leg_front": -50, "arm_front": 172,
    },
    "warrior-ii": {
        "left_leg_side": 78, "left_leg_twist": 88, "left_knee": 80, "right_leg_side": 47,
        "right_leg_twist": 88, "arm_side": 90,
    },
    "triangle": {
        "spine_side": 82, "leg_side": 32, "left_arm_side": 82, "right_arm_side": 98,
        "left_leg_twist": 88, "right_leg_twist": 88,
    },
    "tree": {
        "left_leg_side": 50, "left_leg_twist": 87, "left_knee": 135, "right_leg_side": 2,
        "arm_side": 150,
    },
    "side-plank": {"body_roll": 67, "left_arm_side": 67, "right_arm_side": 113},
}  # fmt: skip

# Pose, joint of the stage, degrees added to it, and the sentence that must come first.
FAULTS: list[tuple[str, str, float, str]] = [
    ("plank", "leg_front", 25, "lower the hips by 25 degrees"),
    ("plank", "leg_front", -20, "lift the hips by 20 degrees"),
    ("plank", "knee", 30, "straighten both knees by 30 degrees"),
    ("plank", "elbow", 40, "straighten both elbows by 40 degrees"),
    ("forearm-plank", "leg_front", 22, "lower the hips by 22 degrees"),
    ("downward-dog", "left_knee", 35, "straighten the left knee by 35 degrees"),
    ("downward-dog", "leg_front", -30, "lift the hips by 30 degrees"),
    ("downward-dog", "arm_front", -35, "move both arms 35 degrees further from the trunk"),
    ("cobra", "spine_bend", 30, "raise the trunk by 23 degrees"),
    ("bridge", "leg_front", 25, "lift the hips by 25 degrees"),
    ("bridge", "knee", -30, "bend both knees 30 degrees more"),
    ("chair", "knee", -30, "bend both knees 30 degrees more"),
    ("chair", "leg_front", -25, "turn both thighs 25 degrees forwards"),
    ("chair", "spine_bend", 40, "lean the trunk 32 degrees backwards"),
    ("squat", "leg_front", 30, "lower both thighs by 30 degrees"),
    ("squat", "right_knee", 28, "straighten the right knee by 28 degrees"),
    ("boat", "leg_front", -30, "raise both thighs by 30 degrees"),
    ("boat", "knee", 40, "straighten both knees by 40 degrees"),
    ("warrior-i", "left_knee", -35, "bend the left knee 35 degrees more"),
    ("warrior-i", "right_knee", 30, "straighten the right knee by 30 degrees"),
    ("warrior-i", "body_pitch", 25, "lean the trunk 25 degrees backwards"),
    ("warrior-ii", "left_knee", -30, "bend the left knee 30 degrees more"),
    ("warrior-ii", "right_arm_side", -30, "raise the right upper arm by 30 degrees"),
    ("warrior-ii", "left_arm_side", 40, "lower the left upper arm by 40 degrees"),
    ("warrior-ii", "spine_side", 40, "lean the trunk 32 degrees to the right"),
    ("triangle", "right_knee", 30, "straighten the right knee by 30 degrees"),
    ("triangle", "right_arm_side", 35, "turn the right upper arm 35 degrees outwards"),
    ("tree", "left_leg_side", -35, "turn the left thigh 35 degrees outwards"),
    ("tree", "right_leg_side", 30, "turn the right thigh 30 degrees inwards"),
    ("side-plank", "right_arm_side", -35, "turn the right upper arm 35 degrees inwards"),
]
DEGREES = re.compile(r"(\d+) degrees")


def _choreography(joints: dict[str, float]) -> Choreography:
    vector = angles(joints)
    return Choreography((Beat(1.0, lambda _: vector),), vector)


@lru_cache(maxsize=256)
def _track(
    pose: str, joint: str = "", degrees: float = 0.0, turn: float = 0.0, mirror: bool = False
) -> Track:
    vector = angles(POSES[pose])
    vector += (
        angles({**POSES[pose], joint: degrees}) - angles({**POSES[pose], joint: 0.0})
        if joint
        else 0
    )
    facing = 90.0 if find_pose(pose).view == "side" else 0.0
    dancer = Dancer(
        Choreography((Beat(1.0, lambda _: vector),), vector), facing=facing + turn, mirror=mirror
    )
    camera = Camera(distance=40.0)
    return Stage(dancer, duration=1 / 30, camera=camera).clip("coco17").track(1)


def _judge(track: Track, pose: str) -> Judgement:
    return judge(Gauges(track), find_pose(pose))


def _first(track: Track, pose: str) -> str:
    told = tell(_judge(track, pose))
    return told[0][0] if told else ""


def _like(said: str, wanted: str, within: float = 5.0) -> bool:
    """Whether a sentence is the wanted one, but for a few degrees."""
    numbers = [float(match[1]) for match in map(DEGREES.search, (said, wanted)) if match]
    same = DEGREES.sub("", said) == DEGREES.sub("", wanted)
    return same and len(numbers) == 2 and abs(numbers[0] - numbers[1]) <= within


def test_every_pose_has_a_stage_and_a_source() -> None:
    assert pose_names() == sorted(POSES)
    for name in pose_names():
        target = find_pose(name)
        assert target.name == name and target.about and target.source and target.view != "any"


@pytest.mark.parametrize("pose", POSES)
def test_right_is_right(pose: str) -> None:
    found = _judge(_track(pose), pose)
    assert tell(found) == [] and found.score > 99.9 and found.judged == 1.0
    assert unseen(found) == []


@pytest.mark.parametrize(("pose", "joint", "degrees", "sentence"), FAULTS)
def test_the_fault_comes_first(pose: str, joint: str, degrees: float, sentence: str) -> None:
    """In its left and its mirrored version, and seen from the other side."""
    assert _like(_first(_track(pose, joint, degrees), pose), sentence, within=1.5)
    mirrored = sentence.replace("left", "LEFT")
    mirrored = mirrored.replace("right", "left").replace("LEFT", "right")
    side = find_pose(pose).view == "side"
    other = _track(pose, joint, degrees, -180.0 if side else 0.0, True)
    assert _like(_first(other, pose), mirrored, within=1.5)


@pytest.mark.parametrize(("pose", "joint", "degrees", "sentence"), FAULTS)
def test_the_fault_is_found_in_noise_from_a_turned_camera(
    pose: str, joint: str, degrees: float, sentence: str
) -> None:
    track = _track(pose, joint, degrees, 8.0)
    random = np.random.default_rng(5)
    height = float(np.ptp(track.keypoints[0], axis=0).max())
    many = np.repeat(track.keypoints, 31, axis=0)
    noisy = many + random.normal(0, 0.008 * height, many.shape).astype(np.float32)
    film = replace(
        track,
        xyz=None,
        times=np.arange(31) / 30,
        keypoints=noisy,
        scores=np.repeat(track.scores, 31, axis=0),
    )
    assert _like(_first(film, pose), sentence)


@pytest.mark.parametrize("pose", POSES)
def test_small_deviations_are_passed_over(pose: str) -> None:
    for joint in ("knee", "left_elbow", "leg_front", "arm_front"):
        assert tell(_judge(_track(pose, joint, 5.0), pose)) == []


def test_the_version_is_found() -> None:
    left, right = _track("warrior-ii"), _track("warrior-ii", mirror=True)
    assert not _judge(left, "warrior-ii").swapped and _judge(right, "warrior-ii").swapped
    assert _judge(right, "warrior-ii").score > 99.9
    assert find_pose("plank").is_symmetric and not find_pose("tree").is_symmetric
    both = (Check("heading.left_upper_arm", 20), Check("heading.right_upper_arm", 160))
    assert Target("v", "front", both).is_symmetric


@pytest.mark.parametrize("pose", POSES)
def test_wrong_poses_score_low_and_auto_names_the_right_one(pose: str) -> None:
    gauges = Gauges(_track(pose))
    ranked = rank_targets(gauges, [find_pose(name) for name in pose_names()])
    assert ranked[0].target.name == pose
    level = {"plank", "forearm-plank", "side-plank", "cobra"}
    for one in ranked[1:]:
        assert one.score < (80 if {pose, one.target.name} <= level else 60), one.target.name


def test_standing_is_none_of_the_poses() -> None:
    for facing in (0.0, 90.0):
        dancer = Dancer(_choreography({"arm_side": 8}), facing=facing)
        track = Stage(dancer, duration=1 / 30).clip().track(1)
        for name in pose_names():
            assert _judge(track, name).score < 45, name


def _without(track: Track, *names: str) -> Track:
    scores = track.scores.copy()
    for name in names:
        scores[:, track.skeleton.find(name)] = 0.1
    return replace(track, scores=scores)


def test_what_is_not_seen_is_not_judged() -> None:
    track = _track("warrior-ii", "left_knee", -30.0)
    blind = _judge(_without(track, "left_ankle", "right_wrist"), "warrior-ii")
    assert tell(blind) == [] and unseen(blind) == ["left knee", "right elbow"]
    assert 0.6 < blind.judged < 0.9
    nothing = _judge(
        _without(track, "left_hip", "right_hip", "left_shoulder", "right_shoulder"), "warrior-ii"
    )
    assert np.isnan(nothing.score) and tell(nothing) == []


def test_missing_sides_do_not_hide_a_fault() -> None:
    """From the side, the far limbs are often lost."""
    track = _track("plank", "leg_front", 25.0)
    far = [f"right_{part}" for part in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")]
    assert _like(
        _first(_without(track, *far[1:3], *far[4:]), "plank"), "lower the hips by 25 degrees"
    )


def test_holds_and_the_best_moment() -> None:
    good, bad = angles(POSES["warrior-ii"]), angles({**POSES["warrior-ii"], "left_knee": 25})
    show = sequence((bad, 0.5), (good, 0.5), ("hold", 4.0), (bad, 0.5), ("hold", 1.0),
                    (good, 0.5), ("hold", 1.0), start=bad)  # fmt: skip
    found = _judge(Stage(Dancer(show), camera=Camera(distance=40.0)).clip().track(1), "warrior-ii")
    holds = found.holds()
    assert len(holds) == 2
    assert holds[0] == pytest.approx((0.75, 5.25), abs=0.2)
    assert holds[1][1] == pytest.approx(8.0, abs=0.05)
    assert holds[0][0] < found.best < holds[0][1] or holds[1][0] < found.best
    assert tell(found) == []


def test_a_pose_is_taken_from_a_picture() -> None:
    """Its own picture has nothing to correct; a deviation from it is found; files bring it back."""
    for pose in ("warrior-ii", "squat", "tree"):
        taken = take_pose(Gauges(_track(pose)), "mine")
        assert judge(Gauges(_track(pose)), taken).score > 99.9
        assert judge(Gauges(_track(pose, mirror=True)), taken).score > 99.9
        told = tell(judge(Gauges(_track(pose, "left_knee", -30.0)), taken))
        assert _like(told[0][0], "bend the left knee 30 degrees more")
        assert taken.view == find_pose(pose).view
    with pytest.raises(InputError, match="too little of the person"):
        legs = [f"{s}_{p}" for s in ("left", "right") for p in ("knee", "elbow", "hip")]
        take_pose(Gauges(_without(_track("tree"), *legs)), "half")


@pytest.mark.parametrize("pose", POSES)
def test_pose_files_come_back(pose: str, tmp_path: Path) -> None:
    target = replace(find_pose(pose), about='with "quotes" and ü')
    file = tmp_path / "p.toml"
    file.write_text(format_pose(target), encoding="utf-8")
    back = read_pose(file)
    assert set(back.checks) == set(target.checks)
    assert (back.name, back.view, back.about) == (target.name, target.view, target.about)


CHECK = '[[checks]]\nmeasure = "angle.knee"\nideal = 90\n'
HEAD = 'poise_pose = 1\nname = "x"\nview = "side"\n'


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a = = 1", "is no TOML: .*line 1"),
        ('name = "x"', "is no pose file: it has no 'poise_pose = 1'"),
        ("poise_pose = 7\n", "line 1: is a pose file of version 7; this Poise reads version 1"),
        ('poise_pose = 1\nview = "top"\n' + CHECK, "line 2: view: no view named 'top'; choose one"),
        (HEAD, "it has no checks; add one under"),
        (HEAD + CHECK + CHECK.replace("knee", "left_kne"),
         r"line 8: measure: no joint named 'left_kne'; did you mean 'left_knee'\?"),
        (HEAD + CHECK.replace("angle", "angel"), r"line 5: .*'angel'; did you mean 'angle'\?"),
        (HEAD + CHECK.replace("angle.knee", "heading.knee"), "line 5: measure: no limb named"),
        (HEAD + CHECK.replace("90", "270"), "line 6: ideal: wanted 0 to 180, got 270"),
        (HEAD + CHECK.replace("90", "nan"), "line 6: ideal: wanted 0 to 180, got nan"),
        (HEAD + CHECK.replace("90", '"90"'), "line 6: ideal: wanted a number, got '90'"),
        (HEAD + CHECK + "tolerence = 5\n",
         r"line 7: no key named 'tolerence'; did you mean 'tolerance'\?"),
        (HEAD + "[[checks]]\nideal = 5\n", "line 4: a check has no 'measure'"),
        (HEAD + CHECK + CHECK, "checks 'angle.left_knee' twice"),
        (HEAD + 'speed = 3\n' + CHECK, "line 4: no key named 'speed'"),
    ],
)  # fmt: skip
def test_bad_pose_files(text: str, wanted: str, tmp_path: Path) -> None:
    file = tmp_path / "bad.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=wanted) as caught:
        read_pose(file)
    assert "\n" not in str(caught.value) and "bad.toml" in str(caught.value)


def test_own_words() -> None:
    check = Check("heading.thigh".replace("thigh", "left_thigh"), 0, more="sink {degrees} deeper")
    track = _track("squat", "leg_front", -30.0)
    found = judge(Gauges(track), Target("deep", "side", (check, Check("angle.left_knee", 75))))
    assert tell(found)[0][0] == "sink 30 deeper"


def test_lines_that_lie_across_are_lifted_at_one_end() -> None:
    for mirror, side in ((False, "left"), (True, "right")):
        told = tell(_judge(_track("tree", "body_roll", 30.0, 0.0, mirror), "tree"))
        said = [text for text, finding in told if finding.check.part == "hips"]
        assert len(said) == 1 and _like(said[0], f"lift the {side} end of the hips by 30 degrees")


def test_a_side_plank_sags() -> None:
    vector = angles({**POSES["side-plank"], "left_leg_side": -25, "right_leg_side": 25})
    show = Choreography((Beat(1.0, lambda _: vector),), vector)
    track = Stage(Dancer(show), duration=1 / 30, camera=Camera(distance=40.0)).clip().track(1)
    assert _like(_first(track, "side-plank"), "lift the hips by 25 degrees")


def test_view_is_doubted() -> None:
    front = _track("plank", "", 0.0, -90.0)
    note = view_note(_judge(front, "plank"), Gauges(front))
    assert note == "seen from the front, but plank is judged from the side"
    side = _track("plank")
    assert view_note(_judge(side, "plank"), Gauges(side)) is None


def test_limbs_have_the_colour_of_their_worst_finding() -> None:
    levels = limb_levels(_judge(_track("warrior-ii", "left_knee", -30.0), "warrior-ii"))
    assert levels[frozenset(("left_knee", "left_ankle"))] == 1
    assert levels[frozenset(("right_knee", "right_ankle"))] == 0
    mirrored = limb_levels(
        _judge(_track("warrior-ii", "left_knee", -70.0, 0.0, True), "warrior-ii")
    )
    assert mirrored[frozenset(("right_knee", "right_ankle"))] == 2


@pytest.fixture
def film(tmp_path: Path) -> str:
    show = sequence((angles(POSES["tree"]), 0.5), ("hold", 1.5))
    path = tmp_path / "tree.jsonl"
    write_clip(Stage(Dancer(show), size=(320, 240), fps=15).clip(), path)
    return str(path)


def _run(capsys: pytest.CaptureFixture[str], *words: object, code: int = 0) -> tuple[str, str]:
    assert run(["correct", *map(str, words), "--no-progress"]) == code
    said = capsys.readouterr()
    if code:
        assert said.err.count("\n") == 1 and said.out == ""
    return said.out, said.err


def test_command(film: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = _run(capsys, film, "--pose", "tree")
    lines = out.splitlines()
    assert re.fullmatch(r"tree, left: 100 of 100 at \d\.\d s; 100 % judged", lines[0])
    assert re.fullmatch(r"held \d\.\d s, from 0\.\d to 2\.0 s", lines[1])
    out, _ = _run(capsys, film)
    assert out.startswith("nearest to tree (then ")
    document = json.loads(_run(capsys, film, "--json", "--pose", "chair")[0])
    assert document["pose"] == "chair" and document["score"] < 40
    assert {"text", "measure", "part", "value", "ideal", "off"} == set(document["corrections"][0])
    saved = tmp_path / "mine.toml"
    _run(capsys, "--pose", "tree", "--save-pose", saved)
    assert read_pose(saved).checks == read_pose(saved).checks
    assert "tree, left: 100" in _run(capsys, film, "--pose", saved)[0]


def test_command_paints(film: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture, video = tmp_path / "best.png", tmp_path / "all.mp4"
    _run(capsys, film, "--pose", "warrior-ii", "-o", picture)
    pixels = np.asarray(Image.open(picture)).reshape(-1, 3)
    for colour in COLOURS[:3:2]:  # the trunk is right, the arms are not
        assert (np.abs(pixels.astype(int) - colour).max(axis=1) < 12).any()
    _run(capsys, film, "--pose", "tree", "-o", video)
    assert video.stat().st_size > 1000


def test_command_refuses(film: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cases: Sequence[tuple[list[object], int, str]] = [
        (
            [film, "--pose", "wariror-ii"],
            2,
            "no pose named 'wariror-ii'; did you mean 'warrior-ii'?",
        ),
        ([film, "--pose", tmp_path / "no.jpg"], 6, "no such file"),
        ([film, "--pose", film], 6, "frames, and a pose is one; name a picture"),
        ([film, "--person", "9"], 2, "no person with id 9"),
        ([], 2, "no source was named"),
        ([film, "--save-pose", tmp_path / "a.toml"], 2, "'auto' is no pose that can be saved"),
        ([film, "-o", film], 7, "is also the source"),
        ([tmp_path / "none.mp4", "--pose", "tree"], 6, "no such file"),
    ]
    for words, code, wanted in cases:
        assert wanted in _run(capsys, *words, code=code)[1]


def test_unknown_pose() -> None:
    with pytest.raises(UsageError, match=r"no pose named 'planck'; did you mean 'plank'\?"):
        find_pose("planck")
