"""The engines: one loaded network, ready to be run by several threads at once.

`Session` is the door. `on_openvino` is the only module that knows OpenVINO, `on_onnxruntime` the
only one that knows ONNX Runtime; what an engine raises is translated there and nowhere else.
"""

from __future__ import annotations

from poise.runtime.on_openvino import best_precision, engine
from poise.runtime.plan import ENGINES, PRECISIONS, Compute, Pixels
from poise.runtime.session import Session, devices, engine_version

__all__ = [
    "ENGINES",
    "PRECISIONS",
    "Compute",
    "Pixels",
    "Session",
    "best_precision",
    "devices",
    "engine",
    "engine_version",
]
