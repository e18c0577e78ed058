"""What each keypoint format gives back of what was put into it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clips_made_up import assert_same_people, clips
from poise.clip import Clip, Header
from poise.io import detect_format, read_clip, write_clip
from poise.io.formats.registry import FORMATS
from poise.poses import Poses
from poise.skeleton import get_skeleton, skeleton_names

QUICK = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@dataclass(frozen=True)
class Case:
    """One format: what it holds, and how exactly."""

    format: str
    name: str
    skeletons: tuple[str, ...] = ("coco17", "blazepose33", "body25", "wholebody133")
    empty_frames: bool = True
    names: bool = False
    header: bool = False
    holds: dict[str, Any] = field(default_factory=dict)


NO_XYZ = {"xyz": False}
BARE = {"xyz": False, "ids": False, "boxes": False, "person": None}
EXACT = {"pixel": 0, "score": 0, "person": 0}
PIFPAF = {"xyz": False, "score": 0.00505, "person": 0.000505}
COUNTED = ("coco17", "halpe26", "wholebody133")
OPENPOSE = ("body25", "body25b", "coco18", "mpii15")
CASES = [
    Case("jsonl", "ä b.jsonl", names=True, header=True),
    Case("npz", "图.npz", names=True, header=True, holds=EXACT),
    Case("parquet", "é.parquet", names=True, header=True, holds=EXACT),
    Case("csv", "ü.csv", empty_frames=False),
    Case("openpose", "öp/", OPENPOSE, holds={"boxes": False, "person": None}),
    Case("coco", "ç.json", ("coco17",), empty_frames=False, holds=NO_XYZ),
    Case("coco-annotations", "a.json", names=True, holds={**NO_XYZ, "score": 1, "person": None}),
    Case("alphapose", "alphapose-results.json", COUNTED, False, names=True, holds=NO_XYZ),
    Case("alphapose-cmu", "cmu.json", ("coco18",), False, names=True, holds=BARE),
    Case("alphapose-open", "open.json", ("coco18",), False, names=True, holds=BARE),
    Case("mmpose", "mm.json", (*COUNTED, "mpii16"), holds=NO_XYZ),
    Case("openpifpaf", "p.predictions.json", ("coco17", "wholebody133"), holds=PIFPAF),
    Case("openpifpaf", "pifpaf folder/", ("coco17", "wholebody133"), names=True, holds=PIFPAF),
]


@pytest.fixture(autouse=True, scope="module")
def quick_disk() -> Iterator[None]:
    """Thousands of small files need not reach the disk."""
    with mock.patch("os.fsync"):
        yield


def kept(case: Case, clip: Clip) -> list[Any]:
    return [poses for poses in clip.frames if case.empty_frames or len(poses)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.format} {case.name}")
@given(data=st.data())
@QUICK
def test_round_trip(case: Case, data: st.DataObject) -> None:
    clip = data.draw(clips(case.skeletons, named=data.draw(st.booleans())))
    frames = kept(case, clip)
    with tempfile.TemporaryDirectory(prefix="пуаз ") as folder:
        path = f"{folder}/{case.name}"
        write_clip(clip, path, format=case.format)
        # Without people, most formats have nothing to be known by or to choose a layout by.
        known = case.header or case.format == "csv" or any(len(poses) for poses in frames)
        back = read_clip(
            path,
            format=None if known else case.format,
            skeleton=None if known or case.format == "coco-annotations" else clip.skeleton,
            fps=29.97,
        )
        if known:
            assert detect_format(path) == case.format
        assert sorted(p.name for p in Path(folder).iterdir()) == [Path(path).name], "no debris"
    assert len(back) == len(frames) or (not frames and len(back) <= 1)
    for before, after in zip(frames, back.frames, strict=False):
        assert_same_people(before, after, **case.holds)
        assert after.index == before.index
        assert after.time == pytest.approx(before.time, abs=2e-6)
    if clip.names and case.names and frames:
        pairs = zip(clip.names, clip.frames, strict=True)
        assert list(back.names or ()) == [n for n, p in pairs if case.empty_frames or len(p)]
    if case.header:
        assert back.header == clip.header
        assert back.truncated == clip.truncated
        assert [poses.size for poses in back.frames] == [poses.size for poses in frames]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.format} {case.name}")
@given(clip=clips(("coco17",), solid=False))
@QUICK
def test_second_round_trip_changes_nothing(case: Case, clip: Clip) -> None:
    """What was read is written again as the same bytes."""
    with tempfile.TemporaryDirectory() as folder:
        first, second = (f"{folder}/{n}/{case.name}" for n in "ab")
        for path in (first, second):
            Path(path).parent.mkdir()
        write_clip(clip, first, format=case.format)
        skeleton = (
            None
            if case.format == "coco-annotations" or case.header or case.format == "csv"
            else (clip.skeleton.name if clip.skeleton.name in case.skeletons else case.skeletons[0])
        )
        back = read_clip(first, format=case.format, skeleton=skeleton)
        write_clip(back, second, format=case.format)
        if case.format == "openpose":  # the file's name tells the source, which it cannot hold
            pairs = zip(sorted(Path(first).iterdir()), sorted(Path(second).iterdir()), strict=True)
            assert all(a.read_bytes() == b.read_bytes() for a, b in pairs)
        elif Path(first).is_file() and case.format != "npz":
            assert Path(second).read_bytes() == Path(first).read_bytes()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.format} {case.name}")
def test_every_format_takes_every_skeleton(case: Case, tmp_path: Path) -> None:
    """A layout that the format cannot hold is converted by name."""
    for number, name in enumerate(skeleton_names()):
        skeleton = get_skeleton(name)
        points = np.random.default_rng(0).uniform(1, 99, (1, len(skeleton), 2)).astype(np.float32)
        poses = Poses(skeleton, points, np.full((1, len(skeleton)), 0.75, np.float32))
        path = tmp_path / str(number)
        path.mkdir()
        write_clip(Clip((poses,), Header(skeleton)), f"{path}/{case.name}", format=case.format)
        back = read_clip(f"{path}/{case.name}")
        held = FORMATS[case.format].writer.skeletons
        wanted = name if not held or name in held else held[0]
        assert back.skeleton.name == wanted
        expected = poses.to(get_skeleton(wanted))
        np.testing.assert_allclose(back.frames[0].keypoints, expected.keypoints, atol=0.006)
