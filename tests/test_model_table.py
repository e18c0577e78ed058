"""The model table, what its names stand for, cards of the user's own, strangers, and `auto`."""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from poise.cli import models as cli
from poise.errors import ModelError, WeightsError
from poise.models import (
    Card,
    choose_model,
    find_cards,
    find_model,
    list_cards,
    load_model,
    model_names,
    plain_name,
    read_card,
)
from poise.models.choice import choice_path, choose, remembered
from poise.models.strangers import stranger_problems
from poise.models.table import ALIASES, CARDS, FAMILIES, PREFERENCE, TIERS
from poise.weights import WeightFile, cache_path, fetch, locate

DATA = b"weights" * 100
SHA = hashlib.sha256(DATA).hexdigest()


@pytest.fixture(autouse=True)
def _clean_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POISE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("POISE_OFFLINE", "1")
    monkeypatch.delenv("POISE_MODELS", raising=False)


# --- the rows ------------------------------------------------------------------------------------


@pytest.mark.parametrize("card", CARDS.values(), ids=lambda card: card.name)
def test_a_row_is_complete(card: Card) -> None:
    assert card.licence != "unknown"
    assert card.data != "unknown"
    assert card.family in FAMILIES
    assert bool(card.files) == (card.family != "fake")
    if card.kind == "crop":
        assert CARDS[card.detector].kind == "detector"
    for file in card.files:
        assert re.fullmatch(r"[0-9a-f]{64}", file.sha256) or (not file.sha256 and card.note)
        # A network that users export themselves can be had nowhere.
        assert file.sources or not file.sha256
        assert Path(file.name).name == file.name
        for source in file.sources:
            assert source.startswith(("https://", "package:mediapipe==0.10.21#"))
            # Two collections have no fixed address; the hash guards their files.
            fixed = re.sub(r"(DavidPagnon/rtmlib_models|easy_ViTPose)/resolve/main/", "", source)
            assert not re.search(r"/(main|master|latest)/", fixed), "not a fixed address"


def test_no_two_files_share_a_name_or_a_hash() -> None:
    files = {file for card in CARDS.values() for file in card.files}
    assert len({file.name for file in files}) == len(files)
    hashed = [file.sha256 for file in files if file.sha256]
    assert len(set(hashed)) == len(hashed) > 20


@pytest.mark.parametrize("card", CARDS.values(), ids=lambda card: card.name)
def test_a_file_without_a_hash_is_refused_and_says_how_to_bring_ones_own(card: Card) -> None:
    for file in card.files:
        if not file.digest:
            what = "no hash is recorded" if file.sources else "nobody publishes this file"
            with pytest.raises(WeightsError, match=rf"{what}.*--weights"):
                fetch(file)


def test_who_may_be_used_freely_is_not_asked() -> None:
    restricted = {card.name for card in CARDS.values() if card.restriction}
    assert "alphapose-fastpose-resnet50" in restricted
    assert not restricted & {"blazepose", "rtmpose-m", "tinypose-256", "vitpose-b"}
    assert all("\n" not in card.restriction for card in CARDS.values())


@pytest.mark.parametrize("family", [family for family in FAMILIES if family != "fake"])
def test_a_family_loads_without_an_engine_at_import(family: str) -> None:
    assert callable(importlib.import_module(f"poise.models.{family}").load)


def test_importing_the_table_brings_no_engine() -> None:
    program = "import sys, poise.models, poise.weights; print('openvino' in sys.modules)"
    done = subprocess.check_output([sys.executable, "-c", program], text=True)
    assert done.strip() == "False"


