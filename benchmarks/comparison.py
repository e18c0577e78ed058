"""How well performances are compared: the tables of ``docs/compare.md``.

``python benchmarks/comparison.py [TABLE...] [--cache FOLDER] [--data FOLDER]``. Tables: nuisances,
faults, together, monotone, controls, cost (all from the truth of the synthetic stage), model (the
same through BlazePose, which takes minutes; ``--cache`` keeps what it estimated), training and
cameras (real recordings from the reference data). What is planted and how what was found is
counted is said in ``tests/comparison_cases.py``.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
import tracemalloc
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import comparison_cases as cases
from comparison_cases import Case, Count, Filming, count_cells, count_events, film
from poise.angles import LIMB_NAMES
from poise.clip import Clip, Track
from poise.comparison import Comparison, compare
from poise.models import load_model
from poise.pipeline import estimate
from poise.skeleton import get_skeleton
from poise.synthetic import Camera, Choreography, Dancer, Stage, dance

EXERCISES = ("frontraise", "shoulderpress", "shouldershrug")
LATE = ("left_arm", "right_arm", "left_leg", "right_leg")


class Bench:
    """Where things are, and what was estimated already."""

    def __init__(self, data: Path, cache: Path | None) -> None:
        self.data, self.cache = data, cache
        self._model = None

    def estimated(self, name: str, source: Callable[[], object]) -> Track:
        """Return the main person of a source as BlazePose sees it."""
        kept = self.cache / f"{name}.npz" if self.cache else None
        if kept and kept.exists():
            file = np.load(kept)
            return Track(1, get_skeleton("blazepose33"), *(file[key] for key in file.files))
        self._model = self._model or load_model("blazepose", precision="f32")
        with estimate(source(), self._model, smooth="savgol", repair_swaps=True) as found:
            track = Clip(tuple(found), found.header).tracks()[0]
        if kept:
            kept.parent.mkdir(parents=True, exist_ok=True)
            np.savez(kept, times=track.times, keypoints=track.keypoints, scores=track.scores,
                     xyz=track.xyz)  # fmt: skip
        return track


def table_nuisances(_: Bench) -> None:
    """Print how far each nuisance moves the score."""
    for name, (move, filming) in cases.performances().items():
        pairs = [(pair, compare(pair.reference, pair.attempt))
                 for pair in cases.nuisances(move, filming)]  # fmt: skip
        worst = min(pairs, key=lambda one: one[1].score)
        bad = [(pair, found) for pair, found in pairs if cases.complaints(pair, found)]
        print(f"\n{name}: {len(pairs)} pairs, lowest score {worst[1].score:.2f} ({worst[0].name})")
        print(f"  with faults reported: {[p.name for p, found in pairs if found.faults]}")
        for pair, found in bad:
            print(f"  {pair.name}: {'; '.join(cases.complaints(pair, found))} | {_brief(found)}")


def _brief(found: Comparison) -> str:
    faults = [f"{f.limb} {f.kind} {f.start:.1f}-{f.end:.1f} {f.degrees:.0f}°/{f.seconds:.2f}s"
              for f in found.faults[:5]]  # fmt: skip
    return (
        f"{found.score:.1f} (shape {found.shape:.1f}, timing {found.timing:.1f}) {found.verdict}, "
        f"coverage {found.coverage:.2f}, {len(found.faults)} faults {faults}"
    )


def planted_cases(quick: bool = False) -> Iterable[tuple[str, str, Case | None]]:
    """Yield performance, group and case: every limb, size and length, late limbs, missed beats."""
    for name, (move, filming) in cases.performances().items():
        sizes = (30.0, 60.0) if quick else cases.SIZES
        for limb, degrees, length, case in cases.turned_limbs(move, filming, sizes=sizes):
            yield name, f"{limb.removeprefix('left_').removeprefix('right_')}", case
            if case is not None:
                yield name, f"{degrees:g} degrees", case
                yield name, f"{length:g} s", case
        if "squats" in name:
            continue
        for limb in LATE:
            for seconds in (0.3, 0.4, 0.5):
                for span in ((-9.0, 99.0), (2.0, 6.5)):
                    late = cases.with_late_limb(
                        move, filming, limb=limb, seconds=seconds, span=span
                    )
                    yield name, f"late limb, {'part' if span[0] > 0 else 'throughout'}", late
    for name in ("dance", "routine"):
        move, filming = cases.performances()[name]
        for beat in range(2, len(move.beats) - 2):
            yield name, "missed beat", cases.without_beat(move, filming, beat)


def table_faults(_: Bench) -> None:
    """Print what is found of what was planted, on the truth."""
    _print_found(planted_cases(), lambda case: compare(case.reference, case.attempt))


def _print_found(
    made: Iterable[tuple[str, str, Case | None]], judge: Callable[[Case], Comparison]
) -> None:
    events: dict[str, Count] = defaultdict(Count)
    cells: dict[str, Count] = defaultdict(Count)
    known: dict[int, tuple[Count, Count | None, list[object], Comparison]] = {}
    dropped, failures = 0, []
    kept = []
    for performance, group, case in made:
        if case is None:
            dropped += 1
            continue
        new = id(case) not in known
        if new:
            found = judge(case)
            count, false = count_events(case, found.faults)
            covered = None if case.angles is None else count_cells(case, found.faults)
            known[id(case)] = count, covered, false, found
            kept.append(case)  # keeps its id taken
            if count.f1 < 1:
                failures.append((performance, case, count, false, found))
        count, covered, _, found = known[id(case)]
        groups = (group, "ALL", f"in {performance}") if new else (group,)
        for one in groups:
            events[one] += count
            if covered is not None:
                cells[one] += covered
    print(f"\n{len(kept)} pairs; {dropped} dropped: the fault does not show")
    for group in sorted(events):
        print(f"  {group:28} events {events[group]} | cells {cells[group]}")
    for performance, case, count, false, found in failures:
        planted = case.planted
        wanted = f"{planted.start:.2f}-{planted.end:.2f} {planted.size:.2f}" if planted else "none"
        said = [f"{f.limb} {f.kind} {f.start:.2f}-{f.end:.2f} {f.degrees:.0f}°{f.seconds:+.2f}s"
                f"{' FALSE' if any(f is one for one in false) else ''}"
                for f in found.faults]  # fmt: skip
        print(
            f"    {performance}, {case.name}: wanted {wanted}, {count.lost} lost, tempo "
            f"{found.relation.tempo:.2f}, offset {found.relation.offset:.2f}, got {said}"
        )


def table_together(_: Bench) -> None:
    """Print what is found where nuisances lie over the faults."""

    def made() -> Iterable[tuple[str, str, Case | None]]:
        for name, (move, filming) in cases.performances().items():
            if name == "gym":
                continue
            for limb, degrees, _, case in cases.turned_limbs(
                move, filming, sizes=(30.0, 60.0), lengths=(1.0,)
            ):
                yield name, f"{limb} {degrees:g}", case

    def judge(case: Case) -> Comparison:
        return compare(case.reference, _refilmed(case.attempt))

    _print_found(made(), judge)


def _refilmed(track: Track) -> Track:
    """Return the attempt smaller, rolled by 5 degrees, later by 1.3 s and 12 % slower."""
    roll = np.radians(5.0)
    turn = np.array([[np.cos(roll), np.sin(roll)], [-np.sin(roll), np.cos(roll)]])
    points = (track.keypoints * 0.8) @ turn
    return Track(
        1,
        track.skeleton,
        track.times / 0.88 + 1.3,
        points.astype(np.float32),
        track.scores,
        track.xyz,
    )


def table_monotone(_: Bench) -> None:
    """Print the score by size and by length of a fault, for each limb."""
    for name in ("dance", "routine"):
        move, filming = cases.performances()[name]
        reference = cases.reference_of(move, filming)
        for limb in cases.FAULTY:
            for label, faults in (
                ("0 20 30 45 60 90 deg", [(d, 1.0) for d in (0.0, *cases.SIZES)]),
                ("0.5 1 2 4 s", [(45.0, s) for s in (0.5, 1.0, 2.0, 4.0)]),
            ):
                sizes, scores = [], []
                for degrees, seconds in faults:
                    turned = move.with_fault(limb, degrees=degrees, start=4.2, end=4.2 + seconds)
                    attempt = film(turned, filming)
                    column = LIMB_NAMES.index(limb)
                    sizes.append(cases.visible(reference, attempt)[:, column].sum() / 30)
                    scores.append(compare(reference, attempt).score)
                steps = zip(np.diff(sizes), np.diff(scores), strict=True)
                rises = any(wider > 0 and better > 0.05 for wider, better in steps)
                shown = " ".join(f"{score:6.2f}" for score in scores)
                seen = " ".join(f"{size:.0f}" for size in sizes)
                print(f"  {name:8} {limb:16} {label:22} {shown}  visible deg*s {seen}"
                      f"{'  RISES' if rises else ''}")  # fmt: skip


def table_controls(_: Bench) -> None:
    """Print the scores of what is something else."""
    for name, (move, filming) in cases.performances().items():
        reference = cases.reference_of(move, filming)
        attempts = {
            what: film(other, filming)
            for what, other in cases.wrong_ones(name, reference.times[-1]).items()
        }
        if "squats" not in name:  # these are the same backwards
            attempts["backwards"] = cases.backwards(reference)
        print(f"\n{name}")
        for what, attempt in attempts.items():
            found = compare(reference, attempt)
            relation = found.relation
            print(f"  {what:14} {found.score:5.1f} (shape {found.shape:.1f}, timing "
                  f"{found.timing:.1f}) {found.verdict}; tempo {relation.tempo:.2f}, offset "
                  f"{relation.offset:.1f}, coverage {found.coverage:.2f}")  # fmt: skip


def table_cost(_: Bench) -> None:
    """Print seconds and memory of two clips of 60 s at 30 frames/s."""
    long = dance().repeated(7)
    reference = film(long, skeleton="blazepose33", depth=True)
    learner = long.at_tempo(0.95).shifted(0.7)
    attempt = film(learner, skeleton="blazepose33", depth=True)
    reference, attempt = cases.cut(reference, 0, 60), cases.cut(attempt, 0, 60)
    compare(reference, attempt)
    took = []
    for _ in range(7):
        begin = time.perf_counter()
        compare(reference, attempt)
        took.append(time.perf_counter() - begin)
    tracemalloc.start()
    found = compare(reference, attempt)
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    print(f"\n60 s against 60 s, {len(reference)} frames each: median {statistics.median(took):.3f}"
          f" s (least {min(took):.3f}), {peak:.0f} MB; {_brief(found)}")  # fmt: skip


# Through the real model


def _stage(move: Choreography, camera: Camera | None = None, *, fps: float = 20.0, seed: int = 0,
           size: tuple[int, int] = (640, 360), **dancer: object) -> Stage:  # fmt: skip
    return Stage(Dancer(move, **dancer), camera=camera, fps=fps, seed=seed, size=size)


def table_model(bench: Bench) -> None:
    """Print the same through BlazePose: nuisances, faults, what is wrong altogether."""
    move = dance()

    def seen(name: str, stage: Stage) -> Track:
        return bench.estimated(f"stage {name}", stage.frames)

    reference = seen("reference", _stage(move))
    again = seen("again", _stage(move, seed=5))
    whole = compare(reference, again)
    print(f"\nthe same again, another room and clothes: {_brief(whole)}")
    for pair, stage in _model_nuisances(move).values():
        found = compare(reference, seen(pair.name, stage))
        wrong = cases.complaints(pair, found, whole.score)
        print(f"  {pair.name:18} {_brief(found)} {'; '.join(wrong)}")
    for what, other in cases.wrong_ones("dance", 9.0).items():
        print(f"  {what:18} {_brief(compare(reference, seen(what, _stage(other))))}")
    made, stages = _model_cases(move)
    _print_found(
        made, lambda case: compare(reference, seen(case.name.replace(" ", "_"), stages[case.name]))
    )
    print("\nthe same pairs on the truth:")
    _print_found(made, lambda case: compare(case.reference, case.attempt))


def _model_nuisances(move: Choreography) -> dict[str, tuple[cases.Pair, Stage]]:
    reference = cases.reference_of(move, Filming(fps=20.0))

    def pair(name: str, stage: Stage, **relation: float | bool) -> tuple[cases.Pair, Stage]:
        return cases.Pair(name, reference, reference, **relation), stage

    child = cases.BODIES["child"]
    made = [
        pair("smaller", _stage(move, Camera(zoom=0.5))),
        pair("portrait", _stage(move, Camera(zoom=0.7), size=(360, 640))),
        pair("large picture", _stage(move, size=(1280, 720))),
        pair("mirrored", _stage(move, mirror=True), mirrored=True),
        pair("10 fps", _stage(move, fps=10.0)),
        pair("30 fps", _stage(move, fps=30.0)),
        pair("rolled", _stage(move, Camera(roll=8.0)), roll=8.0),
        pair("late", _stage(move.shifted(2.0)), offset=2.0),
        pair("slower", _stage(move.at_tempo(0.8)), tempo=0.8),
        pair("faster", _stage(move.at_tempo(1.3)), tempo=1.3),
        pair("child", _stage(move, **child)),
        pair("aside", _stage(move, position=(-0.7, 0.5))),
        # The camera walks to the right of the stage, which is the left of who faces it.
        pair("camera 25 to left", _stage(move, Camera(orbit=25.0)), yaw=25.0),
    ]
    return {one.name: (one, stage) for one, stage in made}


def _model_cases(
    move: Choreography,
) -> tuple[list[tuple[str, str, Case | None]], dict[str, Stage]]:
    filming = Filming(fps=20.0)
    made: list[tuple[str, str, Case | None]] = []
    stages: dict[str, Stage] = {}
    for limb, degrees, length, case in cases.turned_limbs(
        move, filming, sizes=(30.0, 45.0, 60.0), lengths=(1.0,)
    ):
        made.append(("dance", f"{degrees:g} degrees, {length:g} s", case))
        if case is not None:
            start = case.begun
            turned = move.with_fault(limb, degrees=degrees, start=start, end=start + length)
            stages[case.name] = _stage(turned)
    for beat in (4, 9, 14):
        case = cases.without_beat(move, filming, beat)
        made.append(("dance", "missed beat", case))
        stages[case.name] = _stage(move.without_beat(beat))
    for limb in ("left_arm", "right_leg"):
        case = cases.with_late_limb(move, filming, limb=limb, seconds=0.4, span=(-9, 99))
        made.append(("dance", "late limb", case))
        if case is not None:
            stages[case.name] = _stage(move.delayed(limb, 0.4))
    return made, stages


# Real recordings


def table_training(bench: Bench) -> None:
    """Print how good and bad form are told apart, by thresholds from two other exercises."""
    scores = {one: _trained(bench.data / "keypoints" / "posetrainer" / one) for one in EXERCISES}
    for exercise, (good, bad) in scores.items():
        others = [scores[one] for one in EXERCISES if one != exercise]
        pooled = [np.concatenate([one[kind] for one in others]) for kind in (0, 1)]
        limit, _ = _best_limit(*pooled)
        told = (np.mean(good >= limit) + np.mean(bad < limit)) / 2
        own, best = _best_limit(good, bad)
        print(
            f"  {exercise:14} good {_spread(good)}  bad {_spread(bad)}  AUC {_auc(good, bad):.3f}"
            f"  limit of the others {limit:.1f}: {told:.1%} right; its own {own:.1f}: {best:.1%}"
        )


def _trained(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    tracks = {path.stem: openpose_track(path) for path in sorted(folder.glob("*.npy"))}
    good = [name for name in tracks if "good" in name]
    result: dict[bool, list[float]] = {True: [], False: []}
    for name, track in tracks.items():
        found = [compare(tracks[one], track).score for one in good if one != name]
        result[name in good].append(float(np.median(found)))
    return np.array(result[True]), np.array(result[False])


def openpose_track(path: Path) -> Track:
    """Return an OpenPose sequence (T, 18, 3), taken as 30 frames/s; (0, 0, 0) is absent."""
    values = np.load(path).astype(np.float32)
    points, scores = values[..., :2].copy(), values[..., 2].clip(0, 1)
    points[scores == 0] = np.nan
    return Track(1, get_skeleton("coco18"), np.arange(len(values)) / 30, points, scores)


def _spread(scores: np.ndarray) -> str:
    return "/".join(f"{value:.0f}" for value in np.quantile(scores, [0, 0.25, 0.5, 0.75, 1]))


def _auc(good: np.ndarray, bad: np.ndarray) -> float:
    return float(np.mean(np.sign(good[:, None] - bad) / 2 + 0.5))


def _best_limit(good: np.ndarray, bad: np.ndarray) -> tuple[float, float]:
    limits = np.unique(np.concatenate([good, bad, [0.0, 100.0]]))
    limits = (limits[1:] + limits[:-1]) / 2
    told = [(np.mean(good >= limit) + np.mean(bad < limit)) / 2 for limit in limits]
    return float(limits[int(np.argmax(told))]), float(np.max(told))


def table_cameras(bench: Bench) -> None:
    """Print the same movement seen by two cameras.

    By the published calibration of the recordings (perfanalytics/pose2sim, Calib_scene.toml) and
    the hips triangulated from its keypoints, the cameras stand 43 to 53 degrees apart on the ground
    as seen from the person, who walks towards them; their axes are 52 degrees apart. The second
    camera stands to the person's left of the first. In the last two thirds of the second second
    BlazePose takes the person, whose face is made unrecognisable, for one seen from behind.
    """
    folder = bench.data / "videos" / "walking"
    names = ("pose2sim_single_cam01", "pose2sim_single_cam02")
    one, other = (bench.estimated(name, lambda n=name: folder / f"{n}.mp4") for name in names)
    for label, a, b in (("1 and 2", one, other), ("2 and 1", other, one)):
        found = compare(a, b)
        print(f"  cameras {label}: {_brief(found)}\n    {found.relation}")
        flat = compare(_without_depth(a), _without_depth(b))
        print(f"    without 3D: {_brief(flat)}\n    {flat.relation}")


def _without_depth(track: Track) -> Track:
    return Track(1, track.skeleton, track.times, track.keypoints, track.scores)


def main() -> None:
    """Print the tables that were named, or all."""
    tables = {name.removeprefix("table_"): value for name, value in globals().items()
              if name.startswith("table_")}  # fmt: skip
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tables", nargs="*", choices=[*tables, []], default=[])
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    chosen = parser.parse_args()
    bench = Bench(chosen.data, chosen.cache)
    for name in chosen.tables or tables:
        print(f"\n=== {name}: {(tables[name].__doc__ or '').splitlines()[0]}")
        tables[name](bench)


if __name__ == "__main__":
    main()
