"""A network that OpenVINO would get wrong is compiled, and says what it should."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from poise.runtime import Session, engine
from poise.runtime.mending import mend

CELLS, BEST = 40, 6


def network(cuts: list[tuple[int, int]], *, axis: int = -1) -> Any:
    """The end of an end-to-end export: (1, 12, A), of which each cut of the best cells is said."""
    ov = engine()
    op = ov.opset13

    def number(value: int) -> Any:
        return op.constant(np.array([value], np.int64))

    door = op.parameter([1, 12, CELLS], np.float32)
    cells = op.transpose(door, np.array([0, 2, 1]))
    scores = op.gather(cells, np.int64(4), np.int64(2))
    best = op.topk(scores, np.int64(BEST), -1, "max", "value", index_element_type="i64")
    rows = op.unsqueeze(best.output(1), np.array([2]))
    ends = []
    for start, stop in cuts:
        part = op.slice(cells, number(start), number(stop), number(1), number(axis))
        places = op.constant(np.array([1, BEST, stop - start], np.int64))
        ends.append(op.gather_elements(part, op.broadcast(rows, places), 1))
    return ov.Model(ends, [door], "end")


@pytest.mark.parametrize("axis", [-1, 2])
@pytest.mark.parametrize("cuts", [[(0, 4), (4, 5), (5, 12)], [(0, 1)], [(0, 12)], [(3, 7)]])
def test_slices_before_a_gather_give_what_they_should(
    tmp_path: Any, cuts: list[tuple[int, int]], axis: int
) -> None:
    path = tmp_path / "end.xml"
    engine().save_model(network(cuts, axis=axis), str(path), compress_to_fp16=False)
    session = Session([path, path.with_suffix(".bin")], precision="f32")
    cells = np.random.default_rng(0).normal(0, 1, (1, 12, CELLS)).astype(np.float32)
    order = np.argsort(-cells[0, 4], kind="stable")[:BEST]
    for (start, stop), found in zip(cuts, session.run(cells), strict=True):
        np.testing.assert_array_equal(found[0], cells[0, start:stop, order])


def test_only_what_is_dropped_is_changed() -> None:
    names = [node.get_type_name() for node in mend(network([(3, 7), (0, 12)]), engine()).get_ops()]
    assert "VariadicSplit" not in names
    names = [node.get_type_name() for node in mend(network([(0, 4)]), engine()).get_ops()]
    assert names.count("VariadicSplit") == 1
