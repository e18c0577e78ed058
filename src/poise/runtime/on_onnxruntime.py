"""ONNX Runtime, the extra engine: it runs ONNX files, and has providers for more devices.

What it cannot do is refused in one line: files of other formats, number formats other than the
file's own, and steps that a family adds with OpenVINO's nodes. It computes every output of a file,
also those that nobody asked for.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from poise.errors import MissingExtraError, ModelError, UsageError, WeightsError, suggest
from poise.poses import FloatArray
from poise.runtime.onnx_file import resize
from poise.runtime.plan import Arrays, Pixels, Plan, last_line, misfit

# Set while the package is imported, when it would write an id into the user's home and begin to
# send reports to its maker.
_SILENT = "ORT_DISABLE_TELEMETRY"
_FOLDER_OF_DATA = "session.model_external_initializers_file_folder_path"
_FOREIGN = (".tflite", ".pb", ".xml", ".bin")
_TYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(uint8)": np.uint8,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
}


class ONNXRuntimeNetwork:
    """An ONNX file, ready to run; see `plan.Network`.

    The parts of one run are spread over ``streams`` threads. Together with the threads that the
    engine keeps for all of them they are as many as there are cores, or ``threads``.
    """

    def __init__(self, file: str | Path, plan: Plan) -> None:
        self._session = _open(file, plan)
        known = [output.name for output in self._session.get_outputs()]
        self._outputs = _find(known, plan.outputs, file)
        self._inputs = self._session.get_inputs()
        self._pixels = plan.pixels
        self.input_shapes = [_shape(port.shape) for port in self._inputs]
        self._type = _TYPES.get(self._inputs[0].type, np.float32)
        self.precision = "f16" if self._type is np.float16 else "f32"
        if plan.pixels is not None:
            self.input_shapes[0] = _picture_shape(self.input_shapes[0], plan.pixels)
            if plan.each_alone(self.input_shapes[0][0]):
                self.input_shapes[0][0] = 1
        # DirectML forbids two runs of a session at once, so that it gets one thread for all.
        alone = "DmlExecutionProvider" in self._session.get_providers()
        streams = 1 if alone else plan.lanes
        self._pool = ThreadPoolExecutor(streams, "poise-network") if alone or streams > 1 else None
        self._always = alone

    def run(self, parts: Sequence[Arrays]) -> list[list[FloatArray]]:
        """Run the network once for each part, in all idle streams; the results in order."""
        if self._pool is None or (len(parts) == 1 and not self._always):
            return [self._run(part) for part in parts]
        return list(self._pool.map(self._run, parts))

    def _run(self, arrays: Arrays) -> list[FloatArray]:
        try:
            given = list(arrays)
            if self._pixels is not None:
                given[0] = convert(given[0], self._pixels).astype(self._type, copy=False)
            names = [port.name for port in self._inputs]
            results = self._session.run(self._outputs, dict(zip(names, given, strict=True)))
        except _faults() as error:
            raise misfit(self.input_shapes, arrays, error) from error
        return [_real(result) for result in results]


def open_network(files: Sequence[str | Path], plan: Plan) -> ONNXRuntimeNetwork:
    """Load an ONNX file. `Session` says what is raised."""
    file, instead = files[0], "take the engine openvino"
    suffix = Path(file).suffix.lower()
    if suffix in _FOREIGN or len(files) > 1:
        what = f"ONNX Runtime runs ONNX files, and this is {suffix or 'several files'}"
        raise ModelError(what, where=file, remedy=instead)
    if plan.then is not None:
        what = "this model adds steps to its network that ONNX Runtime cannot run"
        raise ModelError(what, where=file, remedy=instead)
    if plan.precision not in ("auto", "f32"):
        raise UsageError(
            f"ONNX Runtime computes in the file's own numbers, not in {plan.precision}",
            where=file,
            remedy=f"take the precision f32 or auto, or {instead}",
        )
    return ONNXRuntimeNetwork(file, plan)


def convert(pictures: npt.NDArray[Any], pixels: Pixels) -> FloatArray:
    """Return pictures as a network wants them.

    Args:
        pictures: (N, height, width, 3) uint8 RGB, in any order in memory.
        pixels: What the network wants.

    Raises:
        ValueError: They are no such pictures.
    """
    if pictures.dtype != np.uint8 or pictures.ndim != 4 or pictures.shape[3] != 3:
        raise ValueError("pictures are uint8 (N, height, width, 3)")
    channels = pictures[..., ::-1] if pixels.order == "BGR" else pictures
    mean, std = (np.array(values, np.float32) for values in (pixels.mean, pixels.std))
    if pixels.layout == "NCHW":
        channels = channels.transpose(0, 3, 1, 2)
        mean, std = mean[:, None, None], std[:, None, None]
    ready: FloatArray = channels.astype(np.float32, order="C")
    ready -= mean
    ready /= std
    return ready


def devices() -> list[str]:
    """Return the names of the devices that the engine can use here."""
    return list(_providers())


@cache
def engine() -> Any:
    """Return the module ``onnxruntime``, imported so that it writes and sends nothing.

    Raises:
        MissingExtraError: It is not installed.
    """
    with _silent():
        try:
            import onnxruntime
        except ImportError as error:
            raise MissingExtraError("onnxruntime is not installed", "onnxruntime") from error
    # Where somebody imported it before, this is what can still be done.
    onnxruntime.disable_telemetry_events()
    return onnxruntime


@contextmanager
def _silent() -> Iterator[None]:
    before = os.environ.get(_SILENT)
    os.environ[_SILENT] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_SILENT]
        else:
            os.environ[_SILENT] = before


@cache
def _faults(*more: type[Exception]) -> tuple[type[Exception], ...]:
    state = engine().capi.onnxruntime_pybind11_state
    own = [kind for kind in vars(state).values() if isinstance(kind, type)]
    errors = [kind for kind in own if issubclass(kind, Exception)]
    return (*errors, RuntimeError, ValueError, TypeError, *more)


def _open(file: str | Path, plan: Plan) -> Any:
    """Return the engine's session of a file whose input has the size that the plan wants."""
    session = _load(str(file), file, plan)
    if plan.pixels is None:
        return session
    port = session.get_inputs()[0]
    shape = _shape(port.shape)
    wanted = plan.pixels.resize(shape)
    if all(w == s or s < 0 for w, s in zip(wanted, shape, strict=True)):
        return session
    try:
        sides = [side if side >= 0 else 1 for side in wanted]
        session = _load(resize(Path(file).read_bytes(), port.name, sides), file, plan)
        # Some networks have the old size in their nodes, and only a run tells.
        session.run(None, {port.name: np.zeros(sides, _TYPES.get(port.type, np.float32))})
    except _faults(WeightsError) as error:
        raise ModelError(
            f"the input {tuple(shape)} cannot be made {tuple(wanted)}: {last_line(error)}",
            where=file,
            remedy="give the card the file's size",
        ) from error
    return session


