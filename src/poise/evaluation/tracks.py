"""Identities in videos: HOTA, IDF1, MOTA and switches; TrackEval computes them.

TrackEval (MIT) is the published code of HOTA and is kept up; it brings scipy, matplotlib and the
OpenCV with windows, about 400 MB, so it is an extra of its own. `trackers` weighs 560 MB and has
the same figures; `motmetrics` with pandas and scipy 200 MB, but its last release is of 2022.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from poise.errors import MissingExtraError
from poise.evaluation.matching import keypoint_likeness, mean_known
from poise.evaluation.truth import Floats, TruePicture, Truth
from poise.poses import Poses

RIGHT = 0.5  # least OKS of a person who is found, for IDF1, MOTA and the switches


@dataclass(frozen=True)
class Identities:
    """How well people kept their ids.

    Attributes:
        HOTA: Higher order tracking accuracy, the mean over the OKS thresholds 0.05 .. 0.95;
            0..1, 1 best.
        DetA: Its part of finding people.
        AssA: Its part of keeping their ids.
        IDF1: Share of people-in-frames with the right id at OKS 0.5; 0..1, 1 best.
        MOTA: 1 less the shares of missed, wrongly found and switched; at most 1.
        switches: How often an annotated person's id changed.
        fragments: How often an annotated person was lost and found again.
        tracks: Number of annotated ids.
        found_tracks: Number of ids that were given.

    Sources: Luiten et al., "HOTA", IJCV 2021; Ristani et al., ECCV workshops 2016; Bernardin and
    Stiefelhagen, 2008. Likeness is OKS in the place of the overlap of boxes.
    """

    HOTA: float
    DetA: float
    AssA: float
    IDF1: float
    MOTA: float
    switches: int
    fragments: int
    tracks: int
    found_tracks: int


def has_tracks(truth: Truth, found: Sequence[Poses]) -> bool:
    """Whether both sides say who is whom, in at least two pictures of a video."""
    videos = [one.video for one in truth.pictures]
    people = [person for one in truth.pictures for person in one.counted]
    named = bool(people) and all(person.id is not None for person in people)
    here = [poses for poses in found if len(poses)]
    given = bool(here) and all(poses.ids is not None for poses in here)
    return named and given and len(videos) > len(set(videos))


def measure_identities(truth: Truth, found: Sequence[Poses]) -> Identities:
    """Return the figures of ids over all videos together.

    Raises:
        MissingExtraError: TrackEval is not installed.
    """
    metrics = _engine()
    runs = [metrics.HOTA(), metrics.Identity(_quiet()), metrics.CLEAR(_quiet())]
    videos: dict[str, list[int]] = {}
    for number, picture in enumerate(truth.pictures):
        videos.setdefault(picture.video, []).append(number)
    data = {
        name: _sequence([truth.pictures[n] for n in rows], [found[n] for n in rows], truth)
        for name, rows in videos.items()
    }
    results: dict[str, Any] = {}
    for run in runs:
        each = {name: run.eval_sequence(one) for name, one in data.items()}
        results |= run.combine_sequences(each)
    return Identities(
        HOTA=float(np.mean(results["HOTA"])),
        DetA=float(np.mean(results["DetA"])),
        AssA=float(np.mean(results["AssA"])),
        IDF1=float(results["IDF1"]),
        MOTA=float(results["MOTA"]),
        switches=int(results["IDSW"]),
        fragments=int(results["Frag"]),
        tracks=sum(one["num_gt_ids"] for one in data.values()),
        found_tracks=sum(one["num_tracker_ids"] for one in data.values()),
    )


def _engine() -> Any:
    try:
        from trackeval import metrics
    except ImportError as error:
        raise MissingExtraError("HOTA and IDF1 need TrackEval", "tracks") from error
    return metrics


def _quiet() -> dict[str, Any]:
    return {"THRESHOLD": RIGHT, "PRINT_CONFIG": False}


def _sequence(
    pictures: Sequence[TruePicture], found: Sequence[Poses], truth: Truth
) -> dict[str, Any]:
    """Return one video as TrackEval wants it: ids from 0, and how alike everybody is."""
    true_ids = [[person.id for person in picture.counted] for picture in pictures]
    given = [[] if poses.ids is None else poses.ids.tolist() for poses in found]
    true_rank, given_rank = _ranks(true_ids), _ranks(given)
    return {
        "num_timesteps": len(pictures),
        "num_gt_ids": len(true_rank),
        "num_tracker_ids": len(given_rank),
        "num_gt_dets": sum(map(len, true_ids)),
        "num_tracker_dets": sum(map(len, given)),
        "gt_ids": [np.array([true_rank[one] for one in row], int) for row in true_ids],
        "tracker_ids": [np.array([given_rank[one] for one in row], int) for row in given],
        "similarity_scores": [
            _similarity(picture, poses, truth)
            for picture, poses in zip(pictures, found, strict=True)
        ],
    }


def _ranks(ids: Sequence[Sequence[Any]]) -> dict[Any, int]:
    return {one: rank for rank, one in enumerate(sorted({one for row in ids for one in row}))}


def _similarity(picture: TruePicture, poses: Poses, truth: Truth) -> Floats:
    people = picture.counted
    if not people or not len(poses):
        return np.zeros((len(people), len(poses)))
    wanted = np.stack([person.points for person in people])[:, None]
    areas = np.array([person.area for person in people])[:, None]
    points = poses.keypoints.astype(np.float64)[None]
    shape = (len(people), len(poses), *wanted.shape[2:])
    alike = keypoint_likeness(points, np.broadcast_to(wanted, shape), areas, truth.sigmas)
    return mean_known(alike, axis=2)
