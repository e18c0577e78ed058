"""OpenPifPaf's JSON: one list of people a picture, or one line a frame of a video.

Source: ``openpifpaf.predict --json-output`` (``<picture>.predictions.json``) and
``openpifpaf.video --json-output``. A missing keypoint is 0, -3, 0. Its precision is 0.01 px for
keypoints, 0.01 for their scores and 0.001 for a person's score.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from poise.clip import Clip, Header
from poise.io.formats.base import Format
from poise.io.formats.coco import first_entry
from poise.io.formats.people import Person, assemble, flat_keypoints, from_xywh
from poise.io.formats.source import Source, frame_numbers, load_json, numbered_lines, parse_json
from poise.io.formats.writer import Writer, encode, triples, xywh
from poise.output import OutputFile, OutputFolder
from poise.poses import Poses

_LAYOUTS = {17: "coco17", 133: "wholebody133"}
_ABSENT = (0.0, -3.0, 0.0)
_SUFFIX = ".predictions.json"


class OpenPifPafWriter(Writer):
    """Writes a folder with a file a frame, or one file: a list for a frame, lines for several."""

    skeletons = ("coco17", "wholebody133")

    def _create(self, overwrite: bool) -> OutputFile | OutputFolder:
        if self.path.endswith("/") or Path(self.path).is_dir():
            stale = re.compile(".*" + re.escape(_SUFFIX))
            return OutputFolder(self.path, overwrite=overwrite, stale=stale)
        return super()._create(overwrite)

    def _start(self) -> None:
        self._first: tuple[int, list[dict[str, Any]]] | None = None

    def _write(self, poses: Poses, name: str | None) -> None:
        people = _people(poses)
        if isinstance(self._out, OutputFolder):
            picture = Path(name).name if name else f"{poses.index:012d}.jpg"
            self._out.write(picture + _SUFFIX, encode(people).encode())
            return
        if self.frames == 0:
            self._first = poses.index, people
            return
        if self._first is not None:
            self._add(*self._first)
            self._first = None
        self._add(poses.index, people)

    def _add(self, index: int, people: list[dict[str, Any]]) -> None:
        self._put(encode({"frame": index, "predictions": people}).encode() + b"\n")

    def _finish(self) -> None:
        if self._first is None:
            return
        index, people = self._first
        if index == 0:
            self._put(encode(people).encode() + b"\n")
        else:
            self._add(index, people)


def _people(poses: Poses) -> list[dict[str, Any]]:
    points = triples(poses, absent=_ABSENT)
    points[..., 2] = np.round(points[..., 2], 2)
    people: list[dict[str, Any]] = [
        {
            "keypoints": flat.ravel().tolist(),
            "bbox": box,
            "score": round(float(np.nan_to_num(score)), 3),
            "category_id": 1,
        }
        for flat, box, score in zip(points, xywh(poses), poses.person_scores, strict=True)
    ]
    if poses.ids is not None:
        for person, identity in zip(people, poses.ids.tolist(), strict=True):
            person["id_"] = identity
    return people


def _sniff(source: Source) -> bool:
    if source.head.startswith((b'{"frame":', b'{"frame" :')) and b'"predictions"' in source.head:
        return True
    if source.sniffed == []:  # nobody in the picture: only the name is left to go by
        return source.files[0].name.endswith(_SUFFIX)
    entry = first_entry(source)
    keys = set(entry or ())
    return "keypoints" in keys and not keys & {"image_id", "keypoint_scores"}


def _read(source: Source) -> Clip:
    names = None
    if source.path.is_dir():
        lists = [load_json(path) for path in source.files]
        pictures = [path.name.removesuffix(".json") for path in source.files]
        numbers = frame_numbers(pictures)
        names = tuple(name.removesuffix(".predictions") for name in pictures)
    elif source.head.lstrip()[:1] == b"{":
        lines = [
            parse_json(line, where=f"{source.path}, line {number}")
            for number, line in numbered_lines(source.path)
        ]
        lists = [line["predictions"] for line in lines]
        numbers = [int(line["frame"]) for line in lines]
    else:
        lists, numbers = [source.document], [0]
    people = [person for persons in lists for person in persons]
    count = len(people[0]["keypoints"]) // 3 if people else None
    skeleton = source.choose_skeleton(count, _LAYOUTS)
    frames = [
        assemble(
            skeleton,
            [_person(person, len(skeleton)) for person in persons],
            index=number,
            time=source.time(number),
        )
        for number, persons in zip(numbers, lists, strict=True)
    ]
    return Clip(tuple(frames), Header(skeleton, fps=source.fps), names)


def _person(person: dict[str, Any], count: int) -> Person:
    return Person(
        flat_keypoints(person["keypoints"], count, absent=_ABSENT),
        box=from_xywh(person.get("bbox")),
        score=person.get("score"),
        id=person.get("id_"),
    )


FORMAT = Format("openpifpaf", "OpenPifPaf JSON", (_SUFFIX,), _sniff, _read, OpenPifPafWriter)
