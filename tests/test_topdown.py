"""The top-down walk, with a detector and a crop model that see bright squares."""

from __future__ import annotations

import threading
import time
import tracemalloc
from collections.abc import Iterator

import numpy as np
import pytest

from poise.crop import crop
from poise.geometry import crop_affine
from poise.models.base import CropPoses, Detections
from poise.models.following import SOON
from poise.models.regions import cut_all, read_regions
from poise.models.steady import Steady
from poise.models.topdown import TopDown
from poise.poses import Frame
from poise.skeleton import get_skeleton

WIDTH, HEIGHT, SIDE = 320, 200, 24
SKELETON = get_skeleton("coco17")
# Where the keypoints of a person lie around the middle, in picture pixels.
SHAPE = np.stack([np.linspace(-10, 10, 17), np.linspace(-9, 9, 17) ** 2 / 9], axis=1)


class SquareDetector:
    """Finds every colour among the three as one person; counts how often it was asked."""

    precision = "f32"

    def __init__(self) -> None:
        self.asked = 0

    def detect(self, images):
        self.asked += len(images)
        return [self._find(image) for image in images]

    def _find(self, image) -> Detections:
        boxes = []
        for channel in range(3):
            rows, columns = np.nonzero(image[..., channel] > 128)
            if len(rows):
                corner = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
                boxes.append(corner)
        found = np.array(boxes, np.float32).reshape(-1, 4)
        return Detections(found, np.ones(len(found), np.float32))


class SquareReader:
    """Says that the person is in the middle of the brightest square of the crop."""

    skeleton, precision = SKELETON, "f32"
    size, minimum_presence = (64, 64), 0.5

    def __init__(self) -> None:
        self.read_at_once: list[int] = []
        self.threads: set[int] = set()

    def regions(self, detections):
        return [self._region((box[:2] + box[2:]) / 2) for box in detections.boxes]

    def next_regions(self, poses, anchors):
        return [
            self._region(points.mean(axis=0) - SHAPE.mean(axis=0)) for points in poses.keypoints
        ]

    def _region(self, centre):
        return crop_affine(centre, (64, 64), self.size)

    def cut(self, image, region):
        return crop(image, region, self.size)

    def read(self, crops):
        self.read_at_once.append(len(crops))
        self.threads.add(threading.get_ident())
        points, presence = [], []
        for patch in crops:
            rows, columns = np.nonzero(patch.max(axis=2) > 128)
            there = len(rows) > 30
            middle = [columns.mean() + 0.5, rows.mean() + 0.5] if there else [0, 0]
            points.append(SHAPE + middle)
            presence.append(float(there))
        count = len(crops)
        return CropPoses(
            np.array(points, np.float32),
            np.full((count, 17), 0.9, np.float32),
            np.array(presence, np.float32),
        )


def picture(*middles, colours=(0, 1, 2)) -> np.ndarray:
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for (x, y), colour in zip(middles, colours, strict=False):
        x0, y0 = int(x) - SIDE // 2, int(y) - SIDE // 2
        image[max(y0, 0) : max(y0 + SIDE, 0), max(x0, 0) : max(x0 + SIDE, 0), colour] = 255
    return image


def model() -> TopDown:
    return TopDown(SquareDetector(), SquareReader(), name="squares")


def clip(pictures, fps=30.0, cuts=()) -> list[Frame]:
    return [Frame(p, i, i / fps, cut=i in cuts) for i, p in enumerate(pictures)]


def middles(poses) -> np.ndarray:
    return poses.keypoints.mean(axis=1) - SHAPE.mean(axis=0)


def test_pictures_are_read_alone_and_in_order() -> None:
    top_down = model()
    frames = clip([picture((50, 50), (200, 100)), picture(), picture((100, 60))])
    found = top_down.estimate(frames)
    assert [len(poses) for poses in found] == [2, 0, 1]
    assert [poses.index for poses in found] == [0, 1, 2]
    assert found[0].size == (WIDTH, HEIGHT)
    np.testing.assert_allclose(middles(found[0]), [[50, 50], [200, 100]], atol=0.6)
    assert 2 in top_down._reader.read_at_once


