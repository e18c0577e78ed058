"""Composite fields: ideal ones decode back, the published rules one by one, and the whole model."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import pytest

from cifcaf_scenes import SIGMAS, STRIDE, crowd, draw, person, sizes, spoil
from poise.errors import ModelError, WeightsError
from poise.io import read_clip
from poise.models import load_model
from poise.models.card import Card
from poise.models.cifcaf import CIFCAFModel, read_field
from poise.models.cifcaf_decoding import PAIRS, Limits, decode, grow
from poise.models.cifcaf_fields import build_map, find_links, find_seeds
from poise.models.table import CARDS
from poise.poses import Frame
from stand_in import StandIn


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is accepted here is not accepted in the user's own home."""
    monkeypatch.setenv("POISE_HOME", str(tmp_path / "home"))


def check(people, shape=(41, 41), *, tolerance=0.5, **kwargs):
    """Every drawn person comes back once, with all that was drawn of him, and nobody else does."""
    found = decode(*draw(people, shape, **kwargs))
    assert len(found.people) == len(people)
    left = list(range(len(people)))
    for body in people:
        away = [np.nanmean(np.hypot(*(found.keypoints[i] - body).T)) for i in left]
        mine = found.keypoints[left.pop(int(np.argmin(away)))]
        np.testing.assert_array_equal(np.isfinite(mine[:, 0]), np.isfinite(body[:, 0]))
        assert np.nanmax(np.hypot(*(mine - body).T)) < tolerance
    assert (np.isfinite(found.keypoints[..., 0]) == (found.scores > 0)).all()
    assert (np.diff(found.people) <= 0).all()
    assert (found.people <= 1).all()
    return found


# --- ideal fields --------------------------------------------------------------------------------


@pytest.mark.parametrize("height", [90, 280, 600])
def test_one_person_comes_back(height: float) -> None:
    for x, y in np.random.default_rng(3).uniform(0, 8, (5, 2)):
        check([person(300 + x, 20 + y, height)], (81, 81), tolerance=0.01)


def test_a_crowd_comes_back() -> None:
    people = [person(70 + 62.3 * i, 30 + 13.7 * (i % 3), 240 + 20 * (i % 4)) for i in range(10)]
    found = check(people, (46, 90))
    assert found.people.min() > 0.6


def test_people_of_two_sizes_come_back() -> None:
    check([person(160, 4, 310), person(60, 180, 70), person(258, 190, 64)], tolerance=0.1)


def test_touching_people_come_back() -> None:
    first, second = person(90, 20, 280), person(200, 22, 280)
    assert np.hypot(*(first[9] - second[10])) < 14
    check([first, second])
    # Hand in hand: one's left wrist at the other's right one, and shoulder at shoulder.
    second += first[9] - second[10]
    check([first, second])


def test_overlapping_people_come_back() -> None:
    # The second stands behind the first: every limb of his lies a little beside one of the first.
    first = person(150, 20, 280)
    check([first, person(178, 12, 262)])
    # Legs that cross like an X.
    second = person(220, 20, 280)
    first[[15, 16]] += [[45, 0], [0, 0]]
    second[[15, 16]] += [[0, 0], [-45, 0]]
    check([first, second])


def test_truncated_people_come_back() -> None:
    border = 40 * STRIDE
    below, beside = person(90, 160, 400), person(border - 12, 20, 250)
    for body in (below, beside):
        body[((body < 0) | (body > border)).any(axis=1)] = np.nan
    assert np.isnan(below).any()
    assert np.isnan(beside).any()
    check([below, beside])


def test_missing_keypoints_stay_missing() -> None:
    one, two = person(80, 20, 280), person(230, 24, 270)
    one[[10, 4, 16]] = np.nan
    two[[0, 1, 2, 3, 4, 15]] = np.nan
    check([one, two])


def test_a_face_hangs_on_its_ears() -> None:
    # COCO's pairs join eyes and nose to the shoulders by the ears alone.
    body = person(160, 20, 280)
    body[[3, 4]] = np.nan
    found = decode(*draw([body]))
    assert [int((row > 0).sum()) for row in found.scores] == [12, 3]


