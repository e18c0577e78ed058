"""Average precision of CrowdPose and AI Challenger against xtcocotools, from files to figures."""

from __future__ import annotations

import contextlib
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from poise.evaluation import measure_crowding, measure_precision, read_annotations
from poise.evaluation.engine import result_entries
from poise.evaluation.truth import Truth
from poise.poses import Poses
from poise.skeleton import get_skeleton

# A wheel that was built against another numpy does not import: build it with
# pip install --no-build-isolation --no-binary xtcocotools xtcocotools
pytest.importorskip("xtcocotools.coco")

# It leaves its files to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

CROWD_NAMES = [*get_skeleton("crowdpose14").keypoints[:12], "head", "neck"]
AIC_NAMES = [*get_skeleton("aic14").keypoints[:13], "neck"]


def referee(
    path: Path, results: list[dict[str, Any]], kind: str, sigmas: np.ndarray
) -> list[float]:
    """Return xtcocotools' figures of an annotation file, NaN for its -1."""
    from xtcocotools.coco import COCO
    from xtcocotools.cocoeval import COCOeval

    found = path.with_name("results.json")
    found.write_text(json.dumps(results), encoding="utf-8")
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(path))
        truth.anno_file = [str(path)]
        run = COCOeval(truth, truth.loadRes(str(found)), kind, sigmas, use_area=False)
        run.anno_file = [str(path), str(found)]
        run.evaluate()
        run.accumulate()
        run.summarize()
    return [float(n) if n > -1 else np.nan for n in run.stats]


def made_up(seed: int, names: list[str], path: Path) -> tuple[Truth, list[Poses]]:
    """Write annotations of crowds; return them as Poise reads them, and spoilt people."""
    rng = np.random.default_rng(seed)
    images, people = [], []
    for number in range(1, 13):
        images.append(
            {"id": number, "file_name": f"{number}.jpg", "width": 640, "height": 480,
             "crowdIndex": float(rng.choice([0, 0.1, 0.2, 0.5, 0.8, 0.9]))}
        )  # fmt: skip
        for _ in range(int(rng.integers(0, 5))):
            corner, size = rng.uniform(0, 300, 2), rng.uniform(30, 200, 2)
            keypoints = np.column_stack([corner + rng.random((14, 2)) * size, np.zeros(14)])
            keypoints[:, 2] = rng.integers(0, 3, 14)
            keypoints[keypoints[:, 2] == 0] = 0
            people.append(
                {"id": len(people) + 1, "image_id": number, "category_id": 1, "iscrowd": 0,
                 "keypoints": keypoints.round(2).ravel().tolist(),
                 "num_keypoints": int((keypoints[:, 2] > 0).sum()),
                 "bbox": [*corner.tolist(), *size.tolist()], "area": 1.0}
            )  # fmt: skip
    category = {"id": 1, "name": "person", "keypoints": names, "skeleton": []}
    document = {"images": images, "annotations": people, "categories": [category]}
    path.write_text(json.dumps(document), encoding="utf-8")
    # As the data sets have it: no area. xtcocotools wants the word, but does not use it.
    bare = [{k: v for k, v in one.items() if k != "area"} for one in people]
    plain = path.with_name("plain.json")
    plain.write_text(json.dumps({**document, "annotations": bare}), encoding="utf-8")
    truth = read_annotations(plain)
    return truth, [spoil(rng, truth, number) for number in range(len(truth.pictures))]


def spoil(rng: np.random.Generator, truth: Truth, number: int) -> Poses:
    found = []
    for one in truth.pictures[number].people:
        for _ in range(int(rng.integers(0, 3))):
            error = rng.normal(0, rng.choice([0.003, 0.02, 0.1]), (14, 2)) * one.box[2:]
            found.append(one.keypoints[:, :2] + error)
    found += [rng.uniform(0, 400, (14, 2)) for _ in range(int(rng.integers(0, 2)))]
    points = np.array(found, np.float32).reshape(-1, 14, 2)
    scores = rng.random(len(points)).astype(np.float32)
    sure = np.full(points.shape[:2], 0.9, np.float32)
    return Poses(truth.skeleton, points, sure, person_scores=scores)


@pytest.mark.parametrize("seed", range(20))
def test_crowdpose(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "truth.json"
    truth, found = made_up(seed, CROWD_NAMES, path)
    wanted = referee(path, result_entries(truth, found), "keypoints_crowd", truth.sigmas)
    got = measure_precision(truth, found)
    ours = [got.AP, got.AP50, got.AP75, got.AR, got.AR50, got.AR75]
    np.testing.assert_allclose(ours, wanted[:6], atol=1e-6)
    crowding = measure_crowding(truth, found)
    # The reference rounds these to four digits and averages its -1 in where nobody is.
    for value, reference in zip(crowding.values(), wanted[6:], strict=True):
        if np.isfinite(value):
            assert value == pytest.approx(reference, abs=5.1e-5)


@pytest.mark.parametrize("seed", range(20))
def test_ai_challenger(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "truth.json"
    truth, found = made_up(100 + seed, AIC_NAMES, path)
    assert truth.dataset == "aic"
    wanted = referee(path, result_entries(truth, found), "keypoints", truth.sigmas)
    got = measure_precision(truth, found)
    ours = [got.AP, got.AP50, got.AP75, got.AR, got.AR50, got.AR75]
    np.testing.assert_allclose(ours, [*wanted[:3], *wanted[5:8]], atol=1e-6)


@pytest.mark.data
def test_the_real_crowdpose_file(data_dir: Path, tmp_path: Path) -> None:
    source = data_dir / "labelled/mmpose_tests/crowdpose/test_crowdpose.json"
    truth = read_annotations(source)
    raw = json.loads(source.read_text(encoding="utf-8"))
    for entry in raw["annotations"]:
        entry["area"] = 1.0
    path = tmp_path / "truth.json"
    path.write_text(json.dumps(raw), encoding="utf-8")
    for seed in range(5):
        rng = np.random.default_rng(seed)
        found = [spoil(rng, replace(truth), number) for number in range(len(truth.pictures))]
        wanted = referee(path, result_entries(truth, found), "keypoints_crowd", truth.sigmas)
        got = measure_precision(truth, found)
        ours = [got.AP, got.AP50, got.AP75, got.AR, got.AR50, got.AR75]
        np.testing.assert_allclose(ours, wanted[:6], atol=1e-6)
