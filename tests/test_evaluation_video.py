"""Videos: jitter and lag against what was put in, the truth of clips, the walk over a video."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media import write_video
from poise.cli.app import run
from poise.clip import Clip, Header
from poise.errors import InputError, MissingExtraError
from poise.evaluation import follow, match, read_annotations
from poise.evaluation.motion import measure_lag, measure_motion, walks
from poise.evaluation.readers.clips import clip_truth
from poise.evaluation.readers.entries import KEYPOINT_SHARE
from poise.evaluation.report.gallery import choose_worst
from poise.evaluation.tracks import has_tracks, measure_identities
from poise.io import write_clip
from poise.poses import Poses
from poise.skeleton import get_skeleton
from poise.testing import FakeModel, blob_picture

COCO = get_skeleton("coco17")
SHAPE = np.random.default_rng(0).uniform(0, 200, (17, 2))


def frame(places: list[np.ndarray], index: int, ids: list[int] | None = None) -> Poses:
    points = np.array(places, np.float32).reshape(-1, 17, 2)
    chosen = list(range(1, len(points) + 1)) if ids is None else ids
    return Poses(
        COCO, points, np.ones(points.shape[:2], np.float32),
        ids=np.array(chosen, np.int64), index=index, time=index / 25, size=(640, 480),
    )  # fmt: skip


def clip(frames: list[Poses]) -> Clip:
    return Clip(tuple(frames), Header(COCO, size=(640, 480), fps=25))


def swing(frames: int, *, delay: float = 0.0) -> np.ndarray:
    """One person who waves: (T, 17, 2), so many frames late."""
    times = np.arange(frames) - delay
    way = np.stack([40 * np.sin(times / 9), 25 * np.sin(times / 6 + 1)], axis=1)
    return SHAPE + 100 + way[:, None] * np.linspace(0, 1, 17)[:, None]


def moved(found: np.ndarray, true: np.ndarray) -> object:
    truth = clip_truth(clip([frame([one], t) for t, one in enumerate(true)]))
    poses = [frame([one], t) for t, one in enumerate(found)]
    return measure_motion(truth, match(truth, poses), np.arange(len(true)) / 25)


@settings(max_examples=25, deadline=None)
@given(delay=st.floats(-8, 8), noise=st.sampled_from([0.0, 0.5]), offset=st.floats(-4, 4))
def test_a_lag_is_found_to_a_part_of_a_frame(delay: float, noise: float, offset: float) -> None:
    rng = np.random.default_rng(1)
    found = swing(120, delay=delay) + offset + rng.normal(0, noise, (120, 17, 2))
    assert measure_lag(found, swing(120), 200.0) == pytest.approx(delay, abs=0.1)


def test_a_lag_needs_motion_and_frames() -> None:
    still = np.repeat(SHAPE[None], 60, axis=0)
    assert math.isnan(measure_lag(still, still, 200.0))
    assert math.isnan(measure_lag(swing(15), swing(15), 200.0))
    assert math.isnan(measure_lag(np.full((60, 17, 2), np.nan), swing(60), 200.0))


def test_jitter_is_the_second_difference_in_shares_of_the_size() -> None:
    rng = np.random.default_rng(2)
    still = np.repeat(SHAPE[None] + 100, 400, axis=0)
    size = (SHAPE.max(axis=0) - SHAPE.min(axis=0)).max()
    motion = moved(still + rng.normal(0, 0.8, still.shape), still)
    # Of independent noise of sigma s the second difference has the variance 6 s² on each axis,
    # and the mean length of a round Gaussian is sqrt(pi / 2) sigmas.
    wanted = np.sqrt(6) * 0.8 * np.sqrt(np.pi / 2) / size
    assert motion.jitter == pytest.approx(wanted, rel=0.02)
    assert motion.rest_jitter == pytest.approx(wanted, rel=0.02)
    assert motion.true_jitter == 0
    assert motion.rests == 396 * 17
    assert math.isnan(motion.lag_frames)


def test_only_what_rests_counts_at_rest() -> None:
    true = swing(200)
    motion = moved(swing(200, delay=3.0), true)
    assert motion.lag_frames == pytest.approx(3, abs=0.1)
    assert motion.lag_ms == pytest.approx(3 * 40, abs=4)
    assert motion.jitter == pytest.approx(motion.true_jitter, rel=0.1)
    # The first keypoint does not move at all, and those near it hardly.
    assert 196 <= motion.rests < 0.3 * 196 * 17
    assert motion.rest_jitter < motion.jitter / 4


def test_people_are_followed_by_the_truths_ids() -> None:
    first, second = swing(30), swing(30) + 250
    order = [(first, second) if t % 2 else (second, first) for t in range(30)]
    true = [
        frame([one[t], two[t]], t, [1, 2] if t % 2 else [2, 1])
        for t, (one, two) in enumerate(order)
    ]
    truth = clip_truth(clip(true))
    found = [frame([first[t], second[t]], t) for t in range(30)]
    ways = list(walks(truth, match(truth, found)))
    assert len(ways) == 2
    for seen, real in ways:
        np.testing.assert_allclose(seen, real, atol=1e-3)


def test_the_truth_of_a_clip(tmp_path: Path) -> None:
    points = swing(3)
    points[1, 4] = np.nan
    path = tmp_path / "truth.jsonl"
    write_clip(clip([frame([one], t) for t, one in enumerate(points)]), path)
    truth = read_annotations(path)
    assert truth.dataset == "clip"
    assert [picture.id for picture in truth.pictures] == [0, 1, 2]
    person = truth.pictures[1].people[0]
    assert person.id == 1
    assert person.keypoints[4].tolist() == [0, 0, 0]
    seen = person.points[np.isfinite(person.points[:, 0])]
    box = seen.max(axis=0) - seen.min(axis=0)
    assert person.area == pytest.approx(KEYPOINT_SHARE * box.prod(), rel=1e-3)


def test_ids_are_judged_only_where_both_sides_have_them() -> None:
    true = [frame([one], t) for t, one in enumerate(swing(4))]
    truth = clip_truth(clip(true))
    assert has_tracks(truth, true)
    assert not has_tracks(truth, [one.replace(ids=None) for one in true])
    assert not has_tracks(clip_truth(clip([one.replace(ids=None) for one in true])), true)
    assert not has_tracks(clip_truth(clip(true[:1])), true[:1])


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "trackeval", None)
    true = [frame([one], t) for t, one in enumerate(swing(4))]
    with pytest.raises(MissingExtraError, match=r"pip install 'poise\[tracks\]'"):
        measure_identities(clip_truth(clip(true)), true)


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """Somebody who walks through 30 frames, as the fake model sees it, without ids."""
    pictures = [blob_picture([(20 + t, 10, 70 + t, 110)]) for t in range(30)]
    path = write_video(tmp_path / "walk.mp4", pictures, fps=25)
    model = FakeModel()
    frames = [
        model(picture).replace(index=t, time=t / 25, ids=None) for t, picture in enumerate(pictures)
    ]
    write_clip(Clip(tuple(frames), Header(COCO, size=(160, 120), fps=25)), tmp_path / "truth.jsonl")
    return path


def test_a_video_is_followed(video: Path) -> None:
    truth = read_annotations(video.with_name("truth.jsonl"))
    told: list[int] = []
    estimates = follow(FakeModel(), truth, video, report=lambda done, total: told.append(done))
    assert len(estimates.found) == 30
    assert all(poses.ids is not None for poses in estimates.found)
    assert told[-1] == 30
    assert match(estimates.truth, estimates.found).oks.min() > 0.5


def test_the_command_takes_a_video(video: Path, capsys: pytest.CaptureFixture[str]) -> None:
    truth = video.with_name("truth.jsonl")
    line = ["evaluate", "-m", "fake", "--images", str(video), "--annotations", str(truth)]
    assert run([*line, "--json", "--no-progress"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["images"], document["people"], document["matched"]) == (30, 30, 30)
    assert document["mean_oks"] > 0.8
    assert document["identities"] is None  # the truth has no ids
    out = video.with_name("report")
    assert run([*line, "--report", str(out), "--no-progress"]) == 0
    text = (out / "report.html").read_text(encoding="utf-8")
    assert text.count("<figure>") == 24
    assert re.search(r"frame \d+ ·", text)
    capsys.readouterr()
    assert run([*line, "--boxes", "gt"]) == 2
    assert "goes with a folder of pictures, not with a video" in capsys.readouterr().err


def test_a_video_of_another_size_or_without_the_frames(video: Path) -> None:
    truth = read_annotations(video.with_name("truth.jsonl"))
    small = write_video(video.with_name("small.mp4"), [blob_picture([], (80, 60))] * 30)
    with pytest.raises(InputError, match=r"small\.mp4: is 80x60, annotated as 160x120"):
        follow(FakeModel(), truth, small)
    short = write_video(video.with_name("short.mp4"), [blob_picture([])] * 3)
    assert len(follow(FakeModel(), truth, short).missing) == 27


def test_the_worst_frames_of_somebody_are_some_frames_apart() -> None:
    true = swing(60)
    truth = clip_truth(clip([frame([one], t) for t, one in enumerate(true)]))
    found = [frame([one + t], t) for t, one in enumerate(true)]
    matched = match(truth, found)
    rows = choose_worst(matched, truth)
    places = matched.pictures[rows]
    assert len(rows) > 2
    assert min(abs(a - b) for a in places for b in places if a != b) >= 12


def test_without_the_extra_the_rest_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "trackeval", None)
    path = tmp_path / "truth.jsonl"
    write_clip(clip([frame([one], t) for t, one in enumerate(swing(40))]), path)
    line = ["evaluate", "--annotations", str(path), "--predictions", str(path), "--json"]
    assert run(line) == 0
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert document["identities"] is None
    assert document["motion"]["lag_frames"] == pytest.approx(0, abs=0.05)
    assert "note: ids are not judged; HOTA and IDF1 need TrackEval: pip install" in err


@pytest.mark.parametrize("option", ["--annotations", "--predictions"])
def test_files_of_no_kind(tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str) -> None:
    path = tmp_path / "truth.jsonl"
    write_clip(clip([frame([one], t) for t, one in enumerate(swing(4))]), path)
    (tmp_path / "letter.txt").write_text("Dear Sir,", encoding="utf-8")
    line = ["evaluate", "--annotations", str(path), "--predictions", str(path)]
    assert run([*line, option, str(tmp_path / "letter.txt")]) == 6
    said = "holds something else; give COCO" if option == "--annotations" else "holds no people"
    assert said in capsys.readouterr().err
