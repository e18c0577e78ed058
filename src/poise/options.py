"""How to estimate: the one description that the function, the command line and a server share."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from poise.errors import UsageError, suggest
from poise.skeleton import get_skeleton

SmoothingMethod = Literal["none", "one-euro", "savgol", "butterworth"]
Precision = Literal["auto", "f32"]
Engine = Literal["openvino", "onnxruntime"]


@dataclass(frozen=True, kw_only=True)
class LicenceOptions:
    """What a user agrees to, for however many models."""

    accept_licence: Annotated[
        bool,
        "Accept what the model's licence forbids or demands; it is remembered.",
        "--accept-licence",
    ] = False


@dataclass(frozen=True, kw_only=True)
class LoadOptions(LicenceOptions):
    """How models are loaded, be it one or several."""

    engine: Annotated[
        Engine, "What runs the network; 'onnxruntime' runs ONNX files and needs its extra."
    ] = "openvino"


@dataclass(frozen=True, kw_only=True)
class ModelOptions(LoadOptions):
    """Which model, and whose weights: what every command that estimates shares.

    Each is described once, here, beside its type; a text that begins with a dash is a flag.

    Raises:
        UsageError: Weights of one's own go with ``auto``.
    """

    model: Annotated[str, "See 'poise models list'.", "-m", "--model"] = "auto"
    card: Annotated[
        Path | None,
        "A card file of your own, which describes a model; without -m, it is the model.",
    ] = None
    weights: Annotated[
        list[Path] | None,
        "A file of your own in the place of the model's weights: ONNX, TFLite, OpenVINO IR or a "
        "frozen graph. For a model of several files, once for each.",
    ] = None

    def __post_init__(self) -> None:
        if self.weights and self.model == "auto" and self.card is None:
            raise UsageError("they need the model that they are for", where="weights",
                             remedy="name it with -m or --card")  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Options:
    """Options of ``estimate``; each is described once, here, beside its type.

    Raises:
        UsageError: A value is out of its range; the message names the field.
    """

    precision: Annotated[
        Precision, "'f32' gives the same keypoints on every machine, 'auto' is the fastest."
    ] = "auto"
    start: Annotated[float | None, "Begin at this time, in seconds."] = None
    end: Annotated[float | None, "Stop before this time, in seconds."] = None
    stride: Annotated[int, "Keep every n-th frame."] = 1
    track: Annotated[bool, "Give each person an id that stays the same through a video."] = True
    smooth: Annotated[
        SmoothingMethod, "Smooth keypoints in time; 'one-euro' suits live use, the others files."
    ] = "none"
    fill_gaps: Annotated[
        float, "Fill gaps in a person's keypoints that last up to this many seconds."
    ] = 0.0
    repair_swaps: Annotated[bool, "Undo left and right limbs that change places."] = False
    skeleton: Annotated[str | None, "Convert the keypoints to this layout, by name."] = None
    max_people: Annotated[int | None, "Keep at most this many people a frame, best first."] = None
    timeout: Annotated[float, "Give up on a stream that is silent for so many seconds."] = 10.0

    def __post_init__(self) -> None:
        lowest = {"stride": 1, "max_people": 1, "fill_gaps": 0, "start": 0, "timeout": 0}
        for name, low in lowest.items():
            value = getattr(self, name)
            if value is not None and not low <= value < math.inf:
                raise UsageError(f"wanted at least {low}, got {value}", where=name)
        if self.timeout == 0:
            raise UsageError("wanted more than 0, got 0", where="timeout")
        if self.end is not None and not self.end > (self.start or 0):
            raise UsageError(f"wanted more than {self.start or 0}, got {self.end}", where="end")
        for name, choices in (
            ("smooth", get_args(SmoothingMethod)),
            ("precision", get_args(Precision)),
        ):
            value = getattr(self, name)
            if value not in choices:
                raise UsageError(f"no '{value}'", where=name, remedy=suggest(str(value), choices))
        if self.skeleton is not None:
            get_skeleton(self.skeleton)

    @property
    def whole_clip(self) -> bool:
        """Whether a step needs all frames before the first one can be given out."""
        return self.fill_gaps > 0 or self.repair_swaps

    @classmethod
    def of(cls, changes: dict[str, Any], base: Options | None = None) -> Options:
        """Return the base, or the defaults, with some fields changed.

        Raises:
            UsageError: There is no such field; the message names the nearest.
        """
        known = [f.name for f in dataclasses.fields(cls)]
        for name in changes:
            if name not in known:
                raise UsageError(f"no option named '{name}'", remedy=suggest(name, known))
        return dataclasses.replace(base or cls(), **changes)
