"""AlphaPose's JSON: its own flat list (coco), and one dictionary by picture (cmu, open).

Source: AlphaPose's output documentation and ``alphapose/utils/pPose_nms.py``. In the list, ``idx``
is the track id, or ``[0.0]`` when nobody was tracked. The cmu and open forms hold COCO-18 keypoints
and nothing else.
"""

from __future__ import annotations

from typing import Any

from poise.clip import Clip, Header
from poise.errors import OutputError
from poise.io.formats.base import Format
from poise.io.formats.coco import first_entry
from poise.io.formats.people import Person, assemble, flat_keypoints, from_xywh
from poise.io.formats.source import Source, frame_numbers
from poise.io.formats.writer import JsonListWriter, Writer, encode, rounded_scores, triples, xywh
from poise.poses import Poses
from poise.skeleton import Skeleton

_LAYOUTS = {17: "coco17", 26: "halpe26", 133: "wholebody133"}
_OPENPOSE_LAYOUTS = {18: "coco18"}


class AlphaPoseWriter(JsonListWriter):
    """Writes one entry a person; frames without people leave no trace."""

    skeletons = ("coco17", "halpe26", "wholebody133")

    def _write(self, poses: Poses, name: str | None) -> None:
        scores = rounded_scores(poses.person_scores).tolist()
        for row, (points, box) in enumerate(zip(triples(poses), xywh(poses), strict=True)):
            entry = {
                "image_id": name or f"{poses.index}.jpg",
                "category_id": 1,
                "keypoints": points.ravel().tolist(),
                "score": scores[row],
                "box": box,
                "idx": [0.0] if poses.ids is None else int(poses.ids[row]),
            }
            self._add(entry)


class _ByPictureWriter(Writer):
    skeletons = ("coco18",)
    people, points = "people", "pose_keypoints_2d"

    def _start(self) -> None:
        self._pictures: dict[str, Any] = {}

    def _write(self, poses: Poses, name: str | None) -> None:
        people = [{self.points: flat.ravel().tolist()} for flat in triples(poses)]
        picture = name or f"{poses.index}.jpg"
        if picture in self._pictures:
            raise OutputError(f"two frames would be written as {picture}", where=self.path)
        if people:
            self._pictures[picture] = {"version": "AlphaPose v0.3", self.people: people}

    def _finish(self) -> None:
        self._put(encode(self._pictures).encode())


class AlphaPoseOpenWriter(_ByPictureWriter):
    """Writes the open form: ``people`` with ``pose_keypoints_2d``."""


class AlphaPoseCmuWriter(_ByPictureWriter):
    """Writes the cmu form: ``bodies`` with ``joints``."""

    people, points = "bodies", "joints"


def _sniff(source: Source) -> bool:
    entry = first_entry(source)
    return (
        entry is not None
        and {"image_id", "keypoints"} <= entry.keys()
        and (bool({"box", "idx"} & entry.keys()) or isinstance(entry["image_id"], str))
    )


def _read(source: Source) -> Clip:
    entries: list[dict[str, Any]] = source.document
    count = len(entries[0]["keypoints"]) // 3 if entries else None
    skeleton = source.choose_skeleton(count, _LAYOUTS)
    pictures: dict[str, list[Person]] = {}
    for entry in entries:
        person = Person(
            flat_keypoints(entry["keypoints"], len(skeleton)),
            box=from_xywh(entry.get("box")),
            score=entry.get("score"),
            id=_identity(entry.get("idx")),
        )
        pictures.setdefault(str(entry["image_id"]), []).append(person)
    return _clip(source, skeleton, pictures)


def _identity(idx: Any) -> int | None:
    # Without tracking, a list: [0.0], or one of them for each pose that was merged.
    return int(idx) if isinstance(idx, int | float) else None


def _clip(source: Source, skeleton: Skeleton, pictures: dict[str, list[Person]]) -> Clip:
    numbers = frame_numbers(pictures)
    frames = [
        assemble(skeleton, people, index=number, time=source.time(number))
        for number, people in zip(numbers, pictures.values(), strict=True)
    ]
    return Clip(tuple(frames), Header(skeleton, fps=source.fps), tuple(pictures) or None)


def _sniff_by_picture(source: Source, key: str) -> bool:
    document = source.sniffed
    if not isinstance(document, dict) or not document:
        return False
    entry = next(iter(document.values()))
    return isinstance(entry, dict) and isinstance(entry.get(key), list)


def _read_by_picture(source: Source, people: str, points: str) -> Clip:
    document: dict[str, Any] = source.document
    persons = [person for picture in document.values() for person in picture[people]]
    count = len(persons[0][points]) // 3 if persons else None
    skeleton = source.choose_skeleton(count, _OPENPOSE_LAYOUTS)
    pictures = {
        name: [Person(flat_keypoints(person[points], len(skeleton))) for person in picture[people]]
        for name, picture in document.items()
    }
    return _clip(source, skeleton, pictures)


COCO = Format(
    "alphapose",
    "AlphaPose",
    (".alphapose.json", "alphapose-results.json"),
    _sniff,
    _read,
    AlphaPoseWriter,
)
CMU = Format(
    "alphapose-cmu",
    "AlphaPose (cmu)",
    (".alphapose-cmu.json",),
    lambda source: _sniff_by_picture(source, "bodies"),
    lambda source: _read_by_picture(source, "bodies", "joints"),
    AlphaPoseCmuWriter,
)
OPEN = Format(
    "alphapose-open",
    "AlphaPose (open)",
    (".alphapose-open.json",),
    lambda source: _sniff_by_picture(source, "people"),
    lambda source: _read_by_picture(source, "people", "pose_keypoints_2d"),
    AlphaPoseOpenWriter,
)
