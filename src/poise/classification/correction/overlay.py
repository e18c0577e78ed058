"""What is right and wrong, painted: limbs green, amber or red, and the sentences."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np

from poise.angles import JOINTS, LIMBS
from poise.classification.correction.judging import Judgement
from poise.classification.correction.report import tell_lines
from poise.classification.correction.target import swap_sides
from poise.classification.correction.words import tell
from poise.clip import Clip, Track
from poise.draw import Style, open_picture_writer
from poise.draw.lettering import fitted, write
from poise.draw.stills import FORMATS
from poise.draw.strokes import draw, make_strokes
from poise.loading import Footage, find_footage, track_rate
from poise.poses import Frame, Image, Poses

Report = Callable[[int, int], None]
RGB = tuple[int, int, int]

# Right, somewhat wrong, badly wrong, not judged. Told apart by brightness too.
COLOURS: tuple[RGB, ...] = ((60, 200, 120), (255, 190, 60), (235, 70, 60), (150, 155, 160))
_UNJUDGED = 3
_BADLY = 20.0  # degrees beyond the tolerance from which a limb is red
_SENTENCES = 3
_GROUND = (27, 30, 35)
_AROUND = 0.25  # seconds to either side of a frame that its sentence is about
_LEAST_SCORE = 0.3


def paint_judgement(
    path: str,
    clip: Clip,
    track: Track,
    judgement: Judgement,
    *,
    source: str,
    overwrite: bool = False,
    report: Report | None = None,
) -> tuple[str, ...]:
    """Write a picture of the best moment, or a video of all, with coloured limbs and sentences.

    Args:
        path: A picture (the best moment), a video, a GIF, or a folder that ends in ``/``.
        clip: The clip that the person is of.
        track: The person.
        judgement: What was found.
        source: The recording; keypoints without one are painted on a plain ground.
        overwrite: Whether an output that exists may be replaced.
        report: Told of the frames done so far and their number.

    Returns:
        Notes for the user.

    Raises:
        OutputError: It cannot be written.
        UsageError: Nothing is known to be written under such a name.
    """
    still = Path(path).suffix.lower() in FORMATS
    best = int(np.abs(track.times - judgement.best).argmin())
    rows = [best] if still else list(range(len(track)))
    recording = find_footage(source) or find_footage(clip.header.source)
    footage = (
        Footage(recording, track_rate(track), float(track.times[rows[0]])) if recording else None
    )
    size = footage.size if footage else _plain_size(clip, track)
    nobody = Poses.empty(clip.skeleton)
    try:
        writer = open_picture_writer(
            path, size=size, fps=track_rate(track), source=recording, overwrite=overwrite,
            still=still or None, style=Style(),
            pixel_aspect=footage.pixel_aspect if footage else 1.0,
        )  # fmt: skip
        with writer:
            for done, row in enumerate(rows, start=1):
                canvas = _canvas(footage, size, float(track.times[row]))
                moment = judgement if still else judgement.at(row, around=_AROUND)
                paint_moment(canvas, track, row, moment)
                writer.write(Frame(canvas, done - 1, float(track.times[row])), nobody)
                if report is not None:
                    report(done, len(rows))
    finally:
        if footage is not None:
            footage.close()
    return writer.notes


def _canvas(footage: Footage | None, size: tuple[int, int], time: float) -> Image:
    """Return the recording's picture of a moment, or a plain ground."""
    frame = footage.at(time) if footage else None
    if frame is not None and frame.size == size:
        return frame.image.copy()
    return np.full((size[1], size[0], 3), _GROUND, np.uint8)


def paint_moment(canvas: Image, track: Track, row: int, judgement: Judgement) -> None:
    """Paint one frame of a person and what is to be said of it into a picture, in place."""
    levels = limb_levels(judgement)
    names, points = track.skeleton.keypoints, track.keypoints[row]
    seen = np.isfinite(points[:, 0]) & (track.scores[row] >= _LEAST_SCORE)
    edges = [edge for edge in track.skeleton.edges if seen[list(edge)].all()]
    if edges:
        radius = max(0.006 * min(canvas.shape[:2]), 1.5)
        colours = [COLOURS[levels.get(frozenset((names[a], names[b])), _UNJUDGED)]
                   for a, b in edges]  # fmt: skip
        ends = np.array(edges)
        draw(canvas, make_strokes(points[ends[:, 0]], points[ends[:, 1]], radius=radius,
                                  outline=0.4 * radius, colour=colours))  # fmt: skip
    _write_lines(canvas, judgement)


def limb_levels(judgement: Judgement) -> dict[frozenset[str], int]:
    """Return for each pair of keypoints the number of its colour in ``COLOURS``, the worst one."""
    levels: dict[frozenset[str], int] = {}
    for finding in judgement.findings:
        excess = abs(finding.off) - finding.check.tolerance
        level = 0 if not finding.wrong else 1 if excess < _BADLY else 2
        if not finding.seen:
            continue
        for pair in _pairs(finding.check.part):
            own = frozenset(swap_sides(name) if judgement.swapped else name for name in pair)
            levels[own] = max(level, levels.get(own, 0))
    return levels


def _pairs(part: str) -> list[tuple[str, str]]:
    """Return the pairs of keypoints whose edges show a joint or limb."""
    for limb in LIMBS:
        if limb.name == part:
            return list(itertools.product(limb.start, limb.end))
    for joint in JOINTS:
        if joint.name in (part, f"left_{part[:-1]}", f"right_{part[:-1]}"):
            both = ((joint.first, joint.middle), (joint.middle, joint.last))
            return [pair for a, b in both for pair in itertools.product(a, b)]
    return []


def _write_lines(canvas: Image, judgement: Judgement) -> None:
    """Write the score and the worst three sentences on a dark band at the top."""
    height, width = canvas.shape[:2]
    size = max(0.036 * min(height, 1.4 * width), 9.0)
    lines = [(tell_lines(judgement)[0].split(";")[0].split(" at ")[0], (240, 242, 244))]
    for text, finding in tell(judgement)[:_SENTENCES]:
        level = 1 if abs(finding.off) - finding.check.tolerance < _BADLY else 2
        lines.append((text, COLOURS[level]))
    step = 1.45 * size
    band = round(step * (len(lines) + 0.5))
    canvas[:band] = canvas[:band] // 4
    for number, (text, colour) in enumerate(lines, start=1):
        shown = fitted(text, size, width - size)
        write(canvas, shown, (0.5 * size, number * step), size=size, colour=colour)


def _plain_size(clip: Clip, track: Track) -> tuple[int, int]:
    """Return the size of the pictures; where it is unknown, how far the person reaches."""
    width, height = clip.header.size
    if width and height:
        return int(width), int(height)
    reach = np.nanmax(track.keypoints, axis=(0, 1), initial=1.0)
    return max(int(reach[0] * 1.1), 160), max(int(reach[1] * 1.1), 120)
