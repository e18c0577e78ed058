"""Read a checkpoint of torchvision's or Detectron2's, and refuse what is none.

Only tensors are read (``weights_only``): a file that wants to run code is refused.
"""

from __future__ import annotations

import pickle
import re
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from poise.errors import WeightsError
from poise.models.rcnn.design import Design
from poise.models.rcnn.network import Network

State = dict[str, Tensor]

# What files of before torchvision 0.13 call them.
_OLD_NAMES = (
    (r"^(backbone\.fpn\.(?:inner|layer)_blocks\.\d)\.(weight|bias)$", r"\1.0.\2"),
    (r"^rpn\.head\.conv\.(weight|bias)$", r"rpn.head.conv.0.0.\1"),
)
# Detectron2's names and torchvision's; numbers are brought to torchvision's afterwards.
_DETECTRON2 = (
    (r"^backbone\.bottom_up\.stem\.conv1\.norm\.", "backbone.body.bn1."),
    (r"^backbone\.bottom_up\.stem\.conv1\.", "backbone.body.conv1."),
    (r"^(backbone\.bottom_up\.res\d\.\d+)\.shortcut\.norm\.", r"\1.downsample.1."),
    (r"^(backbone\.bottom_up\.res\d\.\d+)\.shortcut\.", r"\1.downsample.0."),
    (r"^(backbone\.bottom_up\.res\d\.\d+)\.conv(\d)\.norm\.", r"\1.bn\2."),
    (r"^proposal_generator\.rpn_head\.conv\.", "rpn.head.conv.0.0."),
    (r"^proposal_generator\.rpn_head\.objectness_logits\.", "rpn.head.cls_logits."),
    (r"^proposal_generator\.rpn_head\.anchor_deltas\.", "rpn.head.bbox_pred."),
    (r"^roi_heads\.box_head\.fc1\.", "roi_heads.box_head.fc6."),
    (r"^roi_heads\.box_head\.fc2\.", "roi_heads.box_head.fc7."),
    (
        r"^roi_heads\.keypoint_head\.score_lowres\.",
        "roi_heads.keypoint_predictor.kps_score_lowres.",
    ),
)
# Beginnings of names with a number: theirs, ours, and our number is factor * theirs - less.
_NUMBERED = (
    (r"^backbone\.bottom_up\.res(\d)\.", "backbone.body.layer{}.", 1, 1),
    (r"^backbone\.fpn_lateral(\d)\.", "backbone.fpn.inner_blocks.{}.0.", 1, 2),
    (r"^backbone\.fpn_output(\d)\.", "backbone.fpn.layer_blocks.{}.0.", 1, 2),
    (r"^roi_heads\.keypoint_head\.conv_fcn(\d+)\.", "roi_heads.keypoint_head.{}.", 2, 2),
)
# Of Detectron2, and no weights: the mean and spread of pixels, and the shapes of anchors.
_NO_WEIGHTS = re.compile(r"^pixel_(mean|std)$|\.cell_anchors\.\d$|\.num_batches_tracked$")
_SHOWN = 3


def load_network(path: Path, design: Design) -> Network:
    """Return the network of a checkpoint, ready to run.

    Raises:
        WeightsError: It is no file of plain tensors, or of another model.
    """
    state = _rename(read_tensors(path), design, path)
    # Made without memory for weights of its own, which are then those of the file.
    with torch.device("meta"):
        network = Network(design)
    _check(state, dict(network.state_dict()), path)
    network.load_state_dict(state, assign=True)
    network.eval()
    return network


def read_tensors(path: Path) -> State:
    """Return the tensors of a checkpoint by name, in single precision.

    The tensors may stand in the file by themselves (``model.state_dict()``) or under ``model``, as
    training programs save them.

    Raises:
        WeightsError: It wants to run code, or cannot be read.
    """
    content = _read(path)
    inner = content.get("model", content) if isinstance(content, Mapping) else content
    if not isinstance(inner, Mapping) or not inner or not all(map(_is_weight, inner.items())):
        raise WeightsError(
            f"wanted named tensors, got {_describe(inner)}",
            where=path,
            remedy="save model.state_dict() with torch.save",
        )
    return {name: tensor.to(torch.float32) for name, tensor in inner.items()}


