"""The walk from a source to poses, on the fake model, the truth and the default weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import poise
from media import write_video
from poise.clip import Clip
from poise.errors import InputError, UsageError
from poise.geometry import box_area, oks
from poise.models.base import PoseModel
from poise.options import Options
from poise.synthetic import Dancer, Stage, arm_raises, dance, jumping_jacks, squats, walk, waves
from poise.testing import FakeCamera, FakeModel, TruthModel, blob_picture


def _moving(count: int) -> list[np.ndarray]:
    return [blob_picture([(x, 20, x + 40, 110)]) for x in range(5, 5 + 4 * count, 4)]


def test_poses_come_in_order_with_the_sources_own_time(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    times = [0.0, 0.1, 0.25, 0.3, 0.7]
    write_video(path, _moving(5), times=times)
    found = list(poise.estimate(path, "fake"))
    assert [poses.index for poses in found] == [0, 1, 2, 3, 4]
    assert [poses.time for poses in found] == pytest.approx(times, abs=1e-3)
    assert all(poses.size == (160, 120) for poses in found)


def test_a_picture_has_no_ids_and_a_video_has(tmp_path: Path) -> None:
    (picture,) = poise.estimate(_moving(1)[0], "fake")
    assert len(picture) == 1 and picture.ids is None
    video = list(poise.estimate(FakeCamera(_moving(3)), "fake"))
    assert [poses.ids.tolist() for poses in video] == [[video[0].ids[0]]] * 3
    untracked = list(poise.estimate(FakeCamera(_moving(3)), "fake", track=False))
    assert all(poses.ids is None for poses in untracked)


def test_ids_begin_anew_at_a_cut() -> None:
    dark, bright = blob_picture([(5, 20, 45, 110)]), 255 - blob_picture([(5, 20, 45, 110)])
    bright[:, :60] = dark[:, :60]
    ids = [p.ids.tolist() for p in poise.estimate(FakeCamera([dark] * 20 + [bright] * 20), "fake")]
    assert ids[0] == ids[19] and ids[-1] == ids[20]
    assert not set(ids[19]) & set(ids[20])


def test_nobody_is_nobody() -> None:
    (poses,) = poise.estimate(blob_picture([]), "fake")
    assert len(poses) == 0


def test_max_people_keeps_the_best() -> None:
    picture = blob_picture([(5, 20, 45, 110), (60, 10, 110, 115), (120, 30, 150, 100)])
    (poses,) = poise.estimate(picture, "fake", max_people=2)
    assert len(poses) == 2


def test_pairs_give_each_frame_its_own_poses() -> None:
    with poise.estimate(FakeCamera(_moving(12)), "fake", smooth="savgol") as found:
        pairs = list(found.pairs())
    assert [frame.index for frame, _ in pairs] == [poses.index for _, poses in pairs]
    for frame, poses in pairs:
        bright = np.flatnonzero(frame.image.max(axis=(0, 2)) > 128)
        assert abs(poses.boxes[0, [0, 2]].mean() - (bright[0] + bright[-1] + 1) / 2) < 4


def test_a_live_source_cannot_wait_for_its_end() -> None:
    with (
        poise.estimate(FakeCamera(_moving(3)), "fake", fill_gaps=0.5) as found,
        pytest.raises(UsageError, match="whole clip"),
    ):
        found.pairs()


def test_gaps_and_swaps_are_mended_on_the_way() -> None:
    stage = Stage([Dancer(walk())], duration=3.0, fps=20.0, size=(160, 120))
    clean = stage.clip("coco17")
    model = TruthModel(stage, skeleton="coco17", dropout=0.1, seed=3)
    raw = list(poise.estimate(stage.frames(), model))
    filled = list(poise.estimate(stage.frames(), model, fill_gaps=0.5))
    missing = sum(len(poses) == 0 for poses in raw)
    assert missing > 2
    assert sum(len(poses) == 0 for poses in filled) < missing / 2
    for poses in filled:
        if len(poses):
            away = poses.keypoints[0] - clean.frames[poses.index].keypoints[0]
            assert np.nanmax(np.abs(away)) < 6


def test_options_are_checked_before_anything_is_read() -> None:
    with pytest.raises(UsageError, match="did you mean 'smooth'"):
        poise.estimate("none.mp4", "fake", smoth="savgol")
    with pytest.raises(InputError, match=r"none\.mp4"):
        poise.estimate("none.mp4", "no-such-model")
    assert Options.of({"stride": 3}, Options(end=4.0)) == Options(stride=3, end=4.0)


def test_an_abandoned_run_lets_go(tmp_path: Path) -> None:
    path = tmp_path / "long.mp4"
    write_video(path, _moving(25) * 8, fps=30)
    with poise.estimate(path, "fake") as found:
        next(found)
    path.unlink()


def test_one_model_serves_two_clips_at_once() -> None:
    model = FakeModel()
    a = poise.estimate(FakeCamera(_moving(6)), model)
    b = poise.estimate(FakeCamera(_moving(6)[::-1]), model)
    pairs = list(zip(a, b, strict=True))
    assert pairs[0][0].boxes[0, 0] < pairs[0][1].boxes[0, 0]
    assert pairs[-1][0].boxes[0, 0] > pairs[-1][1].boxes[0, 0]


# --- real weights on the stage -------------------------------------------------------------------


def _scenes() -> dict[str, Stage]:
    spots = {1: [0.0], 2: [-0.8, 0.8], 3: [-1.3, 0.0, 1.3], 4: [-1.8, -0.6, 0.6, 1.8]}
    moves = [dance(), squats(), waves(), arm_raises()]
    return {
        f"{count} people": Stage(
            [Dancer(moves[i], position=(x, 0.0)) for i, x in enumerate(xs)],
            size=(960, 540),
            fps=8.0,
            duration=3.0,
            seed=count,
        )
        for count, xs in spots.items()
    } | {"jumping": Stage([Dancer(jumping_jacks())], size=(360, 640), fps=15.0, duration=2.0)}


def _errors(stage: Stage, frames: list[poise.Poses]) -> tuple[np.ndarray, int]:
    """Return the error of each match, as a share of the person's height, and the people missed."""
    errors, missed = [], 0
    for poses in frames:
        truth = stage.truth(poses.index).to(poses.skeleton)
        alike = oks(poses.keypoints, truth.keypoints, box_area(truth.boxes), poses.skeleton.sigmas)
        for real, box in enumerate(truth.boxes):
            if not len(poses) or alike[:, real].max() < 0.3:
                missed += 1
                continue
            away = poses.keypoints[alike[:, real].argmax()] - truth.keypoints[real]
            errors.append(np.nanmean(np.hypot(*away.T)) / (box[3] - box[1]))
    return np.array(errors), missed