# --- what names stand for ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "cards"),
    [
        ("blazepose", ["blazepose-detector", "blazepose"]),
        ("3d", ["blazepose-detector", "blazepose"]),
        ("rtmpose-m", ["yolox-m-humanart", "rtmpose-m"]),
        ("tinypose-256", ["rtmdet-nano", "tinypose-256"]),
        ("picodet-s-pedestrian+rtmpose-m", ["picodet-s-pedestrian", "rtmpose-m"]),
        ("fake", ["fake"]),
        ("human", ["yolox-m-humanart", "rtmpose-m"]),
        ("body26", ["yolox-m-humanart", "rtmpose-m-body26"]),
        ("wholebody", ["yolox-m-humanart", "dwpose-m"]),
        ("vitpose", ["rtmdet-nano", "vitpose-b"]),
        ("rtmdet-nano+human", ["rtmdet-nano", "rtmpose-m"]),
        ("rtmpose-m_8xb256-420e_body8-256x192", ["yolox-m-humanart", "rtmpose-m"]),
    ],
)
def test_a_name_stands_for_its_parts(name: str, cards: list[str]) -> None:
    assert [card.name for card in find_model(name).cards] == cards


def test_every_name_stands_for_something() -> None:
    for name in {*model_names(), *TIERS, *PREFERENCE} - {"auto"}:
        recipe = find_model(name)
        assert recipe.name == (TIERS[name].model if name in TIERS else name)
        assert recipe.reader.skeleton
    for tier in TIERS.values():
        assert find_model(tier.instead).name != find_model(tier.model).name
        assert all(file.sha256 for file in find_model(tier.instead).files)
    assert find_cards("rtmdet-nano") == (CARDS["rtmdet-nano"],)


def test_an_alias_is_no_row_and_leads_to_one() -> None:
    assert not set(ALIASES) & {*CARDS, *TIERS, "auto"}
    assert set(ALIASES.values()) <= set(CARDS)
    assert find_model("human").name == "rtmpose-m"
    assert plain_name("rtmdet-nano+human") == "rtmdet-nano+rtmpose-m"
    assert find_cards("crowd") == find_model("crowd").cards


@pytest.mark.parametrize("tier", TIERS)
def test_a_tier_without_weights_says_what_else_to_take(tier: str) -> None:
    with pytest.raises(WeightsError, match=re.escape(f"-m {TIERS[tier].instead}")) as error:
        load_model(tier)
    assert TIERS[tier].model in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("rtmpos-m", "did you mean 'rtmpose-m'"),
        ("humen", "did you mean 'human'"),
        ("zzz", "'poise models list' lists them"),
        ("rtmdet-nano", r"rtmdet-nano\+CROP_MODEL"),
        ("tinypose-256+rtmdet-nano", "only finds people"),
        ("tinypose-128+tinypose-256", "not a detector and a crop model"),
        ("rtmdet-nano+fake", "not a detector and a crop model"),
        ("rtmdet-nano+blazepose", "blazepose needs a detector that finds 2 anchors"),
        ("a+b+c", "too many parts"),
        ("", "no model named ''"),
    ],
)
def test_a_name_that_cannot_be_says_why(name: str, message: str) -> None:
    with pytest.raises(ModelError, match=message) as error:
        load_model(name)
    assert error.value.exit_code == 5


# --- cards of the user's own ---------------------------------------------------------------------

CARD = f"""
name = "mine"
family = "heatmap"
kind = "crop"
skeleton = "coco17"
size = [192, 256]
mean = [1, 2.5, 3]
detector = "rtmdet-nano"
settings = {{ dark = false, wide = [1, 2] }}
[[files]]
name = "mine.onnx"
sha256 = "{SHA.upper()}"
sources = ["mine.onnx", "https://example.org/mine.onnx"]
"""


