"""What a run costs: overlay, memory, start-up, scanning. ``python benchmarks/costs.py all VIDEO``.

Every figure is a ratio of paired runs, or a peak that one process reports of itself. Each run is a
process of its own, A and B in turn; medians and the spread are printed.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

IMPORT = """
import time
began = time.perf_counter()
import poise
poise.Poses
print(time.perf_counter() - began)
"""


def poise_seconds(*arguments: str) -> float:
    """Run one command line in a new process; return its wall time in seconds."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "poise", *arguments], check=True, capture_output=True)
    return time.perf_counter() - began


def peak_megabytes(*arguments: str) -> float:
    """Return the peak memory of one command line, as the system counted it."""
    code = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True,"
        " stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL);"
        " print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)"
    )
    command = [sys.executable, "-c", code, sys.executable, "-m", "poise", *arguments]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def spread(values: list[float]) -> str:
    """Return median, minimum and maximum in words."""
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def overlay(video: str, model: str, runs: int) -> None:
    """Print what writing the overlay video adds."""
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        base = ["estimate", video, "-m", model, "--overwrite", "--no-progress"]
        plain = [*base, "-o", f"{folder}/a.jsonl"]
        painted = [*plain, "-o", f"{folder}/a.mp4"]
        nothing = poise_seconds("estimate", video, "-m", model, "-o", f"{folder}/0.jsonl",
                                "--end", "0.04", "--no-progress")  # fmt: skip
        for _ in range(runs):
            a, b = poise_seconds(*plain), poise_seconds(*painted)
            ratios.append((b - nothing) / (a - nothing))
    print(f"overlay video: {spread(ratios)} times the wall time of estimating alone")


def memory(video: str, model: str) -> None:
    """Print the peak memory of the video and of a short and a long 720p video."""
    with tempfile.TemporaryDirectory() as folder:
        peaks = {}
        for frames in (1000, 10_000):
            path = f"{folder}/{frames}.mp4"
            write_moving_video(path, frames)
            peaks[frames] = peak_megabytes("estimate", path, "-m", model, "-o", f"{path}.jsonl")
        print(f"peak memory, 720p: {peaks[1000]:.0f} MB (1,000), {peaks[10_000]:.0f} MB (10,000)")
        own = peak_megabytes("estimate", video, "-m", model, "-o", f"{folder}/v.jsonl")
        print(f"peak memory, {video}: {own:.0f} MB")


def write_moving_video(path: str, frames: int) -> None:
    """Write a 1280x720 video of a dancer, the same second over and over."""
    from poise.draw import open_picture_writer
    from poise.poses import Frame, Poses
    from poise.skeleton import get_skeleton
    from poise.synthetic import Dancer, Stage, dance

    stage = Stage([Dancer(dance())], size=(1280, 720), fps=30.0, duration=1.0)
    pictures = [frame.image for frame in stage.frames()]
    pictures += pictures[::-1]
    nobody = Poses.empty(get_skeleton("coco17"))
    with open_picture_writer(path, size=(1280, 720), fps=30.0) as writer:
        for index in range(frames):
            writer.write(Frame(pictures[index % len(pictures)], index, index / 30), nobody)


def startup(runs: int) -> None:
    """Print the wall time of ``poise --help`` and of ``import poise``."""
    helps = [poise_seconds("--help") for _ in range(runs)]
    imports = []
    for _ in range(runs):
        done = subprocess.run([sys.executable, "-c", IMPORT], check=True, capture_output=True)
        imports.append(float(done.stdout))
    print(f"poise --help: {spread(helps)} s; import poise and its values: {spread(imports)} s")


def scan(count: int) -> None:
    """Print the time to find many small files, and the memory it takes."""
    from poise.io import find_sources

    with tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            path = Path(folder, f"{number % 100:02}", f"{number}.jpg")
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(b"\xff\xd8\xff" + bytes(200))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began = time.perf_counter()
        found = sum(1 for _ in find_sources([folder]))
        seconds = time.perf_counter() - began
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"scan: {found} files in {seconds:.2f} s, {grown:.0f} MB more")


def steps(runs: int) -> None:
    """Print what single steps cost for each frame with one person, in milliseconds."""
    from poise.cuts import CutDetector
    from poise.io import open_writer
    from poise.smoothing import smooth
    from poise.synthetic import Dancer, Stage, dance
    from poise.tracking import Tracker

    stage = Stage([Dancer(dance())], size=(1280, 720), fps=30.0, duration=4.0)
    clip, picture = stage.clip("blazepose33"), stage.frame(0).image
    frames, detector, tracker = clip.frames, CutDetector(), Tracker()

    def write() -> None:
        with tempfile.TemporaryDirectory() as folder, open_writer(f"{folder}/a.jsonl") as out:
            for poses in frames:
                out.write(poses)

    def measure(name: str, work: object, count: int) -> None:
        best = []
        for _ in range(runs):
            began = time.perf_counter()
            work()
            best.append((time.perf_counter() - began) / count * 1e3)
        print(f"{name}: {spread(best)} ms a frame")

    measure("writing JSONL", write, len(frames))
    measure("tracking", lambda: [tracker.update(poses) for poses in frames], len(frames))
    measure("looking for cuts, 720p", lambda: [detector.is_cut(picture)] * 1, 1)
    for method in ("one-euro", "savgol", "butterworth"):
        measure(f"smoothing, {method}", lambda m=method: smooth(clip, m), len(frames))


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["overlay", "memory", "startup", "scan", "steps", "all"])
    parser.add_argument("video", nargs="?")
    parser.add_argument("--model", default="blazepose")
    parser.add_argument("--runs", type=int, default=5)
    chosen = parser.parse_args()
    np.seterr(all="raise")
    if chosen.what in ("overlay", "all"):
        overlay(chosen.video, chosen.model, chosen.runs)
    if chosen.what in ("memory", "all"):
        memory(chosen.video, chosen.model)
    if chosen.what in ("startup", "all"):
        startup(chosen.runs)
    if chosen.what in ("steps", "all"):
        steps(chosen.runs)
    if chosen.what in ("scan", "all"):
        scan(10_000)


if __name__ == "__main__":
    main()
