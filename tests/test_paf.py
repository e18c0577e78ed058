"""Heat maps and part affinity fields: ideal fields, the published rules restated, real weights."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import openvino
import pytest
from PIL import Image as Pictures

from ideal_fields import HEIGHT, WIDTH, draw, person
from poise.errors import ModelError
from poise.models.card import Card
from poise.models.paf import GROUPINGS, LAYOUTS, PAFModel, decode, load, split
from poise.models.paf_grouping import group_openpose, group_tfpose
from poise.models.paf_lightweight import far_apart
from poise.models.paf_lines import Layout, Peaks
from poise.models.paf_maps import REACH, CubicField, DividedField, enlarge_maps, find_peaks
from poise.models.table import CARDS
from poise.poses import Frame
from poise.skeleton import get_skeleton
from stand_in import StandIn

BOTH = pytest.mark.parametrize("grouping", ["tfpose", "openpose", "lightweight"])


def check(people: list[np.ndarray], layout: Layout, grouping: str, *, tolerance=0.5, **kwargs):
    """Every drawn person comes back once, whole, and nobody else does."""
    # Lightweight OpenPose reads a line to its very ends, and is trained on fields of a cell around.
    limbs = (1.0, 1.0) if grouping == "lightweight" else (0.5, 0.8)
    drawn = draw(people, layout, limbs=limbs, **kwargs)
    found, scores, sure = decode(*drawn, layout, grouping=grouping)
    assert len(found) == len(people) == len(scores) == len(sure)
    left = list(range(len(found)))
    for body in people:
        distance = [np.nanmean(np.hypot(*(found[i] - body).T)) for i in left]
        mine = found[left.pop(int(np.argmin(distance)))]
        np.testing.assert_array_equal(np.isfinite(mine[:, 0]), np.isfinite(body[:, 0]))
        assert np.nanmax(np.hypot(*(mine - body).T)) < tolerance
    assert (np.isfinite(found[..., 0]) == (scores > 0)).all()
    assert (np.diff(sure) <= 0).all()
    return found


# --- ideal fields --------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("name", LAYOUTS)
def test_one_person_comes_back(name: str, grouping: str) -> None:
    layout = LAYOUTS[name]
    for x, y in np.random.default_rng(3).uniform(0, 1, (5, 2)):
        check([person(layout, 20.3 + x, 2 + y, 40)], layout, grouping)


@BOTH
@pytest.mark.parametrize("name", LAYOUTS)
def test_several_people_come_back(name: str, grouping: str) -> None:
    layout = LAYOUTS[name]
    group = [person(layout, 10.2, 3.1, 38), person(layout, 42.4, 2.6, 40)]
    check([*group, person(layout, 26.1, 4.3, 36)], layout, grouping)


@BOTH
def test_touching_people_come_back(grouping: str) -> None:
    layout = LAYOUTS["coco18"]
    # Wrist at wrist: the right one of the first beside the left one of the second.
    group = [person(layout, 36.5, 3, 40), person(layout, 18.4, 3.4, 40)]
    right, left = group[0][4], group[1][7]
    assert np.hypot(*(right - left)) < 1.5
    check(group, layout, grouping)


@BOTH
def test_crossing_limbs_are_not_swapped(grouping: str) -> None:
    layout = LAYOUTS["coco18"]
    first, second = person(layout, 14.5, 3, 40), person(layout, 37.5, 3, 40)
    # The left forearm of one and that of the other cross like an X between them.
    first[[6, 7]], second[[6, 7]] = [[22, 14], [32, 24]], [[32.5, 13.5], [22.5, 24.5]]
    found = check([first, second], layout, grouping)
    for body in found:
        mine = first if abs(body[1, 0] - 14.5) < 2 else second
        assert np.hypot(*(body[7] - mine[7])) < 0.5


@BOTH
def test_truncated_people_come_back(grouping: str) -> None:
    layout = LAYOUTS["coco18"]
    below = person(layout, 20, 15.5, 60)
    below[below[:, 1] > HEIGHT - 0.4] = np.nan
    beside = person(layout, 47.5, 4, 30)
    beside[beside[:, 0] > WIDTH - 0.4] = np.nan
    assert np.isnan(below).any()
    check([below, beside], layout, grouping)


@BOTH
def test_missing_joints_stay_missing(grouping: str) -> None:
    layout = LAYOUTS["coco18"]
    one, two = person(layout, 14.3, 3, 40), person(layout, 38.2, 3.3, 39)
    one[[4, 13, 0, 14, 15, 16, 17]] = np.nan
    two[[9, 10, 16]] = np.nan
    check([one, two], layout, grouping)


@BOTH
def test_a_person_of_too_few_parts_is_nobody(grouping: str) -> None:
    layout = LAYOUTS["coco18"]
    body = person(layout, 20, 3, 40)
    body[[i for i in range(18) if i not in (8, 9)]] = np.nan
    found, scores, sure = decode(*draw([body], layout), layout, grouping=grouping)
    assert found.shape == (0, 18, 2)
    assert scores.shape == (0, 18)
    assert sure.shape == (0,)


@BOTH
def test_empty_maps_hold_nobody(grouping: str) -> None:
    layout = LAYOUTS["body25"]
    found, _, _ = decode(*draw([], layout), layout, grouping=grouping)
    assert found.shape == (0, 25, 2)


def test_feet_do_not_make_a_person_of_openposes() -> None:
    layout = LAYOUTS["body25"]
    body = person(layout, 25, -40, 80)
    body[[i for i in range(25) if i not in (13, 14, 19, 20, 21)]] = np.nan
    found, _, _ = decode(*draw([body], layout), layout, grouping="openpose")
    assert len(found) == 0
    body[12] = person(layout, 25, -40, 80)[12]
    found, _, _ = decode(*draw([body], layout), layout, grouping="openpose")
    assert len(found) == 1


# --- the published rules, restated plainly -------------------------------------------------------


def restated_tfpose(peaks, field, layout, scale):
    """pafprocess.cpp of tf-pose-estimation, loop by loop; absent is -1 everywhere."""
    keypoints = len(get_skeleton(layout.skeleton))
    large = field.repeat(scale, axis=1).repeat(scale, axis=2)
    subset = []
    for number, (part1, part2) in enumerate(layout.pairs):
        candidates = []
        for a in np.flatnonzero(peaks.parts == part1):
            for b in np.flatnonzero(peaks.parts == part2):
                (ax, ay), (bx, by) = peaks.points[a].tolist(), peaks.points[b].tolist()
                norm = ((bx - ax) ** 2 + (by - ay) ** 2) ** 0.5
                if norm < 1e-12:
                    continue
                total, count = 0.0, 0
                for i in range(10):
                    x, y = (
                        int(ax + i * ((bx - ax) / 10) + 0.5),
                        int(ay + i * ((by - ay) / 10) + 0.5),
                    )
                    vx, vy = (large[channel, y, x] for channel in layout.channels[number])
                    score = (bx - ax) / norm * vx + (by - ay) / norm * vy
                    total += score
                    count += score > 0.05
                criterion = total / 10 + min(0.0, 0.5 * large.shape[1] / norm - 1.0)
                if count > 6 and criterion > 0:
                    candidates.append((criterion, a, b))
        connections = []
        for score, a, b in sorted(candidates, key=lambda c: -c[0]):
            if all(a != other[1] and b != other[2] for other in connections):
                connections.append((score, a, b))
        for score, a, b in connections:
            rows = [i for i, r in enumerate(subset) if r[0][part1] == a or r[0][part2] == b]
            if len(rows) == 1:
                row = subset[rows[0]]
                if row[0][part2] != b:
                    row[0][part2] = b
                    row[1] += 1
                    row[2] += peaks.scores[b] + score
            elif len(rows) == 2:
                one, two = subset[rows[0]], subset[rows[1]]
                if not any(one[0][k] >= 0 and two[0][k] >= 0 for k in range(keypoints)):
                    one[0] = [p + q + 1 for p, q in zip(one[0], two[0], strict=True)]
                    one[1] += two[1]
                    one[2] += two[2] + score
                    del subset[rows[1]]
                else:
                    one[0][part2] = b
                    one[1] += 1
                    one[2] += peaks.scores[b] + score
            elif not rows and number < len(layout.pairs) - layout.helpers:
                parts = [-1] * keypoints
                parts[part1], parts[part2] = a, b
                subset.append([parts, 2, peaks.scores[a] + peaks.scores[b] + score])
    return [(r[0], r[2] / r[1]) for r in subset if r[1] >= 4 and r[2] / r[1] >= 0.3]


def restated_openpose(peaks, field, layout):
    """OpenPose's bodyPartConnectorBase, loop by loop."""
    keypoints, (_, height, width) = len(get_skeleton(layout.skeleton)), field.shape
    pairs = []
    for number, (part_a, part_b) in enumerate(layout.pairs):
        for a in np.flatnonzero(peaks.parts == part_a):
            for b in np.flatnonzero(peaks.parts == part_b):
                (ax, ay), (bx, by) = peaks.points[a].tolist(), peaks.points[b].tolist()
                dx, dy = bx - ax, by - ay
                count = max(5, min(25, int((5 * max(abs(dx), abs(dy))) ** 0.5 + 0.5)))
                norm = (dx * dx + dy * dy) ** 0.5
                if norm <= 1e-6:
                    continue
                total, above = 0.0, 0
                for step in range(count):
                    x = max(0, min(width - 1, int(ax + step * (dx / count) + 0.5)))
                    y = max(0, min(height - 1, int(ay + step * (dy / count) + 0.5)))
                    vx, vy = (field[channel, y, x] for channel in layout.channels[number])
                    score = dx / norm * vx + dy / norm * vy
                    if score > 0.05:
                        total += score
                        above += 1
                if above / count > 0.95:
                    score = total / above
                elif norm < (width * height) ** 0.5 / 150:
                    score = 0.05 + 1e-6
                else:
                    continue
                weighted = score + 0.1 * peaks.scores[a] + 0.1 * peaks.scores[b]
                pairs.append((weighted, score, number, a, b))
    people, owner = [], dict.fromkeys(range(len(peaks.parts)), -1)
    for _, score, number, a, b in sorted(pairs, reverse=True):
        part_a, part_b = layout.pairs[number]
        if owner[a] < 0 and owner[b] < 0:
            parts = [-1] * keypoints
            parts[part_a], parts[part_b] = a, b
            owner[a] = owner[b] = len(people)
            people.append([parts, 2, peaks.scores[a] + peaks.scores[b] + score])
        elif owner[a] < 0 or owner[b] < 0:
            held, new, part = (a, b, part_b) if owner[a] >= 0 else (b, a, part_a)
            row = people[owner[held]]
            if row[0][part] < 0:
                row[0][part] = new
                row[1] += 1
                row[2] += peaks.scores[new] + score
                owner[new] = owner[held]
        elif owner[a] == owner[b]:
            people[owner[a]][2] += score
        else:
            low, high = sorted((owner[a], owner[b]))
            one, two = people[low], people[high]
            if not any(p >= 0 and q >= 0 for p, q in zip(one[0], two[0], strict=True)):
                one[0] = [p if p >= 0 else q for p, q in zip(one[0], two[0], strict=True)]
                one[1] += two[1]
                one[2] += two[2] + score
                del people[high]
                for peak, now in owner.items():
                    owner[peak] = low if now == high else now - (now > high)
    kept = []
    for parts, count, total in people:
        feet = sum(part >= 0 for part in parts[19:25]) if keypoints == 25 else 0
        if count - feet >= 3 and total / (count - feet) >= 0.4:
            kept.append((parts, total / (count - feet)))
    return kept


