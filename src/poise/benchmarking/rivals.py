"""Other packages on the same pictures, where the user has installed them.

They are imported in the child process only, and only the one that was asked for: ``ultralytics`` is
under the AGPL. Nothing is downloaded: rtmlib runs the weights of the measured model itself, the
Python solution of mediapipe brings its own, and ultralytics needs a file that is named.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from poise.benchmarking.matrix import Configuration
from poise.errors import ModelError, PoiseError, UsageError, suggest
from poise.models import Card, find_model, read_card
from poise.poses import Image
from poise.weights import locate

# Takes pictures in the package's own channel order, and says how many people it found.
Reader = Callable[[Sequence[Image]], int]

INSTALL = {
    "rtmlib": "pip install rtmlib onnxruntime",
    "mediapipe": "pip install mediapipe==0.10.21",
    "ultralytics": "pip install ultralytics",
}


@dataclass(frozen=True)
class Rival:
    """A package to measure against.

    Attributes:
        name: Of the package.
        weights: The file of weights that was named, or empty.
    """

    name: str
    weights: str = ""

    def prepare(self, image: Image) -> Image:
        """Return an (H, W, 3) RGB picture as the package's users have it in memory."""
        return image if self.name == "mediapipe" else np.ascontiguousarray(image[..., ::-1])


def find_rival(wanted: str) -> Rival:
    """Return the package that ``NAME`` or ``NAME=FILE`` means.

    Raises:
        UsageError: There is no such rival, or its weights are not named.
        PoiseError: It is not installed; says the line that installs it.
    """
    name, _, weights = wanted.partition("=")
    if name not in INSTALL:
        raise UsageError(f"no '{name}'", where="--against", remedy=suggest(name, INSTALL))
    if importlib.util.find_spec(name) is None:
        raise PoiseError(f"{name} is not installed", where="--against", remedy=INSTALL[name])
    if name == "ultralytics" and not Path(weights).is_file():
        raise UsageError(
            f"wanted a file of weights, got '{weights}'",
            where="--against",
            remedy="write --against ultralytics=yolo11n-pose.pt",
        )
    return Rival(name, weights)


def load_rival(rival: Rival, configuration: Configuration) -> Reader:
    """Return what reads pictures and says how many people it found.

    Raises:
        PoiseError: It cannot do what the configuration does.
    """
    if configuration.threads is not None:
        raise UsageError(f"{rival.name} takes every core, and its threads cannot be counted here")
    load = {"rtmlib": _rtmlib, "mediapipe": _mediapipe, "ultralytics": _ultralytics}[rival.name]
    return load(configuration, rival.weights)


def _rtmlib(configuration: Configuration, weights: str) -> Reader:
    """Run the same two files of weights through rtmlib's own detector and RTMPose."""
    if configuration.follow:
        raise UsageError("rtmlib looks for people in every frame", remedy="leave out --follow")
    own = None if configuration.card is None else read_card(Path(configuration.card))
    recipe = find_model(configuration.model, card=own)
    detector, reader = recipe.detector, recipe.reader
    if detector is None or detector.family != "yolox" or reader.family != "simcc":
        raise ModelError(
            "rtmlib runs a YOLOX detector with a SimCC model, from ONNX files",
            where=configuration.model,
            remedy="measure such a model, for example yolox-nano+rtmpose-m",
        )
    tools: Any = importlib.import_module("rtmlib")
    options = {"backend": configuration.engine, "device": "cpu"}
    find = tools.YOLOX(_file(detector), model_input_size=detector.size[::-1], **options)
    read = tools.RTMPose(
        _file(reader), model_input_size=reader.size, mean=reader.mean, std=reader.std, **options
    )

    def look(images: Sequence[Image]) -> int:
        people = 0
        for image in images:
            boxes = find(image)
            # With no box it would take the whole picture for a person.
            people += len(read(image, bboxes=boxes)[0]) if len(boxes) else 0
        return people

    return look


def _file(card: Card) -> str:
    path = locate(card.files[0])
    if path is None or path.suffix != ".onnx":
        raise ModelError("rtmlib runs ONNX files", where=card.name)
    return str(path)


def _mediapipe(configuration: Configuration, weights: str) -> Reader:
    """Run mediapipe's Python solution, which has the weights of ``blazepose``."""
    package: Any = importlib.import_module("mediapipe")
    if not hasattr(package, "solutions"):
        what = f"mediapipe {package.__version__} has no Python solutions any more"
        raise ModelError(what, remedy=INSTALL["mediapipe"])
    pose = package.solutions.pose.Pose(
        static_image_mode=not configuration.follow, model_complexity=1, smooth_landmarks=False
    )

    def look(images: Sequence[Image]) -> int:
        return sum(pose.process(image).pose_landmarks is not None for image in images)

    return look


def _ultralytics(configuration: Configuration, weights: str) -> Reader:
    package: Any = importlib.import_module("ultralytics")
    model = package.YOLO(weights)

    def look(images: Sequence[Image]) -> int:
        found = model.predict(list(images), verbose=False, device="cpu")
        return sum(len(people.boxes) for people in found)

    return look
