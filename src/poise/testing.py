"""Stand-ins for tests: a model without weights, a model that knows the truth, a camera of frames.

They ship with Poise so that tests of programs built on it need no weights, no network and no
camera::

    from poise.testing import FakeModel, blob_picture

    poses = FakeModel()(blob_picture([(20, 10, 60, 110)], (160, 120)))
    assert len(poses) == 1
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from poise.closing import Closing
from poise.errors import InputError, UsageError
from poise.models.base import PoseModel
from poise.poses import FloatArray, Frame, Image, Poses
from poise.skeleton import get_skeleton

if TYPE_CHECKING:
    from poise.synthetic import Stage

# A person who faces the camera with spread arms, in shares of the box around the whole figure.
_TEMPLATE: dict[str, tuple[float, float]] = {
    "nose": (0.500, 0.079), "left_eye_inner": (0.513, 0.057), "left_eye": (0.522, 0.057),
    "left_eye_outer": (0.532, 0.057), "right_eye_inner": (0.487, 0.057),
    "right_eye": (0.478, 0.057), "right_eye_outer": (0.468, 0.057), "left_ear": (0.559, 0.070),
    "right_ear": (0.441, 0.070), "left_mouth": (0.515, 0.099), "right_mouth": (0.485, 0.099),
    "left_shoulder": (0.630, 0.191), "right_shoulder": (0.370, 0.191),
    "left_elbow": (0.791, 0.323), "right_elbow": (0.209, 0.323), "left_wrist": (0.917, 0.427),
    "right_wrist": (0.083, 0.427), "left_pinky": (0.985, 0.485), "right_pinky": (0.015, 0.485),
    "left_index": (1.000, 0.493), "right_index": (0.000, 0.493), "left_thumb": (0.957, 0.465),
    "right_thumb": (0.043, 0.465), "left_hip": (0.569, 0.476), "right_hip": (0.431, 0.476),
    "left_knee": (0.621, 0.718), "right_knee": (0.379, 0.718), "left_ankle": (0.673, 0.961),
    "right_ankle": (0.327, 0.961), "left_heel": (0.670, 0.981), "right_heel": (0.330, 0.981),
    "left_foot_index": (0.702, 1.000), "right_foot_index": (0.298, 1.000),
}  # fmt: skip
_BRIGHT = 64  # the brightest channel of a pixel that belongs to somebody
_SMALLEST = 4  # pixels, both sides of a box


class FakeModel(PoseModel):
    """Sees one person in each bright region of a dark picture, by arithmetic alone.

    A pixel belongs to somebody where its brightest channel is at least 64. Empty columns separate
    people, who are counted from the left. Each gets the box around the region, a standing
    template figure that fills this box, and the score 0.9; a dark picture shows nobody. Regions
    narrower or lower than 4 pixels are nobody either.

    Args:
        skeleton: Name of the layout; keypoints that BlazePose does not have are derived or absent.
    """

    name = "fake"
    precision = "f32"

    def __init__(self, skeleton: str = "coco17") -> None:
        self.skeleton = get_skeleton(skeleton)

    def estimate(self, frames: Sequence[Frame]) -> list[Poses]:
        """Return everyone in each picture."""
        return [self._see(frame) for frame in frames]

    def _see(self, frame: Frame) -> Poses:
        boxes = _bright_boxes(frame.image)
        layout = get_skeleton("blazepose33")
        template = np.array([_TEMPLATE[name] for name in layout.keypoints], np.float32)
        sides = boxes[:, None, 2:] - boxes[:, None, :2]
        poses = Poses(
            layout,
            boxes[:, None, :2] + template * sides,
            np.full((len(boxes), len(layout)), 0.9, np.float32),
            boxes=boxes,
            index=frame.index,
            time=frame.time,
            size=frame.size,
        )
        return poses.to(self.skeleton)


def _bright_boxes(image: Image) -> FloatArray:
    bright = image.max(axis=2) >= _BRIGHT
    columns = np.concatenate([[False], bright.any(axis=0), [False]])
    starts, ends = np.flatnonzero(np.diff(columns.astype(np.int8))).reshape(-1, 2).T
    boxes = []
    for start, end in zip(starts, ends, strict=True):
        rows = np.flatnonzero(bright[:, start:end].any(axis=1))
        if min(end - start, rows[-1] + 1 - rows[0]) >= _SMALLEST:
            boxes.append((start, rows[0], end, rows[-1] + 1))
    return np.array(boxes, np.float32).reshape(-1, 4)


def blob_picture(
    boxes: npt.ArrayLike,
    size: tuple[int, int] = (160, 120),
    *,
    colour: tuple[int, int, int] = (220, 200, 180),
) -> Image:
    """Return a dark picture with bright rectangles: people for ``FakeModel``.

    Args:
        boxes: (N, 4) x0 y0 x1 y1 in whole pixels; leave an empty column between them.
        size: Width and height in pixels.
        colour: RGB of the rectangles.
    """
    image = np.full((size[1], size[0], 3), 16, np.uint8)
    for x0, y0, x1, y1 in np.asarray(boxes, int).reshape(-1, 4):
        image[max(y0, 0) : max(y1, 0), max(x0, 0) : max(x1, 0)] = colour
    return image


class TruthModel(PoseModel):
    """Returns what a stage knows of the frame of the same index, spoiled as a network would.

    The same seed spoils the same frame in the same way, in whatever order frames come.

    Args:
        stage: The stage that the frames come from; only their index is read.
        skeleton: Name of the layout.
        noise: Standard deviation of the keypoints' error, in shares of the person's box height.
        dropout: How often a person is missed, 0..1.
        absent: How often a keypoint is missed, 0..1.
        swaps: How often a person's left and right are exchanged, 0..1.
        shuffle: Return people in a random order, as networks do.
        seed: Chooses what goes wrong.
    """

    name = "truth"
    precision = "f32"

    def __init__(
        self,
        stage: Stage,
        *,
        skeleton: str = "coco17",
        noise: float = 0.0,
        dropout: float = 0.0,
        absent: float = 0.0,
        swaps: float = 0.0,
        shuffle: bool = False,
        seed: int = 0,
    ) -> None:
        self.skeleton = get_skeleton(skeleton)
        self._stage, self._seed = stage, seed
        self._noise, self._dropout, self._absent = noise, dropout, absent
        self._swaps, self._shuffle = swaps, shuffle

    def estimate(self, frames: Sequence[Frame]) -> list[Poses]:
        """Return everyone in each frame: score 0.9, or 0.3 where the keypoint is hidden."""
        return [self._spoil(frame) for frame in frames]

    def _spoil(self, frame: Frame) -> Poses:
        truth = self._stage.truth(frame.index, self.skeleton.name)
        hidden = self._stage.hidden(frame.index, self.skeleton.name)
        random = np.random.default_rng([self._seed, frame.index])
        people = len(truth)
        height = (truth.boxes[:, 3] - truth.boxes[:, 1])[:, None, None]
        error = random.normal(0, 1, truth.keypoints.shape) * self._noise * height
        gone = random.random(truth.scores.shape) < self._absent
        swapped = random.random((people, 1)) < self._swaps
        missed = random.random(people) < self._dropout
        order = random.permutation(people) if self._shuffle else np.arange(people)
        points = np.where(gone[..., None], np.nan, truth.keypoints + error)
        flip = self.skeleton.flip
        poses = truth.replace(
            keypoints=np.where(swapped[..., None], points[:, flip], points).astype(np.float32),
            scores=np.where(hidden, 0.3, 0.9).astype(np.float32),
            ids=None,
            time=frame.time,
        )
        return poses.select(order[~missed[order]])


class FakeCamera(Closing):
    """Frames that come as from a camera or a file: iterate it, within ``with`` if you like.

    Args:
        frames: Frames, pictures, or a stage.
        fps: Frames per second; with ``paced`` they really come at this rate.
        live: Whether it calls itself a camera.
        stall_after: After so many frames nothing comes any more, until ``close`` is called.
        fail_after: After so many frames it raises ``InputError``.
        paced: Wait between frames; without it they come as fast as they are taken.
    """

    source = "fake camera"
    still = False
    truncated = False

    def __init__(
        self,
        frames: Stage | Iterable[Frame | Image],
        *,
        fps: float | None = None,
        live: bool = True,
        stall_after: int | None = None,
        fail_after: int | None = None,
        paced: bool = False,
    ) -> None:
        self.fps = fps if fps is not None else float(getattr(frames, "fps", 30.0))
        pictures = frames.frames() if hasattr(frames, "frames") else frames
        self._frames = _numbered(pictures, self.fps)
        self._first = next(self._frames, None)
        if self._first is None:
            raise UsageError("wanted at least one frame, got none", where="FakeCamera")
        self.size, self.live = self._first.size, live
        self.count = len(frames) if isinstance(frames, Sized) and not live else None
        self._stall_after, self._fail_after, self._paced = stall_after, fail_after, paced
        self._closed = threading.Event()

    def __iter__(self) -> Iterator[Frame]:
        begin = time.monotonic()
        for number, frame in enumerate(self._all()):
            if number == self._fail_after:
                raise InputError("the camera was unplugged", where=self.source)
            if number == self._stall_after:
                self._closed.wait()
            if self._paced:
                self._closed.wait(max(0.0, begin + number / self.fps - time.monotonic()))
            if self._closed.is_set():
                return
            yield frame

    def _all(self) -> Iterator[Frame]:
        first, self._first = self._first, None
        if first is not None:
            yield first
        yield from self._frames

    def close(self) -> None:
        """End it, also where it stalls; safe to call from another thread."""
        self._closed.set()


def _numbered(pictures: Iterable[Frame | Image], fps: float) -> Iterator[Frame]:
    for index, picture in enumerate(pictures):
        yield picture if isinstance(picture, Frame) else Frame(picture, index, index / fps)