def test_a_keypoint_without_a_link_is_another_persons() -> None:
    body = person(160, 20, 280)
    cif, caf = draw([body])
    caf[PAIRS.index((15, 13)), 1] = 0  # nothing leads to the left ankle
    found = decode(cif, caf)
    assert len(found.people) == 1
    assert np.flatnonzero(found.scores[0] == 0).tolist() == [15]


def test_empty_fields_hold_nobody() -> None:
    found = decode(*draw([]))
    assert found.keypoints.shape == (0, 17, 2)
    assert (found.scores.shape, found.people.shape) == ((0, 17), (0,))


def test_one_cell_of_nans_harms_nobody() -> None:
    cif, caf = draw([person(160, 20, 280)])
    cif[3, :, 5, 5], caf[2, :, 5, 5] = np.nan, np.nan
    cif[4, 1:, 6, 6], caf[3, 1:, 6, 6] = [1, np.inf, 3, 1], [1, 2, np.inf, 2, 2, 1, 1]
    cif[5, 1:, 7, 7], caf[5, 1:, 7, 7] = [1, np.nan, 3, 1], [1, 2, 2, 2, np.nan, 1, 1]
    assert len(decode(cif, caf).people) == 1


# --- the published rules, one by one -------------------------------------------------------------


def one_cell(confidence, x, y, size):
    cif = np.zeros((17, 5, 11, 11), np.float32)
    cif[3, 1:, 5, 5] = confidence, x / STRIDE, y / STRIDE, size / STRIDE
    return cif


def test_a_cell_adds_a_cut_gaussian_to_the_map() -> None:
    fine = build_map(one_cell(0.8, 40, 40, 8), STRIDE)
    assert fine.shape == (17, 81, 81)
    assert np.flatnonzero(fine.any(axis=(1, 2))).tolist() == [3]
    y, x = np.mgrid[:81, :81] - 40
    away = x**2 + y**2
    inside = away <= 16  # sigma is half the size
    np.testing.assert_array_equal(fine[3] > 0, inside)
    # Within 2 % it is a Gaussian; exactly, it is what stands for one in the published decoder.
    np.testing.assert_allclose(fine[3][inside], 0.05 * np.exp(-away[inside] / 32), rtol=0.02)
    assert fine[3, 40, 44] == pytest.approx(0.05 * (1 - 1 / 16) ** 8, rel=1e-5)


@pytest.mark.parametrize(
    ("cell", "pixels"),
    [
        ((0.29, 40, 40, 8), 0),  # not sure enough
        ((0.30, 40, 40, 8), 49),
        ((0.5, 40, 40, 0), 5),  # sigma is a pixel at least
        ((0.5, 40, 40, -1), 0),  # no size
        ((0.5, 0.1, 0.1, 8), 17),  # a corner of the map cuts it
        ((0.5, -40, 40, 8), 0),  # outside
    ],
)
def test_which_pixels_a_cell_adds_to(cell, pixels: int) -> None:
    assert (build_map(one_cell(*cell), STRIDE) > 0).sum() == pixels


def test_the_pixel_of_the_keypoint_gets_all_of_it() -> None:
    fine = build_map(one_cell(0.8, 40.4, 39.6, 8), STRIDE)
    assert fine[3, 40, 40] == pytest.approx(0.05)
    assert fine[3].argmax() == 40 * 81 + 40


def test_a_map_is_the_sum_of_its_cells_whatever_their_order() -> None:
    random = np.random.default_rng(4)
    cif = np.zeros((17, 5, 11, 13), np.float32)
    cif[:, 1] = random.uniform(0, 1, cif[:, 1].shape)
    cif[:, 2:4] = random.uniform(-2, 14, cif[:, 2:4].shape)
    cif[:, 4] = random.exponential(1, cif[:, 4].shape)
    wanted = np.zeros((81, 97))
    y, x = np.mgrid[:81, :97]
    for c, px, py, size in cif[5, 1:].reshape(4, -1).T:
        if c >= 0.3:
            sigma = max(1, 0.5 * size * STRIDE)
            across, down = (x - px * STRIDE) ** 2, (y - py * STRIDE) ** 2
            value = (1 - (across + down) / sigma**2 / 16) ** 8
            value[(across < 0.25) & (down < 0.25)] = 1
            wanted += np.where(across + down <= sigma**2, value, 0) * c / 16
    # Pixels at exactly one sigma may fall on either side of it.
    away = np.abs(build_map(cif, STRIDE)[5] - wanted)
    assert np.quantile(away, 0.999) < 1e-4


