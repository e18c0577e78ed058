"""OpenVINO, the default engine: it reads every format, and is the fastest on CPUs."""

from __future__ import annotations

import queue
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from poise.errors import ModelError, UsageError, WeightsError, suggest
from poise.poses import FloatArray
from poise.runtime.mending import mend
from poise.runtime.plan import Arrays, Pixels, Plan, last_line, misfit


class OpenVINONetwork:
    """A network that OpenVINO has compiled; see `plan.Network`.

    Args:
        network: An ``openvino.Model``.
        plan: What is asked of it; of its pixels only whether they are planar.
    """

    def __init__(self, network: Any, plan: Plan) -> None:
        self._compiled = _compile(network, plan)
        self._planar = plan.pixels is not None and plan.pixels.planar
        self.precision = _real_precision(self._compiled)
        self.input_shapes = [_shape(port) for port in self._compiled.inputs]
        if self._planar:
            batch, *colours, height, width = self.input_shapes[0]
            self.input_shapes[0] = [batch, height, width, *colours]
        self._idle: queue.LifoQueue[Any] = queue.LifoQueue()
        for _ in range(plan.lanes):
            self._idle.put(self._compiled.create_infer_request())

    def run(self, parts: Sequence[Arrays]) -> list[list[FloatArray]]:
        """Run the network once for each part, in all idle streams; the results in order."""
        if self._planar:
            parts = [[array.transpose(0, 3, 1, 2) for array in part] for part in parts]
        requests = self._borrow(len(parts))
        try:
            return _run_each(requests, parts)
        except RuntimeError as error:
            raise misfit(self.input_shapes, parts[0], error) from error
        finally:
            for request in requests:
                self._idle.put(request)

    def _borrow(self, wanted: int) -> list[Any]:
        requests = [self._idle.get()]
        with suppress(queue.Empty):
            while len(requests) < wanted:
                requests.append(self._idle.get_nowait())
        return requests


def open_network(files: Sequence[str | Path], plan: Plan) -> OpenVINONetwork:
    """Load a file of any format that OpenVINO reads. `Session` says what is raised."""
    with _translated(files[0], "not a model that OpenVINO can read"):
        network = mend(_core().read_model(*(str(file) for file in files)), engine())
    with _translated(files[0], "not the network that is wanted here"):
        if plan.outputs is not None:
            network = _cut(network, plan.outputs, files[0])
        if plan.then is not None:
            ends = [port.get_node().input_value(0) for port in network.outputs]
            network = engine().Model(plan.then(ends), network.get_parameters())
        if plan.pixels is not None:
            network = _take_pixels(network, plan.pixels, plan)
    return OpenVINONetwork(network, plan)


def devices() -> list[str]:
    """Return the names of the devices that the engine can use here."""
    return list(map(str, _core().available_devices))


def best_precision(device: str = "CPU") -> str:
    """Return what ``auto`` means on a device: ``f32``, ``bf16`` or ``f16``."""
    return str(_core().get_property(device, "INFERENCE_PRECISION_HINT").get_type_name())


@cache
def engine() -> Any:
    """Return the module ``openvino``, imported so that it writes and sends nothing."""
    with _untracked():
        import openvino

    return openvino


@contextmanager
def _untracked() -> Iterator[None]:
    """Hide OpenVINO's telemetry package, which writes an id into the user's home, at its import.

    Where it is absent, OpenVINO uses a stub of its own that does nothing. A None in
    ``sys.modules`` makes it absent for this import only.
    """
    name = "openvino_telemetry"
    if "openvino" in sys.modules or name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[name]


@cache
def _core() -> Any:
    return engine().Core()


@contextmanager
def _translated(file: object, what: str) -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise WeightsError(f"{what}: {last_line(error)}", where=file) from error


