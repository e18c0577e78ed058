"""How far Poise's hands, faces and whole bodies are from those of MediaPipe's own Python solutions.

    python benchmarks/mediapipe_wholebody.py --mediapipe OTHER_VENV/bin/python FILE...

The other environment holds ``mediapipe==0.10.21``; the weights of ``hands``, ``face`` and
``blazepose-wholebody`` must be here. A file is a picture or a video; both sides get the same
decoded pictures, and MediaPipe's smoothing is off. A video is followed on both sides; with
``--still`` each of its frames is a picture by itself. ``--step 10`` takes every tenth frame. Of a
still picture Poise looks at the whole only, as on video, and not at its parts, as it else does.

Each hand or face of MediaPipe's is compared with Poise's nearest; both found it where their mean
distance is less than half its size (the longer side of the box around MediaPipe's points).
Distances are in per cent of that size. Where several people are there, MediaPipe's Holistic reads
one of them, its other solutions at most four hands or faces.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

PARTS = {"hands": (21,), "face": (478,), "blazepose-wholebody": (33, 21, 21, 478)}
NAMES = {"hands": ("hands",), "face": ("faces",)}
NAMES["blazepose-wholebody"] = ("body", "left hand", "right hand", "face")
MOST = 4
LIMIT = 2.0


@dataclass
class Tally:
    """What was found in all files, and how far apart the two are in per cent."""

    theirs: int = 0
    ours: int = 0
    both: int = 0
    away: list[np.ndarray] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+")
    parser.add_argument("--mediapipe", help="the Python that has mediapipe")
    parser.add_argument("--model", action="append", choices=list(PARTS), help="else all")
    parser.add_argument("--precision", default="f32")
    parser.add_argument("--frames", type=int, default=150, help="at most so many of each file")
    parser.add_argument("--step", type=int, default=1)
    parser.add_argument("--still", action="store_true", help="frames are pictures by themselves")
    parser.add_argument("--theirs", nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.theirs:
        ask_mediapipe(*given.theirs)
        return
    for model in given.model or PARTS:
        compare(model, given)


def compare(model: str, given: argparse.Namespace) -> None:
    from poise.models import load_model

    ready = load_model(model, precision=given.precision)
    everything = [Tally() for _ in NAMES[model]]
    for file in given.files:
        frames = read(file, given)
        still = given.still or len(frames) == 1
        clips = [[frame] for frame in frames] if still else [frames]
        poses = [poses for clip in clips for poses in ready.follow(clip)]
        with tempfile.TemporaryDirectory() as folder:
            pictures = np.stack([frame.image for frame in frames])
            theirs = theirs_of(given.mediapipe, pictures, Path(folder), model, still=still)
        tallies = [Tally() for _ in NAMES[model]]
        for mine, other in zip(poses, theirs, strict=True):
            weigh(model, mine.keypoints, other, tallies)
        if len(given.files) <= 10:
            report(f"{Path(file).name}: ", model, tallies)
        for whole, part in zip(everything, tallies, strict=True):
            whole.theirs, whole.ours = whole.theirs + part.theirs, whole.ours + part.ours
            whole.both, whole.away = whole.both + part.both, whole.away + part.away
    report("all: ", model, everything)


def read(file: str, given: argparse.Namespace) -> list:
    from poise.io import read_frames

    with read_frames(file) as reader:
        chosen = (frame for i, frame in enumerate(reader) if i % given.step == 0)
        return [frame for frame, _ in zip(chosen, range(given.frames), strict=False)]


def weigh(model: str, ours: np.ndarray, theirs: np.ndarray, tallies: Sequence[Tally]) -> None:
    """Add the people of one frame: (N, K, 2) of ours, (4, all points, 2) of theirs."""
    first = 0
    for tally, count in zip(tallies, PARTS[model], strict=True):
        part = slice(first, first + count)
        mine = [one_of(points, model, part) for points in ours]
        mine = [points for points in mine if np.isfinite(points).all()]
        others = [points for points in theirs[:, part] if np.isfinite(points).all()]
        first += count
        tally.theirs, tally.ours = tally.theirs + len(others), tally.ours + len(mine)
        for other in others:
            size = np.ptp(other, axis=0).max()
            distances = [100 * np.linalg.norm(points - other, axis=1) / size for points in mine]
            best = min(distances, key=lambda away: away.mean(), default=np.array([np.inf]))
            if best.mean() < 50:
                tally.both += 1
                tally.away.append(best)


def one_of(points: np.ndarray, model: str, part: slice) -> np.ndarray:
    if model != "hands":
        return points[part]
    return points[:21] if np.isfinite(points[0, 0]) else points[21:]


def report(title: str, model: str, tallies: Sequence[Tally]) -> None:
    for name, tally in zip(NAMES[model], tallies, strict=True):
        line = f"{title}{model}, {name}: theirs {tally.theirs}, ours {tally.ours}, "
        line += f"both {tally.both}"
        if tally.away:
            away = np.concatenate(tally.away)
            median, far = np.median(away), np.percentile(away, 95)
            line += f"; median {median:.2f} %, 95th percentile {far:.2f} % of the size, "
            line += f"{'within' if median <= LIMIT else 'BEYOND'} the limit"
        print(line, flush=True)


def theirs_of(
    python: str, pictures: np.ndarray, folder: Path, model: str, *, still: bool
) -> np.ndarray:
    source, target = folder / "pictures.npy", folder / "keypoints.npy"
    np.save(source, pictures)
    command = [python, __file__, "none", "--theirs", str(source), str(target), model, str(still)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"mediapipe failed: {done.stderr.strip()}")
    return np.load(target)


def ask_mediapipe(source: str, target: str, model: str, still: str) -> None:
    from mediapipe import solutions

    alone = still == "True"
    solution = {
        "hands": lambda: solutions.hands.Hands(alone, MOST),
        "face": lambda: solutions.face_mesh.FaceMesh(alone, MOST, refine_landmarks=True),
        "blazepose-wholebody": lambda: solutions.holistic.Holistic(
            alone, smooth_landmarks=False, refine_face_landmarks=True
        ),
    }[model]()
    pictures = np.load(source, mmap_mode="r")
    size = np.array([pictures.shape[2], pictures.shape[1]])
    found = np.full((len(pictures), MOST, sum(PARTS[model]), 2), np.nan)
    for row, picture in enumerate(pictures):
        result = solution.process(np.ascontiguousarray(picture))
        for person, parts in enumerate(people(model, result)):
            points = [
                [(m.x, m.y) for m in part.landmark] if part else [(np.nan, np.nan)] * count
                for part, count in zip(parts, PARTS[model], strict=True)
            ]
            found[row, person] = np.concatenate(points) * size
    np.save(target, found)


def people(model: str, result: object) -> list[tuple]:
    if model == "hands":
        return [(hand,) for hand in result.multi_hand_landmarks or ()]
    if model == "face":
        return [(face,) for face in result.multi_face_landmarks or ()]
    names = ("pose_landmarks", "left_hand_landmarks", "right_hand_landmarks", "face_landmarks")
    return [tuple(getattr(result, name) for name in names)]


if __name__ == "__main__":
    main()