def test_seeds_are_judged_by_the_map() -> None:
    cif = one_cell(0.9, 40, 40, 8)
    fine = np.zeros((17, 81, 81), np.float32)
    assert len(find_seeds(cif, fine, STRIDE, 0.2).parts) == 0
    fine[3, 40, 40] = 0.5
    seeds = find_seeds(cif, fine, STRIDE, 0.2)
    assert seeds.parts.tolist() == [3]
    np.testing.assert_allclose(seeds.places, [[0.9 * 0.5 + 0.1 * 0.9, 40, 40, 8]], rtol=1e-6)
    fine[3, 40, 40] = 7  # counts as 1
    assert find_seeds(cif, fine, STRIDE, 0.2).places[0, 0] == pytest.approx(0.99)


@pytest.mark.parametrize(
    ("x", "y", "inside"),
    [(-0.4, 3, True), (-0.495, 3, False), (80.4, 3, True), (80.495, 3, False), (3, 80.495, False)],
)
def test_the_map_ends_at_its_outermost_pixels(x: float, y: float, inside: bool) -> None:
    fine = np.ones((17, 81, 81), np.float32)
    assert len(find_seeds(one_cell(0.9, x, y, 8), fine, STRIDE, 0.2).parts) == inside


def test_links_lead_both_ways_and_are_judged_where_they_end() -> None:
    caf = np.zeros((19, 8, 11, 11), np.float32)
    caf[3, 1:, 5, 5] = 0.8, *(np.array([10, 11, 20, 21, 8, 16]) / STRIDE)
    one, other = PAIRS[3]
    fine = np.zeros((17, 81, 81), np.float32)
    fine[other, 21, 20] = 0.5
    links = find_links(caf, fine, PAIRS, stride=STRIDE)
    assert sum(len(link.x) for link in links.values()) == 1
    forth = links[one, other]
    np.testing.assert_allclose(forth.starts, [[10, 11]])
    np.testing.assert_allclose(forth.ends, [[0.8 * (0.1 + 0.9 * 0.5), 20, 21, 16]], rtol=1e-6)
    fine[one, 11, 10] = 1
    back = find_links(caf, fine, PAIRS, stride=STRIDE)[other, one]
    np.testing.assert_allclose(back.ends, [[0.8, 10, 11, 8]], rtol=1e-6)


def follow(links):
    """Score and place of the ankle that a sure knee at (100, 100), 16 pixels large, grows to.

    Args:
        links: Of each (confidence, x, y of its start, x, y of its end, size there).
    """
    caf = np.zeros((19, 8, 41, 41), np.float32)
    for column, (sure, x, y, to_x, to_y, size) in enumerate(links):
        row = sure, *(np.array([to_x, to_y, x, y, size, 16]) / STRIDE)
        caf[PAIRS.index((15, 13)), 1:, 0, column] = row
    known = {13: (1.0, 100.0, 100.0, 16.0)}
    full = np.ones((17, 321, 321), np.float32)
    grow(known, find_links(caf, full, PAIRS, stride=STRIDE), 0.15)
    score, x, y, _ = known.get(15, (0, np.nan, np.nan, 0))
    return score, (x, y)


STRAIGHT = (1, 100, 100, 160, 100, 16)


def test_two_links_are_needed_for_a_full_score() -> None:
    assert follow([STRAIGHT])[0] == pytest.approx(0.5**0.5, rel=1e-5)
    assert follow([STRAIGHT, STRAIGHT])[0] == pytest.approx(1)
    assert follow([STRAIGHT, STRAIGHT, STRAIGHT])[0] == pytest.approx(1)