def test_a_card_file_becomes_a_model(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(CARD)
    card = read_card(path)
    assert (card.size, card.mean, card.settings["dark"]) == ((192, 256), (1, 2.5, 3), False)
    assert card.settings["wide"] == (1, 2)
    (file,) = card.files
    assert file.sha256 == SHA
    assert file.sources == (str(tmp_path / "mine.onnx"), "https://example.org/mine.onnx")
    assert find_model("yolox-nano+mine", card=card).name == "yolox-nano+mine"
    with pytest.raises(TypeError):
        card.settings["dark"] = True  # type: ignore[index]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('family = "heatmap"', "", "the field 'family' is missing"),
        ("kind =", "kid =", "did you mean 'kind'"),
        ('"crop"', '"crop', "no card can be read"),
        ('kind = "crop"', 'kind = "pos"', "did you mean 'pose'"),
        ('"coco17"', '"coco71"', "skeleton 'coco71' is not known"),
        ("[192, 256]", "[192]", "size: wanted width and height"),
        ("[192, 256]", '"192x256"', "size: wanted width and height"),
        ("[1, 2.5, 3]", "[1, 2.5, true]", "mean: wanted 3 numbers"),
        ('name = "mine"', "name = 3", "name: wanted a text"),
        ("settings = {", 'settings = "a" #', "settings: wanted a table"),
        ('name = "mine.onnx"', 'name = "../mine.onnx"', "not a plain file name"),
        ('"mine.onnx", "https', '3, "https', "wanted texts"),
        ('sources = ["mine.onnx", ', "size = 'a'\nsources = [", "wanted a number of bytes"),
        ("[[files]]", "[files]", "files: wanted a list of tables"),
    ],
)
def test_a_wrong_card_file_says_what_is_wrong(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    path = tmp_path / "mine.toml"
    assert old in CARD
    path.write_text(CARD.replace(old, new, 1))
    with pytest.raises(ModelError, match=message) as error:
        read_card(path)
    assert "\n" not in str(error.value)


def test_a_card_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no card can be read"):
        load_model(card=tmp_path / "nothing.toml")


# --- loading, with the families replaced ---------------------------------------------------------


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Every call of a family's ``load``, as (card's name, file names, precision)."""
    calls: list[tuple[Any, ...]] = []

    def load(card: Card, paths: tuple[Path, ...], *, precision: str) -> Any:
        calls.append((card.name, [path.name for path in paths], precision))
        skeleton = SimpleNamespace(name=card.skeleton)
        able = dict.fromkeys(("estimate", "read", "detect"))
        return SimpleNamespace(name=card.name, skeleton=skeleton, precision=precision, **able)

    def find(name: str) -> Any:
        if name.endswith("topdown"):
            make = lambda d, c, **others: SimpleNamespace(  # noqa: E731
                detector=d, reader=c, **others
            )
            return SimpleNamespace(TopDown=make)
        return SimpleNamespace(load=load)

    monkeypatch.setattr("poise.models.loading.importlib.import_module", find)
    return calls


def _card(tmp_path: Path, **fields: Any) -> Card:
    path = tmp_path / f"{fields['name']}.onnx"
    path.write_bytes(DATA)
    file = WeightFile(path.name, SHA, len(DATA), (str(path),))
    return Card(**{"family": "heatmap", "skeleton": "coco17", "files": (file,), **fields})


def test_a_model_is_loaded_with_its_detector(loaded: list[Any], tmp_path: Path) -> None:
    detector = _card(tmp_path, name="finder", kind="detector", skeleton="", family="yolox")
    reader = _card(tmp_path, name="reader", kind="crop", detector="finder")
    CARDS["finder"] = detector
    try:
        model: Any = load_model(card=reader, precision="f32")
    finally:
        del CARDS["finder"]
    assert loaded == [("reader", ["reader.onnx"], "f32"), ("finder", ["finder.onnx"], "f32")]
    assert (model.name, model.reader.name, model.detector.name) == ("reader", "reader", "finder")
    assert model.still_detector is None
    assert model.nms == "oks"


def test_the_users_own_weights_take_the_place_of_the_cards(
    loaded: list[Any], tmp_path: Path
) -> None:
    card = _card(tmp_path, name="whole", kind="pose")
    own = tmp_path / "tuned.onnx"
    own.write_bytes(b"anything")
    load_model("whole", card=card, weights=own)
    assert loaded == [("whole", ["tuned.onnx"], "auto")]
    with pytest.raises(ModelError, match="needs 1 file of weights, got 2"):
        load_model("whole", card=card, weights=[own, own])
    with pytest.raises(ModelError, match="no such file"):
        load_model("whole", card=card, weights=tmp_path / "absent")


def test_weights_that_cannot_be_had_stop_the_load(loaded: list[Any]) -> None:
    with pytest.raises(WeightsError, match="POISE_OFFLINE"):
        load_model("blazepose")
    with pytest.raises(WeightsError, match=r"no hash is recorded .*get it yourself from https://"):
        load_model("rtmdet-nano+rtmpose-t")
    with pytest.raises(WeightsError, match=r"nobody publishes this file, .*note of the model"):
        load_model("rf-detr-keypoint-preview")
    assert loaded == []


# --- models of other packages --------------------------------------------------------------------


def _install(folder: Path, name: str, source: str) -> None:
    (folder / f"{name}.py").write_text(source)
    info = folder / f"{name}-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
    (info / "entry_points.txt").write_text(f"[poise.models]\n{name} = {name}\n")


def test_other_packages_add_models_and_a_broken_one_harms_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = """
from poise.models.card import Card
cards = [Card(name="odd-pose", family="oddpose", kind="pose", skeleton="coco17")]
def load(card, paths, *, precision):
    return (card.name, paths, precision)
