"""`poise benchmark`: what is measured, the child processes, rivals, and what is said of it."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from poise.benchmarking import (
    BenchmarkOptions,
    Configuration,
    Pictures,
    Rival,
    describe_machine,
    draw_pictures,
    find_rival,
    make_matrix,
    measure,
    read_pictures,
    rivals,
    to_json,
    worker,
)
from poise.benchmarking import pictures as pictures_module
from poise.benchmarking.figures import Burst, Row, Spread, compare, sum_up
from poise.benchmarking.machine import peak_bytes
from poise.benchmarking.process import Process
from poise.cli.benchmark import tell
from poise.errors import InputError, ModelError, PoiseError, UsageError
from poise.poses import Frame
from poise.testing import blob_picture

FAKE = Configuration(model="fake")


def few(count: int = 3) -> Pictures:
    picture = blob_picture([(20, 10, 60, 110), (90, 10, 130, 110)], (160, 120))
    return Pictures("two blobs", tuple(Frame(picture, i, i / 30) for i in range(count)))


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    few().save(tmp_path / "few.npz")
    return tmp_path / "few.npz"


def test_every_value_is_measured_with_each_other_once() -> None:
    options = BenchmarkOptions(
        engine="openvino, onnxruntime", precision="auto,f32,auto", batch="1,8", threads="all,2"
    )
    matrix = make_matrix(["a", "b", "a"], options)
    assert len(matrix) == len(set(matrix)) == 2 * 2 * 2 * 2 * 2
    assert matrix[0] == Configuration(model="a")
    assert matrix[-1] == Configuration(
        model="b", engine="onnxruntime", precision="f32", batch=8, threads=2
    )
    assert str(matrix[-1]) == "b on onnxruntime, f32, batch 8, threads 2"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"engine": "openvin"}, "engine: no 'openvin'; did you mean 'openvino'"),
        ({"precision": "auto,f23"}, "precision: no 'f23'; did you mean 'f32'"),
        ({"batch": "1,0"}, "batch: wanted whole numbers above 0 .* got '1,0'"),
        ({"batch": "all"}, "batch: wanted whole numbers"),
        ({"threads": "two"}, "threads: wanted whole numbers"),
        ({"people": 0}, "people: wanted 1 to 16, got 0"),
        ({"seconds": 0.0}, "seconds: wanted more than 0"),
        ({"seconds": float("nan")}, "seconds: wanted more than 0"),
        ({"follow": True, "batch": "1,2"}, "follow: .*leave out --batch"),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        BenchmarkOptions(**changes)


def test_the_child_gets_the_same_pictures(tmp_path: Path, saved: Path) -> None:
    for frame, again in zip(few().frames, pictures_module.load_pictures(saved), strict=True):
        assert (frame.index, frame.time) == (again.index, again.time)
        np.testing.assert_array_equal(frame.image, again.image)
    Pillow.fromarray(few().frames[0].image).save(tmp_path / "one.png")
    single = read_pictures(str(tmp_path / "one.png"))
    assert str(single) == f"1 picture of 160x120 (0 MB), from {tmp_path / 'one.png'}"
    with pytest.raises(InputError):
        read_pictures(str(tmp_path / "absent.mp4"))


def test_only_so_many_pictures_are_held(monkeypatch) -> None:
    drawn = draw_pictures(3)
    assert drawn.frames[0].size == (640, 360)
    assert len(drawn.frames) == pictures_module.MOST_FRAMES
    monkeypatch.setattr(pictures_module, "MOST_BYTES", 3 * drawn.frames[0].image.nbytes)
    assert len(draw_pictures().frames) == 3
    monkeypatch.setattr(pictures_module, "MOST_BYTES", 1)
    assert len(draw_pictures().frames) == 1


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 10))))
def test_the_time_in_which_a_network_runs_is_counted_once(pairs: list[tuple[int, int]]) -> None:
    intervals = [(float(first), float(first + length)) for first, length in pairs]
    covered = {second for first, length in pairs for second in range(first, first + length)}
    assert worker.union(intervals) == len(covered)


def test_figures_of_bursts() -> None:
    ours = [Burst((0.01, 0.03), 1, 0.02, 4), Burst((0.02,), 1, 0.01, 2)]
    theirs = [Burst((0.08,), 2, None, 2), Burst((0.16,), 2, None, 0)]
    ready = {"load_seconds": 1.5, "precision": "bf16"}
    speed = sum_up(ours, ready, 1000)
    assert speed.milliseconds == Spread(20, 15, 25, 10, 30)
    assert (speed.calls, speed.people, speed.peak, speed.fps) == (3, 2, 1000, 50)
    assert speed.network == pytest.approx(0.5)
    assert sum_up(theirs, ready, None).network is None
    assert sum_up(theirs, ready, None).milliseconds.median == 60
    # 40 against 20 ms, then 80 against 20.
    assert compare(ours, theirs).median == pytest.approx(3)
    row = to_json(Row(FAKE, speed))
    assert row["ms_per_frame"]["median"] == 20
    assert row["problem"] is None
    assert to_json(Row(FAKE, problem="no"))["ms_per_frame"] is None


def order(saved: Path, **changes: object) -> str:
    asked = {"configuration": FAKE.to_json(), "pictures": str(saved), "rival": None, **changes}
    return json.dumps(asked) + "\n"


def serve(text: str) -> list[dict[str, object]]:
    replies = io.StringIO()
    worker.serve(io.StringIO(text), replies)
    return [json.loads(line) for line in replies.getvalue().splitlines()]


def test_a_worker_loads_works_and_ends(saved: Path) -> None:
    ready, burst, end = serve(order(saved) + "burst\nend\n")
    assert ready["precision"] == "f32"
    assert burst["frames"] == 1
    assert burst["people"] == 2 * len(burst["seconds"])
    assert sum(burst["seconds"]) >= worker.BURST_SECONDS
    assert burst["network"] is None  # the fake has none
    assert end["peak"] == peak_bytes() or end["peak"] > 1e7
    assert serve("") == []


def test_batches_go_round_the_pictures_and_a_video_is_one_walk(saved: Path) -> None:
    batched = order(saved, configuration={**FAKE.to_json(), "batch": 4})
    subject = worker.Subject(json.loads(batched))
    assert [frame.index for frame in subject._next()] == [0, 1, 2, 0]
    assert [frame.index for frame in subject._next()] == [1, 2, 0, 1]
    walked = order(saved, configuration={**FAKE.to_json(), "follow": True})
    (_, burst) = serve(walked + "burst\n")
    assert (burst["frames"], burst["people"]) == (3, 6 * len(burst["seconds"]))


def test_a_worker_says_why_it_cannot(saved: Path) -> None:
    for changes, why in (
        ({"model": "fak"}, "no model named 'fak'; did you mean 'fake'"),
        ({"model": "fake", "card": "absent.toml"}, "absent.toml: no card can be read"),
    ):
        (reply,) = serve(order(saved, configuration={**FAKE.to_json(), **changes}) + "burst\n")
        assert why in reply["problem"]


def test_rows_come_for_what_runs_and_for_what_does_not() -> None:
    told: list[tuple[int, int, str]] = []
    matrix = [FAKE, Configuration(model="fak"), Configuration(model="known")]
    rows = list(
        measure(
            matrix,
            few(),
            seconds=0.1,
            problems={"known": "has no weights"},
            report=lambda number, total, c, left: told.append((number, total, c.model)),
        )
    )
    assert told == [(1, 3, "fake"), (2, 3, "fak"), (3, 3, "known")]
    assert rows[0].speed.people == 2
    assert rows[0].speed.calls >= 3
    assert rows[0].speed.peak > 2e7
    assert "did you mean 'fake'" in rows[1].problem
    assert rows[2] == Row(matrix[2], problem="has no weights")


TINY_CARD = """
name = "tiny"
family = "movenet"
kind = "pose"
skeleton = "coco17"
size = [64, 64]
layout = "NHWC"
settings = { presence = 0.0 }
[[files]]
name = "tiny.onnx"
sha256 = "SHA"
sources = ["tiny.onnx"]
"""


def test_a_network_of_the_users_own_on_both_engines(tmp_path: Path, monkeypatch) -> None:
    pytest.importorskip("onnx")
    import tiny_networks
    from poise.weights import hash_file

    monkeypatch.setenv("POISE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("POISE_MODELS", str(tmp_path))
    path = tiny_networks.movenet(tmp_path / "tiny.onnx")
    (tmp_path / "tiny.toml").write_text(TINY_CARD.replace("SHA", hash_file(path)))
    options = BenchmarkOptions(
        engine="openvino,onnxruntime", precision="f32,bf16", threads="1,all", seconds=0.1
    )
    matrix = make_matrix(["tiny"], options, card=str(tmp_path / "tiny.toml"))
    rows = {str(row.configuration): row for row in measure(matrix, few(), seconds=0.1)}
    assert len(rows) == 8
    refused = [name for name, row in rows.items() if row.problem]
    assert refused == [
        f"tiny on onnxruntime, bf16, batch 1, {t}" for t in ("threads 1", "every core")
    ]
    for row in rows.values():
        if row.speed is not None:
            assert 0 < row.speed.network < 1
            assert row.speed.precision == row.configuration.precision or row.speed.precision


STUBS = {
    "mediapipe": """