def _hold_scene(model: PoseModel, name: str) -> None:
    stage = _scenes()[name]
    found = list(poise.estimate(stage.frames(), model))
    errors, missed = _errors(stage, found)
    assert missed <= 0.02 * len(stage) * len(stage.dancers)
    assert errors.mean() < 0.03


def _switches(stage: Stage, frames: list[poise.Poses]) -> int:
    """Count id switches as CLEAR MOT does (Bernardin and Stiefelhagen 2008), on OKS above 0.5.

    Who was matched in the frame before stays matched while that holds; the others are matched
    best first.
    """
    last: dict[int, int] = {}
    now: dict[int, int] = {}
    switches = 0
    for poses in frames:
        truth = stage.truth(poses.index).to(poses.skeleton)
        alike = oks(poses.keypoints, truth.keypoints, box_area(truth.boxes), poses.skeleton.sigmas)
        alike[alike <= 0.5] = 0
        ids = poses.ids.tolist()
        kept = [(ids.index(one), real) for real, one in now.items() if one in ids]
        kept = [(row, real) for row, real in kept if alike[row, real] > 0]
        now = {}
        while kept or alike.any():
            row, real = kept.pop() if kept else np.unravel_index(alike.argmax(), alike.shape)
            alike[row], alike[:, real] = 0, 0
            now[int(real)] = ids[row]
            switches += last.get(int(real), ids[row]) != ids[row]
            last[int(real)] = ids[row]
    return switches


def crossing() -> Stage:
    """Two people who walk to and fro and cover each other twice within ten seconds."""
    one = [(0.0, -2.2, 0.0), (5.0, 2.2, 0.0), (10.0, -2.2, 0.0)]
    other = [(0.0, 2.2, 1.2), (5.0, -2.2, 1.2), (10.0, 2.2, 1.2)]
    dancers = [Dancer(walk(10.0), path=path) for path in (one, other)]
    return Stage(dancers, size=(960, 540), fps=25.0, duration=10.0)


@pytest.mark.weights
@pytest.mark.parametrize("name", list(_scenes()))
def test_blazepose_sees_the_stage(default_weights: object, name: str) -> None:
    _hold_scene(poise.load_model("blazepose"), name)


@pytest.mark.weights
def test_blazepose_keeps_ids_through_a_crossing(default_weights: object) -> None:
    stage = crossing()
    found = list(poise.estimate(stage.frames(), "blazepose"))
    assert _switches(stage, found) == 0


# The live filter cannot look ahead, so it is calmer at the price of lag; see docs/smoothing.md.
@pytest.mark.weights
@pytest.mark.parametrize(
    "method, jitter, error",
    [("savgol", 0.5, 1.0), ("butterworth", 0.5, 1.0), ("one-euro", 0.8, 1.2)],
)
def test_smoothing_calms_the_real_model(
    default_weights: object, method: str, jitter: float, error: float
) -> None:
    stage = Stage([Dancer(walk(4.0), path=[(0, -1.2, 0), (4, 1.2, 0)])], duration=4.0)
    raw = list(poise.estimate(stage.frames(), "blazepose"))
    calm = list(poise.estimate(stage.frames(), "blazepose", smooth=method))
    assert _jitter(calm) <= jitter * _jitter(raw)
    assert _errors(stage, calm)[0].mean() <= error * _errors(stage, raw)[0].mean()


def _jitter(frames: list[poise.Poses]) -> float:
    header = poise.Header(frames[0].skeleton)
    points = Clip(tuple(frames), header).tracks()[0].keypoints
    return float(np.nanmean(np.linalg.norm(np.diff(points, n=2, axis=0), axis=2)))


@pytest.fixture
def top_down(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> PoseModel:
    monkeypatch.setenv("POISE_MODELS", str(data_dir / "weights"))
    return poise.load_model("rtmdet-nano+tinypose-256")


@pytest.mark.data
@pytest.mark.weights
@pytest.mark.parametrize("name", list(_scenes()))
def test_top_down_sees_the_stage(top_down: PoseModel, name: str) -> None:
    _hold_scene(top_down, name)


@pytest.mark.data
@pytest.mark.weights
def test_top_down_keeps_ids_through_a_crossing(top_down: PoseModel) -> None:
    stage = crossing()
    found = list(poise.estimate(stage.frames(), top_down))
    assert _switches(stage, found) == 0
