"""What tests share: the reference data, a clean home, and no network."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real videos, photographs and weights; skips where it is absent."""
    named = os.environ.get("POISE_TEST_DATA")
    folder = Path(named) if named else Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no reference data at {folder}; name it with POISE_TEST_DATA")
    return folder.resolve()
