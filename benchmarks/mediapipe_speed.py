"""How fast BlazePose runs in Poise and in MediaPipe's own Python solution, in turns.

    python benchmarks/mediapipe_speed.py --mediapipe OTHER_VENV/bin/python VIDEO...

The other environment holds ``mediapipe==0.10.21``. Each round runs both on the same video, one
after the other, from opening the video to the last keypoint, with the models loaded and warm; the
ratio is taken within a round, so that a busy machine disturbs it less. Both read with what their
users read with: Poise with its own reader, MediaPipe with OpenCV.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("videos", nargs="+")
    parser.add_argument("--mediapipe", help="the Python that has mediapipe")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--side", choices=("poise", "mediapipe"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side:
        run = run_poise if given.side == "poise" else run_mediapipe
        print(json.dumps(run(given.videos[0], given.precision)))
        return
    for video in given.videos:
        compare(video, given)


def compare(video: str, given: argparse.Namespace) -> None:
    rows = []
    for _ in range(given.rounds):
        ours = call(sys.executable, "poise", video, given.precision)
        theirs = call(given.mediapipe, "mediapipe", video, given.precision)
        rows.append((ours, theirs, ours["fps"] / theirs["fps"]))
        print(
            f"{Path(video).name}: poise {ours['fps']:.0f} frames/s (cpu {ours['cpu']:.2f} ms), "
            f"mediapipe {theirs['fps']:.0f} (cpu {theirs['cpu']:.2f} ms), "
            f"ratio {rows[-1][2]:.2f}, wall / network alone {ours['overhead_same']:.2f} "
            f"(with both cores on each crop {ours['overhead_serial']:.2f}, with two crops at a "
            f"time {ours['overhead']:.2f}), "
            f"peak {ours['peak']:.0f} MB against {theirs['peak']:.0f}"
        )
    ratio = statistics.median(row[2] for row in rows)
    over = [
        statistics.median(row[0][name] for row in rows)
        for name in ("overhead_same", "overhead_serial", "overhead")
    ]
    print(
        f"{Path(video).name}: median ratio {ratio:.2f}, wall / network alone {over[0]:.2f} "
        f"(both cores on each crop {over[1]:.2f}, two crops at a time {over[2]:.2f})"
    )


def call(python: str, side: str, video: str, precision: str) -> dict[str, float]:
    command = [python, __file__, video, "--side", side, "--precision", precision]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def summary(frames: int, wall: float, cpu: float) -> dict[str, float]:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"fps": frames / wall, "cpu": cpu / frames * 1e3, "peak": peak, "overhead": 0.0}


def cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def run_poise(video: str, precision: str) -> dict[str, float]:
    import numpy as np

    from poise.io import read_frames
    from poise.models import load_model

    model = load_model("blazepose", precision=precision)
    model(np.zeros((240, 320, 3), np.uint8))
    frames, people = 0, 0
    began, cpu = time.perf_counter(), cpu_seconds()
    with read_frames(video) as reader:
        for poses in model.follow(reader):
            frames, people = frames + 1, people + len(poses)
    wall, cpu = time.perf_counter() - began, cpu_seconds() - cpu
    result = summary(frames, wall, cpu)
    result["overhead"] = wall / network_seconds(model._reader._session, max(people, 1), 2)
    result["overhead_same"] = wall / network_seconds(model._reader._session, max(people, 1), 1)
    result["overhead_serial"] = wall / network_seconds(serial(precision), max(people, 1), 1)
    return result


def serial(precision: str):
    """The landmark network that works on one crop at a time with all cores."""
    from poise.models import find_model
    from poise.models.steps import card_pixels
    from poise.runtime import Session
    from poise.weights import fetch_all

    card = find_model("blazepose").reader
    outputs = ("Identity", "Identity_1", "Identity_3", "Identity_4")
    paths = fetch_all(card.files)
    return Session(paths, outputs=outputs, precision=precision, pixels=card_pixels(card))


def network_seconds(session, crops: int, threads: int) -> float:
    """Seconds for as many crops in the network, and nothing else."""
    import numpy as np

    picture = np.zeros(session.input_shapes[0], np.uint8)

    def read(count: int) -> None:
        for _ in range(count):
            session.run(picture)

    read(3)
    began = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(read, [crops // threads] * threads))
    return time.perf_counter() - began


def run_mediapipe(video: str, precision: str) -> dict[str, float]:
    import cv2
    import mediapipe
    import numpy as np

    pose = mediapipe.solutions.pose.Pose(model_complexity=1, smooth_landmarks=False)
    pose.process(np.zeros((240, 320, 3), np.uint8))
    frames = 0
    began, cpu = time.perf_counter(), cpu_seconds()
    capture = cv2.VideoCapture(video)
    while True:
        good, image = capture.read()
        if not good:
            break
        pose.process(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
        frames += 1
    return summary(frames, time.perf_counter() - began, cpu_seconds() - cpu)


if __name__ == "__main__":
    main()
