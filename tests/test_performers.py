"""Who performs, and who dances whose part."""

from __future__ import annotations

import pytest

from clips_made_up import make_crowd
from poise.clip import Clip
from poise.comparison.ensemble import compare_people
from poise.comparison.performers import find_performers, pair_people
from poise.errors import InputError
from poise.synthetic import Choreography, Dancer, Stage, dance, squats


def _stage(*places: float, seconds: float = 1.0) -> Clip:
    dancers = [Dancer(dance(), position=(place, 0.0), id=10 + n) for n, place in enumerate(places)]
    return Stage(dancers, size=(640, 360), fps=15.0, duration=seconds).clip()


def test_performers_stand_from_left_to_right_and_passers_by_are_none() -> None:
    assert find_performers(_stage(0.8, -0.8, 0.0)) == [11, 12, 10]
    crowd = make_crowd({"id": 1, "x": 400}, {"id": 2, "x": 200}, {"id": 3, "x": 600, "end": 12})
    assert find_performers(crowd) == [2, 1]


def test_pairs_stand_in_the_same_place() -> None:
    reference, attempt = _stage(-1.2, 0.0, 1.2), _stage(0.9, -0.9, 0.1)
    assert pair_people(reference, attempt) == [(10, 11), (11, 12), (12, 10)]
    assert pair_people(reference, attempt, mirrored=True) == [(10, 10), (11, 12), (12, 11)]


def test_places_are_counted_in_bodies_not_pixels() -> None:
    near = make_crowd({"id": 1, "x": 100, "height": 200}, {"id": 2, "x": 300, "height": 200},
                 {"id": 3, "x": 600, "height": 200})  # fmt: skip
    far = make_crowd({"id": 4, "x": 300}, {"id": 5, "x": 400}, {"id": 6, "x": 550})
    assert pair_people(near, far) == [(1, 4), (2, 5), (3, 6)]


def test_somebody_may_be_missing() -> None:
    pairs = pair_people(_stage(-1.2, 0.0, 1.2), _stage(-0.6, 0.6))
    assert len(pairs) == 2
    assert len({theirs for _, theirs in pairs}) == 2
    assert pair_people(make_crowd(), make_crowd({"id": 1, "x": 100})) == []


def test_who_is_there_at_the_same_time_goes_together() -> None:
    early, late = {"x": 310, "end": 40}, {"x": 330, "start": 20}
    reference = make_crowd({"id": 1, **early}, {"id": 2, **late})
    attempt = make_crowd({"id": 3, **late, "x": 310}, {"id": 4, **early, "x": 330})
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
        compare_people(clip, make_crowd())
