"""Films of comparisons: the right picture at the right time, in little memory."""

from __future__ import annotations

import dataclasses
import tracemalloc
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from comparison_sample import FAULT, OFFSET, TEMPO, sample_comparison, sample_stages
from media import make_frames, read_number, write_video
from poise.angles import LIMB_NAMES
from poise.clip import Track
from poise.comparison.figures import (
    ATTEMPT_COLOUR,
    REFERENCE_COLOUR,
    UNJUDGED_COLOUR,
    limb_colours,
)
from poise.comparison.film import Film, film_times, open_sides, write_film
from poise.comparison.gauges import say_lag, say_tempo
from poise.comparison.instants import Course, Person, limb_rows
from poise.comparison.layout import choose_layout, picture_height
from poise.comparison.moments import extract_moments, worst_time
from poise.comparison.result import Comparison, Relation, Timeline
from poise.draw import open_picture_writer
from poise.draw.lettering import fitted, text_width, write
from poise.errors import InputError, OutputError, UsageError
from poise.io import read_frames
from poise.loading import Footage
from poise.poses import Frame, Image, Poses

Films = tuple[Path, Path]


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Films:
    """The pictures of the sample's reference and attempt."""
    folder = tmp_path_factory.mktemp("films")
    paths = folder / "reference.mp4", folder / "attempt.mp4"
    for path, stage in zip(paths, sample_stages(), strict=True):
        nobody = Poses.empty(stage.truth(0).skeleton)
        with open_picture_writer(path, size=stage.size, fps=stage.fps) as writer:
            for index in range(len(stage)):
                if index % 30 == 0:  # drawing takes longest, and nothing here looks at the rest
                    image = stage.frame(index).image
                writer.write(Frame(image, index, index / stage.fps), nobody)
    return paths


@pytest.fixture
def comparison() -> Comparison:
    return sample_comparison()


def first_seconds(comparison: Comparison, seconds: float, **relation: object) -> Comparison:
    """The beginning of a comparison, so that a film of it is made soon."""
    timeline = comparison.timeline
    rows = timeline.times <= timeline.times[0] + seconds
    cut = {
        field.name: getattr(timeline, field.name)[rows] for field in dataclasses.fields(Timeline)
    }
    changed = dataclasses.replace(comparison.relation, **relation)
    return dataclasses.replace(comparison, timeline=Timeline(**cut), relation=changed)


def film_of(
    comparison: Comparison, stack: ExitStack, *sources: object, small: bool = False
) -> tuple[Film, Comparison]:
    reference, attempt = sources or (None, None)
    sides = open_sides(comparison, reference, attempt, stack)
    return Film(comparison, *sides, small=small), comparison


def panel(film: Film, number: int, canvas: Image) -> Image:
    rect = film._panels[number].rect
    return canvas[rect.rows(), rect.columns()]


def numbered(path: Path, count: int, fps: int) -> Path:
    return write_video(path, make_frames(count, (128, 96)), fps=fps)


def blank_people(comparison: Comparison) -> Comparison:
    """Without keypoints, so that nothing is painted over the pictures."""

    def empty(track: Track) -> Track:
        scores = np.zeros_like(track.scores)
        return dataclasses.replace(track, scores=scores, xyz=None)

    reference, attempt = empty(comparison.reference), empty(comparison.attempt)
    return dataclasses.replace(comparison, reference=reference, attempt=attempt, faults=())


def plain_comparison(attempt_times: np.ndarray, fps: float = 25.0) -> Comparison:  # type: ignore[type-arg]
    """A comparison whose attempt's times are given, for each frame of the reference."""
    count = len(attempt_times)
    sample = blank_people(sample_comparison())
    errors = np.full((count, len(LIMB_NAMES)), 5.0)
    timeline = Timeline(
        np.arange(count) / fps,
        attempt_times,
        np.full(count, 90.0),
        errors,
        np.ones_like(errors),
        np.zeros(count),
    )
    return dataclasses.replace(sample, timeline=timeline, segments=(), relation=Relation())


