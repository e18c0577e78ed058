"""The synthetic stage: dancers, a camera and a room, with pictures and their exact truth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from poise.clip import Clip, Header
from poise.errors import UsageError
from poise.poses import FloatArray, Frame, Poses
from poise.skeleton import get_skeleton
from poise.synthetic.body import Vector
from poise.synthetic.camera import Camera, View, follow
from poise.synthetic.dancer import Dancer
from poise.synthetic.figure import WARDROBE, Figure, cut_parts
from poise.synthetic.moment import TRUTH, Moment, cast_shadow, far_first, find_covered, landmarks
from poise.synthetic.parts import Part
from poise.synthetic.raster import to_image
from poise.synthetic.scenery import paint_scenery


class Stage:
    """Draws dancers and knows where every keypoint is.

    Args:
        dancers: Who is on the stage.
        size: Width and height of the pictures in pixels.
        fps: Frames per second.
        duration: Seconds; by default that of the longest choreography.
        camera: Where the camera is and how it moves.
        seed: Chooses room, clothes and shaking. The same seed gives the same pictures.
        cuts: Seconds at which another shot begins: another room, seen from another side.

    Raises:
        UsageError: No dancer's id may stand twice; size, fps and duration must be above 0.
    """

    def __init__(
        self,
        dancers: Sequence[Dancer] | Dancer,
        *,
        size: tuple[int, int] = (640, 360),
        fps: float = 30.0,
        duration: float | None = None,
        camera: Camera | None = None,
        seed: int = 0,
        cuts: Sequence[float] = (),
    ) -> None:
        chosen = [dancers] if isinstance(dancers, Dancer) else list(dancers)
        longest = max((dancer.choreography.duration for dancer in chosen), default=1.0)
        self.duration = longest if duration is None else duration
        if min(*size, fps, self.duration) <= 0:
            raise UsageError(f"wanted above 0: size {size}, fps {fps}, duration {self.duration}")
        self.size, self.fps, self.seed = size, fps, seed
        self.camera = camera or Camera()
        self.cuts = tuple(sorted(cuts))
        self.dancers = [_settle(dancer, row, seed) for row, dancer in enumerate(chosen)]
        ids = [dancer.id for dancer in self.dancers]
        if len(set(ids)) != len(ids):
            raise UsageError(f"an id stands twice in {ids}", where="Stage.dancers")
        self._moment = lru_cache(maxsize=4)(self._look)
        self._room = lru_cache(maxsize=2)(self._furnish)

    def __len__(self) -> int:
        return max(1, round(self.duration * self.fps))

    @property
    def cut_frames(self) -> tuple[int, ...]:
        """Numbers of the frames that begin a new shot. The frames themselves are not marked."""
        return tuple(int(np.ceil(cut * self.fps - 1e-9)) for cut in self.cuts)

    def frames(self) -> Iterator[Frame]:
        """Draw every frame in order."""
        return (self.frame(index) for index in range(len(self)))

    def frame(self, index: int) -> Frame:
        """Draw one frame."""
        moment = self._moment(self._checked(index))
        canvas = self._background(index, moment.view)
        for figure in moment.figures:
            cast_shadow(canvas, figure, moment.view)
        for row in far_first(moment):
            for part in moment.parts[row]:
                part.paint(canvas)
        return Frame(to_image(canvas), index, index / self.fps)

    def truth(self, index: int, skeleton: str = TRUTH) -> Poses:
        """Return everyone in the picture: exact keypoints with score 1, ids, boxes and xyz.

        The boxes surround the drawn figures, as far as they are in the picture. Keypoints may be
        outside of the picture or hidden (``hidden``). ``xyz`` is in the axes of the camera.
        """
        moment = self._moment(self._checked(index))
        layout = get_skeleton(TRUTH)
        places = [landmarks(figure) for figure in moment.figures]
        points = np.array(places).reshape(-1, len(layout), 3)
        hips = [figure.body.points["mid_hip"] for figure in moment.figures]
        relative = (points - np.array(hips).reshape(-1, 1, 3)) @ moment.view.turn.T
        boxes = [self._box(parts) for parts in moment.parts]
        truth = Poses(
            layout,
            moment.view.project(points).astype(np.float32),
            np.ones(points.shape[:2], np.float32),
            boxes=np.array(boxes, np.float32).reshape(-1, 4),
            ids=np.array(moment.ids, np.int64),
            xyz=relative.astype(np.float32),
            index=index,
            time=index / self.fps,
            size=self.size,
        )
        return truth.to(get_skeleton(skeleton))

    def hidden(self, index: int, skeleton: str = TRUTH) -> npt.NDArray[np.bool_]:
        """Return (N, K) whether each keypoint of ``truth`` cannot be seen: it is covered by a
        nearer piece of anybody, on the far side of the head, or outside of the picture."""
        moment = self._moment(self._checked(index))
        truth = self.truth(index)
        covered = np.array([find_covered(moment, row) for row in range(len(truth))], bool)
        outside = (truth.keypoints < 0) | (truth.keypoints >= self.size)
        seen = ~(covered.reshape(truth.scores.shape) | outside.any(axis=2))
        shown = truth.replace(scores=seen.astype(np.float32)).to(get_skeleton(skeleton))
        hidden: npt.NDArray[np.bool_] = shown.scores == 0
        return hidden

    def clip(self, skeleton: str = "coco17") -> Clip:
        """Return the truth of all frames, with ids."""
        header = Header(get_skeleton(skeleton), "truth", "f32", "stage", self.size, self.fps)
        return Clip(tuple(self.truth(index, skeleton) for index in range(len(self))), header)

    def _checked(self, index: int) -> int:
        if not 0 <= index < len(self):
            raise UsageError(f"no frame {index}; the stage has {len(self)}, from 0")
        return index

    def _shot(self, index: int) -> int:
        return sum(index >= first for first in self.cut_frames)

    def _view(self, index: int) -> View:
        shot, time = self._shot(index), index / self.fps
        camera = self.camera
        if shot:
            random = np.random.default_rng([self.seed, shot, 3])
            side, closer = random.uniform(15, 35) * (-1) ** shot, random.uniform(1.05, 1.25)
            camera = replace(
                camera,
                orbit=follow(camera.orbit, time) + side,
                zoom=follow(camera.zoom, time) * closer,
            )
        return camera.at(time, self.size[::-1], seed=self.seed)

    def _look(self, index: int) -> Moment:
        view, time = self._view(index), index / self.fps
        moment = Moment(view, [], [], [])
        for dancer in self.dancers:
            figure = Figure(
                dancer.body(time), dancer.proportions, dancer.clothes or WARDROBE[0], dancer.scale
            )
            if min(view.see(np.stack(list(figure.body.points.values())))[:, 2]) < 0.3:
                continue
            parts = cut_parts(figure, view)
            box = self._box(parts)
            if box[0] < box[2] and box[1] < box[3]:
                moment.figures.append(figure)
                moment.parts.append(parts)
                moment.ids.append(int(dancer.id or 0))
        return moment

    def _box(self, parts: list[Part]) -> Vector:
        bounds = np.array([part.bounds() for part in parts])
        corners = np.concatenate([bounds[:, :2].min(axis=0), bounds[:, 2:].max(axis=0)])
        limits = np.array([*self.size, *self.size])
        box: Vector = np.clip(corners, 0, limits)
        return box

    def _background(self, index: int, view: View) -> FloatArray:
        if self.camera.moves:
            return paint_scenery(view, self.size[::-1], self._place_seed(index), fine=False)
        return self._room(self._shot(index)).copy()

    def _furnish(self, shot: int) -> FloatArray:
        index = self.cut_frames[shot - 1] if shot else 0
        return paint_scenery(self._view(index), self.size[::-1], self._place_seed(index), fine=True)

    def _place_seed(self, index: int) -> int:
        return self.seed + 101 * self._shot(index)


def _settle(dancer: Dancer, row: int, seed: int) -> Dancer:
    clothes = dancer.clothes or WARDROBE[(row + seed) % len(WARDROBE)]
    return replace(dancer, clothes=clothes, id=row + 1 if dancer.id is None else dancer.id)
