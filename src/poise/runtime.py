"""The engine: one loaded network, ready to be run by several threads at once.

The only room that knows OpenVINO. What OpenVINO raises is translated here and nowhere else.
"""

from __future__ import annotations

import queue
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from poise.errors import ModelError, UsageError, WeightsError, suggest
from poise.mending import mend
from poise.poses import FloatArray

PRECISIONS = ("auto", "f32", "bf16", "f16")


@dataclass(frozen=True)
class Pixels:
    """How a network wants its pictures; the engine then does it as part of the network.

    The session takes (N, height, width, 3) uint8 RGB; its network sees ``(pixel - mean) / std``.

    Attributes:
        mean, std: In grey levels 0..255, in the network's channel order.
        order: ``RGB`` or ``BGR``, the network's channel order.
        layout: ``NHWC`` or ``NCHW``, the order of its input axes.
        size: Width and height that the network is set to, or None to leave them as they are.
        planar: Take pictures that are views of three planes without a copy, and copy others.
    """

    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    order: str = "RGB"
    layout: str = "NCHW"
    size: tuple[int, int] | None = None
    planar: bool = False


class Session:
    """One network on one device. ``run`` may be called from several threads at once.

    Args:
        paths: A model file: TFLite, ONNX, a frozen graph, or OpenVINO IR (.xml, or .xml and .bin).
        outputs: Names or numbers of the outputs that are wanted, in this order; else all of them.
        precision: ``f32`` gives reproducible numbers; ``bf16`` and ``f16`` are faster where the
            device has them; ``auto`` is the device's own best.
        device: OpenVINO's name of the device.
        streams: How many inputs are worked on at once, each with its share of the cores.
        pixels: Let the engine convert uint8 RGB pictures to what the network wants.
        then: Makes other outputs of the outputs: nodes of ``openvino`` from such nodes.

    Attributes:
        precision: The number format that the device really computes in: ``f32``, ``bf16``...
        input_shapes: Shape of each input, -1 where it may vary.

    Raises:
        WeightsError: The file is not a model that the engine can read.
        UsageError: No such precision, device or output.
    """

    _axes: tuple[int, ...] | None = None

    def __init__(
        self,
        paths: str | Path | Sequence[str | Path],
        *,
        outputs: Sequence[str | int] | None = None,
        precision: str = "auto",
        device: str = "CPU",
        streams: int = 1,
        pixels: Pixels | None = None,
        then: Callable[[list[Any]], list[Any]] | None = None,
    ) -> None:
        if precision not in PRECISIONS:
            remedy = suggest(str(precision), PRECISIONS)
            raise UsageError(f"no precision '{precision}'", remedy=remedy)
        files = [paths] if isinstance(paths, str | Path) else list(paths)
        network = _read(files)
        if outputs is not None:
            network = _cut(network, outputs, files[0])
        if then is not None:
            ends = [port.get_node().input_value(0) for port in network.outputs]
            network = engine().Model(then(ends), network.get_parameters())
        if pixels is not None:
            network = _take_pixels(network, pixels)
        self._load(network, device, precision, streams)
        if pixels is not None and pixels.planar:
            self._axes = (0, 3, 1, 2)
            batch, *colours, height, width = self.input_shapes[0]
            self.input_shapes[0] = [batch, height, width, *colours]

    @classmethod
    def of(cls, network: Any, *, precision: str = "auto", streams: int = 1) -> Session:
        """Return a session of an ``openvino.Model`` that was built in memory."""
        session = cls.__new__(cls)
        session._load(network, "CPU", precision, streams)
        return session

    def _load(self, network: Any, device: str, precision: str, streams: int) -> None:
        self._compiled = _compile(network, device, precision, streams)
        self.precision = _real_precision(self._compiled)
        self.input_shapes = [_shape(port) for port in self._compiled.inputs]
        self._idle: queue.LifoQueue[Any] = queue.LifoQueue()
        for _ in range(max(streams, 1)):
            self._idle.put(self._compiled.create_infer_request())

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
        if self._axes is not None:
            arrays = tuple(array.transpose(self._axes) for array in arrays)
        alone = len(arrays[0]) <= 1 or self.input_shapes[0][0] < 0
        requests = self._borrow(1 if alone else len(arrays[0]))
        try:
            if alone:
                return _wait(requests[0], _start(requests[0], arrays))
            parts = _run_each(requests, arrays)
        except RuntimeError as error:
            raise self._misfit(arrays, error) from error
        finally:
            for request in requests:
                self._idle.put(request)
        return [np.concatenate(part) for part in zip(*parts, strict=True)]

    def _borrow(self, wanted: int) -> list[Any]:
        requests = [self._idle.get()]
        with suppress(queue.Empty):
            while len(requests) < wanted:
                requests.append(self._idle.get_nowait())
        return requests

    def _misfit(self, arrays: Sequence[npt.NDArray[Any]], error: RuntimeError) -> ModelError:
        came = ", ".join(f"{array.dtype} {array.shape}" for array in arrays)
        wanted = ", ".join(str(tuple(shape)) for shape in self.input_shapes)
        return ModelError(f"the network takes {wanted}, got {came}: {_first_line(error)}")


