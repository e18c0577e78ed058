"""The worst moments: pictures where there are any, else the two bodies drawn from the poses."""

from __future__ import annotations

import base64
import io

import numpy as np

from poise.angles import LIMBS
from poise.comparison.report.bodies import PANEL, body_at, draw_strokes, fit_axes
from poise.comparison.report.sheet import MomentPictures, Picture, Sheet
from poise.comparison.result import Fault
from poise.markup import Markup, tag

MOST_PAIRS = 6
_LONGEST_SIDE = 560  # pixels of a picture in the page
_QUALITY = 80
_WHOLE = {"arm": ("upper_arm", "forearm"), "leg": ("thigh", "shin", "foot")}


def draw_pairs(sheet: Sheet) -> Markup | None:
    """Return the pairs of the worst moments, or None where there is nothing to show."""
    if sheet.pictures:
        cards = [_picture_pair(sheet, one) for one in sheet.pictures]
        return tag("div", *cards, class_="pairs")
    moments = [fault for fault in sheet.ranked_faults if fault.kind != "extra"][:MOST_PAIRS]
    if len(sheet.comparison.timeline.times) == 1:
        only = float(sheet.comparison.timeline.times[0])
        cards = [_drawn_pair(sheet, only, tuple(sheet.ranked_faults))]
    else:
        cards = [_drawn_pair(sheet, _moment_of(sheet, fault), (fault,)) for fault in moments]
    return tag("div", *cards, class_="pairs") if cards else None


def _picture_pair(sheet: Sheet, pair: MomentPictures) -> Markup:
    fault = pair.fault
    ours = _middle(fault.start, fault.end, pair.reference_time)
    theirs = _middle(fault.attempt_start, fault.attempt_end, pair.attempt_time)
    panels = [
        _panel(sheet, "reference", ours, _image(sheet, "reference", ours, fault, pair.reference)),
        _panel(sheet, "attempt", theirs, _image(sheet, "attempt", theirs, fault, pair.attempt)),
    ]
    return _card(sheet.text(fault), panels)


def _middle(start: float, end: float, known: float | None) -> float:
    return (start + end) / 2 if known is None else known


def _image(sheet: Sheet, who: str, time: float, fault: Fault, picture: Picture) -> Markup:
    alt = sheet.say("pair_alt", who=sheet.say(who), time=sheet.say.clock(time),
                    text=sheet.text(fault))  # fmt: skip
    height, width = picture.shape[:2]
    return tag("img", src=_data_address(picture), alt=alt, width=width, height=height)


def _data_address(picture: Picture) -> str:
    from PIL import Image

    image = Image.fromarray(picture)
    image.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
    file = io.BytesIO()
    image.save(file, format="JPEG", quality=_QUALITY, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode("ascii")


def _moment_of(sheet: Sheet, fault: Fault) -> float:
    """Return the time of the reference at which a fault is largest; its middle where unknown."""
    timeline = sheet.comparison.timeline
    middle = (fault.start + fault.end) / 2
    rows = np.flatnonzero((timeline.times >= fault.start) & (timeline.times <= fault.end))
    rows = rows[np.isfinite(timeline.attempt_times[rows])]
    if not len(rows):
        return middle
    errors = np.nan_to_num(timeline.errors[rows][:, _columns(fault)]).sum(axis=1)
    worst = errors >= 0.9 * errors.max()
    # Of the moments that are nearly as bad, the one in the middle shows it best.
    near = np.abs(timeline.times[rows] - middle) + np.where(worst, 0, np.inf)
    return float(timeline.times[rows[int(near.argmin())]])


def _columns(fault: Fault) -> list[int]:
    return [row for row, limb in enumerate(LIMBS) if _concerns(fault, limb.name)]


def _concerns(fault: Fault, limb: str) -> bool:
    """Whether a limb belongs to what a fault names: itself, an arm, both legs, or the body."""
    if fault.limb in ("body", limb):
        return True
    side, _, kind = fault.limb.rpartition("_")
    part = "foot" if kind == "feet" else kind.removesuffix("s")
    group = _WHOLE.get(part, () if side else (part,))
    return (
        bool(group) and limb.startswith(side) and limb.endswith(tuple(f"_{one}" for one in group))
    )


def _drawn_pair(sheet: Sheet, time: float, faults: tuple[Fault, ...]) -> Markup:
    comparison, say = sheet.comparison, sheet.say
    timeline = comparison.timeline
    theirs = float(timeline.attempt_times[int(np.abs(timeline.times - time).argmin())])
    ours = body_at(comparison.reference, time, mirrored=False, roll=0.0)
    done = body_at(comparison.attempt, theirs, mirrored=comparison.relation.mirrored,
                 roll=comparison.relation.roll)  # fmt: skip
    place = fit_axes(ours, done)
    wrong = [limb.name for limb in LIMBS if any(_concerns(fault, limb.name) for fault in faults)]
    text = "; ".join(sheet.text(fault) for fault in faults) or say("this_moment")
    shadow = draw_strokes(ours, place, "shadow", [])
    drawings = {
        "reference": (time, [draw_strokes(ours, place, "good", wrong)], ours),
        "attempt": (theirs, [shadow, draw_strokes(done, place, "bad", wrong)], done),
    }
    panels = []
    for who, (when, content, body) in drawings.items():
        alt = say("pair_alt", who=say(who), time=say.clock(when), text=text)
        missing = tag("text", say("no_pose"), x=PANEL[0] / 2, y=PANEL[1] - 10, class_="tick mid")
        drawn = content if np.isfinite(body.limbs).any() else [*content[:-1], missing]
        drawing = tag("svg", *drawn, viewBox=f"0 0 {PANEL[0]:.0f} {PANEL[1]:.0f}",
                      role="img", aria_label=alt, class_="pose")  # fmt: skip
        panels.append(_panel(sheet, who, when, drawing))
    return _card(text, panels)


def _panel(sheet: Sheet, who: str, time: float, content: Markup) -> Markup:
    caption = tag("figcaption", tag("b", sheet.say(who)), " ", sheet.say.clock(time))
    return tag("figure", content, caption)


def _card(text: str, panels: list[Markup]) -> Markup:
    return tag("article", tag("h3", text), tag("div", *panels, class_="pair"), class_="moment")
