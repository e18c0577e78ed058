"""The top of a report, and its bottom: the score and what it means, how it was made."""

from __future__ import annotations

from poise import __version__
from poise.clip import Track
from poise.comparison.report.markup import Markup, join, tag
from poise.comparison.report.sheet import Sheet, short_name, tone_of
from poise.comparison.result import Relation
from poise.comparison.scoring import LATE, LOWEST_COVERAGE, NEARLY, RIGHT, SCALE, TOLERANCE

_MARKS = {"right": "✓", "nearly": "≈", "wrong": "✕", "cannot say": "?"}
# What is too small to be told: seconds, shares, degrees.
_OFFSET, _TEMPO, _SCALE, _ROLL, _YAW = 0.05, 0.01, 0.05, 1.0, 5.0


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
    sentence, verdict = sheet.verdict_text, comparison.verdict
    tiles = [
        _tile(sheet, "shape", comparison.shape),
        _tile(sheet, "timing", comparison.timing),
        _share_tile(sheet),
    ]
    words = tag(
        "div",
        verdict_chip(sheet, verdict),
        tag("p", sentence, class_="sentence") if sentence else None,
        tag("dl", *tiles, class_="tiles"),
        class_="words",
    )
    return tag("section", tag("h2", say("score"), class_="hidden"), _ring(sheet), words,
               _removed(sheet), class_=f"card hero {verdict_class(verdict)}")  # fmt: skip


def _ring(sheet: Sheet) -> Markup:
    comparison, say = sheet.comparison, sheet.say
    unsure = comparison.verdict == "cannot say"
    share = max(0.0, min(100.0, comparison.score))
    track = tag("circle", cx=90, cy=90, r=78, class_="ring-track")
    arc = tag("circle", cx=90, cy=90, r=78, class_="ring-arc", pathLength=100,
              stroke_dasharray=f"{share:.1f} 100", transform="rotate(-90 90 90)")  # fmt: skip
    text = say.points(comparison.score)
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


def _removed(sheet: Sheet) -> Markup:
    say, relation = sheet.say, sheet.comparison.relation
    found = removed_phrases(sheet, relation)
    chips = tag("ul", *(tag("li", text) for text in found), class_="chips")
    body = chips if found else tag("p", say("removed_none"), class_="note")
    note = tag("p", say("mirror_note"), class_="note") if relation.mirrored else None
    return tag("div", tag("h3", say("removed")), body, note, class_="removed")


def removed_phrases(sheet: Sheet, relation: Relation) -> list[str]:
    """Return what lay between the two performances, a few words each; small things are not told."""
    say = sheet.say
    found = [say("removed_mirrored")] if relation.mirrored else []
    if abs(relation.offset) >= _OFFSET:
        key = "removed_late" if relation.offset > 0 else "removed_early"
        found.append(say(key, seconds=say.seconds(abs(relation.offset))))
    if abs(relation.tempo - 1) >= _TEMPO:
        key = "removed_fast" if relation.tempo > 1 else "removed_slow"
        found.append(say(key, percent=say.percent(abs(relation.tempo - 1))))
    if abs(relation.scale - 1) >= _SCALE:
        found.append(say("removed_size", factor=say.percent(relation.scale)))
    if abs(relation.roll) >= _ROLL:
        found.append(say("removed_roll", degrees=say.degrees(abs(relation.roll))))
    if relation.yaw is not None and abs(relation.yaw) >= _YAW:
        key = "removed_yaw_left" if relation.yaw > 0 else "removed_yaw_right"
        found.append(say(key, degrees=say.degrees(abs(relation.yaw))))
    return found


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