def random_peaks(random, layout: Layout, whole: bool) -> tuple[Peaks, np.ndarray]:
    """Peaks and a field that points somewhere, strongly enough that people come of it."""
    keypoints = len(get_skeleton(layout.skeleton))
    parts = np.sort(random.integers(0, keypoints, 4 * keypoints))
    points = random.uniform(0, [59, 47], (len(parts), 2))
    points = np.floor(points) if whole else points
    angle = random.normal(0, 0.9, (len(layout.pairs), 1, 1)) + random.normal(0, 0.7, (12, 15))
    field = np.zeros((2 * len(layout.pairs), 12, 15), np.float32)
    for (cx, cy), turn in zip(layout.channels, angle, strict=True):
        field[cx], field[cy] = np.cos(turn), np.sin(turn)
    scores = random.uniform(0.05, 1, len(parts))
    return Peaks(parts, points.astype(np.float32), scores.astype(np.float32)), field


def same(ours, theirs) -> int:
    rows, scores = ours
    theirs = sorted(theirs, key=lambda one: -one[1])
    assert [list(map(int, parts)) for parts, _ in theirs] == rows.tolist()
    np.testing.assert_allclose(scores, [score for _, score in theirs], rtol=1e-5)
    return len(theirs)


@pytest.mark.parametrize("name", LAYOUTS)
def test_grouping_is_tf_poses(name: str) -> None:
    random, layout, people = np.random.default_rng(5), LAYOUTS[name], 0
    for _ in range(6):
        peaks, field = random_peaks(random, layout, whole=True)
        ours = group_tfpose(peaks, DividedField(field, 4), layout)
        people += same(ours, restated_tfpose(peaks, field, layout, 4))
    assert people > 10