def _load(model: str | bytes, file: str | Path, plan: Plan) -> Any:
    wanted, provider = _provider(plan)
    options = engine().SessionOptions()
    # Its messages come as exceptions; on the terminal they would be said twice.
    options.log_severity_level = 4
    options.use_deterministic_compute = True
    # The callers' own threads work too.
    options.intra_op_num_threads = max(1, (plan.threads or _cores()) - plan.lanes + 1)
    if wanted == "DmlExecutionProvider":
        options.enable_mem_pattern = False
    if isinstance(model, bytes):
        folder = str(Path(file).resolve().parent)
        options.add_session_config_entry(_FOLDER_OF_DATA, folder)
    chosen = list(dict.fromkeys([wanted, "CPUExecutionProvider"]))
    settings = [provider, {}][: len(chosen)]
    try:
        session = engine().InferenceSession(model, options, chosen, settings)
    except _faults() as error:
        what = f"not a model that ONNX Runtime can run: {last_line(error)}"
        raise WeightsError(what, where=file) from error
    if wanted not in session.get_providers():
        raise UsageError(
            f"ONNX Runtime found no way to use the device '{plan.device}'",
            remedy="check its driver and libraries, or take the device CPU",
        )
    return session


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _provider(plan: Plan) -> tuple[str, dict[str, str]]:
    """Return the engine's name of a device, and its settings."""
    name, _, number = plan.device.replace(".", ":").partition(":")
    known = {device.lower(): provider for device, provider in _providers().items()}
    if name.lower() not in known:
        here = devices()
        gpu = {"cuda": "onnxruntime-gpu", "directml": "onnxruntime-directml"}.get(name.lower())
        remedy = f"pip install {gpu}" if gpu else suggest(plan.device, here)
        raise UsageError(f"ONNX Runtime has no device '{plan.device}' here", remedy=remedy)
    settings = {"device_id": number} if number else {}
    if name.lower() == "cuda" and plan.precision == "f32":
        # Its default rounds float32 to ten bits, and measures anew which way is the fastest.
        settings |= {"use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC"}
    return known[name.lower()], settings


def _providers() -> dict[str, str]:
    """Return the engine's providers by the names of their devices."""
    here = engine().get_available_providers()
    names = {provider: provider.removesuffix("ExecutionProvider") for provider in here}
    # Azure's is a service on the network.
    return {"DirectML" if n == "Dml" else n: p for p, n in names.items() if n != "Azure"}


def _find(known: list[str], outputs: Sequence[str | int] | None, file: object) -> list[str]:
    if outputs is None:
        return known
    numbered: dict[str | int, str] = {name: name for name in known}
    numbered.update(enumerate(known))
    for wanted in outputs:
        if wanted not in numbered:
            raise ModelError(
                f"no output {wanted!r}", where=file, remedy=f"it has {', '.join(known)}"
            )
    return [numbered[wanted] for wanted in outputs]


def _picture_shape(shape: list[int], pixels: Pixels) -> list[int]:
    """Return the shape of the pictures that `Session.run` takes."""
    wanted = pixels.resize(shape)
    if pixels.layout == "NCHW":
        wanted = [wanted[0], *wanted[2:], wanted[1]]
    return [*wanted[:3], 3]


def _shape(sides: Sequence[object]) -> list[int]:
    return [side if isinstance(side, int) else -1 for side in sides]


def _real(result: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return result.astype(np.float32) if result.dtype == np.float16 else result
