"""``poise models check``: right cards pass, and each way of being wrong is told by its name."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from poise.checking import check_model
from poise.checking.bodies import check_orientation, check_skeleton
from poise.checking.inputs import check_input
from poise.checking.scenes import SIDE, Scene, draw_empty, draw_scenes
from poise.checking.sights import Sight, Subject
from poise.checking.trials import Trial, check_channels, check_range
from poise.cli.app import run
from poise.models import Card
from poise.models.table import CARDS
from poise.runtime import engine
from poise.skeleton import get_skeleton
from poise.weights import fetch_all

CARD = CARDS["tinypose-256"]
SAME = np.array([[1.0, 0, 0], [0, 1, 0]])


class Knows(Subject):
    """A model that knows the truth, and then errs as it is told to."""

    def __init__(
        self,
        err: Callable[[np.ndarray], np.ndarray] = lambda points: points,
        *,
        layout: str = "coco17",
        order: str = "RGB",
        answers: str | None = None,
    ) -> None:
        self.layout, self.err, self.order = get_skeleton(layout), err, order
        self.answers = get_skeleton(answers or layout)

    def see(self, image: np.ndarray, scene: Scene) -> Sight:
        truth = scene.points(self.answers).keypoints[0]
        points = np.where(np.isfinite(truth), truth, SIDE / 2)
        right = np.array_equal(image, scene.image) == (self.order == "RGB")
        scores = np.full(len(points), 0.9 if right else 0.6, np.float32)
        return Sight(self.err(points).astype(np.float32), scores, (SIDE, SIDE), SAME)

    def see_together(self, scenes: Any) -> list[Sight]:
        return [self.see(scene.image, scene) for scene in scenes]

    def people(self, image: np.ndarray) -> np.ndarray:
        return np.zeros(0, np.float32)


def trial(subject: Subject, card: Card = CARD) -> Trial:
    return Trial.run(card, subject, draw_scenes())


def test_the_scenes_show_one_whole_person_each_and_are_the_same_every_time() -> None:
    scenes = draw_scenes()
    assert len(scenes) == 12
    for scene in scenes:
        points = scene.points(get_skeleton("coco17")).keypoints[0]
        assert scene.image.shape == (SIDE, SIDE, 3)
        assert np.isfinite(points).all()
        assert ((points > 0) & (points < SIDE)).all()
    assert draw_empty().shape == (SIDE, SIDE, 3)
    # Not the same on both sides, so that left and right can be told.
    mirrored = Knows(lambda p: p * [-1, 1] + [SIDE, 0])
    assert trial(mirrored).quality < 0.7 * trial(Knows()).quality


def test_a_right_model_is_right_in_everything() -> None:
    own = trial(Knows())
    finding, best = check_channels(own, draw_scenes())
    assert (finding.level, best) == ("ok", own)
    assert check_orientation(own, draw_scenes())[0].level == "ok"
    assert check_skeleton(own, draw_scenes()).level == "ok"


@pytest.mark.parametrize(
    ("order", "said", "word"), [("BGR", "RGB", "BGR reads 100%"), ("RGB", "BGR", "RGB reads 100%")]
)
def test_the_wrong_order_of_channels_is_told(order: str, said: str, word: str) -> None:
    # The card's order is what the engine makes of a picture; the stub sees what it is handed.
    subject = Knows(order="BGR" if order != said else "RGB")
    finding, best = check_channels(trial(subject, replace(CARD, channels=said)), draw_scenes())
    assert finding.level == "fail"
    assert word in finding.text
    assert best.swapped


def test_a_network_that_does_not_care_for_colours_passes() -> None:
    subject = Knows()
    subject.see = lambda image, scene: Knows.see(subject, scene.image, scene)  # type: ignore
    finding, _ = check_channels(trial(subject), draw_scenes())
    assert finding.level == "ok"
    assert "makes no difference" in finding.text


def test_the_wrong_range_is_told_with_the_numbers_to_write() -> None:
    lost = Knows(lambda p: p + 200)

    def load(card: Card) -> Subject:
        return Knows() if card.std == (255.0, 255.0, 255.0) else lost

    finding, best = check_range(trial(lost), load, draw_scenes())
    assert finding.level == "fail"
    assert "0..1 (mean 0, std 255)" in finding.text
    assert best.card.std == (255.0, 255.0, 255.0)
    nothing, _ = check_range(trial(lost), lambda card: lost, draw_scenes())
    assert nothing.level == "warn"
    assert "cannot be told" in nothing.text


@pytest.mark.parametrize(
    ("err", "word"),
    [
        (lambda p: p * [-1, 1] + [SIDE, 0], "mirrored"),
        (lambda p: p * [1, -1] + [0, SIDE], "upside down"),
        (lambda p: p * [-1, -1] + SIDE, "half a circle"),
        (lambda p: p[:, ::-1], "x and y"),
    ],
)
def test_points_that_are_turned_are_told(err: Any, word: str) -> None:
    finding, turned_back = check_orientation(trial(Knows(err)), draw_scenes())
    assert finding.level == "fail"
    assert word in finding.text
    # One mistake is one finding: turned back, the skeleton is right.
    assert check_skeleton(turned_back, draw_scenes()).level == "ok"


def test_exchanged_sides_are_told_and_not_taken_for_a_mirror_image() -> None:
    flip = get_skeleton("coco17").flip
    own = trial(Knows(lambda p: p[flip]))
    assert "left and right have changed places" in check_skeleton(own, draw_scenes()).text
    assert check_orientation(own, draw_scenes())[0].level == "ok"


def test_another_layout_of_as_many_keypoints_is_told() -> None:
    own = trial(Knows(layout="lsp14", answers="aic14"))
    assert "those of 'aic14', not 'lsp14'" in check_skeleton(own, draw_scenes()).text


def test_another_order_is_told_with_an_example() -> None:
    order = np.array([*range(8, 17), *range(8)])
    finding = check_skeleton(trial(Knows(lambda p: p[order])), draw_scenes())
    assert finding.level == "fail"
    assert "'nose' lies at the right_elbow" in finding.text


# --- the network's own input ---------------------------------------------------------------------


def network(path: Path, shape: tuple[int, ...], maps: tuple[int, ...] = (17, 64, 48)) -> Path:
    """A network that answers every picture with one and the same heat map."""
    op = engine().opset13
    picture = op.parameter(list(shape), np.float32, name="picture")
    nothing = op.multiply(op.reduce_mean(picture, np.array([1, 2, 3]), True), np.float32(0))
    heat = np.zeros((1, *maps), np.float32)
    heat[:, :, maps[1] // 2, maps[2] // 2] = 0.8
    engine().save_model(engine().Model([op.add(nothing, heat)], [picture], "made-up"), path)
    return path


@pytest.mark.parametrize(
    ("shape", "size", "layout", "level", "word"),
    [
        ((1, 3, 256, 192), (192, 256), "NCHW", "ok", "as the card says"),
        ((-1, 3, -1, -1), (192, 256), "NCHW", "ok", "any size"),
        ((1, 3, 256, 192), (256, 192), "NCHW", "fail", "write size = [192, 256]"),
        ((1, 3, 256, 192), (96, 128), "NCHW", "warn", "made for 192 wide, 256 high"),
        ((1, 256, 192, 3), (192, 256), "NCHW", "fail", "which is NHWC"),
        ((1, 3, 256, 192), (192, 256), "NHWC", "fail", "which is NCHW"),
        ((1, 4, 256, 192), (192, 256), "NCHW", "fail", "no picture of three channels"),
    ],
)
def test_the_input_is_compared_with_the_card(
    tmp_path: Path, shape: Any, size: Any, layout: str, level: str, word: str
) -> None:
    path = network(tmp_path / "a.xml", shape)
    finding, right = check_input(replace(CARD, size=size, layout=layout), [path])
    assert finding.level == level
    assert word in finding.text
    if level == "fail" and "channels" not in word:
        assert check_input(right, [path])[0].level != "fail"


def test_outputs_of_another_family_are_a_finding_and_no_exception(tmp_path: Path) -> None:
    path = network(tmp_path / "a.xml", (1, 3, 256, 192), (16, 64, 48))
    report = check_model(CARD, [path])
    assert report.failed
    assert report.findings[-1].check == "outputs"
    assert "17, height, width), got (1, 16, 64, 48)" in report.findings[-1].text


def test_the_command_says_what_is_wrong_and_exits_with_5(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card = tmp_path / "mine.toml"
    card.write_text(
        'name = "mine"\nfamily = "heatmap"\nkind = "crop"\nskeleton = "coco17"\nsize = [192, 256]\n'
    )
    path = network(tmp_path / "a.xml", (-1, 3, 256, 192))
    words = ["models", "check", str(card), "--weights", str(path)]
    assert run([*words, "--json", "--no-progress"]) == 5
    said = capsys.readouterr()
    (answer,) = json.loads(said.out)["models"]
    levels = {one["check"]: one["level"] for one in answer["checks"]}
    assert (answer["model"], answer["ok"]) == ("mine", False)
    assert levels["people"] == "fail"
    assert levels["batch"] == "ok"
    assert levels["empty room"] == "warn" or levels["empty room"] == "ok"
    assert said.err == "poise: error: mine: something is wrong with its card or weights\n"
    assert run(words) == 5
    assert "fail  people" in capsys.readouterr().out
    assert run(["models", "check", str(card), "--weights", str(tmp_path / "none")]) == 5
    assert "no such file of weights" in capsys.readouterr().err
    assert run(["models", "check", "auto"]) == 2


# --- real networks -------------------------------------------------------------------------------


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "changes", "check", "word"),
    [
        ("tinypose-256", {}, "", ""),
        ("tinypose-256", {"channels": "BGR"}, "channel order", "RGB reads"),
        ("tinypose-256", {"mean": (0,) * 3, "std": (1,) * 3}, "range", "ImageNet's"),
        ("tinypose-256", {"skeleton": "h36m17"}, "skeleton", "those of 'coco17'"),
        ("tinypose-256", {"size": (256, 192)}, "input", "write size = [192, 256]"),
        ("rtmdet-nano", {}, "", ""),
        ("rtmdet-nano", {"channels": "RGB"}, "channel order", "BGR reads"),
        ("movenet-lightning", {"mean": (0,) * 3, "std": (255,) * 3}, "range", "0..255"),
    ],
)
def test_real_weights_with_a_wrong_card_are_told_so(
    data_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    changes: dict[str, Any],
    check: str,
    word: str,
) -> None:
    monkeypatch.setenv("POISE_MODELS", str(data_dir / "weights"))
    card = replace(CARDS[name], **changes)
    report = check_model(card, fetch_all(card.files))
    failed = {one.check: one.text for one in report.findings if one.level == "fail"}
    assert set(failed) - {"people", "scores"} == ({check} if check else set())
    if check:
        assert word in failed[check]
    else:
        assert not report.failed
