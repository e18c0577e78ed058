"""The options that every command with a model shares: a card, own weights, and the licence gate."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pictures

import poise
from poise.cli.app import app, run
from poise.errors import LicenceError, ModelError, UsageError
from poise.models import Card, load_model
from poise.models.licence import VARIABLE, acceptance_path, accepted, require_licences
from poise.models.loading import load_card
from poise.models.table import CARDS
from poise.options import ModelOptions
from poise.runtime import engine
from poise.weights import WeightFile, hash_file

ALPHA = "alphapose-fastpose-resnet50"
FLAGS = ("model", "card", "weights", "accept_licence")


@pytest.fixture(autouse=True)
def _clean_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POISE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("POISE_OFFLINE", "1")
    monkeypatch.delenv("POISE_MODELS", raising=False)
    monkeypatch.delenv(VARIABLE, raising=False)


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """A heat-map network of AlphaPose's input: all keypoints in the middle of the crop."""
    ov = engine()
    op = ov.opset13
    picture = op.parameter([-1, 3, 256, 192], np.float32, name="picture")
    heat = np.zeros((1, 17, 64, 48), np.float32)
    heat[:, :, 32, 24] = 0.9
    nothing = op.multiply(op.reduce_mean(picture, np.array([1, 2, 3]), True), np.float32(0))
    path = tmp_path / "mine.xml"
    ov.save_model(ov.Model([op.add(nothing, heat)], [picture], "mine"), path)
    return path


@pytest.fixture
def finder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A detector whose weights are here, and which AlphaPose's row then brings."""
    ov = engine()
    op = ov.opset13
    picture = op.parameter([-1, 3, 64, 64], np.float32, name="picture")
    found = np.array([[[10, 5, 50, 60, 0.9]]], np.float32)
    nothing = op.multiply(op.reduce_mean(picture, np.array([2, 3]), False), np.float32(0))
    first = op.unsqueeze(op.slice(nothing, [0], [1], [1], [1]), np.int64(2))
    path = tmp_path / "finder.xml"
    ov.save_model(ov.Model([op.add(first, found)], [picture], "finder"), path)
    files = tuple(
        WeightFile(one.name, hash_file(one), None, (str(one),))
        for one in (path, path.with_suffix(".bin"))
    )
    card = Card(
        name="finder", family="yolox", kind="detector", size=(64, 64), files=files,
        settings={"output": "suppressed"},
    )  # fmt: skip
    monkeypatch.setitem(CARDS, "finder", card)
    return f"finder+{ALPHA}"


def _commands() -> dict[str, Any]:
    from typer.main import get_command

    return get_command(app).commands  # type: ignore[attr-defined]


def test_every_command_with_a_model_has_the_same_flags() -> None:
    seen = 0
    descriptions: dict[str, set[str]] = {name: set() for name in FLAGS}
    for command in _commands().values():
        flags = {p.name: p for p in command.params}
        if "model" not in flags:
            continue
        seen += 1
        assert "-m" in flags["model"].opts
        for name in FLAGS:
            assert flags[name].default == getattr(ModelOptions(), name)
            descriptions[name].add(flags[name].help)
    assert seen >= 9
    assert all(len(texts) == 1 for texts in descriptions.values()), descriptions


def test_weights_need_the_model_they_are_for(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match="they need the model"):
        load_model(weights="mine.onnx")
    assert run(["estimate", "a.jpg", "--weights", "mine.onnx"]) == 2
    assert "--weights: they need the model" in capsys.readouterr().err


# --- the licence gate ----------------------------------------------------------------------------


def test_a_restricted_model_asks_once(network: Path, finder: str) -> None:
    with pytest.raises(LicenceError, match="non-commercial") as error:
        load_model(finder, weights=network)
    assert error.value.exit_code == 5
    assert "\n" not in str(error.value)
    assert "--accept-licence" in str(error.value) and "accept_licence=True" in str(error.value)
    told: list[str] = []
    load_model(finder, weights=network, accept_licence=True, report=told.append)
    assert any("accepted" in line for line in told)
    # Remembered: the next load needs nothing and says nothing.
    assert json.loads(acceptance_path().read_text())[ALPHA] == CARDS[ALPHA].restriction
    load_model(finder, weights=network, report=told.append)
    assert sum("accepted" in line for line in told) == 1


def test_a_changed_text_is_asked_again() -> None:
    card = Card(name="m", family="fake", kind="pose", skeleton="coco17", restriction="no war")
    require_licences([card], accept=True)
    assert accepted(card)
    stricter = Card(
        name="m", family="fake", kind="pose", skeleton="coco17", restriction="no war, no trade"
    )
    with pytest.raises(LicenceError, match="no trade"):
        require_licences([stricter])
    other = Card(name="n", family="fake", kind="pose", skeleton="coco17", restriction="no war")
    with pytest.raises(LicenceError, match="n: the licence"):
        require_licences([other])


@pytest.mark.parametrize("text", ["", "[]", "{", '{"m": 3}', "\x00"])
def test_a_damaged_memory_accepts_nothing(text: str) -> None:
    card = Card(name="m", family="fake", kind="pose", skeleton="coco17", restriction="no war")
    acceptance_path().parent.mkdir(parents=True)
    acceptance_path().write_text(text)
    assert not accepted(card)
    require_licences([card], accept=True)
    assert accepted(card)