def devices() -> list[str]:
    """Return the names of the devices that the engine can use here."""
    return list(map(str, _core().available_devices))


def engine_version() -> str:
    """Return the engine's version."""
    return str(engine().__version__)


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
    """Make OpenVINO's telemetry package absent at its import: it writes an id into the home."""
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


def _read(files: list[str | Path]) -> Any:
    for file in files:
        if not Path(file).is_file():
            raise WeightsError("no such file", where=file)
    try:
        return mend(_core().read_model(*(str(file) for file in files)), engine())
    except RuntimeError as error:
        what = f"not a model that OpenVINO can read: {_first_line(error)}"
        raise WeightsError(what, where=files[0]) from error


def _cut(network: Any, outputs: Sequence[str | int], file: object) -> Any:
    names = [sorted(port.get_names()) for port in network.outputs]
    chosen = []
    for wanted in outputs:
        numbers = [i for i, known in enumerate(names) if wanted in known or wanted == i]
        if not numbers:
            known = ", ".join(name for group in names for name in group[:1])
            raise UsageError(f"no output {wanted!r}", where=file, remedy=f"it has {known}")
        chosen.append(network.outputs[numbers[0]])
    return engine().Model(chosen, network.get_parameters(), network.get_friendly_name())


def _take_pixels(network: Any, pixels: Pixels) -> Any:
    ov, shape = engine(), _shape(network.inputs[0])
    if len(shape) != 4 or shape[pixels.layout.index("C")] not in (3, -1):
        raise ModelError(f"the network takes {tuple(shape)}, not {pixels.layout} colour pictures")
    if pixels.size is not None:
        own = tuple(shape)
        shape[pixels.layout.index("W")], shape[pixels.layout.index("H")] = pixels.size
        try:
            network.reshape({0: shape})
        except RuntimeError as error:
            raise ModelError(f"the network takes {own}, not {tuple(shape)} of its card") from error
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


def _compile(network: Any, device: str, precision: str, streams: int) -> Any:
    options: dict[str, Any] = {"NUM_STREAMS": str(max(streams, 1))}
    if precision != "auto":
        options["INFERENCE_PRECISION_HINT"] = precision
    try:
        return _core().compile_model(network, device, options)
    except RuntimeError as error:
        here = devices()
        if device.partition(":")[0].partition(".")[0] not in {d.partition(".")[0] for d in here}:
            raise UsageError(f"no device '{device}'", remedy=suggest(device, here)) from error
        raise ModelError(f"{device} cannot run this network: {_first_line(error)}") from error


def _real_precision(compiled: Any) -> str:
    with suppress(RuntimeError):
        return str(compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name())
    return "f32"


def _shape(port: Any) -> list[int]:
    return [side.get_length() if side.is_static else -1 for side in port.get_partial_shape()]


def _run_each(requests: list[Any], arrays: Sequence[npt.NDArray[Any]]) -> list[list[FloatArray]]:
    flying: deque[tuple[Any, list[Any]]] = deque()
    parts: list[list[FloatArray]] = []
    for number in range(len(arrays[0])):
        if len(flying) == len(requests):
            parts.append(_wait(*flying.popleft()))
        request = requests[number % len(requests)]
        flying.append((request, _start(request, [a[number : number + 1] for a in arrays])))
    return parts + [_wait(*pair) for pair in flying]


def _start(request: Any, arrays: Sequence[npt.NDArray[Any]]) -> list[Any]:
    """Start a request; return the (writable) memory that must be kept until it is done."""
    ready = [np.require(array, requirements=("C", "W")) for array in arrays]
    for number, array in enumerate(ready):
        request.set_input_tensor(number, engine().Tensor(array, shared_memory=True))
    request.start_async()
    return ready


def _wait(request: Any, _ready: list[Any]) -> list[FloatArray]:
    request.wait()
    return [tensor.data.copy() for tensor in request.output_tensors]


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[-1].strip()
