"""The report: three files, a page that needs nothing else, and the ranking."""

from __future__ import annotations

import csv
import dataclasses
import json
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from comparison_sample import FAULT, sample_comparison, sample_stages
from poise.angles import LIMB_NAMES
from poise.clip import Track
from poise.comparison.report import (
    MomentPictures,
    RankedAttempt,
    Sources,
    save_ranking,
    save_report,
)
from poise.comparison.report.axes import Axis, smooth
from poise.comparison.report.page import render
from poise.comparison.report.phrases import Phrases
from poise.comparison.report.phrases_table import ENGLISH, GERMAN
from poise.comparison.report.sheet import Sheet, tone_of
from poise.comparison.result import Comparison, Relation
from poise.errors import OutputError, UsageError
from poise.markup import Markup, path_of, tag

_VOID = {"meta", "img", "br"}


class Outline(HTMLParser):
    """Checks that elements are closed in order, and notes what a page holds."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)
        assert not self.open

    def handle_starttag(self, name: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((name, dict(attrs)))
        if name not in _VOID:
            self.open.append(name)

    def handle_endtag(self, name: str) -> None:
        assert self.open.pop() == name

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += data + "\n"

    def all(self, name: str) -> list[dict[str, str | None]]:
        return [attrs for found, attrs in self.tags if found == name]


def _page(comparison: Comparison, language: str = "en", **fields: object) -> Outline:
    return Outline(render(Sheet(comparison, say=Phrases(language), **fields)))  # type: ignore[arg-type]


def _cut(track: Track, count: int) -> Track:
    return Track(1, track.skeleton, track.times[:count], track.keypoints[:count],
                 track.scores[:count])  # fmt: skip


def test_three_files_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "report"
    sample_comparison().save_report(folder)
    assert {path.name for path in folder.iterdir()} == {
        "report.html", "comparison.json", "timeline.csv",
    }  # fmt: skip


def test_refuses_before_it_writes(tmp_path: Path) -> None:
    (tmp_path / "timeline.csv").write_text("mine")
    with pytest.raises(OutputError, match=r"timeline\.csv: exists already"):
        save_report(sample_comparison(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["timeline.csv"]
    assert (tmp_path / "timeline.csv").read_text() == "mine"
    save_report(sample_comparison(), tmp_path, overwrite=True)
    assert (tmp_path / "timeline.csv").read_text() != "mine"


def test_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "report").write_text("")
    with pytest.raises(OutputError, match="is a file, not a folder"):
        save_report(sample_comparison(), tmp_path / "report", overwrite=True)


def test_json_has_no_nan_and_names_sources(tmp_path: Path) -> None:
    comparison = sample_comparison()
    fault = dataclasses.replace(comparison.faults[0], attempt_start=float("nan"))
    odd = dataclasses.replace(comparison, faults=(fault,))
    save_report(odd, tmp_path, sources=Sources("teacher.mp4", "learner.mp4"))

    def refuse(name: str) -> None:
        raise AssertionError(name)

    text = (tmp_path / "comparison.json").read_text(encoding="utf-8")
    document = json.loads(text, parse_constant=refuse)
    assert document["schema_version"] == 1
    assert document["sources"] == {"reference": "teacher.mp4", "attempt": "learner.mp4"}
    assert document["faults"][0]["attempt_start"] is None
    assert document["score"] == pytest.approx(comparison.score, abs=1e-4)


def test_timeline_csv_has_a_row_a_moment(tmp_path: Path) -> None:
    comparison = sample_comparison("coco17")  # has no feet
    save_report(comparison, tmp_path)
    with (tmp_path / "timeline.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    timeline = comparison.timeline
    assert len(rows) == len(timeline.times)
    assert list(rows[0]) == ["reference_time", "attempt_time", "score", "lag", *LIMB_NAMES]
    assert {row["left_foot"] for row in rows} == {""}
    assert rows[-1]["attempt_time"] == rows[-1]["score"] == ""
    seen = [float(row["left_forearm"] or "nan") for row in rows]
    column = timeline.errors[:, LIMB_NAMES.index("left_forearm")]
    np.testing.assert_allclose(seen, column, atol=0.051)


def test_page_stands_alone() -> None:
    page = _page(sample_comparison())
    policy = next(m for m in page.all("meta") if m.get("http-equiv"))["content"]
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    assert not page.all("script")
    assert not page.all("link")
    anchors = {attrs["id"] for _, attrs in page.tags if "id" in attrs}
    addresses = [attrs["href"] for attrs in page.all("a")]
    assert addresses
    assert all(one and one[0] == "#" and one[1:] in anchors for one in addresses)


def test_page_can_be_read_without_seeing() -> None:
    page = _page(sample_comparison())
    assert len(page.all("h1")) == 1
    for svg in page.all("svg"):
        assert svg["role"]
        assert svg["aria-label"]
    assert len(page.all("caption")) == len(page.all("table"))
    assert all(head.get("scope") in {"row", "col"} for head in page.all("th"))
    assert page.all("html")[0]["lang"] == "en"


def test_page_says_what_was_found() -> None:
    comparison = sample_comparison()
    text = _page(comparison).text
    assert "Right" in text
    assert f"{comparison.score:.0f}" in text
    for fault in comparison.faults:
        assert fault.text in text
    assert text.index("left forearm 64°") < text.index("right thigh 22°")  # worst first
    assert "4 % slower" in text
    assert "All performances" in text
    assert "right upper arm" in text
    assert "{" not in text


def test_fault_stands_at_its_time() -> None:
    page = Outline(render(Sheet(sample_comparison())))
    times = sample_comparison().timeline.times
    bar = next(a for a in page.all("rect") if a.get("class") == "bar k-pose")
    axis = Axis(float(times[0]), float(times[-1]), 124, 980)
    assert float(bar["x"] or 0) == pytest.approx(axis.at(FAULT[2]), abs=0.1)
    width = axis.at(FAULT[3]) - axis.at(FAULT[2])
    assert float(bar["width"] or 0) == pytest.approx(width, abs=0.1)


def test_names_of_files_are_escaped(tmp_path: Path) -> None:
    sources = Sources("a/<img src=x onerror=alert(1)>.mp4", 'b/"><script>.mp4')
    save_report(sample_comparison(), tmp_path, sources=sources)
    page = Outline((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert not page.all("script")
    assert not page.all("img")
    assert '"><script>.mp4 against <img src=x' in page.text


def test_sizes(tmp_path: Path) -> None:
    short = sample_comparison()
    tiled = {
        name: np.concatenate([getattr(short.timeline, name)] * 7)
        for name in ("attempt_times", "scores", "errors", "weights", "lag")
    }
    times = np.arange(len(tiled["lag"])) / 30
    long = dataclasses.replace(
        short,
        timeline=dataclasses.replace(short.timeline, times=times, **tiled),
        segments=short.segments * 7,
        faults=short.faults * 7,
    )
    assert times[-1] > 60
    save_report(long, tmp_path / "plain")
    assert (tmp_path / "plain" / "report.html").stat().st_size < 300_000
    image = np.random.default_rng(0).integers(0, 255, (1080, 1920, 3)).astype(np.uint8)
    image = image // 4 + np.linspace(0, 190, 1920, dtype=np.uint8)[None, :, None]
    pairs = [MomentPictures(fault, image, image) for fault in short.worst(5)]
    pairs.append(pairs[0])
    save_report(long, tmp_path / "pictures", pictures=pairs)
    page = (tmp_path / "pictures" / "report.html").read_text(encoding="utf-8")
    assert len(page) < 2_000_000
    pictures = Outline(page).all("img")
    assert len(pictures) == 12
    assert all(one["alt"] and (one["src"] or "").startswith("data:image/") for one in pictures)


def test_pictures_of_the_stage(tmp_path: Path) -> None:
    ours, theirs = sample_stages()
    fault = sample_comparison().worst(1)[0]
    pair = MomentPictures(fault, ours.frame(75).image, theirs.frame(98).image, 2.5, 3.92)
    page = _page(sample_comparison(), pictures=(pair,))
    alts = [one["alt"] for one in page.all("img")]
    assert alts == [
        f"Reference at 0:02.5: {fault.text}",
        f"Attempt at 0:03.9: {fault.text}",
    ]


def test_mirrored_speaks_of_the_attempts_own_sides() -> None:
    comparison = sample_comparison()
    fault = dataclasses.replace(comparison.worst(1)[0], text="right forearm 64° too low")
    mirrored = dataclasses.replace(
        comparison, relation=Relation(mirrored=True), faults=(fault,), attempts=()
    )
    text = _page(mirrored).text
    assert "mirror image" in text
    lanes = text[text.index("Moment by moment") : text.index("The worst moments")]
    assert "right forearm" in lanes
    assert "left forearm" not in lanes


def test_nothing_wrong_and_nothing_seen() -> None:
    comparison = sample_comparison()
    assert "Nothing stands out" in _page(dataclasses.replace(comparison, faults=())).text
    blank = {
        name: np.full_like(getattr(comparison.timeline, name), np.nan)
        for name in ("attempt_times", "scores", "errors", "lag")
    }
    unseen = dataclasses.replace(
        comparison,
        verdict="cannot say",
        timeline=dataclasses.replace(comparison.timeline, **blank),
        limbs=tuple(dataclasses.replace(p, score=None, degrees=None) for p in comparison.limbs),
        segments=tuple(dataclasses.replace(s, score=None) for s in comparison.segments),
        attempts=(),
    )
    text = _page(unseen).text
    assert "Cannot say" in text
    assert "nan" not in text.lower()


def test_single_pose_has_no_timeline() -> None:
    comparison = sample_comparison()
    names = ("times", "attempt_times", "scores", "errors", "weights", "lag")
    one = {name: getattr(comparison.timeline, name)[:1] for name in names}
    still = dataclasses.replace(
        comparison,
        timeline=dataclasses.replace(comparison.timeline, **one),
        reference=_cut(comparison.reference, 1),
        attempt=_cut(comparison.attempt, 1),
        segments=(),
        faults=comparison.faults[:1],
    )
    text = _page(still).text
    assert "Moment by moment" not in text
    assert "right thigh 22°" in text


def test_german() -> None:
    assert set(GERMAN) == set(ENGLISH)
    page = _page(sample_comparison(), "de")
    assert page.all("html")[0]["lang"] == "de"
    assert "linker Unterarm" in page.text
    assert "1,3 s" in page.text
    with pytest.raises(UsageError, match="no language named 'fr'"):
        Phrases("fr")


def test_numbers_are_written_sensibly() -> None:
    say = Phrases()
    assert say.clock(62.06) == "1:02.1"
    assert say.clock(59.96) == "1:00.0"
    assert say.points(99.7) == "99"
    assert say.points(99.99) == "100"
    assert say.points(None) == "–"
    assert [say.percent(share) for share in (0, 0.001, 0.5, 0.999, 1)] == [
        "0 %", "1 %", "50 %", "99 %", "100 %",
    ]  # fmt: skip
    assert say.degrees(4.24) == "4.2°"
    assert say.degrees(9.97) == "10°"
    assert [say.lag(s, 0.07) for s in (0.05, 0.2, -1.24)] == ["in time", "0.20 s late",
                                                             "1.2 s early"]  # fmt: skip


def test_markup_escapes_once() -> None:
    assert tag("p", "a < b", Markup("<b>c</b>"), class_='x"y') == (
        '<p class="x&quot;y">a &lt; b<b>c</b></p>'
    )
    assert tag("rect", x=1.005, y=-0.0001, rx=None) == '<rect x="1" y="0"></rect>'


def test_axes_and_means() -> None:
    assert Axis(0, 9, 0, 100).clock_ticks(10) == list(range(10))
    assert Axis(-1, 1, 100, 0).at(0) == 50
    gaps = smooth(np.array([1.0, np.nan, 3.0, 5.0]), 3)
    np.testing.assert_allclose(gaps, [1.0, np.nan, 4.0, 4.0])
    assert path_of([0, 1, 2, 3], [0, np.nan, 1, 2]) == "M0.0 0.0M2.0 1.0L3.0 2.0"
    assert [tone_of(score) for score in (None, 0, 100)] == ["tx", "t0", "t10"]


def _rows() -> list[RankedAttempt]:
    good = sample_comparison()
    bad = dataclasses.replace(good, score=41.0, verdict="wrong")
    dark = dataclasses.replace(good, score=99.0, verdict="cannot say", coverage=0.1)
    return [
        RankedAttempt("broken.mp4", error="broken.mp4: is no <video>"),
        RankedAttempt("dark.mp4", dark),
        RankedAttempt("bob.mp4", bad, "bob/report.html"),
        RankedAttempt("anna & co.mp4", good, "anna & co #1/report.html"),
        RankedAttempt("zoe.mp4", bad),
    ]


def test_ranking_is_sorted_and_failures_come_last(tmp_path: Path) -> None:
    save_ranking(_rows(), tmp_path, reference="x/teacher.mp4")
    document = json.loads((tmp_path / "ranking.json").read_text(encoding="utf-8"))
    assert [(one["rank"], one["name"]) for one in document["attempts"]] == [
        (1, "anna & co.mp4"), (2, "bob.mp4"), (2, "zoe.mp4"), (None, "dark.mp4"),
        (None, "broken.mp4"),
    ]  # fmt: skip
    with (tmp_path / "ranking.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert rows[-1]["error"] == "broken.mp4: is no <video>"
    assert rows[0]["worst_fault"] == "left forearm 64° too low"
    page = Outline((tmp_path / "ranking.html").read_text(encoding="utf-8"))
    assert [a["href"] for a in page.all("a")] == [
        "anna%20%26%20co%20%231/report.html", "bob/report.html",
    ]  # fmt: skip
    assert "Ranking against teacher.mp4" in page.text
    assert page.text.index("dark.mp4") < page.text.index("broken.mp4")
    assert "is no <video>" in page.text


def test_ranking_refuses_and_never_links_to_scripts(tmp_path: Path) -> None:
    rows = [RankedAttempt("a", sample_comparison(), "javascript:alert(1)")]
    save_ranking(rows, tmp_path)
    page = Outline((tmp_path / "ranking.html").read_text(encoding="utf-8"))
    assert page.all("a")[0]["href"] == "javascript%3Aalert%281%29"
    with pytest.raises(OutputError, match=r"ranking\.html: exists already"):
        save_ranking(rows, tmp_path)
