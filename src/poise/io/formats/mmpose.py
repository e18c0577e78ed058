"""MMPose's inferencer JSON: a list of people for a picture, a list of frames for a video.

Source: MMPose's inferencer (``--pred-out-dir``) and the ``--save-predictions`` of its demo scripts,
which wrap the frames into ``instance_info``. A box stands in a list of its own. Poise marks an
absent keypoint, which MMPose does not know, as (0, 0) with score 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from poise.clip import Clip, Header
from poise.io.formats.base import Format
from poise.io.formats.coco import first_entry
from poise.io.formats.people import Person, assemble
from poise.io.formats.source import Source
from poise.io.formats.writer import (
    PIXEL_DECIMALS,
    Writer,
    encode,
    rounded_scores,
    triples,
)
from poise.poses import Poses

_LAYOUTS = {17: "coco17", 26: "halpe26", 133: "wholebody133", 16: "mpii16"}


class MmposeWriter(Writer):
    """Writes the video form; the picture form for one frame with the number 0 and people in it."""

    skeletons = ("coco17", "halpe26", "wholebody133", "mpii16")

    def _start(self) -> None:
        self._first: dict[str, Any] | None = None
        self._glue = b"["

    def _write(self, poses: Poses, name: str | None) -> None:
        entry = {"frame_id": poses.index, "instances": _instances(poses)}
        if self.frames == 0:
            self._first = entry  # it alone would be a picture
            return
        if self._first is not None:
            self._add(self._first)
            self._first = None
        self._add(entry)

    def _add(self, entry: dict[str, Any]) -> None:
        self._put(self._glue + encode(entry).encode())
        self._glue = b",\n"

    def _finish(self) -> None:
        if self._first is not None:
            if self._first["frame_id"] == 0 and self._first["instances"]:
                self._put(encode(self._first["instances"]).encode() + b"\n")
                return
            self._add(self._first)
        self._put(b"[]\n" if self._glue == b"[" else b"]\n")


def _instances(poses: Poses) -> list[dict[str, Any]]:
    points = triples(poses)
    boxes = np.round(np.nan_to_num(poses.boxes.astype(np.float64)), PIXEL_DECIMALS) + 0.0
    scores = rounded_scores(poses.person_scores)
    instances: list[dict[str, Any]] = [
        {
            "keypoints": flat[:, :2].tolist(),
            "keypoint_scores": flat[:, 2].tolist(),
            "bbox": [box.tolist()],
            "bbox_score": float(score),
        }
        for flat, box, score in zip(points, boxes, scores, strict=True)
    ]
    if poses.ids is not None:
        for instance, identity in zip(instances, poses.ids.tolist(), strict=True):
            instance["track_id"] = identity
    return instances


def _sniff(source: Source) -> bool:
    document = source.sniffed
    if isinstance(document, dict):
        return "instance_info" in document
    entry = first_entry(source)
    return entry is not None and ("instances" in entry or "keypoint_scores" in entry)


def _read(source: Source) -> Clip:
    document = source.document
    frames = document["instance_info"] if isinstance(document, dict) else document
    if not frames or "instances" not in frames[0]:
        frames = [{"frame_id": 0, "instances": frames}]
    people = [person for frame in frames for person in frame["instances"]]
    count = len(people[0]["keypoints"]) if people else None
    skeleton = source.choose_skeleton(count, _LAYOUTS)
    poses = [
        assemble(
            skeleton,
            [_person(person) for person in frame["instances"]],
            index=frame.get("frame_id", place),
            time=source.time(frame.get("frame_id", place)),
        )
        for place, frame in enumerate(frames)
    ]
    return Clip(tuple(poses), Header(skeleton, fps=source.fps))


def _person(person: dict[str, Any]) -> Person:
    scores = np.array(person["keypoint_scores"], np.float64)
    points = np.column_stack([np.array(person["keypoints"], np.float64)[:, :2], scores])
    points[(points == 0).all(axis=1)] = np.nan
    box = np.ravel(person["bbox"]).astype(np.float64)[:4] if "bbox" in person else None
    if box is not None and not box.any():
        box = np.full(4, np.nan)
    return Person(
        points,
        box=None if box is None else box.tolist(),
        score=person.get("bbox_score"),
        id=person.get("track_id"),
    )


FORMAT = Format("mmpose", "MMPose JSON", (".mmpose.json",), _sniff, _read, MmposeWriter)
