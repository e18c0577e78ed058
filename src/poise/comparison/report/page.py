"""The report as one page that needs nothing else: no network, no script, no other file."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

from poise.comparison.report.body import draw_body
from poise.comparison.report.curves import draw_alignment, draw_lag
from poise.comparison.report.pairs import draw_pairs
from poise.comparison.report.sheet import TONES, Sheet
from poise.comparison.report.summary import (
    draw_made,
    draw_method,
    draw_summary,
    title_of_report,
)
from poise.comparison.report.tables import (
    tabulate_attempts,
    tabulate_faults,
    tabulate_joints,
    tabulate_limbs,
    tabulate_segments,
)
from poise.comparison.report.timeline import draw_timeline
from poise.comparison.scoring import LATE
from poise.markup import Content, Markup, join, tag

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'"
# Red to green on white and on black: each three times as light or dark as the ground, or as near
# to it as a yellow can be; the number always stands beside the colour.
_LIGHT = ("#b3202e", "#c23530", "#cd4a2c", "#d26321", "#cc7a12", "#bd8a0e", "#9c9420", "#75992f",
          "#4c963b", "#2b8f4a", "#137f50")  # fmt: skip
_DARK = ("#f2636d", "#f37664", "#f48b57", "#f3a04b", "#efb443", "#e2c246", "#c4c755", "#a0c866",
         "#7cc774", "#5dc580", "#40c08c")  # fmt: skip


def render(sheet: Sheet) -> str:
    """Return the report as HTML."""
    sections = [one for one in _sections(sheet) if one is not None]
    return render_page(title_of_report(sheet), sheet.say("eyebrow"), sections, sheet.say.language)


def render_page(title: str, eyebrow: str, sections: list[Markup], language: str) -> str:
    """Return a page with the head, the styles and the sections."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", f"{title} · Poise"),
        tag("style", Markup(_styles())),
    )
    top = tag("header", tag("p", tag("span", "Poise", class_="brand"), eyebrow, class_="eyebrow"),
              tag("h1", title))  # fmt: skip
    body = tag("body", tag("main", top, *sections))
    return f"<!doctype html>\n{tag('html', head, body, lang=language)}\n"


def _sections(sheet: Sheet) -> list[Markup | None]:
    say, comparison = sheet.say, sheet.comparison
    moving = len(comparison.timeline.times) > 1
    note = tag("p", say("figure_note"), class_="note")
    figure = tag("div", draw_body(sheet), note, class_="figure-box")
    return [
        draw_summary(sheet),
        _section(say("work_on"), tabulate_faults(sheet)),
        _timeline(sheet) if moving else None,
        _moments(sheet),
        _section(say("limbs"), tag("div", figure, tabulate_limbs(sheet), class_="beside")),
        _section(say("joints"), tabulate_joints(sheet)),
        _timing(sheet) if moving else None,
        _section(say("segments"), tabulate_segments(sheet)) if moving else None,
        _attempts(sheet),
        _section(say("method"), tag("div", draw_method(sheet), class_="prose")),
        _section(say("made"), draw_made(sheet)),
    ]


def _section(heading: str, *content: Content, lead: str = "") -> Markup:
    text = tag("p", lead, class_="lead") if lead else None
    return tag("section", tag("h2", heading), text, *content, class_="card")


def _timeline(sheet: Sheet) -> Markup:
    say = sheet.say
    return _section(say("timeline"), draw_timeline(sheet), lead=say("timeline_lead"))


def _moments(sheet: Sheet) -> Markup | None:
    pairs = draw_pairs(sheet)
    lead = sheet.say("worst_lead_pictures" if sheet.pictures else "worst_lead")
    return pairs and _section(sheet.say("worst"), pairs, lead=lead)


def _timing(sheet: Sheet) -> Markup:
    say, tempo = sheet.say, sheet.comparison.relation.tempo
    plots = (
        (say("alignment"), draw_alignment(sheet), say("alignment_note", tempo=say.tempo(tempo))),
        (say("lag"), draw_lag(sheet), say("lag_note", seconds=say.seconds(LATE))),
    )
    figures = [
        tag("figure", tag("h3", name), plot, tag("figcaption", note), class_="plot")
        for name, plot, note in plots
    ]
    return _section(say("timing_head"), tag("div", *figures, class_="two"))


def _attempts(sheet: Sheet) -> Markup | None:
    count = len(sheet.comparison.attempts)
    if count < 2:
        return None
    lead = sheet.say("attempts_lead", count=count)
    return _section(sheet.say("attempts"), tabulate_attempts(sheet), lead=lead)


@lru_cache
def _styles() -> str:
    text = files("poise.comparison.report").joinpath("report.css").read_text(encoding="utf-8")
    tones = "".join(f".t{n}{{--tone:var(--t{n})}}" for n in range(TONES))
    light = "".join(f"--t{n}:{colour};" for n, colour in enumerate(_LIGHT))
    dark = "".join(f"--t{n}:{colour};" for n, colour in enumerate(_DARK))
    shades = f":root{{{light}}}@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}"
    return str(join([Markup(shades), Markup(tones), Markup(text)]))
