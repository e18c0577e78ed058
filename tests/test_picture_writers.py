"""Written videos, GIFs and pictures, read back: times, sound, sizes, colours, and bad endings."""

from __future__ import annotations

import resource
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image as Pictures

from media import make_frames, read_number, write_video
from poise.draw import PictureWriter, Style, gif, open_picture_writer, paint, video
from poise.errors import OutputError, UsageError
from poise.poses import Frame, Image, Poses
from poise.skeleton import get_skeleton

COCO = get_skeleton("coco17")
VARIABLE = [0.0, 0.04, 0.05, 0.2, 0.2333, 0.7, 0.74, 1.5, 1.55, 2.0]
SUFFIXES = [".mp4", ".mov", ".mkv", ".webm"]


def nobody(frame: Frame) -> Poses:
    return Poses.empty(COCO, index=frame.index, time=frame.time, size=frame.size)


def write(
    path: Path | str,
    images: list[Image],
    times: list[float] | None = None,
    **options: object,
) -> PictureWriter:
    height, width = images[0].shape[:2]
    when = times or [number / 25 for number in range(len(images))]
    options = {"fps": 25.0, **options}
    with open_picture_writer(path, size=(width, height), **options) as writer:  # type: ignore[arg-type]
        for index, (image, time) in enumerate(zip(images, when, strict=True)):
            frame = Frame(image, index, time)
            writer.write(frame, nobody(frame))
    return writer


def read(path: Path) -> tuple[list[float], list[Image], float]:
    """Times, pictures and the length of the video stream in seconds."""
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
        length = float(container.duration) / 1e6
        images = [frame.to_ndarray(format="rgb24") for frame in frames]
        return [float(frame.time) for frame in frames], images, length


def tone_after(path: Path, seconds: float, length: float = 2.0) -> Path:
    """A video whose sound is silent until a moment, and a tone from then on."""
    with av.open(str(path), "w") as container:
        picture = container.add_stream("libx264", rate=25)
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        webm = path.suffix == ".webm"
        sound = container.add_stream("libopus" if webm else "aac", rate=48000)
        for image in make_frames(int(length * 25)):
            container.mux(picture.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(picture.encode())
        moments = np.arange(int(length * 48000)) / 48000
        wave = np.where(moments < seconds, 0, 0.5 * np.sin(moments * 2 * np.pi * 440))
        for start in range(0, len(wave) - 1024, 1024):
            block = np.tile(wave[start : start + 1024].astype(np.float32), (2, 1))
            frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="stereo")
            frame.sample_rate, frame.pts = 48000, start
            frame.time_base = Fraction(1, 48000)
            container.mux(sound.encode(frame))
        container.mux(sound.encode())
    return path


