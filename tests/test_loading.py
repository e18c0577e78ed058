"""Sources as clips: what a word names, who is in it, and pieces of one person joined."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from clips_made_up import CROWD_FRAMES, make_crowd
from poise.errors import InputError, NoInputError, UsageError
from poise.io import write_clip
from poise.loading import (
    LoadingOptions,
    choose_track,
    expand_sources,
    find_footage,
    identify,
    load_clip,
    main_person,
    name_sources,
    weigh_people,
)
from poise.synthetic import Dancer, Stage, still


def test_the_main_person_is_long_large_and_central() -> None:
    assert main_person(make_crowd({"id": 1, "x": 300, "end": 20}, {"id": 2, "x": 340})) == 2
    assert main_person(make_crowd({"id": 1, "x": 300}, {"id": 2, "x": 340, "height": 150})) == 2
    assert main_person(make_crowd({"id": 1, "x": 20}, {"id": 2, "x": 330})) == 2


def test_weights_are_shares() -> None:
    weights = weigh_people(make_crowd({"id": 4, "x": 320, "height": 200}, {"id": 5, "x": 640}))
    diagonal = np.hypot(640, 240)
    assert weights[4] == pytest.approx(200 / diagonal)
    assert weights[5] == pytest.approx(100 / diagonal / 2)


def test_the_size_of_the_picture_may_be_unknown() -> None:
    assert main_person(make_crowd({"id": 1, "x": 20}, {"id": 2, "x": 200}, size=(0, 0))) in (1, 2)


def test_an_id_that_changed_is_put_right() -> None:
    clip = make_crowd({"id": 1, "x": 300, "end": 25}, {"id": 7, "x": 310, "start": 30})
    joined = identify(clip)
    assert joined.ids() == [1]
    assert len(joined.track(1)) == CROWD_FRAMES
    assert np.isnan(joined.track(1).keypoints[27]).all()


def test_three_pieces_are_one_person() -> None:
    pieces = [{"id": i, "x": 300 + i, "start": s, "end": s + 15} for i, s in ((3, 0), (5, 20))]
    joined = identify(make_crowd(*pieces, {"id": 9, "x": 306, "start": 40}))
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
    assert len(identify(make_crowd({"id": 1, "x": 300, "end": 30}, other)).ids()) == 2


def test_a_long_absence_may_be_of_somebody_else() -> None:
    clip = make_crowd(
        {"id": 1, "x": 300, "end": 30}, {"id": 2, "x": 300, "start": 130}, frames=160
    )  # fmt: skip
    assert len(identify(clip).ids()) == 2


def test_at_a_cut_one_alone_stays_the_same() -> None:
    clip = make_crowd({"id": 1, "x": 100, "end": 30}, {"id": 2, "x": 500, "start": 30})
    assert identify(clip).ids() == [1]
    beside = {"id": 3, "x": 300}
    crowd = make_crowd({"id": 1, "x": 100, "end": 30}, {"id": 2, "x": 500, "start": 30}, beside)
    assert sorted(identify(crowd).ids()) == [1, 2, 3]


def test_two_lost_at_once_are_found_as_themselves() -> None:
    clip = make_crowd(
        {"id": 1, "x": 200, "end": 25},
        {"id": 2, "x": 300, "end": 25},
        {"id": 3, "x": 310, "start": 30},
        {"id": 4, "x": 210, "start": 30},
    )
    joined = identify(clip)
    assert sorted(joined.ids()) == [1, 2]
    assert np.nanmean(joined.track(1).keypoints[40, :, 0]) < 250


def test_a_clip_without_ids_is_tracked() -> None:
    clip = make_crowd({"id": 1, "x": 100}, {"id": 2, "x": 400})
    bare = replace(clip, frames=tuple(poses.replace(ids=None) for poses in clip.frames))
    assert len(identify(bare).ids()) == 2
    assert len(choose_track(identify(bare))) == CROWD_FRAMES


def test_a_whole_clip_is_left_alone() -> None:
    clip = make_crowd({"id": 1, "x": 100}, {"id": 2, "x": 400})
    assert identify(clip) is clip


def test_an_unknown_id_names_the_known_ones() -> None:
    clip = make_crowd({"id": 3, "x": 100}, {"id": 8, "x": 400})
    with pytest.raises(UsageError, match="no person with id 5; its ids are 3, 8"):
        choose_track(clip, 5)
    with pytest.raises(InputError, match="no person was found"):
        choose_track(make_crowd())


def test_a_still_person_is_one_person() -> None:
    stage = Stage(Dancer(still("stand", 1.0)), size=(320, 240), fps=10.0)
    assert len(identify(stage.clip()).ids()) == 1


def test_a_folder_is_its_sources_in_natural_order(tmp_path) -> None:
    for name in ("b10.mp4", "b9.mp4", "a.png", "notes.txt", ".hidden.png"):
        (tmp_path / name).touch()
    found = [str(tmp_path / name) for name in ("a.png", "b9.mp4", "b10.mp4")]
    assert expand_sources([str(tmp_path)]) == found
    assert expand_sources([f"{tmp_path}/b*.mp4", str(tmp_path / "b9.mp4")]) == found[1:]
    assert expand_sources(["gone.mp4"]) == ["gone.mp4"]
    with pytest.raises(NoInputError, match="nothing matches"):
        expand_sources([f"{tmp_path}/*.avi"])


def test_no_two_sources_have_one_name() -> None:
    assert name_sources(["x/a.mp4", "y/b.png"]) == ["a", "b"]
    assert name_sources(["a.mp4", "a.mov"]) == ["a-mp4", "a-mov"]
    assert name_sources(["x/a.mp4", "y/a.mp4"]) == ["a-mp4", "a-mp4-2"]


def test_footage_is_a_picture_or_video_that_is_there(tmp_path) -> None:
    path = tmp_path / "a.png"
    Image.new("RGB", (8, 8)).save(path)
    assert find_footage(str(path)) == str(path)
    assert find_footage(str(tmp_path / "b.png")) is None
    assert find_footage("") is None and find_footage(str(tmp_path)) is None


def test_a_keypoint_file_needs_no_model_and_comes_out_joined(tmp_path) -> None:
    pieces = [{"id": 1, "x": 300, "end": 25}, {"id": 7, "x": 310, "start": 30}]
    write_clip(make_crowd(*pieces), tmp_path / "a.jsonl")

    def refuse() -> None:
        raise AssertionError("asked for a model")

    clip = load_clip(str(tmp_path / "a.jsonl"), refuse, LoadingOptions())
    assert clip.ids() == [1] and len(clip) == CROWD_FRAMES
    write_clip(make_crowd(), tmp_path / "nobody.jsonl")
    with pytest.raises(InputError, match=r"nobody.jsonl: no person was found"):
        load_clip(str(tmp_path / "nobody.jsonl"), refuse, LoadingOptions())


def test_options_name_their_field() -> None:
    assert LoadingOptions(smooth="none").estimation().smooth == "none"
    for wrong in ({"fps": 0}, {"fps": float("inf")}, {"smooth": "savgoll"}):
        with pytest.raises(UsageError, match=next(iter(wrong))):
            LoadingOptions(**wrong)


@pytest.mark.data
def test_the_main_person_of_real_recordings(data_dir) -> None:
    from poise.io import read_clip

    for camera, least in (("cam01", 90), ("cam02", 90)):
        folder = data_dir / "keypoints" / "openpose_pose2sim_balancing" / f"{camera}_json"
        clip = identify(read_clip(folder, fps=60, skeleton="body25b"))
        assert len(choose_track(clip)) >= least
