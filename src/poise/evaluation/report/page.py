"""The page of an evaluation: figures, charts, and the worst pictures."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from poise.evaluation.matching import Matched
from poise.evaluation.mistakes import KINDS, sort_mistakes
from poise.evaluation.report.charts import keypoint_bars, mistake_bars, reliability_plot
from poise.evaluation.report.gallery import Look, draw_gallery
from poise.evaluation.report.style import POLICY, STYLE
from poise.evaluation.result import Evaluation
from poise.evaluation.truth import name_some
from poise.evaluation.walk import Estimates
from poise.markup import Content, Markup, join, tag


def render(
    result: Evaluation, estimates: Estimates, matched: Matched, look: Look | None = None
) -> str:
    """Return the page; without a look no picture is shown.

    Raises:
        InputError: A picture cannot be read any more.
    """
    kinds = sort_mistakes(matched)
    bars = {
        name: (value, result.pck_per_keypoint[name]) for name, value in result.per_keypoint.items()
    }
    heights = ("similarity to the label (of those found)", "PCK@0.2")
    sections = [
        _section("COCO", _coco(result)),
        _section("Other figures", _shares(result)),
        _section("By size", _sizes(result)),
        *_tracks(result),
        _section("Keypoints", keypoint_bars(bars, heights)),
        _section("Mistakes", _explain_mistakes(), mistake_bars(_by_keypoint(matched, kinds))),
        _section("How sure, how right", *_calibration(result)),
        _section("Worst pictures", *_worst(estimates, matched, kinds, look)),
    ]
    title = f"{result.model} on {result.dataset}"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'),
        Markup('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        tag("title", f"{title} · Poise"),
        Markup(f"<style>{STYLE}</style>"),
    )
    body = tag("body", tag("main", _lead(result, title), *sections))
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def _section(heading: str, *content: Content) -> Markup:
    return tag("section", tag("h2", heading), *content)


def _lead(result: Evaluation, title: str) -> Markup:
    seconds = f" {result.seconds:.1f} s." if math.isfinite(result.seconds) else ""
    gone = f" {result.missing} annotated pictures were not there." if result.missing else ""
    said = (
        f"{result.images} pictures, {result.people} people with keypoints, {result.matched} found; "
        f"boxes: {result.boxes}.{gone}{seconds}"
    )
    notes: list[Content] = [tag("p", said)]
    if result.left_out:
        total = result.keypoints + len(result.left_out)
        notes.append(
            tag(
                "p",
                f"All figures, AP too, are of {result.keypoints} of the {total} annotated "
                f"keypoints. The model's layout lacks {name_some(result.left_out)}.",
                class_="warn",
            )
        )
    return tag("section", tag("h1", title), *notes)


def _table(heads: Iterable[str], rows: Iterable[Iterable[Content]]) -> Markup:
    top = tag("tr", *(tag("th", head) for head in heads))
    return tag("table", top, *(tag("tr", *(tag("td", cell) for cell in row)) for row in rows))


def _coco(result: Evaluation) -> Markup:
    coco = result.precision
    rows = [
        ["AP", *_said(coco.AP, coco.AP50, coco.AP75, coco.AP_medium, coco.AP_large)],
        ["AR", *_said(coco.AR, coco.AR50, coco.AR75, coco.AR_medium, coco.AR_large)],
    ]
    table = _table(["", "all", "at 0.50", "at 0.75", "medium", "large"], rows)
    if not result.crowding:
        return table
    crowding = _table(
        ["AP by crowding", *result.crowding], [["", *_said(*result.crowding.values())]]
    )
    return join([table, crowding])


def _shares(result: Evaluation) -> Markup:
    rows = [
        ["mean OKS of everybody", *_said(result.mean_oks)],
        ["mean OKS of those found", *_said(result.mean_oks_matched)],
        ["PCK@0.2 of the torso", *_said(result.pck)],
        ["PCK@0.2 of the box", *_said(result.pck_box)],
    ]
    if result.head is not None:
        what = "0.6 of the head's box" if result.head == "box" else "from upper neck to head top"
        rows.append([f"PCKh@0.5 ({what})", *_said(result.pckh)])
    return _table(["", ""], rows)


def _sizes(result: Evaluation) -> Markup:
    rows: list[list[Content]] = [
        [name, one.people, one.matched, *_said(one.mean_oks, one.mean_oks_matched, one.pck)]
        for name, one in result.sizes.items()
    ]
    heads = ["", "people", "found", "mean OKS", "of those found", "PCK@0.2"]
    note = "Small people have less than 32² square pixels, large ones 96² or more."
    return join([_table(heads, rows), tag("p", note, class_="soft")])


def _tracks(result: Evaluation) -> list[Markup]:
    ids, motion = result.identities, result.motion
    tables = []
    if ids is not None:
        heads = ["ids", "HOTA", "DetA", "AssA", "IDF1", "MOTA", "switches", "people", "ids given"]
        figures = _said(ids.HOTA, ids.DetA, ids.AssA, ids.IDF1, ids.MOTA)
        tables.append(_table(heads, [["", *figures, ids.switches, ids.tracks, ids.found_tracks]]))
    if motion is not None:
        shares = [
            f"{value:.2%}" if math.isfinite(value) else "-"
            for value in (motion.jitter, motion.true_jitter, motion.rest_jitter)
        ]
        lags = [
            f"{value:.{digits}f}" if math.isfinite(value) else "-"
            for value, digits in ((motion.lag_frames, 2), (motion.lag_ms, 0))
        ]
        heads = ["motion", "jitter", "of the truth", "at rest", "lag, frames", "lag, ms"]
        tables.append(_table(heads, [["", *shares, *lags]]))
    return [_section("In time", *tables)] if tables else []


def _by_keypoint(matched: Matched, kinds: npt.NDArray[np.int64]) -> dict[str, list[float]]:
    total = np.count_nonzero(kinds >= 0, axis=0)
    many = np.where(total > 0, total, np.nan)
    shares = [np.count_nonzero(kinds == number, axis=0) / many for number in range(len(KINDS))]
    columns = np.array(shares).T.tolist()
    return dict(zip(matched.skeleton.keypoints, columns, strict=True))


def _explain_mistakes() -> Markup:
    return tag(
        "p",
        "Labelled keypoints of people who were found. Good: at least 0.85 like the label; jitter: "
        "0.5 to 0.85; inversion: on the other side; swap: on somebody else; miss: elsewhere.",
        class_="soft",
    )


def _calibration(result: Evaluation) -> list[Content]:
    keypoints, people = result.keypoint_scores, result.person_scores
    said = (
        f"Expected calibration error: keypoints {_said(keypoints.error)[0]} of "
        f"{keypoints.count}, people {_said(people.error)[0]} of {people.count}. Right is what "
        "is at least 0.5 like its label, or has an OKS of at least 0.5. On the line, scores are "
        "the share that is right; pale bars hold few."
    )
    return [
        tag("p", said),
        tag(
            "div",
            reliability_plot(keypoints, "keypoints: share that is right"),
            reliability_plot(people, "people: share that is right"),
            class_="plots",
        ),
    ]


def _worst(
    estimates: Estimates,
    matched: Matched,
    kinds: npt.NDArray[np.int64],
    look: Look | None,
) -> list[Content]:
    if look is None:
        return [tag("p", "Not shown: the pictures were not named.", class_="soft")]
    note = (
        "The person of each picture whose keypoints lack most similarity in sum, worst first. "
        "White and dashed: the truth; blue: what was found; rings: keypoints that are not good, "
        "in the colours above."
    )
    return [tag("p", note, class_="soft"), draw_gallery(estimates, matched, kinds, look)]


def _said(*values: float) -> list[str]:
    return [f"{value:.3f}" if math.isfinite(value) else "-" for value in values]
