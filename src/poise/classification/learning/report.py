"""The report of a teaching: one page that needs nothing else, and the figures as JSON."""

from __future__ import annotations

import html
import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from poise.classification.learning.figures import (
    ClassFigures,
    count_confusions,
    judge_classes,
    measure_calibration,
    most_confused,
)
from poise.classification.learning.pictures import draw_example
from poise.classification.learning.training import Taught
from poise.output import refuse_files, save_files

PAGE, FIGURES = "report.html", "report.json"
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'"
_STYLE = """
:root{color-scheme:light dark;--ink:#1d2126;--soft:#5c6670;--line:#d8dde2;--page:#f6f7f8;
--card:#fff;--tint:28,110,164}
@media (prefers-color-scheme:dark){:root{--ink:#e8ebee;--soft:#9aa5af;--line:#343b43;
--page:#14171a;--card:#1c2025;--tint:90,170,225}}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:960px;margin:0 auto;padding:24px 16px}
section{background:var(--card);border:1px solid var(--line);border-radius:10px;
padding:4px 20px 18px;margin:0 0 18px;overflow-x:auto}
h1{font-size:24px;margin:0 0 4px}h2{font-size:17px;margin:14px 0 8px}
p{margin:6px 0}.soft{color:var(--soft)}
table{border-collapse:collapse}td,th{padding:5px 12px;text-align:right;border-bottom:1px solid
var(--line);font-variant-numeric:tabular-nums;font-weight:400}th{color:var(--soft)}
th:first-child,td:first-child{text-align:left}
.grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(170px,1fr));gap:14px}
figure{margin:0}figcaption{font-size:13px;line-height:1.4;overflow-wrap:anywhere}
.body{width:100%;border:1px solid var(--line);border-radius:6px;display:block}
.body g{fill:var(--ink)}
.plot{max-width:320px;width:100%}.plot text{fill:var(--soft);font-size:11px}
"""


def write_report(taught: Taught, folder: Path, *, name: str, overwrite: bool = False) -> None:
    """Write ``report.html`` and ``report.json`` into a folder, which is made.

    Raises:
        OutputError: One of them exists, or cannot be written.
    """
    texts = {
        PAGE: render(taught, name),
        FIGURES: json.dumps(to_figures(taught), indent=2, ensure_ascii=False) + "\n",
    }
    save_files(folder, texts, overwrite=overwrite)


def refuse_report(folder: Path, *, overwrite: bool) -> None:
    """Refuse a folder that is a file, or that has a report that may not be replaced.

    Raises:
        OutputError: It is.
    """
    refuse_files(folder, (PAGE, FIGURES), overwrite=overwrite)


def to_figures(taught: Taught) -> dict[str, Any]:
    """Return the figures of the held-out examples, ready for JSON."""
    table, classes = _table(taught)
    bins, error = measure_calibration(taught.probabilities, taught.examples.labels)
    return {
        "training": taught.classifier.training,
        "trials": [{"kind": str(kind), "accuracy": round(v, 4)} for kind, v in taught.trials],
        "folds": taught.folds,
        "classes": [{k: _rounded(v) for k, v in asdict(one).items()} for one in classes],
        "confusion": table.tolist(),
        "calibration": {"error": _rounded(error), "bins": [[_rounded(v) for v in b] for b in bins]},
        "notes": list(taught.notes),
    }


def _rounded(value: Any) -> Any:
    if not isinstance(value, float):
        return value
    return round(value, 4) if math.isfinite(value) else None


def _table(taught: Taught) -> tuple[Any, list[ClassFigures]]:
    names = taught.classifier.classes
    table = count_confusions(taught.examples.labels, taught.answers, len(names))
    return table, judge_classes(table, names)


def summarize(taught: Taught) -> str:
    """Return what is printed: the kind, the held-out figures of each class, the limits."""
    training = taught.classifier.training
    _, classes = _table(taught)
    width = max(len("class"), *(len(one.name) for one in classes))
    lines = [
        f"{len(taught.examples)} examples of {len(classes)} classes from "
        f"{training['recordings']} recordings; {training['kind']}",
        f"{training['accuracy']:.1%} of the held-out examples right ({taught.folds} folds, mean "
        f"over the classes); {training['unknown']:.1%} unknown",
        f"{'class':<{width}}  examples  precision  recall     F1",
    ]
    lines += [
        f"{c.name:<{width}}  {c.count:8d}  {_share(c.precision):>9}  {_share(c.recall):>6}"
        f"  {_share(c.f1):>5}"
        for c in classes
    ]
    return "\n".join(lines)


def _share(value: float) -> str:
    return f"{value:.3f}" if math.isfinite(value) else "-"


