"""Body, both hands and the face of each person in one layout, as MediaPipe's Holistic reads them.

The body comes first. Its wrists and knuckles say where the hands are, its eyes, ears and mouth
where the face is; a small network each (one for hands, the face detector) aims more exactly, and
the networks of hands and faces read what is there. On video they read where the hand or face was in
the frame before, as long as that is near to where the body says it is.

The rules and numbers are those of the graph ``mediapipe/modules/holistic_landmark`` of MediaPipe
0.10.21 (Apache-2.0), for everybody in the picture instead of one person. The code is our own. The
networks are those of other families; the table says which, and how to load them.
"""

from __future__ import annotations

import importlib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

import numpy as np

from poise.errors import ModelError
from poise.models.base import PoseModel
from poise.models.card import Card
from poise.models.holistic_parts import FACE, HAND, FaceFinder, HandFinder, Seen
from poise.models.steps import card_pixels
from poise.models.tiles import TiledDetector
from poise.models.topdown import TopDown
from poise.poses import FloatArray, Frame, Poses
from poise.runtime import Compute, Session
from poise.skeleton import get_skeleton

# The body's points come first, then the left hand's, the right hand's and the face's.
_BODY = 33
_LEFT, _RIGHT, _MESH = _BODY, _BODY + HAND, _BODY + 2 * HAND
_WRISTS = (15, 16)
_NO_HANDS, _NO_FACES = (Seen.nothing(HAND), Seen.nothing(HAND)), Seen.nothing(FACE)


@dataclass
class _Memory:
    """Where the parts of people were in the last frame: the left and right hands, and the faces."""

    hands: tuple[Seen, Seen] = _NO_HANDS
    faces: Seen = _NO_FACES


class Holistic(PoseModel):
    """Reads body, hands and face of everyone.

    Keypoints of a hand or face that is not found are absent. A hand's and a face's keypoints have
    the score of their own network: how sure it is that they are there. ``xyz`` of a hand hangs on
    the body's wrist; the face has none.

    Args:
        body: Reads the body, in the layout ``blazepose33``.
        hands: Finds and reads hands.
        face: Finds and reads faces.
        name: The model's name in the table.
    """

    def __init__(self, body: PoseModel, hands: HandFinder, face: FaceFinder, *, name: str) -> None:
        self._body, self._hands, self._face = body, hands, face
        self.name, self.skeleton = name, get_skeleton("holistic553")
        self.precision = body.precision

    def estimate(self, frames: Sequence[Frame]) -> list[Poses]:
        """Return everyone in each of several unrelated pictures, in order."""
        bodies = self._body.estimate(frames)
        pairs = zip(frames, bodies, strict=True)
        return [self._complete(frame, poses, _Memory()) for frame, poses in pairs]

    def follow(self, frames: Iterable[Frame]) -> Iterator[Poses]:
        """Return everyone in each frame of a video, in order."""
        waiting: deque[Frame] = deque()

        def watched() -> Iterator[Frame]:
            for frame in frames:
                waiting.append(frame)
                yield frame

        memory, size = _Memory(), None
        for bodies in self._body.follow(watched()):
            frame = waiting.popleft()
            if frame.cut or frame.size != size:
                memory, size = _Memory(), frame.size
            yield self._complete(frame, bodies, memory)

    def _complete(self, frame: Frame, bodies: Poses, memory: _Memory) -> Poses:
        count = len(bodies)
        known: dict[str, Any] = {"index": frame.index, "time": frame.time, "size": frame.size}
        if not count:
            memory.hands, memory.faces = _NO_HANDS, _NO_FACES
            return Poses.empty(self.skeleton, **known)
        keypoints = np.full((count, len(self.skeleton), 2), np.nan, np.float32)
        scores = np.zeros(keypoints.shape[:2], np.float32)
        xyz = np.full((*keypoints.shape[:2], 3), np.nan, np.float32)
        keypoints[:, :_BODY], scores[:, :_BODY] = bodies.keypoints, bodies.scores
        if bodies.xyz is not None:
            xyz[:, :_BODY] = bodies.xyz
        memory.hands = self._hands.read(frame.image, bodies, memory.hands)
        for hand, first, wrist in zip(memory.hands, (_LEFT, _RIGHT), _WRISTS, strict=True):
            place = (hand.rows, slice(first, first + HAND))
            keypoints[place], scores[place] = hand.points, hand.presence[:, None]
            xyz[place] = _hang(hand.xyz, xyz[hand.rows, wrist])
        memory.faces = self._face.read(frame.image, bodies, memory.faces)
        place = (memory.faces.rows, slice(_MESH, _MESH + FACE))
        keypoints[place], scores[place] = memory.faces.points, memory.faces.presence[:, None]
        return Poses(
            self.skeleton, keypoints, scores, xyz=xyz, person_scores=bodies.person_scores, **known
        )


def _hang(xyz: FloatArray, wrists: FloatArray) -> FloatArray:
    """Move (N, 21, 3) metres of hands to where the body has its (N, 3) wrists."""
    return xyz - xyz[:, :1] + wrists[:, None]


_JOBS = ("detector", "body", "hands", "face-detector", "face")


def load(card: Card, paths: Sequence[Path], **compute: Unpack[Compute]) -> Holistic:
    """Return the model; ``settings`` of the card name the cards of its parts, in the files' order.

    The last file, which aims at hands, has no card of its own: it is a network of this family.
    """
    from poise.models.table import CARDS

    lacking = [job for job in _JOBS if str(card.settings.get(job)) not in CARDS]
    if lacking:
        what = f"settings: wanted the names of cards for {', '.join(lacking)}"
        raise ModelError(what, where=f"card {card.name}", remedy="take blazepose-wholebody's")
    given = iter(paths)
    parts: dict[str, Any] = {}
    for job in _JOBS:
        part = CARDS[str(card.settings[job])]
        files = [next(given) for _ in part.files]
        family = importlib.import_module(f"poise.models.{part.family}")
        parts[job] = family.load(part, files, **compute)
    recrop = Session(next(given), streams=2, pixels=card_pixels(card), **compute)
    closer = TiledDetector(parts["detector"])
    body = TopDown(parts["detector"], parts["body"], name=card.name, still_detector=closer)
    hands = HandFinder(recrop, parts["hands"], parts["hands"].ends)
    face = FaceFinder(parts["face-detector"], parts["face"], parts["face"].ends)
    return Holistic(body, hands, face, name=card.name)
