"""Reading videos, animations, arrays and frames: every frame, upright, at its true time."""

from __future__ import annotations

import gc
import io
import re
import threading
import time
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest
from PIL import Image

from media import make_frames, read_number, write_video
from poise.errors import InputError, UsageError
from poise.io.reading import read_frames
from poise.poses import Frame

RED = np.array([220, 30, 30])


def decoders() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "poise-decode"]


@pytest.fixture(autouse=True)
def quiet_and_tidy(capfd: pytest.CaptureFixture[str]):
    """No test of this file leaves a thread behind or lets FFmpeg talk."""
    yield
    gc.collect()
    deadline = time.monotonic() + 3
    while decoders() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not decoders()
    assert capfd.readouterr().err == ""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty numbered frames with a key frame every ten."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    return write_video(path, make_frames(40), key_every=10)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm", ".avi", ".ts"])
def test_every_container_gives_every_frame(tmp_path: Path, suffix: str) -> None:
    with read_frames(write_video(tmp_path / f"a{suffix}")) as reader:
        frames = list(reader)
    assert [frame.index for frame in frames] == list(range(24))
    assert [read_number(frame.image) for frame in frames] == list(range(24))
    assert np.allclose([frame.time for frame in frames], np.arange(24) / 25, atol=1e-9)
    assert reader.size == (64, 48) and reader.fps == pytest.approx(25)
    assert not (reader.truncated or reader.live or reader.still or reader.has_audio)
    assert reader.count in (24, None)


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_rotation_is_undone(tmp_path: Path, suffix: str, rotation: int) -> None:
    path = write_video(tmp_path / f"a{suffix}", make_frames(3), rotation=rotation)
    with read_frames(path) as reader:
        frames = list(reader)
    assert reader.size == frames[0].size == (64, 48)
    assert [read_number(frame.image) for frame in frames] == [0, 1, 2]
    for frame in frames:
        assert np.abs(frame.image[4:20, 4:28].mean(axis=(0, 1)) - RED).max() < 30
        assert frame.image.flags.c_contiguous


@pytest.mark.parametrize(("suffix", "exact"), [(".mp4", 1e-5), (".mkv", 1e-3)])
def test_variable_frame_rate_is_exact(tmp_path: Path, suffix: str, exact: float) -> None:
    times = np.cumsum([0, *np.random.default_rng(1).uniform(0.01, 0.3, 23)])
    with read_frames(write_video(tmp_path / f"a{suffix}", times=times)) as reader:
        read = [frame.time for frame in reader]
    assert np.abs(np.subtract(read, times)).max() <= exact


def test_time_begins_at_the_first_frame(tmp_path: Path) -> None:
    times = [5 + i / 25 for i in range(10)]
    path = write_video(tmp_path / "a.mkv", make_frames(10), times=times)
    with read_frames(path) as reader:
        assert next(reader).time == 0.0


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm", ".avi"])
@pytest.mark.parametrize("start", [0.02, 0.4, 0.41, 1.0, 1.56])
def test_start_keeps_index_and_time(tmp_path: Path, suffix: str, start: float) -> None:
    path = write_video(tmp_path / f"a{suffix}", make_frames(40), key_every=7)
    with read_frames(path) as reader:
        wanted = [(f.index, f.time, read_number(f.image)) for f in reader if f.time >= start]
    with read_frames(path, start=start) as reader:
        assert [(f.index, f.time, read_number(f.image)) for f in reader] == wanted
    assert not reader.truncated


def test_start_in_a_variable_frame_rate(tmp_path: Path) -> None:
    times = np.cumsum([0, *np.random.default_rng(2).uniform(0.01, 0.3, 39)])
    path = write_video(tmp_path / "a.mp4", make_frames(40), times=times, key_every=5)
    with read_frames(path, start=float(times[23]) - 0.004) as reader:
        frame = next(reader)
    assert (frame.index, read_number(frame.image)) == (23, 23)
    assert frame.time == pytest.approx(times[23], abs=1e-4)


def test_start_does_not_decode_what_comes_long_before(clip: Path) -> None:
    from poise.io.feeds import Window
    from poise.io.videos import open_video

    feed = open_video(clip, "clip")
    index = feed._skip_to(1.3)
    assert 22 <= index <= 32
    assert read_number(next(feed.frames(Window())).image) == index
    feed.close()