def test_crops_of_many_people_are_cut_side_by_side_and_keep_their_order() -> None:
    class SlowReader(SquareReader):
        """The first region takes longest, so that the second one's crop is ready before it."""

        def cut(self, image, region):
            time.sleep(0.05 if not cutters else 0)
            cutters.append(threading.get_ident())
            return super().cut(image, region)

    cutters: list[int] = []
    image = picture((50, 50), (150, 60), (250, 120))
    slow, reader = SlowReader(), SquareReader()
    regions = [reader._region(np.array(middle)) for middle in ((50, 50), (150, 60), (250, 120))]
    crops = cut_all(slow, image, regions)
    for crop_, region in zip(crops, regions, strict=True):
        np.testing.assert_array_equal(crop_, reader.cut(image, region))
    assert len(set(cutters)) == 2
    assert len(cut_all(slow, image, regions[:2])) == 2
    assert cutters[-1] == threading.get_ident()
    together = read_regions(reader, Frame(image), regions).poses
    apart = [read_regions(reader, Frame(image), [region]).poses for region in regions]
    alone = np.concatenate([poses.keypoints for poses in apart])
    assert together.keypoints.tobytes() == alone.tobytes()


def test_one_picture_by_calling_the_model() -> None:
    assert len(model()(picture((80, 80)))) == 1
    assert len(model()(picture())) == 0


def test_a_moving_person_is_followed_with_one_look() -> None:
    top_down = model()
    places = [(60 + 3 * i, 80 + i) for i in range(12)]
    found = list(top_down.follow(clip([picture(place) for place in places])))
    assert [len(poses) for poses in found] == [1] * 12
    np.testing.assert_allclose([middles(poses)[0] for poses in found], places, atol=0.6)
    assert [poses.index for poses in found] == list(range(12))
    assert top_down._detector.asked == 1


def test_everyone_keeps_the_same_row_and_is_read_in_one_go() -> None:
    top_down = model()
    pictures = [picture((60 + i, 80), (240 - i, 100)) for i in range(10)]
    found = list(top_down.follow(clip(pictures)))
    assert all(len(poses) == 2 for poses in found)
    assert all(middles(poses)[0, 0] < 100 < middles(poses)[1, 0] for poses in found)
    assert set(top_down._reader.read_at_once) == {2}


def test_nobody_is_nobody_and_the_detector_looks_again_in_every_frame() -> None:
    top_down = model()
    found = list(top_down.follow(clip([picture()] * 5)))
    assert [len(poses) for poses in found] == [0] * 5
    assert top_down._detector.asked == 5
    assert list(top_down.follow([])) == []


def test_who_was_lost_is_found_again() -> None:
    top_down = model()
    seen = [picture((60, 80))] * 4 + [picture()] * 3 + [picture((200, 90))] * 4
    found = list(top_down.follow(clip(seen)))
    assert [len(poses) for poses in found] == [1] * 4 + [0] * 3 + [1] * 4
    np.testing.assert_allclose(middles(found[-1]), [[200, 90]], atol=0.6)


def test_a_newcomer_is_seen_within_the_time_that_was_promised() -> None:
    top_down = model()
    seen = [picture((60, 80))] * 8 + [picture((60, 80), (250, 90))] * 40
    counts = [len(poses) for poses in top_down.follow(clip(seen))]
    assert counts[:8] == [1] * 8
    first = counts.index(2)
    assert (first - 8) / 30 <= SOON + 0.25
    assert counts[first:] == [2] * (48 - first)


def test_the_detector_rests_while_nothing_moves_elsewhere() -> None:
    top_down = model()
    seen = [picture((60 + i % 5, 80)) for i in range(90)]
    list(top_down.follow(clip(seen)))
    assert top_down._detector.asked == 1


def test_a_cut_starts_afresh() -> None:
    top_down = model()
    seen = [picture((60, 80))] * 6 + [picture((62, 80), (250, 90))] * 6
    counts = [len(poses) for poses in top_down.follow(clip(seen, cuts={6}))]
    assert counts == [1] * 6 + [2] * 6
    assert top_down._detector.asked == 2


