"""The comparison held to its figures, on performances whose difference is known exactly."""

from __future__ import annotations

import numpy as np
import pytest

from comparison_cases import (
    FAULTY,
    SHOWS,
    Case,
    Count,
    Filming,
    backwards,
    complaints,
    count_cells,
    count_events,
    film,
    nuisances,
    performances,
    reference_of,
    turned_limbs,
    visible,
    with_late_limb,
    without_beat,
    wrong_ones,
)
from poise.angles import LIMB_NAMES
from poise.comparison import compare
from poise.synthetic import Dancer, Stage, dance

PERFORMANCES = performances()
SLOW = Filming(fps=15.0)


def test_the_quick_films_are_the_truth_of_the_stage() -> None:
    truth = Stage(Dancer(dance()), duration=0.5).clip("coco17").track(1)
    quick = film(dance(), depth=True)
    np.testing.assert_array_equal(quick.keypoints[:15], truth.keypoints)
    np.testing.assert_array_equal(quick.times[:15], truth.times)


@pytest.mark.parametrize("name", PERFORMANCES)
def test_the_same_again_is_right(name: str) -> None:
    reference = reference_of(*PERFORMANCES[name])
    found = compare(reference, reference)
    assert found.score >= 99
    assert found.verdict == "right"
    assert not found.faults


def test_nuisances_change_nothing() -> None:
    wrong = {}
    for pair in nuisances(*PERFORMANCES["dance"]):
        found = compare(pair.reference, pair.attempt)
        if said := complaints(pair, found):
            wrong[pair.name] = said
    assert not wrong


def test_planted_faults_are_found_in_time_and_limb() -> None:
    events, cells = Count(), Count()
    for case in _cases():
        faults = compare(case.reference, case.attempt).faults
        events += count_events(case, faults)[0]
        if case.angles is not None:
            cells += count_cells(case, faults)
    assert events.right + events.lost > 30
    assert events.f1 >= 0.9, events
    assert cells.f1 >= 0.9, cells


def _cases() -> list[Case]:
    cases: list[Case | None] = []
    for name, sizes, lengths in (("dance", (30.0, 60.0), (1.0,)), ("routine", (45.0,), (0.5,))):
        move, filming = PERFORMANCES[name]
        made = turned_limbs(move, filming, sizes=sizes, lengths=lengths)
        cases += [case for *_, case in made]
        cases += [without_beat(move, filming, beat) for beat in (4, 9, 14)]
        for limb in ("left_arm", "right_leg"):
            cases.append(with_late_limb(move, filming, limb=limb, seconds=0.4, span=(2.0, 7.0)))
    return [case for case in cases if case is not None]


@pytest.mark.parametrize("limb", FAULTY)
def test_the_score_falls_with_the_fault(limb: str) -> None:
    move, filming = dance(), SLOW
    for faults in (
        [(degrees, 1.0) for degrees in (0.0, 20.0, 45.0, 90.0)],
        [(45.0, seconds) for seconds in (0.5, 1.0, 2.0)],
    ):
        sizes, scores = [], []
        for degrees, seconds in faults:
            turned = move.with_fault(limb, degrees=degrees, start=4.2, end=4.2 + seconds)
            attempt = film(turned, filming)
            reference = reference_of(move, filming)
            sizes.append(visible(reference, attempt)[:, LIMB_NAMES.index(limb)].sum() / filming.fps)
            scores.append(compare(reference, attempt).score)
        for step in range(1, len(faults)):
            if sizes[step] > sizes[step - 1]:
                assert scores[step] <= scores[step - 1] + 0.05, (sizes, scores)
        if sizes[-1] > SHOWS:
            assert scores[-1] < scores[0]


@pytest.mark.parametrize("name", ["dance", "routine", "gym"])
def test_something_else_is_wrong(name: str) -> None:
    move, filming = PERFORMANCES[name]
    reference = reference_of(move, filming)
    attempts = {what: film(other, filming) for what, other in wrong_ones(name, 10.0).items()}
    attempts["backwards"] = backwards(reference)
    scores = {what: compare(reference, attempt) for what, attempt in attempts.items()}
    told = {what: (round(one.score, 1), one.verdict) for what, one in scores.items()}
    assert all(one.verdict in ("wrong", "cannot say") for one in scores.values()), told
    assert max(one.score for one in scores.values()) < 60, told
