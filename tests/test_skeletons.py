"""Body layouts: known orders, mirroring, conversion by name between every pair."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from poise.errors import UsageError
from poise.poses import Poses
from poise.skeleton import Skeleton, conversion, get_skeleton, skeleton_names
from poise.skeleton_sigmas import LAYOUT_SIGMAS, SIGMAS
from poise.skeleton_table import ALIASES, DERIVED, LAYOUTS

NAMES = skeleton_names()
PAIRS = [(a, b) for a in NAMES for b in NAMES]
COUNTS = {
    "coco17": 17, "coco18": 18, "body25": 25, "body25b": 25, "mpii15": 15, "mpii16": 16,
    "blazepose33": 33, "halpe26": 26, "wholebody133": 133, "lsp14": 14, "aic14": 14, "h36m17": 17,
    "halpe136": 136, "crowdpose14": 14, "posetrack17": 17, "jhmdb15": 15,
    "hands42": 42, "face478": 478, "holistic553": 553,
}  # fmt: skip
# Layouts of a part of the body, which share nothing with some others.
PARTS = {"hands42", "face478"}


def someone(skeleton: Skeleton, people: int = 2, *, seed: int = 0) -> Poses:
    random = np.random.default_rng(seed)
    shape = (people, len(skeleton))
    return Poses(
        skeleton,
        random.uniform(1, 900, (*shape, 2)).astype(np.float32),
        random.uniform(0.1, 1, shape).astype(np.float32),
        xyz=random.normal(size=(*shape, 3)).astype(np.float32),
        ids=np.arange(people),
        index=7,
        time=0.5,
        size=(900, 900),
    )


def test_all_layouts_stand_with_their_counts() -> None:
    assert {name: len(get_skeleton(name)) for name in NAMES} == COUNTS


@pytest.mark.parametrize("name", NAMES)
def test_layout_is_sound(name: str) -> None:
    skeleton = get_skeleton(name)
    assert skeleton.name == name
    assert skeleton.edges
    assert len({frozenset(edge) for edge in skeleton.edges}) == len(skeleton.edges)
    assert all(a != b for a, b in skeleton.edges)
    for keypoint in skeleton.keypoints:
        assert keypoint == keypoint.lower() and keypoint.replace("_", "").isalnum()
        if "left" in keypoint or "right" in keypoint:
            assert keypoint.startswith(("left_", "right_"))
    # Every keypoint is drawn but the ones that nothing joins.
    joined = {end for edge in skeleton.edges for end in edge}
    alone = {keypoint for i, keypoint in enumerate(skeleton.keypoints) if i not in joined}
    assert all("mesh" in keypoint or keypoint.endswith("_iris") for keypoint in alone)


@pytest.mark.parametrize("name", NAMES)
def test_flip_mirrors_sides_and_is_an_involution(name: str) -> None:
    skeleton = get_skeleton(name)
    flip = skeleton.flip
    assert np.array_equal(flip[flip], np.arange(len(skeleton)))
    for keypoint, other in zip(skeleton.keypoints, flip, strict=True):
        mirrored = skeleton.keypoints[other]
        if keypoint.startswith("left_"):
            assert mirrored == "right_" + keypoint[5:]
        elif not keypoint.startswith("right_"):
            assert mirrored == keypoint


@pytest.mark.parametrize("name", NAMES)
def test_edges_mirror_into_edges(name: str) -> None:
    skeleton = get_skeleton(name)
    edges = {frozenset(edge) for edge in skeleton.edges}
    mirrored = {frozenset(int(skeleton.flip[end]) for end in edge) for edge in skeleton.edges}
    assert mirrored == edges


def test_face_and_hands_mirror_as_published() -> None:
    """The mirrored numbers of the 68 face points (iBUG 300-W) and of the two hands."""
    flip = get_skeleton("wholebody133").flip
    face = [
        *range(16, -1, -1), *range(26, 16, -1), 27, 28, 29, 30, 35, 34, 33, 32, 31,
        45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40, 54, 53, 52, 51, 50, 49, 48,
        59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65,
    ]  # fmt: skip
    assert (flip[23:91] - 23).tolist() == face
    assert flip[91:112].tolist() == list(range(112, 133))


def test_known_orders() -> None:
    def at(name: str, **wanted: int) -> None:
        skeleton = get_skeleton(name)
        assert {keypoint: skeleton.find(keypoint) for keypoint in wanted} == wanted

    at("coco17", nose=0, left_eye=1, right_ankle=16)
    at("coco18", neck=1, right_shoulder=2, right_hip=8, left_ankle=13, left_ear=17)
    at("body25", mid_hip=8, left_ankle=14, right_eye=15, left_big_toe=19, right_heel=24)
    at("body25b", right_ankle=16, upper_neck=17, head_top=18, left_small_toe=20, right_big_toe=22)
    at("mpii15", head_top=0, upper_neck=1, right_wrist=4, left_ankle=13, chest=14)
    at("mpii16", right_ankle=0, left_ankle=5, pelvis=6, thorax=7, right_wrist=10, left_wrist=15)
    at("blazepose33", left_eye=2, left_mouth=9, left_shoulder=11, left_hip=23, right_foot_index=32)
    at("halpe26", head_top=17, mid_hip=19, left_big_toe=20, right_big_toe=21, right_heel=25)
    at("wholebody133", left_heel=19, right_jaw_0=23, chin=31, left_hand_root=91)
    at("wholebody133", left_thumb_1=92, left_pinky_finger_4=111, right_hand_root=112)
    at("lsp14", right_ankle=0, left_ankle=5, right_wrist=6, upper_neck=12, head_top=13)
    at("aic14", right_shoulder=0, left_shoulder=3, left_ankle=11, head_top=12, upper_neck=13)
    at("h36m17", pelvis=0, left_hip=1, right_ankle=6, spine=7, head=10, right_wrist=16)


def test_sigmas_are_the_published_ones() -> None:
    assert get_skeleton("coco17").sigmas[[0, 5, 11, 15]] == pytest.approx(
        [0.026, 0.079, 0.107, 0.089]
    )
    whole = get_skeleton("wholebody133").sigmas
    assert whole[[17, 20, 23, 90, 91, 112, 132]] == pytest.approx(
        [0.068, 0.092, 0.042, 0.008, 0.029, 0.029, 0.031]
    )
    halpe = get_skeleton("halpe26").sigmas
    assert halpe[[17, 18, 19, 20, 25]] == pytest.approx([0.026, 0.026, 0.066, 0.079, 0.079])
    for name, sigmas in LAYOUT_SIGMAS.items():
        assert len(sigmas) == len(get_skeleton(name))
    for name in NAMES:
        assert (get_skeleton(name).sigmas > 0).all()
    assert set(SIGMAS) <= {keypoint for keypoints, _ in LAYOUTS.values() for keypoint in keypoints}


@pytest.mark.parametrize(("a", "b"), PAIRS, ids=lambda name: name)
def test_conversion_by_name_guesses_nothing(a: str, b: str) -> None:
    source, target = get_skeleton(a), get_skeleton(b)
    before = someone(source)
    after = before.to(target)
    assert after.skeleton == target and after.index == 7 and after.size == (900, 900)
    np.testing.assert_array_equal(after.boxes, before.boxes)
    np.testing.assert_array_equal(after.ids, before.ids)
    for place, keypoint in enumerate(target.keypoints):
        names = [n for n in (keypoint, *ALIASES.get(keypoint, ())) if source.find(n) is not None]
        parts = [source.find(part) for part in DERIVED.get(keypoint, ())]
        if names:
            row = source.find(names[0])
            np.testing.assert_array_equal(after.keypoints[:, place], before.keypoints[:, row])
            np.testing.assert_array_equal(after.scores[:, place], before.scores[:, row])
            np.testing.assert_array_equal(after.xyz[:, place], before.xyz[:, row])
        elif parts and None not in parts:
            middle = before.keypoints[:, parts].mean(axis=1)
            np.testing.assert_allclose(after.keypoints[:, place], middle, rtol=1e-5)
            np.testing.assert_array_equal(after.scores[:, place], before.scores[:, parts].min(1))
        else:
            assert np.isnan(after.keypoints[:, place]).all()
            assert np.isnan(after.xyz[:, place]).all()
            assert (after.scores[:, place] == 0).all()


@pytest.mark.parametrize(("a", "b"), PAIRS, ids=lambda name: name)
def test_shared_keypoints_survive_a_round_trip(a: str, b: str) -> None:
    source, target = get_skeleton(a), get_skeleton(b)
    before = someone(source)
    back = before.to(target).to(source)
    shared = [i for i, name in enumerate(source.keypoints) if target.find(name) is not None]
    assert shared or {a, b} & PARTS
    np.testing.assert_array_equal(back.keypoints[:, shared], before.keypoints[:, shared])
    np.testing.assert_array_equal(back.scores[:, shared], before.scores[:, shared])


@pytest.mark.parametrize(("a", "b"), list(combinations(NAMES, 2)), ids=lambda name: name)
def test_conversion_and_flip_commute(a: str, b: str) -> None:
    """Mirroring before converting is mirroring after it."""
    source, target = get_skeleton(a), get_skeleton(b)
    weights = conversion(source, target)
    np.testing.assert_array_equal(weights[target.flip][:, source.flip], weights)


def test_different_landmarks_have_different_names() -> None:
    """The neck between the shoulders is not the upper neck; a foot's tip is no toe."""
    mpii, coco, blaze = (get_skeleton(n) for n in ("mpii16", "coco17", "blazepose33"))
    assert np.isnan(someone(coco).to(mpii).keypoints[:, mpii.find("upper_neck")]).all()
    assert np.isnan(someone(coco).to(mpii).keypoints[:, mpii.find("thorax")]).all()
    body = get_skeleton("body25")
    converted = someone(blaze).to(body)
    assert np.isnan(converted.keypoints[:, body.find("left_big_toe")]).all()
    assert np.isfinite(converted.keypoints[:, body.find("left_heel")]).all()
    assert np.isfinite(converted.keypoints[:, body.find("neck")]).all()


