"""The synthetic stage: dancers, a camera and a room, with pictures and their exact truth."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from poise.clip import Clip, Header
from poise.errors import UsageError
from poise.poses import FloatArray, Frame, Poses
from poise.skeleton import get_skeleton
from poise.synthetic.body import FACE, Body, Proportions, Vector, pose_body, turn_y
from poise.synthetic.camera import Camera, Course, View, follow
from poise.synthetic.choreography import Choreography
from poise.synthetic.figure import WARDROBE, Clothes, Figure, cut_parts
from poise.synthetic.parts import Part
from poise.synthetic.raster import paint_shadow, to_image
from poise.synthetic.scenery import paint_scenery

_TRUTH = "blazepose33"
Path = Callable[[float], tuple[float, float]] | Sequence[tuple[float, float, float]]


@dataclass(frozen=True)
class Dancer:
    """One person on the stage.

    Attributes:
        choreography: What the person does.
        position: Metres to the right of the middle of the stage, and metres away from the camera.
        path: Where the person walks instead: ``[(seconds, right, away), ...]`` or a function of
            the time that returns (right, away).
        facing: Degrees that the person is turned to the own left: 0 looks at the camera, 90 to
            the right of the picture, 180 away; a course over time is possible (``Camera``). None
            looks along the path, or else at the camera.
        scale: Size of the whole body; 0.7 is a child.
        proportions: Lengths of the limbs.
        clothes: Colours and cut; None takes the next from the wardrobe.
        mirror: Perform everything with left and right exchanged.
        id: Identity in the truth; None counts from 1.
    """

    choreography: Choreography
    position: tuple[float, float] = (0.0, 0.0)
    path: Path | None = None
    facing: Course | None = None
    scale: float = 1.0
    proportions: Proportions = field(default_factory=Proportions)
    clothes: Clothes | None = None
    mirror: bool = False
    id: int | None = None

    def body(self, time: float) -> Body:
        """Return the body at a time, in the axes of the stage."""
        performed = self.choreography.mirrored() if self.mirror else self.choreography
        body = pose_body(performed.at(time), self.proportions)
        right, away = self._place(time)
        turn = turn_y(self._look(time))
        shift = np.array([right, 0.0, away])
        points = {name: turn @ point * self.scale + shift for name, point in body.points.items()}
        return Body(points, {name: turn @ part for name, part in body.turns.items()})

    def _place(self, time: float) -> tuple[float, float]:
        if self.path is None:
            return self.position
        if callable(self.path):
            return self.path(time)
        times, right, away = np.array(self.path, float).T
        return float(np.interp(time, times, right)), float(np.interp(time, times, away))

    def _look(self, time: float) -> float:
        if self.facing is not None:
            return follow(self.facing, time)
        if self.path is None:
            return 0.0
        step = np.subtract(self._place(time + 0.15), self._place(time - 0.15))
        return float(np.degrees(np.arctan2(step[0], -step[1]))) if np.any(step) else 0.0


@dataclass(frozen=True, eq=False)
class _Moment:
    """Everything about one frame: who is in the picture, their pieces, their landmarks."""

    view: View
    figures: list[Figure]
    parts: list[list[Part]]
    ids: list[int]


class Stage:
    """Draws dancers and knows where every keypoint is.

    Args:
        dancers: Who is on the stage.
        size: Height and width of the pictures in pixels.
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
        size: tuple[int, int] = (360, 640),
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
            _cast_shadow(canvas, figure, moment.view)
        for row in _far_first(moment):
            for part in moment.parts[row]:
                part.paint(canvas)
        return Frame(to_image(canvas), index, index / self.fps)

    def truth(self, index: int, skeleton: str = _TRUTH) -> Poses:
        """Return everyone in the picture: exact keypoints with score 1, ids, boxes and xyz.

        The boxes surround the drawn figures, as far as they are in the picture. Keypoints may be
        outside of the picture or hidden (``hidden``). ``xyz`` is in the axes of the camera.
        """
        moment = self._moment(self._checked(index))
        layout = get_skeleton(_TRUTH)
        places = [_landmarks(figure) for figure in moment.figures]
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
            size=(self.size[1], self.size[0]),
        )
        return truth.to(get_skeleton(skeleton))

    def hidden(self, index: int, skeleton: str = _TRUTH) -> npt.NDArray[np.bool_]:
        """Return (N, K) whether each keypoint of ``truth`` cannot be seen: it is covered by a
        nearer piece of anybody, on the far side of the head, or outside of the picture."""
        moment = self._moment(self._checked(index))
        truth = self.truth(index)
        covered = np.array([_covered(moment, row) for row in range(len(truth))], bool)
        outside = (truth.keypoints < 0) | (truth.keypoints >= self.size[::-1])
        seen = ~(covered.reshape(truth.scores.shape) | outside.any(axis=2))
        shown = truth.replace(scores=seen.astype(np.float32)).to(get_skeleton(skeleton))
        hidden: npt.NDArray[np.bool_] = shown.scores == 0
        return hidden

    def clip(self, skeleton: str = "coco17") -> Clip:
        """Return the truth of all frames, with ids."""
        width_height = (self.size[1], self.size[0])
        header = Header(get_skeleton(skeleton), "truth", "f32", "stage", width_height, self.fps)
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
        return camera.at(time, self.size, seed=self.seed)

    def _look(self, index: int) -> _Moment:
        view, time = self._view(index), index / self.fps
        moment = _Moment(view, [], [], [])
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
        limits = np.array([self.size[1], self.size[0]] * 2)
        box: Vector = np.clip(corners, 0, limits)
        return box

    def _background(self, index: int, view: View) -> FloatArray:
        if self.camera.moves:
            return paint_scenery(view, self.size, self._place_seed(index), fine=False)
        return self._room(self._shot(index)).copy()

    def _furnish(self, shot: int) -> FloatArray:
        index = self.cut_frames[shot - 1] if shot else 0
        return paint_scenery(self._view(index), self.size, self._place_seed(index), fine=True)

    def _place_seed(self, index: int) -> int:
        return self.seed + 101 * self._shot(index)