@pytest.mark.parametrize("name", LAYOUTS)
def test_grouping_is_openposes(name: str) -> None:
    random, layout, people = np.random.default_rng(6), LAYOUTS[name], 0
    for _ in range(6):
        peaks, field = random_peaks(random, layout, whole=False)
        ours = group_openpose(peaks, CubicField(field, 4), layout)
        large = np.stack(list(enlarge_maps(field, 4, cubic=True)))
        people += same(ours, restated_openpose(peaks, large, layout))
    assert people > 10


def test_close_peaks_are_joined_without_a_field_by_openposes_rules() -> None:
    layout = LAYOUTS["coco18"]
    # Nose, neck, right shoulder, right elbow; the last two are closer than 300 / 150 cells.
    points = np.array([[150, 100], [150, 150], [120, 150], [120, 151]], np.float32)
    peaks = Peaks(np.array([0, 1, 2, 3]), points, np.ones(4, np.float32))
    field = np.zeros((38, 300, 300), np.float32)
    field[layout.channels[12][1]] = -1
    field[layout.channels[0][0]] = -1
    rows, _ = group_openpose(peaks, DividedField(field, 1), layout)
    assert rows[:, :4].tolist() == [[0, 1, 2, 3]]
    peaks.points[3, 1] = 153
    rows, _ = group_openpose(peaks, DividedField(field, 1), layout)
    assert rows[:, :4].tolist() == [[0, 1, 2, -1]]


