"""Pairs of performances whose difference is known, and how what a comparison finds is counted.

**What is planted.** One limb is turned by some degrees for some time, comes late, or a beat is
left out. A turn in depth may not show in a picture, so its size is measured: the angle between the
directions of the limb in the faulted and the faultless truth, frame by frame. Where 3D coordinates
are given too, the smaller of the two angles counts. A fault is demanded only where the median
of that angle over its time is at least ``SHOWS`` degrees; the others are dropped and counted.

**When it is there.** While the visible angle is at least half of that median, in seconds of the
reference. A late limb is wrong while it moves, so its time is from the first to the last moment
at which it shows; what was found may be longer, as far as the limb was really made late. Without
a beat, the attempt goes straight from the posture before it to the posture after the next one;
what is missing is as long as the beat, and anywhere within it and the next one.

**Events.** A fault that was found is right when its limb agrees and its time overlaps the
planted one by an intersection over union of at least ``OVERLAP``. ``left_upper_arm`` and
``left_arm`` agree with a turned upper arm, which carries the forearm with it; only
``left_forearm`` agrees with a turned forearm; legs likewise; with a late arm any piece of that arm
agrees; with a missed beat, ``body``. Everything else that was found is false, a second piece of
the same fault too, except what the planted fault really carries with it (the forearm of a turned
upper arm; head, shoulders and arms of a leaning trunk) and what is really different after a missed
beat (until the end of the beat after it). F1 = 2 right / (2 right + false + not found), summed over
all pairs, the faultless ones too.

**Cells.** Each limb in each thirtieth of a second of the reference is wrong where the visible
angle is at least ``SHOWS`` degrees, right where it is below half of that; between, and for carried
limbs, nothing is counted. F1 as above, over the cells.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from poise.angles import LIMB_NAMES, angle_between, limb_vectors
from poise.clip import Track
from poise.skeleton import get_skeleton
from poise.synthetic import (
    Camera,
    Choreography,
    Dancer,
    Proportions,
    arm_raises,
    dance,
    jumping_jacks,
    lunges,
    mirror,
    posture,
    sequence,
    squats,
    still,
)
from poise.synthetic.choreography import Change
from poise.synthetic.postures import JOINTS

SHOWS = 15.0
OVERLAP = 0.5
SIZES = (20.0, 30.0, 45.0, 60.0, 90.0)
LENGTHS = (0.5, 1.0, 2.0)
ARM, LEG = ("upper_arm", "forearm"), ("thigh", "shin")
FAULTY = (
    "head", "trunk", *(f"{side}_{limb}" for side in ("left", "right") for limb in (*ARM, *LEG)),
)  # fmt: skip
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Filming:
    """Who performs, before which camera, as settings of ``film``."""

    fps: float = 30.0
    size: tuple[int, int] = (640, 360)
    camera: Camera = field(default_factory=Camera)
    dancer: Mapping[str, Any] = field(default_factory=dict)
    skeleton: str = "coco17"
    depth: bool = False


def film(choreography: Choreography, filming: Filming | None = None, **changes: Any) -> Track:
    """Return the truth of one performance as a track, as ``Stage.clip`` does, without pictures."""
    how = dataclasses.replace(filming or Filming(), **changes)
    dancer = Dancer(choreography, **how.dancer)
    times = np.arange(max(1, round(choreography.duration * how.fps))) / how.fps
    names = get_skeleton(how.skeleton).keypoints
    points, depths = [], []
    for time in times:
        body, view = dancer.body(time), how.camera.at(time, how.size[::-1])
        places = np.stack([body.points[name] for name in names])
        points.append(view.project(places))
        depths.append((places - body.points["mid_hip"]) @ view.turn.T)
    scores = np.ones((len(times), len(names)), np.float32)
    xyz = np.array(depths, np.float32) if how.depth else None
    layout = get_skeleton(how.skeleton)
    return Track(1, layout, times, np.array(points, np.float32), scores, xyz)


@lru_cache(maxsize=8)
def reference_of(move: Choreography, filming: Filming) -> Track:
    """Return ``film`` of a reference, made once."""
    return film(move, filming)


def routine() -> Choreography:
    """Sixteen seconds of slow and quick postures that do not repeat."""
    tree, wave, punch = posture("tree"), posture("wave"), posture("punch")
    return sequence(
        ("t-pose", 0.8), ("hold", 0.4), ("arms up", 0.8), ("cactus", 0.6, "snap"), ("hold", 0.6),
        (posture("star", spine_side=12), 0.8), ("a-pose", 0.6), (mirror(wave), 0.9), ("hold", 0.5),
        (tree, 1.0), ("hold", 0.8), ("stand", 0.7), (posture("side lunge"), 0.9), ("hold", 0.5),
        ("hands on hips", 0.8), ("half squat", 0.7), ("cheer", 0.6, "snap"), ("t-pose", 0.7),
        (mirror(posture("side lunge")), 0.9), (punch, 0.7), (wave, 0.8), ("stand", 0.9),
        start="stand",
    )  # fmt: skip


def gym() -> Choreography:
    """Twelve seconds of exercises that repeat."""
    return sequence(arm_raises(2), jumping_jacks(3), lunges(2), ("stand", 0.5), ("star", 0.5))


def performances() -> dict[str, tuple[Choreography, Filming]]:
    """Return the references: what is performed, and how it is filmed."""
    aside = Filming(dancer={"facing": 70.0})
    return {
        "dance": (dance(), Filming()),
        "routine": (routine(), Filming()),
        "gym": (gym(), Filming()),
        "squats from the side": (squats(4), aside),
    }


# Pairs without faults


@dataclass(frozen=True)
class Pair:
    """A reference, an attempt, and the relation between them; ``None`` where it is not told."""

    name: str
    reference: Track
    attempt: Track
    offset: float | None = 0.0
    tempo: float = 1.0
    roll: float = 0.0
    mirrored: bool = False
    yaw: float | None = None


def complaints(pair: Pair, found: Any, whole: float = 100.0) -> list[str]:
    """Say what a comparison got wrong about a pair without faults.

    Asked for: at most 2 points less or more than ``whole``; the offset within 0.1 s, the tempo
    within 2 %, the roll within 1 degree, the mirror right, the yaw within 10 degrees.
    """
    relation, wrong = found.relation, []
    if abs(found.score - whole) > 2:
        wrong.append(f"score {found.score:.1f}, wanted {whole:.1f}")
    if relation.mirrored != pair.mirrored:
        wrong.append(f"mirrored {relation.mirrored}")
    if pair.offset is not None and abs(relation.offset - pair.offset) > 0.1:
        wrong.append(f"offset {relation.offset:.2f}, wanted {pair.offset:.2f}")
    if abs(relation.tempo / pair.tempo - 1) > 0.02:
        wrong.append(f"tempo {relation.tempo:.3f}, wanted {pair.tempo:.3f}")
    if abs(relation.roll - pair.roll) > 1:
        wrong.append(f"roll {relation.roll:.1f}, wanted {pair.roll:.1f}")
    if pair.yaw is not None and (relation.yaw is None or abs(relation.yaw - pair.yaw) > 10):
        wrong.append(f"yaw {relation.yaw}, wanted {pair.yaw:.0f}")
    return wrong


BODIES = {
    "child": {
        "scale": 0.68,
        "proportions": Proportions(head=1.3, thigh=0.22, shin=0.22, trunk=0.31, upper_arm=0.17),
    },
    "long limbs": {"proportions": Proportions(thigh=0.27, shin=0.27, forearm=0.17, trunk=0.25)},
    "broad": {"proportions": Proportions(girth=1.3, shoulder=0.13, hip=0.07, stature=1.85)},
}


def nuisances(move: Choreography, filming: Filming) -> Iterator[Pair]:
    """Yield the same performance under each nuisance alone, then under all of them."""
    reference = reference_of(move, filming)

    def pair(name: str, attempt: Track, **relation: Any) -> Pair:
        return Pair(name, reference, attempt, **relation)

    def filmed(**changes: Any) -> Track:
        extra = {**filming.dancer, **changes.pop("dancer", {})}
        return film(changes.pop("move", move), filming, dancer=extra, **changes)

    yield pair("nothing", reference)
    for zoom in (0.5, 0.7, 1.4, 2.0):
        yield pair(f"scale {zoom}", filmed(camera=Camera(zoom=zoom)))
    for metres in (4.0, 12.0):
        yield pair(f"camera at {metres:.0f} m", filmed(camera=Camera(distance=metres)))
    for size in ((1920, 1080), (320, 180), (360, 640), (480, 480)):
        yield pair(f"picture {size[0]}x{size[1]}", filmed(size=size))
    for pan in (-12.0, 12.0):
        yield pair(f"pan {pan:g}", filmed(camera=Camera(pan=pan)))
    yield pair("shifted in the picture", _moved(reference, 200.0, -80.0))
    facing = float(filming.dancer.get("facing", 0.0))
    yield pair("mirrored dancer", filmed(dancer={"mirror": True, "facing": -facing}), mirrored=True)
    yield pair("flipped picture", flipped(reference, 640), mirrored=True)
    for fps in (10.0, 15.0, 24.0, 29.97, 60.0):
        yield pair(f"{fps:g} fps", filmed(fps=fps))
    yield pair("uneven frames", uneven(filmed(fps=60.0)))
    for roll in (-10.0, -5.0, 5.0, 10.0):
        yield pair(f"roll {roll:g}", filmed(camera=Camera(roll=roll)), roll=roll)
    for late in (0.4, 1.3, 2.5, 5.0):
        yield pair(f"{late:g} s late", filmed(move=move.shifted(late)), offset=late)
    for early in (1.3, 2.5, 5.0):
        waits = film(move.shifted(early + 0.4), filming)
        attempt = filmed(move=move.shifted(0.4))
        yield Pair(f"{early:g} s early", waits, attempt, offset=-early)
    yield pair("recorded 0.4 s too late", cut(reference, 0.4, 99), offset=-0.4)
    yield pair("clock from 100 s", _later(reference, 100.0), offset=100.0)
    for tempo in (0.7, 0.8, 0.9, 1.1, 1.25, 1.4):
        yield pair(f"tempo {tempo:g}", filmed(move=move.at_tempo(tempo)), tempo=tempo)
    for name, body in BODIES.items():
        yield pair(name, filmed(dancer=body))
    yield pair("other skeleton", filmed(skeleton="blazepose33"))
    yield _everything(move, filming, reference)


def _everything(move: Choreography, filming: Filming, reference: Track) -> Pair:
    facing = float(filming.dancer.get("facing", 0.0))
    # Not aside: that is another view of the body, which no picture can undo.
    dancer = {**BODIES["child"], "mirror": True, "facing": -facing}
    attempt = film(
        move.at_tempo(0.85).shifted(1.7),
        filming,
        dancer=dancer,
        camera=Camera(roll=6.0, zoom=1.3),
        size=(480, 640),
        fps=24.0,
    )
    return Pair("all at once", reference, attempt, 1.7, 0.85, 6.0, True)


def _moved(track: Track, x: float, y: float) -> Track:
    return dataclasses.replace(track, keypoints=track.keypoints + np.float32([x, y]))


def _later(track: Track, seconds: float) -> Track:
    return dataclasses.replace(track, times=track.times + seconds)


def rows(track: Track, chosen: npt.NDArray[Any]) -> Track:
    """Return some frames of a track."""
    xyz = None if track.xyz is None else track.xyz[chosen]
    return dataclasses.replace(
        track,
        times=track.times[chosen],
        keypoints=track.keypoints[chosen],
        scores=track.scores[chosen],
        xyz=xyz,
    )


def cut(track: Track, start: float, end: float) -> Track:
    """Return a piece of a track, its clock begun anew."""
    piece = rows(track, np.flatnonzero((track.times >= start - 1e-9) & (track.times < end)))
    return _later(piece, -float(start))


def uneven(track: Track) -> Track:
    """Drop about half of the frames at random, as a phone does."""
    keep = np.random.default_rng(3).random(len(track)) < 0.5
    keep[[0, -1]] = True
    return rows(track, np.flatnonzero(keep))


def flipped(track: Track, width: int) -> Track:
    """Return what a model sees in the flipped picture: left and right change places."""
    order = np.array(track.skeleton.flip)
    points = track.keypoints[:, order].copy()
    points[..., 0] = width - points[..., 0]
    xyz = None
    if track.xyz is not None:
        xyz = track.xyz[:, order] * np.float32([-1, 1, 1])
    return dataclasses.replace(track, keypoints=points, scores=track.scores[:, order], xyz=xyz)


def backwards(track: Track) -> Track:
    """Return the performance reversed in time."""
    xyz = None if track.xyz is None else track.xyz[::-1]
    return dataclasses.replace(
        track,
        times=(track.times[-1] - track.times)[::-1],
        keypoints=track.keypoints[::-1],
        scores=track.scores[::-1],
        xyz=xyz,
    )


def wander(seconds: float, seed: int) -> Choreography:
    """Go from one random posture to the next, every half second."""
    random = np.random.default_rng(seed)
    sides = {"arm_side": 150, "arm_front": 60, "elbow": 110, "arm_twist": 80, "leg_side": 25}

    def any_posture() -> Any:
        joints = {f"{side}_{joint}": random.uniform(0, most) for side in ("left", "right")
                  for joint, most in sides.items()}  # fmt: skip
        return posture("stand", spine_side=random.uniform(-20, 20), **joints)

    return sequence(*[(any_posture(), 0.5) for _ in range(round(seconds * 2))])


def wrong_ones(name: str, seconds: float) -> dict[str, Choreography]:
    """Return what is not the reference ``name`` at all."""
    hanging = posture("stand", arm_side=4, elbow=4)
    others = {"dance": routine(), "routine": dance(), "gym": routine()}
    return {
        "another dance": others.get(name, jumping_jacks(8)),
        "stands still": still("stand", seconds),
        "arms hang": sequence((hanging, seconds), start=hanging),
        "t-pose held": still("t-pose", seconds),
        "random 1": wander(seconds, 1),
        "random 2": wander(seconds, 2),
    }


# Planted faults


@dataclass(frozen=True)
class Planted:
    """One planted fault; times in seconds of the reference.

    ``within`` is what was changed: it holds the time in which the fault shows.
    """

    limb: str
    kind: str
    size: float
    start: float
    end: float
    agree: frozenset[str]
    carried: frozenset[str] = frozenset()
    within: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, eq=False)
class Case:
    """A reference and an attempt with at most one planted fault.

    ``angles`` (T, L) are the visible degrees on the reference's frames, for the cells; None where
    the frames of the two do not correspond. ``begun`` is the second given to ``with_fault``.
    """

    name: str
    reference: Track
    attempt: Track
    planted: Planted | None
    angles: Floats | None
    begun: float = 0.0


def visible(reference: Track, attempt: Track) -> Floats:
    """Return (T, L) degrees between the limbs of two tracks with the same frames."""

    def between(one: Any, other: Any) -> Floats:
        a, _ = limb_vectors(reference.skeleton, one, reference.scores)
        b, _ = limb_vectors(attempt.skeleton, other, attempt.scores)
        return angle_between(a, b)

    angles = between(reference.keypoints, attempt.keypoints)
    if reference.xyz is not None and attempt.xyz is not None:
        angles = np.fmin(angles, between(reference.xyz, attempt.xyz))
    return angles


def agreeing(limb: str) -> frozenset[str]:
    """Return the names under which a turned limb may be reported."""
    side, _, kind = limb.partition("_")
    whole = {"upper_arm": "arm", "thigh": "leg"}.get(kind)
    return frozenset({limb, f"{side}_{whole}"} if whole else {limb})


def carried_by(limb: str) -> frozenset[str]:
    """Return the limbs that turn with a limb."""
    side, _, kind = limb.partition("_")
    chains = {"upper_arm": ("forearm",), "thigh": ("shin", "foot", "leg"), "shin": ("foot",)}
    if limb == "trunk":
        arms = {f"{side}_{piece}" for side in ("left", "right") for piece in (*ARM, "arm")}
        return frozenset({"head", "shoulders", "body", *arms})
    return frozenset(f"{side}_{piece}" for piece in chains.get(kind, ()))


def with_turned_limb(
    move: Choreography, filming: Filming, *, limb: str, degrees: float, start: float, length: float
) -> Case | None:
    """Return a pair with one limb turned, or None where that does not show enough."""
    reference = reference_of(move, filming)
    faulted = move.with_fault(limb, degrees=degrees, start=start, end=start + length)
    attempt = film(faulted, filming)
    angles = visible(reference, attempt)
    seen = angles[:, LIMB_NAMES.index(limb)]
    inside = (reference.times >= start) & (reference.times <= start + length)
    size = float(np.median(seen[inside]))
    if size < SHOWS:
        return None
    there = np.flatnonzero((seen >= size / 2) & _near(reference.times, start, start + length))
    times = reference.times[there]
    span = (float(times[0]), float(times[-1]))
    planted = Planted(limb, "pose", size, *span, agreeing(limb), carried_by(limb), span)
    name = f"{limb} {degrees:g} deg {length:g} s"
    return Case(name, reference, attempt, planted, angles, start)


def _near(times: Floats, start: float, end: float) -> npt.NDArray[np.bool_]:
    near: npt.NDArray[np.bool_] = (times >= start - 0.2) & (times <= end + 0.2)
    return near


def turned_limbs(
    move: Choreography,
    filming: Filming,
    *,
    limbs: Iterable[str] = FAULTY,
    sizes: Iterable[float] = SIZES,
    lengths: Iterable[float] = LENGTHS,
) -> Iterator[tuple[str, float, float, Case | None]]:
    """Yield every limb, size and length, begun at changing times; None where it does not show."""
    count = 0
    for limb in limbs:
        for degrees in sizes:
            for length in lengths:
                room = move.duration - length - 1.2
                start = 0.7 + (count * 0.618034 % 1.0) * room
                count += 1
                case = with_turned_limb(
                    move, filming, limb=limb, degrees=degrees, start=start, length=length
                )
                yield limb, degrees, length, case


def with_late_limb(
    move: Choreography, filming: Filming, *, limb: str, seconds: float, span: tuple[float, float]
) -> Case | None:
    """Return a pair in which an arm or a leg comes late for a while, or None if it hardly moves."""
    reference = reference_of(move, filming)
    side, _, kind = limb.partition("_")
    joints = ("arm", "elbow") if kind == "arm" else ("leg", "knee", "ankle")
    moved = np.array([name.startswith(tuple(f"{side}_{j}" for j in joints)) for name in JOINTS])
    start, end = span
    ramp = 2 * seconds  # at half speed into the delay, at half more than full speed out of it

    def change(sampler: Any, time: float) -> Any:
        share = np.clip(min((time - start) / ramp, (end - time) / ramp), 0, 1)
        return np.where(moved, sampler(time - seconds * share), sampler(time))

    changes: tuple[Change, ...] = (*move.changes, change)
    attempt = film(dataclasses.replace(move, changes=changes), filming)
    angles = visible(reference, attempt)
    pieces = [f"{side}_{piece}" for piece in (ARM if kind == "arm" else LEG)]
    seen = angles[:, [LIMB_NAMES.index(piece) for piece in pieces]].max(axis=1)
    times = reference.times[seen >= SHOWS]
    if len(times) < 8:
        return None
    agree = frozenset({limb, *pieces})
    carried = frozenset({f"{side}_foot"} if kind == "leg" else ())
    within = max(start, 0.0), min(end + seconds, reference.times[-1])
    planted = Planted(limb, "late", seconds, times[0], times[-1], agree, carried, within)
    return Case(f"{limb} {seconds:g} s late", reference, attempt, planted, angles)


def without_beat(move: Choreography, filming: Filming, beat: int) -> Case:
    """Return a pair in which the attempt leaves out one beat."""
    reference = reference_of(move, filming)
    starts = [*move.beat_times, move.duration, move.duration]
    everything = frozenset(LIMB_NAMES) | {
        f"{side}_{whole}" for side in ("left", "right") for whole in ("arm", "leg")
    }
    planted = Planted(
        "body", "missed", starts[beat + 1] - starts[beat], starts[beat], starts[beat + 1],
        frozenset({"body"}), everything | {"body"}, (starts[beat], starts[beat + 2]),
    )  # fmt: skip
    return Case(f"no beat {beat}", reference, film(move.without_beat(beat), filming), planted, None)


# Counting


@dataclass
class Count:
    """What was found rightly, wrongly, and not."""

    right: int = 0
    false: int = 0
    lost: int = 0

    @property
    def f1(self) -> float:
        """2 right / (2 right + false + lost); NaN where there is nothing to find."""
        total = 2 * self.right + self.false + self.lost
        return 2 * self.right / total if total else float("nan")

    def __iadd__(self, other: Count) -> Count:
        self.right, self.false = self.right + other.right, self.false + other.false
        self.lost += other.lost
        return self

    def __str__(self) -> str:
        return f"F1 {self.f1:.3f} ({self.right} right, {self.false} false, {self.lost} lost)"


def overlap(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Return the intersection over union of two stretches of time."""
    both = min(one[1], other[1]) - max(one[0], other[0])
    union = max(one[1], other[1]) - min(one[0], other[0])
    return max(0.0, both) / union if union > 0 else 0.0


