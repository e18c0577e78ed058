"""Write a Keypoint R-CNN as one ONNX file of standard operators."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from onnx import numpy_helper
from onnxscript import opset18 as op

from poise.errors import OutputError
from poise.models.rcnn.design import SIDE
from poise.models.rcnn.network import Network

# ONNX knows no absent boxes; they get a score below everything.
_ABSENT, _FLOOR = -1e30, -1e29
_MOST_BOXES = 1 << 20
_MOST_SIDE = 1024  # times 32 pixels
_BOOL = 9  # ONNX's number of the type
_ZERO, _ONE = (numpy_helper.from_array(np.array([number], np.int32)) for number in (0, 1))
_FIRST = numpy_helper.from_array(np.array([0], np.int64))


def write_onnx(network: Network, path: Path) -> None:
    """Write a network for pictures of any size and any number of people.

    Args:
        network: With its weights.
        path: The file to write, with the weights in it.

    Raises:
        OutputError: It cannot be written.
    """
    sides = {
        axis: SIDE * torch.export.Dim(name, min=2, max=_MOST_SIDE)
        for axis, name in ((2, "rows"), (3, "columns"))
    }
    example = (torch.zeros(1, 3, 96, 128), torch.tensor([128.0, 96.0]), torch.tensor([0.5]))
    operators = torch.ops.poise
    with _quiet():
        program = torch.onnx.export(
            network.eval(),
            example,
            dynamo=True,
            dynamic_shapes={"pixels": sides, "size": None, "least_score": None},
            input_names=["pixels", "size", "least_score"],
            output_names=["boxes", "scores", "maps"],
            opset_version=18,
            custom_translation_table={
                operators.nms.default: _nms,
                operators.pyramid_align.default: _pyramid_align,
            },
            verbose=False,
        )
    try:
        program.save(str(path), external_data=False)
    except OSError as error:
        raise OutputError(f"cannot be written ({error.strerror})", where=path) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep to itself what the exporter says about its own insides and about torchvision."""
    log = logging.getLogger("torch.onnx._internal.exporter")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(before)


def _nms(boxes: Any, scores: Any, present: Any, threshold: float) -> Any:
    """Write `operators.nms`: ONNX gives the rows that stay, from which a mask is made."""
    marked = op.Where(present, scores, op.Constant(value_float=_ABSENT))
    chosen = op.NonMaxSuppression(
        op.Unsqueeze(boxes, op.Constant(value_ints=[0])),
        op.Unsqueeze(marked, op.Constant(value_ints=[0, 1])),
        op.Constant(value_ints=[_MOST_BOXES]),
        op.Constant(value_floats=[threshold]),
        op.Constant(value_floats=[_FLOOR]),
    )
    rows = op.Gather(chosen, op.Constant(value_int=2), axis=1)
    nobody = op.ConstantOfShape(op.Shape(scores), value=_ZERO)
    ones = op.ConstantOfShape(op.Shape(rows), value=_ONE)
    return op.Cast(op.ScatterElements(nobody, rows, ones, axis=0), to=_BOOL)


def _pyramid_align(
    maps: Any, boxes: Any, levels: Any, *, size: int, sampling: int, aligned: bool
) -> Any:
    """Write `operators.pyramid_align`: each level's boxes by themselves, then put together."""
    parts, places = [], []
    for level, features in enumerate(maps):
        here = op.Equal(levels, op.Constant(value_int=level))
        rows = op.Reshape(op.NonZero(here), op.Constant(value_ints=[-1]))
        picture = op.ConstantOfShape(op.Shape(rows), value=_FIRST)
        parts.append(
            op.RoiAlign(
                features,
                op.Gather(boxes, rows),
                picture,
                coordinate_transformation_mode="half_pixel" if aligned else "output_half_pixel",
                output_height=size,
                output_width=size,
                sampling_ratio=sampling,
                spatial_scale=0.25 / 2**level,
            )
        )
        places.append(rows)
    order = op.Concat(*places, axis=0)
    # Back into the order of the boxes: where each one went.
    count = op.Squeeze(op.Shape(order))
    numbers = op.Range(op.Constant(value_int=0), count, op.Constant(value_int=1))
    back = op.ScatterElements(order, order, numbers, axis=0)
    return op.Gather(op.Concat(*parts, axis=0), back)