def test_a_variable_accepts_for_named_models_only(monkeypatch: pytest.MonkeyPatch) -> None:
    cards = [
        Card(name=name, family="fake", kind="pose", skeleton="coco17", restriction="AGPL-3.0")
        for name in "ab"
    ]
    monkeypatch.setenv(VARIABLE, "c, a")
    require_licences(cards[:1])
    with pytest.raises(LicenceError, match="b: the licence"):
        require_licences(cards)
    assert not acceptance_path().exists()


def test_a_home_that_cannot_be_written_is_no_obstacle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("POISE_HOME", str(tmp_path / "file"))
    card = Card(name="m", family="fake", kind="pose", skeleton="coco17", restriction="no war")
    told: list[str] = []
    require_licences([card], accept=True, report=told.append)
    assert "cannot be remembered" in told[-1]


def test_a_restricted_detector_asks_too(monkeypatch: pytest.MonkeyPatch) -> None:
    fields = {name: getattr(CARDS["yolox-nano"], name) for name in Card.__dataclass_fields__}
    monkeypatch.setitem(CARDS, "yolox-nano", Card(**{**fields, "restriction": "AGPL-3.0"}))
    with pytest.raises(LicenceError, match="yolox-nano: the licence"):
        load_model("yolox-nano+tinypose-256")


def test_get_and_estimate_ask_before_anything_is_fetched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["models", "get", ALPHA]) == 5
    said = capsys.readouterr().err
    assert said.startswith(f"poise: error: {ALPHA}: the licence must be accepted once")
    assert said.count("\n") == 1
    assert run(["models", "get", ALPHA, "--accept-licence"]) == 5  # there is no address
    assert "nobody publishes this file" in capsys.readouterr().err
    picture = tmp_path / "a.png"
    Pictures.new("RGB", (64, 64)).save(picture)
    acceptance_path().unlink()
    assert run(["estimate", str(picture), "-m", ALPHA]) == 5
    assert "the licence must be accepted once" in capsys.readouterr().err


# --- files of one's own --------------------------------------------------------------------------


def test_own_weights_read_in_every_way_that_a_model_is_named(
    tmp_path: Path, network: Path, finder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "a.png"
    Pictures.new("RGB", (64, 96), (200, 90, 30)).save(picture)
    card = tmp_path / "mine.toml"
    card.write_text(
        'name = "mine"\nfamily = "simcc"\nkind = "pose"\nskeleton = "coco17"\nsize = [192, 256]\n'
    )
    # A card without files takes those of --weights; wrong weights are refused in one line.
    flags = ["--card", str(card), "--weights", str(network)]
    assert run(["estimate", str(picture), *flags]) == 5
    assert "family 'simcc' is of kind 'crop'" in capsys.readouterr().err
    card.write_text(card.read_text().replace('"pose"', '"crop"') + 'detector = "finder"\n')
    assert run(["estimate", str(picture), *flags]) == 5
    (line,) = capsys.readouterr().err.splitlines()
    assert "two vectors a keypoint" in line and "got (1, 17, 64, 48)" in line
    assert run(["estimate", str(picture), "--card", str(card)]) == 5
    assert "no file of weights is named; give --weights FILE" in capsys.readouterr().err


def test_results_tell_own_weights_from_the_models(network: Path, finder: str) -> None:
    model = load_model(finder, weights=network, accept_licence=True)
    # The graph alone says nothing of the weights, which lie beside it.
    both = hash_file(network) + hash_file(network.with_suffix(".bin"))
    assert model.name == f"{finder}@{hashlib.sha256(both.encode()).hexdigest()[:8]}"
    (pose,) = model(np.zeros((64, 64, 3), np.uint8)).keypoints
    np.testing.assert_allclose(pose, np.tile([30, 32.5], (17, 1)), atol=0.01)


def test_one_file_may_stand_for_two_and_two_for_one(network: Path) -> None:
    from poise.models.loading import own_files

    both = [network, network.with_suffix(".bin")]
    two, one = CARDS["tinypose-256"], CARDS["rtmpose-m"]
    assert own_files(two, network) == (network,)
    assert own_files(two, both) == tuple(both)
    assert own_files(one, both) == tuple(both)
    with pytest.raises(ModelError, match="needs 1 file of weights, got 2"):
        own_files(one, both[::-1])
    with pytest.raises(ModelError, match="got 3"):
        own_files(two, [*both, network])
    with pytest.raises(ModelError, match="got 0"):
        own_files(one, [])


def test_the_public_door_takes_them(network: Path, finder: str) -> None:
    assert poise.load_model(finder, weights=network, accept_licence=True).skeleton.name == "coco17"


# --- what a card or a licence must not do --------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"settings": {"padding": "big"}},
            "settings.padding: wanted a number from 0.1 to 100",
        ),
        ({"settings": {"refine": "quarter", "flip": "no"}}, "settings.flip: wanted true or false"),
        ({"settings": {"presence": -1}}, "settings.presence: wanted a number"),
        ({"std": (0.0, 1.0, 1.0)}, "no std of 0"),
        ({"mean": (float("nan"), 0.0, 0.0)}, "wanted finite numbers"),
    ],
)
def test_a_cards_numbers_are_looked_at(network: Path, changes: dict[str, Any], said: str) -> None:
    row = CARDS[ALPHA]
    with pytest.raises(ModelError, match=said):
        load_card(replace(row, **changes), [network])


def test_export_asks_for_the_licence_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint, target = tmp_path / "a.pth", tmp_path / "a.onnx"
    checkpoint.write_bytes(b"x")
    words = ["models", "export", "detectron2-keypoint-rcnn", str(target)]
    assert run([*words, "--weights", str(checkpoint)]) == 5
    assert "the licence must be accepted once" in capsys.readouterr().err
    assert not target.exists()