# --- maxima --------------------------------------------------------------------------------------


def test_peaks_are_those_of_a_plain_search() -> None:
    maps = np.random.default_rng(8).uniform(0, 1, (3, 20, 23)).astype(np.float32)
    maps[1, 4:6, 4:6] = 2
    parts, cells, around = find_peaks(maps, 0.5)
    assert around.shape == (len(parts), 7, 7)
    np.testing.assert_array_equal(around[:, 3, 3], maps[parts, cells[:, 1], cells[:, 0]])
    wide = ((0, 0), (REACH, REACH), (REACH, REACH))
    beyond = np.pad(maps, wide, constant_values=-np.inf)
    for part, (x, y), near in zip(parts, cells, around, strict=True):
        np.testing.assert_array_equal(near, beyond[part, y : y + 7, x : x + 7])
    padded = np.pad(maps, ((0, 0), (1, 1), (1, 1)), constant_values=-1)
    wanted = []
    for k, y, x in np.ndindex(*maps.shape):
        near = padded[k, y : y + 3, x : x + 3].ravel()
        here = near[4]
        if here > 0.5 and (here > near[:4]).all() and (here >= near[5:]).all():
            wanted.append((k, x, y))
    assert [(k, x, y) for k, (x, y) in zip(parts.tolist(), cells.tolist(), strict=True)] == wanted
    # Four equal cells are one maximum, the first of them.
    assert [(x, y) for k, x, y in wanted if k == 1 and maps[1, y, x] == 2] == [(4, 4)]


