"""What a comparison found, in sentences; the tables below are meant to be read by eye."""

from __future__ import annotations

import itertools
import re
import string
from types import SimpleNamespace
from typing import Any, cast

import pytest

from poise.angles import JOINT_NAMES, LIMB_NAMES
from poise.comparison import Fault, Relation
from poise.comparison.words import (
    LANGUAGES,
    describe_fault,
    describe_moment,
    describe_relation,
    describe_verdict,
    format_time,
    merge_for_words,
)
from poise.comparison.words_table import ENGLISH, GERMAN, TABLES
from poise.errors import UsageError

GROUPS = ("left_arm", "right_arm", "arms", "left_leg", "right_leg", "legs", "body")
MERGED = ("upper_arms", "forearms", "thighs", "shins", "feet", "elbows", "knees", "ankles")
NAMES = (*LIMB_NAMES, *JOINT_NAMES, *GROUPS, *MERGED, "both_shoulders", "both_hips")
KINDS = ("pose", "late", "early", "missed", "extra")
SIDES = ("low", "high", "in", "out", "left", "right", "bent", "straight", "")


def fault(
    limb: str = "left_forearm",
    kind: str = "pose",
    side: str = "",
    *,
    size: float = 40.0,
    start: float = 12.3,
    end: float = 13.1,
) -> Fault:
    """A fault; ``size`` is degrees for a pose, and seconds for the other kinds."""
    degrees, seconds = (size, 0.0) if kind == "pose" else (0.0, size)
    return Fault(limb, cast(Any, kind), start, end, start, end, degrees, seconds, side, 1.0)


SENTENCES = [
    (
        fault("left_forearm", "pose", "low"),
        "left forearm 40° too low",
        "linker Unterarm 40° zu tief",
    ),
    (
        fault("right_upper_arm", "pose", "high", size=22.6),
        "right upper arm 23° too high",
        "rechter Oberarm 23° zu hoch",
    ),
    (
        fault("left_foot", "pose", "out", size=15),
        "left foot 15° too far out",
        "linker Fuß 15° zu weit außen",
    ),
    (
        fault("left_shin", "pose", "straight", size=25),
        "left knee bent 25° too little",
        "linkes Knie 25° zu wenig gebeugt",
    ),
    (
        fault("right_arm", "pose", "bent", size=30),
        "right elbow bent 30° too far",
        "rechter Ellbogen 30° zu stark gebeugt",
    ),
    (
        fault("legs", "pose", "straight", size=30),
        "both knees bent 30° too little",
        "beide Knie 30° zu wenig gebeugt",
    ),
    (
        fault("trunk", "pose", "left", size=20),
        "trunk leans 20° too far to the left",
        "Rumpf 20° zu weit nach links geneigt",
    ),
    (
        fault("head", "pose", "right", size=20),
        "head tilted 20° too far to the right",
        "Kopf 20° zu weit nach rechts gekippt",
    ),
    (
        fault("left_leg", "pose", "left", size=20),
        "left leg 20° too far to the left",
        "linkes Bein 20° zu weit links",
    ),
    (fault("left_thigh"), "left thigh 40° off", "linker Oberschenkel um 40° falsch"),
    (
        fault("right_arm", "late", size=0.3),
        "right arm about 0.3 s behind",
        "rechter Arm etwa 0,3 s zu spät",
    ),
    (
        fault("legs", "early", size=0.06),
        "both legs about 0.06 s ahead",
        "beide Beine etwa 0,06 s zu früh",
    ),
    (fault("body", "late", size=1.25), "about 1.2 s behind", "etwa 1,2 s zu spät"),
    (
        fault("body", "missed", size=0.5),
        "left out a move of 0.5 s",
        "eine Bewegung von 0,5 s ausgelassen",
    ),
    (
        fault("left_arm", "missed", size=0.5),
        "left arm: left out a move of 0.5 s",
        "linker Arm: eine Bewegung von 0,5 s ausgelassen",
    ),
    (
        fault("body", "extra", size=1.2),
        "paused or added 1.2 s",
        "1,2 s angehalten oder hinzugefügt",
    ),
    (
        fault("forearms", "pose", "low", size=30),
        "both forearms 30° too low",
        "beide Unterarme 30° zu tief",
    ),
]


@pytest.mark.parametrize(("one", "english", "german"), SENTENCES, ids=lambda one: str(one)[:40])
def test_sentences(one: Fault, english: str, german: str) -> None:
    assert describe_fault(one) == english
    assert describe_fault(one, "de") == german


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_limb_kind_and_side_has_a_sentence(language: str) -> None:
    said = set()
    for limb, kind, side in itertools.product(NAMES, KINDS, SIDES):
        sentence = describe_fault(fault(limb, kind, side, size=3.0), language)
        assert re.fullmatch(r"\S+( \S+)+", sentence), sentence
        assert not re.search(r"[{}_]|\bNone\b", sentence), sentence
        assert "3°" in sentence or re.search(r"3[.,]0 s", sentence), sentence
        if kind == "pose" and side not in ("bent", "straight"):
            said.add(sentence)
    # Two names never share a sentence, so that nobody looks at the wrong limb.
    assert len(said) == len(set(NAMES)) * 7


