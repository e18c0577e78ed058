"""The poses of one source in time, and one person's way through it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from poise.errors import UsageError
from poise.poses import FloatArray, Poses
from poise.skeleton import Skeleton


@dataclass(frozen=True)
class Header:
    """What is known of a clip before its first frame; the first line of a Poise file.

    Attributes:
        skeleton: The body layout of every frame.
        model: Name of the model that made the poses; empty where unknown.
        precision: Number format the model computed in, ``f32`` or ``bf16``; empty where unknown.
        source: The file, address or camera, as the user named it.
        size: Width and height of the upright frames in pixels; (0, 0) where unknown.
        fps: Mean frames per second, or None where there is no such thing. Never used for time.
    """

    skeleton: Skeleton
    model: str = ""
    precision: str = ""
    source: str = ""
    size: tuple[int, int] = (0, 0)
    fps: float | None = None


@dataclass(frozen=True, eq=False)
class Track:
    """One person through time, dense: every frame of the span has a row.

    Attributes:
        id: The person's identity in the clip.
        skeleton: The body layout.
        times: (T,) float64 seconds.
        keypoints: (T, K, 2) float32 pixels; NaN where absent.
        scores: (T, K) float32 in 0..1; 0 where absent.
        xyz: (T, K, 3) float32 metres or None.
    """

    id: int
    skeleton: Skeleton
    times: npt.NDArray[np.float64]
    keypoints: FloatArray
    scores: FloatArray
    xyz: FloatArray | None = None

    def __post_init__(self) -> None:
        frames, count = len(self.times), len(self.skeleton)
        wanted = {"keypoints": (frames, count, 2), "scores": (frames, count)}
        if self.xyz is not None:
            wanted["xyz"] = (frames, count, 3)
        for field, shape in wanted.items():
            if getattr(self, field).shape != shape:
                came = getattr(self, field).shape
                raise UsageError(f"wanted shape {shape}, got {came}", where=f"Track.{field}")
        if frames and np.any(np.diff(self.times) < 0):
            raise UsageError("times must not decrease", where="Track.times")

    def __len__(self) -> int:
        return len(self.times)

    def __repr__(self) -> str:
        span = f", {self.times[0]:.3f} to {self.times[-1]:.3f} s" if len(self) else ""
        return f"Track(id {self.id}, {self.skeleton.name}, frames {len(self)}{span})"


@dataclass(frozen=True, eq=False)
class Clip:
    """The poses of one source.

    Attributes:
        frames: One ``Poses`` a frame, in order; frames without people are there too.
        header: Skeleton, model, source and size.
        names: The file name of each frame, where the frames are separate pictures; or None.
        truncated: Whether the source ended before its container said that it would.
    """

    frames: tuple[Poses, ...]
    header: Header
    names: tuple[str, ...] | None = None
    truncated: bool = False

    def __post_init__(self) -> None:
        for poses in self.frames:
            if poses.skeleton != self.skeleton:
                came = poses.skeleton.name
                raise UsageError(
                    f"frame {poses.index} has skeleton {came}, the clip {self.skeleton.name}",
                    where="Clip.frames",
                )
        if self.names is not None and len(self.names) != len(self.frames):
            raise UsageError(
                f"wanted {len(self.frames)} names, got {len(self.names)}", where="Clip.names"
            )

    def __len__(self) -> int:
        return len(self.frames)

    def __repr__(self) -> str:
        source = f", {self.header.source!r}" if self.header.source else ""
        return f"Clip(frames {len(self)}, {self.skeleton.name}, ids {self.ids()}{source})"

    @property
    def skeleton(self) -> Skeleton:
        """The body layout of every frame."""
        return self.header.skeleton

    @property
    def times(self) -> npt.NDArray[np.float64]:
        """(T,) seconds of every frame."""
        return np.array([poses.time for poses in self.frames], np.float64)

    def ids(self) -> list[int]:
        """Return every identity in the clip, longest presence first."""
        found = [poses.ids for poses in self.frames if poses.ids is not None]
        ids, counts = np.unique(np.concatenate(found or [np.zeros(0, int)]), return_counts=True)
        return [int(ids[i]) for i in np.argsort(-counts, kind="stable")]

    def tracks(self) -> list[Track]:
        """Return everyone as a track, longest presence first.

        Raises:
            UsageError: There are people, but nobody has an id.
        """
        if not self.ids() and any(len(poses) for poses in self.frames):
            raise UsageError("its people have no ids", where="clip", remedy="track it first")
        return [self.track(identity) for identity in self.ids()]

    def track(self, identity: int) -> Track:
        """Return one person from the first to the last frame they are in.

        Raises:
            UsageError: Nobody has this id; the message names those that are there.
        """
        rows = [_row(poses, identity) for poses in self.frames]
        seen = [number for number, row in enumerate(rows) if row is not None]
        if not seen:
            raise UsageError(f"no person with id {identity}", remedy=f"its ids are {self.ids()}")
        span = slice(seen[0], seen[-1] + 1)
        chosen = list(zip(self.frames[span], rows[span], strict=True))
        has_xyz = any(poses.xyz is not None for poses, _ in chosen)
        return Track(
            identity,
            self.skeleton,
            self.times[span],
            _stack(chosen, "keypoints", (len(self.skeleton), 2), np.nan),
            _stack(chosen, "scores", (len(self.skeleton),), 0.0),
            _stack(chosen, "xyz", (len(self.skeleton), 3), np.nan) if has_xyz else None,
        )


def _row(poses: Poses, identity: int) -> int | None:
    if poses.ids is None:
        return None
    rows = np.flatnonzero(poses.ids == identity)
    return int(rows[0]) if len(rows) else None


def _stack(
    chosen: list[tuple[Poses, int | None]], field: str, shape: tuple[int, ...], absent: float
) -> FloatArray:
    stack = np.full((len(chosen), *shape), absent, np.float32)
    for number, (poses, row) in enumerate(chosen):
        values: FloatArray | None = getattr(poses, field)
        if row is not None and values is not None:
            stack[number] = values[row]
    return stack