def test_end_is_left_out_and_stride_counts_from_zero(clip: Path) -> None:
    with read_frames(clip, start=0.2, end=0.8, stride=3) as reader:
        assert [frame.index for frame in reader] == [6, 9, 12, 15, 18]
    with read_frames(clip, start=10) as reader:
        assert list(reader) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"stride": 0},
        {"stride": 1.5},
        {"start": -1},
        {"start": float("nan")},
        {"start": 2, "end": 1},
        {"timeout": 0},
        {"fps": -1},
    ],
)
def test_arguments_that_cannot_be(clip: Path, wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError, match=next(reversed(wrong))):
        read_frames(clip, **wrong)


def test_sound_and_pixel_aspect_are_told(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", audio=True, aspect=Fraction(4, 3))
    with read_frames(path) as reader:
        assert len(list(reader)) == 24
    assert reader.has_audio and not reader.truncated
    assert reader.pixel_aspect == pytest.approx(4 / 3) and reader.size == (64, 48)


@pytest.mark.parametrize("name", ["ä ö.mp4", "a:b.mp4", "new\nline.mp4", "💃.mp4", "50%d.mp4"])
def test_any_name(tmp_path: Path, name: str) -> None:
    path = write_video(tmp_path / "plain.mp4", make_frames(2)).rename(tmp_path / name)
    with read_frames(str(path)) as reader:
        assert len(list(reader)) == 2 and reader.source == str(path)


def test_a_relative_name_with_a_colon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_video(tmp_path / "plain.mp4", make_frames(2)).rename(tmp_path / "concat:a.mp4")
    monkeypatch.chdir(tmp_path)
    with read_frames("concat:a.mp4") as reader:
        assert len(list(reader)) == 2


# The thread that reads ahead


def test_leaving_early_stops_the_decoder(clip: Path) -> None:
    with read_frames(clip) as reader:
        assert next(reader).index == 0
        assert decoders()
    assert not decoders()
    assert list(reader) == []


def test_an_exception_or_interrupt_stops_the_decoder(clip: Path) -> None:
    for kind in (ValueError, KeyboardInterrupt):
        with pytest.raises(kind), read_frames(clip) as reader:
            for _ in reader:
                raise kind
        assert not decoders()


def test_a_forgotten_reader_stops_its_decoder(clip: Path) -> None:
    assert next(iter(read_frames(clip))).index == 0


def test_only_a_few_frames_are_read_ahead(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from poise.io.videos import VideoFeed

    made = []
    convert = VideoFeed._rgb
    monkeypatch.setattr(
        VideoFeed, "_rgb", lambda feed, raw: made.append(raw.pts) or convert(feed, raw)
    )
    with read_frames(clip) as reader:
        next(reader)
        time.sleep(0.1)
        assert len(made) <= 6


def test_an_error_in_the_thread_reaches_the_consumer(
    clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from poise.io.videos import VideoFeed

    def fail(feed: VideoFeed, raw: object) -> None:
        raise InputError("broken", where="frame")

    monkeypatch.setattr(VideoFeed, "_rgb", fail)
    with read_frames(clip) as reader, pytest.raises(InputError, match="frame: broken"):
        next(reader)


# Animations


def save_animation(path: Path, durations: list[int], **options: object) -> Path:
    pictures = [Image.fromarray(frame) for frame in make_frames(len(durations))]
    first, *others = pictures
    first.save(path, save_all=True, append_images=others, duration=durations, **options)
    return path


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png", ".avif"])
def test_animations_keep_each_frames_time(tmp_path: Path, suffix: str) -> None:
    durations = [100, 40, 250, 30, 70, 500]
    options = {"lossless": True} if suffix == ".webp" else {}
    path = save_animation(tmp_path / f"a{suffix}", durations, **options)
    with read_frames(path) as reader:
        frames = list(reader)
    assert [read_number(frame.image) for frame in frames] == list(range(6))
    assert np.allclose([f.time for f in frames], np.cumsum([0, *durations[:-1]]) / 1000)
    assert not reader.still and not reader.truncated and reader.size == (64, 48)
    assert reader.count == (None if suffix == ".gif" else 6)


def test_a_gif_of_one_frame_is_a_picture(tmp_path: Path) -> None:
    Image.fromarray(make_frames(1)[0]).save(tmp_path / "a.gif")
    with read_frames(tmp_path / "a.gif") as reader:
        assert reader.still and len(list(reader)) == 1


def test_a_cut_gif_gives_the_frames_it_has(tmp_path: Path) -> None:
    path = save_animation(tmp_path / "a.gif", [40] * 20)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with read_frames(path) as reader:
        frames = list(reader)
    assert 0 < len(frames) < 20 and reader.truncated


# Arrays and frames


def test_an_array_is_a_still() -> None:
    image = make_frames(1)[0]
    with read_frames(image) as reader:
        (frame,) = reader
    assert reader.still and reader.size == (64, 48) and reader.count == 1
    assert frame.image is image and frame.index == 0


def test_arrays_get_their_times_from_fps() -> None:
    for source in (make_frames(6), iter(make_frames(6)), np.stack(make_frames(6))):
        with read_frames(source, fps=10, start=0.15, end=0.5, stride=2) as reader:
            assert [(f.index, f.time) for f in reader] == [(2, 0.2), (4, 0.4)]
        assert reader.fps == 10 and not reader.still


def test_frames_pass_through_untouched() -> None:
    frames = [Frame(image, 7 + i, 3.0 + i, cut=i == 1) for i, image in enumerate(make_frames(3))]
    with read_frames(frame for frame in frames) as reader:
        assert list(reader) == frames


def test_a_fake_camera_is_taken_as_it_is() -> None:
    frames = [Frame(image, i, i / 15) for i, image in enumerate(make_frames(3))]

    class Camera:
        live, size, fps = True, (64, 48), 15.0

        def __iter__(self):
            return iter(frames)

    with read_frames(Camera()) as reader:
        assert list(reader) == frames
    assert reader.live and reader.fps == 15 and reader.size == (64, 48)
    assert reader.source == "Camera"
    with read_frames(SimpleNamespace(frames=lambda: iter(frames), live=True)) as reader:
        assert list(reader) == frames


@pytest.mark.parametrize(
    "source", [None, 3.5, True, b"bytes", np.zeros((4, 4)), [np.zeros((4, 4))], ["a.png"], object()]
)
def test_values_that_are_no_source(source: object) -> None:
    with pytest.raises(UsageError, match="wanted"):
        read_frames(source)


def test_no_frames_at_all() -> None:
    with pytest.raises(InputError, match="no frame came"):
        read_frames([])


# Standard input


def feed_stdin(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(data))
    monkeypatch.setattr("sys.stdin", stdin)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".gif", ".png"])
def test_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    count = 24
    if suffix == ".gif":
        save_animation(path, [40] * 24)
    elif suffix == ".png":
        Image.fromarray(make_frames(1)[0]).save(path)
        count = 1
    else:
        write_video(path)
    feed_stdin(monkeypatch, path.read_bytes())
    with read_frames("-") as reader:
        assert [read_number(frame.image) for frame in reader] == list(range(count))
    assert reader.source == "-"


def test_empty_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    feed_stdin(monkeypatch, b"")
    with pytest.raises(InputError, match="standard input: the file is empty"):
        read_frames("-")


@pytest.mark.data
def test_real_videos_are_read_whole(data_dir: Path) -> None:
    videos = sorted((data_dir / "videos").glob("*/*.*"))
    assert len(videos) > 10
    for path in videos:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            packets = sum(packet.pts is not None for packet in container.demux(stream))
        with read_frames(path, stride=1000) as reader:
            last = max(frame.time for frame in reader)
        assert not reader.truncated, path
        assert reader.count == packets, path
        assert last >= 0


@pytest.mark.data
def test_seeking_in_real_videos_keeps_the_index(data_dir: Path) -> None:
    for name in (
        "exercise/tfjs_pose_1.mp4",
        "fall/fall-12-cam0.mp4",
        "exercise/tfjs_pose_squats.mp4",
    ):
        path = data_dir / "videos" / name
        with read_frames(path) as reader:
            frames = {frame.index: frame for frame in reader}
        index = len(frames) * 4 // 5
        with read_frames(path, start=frames[index].time) as reader:
            found = next(reader)
        assert (found.index, found.time) == (index, frames[index].time)
        assert np.array_equal(found.image, frames[index].image)


def test_the_examples_of_the_guide_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    guide = Path(__file__).parents[1] / "docs" / "sources.md"
    blocks = re.findall(r"```python\n(.*?)```", guide.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) >= 4
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, str(guide), "exec"), names)


def test_a_title_that_is_not_utf8_is_no_reason_to_refuse(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    with av.open(path, "w") as container:
        container.metadata["title"] = "Cafe"
        stream = container.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        frame = av.VideoFrame.from_ndarray(make_frames(1)[0])
        container.mux([*stream.encode(frame), *stream.encode(None)])
    path.write_bytes(path.read_bytes().replace(b"Cafe", b"Caf\xe9"))
    with read_frames(path) as reader:
        assert len(list(reader)) == 1
