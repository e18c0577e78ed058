"""Bad input: each thing that is no picture or video ends in one clear line, quickly and quietly."""

from __future__ import annotations

import http.server
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest
from PIL import Image

from media import make_frames, write_sound, write_video
from poise.errors import InputError
from poise.io.reading import read_frames
from poise.io.videos import open_stream, open_video

HTML = b"<!DOCTYPE html>\n<html><body>404</body></html>"


@pytest.fixture(autouse=True)
def quiet(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    yield
    assert capfd.readouterr().err == ""


def refusal(source: object, **options: float) -> str:
    """The one line that opening a source ends in, within a second."""
    start = time.perf_counter()
    with pytest.raises(InputError) as caught:
        read_frames(source, **options)
    assert time.perf_counter() - start < 1
    line = str(caught.value)
    assert "\n" not in line and str(source) in line and "Errno" not in line and "0x" not in line
    return line


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("empty.mp4", b"", "the file is empty"),
        ("one.mp4", b"\x00", "not a picture or video"),
        ("letter.mp4", b"x", "holds text ('x')"),
        ("random.mp4", np.random.default_rng(3).bytes(100_000), "not a picture or video"),
        ("zeros.mp4", bytes(100_000), "not a picture or video"),
        ("notes.mp4", b"just some words\n" * 99, "holds text ('just some words')"),
        ("umlaut.mp4", "Größe 漢字 ".encode() * 99, "holds text"),
        ("page.jpg", HTML, "holds text ('<!DOCTYPE html>')"),
        ("head.jpg", b"\xff\xd8\xff\xe0" + bytes(50), "damaged"),
        ("head.png", b"\x89PNG\r\n\x1a\n" + bytes(50), "damaged"),
        ("head.heic", b"\0\0\0\x18ftypheic" + bytes(50), "damaged"),
        ("head.gif", b"GIF89a" + bytes(50), "damaged"),
        ("head.mp4", b"\0\0\0\x18ftypisom" + bytes(50), "not a picture or video"),
    ],
)
def test_bytes_that_are_nothing(tmp_path: Path, name: str, data: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(data)
    assert says in refusal(tmp_path / name)


def test_many_random_files(tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    for number in range(40):
        path = tmp_path / f"{number}.mp4"
        path.write_bytes(random.bytes(3000))
        with pytest.raises(InputError):
            list(read_frames(path))


def test_what_is_no_file(tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path / "missing.mp4")
    assert "is a folder" in refusal(tmp_path)
    os.mkfifo(tmp_path / "pipe.mp4")
    assert "is a pipe, socket or device" in refusal(tmp_path / "pipe.mp4")
    assert "name" in refusal("x" * 300)
    with pytest.raises(InputError, match="cannot be opened"):
        read_frames("a\0b.mp4")


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_video(tmp_path / "a.mp4", make_frames(1))

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    assert "cannot be opened (permission denied)" in refusal(path)


def test_only_sound(tmp_path: Path) -> None:
    assert "only sound" in refusal(write_sound(tmp_path / "a.mp4"))


def test_no_frames(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        container.start_encoding()
    assert "no frame of it can be decoded" in refusal(path) or "damaged" in refusal(path)


# Cut files


@pytest.mark.parametrize(
    ("name", "audio"),
    [
        ("index last.mp4", False),
        ("index first.mp4", False),
        ("index first.mp4", True),
        ("a.mkv", False),
        ("a.mkv", True),
        ("a.webm", False),
        ("a.webm", True),
        ("a.avi", False),
    ],
)
def test_cut_at_every_tenth(tmp_path: Path, name: str, audio: bool) -> None:
    path = tmp_path / name
    random = np.random.default_rng(0)
    frames = [random.integers(0, 255, (48, 64, 3), np.uint8) for _ in range(30)]
    write_video(path, frames, faststart="first" in name, audio=audio, key_every=10)
    data = path.read_bytes()
    counts = []
    for tenth in range(1, 10):
        path.write_bytes(data[: len(data) * tenth // 10])
        start = time.perf_counter()
        try:
            with read_frames(path) as reader:
                read = [frame.index for frame in reader]
            assert reader.truncated, tenth
            assert read == list(range(len(read))), tenth
        except InputError:
            read = []
        counts.append(len(read))
        assert time.perf_counter() - start < 5
    assert counts == sorted(counts) and counts[-1] < 30
    if name == "index last.mp4":
        assert not any(counts)  # without its index an MP4 cannot be read at all
    else:
        assert counts[-1] >= 20 and counts[4] >= 8
    path.write_bytes(data)
    with read_frames(path) as reader:
        assert len(list(reader)) == 30 and not reader.truncated


def test_damage_in_the_middle_does_not_end_it(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", make_frames(40), key_every=5, faststart=True)
    data = bytearray(path.read_bytes())
    half = len(data) // 2
    data[half : half + 40] = bytes(40)
    path.write_bytes(data)
    with read_frames(path) as reader:
        assert len(list(reader)) >= 20


# Texts that would make FFmpeg open other files or addresses


@contextmanager
def server(handle: type[http.server.BaseHTTPRequestHandler]) -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handle) as here:
        threading.Thread(target=here.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{here.server_address[1]}"
        here.shutdown()


def disguises(address: str, other: Path) -> dict[str, bytes]:
    return {
        "ffconcat": f"ffconcat version 1.0\nfile {other.name}\n".encode(),
        "hls": f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://{address}/a.ts\n".encode(),
        "hls file": f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{other}\n".encode(),
        "dash": (
            '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period>'
            f"<BaseURL>http://{address}/</BaseURL></Period></MPD>"
        ).encode(),
        "sdp": b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nt=0 0\nm=video 5004 RTP/AVP 96\n"
        b"c=IN IP4 127.0.0.1\na=rtpmap:96 H264/90000\n",
    }


def test_disguised_texts_open_nothing(tmp_path: Path) -> None:
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)

        def log_message(self, *_: object) -> None: ...

    other = write_video(tmp_path / "other.mp4", make_frames(2))
    with server(Handler) as address:
        for name, text in disguises(address, other).items():
            # With leading junk as well, that the look at the first bytes takes for no text.
            for lead in (b"", b"\xef\xbb\xbf"):
                path = tmp_path / f"{name}{len(lead)}.mp4"
                path.write_bytes(lead + text)
                assert "holds text" in refusal(path)
                # The allow-lists hold without that look too, by path and as bytes.
                with pytest.raises(InputError):
                    open_video(path, name)
                with path.open("rb") as file, pytest.raises(InputError):
                    open_video(file, name)
    assert asked == []


@pytest.mark.parametrize(
    "name", ["concat:a.mp4|b.mp4", "subfile,,start,0,end,9,,:a.mp4", "data:video/mp4;base64,AAAA"]
)
def test_protocols_in_names_are_only_names(name: str) -> None:
    assert "no such file" in refusal(name)


@pytest.mark.parametrize(
    "address", ["ftp://h/a.mp4", "file:///etc/passwd", "gopher://h", "udp://@:1"]
)
def test_other_addresses_are_refused(address: str) -> None:
    assert "are not read" in refusal(address)


@pytest.mark.parametrize(
    ("codec", "suffix"), [("magicyuv", "avi"), ("jpeg2000", "mov"), ("ffv1", "mkv")]
)
def test_rare_decoders_stay_shut(tmp_path: Path, codec: str, suffix: str) -> None:
    path = write_video(tmp_path / f"a.{suffix}", make_frames(2), codec=codec)
    assert f"codec {codec} is not read" in refusal(path)


@pytest.mark.parametrize(
    ("codec", "suffix", "pix_fmt"),
    [
        ("libvpx-vp9", "webm", "yuv420p"),
        ("mjpeg", "avi", "yuvj420p"),
        ("mpeg4", "mp4", "yuv420p"),
        ("prores", "mov", "yuv422p10le"),
        ("mpeg2video", "mpg", "yuv420p"),
        ("wmv2", "wmv", "yuv420p"),
        ("flv", "flv", "yuv420p"),
        ("rawvideo", "avi", "yuv420p"),
    ],
)
def test_common_decoders_are_open(tmp_path: Path, codec: str, suffix: str, pix_fmt: str) -> None:
    path = write_video(tmp_path / f"a.{suffix}", make_frames(5), codec=codec, pix_fmt=pix_fmt)
    with read_frames(path) as reader:
        assert len(list(reader)) == 5 and not reader.truncated


def test_frames_too_large_for_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("poise.io.containers.MAX_FRAME_PIXELS", 1000)
    path = write_video(tmp_path / "a.mp4", make_frames(1))
    assert "64x48 pixels are too large" in refusal(path)


# Cameras and streams


def test_a_camera_that_is_not_there() -> None:
    for number in (77, "77"):
        assert "camera 77" in refusal(number)


def test_a_camera_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = threading.Event()

    def hang(*_: object) -> object:
        time.sleep(0.4)
        return SimpleNamespace(close=closed.set)

    monkeypatch.setattr("poise.io.cameras.open_camera", hang)
    assert "camera 0: no picture came in 0.2 s" in refusal("0", timeout=0.2)
    assert closed.wait(2)  # what came too late is let go of


INTERRUPTED = """
import sys
from poise.io.reading import read_frames
print("ready", flush=True)
list(read_frames(sys.argv[1], timeout=20))
"""


@pytest.mark.parametrize("first", [False, True])
def test_an_interrupt_ends_a_stalled_stream(tmp_path: Path, first: bool) -> None:
    data = write_video(tmp_path / "a.ts", make_frames(40)).read_bytes()
    head = b"HTTP/1.0 200 OK\r\nContent-Type: video/mp2t\r\n\r\n"
    with stalling(head + data if first else b"") as address:
        command = [sys.executable, "-c", INTERRUPTED, f"http://{address}/live.ts"]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert child.stdout.readline() == b"ready\n"
        time.sleep(0.4)
        child.send_signal(signal.SIGINT)
        start = time.perf_counter()
        _, said = child.communicate(timeout=10)
        assert time.perf_counter() - start < 3
        assert said.strip().endswith(b"KeyboardInterrupt")


@contextmanager
def stalling(first: bytes) -> Iterator[str]:
    """A server that sends something and then nothing more."""
    with socket.create_server(("127.0.0.1", 0)) as here:
        held = []

        def serve() -> None:
            while True:
                try:
                    caller, _ = here.accept()
                    held.append(caller)
                    if first:
                        caller.recv(4096)
                        caller.sendall(first)
                except OSError:
                    return

        threading.Thread(target=serve, daemon=True).start()
        yield f"127.0.0.1:{here.getsockname()[1]}"
        for caller in held:
            caller.close()


@pytest.mark.parametrize("scheme", ["http", "rtsp"])
def test_a_stream_that_never_answers(scheme: str) -> None:
    with stalling(b"") as address:
        assert "0.4 s" in refusal(f"{scheme}://{address}/live", timeout=0.4)


def test_a_stream_that_stalls_in_the_middle(tmp_path: Path) -> None:
    data = write_video(tmp_path / "a.ts", make_frames(40)).read_bytes()
    head = b"HTTP/1.0 200 OK\r\nContent-Type: video/mp2t\r\n\r\n"
    with stalling(head + data) as address:
        start = time.perf_counter()
        url = f"http://{address}/live.ts"
        with pytest.raises(InputError, match=r"no data came in time|no frame for"):
            for _ in read_frames(url, timeout=0.5):
                pass
        assert time.perf_counter() - start < 3


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as here:
        address = f"http://127.0.0.1:{here.getsockname()[1]}/a.mp4"
    assert "connection refused" in refusal(address, timeout=2)


class Files(http.server.SimpleHTTPRequestHandler):
    folder = ""

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments, directory=self.folder)

    def log_message(self, *_: object) -> None: ...


def test_a_video_behind_an_address(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", faststart=True)
    Files.folder = str(tmp_path)
    with server(Files) as address:
        with read_frames(f"http://{address}/a.mp4", timeout=3) as reader:
            assert len(list(reader)) == 24
        assert not reader.live and not reader.truncated
        assert "404 not found" in refusal(f"http://{address}/b.mp4", timeout=3)


def test_a_stream_may_not_lead_to_a_file(tmp_path: Path) -> None:
    other = write_video(tmp_path / "other.ts", make_frames(2))
    text = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://{other}\n#EXT-X-ENDLIST\n"
    (tmp_path / "a.m3u8").write_text(text)
    Files.folder = str(tmp_path)
    with server(Files) as address, pytest.raises(InputError):
        open_stream(f"http://{address}/a.m3u8", 1.0)


def test_a_slow_consumer_of_a_live_source_gets_the_newest(tmp_path: Path) -> None:
    from poise.io.ahead import FrameQueue
    from poise.poses import Frame

    queue = FrameQueue(drop=True)
    for index in range(10):
        assert queue.put(Frame(make_frames(1)[0], index))
    queue.end(None)
    got = []
    while (frame := queue.get(1)) is not None:
        got.append(frame.index)
    assert got == [6, 7, 8, 9]


def test_a_picture_of_another_kind_says_so(tmp_path: Path) -> None:
    Image.new("F", (3, 3)).save(tmp_path / "a.tif")
    assert "8 or 16 bits" in refusal(tmp_path / "a.tif")