def count_events(case: Case, faults: Iterable[Any]) -> tuple[Count, list[Any]]:
    """Count the faults of a comparison against the planted one; also return the false ones."""
    found, planted = list(faults), case.planted
    if planted is None:
        return Count(false=len(found)), found
    alike, others = _joined(case, planted, found)
    best = max(alike, key=lambda fault: agreement(planted, fault), default=None)
    right = best is not None and agreement(planted, best) >= OVERLAP
    rest = [fault for fault in alike if not (right and fault is best)] + others
    false = [fault for fault in rest if not _carried(planted, fault)]
    return Count(int(right), len(false), int(not right)), false


def agreement(planted: Planted, fault: Any) -> float:
    """Return the intersection over union of the times of a planted and a found fault."""
    start, end = planted.start, planted.end
    if planted.kind == "missed":
        length, (first, last) = end - start, planted.within
        start = float(np.clip((fault.start + fault.end - length) / 2, first, last - length))
        return overlap((fault.start, fault.end), (start, start + length))
    # Where it was changed, but does not show, it may be said or not.
    before = start if fault.start > start else start - max(0.0, planted.within[0] - fault.start)
    after = end if fault.end < end else end + max(0.0, fault.end - planted.within[1])
    return overlap((max(fault.start, before), min(fault.end, after)), (start, end))