def render(taught: Taught, name: str) -> str:
    """Return the page."""
    training, classifier = taught.classifier.training, taught.classifier
    what = "single poses" if classifier.window is None else f"{classifier.window:g} s of motion"
    lead = (
        f"{len(taught.examples)} examples, {training['recordings']} recordings, {what}; "
        f"{training['kind']}. Held-out accuracy, the mean over the classes: "
        f"{training['accuracy']:.1%} in {taught.folds} folds by recording; "
        f"{training['unknown']:.1%} of the examples got no name."
    )
    sections = [
        _section("Classes", _class_table(taught)),
        _section("What was taken for what", _confusion_table(taught)),
        _section("Most confused", _gallery(taught)),
        _section("How sure, how right", _calibration(taught)),
        _section("Made", _made(taught)),
    ]
    notes = "".join(f"<p>{html.escape(note)}</p>" for note in taught.notes)
    title = html.escape(name)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title} · Poise</title><style>{_STYLE}</style></head><body><main>"
        f'<section><h1>{title}</h1><p>{html.escape(lead)}</p><div class="soft">{notes}</div>'
        f"</section>{''.join(sections)}</main></body></html>\n"
    )


def _section(heading: str, content: str) -> str:
    return f"<section><h2>{heading}</h2>{content}</section>"


def _rows(heads: list[str], rows: list[list[str]]) -> str:
    """Return a table of cells."""
    top = "".join(f"<th>{html.escape(head)}</th>" for head in heads)
    body = "".join(f"<tr>{''.join(row)}</tr>" for row in rows)
    return f"<table><tr>{top}</tr>{body}</table>"


def _cell(text: object, style: str = "") -> str:
    return f'<td style="{style}">{html.escape(str(text))}</td>'


def _class_table(taught: Taught) -> str:
    _, classes = _table(taught)
    heads = ["class", "examples", "precision", "recall", "F1", "unknown"]
    return _rows(
        heads,
        [
            [_cell(c.name), _cell(c.count)]
            + [_cell(_share(v)) for v in (c.precision, c.recall, c.f1, c.unknown)]
            for c in classes
        ],
    )


def _confusion_table(taught: Taught) -> str:
    table, classes = _table(taught)
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    rows = [
        [_cell(one.name)]
        + [
            _cell(n, f"background:rgba(var(--tint),{0.75 * s:.2f})")
            for n, s in zip(table[number].tolist(), shares[number].tolist(), strict=True)
        ]
        for number, one in enumerate(classes)
    ]
    note = '<p class="soft">A row is what it is, a column what it was called.</p>'
    return note + _rows(["", *(one.name for one in classes), "unknown"], rows)


def _gallery(taught: Taught) -> str:
    examples, names = taught.examples, taught.classifier.classes
    chosen = most_confused(taught.probabilities, taught.answers, examples.labels, examples.groups)
    if not chosen:
        return '<p class="soft">No held-out example got a wrong name.</p>'
    figures = []
    for n in chosen:
        answer = int(taught.probabilities[n].argmax())
        said = f"{names[answer]} ({taught.probabilities[n, answer]:.0%})"
        caption = html.escape(f"{names[int(examples.labels[n])]}, taken for {said}")
        origin = html.escape(examples.origins[n])
        picture = draw_example(*examples.bodies[n], examples.pictures[n])
        figures.append(
            f"<figure>{picture}<figcaption>{caption}<br>"
            f'<span class="soft">{origin}</span></figcaption></figure>'
        )
    return f'<div class="grid">{"".join(figures)}</div>'


def _calibration(taught: Taught) -> str:
    bins, error = measure_calibration(taught.probabilities, taught.examples.labels)
    dots = "".join(
        f'<circle cx="{30 + 180 * said:.1f}" cy="{200 - 180 * was:.1f}" '
        f'r="{2 + 8 * math.sqrt(count / len(taught.examples)):.1f}" fill="rgb(var(--tint))"/>'
        for said, was, count in bins
    )
    return (
        f"<p>Expected calibration error {error:.3f}: how far probabilities are, on average, from "
        "the share of right answers. On the line they are equal; a dot's size is its number of "
        "examples.</p>"
        '<svg class="plot" viewBox="0 0 220 225"><path d="M30 20V200H210M30 200L210 20" '
        f'fill="none" stroke="var(--line)"/>{dots}<text x="80" y="218">probability said</text>'
        '<text x="30" y="12">share that is right</text></svg>'
    )


def _made(taught: Taught) -> str:
    limits = taught.classifier.limits
    trials = [[_cell(kind), _cell(f"{score:.1%}")] for kind, score in taught.trials]
    text = (
        f"Unknown is what has a probability below {limits.least_probability:.2f}, or lies farther "
        f"than {limits.greatest_distance:.2f} from every prototype. Probabilities are calibrated "
        f"by the temperature {taught.classifier.network.temperature:.2f}."
    )
    return _rows(["kind tried", "held-out accuracy"], trials) + f"<p>{text}</p>"
