"""Identities: what TrackEval makes of made-up tracks whose figures are known."""

from __future__ import annotations

import numpy as np
import pytest

from poise.clip import Clip, Header
from poise.evaluation.readers.clips import clip_truth
from poise.evaluation.tracks import measure_identities
from poise.poses import Poses
from poise.skeleton import get_skeleton

pytest.importorskip("trackeval")

COCO = get_skeleton("coco17")
SHAPE = np.random.default_rng(0).uniform(0, 200, (17, 2))


def frame(index: int, ids: list[int], places: list[float]) -> Poses:
    points = np.array([SHAPE + np.array([300 * x, 0]) for x in places], np.float32).reshape(
        -1, 17, 2
    )
    sure = np.ones(points.shape[:2], np.float32)
    return Poses(COCO, points, sure, ids=np.array(ids, np.int64), index=index)


def truth_of(frames: int) -> Clip:
    return Clip(tuple(frame(t, [1, 2], [0, 1]) for t in range(frames)), Header(COCO))


def test_perfect_tracks() -> None:
    clip = truth_of(10)
    figures = measure_identities(clip_truth(clip), list(clip.frames))
    assert figures.HOTA == figures.IDF1 == figures.MOTA == pytest.approx(1)
    assert (figures.switches, figures.fragments) == (0, 0)
    assert (figures.tracks, figures.found_tracks) == (2, 2)


def test_two_people_who_change_their_ids_halfway() -> None:
    found = [frame(t, [7, 8] if t < 5 else [8, 7], [0, 1]) for t in range(10)]
    figures = measure_identities(clip_truth(truth_of(10)), found)
    assert figures.switches == 2
    assert pytest.approx(0.5) == figures.IDF1
    assert pytest.approx(1 - 2 / 20) == figures.MOTA
    assert pytest.approx(1) == figures.DetA
    # Each match shares its two ids with 5 others of 15.
    assert pytest.approx(1 / 3) == figures.AssA
    assert pytest.approx(np.sqrt(1 / 3)) == figures.HOTA


def test_somebody_who_is_lost_for_a_while() -> None:
    found = [frame(t, [7, 8] if t not in (4, 5) else [7], [0, 1] if t not in (4, 5) else [0])
             for t in range(10)]  # fmt: skip
    figures = measure_identities(clip_truth(truth_of(10)), found)
    assert (figures.switches, figures.fragments) == (0, 1)
    assert pytest.approx(18 / 20) == figures.MOTA
    assert pytest.approx(18 / 19) == figures.IDF1
