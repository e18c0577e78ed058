"""Count the repetitions of a track, or of poses as they come."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from poise.classification.repetitions.counting import ExerciseCounter, merge
from poise.classification.repetitions.cycles import Cycle
from poise.classification.repetitions.result import Repetition, Repetitions
from poise.classification.repetitions.signals import Scale, measure_frames
from poise.classification.repetitions.streams import NamedStream, UnnamedStream
from poise.classification.repetitions.table import (
    ANY,
    Exercise,
    find_exercise,
    needed_keypoints,
    sided,
)
from poise.classification.repetitions.unnamed import (
    Holder,
    find_component,
    finder_of,
    likeness,
    limb_features,
    repetition_of,
)
from poise.clip import Track
from poise.errors import InputError, UsageError
from poise.poses import Poses

Floats = npt.NDArray[np.float64]


def count_repetitions(track: Track, exercise: str = ANY) -> Repetitions:
    """Count the repetitions of one person.

    Args:
        track: One person through time.
        exercise: A name of ``EXERCISES``, or ``any`` for whatever repeats.

    Raises:
        UsageError: There is no such exercise, or the track is a single picture.
        InputError: A keypoint that the exercise needs was never seen.
    """
    if exercise != ANY:
        find_exercise(exercise)
    if len(track) < 2:
        raise UsageError(
            "one frame has no repetitions", where=f"person {track.id}", remedy="give a video"
        )
    return _count_any(track) if exercise == ANY else _count_named(track, find_exercise(exercise))


def _count_named(track: Track, exercise: Exercise) -> Repetitions:
    counter = ExerciseCounter(exercise)
    rows, units = measure_frames(track.skeleton, track.keypoints, track.scores, counter.names)
    drives = rows[:, [counter.names.index(name) for name in sided(exercise.drive)]]
    seen = np.isfinite(drives).any(axis=1)
    if not seen.any():
        raise _never_seen(track, exercise)
    done: list[Repetition] = []
    phase = np.full(len(track), np.nan)
    for number, time in enumerate(track.times.tolist()):
        for new in counter.push(time, rows[number], float(units[number])):
            merge(done, new)
        phase[number] = counter.phase
    for new in counter.finish():
        merge(done, new)
    joint = exercise.joint.rpartition("_")[2]
    return Repetitions(
        track.id, exercise.name, tuple(done), track.times, phase, float(seen.mean()),
        counter.under_way, joint,
    )  # fmt: skip


def _never_seen(track: Track, exercise: Exercise) -> InputError:
    missing = []
    for keypoint in needed_keypoints(exercise):
        row = track.skeleton.find(keypoint)
        if row is None or not (track.scores[:, row] > 0).any():
            missing.append(keypoint.replace("_", " "))
    names = ", ".join(missing)
    what = (
        f"never seen: {names}" if missing else "never seen together on one side: "
        + ", ".join(name.replace("_", " ") for name in needed_keypoints(exercise))
    )  # fmt: skip
    return InputError(
        what, where=f"person {track.id}", remedy=f"counting {exercise.plural} needs them"
    )


def _count_any(track: Track) -> Repetitions:
    features = _scaled_features(track)
    component = find_component(track.times, features)
    phase = np.full(len(track), np.nan)
    if component is None:
        return Repetitions(track.id, ANY, (), track.times, phase, 0.0)
    finder = finder_of(component)
    found: list[Cycle | None] = []
    for number, time in enumerate(track.times.tolist()):
        found.append(finder.push(time, component.project(features[number]), features[number]))
        phase[number] = finder.phase
    cycles = [cycle for cycle in [*found, finder.finish()] if cycle is not None]
    return Repetitions(
        track.id, ANY, tuple(map(repetition_of, cycles)), track.times, phase,
        likeness(cycles), finder.under_way,
    )  # fmt: skip


def _scaled_features(track: Track) -> Floats:
    _, raw = measure_frames(track.skeleton, track.keypoints, track.scores, ("leaning",))
    scale = Scale()
    times = track.times.tolist()
    units = [scale.update(t, u) for t, u in zip(times, raw.tolist(), strict=True)]
    features = limb_features(track.skeleton, track.keypoints, track.scores)
    scaled = features / np.array(units)[:, None]
    holder = Holder()
    return np.array([holder.update(time, row) for time, row in zip(times, scaled, strict=True)])


class RepetitionCounter:
    """Counts repetitions while they are done; holds a bounded number of frames.

    A named exercise is counted as ``count_repetitions`` counts it. Of a movement without a name
    the last 30 s are kept until it was seen three times; from then on that movement is counted.

    Args:
        exercise: A name of ``EXERCISES``, or ``any``.
        person: Identity of whom to count; None for the largest person of the first frame in which
            there is anybody, by its id from then on.

    Raises:
        UsageError: There is no such exercise.
    """

    def __init__(self, exercise: str = ANY, *, person: int | None = None) -> None:
        self.exercise = exercise
        self._person = person
        named = None if exercise == ANY else ExerciseCounter(find_exercise(exercise))
        self._way: NamedStream | UnnamedStream = (
            UnnamedStream() if named is None else NamedStream(named)
        )

    @property
    def count(self) -> int:
        """How many are complete."""
        return self._way.count

    @property
    def phase(self) -> float:
        """0 at rest, 0.5 farthest out, towards 1 on the way back; NaN where unknown."""
        return self._way.phase

    @property
    def last(self) -> Repetition | None:
        """The repetition that was completed last."""
        return self._way.last

    def update(self, poses: Poses) -> int:
        """Take the next frame; return the count."""
        row = self._row(poses)
        if row is not None:
            self._way.push(
                poses.time, poses.skeleton, poses.keypoints[row : row + 1],
                poses.scores[row : row + 1],
            )  # fmt: skip
        return self.count

    def finish(self) -> int:
        """The last frame has been told: count what was as good as back, and return the count."""
        self._way.finish()
        return self.count

    def _row(self, poses: Poses) -> int | None:
        if not len(poses):
            return None
        sizes = np.nan_to_num((poses.boxes[:, 2:] - poses.boxes[:, :2]).prod(axis=1), nan=0.0)
        if poses.ids is None:
            return int(np.argmax(sizes))
        if self._person is None:
            self._person = int(poses.ids[int(np.argmax(sizes))])
        rows = np.flatnonzero(poses.ids == self._person)
        return int(rows[0]) if len(rows) else None
