"""Several models at one source: the figures, the picture, and `poise compare-models`."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from media import write_video
from poise.cli.app import run
from poise.clip import Clip, Header
from poise.lineup import Entry, measure, run_model, tell
from poise.lineup.figures import jitter, shared_keypoints
from poise.lineup.picture import choose_grid
from poise.options import Options
from poise.poses import Frame, Poses
from poise.skeleton import get_skeleton
from poise.synthetic import Dancer, Stage, dance
from poise.testing import FakeModel, TruthModel, blob_picture

COCO = get_skeleton("coco17")


class Trembling(FakeModel):
    """Sees what `FakeModel` sees, every second frame a little further right."""

    name = "trembling"

    def __init__(self, pixels: float, skeleton: str = "coco17") -> None:
        super().__init__(skeleton)
        self._pixels = pixels

    def estimate(self, frames: Sequence[Frame]) -> list[Poses]:
        found = super().estimate(frames)
        return [
            poses.replace(keypoints=poses.keypoints + np.float32([self._pixels * (i.index % 2), 0]))
            for i, poses in zip(frames, found, strict=True)
        ]


@pytest.fixture
def video(tmp_path: Path) -> str:
    frames = [blob_picture([(20, 10, 60, 110)]) for _ in range(9)] + [blob_picture([])]
    return str(write_video(tmp_path / "one.mp4", frames, fps=10))


def _clip(points: np.ndarray, scores: np.ndarray | None = None) -> Clip:
    frames = tuple(
        Poses(
            COCO,
            each[None].astype(np.float32),
            (np.ones(17) if scores is None else scores[number])[None].astype(np.float32),
            ids=np.array([1]),
            index=number,
            time=number / 10,
            size=(200, 200),
        )
        for number, each in enumerate(points)
    )
    return Clip(frames, Header(COCO, "m"))


def test_figures_of_a_video(video: str) -> None:
    (first, second) = measure(
        [run_model(model, video, Options()) for model in (FakeModel(), Trembling(2))]
    )
    assert (first.model, second.model) == ("fake", "trembling")
    assert first.frames == 10 and first.people == pytest.approx(0.9)
    assert first.empty == pytest.approx(0.1)
    assert first.confidence == pytest.approx(0.9) and first.missing == 0
    assert first.ms > 0 and first.jitter == pytest.approx(0, abs=1e-6)
    # Two pixels to and fro are a second difference of four, here of a person of 33 by 88 pixels.
    assert second.jitter == pytest.approx(4 / math.sqrt(33.4 * 88.2), rel=0.03)


def test_jitter_is_zero_for_even_motion_and_grows_with_the_tremble() -> None:
    body = np.random.default_rng(0).uniform(50, 150, (17, 2))
    even = body + np.arange(12)[:, None, None] * [3.0, -1.0]
    assert jitter(_clip(even), COCO) == pytest.approx(0, abs=1e-6)
    noise = np.random.default_rng(1).normal(0, 1, even.shape)
    little, much = (jitter(_clip(even + size * noise), COCO) for size in (0.5, 1.0))
    assert much == pytest.approx(2 * little, rel=0.05)


def test_jitter_leaves_out_what_nobody_is_sure_of() -> None:
    points = np.random.default_rng(0).uniform(50, 150, (8, 17, 2))
    points[:, 1:] = points[0, 1:]
    scores = np.ones((8, 17))
    assert jitter(_clip(points, scores), COCO) > 0.01
    scores[:, 0] = 0.2
    assert jitter(_clip(points, scores), COCO) == pytest.approx(0, abs=1e-6)


def test_missing_counts_only_what_all_models_have() -> None:
    mpii = get_skeleton("mpii16")
    shared = shared_keypoints([COCO, mpii])
    assert set(shared.keypoints) == set(COCO.keypoints) & set(mpii.keypoints)
    frames = (Poses(COCO, np.full((1, 17, 2), np.nan, np.float32), np.zeros((1, 17), np.float32)),)
    coco = Entry("a", Clip(frames, Header(COCO)), True, 0.5)
    points = np.ones((1, 16, 2), np.float32)
    found = (Poses(mpii, points, np.full((1, 16), 0.8, np.float32)),)
    other = Entry("b", Clip(found, Header(mpii)), True, 0.5)
    first, second = measure([coco, other])
    assert first.missing == len(shared) and second.missing == 0
    assert first.ms == 500 and math.isnan(first.jitter)


def test_layouts_with_nothing_in_common_count_their_own() -> None:
    empty = Poses.empty(COCO)
    assert len(shared_keypoints([COCO])) == 17
    (figures,) = measure([Entry("a", Clip((empty,), Header(COCO)), True, 1.0)])
    assert figures.people == 0 and figures.empty == 1
    assert math.isnan(figures.confidence) and figures.missing == 0


@pytest.mark.parametrize(
    ("count", "size", "columns"),
    [(1, (640, 480), 1), (2, (640, 480), 2), (3, (1280, 720), 2), (4, (1920, 1080), 2),
     (3, (360, 1080), 3), (2, (1920, 300), 1)],
)  # fmt: skip
def test_grid(count: int, size: tuple[int, int], columns: int) -> None:
    grid = choose_grid(count, size)
    assert grid.columns == columns and grid.columns * grid.rows >= count
    assert grid.size[0] % 2 == grid.size[1] % 2 == 0
    aspect = grid.panel[0] / grid.panel[1]
    assert aspect == pytest.approx(size[0] / size[1], rel=0.01)
    x, y = grid.corner(count - 1)
    assert x + grid.panel[0] < grid.size[0] and y + grid.line + grid.panel[1] < grid.size[1]


def test_small_pictures_are_enlarged_until_their_line_can_be_read() -> None:
    assert choose_grid(2, (90, 120)).panel == (360, 480)


def _fakes(monkeypatch: pytest.MonkeyPatch, *models: FakeModel) -> None:
    known = dict(zip(("fake", "blazepose"), models, strict=True))
    monkeypatch.setattr("poise.cli.loading.load_model", lambda name, **_: known[name])


def test_command_on_a_video(
    video: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _fakes(monkeypatch, FakeModel(), Trembling(3, "blazepose33"))
    out = tmp_path / "both.mp4"
    words = ["compare-models", video, "-m", "fake", "-m", "blazepose", "-o", str(out)]
    assert run([*words, "--json", "--no-progress"]) == 0
    said = capsys.readouterr()
    document = json.loads(said.out)
    assert said.err == ""
    assert [model["model"] for model in document["models"]] == ["fake", "trembling"]
    assert document["models"][0]["jitter"] < document["models"][1]["jitter"]
    with av.open(str(out)) as container:
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(pictures) == 10
    # Both panels show the person, and the second one's limbs stand elsewhere.
    grid = choose_grid(2, (160, 120))
    panels = []
    for number in range(2):
        x, y = grid.corner(number)
        y += grid.line
        panels.append(pictures[1][y : y + grid.panel[1], x : x + grid.panel[0]].astype(int))
    assert all((panel > 150).mean() > 0.1 for panel in panels)
    assert np.abs(panels[0] - panels[1]).max() > 60
    assert run([*words, "--no-progress"]) == 7
    assert "exists already" in capsys.readouterr().err


def test_command_on_a_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, out = tmp_path / "a.png", tmp_path / "grid.png"
    Image.fromarray(blob_picture([(20, 10, 60, 110), (90, 20, 130, 110)])).save(source)
    words = ["compare-models", str(source), "-m", "fake", "-o", str(out), "--no-progress"]
    assert run(words) == 0
    title, line = capsys.readouterr().out.splitlines()
    assert title.split()[0] == "model" and line.split()[0] == "fake"
    assert line.split()[2] == "2.00" and line.split()[-1] == "-"
    with Image.open(out) as picture:
        assert picture.size == choose_grid(1, (160, 120)).size


def test_real_noise_shows_as_jitter(tmp_path: Path) -> None:
    stage = Stage([Dancer(dance())], size=(160, 120), fps=15, duration=2)
    path = str(write_video(tmp_path / "s.mp4", [f.image for f in stage.frames()], fps=15))
    still, shaky = measure(
        [run_model(TruthModel(stage, noise=noise), path, Options()) for noise in (0.0, 0.02)]
    )
    assert shaky.jitter > 2 * still.jitter
    table = tell([still, shaky])
    assert len({len(line) for line in table.splitlines()}) == 1


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["none.mp4", "-m", "fake"], 6, "no such file"),
        (["0", "-m", "fake"], 2, "is a camera or a stream"),
        (["p.jsonl", "-m", "fake"], 2, "holds keypoints already"),
        (["p.png", "-m", "fke"], 5, "did you mean 'fake'"),
        (["p.png", "-m", "fake", "-m", "fake"], 2, "a model is named twice"),
        (["p.png", "-m", "fake", "-o", "p.jsonl"], 2, "no line-up is written as '.jsonl'"),
        (["p.png", "-m", "fake", "-o", "p.png"], 7, "is also the source"),
        (["p.png", "-m", "fake", "-o", "gone/a.png"], 7, "there is no folder gone"),
        (["v.mp4", "-m", "fake", "-o", "a.png"], 2, "one picture cannot hold a video"),
        (["v.mp4", "-m", "fake", "--start", "60"], 2, "no frame is left"),
        (["p.png", "-m", "fake", "-o", "a.mp4"], 2, "a picture makes no video"),
    ],
)
def test_bad_requests(
    words: list[str],
    code: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Image.fromarray(blob_picture([(20, 10, 60, 110)])).save("p.png")
    Path("p.jsonl").write_text("{}\n")
    write_video(tmp_path / "v.mp4", [blob_picture([(20, 10, 60, 110)])] * 3)
    before = {path.name for path in tmp_path.iterdir()}
    assert run(["compare-models", *words, "--no-progress"]) == code
    err = capsys.readouterr().err
    assert said in err and err.count("\n") == 1
    assert {path.name for path in tmp_path.iterdir()} == before
