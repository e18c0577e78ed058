"""The live comparison: a coach that looks at each frame as it comes, and says what is wrong now."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from poise.angles import limb_vectors
from poise.clip import Track
from poise.comparison.correction import Corrector
from poise.comparison.faults import Scene, find_faults
from poise.comparison.judge import check_common
from poise.comparison.matching import spread_limbs
from poise.comparison.performance import RATE, Performance, perform
from poise.comparison.pupil import Pupil
from poise.comparison.rehearsal import SECOND, Rehearsal, Script
from poise.comparison.result import Fault, Part, Verdict
from poise.comparison.scoring import (
    cover,
    join_scores,
    judge_score,
    score_parts,
    score_timing,
    weigh,
)
from poise.comparison.stances import Stances
from poise.comparison.timing import Gap, measure_motion
from poise.comparison.views import Mirror, facing
from poise.comparison.words import LANGUAGES, describe_fault
from poise.errors import UsageError, suggest
from poise.poses import Poses
from poise.skeleton import Skeleton

Floats = npt.NDArray[np.float64]
State = Literal["waiting", "following", "lost", "done"]

_SURE = 40.0  # by how much better, as a logarithm, one side must explain what was seen
_LIKELIER = 4.0  # from where on the mirror image is taken for it
_EARLY = 10.0  # seconds after the begin in which the mirror may still be changed
_UNSIDED = 2.0  # seconds for which nothing is said while the mirror is not certain
_ABSENT = 0.5  # seconds without anybody, or after a leap, in which the person is lost
_STRANGE = 0.09  # mean cost above which this is not the reference


@dataclass(frozen=True, eq=False)
class Advice:
    """What a coach says to one frame.

    Attributes:
        state: ``waiting`` (nobody, or not begun), ``following``, ``lost`` (the person is gone, or
            does something else) or ``done``.
        score: 0..100 of about the last second; None before it is known.
        running: 0..100 of everything so far; None before it is known.
        phase: 0..1 through the reference.
        reference_time: Seconds of the reference.
        lag: Seconds behind (positive) or ahead of a steady tempo, or of the music where an offset
            was given; None before it is known.
        tempo: Speed by that of the reference, or None.
        correction: What is most wrong right now, in words, or None.
        limbs: (L,) errors in degrees, in the order of ``LIMB_NAMES``; NaN where not judged.
        mirrored: Whether the attempt is seen as a mirror image.
    """

    state: State
    score: float | None
    running: float | None
    phase: float
    reference_time: float
    lag: float | None
    tempo: float | None
    correction: Fault | None
    limbs: Floats
    mirrored: bool


@dataclass(frozen=True)
class Summary:
    """What a coach says at the end; all fields are those of a ``Comparison``."""

    score: float
    verdict: Verdict
    shape: float
    timing: float
    coverage: float
    mirrored: bool
    tempo: float
    limbs: tuple[Part, ...]
    joints: tuple[Part, ...]
    faults: tuple[Fault, ...]


class Coach:
    """Compares somebody with a reference while they perform it.

    No later frame is needed. Memory and work for a frame do not grow with the session; memory
    grows with the reference.

    Args:
        reference: How it should be.
        mirror: Whether the attempt is a mirror image: ``yes``, ``no``, or ``auto`` to find out in
            the first seconds.
        person: Id of who is coached; None takes the main person, and stays with them.
        language: Of the sentences: ``en`` or ``de``.
        offset: Seconds by which the attempt's music is later on its clock than the same music in
            the reference's; None where there is no music to keep up with.

    Raises:
        UsageError: The reference is empty, or an option is wrong.
    """

    def __init__(
        self,
        reference: Track,
        *,
        mirror: Mirror = "auto",
        person: int | None = None,
        language: str = "en",
        offset: float | None = None,
    ) -> None:
        sides = {"auto": (False, True), "yes": (True,), "no": (False,)}
        if mirror not in sides:
            raise UsageError(f"wanted auto, yes or no, got '{mirror}'", where="mirror")
        if language not in LANGUAGES:
            remedy = suggest(language, LANGUAGES)
            raise UsageError(f"no language named '{language}'", where="language", remedy=remedy)
        ours = perform(reference)
        self._skeleton = reference.skeleton
        self._script = Script(
            Stances.of(ours), spread_limbs(ours), measure_motion(ours), facing(ours), offset
        )
        self._language = language
        self._sides = [Rehearsal(self._script, mirrored=side) for side in sides[mirror]]
        self._pupil = Pupil(person)
        self._corrector = Corrector(self._script.facing, language)
        self._known: Skeleton | None = None
        self._facing = 0.0
        self._time, self._begun, self._seen = -np.inf, np.inf, -np.inf
        self._advice: Advice | None = None

    def update(self, poses: Poses) -> Advice:
        """Look at the next frame.

        A frame with the time of the one before is not looked at again.

        Raises:
            UsageError: Time runs backwards, or the skeleton has too few limbs in common with the
                reference's.
        """
        if poses.time == self._time and self._advice is not None:
            return self._advice
        if not poses.time > self._time:
            raise UsageError(
                f"time ran backwards, from {self._time:.3f} to {poses.time:.3f} s",
                where="Poses.time",
                remedy="give the frames in order, or begin with a new Coach",
            )
        self._check(poses.skeleton)
        step = poses.time - self._time
        self._time = poses.time
        row = self._pupil.find(poses, waiting=not self._rehearsal.begun)
        stance = None if row is None else self._see(poses, row, step)
        if stance is not None:
            self._seen = poses.time
        for rehearsal in self._sides:
            rehearsal.update(stance, poses.time)
        self._choose_side()
        self._advice = self._advise()
        return self._advice

    def finish(self) -> Summary:
        """Return the judgement of everything that was seen; more frames may follow."""
        rehearsal = self._rehearsal
        errors = replace(
            rehearsal.record.errors(slice(None), rehearsal.limbs), reference=self._script.stances
        )
        losses, timing = weigh(errors), rehearsal.timing
        timing = replace(timing, gaps=_gaps(errors.left_out, self._script.stances.times))
        shape, kept, coverage = losses.score(slice(None)), score_timing(timing), cover(errors)
        shape = 0.0 if np.isnan(shape) else shape
        limbs, joints = score_parts(errors, losses)
        scene = Scene(errors, timing, (), self._script.facing)
        faults = tuple(
            replace(one, text=describe_fault(one, self._language, mirrored=rehearsal.mirrored))
            for one in find_faults(scene)
        )
        score = join_scores(shape, kept)
        return Summary(
            score,
            judge_score(score, coverage),
            shape,
            kept,
            coverage,
            rehearsal.mirrored,
            timing.tempo,
            limbs,
            joints,
            faults,
        )

    @property
    def _rehearsal(self) -> Rehearsal:
        return self._sides[0]

    def _check(self, skeleton: Skeleton) -> None:
        if skeleton == self._known:
            return
        # Any pose without equal keypoints shows which limbs a skeleton has.
        points = np.arange(2.0 * len(skeleton)).reshape(-1, 2) ** 2
        _, has = limb_vectors(skeleton, points, np.ones(len(skeleton)))
        common = (has > 0) & (self._script.stances.weights > 0).any(axis=0)
        check_common(common, self._skeleton.name, skeleton.name)
        self._known = skeleton

    def _see(self, poses: Poses, row: int, step: float) -> Stances:
        points = poses.keypoints[row : row + 1].astype(np.float64)
        scores = poses.scores[row : row + 1].astype(np.float64)
        seen = Performance(poses.skeleton, np.array([poses.time]), points, scores, None)
        if self._time <= self._begun + SECOND / RATE:
            self._facing += (facing(seen) - self._facing) * min(1.0, step)
        stance = Stances.of(seen)
        return stance.from_behind() if self._facing * self._script.facing < 0 else stance

    def _choose_side(self) -> None:
        """Put the side that explains what was seen first; in time, forget the other."""
        if self._rehearsal.begun:
            self._begun = min(self._begun, self._time)
        if len(self._sides) < 2:
            return
        plain, mirror = sorted(self._sides, key=lambda side: side.mirrored)
        gain = mirror.tracker.evidence - plain.tracker.evidence
        self._sides = [mirror, plain] if gain > _LIKELIER else [plain, mirror]
        late = self._time - self._begun
        if late > _EARLY or (late > 1 and abs(gain) > _SURE):
            del self._sides[1:]

    def _advise(self) -> Advice:
        rehearsal, times = self._rehearsal, self._script.stances.times
        state = self._tell_state()
        begun = rehearsal.begun
        place = rehearsal.place
        sided = len(self._sides) == 1 or self._time - self._begun > _UNSIDED
        sure = state == "following" and sided
        return Advice(
            state,
            rehearsal.score if begun else None,
            rehearsal.running if begun else None,
            place / max(len(times) - 1, 1),
            float(np.interp(place, np.arange(len(times)), times)),
            rehearsal.lag if begun else None,
            rehearsal.tempo if begun else None,
            self._corrector.update(rehearsal, self._time) if sure else None,
            rehearsal.errors,
            rehearsal.mirrored,
        )

    def _tell_state(self) -> State:
        rehearsal = self._rehearsal
        if self._advice is not None and self._advice.state == "done":
            return "done"
        if not rehearsal.begun:
            return "waiting"
        tracker = rehearsal.tracker
        if tracker.ended > 0.5 or tracker.position > len(self._script) - 2 > RATE / 3:
            return "done"
        gone = self._time - self._seen > _ABSENT or self._time - rehearsal.leapt < _ABSENT
        return "lost" if gone or rehearsal.cost > _STRANGE else "following"


def _gaps(left_out: npt.NDArray[np.bool_], times: Floats) -> tuple[Gap, ...]:
    """Return the runs of moments that were left out."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], left_out, [False]]).astype(int)))
    gaps = []
    for first, after in edges.reshape(-1, 2).tolist():
        start, end = float(times[first]), float(times[after - 1]) + 1 / RATE
        gaps.append(Gap(True, start, end, np.nan, np.nan, end - start))
    return tuple(gaps)
