"""Learned classifiers on public rows of keypoints, beside what such projects use themselves.

The data: squat phases (given train and test rows), plank errors, and single-person actions, all
from public repositories (see the README of the reference data). Grouped: unbroken runs of one label
(or ten blocks of a class that is one run) are never on both sides. Random: rows are dealt by
chance, so that neighbours of nearly the same pose are on both sides, which flatters.

Beside it: k-NN (k = 5) and a fully connected network (64 and 32 units) on the standardized raw
coordinates.

    python benchmarks/classification.py DATA_FOLDER
"""

from __future__ import annotations

import sys
import time
import warnings
from pathlib import Path

import numpy as np

from poise.classification.learning.examples import Examples, Piece, measure_examples
from poise.classification.learning.kinds import fitting
from poise.classification.learning.options import TeachingOptions
from poise.classification.learning.tables import read_table
from poise.classification.learning.training import (
    Taught,
    deal_folds,
    split_recordings,
    teach,
)
from poise.clip import Track
from poise.poses import Poses


def _load(path: Path, label: str) -> tuple[list[Piece], Examples]:
    pieces, _ = read_table(path, TeachingOptions(label_column=label))
    return pieces, measure_examples(pieces, where=path)


def _raw(pieces: list[Piece]) -> np.ndarray:
    rows = [p.track.keypoints.reshape(len(p.track), -1) for p in pieces]
    return np.nan_to_num(np.concatenate(rows))


def _baselines() -> dict[str, object]:
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return {
        "k-NN": make_pipeline(StandardScaler(), KNeighborsClassifier(5)),
        "network": make_pipeline(
            StandardScaler(), MLPClassifier((64, 32), max_iter=200, random_state=0)
        ),
    }


def _cross(model: object, rows: np.ndarray, labels: np.ndarray, folds: np.ndarray) -> float:
    answers = np.zeros_like(labels)
    for fold in np.unique(folds):
        with fitting():
            model.fit(rows[folds != fold], labels[folds != fold])
            answers[folds == fold] = model.predict(rows[folds == fold])
    return float((answers == labels).mean())


def _held_accuracy(taught: Taught) -> float:
    return float((taught.probabilities.argmax(axis=1) == taught.examples.labels).mean())


def _shuffled(examples: Examples) -> Examples:
    """Every row its own recording: the random split."""
    return Examples(**{**examples.__dict__, "groups": np.arange(len(examples))})


def cross_validate(name: str, path: Path, label: str) -> None:
    pieces, examples = _load(path, label)
    assert len(examples) == sum(len(p.track) for p in pieces)
    raw = _raw(pieces)
    print(f"{name} ({len(examples)} rows, {len(examples.classes)} classes)")
    for split, chosen in (("grouped", examples), ("random", _shuffled(examples))):
        taught = teach(chosen)
        folds = deal_folds(chosen.labels, split_recordings(chosen)[0], seed=0)
        figures = {"poise": _held_accuracy(taught)}
        figures |= {k: _cross(m, raw, chosen.labels, folds) for k, m in _baselines().items()}
        shown = "  ".join(f"{key} {value:.3f}" for key, value in figures.items())
        kind = taught.classifier.training["kind"]
        print(f"  {split:8s} {shown}   ({kind}, unknown {np.mean(taught.answers < 0):.3f})")


def squat_phases(folder: Path) -> None:
    pieces, examples = _load(folder / "exercise_correction_squat_train.csv", "label")
    test_pieces, test = _load(folder / "exercise_correction_squat_test.csv", "label")
    taught = teach(examples)
    classifier = taught.classifier
    answers = classifier.network.probabilities(test.rows).argmax(axis=1)
    named = classifier._decide(test.rows, classifier.network.probabilities(test.rows))
    figures = {"poise": float((answers == test.labels).mean())}
    for key, model in _baselines().items():
        with fitting():
            model.fit(_raw(pieces), examples.labels)
            figures[key] = float((model.predict(_raw(test_pieces)) == test.labels).mean())
    shown = "  ".join(f"{key} {value:.4f}" for key, value in figures.items())
    sure = named >= 0
    right = float((named[sure] == test.labels[sure]).mean())
    print(f"squat phases, given split ({len(examples)} and {len(test)} rows): {shown}")
    print(f"  unknown {1 - sure.mean():.3f}, of the named right {right:.4f}")
    moved = classifier.network.probabilities(_moved(test_pieces)).argmax(axis=1)
    print(f"  the same people moved, half as large and mirrored: {np.mean(moved == answers):.4f} "
          "of poise's answers stay;", end=" ")  # fmt: skip
    for key, model in _baselines().items():
        with fitting():
            model.fit(_raw(pieces), examples.labels)
        raw = _raw(test_pieces)
        changed = _change(raw.reshape(len(raw), -1, 2)).reshape(raw.shape)
        print(f"{key} right {np.mean(model.predict(changed) == test.labels):.3f}", end="  ")
    print()


def _change(points: np.ndarray) -> np.ndarray:
    return points * 0.5 + [0.45, 0.05]


def _moved(pieces: list[Piece]) -> np.ndarray:
    from poise.classification.learning.features import find_places, measure_poses, mirror_places

    rows = []
    for piece in pieces:
        t = piece.track
        rows.append(measure_poses(mirror_places(find_places(
            t.skeleton, _change(t.keypoints), t.scores))))  # fmt: skip
    return np.concatenate(rows)


def unseen_classes(path: Path, label: str) -> None:
    """Leave one class out of the teaching, and count what is said of its rows."""
    pieces, _ = read_table(path, TeachingOptions(label_column=label))
    for left in sorted({p.label for p in pieces}):
        taught = teach(measure_examples([p for p in pieces if p.label != left]))
        strangers = [p for p in pieces if p.label == left]
        rows = np.concatenate([taught.classifier.measure(p.track) for p in strangers])
        named = taught.classifier._decide(rows, taught.classifier.network.probabilities(rows))
        print(f"  without {left}: {np.mean(named < 0):.3f} of its rows are unknown; "
              f"{np.mean(taught.answers < 0):.3f} of the known classes'")  # fmt: skip


def cost(folder: Path) -> None:
    pieces, examples = _load(folder / "exercise_correction_plank_test.csv", "label")
    classifier = teach(examples).classifier
    track = _joined([p.track for p in pieces])
    once = [_timed(lambda: classifier.label_track(track)) for _ in range(20)]
    poses = Poses(track.skeleton, track.keypoints[:1], track.scores[:1])
    single = [_timed(lambda: classifier.predict(poses)) for _ in range(200)]
    each = np.median(once) / len(track) * 1e3
    print(f"a clip of {len(track)} frames: {each:.4f} ms of CPU a frame; "
          f"single poses: {np.median(single) * 1e3:.3f} ms")  # fmt: skip


def _joined(tracks: list[Track]) -> Track:
    points = np.concatenate([t.keypoints for t in tracks])
    scores = np.concatenate([t.scores for t in tracks])
    return Track(0, tracks[0].skeleton, np.arange(len(points)) / 30, points, scores)


def _timed(call: object) -> float:
    start = time.process_time()
    call()
    return time.process_time() - start


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    data = Path(sys.argv[1]) / "keypoints" / "classification"
    squat_phases(data)
    cross_validate("planks", data / "exercise_correction_plank_test.csv", "label")
    cross_validate("actions", data / "lzq_actions_coco18.csv", "class")
    unseen_classes(data / "lzq_actions_coco18.csv", "class")
    cost(data)
