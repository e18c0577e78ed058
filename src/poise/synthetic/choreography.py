"""A small language for movement: beats in a row, and changes to a whole performance.

A ``Choreography`` is a tuple of beats. Each beat takes some seconds and leads from the posture
that the last one ended in to its own. What is done to a performance afterwards (another tempo, a
mirror, a fault) returns a new choreography, and the changes apply in the order they were made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from poise.errors import UsageError, suggest
from poise.synthetic.postures import JOINT_NUMBER, JOINTS, Angles, mirror, posture

Sampler = Callable[[float], Angles]
Change = Callable[[Sampler, float], Angles]

EASINGS: dict[str, Callable[[float], float]] = {
    "linear": lambda u: u,
    "smooth": lambda u: u * u * (3 - 2 * u),
    "snap": lambda u: 1 - (1 - u) ** 3,
    "late": lambda u: u**3,
}

# The joint that turns a limb by the full angle, for faults.
LIMBS: dict[str, str] = {
    "head": "head_tilt", "trunk": "spine_side",
    **{f"{side}_{limb}": f"{side}_{joint}" for side in ("left", "right") for limb, joint in (
        ("upper_arm", "arm_side"), ("arm", "arm_side"), ("forearm", "elbow"),
        ("thigh", "leg_side"), ("leg", "leg_side"), ("shin", "knee"), ("foot", "ankle"))},
}  # fmt: skip


@dataclass(frozen=True)
class Beat:
    """One piece of a performance.

    Attributes:
        seconds: How long it takes.
        movement: The joint angles at a share 0..1 of the beat.
        blend: Share of the beat over which it leaves the posture that was before it.
        ease: How it leaves it: ``linear``, ``smooth``, ``snap`` or ``late``.
    """

    seconds: float
    movement: Callable[[float], Angles]
    blend: float = 1.0
    ease: str = "smooth"

    def __post_init__(self) -> None:
        if not self.seconds > 0:
            raise UsageError(f"wanted more than 0 seconds, got {self.seconds}", where="Beat")
        if self.ease not in EASINGS:
            raise UsageError(f"no easing '{self.ease}'", remedy=suggest(self.ease, EASINGS))

    def sample(self, before: Angles, share: float) -> Angles:
        """Return the joint angles at a share 0..1, coming from the posture before."""
        mine = self.movement(share)
        if self.blend <= 0 or share >= self.blend:
            return mine
        weight = EASINGS[self.ease](share / self.blend)
        return before + (mine - before) * weight


@dataclass(frozen=True, eq=False)
class Choreography:
    """Joint angles over time.

    Attributes:
        beats: The pieces, in order.
        start: The posture it begins with.
        tempo: How many times faster than written it is performed.
        lead: Seconds that the start posture is held before the first beat.
        changes: What was done to the whole performance.
    """

    beats: tuple[Beat, ...]
    start: Angles
    tempo: float = 1.0
    lead: float = 0.0
    changes: tuple[Change, ...] = ()

    @property
    def duration(self) -> float:
        """Seconds until the last beat has ended."""
        return self.lead + sum(beat.seconds for beat in self.beats) / self.tempo

    @property
    def beat_times(self) -> list[float]:
        """The second at which each beat begins."""
        ends = np.cumsum([0.0, *(beat.seconds for beat in self.beats)])[:-1]
        return [float(self.lead + end / self.tempo) for end in ends]

    def at(self, time: float) -> Angles:
        """Return the (D,) joint angles at a time; before and after, the first and last posture."""
        sampler: Sampler = self._written
        for change in self.changes:
            sampler = _changed(change, sampler)
        return sampler(time)

    def _written(self, time: float) -> Angles:
        written = (time - self.lead) * self.tempo
        posture_now = self.start
        if written <= 0:
            return posture_now
        for beat in self.beats:
            if written < beat.seconds:
                return beat.sample(posture_now, written / beat.seconds)
            posture_now = beat.sample(posture_now, 1.0)
            written -= beat.seconds
        return posture_now

    def __add__(self, other: Choreography) -> Choreography:
        """One after the other; the second keeps its tempo, and neither may have been changed."""
        if self.changes or other.changes:
            raise UsageError("join choreographies before they are changed")
        scaled = [replace(beat, seconds=beat.seconds / self.tempo) for beat in self.beats]
        scaled += [replace(beat, seconds=beat.seconds / other.tempo) for beat in other.beats]
        return Choreography(tuple(scaled), self.start, lead=self.lead)

    def repeated(self, times: int) -> Choreography:
        """Perform all beats several times in a row."""
        return replace(self, beats=self.beats * times)

    def mirrored(self) -> Choreography:
        """Let left and right change places."""
        return self._with(lambda sampler, time: mirror(sampler(time)))

    def at_tempo(self, factor: float) -> Choreography:
        """Perform it faster (``1.2``) or slower (``0.8``), with everything that was done to it."""
        if not factor > 0:
            raise UsageError(f"wanted a tempo above 0, got {factor}", where="at_tempo")
        if not self.changes:
            return replace(self, tempo=self.tempo * factor, lead=self.lead / factor)
        slow = replace(self, tempo=self.tempo * factor, lead=self.lead / factor, changes=())
        return replace(slow, changes=(lambda _, time: self.at(time * factor),))

    def shifted(self, seconds: float) -> Choreography:
        """Begin later, or with negative seconds earlier."""
        late = replace(self, lead=self.lead + seconds, changes=())
        if not self.changes:
            return late
        return replace(late, changes=(lambda _, time: self.at(time - seconds),))

    def with_fault(
        self, limb: str, *, degrees: float, start: float = 0.0, end: float = np.inf
    ) -> Choreography:
        """Turn one limb by some degrees between two times, with ramps of 0.15 s.

        Args:
            limb: ``left_forearm``, ``right_arm``, ``left_leg``, ``left_shin``, ``trunk``, ...
            degrees: Added to the joint that moves this limb.
            start: Second at which the fault is fully there.
            end: Second at which it begins to go away.
        """
        number = JOINT_NUMBER[LIMBS[_known_limb(limb)]]

        def change(sampler: Sampler, time: float) -> Angles:
            share = min((time - start) / 0.15 + 1, (end - time) / 0.15 + 1)
            turned = sampler(time).copy()
            turned[number] += degrees * EASINGS["smooth"](float(np.clip(share, 0, 1)))
            return turned

        return self._with(change)

    def without_beat(self, number: int) -> Choreography:
        """Leave one beat out; what follows comes earlier."""
        if not 0 <= number < len(self.beats):
            raise UsageError(f"no beat {number}; there are {len(self.beats)}, from 0")
        return replace(self, beats=self.beats[:number] + self.beats[number + 1 :])

    def delayed(self, limb: str, seconds: float) -> Choreography:
        """Let one limb (``left_arm``, ``right_leg``, ``head``, ``trunk``) come later."""
        _known_limb(limb)
        part = {"trunk": "spine", "head": "head"}.get(limb)
        side, _, kind = limb.partition("_")
        arm = kind in {"arm", "upper_arm", "forearm"}
        joints = ("arm", "elbow") if arm else ("leg", "knee", "ankle")
        heads = (part,) if part else tuple(f"{side}_{joint}" for joint in joints)
        late = np.array([joint.startswith(heads) for joint in JOINTS])
        return self._with(lambda now, time: np.where(late, now(time - seconds), now(time)))

    def _with(self, change: Change) -> Choreography:
        return replace(self, changes=(*self.changes, change))


def _changed(change: Change, sampler: Sampler) -> Sampler:
    return lambda time: change(sampler, time)


def _known_limb(limb: str) -> str:
    if limb not in LIMBS:
        raise UsageError(f"no limb named '{limb}'", remedy=suggest(limb, LIMBS))
    return limb


Item = Choreography | tuple[str | Angles, float] | tuple[str | Angles, float, str]


def still(name: str = "stand", seconds: float = 1.0) -> Choreography:
    """Hold one named posture."""
    held = posture(name)
    return Choreography((Beat(seconds, lambda _: held),), held)


def sequence(*items: Item, start: str | Angles | None = None) -> Choreography:
    """Perform items one after the other.

    Args:
        *items: ``("squat", 0.8)`` moves to a posture (a name or joint angles) in 0.8 s;
            ``("squat", 0.8, "snap")`` with another easing; ``("hold", 0.5)`` stays; a
            ``Choreography`` is performed.
        start: Posture at the beginning; by default that of the first item.
    """
    if not items:
        raise UsageError("wanted at least one item", where="sequence")
    begin = _start(items[0]) if start is None else _angles(start)
    now, beats = begin, []
    for item in items:
        for beat in _beats(item, now):
            beats.append(beat)
            now = beat.sample(now, 1.0)
    return Choreography(tuple(beats), begin)


def _angles(name: str | Angles) -> Angles:
    return posture(name) if isinstance(name, str) else np.asarray(name, float)


def _start(item: Item) -> Angles:
    if isinstance(item, Choreography):
        return item.start
    return posture() if isinstance(item[0], str) and item[0] == "hold" else _angles(item[0])


def _beats(item: Item, now: Angles) -> Sequence[Beat]:
    if isinstance(item, Choreography):
        if item.changes:
            raise UsageError("join choreographies before they are changed", where="sequence")
        return [replace(beat, seconds=beat.seconds / item.tempo) for beat in item.beats]
    name, seconds, *ease = item
    goal = now if isinstance(name, str) and name == "hold" else _angles(name)
    return [Beat(seconds, lambda _: goal, 1.0, ease[0] if ease else "smooth")]