def _settle(dancer: Dancer, row: int, seed: int) -> Dancer:
    clothes = dancer.clothes or WARDROBE[(row + seed) % len(WARDROBE)]
    return replace(dancer, clothes=clothes, id=row + 1 if dancer.id is None else dancer.id)


def _landmarks(figure: Figure) -> Vector:
    return np.stack([figure.body.points[name] for name in get_skeleton(_TRUTH).keypoints])


def _far_first(moment: _Moment) -> list[int]:
    depths = [moment.view.see(figure.body.points["mid_hip"])[2] for figure in moment.figures]
    return [int(row) for row in np.argsort(depths, kind="stable")[::-1]]


def _cast_shadow(canvas: FloatArray, figure: Figure, view: View) -> None:
    points, unit = figure.body.points, figure.unit
    spots = [(points["mid_hip"], 0.26, 0.35)]
    spots += [(points[f"{side}_{end}"], 0.085, 0.45) for side in ("left", "right")
              for end in ("heel", "foot_index")]  # fmt: skip
    for point, radius, strength in spots:
        ground = np.array([point[0], 0.0, point[2]])
        if view.see(ground)[2] < 0.3 + radius * unit:
            continue
        middle, front, back, side = view.project(
            ground + np.array([[0, 0, 0], [0, 0, -1], [0, 0, 1], [1, 0, 0]]) * radius * unit
        )
        radii = np.array([np.hypot(*(side - middle)), max(np.hypot(*(front - back)) / 2, 1.0)])
        high = np.clip(1 + (point[1] + (0.95 if radius > 0.2 else 0.06)) / unit * 0.6, 0.2, 1)
        paint_shadow(canvas, middle, radii, strength * float(high))


# How much nearer a piece must be, in metres, to hide a keypoint that is inside the body.
_MARGIN = 0.07


def _covered(moment: _Moment, row: int) -> npt.NDArray[np.bool_]:
    figure, view = moment.figures[row], moment.view
    places = _landmarks(figure)
    pixels, depths = view.project(places), view.see(places)[:, 2]
    own_hips = view.see(figure.body.points["mid_hip"])[2]
    covered = np.zeros(len(places), bool)
    for other, parts in enumerate(moment.parts):
        nearer = view.see(moment.figures[other].body.points["mid_hip"])[2] < own_hips
        if other != row and not nearer:
            continue
        margin = _MARGIN * figure.scale if other == row else -np.inf
        for part in parts:
            depth = part.depth_at(pixels)
            covered |= np.isfinite(depth) & (depth < depths - margin)
    return covered | _behind_head(figure, view)


def _behind_head(figure: Figure, view: View) -> npt.NDArray[np.bool_]:
    names = get_skeleton(_TRUTH).keypoints
    head = figure.body.points["head"]
    ray = (head - view.place) / np.linalg.norm(head - view.place)
    turn = figure.body.turns["head"]
    away = [name in FACE and float(turn @ FACE[name] @ ray) > 0.35 for name in names]
    return np.array(away)