def test_a_film_lasts_as_long_as_the_reference(
    films: Films, comparison: Comparison, tmp_path: Path
) -> None:
    short, path, told = first_seconds(comparison, 1.0), tmp_path / "film.mp4", []
    notes = write_film(short, path, reference=films[0], attempt=films[1],
                       report=lambda done, all_: told.append((done, all_)))  # fmt: skip
    with read_frames(path) as reader:
        assert reader.size == (1280, 720)
        assert reader.fps == pytest.approx(30, abs=0.01)
        times = [frame.time for frame in reader]
    assert times == pytest.approx(np.arange(31) / 30, abs=1e-3)
    assert (told[0], told[-1]) == ((1, 31), (31, 31))
    assert notes == ()


def test_a_fast_reference_is_thinned_evenly(comparison: Comparison) -> None:
    times = np.arange(101) / 50
    track = comparison.reference
    rows = np.zeros(101, int)
    fast = Track(1, track.skeleton, times, track.keypoints[rows], track.scores[rows])
    changed = dataclasses.replace(first_seconds(comparison, 2.0), reference=fast)
    with ExitStack() as stack:
        shown = film_times(changed, open_sides(changed, None, None, stack)[0], 30.0)
    assert np.diff(shown) == pytest.approx(1 / 25)


def test_the_attempt_is_shown_at_the_aligned_time(tmp_path: Path) -> None:
    reference = numbered(tmp_path / "a.mp4", 20, 25)
    attempt = numbered(tmp_path / "b.mp4", 60, 20)
    aligned = 0.5 + np.arange(20) / 25 * 2
    with ExitStack() as stack:
        film, comparison = film_of(plain_comparison(aligned), stack, reference, attempt)
        for row, time in enumerate(comparison.timeline.times.tolist()):
            canvas = film.paint(time)
            assert read_number(panel(film, 0, canvas)) == row
            shown = read_number(panel(film, 1, canvas))
            assert abs(shown / 20 - aligned[row]) <= 0.5 / 20 + 1e-6


def test_what_is_left_out_is_dimmed(tmp_path: Path) -> None:
    reference, attempt = (numbered(tmp_path / f"{name}.mp4", 20, 25) for name in "ab")
    aligned = np.arange(20) / 25
    aligned[8:15] = np.nan
    with ExitStack() as stack:
        film, comparison = film_of(plain_comparison(aligned), stack, reference, attempt)
        pictures = [film.paint(time) for time in comparison.timeline.times.tolist()]
    bright = [panel(film, 1, picture)[20:60, 20:60].mean() for picture in pictures]
    assert max(bright[9:14]) < 0.6 * min(bright[:7] + bright[16:])
    kept = [panel(film, 0, picture)[20:60, 20:60].mean() for picture in pictures]
    assert min(kept) > 0.8 * max(kept)


def test_a_mirrored_attempt_is_flipped(tmp_path: Path) -> None:
    reference, attempt = (numbered(tmp_path / f"{name}.mp4", 20, 25) for name in "ab")
    plain = plain_comparison(np.arange(20) / 25)
    mirrored = dataclasses.replace(plain, relation=Relation(mirrored=True))
    with ExitStack() as stack:
        film, _ = film_of(plain, stack, reference, attempt)
        other, _ = film_of(mirrored, stack, reference, attempt)
        straight, flipped = (panel(one, 1, one.paint(0.4)) for one in (film, other))
    inside = slice(60, -20)  # below the titles
    apart = np.abs(straight[inside].astype(int) - flipped[inside, ::-1])
    assert apart.mean() < 2
    assert np.abs(straight[inside].astype(int) - flipped[inside]).mean() > 20


def test_a_mirrored_person_lies_on_the_flipped_picture(comparison: Comparison) -> None:
    plain = Person(comparison.attempt, comparison, attempt=True)
    mirror = dataclasses.replace(comparison, relation=Relation(mirrored=True))
    mirrored = Person(comparison.attempt, mirror, attempt=True)
    find = comparison.attempt.skeleton.find
    there = plain.in_picture(3.0, 640).points[find("left_wrist")]
    here = mirrored.in_picture(3.0, 640).points[find("right_wrist")]
    assert here == pytest.approx((640 - there[0], there[1]))


