"""How fast models run here: every configuration in a process of its own, beside rivals if wished.

`matrix` says what is to be measured, `pictures` on what, `worker` does it in the child process,
`process` is the parent's end of it, `walk` has them work in turns, and `figures` holds what came
out.
"""

from __future__ import annotations

from poise.benchmarking.figures import Row, to_json
from poise.benchmarking.machine import describe_machine
from poise.benchmarking.matrix import BenchmarkOptions, Configuration, make_matrix
from poise.benchmarking.pictures import Pictures, draw_pictures, read_pictures
from poise.benchmarking.rivals import Rival, find_rival
from poise.benchmarking.walk import measure

__all__ = [
    "BenchmarkOptions",
    "Configuration",
    "Pictures",
    "Rival",
    "Row",
    "describe_machine",
    "draw_pictures",
    "find_rival",
    "make_matrix",
    "measure",
    "read_pictures",
    "to_json",
]
