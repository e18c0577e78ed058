"""How far BlazePose's keypoints in Poise are from those of MediaPipe's own Python solution.

    python benchmarks/mediapipe_agreement.py --mediapipe OTHER_VENV/bin/python VIDEO...

The other environment holds ``mediapipe==0.10.21``; smoothing is off on both sides. Both get the
same decoded pictures. Counted are the keypoints that MediaPipe gives a visibility above 0.5, of
the frames in which both found somebody; distances are in per cent of the torso (middle of the
shoulders to middle of the hips). Where several people are there, MediaPipe follows one of them,
and Poise's nearest is compared.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

LIMITS = {"median": 2.0, "p95": 8.0}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("videos", nargs="+")
    parser.add_argument("--mediapipe", help="the Python that has mediapipe")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--frames", type=int, default=300, help="at most so many of each video")
    parser.add_argument("--theirs", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.theirs:
        ask_mediapipe(*given.theirs)
        return
    everything = [compare(video, given) for video in given.videos]
    report("all", np.concatenate(everything), "")


def compare(video: str, given: argparse.Namespace) -> np.ndarray:
    from poise.io import read_frames
    from poise.models import load_model

    with read_frames(video) as reader:
        frames = [frame for frame, _ in zip(reader, range(given.frames), strict=False)]
    with tempfile.TemporaryDirectory() as folder:
        theirs = theirs_of(given.mediapipe, np.stack([f.image for f in frames]), Path(folder))
    ours = list(load_model("blazepose", precision=given.precision).follow(frames))
    pairs = [(a, b) for a, b in zip(ours, theirs, strict=True) if len(a) and np.isfinite(b).all()]
    distances = np.concatenate([away(a.keypoints, b) for a, b in pairs])
    found = f"in {len(pairs)} frames, theirs {int(np.isfinite(theirs[:, 0, 0]).sum())} "
    found += f"and ours {sum(len(a) > 0 for a in ours)} of {len(frames)}"
    report(Path(video).name, distances, found)
    return distances


def away(people: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    points, visible = theirs[:, :2], theirs[:, 2] > 0.5
    torso = np.linalg.norm(points[[11, 12]].mean(axis=0) - points[[23, 24]].mean(axis=0))
    distances = np.linalg.norm(people - points, axis=2)
    return 100 * distances[distances.mean(axis=1).argmin(), visible] / torso


def report(name: str, distances: np.ndarray, note: str) -> None:
    median, p95 = np.median(distances), np.percentile(distances, 95)
    good = median <= LIMITS["median"] and p95 <= LIMITS["p95"]
    print(
        f"{name}: median {median:.2f} %, 95th percentile {p95:.2f} % of the torso, "
        f"{'within' if good else 'BEYOND'} the limits {note}"
    )


def theirs_of(python: str, pictures: np.ndarray, folder: Path) -> np.ndarray:
    source, target = folder / "pictures.npy", folder / "keypoints.npy"
    np.save(source, pictures)
    command = [python, __file__, "none", "--theirs", str(source), str(target), "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"mediapipe failed: {done.stderr.strip()}")
    return np.load(target)


def ask_mediapipe(source: str, target: str, complexity: str) -> None:
    import mediapipe

    pictures = np.load(source, mmap_mode="r")
    size = np.array([pictures.shape[2], pictures.shape[1], 1])
    pose = mediapipe.solutions.pose.Pose(model_complexity=int(complexity), smooth_landmarks=False)
    found = np.full((len(pictures), 33, 3), np.nan)
    for row, marks in enumerate(landmarks(pose, pictures)):
        if marks is not None:
            found[row] = [(m.x, m.y, m.visibility) for m in marks.landmark] * size
    np.save(target, found)


def landmarks(pose, pictures: np.ndarray) -> Iterator:
    for picture in pictures:
        yield pose.process(np.ascontiguousarray(picture)).pose_landmarks


if __name__ == "__main__":
    main()