def test_both_bodies_lie_on_each_other_whatever_the_camera(comparison: Comparison) -> None:
    """Where nothing is planted the normalised bodies agree, though one is smaller and elsewhere."""
    ours = Person(comparison.reference, comparison, attempt=False)
    flat = dataclasses.replace(comparison, relation=Relation())
    theirs = Person(comparison.attempt, flat, attempt=True)
    body = [comparison.reference.skeleton.find(f"{side}_{part}") for side in ("left", "right")
            for part in ("shoulder", "elbow", "knee")]  # fmt: skip
    a, b = ours.beside(1.5), theirs.beside(OFFSET + 1.5 / TEMPO)
    assert np.abs(a.points[body] - b.points[body]).max() < 0.15


@pytest.mark.parametrize("mirrored", [False, True])
def test_the_roll_of_the_camera_is_taken_from_the_overlay(
    comparison: Comparison, mirrored: bool
) -> None:
    angle = np.radians(12)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    track = comparison.reference
    turned = dataclasses.replace(track, keypoints=(track.keypoints @ turn).astype(np.float32))
    level = dataclasses.replace(comparison, relation=Relation(mirrored=mirrored))
    rolled = dataclasses.replace(comparison, relation=Relation(mirrored=mirrored, roll=12.0))
    wanted = Person(track, level, attempt=True).beside(2.0)
    came = Person(turned, rolled, attempt=True).beside(2.0)
    assert came.points == pytest.approx(wanted.points, abs=1e-3)