def test_all_languages_have_the_same_keys_and_places() -> None:
    assert LANGUAGES == ("en", "de")
    places = {
        language: {
            key: sorted(name for _, name, _, _ in string.Formatter().parse(text) if name)
            for key, text in table.items()
        }
        for language, table in TABLES.items()
    }
    assert places["en"] == places["de"]
    same = {key for key in ENGLISH if ENGLISH[key] == GERMAN[key]}
    assert not same, f"not translated: {same}"


def test_unknown_words() -> None:
    with pytest.raises(UsageError, match="no language named 'fr'; choose one of en, de"):
        describe_fault(fault(), "fr")
    with pytest.raises(UsageError, match="no language named 'fr'"):
        describe_relation(Relation(), "fr")
    with pytest.raises(
        UsageError, match="no limb named 'left_forarm'; did you mean 'left_forearm'"
    ):
        describe_fault(fault("left_forarm"))
    with pytest.raises(UsageError, match="no side named 'lo'; did you mean 'low'"):
        describe_fault(fault(side="lo"))
    with pytest.raises(UsageError, match="no side named 'up'; choose one of low, high, in, out"):
        describe_fault(fault("trunk", side="up"))
    with pytest.raises(UsageError, match="no kind named 'lat'; did you mean 'late'"):
        describe_fault(fault(kind="lat"))


def test_a_mirror_image_is_told_its_own_side() -> None:
    low = fault("left_forearm", "pose", "low")
    assert describe_fault(low, mirrored=True) == "right forearm 40° too low"
    leans = fault("trunk", "pose", "right")
    assert describe_fault(leans, mirrored=True) == "trunk leans 40° too far to the left"
    both = fault("arms", "pose", "low")
    assert describe_fault(both, mirrored=True) == describe_fault(both)


TIMES = [
    (0.0, "0:00.0"),
    (12.34, "0:12.3"),
    (59.94, "0:59.9"),
    (59.95, "1:00.0"),
    (59.99, "1:00.0"),
    (119.96, "2:00.0"),
    (600.0, "10:00.0"),
    (3599.94, "59:59.9"),
    (3599.96, "1:00:00.0"),
    (3725.5, "1:02:05.5"),
    (-1.2, "-0:01.2"),
    (-0.01, "0:00.0"),
]


@pytest.mark.parametrize(("seconds", "text"), TIMES)
def test_times(seconds: float, text: str) -> None:
    assert format_time(seconds) == text
    assert format_time(seconds, language="de") == text.replace(".", ",")


def test_no_time_has_sixty_seconds() -> None:
    for number in range(0, 80_000):
        text = format_time(number * 0.01)
        assert ":60" not in text
        minutes, seconds = text.split(":")
        assert 60 * int(minutes) + float(seconds) == pytest.approx(number * 0.01, abs=0.0501)


MOMENTS = [
    (
        fault("left_forearm", "pose", "low"),
        "0:12.3 to 0:13.1 left forearm 40° too low",
        "0:12,3 bis 0:13,1: linker Unterarm 40° zu tief",
    ),
    (
        fault("arms", "late", size=0.3, start=20.04, end=44.6),
        "0:20 to 0:45 both arms about 0.3 s behind",
        "0:20 bis 0:45: beide Arme etwa 0,3 s zu spät",
    ),
    (
        fault("body", "extra", size=1.2, start=5.0, end=5.02),
        "0:05.0 paused or added 1.2 s",
        "0:05,0: 1,2 s angehalten oder hinzugefügt",
    ),
]


@pytest.mark.parametrize(("one", "english", "german"), MOMENTS, ids=["short", "long", "point"])
def test_moments(one: Fault, english: str, german: str) -> None:
    assert describe_moment(one) == english
    assert describe_moment(one, "de") == german


def test_a_moment_keeps_the_words_of_the_fault() -> None:
    one = fault("left_forearm", "pose", "low")
    told = Fault(**{**vars(one), "text": "right forearm 40° too low"})
    assert describe_moment(told) == "0:12.3 to 0:13.1 right forearm 40° too low"