def test_a_maximum_of_a_cross_may_have_a_higher_one_at_its_corner() -> None:
    maps = np.zeros((1, 8, 9), np.float32)
    maps[0, 3, 4], maps[0, 4, 5], maps[0, 6, 1:3] = 0.8, 0.9, 0.7
    cells = find_peaks(maps, 0.1, cross=True)[1]
    assert cells.tolist() == [[4, 3], [5, 4], [1, 6]]
    assert find_peaks(maps, 0.1)[1].tolist() == [[5, 4], [1, 6]]


def test_of_two_maxima_too_close_the_left_one_counts() -> None:
    cells = np.array([[9, 1], [4, 3], [14, 3], [9, 4], [5, 1]])
    parts = np.array([0, 0, 0, 0, 1])
    # (4, 3) takes (9, 1) with it, less than 6 cells away, and (9, 4); then (14, 3) is free.
    assert far_apart(parts, cells, 6).tolist() == [1, 2, 4]
    assert far_apart(parts, cells, 5).tolist() == [1, 0, 2, 4]
    assert far_apart(parts[:0], cells[:0], 6).tolist() == []


def test_a_map_keeps_its_highest_peaks() -> None:
    maps = np.zeros((2, 40, 40), np.float32)
    maps[0, ::2, ::2] = np.random.default_rng(9).uniform(0.1, 1, (20, 20))
    maps[1, 7, 9] = 0.2
    parts, cells, _ = find_peaks(maps, 0.05)
    assert np.bincount(parts).tolist() == [127, 1]
    kept = maps[0, cells[:127, 1], cells[:127, 0]]
    assert kept.min() == np.sort(maps[0].ravel())[-127]


def test_enlarging_is_tf_poses_and_opencvs() -> None:
    stats, cv2 = pytest.importorskip("scipy.stats"), pytest.importorskip("cv2")
    field = np.random.default_rng(10).normal(0, 1, (2, 11, 9)).astype(np.float32)
    edge = 3.0 + 7 / 25 / 2
    mass = np.diff(stats.norm.cdf(np.linspace(-edge, edge, 26)))
    kernel = np.sqrt(np.outer(mass, mass))
    divided = field.repeat(4, axis=1).repeat(4, axis=2)
    border = cv2.BORDER_CONSTANT
    smooth = [cv2.filter2D(one, -1, kernel / kernel.sum(), borderType=border) for one in divided]
    np.testing.assert_allclose(list(enlarge_maps(field, 4, cubic=False)), smooth, atol=1e-5)
    cubic = [cv2.resize(one, (72, 88), interpolation=cv2.INTER_CUBIC) for one in field]
    np.testing.assert_allclose(list(enlarge_maps(field, 8, cubic=True)), cubic, atol=1e-4)


@pytest.mark.parametrize("times", [1, 4, 8])
def test_a_field_read_at_cells_is_the_enlarged_one(times: int) -> None:
    field = np.random.default_rng(12).normal(0, 1, (3, 11, 9)).astype(np.float32)
    channel, y, x = np.indices((3, 11 * times, 9 * times))
    cubic, divided = CubicField(field, times), DividedField(field, times)
    assert cubic.size == divided.size == (9 * times, 11 * times)
    large = list(enlarge_maps(field, times, cubic=True))
    np.testing.assert_allclose(cubic.read(channel, x, y), large, atol=1e-5)
    large = field.repeat(times, axis=1).repeat(times, axis=2)
    np.testing.assert_array_equal(divided.read(channel, x, y), large)


# --- the model -----------------------------------------------------------------------------------


def card(**fields) -> Card:
    known = {"skeleton": "coco18", "size": (WIDTH * 8, HEIGHT * 8), "layout": "NHWC", **fields}
    return Card(name="t", family="paf", kind="pose", **known)


def outputs_of(people, layout: Layout) -> np.ndarray:
    maps, field = draw(people, layout)
    return np.concatenate([maps, 1 - maps.max(axis=0, keepdims=True), field])[None]


