"""Poise's own keypoint files, and all others that it reads, as the truth of their frames.

Every keypoint that is there is labelled. There are no areas: `entries` says what counts.
"""

from __future__ import annotations

import numpy as np

from poise.clip import Clip
from poise.evaluation.readers.entries import make_person
from poise.evaluation.truth import TruePerson, TruePicture, Truth
from poise.poses import Poses


def clip_truth(clip: Clip) -> Truth:
    """Return a clip as the truth of its frames; a picture's id is the frame's index."""
    names = clip.names or tuple(f"frame {poses.index}" for poses in clip.frames)
    pictures = tuple(
        TruePicture(
            poses.index,
            name,
            poses.size if any(poses.size) else clip.header.size,
            tuple(_person(poses, row) for row in range(len(poses))),
            video="" if clip.names is None else name,
            time=poses.time,
        )
        for name, poses in zip(names, clip.frames, strict=True)
    )
    return Truth(clip.skeleton, pictures, "clip")


def _person(poses: Poses, row: int) -> TruePerson:
    there = poses.present[row]
    points = np.where(there[:, None], poses.keypoints[row], 0).astype(np.float64)
    keypoints = np.column_stack([points, 2.0 * there])
    identity = None if poses.ids is None else int(poses.ids[row])
    return make_person(keypoints, len(poses.skeleton), id=identity, name=f"frame {poses.index}")