RELATIONS = [
    (Relation(), "", ""),
    (
        Relation(mirrored=True, offset=1.3, tempo=0.96, yaw=25.2),
        "learner mirrored, 1.3 s late, 4 % slower, camera 25° to the left",
        "Nachahmung gespiegelt, 1,3 s später, 4 % langsamer, Kamera 25° weiter links",
    ),
    (
        Relation(offset=-0.05, tempo=1.2, scale=0.5),
        "learner 0.05 s early, 20 % faster, 50 % smaller in pixels",
        "Nachahmung 0,05 s früher, 20 % schneller, in Pixeln 50 % kleiner",
    ),
    (
        Relation(scale=1.05, roll=-3.2, yaw=-170.0),
        "learner 5 % larger in pixels, camera 170° to the right, picture turned 3° anticlockwise",
        "Nachahmung in Pixeln 5 % größer, Kamera 170° weiter rechts, "
        "Bild 3° gegen den Uhrzeigersinn gedreht",
    ),
    (Relation(roll=1.0), "picture turned 1° clockwise", "Bild 1° im Uhrzeigersinn gedreht"),
    (Relation(offset=0.049, tempo=1.009, scale=0.96, roll=0.9, yaw=4.9), "", ""),
    (Relation(tempo=0.99), "learner 1 % slower", "Nachahmung 1 % langsamer"),
]


@pytest.mark.parametrize(("relation", "english", "german"), RELATIONS)
def test_relations(relation: Relation, english: str, german: str) -> None:
    assert describe_relation(relation) == english
    assert describe_relation(relation, "de") == german


VERDICTS = [
    ("nearly", 82.4, 0.97, "82 of 100: nearly right; 97 % judged"),
    ("right", 99.7, 0.999, "99 of 100: right; 99 % judged"),
    ("right", 100.0, 1.0, "100 of 100: right; 100 % judged"),
    ("wrong", 31.0, 0.5, "31 of 100: wrong; 50 % judged"),
    ("cannot say", 80.0, 0.12, "cannot say: only 12 % judged"),
    ("cannot say", float("nan"), 0.0, "cannot say: only 0 % judged"),
    ("cannot say", 0.0, 0.001, "cannot say: only 1 % judged"),
]


@pytest.mark.parametrize(("verdict", "score", "coverage", "text"), VERDICTS)
def test_verdicts(verdict: str, score: float, coverage: float, text: str) -> None:
    found: Any = SimpleNamespace(verdict=verdict, score=score, coverage=coverage)
    assert describe_verdict(found) == text
    assert describe_verdict(found, "de") != text


def test_both_sides_are_said_in_one_sentence() -> None:
    left = fault("left_forearm", "pose", "low", size=40, start=2.0, end=3.0)
    right = fault("right_forearm", "pose", "low", size=20, start=2.2, end=3.1)
    (both,) = merge_for_words([right, left])
    assert (both.start, both.end, both.degrees, both.severity) == (2.0, 3.1, 30.0, 2.0)
    assert describe_moment(both) == "0:02.0 to 0:03.1 both forearms 30° too low"


@pytest.mark.parametrize(
    ("limbs", "sentence"),
    [
        (("left_foot", "right_foot"), "both feet 40° too low"),
        (("left_arm", "right_arm"), "both arms 40° too low"),
        (("right_hip", "left_hip"), "both hips 40° too low"),
    ],
)
def test_plurals(limbs: tuple[str, str], sentence: str) -> None:
    (both,) = merge_for_words([fault(limb, "pose", "low") for limb in limbs])
    assert describe_fault(both) == sentence


DIFFERENT = {
    "side": fault("right_forearm", "pose", "high", start=2.0, end=3.0),
    "kind": fault("right_forearm", "late", "low", size=0.3, start=2.0, end=3.0),
    "limb": fault("right_upper_arm", "pose", "low", start=2.0, end=3.0),
    "time": fault("right_forearm", "pose", "low", start=2.4, end=3.4),
    "length": fault("right_forearm", "pose", "low", start=2.0, end=3.6),
    "size": fault("right_forearm", "pose", "low", size=90, start=2.0, end=3.0),
    "same side": fault("left_forearm", "pose", "low", start=2.0, end=3.0),
    "no side": fault("trunk", "pose", "low", start=2.0, end=3.0),
}


@pytest.mark.parametrize("what", DIFFERENT)
def test_what_differs_stays_apart(what: str) -> None:
    left = fault("left_forearm", "pose", "low", start=2.0, end=3.0)
    assert set(merge_for_words([left, DIFFERENT[what]])) == {left, DIFFERENT[what]}


def test_the_better_twin_is_taken_and_the_order_kept() -> None:
    left = fault("left_shin", "pose", "low", start=2.0, end=3.0)
    near = fault("right_shin", "pose", "low", start=2.0, end=3.0)
    far = fault("right_shin", "pose", "low", start=1.8, end=2.9)
    other = fault("trunk", "pose", "left", start=1.9, end=2.0)
    limbs = [one.limb for one in merge_for_words([other, near, left, far])]
    assert limbs == ["right_shin", "trunk", "shins"]
    assert merge_for_words([]) == ()


def test_a_time_that_is_not_known_does_not_spread() -> None:
    left = fault("left_arm", "pose", "low")
    blind = Fault(**{**vars(left), "limb": "right_arm", "attempt_start": float("nan")})
    assert merge_for_words([blind, left])[0].attempt_start == left.attempt_start
