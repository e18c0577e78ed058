"""`poise benchmark --against` with the real packages, where they are installed."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from poise.benchmarking import Configuration, draw_pictures, find_rival, measure

CARD = """
name = "tiny"
family = "simcc"
kind = "crop"
skeleton = "coco17"
size = [48, 64]
settings = { split = 1.0, presence = 0.0 }
[[files]]
name = "tiny.onnx"
sha256 = "SHA"
sources = ["tiny.onnx"]
"""


def need(package: str) -> None:
    # Not imported here: that is for the child process.
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed")


@pytest.mark.data
@pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])
def test_rtmlib_finds_as_many_people_with_the_same_detector(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    need("rtmlib")
    pytest.importorskip("onnx")
    import tiny_networks
    from poise.weights import hash_file

    path = tiny_networks.simcc(tmp_path / "tiny.onnx")
    (tmp_path / "tiny.toml").write_text(CARD.replace("SHA", hash_file(path)))
    monkeypatch.setenv("POISE_MODELS", f"{data_dir / 'weights'}:{tmp_path}")
    chosen = Configuration(
        model="yolox-nano+tiny", card=str(tmp_path / "tiny.toml"), engine=engine, precision="f32"
    )
    rival = find_rival("rtmlib")
    (row,) = measure([chosen], draw_pictures(2), seconds=0.5, rival=rival)
    assert (row.problem, row.versus.problem) == ("", "")
    assert row.versus.speed.people == pytest.approx(2, abs=1)
    assert row.versus.times.median > 0


def test_mediapipes_own_solution_finds_the_dancer(default_weights: object) -> None:
    need("mediapipe")
    chosen = Configuration(model="blazepose", follow=True)
    (row,) = measure([chosen], draw_pictures(), seconds=0.5, rival=find_rival("mediapipe"))
    assert (row.problem, row.versus.problem) == ("", "")
    assert row.versus.speed.people == pytest.approx(row.speed.people, abs=0.1)