def hear(path: Path) -> tuple[str, float, float]:
    """Codec of the sound, when it becomes loud, and when it ends (seconds)."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        onset, end = float("inf"), 0.0
        for frame in container.decode(stream):
            wave = np.abs(frame.to_ndarray().astype(float))
            wave = wave / 32768 if frame.format.name.startswith("s16") else wave
            loud = np.flatnonzero(wave.max(axis=0) > 0.2)
            if len(loud):
                onset = min(onset, frame.time + loud[0] / frame.sample_rate)
            end = frame.time + frame.samples / frame.sample_rate
        return stream.codec_context.codec.canonical_name, onset, end


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_variable_times_are_kept(tmp_path: Path, suffix: str) -> None:
    images = make_frames(len(VARIABLE))
    writer = write(tmp_path / f"out{suffix}", images, VARIABLE)
    times, shown, length = read(tmp_path / f"out{suffix}")
    exact = 2e-5 if suffix in (".mp4", ".mov") else 6e-4
    assert np.abs(np.array(times) - VARIABLE).max() < exact
    assert [read_number(image) for image in shown] == list(range(len(VARIABLE)))
    assert length == pytest.approx(
        2.0 + 0.45, abs=0.002
    )  # the last frame lasts like the one before
    assert writer.notes == ()


def test_a_video_starts_at_zero_wherever_it_was_cut_out(tmp_path: Path) -> None:
    write(tmp_path / "out.mp4", make_frames(5), [7.0, 7.04, 7.08, 7.12, 7.16])
    times, _, length = read(tmp_path / "out.mp4")
    assert times == pytest.approx([0, 0.04, 0.08, 0.12, 0.16], abs=1e-5)
    assert length == pytest.approx(0.2, abs=1e-3)


def test_times_that_stand_still_or_go_back_do_not_break_the_video(tmp_path: Path) -> None:
    write(tmp_path / "out.mp4", make_frames(4), [0.0, 0.04, 0.04, 0.03])
    times, _, _ = read(tmp_path / "out.mp4")
    assert len(times) == 4
    assert (np.diff(times) > 0).all()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_odd_sizes_lose_no_line(tmp_path: Path, suffix: str) -> None:
    images = make_frames(3, (65, 47))
    write(tmp_path / f"out{suffix}", images)
    _, shown, _ = read(tmp_path / f"out{suffix}")
    assert shown[0].shape == (48, 66, 3)
    assert np.abs(shown[0][:47, :65].astype(int) - images[0]).mean() < 12


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".gif"])
def test_colours_come_back(tmp_path: Path, suffix: str) -> None:
    for colour in ((220, 30, 30), (40, 180, 60), (30, 60, 210), (128, 128, 128)):
        image = np.full((48, 64, 3), colour, np.uint8)
        write(tmp_path / f"out{suffix}", [image] * 3, overwrite=True)
        _, shown, _ = read(tmp_path / f"out{suffix}")
        assert np.abs(shown[1].astype(int).mean(axis=(0, 1)) - colour).max() < 6


def test_a_video_says_which_colours_it_means_and_begins_with_its_index(tmp_path: Path) -> None:
    write(tmp_path / "out.mp4", make_frames(3))
    with av.open(str(tmp_path / "out.mp4")) as container:
        context = container.streams.video[0].codec_context
        assert context.name == "h264"
        assert (context.pix_fmt, int(context.colorspace)) == ("yuv420p", 1)
    data = (tmp_path / "out.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


@pytest.mark.parametrize(
    ("source", "suffix", "codec"),
    [
        ("in.mp4", ".mp4", "aac"),
        ("in.mp4", ".mov", "aac"),
        ("in.mp4", ".mkv", "aac"),
        ("in.mp4", ".webm", "opus"),
        ("in.webm", ".mp4", "opus"),
        ("in.webm", ".webm", "opus"),
    ],
)
@pytest.mark.parametrize("start", [0.0, 0.52])
def test_sound_is_kept_in_step(
    tmp_path: Path, source: str, suffix: str, codec: str, start: float
) -> None:
    if source.endswith("webm"):
        media = write_webm_with_tone(tmp_path / source)
    else:
        media = tone_after(tmp_path / source, 0.8)
    times = [start + number / 25 for number in range(25)]
    writer = write(tmp_path / f"out{suffix}", make_frames(25), times, source=media)
    kept, onset, end = hear(tmp_path / f"out{suffix}")
    assert kept == codec
    assert onset == pytest.approx(0.8 - start, abs=0.03)
    assert end == pytest.approx(1.0, abs=0.04)  # not longer than the picture
    assert writer.notes == ()
    shown, _, _ = read(tmp_path / f"out{suffix}")
    assert shown == pytest.approx([number / 25 for number in range(25)], abs=6e-4)


def write_webm_with_tone(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        picture = container.add_stream("libvpx", rate=25)
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        sound = container.add_stream("libopus", rate=48000)
        for image in make_frames(50):
            container.mux(picture.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(picture.encode())
        for start in range(0, 95000, 960):
            moments = (start + np.arange(960)) / 48000
            wave = np.where(moments < 0.8, 0, 0.5 * np.sin(moments * 2 * np.pi * 440))
            block = np.repeat((wave * 32767).astype(np.int16), 2)[None]
            frame = av.AudioFrame.from_ndarray(block, format="s16", layout="stereo")
            frame.sample_rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
            container.mux(sound.encode(frame))
        container.mux(sound.encode())
    return path


def test_sources_without_sound_make_silent_videos(tmp_path: Path) -> None:
    silent = write_video(tmp_path / "silent.mp4")
    text = tmp_path / "text.mp4"
    text.write_text("ffconcat version 1.0\nfile silent.mp4\n")
    for source, notes in ((silent, 0), (tmp_path / "absent", 0), ("0", 0), (7, 0), (text, 1)):
        writer = write(tmp_path / "out.mp4", make_frames(3), source=source, overwrite=True)
        with av.open(str(tmp_path / "out.mp4")) as container:
            assert not container.streams.audio
        assert len(writer.notes) == notes, source


def test_without_h264_the_next_best_is_used_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video, "_WANTED", ("libnothing", "mpeg4"))
    writer = write(tmp_path / "out.mp4", make_frames(len(VARIABLE)), VARIABLE)
    assert writer.notes == ("no H.264 encoder here, so the video is mpeg4",)
    times, shown, _ = read(tmp_path / "out.mp4")
    assert np.abs(np.array(times) - VARIABLE).max() < 2e-5
    assert [read_number(image) for image in shown] == list(range(len(VARIABLE)))
    monkeypatch.setattr(video, "_WANTED", ("libnothing",))
    with pytest.raises(OutputError, match="none of libnothing"):
        write(tmp_path / "more.mp4", make_frames(3))
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


def test_pixels_that_are_not_square_stay_so(tmp_path: Path) -> None:
    write(tmp_path / "out.mp4", make_frames(3), pixel_aspect=64 / 45)
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert container.streams.video[0].sample_aspect_ratio == Fraction(64, 45)


def gif_delays(path: Path) -> list[int]:
    """Hundredths of a second that each frame stays."""
    with Pictures.open(path) as picture:
        delays = []
        for number in range(picture.n_frames):  # type: ignore[attr-defined]
            picture.seek(number)
            delays.append(round(picture.info["duration"] / 10))
    return delays


@pytest.mark.parametrize("fps", [10, 24, 25, 29.97, 30, 50, 60, 120])
def test_a_gif_lasts_exactly_as_long(tmp_path: Path, fps: float) -> None:
    count = int(fps * 1.3)
    times = [number / fps for number in range(count)]
    write(tmp_path / "out.gif", [make_frames(64)[i % 64] for i in range(count)], times, fps=fps)
    delays = gif_delays(tmp_path / "out.gif")
    assert sum(delays) == pytest.approx(100 * count / fps, abs=1)
    assert min(delays[:-1]) >= 4  # 25 a second is the most
    assert delays[-1] >= 2  # players slow shorter ones down
    assert len(delays) >= min(count, 1.3 * 14)


def test_a_gif_is_made_smaller_and_repeats_and_changes_its_palette(tmp_path: Path) -> None:
    red = np.zeros((600, 900, 3), np.uint8)
    red[..., 0] = np.arange(900) % 256
    green = red[..., [1, 0, 2]]
    write(tmp_path / "out.gif", [red, red, green, green], [0, 0.5, 1, 1.5])
    assert gif_delays(tmp_path / "out.gif") == [50, 50, 50, 50]
    with Pictures.open(tmp_path / "out.gif") as picture:
        assert picture.size == (gif.LONGEST_SIDE, gif.LONGEST_SIDE * 2 // 3)
        assert picture.info["loop"] == 0
        for number, channel in ((0, 0), (3, 1)):
            picture.seek(number)
            shown = np.asarray(picture.convert("RGB")).astype(int)
            other = np.delete(shown, channel, axis=2)
            assert shown[..., channel].std() > 50
            assert other.mean() < 12


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".JPEG"])
def test_one_picture_is_what_paint_makes(tmp_path: Path, suffix: str) -> None:
    image = make_frames(1, (90, 70))[0]
    points = np.random.default_rng(2).uniform(5, 65, (1, 17, 2)).astype(np.float32)
    poses = Poses(COCO, points, np.ones((1, 17), np.float32), size=(90, 70))
    style = Style(colour="person")
    path = tmp_path / f"é picture{suffix}"
    with open_picture_writer(path, size=(90, 70), style=style, still=True) as writer:
        writer.write(Frame(image), poses)
    with Pictures.open(path) as picture:
        shown = np.asarray(picture.convert("RGB")).astype(int)
    assert np.abs(shown - paint(image, poses, style)).mean() < (0.01 if suffix == ".png" else 8)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_one_picture_refuses_a_video(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"one picture cannot hold a video; write an \.mp4"):
        open_picture_writer(tmp_path / "out.jpg", size=(64, 48), still=False)
    with pytest.raises(UsageError, match="one picture cannot hold a video"):
        write(tmp_path / "out.jpg", make_frames(12))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_numbered_pictures(tmp_path: Path) -> None:
    folder = f"{tmp_path}/out/"
    write(folder, make_frames(12))
    assert sorted(p.name for p in Path(folder).iterdir()) == [f"{i:06d}.jpg" for i in range(12)]
    with pytest.raises(OutputError, match=r"exists already and is not empty.*--overwrite"):
        write(folder, make_frames(3))
    write(folder, make_frames(3), overwrite=True)
    assert len(list(Path(folder).iterdir())) == 3
    with Pictures.open(Path(folder) / "000002.jpg") as picture:
        assert read_number(np.asarray(picture)) == 2
    (Path(folder) / "mine.txt").write_text("keep")
    with pytest.raises(OutputError, match=r"holds files.*mine\.txt"):
        write(folder, make_frames(3), overwrite=True)
    assert (Path(folder) / "mine.txt").read_text() == "keep"


def test_names_that_say_nothing(tmp_path: Path) -> None:
    for name, hint in (("out.txt", "ends in '.txt'"), ("out", "no suffix"), ("out.mp5", ".mp4")):
        with pytest.raises(UsageError, match=hint):
            open_picture_writer(tmp_path / name, size=(64, 48))


def test_what_stands_there_is_not_replaced_unasked(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    path.write_bytes(b"precious")
    with pytest.raises(OutputError, match=r"exists already.*--overwrite"):
        write(path, make_frames(3))
    with pytest.raises(OutputError, match="is also the source"):
        write(path, make_frames(3), overwrite=True, source=path)
    assert path.read_bytes() == b"precious"
    assert list(tmp_path.iterdir()) == [path]
    write(path, make_frames(3), overwrite=True)
    assert len(read(path)[0]) == 3
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        write(tmp_path / "folder.mp4", make_frames(3))
    with pytest.raises(OutputError, match="is a file, not a folder"):
        write(f"{path}/", make_frames(3))
    with pytest.raises(OutputError, match="No such file or directory"):
        write(tmp_path / "absent" / "out.mp4", make_frames(3))


def test_a_link_keeps_pointing_at_the_file(tmp_path: Path) -> None:
    (tmp_path / "real.gif").write_bytes(b"old")
    (tmp_path / "link.gif").symlink_to(tmp_path / "real.gif")
    write(tmp_path / "link.gif", make_frames(3), overwrite=True)
    assert (tmp_path / "link.gif").is_symlink()
    assert (tmp_path / "real.gif").read_bytes()[:3] == b"GIF"


@pytest.mark.parametrize("name", ["out.mp4", "out.webm", "out.gif", "out.png", "out/"])
def test_an_exception_leaves_nothing(tmp_path: Path, name: str) -> None:
    frame = Frame(make_frames(1)[0])
    writer = open_picture_writer(f"{tmp_path}/{name}", size=(64, 48))
    with pytest.raises(KeyboardInterrupt), writer:
        writer.write(frame, nobody(frame))
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(UsageError, match="closed"):
        writer.write(frame, nobody(frame))


@pytest.mark.parametrize("name", ["out.mp4", "out.gif", "out.png", "out/"])
def test_no_frame_is_said(tmp_path: Path, name: str) -> None:
    with (
        pytest.raises(OutputError, match="no frame came"),
        open_picture_writer(f"{tmp_path}/{name}", size=(64, 48)),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_an_error_while_painting_reaches_the_caller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> Image:
        raise ValueError("no paint left")

    monkeypatch.setattr("poise.draw.painter.Painter.paint", fail)
    with pytest.raises(ValueError, match="no paint left"):
        write(tmp_path / "out.mp4", make_frames(60))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv", "out.webm", "out.gif", "out.png", "out/"])
def test_a_full_disk_is_an_output_error(tmp_path: Path, name: str) -> None:
    code = (
        "import numpy as np, sys\n"
        "from poise.draw import open_picture_writer\n"
        "from poise.poses import Frame, Poses\n"
        "from poise.skeleton import get_skeleton\n"
        "rng = np.random.default_rng(0)\n"
        "try:\n"
        "    with open_picture_writer(sys.argv[1], size=(320, 240)) as writer:\n"
        "        for i in range(1 if 'png' in sys.argv[1] else 12):\n"
        "            noise = rng.integers(0, 255, (240, 320, 3), np.uint8)\n"
        "            writer.write(Frame(noise, i, i / 10), Poses.empty(get_skeleton('coco17')))\n"
        "except Exception as error:\n"
        "    print(type(error).__name__, getattr(error, 'exit_code', None), error)\n"
    )

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    done = subprocess.run(
        [sys.executable, "-c", code, f"{tmp_path}/{name}"],
        capture_output=True,
        text=True,
        preexec_fn=limit,
        check=True,
    )
    assert done.stdout.startswith("OutputError 7"), done
    assert "cannot be written" in done.stdout
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_said_on_standard_error(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in ("a.mp4", "a.mkv", "a.webm", "a.gif"):
        write(tmp_path / name, make_frames(5))
    assert capfd.readouterr() == ("", "")


def test_a_cut_ends_the_trails(tmp_path: Path) -> None:
    points = np.full((1, 17, 2), 20, np.float32)
    for cut in (False, True):
        with open_picture_writer(
            f"{tmp_path}/{cut}/", size=(64, 48), style=Style(trails=1.0, ids=False)
        ) as writer:
            for index, x in enumerate((0, 30)):
                poses = Poses(COCO, points + x / 2, np.ones((1, 17), np.float32), ids=np.array([1]))
                frame = Frame(np.zeros((48, 64, 3), np.uint8), index, index / 10, cut=cut)
                writer.write(frame, poses.replace(time=index / 10))
    shown = {}
    for cut in (False, True):
        with Pictures.open(tmp_path / str(cut) / "000001.jpg") as picture:
            shown[cut] = int(np.asarray(picture)[27, 27].max())
    assert shown[False] > 60 > shown[True]
