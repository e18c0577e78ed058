"""Clips for the format tests, and what it means that two are the same."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from poise.clip import Clip, Header
from poise.poses import Poses
from poise.skeleton import get_skeleton

CROWD_FRAMES = 60


@st.composite
def clips(
    draw: st.DrawFn,
    skeletons: tuple[str, ...] = ("coco17", "blazepose33", "body25"),
    *,
    solid: bool = True,
    named: bool = False,
) -> Clip:
    """Up to four frames of up to three people, some keypoints absent, some frames empty."""
    skeleton = get_skeleton(draw(st.sampled_from(skeletons)))
    counts = draw(st.lists(st.integers(0, 3), min_size=1, max_size=4))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    tracked, has_xyz = draw(st.booleans()), solid and draw(st.booleans())
    absent = draw(st.sampled_from([0.0, 0.3, 1.0]))
    size = draw(st.sampled_from([(640, 480), (7680, 4320), (0, 0)]))
    start = draw(st.sampled_from([0, 5, 99_999]))
    frames = [
        _frame(random, skeleton, count, tracked, has_xyz, absent).replace(
            index=start + 2 * place, time=(start + 2 * place) / 29.97, size=size
        )
        for place, count in enumerate(counts)
    ]
    text = st.text(st.characters(codec="utf-8", exclude_characters="\0/"), max_size=8)
    header = Header(
        skeleton, draw(text), "f32", draw(text), size, draw(st.sampled_from([None, 25.0]))
    )
    names = tuple(f"Ünïcode 图 {poses.index}.jpg" for poses in frames) if named else None
    return Clip(tuple(frames), header, names, draw(st.booleans()))


def _frame(random, skeleton, count, tracked, has_xyz, absent):  # type: ignore[no-untyped-def]
    shape = (count, len(skeleton))
    gone = random.uniform(size=shape) < absent
    keypoints = random.uniform(-50, 8000, (*shape, 2)).astype(np.float32)
    keypoints[gone] = np.nan
    xyz = random.normal(size=(*shape, 3)).astype(np.float32)
    xyz[gone] = np.nan
    corner = random.uniform(0, 4000, (count, 2))
    return Poses(
        skeleton,
        keypoints,
        random.uniform(0.02, 1, shape).astype(np.float32),
        boxes=np.hstack([corner, corner + random.uniform(1, 3000, (count, 2))]),
        ids=random.permutation(50)[:count] if tracked else None,
        xyz=xyz if has_xyz else None,
        person_scores=random.uniform(0.01, 3, count),
    )


def assert_same_people(
    a: Poses,
    b: Poses,
    *,
    pixel: float = 0.00501,
    score: float = 0.0000501,
    person: float | None = 0.0000501,
    ids: bool = True,
    boxes: bool = True,
    xyz: bool = True,
) -> None:
    """Two frames hold the same people, as far as the format can tell, to its precision."""
    # float32 near 8000 has steps of 0.0005 px
    assert b.skeleton == a.skeleton and len(b) == len(a)
    np.testing.assert_allclose(b.keypoints, a.keypoints, rtol=0, atol=pixel + 0.0005)
    np.testing.assert_allclose(b.scores, a.scores, rtol=0, atol=score)
    if boxes:
        np.testing.assert_allclose(b.boxes, a.boxes, rtol=0, atol=2 * pixel + 0.001)
    if person is not None:
        np.testing.assert_allclose(b.person_scores, a.person_scores, rtol=0, atol=person)
    if len(a):
        assert (None if b.ids is None else b.ids.tolist()) == (
            a.ids.tolist() if ids and a.ids is not None else None
        )
    if xyz and a.xyz is not None and len(a):
        assert b.xyz is not None
        np.testing.assert_allclose(b.xyz, a.xyz, rtol=0, atol=0.0000501)
    elif not xyz or a.xyz is None:
        assert b.xyz is None


def make_crowd(
    *people: dict[str, float], frames: int = CROWD_FRAMES, size: tuple[int, int] = (640, 240)
) -> Clip:
    """A clip of people: id, x, height, and the frames from start to end."""
    layout = get_skeleton("coco17")
    built = []
    for index in range(frames):
        here = [p for p in people if p.get("start", 0) <= index < p.get("end", frames)]
        rows = [_person(p["x"], p.get("height", 100.0)) for p in here]
        points = np.array(rows, np.float32).reshape(len(here), 17, 2)
        ids = np.array([p["id"] for p in here], np.int64)
        scores = np.full((len(here), 17), 0.9, np.float32)
        built.append(
            Poses(layout, points, scores, ids=ids, index=index, time=index / 30, size=size)
        )
    return Clip(tuple(built), Header(layout, size=size, fps=30.0))


def _person(x: float, height: float = 100.0, y: float = 120.0) -> np.ndarray:
    """Seventeen keypoints that fill a box a third as wide as high."""
    corners = np.random.default_rng(7).uniform(-0.5, 0.5, (17, 2))
    corners[0], corners[1] = (-0.5, -0.5), (0.5, 0.5)
    return (corners * (height / 3, height) + (x, y)).astype(np.float32)