def test_the_two_best_links_are_blended_where_they_agree() -> None:
    score, place = follow([(1, 100, 100, 158, 100, 16), (0.8, 100, 100, 162, 100, 16)])
    assert score == pytest.approx(0.9**0.5, rel=1e-5)
    assert place[0] == pytest.approx(158 + 4 * 0.8 / 1.8, abs=1e-3)
    # Farther from each other than half the size, the better one counts alone.
    score, place = follow([(1, 100, 100, 155.9, 100, 16), (0.8, 100, 100, 164.1, 100, 16)])
    assert score == pytest.approx(0.5**0.5, rel=1e-5)
    assert place[0] == pytest.approx(155.9, abs=1e-3)
    # And so where the second is not half as good.
    assert follow([STRAIGHT, (0.49, 100, 100, 162, 100, 16)])[1][0] == pytest.approx(160)


def test_a_link_counts_by_how_near_it_starts() -> None:
    for away in (2, 4, 7.9):
        score, _ = follow([(1, 100 + away, 100, 160, 100, 16)] * 2)
        assert score == pytest.approx(np.exp(-0.25 * (away / 8) ** 2), rel=1e-4)
    # Half the keypoint's size along an axis is the farthest.
    assert follow([(1, 108.1, 100, 160, 100, 16)] * 2)[0] == 0
    assert follow([(1, 100, 91.9, 160, 100, 16)] * 2)[0] == 0
    assert follow([(1, 107.9, 92.1, 160, 100, 16)] * 2)[0] > 0.6


@pytest.mark.parametrize(
    ("across", "down", "mine"),
    [(15.9, 0, True), (7.9, 7.9, True), (16.1, 0, False), (8.1, 8.1, False), (0, -16.1, False)],
)
def test_a_link_that_is_another_persons_is_refused(across: float, down: float, mine: bool) -> None:
    # From the ankle the surest way back leads elsewhere; the knee's size is the farthest, in L1.
    other = (1, 100 + across, 100 + down, 160, 100, 16)
    score, _ = follow([(0.6, 100, 100, 160, 100, 16)] * 2 + [other] * 2)
    assert (score > 0) == mine


def test_a_keypoint_is_half_as_sure_as_the_one_before_it() -> None:
    # One link: a score of sqrt(c / 2), and the knee's is 1.
    assert follow([(0.51, 100, 100, 160, 100, 16)])[0] == pytest.approx(0.255**0.5, rel=1e-4)
    assert follow([(0.49, 100, 100, 160, 100, 16)])[0] == 0


def test_a_keypoint_that_a_better_person_covers_is_dropped() -> None:
    # The second person's only way to a left wrist leads to the first one's.
    first, second = person(80, 20, 280), person(230, 20, 280)
    second[9] = first[9]
    drawn = {"sure": [np.ones(17), np.full(17, 0.8)]}
    cif, caf = draw([first, second], **drawn)
    forearm = PAIRS.index((7, 9))
    assert (caf[forearm, 1] == np.float32(0.8)).sum() > 20
    # With the first one's forearm out of the way, it leads there and back.
    alone = draw([second], sure=[np.full(17, 0.8)])[1]
    caf[forearm] = alone[forearm]
    elbow = decode(cif, caf)
    assert (elbow.scores[:, 9] > 0).tolist() == [False, True]
    # The first one has his wrist by way of a link of his own, and the second loses it.
    caf[forearm, :, 0, :10] = np.array(
        [0, 1, *first[7] / STRIDE, *first[9] / STRIDE, *np.full(2, sizes(first)[9]) / STRIDE]
    )[:, None]
    both = decode(cif, caf)
    assert (both.scores[:, 9] > 0).tolist() == [True, False]
    np.testing.assert_allclose(both.keypoints[0, 9], first[9], atol=0.5)
    assert (both.scores[1, :9] > 0).all()


def test_a_persons_score_counts_the_best_three_threefold() -> None:
    found = decode(*draw([person(160, 20, 280)], sure=[np.linspace(0.5, 1, 17)]))
    best = np.sort(found.scores[0])[::-1]
    wanted = (3 * best[:3].sum() + best[3:].sum()) / 23
    assert found.people[0] == pytest.approx(wanted, rel=1e-5)