def test_derived_keypoint_is_absent_when_a_part_is() -> None:
    coco, body = get_skeleton("coco17"), get_skeleton("body25")
    poses = someone(coco, 1)
    keypoints = poses.keypoints.copy()
    keypoints[0, coco.find("left_shoulder")] = np.nan
    moved = poses.replace(keypoints=keypoints).to(body)
    assert np.isnan(moved.keypoints[0, body.find("neck")]).all()
    assert moved.scores[0, body.find("neck")] == 0
    assert np.isfinite(moved.keypoints[0, body.find("mid_hip")]).all()


def test_unknown_skeleton_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'body25'"):
        get_skeleton("body_25")
    with pytest.raises(UsageError, match="choose one of coco17, coco18"):
        get_skeleton("zzz")


def test_bad_skeletons_are_refused() -> None:
    with pytest.raises(UsageError, match="same name"):
        Skeleton("x", ("nose", "nose"), ())
    with pytest.raises(UsageError, match=r"edge \(0, 2\)"):
        Skeleton("x", ("nose", "neck"), ((0, 2),))
    with pytest.raises(UsageError, match="edge"):
        Skeleton("x", ("nose", "neck"), ((-1, 0),))


@given(st.lists(st.sampled_from(LAYOUTS["wholebody133"][0]), unique=True, max_size=30))
def test_flip_of_any_part_of_a_body_is_an_involution(keypoints: list[str]) -> None:
    flip = Skeleton("part", tuple(keypoints), ()).flip
    assert np.array_equal(flip[flip.astype(int)] if len(flip) else flip, np.arange(len(keypoints)))
