"""One network on one device, whichever engine runs it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Unpack

import numpy as np
import numpy.typing as npt

from poise.errors import ModelError, UsageError, suggest
from poise.poses import FloatArray
from poise.runtime import on_onnxruntime, on_openvino
from poise.runtime.network_files import check_network_files
from poise.runtime.plan import ENGINES, PRECISIONS, Compute, Network, Pixels, Plan, Watch

_ROOMS = {"openvino": on_openvino, "onnxruntime": on_onnxruntime}


class Session:
    """One network on one device. ``run`` may be called from several threads at once.

    Args:
        paths: The model file: ONNX, which both engines run; or TFLite, a TensorFlow frozen graph
            or OpenVINO IR (the .xml, or the .xml and its .bin), which only OpenVINO runs.
        outputs: Names or numbers of the outputs that are wanted, in this order; else all of them.
        streams: How many inputs are worked on at once, each with its share of the cores. On a CPU
            the pictures of a network whose batch may vary are then run one by one.
        pixels: Let the engine convert uint8 RGB pictures to what the network wants.
        then: Makes other outputs of the outputs: nodes of ``openvino`` from such nodes.
        compute: Engine, precision, device and threads (`Compute`).

    Attributes:
        precision: The number format that the device really computes in: ``f32``, ``bf16``...
        input_shapes: Shape of each input, -1 where it may vary.

    Raises:
        WeightsError: The file is not a model that the engine can read.
        UsageError: No such engine, precision or device.
        ModelError: The network has no such output, or the engine cannot do what is asked of it.
        MissingExtraError: The engine is not installed.
    """

    def __init__(
        self,
        paths: str | Path | Sequence[str | Path],
        *,
        outputs: Sequence[str | int] | None = None,
        streams: int = 1,
        pixels: Pixels | None = None,
        then: Callable[[list[Any]], list[Any]] | None = None,
        **compute: Unpack[Compute],
    ) -> None:
        room = _ROOMS[_choice("engine", compute.get("engine", "openvino"), ENGINES)]
        precision = _choice("precision", compute.get("precision", "auto"), PRECISIONS)
        threads = compute.get("threads")
        if threads is not None and threads < 1:
            raise UsageError(f"wanted at least 1, got {threads}", where="threads")
        files = [paths] if isinstance(paths, str | Path) else list(paths)
        check_network_files(files)
        plan = Plan(
            outputs=outputs,
            precision=precision,
            device=compute.get("device") or "CPU",
            streams=streams,
            threads=threads,
            pixels=pixels,
            then=then,
        )
        self._take(room.open_network(files, plan), compute.get("watch"))

    @classmethod
    def of(cls, network: Any, *, streams: int = 1, **compute: Unpack[Compute]) -> Session:
        """Return a session of an ``openvino.Model`` that was built in memory.

        Raises:
            ModelError: Another engine is asked for.
        """
        if compute.get("engine", "openvino") != "openvino":
            what = "this network is built for OpenVINO, and no other engine runs it"
            raise ModelError(what, remedy="take the engine openvino")
        session = cls.__new__(cls)
        plan = Plan(
            precision=compute.get("precision", "auto"),
            device=compute.get("device") or "CPU",
            streams=streams,
            threads=compute.get("threads"),
        )
        session._take(on_openvino.OpenVINONetwork(network, plan), compute.get("watch"))
        return session

    def _take(self, network: Network, watch: Watch | None = None) -> None:
        self._network, self._watch = network, watch
        self.precision, self.input_shapes = network.precision, network.input_shapes

    def run(self, *arrays: npt.NDArray[Any]) -> list[FloatArray]:
        """Run the network on a batch of N inputs and wait; beside pictures, inputs are int64.

        A network whose batch size is fixed at 1 runs once for each of the N, in all idle streams.

        Args:
            arrays: One (N, ...) array for each input of the network.

        Returns:
            One array for each output. Its first axis is N where the network has a batch axis.

        Raises:
            ModelError: The arrays do not fit the network.
        """
        count = len(arrays[0])
        alone = count <= 1 or self.input_shapes[0][0] < 0
        parts = [arrays] if alone else [[a[i : i + 1] for a in arrays] for i in range(count)]
        began = time.perf_counter()
        results = self._network.run(parts)
        if self._watch is not None:
            self._watch(began, time.perf_counter())
        return results[0] if alone else [np.concatenate(p) for p in zip(*results, strict=True)]


def devices(engine: str = "openvino") -> list[str]:
    """Return the names of the devices that an engine can use here.

    Raises:
        MissingExtraError: The engine is not installed.
    """
    here: list[str] = _ROOMS[_choice("engine", engine, ENGINES)].devices()
    return here


def engine_version(engine: str = "openvino") -> str:
    """Return an engine's version.

    Raises:
        MissingExtraError: The engine is not installed.
    """
    return str(_ROOMS[_choice("engine", engine, ENGINES)].engine().__version__)


def _choice(what: str, name: str, choices: tuple[str, ...]) -> str:
    if name not in choices:
        raise UsageError(f"no {what} '{name}'", remedy=suggest(str(name), choices))
    return name