def test_limits_decide_who_is_somebody() -> None:
    body = person(160, 20, 280)
    body[5:] = np.nan
    cif, caf = draw([body])  # five keypoints: a mean of 5 / 17 at most
    assert len(decode(cif, caf).people) == 1
    assert len(decode(cif, caf, limits=Limits(instance=0.3)).people) == 0
    whole = draw([person(160, 20, 280)], sure=[np.linspace(0.5, 0.95, 17)])
    assert len(decode(*whole, limits=Limits(seed=0.99)).people) == 0
    few = decode(*whole, limits=Limits(keypoint=0.8)).scores
    assert 0 < (few > 0).sum() < 17
    assert few[few > 0].min() >= 0.8


def test_a_person_grows_once(monkeypatch: pytest.MonkeyPatch) -> None:
    grown = []

    def count(person, *arguments, **options):
        grow(person, *arguments, **options)
        grown.append(len(person))

    monkeypatch.setattr("poise.models.cifcaf_decoding.grow", count)
    decode(*draw([person(70, 20, 280), person(240, 20, 280)]))
    # The other hundreds of seeds lie where one of the two is.
    assert grown == [17, 17]


def test_completing_reaches_farther() -> None:
    body = person(160, 20, 280)
    cif, caf = draw([body])
    forearm, size = PAIRS.index((7, 9)), sizes(body)
    caf[forearm], cif[9, 1] = 0, 0
    # A link that starts 1.5 sizes from the elbow.
    starts = body[7] + [1.5 * size[7], 0]
    row = np.array([*starts, *body[9], size[7], size[9]]) / STRIDE
    caf[forearm, 1:, 0, :2] = np.array([0.9, *row])[:, None]
    assert decode(cif, caf).scores[0, 9] == 0
    found = decode(cif, caf, limits=Limits(0.2, 0, 0, True))
    # A candidate below 0.01 is never the second one, so that half of it is missing.
    assert found.scores[0, 9] == pytest.approx(np.sqrt(0.045 * np.exp(-4.5)), rel=0.01)
    np.testing.assert_allclose(found.keypoints[0, 9], body[9], atol=0.5)


def test_everyone_can_be_completed() -> None:
    body = person(160, 20, 280)
    cif, caf = draw([body])
    caf[PAIRS.index((15, 13)), 1] *= 0.05  # next to nothing leads to the left ankle
    caf[PAIRS.index((7, 9)), 1] = cif[9, 1] = 0  # nothing at all to the left wrist
    assert np.flatnonzero(decode(cif, caf).scores[0] == 0).tolist() == [9, 15]
    found = decode(cif, caf, limits=Limits(0.2, 0, 0, True))
    assert len(found.people) == 1
    assert np.hypot(*(found.keypoints[0, 15] - body[15])) < 0.5
    assert 0.01 < found.scores[0, 15] < 0.3
    # What nothing hints at is where its neighbour is.
    np.testing.assert_array_equal(found.keypoints[0, 9], found.keypoints[0, 7])
    assert found.scores[0, 9] == pytest.approx(1e-5)


def test_noise_takes_bounded_time() -> None:
    random = np.random.default_rng(11)
    cif = random.uniform(0, 1, (17, 5, 24, 26)).astype(np.float32)
    caf = random.uniform(0, 1, (19, 8, 24, 26)).astype(np.float32)
    cif[:, 2:4] *= 25
    caf[:, 2:6] *= 25
    begun = time.process_time()
    decode(cif, caf)
    assert time.process_time() - begun < 20


def test_decoding_is_reproducible_and_leaves_its_input_alone() -> None:
    random = np.random.default_rng(12)
    fields = spoil(
        draw(crowd(random, 9, (61, 61), smallest=100, largest=400), (61, 61)), random, 0.05
    )
    kept = [field.copy() for field in fields]
    one, two = decode(*fields), decode(*fields)
    for field, before in zip(fields, kept, strict=True):
        np.testing.assert_array_equal(field, before)
    np.testing.assert_array_equal(one.keypoints, two.keypoints)
    np.testing.assert_array_equal(one.scores, two.scores)
    assert len(one.people) > 2