def test_nothing_stands_there_after_a_failure(
    films: Films, comparison: Comparison, tmp_path: Path
) -> None:
    def stop(done: int, _: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_film(comparison, tmp_path / "film.mp4", reference=films[0], attempt=films[1],
                   report=stop)  # fmt: skip
    assert list(tmp_path.iterdir()) == []


def test_names_that_cannot_be_written(films: Films, comparison: Comparison, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no film ends in '\.png'; choose one of \.mp4"):
        write_film(comparison, tmp_path / "film.png")
    for source in films:
        with pytest.raises(OutputError, match="is also the source"):
            write_film(comparison, source, reference=films[0], attempt=films[1], overwrite=True)
    taken = tmp_path / "taken.mp4"
    taken.write_bytes(b"here")
    with pytest.raises(OutputError, match="exists already"):
        write_film(comparison, taken)
    with pytest.raises(InputError, match="no such file"):
        write_film(comparison, tmp_path / "film.mp4", reference=tmp_path / "gone.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["taken.mp4"]


def test_a_gif_is_small_and_slow(films: Films, comparison: Comparison, tmp_path: Path) -> None:
    path = tmp_path / "film.gif"
    write_film(first_seconds(comparison, 1.0), path, reference=films[0], attempt=films[1])
    with read_frames(path) as reader:
        assert reader.size[0] == 480
        assert reader.size[1] <= 480
        assert [frame.time for frame in reader] == pytest.approx(np.arange(11) / 10)


def test_keypoints_alone_make_a_film(comparison: Comparison, tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    write_film(first_seconds(comparison, 0.3), path)
    frames = list(read_frames(path))
    assert len(frames) == 10
    half = frames[5].image[100:600, :680].astype(int)
    blue = np.abs(half - REFERENCE_COLOUR).max(axis=2) < 40
    green = np.abs(half - ATTEMPT_COLOUR).max(axis=2) < 40
    assert blue[:, :340].sum() > 500 > blue[:, 340:].sum()
    assert green[:, 340:].sum() > 500 > green[:, :340].sum()


def test_a_folder_of_pictures_is_a_recording(tmp_path: Path, comparison: Comparison) -> None:
    folder = tmp_path / "pictures"
    with open_picture_writer(f"{folder}/", size=(128, 96)) as writer:
        for index, image in enumerate(make_frames(12, (128, 96))):
            writer.write(Frame(image, index), Poses.empty(comparison.reference.skeleton))
    with Footage(folder, 30) as footage:
        shown = [footage.at(number / 30) for number in (0, 4, 4, 11)]
    assert [read_number(frame.image) for frame in shown if frame] == [0, 4, 4, 11]


def test_the_sound_of_the_reference_is_kept(tmp_path: Path) -> None:
    sounding = write_video(tmp_path / "a.mp4", make_frames(20, (128, 96)), fps=25, audio=True)
    write_film(plain_comparison(np.arange(20) / 25), tmp_path / "film.mp4", reference=sounding)
    with read_frames(tmp_path / "film.mp4") as reader:
        assert reader.has_audio


def test_memory_does_not_grow_with_the_length(tmp_path: Path) -> None:
    def frames(count: int) -> Iterator[Image]:
        for number in range(count):
            yield np.full((540, 960, 3), number % 250, np.uint8)

    def peak(count: int) -> int:
        comparison = plain_comparison(np.arange(count) / 25)
        with ExitStack() as stack:
            film, _ = film_of(comparison, stack, frames(count), frames(count))
            film.paint(0.0)
            tracemalloc.start()
            for time in comparison.timeline.times.tolist():
                film.paint(time)
            most = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        return most

    assert peak(40) < peak(10) + 2 * 960 * 540 * 3


def test_the_colour_of_a_limb_is_its_error(films: Films, comparison: Comparison) -> None:
    limb, _, start, end = FAULT
    with ExitStack() as stack:
        film, _ = film_of(comparison, stack, *films)
        right, wrong = (panel(film, 1, film.paint(time)) for time in (1.5, (start + end) / 2))
    colour = limb_colours(np.full(len(LIMB_NAMES), 40.0))[LIMB_NAMES.index(limb)]
    red = [
        int((np.abs(part.astype(int) - colour).max(axis=2) < 40).sum()) for part in (right, wrong)
    ]
    assert red[1] > red[0] + 40


def test_colours_run_from_green_to_red() -> None:
    good, poor, bad, unknown = limb_colours(np.array([0.0, 24.0, 90.0, np.nan])).astype(int)
    assert tuple(good) == ATTEMPT_COLOUR
    assert good[1] > 180 > good[0]
    assert poor[0] > 200
    assert poor[1] > 150
    assert bad[0] > 200 > 120 > bad[1]
    assert tuple(unknown) == UNJUDGED_COLOUR


def test_what_holds_at_a_moment(comparison: Comparison) -> None:
    course = Course(comparison)
    instant = course.at(2.5)
    assert instant.faults[0].limb == "left_forearm"
    assert instant.attempt_time == pytest.approx(OFFSET + 2.5 / TEMPO)
    assert instant.errors[LIMB_NAMES.index("left_forearm")] > 30
    assert not instant.left_out
    last = course.at(float(comparison.timeline.times[-1]))
    assert last.left_out
    assert last.so_far == pytest.approx(comparison.score)
    assert (last.note, say_lag(last), say_tempo(last)) == ("left out", "left out", "-")


def test_lag_and_tempo_in_words(comparison: Comparison) -> None:
    instant = Course(comparison).at(2.0)
    assert say_lag(dataclasses.replace(instant, lag=0.21)) == "0.2 s behind"
    assert say_lag(dataclasses.replace(instant, lag=-0.3)) == "0.3 s ahead"
    assert say_lag(dataclasses.replace(instant, lag=0.03)) == "in time"
    assert say_lag(dataclasses.replace(instant, lag=float("nan"))) == "-"
    assert say_tempo(dataclasses.replace(instant, tempo=0.96)) == "4 % slower"
    assert say_tempo(dataclasses.replace(instant, tempo=1.1)) == "10 % faster"


def test_a_comparison_that_cannot_say_never_says(comparison: Comparison) -> None:
    unsure = dataclasses.replace(comparison, verdict="cannot say")
    assert Course(unsure).at(1.0).verdict == "cannot say"


def test_a_single_pose_is_a_film_of_one_picture(comparison: Comparison, tmp_path: Path) -> None:
    path = tmp_path / "pose.mp4"
    write_film(first_seconds(comparison, 0.0), path)
    assert len(list(read_frames(path))) == 1


def test_the_limbs_of_an_arm() -> None:
    assert [LIMB_NAMES[row] for row in limb_rows("left_arm")] == ["left_upper_arm", "left_forearm"]
    assert [LIMB_NAMES[row] for row in limb_rows("right_forearm")] == ["right_forearm"]
    assert limb_rows("body") == list(range(len(LIMB_NAMES)))


@pytest.mark.parametrize("aspects", [(16 / 9, 16 / 9), (9 / 16, 9 / 16), (9 / 16, 2.4), (1, 0.2)])
@pytest.mark.parametrize("small", [False, True])
def test_everything_has_its_place(aspects: tuple[float, float], small: bool) -> None:
    layout = choose_layout(aspects, small=small)
    taken = np.zeros(layout.size[::-1], int)
    for rect in (layout.left, layout.right, layout.overlay, layout.measures, layout.limbs,
                 layout.caption, layout.timeline):  # fmt: skip
        if rect is not None:
            assert rect.right <= layout.size[0]
            assert rect.bottom <= layout.size[1]
            taken[rect.rows(), rect.columns()] += 1
    assert taken.max() == 1
    height = picture_height(layout, aspects)
    assert height * aspects[0] <= layout.left.width + 1
    assert height <= layout.right.height


def test_words_are_cut_where_there_is_no_room() -> None:
    words = "left forearm 40° too low"
    assert fitted(words, 15, 1000) == words
    cut = fitted(words, 15, 90)
    assert cut.endswith("…")
    assert text_width(cut, 15) <= 90


@pytest.mark.parametrize("text", ["Füße über Öl", "ça été", "Привет", "日本", "", "  ", "a–b"])
def test_letters_of_other_languages_do_no_harm(text: str) -> None:
    image = np.zeros((40, 300, 3), np.uint8)
    write(image, text, (5, 30), size=20, colour=(255, 255, 255))
    assert bool(image.any()) == bool(text.strip())


def test_words_outside_of_the_picture_are_cut_off() -> None:
    image = np.zeros((20, 40, 3), np.uint8)
    for where in ((-30, 10), (30, 25), (500, 500), (-500, -500), (20, 0)):
        write(image, "across the edge", where, size=16, colour=(255, 255, 255))
    assert image.any()


def test_dots_stand_above_their_letters() -> None:
    plain, dotted = np.zeros((40, 40, 3), np.uint8), np.zeros((40, 40, 3), np.uint8)
    write(plain, "u", (10, 30), size=24, colour=(255, 255, 255))
    write(dotted, "ü", (10, 30), size=24, colour=(255, 255, 255))
    top = np.flatnonzero(plain.any(axis=(1, 2)))[0]
    assert (plain[top:] == dotted[top:]).all()
    assert dotted[: top - 1].any()


def test_moments_show_the_worst_instant(films: Films, comparison: Comparison) -> None:
    worst = comparison.worst(3)
    pairs = extract_moments(comparison, worst, *films, width=320)
    assert [pair.fault for pair in pairs] == list(worst)
    for pair in pairs:
        assert pair.reference.shape == pair.attempt.shape == (180, 320, 3)
        assert pair.reference_time is not None
        assert pair.fault.start - 0.04 <= pair.reference_time <= pair.fault.end + 0.04
    pose = next(pair for pair in pairs if pair.fault.limb == "left_forearm")
    errors = comparison.timeline.errors[:, LIMB_NAMES.index("left_forearm")]
    rows = np.searchsorted(comparison.timeline.times, [pose.fault.start, pose.fault.end])
    row = np.abs(comparison.timeline.times - worst_time(comparison, pose.fault)).argmin()
    assert errors[row] == pytest.approx(errors[rows[0] : rows[1]].max())


def test_a_moment_that_is_left_out_is_dimmed(films: Films, comparison: Comparison) -> None:
    missed = next(fault for fault in comparison.faults if fault.kind == "missed")
    other = comparison.faults[0]
    dark, bright = extract_moments(comparison, [missed, other], *films, width=320)
    assert dark.attempt.mean() < 0.6 * bright.attempt.mean()


def test_moments_without_pictures(comparison: Comparison) -> None:
    pair = extract_moments(comparison, comparison.worst(1), None, None)[0]
    assert max(pair.reference.shape[1], pair.attempt.shape[1]) <= 480
    assert (np.abs(pair.reference.astype(int) - REFERENCE_COLOUR).max(axis=2) < 40).sum() > 500
    with pytest.raises(UsageError, match="at least 16 pixels, got 3"):
        extract_moments(comparison, [], None, None, width=3)


def test_what_was_not_recorded_is_not_called_left_out(comparison: Comparison) -> None:
    bare = dataclasses.replace(comparison, faults=())
    assert Course(bare).at(float(comparison.timeline.times[-1])).note == "nothing to compare"
