"""What the families after DETR share: a network with a number of queries (Carion et al. 2020).

The picture is stretched to the network's size. Some exports also ask for the size of the picture,
width and height, and multiply the places by it; they are told the network's own size, so that all
places are input pixels.
"""

from __future__ import annotations

import numpy as np

from poise.poses import FloatArray, Image
from poise.runtime import Session


def run_queries(session: Session, pictures: Image, size: tuple[int, int]) -> list[FloatArray]:
    """Run a network on (N, height, width, 3) pictures of a size, which it is told if it asks."""
    if len(session.input_shapes) < 2:
        return session.run(pictures)
    return session.run(pictures, np.tile(np.array(size, np.int64), (len(pictures), 1)))


def tell_apart(
    outputs: list[FloatArray],
) -> tuple[list[FloatArray], list[FloatArray], list[FloatArray]]:
    """Return the outputs that say whole numbers, those that end in 4, and the others, in order.

    Of several that end in 4, the last ones are taken for scores of four classes.
    """
    whole = [output for output in outputs if output.dtype.kind in "iu"]
    rest = [output for output in outputs if output.dtype.kind not in "iu"]
    boxes = [output for output in rest if output.ndim == 3 and output.shape[-1] == 4][:1]
    return whole, boxes, [output for output in rest if not any(output is one for one in boxes)]
