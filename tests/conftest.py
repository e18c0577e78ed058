"""What tests share: the reference data, a clean home, and no network."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# Some tests and referees import onnxruntime themselves; its reports to its maker stay off.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real videos, photographs and weights; skips where it is absent."""
    named = os.environ.get("POISE_TEST_DATA")
    folder = Path(named) if named else Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no reference data at {folder}; name it with POISE_TEST_DATA")
    return folder.resolve()


@pytest.fixture(scope="session")
def default_weights() -> tuple[Path, ...]:
    """BlazePose's detector and landmark network, fetched once into the usual cache.

    The only fetch that the tests make; where it is impossible, the test is skipped.
    """
    from poise.errors import WeightsError
    from poise.models import find_model
    from poise.weights import fetch_all

    try:
        return fetch_all(find_model("blazepose").files)
    except WeightsError as error:
        pytest.skip(f"no default weights: {error}")
