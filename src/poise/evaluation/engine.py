"""COCO's average precision and recall of keypoints; faster-coco-eval computes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from poise.errors import MissingExtraError, UsageError
from poise.evaluation.truth import Truth
from poise.poses import Poses

_PERSON = 1  # the number of the only category
CROWDING = (0.2, 0.8)  # crowd indices between easy, medium and hard pictures


@dataclass(frozen=True)
class Precision:
    """COCO's ten figures; 0..1, 1 best, NaN where no annotated person is of the kind.

    Attributes:
        AP: Average precision, the mean over the OKS thresholds 0.50, 0.55 .. 0.95.
        AP50: At the threshold 0.50.
        AP75: At the threshold 0.75.
        AP_medium: Of people of 32² to 96² square pixels.
        AP_large: Of people above 96² square pixels.
        AR: Average recall, the mean over the same thresholds; 20 people a picture at most.
        AR50: At the threshold 0.50.
        AR75: At the threshold 0.75.
        AR_medium: Of people of 32² to 96² square pixels.
        AR_large: Of people above 96² square pixels.
    """

    AP: float
    AP50: float
    AP75: float
    AP_medium: float
    AP_large: float
    AR: float
    AR50: float
    AR75: float
    AR_medium: float
    AR_large: float


def require_engine() -> Any:
    """Return faster-coco-eval.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        import faster_coco_eval
    except ImportError as error:
        what = "COCO's average precision needs faster-coco-eval"
        raise MissingExtraError(what, "eval") from error
    return faster_coco_eval


def measure_precision(truth: Truth, found: Sequence[Poses]) -> Precision:
    """Return COCO's average precision and recall of keypoints.

    Crowd regions and people without keypoints are neither missed nor wrongly found. People are
    taken best first by ``person_scores``, the 20 best of a picture.

    Source: COCO keypoint evaluation (Lin et al. 2014; pycocotools, which these equal).

    Args:
        truth: The annotated pictures.
        found: Who was found in each of them, in the same order and the same layout.

    Raises:
        MissingExtraError: faster-coco-eval is not installed.
        UsageError: The pictures or layouts do not belong together.
    """
    engine = require_engine()
    check_pair(truth, found)
    wanted = engine.COCO(truth_document(truth))
    results = wanted.loadRes(result_entries(truth, found))
    evaluation = engine.COCOeval_faster(
        wanted, results, "keypoints", kpt_oks_sigmas=truth.sigmas.tolist()
    )
    evaluation.params.catIds = [_PERSON]
    evaluation.run()
    return Precision(*(float(n) if n > -1 else np.nan for n in evaluation.stats[:10]))


def measure_crowding(truth: Truth, found: Sequence[Poses]) -> dict[str, float]:
    """Return the average precision in easy, medium and hard pictures by CrowdPose's crowd index.

    Below 0.2, below 0.8, and from 0.8; NaN where there is nobody. Nothing where no picture has an
    index. Source: Li et al., "CrowdPose", CVPR 2019; crowdposetools, as xtcocotools has it.

    Raises:
        MissingExtraError: faster-coco-eval is not installed.
        UsageError: The pictures or layouts do not belong together.
    """
    indices = [np.nan if p.crowding is None else p.crowding for p in truth.pictures]
    groups = np.where(np.isnan(indices), -1, np.digitize(indices, CROWDING))
    if not (groups >= 0).any():
        return {}
    precisions = {}
    for number, name in enumerate(("easy", "medium", "hard")):
        rows = np.flatnonzero(groups == number).tolist()
        part = replace(truth, pictures=tuple(truth.pictures[row] for row in rows))
        people = [found[row] for row in rows]
        precisions[name] = measure_precision(part, people).AP if len(rows) else np.nan
    return precisions


def check_pair(truth: Truth, found: Sequence[Poses]) -> None:
    """Refuse poses that cannot be of the annotated pictures.

    Raises:
        UsageError: They are of other pictures or another layout.
    """
    if len(found) != len(truth.pictures):
        what = f"wanted one for each of {len(truth.pictures)} pictures, got {len(found)}"
        raise UsageError(what, where="found")
    for poses in found:
        if poses.skeleton.keypoints != truth.skeleton.keypoints:
            what = f"wanted {truth.skeleton.name}, got {poses.skeleton.name}"
            raise UsageError(what, where="found", remedy="convert them with Poses.to")


def truth_document(truth: Truth) -> dict[str, Any]:
    """Return the annotations as COCO's evaluation wants them, people numbered from 1."""
    people = [(picture.id, person) for picture in truth.pictures for person in picture.people]
    return {
        "images": [
            {"id": one.id, "width": one.size[0], "height": one.size[1]} for one in truth.pictures
        ],
        "annotations": [
            {
                "id": number,
                "image_id": image,
                "category_id": _PERSON,
                "keypoints": person.keypoints.ravel().tolist(),
                "num_keypoints": int(np.count_nonzero(person.keypoints[:, 2] > 0)),
                "bbox": person.box.tolist(),
                "area": person.area,
                "iscrowd": int(person.crowd),
            }
            for number, (image, person) in enumerate(people, start=1)
        ],
        "categories": [
            {"id": _PERSON, "name": "person", "keypoints": list(truth.skeleton.keypoints)}
        ],
    }


def result_entries(truth: Truth, found: Sequence[Poses]) -> list[dict[str, Any]]:
    """Return the people who were found as COCO results; an absent keypoint stands at 0, 0."""
    return [
        entry
        for picture, poses in zip(truth.pictures, found, strict=True)
        for entry in _entries(picture.id, poses)
    ]


def _entries(image: int, poses: Poses) -> list[dict[str, Any]]:
    points = np.where(poses.present[..., None], poses.keypoints, 0).astype(np.float64)
    flat = np.concatenate([points, poses.scores[..., None].astype(np.float64)], axis=2)
    low = np.nan_to_num(poses.boxes[:, :2].astype(np.float64))
    sides = np.nan_to_num(poses.boxes[:, 2:].astype(np.float64)) - low
    return [
        {
            "image_id": image,
            "category_id": _PERSON,
            "keypoints": flat[row].ravel().tolist(),
            "bbox": [*low[row].tolist(), *sides[row].tolist()],
            "score": float(poses.person_scores[row]),
        }
        for row in range(len(poses))
    ]
