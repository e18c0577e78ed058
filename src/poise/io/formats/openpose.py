"""OpenPose's JSON folders (version 1.3): one ``<name>_000000000000_keypoints.json`` a frame.

Source: OpenPose's output documentation and ``--write_json``. Its BODY_25, BODY_25B, COCO and MPI
models are told apart by their count on reading; 25 keypoints are BODY_25, unless the file says
``"skeleton":"body25b"``, as Poise writes it, or the user names it. A missing keypoint is 0,0,0.
Hands and faces are not read and are written empty.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from poise.clip import Clip, Header
from poise.io.formats.base import Format
from poise.io.formats.people import Person, assemble, flat_keypoints
from poise.io.formats.source import Source, frame_numbers, load_json
from poise.io.formats.writer import METRE_DECIMALS, Writer, encode, triples
from poise.output import OutputFile, OutputFolder
from poise.poses import Poses

_LAYOUTS = {25: "body25", 18: "coco18", 15: "mpii15"}
_EMPTY: dict[str, list[float]] = {
    "face_keypoints_2d": [],
    "hand_left_keypoints_2d": [],
    "hand_right_keypoints_2d": [],
    "pose_keypoints_3d": [],
    "face_keypoints_3d": [],
    "hand_left_keypoints_3d": [],
    "hand_right_keypoints_3d": [],
}


class OpenPoseWriter(Writer):
    """Writes a folder, one file a frame."""

    skeletons = ("body25", "body25b", "coco18", "mpii15")

    def _create(self, overwrite: bool) -> OutputFile | OutputFolder:
        stem = Path(self.header.source).stem or Path(self.path).resolve().name
        self._name = re.sub(r"[^\w-]+", "_", stem)[:60] or "frame"
        stale = re.compile(rf"{re.escape(self._name)}_[0-9]{{12}}_keypoints\.json")
        return OutputFolder(self.path, overwrite=overwrite, stale=stale)

    def _write(self, poses: Poses, name: str | None) -> None:
        record: dict[str, Any] = {"version": 1.3, "people": _people(poses)}
        if poses.skeleton.name == "body25b":
            record["skeleton"] = "body25b"
        assert isinstance(self._out, OutputFolder)
        self._out.write(f"{self._name}_{poses.index:012d}_keypoints.json", encode(record).encode())


def _people(poses: Poses) -> list[dict[str, Any]]:
    flat = triples(poses).reshape(len(poses), 3 * len(poses.skeleton)).tolist()
    ids = [-1] * len(poses) if poses.ids is None else poses.ids.tolist()
    people: list[dict[str, Any]] = [
        {"person_id": [identity], "pose_keypoints_2d": points, **_EMPTY}
        for identity, points in zip(ids, flat, strict=True)
    ]
    if poses.xyz is not None:
        for person, metres in zip(people, _solid(poses), strict=True):
            person["pose_keypoints_3d"] = metres
    return people


def _solid(poses: Poses) -> list[list[float]]:
    assert poses.xyz is not None
    there = np.isfinite(poses.xyz).all(axis=2, keepdims=True)
    metres = np.round(poses.xyz.astype(np.float64), METRE_DECIMALS)
    quads = np.concatenate([np.where(there, metres, 0), there], axis=2) + 0.0
    listed: list[list[float]] = quads.reshape(len(poses), 4 * len(poses.skeleton)).tolist()
    return listed


def _sniff(source: Source) -> bool:
    document = source.sniffed
    return isinstance(document, dict) and isinstance(document.get("people"), list)


def _read(source: Source) -> Clip:
    documents = [load_json(path) for path in source.files]
    skeleton = source.choose_skeleton(*_layout(documents))
    numbers = frame_numbers(path.stem for path in source.files)
    order = np.argsort(numbers, kind="stable")
    frames = [
        assemble(
            skeleton,
            [_person(person, len(skeleton)) for person in documents[place]["people"]],
            index=numbers[place],
            time=source.time(numbers[place]),
        )
        for place in order
    ]
    return Clip(tuple(frames), Header(skeleton, fps=source.fps))


def _layout(documents: list[Any]) -> tuple[int | None, dict[int, str]]:
    named = documents[0].get("skeleton") if documents else None
    layouts = _LAYOUTS | ({25: "body25b"} if named == "body25b" else {})
    for document in documents:
        for person in document["people"]:
            if person["pose_keypoints_2d"]:
                return len(person["pose_keypoints_2d"]) // 3, layouts
    return None, layouts


def _person(person: dict[str, Any], count: int) -> Person:
    identity = int(np.ravel(person.get("person_id", -1))[0])
    return Person(
        flat_keypoints(person["pose_keypoints_2d"], count),
        id=identity if identity >= 0 else None,
        xyz=_metres(person.get("pose_keypoints_3d"), count),
    )


def _metres(values: list[float] | None, count: int) -> Any:
    if not values:
        return None
    quads = np.array(values, np.float64).reshape(count, 4)
    return np.where(quads[:, 3:] > 0, quads[:, :3], np.nan)


FORMAT = Format("openpose", "OpenPose JSON", ("/",), _sniff, _read, OpenPoseWriter)
