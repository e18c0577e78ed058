"""The timeline: the running score, the beats beneath it, and a lane of faults for every limb."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from poise.comparison.report.axes import Axis, lowest, means, smooth, span_of, thin
from poise.comparison.report.sheet import Sheet, tone_of
from poise.comparison.result import Fault
from poise.markup import Markup, join, path_of, tag

_LEFT, _RIGHT, _TOP = 124.0, 20.0, 14.0
_PLOT, _STRIP, _LANE = 170.0, 20.0, 26.0
_MOST_POINTS = 420
_MEAN_SECONDS = 0.4  # the line is a mean over that; the shade behind it is not
_LETTER = 6.6  # width of a letter of a label


@dataclass(frozen=True)
class _Frame:
    """Where things are: the time axis, the score axis and the upper edges of strip and lanes."""

    width: float
    time: Axis
    score: Axis

    @property
    def strip(self) -> float:
        return self.score.start + 26

    @property
    def lanes(self) -> float:
        return self.strip + _STRIP + 14


def draw_timeline(sheet: Sheet) -> Markup:
    """Return the timeline as a figure that can be scrolled where it is wider than the page."""
    comparison, say = sheet.comparison, sheet.say
    low, high = span_of(comparison.timeline.times)
    width = float(np.clip(9 * (high - low), 1000, 6000))
    frame = _Frame(width, Axis(low, high, _LEFT, width - _RIGHT), Axis(0, 100, _TOP + _PLOT, _TOP))
    lanes = _lanes(sheet)
    height = frame.lanes + _LANE * len(lanes) + 8
    label = say("timeline_alt", duration=say.clock(high - low), count=len(comparison.faults))
    picture = tag(
        "svg", _gradient(frame), _grid(sheet, frame, height), _unjudged(sheet, frame),
        _course(sheet, frame), _beats(sheet, frame),
        join(_lane(sheet, frame, row, faults) for row, faults in enumerate(lanes)),
        viewBox=f"0 0 {width:.0f} {height:.0f}", role="group", aria_label=label, class_="wide",
        style=f"min-width:{720 if width == 1000 else width:.0f}px",
    )  # fmt: skip
    kinds = [kind for kind in ("pose", "late", "early", "missed", "extra")
             if any(fault.kind == kind for fault in comparison.faults)]  # fmt: skip
    legend = [tag("span", tag("i", class_=f"k-{kind}"), say(f"kind_{kind}")) for kind in kinds]
    legend.append(tag("span", tag("i", class_="k-none"), say("not_judged")))
    scroll = tag("div", picture, class_="scroll", tabindex="0", role="region", aria_label=label)
    return join([scroll, tag("p", *legend, class_="legend")])


def _gradient(frame: _Frame) -> Markup:
    stops = [
        tag("stop", offset=1 - score / 100, class_=f"stop {tone_of(score)}")
        for score in (100, 88, 80, 70, 60, 40, 20, 0)
    ]
    shade = tag("linearGradient", *stops, id="tones", gradientUnits="userSpaceOnUse",
                x1=0, x2=0, y1=frame.score.end, y2=frame.score.start)  # fmt: skip
    stripes = tag("pattern", tag("path", d="M0 8L8 0", class_="hatch"), id="stripes", width=8,
                  height=8, patternUnits="userSpaceOnUse")  # fmt: skip
    return tag("defs", shade, stripes)


def _grid(sheet: Sheet, frame: _Frame, height: float) -> Markup:
    say, right = sheet.say, frame.time.end
    parts = [tag("text", say("running"), x=_LEFT - 44, y=frame.score.at(50) + 4, class_="name")]
    for value in (0, 25, 50, 75, 100):
        y = frame.score.at(value)
        parts.append(tag("line", x1=_LEFT, x2=right, y1=y, y2=y, class_="grid"))
        parts.append(tag("text", value, x=_LEFT - 10, y=y + 4, class_="tick end"))
    for time in frame.time.clock_ticks(round((right - _LEFT) / 70)):
        x = frame.time.at(time)
        parts.append(tag("line", x1=x, x2=x, y1=_TOP, y2=height - 6, class_="grid"))
        text = say.clock(time, 0 if abs(time - round(time)) < 1e-6 else 1)
        parts.append(tag("text", text, x=x, y=frame.score.start + 18, class_="tick mid"))
    return tag("g", *parts)


def _unjudged(sheet: Sheet, frame: _Frame) -> Markup:
    timeline = sheet.comparison.timeline
    absent = np.concatenate([[False], ~np.isfinite(timeline.scores), [False]])
    edges = np.flatnonzero(np.diff(absent.astype(int)))
    last = len(timeline.times) - 1
    boxes = []
    for first, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        start, stop = float(timeline.times[first]), float(timeline.times[min(end, last)])
        x = frame.time.at(start)
        title = tag("title", f"{sheet.say.span(start, stop)}: {sheet.say('not_judged')}")
        boxes.append(tag("rect", title, x=x, y=_TOP, width=max(frame.time.at(stop) - x, 1),
                         height=_PLOT, class_="unjudged"))  # fmt: skip
    return tag("g", *boxes)


def _course(sheet: Sheet, frame: _Frame) -> Markup:
    timeline = sheet.comparison.timeline
    step = float(np.median(np.diff(timeline.times)))
    running = smooth(timeline.scores, 1 + 2 * round(_MEAN_SECONDS / 2 / max(step, 1e-3)))
    xs = frame.time.course(means(thin(timeline.times, _MOST_POINTS)))
    line = frame.score.course(means(thin(running, _MOST_POINTS)))
    dips = frame.score.course(lowest(thin(timeline.scores, _MOST_POINTS)))
    return tag(
        "g",
        tag("path", d=path_of(xs.tolist(), dips.tolist()), class_="raw"),
        tag("path", d=path_of(xs.tolist(), line.tolist()), class_="course"),
    )


def _beats(sheet: Sheet, frame: _Frame) -> Markup:
    say = sheet.say
    middle = frame.strip + _STRIP / 2 + 4
    parts = [tag("text", say("beats"), x=_LEFT - 10, y=middle, class_="name")]
    for number, segment in enumerate(sheet.comparison.segments, 1):
        x, end = frame.time.at(segment.start), min(frame.time.at(segment.end), frame.time.end)
        score, span = say.points(segment.score), say.span(segment.start, segment.end)
        words = say("segment_title", number=number, span=span, score=score)
        parts.append(
            tag(
                "g", tag("title", words),
                tag("rect", x=x, y=_TOP, width=max(end - x, 1), height=_PLOT, class_="hover"),
                tag("rect", x=x + 1, y=frame.strip, width=max(end - x - 2, 1), height=_STRIP,
                    rx=min(4, (end - x) / 5), class_=f"beat {tone_of(segment.score)}"),
                tag("text", score, x=(x + end) / 2, y=middle,
                    class_="mid value") if end - x > 22 else None,
            )
        )  # fmt: skip
    return tag("g", *parts)


def _lanes(sheet: Sheet) -> list[list[Fault]]:
    """Return the faults of each limb, the limb with the most severe one first."""
    lanes: dict[str, list[Fault]] = {}
    for fault in sheet.ranked_faults:
        lanes.setdefault(fault.limb, []).append(fault)
    return [sorted(lane, key=lambda fault: fault.start) for lane in lanes.values()]


def _lane(sheet: Sheet, frame: _Frame, row: int, faults: list[Fault]) -> Markup:
    top = frame.lanes + row * _LANE
    name = sheet.limb(faults[0].limb)
    parts = [
        tag("text", name, x=_LEFT - 10, y=top + 15, class_="name"),
        tag("line", x1=_LEFT, x2=frame.time.end, y1=top + 11, y2=top + 11, class_="lane"),
    ]
    left = frame.time.start
    for number, fault in enumerate(faults):
        following = faults[number + 1].start if number + 1 < len(faults) else frame.time.high
        x = frame.time.at(fault.start)
        end = max(min(frame.time.at(fault.end), frame.time.end), x + 6)
        text = size_of(sheet, fault)
        at = _place_label(len(text) * _LETTER + 10, left, (x, end), frame.time.at(following))
        bar = tag("rect", x=x, y=top + 1, width=end - x, height=20, rx=5,
                  class_=f"bar k-{fault.kind}")  # fmt: skip
        label = tag("text", text, x=at, y=top + 15, class_="mid value") if at else None
        address = f"#fault-{sheet.ranked_faults.index(fault) + 1}"
        parts.append(tag("a", tag("title", title_of(sheet, fault)), bar, label, href=address))
        left = end
    return tag("g", *parts)


def _place_label(
    needed: float, left: float, bar: tuple[float, float], right: float
) -> float | None:
    """Return the middle of a bar's label: in it, after it, before it, or None without room."""
    start, end = bar
    if end - start > needed:
        return (start + end) / 2
    if right - end > needed:
        return end + needed / 2
    return start - needed / 2 if start - left > needed else None


def size_of(sheet: Sheet, fault: Fault) -> str:
    """Return the size of a fault: degrees, or seconds."""
    if fault.kind == "pose":
        return sheet.say.degrees(fault.degrees)
    return sheet.say.seconds(fault.seconds)


def title_of(sheet: Sheet, fault: Fault) -> str:
    """Return when and what in one line."""
    return f"{sheet.say.span(fault.start, fault.end)}: {sheet.text(fault)}"
