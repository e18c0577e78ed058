"""What every keypoint writer is: poses in, one complete file or folder out, or nothing."""

from __future__ import annotations

import json
from abc import abstractmethod
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from poise.clip import Header
from poise.closing import Completing
from poise.errors import UsageError
from poise.output import OutputFile, OutputFolder
from poise.poses import Poses
from poise.skeleton import Skeleton, get_skeleton

PIXEL_DECIMALS = 2
SCORE_DECIMALS = 4
METRE_DECIMALS = 4
SECOND_DECIMALS = 6

encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


class Writer(Completing):
    """Takes the poses of one clip, frame by frame, and leaves a complete file or nothing.

    Use it in a ``with`` block: the file appears under its name at the end of the block; when the
    block fails, nothing appears.

    Args:
        path: Where to write; ``-`` is standard output.
        header: What is known of the clip; taken from the first frame when not given.
        overwrite: Whether something of that name may be replaced.

    Attributes:
        truncated: Set it before the end if the source ended too early.

    Raises:
        OutputError: The output cannot be written.
    """

    skeletons: ClassVar[tuple[str, ...]] = ()
    """Layouts that the format can hold, the one to convert others to first; empty for any."""

    def __init__(
        self, path: str | Path, header: Header | None = None, *, overwrite: bool = False
    ) -> None:
        self.path, self.truncated = str(path), False
        self.frames = 0
        self.skeleton: Skeleton | None = None
        self._header, self._open = header, True
        self._out = self._create(overwrite)

    def _create(self, overwrite: bool) -> OutputFile | OutputFolder:
        return OutputFile(self.path, overwrite=overwrite, source=self.header.source)

    @property
    def header(self) -> Header:
        """What is known of the clip."""
        return self._header or Header(Skeleton("unknown", (), ()))

    def write(self, poses: Poses, *, name: str | None = None) -> None:
        """Add one frame.

        Args:
            poses: Everyone in the frame; converted by keypoint name where the format cannot hold
                their layout.
            name: The picture's file name, where the frames are separate pictures.

        Raises:
            UsageError: The frame has another skeleton than the clip, or the writer is closed.
            OutputError: The output cannot be written.
        """
        if not self._open:
            raise UsageError("the writer is closed", where=self.path)
        if self._header is None:
            self._header = Header(poses.skeleton, size=poses.size)
        if poses.skeleton != self._header.skeleton:
            was, came = self._header.skeleton.name, poses.skeleton.name
            raise UsageError(
                f"frame {poses.index} has skeleton {came}, the clip {was}", where=self.path
            )
        skeleton = self._begin()
        self._write(poses.to(skeleton), name)
        self.frames += 1

    def _begin(self) -> Skeleton:
        if self.skeleton is None:
            given = self.header.skeleton
            held = not self.skeletons or given.name in self.skeletons
            self.skeleton = given if held else get_skeleton(self.skeletons[0])
            self._start()
        return self.skeleton

    def close(self) -> None:
        """Complete the output and give it its name."""
        if not self._open:
            return
        try:
            self._begin()
            self._finish()
            self._out.commit()
        except BaseException:
            self.discard()
            raise
        self._open = False

    def discard(self) -> None:
        """Leave nothing behind; does nothing once the writer is closed."""
        if self._open:
            self._open = False
            self._out.discard()

    def _start(self) -> None:
        """Write what stands before the first frame; ``self.skeleton`` is known."""

    @abstractmethod
    def _write(self, poses: Poses, name: str | None) -> None:
        """Write one frame, already in ``self.skeleton``."""

    def _finish(self) -> None:
        """Write what stands after the last frame."""

    def _put(self, data: bytes) -> None:
        assert isinstance(self._out, OutputFile)
        self._out.write(data)


class JsonListWriter(Writer):
    """Writes one JSON list, entry by entry."""

    def __init__(
        self, path: str | Path, header: Header | None = None, *, overwrite: bool = False
    ) -> None:
        self._glue = b"["
        super().__init__(path, header, overwrite=overwrite)

    def _add(self, entry: Any) -> None:
        self._put(self._glue + encode(entry).encode())
        self._glue = b",\n"

    def _finish(self) -> None:
        self._put(b"[]\n" if self._glue == b"[" else b"]\n")


def triples(
    poses: Poses, *, absent: tuple[float, float, float] = (0, 0, 0), decimals: int = PIXEL_DECIMALS
) -> npt.NDArray[np.float64]:
    """Return (N, K, 3) rounded x, y, score, with absent keypoints as the format marks them."""
    points = np.empty((*poses.scores.shape, 3))
    points[..., :2] = np.round(poses.keypoints.astype(np.float64), decimals)
    points[..., 2] = rounded_scores(poses.scores)
    points[~poses.present] = absent
    return points + 0.0  # no negative zeros


def rounded_scores(scores: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return scores rounded as the files hold them; NaN becomes 0."""
    known: npt.NDArray[np.float64] = np.nan_to_num(np.asarray(scores, np.float64))
    return np.round(known, SCORE_DECIMALS)


def xywh(poses: Poses) -> list[list[float]]:
    """Return the boxes as x, y, width, height, rounded; zeros where there is no box."""
    boxes = np.nan_to_num(np.round(poses.boxes.astype(np.float64), PIXEL_DECIMALS))
    boxes[:, 2:] -= boxes[:, :2]
    listed: list[list[float]] = (np.round(boxes, PIXEL_DECIMALS) + 0.0).tolist()
    return listed
