"""Keypoint R-CNN: boxes of people first, then the keypoints in each (He et al. 2017, Mask R-CNN).

The network of torchvision's ``keypointrcnn_resnet50_fpn`` and of Detectron2's COCO keypoint
baselines. A checkpoint runs in torch, as a module of Poise's own (``network``). The same network
exported to ONNX (`export`) runs in OpenVINO, without torch, and gives the same people.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, Unpack

import numpy as np

from poise.errors import MissingExtraError, ModelError, UsageError, WeightsError, suggest
from poise.models.base import PoseModel
from poise.models.card import Card
from poise.models.rcnn.decoding import decode
from poise.models.rcnn.design import Design, read_design
from poise.models.rcnn.picture import Prepared, prepare
from poise.models.steps import card_number
from poise.poses import FloatArray, Frame, Poses
from poise.runtime import PRECISIONS, Compute, Session
from poise.skeleton import get_skeleton

# Detectron2's demo shows people of at least so much.
SCORE = 0.5
_ENGINE_FILES = (".onnx", ".xml")
_PICKLES = (".pkl", ".pickle")


class Engine(Protocol):
    """Runs the network: pixels, size and least score in; boxes, scores and maps out."""

    precision: str

    def run(self, *arrays: FloatArray) -> list[FloatArray]:
        """Return (N, 4) boxes, (N,) scores and (N, K, S, S) maps of one picture."""


class KeypointRCNN(PoseModel):
    """Reads everyone from whole pictures, one picture after another.

    Settings of the card, all optional: ``style`` is ``torchvision`` or ``detectron2``; ``score`` is
    what people need more of; ``epsilon``, ``blocks``, ``widths`` and ``convolutions`` say what the
    network is built like.

    Args:
        engine: The network.
        card: Its name, the sides that pictures are brought to, their channels, mean and spread,
            and the settings.
    """

    def __init__(self, engine: Engine, card: Card) -> None:
        self._engine, self._card = engine, card
        self.name, self.skeleton = card.name, get_skeleton(card.skeleton)
        self.precision = engine.precision
        self._smooth = read_design(card).style == "detectron2"
        self._least = np.array([card_number(card, "score", SCORE)], np.float32)

    def estimate(self, frames: Sequence[Frame]) -> list[Poses]:
        """Return everyone in each of several unrelated pictures, in order."""
        return [self._read(frame) for frame in frames]

    def _read(self, frame: Frame) -> Poses:
        prepared = prepare(frame.image, self._card, smooth=self._smooth)
        boxes, scores, maps = self._run(prepared)
        found = decode(maps, boxes)
        return Poses(
            self.skeleton,
            found.keypoints * prepared.factors,
            found.scores,
            boxes * np.tile(prepared.factors, 2),
            person_scores=scores,
            index=frame.index,
            time=frame.time,
            size=frame.size,
        )

    def _run(self, prepared: Prepared) -> list[FloatArray]:
        outputs = self._engine.run(prepared.pixels, prepared.size, self._least)
        shapes = [output.shape for output in outputs]
        people, kinds = (shapes[0][0] if shapes and shapes[0] else 0), len(self.skeleton)
        wanted = [(people, 4), (people,), (people, kinds)]
        if [*shapes[:2], *(shape[:2] for shape in shapes[2:])] != wanted or len(shapes[2]) != 4:
            raise ModelError(
                f"wanted boxes (N, 4), scores (N,) and maps (N, {kinds}, S, S), got {shapes}",
                where=f"card {self._card.name}",
                remedy="use a checkpoint, or a network that Poise exported from one",
            )
        return outputs


class TorchEngine:
    """Runs a checkpoint in torch, in single precision.

    Attributes:
        precision: Always ``f32``.
    """

    precision = "f32"

    def __init__(self, path: Path, design: Design) -> None:
        self._network, self._torch = _load_network(path, design), _torch()

    def run(self, *arrays: FloatArray) -> list[FloatArray]:
        """Return (N, 4) boxes, (N,) scores and (N, K, S, S) maps of one picture."""
        with self._torch.inference_mode():
            outputs = self._network(*map(self._torch.from_numpy, arrays))
        return [output.numpy() for output in outputs]


def load(card: Card, paths: Sequence[Path], **compute: Unpack[Compute]) -> KeypointRCNN:
    """Return the model that a card describes, ready to run.

    Args:
        card: What it is.
        paths: A checkpoint (``.pth``), which needs torch; or an exported network (``.onnx``, or
            OpenVINO's ``.xml``), which does not.
        compute: As `Session`; a checkpoint runs in torch, in single precision on the CPU,
            whatever precision is asked for.

    Raises:
        MissingExtraError: It is a checkpoint, and torch is not installed.
        ModelError: The card cannot be, or the weights are another model's.
        WeightsError: The file cannot be read, or is a pickle.
    """
    precision = compute.get("precision", "auto")
    if precision not in PRECISIONS:
        raise UsageError(f"no precision '{precision}'", remedy=suggest(precision, PRECISIONS))
    design = read_design(card)
    if paths[0].suffix.lower() in _ENGINE_FILES:
        return KeypointRCNN(_session(card, paths, compute), card)
    if compute.get("engine", "openvino") != "openvino":
        raise ModelError(
            "a checkpoint runs in torch, not in another engine",
            where=paths[0],
            remedy=f"run 'poise models export {card.name}' and give its file with --weights",
        )
    others = [name for name in ("device", "threads") if compute.get(name) not in (None, "CPU")]
    if others:
        raise ModelError(
            f"a checkpoint runs in torch on all cores of the CPU and takes no {', '.join(others)}",
            where=paths[0],
            remedy=f"run 'poise models export {card.name}' and give its file with --weights",
        )
    return KeypointRCNN(TorchEngine(paths[0], design), card)


def export(card: Card, checkpoint: Path, target: Path) -> None:
    """Write a checkpoint as one ONNX file, for pictures of any size and any number of people.

    Args:
        card: What it is.
        checkpoint: The ``.pth`` file.
        target: The ``.onnx`` file to write.

    Raises:
        MissingExtraError: torch, onnx or onnxscript is not installed.
        ModelError: As `load`.
    """
    network = _load_network(checkpoint, read_design(card))
    try:
        from poise.models.rcnn.exporting import write_onnx
    except ImportError as error:
        raise MissingExtraError("ONNX export needs onnx and onnxscript", "export") from error
    write_onnx(network, target)


def _load_network(path: Path, design: Design) -> Any:
    if path.suffix.lower() in _PICKLES:
        raise WeightsError(
            "a pickle may run any code when it is read, so it is not opened",
            where=path,
            remedy="load it once with Detectron2 where you trust it, write "
            "torch.save(model.state_dict(), 'model.pth') and give that file",
        )
    if not path.is_file():
        raise WeightsError("there is no such file of weights", where=path)
    _torch()
    from poise.models.rcnn.checkpoint import load_network

    return load_network(path, design)


def _torch() -> Any:
    try:
        import torch
    except ImportError as error:
        raise MissingExtraError("checkpoints of Keypoint R-CNN need torch", "torch") from error
    return torch


def _session(card: Card, paths: Sequence[Path], compute: Compute) -> Session:
    session = Session(paths, **compute)
    ranks = [len(shape) for shape in session.input_shapes]
    if ranks != [4, 1, 1]:
        raise ModelError(
            "wanted a network that takes pixels (1, 3, H, W), size (2,) and least score (1,), got "
            f"{session.input_shapes}",
            where=f"card {card.name}",
            remedy="export it from a checkpoint with Poise",
        )
    return session
