"""What may be asked of an engine, in words that no engine owns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypedDict

import numpy.typing as npt

from poise.errors import ModelError
from poise.poses import FloatArray

ENGINES = ("openvino", "onnxruntime")
PRECISIONS = ("auto", "f32", "bf16", "f16")

Arrays = Sequence[npt.NDArray[Any]]
Watch = Callable[[float, float], None]


class Compute(TypedDict, total=False):
    """How a network is computed: what `load_model`, every family's ``load`` and `Session` take.

    Keys:
        engine: ``openvino`` (the default) or ``onnxruntime``, which runs ONNX files.
        precision: ``f32`` gives reproducible numbers; ``bf16`` and ``f16`` are faster where the
            device has them; ``auto`` (the default) is the device's own best.
        device: The engine's name of the device; ``CPU`` by default. OpenVINO: ``GPU``, ``NPU``.
            ONNX Runtime: ``CUDA``, ``CUDA:1``, ``CoreML``, ``DirectML``.
        threads: Threads that the network may use in all; None takes every core.
        watch: Told when each run of the network began and ended (``time.perf_counter``); it may
            be called by several threads at once.
    """

    engine: str
    precision: str
    device: str
    threads: int | None
    watch: Watch


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

    def resize(self, shape: list[int]) -> list[int]:
        """Return the shape of the network's input, set to ``size``; -1 is a side that may vary.

        Raises:
            ModelError: Such an input takes no colour pictures of this layout.
        """
        if len(shape) != 4 or shape[self.layout.index("C")] not in (3, -1):
            raise ModelError(f"the network takes {tuple(shape)}, not {self.layout} colour pictures")
        wanted = list(shape)
        if self.size is not None:
            wanted[self.layout.index("W")], wanted[self.layout.index("H")] = self.size
        return wanted


@dataclass(frozen=True)
class Plan:
    """What one session asks of its engine; `Session` says what each field means."""

    outputs: Sequence[str | int] | None = None
    precision: str = "auto"
    device: str = "CPU"
    streams: int = 1
    threads: int | None = None
    pixels: Pixels | None = None
    then: Callable[[list[Any]], list[Any]] | None = None

    @property
    def lanes(self) -> int:
        """How many inputs are really worked on at once: at most one a thread."""
        return max(1, min(self.streams, self.threads or self.streams))

    def each_alone(self, batch: int) -> bool:
        """Whether a network whose batch may vary (-1) is to be run for one picture at a time.

        It is where several streams of a CPU wait for work: side by side, single pictures took less
        time than a batch (``docs/architecture.md``), and what is read from a crop then never
        depends on who else is in the picture. Other devices are fast with batches.
        """
        on_cpu = self.device.upper().startswith("CPU")
        return batch < 0 and self.streams > 1 and self.pixels is not None and on_cpu


class Network(Protocol):
    """A network that an engine has loaded.

    Attributes:
        precision: The number format that the device really computes in.
        input_shapes: Shape of each input as `Session.run` takes it, -1 where it may vary.
    """

    precision: str
    input_shapes: list[list[int]]

    def run(self, parts: Sequence[Arrays]) -> list[list[FloatArray]]:
        """Run the network once for each part, in all idle streams; the results in order.

        Raises:
            ModelError: A part does not fit the network.
        """


def misfit(shapes: list[list[int]], arrays: Arrays, error: Exception) -> ModelError:
    """Return what to raise when an engine refuses arrays."""
    came = ", ".join(f"{array.dtype} {array.shape}" for array in arrays)
    wanted = ", ".join(str(tuple(shape)) for shape in shapes)
    return ModelError(f"the network takes {wanted}, got {came}: {last_line(error)}")


def last_line(error: Exception) -> str:
    """Return the last line of an engine's message, which says what was wrong."""
    return (str(error).strip().splitlines() or [type(error).__name__])[-1].strip()