# --- its real output -----------------------------------------------------------------------------


@pytest.mark.data
def test_real_predictions_come_back(data_dir: Path) -> None:
    path = data_dir / "keypoints/openpifpaf/000000081988.jpg.predictions.json"
    (truth,) = read_clip(path).frames
    assert len(truth) == 5
    scores = [person["score"] for person in json.loads(path.read_text())]
    places = truth.keypoints.astype(float)
    # The published score of a person is the one that its keypoints' scores make here.
    best = -np.sort(-truth.scores, axis=1)
    ours = (3 * best[:, :3].sum(axis=1) + best[:, 3:].sum(axis=1)) / 23
    np.testing.assert_allclose(ours, scores, atol=0.0015)
    sides = truth.boxes[:, 2:] - truth.boxes[:, :2]
    scales = np.sqrt(sides.prod(axis=1))[:, None] * SIGMAS
    found = check(list(places), (54, 81), scales=list(scales))
    assert np.nanmax(np.abs(found.keypoints)) < 641


# --- the network's outputs -----------------------------------------------------------------------


def card(**fields: Any) -> Card:
    known = {"skeleton": "coco17", "size": (321, 321), **fields}
    return Card(name="t", family="cifcaf", kind="pose", **known)


def test_people_are_placed_in_the_picture() -> None:
    body = person(80, 8, 300)
    cif, caf = draw([body])
    session = StandIn(cif[None], caf[None])
    model = CIFCAFModel(session, card())
    frame = Frame(np.zeros((642, 400, 3), np.uint8), index=7, time=1.5)
    poses, again = model.estimate([frame, frame])
    assert session.seen[0].shape == (1, 321, 321, 3)
    assert (poses.index, poses.time, poses.size) == (7, 1.5, frame.size)
    # The network counts from the middle of a pixel, pictures from its edge.
    np.testing.assert_allclose(poses.keypoints[0], (body + 0.5) * 2, atol=0.1)
    np.testing.assert_array_equal(poses.keypoints, again.keypoints)
    assert 0.9 < poses.person_scores[0] <= 1


def unfinish(field: np.ndarray) -> np.ndarray:
    """What a head has before its last step."""
    raw = field.astype(np.float64)
    y, x = np.mgrid[: field.shape[2], : field.shape[3]]
    sure = np.clip(raw[:, 1], 1e-4, 1 - 1e-4)
    raw[:, 1] = np.log(sure / (1 - sure))
    count = 1 if field.shape[1] == 5 else 2
    for k in range(count):
        raw[:, 2 + 2 * k] -= x
        raw[:, 3 + 2 * k] -= y
    raw[:, -count:] = np.log(np.expm1(np.maximum(raw[:, -count:], 1e-3)))
    return raw.astype(np.float32)


def test_raw_heads_are_finished() -> None:
    for field in draw([person(80, 8, 300)]):
        on = field[:, 1] > 0
        done = read_field(unfinish(field), raw=True)
        for channel in range(2, field.shape[1]):
            np.testing.assert_allclose(done[:, channel][on], field[:, channel][on], atol=1e-4)
        np.testing.assert_allclose(done[:, 1], np.clip(field[:, 1], 1e-4, 1 - 1e-4), atol=1e-6)
        np.testing.assert_array_equal(read_field(field, raw=False), field)