def _joined(case: Case, planted: Planted, found: list[Any]) -> tuple[list[Any], list[Any]]:
    """Return what agrees, pieces joined where the fault does not show between them; the rest."""
    alike = sorted((f for f in found if f.limb in planted.agree), key=lambda fault: fault.start)
    whole: list[Any] = []
    for fault in alike:
        if whole and _unseen(case, planted, whole[-1].end, fault.start):
            end = max(whole[-1].end, fault.end)
            whole[-1] = dataclasses.replace(whole[-1], end=end)
        else:
            whole.append(fault)
    return whole, [fault for fault in found if not any(fault is one for one in alike)]


def _unseen(case: Case, planted: Planted, start: float, end: float) -> bool:
    if case.angles is None:
        return False
    if planted.kind == "late" and end - start <= 1.0:
        return True
    columns = [LIMB_NAMES.index(limb) for limb in planted.agree if limb in LIMB_NAMES]
    times = case.reference.times
    between = case.angles[(times > start) & (times < end)][:, columns].max(axis=1, initial=0.0)
    return bool(not len(between) or np.median(between) < SHOWS)


def _carried(planted: Planted, fault: Any) -> bool:
    if fault.limb not in planted.carried:
        return False
    span = (min(planted.start, planted.within[0]) - 0.25, planted.within[1] + 0.25)
    inside = min(fault.end, span[1]) - max(fault.start, span[0])
    return bool(inside >= 0.5 * (fault.end - fault.start))


