"""`poise doctor`: true, quick, and without the network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from poise.cli import doctor

PROGRAM = """
import socket, sys

def refuse(*arguments, **named):
    raise SystemExit("the network was asked")

socket.getaddrinfo = socket.socket.connect = refuse
import typer
from poise.cli.doctor import doctor
typer.run(doctor)
"""


@pytest.fixture(autouse=True)
def _clean_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POISE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("POISE_MODELS", raising=False)


def _run(*arguments: str) -> Any:
    app = typer.Typer()
    app.command()(doctor.doctor)
    return CliRunner().invoke(app, list(arguments))


def test_it_is_quick_and_leaves_the_network_and_the_home_alone(tmp_path: Path) -> None:
    home = tmp_path / "user"
    home.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "--json"],
        env={**os.environ, "HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert list(home.rglob("*")) == []
    assert not (tmp_path / "home").exists()
    assert json.loads(done.stdout)["versions"]["openvino"] == version("openvino")


def test_the_findings_are_true(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POISE_MODELS", str(tmp_path / "nowhere"))
    cached = tmp_path / "home" / "weights" / ("0" * 64) / "a.onnx"
    cached.parent.mkdir(parents=True)
    cached.write_bytes(b"12345")
    found = json.loads(_run("--json").stdout)
    assert found["versions"]["python"] == sys.version.split()[0]
    assert "CPU" in found["engine"]["devices"]
    assert found["engine"]["precision"] in ("f32", "bf16", "f16")
    assert any(line.startswith("h264") for line in found["codecs"]["write"])
    assert {"h264", "vp9"} <= set(found["codecs"]["read"])
    assert (found["weights"]["cached"], found["weights"]["cached_bytes"]) == (["a.onnx"], 5)
    assert found["weights"]["POISE_MODELS"] == [f"{tmp_path / 'nowhere'} (no such folder)"]
    assert found["weights"]["free_bytes"] > 0
    assert found["weights"]["auto"] == "not chosen yet"


def test_a_missing_extra_comes_with_the_line_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(doctor, "_version", lambda name: None if name == "pyarrow" else "1")
    extras = doctor.examine()["extras"]
    assert extras["parquet"] == "missing pyarrow: pip install 'poise[parquet]'"
    assert extras["heic"] == "installed"
    assert "test" not in extras


def test_a_broken_part_is_a_finding_and_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    found = doctor.examine()
    assert "av" in found["codecs"]["problem"]
    assert "devices" in found["engine"]


def test_a_person_can_read_it() -> None:
    shown = _run().stdout
    assert "versions:\n  poise: " in shown
    assert "free disk: " in shown
    assert "{" not in shown
    assert "[" not in shown.replace("'poise[", "")


def test_the_second_engine_is_there_or_the_line_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from poise.runtime import on_onnxruntime

    pytest.importorskip("onnxruntime")
    found = doctor.examine()["second engine"]
    assert found["version"] == version("onnxruntime")
    assert "CPU" in found["devices"]
    on_onnxruntime.engine.cache_clear()
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    try:
        problem = doctor.examine()["second engine"]["problem"]
    finally:
        on_onnxruntime.engine.cache_clear()
    assert problem.endswith("onnxruntime is not installed; pip install 'poise[onnxruntime]'")