def test_frames_of_another_size_start_afresh() -> None:
    top_down = model()
    seen = [picture((60, 80))] * 3 + [picture((60, 80), (250, 90))[:150, 40:]] * 3
    found = list(top_down.follow(clip(seen)))
    assert [len(poses) for poses in found] == [1, 1, 1, 2, 2, 2]
    np.testing.assert_allclose(middles(found[-1])[0], [20, 80], atol=0.6)


def test_two_regions_that_fall_onto_one_person_become_one() -> None:
    top_down = model()
    apart = [picture((60 + 4 * i, 80), (180 - 4 * i, 80)) for i in range(14)]
    # The second square vanishes behind the first one.
    seen = apart + [picture((60 + 4 * i, 80)) for i in range(14, 24)]
    counts = [len(poses) for poses in top_down.follow(clip(seen))]
    assert counts[:10] == [2] * 10
    assert counts[-1] == 1


def test_rare_frames_are_never_read_ahead_of_the_frame_before() -> None:
    top_down = model()
    # 25 px from frame to frame: the place two frames ago is out of the crop.
    seen = [picture((40 + 25 * i, 80)) for i in range(9)]
    found = list(top_down.follow(clip(seen, fps=5)))
    assert [len(poses) for poses in found] == [1] * 9
    assert top_down._detector.asked <= 3


@pytest.mark.parametrize("fps", [5.0, 30.0])
def test_the_same_clip_gives_the_same_numbers_again(fps: float) -> None:
    seen = [picture((60 + 2 * i, 80), (250 - 2 * i, 60 + i)) for i in range(30)]
    one, other = (list(model().follow(clip(seen, fps))) for _ in range(2))
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a.keypoints, b.keypoints)


def test_one_model_serves_two_clips_at_once() -> None:
    top_down = model()
    left = top_down.follow(clip([picture((60 + i, 80)) for i in range(10)]))
    right = top_down.follow(clip([picture((250 - i, 120)) for i in range(10)]))
    pairs = list(zip(left, right, strict=True))
    assert all(middles(a)[0, 0] < 100 and middles(b)[0, 0] > 200 for a, b in pairs)


def test_a_frame_waits_for_one_more_at_most() -> None:
    taken = 0

    def source() -> Iterator[Frame]:
        nonlocal taken
        for frame in clip([picture((60, 80))] * 20):
            taken += 1
            yield frame

    for given, _ in enumerate(model().follow(source())):
        assert taken - given <= 2


def test_memory_does_not_grow_with_the_clip() -> None:
    def source() -> Iterator[Frame]:
        for i in range(150):
            yield Frame(picture((60 + i % 7, 80)), i, i / 30)

    walk = model().follow(source())
    for _ in range(20):
        next(walk)
    tracemalloc.start()
    for _ in walk:
        pass
    now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert now < 300_000
    assert peak < 6 * WIDTH * HEIGHT * 3


def test_an_error_in_the_source_comes_through() -> None:
    def source() -> Iterator[Frame]:
        yield from clip([picture((60, 80))] * 3)
        raise OSError("the camera is gone")

    with pytest.raises(OSError, match="camera"):
        list(model().follow(source()))


def test_a_walk_may_be_left_in_the_middle() -> None:
    before = threading.active_count()
    walk = model().follow(clip([picture((60, 80))] * 20))
    next(walk)
    walk.close()
    assert threading.active_count() == before


def test_points_are_held_still_at_rest_and_follow_movement() -> None:
    rng = np.random.default_rng(0)
    rest, ends = Steady(), np.array([[100.0, 100.0], [100.0, 40.0]], np.float32)
    held = [rest.update(ends + rng.normal(0, 0.5, (2, 2)).astype(np.float32)) for _ in range(60)]
    assert np.std(held[10:], axis=0).max() < 0.2
    moving = Steady()
    for i in range(40):
        last = moving.update(ends + np.float32(6 * i))
    assert np.abs(last - (ends + 6 * 39)).max() < 12
    # What it expects is nearer to the next value than what it holds now.
    ahead = np.abs(moving.expect() - moving.update(ends + np.float32(240))).max()
    assert ahead < np.abs(last - (ends + 240)).max()
