"""The way there and back of a top-down model against a plain one, person by person, with OpenCV.

As PaddleDetection does it (TopDownEvalAffine, HRNetPostProcess with DARK), and HRNet before it: a
region of the crop's proportions around the box, 1.25 times as large; `cv2.warpAffine` by the
matrix that takes its middle to the crop's and its side to the crop's side; cells go back by the
same matrix of the map's size.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from poise.evaluation import find_pictures, match, read_annotations, walk
from poise.io import read_frames
from poise.models import load_model

cv2 = pytest.importorskip("cv2")

SIZE, MAP = (192, 256), (48, 64)


def to_crop(box: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The 2 x 3 matrix from the picture to the crop, or to the map, of whole pixel numbers."""
    x, y, width, height = box
    width, height = max(width, height * 0.75), max(height, width / 0.75)
    factor = size[0] / (width * 1.25)
    middle = np.array([x + box[2] / 2, y + box[3] / 2])
    return np.column_stack([np.eye(2) * factor, np.array(size) / 2 - factor * middle])


def dark(heat: np.ndarray) -> np.ndarray:
    """Where a map's summit is: one Newton step on the logarithm of the smoothed map."""
    row, column = divmod(int(heat.argmax()), heat.shape[1])
    padded = cv2.GaussianBlur(np.pad(heat.astype(float), 1), (3, 3), 0)[1:-1, 1:-1]
    log = np.log(np.maximum(padded * heat.max() / padded.max(), 1e-10))
    if not (1 < column < heat.shape[1] - 2 and 1 < row < heat.shape[0] - 2):
        return np.array([column, row], float)

    def at(dx: int, dy: int) -> float:
        return float(log[row + dy, column + dx])

    slope = np.array([at(1, 0) - at(-1, 0), at(0, 1) - at(0, -1)]) / 2
    across = (at(2, 0) - 2 * at(0, 0) + at(-2, 0)) / 4
    down = (at(0, 2) - 2 * at(0, 0) + at(0, -2)) / 4
    both = (at(1, 1) - at(1, -1) - at(-1, 1) + at(-1, -1)) / 4
    bend = np.array([[across, both], [both, down]])
    return np.array([column, row]) - np.linalg.inv(bend) @ slope


@pytest.mark.data
@pytest.mark.weights
def test_tinypose_on_photographs(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POISE_MODELS", str(data_dir / "weights"))
    model = load_model("rtmdet-nano+tinypose-256", precision="f32")
    mini = data_dir / "labelled" / "coco_mini"
    truth = read_annotations(mini / "annotations" / "person_keypoints_train2017.json")
    paths = find_pictures(truth, mini / "train2017")
    estimates = walk(model, truth, paths, boxes="gt")
    found = match(estimates.truth, estimates.found, paired=True)
    session = model._reader._session
    wanted = []
    for picture, path in zip(truth.pictures, paths, strict=True):
        if path is None:
            continue
        with read_frames(path) as frames:
            image = next(frames).image
        for person in picture.counted:
            there = to_crop(person.box, SIZE)
            crop = cv2.warpAffine(image, there, SIZE, flags=cv2.INTER_LINEAR)
            (maps,) = session.run(crop[None])[0]
            cells = np.array([dark(one) for one in maps])
            back = np.linalg.inv(np.vstack([to_crop(person.box, MAP), [0, 0, 1]]))
            wanted.append(cells @ back[:2, :2].T + back[:2, 2])
    away = np.linalg.norm(found.points - np.array(wanted), axis=2)
    assert np.median(away) < 0.005
    assert np.percentile(away, 99) < 0.25
    # The original's step has no limit; Poise's is a cell, and none where there is no summit.
    assert (away > 1).mean() < 0.005