def _read(path: Path) -> Any:
    try:
        with warnings.catch_warnings():
            # Of strange pickles torch says that it may not read them; then it reads them or fails.
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise WeightsError(
            "refused: it is not plain tensors alone, and what else it holds could run code",
            where=path,
            remedy="save model.state_dict() with torch.save",
        ) from error
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, AttributeError) as error:
        line = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise WeightsError(
            f"not a checkpoint that torch can read ({line[:120]})", where=path
        ) from error


def _is_weight(pair: tuple[Any, Any]) -> bool:
    return isinstance(pair[0], str) and isinstance(pair[1], Tensor)


def _describe(content: Any) -> str:
    if isinstance(content, Mapping):
        return f"a table of {_few(map(str, content))}" if content else "an empty table"
    return f"a {type(content).__name__}"


def _rename(state: State, design: Design, path: Path) -> State:
    theirs = any(name.startswith(("backbone.bottom_up.", "proposal_generator.")) for name in state)
    if theirs and design.style != "detectron2":
        raise WeightsError(
            "these are Detectron2's weights", where=path, remedy="use detectron2-keypoint-rcnn"
        )
    if not theirs and design.style == "detectron2" and "backbone.body.conv1.weight" in state:
        raise WeightsError(
            "these are torchvision's weights", where=path, remedy="use keypoint-rcnn"
        )
    kept = {name: tensor for name, tensor in state.items() if not _NO_WEIGHTS.search(name)}
    return from_detectron2(kept) if theirs else _apply(_OLD_NAMES, kept)


def from_detectron2(state: State) -> State:
    """Return Detectron2's weights under torchvision's names.

    Detectron2 has the background last where torchvision has it first, and no deltas for it, which
    become nought here.
    """
    named = _apply(_DETECTRON2, state)
    found = {_count(name): tensor for name, tensor in named.items()}
    for name, tensor in state.items():
        if name.startswith("roi_heads.box_predictor.cls_score."):
            found[name] = tensor.roll(1, 0)
        elif name.startswith("roi_heads.box_predictor.bbox_pred."):
            found[name] = torch.cat([torch.zeros_like(tensor), tensor])
    return found


def _count(name: str) -> str:
    """Return a name with its numbers as torchvision counts: levels from 0, layers by two."""
    for pattern, replacement, factor, less in _NUMBERED:
        found = re.match(pattern, name)
        if found:
            number = factor * int(found[1]) - less
            return replacement.format(number) + name[found.end() :]
    return name


def _apply(rules: Iterable[tuple[str, str]], state: State) -> State:
    named = {}
    for name, tensor in state.items():
        ours = name
        for pattern, replacement in rules:
            ours = re.sub(pattern, replacement, ours)
        named[ours] = tensor
    return named


def _check(state: State, wanted: State, path: Path) -> None:
    missing = [name for name in wanted if name not in state]
    extra = [name for name in state if name not in wanted]
    if missing or extra:
        raise WeightsError(
            f"weights of another model: missing {_few(missing)}; not known {_few(extra)}",
            where=path,
        )
    for name, tensor in state.items():
        if tensor.shape != wanted[name].shape:
            raise WeightsError(
                f"{name}: wanted {tuple(wanted[name].shape)}, got {tuple(tensor.shape)}", where=path
            )


def _few(names: Iterable[str]) -> str:
    known = list(names)
    rest = len(known) - _SHOWN
    shown = ", ".join(known[:_SHOWN]) or "nothing"
    return f"{shown} and {rest} more" if rest > 0 else shown
