"""The tables of a report."""

from __future__ import annotations

from poise.comparison.report.sheet import Sheet, tone_of
from poise.comparison.report.timeline import size_of
from poise.comparison.result import Fault, Part, Segment
from poise.comparison.scoring import LATE
from poise.markup import Content, Markup, tag

MOST_FAULTS = 60
_SHOWN_FAULTS = 8
_LONG_TABLE = 24  # rows from which on a table is folded away


def table(heads: list[str], rows: list[Markup], caption: str, *, class_: str = "") -> Markup:
    """Return a table that can be scrolled sideways; the caption is for screen readers."""
    head = tag("thead", tag("tr", *(tag("th", text, scope="col") for text in heads)))
    body = tag("table", tag("caption", caption), head, tag("tbody", *rows), class_=class_ or None)
    return tag("div", body, class_="scroll", tabindex="0", role="region", aria_label=caption)


def cell(*content: Content, class_: str | None = None, head: str | None = None) -> Markup:
    """Return one cell; ``head`` names it where the heads of the columns are not shown."""
    return tag("td", *content, class_=class_, data_head=head)


def score_cell(sheet: Sheet, score: float | None) -> Markup:
    """Return a cell with a score as a number and a bar; a dash where it is None."""
    width = 0 if score is None else max(0.0, min(100.0, score))
    bar = tag("span", tag("i", style=f"width:{width:.0f}%"), class_="meter")
    return cell(tag("b", sheet.say.points(score)), bar, class_=f"score {tone_of(score)}")


def tabulate_faults(sheet: Sheet) -> Markup:
    """Return what is wrong, worst first."""
    say, faults = sheet.say, sheet.ranked_faults
    if not faults:
        return tag("p", say("no_faults"), class_="empty")
    heads = [say("number"), say("fault"), say("size"), say("when"), say("when_attempt"),
             say("weight")]  # fmt: skip
    heaviest = max(faults[0].severity, 1e-9)
    rows = [_fault_row(sheet, number, fault, fault.severity / heaviest)
            for number, fault in enumerate(faults[:MOST_FAULTS], 1)]  # fmt: skip
    shown = table(heads, rows[:_SHOWN_FAULTS], say("work_on"), class_="faults")
    rest = len(faults) - MOST_FAULTS
    more = tag("p", say("more_faults", count=rest), class_="note") if rest > 0 else None
    if len(rows) <= _SHOWN_FAULTS:
        return shown
    folded = table(heads, rows[_SHOWN_FAULTS:], say("fault"), class_="faults")
    summary = tag("summary", say("show_faults", count=len(rows) - _SHOWN_FAULTS))
    return tag("div", shown, tag("details", summary, folded, more))


def _fault_row(sheet: Sheet, number: int, fault: Fault, share: float) -> Markup:
    say = sheet.say
    chip = tag("span", tag("i", class_=f"k-{fault.kind}"), say(f"kind_{fault.kind}"), class_="kind")
    meter = tag("span", tag("i", style=f"width:{100 * share:.0f}%", class_=f"k-{fault.kind}"),
                class_="meter")  # fmt: skip
    return tag(
        "tr",
        cell(number, class_="rank"),
        tag("th", tag("span", sheet.text(fault)), chip, scope="row"),
        cell(size_of(sheet, fault), class_="num"),
        cell(say.span(fault.start, fault.end), class_="num", head=say("when")),
        cell(say.span(fault.attempt_start, fault.attempt_end), class_="num",
             head=say("when_attempt")),
        cell(meter, class_="weight"),
        id=f"fault-{number}",
    )  # fmt: skip


def tabulate_limbs(sheet: Sheet) -> Markup:
    """Return the judgement of every limb."""
    say = sheet.say
    heads = [say("limb"), say("score"), say("error"), say("judged"), say("lag")]
    rows = [_part_row(sheet, part, lag=True) for part in sheet.comparison.limbs]
    return table(heads, rows, say("limbs"))


def tabulate_joints(sheet: Sheet) -> Markup:
    """Return the judgement of every joint."""
    say = sheet.say
    heads = [say("joint"), say("score"), say("error"), say("judged")]
    rows = [_part_row(sheet, part, lag=False) for part in sheet.comparison.joints]
    return table(heads, rows, say("joints"))


def _part_row(sheet: Sheet, part: Part, *, lag: bool) -> Markup:
    say = sheet.say
    late = say.lag(part.lag if part.score is not None else None, LATE)
    return tag(
        "tr",
        tag("th", sheet.limb(part.name), scope="row"),
        score_cell(sheet, part.score),
        cell(say.degrees(part.degrees), class_="num"),
        cell(say.percent(part.judged), class_="num"),
        cell(late, class_="num" if abs(part.lag) <= LATE else "num strong") if lag else None,
    )


def tabulate_segments(sheet: Sheet) -> Markup:
    """Return the judgement of every beat; folded away where there are many."""
    say, segments = sheet.say, sheet.comparison.segments
    heads = [say("segment"), say("when"), say("score"), say("judged"), say("lag"), say("tempo"),
             say("worst_limb")]  # fmt: skip
    rows = [_segment_row(sheet, number, one) for number, one in enumerate(segments, 1)]
    shown = table(heads, rows, say("segments"))
    if len(rows) <= _LONG_TABLE:
        return shown
    return tag("details", tag("summary", say("show_segments", count=len(rows))), shown)


def _segment_row(sheet: Sheet, number: int, segment: Segment) -> Markup:
    say = sheet.say
    worst = sheet.limb(segment.worst) if segment.worst else say("none")
    return tag(
        "tr",
        tag("th", number, scope="row"),
        cell(say.span(segment.start, segment.end), class_="num"),
        score_cell(sheet, segment.score),
        cell(say.percent(segment.judged), class_="num"),
        cell(say.lag(segment.lag if segment.judged else None, LATE), class_="num"),
        cell(say.tempo(segment.tempo) if segment.judged else say("none"), class_="num"),
        cell(worst),
    )


def tabulate_attempts(sheet: Sheet) -> Markup:
    """Return every performance of the reference that the recording holds."""
    say, spans = sheet.say, sheet.comparison.attempts
    best = max(range(len(spans)), key=lambda number: spans[number].score)
    rows = [
        tag(
            "tr",
            tag("th", number + 1, scope="row"),
            cell(say.span(span.start, span.end), class_="num"),
            score_cell(sheet, span.score),
            cell(tag("span", say("best"), class_="pill") if number == best else None),
        )
        for number, span in enumerate(spans)
    ]
    heads = [say("number"), say("when_attempt"), say("score"), ""]
    return table(heads, rows, say("attempts"))