@pytest.mark.parametrize("name", LAYOUTS)
def test_one_output_and_two_are_read(name: str) -> None:
    layout = LAYOUTS[name]
    both = outputs_of([person(layout, 20, 3, 40)], layout)
    keypoints = len(get_skeleton(name))
    one = split([both.transpose(0, 2, 3, 1)], layout, "NHWC")
    parts = both[:, keypoints + 1 :], both[:, : keypoints + 1]
    two = split([*(0 * part for part in parts), *parts], layout, "NCHW")
    for maps, field in (one, two):
        np.testing.assert_array_equal(maps, both[0, :keypoints])
        np.testing.assert_array_equal(field, both[0, keypoints + 1 :])


@pytest.mark.parametrize(
    ("shape", "order"),
    [
        ((1, 46, 54, 56), "NHWC"),
        ((1, 46, 54, 57), "NCHW"),
        ((1, 57), "NHWC"),
        ((1, 4, 4, 38), "NHWC"),
    ],
)
def test_other_outputs_are_refused(shape, order: str) -> None:
    with pytest.raises(ModelError, match=r"wanted 57 channels, or 19 and 38.*coco18.*got \(1, "):
        split([np.zeros(shape, np.float32)], LAYOUTS["coco18"], order)


def test_settings_that_cannot_be_are_refused() -> None:
    with pytest.raises(ModelError, match="card t: no grouping 'cmu'"):
        PAFModel(StandIn(), card(settings={"grouping": "cmu"}))
    with pytest.raises(ModelError, match="card t: no layout 'coco17'"):
        PAFModel(StandIn(), card(skeleton="coco17"))


@pytest.mark.parametrize("stretch", [False, True])
def test_people_are_placed_in_the_picture(stretch: bool) -> None:
    layout = LAYOUTS["coco18"]
    body = person(layout, 20, 3, 40)
    session = StandIn(outputs_of([body], layout).transpose(0, 2, 3, 1))
    model = PAFModel(session, card(settings={"stretch": stretch}))
    frame = Frame(np.zeros((HEIGHT * 8, WIDTH * 4, 3), np.uint8), index=7, time=1.5)
    poses, again = model.estimate([frame, frame])
    assert session.seen[0].shape == (1, HEIGHT * 8, WIDTH * 8, 3)
    assert (poses.index, poses.time, poses.size) == (7, 1.5, frame.size)
    assert poses.skeleton.name == "coco18"
    wanted = body * ([4, 8] if stretch else [8, 8])
    np.testing.assert_allclose(poses.keypoints[0], wanted, atol=2)
    np.testing.assert_array_equal(poses.keypoints, again.keypoints)
    assert 0.4 < poses.person_scores[0] <= 1


def save(path: Path, card: Card, outputs: list[np.ndarray]) -> None:
    """Write a network of constant (C, h, w) outputs, moved by what its first input plane says."""
    op, (width, height) = openvino.opset8, card.size
    planar = card.layout == "NCHW"
    door = op.parameter([1, 3, height, width] if planar else [1, height, width, 3], np.float32)
    first = op.gather(door, np.array(0), np.array(1 if planar else 3))
    moved = op.reduce_mean(first, np.array([0, 1, 2]), False)
    order = (0, 1, 2) if planar else (1, 2, 0)
    values = [np.ascontiguousarray(one.transpose(order)[None], np.float32) for one in outputs]
    ends = [op.add(value, moved) for value in values]
    openvino.save_model(openvino.Model(ends, [door]), path, compress_to_fp16=False)


