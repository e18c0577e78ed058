"""The top of a report, and its bottom: the score and what it means, how it was made."""

from __future__ import annotations

from poise import __version__
from poise.clip import Track
from poise.comparison.report.sheet import Sheet, short_name, tone_of
from poise.comparison.result import Relation
from poise.comparison.scoring import LATE, LOWEST_COVERAGE, NEARLY, RIGHT, SCALE, TOLERANCE
from poise.comparison.words import describe_moment, describe_relation
from poise.markup import Markup, join, tag

_TOLD = 3  # faults that the top of the page names
_MARKS = {"right": "✓", "nearly": "≈", "wrong": "✕", "cannot say": "?"}


def title_of_report(sheet: Sheet) -> str:
    """Return whose attempt at what it is."""
    sources, say = sheet.sources, sheet.say
    if not (sources.reference and sources.attempt):
        return say("untitled")
    names = {"attempt": short_name(sources.attempt), "reference": short_name(sources.reference)}
    return say("title", **names)


def verdict_class(verdict: str) -> str:
    """Return the class that colours a verdict."""
    return "v-" + verdict.replace(" ", "-")


def verdict_chip(sheet: Sheet, verdict: str) -> Markup:
    """Return a verdict as a sign and a word."""
    mark = tag("span", _MARKS[verdict], aria_hidden="true")
    return tag("span", mark, sheet.say(f"verdict_{verdict}"),
               class_=f"chip {verdict_class(verdict)}")  # fmt: skip


def draw_summary(sheet: Sheet) -> Markup:
    """Return the score, the verdict in words, its parts, and what was taken away."""
    comparison, say = sheet.comparison, sheet.say
    verdict = comparison.verdict
    tiles = [
        _tile(sheet, "shape", comparison.shape),
        _tile(sheet, "timing", comparison.timing),
        _share_tile(sheet),
    ]
    words = tag(
        "div",
        verdict_chip(sheet, verdict),
        _worst_in_words(sheet),
        tag("dl", *tiles, class_="tiles"),
        class_="words",
    )
    return tag("section", tag("h2", say("score"), class_="hidden"), _ring(sheet), words,
               _removed(sheet), class_=f"card hero {verdict_class(verdict)}")  # fmt: skip


def _ring(sheet: Sheet) -> Markup:
    comparison, say = sheet.comparison, sheet.say
    unsure = comparison.verdict == "cannot say"
    share = 0.0 if unsure else max(0.0, min(100.0, comparison.score))
    track = tag("circle", cx=90, cy=90, r=78, class_="ring-track")
    arc = tag("circle", cx=90, cy=90, r=78, class_="ring-arc", pathLength=100,
              stroke_dasharray=f"{share:.1f} 100", transform="rotate(-90 90 90)")  # fmt: skip
    text = say.points(None if unsure else comparison.score)
    label = f"{say('score')}: {text} {say('of_100')}"
    return tag(
        "svg", track, arc if share > 0 else None,
        tag("text", text, x=90, y=104, class_="ring-number"),
        tag("text", say("of_100"), x=90, y=130, class_="ring-note"),
        viewBox="0 0 180 180", role="img", aria_label=label,
        class_=f"ring {'tx' if unsure else tone_of(comparison.shape)}",
    )  # fmt: skip


def _tile(sheet: Sheet, name: str, score: float) -> Markup:
    value = tag("dd", tag("b", sheet.say.points(score)), class_=tone_of(score))
    return tag("div", tag("dt", sheet.say(name)), value, tag("dd", sheet.say(f"{name}_note")))


def _share_tile(sheet: Sheet) -> Markup:
    value = tag("dd", tag("b", sheet.say.percent(sheet.comparison.coverage)), class_="plain")
    note = tag("dd", sheet.say("coverage_note"))
    return tag("div", tag("dt", sheet.say("coverage")), value, note)


def _worst_in_words(sheet: Sheet) -> Markup:
    """Return the three worst faults with their times."""
    mirrored, language = sheet.comparison.relation.mirrored, sheet.say.language
    told = [describe_moment(fault, language, mirrored=mirrored) for fault in sheet.ranked_faults]
    lines = [tag("li", line) for line in told[:_TOLD] or [sheet.say("no_faults")]]
    return tag("ul", *lines, class_="sentence")


def _removed(sheet: Sheet) -> Markup:
    say, relation = sheet.say, sheet.comparison.relation
    words = describe_relation(relation, say.language) or say("removed_none")
    pairs = [
        tag("div", tag("dt", name), tag("dd", value)) for name, value in _figures(sheet, relation)
    ]
    note = tag("p", say("mirror_note"), class_="note") if relation.mirrored else None
    return tag("div", tag("h3", say("removed")), tag("p", words, class_="told"),
               tag("dl", *pairs, class_="figures"), note, class_="removed")  # fmt: skip


def _figures(sheet: Sheet, relation: Relation) -> list[tuple[str, str]]:
    """Return what lay between the two performances as names and numbers."""
    say = sheet.say
    return [
        (say("relation_mirrored"), say("yes" if relation.mirrored else "no")),
        (say("relation_offset"), _signed(sheet, relation.offset, "later", "earlier")),
        (say("relation_tempo"), say.tempo(relation.tempo)),
        (say("relation_scale"), say.percent(relation.scale)),
        (say("relation_roll"), _signed(sheet, relation.roll, "clockwise", "anticlockwise")),
        (
            say("relation_yaw"),
            say("unknown")
            if relation.yaw is None
            else _signed(sheet, relation.yaw, "to_left", "to_right"),
        ),
    ]


def _signed(sheet: Sheet, value: float, more: str, less: str) -> str:
    """Return a size in the words for its sign; what rounds to nothing is the same."""
    say, size = sheet.say, abs(value)
    if size < (0.005 if more == "later" else 0.5):
        return say("same")
    return say(more if value > 0 else less, seconds=say.seconds(size), degrees=say.degrees(size))


def draw_method(sheet: Sheet) -> Markup:
    """Return the formula in words, with its thresholds."""
    say = sheet.say
    loss = say("formula", tolerance=f"{TOLERANCE:.0f}°", scale=f"{SCALE:.0f}°",
               late=say.seconds(LATE))  # fmt: skip
    levels = {"right": f"{RIGHT:.0f}", "nearly": f"{NEARLY:.0f}"}
    score = say("formula_score", coverage=say.percent(LOWEST_COVERAGE), **levels)
    return join([tag("p", loss), tag("p", score)])


def draw_made(sheet: Sheet) -> Markup:
    """Return versions, models and sizes."""
    comparison, say, sources = sheet.comparison, sheet.say, sheet.sources
    lines = [say("made_by", version=__version__)]
    for who, track, source, model in (
        ("reference", comparison.reference, sources.reference, sources.reference_model),
        ("attempt", comparison.attempt, sources.attempt, sources.attempt_model),
    ):
        lines.append(_made_line(sheet, (who, source, model), track))
    lines.append(say("made_moments", count=len(comparison.timeline.times)))
    lines.append(say(f"aligned_{comparison.relation.sync}"))
    return tag("ul", *(tag("li", line) for line in lines), class_="made")


def _made_line(sheet: Sheet, whose: tuple[str, str, str], track: Track) -> str:
    say, (who, source, model) = sheet.say, whose
    duration = float(track.times[-1] - track.times[0]) if len(track) else 0.0
    return say(
        "made_pose",
        who=say(who),
        name=f"{short_name(source)}, " if source else "",
        frames=len(track),
        duration=say.seconds(duration),
        skeleton=track.skeleton.name,
        model=say("made_model", model=model) if model else "",
    )
