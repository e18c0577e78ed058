"""Where everything stands in a film."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rect:
    """A rectangle in whole pixels."""

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """The first column beyond it."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """The first row beyond it."""
        return self.y + self.height

    def rows(self) -> slice:
        """Its rows of a picture."""
        return slice(self.y, self.bottom)

    def columns(self) -> slice:
        """Its columns of a picture."""
        return slice(self.x, self.right)

    def centred(self, width: int, height: int) -> Rect:
        """Return a rectangle of another size with the same middle."""
        return Rect(
            self.x + (self.width - width) // 2,
            self.y + (self.height - height) // 2,
            width,
            height,
        )


@dataclass(frozen=True)
class Layout:
    """The parts of a film.

    Attributes:
        size: Width and height of the film.
        unit: Height of the smallest letters in pixels; all else follows it.
        left, right: Where the two pictures may stand.
        overlay: Both bodies on top of one another.
        measures: Scores, lag and tempo.
        limbs: Each limb's error, or None.
        grid: Columns and rows of the limbs.
        caption: What is wrong now.
        timeline: The whole, and where we are.
    """

    size: tuple[int, int]
    unit: int
    left: Rect
    right: Rect
    overlay: Rect
    measures: Rect
    limbs: Rect | None
    grid: tuple[int, int]
    caption: Rect
    timeline: Rect


_WIDE = Layout(
    (1280, 720), 15,
    left=Rect(14, 14, 621, 348), right=Rect(645, 14, 621, 348),
    overlay=Rect(14, 372, 300, 272), measures=Rect(324, 372, 350, 222),
    limbs=Rect(684, 372, 582, 222), grid=(3, 5),
    caption=Rect(324, 604, 942, 40), timeline=Rect(14, 654, 1252, 52),
)  # fmt: skip
_TALL = Layout(
    (1280, 720), 15,
    left=Rect(14, 14, 326, 580), right=Rect(350, 14, 326, 580),
    overlay=Rect(686, 14, 250, 580), measures=Rect(946, 14, 320, 222),
    limbs=Rect(946, 246, 320, 348), grid=(2, 7),
    caption=Rect(14, 604, 1252, 40), timeline=Rect(14, 654, 1252, 52),
)  # fmt: skip
_SMALL_WIDE = Layout(
    (480, 386), 11,
    left=Rect(6, 6, 231, 130), right=Rect(243, 6, 231, 130),
    overlay=Rect(6, 142, 150, 162), measures=Rect(162, 142, 312, 162), limbs=None, grid=(0, 0),
    caption=Rect(6, 310, 468, 32), timeline=Rect(6, 348, 468, 32),
)  # fmt: skip
_SMALL_TALL = Layout(
    (480, 480), 11,
    left=Rect(6, 6, 153, 224), right=Rect(165, 6, 153, 224),
    overlay=Rect(324, 6, 150, 224), measures=Rect(6, 236, 468, 162), limbs=None, grid=(0, 0),
    caption=Rect(6, 404, 468, 32), timeline=Rect(6, 442, 468, 32),
)  # fmt: skip


def choose_layout(aspects: tuple[float, float], *, small: bool) -> Layout:
    """Return the layout in which two pictures of these aspects (width by height) are largest."""
    choices = (_SMALL_WIDE, _SMALL_TALL) if small else (_WIDE, _TALL)
    return max(choices, key=lambda layout: picture_height(layout, aspects))


def picture_height(layout: Layout, aspects: tuple[float, float]) -> int:
    """Return the height that both pictures have, the same for both."""
    rooms = zip((layout.left, layout.right), aspects, strict=True)
    return max(1, int(min(min(room.height, room.width / aspect) for room, aspect in rooms)))