import os, sys
from types import SimpleNamespace
print("a banner on the standard output")
class Pose:
    def __init__(self, *, static_image_mode, model_complexity, smooth_landmarks):
        assert static_image_mode and os.environ["ORT_DISABLE_TELEMETRY"] == "1"
    def process(self, image):
        assert image[15, 30].max() > 100
        return SimpleNamespace(pose_landmarks=[1])
solutions = SimpleNamespace(pose=SimpleNamespace(Pose=Pose))
""",
    "ultralytics": """
import sys
class YOLO:
    def __init__(self, weights):
        if "broken" in weights:
            raise RuntimeError("bad magic number\\nmore")
        self.dies = "dies" in weights
    def predict(self, images, verbose, device):
        if self.dies:
            import os
            sys.stderr.write("out of memory\\n")
            sys.stderr.flush()
            os._exit(9)
        from types import SimpleNamespace
        return [SimpleNamespace(boxes=[1, 2, 3]) for _ in images]
""",
}


@pytest.fixture
def stubs(tmp_path: Path, monkeypatch) -> Path:
    folder = tmp_path / "packages"
    folder.mkdir()
    for name, code in STUBS.items():
        (folder / f"{name}.py").write_text(code)
    before = [part for part in (os.environ.get("PYTHONPATH"),) if part]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), *before]))
    monkeypatch.syspath_prepend(str(folder))
    for name in ("sound", "broken", "dies"):
        (tmp_path / f"{name}.pt").write_bytes(b"x")
    return tmp_path


def versus(rival: Rival, configuration: Configuration = FAKE):
    (row,) = measure([configuration], few(), seconds=0.1, rival=rival)
    assert row.speed is not None
    return row.versus


def test_a_rival_takes_turns_with_the_model(stubs: Path) -> None:
    found = versus(find_rival("mediapipe"))
    assert (found.name, found.problem) == ("mediapipe", "")
    assert found.speed.people == 1
    assert found.speed.network is None
    assert 0 < found.times.lower <= found.times.median <= found.times.upper
    assert "mediapipe" not in sys.modules
    boxes = versus(
        find_rival(f"ultralytics={stubs / 'sound.pt'}"), Configuration(model="fake", batch=2)
    )
    assert boxes.speed.people == 3


def test_a_rival_that_cannot_says_why_and_the_row_stays(stubs: Path) -> None:
    broken = versus(find_rival(f"ultralytics={stubs / 'broken.pt'}"))
    assert broken.problem == "RuntimeError: bad magic number"
    dies = versus(find_rival(f"ultralytics={stubs / 'dies.pt'}"))
    assert dies.problem == "its process ended with code 9: out of memory"
    limited = versus(find_rival("mediapipe"), Configuration(model="fake", threads=1))
    assert "takes every core" in limited.problem


def test_a_rival_must_be_known_installed_and_have_its_weights(stubs: Path, monkeypatch) -> None:
    with pytest.raises(UsageError, match="--against: no 'rtmlb'; did you mean 'rtmlib'"):
        find_rival("rtmlb")
    monkeypatch.setattr(rivals.importlib.util, "find_spec", lambda name: None)
    for name, line in rivals.INSTALL.items():
        with pytest.raises(PoiseError, match=f"{name} is not installed; {line}"):
            find_rival(name)
    monkeypatch.undo()
    monkeypatch.syspath_prepend(str(stubs / "packages"))
    for wanted in ("ultralytics", "ultralytics=absent.pt"):
        with pytest.raises(UsageError, match="wanted a file of weights"):
            find_rival(wanted)


def test_rtmlib_runs_the_weights_of_the_model_that_is_measured(monkeypatch) -> None:
    made: dict[str, dict[str, object]] = {}

    def tool(name: str, answer: object):
        def make(file: str, **options: object):
            made[name] = {"file": file, **options}
            return answer

        return make

    seen: list[int] = []

    def read(image: np.ndarray, bboxes: np.ndarray):
        seen.append(int(image[0, 0, 0]))
        return np.zeros((len(bboxes), 17, 2)), None

    find = lambda image: np.zeros((int(image[0, 0, 2]), 4))  # noqa: E731
    package = SimpleNamespace(YOLOX=tool("find", find), RTMPose=tool("read", read))
    monkeypatch.setitem(sys.modules, "rtmlib", package)
    monkeypatch.setattr(rivals, "locate", lambda file: Path("/weights") / "net.onnx")
    chosen = Configuration(model="yolox-nano+rtmpose-m", engine="onnxruntime")
    rival = Rival("rtmlib")
    look = rivals.load_rival(rival, chosen)
    assert made["find"]["backend"] == made["read"]["backend"] == "onnxruntime"
    assert made["find"]["model_input_size"] == (416, 416)
    assert made["read"]["model_input_size"] == (192, 256)
    pictures = [np.full((4, 4, 3), (people, 7, 9), np.uint8) for people in (2, 0, 3)]
    # It takes BGR, and where it finds nobody the whole picture would be a person.
    assert look([rival.prepare(picture) for picture in pictures]) == 5
    assert seen == [9, 9]
    for model, why in (("blazepose", "YOLOX detector with a SimCC"), ("fake", "YOLOX detector")):
        with pytest.raises(ModelError, match=why):
            rivals.load_rival(rival, Configuration(model=model))
    with pytest.raises(UsageError, match="leave out --follow"):
        rivals.load_rival(rival, Configuration(model=chosen.model, follow=True))
    monkeypatch.setattr(rivals, "locate", lambda file: Path("/weights/net.xml"))
    with pytest.raises(ModelError, match="runs ONNX files"):
        rivals.load_rival(rival, chosen)


def test_a_process_is_gone_when_it_is_closed(saved: Path) -> None:
    with Process(FAKE, saved) as running:
        child = running._child
        assert child.poll() is None
    assert child.poll() is not None
    running.close()


def test_the_machine_is_described() -> None:
    machine = describe_machine()
    assert machine["cores"] >= 1
    assert machine["processor"]
    assert "openvino" in machine["engines"]
    json.dumps(machine)


def poise(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "poise", "benchmark", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_command_prints_a_table_and_says_how_far_it_is() -> None:
    done = poise("-m", "fake", "--seconds", "0.1", "--batch", "1,2", "--people", "2")
    assert done.returncode == 0, done.stderr
    assert "60 pictures of 640x360 (41 MB), the synthetic stage with 2 people" in done.stdout
    lines = [line.split() for line in done.stdout.splitlines() if line.startswith("fake ")]
    assert [line[:4] for line in lines] == [["fake", "openvino", "auto:", "f32"]] * 2
    assert [line[4] for line in lines] == ["1", "2"]
    said = done.stderr.splitlines()
    assert said[1].startswith("[2/2] fake on openvino, auto, batch 2, every core: about ")
    assert said[1].endswith(" s left")


def test_the_command_prints_json_and_nothing_else(tmp_path: Path) -> None:
    Pillow.fromarray(few().frames[0].image).save(tmp_path / "two.png")
    done = poise(
        "-m", "fake", "-m", "fake", "--source", str(tmp_path / "two.png"), "--seconds", "0.1",
        "--threads", "1", "--json", "--no-progress",
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    (row,) = document["rows"]
    assert (row["model"], row["threads"], row["people_per_frame"]) == ("fake", 1, 2)
    assert row["frames_per_second"] == pytest.approx(1e3 / row["ms_per_frame"]["median"])
    assert document["size"] == [160, 120]


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (["-m", "fak"], 5, "no model named 'fak'"),
        (["-m", "fake", "--engine", "onnx"], 2, "--engine: no 'onnx'"),
        (["-m", "fake", "--batch", "x"], 2, "--batch: wanted whole numbers"),
        (["-m", "fake", "--against", "openpose"], 2, "--against: no 'openpose'"),
        (["-m", "fake", "--source", "absent.mp4"], 6, "absent.mp4"),
    ],
)
def test_the_command_refuses_in_one_line(arguments: list[str], code: int, line: str) -> None:
    done = poise(*arguments)
    assert done.returncode == code
    assert done.stdout == ""
    assert done.stderr.startswith(f"poise: error: {line}")
    assert done.stderr.count("\n") == 1


def test_problems_that_are_alike_are_told_once() -> None:
    rows = [
        Row(Configuration(model="a", threads=threads), problem="no weights") for threads in (1, 2)
    ]
    rows.append(Row(Configuration(model="b"), problem="no weights"))
    told = tell(rows, few(), describe_machine()).splitlines()
    assert told[-2:] == [
        "a on openvino, 2 configurations: no weights",
        "b on openvino, auto, batch 1, every core: no weights",
    ]
