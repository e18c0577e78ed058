"""Poise JSONL: a header line, a line a frame, and a closing line that marks it complete.

Precision: pixels 0.01, scores 0.0001, metres 0.0001, seconds 0.000001.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from poise.clip import Clip, Header
from poise.errors import InputError
from poise.io.formats.base import Format
from poise.io.formats.people import Person, assemble, checked_size
from poise.io.formats.source import Source, numbered_lines, parse_json
from poise.io.formats.writer import (
    METRE_DECIMALS,
    PIXEL_DECIMALS,
    SECOND_DECIMALS,
    Writer,
    encode,
    rounded_scores,
    triples,
)
from poise.poses import Poses
from poise.skeleton import Skeleton, get_skeleton, skeleton_names

VERSION = 1
_BLANK = (np.nan, np.nan, np.nan)


class JsonlWriter(Writer):
    """Writes every frame as soon as it comes."""

    def _start(self) -> None:
        self._put(_line(header_record(self.header)))

    def _write(self, poses: Poses, name: str | None) -> None:
        record: dict[str, Any] = {
            "frame": poses.index,
            "time": round(float(poses.time), SECOND_DECIMALS),
            "people": _people(poses),
        }
        if name is not None:
            record["name"] = name
        if poses.size not in (self.header.size, (0, 0)):
            record["size"] = list(poses.size)
        self._put(_line(record))

    def _finish(self) -> None:
        self._put(_line({"end": {"frames": self.frames, "truncated": self.truncated}}))


def _line(record: dict[str, Any]) -> bytes:
    return (encode(record) + "\n").encode()


def header_record(header: Header) -> dict[str, Any]:
    """Return the first line of a file: skeleton, model, source and size."""
    return {
        "poise": VERSION,
        "skeleton": header.skeleton.name,
        "keypoints": list(header.skeleton.keypoints),
        "edges": [list(edge) for edge in header.skeleton.edges],
        "model": header.model,
        "precision": header.precision,
        "source": header.source,
        "size": list(header.size),
        "fps": header.fps,
    }


def read_header(record: dict[str, Any], where: object) -> Header:
    """Return the header of a first line.

    Raises:
        InputError: It was written by a newer Poise.
    """
    if record["poise"] != VERSION:
        raise InputError(
            f"format version {record['poise']}, this Poise reads version {VERSION}",
            where=where,
            remedy="install a newer Poise",
        )
    name, keypoints = str(record["skeleton"]), tuple(map(str, record["keypoints"]))
    edges = tuple((int(a), int(b)) for a, b in record.get("edges", ()))
    known = get_skeleton(name) if name in skeleton_names() else None
    width, height = record.get("size") or (0, 0)
    fps = float(record.get("fps") or 0)
    return Header(
        known if known and known.keypoints == keypoints else Skeleton(name, keypoints, edges),
        model=str(record.get("model") or ""),
        precision=str(record.get("precision") or ""),
        source=str(record.get("source") or ""),
        size=checked_size(width, height),
        fps=fps if math.isfinite(fps) and fps > 0 else None,
    )


def _people(poses: Poses) -> list[dict[str, Any]]:
    count = len(poses)
    if not count:
        return []
    points = triples(poses).tolist()
    _blank_out(points, np.isnan(poses.keypoints[..., 0]))
    boxes = _boxes(poses)
    scores = rounded_scores(poses.person_scores).tolist()
    ids: list[int | None] = [None] * count if poses.ids is None else poses.ids.tolist()
    people = [
        {"id": identity, "score": score, "box": box, "keypoints": keypoints}
        for identity, score, box, keypoints in zip(ids, scores, boxes, points, strict=True)
    ]
    if poses.xyz is not None:
        metres = (np.round(poses.xyz.astype(np.float64), METRE_DECIMALS) + 0.0).tolist()
        _blank_out(metres, np.logical_not(np.isfinite(poses.xyz).all(axis=2)))
        for person, xyz in zip(people, metres, strict=True):
            person["xyz"] = xyz
    return people


def _blank_out(rows: list[list[Any]], absent: npt.NDArray[np.bool_]) -> None:
    if absent.any():
        for person, keypoint in np.argwhere(absent).tolist():
            rows[person][keypoint] = None


def _boxes(poses: Poses) -> list[list[float] | None]:
    boxes = np.round(poses.boxes.astype(np.float64), PIXEL_DECIMALS) + 0.0
    there = np.isfinite(boxes).all(axis=1)
    return [box if real else None for box, real in zip(boxes.tolist(), there, strict=True)]


def _sniff(source: Source) -> bool:
    first = source.head.partition(b"\n")[0]
    if b'"poise"' not in first:
        return False
    try:
        record = parse_json(first, where=source.path)
    except InputError:
        return False
    return isinstance(record, dict) and "poise" in record


def _read(source: Source) -> Clip:
    lines = _records(source.path)
    number, first, _ = next(lines, (0, None, True))
    if not isinstance(first, dict) or "poise" not in first:
        raise InputError('no header line {"poise":1,...}', where=f"{source.path}, line 1")
    header = read_header(first, f"{source.path}, line {number}")
    source.check_skeleton(header.skeleton)
    frames: list[Poses] = []
    names: list[str | None] = []
    end: dict[str, Any] | None = None
    for number, record, complete in lines:
        where = f"{source.path}, line {number}"
        if record is None and not complete:
            break  # the last line of a run that was killed
        if end is not None or not isinstance(record, dict):
            raise InputError("text after the end line" if end else "not a frame", where=where)
        if "end" in record:
            end = record["end"]
            continue
        frames.append(_frame(record, header, where))
        names.append(record.get("name"))
    whole = end is not None and end["frames"] == len(frames) and not end["truncated"]
    named = bool(names) and None not in names
    return Clip(tuple(frames), header, tuple(map(str, names)) if named else None, not whole)


def _records(path: Path) -> Iterator[tuple[int, Any, bool]]:
    for number, line in numbered_lines(path):
        complete = line.endswith(b"\n")
        try:
            record = parse_json(line, where=f"{path}, line {number}")
        except InputError:
            if complete:
                raise
            record = None
        yield number, record, complete


def _frame(record: dict[str, Any], header: Header, where: str) -> Poses:
    try:
        people = [_person(person) for person in record["people"]]
        width, height = record.get("size") or header.size
        return assemble(
            header.skeleton,
            people,
            index=record["frame"],
            time=record["time"],
            size=(width, height),
        )
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        reason = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise InputError(f"not a frame of this clip: {reason}", where=where) from error


def _person(person: dict[str, Any]) -> Person:
    xyz = person.get("xyz")
    return Person(
        [_BLANK if point is None else point for point in person["keypoints"]],
        box=person.get("box"),
        score=person.get("score"),
        id=person.get("id"),
        xyz=None if xyz is None else [_BLANK if point is None else point for point in xyz],
    )


FORMAT = Format("jsonl", "Poise JSONL", (".jsonl",), _sniff, _read, JsonlWriter)