def _cut(network: Any, outputs: Sequence[str | int], file: object) -> Any:
    names = [sorted(port.get_names()) for port in network.outputs]
    chosen = []
    for wanted in outputs:
        numbers = [i for i, known in enumerate(names) if wanted in known or wanted == i]
        if not numbers:
            known = ", ".join(name for group in names for name in group[:1])
            raise ModelError(f"no output {wanted!r}", where=file, remedy=f"it has {known}")
        chosen.append(network.outputs[numbers[0]])
    return engine().Model(chosen, network.get_parameters(), network.get_friendly_name())


def _take_pixels(network: Any, pixels: Pixels, plan: Plan) -> Any:
    ov, before = engine(), _shape(network.inputs[0])
    shape = pixels.resize(before)
    if plan.each_alone(shape[0]):
        shape[0] = 1
    if shape != before:
        try:
            network.reshape({0: shape})
        except RuntimeError as error:
            what = f"the network takes {tuple(before)}, not {tuple(shape)} of its card"
            raise ModelError(what) from error
    builder = ov.preprocess.PrePostProcessor(network)
    door = builder.input(0)
    door.tensor().set_element_type(ov.Type.u8).set_color_format(ov.preprocess.ColorFormat.RGB)
    door.tensor().set_layout(ov.Layout("NCHW" if pixels.planar else "NHWC"))
    door.model().set_layout(ov.Layout(pixels.layout))
    steps = door.preprocess().convert_element_type(ov.Type.f32)
    if pixels.order == "BGR":
        steps.convert_color(ov.preprocess.ColorFormat.BGR)
    steps.mean(list(pixels.mean)).scale(list(pixels.std))
    for number in range(1, len(network.inputs)):
        builder.input(number).tensor().set_element_type(ov.Type.i64)
    return builder.build()


def _compile(network: Any, plan: Plan) -> Any:
    options: dict[str, Any] = {"NUM_STREAMS": str(plan.lanes)}
    device = plan.device
    if plan.precision != "auto":
        options["INFERENCE_PRECISION_HINT"] = plan.precision
    if plan.threads is not None and device.startswith("CPU"):
        options["INFERENCE_NUM_THREADS"] = str(plan.threads)
    try:
        return _core().compile_model(network, device, options)
    except RuntimeError as error:
        here = devices()
        if device.partition(":")[0].partition(".")[0] not in {d.partition(".")[0] for d in here}:
            raise UsageError(f"no device '{device}'", remedy=suggest(device, here)) from error
        raise ModelError(f"{device} cannot run this network: {last_line(error)}") from error


def _real_precision(compiled: Any) -> str:
    with suppress(RuntimeError):
        return str(compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name())
    return "f32"


def _shape(port: Any) -> list[int]:
    return [side.get_length() if side.is_static else -1 for side in port.get_partial_shape()]


def _run_each(requests: list[Any], parts: Sequence[Arrays]) -> list[list[FloatArray]]:
    flying: deque[tuple[Any, list[Any]]] = deque()
    results: list[list[FloatArray]] = []
    try:
        for number, part in enumerate(parts):
            if len(flying) == len(requests):
                results.append(_wait(*flying.popleft()))
            request = requests[number % len(requests)]
            flying.append((request, _start(request, part)))
        while flying:
            results.append(_wait(*flying.popleft()))
    finally:
        # After a failure: nobody may borrow a request that still works.
        for request, _ in flying:
            with suppress(RuntimeError):
                request.wait()
    return results


def _start(request: Any, arrays: Arrays) -> list[Any]:
    """Start a request; return the (writable) memory that must be kept until it is done."""
    ready = [np.require(array, requirements=("C", "W")) for array in arrays]
    for number, array in enumerate(ready):
        request.set_input_tensor(number, engine().Tensor(array, shared_memory=True))
    request.start_async()
    return ready


def _wait(request: Any, _ready: list[Any]) -> list[FloatArray]:
    request.wait()
    return [tensor.data.copy() for tensor in request.output_tensors]
