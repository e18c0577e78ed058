"""Smoothing calms without lag or invention; gaps are filled and swapped sides put back."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
from scipy import interpolate, signal

from poise.clip import Clip, Header, Track
from poise.errors import UsageError
from poise.gaps import fill_gaps
from poise.poses import Poses
from poise.skeleton import get_skeleton
from poise.smoothing import METHODS, OneEuro, Smoother, smooth
from poise.smoothing.filters import butterworth, savgol
from poise.swaps import repair_swaps
from poise.synthetic import Dancer, Stage, walk

COCO = get_skeleton("coco17")


def make_track(keypoints, times, xyz=None, scores=None) -> Track:
    keypoints = np.asarray(keypoints, np.float32)
    if scores is None:
        scores = np.isfinite(keypoints[..., 0]) * np.float32(0.8)
    return Track(1, COCO, np.asarray(times, float), keypoints, scores.astype(np.float32), xyz)


def swaying(frames=240, fps=30.0, seed=0, noise=3.0):
    """A body of 400 px that sways while its wrists move fast: truth, noisy, times."""
    random = np.random.default_rng(seed)
    times = np.arange(frames) / fps
    truth = np.repeat((random.random((1, 17, 2)) * [120, 400]), frames, axis=0)
    truth[:, :, 0] += 100 * np.sin(2 * np.pi * 0.16 * times)[:, None]
    truth[:, 9:11, 1] += 70 * np.sin(2 * np.pi * 1.0 * times)[:, None]
    return truth, truth + random.normal(0, noise, truth.shape), times


def clip_of(tracks: list[tuple[np.ndarray, int]], times, first_ids=None) -> Clip:
    frames = []
    for number, moment in enumerate(times):
        there = [(k[number], i) for k, i in tracks if np.isfinite(k[number]).any()]
        keypoints = np.array([k for k, _ in there], np.float32).reshape(-1, 17, 2)
        scores = np.isfinite(keypoints[..., 0]) * np.float32(0.8)
        ids = np.array([i for _, i in there], np.int64)
        frames.append(Poses(COCO, keypoints, scores, ids=ids, index=number, time=float(moment)))
    return Clip(tuple(frames), Header(COCO))


def jitter(keypoints) -> float:
    return float(np.linalg.norm(np.diff(keypoints, 2, axis=0), axis=2).mean())


def error(keypoints, truth) -> float:
    return float(np.sqrt(((keypoints - truth) ** 2).sum(axis=2).mean()))


def lag(keypoints, truth, times) -> float:
    """Seconds by which a delayed truth fits best."""
    inner = slice(20, -20)
    delays = np.arange(-4, 9) / 120

    def misfit(delay):
        moved = [np.interp(times[inner] - delay, times, truth[:, k, 0]) for k in range(17)]
        return ((keypoints[inner, :, 0].T - moved) ** 2).sum()

    return float(delays[np.argmin([misfit(delay) for delay in delays])])


@pytest.mark.parametrize(("fps", "points", "order"), [(30, 9, 3), (25, 7, 2), (20, 7, 3)])
def test_savgol_is_scipys_on_even_times(fps, points, order):
    values = np.cumsum(np.random.default_rng(1).normal(size=(120, 5)), axis=0)
    ours = savgol(np.arange(120) / fps, values, window=0.3, order=order)
    assert np.abs(ours - signal.savgol_filter(values, points, order, axis=0)).max() < 1e-6


@pytest.mark.parametrize("frames", [120, 11])
def test_butterworth_is_scipys_on_even_times(frames):
    values = np.cumsum(np.random.default_rng(2).normal(size=(frames, 5)), axis=0)
    ours = butterworth(np.arange(frames) / 30, values, cutoff=6)
    b, a = signal.butter(2, 6, fs=30)
    assert np.abs(ours - signal.filtfilt(b, a, values, axis=0)).max() < 1e-6


def test_uneven_times_are_true_times():
    random = np.random.default_rng(3)
    times = np.cumsum(random.uniform(0.01, 0.06, 200))
    cubic = np.column_stack([times**3 - 4 * times**2, 3 * times])
    assert np.abs(savgol(times, cubic, window=0.3, order=3) - cubic).max() < 1e-6
    slow = np.sin(2 * np.pi * 0.5 * times)[:, None]
    assert np.abs(butterworth(times, slow, cutoff=6) - slow)[20:-20].max() < 0.01


@pytest.mark.parametrize("method", ["savgol", "butterworth"])
def test_jitter_halves_and_the_error_falls_without_lag(method):
    truth, noisy, times = swaying()
    calm = smooth(make_track(noisy, times), method).keypoints
    assert jitter(calm) <= 0.5 * jitter(noisy)
    assert error(calm, truth) < error(noisy, truth)
    assert abs(lag(calm, truth, times)) < 0.005


def test_one_euro_halves_jitter_and_hardly_lags():
    truth, noisy, times = swaying()
    calm = smooth(make_track(noisy, times), "one-euro").keypoints
    assert jitter(calm) <= 0.5 * jitter(noisy)
    assert error(calm, truth) < error(noisy, truth)
    assert lag(calm, truth, times) <= 0.035


def test_one_euro_does_the_same_at_any_size():
    _, noisy, times = swaying(60)
    near = smooth(make_track(noisy, times), "one-euro").keypoints
    far = smooth(make_track(noisy / 8, times), "one-euro").keypoints
    assert np.abs(near / 8 - far).max() < 1e-3


@pytest.mark.parametrize("method", METHODS)
def test_absent_stays_absent_and_runs_do_not_mix(method):
    _, noisy, times = swaying(90)
    noisy[40:43, 5] = np.nan
    noisy[43:, 5] += 500
    calm = smooth(make_track(noisy, times), method)
    assert np.array_equal(np.isnan(calm.keypoints), np.isnan(noisy))
    assert np.array_equal(calm.scores, make_track(noisy, times).scores)
    assert np.abs(calm.keypoints[:40, 5] - noisy[:40, 5]).max() < 40
    assert np.abs(calm.keypoints[43:, 5] - noisy[43:, 5]).max() < 40


@pytest.mark.parametrize("method", ["one-euro", "savgol", "butterworth"])
def test_a_clip_is_smoothed_like_its_tracks_with_xyz_and_boxes(method):
    _, noisy, times = swaying(80)
    other = noisy + 300
    other[30:35] = np.nan
    clip = clip_of([(noisy, 4), (other, 9)], times)
    xyz = [np.dstack([p.keypoints, p.keypoints[..., :1]]) / 400 for p in clip.frames]
    frames = [
        p.replace(xyz=z, boxes=p.boxes + np.array([-5, -5, 5, 5]))
        for p, z in zip(clip.frames, xyz, strict=True)
    ]
    clip = Clip(tuple(frames), clip.header)
    calm = smooth(clip, method)
    for identity in (4, 9):
        alone = smooth(clip.track(identity), method)
        together = calm.track(identity)
        assert np.allclose(alone.keypoints, together.keypoints, atol=1e-3, equal_nan=True)
        assert np.allclose(alone.xyz, together.xyz, atol=1e-5, equal_nan=True)
    last = calm.frames[-1]
    low = last.keypoints.min(axis=1) - 5
    assert np.allclose(last.boxes[:, :2], low, atol=1e-2)
    assert jitter(calm.track(4).xyz) < 0.6 * jitter(clip.track(4).xyz)


@pytest.mark.parametrize(
    ("method", "tolerance"), [("savgol", 1e-4), ("butterworth", 1e-3), ("one-euro", 0), ("none", 0)]
)
def test_a_stream_gives_what_the_whole_clip_gives(method, tolerance):
    _, noisy, times = swaying(400)
    if method != "butterworth":
        times = np.cumsum(np.random.default_rng(5).uniform(0.01, 0.06, 400))
    other = noisy + 200
    other[:50] = other[120:123] = other[300:] = np.nan
    noisy[200:203, 4] = np.nan
    clip = clip_of([(noisy, 1), (other, 2)], times)
    whole = smooth(clip, method).frames
    smoother, streamed, longest = Smoother(method), [], 0
    for number, poses in enumerate(clip.frames):
        streamed += smoother.push(poses)
        longest = max(longest, number + 1 - len(streamed))
    streamed += smoother.finish()
    assert [p.index for p in streamed] == list(range(400))
    assert longest < 130
    for a, b in zip(whole, streamed, strict=True):
        assert np.array_equal(a.ids, b.ids)
        assert np.allclose(a.keypoints, b.keypoints, rtol=0, atol=tolerance, equal_nan=True)


def test_a_stream_holds_no_more_when_it_is_longer():
    smoother = Smoother("butterworth")
    _, noisy, _ = swaying(60)
    held = []
    for number in range(600):
        poses = clip_of([(noisy[number % 60][None], 1)], [number / 30]).frames[0]
        smoother.push(poses)
        held.append(len(smoother._held))
    assert max(held[300:]) <= max(held[:300])


def test_one_euro_forgets_people_and_restarts():
    _, noisy, _ = swaying(60)
    live = OneEuro()
    for number in range(60):
        ids = np.array([number])
        keypoints = noisy[number][None].astype(np.float32)
        poses = Poses(COCO, keypoints, np.ones((1, 17)), ids=ids, time=number / 10)
        assert np.array_equal(live.update(poses).keypoints, keypoints)  # all are new
    assert len(live._people) == 1
    live.restart()
    again = Poses(COCO, keypoints + 50, np.ones((1, 17)), ids=ids, time=6.0)
    assert np.array_equal(live.update(again).keypoints, again.keypoints)


def test_wrong_wishes_are_refused():
    _, noisy, times = swaying(10)
    track = make_track(noisy, times)
    with pytest.raises(UsageError, match="did you mean 'savgol'"):
        smooth(track, "savgoll")
    with pytest.raises(UsageError, match="cutoff cannot be 0"):
        smooth(track, "butterworth", cutoff=0)
    nameless = clip_of([(noisy, 1)], times).frames[0].replace(ids=None)
    with pytest.raises(UsageError, match="no ids"):
        OneEuro().update(nameless)
    with pytest.raises(UsageError, match="no ids"):
        smooth(Clip((nameless,), Header(COCO)), "savgol")


@pytest.mark.parametrize("method", METHODS)
def test_nothing_and_next_to_nothing_are_taken(method):
    empty = Clip((Poses.empty(COCO),) * 3, Header(COCO))
    assert len(smooth(empty, method)) == 3
    assert len(smooth(Clip((), Header(COCO)), method)) == 0
    _, noisy, times = swaying(2)
    for frames in (0, 1, 2):
        short = make_track(noisy[:frames], times[:frames])
        assert np.allclose(smooth(short, method).keypoints, short.keypoints, atol=20)
    still = make_track(noisy, [0.0, 0.0])
    assert np.isfinite(smooth(still, method).keypoints).all()


def test_a_gap_is_filled_as_scipy_would_and_no_further():
    random = np.random.default_rng(6)
    times = np.cumsum(random.uniform(0.02, 0.05, 60))
    _, noisy, _ = swaying(60)
    holed = noisy.copy()
    holed[20:24, 3] = np.nan
    holed[30:50, 8] = np.nan
    holed[:4, 0] = holed[-3:, 0] = np.nan
    filled = fill_gaps(make_track(holed, times), max_gap=0.3)
    seen = np.isfinite(holed[:, 3, 0])
    wanted = interpolate.PchipInterpolator(times[seen], np.float32(holed)[seen, 3], axis=0)
    assert np.abs(filled.keypoints[20:24, 3] - wanted(times[20:24])).max() < 1e-3
    assert np.allclose(filled.scores[20:24, 3], 0.4)
    assert np.isnan(filled.keypoints[30:50, 8]).all()
    assert np.isnan(filled.keypoints[[*range(4), 57, 58, 59], 0]).all()
    line = fill_gaps(make_track(holed, times), max_gap=0.3, method="linear")
    share = (times[21] - times[19]) / (times[24] - times[19])
    wanted = noisy[19, 3] + share * (noisy[24, 3] - noisy[19, 3])
    assert np.allclose(line.keypoints[21, 3], wanted, atol=1e-3)


def test_a_person_who_is_missing_for_a_moment_is_put_back():
    _, noisy, times = swaying(40)
    other = noisy + 100
    other[10:14] = other[20:38] = np.nan
    clip = clip_of([(noisy, 1), (other, 7)], times)
    filled = fill_gaps(clip, max_gap=0.25)
    assert [7 in poses.ids for poses in filled.frames] == [not 20 <= n < 38 for n in range(40)]
    assert np.array_equal(filled.frames[5].keypoints, clip.frames[5].keypoints)
    put_back = filled.frames[11]
    assert put_back.ids.tolist() == [1, 7]
    assert np.allclose(put_back.scores[1], 0.4)
    assert np.abs(put_back.keypoints[1] - (noisy + 100)[11]).max() < 40
    assert len(clip.frames[11]) == 1


@lru_cache
def walking(seed: int, facing: float) -> Clip:
    path = [(0.0, -1.0, 3.5), (5.0, 1.0, 3.5)]
    stage = Stage([Dancer(walk(5.0), path=path, facing=facing)], duration=5.0, seed=seed)
    return stage.clip("coco17")


@pytest.mark.parametrize("facing", [0.0, 35.0, 180.0])
def test_planted_swaps_are_put_back_and_none_made(facing):
    clean = walking(0, facing).track(1)
    random = np.random.default_rng(8)
    noisy = clean.keypoints + random.normal(0, 1, clean.keypoints.shape).astype(np.float32)
    track = make_track(noisy, clean.times)
    assert np.array_equal(repair_swaps(track).keypoints, noisy)
    spoiled = noisy.copy()
    for frames, left in (((20, 26), range(1, 17, 2)), ((60, 61), (7, 9)), ((100, 112), (13, 15))):
        for number in left:
            spoiled[slice(*frames), [number, number + 1]] = noisy[
                slice(*frames), [number + 1, number]
            ]
    assert not np.array_equal(spoiled, noisy)
    assert np.array_equal(repair_swaps(make_track(spoiled, clean.times)).keypoints, noisy)


def test_swaps_are_put_back_in_a_clip_with_people_who_come_and_go():
    clip = walking(1, 0.0)
    flip = COCO.flip
    frames = [
        p.replace(keypoints=p.keypoints[:, flip], scores=p.scores[:, flip]) if 40 <= n < 45 else p
        for n, p in enumerate(clip.frames)
    ]
    frames[:10] = [Poses.empty(COCO, index=n, time=p.time) for n, p in enumerate(frames[:10])]
    repaired = repair_swaps(Clip(tuple(frames), clip.header))
    for number in (0, 12, 39, 42, 45):
        wanted = clip.frames[number].keypoints if number >= 10 else np.zeros((0, 17, 2))
        assert np.array_equal(repaired.frames[number].keypoints, wanted)
    with pytest.raises(UsageError, match="did you mean 'legs'"):
        repair_swaps(clip, groups=["leg"])


@pytest.mark.parametrize("method", ["savgol", "butterworth", "one-euro"])
def test_a_walk_on_the_stage_is_calmer_and_no_further_from_the_truth(method):
    clean = walking(0, 35.0).track(1)
    height = float(np.ptp(clean.keypoints[..., 1], axis=1).mean())
    noise = np.random.default_rng(10).normal(0, 0.01 * height, clean.keypoints.shape)
    noisy = make_track(clean.keypoints + noise, clean.times)
    calm = smooth(noisy, method)
    assert jitter(calm.keypoints) <= 0.5 * jitter(noisy.keypoints)
    assert error(calm.keypoints, clean.keypoints) <= error(noisy.keypoints, clean.keypoints)