"""
    _install(tmp_path, "oddpose", good)
    _install(tmp_path, "brokenpose", "import nothing_of_this_name")
    _install(tmp_path, "wrongpose", good)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert load_model("odd-pose") == ("odd-pose", (), "auto")
    assert "odd-pose" in {card.name for card in list_cards()}
    assert len([line for line in stranger_problems() if "brokenpose" in line]) == 1
    assert len([line for line in stranger_problems() if "not a card of this family" in line]) == 1
    card = Card(name="x", family="nobodys", kind="pose", skeleton="coco17")
    with pytest.raises(ModelError, match="no family named 'nobodys'"):
        load_model(card=card)


# --- auto ----------------------------------------------------------------------------------------


def _models(tmp_path: Path, **here: bool) -> dict[str, list[WeightFile]]:
    """Models whose one file is, or is not, in the cache."""
    models = {}
    for name, is_here in here.items():
        data = name.encode()
        file = WeightFile(name, hashlib.sha256(data).hexdigest(), len(data), ())
        if is_here:
            cache_path(file).parent.mkdir(parents=True, exist_ok=True)
            cache_path(file).write_bytes(data)
        models[name] = [file]
    return models


def test_auto_takes_the_first_that_is_here_and_remembers_it(tmp_path: Path) -> None:
    told: list[str] = []
    models = _models(tmp_path, best=False, good=True, plain=True)
    assert choose(models, report=told.append) == "good"
    assert json.loads(choice_path().read_text())["model"] == remembered() == "good"
    assert len(told) == 1
    assert "good" in told[0]
    assert "weights are on this machine" in told[0]
    # A better one that comes later changes nothing: the next run is the same.
    models = _models(tmp_path, best=True, good=True, plain=True)
    assert choose(models, report=told.append) == "good"
    assert "chosen before" in told[1]


def test_auto_chooses_anew_when_the_weights_are_gone(tmp_path: Path) -> None:
    models = _models(tmp_path, best=True, good=True)
    assert choose(models) == "best"
    cache_path(models["best"][0]).unlink()
    assert choose(models) == "good"
    assert remembered() == "good"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"model": 3}', '{"model": "unheard-of"}'])
def test_auto_is_not_disturbed_by_a_damaged_memory(tmp_path: Path, text: str) -> None:
    models = _models(tmp_path, best=True)
    choice_path().write_text(text)
    assert choose(models) == "best"
    assert remembered() == "best"


def test_auto_fetches_the_first_that_can_be_had(tmp_path: Path) -> None:
    told: list[str] = []
    local = tmp_path / "weights"
    local.write_bytes(DATA)
    models = {
        "best": [WeightFile("a", "0" * 64, 5, ("https://weights.invalid/a",))],
        "wrong": [WeightFile("b", "0" * 64, 5, (str(local),))],
        "good": [WeightFile("c", SHA, len(DATA), (str(local),))],
    }
    assert choose(models, report=told.append) == "good"
    assert "best, wrong cannot be fetched here" in told[-1]
    del models["good"]
    choice_path().unlink()
    with pytest.raises(WeightsError, match=r"best, wrong.*POISE_OFFLINE.*POISE_MODELS"):
        choose(models)
    assert remembered() is None


def test_auto_skips_hosts_that_do_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("POISE_OFFLINE")
    asked: list[str] = []

    def reachable(addresses: list[str]) -> set[str]:
        asked.extend(addresses)
        return set()

    monkeypatch.setattr("poise.models.choice.reachable", reachable)
    local = tmp_path / "weights"
    local.write_bytes(DATA)
    models = {
        "best": [WeightFile("a", "0" * 64, 5, ("https://weights.invalid/a",))],
        "good": [WeightFile("c", SHA, len(DATA), (str(local),))],
    }
    assert choose(models) == "good"
    assert asked == ["https://weights.invalid/a"]


def test_auto_works_where_it_cannot_remember(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    local = tmp_path / "weights"
    local.write_bytes(DATA)
    (tmp_path / "file").touch()
    monkeypatch.setenv("POISE_HOME", str(tmp_path / "file"))
    models = {"good": [WeightFile("c", SHA, len(DATA), (str(local),))]}
    assert choose(models, report=told.append) == "good"
    assert "cannot be remembered" in told[-1]


# --- the command line ----------------------------------------------------------------------------


def _run(*arguments: str) -> Any:
    return CliRunner().invoke(cli.app, list(arguments))


def test_list_as_json_names_every_model() -> None:
    answer = json.loads(_run("list", "--json").stdout)
    rows = {row["name"]: row for row in answer["models"]}
    assert set(CARDS) <= set(rows)
    wanted = {"name", "family", "skeleton", "kind", "available", "size_bytes", "licence"}
    assert wanted | {"accuracy", "source"} <= set(rows["blazepose"])
    assert not rows["blazepose"]["available"]
    assert rows["fake"]["available"]
    assert rows["tinypose-256"]["size_bytes"] == 1470698 + 2600722
    assert answer["aliases"]["auto"] == list(PREFERENCE)
    assert answer["aliases"]["human"] == "rtmpose-m"
    assert answer["aliases"]["3d"] == TIERS["3d"].model
    assert answer["tiers"]["crowd"]["why"]
    assert rows["rtmpose-m"]["aliases"][:2] == ["human", "body"]
    assert rows["alphapose-fastpose-resnet50"]["restriction"]
    assert not rows["alphapose-fastpose-resnet50"]["accepted"]
    assert (rows["rtmpose-m"]["fetchable"], rows["rtmpose-t"]["fetchable"]) == (True, False)


def test_list_as_a_table_names_every_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    shown = _run("list").stdout
    assert all(name in shown for name in CARDS)
    assert "\x1b" not in shown
    assert max(map(len, shown.splitlines()[: len(CARDS) + 1])) <= 160
    (line,) = [
        line for line in shown.splitlines() if line.startswith("alphapose-fastpose-resnet50 ")
    ]
    assert line.split()[1:7] == ["crop", "coco17", "192x256", "own", "?", "AlphaPose's"]
    assert "!" in line and "AP 72.0 COCO val2017" in line
    assert any("non-commercial" in line for line in shown.splitlines()[len(CARDS) + 1 :])


@pytest.mark.parametrize("columns", [100, 120, 160])
def test_list_fits_its_terminal_and_cuts_no_name(
    monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    from rich.console import Console

    monkeypatch.setattr(
        "poise.cli.listing.Console",
        lambda **_: Console(width=columns, force_terminal=True, color_system=None),
    )
    lines = _run("list").stdout.splitlines()[: len(CARDS) + 1]
    names = [line.split()[0] for line in lines[1:]]
    assert names == list(CARDS)
    assert max(map(len, lines)) <= columns
    assert all(" yes " in line or " no " in line or " own " in line for line in lines[1:])


def test_list_finds_what_is_asked_for() -> None:
    def listed(*words: str) -> set[str]:
        return {row["name"] for row in json.loads(_run("list", "--json", *words).stdout)["models"]}

    assert listed("dwpose") == {"dwpose-t", "dwpose-s", "dwpose-m", "dwpose-l", "dwpose-l-384"}
    assert listed("human") >= {"rtmpose-m", "rtmpose-m-humanart"}  # by another name, and by name
    assert all(CARDS[name].skeleton == "halpe26" for name in listed("halpe26", "--kind", "crop"))
    assert listed("--here") == {"fake"}
    assert {CARDS[name].kind for name in listed("--kind", "detector")} == {"detector"}
    assert listed("zzz") == set()
    assert "no model fits" in str(_run("list", "zzz").exception)


@pytest.mark.parametrize("command", ["get", "verify", "path"])
def test_an_unknown_name_is_refused(command: str) -> None:
    error = _run(command, "blazepos").exception
    assert isinstance(error, ModelError)
    assert "did you mean 'blazepose'" in str(error)


def test_get_says_the_licence_and_fails_with_one_line() -> None:
    done = _run("get", "blazepose")
    assert "licence Apache-2.0" in done.stderr
    assert isinstance(done.exception, WeightsError)


def test_verify_and_path_tell_what_is_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert _run("verify").exit_code == 0  # nothing is here, so nothing is wrong
    card = _card(tmp_path, name="mine", kind="pose")
    monkeypatch.setitem(CARDS, "mine", card)
    (file,) = card.files
    assert isinstance(_run("path", "mine").exception, WeightsError)
    cache_path(file).parent.mkdir(parents=True)
    cache_path(file).write_bytes(DATA)
    assert _run("path", "mine").stdout.strip() == str(cache_path(file))
    assert _run("verify").stdout.startswith("ok")
    cache_path(file).write_bytes(b"damaged")
    done = _run("verify")
    assert "missing or wrong" in done.stdout
    assert isinstance(done.exception, WeightsError)


# --- real files ----------------------------------------------------------------------------------


@pytest.mark.data
def test_real_files_are_found_whatever_they_are_called(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POISE_MODELS", str(data_dir / "weights"))
    names = ["rtmdet-nano", "yolox-nano", "picodet-s-pedestrian", "tinypose-256", "tinypose-128"]
    for name in names:
        for file in CARDS[name].files:
            assert locate(file) is not None, file.name
    assert choose_model() == "rtmdet-nano+tinypose-256"


@pytest.mark.weights
def test_the_default_weights_are_what_the_table_says(default_weights: tuple[Path, ...]) -> None:
    for path, file in zip(default_weights, find_model("blazepose").files, strict=True):
        assert hashlib.sha256(path.read_bytes()).hexdigest() == file.sha256
        assert path.stat().st_size == file.size


@pytest.mark.weights
def test_the_default_model_finds_nobody_on_a_grey_wall(
    default_weights: tuple[Path, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = {str(path.parent) for path in default_weights}
    monkeypatch.setenv("POISE_MODELS", os.pathsep.join(folders))
    model = load_model("auto", precision="f32")
    assert (model.name, model.skeleton.name, model.precision) == ("blazepose", "blazepose33", "f32")
    assert len(model(np.full((240, 320, 3), 128, np.uint8))) == 0
