"""NPY: one NumPy array of keypoints, as scripts around OpenPose leave it.

The array is (T, K, 3) for one person, or (T, P, K, 3) for up to P people a frame: x, y, score for
each of T frames. (T, K, 2), without scores, is read too. A keypoint of zeros, or with NaN, is
absent; a person without keypoints is nobody. The layout is told by K. Nothing pickled is ever read.
"""

from __future__ import annotations

import io
import tokenize
from pathlib import Path

import numpy as np
import numpy.typing as npt

from poise.clip import Clip, Header
from poise.errors import InputError
from poise.io.formats.base import Format
from poise.io.formats.people import Person, assemble
from poise.io.formats.source import Source
from poise.io.formats.writer import Writer, triples
from poise.poses import Poses

_LAYOUTS = {
    18: "coco18", 17: "coco17", 25: "body25", 15: "mpii15", 26: "halpe26", 33: "blazepose33",
    133: "wholebody133",
}  # fmt: skip


class NpyWriter(Writer):
    """Keeps all frames and writes them at the end; people stand as they do in each frame."""

    skeletons = tuple(_LAYOUTS.values())

    def __init__(
        self, path: str | Path, header: Header | None = None, *, overwrite: bool = False
    ) -> None:
        self._people: list[npt.NDArray[np.float64]] = []
        super().__init__(path, header, overwrite=overwrite)

    def _write(self, poses: Poses, name: str | None) -> None:
        self._people.append(triples(poses))

    def _finish(self) -> None:
        most = max([1, *(len(people) for people in self._people)])
        array = np.zeros((len(self._people), most, len(self._begin()), 3))
        for place, people in enumerate(self._people):
            array[place, : len(people)] = people
        buffer = io.BytesIO()
        np.save(buffer, array[:, 0] if most == 1 else array, allow_pickle=False)
        self._put(buffer.getvalue())


def _sniff(source: Source) -> bool:
    return source.head.startswith(b"\x93NUMPY")


def _read(source: Source) -> Clip:
    array = _load(source.path)
    if array.ndim == 3:
        array = array[:, None]
    if array.ndim != 4 or array.shape[-1] not in (2, 3) or array.dtype.kind not in "fiu":
        came = f"{array.dtype} of shape {array.shape}"
        raise InputError(f"wanted numbers (frames, keypoints, 3), got {came}", where=source.path)
    skeleton = source.choose_skeleton(array.shape[2], _LAYOUTS)
    frames = [
        assemble(
            skeleton,
            [Person(points) for points in _present(people)],
            index=index,
            time=source.time(index),
        )
        for index, people in enumerate(array)
    ]
    return Clip(tuple(frames), Header(skeleton, fps=source.fps))


def _load(path: Path) -> npt.NDArray[np.float64]:
    try:
        # Mapped, so that a header that promises more than the file holds is refused.
        array: npt.NDArray[np.float64] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (EOFError, SyntaxError, tokenize.TokenError, TypeError) as error:
        raise ValueError(str(error)) from error
    return array


def _present(people: npt.NDArray[np.float64]) -> list[npt.NDArray[np.float64]]:
    """Return the (K, 3) people of a (P, K, 2 or 3) frame; absent keypoints are NaN."""
    points = np.array(people, np.float64)
    absent = (points == 0).all(axis=2) | ~np.isfinite(points).all(axis=2)
    if points.shape[2] == 2:
        points = np.concatenate([points, np.ones((*points.shape[:2], 1))], axis=2)
    points[absent] = np.nan
    return [one for one, gone in zip(points, absent, strict=True) if not gone.all()]


FORMAT = Format("npy", "NumPy array", (".npy",), _sniff, _read, NpyWriter)