def test_confidences_that_contradict_the_card_are_refused() -> None:
    cif, caf = draw([person(80, 8, 300)])
    raw = unfinish(cif)[None], unfinish(caf)[None]
    frame = Frame(np.zeros((321, 321, 3), np.uint8))
    with pytest.raises(ModelError, match=r"wanted confidences of 0 to 1, got -9.21.*raw = true"):
        CIFCAFModel(StandIn(*raw), card()).estimate([frame])
    with pytest.raises(ModelError, match=r"before the sigmoid, got 0 to 1; leave settings.raw out"):
        CIFCAFModel(StandIn(cif[None], caf[None]), card(settings={"raw": True})).estimate([frame])
    (poses,) = CIFCAFModel(StandIn(*raw), card(settings={"raw": True})).estimate([frame])
    assert len(poses) == 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"seed": 2}, "card t: seed: wanted a number of 0 to 1, got 2"),
        ({"keypoint": -0.1}, "keypoint: wanted a number of 0 to 1"),
        ({"instance": float("nan")}, "instance: wanted a number of 0 to 1"),
        ({"seed": "a"}, "seed: wanted a number of 0 to 1, got 'a'"),
        ({"stride": "8"}, "stride: wanted whole pixels, got '8'"),
        ({"stride": 0}, "stride: wanted whole pixels, got 0"),
        ({"stride": 8.5}, "stride: wanted whole pixels, got 8.5"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        CIFCAFModel(StandIn(), card(settings=settings))


def test_another_skeleton_is_refused() -> None:
    with pytest.raises(ModelError, match="read as coco17, and the card says coco18"):
        CIFCAFModel(StandIn(), card(skeleton="coco18"))


def test_settings_reach_the_decoder() -> None:
    body = person(80, 8, 300)
    body[[9, 15]] = np.nan
    cif, caf = draw([body], sure=[np.full(17, 0.9)])
    frame = Frame(np.zeros((321, 321, 3), np.uint8))

    def count(**settings: Any) -> list[int]:
        model = CIFCAFModel(StandIn(cif[None], caf[None]), card(settings=settings))
        return [int(row.sum()) for row in model.estimate([frame])[0].present]

    assert count() == [15]
    assert count(force_complete=True) == [17]
    assert count(force_complete=True, keypoint=0.15) == [15]
    assert count(instance=0.95) == []
    assert count(seed=1.0) == []


# --- end to end ----------------------------------------------------------------------------------


def build(path: Path, *outputs: np.ndarray, size: int = 321) -> Path:
    """Write a network of OpenVINO's that answers the same to every picture."""
    op = ov.opset13
    picture = op.parameter([-1, 3, size, size], np.float32, name="input_batch")
    nothing = op.multiply(op.reduce_mean(picture, np.arange(4)), np.float32(0))
    ends = [op.add(op.constant(array), nothing) for array in outputs]
    ov.save_model(ov.Model(ends, [picture], "constant"), path, compress_to_fp16=False)
    return path


def export(path: Path, cif: np.ndarray, caf: np.ndarray, size: int = 321) -> Path:
    """Write such a network as ONNX, with the names and the free batch of OpenPifPaf's export."""
    onnx = pytest.importorskip("onnx")
    of, kind = onnx.helper, onnx.TensorProto.FLOAT
    values = [
        onnx.numpy_helper.from_array(array, name)
        for name, array in (("a", cif), ("b", caf), ("zero", np.zeros(1, np.float32)))
    ]
    nodes = [
        of.make_node("ReduceMean", ["input_batch"], ["mean"], axes=[1, 2, 3], keepdims=0),
        of.make_node("Mul", ["mean", "zero"], ["nothing"]),
        of.make_node("Add", ["a", "nothing"], ["cif"]),
        of.make_node("Add", ["b", "nothing"], ["caf"]),
    ]
    picture = of.make_tensor_value_info("input_batch", kind, ["dynamic", 3, size, size])
    ends = [
        of.make_tensor_value_info(name, kind, ["dynamic", *array.shape[1:]])
        for name, array in (("cif", cif), ("caf", caf))
    ]
    graph = of.make_graph(nodes, "constant", [picture], ends, values)
    model = of.make_model(graph, opset_imports=[of.make_opsetid("", 13)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


def own_card(**fields: Any) -> Card:
    row = CARDS["openpifpaf-shufflenetv2k16"]
    known = {name: getattr(row, name) for name in ("mean", "std", "files", "licence", "data")}
    return card(**{**known, **fields})


def test_a_network_of_the_users_own_runs(tmp_path: Path) -> None:
    bodies = [person(80, 8, 300), person(220, 10, 290)]
    cif, caf = draw(bodies)
    path = build(tmp_path / "own.xml", cif[None], caf[None])
    model = load_model(card=own_card(), weights=path, accept_licence=True, precision="f32")
    poses = model(np.zeros((321, 321, 3), np.uint8))
    assert model.name.startswith("t@")
    assert (model.precision, poses.skeleton.name) == ("f32", "coco17")
    assert len(poses) == 2
    order = np.argsort(poses.keypoints[:, 0, 0])
    np.testing.assert_allclose(poses.keypoints[order], np.array(bodies) + 0.5, atol=0.1)
    # Whatever the order of the heads, and with a third one of more pairs, as older networks have.
    third = np.zeros((1, 25, 8, 41, 41), np.float32)
    path = build(tmp_path / "old.xml", caf[None], third, cif[None])
    again = load_model(card=own_card(), weights=path, accept_licence=True, precision="f32")
    np.testing.assert_array_equal(
        again(np.zeros((321, 321, 3), np.uint8)).keypoints, poses.keypoints
    )


def test_an_export_to_onnx_runs(tmp_path: Path) -> None:
    body = person(80, 8, 300)
    cif, caf = draw([body])
    path = export(tmp_path / "own.onnx", cif[None], caf[None])
    poses = load_model(card=own_card(), weights=path, accept_licence=True)(
        np.zeros((321, 321, 3), np.uint8)
    )
    assert len(poses) == 1
    np.testing.assert_allclose(poses.keypoints[0], body + 0.5, atol=0.1)


WANTED = r"card t: wanted fields of \(N, 17, 5, 41, 41\) and \(N, 19, 8, 41, 41\) for pictures of "


@pytest.mark.parametrize(
    "shapes",
    [
        [(1, 17, 5, 41, 41)],  # one head only
        [(1, 17, 5, 41, 41)] * 2,  # one head twice
        [(1, 17, 8, 41, 41), (1, 19, 5, 41, 41)],  # swapped
        [(1, 18, 5, 41, 41), (1, 19, 8, 41, 41)],  # other keypoints
        [(1, 17, 4, 41, 41), (1, 19, 7, 41, 41)],  # before 0.12: no first channel
        [(1, 85, 41, 41), (1, 152, 41, 41)],
        [(1, 17, 5, 17, 17), (1, 19, 8, 17, 17)],  # exported for 129 x 129
        [(1, 17, 5, 41, 41), (1, 19, 8, 21, 21)],
    ],
)
def test_another_network_is_refused(tmp_path: Path, shapes: list[tuple[int, ...]]) -> None:
    path = build(tmp_path / "other.xml", *(np.zeros(shape, np.float32) for shape in shapes))
    with pytest.raises(ModelError, match=WANTED + r"321 x 321, got \(1, ") as error:
        load_model(card=own_card(), weights=path, accept_licence=True)
    assert str(shapes[-1]) in str(error.value)
    assert "--input-width 321 --input-height 321" in str(error.value)


def test_an_output_of_another_shape_is_refused_when_it_comes() -> None:
    cif, caf = draw([], (21, 21))
    model = CIFCAFModel(StandIn(cif[None], caf[None]), card())
    with pytest.raises(ModelError, match=WANTED):
        model.estimate([Frame(np.zeros((321, 321, 3), np.uint8))])


@pytest.mark.parametrize("name", ["openpifpaf-shufflenetv2k16", "openpifpaf-shufflenetv2k30"])
def test_the_cards_ask_for_the_users_own_export(name: str) -> None:
    row = CARDS[name]
    assert row.restriction.startswith("AGPL-3.0")
    assert all((side - 1) % 16 == 0 for side in row.size)
    assert f"--input-width {row.size[0]} --input-height {row.size[1]}" in row.note
    with pytest.raises(WeightsError, match="nobody publishes this file"):
        load_model(name, accept_licence=True)


def test_sizes_are_those_of_the_published_encoder() -> None:
    assert sizes(person(0, 0, 100))[0] == pytest.approx(np.sqrt(44 * 90) * 0.026, rel=1e-3)
