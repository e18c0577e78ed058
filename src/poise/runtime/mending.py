"""What must be changed in a network before OpenVINO compiles it, since OpenVINO gets it wrong."""

from __future__ import annotations

from typing import Any


def mend(network: Any, openvino: Any) -> Any:
    """Return a network that OpenVINO compiles, changed in place.

    OpenVINO 2026.4 drops a slice from 0 whose result goes into GatherElements, even where it cuts
    another axis than the one that is gathered along, and then finds that the shapes do not fit. So
    Ultralytics' end-to-end exports and all that gather boxes by `torch.gather` would be refused.
    Here such a slice becomes a split, which is left alone.

    Args:
        network: An ``openvino.Model``.
        openvino: The module.
    """
    for node in network.get_ops():
        if node.get_type_name() == "GatherElements":
            lengths = _cut_short(node.input_value(0).get_node())
            if lengths is not None:
                data, axis, parts = lengths
                split = openvino.opset8.variadic_split(data, axis, parts)
                node.input(0).replace_source_output(split.output(0))
    return network


def _cut_short(node: Any) -> tuple[Any, int, list[int]] | None:
    """Return what a slice from 0 along one axis cuts, the axis, and the two lengths."""
    if node.get_type_name() != "Slice" or node.get_input_size() != 5:
        return None
    data = node.input_value(0)
    start, axes = (node.input_value(i).get_node() for i in (1, 4))
    if {start.get_type_name(), axes.get_type_name()} != {"Constant"}:
        return None
    if start.data.ravel().tolist() != [0] or axes.data.size != 1:
        return None
    axis = int(axes.data.ravel()[0])
    whole, part = (
        shape[axis].get_length() if shape[axis].is_static else -1
        for shape in (data.get_partial_shape(), node.get_output_partial_shape(0))
    )
    return (data, axis, [part, whole - part]) if 0 < part < whole else None
