"""Two plots of time: the attempt's against the reference's, and the lag that is left."""

from __future__ import annotations

import numpy as np

from poise.comparison.report.axes import Axis, Floats, means, smooth, span_of, thin
from poise.comparison.report.sheet import Sheet
from poise.comparison.scoring import LATE
from poise.markup import Markup, join, path_of, tag

_WIDTH, _HEIGHT = 480.0, 300.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 58.0, 14.0, 26.0, 44.0
_MOST_POINTS = 240
_LEAST_LAG = 0.2  # seconds that the plot of the lag shows at least


def draw_alignment(sheet: Sheet) -> Markup:
    """Return the attempt's time against the reference's, with the line of the fitted tempo."""
    timeline, say, relation = sheet.comparison.timeline, sheet.say, sheet.comparison.relation
    low, high = span_of(timeline.times)
    start = float(sheet.comparison.reference.times[0]) if len(sheet.comparison.reference) else low
    fitted = start + relation.offset + (timeline.times - start) / max(relation.tempo, 1e-6)
    bottom, top = span_of(np.concatenate([timeline.attempt_times, fitted]))
    x, y = _time_axis(low, high), Axis(bottom, top, _HEIGHT - _BOTTOM, _TOP)
    grid = [_line_across(y.at(tick), say.clock(tick, _decimals(tick))) for tick in y.clock_ticks(6)]
    line = tag("line", x1=x.start, x2=x.end, y1=y.at(float(fitted[0])), y2=y.at(float(fitted[-1])),
               class_="fitted")  # fmt: skip
    course = tag("path", d=_thinned(x, y, timeline.times, timeline.attempt_times), class_="curve")
    names = tag("text", say("attempt_time"), x=_LEFT - 46, y=14, class_="tick")
    return _plot(say("alignment_alt"), [*grid, _times(sheet, x), names, line, course])


def draw_lag(sheet: Sheet) -> Markup:
    """Return the seconds by which the attempt follows the reference, offset and tempo removed."""
    timeline, say = sheet.comparison.timeline, sheet.say
    lag = smooth(timeline.lag, 5)
    low, high = span_of(lag) if np.isfinite(lag).any() else (0.0, 0.0)
    reach = 1.15 * max(_LEAST_LAG, -low, high)
    x = _time_axis(*span_of(timeline.times))
    y = Axis(-reach, reach, _HEIGHT - _BOTTOM, _TOP)
    grid = [
        _line_across(y.at(tick), say.decimal(f"{tick:+.1f}") if abs(tick) > 1e-9 else "0")
        for tick in y.ticks(6)
    ]
    band = tag("rect", x=x.start, width=x.end - x.start, y=y.at(LATE),
               height=y.at(-LATE) - y.at(LATE), class_="band")  # fmt: skip
    zero = tag("line", x1=x.start, x2=x.end, y1=y.at(0), y2=y.at(0), class_="zero")
    course = tag("path", d=_thinned(x, y, timeline.times, lag), class_="curve")
    names = join([
        tag("text", f"↑ {say('late')}", x=_RIGHT_EDGE, y=_TOP + 14, class_="tick end"),
        tag("text", f"↓ {say('early')}", x=_RIGHT_EDGE, y=_HEIGHT - _BOTTOM - 8,
            class_="tick end"),
    ])  # fmt: skip
    label = say("lag_alt", late=say.seconds(max(high, 0)), early=say.seconds(max(-low, 0)))
    return _plot(label, [band, *grid, _times(sheet, x), zero, course, names])


_RIGHT_EDGE = _WIDTH - _RIGHT - 4


def _time_axis(low: float, high: float) -> Axis:
    return Axis(low, high, _LEFT, _WIDTH - _RIGHT)


def _decimals(tick: float) -> int:
    return 0 if abs(tick - round(tick)) < 1e-6 else 1


def _plot(label: str, content: list[Markup]) -> Markup:
    return tag("svg", *content, viewBox=f"0 0 {_WIDTH:.0f} {_HEIGHT:.0f}", role="img",
               aria_label=label)  # fmt: skip


def _line_across(y: float, text: str) -> Markup:
    line = tag("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=y, y2=y, class_="grid")
    return join([line, tag("text", text, x=_LEFT - 8, y=y + 4, class_="tick end")])


def _times(sheet: Sheet, x: Axis) -> Markup:
    y = _HEIGHT - _BOTTOM + 18
    ticks = [
        tag("text", sheet.say.clock(tick, _decimals(tick)), x=x.at(tick), y=y, class_="tick mid")
        for tick in x.clock_ticks(6)
    ]
    name = tag("text", sheet.say("reference_time"), x=(x.start + x.end) / 2, y=_HEIGHT - 6,
               class_="tick mid")  # fmt: skip
    return tag("g", *ticks, name)


def _thinned(x: Axis, y: Axis, times: Floats, values: Floats) -> str:
    xs = x.course(means(thin(times, _MOST_POINTS)))
    ys = y.course(means(thin(values, _MOST_POINTS)))
    return path_of(xs.tolist(), ys.tolist())