def count_cells(case: Case, faults: Iterable[Any]) -> Count:
    """Count limbs and thirtieths of a second."""
    times = case.reference.times
    grid = np.arange(times[0], times[-1], 1 / 30)
    said = np.zeros((len(grid), len(FAULTY)), bool)
    for fault in faults:
        inside = (grid >= fault.start) & (grid <= fault.end)
        for limb in _pieces(fault.limb):
            said[inside, FAULTY.index(limb)] = True
    wrong, right = np.zeros_like(said), np.ones_like(said)
    if case.angles is not None and case.planted is not None:
        columns = [LIMB_NAMES.index(limb) for limb in FAULTY]
        nearest = np.abs(times[:, None] - grid).argmin(axis=0)
        angles = case.angles[nearest][:, columns]
        right = angles < SHOWS / 2
        wrong = angles >= SHOWS
        for limb in FAULTY:
            column = FAULTY.index(limb)
            if case.planted.kind == "late" and limb in case.planted.agree:
                right[_near(grid, *case.planted.within), column] = False
            elif limb not in case.planted.agree:
                wrong[:, column] = False
    return Count(int((said & wrong).sum()), int((said & right).sum()), int((~said & wrong).sum()))


def _pieces(limb: str) -> tuple[str, ...]:
    side, _, kind = limb.partition("_")
    if limb == "body":
        return FAULTY
    pieces = {"arm": ARM, "leg": LEG}.get(kind, (kind,))
    names = (limb,) if limb in FAULTY else tuple(f"{side}_{piece}" for piece in pieces)
    return tuple(name for name in names if name in FAULTY)
