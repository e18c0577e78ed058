"""Composite fields against openpifpaf's own decoder, run on the same fields.

Wants openpifpaf 0.13 with torch, torchvision and matplotlib before 3.9. Where torchvision's
compiled operators do not load, the two that its import asks for are declared here; the decoder
uses neither.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
if importlib.util.find_spec("openpifpaf") is None:
    pytest.skip("openpifpaf is not installed", allow_module_level=True)

sys.path.insert(0, str(Path(__file__).parents[1]))
from cifcaf_scenes import STRIDE, crowd, draw, person, spoil  # noqa: E402
from poise.models.cifcaf_decoding import PAIRS, Limits, decode  # noqa: E402
from poise.models.cifcaf_fields import build_map  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")
FILLED = 1.01e-5


def _declare_operators() -> Any:
    """Let torchvision be imported without its compiled operators; keep what is returned."""
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name in ("nms", "qnms"):
        if not hasattr(torch.ops.torchvision, name):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return library


@pytest.fixture(scope="module")
def theirs() -> Iterator[SimpleNamespace]:
    """Their settings, and how to run it: people are (17, 3) x, y, score, and their own score."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kept = _declare_operators()
        package = importlib.import_module("openpifpaf")
    coco = package.plugins.coco.constants
    known = {"keypoints": coco.COCO_KEYPOINTS, "sigmas": coco.COCO_PERSON_SIGMAS}
    known["pose"] = coco.COCO_UPRIGHT_POSE
    weights = coco.COCO_PERSON_SCORE_WEIGHTS
    cif = package.headmeta.Cif("cif", "cocokp", score_weights=weights, **known)
    caf = package.headmeta.Caf("caf", "cocokp", skeleton=coco.COCO_PERSON_SKELETON, **known)
    for number, head in enumerate((cif, caf)):
        head.head_index, head.base_stride, head.upsample_stride = number, 2 * STRIDE, 2

    def run(fields: Any) -> list[tuple[np.ndarray, float]]:
        # A new one each time: it keeps its map, and counts from a base that rises and rounds.
        decoder = package.decoder.CifCaf([cif], [caf])
        tools.decoder = decoder
        found = decoder([torch.from_numpy(field.copy()) for field in fields])
        return sorted(((one.data.copy(), one.score) for one in found), key=lambda one: -one[1])

    tools = SimpleNamespace(
        run=run,
        grower=torch.classes.openpifpaf_decoder.CifCaf,
        filter=torch.classes.openpifpaf_decoder_utils.NMSKeypoints,
        skeleton=coco.COCO_PERSON_SKELETON,
        library=kept,
    )
    yield tools


def made_up(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Fields of up to fifteen people of all sizes, as clean as a drawing or as bad as can be."""
    random = np.random.default_rng(seed)
    shape = tuple(random.integers(21, 60, 2))
    smallest = random.choice([40, 100, 250])
    people = crowd(random, random.integers(1, 16), shape, smallest=smallest, largest=2.5 * smallest)
    return spoil(draw(people, shape), random, random.choice([0.01, 0.1, 0.4]))


def same(ours: Any, rows: list[tuple[np.ndarray, float]], *, least: float = 0) -> int:
    """Both found the same people, to 0.001 px and 0.0001 of a score; how many they are."""
    assert len(ours.people) == len(rows)
    np.testing.assert_allclose(ours.people, [score for _, score in rows], atol=1e-4)
    for points, scores, (data, _) in zip(ours.keypoints, ours.scores, rows, strict=True):
        here = data[:, 2] > least
        np.testing.assert_array_equal(scores > least, here)
        np.testing.assert_allclose(scores, data[:, 2], atol=1e-4)
        np.testing.assert_allclose(points[here], data[here, :2], atol=1e-3)
    return len(rows)


def test_the_pairs_are_theirs(theirs: SimpleNamespace) -> None:
    assert [(a + 1, b + 1) for a, b in PAIRS] == [tuple(pair) for pair in theirs.skeleton]


def test_the_same_people_are_found(theirs: SimpleNamespace) -> None:
    people = sum(
        same(decode(*fields), theirs.run(fields)) for fields in map(made_up, range(100, 160))
    )
    assert people > 100


def test_ideal_fields_are_read_alike(theirs: SimpleNamespace) -> None:
    bodies = [person(70 + 62.3 * i, 30 + 13.7 * (i % 3), 240 + 20 * (i % 4)) for i in range(10)]
    fields = draw(
        bodies, (46, 90), sure=[np.linspace(0.6, 0.99, 17) - 0.005 * i for i in range(10)]
    )
    assert same(decode(*fields), theirs.run(fields)) == 10


def test_the_map_is_theirs(theirs: SimpleNamespace) -> None:
    for seed in range(3):
        fields = made_up(seed)
        theirs.run(fields)
        raised, base = theirs.decoder.cpp_decoder.get_cifhr()
        wanted = np.maximum(raised.numpy() - base, 0)
        height, width = ((side - 1) * STRIDE + 1 for side in fields[0].shape[2:])
        fine = np.minimum(build_map(fields[0], STRIDE), 1)
        np.testing.assert_allclose(fine, wanted[:, :height, :width], atol=1e-4)


def test_everyone_is_completed_alike(theirs: SimpleNamespace) -> None:
    # What --force-complete-pose sets.
    theirs.grower.set_force_complete(True)
    theirs.grower.set_keypoint_threshold(0.0)
    theirs.grower.set_keypoint_threshold_rel(0.0)
    theirs.filter.set_keypoint_threshold(0.0)
    theirs.filter.set_instance_threshold(0.0)
    try:
        people = 0
        for seed in range(200, 220):
            fields = made_up(seed)
            # They also return people of nothing but covered keypoints, with a score of about 0.
            rows = [row for row in theirs.run(fields) if row[0][:, 2].max() > FILLED]
            people += same(decode(*fields, limits=Limits(0.2, 0, 0, True)), rows, least=FILLED)
        assert people > 30
    finally:
        theirs.grower.set_force_complete(False)
        theirs.grower.set_keypoint_threshold(0.15)
        theirs.grower.set_keypoint_threshold_rel(0.5)
        theirs.filter.set_keypoint_threshold(0.15)
        theirs.filter.set_instance_threshold(0.15)
