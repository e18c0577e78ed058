"""Human pose from any picture, video, folder or camera: keypoints, tracks, comparison."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0.dev0"

# Public names and the module that each lives in; loaded on first use, so that `import poise`
# costs little more than numpy.
_HOMES = {
    "Clip": "clip",
    "Coach": "comparison",
    "Comparison": "comparison",
    "Frame": "poses",
    "Header": "clip",
    "PoiseError": "errors",
    "Poses": "poses",
    "Skeleton": "skeleton",
    "Track": "clip",
    "Tracker": "tracking",
    "classify": "classification",
    "compare": "comparison",
    "estimate": "pipeline",
    "get_skeleton": "skeleton",
    "load_model": "models",
    "open_writer": "io",
    "read_clip": "io",
    "read_frames": "io",
    "write_clip": "io",
}

if TYPE_CHECKING:
    from poise.classification import classify
    from poise.clip import Clip, Header, Track
    from poise.comparison import Coach, Comparison, compare
    from poise.errors import PoiseError
    from poise.io import open_writer, read_clip, read_frames, write_clip
    from poise.models import load_model
    from poise.pipeline import estimate
    from poise.poses import Frame, Poses
    from poise.skeleton import Skeleton, get_skeleton
    from poise.tracking import Tracker

__all__ = [
    "Clip",
    "Coach",
    "Comparison",
    "Frame",
    "Header",
    "PoiseError",
    "Poses",
    "Skeleton",
    "Track",
    "Tracker",
    "classify",
    "compare",
    "estimate",
    "get_skeleton",
    "load_model",
    "open_writer",
    "read_clip",
    "read_frames",
    "write_clip",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'poise' has no attribute '{name}'")
    return getattr(importlib.import_module(f"poise.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