def stages(row: str, people: list[np.ndarray]) -> list[np.ndarray]:
    """The outputs of a published network that sees these people, in the order that it has them."""
    layout, (width, height) = LAYOUTS[CARDS[row].skeleton], CARDS[row].size
    maps, field = draw(people, layout, shape=(height // 8, width // 8), limbs=(1.0, 1.0))
    maps = np.concatenate([maps, 1 - maps.max(axis=0, keepdims=True)])
    if row == "lightweight-openpose":
        return [0.3 * maps[::-1], 0.3 * field[::-1], maps, field]
    return [field, maps] if row == "human-pose-estimation-0001" else [np.concatenate([maps, field])]


KIN = [name for name, row in CARDS.items() if row.family == "paf"]


@pytest.mark.parametrize("row", KIN)
def test_every_row_reads_a_network_of_its_kind(row: str, tmp_path: Path) -> None:
    known = CARDS[row]
    layout, (width, height) = LAYOUTS[known.skeleton], known.size
    group = [person(layout, 11.3, 2.2, 27), person(layout, 30.4, 1.7, 28)]
    save(tmp_path / "net.xml", known, stages(row, group))
    model = load(known, [tmp_path / "net.xml"], precision="f32")
    # Red and green say nothing to the first plane, which is blue; this blue is its middle.
    picture = np.full((height, width, 3), 255, np.uint8)
    picture[..., 2] = known.mean[0]
    found = model(picture)
    assert len(found) == 2
    assert found.skeleton.name == known.skeleton
    for body, points in zip(
        group, found.keypoints[found.keypoints[:, 1, 0].argsort()], strict=True
    ):
        np.testing.assert_allclose(points, 8 * body, atol=4)
    np.testing.assert_allclose(found.person_scores, 1, atol=0.15)
    # Another blue moves all outputs, as the card says.
    before = model._session.run(picture[None])
    picture[..., 2] += 50
    for one, other in zip(before, model._session.run(picture[None]), strict=True):
        np.testing.assert_allclose(other - one, 50 / known.std[0], rtol=1e-4)


def test_the_mpi_network_needs_higher_maxima_and_less_of_a_field() -> None:
    layout, settings = LAYOUTS["mpii15"], CARDS["openpose-mpi"].settings
    assert (settings["least"], settings["support"]) == (0.6, 0.01)
    maps, field = draw([person(layout, 20.3, 3, 40)], layout)
    choices = {"grouping": "openpose", "enlarge": 8}
    for faint, thin, people, strict in ((1, 1, 1, 1), (0.55, 1, 1, 0), (1, 0.03, 0, 1)):
        scaled = faint * maps, thin * field, layout
        assert len(decode(*scaled, **choices)[0]) == people
        assert len(decode(*scaled, **choices, least=0.6, support=0.01)[0]) == strict


def test_noise_takes_bounded_time() -> None:
    layout, random = LAYOUTS["coco18"], np.random.default_rng(11)
    maps = random.uniform(0, 1, (18, 24, 26)).astype(np.float32)
    field = random.normal(0, 1, (38, 24, 26)).astype(np.float32)
    begun = time.process_time()
    for grouping in GROUPINGS:
        decode(maps, field, layout, grouping=grouping)
    assert time.process_time() - begun < 10


# --- real weights --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small(data_dir: Path) -> PAFModel:
    paths = [data_dir / "weights/tfpose/mobilenet_v2_small_graph_opt.pb"]
    return load(CARDS["openpose-mobilenet-v2-small"], paths, precision="f32")


@pytest.mark.weights
@pytest.mark.data
def test_a_frozen_graph_finds_the_couple(small: PAFModel, data_dir: Path) -> None:
    picture = Pictures.open(data_dir / "weights/posenet/test_couple.jpg").convert("RGB")
    poses, again = small.estimate([Frame(np.asarray(picture))] * 2)
    assert poses.size == picture.size
    assert len(poses) == 2
    assert (poses.present.sum(axis=1) >= 10).all()
    np.testing.assert_array_equal(poses.keypoints, again.keypoints)
    # Necks above hips, and both inside the picture.
    neck, hips = poses.keypoints[:, 1], np.nanmean(poses.keypoints[:, [8, 11]], axis=1)
    assert (neck[:, 1] < hips[:, 1]).all()
    assert (poses.boxes[:, :2] > 0).all()
    assert (poses.boxes[:, 2:] < poses.size).all()


@pytest.mark.weights
@pytest.mark.data
def test_colours_the_wrong_way_round_lose_people(small: PAFModel, data_dir: Path) -> None:
    picture = Pictures.open(data_dir / "weights/posenet/test_couple.jpg").convert("RGB")
    image = np.asarray(picture)
    right, wrong = small(image), small(np.ascontiguousarray(image[..., ::-1]))
    assert right.scores.sum() > 1.2 * wrong.scores.sum()
