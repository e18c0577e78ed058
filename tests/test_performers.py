"""Who is compared: the main person, pieces of one person, and who dances whose part."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from poise.clip import Clip, Header
from poise.comparison.ensemble import compare_people
from poise.comparison.performers import (
    choose_track,
    find_performers,
    identify,
    main_person,
    pair_people,
    weigh_people,
)
from poise.errors import InputError, UsageError
from poise.poses import Poses
from poise.skeleton import get_skeleton
from poise.synthetic import Choreography, Dancer, Stage, dance, squats, still

COCO = get_skeleton("coco17")
FRAMES = 60


def _person(x: float, height: float = 100.0, y: float = 120.0) -> np.ndarray:
    """Seventeen keypoints that fill a box a third as wide as high."""
    corners = np.random.default_rng(7).uniform(-0.5, 0.5, (17, 2))
    corners[0], corners[1] = (-0.5, -0.5), (0.5, 0.5)
    return (corners * (height / 3, height) + (x, y)).astype(np.float32)


def _clip(*people: dict, frames: int = FRAMES, size: tuple[int, int] = (640, 240)) -> Clip:
    """A clip of people: id, x, height, and the frames from start to end."""
    built = []
    for index in range(frames):
        here = [p for p in people if p.get("start", 0) <= index < p.get("end", frames)]
        rows = [_person(p["x"], p.get("height", 100.0)) for p in here]
        points = np.array(rows, np.float32).reshape(len(here), 17, 2)
        ids = np.array([p["id"] for p in here], np.int64)
        scores = np.full((len(here), 17), 0.9, np.float32)
        built.append(Poses(COCO, points, scores, ids=ids, index=index, time=index / 30, size=size))
    return Clip(tuple(built), Header(COCO, size=size, fps=30.0))


def test_the_main_person_is_long_large_and_central() -> None:
    assert main_person(_clip({"id": 1, "x": 300, "end": 20}, {"id": 2, "x": 340})) == 2
    assert main_person(_clip({"id": 1, "x": 300}, {"id": 2, "x": 340, "height": 150})) == 2
    assert main_person(_clip({"id": 1, "x": 20}, {"id": 2, "x": 330})) == 2


def test_weights_are_shares() -> None:
    weights = weigh_people(_clip({"id": 4, "x": 320, "height": 200}, {"id": 5, "x": 640}))
    diagonal = np.hypot(640, 240)
    assert weights[4] == pytest.approx(200 / diagonal)
    assert weights[5] == pytest.approx(100 / diagonal / 2)


def test_the_size_of_the_picture_may_be_unknown() -> None:
    assert main_person(_clip({"id": 1, "x": 20}, {"id": 2, "x": 200}, size=(0, 0))) in (1, 2)


def test_an_id_that_changed_is_put_right() -> None:
    clip = _clip({"id": 1, "x": 300, "end": 25}, {"id": 7, "x": 310, "start": 30})
    joined = identify(clip)
    assert joined.ids() == [1]
    assert len(joined.track(1)) == FRAMES
    assert np.isnan(joined.track(1).keypoints[27]).all()


def test_three_pieces_are_one_person() -> None:
    pieces = [{"id": i, "x": 300 + i, "start": s, "end": s + 15} for i, s in ((3, 0), (5, 20))]
    joined = identify(_clip(*pieces, {"id": 9, "x": 306, "start": 40}))
    assert joined.ids() == [3]


@pytest.mark.parametrize(
    "other",
    [
        {"id": 2, "x": 540, "start": 20},  # overlaps in time
        {"id": 2, "x": 540, "start": 40},  # elsewhere
        {"id": 2, "x": 300, "start": 40, "height": 200},  # of another size
    ],
)
def test_somebody_else_stays_somebody_else(other: dict) -> None:
    assert len(identify(_clip({"id": 1, "x": 300, "end": 30}, other)).ids()) == 2


def test_a_long_absence_may_be_of_somebody_else() -> None:
    clip = _clip(
        {"id": 1, "x": 300, "end": 30}, {"id": 2, "x": 300, "start": 130}, frames=160
    )  # fmt: skip
    assert len(identify(clip).ids()) == 2


def test_at_a_cut_one_alone_stays_the_same() -> None:
    clip = _clip({"id": 1, "x": 100, "end": 30}, {"id": 2, "x": 500, "start": 30})
    assert identify(clip).ids() == [1]
    beside = {"id": 3, "x": 300}
    crowd = _clip({"id": 1, "x": 100, "end": 30}, {"id": 2, "x": 500, "start": 30}, beside)
    assert sorted(identify(crowd).ids()) == [1, 2, 3]


def test_two_lost_at_once_are_found_as_themselves() -> None:
    clip = _clip(
        {"id": 1, "x": 200, "end": 25},
        {"id": 2, "x": 300, "end": 25},
        {"id": 3, "x": 310, "start": 30},
        {"id": 4, "x": 210, "start": 30},
    )
    joined = identify(clip)
    assert sorted(joined.ids()) == [1, 2]
    assert np.nanmean(joined.track(1).keypoints[40, :, 0]) < 250


def test_a_clip_without_ids_is_tracked() -> None:
    clip = _clip({"id": 1, "x": 100}, {"id": 2, "x": 400})
    bare = replace(clip, frames=tuple(poses.replace(ids=None) for poses in clip.frames))
    assert len(identify(bare).ids()) == 2
    assert len(choose_track(identify(bare))) == FRAMES


def test_a_whole_clip_is_left_alone() -> None:
    clip = _clip({"id": 1, "x": 100}, {"id": 2, "x": 400})
    assert identify(clip) is clip


def test_an_unknown_id_names_the_known_ones() -> None:
    clip = _clip({"id": 3, "x": 100}, {"id": 8, "x": 400})
    with pytest.raises(UsageError, match="no person with id 5; its ids are 3, 8"):
        choose_track(clip, 5)
    with pytest.raises(InputError, match="no person was found"):
        choose_track(_clip())


def _stage(*places: float, seconds: float = 1.0) -> Clip:
    dancers = [Dancer(dance(), position=(place, 0.0), id=10 + n) for n, place in enumerate(places)]
    return Stage(dancers, size=(640, 360), fps=15.0, duration=seconds).clip()


def test_performers_stand_from_left_to_right_and_passers_by_are_none() -> None:
    assert find_performers(_stage(0.8, -0.8, 0.0)) == [11, 12, 10]
    crowd = _clip({"id": 1, "x": 400}, {"id": 2, "x": 200}, {"id": 3, "x": 600, "end": 12})
    assert find_performers(crowd) == [2, 1]


def test_pairs_stand_in_the_same_place() -> None:
    reference, attempt = _stage(-1.2, 0.0, 1.2), _stage(0.9, -0.9, 0.1)
    assert pair_people(reference, attempt) == [(10, 11), (11, 12), (12, 10)]
    assert pair_people(reference, attempt, mirrored=True) == [(10, 10), (11, 12), (12, 11)]


def test_places_are_counted_in_bodies_not_pixels() -> None:
    near = _clip({"id": 1, "x": 100, "height": 200}, {"id": 2, "x": 300, "height": 200},
                 {"id": 3, "x": 600, "height": 200})  # fmt: skip
    far = _clip({"id": 4, "x": 300}, {"id": 5, "x": 400}, {"id": 6, "x": 550})
    assert pair_people(near, far) == [(1, 4), (2, 5), (3, 6)]


def test_somebody_may_be_missing() -> None:
    pairs = pair_people(_stage(-1.2, 0.0, 1.2), _stage(-0.6, 0.6))
    assert len(pairs) == 2
    assert len({theirs for _, theirs in pairs}) == 2
    assert pair_people(_clip(), _clip({"id": 1, "x": 100})) == []


def test_who_is_there_at_the_same_time_goes_together() -> None:
    early, late = {"x": 310, "end": 40}, {"x": 330, "start": 20}
    reference = _clip({"id": 1, **early}, {"id": 2, **late})
    attempt = _clip({"id": 3, **late, "x": 310}, {"id": 4, **early, "x": 330})
    assert pair_people(reference, attempt) == [(1, 4), (2, 3)]


def _troupe(*dancers: tuple[Choreography, float]) -> Clip:
    """Two dances side by side: choreography and place."""
    people = [Dancer(one, position=(x, 0.0), id=n) for n, (one, x) in enumerate(dancers, 1)]
    return Stage(people, size=(480, 270), fps=15.0, duration=4.0).clip()


def test_an_ensemble_with_itself() -> None:
    clip = _troupe((dance(), -0.8), (squats(), 0.8))
    found = compare_people(clip, clip)
    assert found.score == pytest.approx(100, abs=0.5) and found.verdict == "right"
    assert [(a, b) for a, b, _ in found.pairs] == [(1, 1), (2, 2)]
    assert found.apart == pytest.approx(0, abs=0.02) and found.synchrony == 100
    assert found.missing == found.extra == ()


def test_an_ensemble_in_a_mirror() -> None:
    clip = _troupe((dance(), -0.8), (squats(), 0.8))
    mirrored = _troupe((squats().mirrored(), -0.8), (dance().mirrored(), 0.8))
    found = compare_people(clip, mirrored)
    assert [(a, b) for a, b, _ in found.pairs] == [(1, 2), (2, 1)]
    assert all(one.relation.mirrored for *_, one in found.pairs[:1])
    assert found.score > 95


def test_dancers_who_stray_are_apart() -> None:
    clip = _troupe((dance(), -0.8), (dance(), 0.8))
    late = _troupe((dance(), -0.8), (dance().shifted(0.4), 0.8))
    found = compare_people(clip, late, mirror="no")
    assert found.apart == pytest.approx(0.2, abs=0.06)
    assert found.synchrony == pytest.approx(70, abs=15)
    assert found.score < 97


def test_a_missing_dancer_costs_a_share() -> None:
    clip = _troupe((dance(), -0.8), (dance(), 0.8))
    found = compare_people(clip, _troupe((dance(), 0.0)))
    assert found.score == pytest.approx(50, abs=3) and found.verdict == "wrong"
    assert len(found.missing) == 1 and found.synchrony is None
    assert compare_people(_troupe((dance(), 0.0)), clip).extra != ()
    with pytest.raises(InputError, match="no person was found"):
        compare_people(clip, _clip())


@pytest.mark.data
def test_the_main_person_of_real_recordings(data_dir) -> None:
    from poise.io import read_clip

    for camera, least in (("cam01", 90), ("cam02", 90)):
        folder = data_dir / "keypoints" / "openpose_pose2sim_balancing" / f"{camera}_json"
        clip = identify(read_clip(folder, fps=60, skeleton="body25b"))
        assert len(choose_track(clip)) >= least


def test_a_still_person_is_one_person() -> None:
    stage = Stage(Dancer(still("stand", 1.0)), size=(320, 240), fps=10.0)
    assert len(identify(stage.clip()).ids()) == 1
