"""Accuracy that may not be lost, on people of real photographs (COCO train2017, 72 people)."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import pytest

from poise.models import load_model

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "coco_mini.py"

# Least part found (OKS above 0.5), least mean OKS, most false people a picture.
# Measured in f32: 0.708, 0.663, 0.22; 0.361, 0.314, 0.19; 0.458, 0.416, 0.14.
FLOORS = {
    "rtmdet-nano+tinypose-256": (0.69, 0.65, 0.3),
    "blazepose": (0.33, 0.29, 0.3),
    "posenet-mobilenet": (0.43, 0.39, 0.2),
}


@pytest.fixture(scope="module")
def benchmark():
    spec = importlib.util.spec_from_file_location("coco_mini", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["coco_mini"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.data
@pytest.mark.weights
@pytest.mark.parametrize("name", FLOORS)
def test_people_of_photographs_are_found(data_dir, benchmark, monkeypatch, name):
    folders = [str(data_dir / "weights"), os.environ.get("POISE_MODELS", "")]
    monkeypatch.setenv("POISE_MODELS", os.pathsep.join(filter(None, folders)))
    photographs = benchmark.read_photographs(data_dir / "labelled" / "coco_mini")
    assert sum(len(one.areas) for one in photographs) == 72
    result = benchmark.measure(load_model(name, precision="f32"), photographs)
    found, likeness, false = FLOORS[name]
    assert result.found >= found
    assert result.oks.mean() >= likeness
    assert result.false <= false
